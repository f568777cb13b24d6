"""The losses of copies: where outputs differ in one row, only that row's term is new."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from gradlab.checking.fast.shifted_layers import Base, OneRow, State, add_product, is_constant
from gradlab.nn.layers import Dense, Layer
from gradlab.nn.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy

IN_RANGE = (1e-30, 1e30)  # sums of exponentials far from overflow and from 0, in float32 too


def shifted_base(loss: Loss, out: np.ndarray) -> np.ndarray:
    """Return the base outputs (K_out, batch, 1) so that copies near them need no shift.

    Softmax does not see a shift of all logits of an example: the maximum is taken off here, once,
    and not once for every copy.
    """
    return out - out.max(axis=0) if isinstance(loss, SoftmaxCrossEntropy) else out


def loss_per_example(
    loss: Loss, state: State, target: np.ndarray, near_base: bool = False
) -> np.ndarray:
    """Return the losses of the copies, shape (batch, K). `state` may be overwritten.

    `near_base` says that the outputs are those of `shifted_base` and a small change. Then all
    copies have had the same shift: that each takes off its own maximum would leave some four times
    the rounding in the differences of a healthy network.
    """
    if isinstance(state, OneRow):
        return _one_row(loss, state, target)
    if near_base and isinstance(loss, SoftmaxCrossEntropy) and target.ndim == 1:
        with np.errstate(over="ignore"):
            total = np.add.reduce(np.exp(state), axis=0)
        if _in_range(total):
            return np.log(total) - state[target, np.arange(len(target))]
    return loss.per_example(state, target, overwrite=True)


def applies(layer: Layer, state: State, loss: Loss, target: np.ndarray) -> bool:
    """Return whether SoftmaxOfLabels can stand for this last layer and the loss.

    It can for labels, where all the copies differ in the same input of the layer.
    """
    return (
        isinstance(state, OneRow)
        and isinstance(layer, Dense)
        and isinstance(loss, SoftmaxCrossEntropy)
        and target.ndim == 1
        and state.value.ndim == 2
        and is_constant(state.row)
    )


class SoftmaxOfLabels:
    """The last layer and the loss in one, for softmax and labels: log sum_k exp(z_k - z_label).

    The label's own exponential is 1, and its logit need not be looked up for every copy.
    """

    def __init__(self, W: np.ndarray, out: Base, target: np.ndarray) -> None:
        self.W, self.label = W, target[:, None]
        others = np.arange(W.shape[1] - 1)
        self.others = others + (others >= self.label)  # the other classes of each example
        example = np.arange(len(target))[:, None]
        self.base = out.columns[example, self.others] - out.columns[example, self.label]

    def losses(self, state: OneRow) -> np.ndarray | None:
        """Return the losses of the copies, (batch, K), or None where a number leaves the range."""
        w = self.W[state.row[0]]
        w = (w[self.others] - w[self.label])[..., None]
        z = add_product(w, state.change(), np.array([0]), self.base)
        with np.errstate(over="ignore"):
            total = np.add.reduce(np.exp(z, out=z), axis=1)
        total += 1
        return np.log(total, out=total) if total.real.max() < IN_RANGE[1] else None


def _in_range(total: np.ndarray) -> bool:
    return bool(total.real.min() > IN_RANGE[0] and total.real.max() < IN_RANGE[1])


@singledispatch
def _one_row(loss: Loss, state: OneRow, target: np.ndarray) -> np.ndarray:
    return loss.per_example(state.full(), target)


@_one_row.register(MeanSquaredError)
@_one_row.register(BinaryCrossEntropy)
def _(loss: Loss, state: OneRow, target: np.ndarray) -> np.ndarray:
    rows = zip(state.base.a, target, strict=True)
    terms = np.stack([loss.per_example(z[None], t[None]) for z, t in rows])
    new = loss.per_example(state.value[None], Base(target).rows(state.row)[None])
    return Base(_sum_of_the_others(terms)).rows(state.row) + new


@_one_row.register
def _(loss: SoftmaxCrossEntropy, state: OneRow, target: np.ndarray) -> np.ndarray:
    base, z = state.base.a, state.value
    if target.ndim == 1 and len(base) > 1:
        with np.errstate(over="ignore"):
            others = Base(_sum_of_the_others(np.exp(base)))
            total = others.rows(state.row) + np.exp(z)
        if _in_range(total):
            at_label = base[target, np.arange(len(target))]
            return np.log(total) - np.where(target[:, None] == state.row, z, at_label)
    return loss.per_example(state.full(), target)


def _sum_of_the_others(terms: np.ndarray) -> np.ndarray:
    """Return, for each row of `terms` (rows, batch, 1), the sum of all other rows.

    Summed afresh, never as total minus row: that subtraction would lose digits.
    """
    others = ~np.eye(len(terms), dtype=bool)
    return np.stack([terms[keep].sum(axis=0) for keep in others])


def row_sum(t: np.ndarray) -> np.ndarray:
    """Sum `t` (B, K) over axis 0, each column in np.sum's own order for a contiguous vector.

    np.sum adds a vector pairwise: in eight interleaved partial sums up to a length of 128, and by
    halves above. Over an axis it adds row after row instead, with up to twice the round-off. The
    left arm of the U-curve *is* that round-off, so the fast engine must not add any of its own.

    References
    ----------
    Higham, "The accuracy of floating point summation", SIAM J. Sci. Comput. 14(4), 1993.
    """
    n = len(t)
    if n < 8:
        return np.add.reduce(t, axis=0)
    if n > 128:
        half = n // 2
        half -= half % 8
        return row_sum(t[:half]) + row_sum(t[half:])
    whole = n - n % 8
    lanes = np.add.reduce(t[:whole].reshape(whole // 8, 8, -1), axis=0)
    pairs = lanes[0::2] + lanes[1::2]
    quads = pairs[0::2] + pairs[1::2]
    total = quads[0] + quads[1]
    for row in t[whole:]:
        total += row
    return total
