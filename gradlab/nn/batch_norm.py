"""Batch normalisation."""

from __future__ import annotations

import numpy as np

from gradlab.nn.layers import Grads, Layer, Params


class BatchNorm(Layer):
    """out = gamma * (a - mean) / sqrt(variance + eps) + beta, for each feature over the batch.

    The statistics are those of the batch, as in training, and the variance is the biased one, with
    1/N. Every example's output depends on all examples: this is what its backward pass must know,
    and where the classic bugs are.

    References
    ----------
    Ioffe and Szegedy, "Batch normalization", ICML 2015: Algorithm 1 and the gradients after it.
    """

    ties_batch = True

    def __init__(self, gamma: str, beta: str, eps: float = 1e-5, name: str = "") -> None:
        self.gamma, self.beta, self.eps, self.name = gamma, beta, eps, name
        self.param_names = (gamma, beta)

    def __repr__(self) -> str:
        return f"BatchNorm({self.gamma}, {self.beta})"

    def normalise(self, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return `a` (…, batch, K) with mean 0 and variance 1 over the batch, and 1/deviation."""
        n = a.shape[-2]
        centred = a - np.add.reduce(a, axis=-2, keepdims=True) / n
        # centred * centred and not |centred|**2, which is not analytic
        variance = np.add.reduce(centred * centred, axis=-2, keepdims=True) / n
        inverse = 1 / np.sqrt(variance + self.eps)
        return centred * inverse, inverse

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        gamma, beta = params[self.gamma][:, None, None], params[self.beta][:, None, None]
        return gamma * self.normalise(a)[0] + beta

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        normal, inverse = self.normalise(a)
        grads = {
            self.gamma: (grad_out * normal).sum(axis=(-2, -1)),
            self.beta: grad_out.sum(axis=(-2, -1)),
        }
        delta = params[self.gamma][:, None, None] * grad_out
        # a moves the mean and the variance too: what delta has of 1 and of `normal` drops out
        through_mean = delta.mean(axis=-2, keepdims=True)
        through_variance = normal * (delta * normal).mean(axis=-2, keepdims=True)
        return inverse * (delta - through_mean - through_variance), grads
