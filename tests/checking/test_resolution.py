"""What a report says of how closely it looked is so, by any method and at any step."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.nn.convnet import MaxPool
from tests.checking.cases import case
from tests.checking.smooth_losses import SMOOTH


def loss():
    return SMOOTH["two_layers_by_hand"]()


@pytest.mark.parametrize("eps", [1e-2, 1e-3, 1e-4, 1e-5, 1e-7, 1e-9])
def test_an_error_above_the_stated_resolution_is_not_correct_at_a_given_step(eps):
    net, x, y = case((2, 8, 8, 3), 16)
    right = net.gradient(x, y)
    report = gl.check(net, x, y, eps=eps)
    assert report.verdict == "correct" or report.resolution > 1e-3
    assert report.resolution == max(report[name].resolution for name in report)
    for name in report:
        if report[name].verdict != "correct":
            continue
        spoiled = {k: v.copy() for k, v in right.items()}
        worst = np.unravel_index(np.abs(right[name]).argmax(), right[name].shape)
        spoiled[name][worst] *= 1 + 1.2 * report[name].resolution
        again = gl.check(net, x, y, eps=eps, analytic=spoiled)
        assert again[name].verdict != "correct", (name, report[name].resolution)


def test_an_error_that_the_step_resolves_is_wrong_there():
    net, x, y = case((2, 8, 8, 3), 16)
    a = net.gradient(x, y)
    a["W2"] = a["W2"] * (1 + 1e-4)
    assert gl.check(net, x, y, eps=1e-5, analytic=a).wrong == ["W2"]


def test_the_printed_line_says_it():
    f, grad, theta, tensors = loss()
    report = gl.check_function(f, grad, theta, tensors=tensors)
    said = float(report.why.split("an error of ")[1].split()[0])
    assert report.resolution <= said <= 10 * report.resolution
    assert f"all {theta.size} entries of 4 tensors agree" in str(report)


def test_a_tolerance_accepts_more_and_the_report_says_so():
    f, grad, theta, tensors = loss()
    rough = lambda t: grad(t) * (1 + 3e-5)  # noqa: E731
    assert gl.check_function(f, rough, theta, tensors=tensors).verdict == "wrong"
    report = gl.check_function(f, rough, theta, tensors=tensors, tolerance=1e-4)
    assert report.verdict == "correct"
    assert report.resolution >= 1e-4
    assert "to the tolerance of 0.0001" in report["W1"].why
    worse = lambda t: grad(t) * (1 + 1e-3)  # noqa: E731
    assert gl.check_function(f, worse, theta, tensors=tensors, tolerance=1e-4).verdict == "wrong"
    net, x, y = case()
    a = {name: g * (1 + 3e-5) for name, g in net.gradient(x, y).items()}
    assert gl.check(net, x, y, analytic=a).verdict == "wrong"
    assert gl.check(net, x, y, analytic=a, tolerance=1e-4).verdict == "correct"
    assert gl.check(net, x, y, 1e-5, analytic=a, tolerance=1e-4).verdict == "correct"


def test_a_difference_as_small_as_an_approximations_is_neither_wrong_nor_correct():
    f, grad, theta, tensors = loss()
    report = gl.check_function(f, lambda t: grad(t) * (1 + 5e-7), theta, tensors=tensors)
    assert report.verdict == "inconclusive"
    assert "differ steadily" in report.why
    tolerance = float(report.advice.split("tolerance=")[1].split(";")[0])
    again = gl.check_function(
        f, lambda t: grad(t) * (1 + 5e-7), theta, tensors=tensors, tolerance=tolerance
    )
    assert again.verdict == "correct"


@pytest.mark.parametrize("seeds", [60, pytest.param(200, marks=pytest.mark.soak)])
def test_two_swapped_entries_are_never_missed_by_one_direction(seeds):
    f, grad, theta, _ = loss()
    a = grad(theta)
    order = np.argsort(-np.abs(a))
    a[order[[0, 3]]] = a[order[[3, 0]]]
    verdicts = [
        gl.check_function(f, lambda _: a, theta, method="directional", samples=1, seed=s).verdict
        for s in range(seeds)
    ]
    assert "correct" not in verdicts
    assert verdicts.count("wrong") > 0.97 * seeds


@pytest.mark.parametrize("seeds", [30, pytest.param(100, marks=pytest.mark.soak)])
def test_directions_see_what_they_say_they_see(seeds):
    f, grad, theta, _ = loss()
    right, rng, seen = grad(theta), np.random.default_rng(0), 0
    length = np.linalg.norm(right)
    for seed in range(seeds):
        stated = gl.check_function(f, lambda _: right, theta, method="directional", samples=4,
                                   seed=seed).resolution  # fmt: skip
        error = rng.standard_normal(theta.size)
        a = right + error * (stated * length / np.linalg.norm(error))
        report = gl.check_function(f, lambda _, a=a: a, theta, method="directional", samples=4,
                                   seed=seed)  # fmt: skip
        seen += report.verdict != "correct"
    assert seen >= 0.96 * seeds


def test_the_same_error_everywhere_is_found_along_directions():
    net, x, y = case()
    for delta in (1e-3, 1e-4, 1e-5):
        a = {name: g * (1 + delta) for name, g in net.gradient(x, y).items()}
        report = gl.check(net, x, y, analytic=a, method="directional", samples=3)
        assert report.verdict == "wrong", (delta, report)


def test_zero_against_zero_is_counted_and_never_green_as_a_whole():
    net = gl.lstm(3, 4, 3)
    x = np.random.default_rng(0).standard_normal((1, 6, 3))  # one time step
    y = np.arange(6) % 3
    for eps in (None, 1e-5):
        report = gl.check(net, x, y, eps=eps)
        nothing = [name for name in report if (report[name].marks == "zero").all()]
        assert {"Wh_i", "Wh_f", "Wh_g", "Wh_o"} <= set(nothing)
        assert all(report[name].verdict == "inconclusive" for name in nothing)
        assert "any code passes" in report["Wh_i"].why
    dead, x, y = case((2, 6, 3), 9, activation="relu")
    dead.params["b1"][0] = -50.0
    for eps in (None, 1e-5):
        report = gl.check(dead, x, y, eps=eps)
        assert report.verdict == "correct"
        assert "0 = 0, which proves nothing there" in report.why
        assert (report["W1"].marks[:, 0] == "zero").all()


def test_float32_gradients_are_judged_as_float32():
    f, grad, theta, tensors = loss()
    single = lambda t: grad(t).astype(np.float32)  # noqa: E731
    report = gl.check_function(f, single, theta, tensors=tensors)
    assert report.verdict == "correct"
    assert 1e-5 <= report.resolution < 1e-4
    wrong = lambda t: (1.001 * grad(t)).astype(np.float32)  # noqa: E731
    assert gl.check_function(f, wrong, theta, tensors=tensors).verdict == "wrong"


def test_a_step_of_the_checkers_own_that_leaves_the_domain_is_not_defined_there():
    def f(t):
        return float(np.sum(np.log(t)) + np.linalg.slogdet(np.linalg.cholesky(np.diag(t)))[1])

    theta = np.array([0.02, 0.5, 3.0])
    report = gl.check_function(f, lambda t: 1.5 / t, theta)
    assert report.verdict == "correct", report
    with pytest.raises(np.linalg.LinAlgError):  # that step was the caller's choice
        gl.check_function(f, lambda t: 1.5 / t, theta, eps=0.1)


def test_networks_count_their_ties_at_theta():
    net, x, y = case((3, 5, 2), 6, activation="relu")
    assert net.ties(x) == 0
    assert gl.check(net, x, y).warnings == ()
    net.params["W1"][:, 0] = net.params["b1"][0] = 0
    assert net.ties(x) == 6  # one unit, six examples
    report = gl.check(net, x, y)
    assert "6 units or pooling windows are exactly at a kink" in report.remarks[0]
    assert report.remarks[0] in report.warnings
    assert f"Remark: {report.remarks[0]}" in " ".join(str(report).split())
    images = np.zeros((2, 1, 4, 4))
    images[0, 0, 0, 0] = 1.0
    conv = gl.convnet((1, 4, 4), (2, 2), classes=2, padding=(1, 1), seed=0)
    flat = MaxPool("pool")
    a = np.moveaxis(images, 0, -1)[..., None]
    assert flat.ties(a) == 7  # of eight windows the first of the first image has a winner
    assert conv.ties(images) > 0


def test_a_relu_at_its_kink_is_right_at_0_and_never_correct_outside():
    net, x, y = case((3, 5, 2), 6, activation="relu")
    net.params["W1"][:, 0] = net.params["b1"][0] = 0
    report = gl.check(net, x, y)
    assert report.verdict == "correct"
    assert "at a kink" in report.why
    assert (report["b1"].marks[0], report["b1"].numerical[0]) == ("subgradient", 0)

    class Odd(type(net)):  # relu'(0) = -3
        def gradient(self, x, y, masks=None, params=None):
            grads = dict(super().gradient(x, y, masks, params))
            out = self.copy()
            out.params["b1"] = self.params["b1"] + 1e-6 * (np.arange(5) == 0)
            at_one = super(Odd, out).gradient(x, y, masks)
            grads["b1"] = grads["b1"] - 3 * (at_one["b1"] - grads["b1"]) * (np.arange(5) == 0)
            return grads

    net.__class__ = Odd
    report = gl.check(net, x, y)
    assert report["b1"].verdict != "correct"
