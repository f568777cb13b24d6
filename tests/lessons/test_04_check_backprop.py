"""What lesson 04 says is so."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks import QUESTIONS
from gradlab.course.tasks.compare import compare
from gradlab.course.tasks.repair_backward import NAMES, backward
from tests.lessons.prose import book, says

LESSON = "04_check_backprop"


@pytest.fixture(scope="module")
def case():
    x, y = gl.data.spirals(30, classes=3, seed=0)
    return gl.mlp([2, 8, 3], weight_scale=0.5, seed=0), x, y


def in_doubt(params, x, y):
    """Return what the lesson's faulty code gives."""
    o1 = np.tanh(x @ params["W1"] + params["b1"])
    p = np.exp(o1 @ params["W2"] + params["b2"])
    p /= p.sum(axis=1, keepdims=True)
    p[range(len(y)), y] -= 1
    dz1 = p @ params["W2"].T * (1 - o1**2)
    return {"W1": x.T @ dz1, "b1": dz1.mean(axis=0), "W2": o1.T @ p, "b2": p.sum(axis=0)}


def test_the_puzzle(case):
    says(LESSON, "Backpropagation gives 0.00049885 there, and the numerical slope is 0.00049885.")
    says(LESSON, "Six digits agree. Would you sign it?")
    says(
        LESSON,
        "All eight entries of `b1` are right, and all 43 others are wrong, thirty times too large.",
    )
    net, x, y = case
    a, n = in_doubt(net.params, x, y), gl.numerical_gradient(net, x, y, eps=1e-3)
    assert f"{a['b1'][0]:.8f}" == f"{n['b1'][0]:.8f}" == "0.00049885"
    assert f"{a['b1'][0]:.6g}"[:8] == f"{n['b1'][0]:.6g}"[:8] == "0.000498"
    assert abs(a["b1"][0] - n["b1"][0]) < 1e-6 * abs(n["b1"][0])
    off = {k: int(np.sum(gl.relative_error(a[k], n[k]) > 1e-2)) for k in NAMES}
    assert off == {"W1": 16, "b1": 0, "W2": 24, "b2": 3}
    for name in ("W1", "W2", "b2"):
        assert a[name] == pytest.approx(30 * n[name], rel=1e-3)


def test_one_example(case):
    net, x, y = case
    for count, wrong in ((1, []), (2, ["W1", "W2", "b2"]), (30, ["W1", "W2", "b2"])):
        some = x[:count], y[:count]
        report = gl.check(net, *some, analytic=in_doubt(net.params, *some))
        assert report.wrong == wrong
        assert (report.verdict == "correct") == (count == 1)
    says(LESSON, "`print(gl.check(net, x[:1], y[:1]))` says so itself.")
    assert "one example" in str(gl.check(net, x[:1], y[:1]))


def test_one_entry_too_large(case):
    says(LESSON, "And with one entry 10 % too large, each in turn?")
    says(LESSON, "the entries of this gradient differ by a factor of hundreds")
    says(
        LESSON,
        'Ng says "worry" from 1e-3: 18 of the 51 faults stay below. None stays below 1e-5',
    )
    says(
        LESSON, "As a max-relative error each of them is 0.09, far above the 1e-2 of CS231n's notes"
    )
    net, x, y = case
    right = net.unroll(net.gradient(x, y))
    n = net.unroll(gl.numerical_gradient(net, x, y, eps=1e-3))
    assert 100 < np.max(np.abs(right)) / np.min(np.abs(right)) < 1000
    spoiled = right * (1 + 0.1 * np.eye(len(right)))
    ratios = np.array([gl.norm_ratio(row, n) for row in spoiled])
    assert (np.sum(ratios < 1e-3), np.sum(ratios < 1e-5)) == (18, 0)
    assert [float(f"{r:.0e}") for r in (ratios.min(), ratios.max())] == [1e-4, 2e-2]
    worst = [gl.relative_error(row[i], n[i]) for i, row in enumerate(spoiled)]
    assert np.round(worst, 2) == pytest.approx(0.09)
    assert len(right) == 51


def test_a_lost_tensor(case):
    says(LESSON, "all of `b1`'s entries, 8 of the 51, are 0 instead")
    says(LESSON, "`b1` has a sixth of them and a twenty-eighth of the length; half of that is left")
    net, x, y = case
    right = net.gradient(x, y)
    n = net.unroll(gl.numerical_gradient(net, x, y, eps=1e-3))
    ratio = gl.norm_ratio(net.unroll({**right, "b1": 0 * right["b1"]}), n)
    share = np.linalg.norm(right["b1"]) / np.linalg.norm(net.unroll(right))
    assert right["b1"].size == 8
    assert round(51 / 8) == 6
    assert round(1 / share) == 28
    assert ratio == pytest.approx(share / 2, rel=0.01)
    question = QUESTIONS["a_lost_tensor"]
    assert question.right == f"about {ratio:.2f}" == "about 0.02"
    assert round(np.sqrt(8 / 51) / 2, 1) == 0.2
    assert round(8 / 51 / 2, 2) == 0.08
    assert np.max(np.abs(right["b1"])) < np.max(np.abs(net.unroll(right))) / 5


def test_the_answers_to_try(case):
    says(LESSON, "Ratio 30 and cosine 1 in all four")
    says(
        LESSON,
        "The averaged bias, at layer 2, spoils `b2` alone, ratio 1/30 and cosine 1; at layer 1",
    )
    says(LESSON, "The cosines of `W1` and `b1` are below 1, so it is no factor")
    net, x, y = case
    report = gl.check(gl.bugs.plant(net, "missing_1_over_n"), x, y)
    assert all(t.ratio == pytest.approx(30, rel=1e-3) for t in report.tensors.values())
    assert all(t.cosine == pytest.approx(1) for t in report.tensors.values())
    for layer in (1, 2):
        report = gl.check(gl.bugs.plant(net, "bias_mean", layer), x, y)
        assert report.wrong == [f"b{layer}"]
        assert report[f"b{layer}"].ratio == pytest.approx(1 / 30, rel=1e-3)
    report = gl.check(gl.bugs.plant(net, "missing_activation_derivative"), x, y)
    assert report.wrong == ["W1", "b1"]
    assert all(report[name].cosine < 0.99 for name in report.wrong)


def test_the_labs_list_has_the_names_of_the_tries():
    says(LESSON, "1. Plant *1/N is missing*.")
    says(LESSON, "And with *bias averaged, not summed*?")
    says(LESSON, "2. Plant *activation's derivative is missing*. Is it a factor?")
    titles = dict(gl.Lab(data="spirals", hidden=(8,)).controls["bug"].options)
    assert titles["1/N is missing"] == "missing_1_over_n"
    assert titles["bias averaged, not summed"] == "bias_mean"
    assert titles["activation's derivative is missing"] == "missing_activation_derivative"


def test_the_verdict_is_no_band_of_a_measure():
    says(LESSON, "The number is another one each time, the verdict is the same.")
    lab = gl.Lab(data="spirals", hidden=(8,), bug="missing_activation_derivative")
    numbers, wrong = set(), set()
    for measure in ("max_relative", "sum_relative", "norm_ratio"):
        lab.state.measure = measure
        numbers.add(lab.board.banner.split("<b>")[2].split("</b>")[0])
        wrong.add(tuple(lab.state.result.report.wrong))
    assert len(numbers) == 3
    assert wrong == {("W1", "b1")}


def test_the_two_bugs_cancel_in_b1(case):
    says(LESSON, "even a green tensor had a fault of its own")
    net, x, y = case
    found = in_doubt(net.params, x, y)
    missing = gl.bugs.plant(net, "missing_1_over_n").gradient(x, y)
    mean = gl.bugs.plant(net, "bias_mean", 1).gradient(x, y)
    for name, right in net.gradient(x, y).items():
        assert np.allclose(found[name], missing[name] * mean[name] / right, rtol=1e-9)


def test_what_is_quoted():
    """CS231n's notes, Ng's lecture and the slides, as gathered in the sources."""
    says(LESSON, '1e-7 and less "happy" | above 1e-4 "uncomfortable" | above 1e-2 probably wrong |')
    says(LESSON, "1e-7 great | 1e-5 | 1e-3")
    says(LESSON, "1e-5) of an entry | 1e-7 and less correct | | above 1e-4 usually wrong |")


def test_code_that_is_no_network(case):
    says(LESSON, "*Wrong*, with ratio 0.5 and cosine 1: a factor.")
    says(LESSON, "`x.size` counts 30 times 2 entries, and the mean is over 30 examples: `len(x)`.")
    says(LESSON, "At another step it is wrong, too")
    _, x, y = case
    cell = next(c.source for c in book(LESSON).cells if "def grad(theta)" in c.source)
    cell = cell.split("\n\n\nreport")[0]
    for code, verdict, ratio in (
        (cell, "wrong", 0.5),
        (cell.replace("/ x.size", "/ len(x)"), "correct", 1),
    ):
        names = {"np": np, "x": x, "y": y}
        exec(code, names)  # noqa: S102
        for eps in (None, 1e-7, 1e-5, 1e-3):
            report = gl.check_function(names["f"], names["grad"], [0.3, -0.7], eps)["theta"]
            assert (report.verdict, report.ratio) == (verdict, pytest.approx(ratio, rel=1e-4))
            assert report.cosine == pytest.approx(1)


def test_a_factor_near_one(case):
    says(LESSON, "In this network that factor is never above 1, and 0.94 on average.")
    says(LESSON, "If every term were 6 % too large, the ratio would be 0.03.")
    says(LESSON, "In the right gradient they nearly cancel")
    net, x, y = case
    question = QUESTIONS["a_factor_near_one"]
    slope = 1 - np.tanh(x @ net.params["W1"] + net.params["b1"]) ** 2
    assert f"{slope.mean():.2f} {slope.min():.2f}" == "0.94 0.37"
    assert slope.max() <= 1
    assert "0.37 where it is least" in question.choices["about 0.2"]
    a, g = (n.gradient(x, y) for n in (gl.bugs.plant(net, "missing_activation_derivative"), net))
    found = {k: gl.norm_ratio(a[k].ravel(), g[k].ravel()) for k in ("W1", "b1")}
    assert f"{found['b1']:.1f}" == "0.7"
    assert question.right == "about 0.7"
    assert f"{found['W1']:.1f}" == "0.1"
    assert "So it is for W1" in question.choices["about 0.1"]
    assert pytest.approx(0.03, abs=0.002) == (1 / 0.94 - 1) / (1 / 0.94 + 1)
    terms = np.array([net.gradient(x[[i]], y[[i]])["b1"] for i in range(30)]) / 30
    assert np.allclose(terms.sum(axis=0), g["b1"])
    assert np.linalg.norm(g["b1"]) < 0.2 * np.linalg.norm(np.abs(terms).sum(axis=0))


def test_a_checker_of_the_readers_finds_the_faults_and_then_nothing(case):
    says(LESSON, "Change it until `compare` finds nothing")
    net, x, y = case
    loss, before = net.loss_function(x, y), net.theta
    at = lambda params: loss(net.unroll(params))  # noqa: E731, as the lesson writes it
    worst, errors = compare(at, net.params, in_doubt(net.params, x, y))
    assert worst in ("W1", "W2", "b2")
    assert all(e < 1e-6 if k == "b1" else abs(e - 29 / 30) < 1e-3 for k, e in errors.items())
    assert max(compare(at, net.params, backward(net.params, x, y))[1].values()) < 1e-6
    assert np.array_equal(net.theta, before)


def test_a_plain_difference_takes_the_wrong_one(case):
    says(LESSON, "The plain measure is $|a-n|$ with a limit, say 1e-4.")
    says(LESSON, "It accepts the flipped sign, and refuses the right code.")
    says(LESSON, "with small weights all of it is 1e-7. No limit serves both.")
    _, x, y = case
    prices = 1e5 * (1 + x[:, :1])
    assert abs(prices.mean() - 1e5) < 1e4
    right = gl.mlp([2, 8, 1], loss="mse", weight_scale=0.5, seed=0)
    small = gl.mlp([2, 8, 3], weight_scale=0.01, seed=0)
    assert gl.check(right, x, prices).verdict == "correct"
    a, n = right.gradient(x, prices)["b1"], gl.numerical_gradient(right, x, prices, eps=1e-3)["b1"]
    assert np.max(abs(a - n)) > 10 * 1e-4
    assert gl.norm_ratio(a, n) < 1e-5
    a, n = -small.gradient(x, y)["b1"], gl.numerical_gradient(small, x, y, eps=1e-3)["b1"]
    assert np.max(abs(a - n)) < 1e-4 / 100
    assert gl.norm_ratio(a, n) > 0.99
    assert 5e-8 < np.max(abs(a)) < 2e-7
