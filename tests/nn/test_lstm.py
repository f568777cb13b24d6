import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, value_and_grad

import gradlab as gl
from tests.nn.network_cases import lstm_case


def sigmoid(z):
    return 1 / (1 + anp.exp(-z))


def oracle_outputs(params, x, shifts=None):
    """The formulas of the layer's docstring, examples as rows: a list of (N, K), one a step.

    `shifts`, {"h1": …, "c1": …}, are added to the states as soon as they are computed.
    """
    size = len(params["b_i"])
    h, c, outputs = np.zeros((x.shape[1], size)), np.zeros((x.shape[1], size)), []
    for t, x_t in enumerate(x, 1):
        i, f, g, o = (
            anp.dot(x_t, params[f"Wx_{q}"]) + anp.dot(h, params[f"Wh_{q}"]) + params[f"b_{q}"]
            for q in "ifgo"
        )
        c = sigmoid(f) * c + sigmoid(i) * anp.tanh(g) + (shifts[f"c{t}"] if shifts else 0)
        h = sigmoid(o) * anp.tanh(c) + (shifts[f"h{t}"] if shifts else 0)
        outputs.append(anp.dot(h, params["Wy"]) + params["by"])
    return outputs


def oracle_loss(params, net, x, y, shifts=None):
    outputs = oracle_outputs(params, x, shifts)
    total = 0.0
    for out, target in zip(outputs, y, strict=True) if net.every_step else [(outputs[-1], y)]:
        if net.loss_name == "mse":
            total = total + anp.sum((out - target) ** 2)
        else:
            log_p = out - anp.log(anp.sum(anp.exp(out), axis=1, keepdims=True))
            total = total - anp.sum(log_p[np.arange(len(target)), target])
    weights = (value for name, value in params.items() if name[0] == "W")
    return total / x.shape[1] + 0.5 * net.l2 * sum(anp.sum(W**2) for W in weights)


@pytest.mark.every_case
@pytest.mark.parametrize("loss", ["mse", "softmax_cross_entropy"])
@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize(("steps", "n"), [(1, 1), (1, 4), (2, 1), (7, 3)])
def test_agrees_with_autograd(steps, n, every_step, loss):
    case = lstm_case(steps, n, loss=loss, every_step=every_step, l2=0.1)
    value, oracle = value_and_grad(oracle_loss)(case.net.params, case.net, case.x, case.y)
    assert abs(case.net.loss(case.x, case.y) - value) <= 1e-13 * value
    ours = case.net.gradient(case.x, case.y)
    largest = max(abs(g).max() for g in oracle.values())
    assert list(ours) == list(oracle)
    for name, gradient in ours.items():
        # at T = 1 the state before is 0, and Wh's gradient is that of L2 alone
        assert oracle[name].any() or steps == 1
        assert abs(gradient - oracle[name]).max() <= 1e-12 * largest, name


@pytest.mark.parametrize("every_step", [False, True])
def test_the_states_gradients_are_the_slopes_of_the_loss_at_each_step(every_step):
    case = lstm_case(3, 2, every_step=every_step, l2=0.1)
    names = ["h1", "h2", "h3", "c1", "c2", "c3"]
    shifts = {name: np.zeros((2, 4)) for name in names}
    slopes = grad(lambda s: oracle_loss(case.net.params, case.net, case.x, case.y, s))(shifts)
    found = case.net.state_gradients(case.x, case.y)
    assert list(found) == names
    for name, value in found.items():
        assert slopes[name].any()
        assert value.shape == (2, 4)
        assert abs(value - slopes[name]).max() <= 1e-13, name
    net = gl.lstm(3, 4, 5, every_step=every_step, dtype="float32")
    assert {g.dtype for g in net.state_gradients(case.x, case.y).values()} == {np.dtype("f4")}


def test_what_is_put_in_a_states_or_a_gates_place_is_what_comes_after():
    """`put` and `nudge` see each step once, in order, and what they return counts from there on."""
    case, asked = lstm_case(3, 2), []
    layer, (a, _) = case.net.layers[0], case.net.prepare(case.x, case.y)
    shifts = {f"{kind}{t}": np.full((2, 4), 0.1 * t) for kind in "hc" for t in (1, 2, 3)}
    bias = np.repeat([0.2, -0.3, 0.4, 0.5], 4)  # of i, f, o and g, as they stand in z

    def put(kind, t, value):
        asked.append(f"{kind}{t}")
        return value + shifts[f"{kind}{t + 1}"].T[..., None]

    def nudge(t, z, h):
        asked.append(f"z{t}")
        before.append(h[..., 0].T)
        return z + bias[:, None, None]

    before = []
    h = layer.forward(case.net.params, a, nudge, put)[..., 0].T
    assert asked == ["z0", "c0", "h0", "z1", "c1", "h1", "z2", "c2", "h2"]
    params = case.net.params | {
        f"b_{q}": case.net.params[f"b_{q}"] + b
        for q, b in zip("ifog", (0.2, -0.3, 0.4, 0.5), strict=True)
    }
    params |= {"Wy": np.eye(4), "by": np.zeros(4)}
    states = oracle_outputs(params, case.x, shifts)
    assert np.allclose(h, states[-1], rtol=0, atol=1e-14)
    assert np.allclose(before, [np.zeros((2, 4)), *states[:-1]], rtol=0, atol=1e-14)


def test_the_complex_step_does_not_overflow_where_the_gates_are_saturated():
    case = lstm_case(3, 2)
    f = case.net.loss_function(case.x, case.y)
    assert np.isfinite(f(1e3 * case.net.theta + 1e-30j))


def test_predict_gives_the_last_step_or_every_step():
    case = lstm_case(5, 2)
    outputs = oracle_outputs(case.net.params, case.x)
    assert np.allclose(case.net.predict(case.x), outputs[-1], rtol=0, atol=1e-14)
    every = gl.lstm(3, 4, 5, every_step=True)
    every.theta = case.net.theta
    assert np.allclose(every.predict(case.x), outputs, rtol=0, atol=1e-14)


def test_the_loss_of_every_step_is_the_sum_over_the_prefixes():
    case = lstm_case(5, 2, every_step=True)
    last = gl.lstm(3, 4, 5)
    last.theta = case.net.theta
    prefixes = sum(last.loss(case.x[: t + 1], case.y[t]) for t in range(5))
    assert case.net.loss(case.x, case.y) == pytest.approx(prefixes, rel=1e-14)


def test_one_network_takes_sequences_of_any_length():
    net = gl.lstm(3, 4, 2)
    for steps in (1, 2, 30):
        assert net.predict(np.ones((steps, 2, 3))).shape == (2, 2)


def test_gates_come_in_the_order_i_f_g_o_and_biases_stay_out_of_l2():
    net = gl.lstm(3, 4, 2, l2=1.0)
    gates = [f"{kind}_{q}" for q in "ifgo" for kind in ("Wx", "Wh", "b")]
    assert list(net.params) == [*gates, "Wy", "by"]
    before = net.l2_loss()
    for name, value in net.params.items():
        if name[0] == "b":
            value += 1
    assert net.l2_loss() == before > 0


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "message"),
    [
        ((0, 4, 2), {}, ValueError, "inputs must be an integer >= 1, got 0"),
        ((3, 4.0, 2), {}, TypeError, "hidden must be an integer >= 1, got 4.0"),
        ((3, 4, -1), {}, ValueError, "outputs must be an integer >= 1, got -1"),
        ((3, 4, 2), {"every_step": 1}, TypeError, "every_step must be True or False, got 1"),
        ((3, 4, 2), {"loss": "mae"}, ValueError, "loss must be one of"),
        ((3, 4, 2), {"weight_scale": -1}, ValueError, "weight_scale must be a positive"),
        ((3, 4, 2), {"l2": "1"}, TypeError, "l2 must be a number"),
    ],
)
def test_bad_settings_are_named(arguments, settings, error, message):
    with pytest.raises(error, match=message):
        gl.lstm(*arguments, **settings)


@pytest.mark.parametrize(
    ("every_step", "x", "y", "message"),
    [
        (False, (4, 2), (2,), r"x must have shape \(any, any, 3\), got \(4, 2\)"),
        (False, (4, 2, 4), (2,), r"x must have shape \(any, any, 3\), got \(4, 2, 4\)"),
        (False, (4, 0, 3), (0,), "x must hold at least one example"),
        (False, (0, 2, 3), (2,), "x must hold at least one example"),
        (False, (4, 2, 3), (4,), "y must hold one label for each of the 2"),
        (True, (4, 2, 3), (2,), r"y must have shape \(4, 2\) or \(4, 2, 5\), .*, got \(2,\)"),
        (True, (4, 2, 3), (2, 4), r"y must have shape \(4, 2\) or \(4, 2, 5\), .*, got \(2, 4\)"),
        (
            True,
            (4, 2, 3),
            (4, 2, 4),
            r"y must have shape \(4, 2\) or \(4, 2, 5\), .*, got \(4, 2, 4\)",
        ),
    ],
)
def test_bad_sequences_and_targets_are_named(every_step, x, y, message):
    net = gl.lstm(3, 4, 5, every_step=every_step)
    with pytest.raises(ValueError, match=message):
        net.loss(np.zeros(x), np.zeros(y, int))


@pytest.mark.parametrize(
    ("loss", "shape", "expected"),
    [
        ("softmax_cross_entropy", (20, 3), r"\(4, 5\) or \(4, 5, 3\), for 4 time steps of 5 seq"),
        ("softmax_cross_entropy", (5, 4), r"\(4, 5\) or \(4, 5, 3\)"),
        ("mse", (4, 5), r"\(4, 5, 3\)"),
        ("mse", (4, 5, 1), r"\(4, 5, 3\)"),
        ("mse", (20, 3), r"\(4, 5, 3\)"),
    ],
)
def test_targets_of_a_wrong_shape_are_told_in_steps_and_sequences(loss, shape, expected):
    net = gl.lstm(2, 3, 3, loss=loss, every_step=True)
    with pytest.raises(ValueError, match=f"y must have shape.*{expected}") as caught:
        net.loss(np.zeros((4, 5, 2)), np.zeros(shape))
    assert f"got {shape}" in str(caught.value)


def test_one_output_takes_its_targets_without_an_axis_for_it():
    net, rng = gl.lstm(2, 3, 1, loss="mse", every_step=True), np.random.default_rng(0)
    x, y = rng.standard_normal((4, 5, 2)), rng.standard_normal((4, 5))
    assert net.loss(x, y) == net.loss(x, y[..., None])


def test_the_weights_of_each_layer_keep_a_signal_of_size_one():
    net = gl.lstm(30, 70, 300)
    for name, fan_in in {"Wx_i": 100, "Wh_o": 100, "Wy": 70}.items():
        assert net.params[name].std() == pytest.approx(fan_in**-0.5, rel=0.05), name


def test_a_wrong_target_is_told_with_its_time_step():
    net = gl.lstm(2, 3, 3, every_step=True)
    soft = np.full((4, 5, 3), 1 / 3)
    soft[2, 1] = 0.5
    with pytest.raises(ValueError, match=r"got row 1 with sum 1.5 .*, at time step 2"):
        net.loss(np.zeros((4, 5, 2)), soft)
    labels = np.zeros((4, 5))
    labels[3, 0] = 7
    with pytest.raises(ValueError, match=r"labels in 0..2, got 7, at time step 3"):
        net.loss(np.zeros((4, 5, 2)), labels)
