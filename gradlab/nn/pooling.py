"""Pooling of images over windows of 2 x 2 pixels that do not overlap."""

from __future__ import annotations

import numpy as np

from gradlab.nn.layers import Grads, Layer, Params

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # the pixels of a window


def corners(a: np.ndarray) -> list[np.ndarray]:
    """Return the four pixels of every window: views (…, rows / 2, columns / 2, batch, K)."""
    return [a[..., i::2, j::2, :, :] for i, j in CORNERS]


class MaxPool(Layer):
    """The largest pixel of each window; of equals, the first in reading order."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def __repr__(self) -> str:
        return "MaxPool(2)"

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        if np.iscomplexobj(a):  # the real part decides: np.maximum would ask the imaginary one too
            return np.take_along_axis(np.stack(corners(a)), self.branches(a)[None], axis=0)[0]
        one, two, three, four = corners(a)
        return np.maximum(np.maximum(one, two), np.maximum(three, four))

    def branches(self, a: np.ndarray) -> np.ndarray:
        """Return which pixel of its window wins, 0 to 3, for each output."""
        return np.stack(corners(a.real)).argmax(axis=0)

    def ties(self, a: np.ndarray) -> int:
        window = np.stack(corners(a))
        return int(((window == window.max(axis=0)).sum(axis=0) > 1).sum())

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        winner, grad = self.branches(a), np.zeros_like(a)
        for k, corner in enumerate(corners(grad)):
            corner[...] = np.where(winner == k, grad_out, 0)
        return grad, {}


class AveragePool(Layer):
    """The mean of each window's four pixels."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def __repr__(self) -> str:
        return "AveragePool(2)"

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        one, two, three, four = corners(a)
        total = one + two
        total += three
        total += four
        total *= 0.25
        return total

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        grad = np.empty_like(a)
        for corner in corners(grad):
            corner[...] = grad_out / 4
        return grad, {}
