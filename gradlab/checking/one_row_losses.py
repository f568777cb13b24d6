"""Losses of copies whose outputs differ from a base in one row: only that row's term is new."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from gradlab.checking.one_row import OneRow, State, take_rows
from gradlab.nn.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy

LARGEST_EXPONENT = 500.0  # exp stays far from overflow in float64


def loss_per_example(loss: Loss, state: State, target: np.ndarray) -> np.ndarray:
    """Return the losses of the copies, shape (batch, K)."""
    if isinstance(state, OneRow):
        return _one_row(loss, state, target)
    return loss.per_example(state, target)


@singledispatch
def _one_row(loss: Loss, state: OneRow, target: np.ndarray) -> np.ndarray:
    return loss.per_example(state.full(), target)


@_one_row.register(MeanSquaredError)
@_one_row.register(BinaryCrossEntropy)
def _(loss: Loss, state: OneRow, target: np.ndarray) -> np.ndarray:
    terms = np.stack([loss.per_example(z[None], t[None]) for z, t in zip(state.base, target,
                                                                        strict=True)])  # fmt: skip
    new = loss.per_example(state.value[None], take_rows(target, state.row)[None])
    return take_rows(_sum_of_the_others(terms), state.row) + new


@_one_row.register
def _(loss: SoftmaxCrossEntropy, state: OneRow, target: np.ndarray) -> np.ndarray:
    shift = state.base.max(axis=0)
    z = state.value - shift
    if target.ndim > 1 or len(state.base) < 2 or z.real.max() > LARGEST_EXPONENT:
        return loss.per_example(state.full(), target)
    base = state.base - shift
    at_label = np.where(target[:, None] == state.row, z, base[target, np.arange(len(target))])
    total = take_rows(_sum_of_the_others(np.exp(base)), state.row)
    return np.log(total + np.exp(z)) - at_label


def _sum_of_the_others(terms: np.ndarray) -> np.ndarray:
    """Return, for each row of `terms` (rows, batch, 1), the sum of all other rows.

    Summed afresh, never as total minus row: that subtraction would lose digits.
    """
    others = ~np.eye(len(terms), dtype=bool)
    return np.stack([terms[keep].sum(axis=0) for keep in others])
