"""Losses: a number for each example, its derivative by the output, and which targets they take.

Outputs have shape (K_out, batch, copies), as everywhere inside the network. The loss of a batch is
the mean over its examples; the sum over K_out is part of each example's loss.
"""

from __future__ import annotations

import numpy as np

from gradlab._validate import check_real_array
from gradlab.nn.activations import ACTIVATION_FUNCTIONS

_softplus = ACTIVATION_FUNCTIONS["softplus"].function
_sigmoid = ACTIVATION_FUNCTIONS["sigmoid"].function


class Loss:
    """A loss per example. `target` is what `prepare` made of the learner's `y`."""

    name: str

    def prepare(self, y: object, n: int, outputs: int, dtype: np.dtype) -> np.ndarray:
        """Return `y` as this loss needs it, or raise a ValueError or TypeError that names `y`."""
        y = check_real_array(y, "y")
        if outputs == 1 and y.ndim == 1:
            y = y[:, None]
        y = check_real_array(y, "y", (n, outputs))
        return np.ascontiguousarray(y.T, dtype)[:, :, None]

    def per_example(
        self, out: np.ndarray, target: np.ndarray, overwrite: bool = False
    ) -> np.ndarray:
        """Return the losses, shape (batch, copies). With `overwrite`, `out` is working space."""
        raise NotImplementedError

    def derivative(self, out: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return d(loss of an example)/d(out), shape of `out`."""
        raise NotImplementedError


class MeanSquaredError(Loss):
    """Sum over the outputs of (out - y)**2, as the tutorial defines it: no 1/2 and no 1/K."""

    name = "mse"

    def per_example(
        self, out: np.ndarray, target: np.ndarray, overwrite: bool = False
    ) -> np.ndarray:
        d = np.subtract(out, target, out=out if overwrite else None)
        return np.add.reduce(np.multiply(d, d, out=d), axis=0)

    def derivative(self, out: np.ndarray, target: np.ndarray) -> np.ndarray:
        return 2 * (out - target)


class BinaryCrossEntropy(Loss):
    """Cross-entropy of independent yes/no outputs, computed from the logits so it never overflows.

    -y log s(z) - (1 - y) log(1 - s(z)) = softplus(z) - y z, summed over the outputs.
    """

    name = "binary_cross_entropy"

    def prepare(self, y: object, n: int, outputs: int, dtype: np.dtype) -> np.ndarray:
        target = super().prepare(y, n, outputs, dtype)
        if target.min() < 0 or target.max() > 1:
            worst = target.min() if target.min() < 0 else target.max()
            raise ValueError(f"y must lie in [0, 1] for binary_cross_entropy, got {worst:g}")
        return target

    def per_example(
        self, out: np.ndarray, target: np.ndarray, overwrite: bool = False
    ) -> np.ndarray:
        return np.add.reduce(_softplus(out) - target * out, axis=0)

    def derivative(self, out: np.ndarray, target: np.ndarray) -> np.ndarray:
        return _sigmoid(out) - target


class SoftmaxCrossEntropy(Loss):
    """-sum_k y_k log softmax(z)_k, from the logits z.

    The target is an integer array (batch,) of labels, or (K_out, batch, 1) of probabilities.
    """

    name = "softmax_cross_entropy"

    def prepare(self, y: object, n: int, outputs: int, dtype: np.dtype) -> np.ndarray:
        y = check_real_array(y, "y")
        if y.ndim == 1:
            return _labels(y, n, outputs)
        y = check_real_array(y, "y", (n, outputs)).astype(dtype)
        if y.min() < 0 or not np.allclose(y.sum(axis=1), 1, rtol=0, atol=1e-6):
            row = int(np.argmax(np.where(y.min(axis=1) < 0, np.inf, np.abs(y.sum(axis=1) - 1))))
            raise ValueError(
                f"y must hold labels or rows of probabilities that sum to 1, "
                f"got row {row} with sum {y[row].sum():g} and smallest entry {y[row].min():g}"
            )
        if np.isin(y, (0, 1)).all():
            return y.argmax(axis=1)  # one-hot: the same loss, and the label is cheaper
        return np.ascontiguousarray(y.T)[:, :, None]

    def per_example(
        self, out: np.ndarray, target: np.ndarray, overwrite: bool = False
    ) -> np.ndarray:
        # The shift is the real part's maximum: it changes no value and keeps exp in range.
        shift = np.maximum.reduce(out.real, axis=0)
        z = np.subtract(out, shift, out=out if overwrite else None)
        if target.ndim == 1:
            at_label = z[target, np.arange(len(target))]
            return np.log(np.add.reduce(np.exp(z, out=z), axis=0)) - at_label
        weighted = np.add.reduce(target * z, axis=0)
        log_sum = np.log(np.add.reduce(np.exp(z, out=z), axis=0))
        return np.add.reduce(target, axis=0) * log_sum - weighted

    def derivative(self, out: np.ndarray, target: np.ndarray) -> np.ndarray:
        p = np.exp(out - np.maximum.reduce(out.real, axis=0))
        p /= np.add.reduce(p, axis=0)
        if target.ndim == 1:
            p[target, np.arange(len(target))] -= 1
            return p
        return np.add.reduce(target, axis=0) * p - target


def _labels(y: np.ndarray, n: int, outputs: int) -> np.ndarray:
    if len(y) != n:
        raise ValueError(f"y must hold one label for each of the {n} rows of x, got {len(y)}")
    if (y != np.floor(y)).any():
        raise ValueError(f"y must hold integer labels, got {y[y != np.floor(y)][0]}")
    if y.min() < 0 or y.max() >= outputs:
        worst = y.min() if y.min() < 0 else y.max()
        raise ValueError(f"y must hold labels in 0..{outputs - 1}, got {worst:g}")
    return y.astype(np.intp)


LOSS_TABLE: dict[str, Loss] = {
    loss.name: loss for loss in (MeanSquaredError(), SoftmaxCrossEntropy(), BinaryCrossEntropy())
}
LOSSES = tuple(LOSS_TABLE)
