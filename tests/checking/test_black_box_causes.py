"""Spoiled gradients of plain numpy losses: the cause is named from the numbers alone, or none is.

They were written without a look at the patterns. At first sight the cause came first in 71 of the
78 that have one; two were "no known pattern", and five were told a cause that the numbers do not
prove: a batch's size for a plain factor (four), a factor for an L2 term in a single number. All 13
that have none were "no known pattern".
"""

from functools import cache, partial

import numpy as np
import pytest

import gradlab as gl
from tests.checking.black_box_bugs import BUGS

# words of which one must stand in the first cause
WORDS = {
    "factor": (
        "exactly double",
        "about double",
        "exactly half",
        "times what it must be",
        "of what it must be",
    ),
    "factor_in_one_tensor": ("exactly double", "times what it must be", "of what it must be"),
    "sign": ("sign is flipped",),
    "sum_for_mean": ("times what it must be",),
    "mean_for_sum": ("of what it must be",),
    "transposed": ("is transposed",),
    "copied": ("is that of",),
    "summed_over_wrong_axis": ("summed without an axis",),
    "zero": ("is 0",),
    "accumulated": ("added to those of the call before",),
    "clipped": ("clipped",),
    "l2": ("L2: the gradient",),
    "rows": ("row", "column"),
    "factor_per_tensor": ("a factor of its own",),
    "unknown": ("no known pattern",),
}


@cache
def report_of(k):
    """Return the report on the k-th of the bugs; its diagnosis is made once."""
    f, grad, theta, tensors = BUGS[k].make()
    return gl.check_function(f, partial(grad), theta, tensors=tensors)


def first_cause(k, bug):
    report = report_of(k)
    assert report.verdict == "wrong", (bug.name, report)
    assert set(report.wrong) == set(bug.wrong), (bug.name, report)
    return report.diagnosis[0].cause


def test_the_cause_comes_first_in_nine_of_ten_and_no_other_is_told():
    right, silent = [], []
    for k, bug in enumerate(BUGS):
        cause = first_cause(k, bug)
        fits = any(word in cause for word in WORDS[bug.kind])
        (right if fits else silent).append((bug.name, cause))
    assert all(cause == "no known pattern" for _, cause in silent), silent
    named = [bug for bug in BUGS if bug.kind != "unknown"]
    unknown = len(BUGS) - len(named)
    assert len(named) >= 40
    assert len(right) - unknown >= 0.9 * len(named), silent


@pytest.mark.every_case
@pytest.mark.parametrize("factor", [1000.0, 2.0, 3.0, 1 / 39, -1.0, 1.01])
@pytest.mark.parametrize("single", [False, True])
def test_a_factor_is_told_as_it_is(factor, single):
    bug = next(bug for bug in BUGS if bug.kind == "unknown" and bug.name.startswith("mlp_rows"))
    f, _, theta, tensors = bug.make()
    right = numerical(f, theta)
    a = (factor * right).astype(np.float32 if single else float)
    report = gl.check_function(f, partial(lambda _: a), theta, tensors=tensors)
    first = report.diagnosis[0]
    told = first.evidence.split("numerical is ")[1].split(" in ")[0]
    assert float(told) == pytest.approx(factor, rel=1e-4 if single else 1e-6)
    assert ("double" in first.cause) == (factor == 2.0)
    assert ("sign" in first.cause) == (factor == -1.0)


def numerical(f, theta, h=1e-5):
    return np.array([(f(theta + h * e) - f(theta - h * e)) / (2 * h) for e in np.eye(theta.size)])


def test_the_worst_entries_are_printed_with_index_and_both_numbers():
    bug = next(bug for bug in BUGS if bug.kind == "rows")
    f, grad, theta, tensors = bug.make()
    report = gl.check_function(f, partial(grad), theta, tensors=tensors)
    name = report.wrong[0]
    worst = report[name].worst(3)
    sizes = [abs(a - n) for _, a, n in worst]
    assert sizes == sorted(sizes, reverse=True)
    index, a, n = worst[0]
    assert a == report[name].analytic[index]
    assert n == report[name].numerical[index]
    line = next(line for line in str(report).split("\n") if line.startswith(f"{name}{list(index)}"))
    assert [float(told) for told in line.split()[-2:]] == pytest.approx([a, n], rel=1e-2)


def test_the_order_of_names_is_no_depth():
    for k in range(len(BUGS)):
        for told in report_of(k).diagnosis:
            assert "signal" not in str(told)
            assert "down from" not in str(told)


@pytest.mark.parametrize(
    ("earlier", "told"), [(0, "is right, the second is twice"), (4, "larger by")]
)
def test_a_sum_that_is_never_reset_is_told_whenever_the_check_comes(earlier, told):
    total = np.zeros(5)

    def grad(theta):
        total[:] += 2 * theta
        return total.copy()

    theta = np.array([0.3, -1.2, 2.0, 0.7, -0.4])
    for _ in range(earlier):
        grad(theta)
    report = gl.check_function(lambda t: (t**2).sum(), partial(grad), theta)
    cause = report.diagnosis[0]
    assert "added to those of the call before" in cause.cause
    assert told in cause.evidence


@pytest.mark.parametrize("factor", [0.5, 2.0, 3.0, 1 / 16, 16.0, 0.7, -1.0])
def test_a_factor_that_all_share_is_no_factor_of_each_ones_own(factor):
    text = "; ".join(str(told) for told in of_two_tensors(factor, factor))
    assert "of its own" not in text
    assert f"Analytic over numerical is {factor:.4g} in every tensor" in text
    own = "; ".join(str(told) for told in of_two_tensors(factor, 1.001 * factor))
    assert "each of these tensors is off by a factor of its own" in own


@pytest.mark.parametrize("factors", [(16, 16), (1 / 16, 1 / 16), (1, 1 / 16)])
def test_a_number_of_which_nothing_is_known_is_called_no_batch(factors):
    """Here 16 are the positions that a kernel is at; the gradient's owner has one example."""
    text = "; ".join(str(told) for told in of_two_tensors(*factors))
    assert "16" in text
    assert "batch" not in text


def of_two_tensors(weight, bias):
    """Return what is told of a convolution's gradient, W off by one factor and b by another."""
    image = np.random.default_rng(1).standard_normal(20)
    windows = np.lib.stride_tricks.sliding_window_view(image, 5)  # at 16 positions

    def f(theta):
        return float(np.sum(np.tanh(windows @ theta[:5] + theta[5]) ** 2))

    theta = np.random.default_rng(2).standard_normal(6) / 2
    right = numerical(f, theta)
    a = right * np.r_[np.full(5, weight), bias]
    tensors = {"W": (0, 5, (5,)), "b": (5, 6, (1,))}
    return gl.check_function(f, partial(lambda _: a), theta, tensors=tensors).diagnosis
