"""Wrong backward passes of batch norm, convolutions and pools."""

from __future__ import annotations

import numpy as np

from gradlab.bugs.faults import Backpropagated
from gradlab.nn.batch_norm import BatchNorm
from gradlab.nn.convolution import Conv
from gradlab.nn.layers import Params
from gradlab.nn.pooling import MaxPool, corners

# -- batch norm ----------------------------------------------------------------------------------


def constant_statistics(
    layer: BatchNorm, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Treat the batch's mean and variance as constants."""
    _, grads = layer.backward(params, a, out, grad_out)
    _, inverse = layer.normalise(a)
    return inverse * params[layer.gamma][:, None, None] * grad_out, grads


def missing_gamma(
    layer: BatchNorm, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Send the signal down without the factor gamma."""
    ones = {**params, layer.gamma: np.ones_like(params[layer.gamma])}
    _, grads = layer.backward(params, a, out, grad_out)
    return layer.backward(ones, a, out, grad_out)[0], grads


def variance_over_m_squared(
    layer: BatchNorm, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Divide the variance's term by the batch size twice."""
    grad_a, grads = layer.backward(params, a, out, grad_out)
    normal, inverse = layer.normalise(a)
    delta = params[layer.gamma][:, None, None] * grad_out
    term = inverse * normal * (delta * normal).mean(axis=-2, keepdims=True)
    return grad_a + term - term / a.shape[-2], grads


# -- convolution and pooling -----------------------------------------------------------------------


def swapped_sides(
    layer: Conv, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Walk over as many rows as there are columns, and the other way round."""
    seen = np.zeros_like(grad_out)
    rows, columns = grad_out.shape[1:3]
    seen[:, :columns, :rows] = grad_out[:, :columns, :rows]  # a slice stops at the edge
    return layer.backward(params, a, out, seen)


def kernel_not_flipped(
    layer: Conv, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Correlate the deltas with the kernel as it stands, for the input's gradient."""
    _, grads = layer.backward(params, a, out, grad_out)
    flipped = {**params, layer.W: params[layer.W][:, :, ::-1, ::-1]}
    return layer.backward(flipped, a, out, grad_out)[0], grads


def all_ties_win(
    layer: MaxPool, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
) -> Backpropagated:
    """Give the gradient to every pixel that equals the maximum."""
    grad = np.empty_like(a)
    for pixel, corner in zip(corners(a), corners(grad), strict=True):
        corner[...] = np.where(pixel == out, grad_out, 0)
    return grad, {}
