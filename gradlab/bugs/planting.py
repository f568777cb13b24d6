"""How a bug gets into a network: its forward pass stays, one step of its backward pass is swapped.

A planted network is a shallow copy of a class made on the spot. It shares every parameter array
with the network it was made from, and differs in one of two things only: the `backward` of one
layer in its chain, or what is done with the finished gradient.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Protocol

import numpy as np

from gradlab.nn.dropout import Dropout, Masks
from gradlab.nn.layers import Grads, Layer, Params
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
    spoils : callable, (layer) -> names, or None
        Which of the layer's own parameters get a wrong gradient; None is all that stand below.
    """

    backward: Backward
    fits: Callable[[Network, int], bool]
    needs: str
    spoils: Callable[[Layer], tuple[str, ...]] | None = None

    def places(self, net: Network) -> dict[int, int]:
        """Return {layer number: position in `net.layers`}."""
        return {number: i for i, number in enumerate(layer_numbers(net.layers))
                if self.fits(net, i)}  # fmt: skip

    def damage(self, net: Network, position: int) -> tuple[str, ...]:
        """Return the parameters whose gradient is wrong."""
        if self.spoils is not None:
            return self.spoils(net.layers[position])
        return params_of(net.layers[:position])


@dataclass(frozen=True)
class LossFault:
    """A wrong derivative of the loss: the last layer receives another one than it should.

    `derivative(out, grad_out)` returns the wrong one from the outputs and the right one.
    """

    derivative: Callable[[np.ndarray, np.ndarray], np.ndarray]
    fits: Callable[[Network], bool]
    needs: str

    def places(self, net: Network) -> dict[int, int]:
        """Return {number of the last layer: its position}."""
        return {layer_numbers(net.layers)[-1]: len(net.layers) - 1} if self.fits(net) else {}

    def damage(self, net: Network, position: int) -> tuple[str, ...]:
        """Return the parameters whose gradient is wrong: all."""
        return tuple(net.params)

    def backward(
        self, layer: Layer, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        """Return what the layer's own backward makes of the wrong derivative."""
        return layer.backward(params, a, out, self.derivative(out, grad_out))


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


class Planted:
    """Mixed into the class of a network: the backward pass with `_fault` at `_position`."""

    _fault: Fault
    _position: int
    _told: object

    def chain(self, masks: Masks, n: int, copies: int = 1) -> list[Layer]:
        """Return the layers, one of them with a wrong backward pass."""
        chain = super().chain(masks, n, copies)
        backward = getattr(self._fault, "backward", None)
        position = _position_in(chain, self.layers, self._position)
        if backward is not None and position is not None:
            chain = list(chain)
            right = chain[position]
            # A copy of the same type: the fast numerical gradient chooses its way by type.
            chain[position] = copy.copy(right)
            chain[position].backward = partial(backward, right)
        return chain

    def gradient(
        self, x: np.ndarray, y: np.ndarray, masks: Masks = None, params: Params | None = None
    ) -> Grads:
        """Return a gradient that is wrong on purpose; arguments as in `Network.gradient`."""
        grads = super().gradient(x, y, masks, params)
        amend = getattr(self._fault, "amend", None)
        if amend is None:
            return grads
        batch = self.prepare_x(x).shape[-2]
        return amend(self, grads, self.check_params(params), batch, self._position)

    def reveal(self) -> object:
        """Return what was planted, and where."""
        return self._told


def _position_in(chain: Sequence[Layer], steps: Steps, position: int) -> int | None:
    """Return where step number `position` stands in a chain that may be without dropout."""
    if len(chain) == len(steps):
        return position
    if isinstance(steps[position], Dropout):
        return None
    return position - sum(isinstance(step, Dropout) for step in steps[:position])


def put(net: Network, fault: Fault, position: int, told: object) -> Network:
    """Return a network that shares the parameters of `net` and has `fault` at `position`."""
    other = copy.copy(net)
    other.__class__ = _planted_class(type(net))
    other._fault, other._position, other._told = fault, position, told
    return other


def without_bugs(net: Network) -> Network:
    """Return `net` with gradlab's own backward pass, sharing its parameters.

    Whether a bug was planted in it or its class overrides `gradient`.
    """
    own = next(c for c in type(net).__mro__ if c.__module__.startswith("gradlab.nn"))
    other = copy.copy(net)
    other.__class__ = own
    return other


@lru_cache
def _planted_class(base: type[Network]) -> type[Network]:
    # Named like its base, so that neither repr nor type gives a mystery away.
    return type(base.__name__, (Planted, base), {"__doc__": base.__doc__, "__module__": __name__})
