import autograd.numpy as anp
import numpy as np
import pytest
from autograd import value_and_grad

import gradlab as gl
from tests.nn.network_cases import batch_norm_case


def oracle_loss(params, case):
    a = case.x
    for i in (1, 2):
        z = anp.dot(a, params[f"W{i}"]) + params[f"b{i}"]
        deviation = anp.sqrt(anp.var(z, axis=0) + 1e-5)  # biased: 1/N
        normal = (z - anp.mean(z, axis=0)) / deviation
        a = anp.tanh(params[f"gamma{i}"] * normal + params[f"beta{i}"])
        if case.masks is not None:
            a = a * case.masks[i - 1]
    out = anp.dot(a, params["W3"]) + params["b3"]
    log_p = out - anp.log(anp.sum(anp.exp(out), axis=1, keepdims=True))
    squares = sum(anp.sum(params[f"W{i}"] ** 2) for i in (1, 2, 3))
    return -anp.mean(log_p[np.arange(len(case.y)), case.y]) + 0.5 * case.net.l2 * squares


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("n", [2, 3, 20])
def test_agrees_with_autograd(n, masked):
    case = batch_norm_case(n, masked=masked, l2=0.2)
    loss, oracle = value_and_grad(oracle_loss)(case.net.params, case)
    assert abs(case.net.loss(case.x, case.y, case.masks) - loss) <= 1e-13 * loss
    ours = case.net.gradient(case.x, case.y, case.masks)
    largest = max(abs(g).max() for g in oracle.values())
    assert list(ours) == list(oracle)
    for name, gradient in ours.items():
        assert abs(gradient - oracle[name]).max() <= 1e-12 * largest, name


def test_parameters_stand_after_the_bias_and_start_as_the_identity():
    net = gl.mlp([3, 5, 4, 2], batch_norm=True, l2=0.1)
    first = ["W1", "b1", "gamma1", "beta1", "W2", "b2", "gamma2", "beta2"]
    assert list(net.params) == [*first, "W3", "b3"]
    assert net.weight_names == ("W1", "W2", "W3")
    assert (net.params["gamma1"] == 1).all()
    assert not net.params["beta1"].any()
    plain = gl.mlp([3, 5, 4, 2])
    assert np.array_equal(net.params["W2"], plain.params["W2"])  # the same draws with and without


def test_each_feature_is_normalised_over_the_batch_before_its_activation():
    case = batch_norm_case(50)
    gamma, beta = case.net.params["gamma1"], case.net.params["beta1"]
    activations = case.net.cut_activations(case.x)
    assert list(activations)[:4] == ["input", "z1", "norm1", "a1"]
    normal = (activations["norm1"] - beta) / gamma
    assert np.allclose(normal.mean(axis=0), 0, atol=1e-14)
    assert np.allclose(normal.var(axis=0), 1, atol=1e-3)  # eps keeps it a little below
    assert np.array_equal(activations["a1"], np.tanh(activations["norm1"]))


def test_the_bias_before_it_has_no_effect():
    case = batch_norm_case()
    gradient = case.net.gradient(case.x, case.y)
    assert abs(gradient["b1"]).max() < 1e-15 < abs(gradient["beta1"]).max()


@pytest.mark.parametrize("call", ["loss", "gradient", "cut_gradients"])
def test_a_batch_of_one_has_no_spread(call):
    net = gl.mlp([3, 4, 2], batch_norm=True)
    with pytest.raises(ValueError, match=r"x must hold at least 2 examples .* got 1"):
        getattr(net, call)(np.ones((1, 3)), np.zeros(1, int))


def test_batch_norm_is_yes_or_no():
    with pytest.raises(TypeError, match="batch_norm must be True or False, got 'yes'"):
        gl.mlp([3, 4, 2], batch_norm="yes")
