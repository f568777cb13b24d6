"""How a bug gets into a network: its forward pass stays, one step of its backward pass is swapped.

A planted network is a shallow copy of a class made on the spot. It shares every parameter array
with the network it was made from, and differs in one of three things only: the `backward` of one
layer in its chain, the derivative of its loss, or what is done with the finished gradient.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np

from gradlab.bugs.fault import Fault, GradientFault, LayerFault, LossFault, Steps
from gradlab.nn.dropout import Dropout, Masks
from gradlab.nn.layers import Grads, Layer, Params
from gradlab.nn.losses import Loss
from gradlab.nn.network import Network


class Planted:
    """Mixed into the class of a network: the backward pass with `_fault` at `_position`."""

    _fault: Fault
    _position: int
    _told: object

    def chain(self, masks: Masks, n: int, copies: int = 1) -> list[Layer]:
        """Return the layers, one of them with a wrong backward pass."""
        chain = super().chain(masks, n, copies)
        position = _position_in(chain, self.layers, self._position)
        if isinstance(self._fault, LayerFault) and position is not None:
            right = chain[position]
            # A copy of the same type: the fast numerical gradient chooses its way by type.
            chain[position] = copy.copy(right)
            chain[position].backward = partial(self._fault.backward, right)
        return chain

    @property
    def loss_rule(self) -> Loss:
        """The loss: the right one, but on the way back."""
        return self.__dict__.get("_wrong_rule") or super().loss_rule

    def backward(
        self,
        params: Params,
        activations: list[np.ndarray],
        target: np.ndarray,
        chain: Sequence[Layer],
    ) -> tuple[list[np.ndarray], Grads]:
        """Return the gradients at the cuts and of the parameters, wrong ones."""
        on_its_way_back = copy.copy(self)
        if isinstance(self._fault, LossFault):
            batch = activations[0].shape[-2]
            on_its_way_back._wrong_rule = self._fault.rule(super().loss_rule, batch)
        return super(Planted, on_its_way_back).backward(params, activations, target, chain)

    def gradient(
        self, x: np.ndarray, y: np.ndarray, masks: Masks = None, params: Params | None = None
    ) -> Grads:
        """Return a gradient that is wrong on purpose; arguments as in `Network.gradient`."""
        grads = super().gradient(x, y, masks, params)
        if not isinstance(self._fault, GradientFault):
            return grads
        batch = self.prepare_x(x).shape[-2]
        return self._fault.amend(self, grads, self.check_params(params), batch, self._position)

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


@lru_cache
def _planted_class(base: type[Network]) -> type[Network]:
    # Named like its base, so that neither repr nor type gives a mystery away.
    return type(base.__name__, (Planted, base), {"__doc__": base.__doc__, "__module__": __name__})


def without_bugs(net: Network) -> Network:
    """Return `net` with gradlab's own backward pass, sharing its parameters.

    Whether a bug was planted in it or its class overrides `gradient`.
    """
    own = next(c for c in type(net).__mro__ if c.__module__.startswith("gradlab.nn"))
    other = copy.copy(net)
    other.__class__ = own
    return other
