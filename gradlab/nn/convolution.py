"""Convolution of images, which inside the network are (channels, rows, columns, batch, K)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gradlab.nn.layers import Grads, Layer, Params


class Conv(Layer):
    """z[f] = b[f] + sum over c, i, j of W[f, c, i, j] * a[c, row + i, column + j].

    A cross-correlation: the kernel is not flipped. Stride 1; `padding` rows and columns of zeros
    are put around the image first.
    """

    def __init__(self, W: str, b: str, padding: int = 0, name: str = "") -> None:
        self.W, self.b, self.padding, self.name = W, b, padding, name
        self.param_names, self.weight_names = (W, b), (W,)

    def __repr__(self) -> str:
        return f"Conv({self.W}, {self.b}, padding={self.padding})"

    def patches(self, a: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
        """Return what each weight of a kernel meets: (C, kh, kw, rows, columns, batch, K).

        The sums over c, i, j of all pixels are then one matrix product.
        """
        windows = sliding_window_view(self._pad(a), kernel, axis=(1, 2))
        return np.ascontiguousarray(np.moveaxis(windows, (-2, -1), (1, 2)))

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        W, b = params[self.W], params[self.b]
        patches = self.patches(a, W.shape[2:])
        z = W.reshape(len(W), -1) @ patches.reshape(W[0].size, -1)
        z += b[:, None]
        return z.reshape(len(W), *patches.shape[3:])

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        W = params[self.W]
        patches = self.patches(a, W.shape[2:])
        delta = grad_out.reshape(len(W), -1)
        grads = {
            self.W: (delta @ patches.reshape(W[0].size, -1).T).reshape(W.shape),
            self.b: delta.sum(axis=1),
        }
        grad_patches = (W.reshape(len(W), -1).T @ delta).reshape(patches.shape)
        return self._add_up(grad_patches, a), grads

    def _pad(self, a: np.ndarray) -> np.ndarray:
        p = self.padding
        if p == 0:
            return a
        channels, height, width = a.shape[:3]
        padded = np.zeros((channels, height + 2 * p, width + 2 * p, *a.shape[3:]), a.dtype)
        padded[:, p:-p, p:-p] = a
        return padded

    def _add_up(self, grad_patches: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Return dL/da: a pixel stands in many patches, and gets the sum of what they pass on."""
        grad_padded = np.zeros_like(self._pad(a))
        _, kh, kw, rows, columns = grad_patches.shape[:5]
        for i in range(kh):
            for j in range(kw):
                grad_padded[:, i : i + rows, j : j + columns] += grad_patches[:, i, j]
        p = self.padding
        return grad_padded[:, p:-p, p:-p] if p else grad_padded
