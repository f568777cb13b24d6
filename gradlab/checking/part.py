"""A part of the batch: what the copies that are perturbed start from, and where they end."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from gradlab.checking import lstm_copies, one_channel, one_dense  # noqa: F401  register their layers
from gradlab.checking.one_row import Base, OneRow, State, advance, crossings, perturb
from gradlab.checking.one_row_losses import (
    SoftmaxOfLabels,
    applies,
    loss_per_example,
    shifted_base,
)
from gradlab.nn.layers import Dense, Layer
from gradlab.nn.network import Network


class Part:
    """A part of the batch: its activations in the unperturbed network, computed once."""

    def __init__(self, net: Network, chain: list[Layer], a: np.ndarray, target: np.ndarray) -> None:
        self.params, self.chain, self.target = net.params, chain, target
        self.loss = net.loss_rule
        self.base = [Base(a)]
        for layer in chain:
            self.base.append(Base(layer.forward(self.params, self.base[-1].a)))
        if isinstance(chain[-1], Dense):
            self.base[-1] = Base(shifted_base(self.loss, self.base[-1].a))

    @cached_property
    def last(self) -> SoftmaxOfLabels:
        """The last layer and the loss in one."""
        return SoftmaxOfLabels(self.params[self.chain[-1].W], self.base[-1], self.target)

    def losses(self, position: int, index: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Return the losses per example, (batch, K), of copies shifted in layer `position`."""
        a, out = self.base[position : position + 2]
        state: State = perturb(self.chain[position], self.params, a, out, index, step)
        later = zip(self.chain[position + 1 :], self.base[position + 2 :], strict=True)
        near_base = True
        for layer, out in later:
            near_base = isinstance(state, OneRow)
            if layer is self.chain[-1] and applies(layer, state, self.loss, self.target):
                losses = self.last.losses(state)
                if losses is not None:
                    return losses
            state = advance(layer, state, self.params, out)
        return loss_per_example(self.loss, state, self.target, near_base)

    def crossed_kinks(self, position: int, index: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Return how many kinks each copy crosses on its way to the loss, shape (K,)."""
        a, out = self.base[position : position + 2]
        state: State = perturb(self.chain[position], self.params, a, out, index, step)
        crossed = np.zeros(len(index), int)
        later = zip(self.chain[position + 1 :], self.base[position + 2 :], strict=True)
        before = out
        for layer, out in later:
            crossed += crossings(layer, state, before)
            state, before = advance(layer, state, self.params, out), out
        return crossed
