"""Backward passes that are wrong, one function each.

Written for arrays (features, batch, K) as everywhere in `gradlab.nn`; the lines that a learner
would write, for arrays (N, D), stand in the catalogue. `layer` is always the right layer.
"""

from __future__ import annotations

import numpy as np

from gradlab.nn.convolution import Conv
from gradlab.nn.layers import Activation, Dense, Grads, Mask, Params

LEARNING_RATE = 0.1
REDRAW_SEED = 21_000_000  # of the mask that backward draws anew: not one that a learner would take
Backpropagated = tuple[np.ndarray, Grads]
Weighted = Dense | Conv


# -- the derivative of the loss: (right derivative, outputs, batch size) -> wrong derivative -----


def softmax_over_batch(right: np.ndarray, out: np.ndarray, n: int) -> np.ndarray:
    """Normalise softmax over the whole matrix of outputs."""
    p = np.exp(out - out.max())
    return p / p.sum() - (_softmax(out) - right)


def softmax_derivative_twice(right: np.ndarray, out: np.ndarray, n: int) -> np.ndarray:
    """Apply softmax's Jacobian, already contained in p - y, once more."""
    p = _softmax(out)
    return p * (right - (p * right).sum(axis=0))


def missing_label(right: np.ndarray, out: np.ndarray, n: int) -> np.ndarray:
    """Take p where p - y is right."""
    return _softmax(out)


def _softmax(out: np.ndarray) -> np.ndarray:
    p = np.exp(out - out.max(axis=0))
    return p / p.sum(axis=0)


# -- layers with weights ---------------------------------------------------------------------------


def bias_summed_without_axis(
    layer: Weighted, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """One sum over examples and units, broadcast to every entry."""
    grad_a, grads = layer.backward(params, a, out, grad_out)
    return grad_a, {**grads, layer.b: np.full_like(params[layer.b], grad_out.sum())}


def bias_mean(
    layer: Weighted, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Average the deltas over the batch, though they already carry 1/N."""
    grad_a, grads = layer.backward(params, a, out, grad_out)
    return grad_a, {**grads, layer.b: grads[layer.b] / out.shape[-2]}


def missing_transpose(
    layer: Dense, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Send the signal down through W, not through its transpose."""
    _, grads = layer.backward(params, a, out, grad_out)
    flipped = {**params, layer.W: params[layer.W].T}
    return layer.backward(flipped, a, out, grad_out)[0], grads


def updated_weights(
    layer: Weighted, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Send the signal down through the W that this step has already updated."""
    _, grads = layer.backward(params, a, out, grad_out)
    updated = {**params, layer.W: params[layer.W] - LEARNING_RATE * grads[layer.W]}
    return layer.backward(updated, a, out, grad_out)[0], grads


# -- activations ---------------------------------------------------------------------------------


def derivative_at_output(
    layer: Activation, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """f'(a) where f'(z) is right."""
    f = layer.function
    return grad_out * f.derivative(out, f.function(out)), {}


def missing_derivative(
    layer: Activation, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Pass the signal on as it came."""
    return grad_out, {}


def function_as_derivative(
    layer: Activation, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Multiply by the activation itself."""
    return grad_out * out, {}


def relu_masks_by_gradient(
    layer: Activation, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Let the signal through where it is positive itself, as "guided backprop" does."""
    return grad_out * (grad_out > 0), {}


def leaky_slope_dropped(
    layer: Activation, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Cut off what the slope on the left of 0 lets through."""
    return grad_out * (a > 0), {}


# -- dropout -------------------------------------------------------------------------------------


def mask_ignored(
    layer: Mask, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Dropout in the forward pass only."""
    return grad_out, {}


def mask_without_scale(
    layer: Mask, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Zero what was dropped, but forget the factor 1/keep."""
    return grad_out * (layer.mask > 0), {}


def mask_redrawn(
    layer: Mask, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Draw another mask for the backward pass; the same one at every call, to be reproducible."""
    scale = layer.mask.max(initial=1.0)
    drawn = np.random.default_rng(REDRAW_SEED).random(layer.mask.shape) < 1 / scale
    return grad_out * drawn * scale, {}
