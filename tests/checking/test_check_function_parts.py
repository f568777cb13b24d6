"""What `check_function` does before and after the judge: asking, counting, directions, a step."""

import importlib
import math

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.black_box import Probe
from gradlab.checking.check_function import _directions, _many, _normal_quantile, _same, _some, ask

module = importlib.import_module("gradlab.checking.check_function")
THETA = np.linspace(0.2, 1.4, 6)


def f(t):
    return float(np.sum(np.sin(t)))


# -- asking for the gradient ---------------------------------------------------------------------


def asked(grad, f=f, theta=THETA):
    calls = []

    def counted(t):
        calls.append(t.copy())
        return f(t)

    found = ask(grad, Probe(counted, theta), np.maximum(1.0, np.abs(theta)))
    assert found.evaluations == len(calls)
    return found, calls


def test_the_gradient_is_asked_for_twice_right_after_f_at_theta_and_once_after_f_elsewhere():
    order = []

    def seen(t):
        order.append(("f", np.abs(t - THETA).max() > 0))
        return f(t)

    def grad(t):
        order.append(("grad", bool((t != THETA).any())))
        return np.cos(t)

    found, calls = asked(grad, seen)
    here, there = ("f", False), ("f", True)
    at_theta = ("grad", False)
    assert order == [here, at_theta, here, at_theta, there, at_theta, here]
    assert (found.stale, found.evaluations) == (False, 4)
    large = np.array([0.5, -200.0])
    _, calls = asked(np.cos, theta=large)
    np.testing.assert_allclose(np.abs(calls[2] - large), [1e-2, 2.0])  # a hundredth of its size


def test_a_gradient_that_uses_what_f_left_behind_is_stale():
    last = {}

    def remembering(t):
        last["t"] = t.copy()
        return f(t)

    found, _ = asked(lambda t: np.cos(last["t"]), remembering)
    assert found.stale
    assert np.array_equal(found.second, np.cos(THETA))


def test_one_that_adds_up_or_cannot_be_asked_elsewhere_is_not_called_stale():
    calls = []

    def adds(t):
        calls.append(1)
        return len(calls) * np.cos(t)

    found, seen = asked(adds)
    assert (found.stale, len(seen)) == (False, 2)
    np.testing.assert_allclose(found.second, 2 * found.first)

    def only_here(t):
        return f(t) if np.array_equal(t, THETA) else 1 / 0

    found, seen = asked(np.cos, only_here)
    assert (found.stale, len(seen)) == (False, 3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_two_answers_are_the_same_up_to_a_thousand_roundings_of_the_largest(dtype):
    one, rounding = np.array([1.0, -8.0, 0.0], dtype), float(np.finfo(dtype).eps)
    for off, same in ((990.0, True), (1010.0, False)):
        for sign in (1, -1):
            other = one + np.array([0, 0, sign * off * 8 * rounding], dtype)
            assert _same(one, other) == same
    assert _same(np.zeros(2), np.zeros(2))
    assert not _same(np.zeros(2), np.array([0.0, 1e-300]))


# -- what takes long -----------------------------------------------------------------------------


def test_a_long_check_is_told_of_where_a_sample_takes_less_than_half():
    def told(sizes, samples=20):
        return _many({str(k): np.arange(size) for k, size in enumerate(sizes)}, samples)

    assert told([9_999]) == ""
    assert told([10_000]).startswith("10,000 entries take 40,000 evaluations and more")
    assert "takes 160, and checks 20 entries" in told([9_000, 5_000])
    assert "takes 100, and" in told([10_000, 5])  # of a small tensor all
    assert 'method="directional" takes 80' in told([10_000])
    assert told([10_000], 5_000) != ""
    assert told([10_000], 5_001) == ""
    assert told([20] * 600) == ""  # all of it is the sample


def test_a_sample_is_drawn_without_twice_the_same_and_in_order():
    draws = np.random.default_rng(0)
    for size in (1, 5, 9):
        entries = _some(30, 40, size, draws)
        assert len(set(entries)) == size
        assert (np.diff(entries) > 0).all()
        assert entries.min() >= 30
        assert entries.max() < 40
    for size in (10, 11):
        assert _some(30, 40, size, draws).tolist() == list(range(30, 40))


# -- random directions ---------------------------------------------------------------------------


def test_directions_are_as_long_as_a_typical_entry_is_large():
    size = np.array([1.0, 1.0, 3.0, 500.0, 3.0])
    lines = _directions(4, size, np.random.default_rng(0))
    assert lines.shape == (4, 5)
    np.testing.assert_allclose(np.sqrt((lines**2).sum(axis=1)), 3.0)  # the median


def test_what_lies_outside_of_a_quantile_on_both_sides():
    for share in (0.01, 0.3, 0.9):
        q = _normal_quantile(share)
        assert math.erfc(q / math.sqrt(2)) == pytest.approx(share)


def test_along_directions_the_resolution_is_an_error_seen_with_99_per_cent():
    """One direction misses e with the probability that a normal draw is small: all four must."""
    report = gl.check_function(f, np.cos, THETA, method="directional", samples=4)
    tensor = report["theta"]
    missed = 0.01 ** (1 / 4)  # by each of four
    low, high = 0.0, 10.0
    while high - low > 1e-12:  # P(|normal| < q) = missed
        q = (low + high) / 2
        low, high = (q, high) if math.erf(q / math.sqrt(2)) < missed else (low, q)
    largest, spread = np.abs(tensor.numerical).max(), np.sqrt(np.mean(tensor.numerical**2))
    seen = tensor.within.max() * largest  # of an error along one direction
    # |e| sqrt(1/P) q = seen, and |gradient| sqrt(1/P) is about the slopes' spread
    assert tensor.resolution == pytest.approx(seen / spread / q)
    assert tensor.why.startswith("all 4 random directions agree; an error of ")
    assert "would have been seen with a probability of 0.99; directions cannot tell" in tensor.why
    assert tensor.shape == (6,)
    assert tensor.coverage == "4 directions"
    np.testing.assert_allclose(tensor.numerical, tensor.analytic, rtol=1e-7)
    wrong = gl.check_function(f, lambda t: 2 * np.cos(t), THETA, method="directional", samples=4)
    assert wrong["theta"].why.startswith("along 4 random directions: 4 of 4 directions differ by")
    assert wrong.diagnosis == []
    flat = gl.check_function(lambda t: 0.0, lambda t: 0 * t, THETA, method="directional")
    assert flat.resolution == math.inf
    small = gl.check_function(  # in another unit as much is seen
        lambda t: f(t) / 256, lambda t: np.cos(t) / 256, THETA, method="directional", samples=4
    )
    assert small.resolution == pytest.approx(report.resolution, rel=1e-6)


# -- at a step of one's own ----------------------------------------------------------------------


def test_at_a_step_evaluations_are_counted_and_those_of_the_ladder_too():
    right = gl.check_function(f, np.cos, THETA, eps=1e-5)
    # the survey's, asking's, two steps to both sides of each entry, once more at the end
    assert right.evaluations == 14 + 4 + 4 * 6 + 1
    wrong = gl.check_function(f, lambda t: np.cos(t) * [2, 1, 1, 1, 1, 1], THETA, eps=1e-5)
    assert wrong.evaluations == right.evaluations + 46
    assert (wrong.eps, wrong.scheme) == (1e-5, "central")
    np.testing.assert_allclose(
        right["theta"].numerical, (np.sin(THETA + 1e-5) - np.sin(THETA - 1e-5)) / 2e-5, rtol=1e-9
    )


def test_at_a_step_a_kink_is_a_gap_between_both_sides_that_does_not_shrink_with_it():
    # k steps away, the gap of twice the step is (1 - k / 2) / (1 - k) times as large: 1.4 for 4/9
    for kink, crossed in ((4.3e-5, 1), (-4.3e-5, 1), (4.6e-5, 0), (0.0, 1), (3e-4, 0), (-3e-4, 0)):

        def bent(t, kink=kink):
            return float(t[0] + 3 * max(t[0] - 1 - kink, 0) + t[1] ** 2)

        side = 1.0 if kink >= 0 else 4.0
        grad = lambda t, side=side: np.array([side, 2 * t[1]])  # noqa: E731
        report = gl.check_function(bent, grad, np.array([1.0, 0.7]), eps=1e-4)
        assert report["theta"].kinks.tolist() == [crossed, 0], kink
        assert report.verdict == ("correct" if abs(kink) > 1e-4 else "inconclusive")


def test_what_f_raises_where_the_step_leads_is_raised_and_what_the_checker_tries_is_not():
    def edge(t):
        if t[0] > 1.5:
            raise ZeroDivisionError("beyond")
        return float(np.sum(t**2))

    right = lambda t: 2 * t  # noqa: E731
    assert gl.check_function(edge, right, np.array([1.45, 0.3])).verdict == "correct"
    assert gl.check_function(edge, right, np.array([1.3, 0.3]), eps=1e-4).verdict == "correct"
    # twice the step leaves it: that was the checker's own idea
    beyond = gl.check_function(edge, right, np.array([1.5 - 1.5e-4, 0.3]), eps=1e-4)
    assert beyond.verdict == "inconclusive"
    with pytest.raises(ZeroDivisionError, match="beyond"):
        gl.check_function(edge, right, np.array([1.5 - 0.5e-4, 0.3]), eps=1e-4)

    def nowhere(t):
        if (t != 1.0).any():
            raise ZeroDivisionError("nowhere else")
        return 1.0

    with pytest.raises(ZeroDivisionError, match="nowhere else"):
        gl.check_function(nowhere, right, np.ones(2))


def test_a_report_says_when_the_gradient_depends_on_the_last_call_of_f():
    last = {}

    def remembering(t):
        last["t"] = t.copy()
        return f(t)

    report = gl.check_function(remembering, lambda t: np.cos(last["t"]), THETA)
    assert report.verdict == "correct"
    (remark,) = report.remarks
    assert remark.startswith("grad(theta) is another one after f was evaluated elsewhere")
    assert gl.check_function(f, np.cos, THETA).remarks == ()
