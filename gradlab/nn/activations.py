"""Activation functions, each with its derivative.

All accept real and complex arrays: the complex step (Squire & Trapp 1998) differentiates along the
imaginary axis, so a function must be analytic, and one with a branch branches on the real part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEAKY_SLOPE = 0.01


@dataclass(frozen=True)
class ActivationFunction:
    """An elementwise function a = f(z) and its derivative.

    Attributes
    ----------
    name : str
    function : callable, array z -> array a
    derivative : callable, (z, a) -> array
        f'(z); `a` = f(z) is passed because some derivatives are cheaper from it.
    has_kink : bool
        True where f' jumps at z = 0, so that a difference quotient across 0 means nothing.
    slope : float
        Left of 0, for a leaky ReLU.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray, np.ndarray], np.ndarray]
    has_kink: bool = False
    slope: float = LEAKY_SLOPE


def _identity(z: np.ndarray) -> np.ndarray:
    return z


def _sigmoid(z: np.ndarray) -> np.ndarray:
    # exp(-|z|) never overflows; the branch is on the real part, so the function stays analytic.
    positive = z.real >= 0
    e = np.exp(np.where(positive, -z, z))
    return np.where(positive, 1.0, e) / (1.0 + e)


def _softplus(z: np.ndarray) -> np.ndarray:
    positive = z.real >= 0
    return np.where(positive, z, 0.0) + np.log1p(np.exp(np.where(positive, -z, z)))


def _relu(z: np.ndarray) -> np.ndarray:
    if np.iscomplexobj(z):  # np.maximum would compare imaginary parts where the real part is 0
        return np.where(z.real > 0, z, 0)
    return np.maximum(z, 0)


def leaky_relu(slope: float = LEAKY_SLOPE) -> ActivationFunction:
    """Return the leaky ReLU with a slope left of 0."""
    return ActivationFunction(
        "leaky_relu",
        lambda z: np.where(z.real > 0, z, slope * z),
        lambda z, a: np.where(z.real > 0, z.dtype.type(1), slope),
        has_kink=True,
        slope=slope,
    )


def _elu(z: np.ndarray) -> np.ndarray:
    return np.where(z.real > 0, z, np.expm1(np.where(z.real > 0, 0.0, z)))


def _tanh_derivative(z: np.ndarray, a: np.ndarray) -> np.ndarray:
    return (1 - a) * (1 + a)  # 1 - a*a would lose digits where |a| is near 1


def _sigmoid_derivative(z: np.ndarray, a: np.ndarray) -> np.ndarray:
    return a * _sigmoid(-z)  # 1 - a would lose digits where a is near 1


_TABLE = (
    ActivationFunction("identity", _identity, lambda z, a: np.ones_like(z)),
    ActivationFunction("sigmoid", _sigmoid, _sigmoid_derivative),
    ActivationFunction("tanh", np.tanh, _tanh_derivative),
    ActivationFunction("relu", _relu, lambda z, a: (z.real > 0).astype(z.dtype), has_kink=True),
    leaky_relu(),
    # elu's own slope is 1 on both sides of 0; only its second derivative jumps.
    ActivationFunction("elu", _elu, lambda z, a: np.where(z.real > 0, 1.0, a + 1)),
    ActivationFunction("softplus", _softplus, lambda z, a: _sigmoid(z)),
)

ACTIVATION_FUNCTIONS = {f.name: f for f in _TABLE}
ACTIVATIONS = tuple(ACTIVATION_FUNCTIONS)
