"""Layers: a forward pass and its backward pass, nothing else.

Inside the network an activation has shape (features, batch, K): examples are columns, and the last
axis holds K copies of the network that differ in a perturbed parameter. The plain pass is K = 1.
A layer never looks at K. It keeps no state either: parameters and inputs come as arguments, so that
a numerical gradient can run from several threads and never has to disturb a network to probe it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradlab._validate import check_real_array
from gradlab.nn.activations import ActivationFunction
from gradlab.nn.parameters import Grads, Params

Masks = Sequence[np.ndarray] | np.random.Generator | None


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


@dataclass(frozen=True)
class Dropout(Layer):
    """The place in the chain where mask number `index` goes, if there are masks."""

    index: int
    features: int


def draw_mask(
    shape: tuple[int, ...], rate: float, dtype: np.dtype, rng: np.random.Generator
) -> np.ndarray:
    """Return an inverted dropout mask: 0 with probability `rate`, else 1/(1 - rate)."""
    keep = dtype.type(1 - rate)
    return (rng.random(shape) < 1 - rate).astype(dtype) / keep


def put_masks(
    layers: Sequence[Layer],
    masks: Masks,
    n: int,
    rate: float,
    dtype: np.dtype,
    copies: int,
) -> list[Layer]:
    """Return the layers with masks for a batch of `n` in the places of dropout.

    Parameters
    ----------
    masks : list of ndarray, Generator or None
        One (n, features) a place; a Generator draws them, anew for each of the `copies`; None
        leaves dropout out.

    Raises
    ------
    ValueError, TypeError
        `masks` is of another type, length or shape.
    """
    if masks is None:
        return [layer for layer in layers if not isinstance(layer, Dropout)]
    places = [layer for layer in layers if isinstance(layer, Dropout)]
    if isinstance(masks, np.random.Generator):
        drawn = [draw_mask((p.features, n, copies), rate, dtype, masks) for p in places]
    else:
        drawn = _check_masks(masks, places, n, dtype)
    return [
        Mask(drawn[layer.index], f"dropout{layer.index + 1}")
        if isinstance(layer, Dropout)
        else layer
        for layer in layers
    ]


def _check_masks(masks: object, places: list[Dropout], n: int, dtype: np.dtype) -> list[np.ndarray]:
    if not isinstance(masks, (list, tuple)):
        raise TypeError(
            f"masks must be a list of arrays, a numpy Generator or None, got {type(masks).__name__}"
        )
    if len(masks) != len(places):
        raise ValueError(
            f"masks must hold one array for each of the {len(places)} hidden layers, "
            f"got {len(masks)}"
        )
    checked = []
    for i, (mask, place) in enumerate(zip(masks, places, strict=True)):
        mask = check_real_array(mask, f"masks[{i}]", (n, place.features))
        checked.append(np.ascontiguousarray(mask.T, dtype)[:, :, None])
    return checked
