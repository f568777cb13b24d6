"""Copies of an LSTM with one parameter shifted in each.

The shifted weight takes part in every time step, so the copies go their own ways from the first
step on. But in each step they differ from a network with the base's weights by one row of the
pre-activations only: all copies share the matrix product, and get their row's bump on top.
"""

from __future__ import annotations

import numpy as np

from gradlab.checking.one_row import Base, State, perturb
from gradlab.nn.layers import Params
from gradlab.nn.recurrent import GATES, LSTM, STACK


@perturb.register
def _(
    layer: LSTM, params: Params, a: Base, out: Base, index: np.ndarray, step: np.ndarray
) -> State:
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
