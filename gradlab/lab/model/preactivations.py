"""What the units see: the pre-activations z of a network, and how steep the activation is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.nn.activations import ACTIVATION_FUNCTIONS, ActivationFunction
from gradlab.nn.layers import Activation, Masks
from gradlab.nn.lstm import GATES, LSTM, STACK
from gradlab.nn.network import Network

__all__ = ["Seen", "what_units_see"]

_SMALL = 0.01  # a slope below it is as good as none


@dataclass(frozen=True, eq=False)
class Seen:
    """The pre-activations of one layer, or of one gate of an LSTM at all time steps.

    Attributes
    ----------
    name : str
        "z1", "conv1", "gate i".
    function : ActivationFunction or None
        What they go into; None where nothing bends them, or a pool alone.
    z : ndarray, shape (units, M)
        A unit's at all examples, pixels and time steps.
    slope : ndarray, shape (units, M)
        The function's derivative there; 1 without one.
    """

    name: str
    function: ActivationFunction | None
    z: np.ndarray
    slope: np.ndarray

    @property
    def mean_slope(self) -> float:
        """The mean of the derivative's size."""
        return float(np.abs(self.slope).mean())

    @property
    def flat(self) -> float:
        """The share of z where the derivative is below 0.01, or that is left of a kink."""
        return float(is_flat(self.function, self.z, self.slope).mean())

    @property
    def dead(self) -> int:
        """How many units are flat wherever they were looked at."""
        return int(is_flat(self.function, self.z, self.slope).all(axis=1).sum())


def is_flat(function: ActivationFunction | None, z: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return where the derivative is below 0.01, or z left of the function's kink."""
    if function is None:
        return np.zeros(z.shape, bool)
    return (np.abs(slope) < _SMALL) | (function.has_kink & (z <= 0))


def what_units_see(net: Network, x: np.ndarray, masks: Masks = None) -> list[Seen]:
    """Return the pre-activations of each hidden layer, input side first.

    The output layer is left out, unless an activation follows it. Arguments as in `net.loss`.
    """
    a = net.prepare_x(x)
    chain, seen = net.chain(masks, a.shape[-2]), []
    z, name = None, ""  # of the last layer with weights: what follows it is not known yet
    for layer in chain:
        if isinstance(layer, LSTM):
            seen += _gates(layer, net, a)
        before, a = a, layer.forward(net.params, a)
        if isinstance(layer, Activation):
            # of a pool between the two, its winners: that is what the activation sees
            seen.append(_one(name, layer.function, before))
            z = None
        elif layer.param_names and not isinstance(layer, LSTM):
            if z is not None and layer.weight_names:  # batch norm goes on with what was there
                seen.append(_one(name, None, z))
            z, name = a, layer.name
    return seen


def _one(name: str, function: ActivationFunction | None, z: np.ndarray) -> Seen:
    z = z.reshape(len(z), -1)
    slope = np.ones_like(z) if function is None else function.derivative(z, function.function(z))
    return Seen(name, function, z, slope)


def _gates(layer: LSTM, net: Network, a: np.ndarray) -> list[Seen]:
    """Return what the gates see at all time steps, and what tanh(c) does."""
    z: list[np.ndarray] = []

    def look(t: int, now: np.ndarray, h: np.ndarray) -> np.ndarray:
        z.append(now.copy())  # the layer overwrites it
        return now

    c = [step.c for step in layer.steps(net.params, a, nudge=look)]
    gates = np.concatenate(z, axis=-2).reshape(len(STACK), -1, len(a) * a.shape[2])
    by_name = dict(zip(STACK, gates, strict=True))
    table = ACTIVATION_FUNCTIONS
    seen = [_one(f"gate {q}", table["tanh" if q == "g" else "sigmoid"], by_name[q]) for q in GATES]
    return [*seen, _one("state c", table["tanh"], np.concatenate(c, axis=-2))]
