"""What each layer gives for copies of a network that differ in one parameter.

Shifting one weight W[i, j] changes one row of z = W.T a + b: row j. It stays one row through every
elementwise layer. The next dense layer then turns it into a rank-one update, z + w_j (v - a_j) for
every copy, which needs no matrix product. This is where most of the speed comes from. For images a
row is a channel: shifting a weight of filter f changes channel f of the convolution and nothing
else, and it stays one channel through pools and ReLU.

`perturb` shifts the parameters of a layer, `advance` takes the copies through the layers above it.
Both know a general way, which runs the layer forward, and a short one for most layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, singledispatch

import numpy as np

from gradlab.nn.convnet import AveragePool, Conv, MaxPool
from gradlab.nn.layers import Activation, BatchNorm, Dense, Layer, Mask, Params
from gradlab.nn.lstm import GATES, LSTM, STACK
from gradlab.nn.parameters import lay_out, roll, unroll

KEEP_ONE_ROW = (Activation, Mask, BatchNorm)  # what comes in as one row a copy goes out as one
FEW = 4  # so many outputs must share the work of a run for `add_product` to pay


@dataclass
class OneRow:
    """K copies of `base`; in copy k, row `row[k]` holds `value[:, k]` instead.

    Attributes
    ----------
    base : Base of shape (features, batch, 1), or (channels, rows, columns, batch, 1)
    row : ndarray of int, shape (K,)
        For images the channel.
    value : ndarray, shape (batch, K), or (rows, columns, batch, K)
    """

    base: Base
    row: np.ndarray
    value: np.ndarray

    def full(self) -> np.ndarray:
        """Return the copies written out, (features…, batch, K)."""
        copies = np.repeat(self.base.a.astype(self.value.dtype, copy=False), len(self.row), axis=-1)
        copies[self.row, ..., np.arange(len(self.row))] = np.moveaxis(self.value, -1, 0)
        return copies

    def change(self) -> np.ndarray:
        """Return by how much that row differs from the base's, shape of `value`."""
        return self.value - self.base.rows(self.row)

    def starts(self) -> np.ndarray:
        """Return where a run of neighbours that shift the same row begins; the first is 0."""
        return np.concatenate([[0], np.flatnonzero(self.row[1:] != self.row[:-1]) + 1])


State = np.ndarray | OneRow


class Base:
    """An activation of the unperturbed network, computed once and looked up by many copies.

    Attributes
    ----------
    a : ndarray, shape (features…, batch, 1)
        Or K copies, when every copy has dropout masks of its own.
    """

    def __init__(self, a: np.ndarray) -> None:
        self.a = a

    @cached_property
    def columns(self) -> np.ndarray:
        """The same as (…, batch, features), laid out so that picking features is fast."""
        return np.ascontiguousarray(np.moveaxis(self.a[..., 0], 0, -1))

    @cached_property
    def columns_and_one(self) -> np.ndarray:
        """All inputs of a dense layer, and one more that is 1: what a bias is multiplied with."""
        columns = self.a[..., 0].reshape(-1, self.a.shape[-2]).T
        return np.hstack([columns, np.ones_like(columns[:, :1])])

    def rows(self, row: np.ndarray) -> np.ndarray:
        """Return one feature a copy, (…, batch, K); or (…, batch, 1), always the same one."""
        if is_constant(row):
            return self.columns[..., row[0], None]
        return np.take(self.columns, row, axis=-1)


def is_constant(row: np.ndarray) -> bool:
    """Return whether all copies differ from the base in the same row."""
    return row[0] == row[-1] and bool((row == row[0]).all())


@singledispatch
def perturb(
    layer: Layer, params: Params, a: Base, out: Base, index: np.ndarray, step: np.ndarray
) -> State:
    """Return the layer's output for K copies of the network, each with one parameter shifted.

    Parameters
    ----------
    layer : Layer
    params : mapping of str to ndarray
    a, out : Base
        The layer's input and output in the unperturbed network, one copy or K.
    index : ndarray of int, shape (K,)
        Which entry is shifted, of all the layer's parameters unrolled one after the other.
    step : ndarray, shape (K,)
        By how much.
    """
    tensors = lay_out({name: params[name] for name in layer.param_names})
    theta = unroll({name: params[name] for name in tensors}, tensors)
    outs = []
    for k, (entry, shift) in enumerate(zip(index, step, strict=True)):
        shifted = theta.astype(np.result_type(theta, step))
        shifted[entry] += shift
        one = a.a if a.a.shape[-1] == 1 else a.a[..., k : k + 1]
        outs.append(layer.forward({**params, **roll(shifted, tensors)}, one))
    return np.concatenate(outs, axis=-1)


@perturb.register
def _(
    layer: Dense, params: Params, a: Base, out: Base, index: np.ndarray, step: np.ndarray
) -> State:
    # b stands below W as one more row, whose input is 1
    column, row = np.divmod(index, len(params[layer.b]))
    if a.a.shape[-1] == 1:
        change = np.take(a.columns_and_one, column, axis=1) * step
        change += out.rows(row)
        return OneRow(out, row, change)
    k = np.arange(len(index))  # the input differs from copy to copy: dropout masks redrawn
    ones = np.ones((1, *a.a.shape[1:]), a.a.dtype)
    z = out.a.astype(np.result_type(out.a, step))
    z[row, :, k] += step[:, None] * np.concatenate([a.a, ones])[column, :, k]
    return z


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


@perturb.register
def _(
    layer: LSTM, params: Params, a: Base, out: Base, index: np.ndarray, step: np.ndarray
) -> State:
    # The shifted weight takes part in every time step, so the copies go their own ways from the
    # first step on. But in each step they differ from a network with the base's weights by one row
    # of the pre-activations only: they share the matrix product, and get their row's bump on top.
    size, inputs = len(params["b_i"]), a.a.shape[1]
    # A gate's Wx, Wh and b, one below the other, are a matrix that meets x, h and 1.
    gate, entry = np.divmod(index, (inputs + size + 1) * size)
    column, unit = np.divmod(entry, size)
    row = np.array([STACK.index(q) for q in GATES])[gate] * size + unit
    on_h = np.flatnonzero((column >= inputs) & (column < inputs + size))
    rest = np.flatnonzero((column < inputs) | (column == inputs + size))
    x_and_one = np.concatenate([a.a[..., 0], np.ones_like(a.a[:, :1, :, 0])], axis=1)
    bump = x_and_one[:, np.minimum(column[rest], inputs)] * step[rest, None]  # (T, rest, batch)

    def places(rows: np.ndarray, copies: np.ndarray) -> np.ndarray:
        """Return where one row of each copy lies in a (rows, batch, K) array, unrolled."""
        batch = np.arange(a.a.shape[2])
        return (rows[:, None] * len(batch) + batch) * len(index) + copies[:, None]

    on_rest, on_state = places(row[rest], rest), places(row[on_h], on_h)
    state = places(column[on_h] - inputs, on_h)

    def nudge(t: int, z: np.ndarray, h: np.ndarray) -> np.ndarray:
        if z.shape[-1] == 1:  # the first step: no copy differs yet
            z = np.repeat(z.astype(bump.dtype), len(index), axis=-1)
            h = np.repeat(h, len(index), axis=-1)
        flat = z.reshape(-1)
        flat[on_rest] += bump[t]
        flat[on_state] += h.reshape(-1)[state] * step[on_h, None]
        return z

    return layer.forward(params, a.a, nudge)


@perturb.register
def _(
    layer: BatchNorm, params: Params, a: Base, out: Base, index: np.ndarray, step: np.ndarray
) -> State:
    if a.a.shape[-1] > 1:
        return perturb.dispatch(Layer)(layer, params, a, out, index, step)
    kind, row = np.divmod(index, len(a.a))  # all of gamma, then all of beta
    normal = Base(layer.normalise(a.a)[0]).rows(row)
    return OneRow(out, row, out.rows(row) + step * np.where(kind == 0, normal, 1))


def advance(layer: Layer, state: State, params: Params, out: Base) -> State:
    """Return the layer's output for the copies in `state`, which may be overwritten.

    `out` is the layer's output in the unperturbed network.
    """
    if isinstance(state, OneRow):
        return advance_one_row(layer, state, params, out)
    if isinstance(layer, Activation) and isinstance(layer.function.function, np.ufunc):
        return layer.function.function(state, out=state)  # tanh: without a second large array
    if isinstance(layer, Dense) and state.ndim == 3 and state.strides[0] < state.strides[1]:
        z = np.matmul(params[layer.W].T, np.moveaxis(state, 1, 0))  # it lies example by example
        z += params[layer.b][:, None]
        return np.moveaxis(z, 0, 1)
    return layer.forward(params, state)


@singledispatch
def advance_one_row(layer: Layer, state: OneRow, params: Params, out: Base) -> State:
    """Return the layer's output for copies that differ in one row: written out, in general."""
    return layer.forward(params, state.full())


@advance_one_row.register
def _(layer: Activation, state: OneRow, params: Params, out: Base) -> State:
    return OneRow(out, state.row, layer.function.function(state.value))


@advance_one_row.register
def _(layer: BatchNorm, state: OneRow, params: Params, out: Base) -> State:
    # each feature is normalised by itself, so the rows that did not change stay what they were
    normal, _ = layer.normalise(state.value)
    gamma, beta = params[layer.gamma][state.row], params[layer.beta][state.row]
    return OneRow(out, state.row, gamma * normal + beta)


@advance_one_row.register
def _(layer: Mask, state: OneRow, params: Params, out: Base) -> State:
    if layer.mask.shape[-1] > 1:
        return layer.forward(params, state.full())
    return OneRow(out, state.row, state.value * Base(layer.mask).rows(state.row))


@advance_one_row.register
def _(layer: Dense, state: OneRow, params: Params, out: Base) -> State:
    change = state.change()
    if change.ndim > 2:  # a whole channel of an image
        W = params[layer.W].T.reshape(len(out.a), len(state.base.a), -1)
        return add_channels(W, change.reshape(-1, *change.shape[-2:]), state.row, out)
    starts = state.starts()
    if FEW * len(starts) < len(out.a) or len(starts) == 1:
        W = params[layer.W][state.row[starts]].T
        return np.moveaxis(add_product(W, change, starts, out.columns), 0, 1)
    z = np.take(params[layer.W].T, state.row, axis=1)[:, None, :] * change
    z += out.a
    return z


@advance_one_row.register
def _(layer: Conv, state: OneRow, params: Params, out: Base) -> State:
    W = params[layer.W]
    patches = layer.patches(state.change()[None], W.shape[2:])
    patches = patches.reshape(-1, *patches.shape[3:])
    return add_channels(W.reshape(*W.shape[:2], -1), patches, state.row, out)


@advance_one_row.register(MaxPool)
@advance_one_row.register(AveragePool)
def _(layer: MaxPool | AveragePool, state: OneRow, params: Params, out: Base) -> State:
    return OneRow(out, state.row, layer.forward(params, state.value))


def add_product(
    w: np.ndarray, change: np.ndarray, starts: np.ndarray, base: np.ndarray
) -> np.ndarray:
    """Return base[n, :, None] + w[…, run] * change[n] for each example n: (batch, features, K).

    It is one product of small matrices an example, [w, base] @ [change; 1], where each copy's
    change stands in the line of its run: half the time of a multiplication and an addition, which
    pass over all the numbers twice.

    Parameters
    ----------
    w : ndarray, shape (features, runs) or (batch, features, runs)
    change : ndarray, shape (batch, K)
    starts : ndarray of int, shape (runs,)
        The first copy of each run.
    base : ndarray, shape (batch, features)
    """
    (batch, copies), runs = change.shape, len(starts)
    left = np.empty((*base.shape, runs + 1), change.dtype)
    left[..., :-1], left[..., -1] = w, base
    right = np.zeros((batch, runs + 1, copies), change.dtype)
    for run, (start, stop) in enumerate(zip(starts, [*starts[1:], copies], strict=True)):
        right[:, run, start:stop] = change[:, start:stop]
    right[:, -1] = 1
    return np.matmul(left, right)


def add_channels(W: np.ndarray, change: np.ndarray, row: np.ndarray, out: Base) -> np.ndarray:
    """Return out + W[:, row[k]] @ change[…, k] for each copy k: one product for each channel.

    Parameters
    ----------
    W : ndarray, shape (outputs, channels, inputs of a channel)
    change : ndarray, shape (inputs of a channel, …, K)
        By how much the one channel of each copy that differs does so.
    row : ndarray of int, shape (K,)
        Which channel that is.
    out : Base of shape (outputs, …, 1)
    """
    z = np.empty((*out.a.shape[:-1], len(row)), np.result_type(W, change))
    for channel in np.unique(row):
        here = np.flatnonzero(row == channel)
        moved = change[..., here]
        new = W[:, channel] @ moved.reshape(len(moved), -1)
        z[..., here] = new.reshape(*out.a.shape[:-1], -1) + out.a
    return z
