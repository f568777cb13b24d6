"""The fast numerical gradient: a perturbation is an axis.

The plain loop shifts one parameter and runs the whole network, 2 P times. Here the shifted networks
are K copies that run side by side, along the last axis of every activation. Layers before the
shifted one are computed once; after it the copies differ in one row only (`one_row.py`); from then
on a copy is just more batch. Steps are more copies.

The losses at theta + h and theta - h are evaluated and subtracted, like in the loop: a formula for
their difference would hide the round-off that the U-curve is there to show.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradlab.checking.one_row import OneRow, State, advance, perturb
from gradlab.checking.one_row_losses import loss_per_example
from gradlab.checking.row_sum import row_sum
from gradlab.checking.schemes import Scheme
from gradlab.nn.layers import Layer
from gradlab.nn.losses import LOSS_TABLE
from gradlab.nn.network import Masks, Network

CHUNK = 1 << 17  # numbers in the largest array of a chunk: 1 MB, which stays in the cache


def fast_gradient(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    eps: np.ndarray,
    scheme: Scheme,
    masks: Masks = None,
) -> dict[str, np.ndarray]:
    """Return the numerical gradient of every entry at every step in `eps` (S,).

    Memory is bounded by the chunk, time is about that of 2 P forward passes of one row.

    Returns
    -------
    dict of str to ndarray, shape (S, *shape of the parameter)
    """
    a, target = net.prepare(x, y)
    copies = _Copies(net, a, target, masks)
    gradient = {}
    for name, value in net.params.items():
        dtype = complex if scheme.order == 0 else value.dtype
        offsets = np.array(scheme.offsets, dtype)
        shift = (offsets[:, None] * eps.astype(value.dtype)).reshape(-1, 1)  # (offsets * S, 1)
        points = value.reshape(-1) + shift
        step = points - value.reshape(-1)  # what rounding made of the shift
        losses = copies.losses(name, step)
        shape = (len(offsets), len(eps), *value.shape)
        gradient[name] = scheme.combine(
            losses.reshape(shape),
            points.reshape(shape),
            eps.astype(value.dtype).reshape(-1, *[1] * value.ndim),
        )
    return gradient


class _Copies:
    """Evaluates the loss for copies of a network with one parameter entry shifted in each."""

    def __init__(self, net: Network, a: np.ndarray, target: np.ndarray, masks: Masks) -> None:
        self.net, self.a, self.target = net, a, target
        self.loss, self.batch = LOSS_TABLE[net.loss_name], a.shape[-2]
        self.redrawn = masks if isinstance(masks, np.random.Generator) else None
        self.chain = net.chain(masks, self.batch)
        self.base = self._run(self.chain)
        self.base_l2 = net.raw_l2_loss(net.params)

    def losses(self, name: str, step: np.ndarray) -> np.ndarray:
        """Return the losses with entry e of a parameter shifted by step[s, e], shape of `step`."""
        position = next(i for i, layer in enumerate(self.chain) if name in layer.param_names)
        losses = np.empty(step.size, step.dtype)
        for chunk in self._chunks(position, step.size):
            index = np.arange(chunk.start, chunk.stop) % step.shape[1]
            losses[chunk] = self._data_losses(position, name, index, step.reshape(-1)[chunk])
        return losses.reshape(step.shape) + self._l2_losses(name, step)

    def _data_losses(
        self, position: int, name: str, index: np.ndarray, step: np.ndarray
    ) -> np.ndarray:
        chain, base, params = self.chain, self.base, self.net.params
        if self.redrawn is not None:  # every copy is an evaluation of its own, with its own masks
            chain = self.net.chain(self.redrawn, self.batch, copies=len(index))
            base = self._run(chain)
        state: State = perturb(
            chain[position], params, base[position], base[position + 1], name, index, step
        )
        for layer, out in zip(chain[position + 1 :], base[position + 2 :], strict=True):
            if isinstance(state, OneRow):
                state = advance(layer, state, params, out)
            else:
                state = layer.forward(params, state)
        return row_sum(loss_per_example(self.loss, state, self.target)) / self.batch

    def _l2_losses(self, name: str, step: np.ndarray) -> np.ndarray | complex:
        """Return the L2 term of each copy, in one rounding more than that of the base."""
        if not self.net.l2 or name not in self.net.weight_names:
            return self.base_l2
        value = self.net.params[name].reshape(-1)
        shifted = value + step
        half = self.net.dtype.type(0.5 * self.net.l2)
        return self.base_l2 + half * (shifted * shifted - value * value)

    def _run(self, chain: list[Layer]) -> list[np.ndarray]:
        activations = [self.a]
        for layer in chain:
            activations.append(layer.forward(self.net.params, activations[-1]))
        return activations

    def _chunks(self, position: int, total: int) -> Iterator[slice]:
        """Cut `total` copies so that the largest activation after the shift fits the cache."""
        later = self.base if self.redrawn is not None else self.base[position + 2 :]
        largest = max((out.size for out in later), default=self.batch)
        size = max(16, CHUNK // largest)
        for start in range(0, total, size):
            yield slice(start, min(start + size, total))
