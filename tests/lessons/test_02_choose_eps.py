"""What lesson 02 says is so."""

from fractions import Fraction

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks import QUESTIONS
from tests.lessons.prose import says

LESSON = "02_choose_eps"


@pytest.fixture(scope="module")
def case():
    x, y = gl.data.moons(30, seed=0)
    return gl.mlp([2, 16, 2], weight_scale=0.5, seed=0), x, y


def central(loss, theta, eps):
    units = np.eye(len(theta))
    return np.array([(loss(theta + eps * u) - loss(theta - eps * u)) / (2 * eps) for u in units])


@pytest.fixture(scope="module")
def error(case):
    """Return how to find the norm ratio at a step, of a loss with a factor and an offset."""
    net, x, y = case
    loss, theta = net.loss_function(x, y), net.theta
    slopes = net.unroll(net.gradient(x, y))

    def at(eps, factor=1.0, offset=0.0):
        n = central(lambda t: factor * loss(t) + offset, theta, eps)
        return gl.norm_ratio(n, factor * slopes)

    return at


def rounded_down(error):
    """Return the digits that agree, as the lesson prints them."""
    return int(-np.log10(error))


def test_the_wall(case, error):
    says(LESSON, "for the 82 parameters of a network")
    says(LESSON, "none of the 49 steps gets past ten digits")
    says(LESSON, "Down to 1e-5 a tenth of the step brings two digits, as on paper")
    says(LESSON, "from there on it costs one")
    assert case[0].size == 82
    errors = [error(eps) for eps in 10 ** np.linspace(-1, -13, 49)]
    assert 1e-11 < min(errors) < 1e-10
    digits = [rounded_down(one) for one in errors[::4]]
    assert digits == [2, 4, 6, 8, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    parts = -np.log10(errors[::4]) % 1
    assert np.all((parts > 0.1) & (parts < 0.9)), "another machine may print other digits"


def test_plus_and_times(error):
    says(LESSON, "the loss multiplied by 1000, and the loss with 1000 added to it")
    says(LESSON, "and the constant costs two of the ten digits, at 1e-5 three.")
    assert error(1e-5, factor=1000) < 3 * error(1e-5)
    assert error(1e-5, offset=1000) > 100 * error(1e-5)
    steps = 10 ** np.linspace(-1, -13, 49)
    best = [min(error(eps, **change) for eps in steps) for change in ({}, {"offset": 1000})]
    assert [rounded_down(one) for one in best] == [10, 8]
    assert rounded_down(error(1e-5, offset=1000)) == 7


def test_the_gaps(case):
    says(LESSON, "`machine_eps` (2.2e-16; numpy has it as `np.finfo(")
    says(LESSON, "A difference of two such losses is a whole number of gaps")
    says(LESSON, "In float32 `machine_eps` is 1.2e-7, and the best step near **5e-3**")
    says(
        LESSON, "In float64 that is near **6e-6** (Press et al., *Numerical Recipes*, section 5.7)"
    )
    for dtype, size, best in (("float64", "2.2e-16", "6e-06"), ("float32", "1.2e-07", "5e-03")):
        machine_eps = float(np.finfo(dtype).eps)
        assert (f"{machine_eps:.1e}", f"{machine_eps ** (1 / 3):.0e}") == (size, best)
    net, x, y = case
    loss, theta = net.loss_function(x, y), net.theta
    step = 1e-5 * np.eye(len(theta))[0]
    difference = (loss(theta + step) + 1000) - (loss(theta - step) + 1000)
    assert (difference / np.spacing(1000.0)).is_integer()


def test_the_three_curves(case):
    says(LESSON, "a tenth of the step, a hundredth of the error")
    says(LESSON, "So its left arm lies 5e8 times as high")
    says(LESSON, "The dotted line has no left arm")
    net, x, y = case
    sweep = gl.sweep_eps(net, x, y, eps=np.array([1e-1, 1e-2, 1e-3]), measure="norm_ratio")
    for errors in sweep.errors.values():
        assert errors[0] / errors[1] == pytest.approx(100, rel=0.1)
        assert errors[1] / errors[2] == pytest.approx(100, rel=0.1)
    assert np.finfo("float32").eps / np.finfo("float64").eps == pytest.approx(5e8, rel=0.1)
    says(LESSON, "At its left end it is flat at 1: there the two losses are the same number")
    net32 = gl.mlp([2, 16, 2], weight_scale=0.5, seed=0, dtype="float32")
    for eps in (1e-12, 1e-10, 1e-9):
        assert not gl.numerical_gradient(net32, x, y, eps=eps)["W1"].any()
    flat = gl.sweep_eps(net32, x, y, eps=np.array([1e-12, 1e-9]), measure="norm_ratio")
    assert np.all(flat.errors["W1"] == 1)
    steps = np.logspace(-13, -7, 25)
    dotted = gl.sweep_eps(net, x, y, eps=steps, scheme="complex_step", measure="norm_ratio")
    assert all(errors.max() < 1e-13 for errors in dotted.errors.values())


def test_repeats(case, error):
    says(
        LESSON,
        "at 1e-13, where the norm ratio of all parameters is about 4e-3, gives the same bits",
    )
    says(
        LESSON,
        "Twenty *different* steps would help a little; one better step helps by eight digits",
    )
    assert 2e-3 < error(1e-13) < 1e-2
    assert 7.5 < np.log10(error(1e-13) / error(1e-5)) < 8.5
    net, x, y = case
    loss, theta = net.loss_function(x, y), net.theta
    once, again = central(loss, theta, 1e-13), central(loss, theta, 1e-13)
    assert np.array_equal(once, again)
    others = np.mean([central(loss, theta, 1e-13 * (1 + k / 20)) for k in range(20)], axis=0)
    better = error(1e-13) / gl.norm_ratio(others, net.unroll(net.gradient(x, y)))
    assert 1 < better < 20


@pytest.fixture(scope="module")
def verdict():
    lab = gl.Lab(hidden=(16,), measure="norm_ratio")

    def at(eps, scheme="central", dtype="float64"):
        lab.state.update(eps=eps, scheme=scheme, dtype=dtype)
        return str(lab.state.result.report.verdict)

    return at


def test_the_first_answer(verdict):
    says(LESSON, "It stays *correct* down to about 1e-10 and up to about 1e-2")
    says(LESSON, "Further out it is *inconclusive*: never *wrong*")
    assert {verdict(eps) for eps in np.logspace(-10, -2, 17)} == {"correct"}
    assert {verdict(eps) for eps in (1e-13, 1e-12, 1e-11, 3e-11, 3e-2, 1e-1)} == {"inconclusive"}


def test_the_loss_along_one_parameter_is_a_staircase_where_the_step_is_short():
    says(LESSON, "the loss has a few values only, the grey lines, one gap apart")
    says(LESSON, "so their difference is a whole number of gaps")
    says(LESSON, "the worst of the tensor that decides")
    says(
        LESSON, "At 1e-1 the curve bends between the points, and the blue line leaves the tangent."
    )
    lab = gl.Lab(hidden=(16,), measure="norm_ratio", panels=("loss_along", "u_curve"))
    values = {}
    for eps in (1e-1, 1e-5, 1e-13):
        lab.state.eps = eps
        weight = lab.state.result.weight
        gaps = weight.curve[1] / weight.gap
        values[eps] = len(np.unique(gaps))
        assert eps > 1e-10 or np.array_equal(gaps, np.round(gaps))
        report = lab.state.result.report
        one = report[report.deciding]
        errors = gl.relative_error(one.analytic, one.numerical).ravel()
        assert (weight.tensor, weight.entry) == (report.deciding, np.argmax(errors))
        if eps == 1e-1:
            assert errors.max() > 0.01
    assert values[1e-13] < 20 < 60 < values[1e-5] <= values[1e-1]


def test_the_second_answer(case):
    says(LESSON, "so its bottom is further left, near 1e-8, and higher")
    says(LESSON, "Five-point: with eps⁴, so further right, near 1e-3, and lower")
    net, x, y = case
    least = {}
    for scheme in ("forward", "central", "five_point"):
        sweep = gl.sweep_eps(net, x, y, scheme=scheme, measure="norm_ratio")
        best = np.median(list(sweep.best_eps.values()))
        least[scheme] = np.median([errors.min() for errors in sweep.errors.values()])
        low, high = {"forward": (1e-9, 1e-7), "central": (1e-6, 1e-4), "five_point": (1e-4, 1e-2)}[
            scheme
        ]
        assert low < best < high, scheme
    assert least["forward"] > 10 * least["central"]
    assert least["five_point"] < least["central"]


def test_the_third_answer(verdict):
    says(LESSON, "The complex step is *correct* down to 1e-13.")
    says(LESSON, "In float32 only around its own bottom, from 3e-3 to 3e-2.")
    assert {verdict(eps, "complex_step") for eps in np.logspace(-13, -3, 11)} == {"correct"}
    assert {verdict(e, dtype="float32") for e in (10**-2.5, 1e-2, 10**-1.5)} == {"correct"}
    assert {verdict(e, dtype="float32") for e in (1e-7, 1e-5, 1e-4, 1e-3, 1e-1)} == {"inconclusive"}


def test_what_you_should_see(case, verdict):
    says(LESSON, "At 1e-5 *correct*, with norm ratios below 1e-7. At 1e-1 *inconclusive*")
    says(LESSON, "an error of more than a thousandth of the largest entry could hide")
    net, x, y = case
    assert all(t.norm_ratio < 1e-7 for t in gl.check(net, x, y, eps=1e-5).tensors.values())
    assert verdict(1e-1) == verdict(1e-13) == "inconclusive"
    assert not gl.check(net, x, y, eps=1e-13).resolution < 1e-3
    says(LESSON, "the check calls nothing *correct* where so much could hide")
    for eps in np.logspace(-13, -1, 25):
        report = gl.check(net, x, y, eps=eps)
        assert report.resolution < 1e-3 or report.verdict == "inconclusive"


def test_the_distance_gone(case, error):
    says(LESSON, "Not one digit was lost in $w^3$.")
    says(LESSON, "five gaps above 1, and 1 − 1e-15 nine of the (half as wide) gaps below it")
    says(LESSON, "So the points were 2.11e-15 apart, and the slope came out 5 % too large.")
    says(LESSON, "(Even the last line: its two points are one gap apart.)")
    question = QUESTIONS["the_distance_gone"]
    for eps in (1e-13, 1e-14, 1e-15, 1e-16):
        right, left = Fraction(1 + eps), Fraction(1 - eps)
        cubes = [float(w) * float(w) * float(w) for w in (right, left)]
        slope = Fraction(cubes[0] - cubes[1]) / (right - left)
        assert slope == 3
        assert f"{float(slope):.10f}" == question.right
        assert Fraction(cubes[0]) - Fraction(cubes[1]) == 3 * (right - left)
    right, left = 1 + 1e-15, 1 - 1e-15
    assert ((right - 1) / np.spacing(1.0), (1 - left) / (np.spacing(1.0) / 2)) == (5, 9)
    assert f"{right - left:.2e}" == "2.11e-15"
    assert (right**3 - left**3) / 2e-15 / 3 == pytest.approx(1.05, abs=0.01)
    assert np.spacing(1.0) / 2 == (1 + 1e-16) - (1 - 1e-16)
    says(LESSON, "two digits before, two after")
    net, x, y = case
    loss, theta = net.loss_function(x, y), net.theta
    pairs = [(theta + s, theta - s) for s in 1e-13 * np.eye(len(theta))]
    n = np.array([(loss(r) - loss(s)) / np.sum(r - s) for r, s in pairs])
    both = error(1e-13), gl.norm_ratio(n, net.unroll(net.gradient(x, y)))
    assert [int(-np.log10(one)) for one in both] == [2, 2]


def test_the_puzzle():
    says(LESSON, "1e-1 gives **3.01**, 1e-2 gives **3.0001**, and 1e-3 gives **3.000001**")
    says(LESSON, "A tenth of the step, two more digits.")
    says(LESSON, "Worse, and then 1.67.")
    says(LESSON, "But 1e-8 gets eight digits right, fewer than 1e-5, and 1e-16 not even the first.")
    steps = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-8, 1e-16)
    slopes = [((1 + h) * (1 + h) * (1 + h) - (1 - h) * (1 - h) * (1 - h)) / (2 * h) for h in steps]
    assert [f"{slope:.10g}" for slope in slopes[:3]] == ["3.01", "3.0001", "3.000001"]
    assert [f"{slope:.2f}" for slope in slopes[-2:]] == ["3.00", "1.67"]
    for h, slope in zip(steps[:5], slopes[:5], strict=True):
        assert slope - 3 == pytest.approx(h**2, rel=0.05)
    digits = [-np.log10(abs(slope - 3)) for slope in slopes]
    assert digits[4] > 9.9 > 8.5 > digits[5] > 8


def test_equal_losses(case):
    says(LESSON, "Its loss is 0.55, and the next larger number lies 1.1e-16 above it.")
    says(LESSON, "The slopes are about 0.04")
    says(LESSON, "changes the loss by 8e-18 on paper: less than a tenth of that gap")
    says(LESSON, "One gap divided by 2e-16 is a slope of 0.56.")
    says(LESSON, "At 1e-17 nothing is left.")
    net, x, y = case
    loss, theta = net.loss_function(x, y), net.theta
    assert f"{loss(theta):.2f} {np.spacing(loss(theta)):.1e}" == "0.55 1.1e-16"
    assert f"{np.mean(np.abs(net.unroll(net.gradient(x, y)))):.2f}" == "0.04"
    assert f"{2e-16 * 0.04:.0e}" == "8e-18"
    question, zeros = QUESTIONS["equal_losses"], {}
    for eps in (1e-5, 1e-15, 1e-16, 1e-17):
        n = central(loss, theta, eps)
        zeros[eps] = np.sum(n == 0)
        if eps == 1e-16:
            assert f"{np.abs(n[n != 0]).min():.2f}" == "0.56"
    assert question.right == "about half"
    assert 82 / 3 < zeros[1e-16] < 82 * 3 / 4
    assert (zeros[1e-5], zeros[1e-17]) == (0, 82)
    assert zeros[1e-15] < 82 / 3
