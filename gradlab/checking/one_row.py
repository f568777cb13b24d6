"""Copies of an activation that differ from a base in one row each.

Shifting one weight W[i, j] changes one row of z = W.T a + b: row j. It stays one row through every
elementwise layer. The next dense layer then turns it into a rank-one update, z + w_j (v - a_j),
which needs no matrix product. This is where most of the speed comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

import numpy as np

from gradlab.nn.layers import Activation, Dense, Layer, Mask, Params


@dataclass
class OneRow:
    """K copies of `base`; in copy k, row `row[k]` holds `value[:, k]` instead.

    Attributes
    ----------
    base : ndarray, shape (features, batch, 1)
    row : ndarray of int, shape (K,)
    value : ndarray, shape (batch, K)
    """

    base: np.ndarray
    row: np.ndarray
    value: np.ndarray

    def full(self) -> np.ndarray:
        """Return the copies written out, (features, batch, K)."""
        copies = np.repeat(self.base.astype(self.value.dtype, copy=False), len(self.row), axis=-1)
        copies[self.row, :, np.arange(len(self.row))] = self.value.T
        return copies


State = np.ndarray | OneRow


def take_rows(a: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Return rows of a base (features, batch, 1) as columns (batch, K)."""
    return np.take(a[:, :, 0].T, row, axis=1)


@singledispatch
def perturb(
    layer: Layer,
    params: Params,
    a: np.ndarray,
    out: np.ndarray,
    name: str,
    index: np.ndarray,
    step: np.ndarray,
) -> State:
    """Return the layer's output for K copies of the network, each with one parameter shifted.

    Parameters
    ----------
    layer : Layer
    params : mapping of str to ndarray
    a, out : ndarray
        The layer's input and output in the unperturbed network, one copy or K.
    name : str
        The parameter that is shifted.
    index : ndarray of int, shape (K,)
        Which of its entries, as an index into the raveled array.
    step : ndarray, shape (K,)
        By how much.
    """
    outs = []
    for k, (entry, shift) in enumerate(zip(index, step, strict=True)):
        shifted = params[name].astype(np.result_type(params[name], step))
        shifted.flat[entry] += shift
        one = a if a.shape[-1] == 1 else a[..., k : k + 1]
        outs.append(layer.forward({**params, name: shifted}, one))
    return np.concatenate(outs, axis=-1)


@perturb.register
def _(
    layer: Dense,
    params: Params,
    a: np.ndarray,
    out: np.ndarray,
    name: str,
    index: np.ndarray,
    step: np.ndarray,
) -> State:
    column, row = divmod(index, params[name].shape[-1]) if name == layer.W else (None, index)
    if a.shape[-1] == 1:
        change = step if column is None else take_rows(a, column) * step
        return OneRow(out, row, take_rows(out, row) + change)
    k = np.arange(len(index))  # the input differs from copy to copy: dropout masks redrawn
    out = out.astype(np.result_type(out, step))
    out[row, :, k] += step[:, None] * (1 if column is None else a[column, :, k])
    return out


@singledispatch
def advance(layer: Layer, state: OneRow, params: Params, out: np.ndarray) -> State:
    """Return the layer's output for the copies in `state`.

    `out` is its output in the unperturbed network, (features, batch, 1).
    """
    return layer.forward(params, state.full())


@advance.register
def _(layer: Activation, state: OneRow, params: Params, out: np.ndarray) -> State:
    return OneRow(out, state.row, layer.function.function(state.value))


@advance.register
def _(layer: Mask, state: OneRow, params: Params, out: np.ndarray) -> State:
    if layer.mask.shape[-1] > 1:
        return layer.forward(params, state.full())
    return OneRow(out, state.row, state.value * take_rows(layer.mask, state.row))


@advance.register
def _(layer: Dense, state: OneRow, params: Params, out: np.ndarray) -> State:
    change = state.value - take_rows(state.base, state.row)
    z = np.take(params[layer.W].T, state.row, axis=1)[:, None, :] * change
    z += out
    return z
