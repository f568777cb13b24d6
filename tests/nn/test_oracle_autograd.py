"""Backpropagation against HIPS autograd: another forward pass, differentiated by another program.

The forward pass here is written from the formulas of the lessons and calls nothing of gradlab.
"""

import itertools

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import value_and_grad

from tests.nn.oracle_cases import (
    ACTIVATIONS,
    GRADIENT_TOLERANCE,
    SETTINGS,
    TARGETS,
    assert_agree,
    make_case,
)

FUNCTIONS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
    "tanh": anp.tanh,
    "relu": lambda z: anp.maximum(z, 0),
    "leaky_relu": lambda z: anp.where(z > 0, z, 0.01 * z),
    "elu": lambda z: anp.where(z > 0, z, anp.expm1(anp.minimum(z, 0))),
    "softplus": lambda z: anp.logaddexp(0, z),
}


def mse(out, y):
    # (1/N) sum_n sum_k (y - x)^2: no 1/2, no 1/K
    return anp.sum((anp.reshape(y, out.shape) - out) ** 2) / len(out)


def softmax_cross_entropy(out, y):
    targets = np.eye(out.shape[1])[y] if y.ndim == 1 else y
    largest = anp.max(out, axis=1, keepdims=True)
    log_p = out - largest - anp.log(anp.sum(anp.exp(out - largest), axis=1, keepdims=True))
    return -anp.sum(targets * log_p) / len(out)


def binary_cross_entropy(out, y):
    y = anp.reshape(y, out.shape)
    # -log sigmoid(z) = log(1 + exp(-z)) and -log(1 - sigmoid(z)) = log(1 + exp(z))
    losses = y * anp.logaddexp(0, -out) + (1 - y) * anp.logaddexp(0, out)
    return anp.sum(losses) / len(out)


LOSSES = {f.__name__: f for f in (mse, softmax_cross_entropy, binary_cross_entropy)}


def oracle_loss(params, case):
    a = case.x
    for i, name in enumerate(case.names, start=1):
        a = FUNCTIONS[name](anp.dot(a, params[f"W{i}"]) + params[f"b{i}"])
        if case.masks is not None and i <= len(case.masks):
            a = a * case.masks[i - 1]
    squares = sum(anp.sum(params[f"W{i}"] ** 2) for i in range(1, len(case.names) + 1))
    return LOSSES[case.loss](a, case.y) + 0.5 * case.l2 * squares


#: Of the settings two in which all three differ; with every pair of activations all have a turn.
TWO = (SETTINGS[3], SETTINGS[4])


def check(names, target, settings=SETTINGS):
    for n, l2, masked in settings:
        case = make_case(names, target, n, l2, masked)
        loss, gradient = value_and_grad(oracle_loss)(case.params, case)
        assert all(g.any() for g in gradient.values()), "a dead network would test nothing"
        assert_agree(case.net(), case, loss, gradient)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("output", ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    "settings", [TWO, pytest.param(SETTINGS, marks=pytest.mark.soak)], ids=["two", "all"]
)
def test_loss_and_gradient_agree_with_autograd(activation, output, target, settings):
    check((activation, activation, output), target, settings)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("mixed", list(itertools.pairwise(ACTIVATIONS)))
def test_mixed_activations_agree_with_autograd(mixed, target):
    check((*mixed, "identity"), target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("output", ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_agrees_with_the_complex_step(activation, output, target):
    case = make_case((activation, activation, output), target, 6, 0.3, True)
    net = case.net()
    f, theta, eps = net.loss_function(case.x, case.y, case.masks), net.theta, 1e-30
    slopes = [f(theta + 1j * eps * axis).imag / eps for axis in np.eye(net.size)]
    analytic = net.unroll(net.gradient(case.x, case.y, case.masks))
    assert abs(analytic - slopes).max() <= GRADIENT_TOLERANCE * abs(analytic).max()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_agrees_with_autograd_in_float64(activation, target):
    case = make_case((activation, activation, "identity"), target, 6, 0.3, True)
    loss, gradient = value_and_grad(oracle_loss)(case.params, case)
    net = case.net("float32")
    assert net.loss(case.x, case.y, case.masks) == pytest.approx(loss, rel=1e-5)
    for name, analytic in net.gradient(case.x, case.y, case.masks).items():
        assert analytic.dtype == np.float32
        assert abs(analytic - gradient[name]).max() <= 1e-5 * abs(gradient[name]).max()


@pytest.mark.parametrize("target", TARGETS)
def test_large_outputs_agree_with_autograd_and_do_not_overflow(target):
    case = make_case(("tanh", "tanh", "identity"), target, 6, 0.0, False)
    case.params["W3"] *= 1e3
    loss, gradient = value_and_grad(oracle_loss)(case.params, case)
    assert_agree(case.net(), case, loss, gradient)


@pytest.mark.parametrize("tensor", ["W1", "b1", "W2", "b2", "W3", "b3"])
def test_the_comparison_notices_an_error_of_one_part_in_10_to_the_11(tensor):
    case = make_case(("tanh", "tanh", "identity"), "labels", 6, 0.3, True)
    loss, gradient = value_and_grad(oracle_loss)(case.params, case)
    gradient[tensor].flat[0] += 1e-11 * abs(gradient[tensor]).max()
    with pytest.raises(AssertionError, match=f"{tensor}: off by"):
        assert_agree(case.net(), case, loss, gradient)


def test_the_comparison_notices_a_loss_off_by_one_part_in_10_to_the_12():
    case = make_case(("tanh", "tanh", "identity"), "labels", 6, 0.3, True)
    loss, gradient = value_and_grad(oracle_loss)(case.params, case)
    with pytest.raises(AssertionError, match="loss"):
        assert_agree(case.net(), case, loss * (1 + 1e-12), gradient)
