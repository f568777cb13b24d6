"""Gradients that are 0, losses that are no functions, answers of odd types: each told as it is.

Both collections were written without a look at the checker. At first sight no zero that is wrong
was called correct, and 103 of 107 traps were told as they are; the four were a float16 gradient
(judged by float64's rounding) and three messages that did not say what grad had returned.
"""

import numpy as np
import pytest

import gradlab as gl
from tests.checking.treacherous import TREACHEROUS
from tests.checking.zero_gradients import ZEROS


def outcome(trap):
    """Return what a check says: a verdict with the report, or an exception's name with its text."""
    f, grad, theta = trap.make()
    before = theta.tobytes()
    try:
        report = gl.check_function(f, grad, theta)
    except Exception as error:
        if trap.error is None or not isinstance(error, trap.error):
            raise
        said = "an error", str(error)
    else:
        said = str(report.verdict), str(report)
    assert theta.tobytes() == before
    return said


@pytest.mark.every_case
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # their own
@pytest.mark.parametrize("trap", TREACHEROUS, ids=lambda trap: trap.name)
def test_a_trap_is_told_as_it_is(trap):
    verdict, text = outcome(trap)
    assert verdict == "an error" or verdict in trap.allowed, text
    assert not trap.words or any(word in text.lower() for word in trap.words), text


def test_there_are_enough_of_them():
    assert len(ZEROS) >= 40
    assert sum(zero.truth == "wrong" for zero in ZEROS) >= 40


@pytest.mark.every_case
@pytest.mark.parametrize("zero", ZEROS, ids=lambda zero: zero.name)
def test_a_gradient_that_was_never_written_is_not_correct(zero):
    f, grad, theta = zero.make()
    report = gl.check_function(f, grad, theta, eps=zero.eps)
    if zero.truth == "wrong":
        assert report.verdict != "correct", report
    else:
        assert report.verdict != "wrong", report
    if zero.truth == "nothing" and report.verdict == "correct":  # and said to prove nothing
        tensor = report["theta"]
        proved = tensor.marks != "zero"
        assert (report.why.count("proves nothing") == 1) or proved.all(), report


def test_what_is_0_and_is_proved_so_is_correct():
    named = {zero.name: zero for zero in ZEROS if zero.eps is None and zero.truth == "right"}
    for name in ("t² at 0", "cos at 0", "|t| at 0", "relu at 0", "Rosenbrock at (1, 1)"):
        report = gl.check_function(*named[name].make())
        assert report.verdict == "correct", report


@pytest.mark.parametrize("eps", [None, 1e-4])
def test_a_loss_that_remembers_is_not_correct_at_any_step(eps):
    mean = [0.0]

    def f(t):
        value = float(((t - mean[0]) ** 2).sum())
        mean[0] += 0.1 * (t.mean() - mean[0])
        return value

    theta = np.zeros(4)
    report = gl.check_function(f, lambda t: 0 * t, theta, eps=eps)
    assert report.verdict == "inconclusive"
    assert "remembers" in report.why


@pytest.mark.parametrize("eps", [None, 1e-4])
def test_a_gradient_of_the_last_forward_pass_is_named(eps):
    seen = []

    def f(t):
        seen[:] = [t.copy()]
        return float(np.sin(t).sum())

    report = gl.check_function(f, lambda t: np.cos(seen[0]), np.linspace(0, 1, 5), eps=eps)
    assert report.verdict == "correct"
    assert "what the last call of f left behind" in report.remarks[0]
    assert "Remark: grad(theta)" in str(report)
