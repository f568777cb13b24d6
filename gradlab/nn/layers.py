"""Layers: a forward pass and its backward pass, nothing else.

Inside the network an activation has shape (features, batch, K): examples are columns, and the last
axis holds K copies of the network that differ in a perturbed parameter. The plain pass is K = 1.
A layer never looks at K. It keeps no state either: parameters and inputs come as arguments, so that
a numerical gradient can run from several threads and never has to disturb a network to probe it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.nn.activations import ActivationFunction

Params = Mapping[str, np.ndarray]
Grads = dict[str, np.ndarray]


class Layer:
    """One step of a network.

    Attributes
    ----------
    name : str
        Of the cut right after it, "z1" or "pool2".
    param_names : tuple of str
        The parameters that it reads, in the order in which they stand in theta.
    weight_names : tuple of str
        Those of them that L2 applies to: weights, never biases.
    ties_batch : bool
        True when an output depends on other examples of the batch (batch norm).
    scratch : int
        Numbers that it needs for an example on the way, where that is more than what comes out.
    """

    name = ""
    param_names: tuple[str, ...] = ()
    weight_names: tuple[str, ...] = ()
    ties_batch = False
    scratch = 0

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        """Return the layer's output for the input `a`, both (features, batch, K)."""
        raise NotImplementedError

    def branches(self, a: np.ndarray) -> np.ndarray | None:
        """Return which side of its kink each output is on for the input `a`; None if smooth.

        Where this changes between two evaluations, their difference quotient is no slope.
        """
        return None

    def ties(self, a: np.ndarray) -> int:
        """Return how many outputs are exactly at a kink for the input `a`."""
        return 0

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        """Return dL/da and the gradient of each parameter.

        Parameters
        ----------
        params : mapping of str to ndarray
        a, out : ndarray
            What went into `forward` and what came out of it, K = 1.
        grad_out : ndarray, shape of `out`
            dL/dout.
        """
        raise NotImplementedError


class Dense(Layer):
    """z = W.T a + b, which for rows as examples is z = x W + b, with W (D_in, D_out).

    An input with more axes, such as the channels, rows and columns of images, is read as one list.
    """

    def __init__(self, W: str, b: str, name: str = "") -> None:
        self.W, self.b, self.name = W, b, name
        self.param_names, self.weight_names = (W, b), (W,)

    def __repr__(self) -> str:
        return f"Dense({self.W}, {self.b})"

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        W, b = params[self.W], params[self.b]
        z = W.T @ a.reshape(len(W), -1)
        z += b[:, None]
        return z.reshape(len(b), *a.shape[-2:])

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        W, b = params[self.W], params[self.b]
        delta = grad_out.reshape(len(b), -1)
        grads = {self.W: a.reshape(len(W), -1) @ delta.T, self.b: delta.sum(axis=1)}
        return (W @ delta).reshape(a.shape), grads


class Activation(Layer):
    """a = f(z), elementwise."""

    def __init__(self, function: ActivationFunction, name: str = "") -> None:
        self.function, self.name = function, name

    def __repr__(self) -> str:
        return f"Activation({self.function.name})"

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        return self.function.function(a)

    def branches(self, a: np.ndarray) -> np.ndarray | None:
        return a.real > 0 if self.function.has_kink else None

    def ties(self, a: np.ndarray) -> int:
        return int((a == 0).sum()) if self.function.has_kink else 0

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        return grad_out * self.function.derivative(a, out), {}


class Mask(Layer):
    """Inverted dropout with the mask already drawn: 0 or 1/keep for each unit and example.

    Dropout is only checkable as this: a function that does not change between two evaluations.
    """

    def __init__(self, mask: np.ndarray, name: str = "") -> None:
        self.mask = mask  # (features, batch, 1), or (features, batch, K): one for each copy
        self.name = name

    def __repr__(self) -> str:
        return f"Mask({self.mask.shape[0]})"

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        return a * self.mask

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        return grad_out * self.mask, {}
