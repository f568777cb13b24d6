"""Networks that no function of gradlab makes: a layer of one's own, other orders and settings."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.suspects import suspects
from gradlab.nn.convnet import Conv
from gradlab.nn.layers import Activation, BatchNorm, Dense, Layer
from gradlab.nn.network import Network, Point

RELU = gl.nn.activations.ACTIVATION_FUNCTIONS["relu"]


class Halve(Layer):
    """Nobody wrote its lines."""

    name = "half"

    def forward(self, params, a):
        return a / 2

    def backward(self, params, a, out, grad_out):
        return grad_out / 2, {}


@pytest.fixture
def own_layer():
    net = gl.mlp([3, 4, 2], seed=1)
    net.layers.insert(2, Halve())
    x, y = np.random.default_rng(0).standard_normal((6, 3)), np.arange(6) % 2
    return Point(net, x, y)


def test_a_layer_without_lines_has_no_bugs_that_are_known(own_layer):
    net, x, y, _ = own_layer
    assert gl.bugs.names(net) == suspects(own_layer) == []
    with pytest.raises(ValueError, match="net must have"):
        gl.bugs.plant(net, "bias_mean")
    right = gl.check(net, x, y)
    assert right.verdict == "correct"
    assert "correct" in str(right)
    wrong = net.gradient(x, y)
    wrong["W1"] = 2 * wrong["W1"]
    report = gl.check(net, x, y, analytic=wrong)
    assert report.wrong == ["W1"]
    assert report.diagnosis
    assert "W1" in str(report) + report._repr_html_()


def conv_without_pool():
    rng = np.random.default_rng(0)
    layers = [Conv("W1", "b1", 1, "z1"), Activation(RELU, "a1"), Conv("W2", "b2", 0, "z2"),
              Dense("W3", "b3", "z3")]  # fmt: skip
    shapes = {"W1": (3, 1, 3, 3), "b1": (3,), "W2": (2, 3, 3, 3), "b2": (2,), "W3": (24, 3),
              "b3": (3,)}  # fmt: skip
    params = {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}
    net = Network(layers, params, (1, 5, 6), 3, "softmax_cross_entropy")
    return Point(net, rng.standard_normal((4, 1, 5, 6)), np.array([0, 1, 2, 1]))


def test_convolutions_without_a_pool():
    net, x, y, _ = conv_without_pool()
    for name in ("kernel_not_flipped", "bias_mean", "missing_activation_derivative"):
        found = gl.check(gl.bugs.plant(net, name), x, y)
        assert found.wrong == gl.bugs.wrong_tensors(net, name)
        assert found.diagnosis[0].bug == name
        assert gl.bisect(gl.bugs.plant(net, name), x, y).why


def test_every_batch_norm_has_its_own_eps():
    net = gl.mlp([3, 5, 4, 2], batch_norm=True, seed=0)
    norms = [layer for layer in net.layers if isinstance(layer, BatchNorm)]
    norms[0].eps, norms[1].eps = 0.1, 1e-5
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)), rng.integers(0, 2, 7)
    planted = gl.bugs.plant(net, "bias_mean", 3)
    right, wrong = net.gradient(x, y), planted.gradient(x, y)
    differ = [k for k in right if not np.allclose(right[k], wrong[k], rtol=1e-9, atol=1e-14)]
    assert differ == ["b3"]


def test_a_planted_network_is_asked_about_another_batch():
    """N = K = 3: the mean over the batch could be one over the outputs."""
    net = gl.mlp([4, 5, 3], seed=2)
    rng = np.random.default_rng(1)
    for value in net.params.values():
        value += 0.3 * rng.standard_normal(value.shape)
    x, y = rng.standard_normal((3, 4)), np.array([0, 2, 1])
    told = str(gl.check(gl.bugs.plant(net, "bias_mean", 1), x, y))
    assert "it may be either" not in told
    assert "mean" in told


def test_a_gradient_of_ones_own_cannot_have_a_bug_planted():
    class Own(type(gl.mlp([2, 2, 2]))):
        def gradient(self, x, y, masks=None, params=None):
            return super().gradient(x, y, masks, params)

    net = gl.mlp([2, 3, 2])
    own = object.__new__(Own)
    own.__dict__.update(vars(net))
    with pytest.raises(ValueError, match="a gradient of its own"):
        gl.bugs.plant(own, "bias_mean")


def test_a_number_that_nobody_would_write_is_no_fact():
    """The gradient times the square root of N: the number is true, and says nothing of why."""
    net = gl.mlp([4, 5, 3], seed=2)
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((7, 4)), rng.integers(0, 3, 7)
    wrong = {name: np.sqrt(7) * value for name, value in net.gradient(x, y).items()}
    report = gl.check(net, x, y, analytic=wrong)
    assert report.wrong
    assert not any(cause.certain for cause in report.diagnosis)


def test_what_dropout_keeps_is_no_number_of_another_line():
    net = gl.mlp([3, 5, 4, 3], dropout_rate=0.4, seed=1)
    rng = np.random.default_rng(1)
    for value in net.params.values():
        value += 0.3 * rng.standard_normal(value.shape)
    x, y, masks = rng.standard_normal((7, 3)), rng.integers(0, 3, 7), net.draw_masks(7, rng)
    halved = [np.where(mask > 0, 1.0, 0.0) for mask in masks]
    p = net.cut_activations(x, masks)
    d = np.exp(p["output"]) / np.exp(p["output"]).sum(axis=1, keepdims=True)
    d[np.arange(7), y] -= 1
    d, wrong = d / 7, {}
    for k in (3, 2, 1):
        below = x if k == 1 else p[f"a{k - 1}"] * masks[k - 2]
        wrong |= {f"W{k}": below.T @ d, f"b{k}": d.sum(axis=0)}
        if k > 1:
            d = (d @ net.params[f"W{k}"].T) * halved[k - 2] * (1 - p[f"a{k - 1}"] ** 2)
    report = gl.check(net, x, y, masks=masks, analytic=wrong)
    assert report.wrong == ["W1", "b1", "W2", "b2"]
    assert not any(cause.certain and "dense" in cause.where for cause in report.diagnosis)
