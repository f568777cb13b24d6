import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.schemes import plain_loop


def smooth(theta):
    return np.sum(np.exp(theta) * np.sin(3 * theta))


def slope(theta):
    return np.exp(theta) * (np.sin(3 * theta) + 3 * np.cos(3 * theta))


THETA = np.array([0.3, -1.2, 2.0])


@pytest.mark.parametrize(("scheme", "order"), [("forward", 1), ("central", 2), ("five_point", 4)])
def test_error_falls_with_the_order_of_the_scheme(scheme, order):
    errors = [np.abs(plain_loop(smooth, THETA, h, scheme) - slope(THETA)) for h in (2e-2, 1e-2)]
    assert np.allclose(errors[0] / errors[1], 2**order, rtol=0.1)


def test_complex_step_has_no_round_off():
    for h in (1e-8, 1e-20, 1e-200):
        assert np.allclose(gl.complex_step(smooth, THETA, h), slope(THETA), rtol=1e-15)


@pytest.mark.parametrize(
    "function", [gl.forward_difference, gl.central_difference, gl.five_point, gl.complex_step]
)
def test_the_named_functions_estimate_the_slope_and_leave_theta_alone(function):
    theta = THETA.copy()
    assert np.allclose(function(smooth, theta), slope(theta), rtol=1e-6)
    assert theta.tobytes() == THETA.tobytes()


def test_central_difference_is_the_central_scheme_bit_by_bit():
    a = gl.central_difference(smooth, THETA, 1e-5)
    assert np.array_equal(a, plain_loop(smooth, THETA, 1e-5, "central"))


def test_divides_by_the_step_that_was_taken():
    # 1e8 can move by multiples of 1.5e-8 only: a step of 2e-8 is really one of 1.5e-8
    n = gl.central_difference(lambda t: 3 * (t[0] - 1e8), np.array([1e8]), 2e-8)
    assert np.isclose(n[0], 3, rtol=1e-6)
