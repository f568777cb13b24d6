import numpy as np
import pytest

import gradlab as gl
from tests.museum import case

STEPS = {
    ("tanh", "missing_activation_derivative", 1): ("Activation(tanh)", ("z1", "a1")),
    ("tanh", "missing_dropout_mask", 2): ("Mask(6)", ("a2", "dropout2")),
    ("tanh", "updated_weights", 3): ("Dense(W3, b3)", ("dropout2", "output")),
    ("tanh", "softmax_derivative_twice", 3): ("loss", ("output",)),
    ("relu", "missing_transpose", 2): ("Dense(W2, b2)", ("a1", "z2")),
    ("relu", "flipped_sign", 3): ("loss", ("output",)),
    ("batch_norm", "batch_norm_missing_gamma", 2): ("BatchNorm(gamma2, beta2)", ("z2", "norm2")),
    ("convnet", "kernel_not_flipped", 2): (
        "Conv(conv2_W, conv2_b, padding=1)",
        ("pool1", "conv2"),
    ),
    ("lstm", "lstm_tanh_twice", 1): ("LSTM(every_step=False)", ("input", "hidden")),
    ("lstm_every_step", "missing_label", 2): ("loss", ("output",)),
}


@pytest.mark.parametrize(("kind", "name", "layer"), STEPS)
def test_the_step_with_the_bug_is_found(kind, name, layer):
    net, x, y, masks = case(kind, 1)
    found = gl.bisect(gl.bugs.plant(net, name, layer), x, y, masks, samples=40)
    step, between = STEPS[kind, name, layer]
    assert (found.step, found.between) == (step, between), found
    assert next(iter(found.cuts)) == "input"
    assert [report.verdict for report in found.cuts.values()][:-1] == ["wrong"] * (
        len(found.cuts) - 1
    )


@pytest.mark.parametrize("kind", ["tanh", "relu", "batch_norm", "convnet", "lstm_every_step"])
def test_a_right_path_ends_at_the_input(kind):
    net, x, y, masks = case(kind, 0)
    found = gl.bisect(net, x, y, masks, samples=40)
    assert (found.step, list(found.cuts)) == (None, ["input"])
    assert "right at the input" in found.why


@pytest.mark.parametrize("name", ["bias_mean", "missing_l2", "copied_bias_gradient"])
def test_a_green_path_says_what_it_does_not_prove(name):
    net, x, y, masks = case("tanh", 0)
    found = gl.bisect(gl.bugs.plant(net, name), x, y, masks)
    assert found.step is None
    assert "path only" in found.remark
    assert "gl.check looks at the parameters" in repr(found)
    assert "<pre>" in found._repr_html_()


def test_cut_gradients_from_elsewhere_are_checked():
    net, x, y, masks = case("tanh", 0)
    cuts = net.cut_gradients(x, y, masks)
    assert gl.bisect(net, x, y, masks, analytic=cuts).step is None
    wrong = {**cuts, "input": 2 * cuts["input"]}
    assert gl.bisect(net, x, y, masks, analytic=wrong).step == "Dense(W1, b1)"


def test_bad_input_is_named():
    net, x, y, _ = case("tanh", 0)
    with pytest.raises(TypeError, match="masks must be frozen"):
        gl.bisect(net, x, y, np.random.default_rng(0))
    with pytest.raises(ValueError, match="analytic must have the keys"):
        gl.bisect(net, x, y, analytic={"input": x})
    with pytest.raises(ValueError, match="samples must be an integer >= 1"):
        gl.bisect(net, x, y, samples=0)
    short = net.cut_gradients(x, y)
    short["input"] = short["input"][:2]
    with pytest.raises(ValueError, match=r"analytic\['input'\] must have shape"):
        gl.bisect(net, x, y, analytic=short)
