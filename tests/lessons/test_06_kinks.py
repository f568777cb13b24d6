"""What lesson 06 says in prose is true of the product as it is."""

import inspect

import numpy as np
import pytest

import gradlab as gl
from tests.lessons.prose import book, says

LESSON = "06_kinks"
H = 1e-5


@pytest.fixture(scope="module")
def data():
    return gl.data.spirals(30, classes=3, seed=0)


def small(seed, activation="relu"):
    return gl.mlp([2, 4, 4, 3], activation=activation, weight_scale=0.5, seed=seed)


def errors(net, data, eps=H):
    """Return the relative errors of all entries, by tensor."""
    a, n = net.gradient(*data), gl.numerical_gradient(net, *data, eps=eps)
    return {name: gl.relative_error(a[name], n[name]) for name in a}


def worst(net, data, eps=H):
    return max(e.max() for e in errors(net, data, eps).values())


def failing(nets, data, eps=H):
    return [seed for seed, net in enumerate(nets) if worst(net, data, eps) > 1e-2]


def slopes(net, data, name, i, h=1e-7):
    """Return the slopes on the left and on the right along one entry."""
    loss, theta = net.loss_function(*data), net.theta
    step = h * np.eye(theta.size)[net.tensors[name][0] + i]
    here = loss(theta)
    return (here - loss(theta - step)) / h, (loss(theta + step) - here) / h


def test_five_fail_by_much_and_the_others_agree(data):
    says(
        "06_kinks", "The other three agree to better than 1e-5, as all eight with tanh do. There is"
    )
    says("06_kinks", "their worst error |a − n| / max(|a|, |n|) is 0.4 to 1.0.")
    says("06_kinks", "With tanh all eight agree to five digits. With ReLU five do not")
    relu = np.array([worst(small(seed), data) for seed in range(8)])
    tanh = np.array([worst(small(seed, "tanh"), data) for seed in range(8)])
    assert tanh.max() < 1e-5
    assert sum(relu < 1e-5) == 3
    bad = relu[relu > 1e-5]
    assert len(bad) == 5
    assert 0.35 < bad.min() < 0.45
    assert 0.95 < bad.max() <= 1.0
    says("06_kinks", "where seed 2 fails, it is in a single tensor: the biases `b2`")
    by_tensor = errors(small(2), data)
    assert [name for name, e in by_tensor.items() if e.max() > 1e-5] == ["b2"]


def test_a_missing_gradient_gets_an_error_of_one():
    says("06_kinks", "It would be 1.0 if backpropagation gave 0 where the slope is not 0.")
    assert gl.relative_error(0.0, 0.3) == 1.0


def test_there_are_two_kinds_of_failure(data):
    says("06_kinks", "At 1e-3 all eight fail, and at 1e-5 three of them no longer do.")
    says("06_kinks", "At 1e-7 the other five fail as before.")
    nets = [small(seed) for seed in range(8)]
    bad = {eps: failing(nets, data, eps) for eps in (1e-3, 1e-5, 1e-7)}
    assert len(bad[1e-3]) == 8
    assert bad[1e-5] == bad[1e-7]
    for seed in set(bad[1e-3]) - set(bad[1e-5]):
        at = {eps: gl.check(nets[seed], *data, eps=eps) for eps in (1e-3, 1e-5)}
        crossed = {eps: sum(t.crossed_kinks for t in at[eps].tensors.values()) for eps in at}
        assert crossed[1e-3] > 0
        assert crossed[1e-5] == 0
    says("06_kinks", "For `b2[0]` they are 0.0990 and 0.0450.")
    for h in (1e-5, 1e-7):
        assert [f"{s:.4f}" for s in slopes(nets[2], data, "b2", 0, h)] == ["0.0990", "0.0450"]


def test_a_kink_beside_the_parameter():
    says("06_kinks", "Take relu(θ − d) at θ = 0, with d = 4e-4. Its slope there is 0")
    says("06_kinks", "(h − d)/(2h): 0.30 at h = 1e-3, 0.10 at 5e-4. From h = 4e-4 down it finds 0.")
    d = 4e-4
    for h, stated in ((1e-3, 0.30), (5e-4, 0.10), (4e-4, 0.0), (1e-4, 0.0)):
        n = (max(h - d, 0) - max(-h - d, 0)) / (2 * h)
        assert np.isclose(n, stated, atol=1e-9)
        assert np.isclose(n, max(h - d, 0) / (2 * h))


def test_where_exact_zeros_come_from(data):
    x = data[0]

    def silent(net):
        return (np.maximum(x @ net.params["W1"] + net.params["b1"], 0) == 0).all(axis=1)

    says("06_kinks", "there are four examples for which all four units of the first layer are off")
    assert silent(small(2)).sum() == 4
    says("06_kinks", "of 100 seeds of this network, half have such an example")
    says("06_kinks", "off for 1 in 16, and 30 examples would nearly always contain one")
    assert 48 <= sum(silent(small(seed)).any() for seed in range(100)) <= 52
    says("06_kinks", "an example that is 0 itself makes z1 = b1")
    with_zero = (np.vstack([x[:-1], 0 * x[-1:]]), data[1])
    found = errors(gl.mlp([2, 16, 3], activation="relu", weight_scale=0.5, seed=0), with_zero)
    assert found["b1"].max() > 1e-2
    assert max(e.max() for name, e in found.items() if name != "b1") < 1e-5


def test_a_half_is_the_mean_of_both_sides(data):
    says("06_kinks", "(h − 0)/(2h) = ½, whatever h")
    for h in (1e-1, 1e-5, 1e-9):
        assert (max(h, 0.0) - max(-h, 0.0)) / (2 * h) == 0.5
    net = small(2)
    left, right = slopes(net, data, "b2", 0)
    says("06_kinks", "backpropagation gives the slope on the left, 0.0990; with 1 the one on the")
    says("06_kinks", "right, 0.0450; with ½ their mean, 0.0720, which is the slope")
    assert np.isclose(net.gradient(*data)["b2"][0], left, rtol=1e-5)
    assert f"{(left + right) / 2:.4f}" == "0.0720"


def test_three_signs_of_a_kink(data):
    says(
        "06_kinks", "*a* lies between them, or on one; after a small random move of the parameters"
    )
    for seed in failing([small(seed) for seed in range(8)], data):
        net = small(seed)
        a, moved = net.gradient(*data)["b2"], small(seed)
        for i in range(4):
            low, high = sorted(slopes(net, data, "b2", i))
            assert low - 1e-6 <= a[i] <= high + 1e-6
        rng = np.random.default_rng(seed)
        for name in ("b1", "b2", "b3"):
            moved.params[name][:] = 1e-3 * rng.standard_normal(moved.params[name].shape)
        assert worst(moved, data) < 1e-5


def test_what_the_checker_does_at_a_kink(data):
    net = small(2)
    says("06_kinks", "and says *inconclusive* where it finds one")
    with_step, without = gl.check(net, *data, eps=H), gl.check(net, *data)
    assert with_step["b2"].verdict == "inconclusive"
    assert (with_step["b2"].kinks > 0).all()
    says("06_kinks", "If you give none, it looks at both sides and takes what lies between their")
    assert without.verdict == "correct"
    assert (without["b2"].marks == "subgradient").all()
    says("06_kinks", "slopes as right: it calls all eight networks *correct*.")
    assert all(gl.check(small(seed), *data).verdict == "correct" for seed in range(8))
    says(
        "06_kinks", "In seed 2, `b2[0]` could be 0.8 times what it should be, 0.0792, and still be"
    )
    spoiled = net.gradient(*data)
    spoiled["b2"][0] *= 0.8
    assert f"{spoiled['b2'][0]:.4f}" == "0.0792"
    assert gl.check(net, *data, analytic=spoiled).verdict == "correct"


def test_two_heaps_and_no_blur(data):
    says("06_kinks", "200 correct networks 2-16-3, all 19,800 entries, at h = 1e-3")
    says("06_kinks", "| tanh | 60 % | 40 % | 0.1 % | 0 % |")
    says("06_kinks", "| relu | 87 % | 10 % | 0.5 % | 2.6 % |")
    stated = {"tanh": (60, 40, 0.1, 0), "relu": (87, 10, 0.5, 2.6)}
    shares = {}
    for activation in stated:
        nets = (
            gl.mlp([2, 16, 3], activation=activation, weight_scale=0.5, seed=seed)
            for seed in range(200)
        )
        every = np.concatenate(
            [e.ravel() for net in nets for e in errors(net, data, 1e-3).values()]
        )
        assert len(every) == 19800
        shares[activation] = 100 * np.histogram(every, [0, 1e-7, 1e-4, 1e-2, 9])[0] / len(every)
        assert np.allclose(shares[activation][:2], stated[activation][:2], atol=0.7)
        assert np.allclose(shares[activation][2:], stated[activation][2:], atol=0.05)
    says("06_kinks", "of the entries above 1e-4, five in six are above 1e-2 too")
    _, _, between, above = shares["relu"]
    assert np.isclose(above / (between + above), 5 / 6, atol=0.02)


def test_a_dropped_leaky_slope_lies_in_the_gap(data):
    says("06_kinks", "code that takes 0 for the slope of 0.01 has a norm ratio of 5e-3 in `W1`")
    for seed in range(5):
        net = gl.mlp([2, 16, 3], activation="leaky_relu", weight_scale=0.5, seed=seed)
        wrong = gl.bugs.plant(net, "leaky_slope_dropped").gradient(*data)["W1"]
        assert 3.5e-3 < gl.norm_ratio(wrong.ravel(), net.gradient(*data)["W1"].ravel()) < 6.5e-3


def test_cures_and_their_price(data):
    says("06_kinks", "a network 2-16-3 with small weights, 0.01, and all hidden biases at +0.1.")
    says("06_kinks", "With such biases and small weights every unit is on in every example.")
    net = gl.mlp([2, 16, 3], activation="relu", weight_scale=0.01, seed=0)
    net.params["b1"][:] = 0.1
    says("06_kinks", '(`gl.check` warns: "an activation is nearly linear on these examples".)')
    warned = " ".join(gl.check(net, *data, eps=H).warnings)
    assert "an activation is nearly linear on these examples" in warned
    says("06_kinks", "Biases drawn at random leave units on either side of 0.")
    net.params["b1"][:] = np.random.default_rng(0).normal(0, 0.1, 16)
    on = data[0] @ net.params["W1"] + net.params["b1"] > 0
    assert 0.3 < on.mean() < 0.7
    says(
        "06_kinks",
        "In the eighth a kink happens to lie between h and 2h. `gl.check` takes a difference",
    )
    doubt = []
    for seed in range(8):
        net = gl.mlp([2, 16, 3], activation="relu", weight_scale=0.01, seed=seed)
        net.params["b1"][:] = np.random.default_rng(0).normal(0, 0.1, 16)
        report = gl.check(net, *data, eps=H)
        doubt += [(net, t) for t in report.tensors.values() if t.verdict != "correct"]
    assert [(t.name, str(t.verdict)) for _, t in doubt] == [("b1", "inconclusive")]
    net = doubt[0][0]
    crossed = [gl.check(net, *data, eps=eps)["b1"].crossed_kinks for eps in (H, 2 * H)]
    assert crossed[0] == 0 < crossed[1]
    says(
        "06_kinks", "In the three networks that still fail it is such a unit that failed at the top"
    )
    says("06_kinks", "with an error of 1.0: its $a$ is 0.")
    fresh, once = ([small(seed) for seed in range(8)] for _ in range(2))
    for net in once:
        gl.train(net, *data, steps=1, progress=False)
    stay = failing(once, data)
    assert len(stay) == 3
    for seed in stay:
        worst_unit = errors(fresh[seed], data)["b2"].argmax()
        assert fresh[seed].gradient(*data)["b2"][worst_unit] == 0
        assert errors(once[seed], data)["b2"].argmax() == worst_unit
    says("06_kinks", "at a learning rate of 0.1")
    assert inspect.signature(gl.train).parameters["learning_rate"].default == 0.1
    assert inspect.signature(gl.train).parameters["batch_size"].default >= len(data[0])
    says("06_kinks", "After fifty steps one network still has such a unit on a kink.")
    trained = [small(seed) for seed in range(8)]
    for net in trained:
        gl.train(net, *data, steps=50, progress=False)
    assert len(failing(trained, data)) == 1
    says("06_kinks", "With leaky ReLU, ELU or softplus all eight pass")
    for activation in ("leaky_relu", "elu", "softplus"):
        assert failing([small(seed, activation) for seed in range(8)], data) == []
    says("06_kinks", "of size 0.1, they make all eight networks from the top agree")
    for seed in range(8):
        lab = state(seed=seed, bias_scale=0.1)
        assert worst(lab.result.problem.net, data) < 1e-5


def state(**settings):
    from gradlab.lab import LabState

    start = {"data": "spirals", "hidden": (4, 4), "activation": "relu", "seed": 2}
    return LabState(tensor="b2", entry=0, **{**start, **settings})


def verdicts(lab):
    return {name: str(t.verdict) for name, t in lab.result.report.tensors.items()}


def not_correct(lab):
    return [name for name, verdict in verdicts(lab).items() if verdict != "correct"]


def test_what_you_should_see():
    says("06_kinks", "At 1e-7, as at 1e-5: *inconclusive* for `b2` alone, with a norm ratio above")
    says("06_kinks", "above 1e-3, and *correct* for the other five")
    for eps in (1e-7, 1e-5):
        lab = state(eps=eps)
        assert not_correct(lab) == ["b2"]
        assert verdicts(lab)["b2"] == "inconclusive"
        assert lab.result.report["b2"].norm_ratio > 1e-3
    says("06_kinks", "With random biases *correct* for all, at most 1e-7.")
    lab = state(bias_scale=0.1)
    assert not_correct(lab) == []
    assert max(t.norm_ratio for t in lab.result.report.tensors.values()) < 1e-7
    says("06_kinks", "With the bug *wrong* for `W1`, `b1` and `W2`; `b2` stays *inconclusive*")
    found = verdicts(state(bug="relu_masks_by_gradient"))
    assert [name for name, v in found.items() if v == "wrong"] == ["W1", "b1", "W2"]
    assert found["b2"] == "inconclusive"


def test_try_1():
    says(
        "06_kinks", "At 1e-1 all but `W3` are in doubt, at 1e-3 `b1` and `b2`, from 1e-4 down `b2`"
    )
    says("06_kinks", "the blue secant across it, and the dashed tangent along its left side")
    lab = state(eps=1e-3)
    says("06_kinks", "(No step crosses a kink for `b1` at 1e-3: there the step itself is too long")
    assert lab.result.report["b1"].crossed_kinks == 0
    assert set(lab.result.report["b1"].marks) == {"ok", "noise"}
    assert lab.result.sweep.predicted_best_eps < 1e-3  # longer than the best one
    for eps, doubt in (
        (1e-1, ["W1", "b1", "W2", "b2", "b3"]), (1e-3, ["b1", "b2"]),
        (1e-4, ["b2"]), (1e-5, ["b2"]), (1e-6, ["b2"]), (1e-7, ["b2"]),
    ):  # fmt: skip
        lab.eps = eps
        assert not_correct(lab) == doubt
        if eps <= 1e-4:
            weight = lab.result.weight
            assert weight.name == "b2[0]"
            assert np.allclose(kinks_along(weight), 0, atol=1e-3 * weight.window)
            t, rise = weight.curve
            assert np.isclose(rise[0] / t[0], weight.analytic, rtol=1e-3)
            assert not np.isclose(rise[-1] / t[-1], weight.analytic, rtol=0.1)


def kinks_along(weight):
    return weight.along.kinks(np.linspace(-weight.window, weight.window, 65))


def test_try_2():
    says("06_kinks", "✓ for every tensor, from 1e-7 up to 1e-4")
    says(
        "06_kinks", "The nearest kink along `b2[0]` lies 0.007 to the right. A step of 1e-2 crosses"
    )
    lab = state(bias_scale=0.1)
    assert len(kinks_along(lab.result.weight)) == 0
    assert np.isclose(lab.result.weight.analytic, lab.result.weight.numerical, rtol=1e-6)
    for eps in (1e-7, 1e-6, 1e-5, 1e-4):
        lab.eps = eps
        assert not_correct(lab) == []
    lab.eps = 1e-2
    assert f"{min(kinks_along(lab.result.weight), key=abs):.3f}" == "0.007"
    assert lab.result.weight.kinks > 0


def test_try_3():
    says("06_kinks", "At 1e-1 eight of the 16 cells of `W2` are ✗; for the other eight the step")
    says("06_kinks", "At 1e-5 all 16 are ✗.")
    lab = state(bug="relu_masks_by_gradient", eps=1e-1)
    marks = lab.result.report["W2"].marks
    assert [(marks == word).sum() for word in ("bug", "kink")] == [8, 8]
    lab.eps = H
    assert (lab.result.report["W2"].marks == "bug").all()
    says(
        "06_kinks",
        '3. Set **bias scale** back to 0, **bug** to "ReLU looks at the gradient\'s sign"',
    )
    bugs = dict(gl.Lab(data="spirals", hidden=(4, 4), activation="relu").controls["bug"].options)
    assert bugs["ReLU looks at the gradient's sign"] == "relu_masks_by_gradient"


def test_the_legend_has_the_ranges():
    says("06_kinks", "| **step eps** | units of the parameters, 1e-13 … 1e-1, logarithmic |")
    says("06_kinks", "| **bias scale** | standard deviation, 0 … 10 |")
    from gradlab.lab.model.settings import RANGES

    assert RANGES["eps"] == (1e-13, 1e-1)
    assert RANGES["bias_scale"] == (0.0, 10.0)


def test_the_legend_names_the_labs_controls_and_no_others():
    from gradlab.lab.model.settings import LABELS

    lab = next(c.source for c in book(LESSON).cells if "gl.Lab(" in c.source)
    legend = next(c.source for c in book(LESSON).cells if "| control |" in c.source)
    rows = [line.split("|")[1].strip(" *") for line in legend.splitlines() if line[:1] == "|"][2:]
    named = [name for name in LABELS if f'"{name}"' in lab.split("controls=")[1].split(")")[0]]
    assert sorted(rows) == sorted(LABELS[name] for name in named)


def test_the_penalty_of_the_last_question():
    says("06_kinks", "None: the central difference of |w| at 0 is (h − h)/(2h) = 0")
    says("06_kinks", "with 1 for the sign of 0, which is as good a choice, the error is 1 at every")
    for h in (1e-1, 1e-5, 1e-9):
        n = (abs(h) - abs(-h)) / (2 * h)
        assert gl.relative_error(np.sign(0.0), n) == 0
        assert gl.relative_error(1.0, n) == gl.relative_error(-1.0, n) == 1
