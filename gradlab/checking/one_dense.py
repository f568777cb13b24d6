"""Dense layers for copies that differ in one row: a rank-one update instead of a product.

z + w_j (v - a_j) for every copy. Where copies of the same row lie side by side, many such updates
are one product of small matrices.
"""

from __future__ import annotations

import numpy as np

from gradlab.checking.one_row import Base, OneRow, State, advance_one_row, perturb
from gradlab.nn.layers import Dense, Params

FEW = 4  # so many outputs must share the work of a run for `add_product` to pay


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
