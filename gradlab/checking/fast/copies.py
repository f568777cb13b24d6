"""The fast numerical gradient: a perturbation is an axis.

The plain loop shifts one parameter and runs the whole network, 2 P times. Here the shifted networks
are K copies that run side by side, along the last axis of every activation. Layers before the
shifted one are computed once; after it the copies differ in one row only (`shifted_layers.py`);
from then on a copy is just more batch. Steps are more copies.

The losses at theta + h and theta - h are evaluated and subtracted, like in the loop: a formula for
their difference would hide the round-off that the U-curve is there to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from gradlab.checking.fast.chunks import Plan, keep_freed_memory
from gradlab.checking.fast.kinks import branches, crossings
from gradlab.checking.fast.shifted_layers import (
    KEEP_ONE_ROW,
    Base,
    OneRow,
    State,
    advance,
    perturb,
)
from gradlab.checking.fast.shifted_losses import (
    SoftmaxOfLabels,
    applies,
    loss_per_example,
    row_sum,
    shifted_base,
)
from gradlab.checking.sampling import Entries, layer_entries, per_tensor
from gradlab.checking.schemes import Scheme
from gradlab.nn.layers import Dense, Layer, Mask, Masks
from gradlab.nn.network import Network
from gradlab.nn.parameters import Tensors, lay_out, unroll


def fast_gradient(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    eps: np.ndarray,
    scheme: Scheme,
    masks: Masks = None,
    entries: Entries | None = None,
) -> dict[str, np.ndarray]:
    """Return the numerical gradient of every entry at every step in `eps` (S,).

    `entries` picks some of each tensor. Memory is bounded by the chunk, time is about that of 2 P
    forward passes of one row.

    Returns
    -------
    dict of str to ndarray, shape (S, *shape of the parameter), or (S, number of entries)
    """
    a, target = net.prepare(x, y)
    net.check_params(None)
    copies = Copies(net, a, target, masks)
    gradient: dict[str, np.ndarray] = {}
    for position, tensors, theta, picked in copies.layers(entries):
        eps_row = eps.astype(theta.dtype)[:, None]
        offsets = np.array(scheme.offsets, theta.dtype if scheme.subtracts else complex)
        points = theta + offsets[:, None, None] * eps_row  # (offsets, S, size)
        losses = copies.losses(position, points - theta, picked)  # the step that rounding left
        gradient |= per_tensor(scheme.combine(losses, points, eps_row), tensors, entries)
    return {name: gradient[name] for name in net.params}


def crossed_kinks(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    eps: float,
    scheme: Scheme,
    masks: Masks = None,
    entries: Entries | None = None,
) -> dict[str, np.ndarray]:
    """Count, for each entry, the kinks between the points where its difference is evaluated.

    A kink is crossed when a unit's pre-activation changes sign, or a max-pool its winner, between
    theta and a shifted point. Smooth networks cost nothing, others one more numerical gradient.
    `entries` picks some of each tensor.

    Returns
    -------
    dict of str to ndarray of int, shapes of the parameters, or (number of entries,)

    References
    ----------
    CS231n notes, "Gradient checks": "Kinks in the objective".
    """
    a, target = net.prepare(x, y)
    copies = Copies(net, a, target, masks)
    counts = {
        name: np.zeros(value.shape if entries is None else len(entries[name]), int)
        for name, value in net.params.items()
    }
    if not scheme.subtracts or not copies.has_kinks:
        return counts
    for position, tensors, theta, picked in copies.layers(entries):
        offsets = np.array(scheme.offsets, theta.dtype)
        step = (theta + offsets[:, None] * theta.dtype.type(eps)) - theta
        crossed = copies.crossed_kinks(position, step, picked).sum(axis=0)
        counts |= per_tensor(crossed, tensors, entries)
    return counts


class Copies:
    """Evaluates the loss for copies of a network with one parameter entry shifted in each."""

    def __init__(self, net: Network, a: np.ndarray, target: np.ndarray, masks: Masks) -> None:
        keep_freed_memory()
        self.net, self.batch = net, a.shape[-2]
        self.redrawn = masks if isinstance(masks, np.random.Generator) else None
        self.chain = net.chain(masks, self.batch)
        self.base_l2 = net.raw_l2_loss(net.params)
        self.whole = Part(net, self.chain, a, target)
        self.widths = [out.a.size // self.batch for out in self.whole.base]
        self.cuts = {self.batch: [self.whole]}

    @property
    def has_kinks(self) -> bool:
        """Whether any layer of the network has kinks at all."""
        pairs = zip(self.chain, self.whole.base, strict=False)
        return any(layer.branches(base.a) is not None for layer, base in pairs)

    def layers(
        self, entries: Entries | None
    ) -> Iterator[tuple[int, Tensors, np.ndarray, np.ndarray | None]]:
        """Yield for each layer with parameters its position and what of them is shifted.

        Where its tensors stand in all its parameters, unrolled; the values of the entries there
        that are picked, and which these are, None for all.
        """
        for position, layer in enumerate(self.chain):
            if layer.param_names:
                own = {name: self.net.params[name] for name in layer.param_names}
                tensors, picked = lay_out(own), layer_entries(lay_out(own), entries)
                theta = unroll(own, tensors)
                yield position, tensors, theta if picked is None else theta[picked], picked

    def losses(
        self, position: int, step: np.ndarray, entries: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the losses with each entry of a layer's parameters shifted by step[…, e].

        `entries` are indices into all its parameters, unrolled; None stands for all of them.
        """
        entries = np.arange(step.shape[-1]) if entries is None else entries
        losses = np.empty(step.size, step.dtype)
        for chunk, index, shift, parts in self._chunks(position, step, entries):
            each = [part.losses(position, index, shift) for part in parts]
            losses[chunk] = row_sum(np.concatenate(each) if len(each) > 1 else each[0])
        losses /= self.batch
        return losses.reshape(step.shape) + self._l2_losses(position, step, entries)

    def crossed_kinks(
        self, position: int, step: np.ndarray, entries: np.ndarray | None = None
    ) -> np.ndarray:
        """Return how many kinks each of those shifts crosses, integers of the shape of `step`."""
        entries = np.arange(step.shape[-1]) if entries is None else entries
        crossed = np.zeros(step.size, int)
        for chunk, index, shift, parts in self._chunks(position, step, entries):
            for part in parts:
                crossed[chunk] += part.crossed_kinks(position, index, shift)
        return crossed.reshape(step.shape)

    def patterns(self, position: int, step: np.ndarray, entry: int) -> Iterator[np.ndarray]:
        """Yield, layer by layer, on which side of its kinks each unit is, (units…, batch, K).

        Copy k has one entry of a layer's parameters shifted by `step[k]` (K,). Smooth layers, and
        those below the shift, yield nothing.
        """
        yield from self.whole.patterns(position, np.full(len(step), entry), step)

    def _l2_losses(
        self, position: int, step: np.ndarray, entries: np.ndarray
    ) -> np.ndarray | complex:
        """Return the L2 term of each copy, in one rounding more than that of the base."""
        layer, params = self.chain[position], self.net.params
        if not self.net.l2 or not layer.weight_names:
            return self.base_l2
        half = self.net.dtype.type(0.5 * self.net.l2)
        factor = np.concatenate(
            [np.full(params[n].size, half * (n in layer.weight_names)) for n in layer.param_names]
        )
        value = np.concatenate([params[name].ravel() for name in layer.param_names])
        value, factor = value[entries], factor[entries]
        shifted = value + step
        return self.base_l2 + factor * (shifted * shifted - value * value)

    def _chunks(
        self, position: int, step: np.ndarray, entries: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, list[Part]]]:
        """Yield which copies, which entry each shifts, by how much, and the batch in parts."""
        layer, flat = self.chain[position], step.reshape(-1)
        whole = self.redrawn is not None or any(layer.ties_batch for layer in self.chain)
        # how many rows the layer's copies shift; None where it makes no difference to them
        rows = len(self.net.params[layer.b]) if isinstance(layer, Dense) else None
        plan = Plan(
            self._widest(position), self.batch, whole, rows if self.redrawn is None else None
        )
        for chunk in plan.chunks(step.size, entries):
            parts = self._parts(len(chunk), plan.examples)
            yield chunk, entries[chunk % step.shape[-1]], flat[chunk], parts

    def _widest(self, position: int) -> int:
        """Return how many numbers are written out for a copy and example, at most."""
        written = position + 1
        while self.redrawn is None and written < len(self.chain):
            if not isinstance(self.chain[written], KEEP_ONE_ROW):
                break
            written += 1  # still one row a copy
        return max([2, self.chain[position].scratch, *self.widths[written + 1 :]])

    def _parts(self, copies: int, examples: int) -> list[Part]:
        """Return the batch in parts of at most so many examples."""
        a, target = self.whole.base[0].a, self.whole.target
        if self.redrawn is not None:  # every copy is an evaluation with masks of its own
            return [Part(self.net, self.net.chain(self.redrawn, self.batch, copies), a, target)]
        if examples not in self.cuts:
            starts = range(0, self.batch, examples)
            self.cuts[examples] = [self._part(slice(s, s + examples)) for s in starts]
        return self.cuts[examples]

    def _part(self, rows: slice) -> Part:
        a, target = self.whole.base[0].a, self.whole.target
        chain = [
            Mask(layer.mask[:, rows]) if isinstance(layer, Mask) else layer for layer in self.chain
        ]
        labels = target[rows] if target.ndim == 1 else target[:, rows]
        return Part(self.net, chain, a[..., rows, :], labels)


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

    def patterns(self, position: int, index: np.ndarray, step: np.ndarray) -> Iterator[np.ndarray]:
        """Yield which side of its kinks each unit is on, in each copy, layer by layer."""
        a, out = self.base[position : position + 2]
        state: State = perturb(self.chain[position], self.params, a, out, index, step)
        later = zip(self.chain[position + 1 :], self.base[position + 2 :], strict=True)
        for layer, out in later:
            if (sides := branches(layer, state)) is not None:
                yield sides
            state = advance(layer, state, self.params, out)
