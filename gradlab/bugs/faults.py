"""Backward passes that are wrong, one function each.

Written for arrays (features, batch, K) as everywhere in `gradlab.nn`; the lines that a learner
would write, for arrays (N, D), stand in the catalogue. `layer` is always the right layer.
"""

from __future__ import annotations

import numpy as np

from gradlab.nn.layers import Activation, Dense, Grads, Mask, Params
from gradlab.nn.network import Network

LEARNING_RATE = 0.1
REDRAW_SEED = 21_000_000  # of the mask that backward draws anew: not one that a learner would take
Backpropagated = tuple[np.ndarray, Grads]


# -- the derivative of the loss: (out, right derivative) -> wrong derivative ---------------------


def softmax_over_batch(out: np.ndarray, grad_out: np.ndarray) -> np.ndarray:
    """Softmax normalised over the whole matrix of outputs."""
    n = out.shape[-2]
    target = _softmax(out) - n * grad_out
    p = np.exp(out - out.max())
    return (p / p.sum() - target) / n


def softmax_derivative_twice(out: np.ndarray, grad_out: np.ndarray) -> np.ndarray:
    """Softmax's Jacobian, already contained in p - y, applied once more."""
    p = _softmax(out)
    return p * (grad_out - (p * grad_out).sum(axis=0))


def missing_label(out: np.ndarray, grad_out: np.ndarray) -> np.ndarray:
    """Take p where p - y is right."""
    return _softmax(out) / out.shape[-2]


def _softmax(out: np.ndarray) -> np.ndarray:
    p = np.exp(out - out.max(axis=0))
    return p / p.sum(axis=0)


# -- dense layers --------------------------------------------------------------------------------


def bias_summed_without_axis(
    layer: Dense, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """One sum over examples and units, broadcast to every entry."""
    grad_a, grads = layer.backward(params, a, out, grad_out)
    return grad_a, {**grads, layer.b: np.full_like(params[layer.b], grad_out.sum())}


def bias_mean(
    layer: Dense, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
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
    layer: Dense, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
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


# -- the finished gradient -----------------------------------------------------------------------


def accumulated(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """Return what a second call does when it adds to what the first one left."""
    return {name: g + g for name, g in grads.items()}


def copied_bias(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """Return the gradient of another layer's bias, of the same shape."""
    return {**grads, net.layers[position].b: grads[twin_bias(net, position)]}


def twin_bias(net: Network, position: int) -> str | None:
    """Return the nearest other dense layer's bias of the same shape, upper ones first."""
    own = net.layers[position]
    others = [(abs(i - position), i < position, layer.b) for i, layer in enumerate(net.layers)
              if isinstance(layer, Dense) and layer is not own
              and net.params[layer.b].shape == net.params[own.b].shape]  # fmt: skip
    return min(others)[2] if others else None


def missing_l2(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """L2 in the loss only."""
    return _more_l2(net, grads, params, -1.0)


def doubled_l2(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """2·λ·W, the derivative of λ·ΣW² without the ½."""
    return _more_l2(net, grads, params, 1.0)


def l2_over_n(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """λ·W divided by the batch size, which the loss does not do."""
    return _more_l2(net, grads, params, 1 / n - 1)


def negated_l2(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """Take λ·W off instead of adding it."""
    return _more_l2(net, grads, params, -2.0)


def l2_on_biases(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """λ·b in the gradient, for biases that the loss does not regularise."""
    return {k: g if k in net.weight_names else g + net.dtype.type(net.l2) * params[k]
            for k, g in grads.items()}  # fmt: skip


def _more_l2(net: Network, grads: Grads, params: Params, times: float) -> Grads:
    factor = net.dtype.type(times * net.l2)
    return {k: g + factor * params[k] if k in net.weight_names else g for k, g in grads.items()}
