"""Copies of images that differ from a base in one channel each: the fast path of a convnet.

Shifting a weight of filter f changes channel f of the convolution and nothing else. It stays one
channel through pools and ReLU, and what the next layer needs to know is how that channel changed.
"""

from __future__ import annotations

import numpy as np

from gradlab.checking.one_dense import add_channels
from gradlab.checking.one_row import Base, OneRow, State, advance_one_row, perturb
from gradlab.nn.convolution import Conv
from gradlab.nn.layers import Params
from gradlab.nn.pooling import AveragePool, MaxPool


@perturb.register
def _(
    layer: Conv, params: Params, a: Base, out: Base, index: np.ndarray, step: np.ndarray
) -> State:
    W = params[layer.W]
    weights = W[0].size  # of a filter
    patches = layer.patches(a.a, W.shape[2:])[..., 0]
    inputs = np.moveaxis(patches.reshape(weights, *patches.shape[3:]), 0, -1)
    inputs = np.concatenate([inputs, np.ones_like(inputs[..., :1])], axis=-1)  # a bias meets a 1
    is_bias = index >= W.size
    channel = np.where(is_bias, index - W.size, index // weights)
    change = np.take(inputs, np.where(is_bias, weights, index % weights), axis=-1) * step
    change += out.rows(channel)
    return OneRow(out, channel, change)


@advance_one_row.register
def _(layer: Conv, state: OneRow, params: Params, out: Base) -> State:
    W = params[layer.W]
    change = state.value - state.base.rows(state.row)
    patches = layer.patches(change[None], W.shape[2:])
    patches = patches.reshape(-1, *patches.shape[3:])
    return add_channels(W.reshape(*W.shape[:2], -1), patches, state.row, out)


@advance_one_row.register(MaxPool)
@advance_one_row.register(AveragePool)
def _(layer: MaxPool | AveragePool, state: OneRow, params: Params, out: Base) -> State:
    return OneRow(out, state.row, layer.forward(params, state.value))
