"""The loss of a network, as the judge looks at it: by the fast engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise

import numpy as np

from gradlab.checking.black_box import GRADIENT_ROUNDING, REPEATS, Background, aside, survey
from gradlab.checking.fast import Copies
from gradlab.checking.judge import DOUBLE, SINGLE, Differences
from gradlab.checking.sampling import Entries
from gradlab.nn.network import Network, Point

GradientOf = Callable[[Network], Mapping[str, np.ndarray]]
FEW_ROUNDINGS = 4  # one evaluation of a mean over a batch errs by a few roundings of its value


class NetworkLoss:
    """A network's loss and the gradient to be judged: what the judge calls a `Loss`.

    Attributes
    ----------
    names : list of str
        Of the tensors, in the order of `tensors`.
    """

    def __init__(
        self,
        point: Point,
        analytic: Mapping[str, np.ndarray],
        entries: Entries | None = None,
        gradient_of: GradientOf | None = None,
    ) -> None:
        net, x, y, masks = point
        self.net, self.x, self.y, self.masks = net, x, y, masks
        self.picked, self.gradient_of = entries, gradient_of
        self.f = net.loss_function(x, y, masks)
        self.theta = net.theta
        self.names = list(net.tensors)
        self.inside = {
            name: np.arange(net.params[name].size) if entries is None else entries[name]
            for name in self.names
        }
        ends = np.cumsum([0, *(len(part) for part in self.inside.values())]).tolist()
        self.tensors = [slice(a, b) for a, b in pairwise(ends)]
        self.at = np.concatenate([net.tensors[n][0] + part for n, part in self.inside.items()])
        self.gradient = np.concatenate(
            [np.ravel(analytic[name])[self.inside[name]] for name in self.names]
        ).astype(float)
        self.value_size = np.abs(self.theta[self.at]).astype(float)
        self.size = np.maximum(1.0, self.value_size)
        single = net.dtype.itemsize == 4
        self.scales = SINGLE if single else DOUBLE
        coarse = any(value.dtype.itemsize == 4 for value in analytic.values())
        self.rounding = GRADIENT_ROUNDING[4] if single or coarse else 0.0

    @cached_property
    def copies(self) -> Copies:
        """The network's perturbed copies."""
        return Copies(self.net, *self.net.prepare(self.x, self.y), self.masks)

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """The layer of each checked entry, and where it is in that layer's parameters, unrolled."""
        start = {}
        for position, layer in enumerate(self.copies.chain):
            sizes = [self.net.params[name].size for name in layer.param_names]
            starts = zip(layer.param_names, np.cumsum([0, *sizes]), strict=False)
            start |= {name: (position, first) for name, first in starts}
        layers = [np.full(len(part), start[name][0]) for name, part in self.inside.items()]
        local = [start[name][1] + part for name, part in self.inside.items()]
        return np.concatenate(layers), np.concatenate(local)

    def survey(self) -> Background:
        """Evaluate the loss a few times around theta, for its noise."""
        size = np.maximum(1.0, np.abs(self.theta).astype(float))
        self.background = survey(lambda theta: float(self.f(theta)), self.theta, size)
        self.base = self.background.base
        self.noise = max(self.background.noise, self._floor())
        return self.background

    def glance(self) -> Background:
        """Evaluate the loss twice, and put its noise down to a few roundings."""
        base, again = float(self.f(self.theta)), float(self.f(self.theta))
        machine_eps = float(np.finfo(self.net.dtype).eps)
        same = REPEATS * machine_eps * abs(base)
        self.noise = max(FEW_ROUNDINGS * machine_eps * abs(base), self._floor())
        single = self.net.dtype.itemsize == 4
        self.base = base
        self.background = Background(base, same, abs(base - again) <= same, self.noise, single, 2)
        return self.background

    def _floor(self) -> float:
        """Return the least noise: cross-entropies round numbers near 1, as log(1 + small)."""
        return 0.0 if self.net.loss_name == "mse" else float(np.finfo(self.net.dtype).eps) / 2

    def _by_layer(self, entries: np.ndarray) -> Iterator[tuple]:
        """Yield a layer's position, and of its entries: which they are, where, and their values."""
        layer, local = self.places
        for position in np.unique(layer[entries]):
            here = np.flatnonzero(layer[entries] == position)
            yield int(position), here, local[entries[here]], self.theta[self.at[entries[here]]]

    def look(self, entries: np.ndarray, steps: np.ndarray) -> Differences:
        """Evaluate the loss on both sides of theta, at each step (S, E) of each entry."""
        right, left, *taken = (np.empty(steps.shape) for _ in range(4))
        kinks = None  # counted on the ladder only, where entries are few
        if len(steps) > 2 and self.copies.has_kinks:
            kinks = np.empty(steps.shape, int)
        signs = np.array([1, -1], self.theta.dtype)[:, None, None]
        for position, here, local, value in self._by_layer(entries):
            wanted = value + signs * steps[:, here].astype(self.theta.dtype)
            step = wanted - value  # as rounding left it
            right[:, here], left[:, here] = self.copies.losses(position, step, local).astype(float)
            taken[0][:, here], taken[1][:, here] = np.abs(step.astype(float))
            if kinks is not None:
                crossed = self.copies.crossed_kinks(position, step, local)
                kinks[:, here] = crossed.sum(axis=0)
        machine_eps = float(np.finfo(self.net.dtype).eps)
        return Differences(self.base, right, left, *taken, machine_eps, kinks)

    def crossed_kinks(self, steps: np.ndarray) -> np.ndarray:
        """Return how many kinks each entry's own step (E,) crosses, to both sides."""
        crossed = np.zeros(len(steps), int)
        if not self.copies.has_kinks:
            return crossed
        signs = np.array([1, -1], self.theta.dtype)[:, None]
        for position, here, local, value in self._by_layer(np.arange(len(steps))):
            step = np.nan_to_num(signs * steps[here]).astype(self.theta.dtype)
            crossed[here] = self.copies.crossed_kinks(position, (value + step) - value, local).sum(
                axis=0
            )
        return crossed

    def beside(self) -> tuple[NetworkLoss, NetworkLoss] | None:
        """Return the same loss a small way to either side of theta, with the gradient there."""
        if self.gradient_of is None:
            return None
        sides = []
        for there in aside(self.theta):
            net = self.net.copy()
            net.theta = there
            try:
                gradient = self.gradient_of(net)
            except Exception:  # a gradient of one's own; it is the judge's idea to ask there
                return None
            if not all(np.isfinite(value).all() for value in gradient.values()):
                return None
            side = NetworkLoss(Point(net, self.x, self.y, self.masks), gradient, self.picked)
            side.base, side.noise = float(side.f(side.theta)), self.noise
            sides.append(side)
        return sides[0], sides[1]

    def repeats(self) -> bool:
        """Say that the loss still is what it was: a network keeps nothing between two calls."""
        return True
