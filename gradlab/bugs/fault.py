"""Kinds of faults: in a layer, in the loss's derivative, or in the finished gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from gradlab.nn.batch_norm import BatchNorm
from gradlab.nn.dropout import Dropout
from gradlab.nn.layers import Grads, Layer, Params
from gradlab.nn.losses import Loss
from gradlab.nn.network import Network

Steps = Sequence[Layer | Dropout]
# (the right layer, params, a, out, grad_out) -> (dL/da, gradients): what `backward` returns
Backward = Callable[..., tuple[np.ndarray, Grads]]
Amend = Callable[[Network, Grads, Params, int, int], Grads]


class Fault(Protocol):
    """What is wrong, and where in a network it can be."""

    needs: str

    def places(self, net: Network) -> dict[int, int]:
        """Return {layer number: position in `net.layers`}, empty if there is no such place."""

    def damage(self, net: Network, position: int) -> tuple[str, ...]:
        """Return the parameters whose gradient is wrong when the fault is there."""


@dataclass(frozen=True)
class LayerFault:
    """A layer whose backward pass is another.

    Attributes
    ----------
    backward : callable
        Called in place of the layer's own, with the right layer as first argument.
    fits : callable, (net, position) -> bool
        Can the layer there have this fault?
    needs : str
        What a network must have, for the message when it has not.
    spoils : callable, (net, position) -> names, or None
        Which parameters get a wrong gradient; None is all that stand below and are not idle.
    """

    backward: Backward
    fits: Callable[[Network, int], bool]
    needs: str
    spoils: Callable[[Network, int], tuple[str, ...]] | None = None

    def places(self, net: Network) -> dict[int, int]:
        """Return {layer number: position in `net.layers`}."""
        return {number: i for i, number in enumerate(layer_numbers(net.layers))
                if self.fits(net, i)}  # fmt: skip

    def damage(self, net: Network, position: int) -> tuple[str, ...]:
        """Return the parameters whose gradient is wrong."""
        if self.spoils is not None:
            return self.spoils(net, position)
        below = params_of(net.layers[:position])
        return tuple(name for name in below if name not in idle_biases(net))


@dataclass(frozen=True)
class LossFault:
    """A wrong derivative of the loss.

    Attributes
    ----------
    derivative : callable, (right derivative, outputs, batch size) -> wrong derivative
        Of the loss per example, which the network divides by the batch size afterwards.
    fits : callable, net -> bool
    needs : str
    """

    derivative: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
    fits: Callable[[Network], bool]
    needs: str

    def places(self, net: Network) -> dict[int, int]:
        """Return {number of the last layer: its position}."""
        return {layer_numbers(net.layers)[-1]: len(net.layers) - 1} if self.fits(net) else {}

    def damage(self, net: Network, position: int) -> tuple[str, ...]:
        """Return the parameters whose gradient is wrong: all that are not idle."""
        return tuple(name for name in net.params if name not in idle_biases(net))

    def rule(self, right: Loss, batch: int) -> Loss:
        """Return a loss of the same type and value, with the wrong derivative."""
        wrong = copy.copy(right)
        wrong.derivative = lambda out, target: self.derivative(
            right.derivative(out, target), out, batch
        )
        return wrong


@dataclass(frozen=True)
class GradientFault:
    """Something wrong that is done to the finished gradient.

    Attributes
    ----------
    amend : callable, (net, gradient, params, batch size, position) -> gradient
    where : callable, net -> {layer number: position}
    needs : str
    spoils : callable, (net, position) -> names
    """

    amend: Amend
    where: Callable[[Network], dict[int, int]]
    needs: str
    spoils: Callable[[Network, int], tuple[str, ...]]

    def places(self, net: Network) -> dict[int, int]:
        """Return {layer number: position in `net.layers`}."""
        return self.where(net)

    def damage(self, net: Network, position: int) -> tuple[str, ...]:
        """Return the parameters whose gradient is wrong."""
        return self.spoils(net, position)


def layer_numbers(steps: Steps) -> list[int]:
    """Return for each step the number of its layer, 1 for what belongs to W1.

    A layer begins with its weights: what follows up to the next weights has the same number.
    """
    counts = np.cumsum([bool(getattr(step, "weight_names", ())) for step in steps])
    return [int(count) for count in counts]


def params_of(steps: Steps) -> tuple[str, ...]:
    """Return the parameters of these steps, in order."""
    return tuple(name for step in steps for name in getattr(step, "param_names", ()))


def idle_biases(net: Network) -> tuple[str, ...]:
    """Return the biases right below a batch norm, which takes them off again: their slope is 0."""
    return tuple(below.b for below, above in pairwise(net.layers) if isinstance(above, BatchNorm))
