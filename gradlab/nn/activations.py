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
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray, np.ndarray], np.ndarray]
    has_kink: bool = False


def _sigmoid(z: np.ndarray) -> np.ndarray:
    # exp(-|z|) never overflows; the branch is on the real part, so the function stays analytic.
    positive = z.real >= 0
    e = np.exp(np.where(positive, -z, z))
    return np.where(positive, 1.0, e) / (1.0 + e)


def _softplus(z: np.ndarray) -> np.ndarray:
    positive = z.real >= 0
    return np.where(positive, z, 0.0) + np.log1p(np.exp(np.where(positive, -z, z)))


def _expm1_of_negative(z: np.ndarray) -> np.ndarray:
    return np.expm1(np.where(z.real > 0, 0.0, z))


def _one_where_positive(z: np.ndarray, otherwise: float) -> np.ndarray:
    return np.where(z.real > 0, np.asarray(1.0, z.real.dtype), otherwise)


_TABLE = (
    ActivationFunction("identity", lambda z: z, lambda z, a: np.ones_like(z)),
    ActivationFunction("sigmoid", _sigmoid, lambda z, a: a * (1 - a)),
    ActivationFunction("tanh", np.tanh, lambda z, a: 1 - a * a),
    ActivationFunction(
        "relu",
        # np.maximum orders complex numbers by the real part and then by the imaginary one: at a
        # real part of 0 it would pick a side by the sign of the step. Hence the branch.
        lambda z: np.maximum(z, 0) if z.dtype.kind == "f" else np.where(z.real > 0, z, 0),
        lambda z, a: _one_where_positive(z, 0.0),
        has_kink=True,
    ),
    ActivationFunction(
        "leaky_relu",
        lambda z: np.where(z.real > 0, z, LEAKY_SLOPE * z),
        lambda z, a: _one_where_positive(z, LEAKY_SLOPE),
        has_kink=True,
    ),
    # elu's first derivative is continuous at 0 (both sides 1): its second derivative jumps.
    ActivationFunction(
        "elu",
        lambda z: np.where(z.real > 0, z, _expm1_of_negative(z)),
        lambda z, a: np.where(z.real > 0, 1.0, a + 1),
    ),
    ActivationFunction("softplus", _softplus, lambda z, a: _sigmoid(z)),
)

ACTIVATION_FUNCTIONS = {f.name: f for f in _TABLE}
ACTIVATIONS = tuple(ACTIVATION_FUNCTIONS)
