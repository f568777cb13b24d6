"""What lesson 08 says in prose holds."""

import re
from itertools import pairwise, product

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks import QUESTIONS
from gradlab.lab import LabState
from tests.lessons.prose import book, says

LESSON = "08_dropout"
BUGS = ("missing_dropout_mask", "missing_dropout_scale", "redrawn_dropout_mask")
BELOW = ["W1", "b1", "W2", "b2"]


@pytest.fixture(scope="module")
def data():
    return gl.data.moons(30, seed=0)


def mlp(**settings):
    return gl.mlp([2, 16, 16, 2], dropout_rate=0.5, weight_scale=0.5, seed=0, **settings)


def cosine(a, b):
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def test_the_noise_of_redrawn_masks(data):
    says(LESSON, "Here σ is about 0.25, so at 1e-5 it is 1.7e4, for slopes of 0.1.")
    net, rng = mlp(), np.random.default_rng(0)
    sigma = np.std([net.loss(*data, masks=rng) for _ in range(4000)])
    assert abs(sigma - 0.25) < 0.01
    says(LESSON, "the same for every parameter.")
    scatter = sigma / (np.sqrt(2) * 1e-5)
    assert f"{scatter:.1e}" == "1.7e+04"
    n = [gl.numerical_gradient(net, *data, eps=1e-5, masks=rng) for _ in range(20)]
    for name in net.params:
        rms = np.sqrt(np.mean([np.mean(one[name] ** 2) for one in n]))
        assert np.isclose(rms, scatter, rtol=0.25)
    says(LESSON, "it takes (1.7e4 / 1e-5)² = 3e18 pairs")
    assert f"{(1.7e4 / 1e-5) ** 2:.0e}" == "3e+18"
    assert 0.05 < abs(net.gradient(*data)["b3"][0]) < 0.2


def test_where_it_matters_that_a_mask_is_shared(data):
    says(LESSON, "The error is the same at each step.")
    says(LESSON, "all losses share one set, which is not backpropagation's")
    net = mlp()
    masks = [net.draw_masks(30, np.random.default_rng(seed)) for seed in (0, 1)]
    a = net.unroll(net.gradient(*data, masks=masks[0]))
    found = {}
    for which, mask in zip(("backprop's", "another"), masks, strict=True):
        found[which] = [
            gl.norm_ratio(a, net.unroll(gl.numerical_gradient(net, *data, eps=eps, masks=mask)))
            for eps in (1e-1, 1e-3, 1e-5)
        ]
    assert np.allclose(found["another"], found["another"][0], rtol=0.02)
    assert found["another"][0] > 0.1
    assert found["backprop's"][2] < 1e-9


def test_the_puzzle_stands_in_the_first_paragraph(data):
    """So that its numbers are on the first screen: the first output is further down."""
    first = book(LESSON).cells[0].source.split("\n\n")[1]
    assert "Then all four have a norm ratio ‖a − n‖ / (‖a‖ + ‖n‖) below 1e-9, and pass." in first
    assert "With dropout on all four have 1.00, the largest there is: right code too." in first
    for bug in (None, *BUGS):
        net = gl.bugs.plant(mlp(), bug) if bug else mlp()
        off = gl.check(net, *data, eps=1e-5)
        assert (off.verdict, off.norm_ratio < 1e-9) == ("correct", True)
        on = gl.check(net, *data, eps=1e-5, masks=np.random.default_rng(1))
        assert f"{on.norm_ratio:.2f}" == "1.00"


def test_the_first_question_has_its_answer(data):
    says(LESSON, "and `gl.check` would call each *inconclusive*")
    for bug in (None, *BUGS):
        net = gl.bugs.plant(mlp(), bug) if bug else mlp()
        report = gl.check(net, *data, eps=1e-5, masks=np.random.default_rng(1))
        assert report.verdict == "inconclusive"
    says(
        LESSON, "the three bugs are *wrong* in `W1`, `b1`, `W2` and `b2`, at norm ratios of 0.2 an"
    )
    says(LESSON, "and right code is below 1e-9")
    net = mlp()
    masks = net.draw_masks(30, np.random.default_rng(0))
    assert gl.check(net, *data, eps=1e-5, masks=masks).norm_ratio < 1e-9
    for bug in BUGS:
        report = gl.check(gl.bugs.plant(net, bug), *data, eps=1e-5, masks=masks)
        assert report.wrong == BELOW
        assert report.norm_ratio > 0.195


def test_a_hundredth_of_the_rate_leaves_a_fifteenth_of_the_error(data):
    says(LESSON, "A hundredth of the rate leaves a fifteenth of the error, not a hundredth.")
    says(LESSON, "m has a variance of r / keep, which goes from 1 to 0.005")
    says(LESSON, "lengths go with its root, a 14th")
    says(LESSON, "about half of the 960 numbers in a set of masks are 0")
    says(LESSON, "two sets of masks gave a norm ratio of 0.50. Now the rate is 0.005: about five "
                 "numbers are 0, and all others 1.005")  # fmt: skip
    question, found = QUESTIONS["a_few_dropped"], {}
    for rate in (0.5, 0.005):
        net, rng = mlp().replace(dropout_rate=rate), np.random.default_rng(1)
        sets = [np.concatenate([m.ravel() for m in net.draw_masks(30, rng)]) for _ in range(500)]
        assert sets[0].size == 960
        assert np.allclose(np.var(sets), rate / (1 - rate), rtol=0.1)
        assert f"{np.max(sets):.3f}" == {0.5: "2.000", 0.005: "1.005"}[rate]
        assert abs(np.mean(np.sum(np.array(sets) == 0, axis=1)) - 960 * rate) < 2
        g = [net.unroll(net.gradient(*data, masks=rng)) for _ in range(1001)]
        found[rate] = np.mean([gl.norm_ratio(a, n) for a, n in pairwise(g)])
    assert round(np.sqrt(0.5 / 0.5 / (0.005 / 0.995))) == 14
    assert abs(found[0.5] - 0.5) < 0.03
    assert question.right == f"about {found[0.005]:.2f}" == "about 0.03"
    assert 14 < found[0.5] / found[0.005] < 17


def test_switched_off_is_another_function(data):
    says(LESSON, "It stays at 0.29, however many masks are drawn.")
    question, found = QUESTIONS["mean_over_masks"], {}
    for rate in (0.1, 0.5):
        net, rng = mlp().replace(dropout_rate=rate), np.random.default_rng(0)
        drawn = [net.unroll(net.gradient(*data, masks=rng)) for _ in range(3000)]
        without = net.unroll(net.gradient(*data))
        found[rate] = gl.norm_ratio(np.mean(drawn, axis=0), without)
    assert abs(found[0.5] - 0.29) < 0.01
    assert question.right == f"about {found[0.5]:.1f}" == "about 0.3"
    assert "So it is at a rate of 0.1" in question.choices["about 0.05"]
    assert abs(found[0.1] - 0.05) < 0.01
    assert "The cosine of the two is 0.85" in question.choices["about 0.9"]
    assert f"{cosine(np.mean(drawn, axis=0), without):.2f}" == "0.85"


def test_the_sum_over_all_thinned_networks_can_be_done():
    says(LESSON, "For a network 2-4-4-2 and one example there are 256 masks")
    says(LESSON, "agree with the mean of 256 backpropagations to 1e-9")
    net = gl.mlp([2, 4, 4, 2], dropout_rate=0.5, weight_scale=0.5, seed=0)
    x, y = (part[:1] for part in gl.data.moons(2, seed=0))
    every = [
        [np.array([bits[:4]]) * 2.0, np.array([bits[4:]]) * 2.0]
        for bits in product((0.0, 1.0), repeat=8)
    ]
    assert len(every) == 256
    a = np.mean([net.unroll(net.gradient(x, y, masks=masks)) for masks in every], axis=0)
    n = np.zeros(net.size)
    for i, unit in enumerate(1e-5 * np.eye(net.size)):
        sides = [
            np.mean([net.loss(x, y, masks=m, params=net.roll(net.theta + s)) for m in every])
            for s in (unit, -unit)
        ]
        n[i] = (sides[0] - sides[1]) / 2e-5
    assert gl.norm_ratio(a, n) < 1e-9


def test_another_set_of_masks_helps_as_much_as_another_example(data):
    says(LESSON, "two sets for five examples leave as few zeros as one set for ten")
    net, rng = mlp(), np.random.default_rng(0)

    def dead(examples, sets):
        x, y = data[0][:examples], data[1][:examples]
        zeros = [
            np.all([net.unroll(net.gradient(x, y, masks=rng)) == 0 for _ in range(sets)], axis=0)
            for _ in range(400)
        ]
        return np.mean(zeros)

    for few, sets, many in ((1, 2, 2), (5, 2, 10)):
        assert abs(dead(few, sets) - dead(many, 1)) < 0.03


def test_zeros_of_few_examples(data):
    says(LESSON, "the probability (1 − keep²)ᴺ: 75 %, 56 %, 24 %, 6 % and 0.02 % for the five N")
    says(LESSON, "(200 draws, which the cell took, come within a few per cent of that.)")
    shown = re.findall(
        r"W2 (\d+)%", next(c for c in book(LESSON).cells if "zeros[" in c.source).outputs[0].text
    )
    assert np.allclose([int(one) for one in shown], [75, 56, 24, 6, 0], atol=2)
    stated = {1: "75", 2: "56", 5: "24", 10: "6", 30: "0.02"}
    for examples, share in stated.items():
        dead = 100 * (1 - 0.5**2) ** examples
        assert f"{dead:.{len(share.partition('.')[2])}f}" == share
    says(LESSON, 'The report counts such entries: "0 = 0, which proves nothing there"')
    net, rng = mlp(), np.random.default_rng(0)
    report = gl.check(net, data[0][:1], data[1][:1], masks=net.draw_masks(1, rng))
    assert report.verdict == "correct"
    assert "0 = 0, which proves nothing there" in " ".join(str(report).split())


def state(**settings):
    return LabState(use_dropout=True, **settings)


def test_what_you_should_see():
    says(LESSON, "Redrawn masks: *inconclusive*, every tensor above 1e-3.")
    report = state(freeze_masks=False).result.report
    assert report.verdict == "inconclusive"
    assert all(t.norm_ratio > 1e-3 for t in report.tensors.values())
    says(
        LESSON, "Frozen, with 1/keep missing in the upper dropout at a rate of 0.2: *wrong* in `W1`"
    )
    says(
        LESSON, "whose ratios a/n are all 0.80, which is keep. With dropout off the same bug is *c"
    )
    lab = state(bug="missing_dropout_scale", bug_layer=2, dropout_rate=0.2)
    assert lab.result.report.wrong == BELOW
    assert [f"{lab.result.report[name].ratio:.2f}" for name in BELOW] == ["0.80"] * 4
    lab.use_dropout = False
    assert lab.result.report.verdict == "correct"


def test_try_1():
    says(
        LESSON, "the norm ratio of all parameters is above 0.9 at every step, and `b3` fares no be"
    )
    for k in range(-26, -1, 4):
        report = state(freeze_masks=False, eps=10 ** (k / 2)).result.report
        assert report.verdict == "inconclusive"
        assert report.norm_ratio > 0.9
        assert report["b3"].norm_ratio > 0.9
    says(LESSON, "(0.64 at 1e-1 and at 1e-5)")
    for eps in (1e-1, 1e-5):
        report = state(freeze_masks=False, eps=eps, scheme="complex_step").result.report
        assert report.verdict == "inconclusive"
        assert f"{report.norm_ratio:.2f}" == "0.64"


def test_try_2():
    says(
        LESSON, "`W1`, `b1`, `W2`, `b2`: 0.8, 0.5, 0.2, exactly keep, with a cosine of 1. `W3` and"
    )
    for rate in (0.2, 0.5, 0.8):
        report = state(bug="missing_dropout_scale", bug_layer=2, dropout_rate=rate).result.report
        for name in BELOW:
            assert np.isclose(report[name].ratio, 1 - rate, rtol=1e-6)
            assert np.isclose(report[name].cosine, 1.0)
        assert report["W3"].verdict == report["b3"].verdict == "correct"
    options = dict(gl.Lab(use_dropout=True).controls["bug"].options)
    assert options["dropout's 1/keep is missing"] == "missing_dropout_scale"
    assert options["dropout's mask is not applied"] == "missing_dropout_mask"


def test_try_3():
    says(LESSON, "Layer 1: `W1`, `b1`. Layer 2: `W1`, `b1`, `W2`, `b2`.")
    says(LESSON, "With dropout off everything is ✓: the line with the bug is not run.")
    for layer, wrong in ((1, BELOW[:2]), (2, BELOW)):
        lab = state(bug="missing_dropout_mask", bug_layer=layer)
        assert lab.result.report.wrong == wrong
        lab.use_dropout = False
        assert lab.result.report.verdict == "correct"


def test_the_legend_has_the_ranges_and_the_labs_controls():
    from gradlab.lab.model.settings import LABELS, RANGES

    says(LESSON, "| **step eps** | units of the parameters, 1e-13 … 1e-1, logarithmic |")
    says(LESSON, "| dropout on, dropout rate | on or off; 0 … 0.9 |")
    assert RANGES["eps"] == (1e-13, 1e-1)
    assert RANGES["dropout_rate"] == (0.0, 0.9)
    lab = next(c.source for c in book(LESSON).cells if "gl.Lab(" in c.source)
    legend = next(c.source for c in book(LESSON).cells if "| control |" in c.source)
    rows = [line.split("|")[1] for line in legend.splitlines() if line[:1] == "|"][2:]
    named = [name for name in LABELS if f'"{name}"' in lab.split("controls=")[1].split("panels")[0]]
    shown = {**LABELS, "use_dropout": "dropout on"}  # what stands beside the box
    rows = ", ".join(row.strip(" *") for row in rows).split(", ")
    assert sorted(rows) == sorted(shown[name] for name in named)


def test_both_scales_forgotten(data):
    says(LESSON, "1, 0.8, and 0.64 = keep²: count the dropouts")
    x, y = data
    net = gl.mlp([2, 16, 16, 2], dropout_rate=0.2, weight_scale=0.5, seed=0)
    m1, m2 = net.draw_masks(30, np.random.default_rng(0))
    p = net.params
    o1 = np.tanh(x @ p["W1"] + p["b1"])
    o2 = np.tanh(o1 * m1 @ p["W2"] + p["b2"])
    e = np.exp(o2 * m2 @ p["W3"] + p["b3"])
    dz3 = (e / e.sum(axis=1, keepdims=True) - np.eye(2)[y]) / 30
    right = net.gradient(x, y, masks=[m1, m2])
    dz2 = dz3 @ p["W3"].T * (m2 > 0) * (1 - o2**2)
    dz1 = dz2 @ p["W2"].T * (m1 > 0) * (1 - o1**2)
    wrong = {"W3": (o2 * m2).T @ dz3, "W2": (o1 * m1).T @ dz2, "W1": x.T @ dz1}
    for name, ratio in (("W3", 1.0), ("W2", 0.8), ("W1", 0.64)):
        assert np.allclose(wrong[name], ratio * right[name], atol=1e-12)
