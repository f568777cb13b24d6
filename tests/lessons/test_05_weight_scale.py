"""What lesson 05 says in prose holds."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState
from tests.lessons.prose import book, says

LESSON = "05_weight_scale"
BUG = "missing_activation_derivative"
BELOW = ["W1", "b1", "W2", "b2"]


@pytest.fixture(scope="module")
def data():
    x, y = gl.data.moons(30, seed=0)
    return x, np.eye(2)[y]


def mlp(scale, **settings):
    return gl.mlp([2, 16, 16, 2], loss="mse", weight_scale=scale, seed=0, **settings)


def test_neither_number_tells(data):
    says(
        LESSON, 'call the first network "probably wrong". With the others they are not happy either'
    )
    says(
        LESSON, "you should be happy with 1e-7 or less. Andrew Ng's course calls a norm ratio of 1e"
    )
    says(LESSON, "1e-7 great; then all three are great.")
    right, wrong, beside = mlp(50.0), gl.bugs.plant(mlp(0.01), BUG, layer=2), mlp(0.01)
    first, *others = (gl.check(net, *data, eps=1e-5) for net in (right, wrong, beside))
    assert first.relative_error > 1e-2
    assert all(1e-7 < report.relative_error < 1e-4 for report in others)
    says(LESSON, "its worst entry is off by 3e-5, that of the right code by 2e-5.")
    says(LESSON, "with a smooth activation such as tanh, they say, 1e-4 is too high")
    for report, told in zip(others, (3e-5, 2e-5), strict=True):
        assert told / 2 < report.relative_error < 2 * told  # round-off is in both
    assert all(report.norm_ratio < 1e-7 for report in (first, *others))
    says(
        LESSON, "`gl.check` without `eps` looks at several steps, entry by entry, and calls the bug"
    )
    assert gl.check(wrong, *data).verdict == "wrong"
    assert gl.check(right, *data).verdict == gl.check(beside, *data).verdict == "correct"
    says(
        LESSON, "With weights of 0.001 it finds nothing any more: *correct*, with the warning that"
    )
    report = gl.check(gl.bugs.plant(mlp(0.001), BUG, layer=2), *data)
    assert report.verdict == "correct"
    assert "an activation is nearly linear" in " ".join(report.warnings)


def test_a_bug_shrinks_with_z(data):
    says(LESSON, "z1 ten times smaller, but z2 a *hundred* times, since it is made of o1")
    says(LESSON, "So the forgotten one shrinks by 1e2 in layer 1 and by 1e4 in layer 2")
    sizes, ratios = {}, {}
    for scale in (0.1, 0.01):
        z1 = data[0] @ mlp(scale).params["W1"]
        z2 = np.tanh(z1) @ mlp(scale).params["W2"]
        for layer, z in ((1, z1), (2, z2)):
            report = gl.check(gl.bugs.plant(mlp(scale), BUG, layer=layer), *data, eps=1e-4)
            sizes[layer, scale] = np.sqrt((z**2).mean())
            ratios[layer, scale] = report["W1"].norm_ratio
    for layer, smaller in ((1, 10), (2, 100)):
        assert np.isclose(sizes[layer, 0.1] / sizes[layer, 0.01], smaller, rtol=0.05)
        assert np.isclose(ratios[layer, 0.1] / ratios[layer, 0.01], smaller**2, rtol=0.1)


def test_the_right_tensors_hide_it(data):
    says(
        LESSON, "`W3` and `b3` are right and hold most of the gradient, so 5e-7 in `W1` is 9e-9 in"
    )
    net = gl.bugs.plant(mlp(0.01), BUG, layer=2)
    report = gl.check(net, *data, eps=1e-4)
    assert f"{report['W1'].norm_ratio:.0e} {report.norm_ratio:.0e}" == "5e-07 9e-09"
    g = net.gradient(*data)
    above = np.hypot(np.linalg.norm(g["W3"]), np.linalg.norm(g["b3"]))
    assert above > 0.9 * np.linalg.norm(net.unroll(g))


def test_it_is_z_that_counts(data):
    says(LESSON, "With weights of 0.01 and all hidden biases at 0.5, forgetting tanh′ in layer 2")
    says(LESSON, "gives `W1` a norm ratio of 0.1.")
    net = mlp(0.01)
    net.params["b1"][:] = net.params["b2"][:] = 0.5
    report = gl.check(gl.bugs.plant(net, BUG, layer=2), *data, eps=1e-5)
    assert f"{report['W1'].norm_ratio:.1f}" == "0.1"
    says(
        LESSON,
        "At weights of 0.01 and a step of 1e-5 the norm ratio of `W1` is 1e-8 for right code",
    )
    says(LESSON, "and 5e-7 for the bug. Try other steps, from 1e-6 to 1e-4: right code's number")
    wrong = gl.bugs.plant(mlp(0.01), BUG, layer=2)
    at = {e: [gl.check(n, *data, eps=e)["W1"].norm_ratio for n in (mlp(0.01), wrong)]
          for e in (1e-6, 1e-5, 1e-4)}  # fmt: skip
    assert 3e-9 < at[1e-5][0] < 3e-8
    assert at[1e-6][0] > 3 * at[1e-5][0]
    assert at[1e-4][0] < at[1e-5][0] / 2
    assert all(np.isclose(wrong, 5.1e-7, rtol=0.1) for _, wrong in at.values())


def test_a_is_the_inexact_number(data):
    says(LESSON, "From about z = 19 on, tanh rounds to 1 in float64, and `1 - o**2` is exactly 0")
    z = np.arange(18, 20, 0.01)
    first = z[1 - np.tanh(z) ** 2 == 0][0]
    assert 18.9 < first < 19.1
    assert 0 < 1 / np.cosh(first) ** 2 < 1e-15
    says(LESSON, "Against a true value of 1e-30, an answer of 0 has the relative error 1, whatever")
    assert gl.relative_error(0.0, 1e-30) == 1
    says(
        LESSON, "Against the complex step 85 of the 354 entries are off, and not one of them is ab"
    )
    says(LESSON, "above 1e-24, beside others of 500")
    says(LESSON, "In a check at 0.001 the bug's 5e-11 drowns in the 1e-6 of the row below.")
    net = mlp(50.0)
    a = net.unroll(net.gradient(*data))
    n = net.unroll(gl.numerical_gradient(net, *data, scheme="complex_step"))
    off = gl.relative_error(a, n) > 1e-2
    assert (off.sum(), off.size) == (85, 354)
    assert np.abs(n[off]).max() < 1e-24
    assert 400 < np.abs(a).max() < 600


SCALES = (1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0, 5.0, 20.0, 50.0, 100.0)


def test_right_code_at_every_scale(data):
    says(
        LESSON, "At a step of 1e-5 it is below 1e-7 for right code at every scale from 1e-4 to 100"
    )
    says(LESSON, "the worst entry is bad at *both* ends: 0.4 at 1e-4, 1 from 20 on.")
    reports = {scale: gl.check(mlp(scale), *data, eps=1e-5) for scale in SCALES}
    assert max(report.norm_ratio for report in reports.values()) < 1e-7
    assert 0.2 < reports[1e-4].relative_error < 0.6
    assert all(reports[scale].relative_error > 0.99 for scale in (20.0, 50.0, 100.0))


def test_the_table(data):
    says(LESSON, "| weights | 0.001 | 0.01 | 0.1 | 0.5 | 50 |")
    says(LESSON, "| worst entry, right code | 3e-3 | 2e-5 | 3e-7 | 3e-8 | 1 |")
    says(
        LESSON,
        "| norm ratio of `W1`, tanh′ forgotten in layer 2 | 5e-11 | 5e-7 | 5e-3 | 0.5 | 1.0 |",
    )
    says(
        LESSON,
        "right code, step 1e-5 | 1e-6 | 1e-8 | below 1e-9 | below 1e-9 | 3e-8 |",
    )
    noise = {0.001: 1e-6, 0.01: 1e-8, 50.0: 3e-8}
    says(LESSON, "| mean of tanh′ in layer 2 | 1.00 | 1.00 | 1.00 | 0.67 | 0.003 |")
    rows = {
        0.001: (3e-3, 5e-11, 1.0), 0.01: (2e-5, 5e-7, 1.0), 0.1: (3e-7, 5e-3, 1.0),
        0.5: (3e-8, 0.5, 0.67), 50.0: (1.0, 1.0, 0.003),
    }  # fmt: skip
    for scale, (worst, bug, slope) in rows.items():
        net = mlp(scale)
        found = gl.check(net, *data, eps=1e-5).relative_error
        assert worst / 4 < found < 4 * worst  # round-off, but for the last
        a, right = (one.gradient(*data)["W1"].ravel() for one in (wrong_at_2(net), net))
        assert np.isclose(gl.norm_ratio(a, right), bug, rtol=0.1)
        n = gl.numerical_gradient(net, *data, eps=1e-5)["W1"].ravel()
        off = gl.norm_ratio(right, n)
        assert noise[scale] / 4 < off < 4 * noise[scale] if scale in noise else off < 1e-9
        o2 = np.tanh(np.tanh(data[0] @ net.params["W1"]) @ net.params["W2"])
        assert np.isclose((1 - o2**2).mean(), slope, rtol=0.05)


def wrong_at_2(net):
    return gl.bugs.plant(net, BUG, layer=2)


@pytest.fixture(scope="module")
def trained(data):
    net = mlp(0.5)
    gl.train(net, *data, steps=2000, progress=False)
    return net


def test_after_training_the_step_is_too_long(data, trained):
    says(
        LESSON, "Checked with a step of 1e-5, the gradient's norm is 5.7, ‖a − n‖ is 4e-10, and the"
    )
    says(LESSON, "norm ratio 3e-11. Now train on these 30 examples, with 2,000 updates, and check")
    fresh, size, off = mlp(0.5), [], []
    assert f"{np.std(fresh.params['W1']):.2f}" == "0.40"
    assert 1e-11 < gl.check(fresh, *data, eps=1e-5).norm_ratio < 1e-10
    for net in (fresh, trained):
        g = net.unroll(net.gradient(*data))
        size.append(np.linalg.norm(g))
        off.append(np.linalg.norm(g - net.unroll(gl.numerical_gradient(net, *data, eps=1e-5))))
    assert f"{size[0]:.1f}" == "5.7"
    assert 2e-10 < off[0] < 8e-10
    says(
        LESSON, "the gradient is 17,000 times smaller. ‖a − n‖ is smaller than before, too, but not"
    )
    assert np.isclose(size[0] / size[1], 17000, rtol=0.05)
    assert 1 < off[0] / off[1] < 100
    says(LESSON, "a tenth of the step, a hundredth of the error")
    ratios = [gl.check(trained, *data, eps=eps).norm_ratio for eps in (1e-4, 1e-5)]
    assert np.isclose(ratios[0] / ratios[1], 100, rtol=0.05)
    says(LESSON, "at 1e-7 round-off would have brought it back to 6e-8")
    at = [gl.check(trained, *data, eps=eps).norm_ratio for eps in (1e-5, 1e-6, 1e-7)]
    assert at[1] < at[0] / 5
    assert 2e-8 < at[2] < 2e-7
    says(LESSON, "or let `gl.check` choose")
    assert gl.check(trained, *data).verdict == "correct"


def test_what_the_answers_to_the_predictions_say(data, trained):
    question = gl.predict("after_training")._question
    told = question.choices
    assert "W1 from 0.40 to 0.75" in told["neither: larger weights make n worse"]
    assert f"{np.std(mlp(0.5).params['W1']):.2f}" == "0.40"
    assert "the loss has become smaller" in told["1e-4 alone"]
    assert trained.loss(*data) < mlp(0.5).loss(*data) / 10
    assert f"{np.std(trained.params['W1']):.2f}" == "0.75"
    ratios = [gl.check(trained, *data, eps=eps).norm_ratio for eps in (1e-4, 1e-5, 1e-6)]
    assert ratios == sorted(ratios, reverse=True)  # a longer step is worse, a shorter one better
    assert "is 7e-8 at eps = 1e-5" in question.question
    assert f"{ratios[1]:.0e}" == "7e-08"
    assert question.right == "1e-6 alone"
    says(LESSON, "None of them helps.")
    for power in range(-10, 0):
        assert gl.check(mlp(50.0), *data, eps=10.0**power).relative_error > 0.99


def state(**settings):
    return LabState(loss="mse", **settings)


def wrong(lab):
    return lab.result.report.wrong


def test_what_you_should_see():
    says(
        LESSON, "*correct here, and blind to a missing or wrong derivative*, with norm ratios belo"
    )
    says(LESSON, "below 1e-5 in every tensor")
    lab = state(weight_scale=0.001, bug=BUG, bug_layer=2)
    assert lab.result.report.verdict == "correct"
    assert max(t.norm_ratio for t in lab.result.report.tensors.values()) < 1e-5
    says(LESSON, "After five steps of training it is *wrong* in `b2`.")
    lab.train_steps = 5
    assert wrong(lab) == ["b2"]
    says(
        LESSON, "With sigmoid it is *wrong* in all four tensors below the slip, at weights of 0.001"
    )
    lab.update(train_steps=0, activation="sigmoid")
    assert wrong(lab) == BELOW


def test_try_1():
    says(
        LESSON, "*Inconclusive* at 1e-4, where half of an entry may be round-off: the worst error i"
    )
    says(LESSON, "✓ from 3e-4 on. At 20, 50 and 100 it is ✓ with dots at 1")
    assert state(weight_scale=1e-4).result.report.verdict == "inconclusive"
    for scale in (3e-4, *SCALES[1:]):
        report = state(weight_scale=scale).result.report
        assert report.verdict == "correct"
        assert (report.relative_error > 0.99) == (scale >= 20)


def test_try_2():
    says(
        LESSON, "Layer 2: ✗ down to 0.01, ✓ at 0.003, where the banner says to what the check is bl"
    )
    says(LESSON, "Layer 1: ✗ down to 0.003, ✓ at 0.001. With sigmoid ✗ however small the weights")
    last = {2: ((0.5, 0.1, 0.03, 0.01), 0.003), 1: ((0.5, 0.1, 0.01, 0.003), 0.001)}
    for layer, (shows, hides) in last.items():
        for scale in shows:
            assert wrong(state(weight_scale=scale, bug=BUG, bug_layer=layer))
        report = state(weight_scale=hides, bug=BUG, bug_layer=layer).result.report
        assert report.verdict == "correct"
        assert "nearly linear" in " ".join(report.warnings)
    for scale in (1e-4, 1e-3, 1e-2, 0.5):
        lab = state(weight_scale=scale, bug=BUG, bug_layer=2, activation="sigmoid")
        assert wrong(lab) == BELOW
    options = dict(gl.Lab(loss="mse").controls["bug"].options)
    assert options["activation's derivative is missing"] == BUG


def test_try_3(data):
    says(LESSON, "in `b2` the largest is 0.003, and z2 was 5e-6.")
    lab = state(weight_scale=0.001, bug=BUG, bug_layer=2)
    net = mlp(0.001)
    z2 = np.tanh(data[0] @ net.params["W1"]) @ net.params["W2"]
    assert f"{np.sqrt((z2**2).mean()):.0e}" == "5e-06"
    lab.train_steps = 5
    after = lab.result.problem.net.params
    assert f"{np.abs(after['b2']).max():.3f}" == "0.003"
    assert np.allclose(after["W2"], net.params["W2"], atol=1e-4)


def test_the_legend_has_the_ranges_and_the_labs_controls():
    from gradlab.lab.model.settings import LABELS, RANGES

    says(LESSON, "| **weight scale** | standard deviation, 1e-4 … 1e2, logarithmic |")
    says(LESSON, "| **step eps** | units of the parameters, 1e-13 … 1e-1, logarithmic |")
    says(LESSON, "| training steps | 0 … 500 |")
    assert RANGES["weight_scale"] == (1e-4, 1e2)
    assert RANGES["eps"] == (1e-13, 1e-1)
    assert RANGES["train_steps"] == (0, 500)
    lab = next(c.source for c in book(LESSON).cells if "gl.Lab(" in c.source)
    legend = next(c.source for c in book(LESSON).cells if "| control |" in c.source)
    rows = [line.split("|")[1].strip(" *") for line in legend.splitlines() if line[:1] == "|"][2:]
    named = [name for name in LABELS if f'"{name}"' in lab.split("controls=")[1].split(")")[0]]
    assert sorted(", ".join(rows).split(", ")) == sorted(LABELS[name] for name in named)


def test_other_units(data):
    x, y = data
    net = gl.bugs.plant(mlp(0.5), BUG, layer=1)
    says(LESSON, "The norm ratio of `W1` was 0.2; with a hundredth of x it is 4e-5.")
    assert f"{gl.check(net, x, y, eps=1e-5)['W1'].norm_ratio:.1f}" == "0.2"
    report = gl.check(net, x / 100, y, eps=1e-5)
    assert f"{report['W1'].norm_ratio:.0e}" == "4e-05"
    says(
        LESSON,
        "(`gl.check` still says *wrong*, as it has no fixed limit, and warns that layer 1 is",
    )
    report = gl.check(net, x / 100, y)
    assert report.verdict == "wrong"
    assert "at layer 1, an activation is nearly linear" in " ".join(report.warnings)


def test_how_fast_a_slip_hides(data):
    says(LESSON, "the error is about z². Taking it at the output puts 1 − tanh²(tanh z) there")
    says(LESSON, "the error is about z⁴. And weights ten times smaller make z1 ten times smaller")
    says(LESSON, "but z2 a *hundred* times")
    says(LESSON, "shrinks by 1e2 in layer 1 and by 1e4 in layer 2")
    says(LESSON, "the one at the output by 1e4 and by 1e8: from 5e-5 to 6e-13")
    z = np.array([1e-1, 1e-2])
    wrong = np.tanh(z) ** 2 - np.tanh(np.tanh(z)) ** 2
    assert wrong[0] / wrong[1] == pytest.approx(1e4, rel=0.05)
    question = gl.predict("a_tenth_of_the_weights")._question
    found = {}
    for bug in (BUG, "activation_derivative_at_output"):
        for layer in (1, 2):
            for scale in (0.1, 0.01):
                a = gl.bugs.plant(mlp(scale), bug, layer=layer).gradient(*data)["W1"].ravel()
                found[bug, layer, scale] = gl.norm_ratio(
                    a, mlp(scale).gradient(*data)["W1"].ravel()
                )
            falls = np.log10(found[bug, layer, 0.1] / found[bug, layer, 0.01])
            assert falls == pytest.approx((2 if bug == BUG else 4) * layer, abs=0.2)
    at = [found["activation_derivative_at_output", 2, scale] for scale in (0.1, 0.01)]
    assert [f"{one:.0e}" for one in at] == ["5e-05", "6e-13"]
    assert "So it is if tanh' is forgotten" in question.choices["10,000"]
    assert question.right == f"{10 ** round(np.log10(at[0] / at[1])):,}" == "100,000,000"
    size = []
    for scale in (0.1, 0.01):
        net = mlp(scale)
        size.append(np.std(np.tanh(data[0] @ net.params["W1"]) @ net.params["W2"]))
    assert size[0] / size[1] == pytest.approx(100, rel=0.05)
