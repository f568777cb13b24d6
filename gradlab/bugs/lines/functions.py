"""The functions that a line of a backward pass may call, right or wrong: all that is in its reach.

Images are (N, C, rows, columns), and pools take windows of 2 x 2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-z)), which never overflows in this form."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


def softmax(z: np.ndarray, axis: int | None = 1) -> np.ndarray:
    """Return the softmax of every row; with no axis, that of all numbers together."""
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def redrawn(mask: np.ndarray) -> np.ndarray:
    """Return another dropout mask at the same rate, the same one at every call."""
    scale = mask.max(initial=1.0)
    seed = 21_000_000  # not one that a learner would take
    # drawn a unit after the other, as a network's own masks are
    return (np.random.default_rng(seed).random(mask.T.shape) < 1 / scale).T * scale


def windows(z: np.ndarray) -> np.ndarray:
    """Return the four pixels of every window: (N, C, rows / 2, columns / 2, 4)."""
    n, f, r, c = z.shape
    pairs = z.reshape(n, f, r // 2, 2, c // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    return pairs.reshape(n, f, r // 2, c // 2, 4)


def winners(z: np.ndarray) -> np.ndarray:
    """Return 1 where a pixel is its window's largest, the first of equals, else 0."""
    w = windows(z)
    first = np.arange(4) == w.argmax(-1)[..., None]
    pairs = first.reshape(*w.shape[:4], 2, 2).transpose(0, 1, 2, 4, 3, 5)
    return pairs.reshape(z.shape).astype(float)


def turned_in_windows(z: np.ndarray) -> np.ndarray:
    """Swap the row and the column of every pixel in its window."""
    n, f, r, c = z.shape
    pairs = z.reshape(n, f, r // 2, 2, c // 2, 2).transpose(0, 1, 2, 5, 4, 3)
    return pairs.reshape(z.shape)


def one_hot(y: np.ndarray) -> np.ndarray:
    """Return rows with a 1 at the largest number of each."""
    return np.eye(y.shape[1])[y.argmax(axis=1)]


def corner(d: np.ndarray) -> np.ndarray:
    """Put each number on the first pixel of its window."""
    out = np.zeros((*d.shape[:2], 2 * d.shape[2], 2 * d.shape[3]))
    out[:, :, ::2, ::2] = d
    return out


def convolve(a: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Return the cross-correlation of padded images (N, C, …) with kernels (F, C, kh, kw)."""
    rows, columns = a.shape[2] - W.shape[2] + 1, a.shape[3] - W.shape[3] + 1
    return sum(
        np.einsum("ncyx,fc->nfyx", a[:, :, i : i + rows, j : j + columns], W[:, :, i, j])
        for i, j in np.ndindex(W.shape[2:])
    )


def channels_last(d: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Read rows of numbers as images whose channels run fastest."""
    return d.reshape(shape[0], *shape[2:], shape[1]).transpose(0, 3, 1, 2)


def square_part(e: np.ndarray) -> np.ndarray:
    """Return what loops see that run over as many rows as there are columns, and the other way."""
    seen = np.zeros_like(e)
    rows, columns = e.shape[2:]
    seen[:, :, :columns, :rows] = e[:, :, :columns, :rows]
    return seen


def add_at(table: np.ndarray, index: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return zeros like a table, to which rows are added where they were taken from."""
    out = np.zeros_like(table)
    np.add.at(out, index, rows)
    return out


def put_at(table: np.ndarray, index: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Do the same as `out[index] += rows` does, where only the last of repeated rows stays."""
    out = np.zeros_like(table)
    out[index] += rows
    return out


def _only(part: Callable[[int], slice]) -> Callable[..., np.ndarray]:
    """Return a function that sets all but a part of an axis to 0."""

    def kept(e: np.ndarray, axis: int = 0) -> np.ndarray:
        weight = np.zeros(e.shape[axis])
        weight[part(e.shape[axis])] = 1
        return e * weight.reshape([-1 if k == axis else 1 for k in range(e.ndim)])

    return kept


#: What is left when a loop over examples, rows or columns loses some of its rounds.
PARTS = {
    "only_last": _only(lambda n: slice(-1, None)),
    "only_first": _only(lambda n: slice(0, 1)),
    "without_last": _only(lambda n: slice(0, -1)),
    "without_first": _only(lambda n: slice(1, None)),
    "first_half": _only(lambda n: slice(0, n // 2)),
    "second_half": _only(lambda n: slice(n // 2, None)),
}
#: Functions of one array, any of which can be taken for another.
ELEMENTWISE = {
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "softmax": softmax,
    "exp": np.exp,
    "sign": np.sign,
    "relu": lambda z: np.maximum(z, 0),
    "softplus": lambda z: np.logaddexp(0, z),
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "dsigmoid": lambda z: sigmoid(z) * sigmoid(-z),
    "dtanh": lambda z: 1 - np.tanh(z) ** 2,
}
#: Ways back from a pool to its input's size.
UPSAMPLE = {"up": lambda d: d.repeat(2, 2).repeat(2, 3), "corner": corner}

#: Ways of bringing rows to where they were taken from, some of them from the same place.
SCATTER = {"add_at": add_at, "put_at": put_at}

FUNCTIONS = {
    **PARTS,
    **ELEMENTWISE,
    **UPSAMPLE,
    **SCATTER,
    "winners": winners,
    "convolve": convolve,
    "channels_last": channels_last,
    "redrawn": redrawn,
    "square_part": square_part,
    "max_pool": lambda z: windows(z).max(-1),
    "mean_pool": lambda z: windows(z).mean(-1),
    "pad": lambda a, p: np.pad(a, ((0, 0), (0, 0), (p, p), (p, p))),
    "arange": np.arange,
    "expm1": np.expm1,
    "where": np.where,
    "minimum": np.minimum,
    "zeros": np.zeros,
    "zeros_like": np.zeros_like,
    "einsum": np.einsum,
    "ndindex": np.ndindex,
    "roll": np.roll,
    "vstack": np.vstack,
    "turned_in_windows": turned_in_windows,
    "one_hot": one_hot,
    "outer": np.outer,
    "hstack": np.hstack,
}
