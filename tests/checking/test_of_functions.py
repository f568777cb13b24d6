"""The wrong line of a pair of functions: what must stay as it is, and what is no cause at all."""

import warnings

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.diagnosis import Facts
from gradlab.checking.source.diagnosis import NEAR, target_of
from gradlab.checking.source.of_functions import _is_steady, of_functions
from tests.checking.cases import known

THETA = np.array([0.5, -0.4, 2.0])


def loss(t):
    return float(np.sum(t**2))


def found(f, grad, theta=THETA, **options):
    return gl.check_function(f, grad, theta, **options).diagnosis


def shares_a_number(t):
    k = 1.0
    value = float(k * np.sum(t**2))
    g = k * t
    return value, g


def test_no_edit_is_told_that_gives_another_loss_beside_the_gradient():
    """With k = 2 the gradient would be right, and the loss another one."""
    first, *_ = found(shares_a_number, True)
    assert first.whose == "yours"
    told = [f"{first.where}: {first.wrong_line}", *first.alike]
    assert any("g = k * t" in line for line in told)
    assert not any("k = 1.0" in line for line in told)


LEFT = {}


def leaves(t):
    LEFT["s"] = np.sin(t)
    return float(np.sum(LEFT["s"] ** 2))


def reads(t):
    s = LEFT["s"]
    return s * np.cos(t)


def test_what_a_gradient_reads_is_left_there_by_the_loss_of_the_same_theta():
    (first,) = found(leaves, reads)
    assert first.wrong_line in ("return s * np.cos(t)", 's = LEFT["s"]')
    assert first.certain


def clipped(t):
    while False:  # so that no line is searched
        pass
    g = 2 * t
    return g * (0.7123 / max(0.7123, np.linalg.norm(g)))


def constant(t):
    return 3.7 * 2 * THETA


def adds(t):
    TOTAL[:] = TOTAL + 2 * t
    return TOTAL.copy()


TOTAL = np.zeros(3)


def test_a_factor_that_is_another_one_elsewhere_is_no_cause():
    (first,) = found(loss, clipped)
    assert first.cause.startswith("every tensor is off by a factor that depends on the numbers: ")
    assert first.score == 0.3
    assert not first.certain
    layout = {"a": (0, 2, (2,)), "b": (2, 3, (1,))}
    (first,) = found(loss, clipped, tensors=layout)
    assert first.cause.startswith("every tensor is off by a factor that depends on")


def test_numbers_that_are_known_at_one_theta_or_add_up_are_not_said_to_depend_on_it():
    assert not any("depends on" in told.cause for told in found(loss, constant))
    TOTAL[:] = 0
    told = found(loss, adds)
    assert not any("depends on" in one.cause for one in told)
    assert told[0].bug == "accumulated_gradients"


def test_what_a_gradient_returned_at_first_and_now_is_the_same_to_a_thousandth():
    g = {"a": np.array([1.0, 2.0])}
    for off, is_steady in ((0.9e-3, True), (1.1e-3, False)):
        first = {"a": g["a"] * (1 + off)}
        of = known(g, {"a": np.array([2.0, 4.0])}, first=first)
        assert _is_steady(of) == is_steady
    assert _is_steady(known(g, {"a": np.array([2.0, 4.0])}))
    right = known(g, g, first={"a": 2 * g["a"]}, wrong=[])
    assert _is_steady(right)


def of_none(t):
    return 3 * t + 0 * np.mean(t[0:])


def test_without_a_gradient_nothing_is_searched_and_what_an_edit_warns_of_is_not_said():
    report = gl.check_function(loss, of_none, THETA)
    facts, layout = Facts.of(report), {"theta": (0, 3, (3,))}
    assert of_functions(loss, None, THETA, layout, report, facts) == []
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        (first,) = of_functions(loss, of_none, THETA, layout, report, facts)
        np.mean(THETA[:0])  # as of t[3:]
    assert first.right_line == "return 2 * t + 0 * np.mean(t[0:])"
    assert {str(one.message).split()[0] for one in seen} == {"Mean", "invalid"}
    assert len(seen) == 2


@pytest.mark.parametrize("rounding", [0.0, 0.01])
def test_what_no_step_could_tell_is_no_target(rounding):
    def edge(t):
        return loss(t) if t[0] <= THETA[0] else np.nan

    report = gl.check_function(edge, lambda t: 3 * t, THETA)
    facts = Facts.of(report)
    of = target_of(report, facts, rounding)
    assert len(of.right) == 2
    np.testing.assert_allclose(of.right, 2 * THETA[1:], rtol=1e-6)
    largest = np.abs(facts.numerical["theta"]).max()
    wanted = NEAR * facts.tolerance_of("theta")[1:] + rounding * largest
    np.testing.assert_allclose(of.tolerance, wanted, rtol=1e-12)
