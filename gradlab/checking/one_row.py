"""Copies of an activation that differ from a base in one row each.

Shifting one weight W[i, j] changes one row of z = W.T a + b: row j. It stays one row through every
elementwise layer. The next dense layer then turns it into a rank-one update, z + w_j (v - a_j),
which needs no matrix product. This is where most of the speed comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, singledispatch

import numpy as np

from gradlab.nn.batch_norm import BatchNorm
from gradlab.nn.layers import Activation, Dense, Layer, Mask, Params
from gradlab.nn.unrolling import lay_out, roll, unroll

KEEP_ONE_ROW = (Activation, Mask, BatchNorm)  # what comes in as one row a copy goes out as one


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


def crossings(layer: Layer, state: State, base: Base) -> np.ndarray | int:
    """Return how many of the layer's kinks lie between each copy's input and the base's, (K,)."""
    on_base = layer.branches(base.a)
    if on_base is None:
        return 0
    if isinstance(state, OneRow) and isinstance(layer, Activation):
        changed = layer.branches(state.value) != Base(on_base).rows(state.row)
    else:
        full = state.full() if isinstance(state, OneRow) else state
        changed = layer.branches(full) != on_base
    return changed.reshape(-1, changed.shape[-1]).sum(axis=0)
