"""What lesson 03 says is so, computed anew."""

import json
from functools import cache

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab.model.settings import RANGES
from tests.lessons.prose import ROOT, book, says

LESSON = "03_build_an_mlp"
BACKPROP = ["W2", "b2", "W1", "b1"]
SORTED = ["W1", "W2", "b1", "b2"]


@cache
def code():
    """Run the lesson's code, without its lab, and return its names."""
    names = {"display": lambda *things: None}
    book = json.loads((ROOT / "lessons" / f"{LESSON}.ipynb").read_text())
    for cell in book["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "gl.Lab(" not in source and "lab.state" not in source:
            exec(source, names)  # noqa: S102 - the lesson itself
    return names


def numerical(eps):
    """Return central differences of the lesson's own loss."""
    loss, roll, theta, y = (code()[name] for name in ("loss", "roll", "theta", "y"))
    return np.array(
        [
            (loss(roll(theta + s), y) - loss(roll(theta - s), y)) / (2 * eps)
            for s in eps * np.eye(31)
        ]
    )


def in_order(order, theta):
    grads = code()["backward"](code()["roll"](theta), code()["y"])
    return np.concatenate([grads[name].ravel() for name in order])


def descended(order):
    """Return the loss after 2,000 steps at rate 1."""
    theta = code()["theta"].copy()
    for _ in range(2000):
        theta -= in_order(order, theta)
    return code()["loss"](code()["roll"](theta), code()["y"])


def lab(**settings):
    made = gl.Lab(data="iris", hidden=(8,), loss="mse", weight_scale=0.1)
    made.state.update(**settings)
    return made.state.result


def test_the_first_screen():
    points, values = code()["points"], code()["values"]
    says(LESSON, "The slope is 0, not 2, and the loss stops far above 0.")
    says(LESSON, "and a loss of 1.4737, the variance of `values`")
    assert abs(np.var(values) - 1.4737) < 5e-5
    assert np.allclose(code()["t"], [0, values.mean()], atol=1e-12)
    assert (0.5 * points - values).shape == (20, 20)
    says(LESSON, "a longer training or a smaller learning rate changes nothing")
    for rate in (0.01, 0.1):
        t = np.array([0.5, 0.0])
        for _ in range(5000):
            t = t - rate * code()["line_gradient"](t)
        assert np.allclose(t, [0, 1], atol=1e-6)


def test_the_first_screen_mended():
    says(LESSON, "`values = (2 * points[:, 0] + 1)[:, None]`")
    says(LESSON, "slope 2, intercept 1, loss 0")
    names = dict(code())
    names["values"] = names["values"][:, None]
    book = json.loads((ROOT / "lessons" / f"{LESSON}.ipynb").read_text())
    exec("".join(book["cells"][2]["source"]).split("print(gl.check")[0], names)  # noqa: S102
    t = np.array([0.5, 0.0])
    for _ in range(1000):
        t = t - 0.1 * names["line_gradient"](t)
    assert np.allclose(t, [2, 1])
    assert names["line_loss"](t) < 1e-12


def test_both_networks_have_one_loss():
    says(LESSON, "One loss, 0.6979, from the lines by hand and from `gl.mlp`")
    loss = code()["loss"](code()["params"], code()["y"])
    assert round(loss, 4) == 0.6979
    assert abs(loss - code()["net"].loss(code()["x"], code()["y"])) < 1e-13
    says(LESSON, "all 31 entries of the gradient within 1e-15")
    assert sum(code()["agree"].values()) == 31


def test_sigmoids_slope():
    says(LESSON, "σ′ is σ(1 − σ)")
    z = np.linspace(-3, 3, 7)
    s = 1 / (1 + np.exp(-(z + 1e-30j)))
    assert np.allclose(s.imag / 1e-30, s.real * (1 - s.real))


def test_the_norm_ratio_of_right_and_doubled_code():
    says(LESSON, "For right code it would be below 1e-7 at each of the three steps below; for a")
    a = code()["gradient"](code()["theta"], code()["y"])
    for eps in (1e-3, 1e-4, 1e-5):
        assert gl.norm_ratio(a, numerical(eps)) < 1e-7
    assert gl.norm_ratio(2 * a, a) == pytest.approx(1 / 3)


def test_the_gradient_of_one_loss_is_a_factor_off_another():
    says(LESSON, "half of $L$ has half the gradient, and $L$ divided by $N \\cdot K$ has a third")
    a, y = code()["gradient"](code()["theta"], code()["y"]), code()["y"]
    others = {2: lambda p: code()["loss"](p, y) / 2,
              3: lambda p: np.mean((code()["forward"](p)[1] - y) ** 2)}  # fmt: skip
    for factor, other in others.items():
        sides = [[other(code()["roll"](code()["theta"] + s * step)) for s in np.eye(31)]
                 for step in (1e-5, -1e-5)]  # fmt: skip
        n = np.subtract(*sides) / 2e-5  # the gradient that the other loss needs
        assert np.allclose(a, factor * n, atol=1e-8)


def test_the_first_attempt_is_wrong_at_every_step():
    says(LESSON, "0.75, whatever the step.")
    says(LESSON, "A norm ratio of 0.75 at every step")
    for eps in (1e-3, 1e-5, 1e-7):
        assert round(float(gl.norm_ratio(code()["analytic"], numerical(eps))), 2) == 0.75


def test_every_number_is_there_and_none_at_its_place():
    a, n = code()["analytic"], numerical(1e-5)
    says(LESSON, "The norms are the same, 0.2394, and sorted the two vectors agree in all 31")
    assert round(np.linalg.norm(a), 4) == round(np.linalg.norm(n), 4) == 0.2394
    assert np.allclose(np.sort(a), np.sort(n), atol=1e-8)
    says(LESSON, "none stands at its place")
    assert np.sum(abs(a - n) < 1e-7) == 0
    assert list(code()["backward"](code()["params"], code()["y"])) == BACKPROP
    says(LESSON, "`loss(roll(theta))` is right")
    rolled = code()["roll"](code()["theta"])
    assert code()["loss"](rolled, code()["y"]) == code()["loss"](code()["params"], code()["y"])


def test_any_order_will_do_if_all_share_it():
    says(LESSON, "*any* order will do, by rows or by columns")
    params, y = code()["params"], code()["y"]

    def unroll(tensors):
        return np.concatenate([tensors[name].ravel(order="F") for name in BACKPROP])

    def roll(theta):
        parts = np.split(theta, [12, 15, 27])
        return {name: part.reshape(params[name].shape, order="F")
                for name, part in zip(BACKPROP, parts, strict=True)}  # fmt: skip

    report = gl.check_function(
        lambda t: code()["loss"](roll(t), y),
        lambda t: unroll(code()["backward"](roll(t), y)),
        unroll(params),
    )
    assert report.verdict == "correct"


def test_three_mistakes_that_are_made_twice():
    """`tests/course` has their verdicts."""
    says(LESSON, "whichever targets they have: the loss falls from 0.69 to 0.18")
    says(LESSON, "The printed loss falls, from −0.70 to −2.00")
    says(LESSON, "the loss falls only from 0.75 to 0.59")
    y, used = code()["y"], np.repeat([1, 1, 0, 1], [12, 4, 12, 3])
    ends = []
    for target, sign, kept in ((np.roll(y, 1, axis=0), 1, 1), (y, -1, 1), (y, 1, used)):
        t = code()["theta"].copy()
        for steps in (0, 2000):
            for _ in range(steps):
                t -= sign * code()["gradient"](t * kept, target) * kept
            ends.append(f"{sign * code()['loss'](code()['roll'](t * kept), target):.2f}")
    assert ends == ["0.69", "0.18", "-0.70", "-2.00", "0.75", "0.59"]


def test_the_price_of_the_wrong_order():
    says(LESSON, "from 0.70 to 0.018 in the right order and to 0.18 in the sorted one")
    says(LESSON, "In backprop's own it has climbed to 1.02.")
    assert round(code()["loss"](code()["params"], code()["y"]), 2) == 0.70
    assert round(descended(["W1", "b1", "W2", "b2"]), 3) == 0.018
    assert round(descended(SORTED), 2) == 0.18
    assert round(descended(BACKPROP), 2) == 1.02


def test_a_fresh_networks_outputs():
    says(LESSON, "all lie between 0.35 and 0.5, whatever the input")
    out = code()["forward"](code()["params"])[1]
    assert 0.35 < out.min() < out.max() < 0.5
    says(LESSON, "2,000 steps later the norm ratio is near 1")
    gradient, y, t = code()["gradient"], code()["y"], code()["trained"]
    assert gl.norm_ratio(gradient(t, y), gradient(t, np.roll(y, 1, axis=0))) > 0.95


def test_the_shapes_of_a_batch():
    says(LESSON, "In a 2 × 2 table two differences are those of a point with its own target, and")
    says(LESSON, "With one point the slip is gone")
    points, values = code()["points"], code()["values"]
    assert [(points[:n] - values[:n]).shape for n in (20, 2, 1)] == [(20, 20), (2, 2), (1, 1)]


def test_what_small_batches_settle_at():
    """By the mean gradient over all batches of two; the lesson's cell draws them."""
    says(LESSON, "pull the slope to 2; the other two pull it to 0")
    x, y = np.linspace(-1, 1, 20), 2 * np.linspace(-1, 1, 20) + 1
    s, t = (z[~np.eye(20, dtype=bool)] for z in np.broadcast_arrays(x[:, None], y))
    own = np.array([[np.mean(x * x), 0], [0, 1]]), np.array([np.mean(x * y), np.mean(y)])
    other = np.array([[np.mean(s * s), np.mean(s)], [np.mean(s), 1]]), [np.mean(s * t), np.mean(t)]
    for (A, c), slope in ((own, 2), (other, 0), ((own[0] + other[0], own[1] + other[1]), 1)):
        assert np.allclose(np.linalg.solve(A, c), [slope, 1], atol=0.12)


def test_fifteen_entries_stand_at_their_places():
    says(LESSON, "W1 comes first in both orders and b2 last in both: these 15 entries")
    agree = abs(in_order(SORTED, code()["theta"]) - numerical(1e-5)) < 1e-7
    assert np.flatnonzero(~agree).tolist() == list(range(12, 28))


def test_the_parameters_of_the_lab():
    says(LESSON, "67 (4·8 + 8 + 8·3 + 3), 131, 139, and 15 (4·3 + 3). All are *correct*.")
    for hidden, count in (((8,), 67), ((16,), 131), ((8, 8), 139), ((), 15)):
        result = lab(hidden=hidden)
        assert result.net.size == count
        assert result.report.verdict == "correct"


def test_the_range_of_eps():
    says(LESSON, "units of the parameters, 1e-13 … 1e-1, logarithmic")
    assert RANGES["eps"] == (1e-13, 1e-1)


def test_a_mean_over_outputs_is_a_factor_of_its_own_on_each_data_set():
    says(LESSON, "On moons the norm ratio, in the last column, is 0.33 for every tensor.")
    says(
        LESSON,
        "(The 0.9 in the banner is another measure, the largest max-relative error, 1 − 1/K.)",
    )
    assert lab(data="digits", bug="mean_over_outputs").report.relative_error == pytest.approx(0.9)
    shown = next(c for c in book(LESSON).cells if "gl.Lab(" in c.source).source
    assert "measures" in shown  # the panel with the norm ratios
    says(LESSON, "the same, 0.1, 0.8, or 0.9?")
    says(LESSON, "0.82. (The 0.9")
    says(LESSON, "With $a$ too small by the factor K, the norm ratio is (K − 1)/(K + 1)")
    says(LESSON, "1/3 on moons, 1/2 on iris, 9/11 on digits. Every tensor has the same")
    says(LESSON, "K = 2, 3, 3, 10")
    assert round(9 / 11, 2) == 0.82
    for data, k in (("moons", 2), ("spirals", 3), ("iris", 3), ("digits", 10)):
        report = lab(data=data, bug="mean_over_outputs").report
        assert report.norm_ratio == pytest.approx((k - 1) / (k + 1), abs=1e-6)
        assert report.wrong == ["W1", "b1", "W2", "b2"]
        for name in report.wrong:
            assert report[name].norm_ratio == pytest.approx((k - 1) / (k + 1), abs=1e-4)


def test_one_output_does_not_test_a_mean_over_outputs():
    says(LESSON, "On one output 1/(N·1) is right")
    net = gl.mlp([2, 8, 1], loss="mse")  # there mean and sum over the outputs are one
    with pytest.raises(ValueError, match="mean_over_outputs"):
        gl.bugs.plant(net, "mean_over_outputs")


def test_which_step_is_good_depends_on_the_loss():
    says(LESSON, "3. The short one, with less than 1e-8.")
    says(LESSON, "the long step is off by 4 % and *inconclusive*. Which")
    long, short = (
        lab(hidden=(), loss="softmax_cross_entropy", eps=eps).report for eps in (1e-1, 1e-5)
    )
    assert round(long.relative_error, 2) == 0.04
    assert long.verdict == "inconclusive"
    assert short.relative_error < 1e-8
    assert short.verdict == "correct"


def test_a_parabolas_secant_has_the_slope_in_the_middle():
    """`tests/course` has the norm ratios, of several networks."""
    says(LESSON, "its outputs are linear in the parameters")
    says(LESSON, "At the step 1e-5 the norm ratio is about 1e-11.")
    says(LESSON, "the line through two points of a parabola has its slope midway")
    says(LESSON, "With sigmoids $L$ is no parabola.")
    x, y = code()["x"], code()["y"]
    for net, parabola in ((gl.mlp([3, 3], loss="mse", seed=0), True), (code()["net"], False)):
        loss, theta = net.loss_function(x, y), net.theta
        along = np.random.default_rng(0).standard_normal(theta.size)
        values = [loss(theta + k * along) for k in range(-2, 3)]
        third = np.diff(values, 3)  # differences of third order vanish for a parabola alone
        assert (np.abs(third).max() < 1e-12 * max(values)) == parabola


def test_the_lessons_network_in_the_lab():
    says(LESSON, "`gl.Lab(net, x, y)` would show the network of this lesson")
    made = gl.Lab(code()["net"], code()["x"], code()["y"])
    assert made.state.result.net.size == 31
    assert made.state.result.report.verdict == "correct"


def test_a_matrix_that_is_used_twice_gets_a_sum():
    says(LESSON, "*wrong*: the layer that writes last wins")
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((8, 3)), rng.standard_normal((3, 2))

    def loss(t):
        W = t.reshape(3, 2)
        return np.sum((np.tanh(np.tanh(x @ W) @ W.T) - x) ** 2) / 8

    def parts(t):
        W = t.reshape(3, 2)
        o1 = np.tanh(x @ W)
        out = np.tanh(o1 @ W.T)
        dz2 = 2 / 8 * (out - x) * (1 - out**2)
        dz1 = dz2 @ W * (1 - o1**2)
        return (dz2.T @ o1).ravel(), (x.T @ dz1).ravel()

    assert gl.check_function(loss, lambda t: sum(parts(t)), W.ravel()).verdict == "correct"
    for i in (0, 1):
        assert gl.check_function(loss, lambda t, i=i: parts(t)[i], W.ravel()).verdict == "wrong"
