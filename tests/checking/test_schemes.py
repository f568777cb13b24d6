import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.schemes import SCHEME_TABLE, plain_loop


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


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("name", "order", "subtracts", "each", "best"),
    [
        ("forward", 1, True, 1, 1e-8), ("central", 2, True, 2, 10 ** (-16 / 3)),
        ("five_point", 4, True, 4, 10**-3.2), ("complex_step", 2, False, 1, 1e-8),
    ],
)  # fmt: skip
def test_what_a_scheme_is_costs_and_where_its_errors_balance(name, order, subtracts, each, best):
    scheme = SCHEME_TABLE[name]
    assert (scheme.name, scheme.order, scheme.subtracts) == (name, order, subtracts)
    assert scheme.evaluations(7) == 7 * each  # theta itself is not counted
    assert scheme.best_step(1e-16) == pytest.approx(best)


@pytest.mark.every_case
@pytest.mark.parametrize("name", SCHEME_TABLE)
def test_a_polynomial_below_the_order_has_no_truncation_and_the_next_has_its_own(name):
    scheme, h, x = SCHEME_TABLE[name], 0.5, 0.75  # whose multiples are exact
    points = np.array([x + offset * h for offset in scheme.offsets])
    if not scheme.subtracts:
        points = x + 1j * h * np.ones(1)
    for power in range(1, 7):
        slope = scheme.combine(points**power, points, h)
        error = slope - power * x ** (power - 1)
        assert (abs(error) < 1e-12) == (power <= scheme.order), power
    series = {
        "forward": [0, 0, h],
        "central": [0, 0, 0, h**2],
        "five_point": [0, 0, 0, 0, 0, -4 * h**4],
        "complex_step": [0, 0, 0, -(h**2)],
    }
    for power, error in enumerate(series[name]):  # at 0, of x ** power
        at = points - x
        assert scheme.combine(at**power, at, h) == pytest.approx(float(power == 1) + error)


def test_a_step_that_vanishes_is_divided_by_as_it_was_meant():
    scheme = SCHEME_TABLE["central"]
    losses, points = np.array([[3.0, 3.0], [1.0, 3.0]]), np.array([[5.0, 5.0], [5.0, 4.0]])
    assert scheme.combine(losses, points, 0.25).tolist() == [4.0, 0.0]


@pytest.mark.every_case
@pytest.mark.parametrize("name", SCHEME_TABLE)
def test_the_plain_loop_asks_for_one_entry_at_a_time_at_the_schemes_points(name):
    asked = []

    def f(t):
        asked.append(t.copy())
        return np.sum(t**2)

    theta = np.float32([0.5, -1.0])
    gradient = plain_loop(f, theta, 0.25, name)
    assert gradient.dtype == (float if name == "complex_step" else np.float32)
    offsets = SCHEME_TABLE[name].offsets
    expected = [[0.5 + 0.25 * o, -1] for o in offsets] + [[0.5, -1 + 0.25 * o] for o in offsets]
    assert np.array_equal(asked, expected)
    forward = [1.25, -1.75] if name == "forward" else [1.0, -2.0]
    assert gradient.tolist() == pytest.approx(forward)


def test_the_named_functions_have_steps_of_their_own():
    steps = {gl.forward_difference: 1e-8, gl.central_difference: 1e-5, gl.five_point: 1e-3,
             gl.complex_step: 1e-20}  # fmt: skip
    for function, step in steps.items():
        asked = []
        function(lambda t, asked=asked: asked.append(abs(t[0])) or t[0], np.zeros(1))
        assert min(a for a in asked if a) == pytest.approx(step)
        with pytest.raises(ValueError, match="eps must be a positive"):
            function(smooth, THETA, 0.0)
