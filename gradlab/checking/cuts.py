"""Every cut between two layers, judged at a step of one's own: what follows a slider.

`gl.bisect` walks the same cuts with steps that it chooses, one evaluation of the whole loss after
another. Here the shifted activations are columns of one batch, which runs through the layers above
the cut once: an example's loss does not depend on the others, so only its own is computed anew.
Where it does (batch norm, an LSTM whose every step counts) the columns are copies of the batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.checking.bisect import from_cut
from gradlab.checking.black_box import GRADIENT_ROUNDING, aside
from gradlab.checking.judge import DOUBLE, SINGLE, Differences, Finding, judge, judge_step
from gradlab.checking.network_loss import FEW_ROUNDINGS
from gradlab.checking.report import TensorReport, tensor_report
from gradlab.checking.schemes import Scheme
from gradlab.checking.time_steps import PARTS
from gradlab.checking.verdict import Setting
from gradlab.nn.layers import Layer, Mask
from gradlab.nn.lstm import LSTMNet
from gradlab.nn.network import Network, Point

__all__ = ["CutLosses", "judged"]

_ROOM = 1 << 20  # numbers in one activation of a run: more shifted columns run one after the other


@dataclass(frozen=True, eq=False)
class Place:
    """A tensor of activations that is judged: its name, its shape, which entries are looked at.

    Attributes
    ----------
    name : str
    shape : tuple of int
    entries : ndarray of int
        Into the raveled tensor.
    """

    name: str
    shape: tuple[int, ...]
    entries: np.ndarray


class ShiftedLoss:
    """The loss of the data as a function of activations: what the judge calls a `Loss`.

    Attributes
    ----------
    places : list of Place
        One after the other, they are the E entries.
    value : ndarray, shape (E,)
        What stands there.
    gradient : ndarray, shape (E,)
        What is judged.
    """

    def __init__(
        self,
        net: Network,
        places: Sequence[Place],
        value: np.ndarray,
        gradient: np.ndarray,
        base: float,
    ) -> None:
        self.net, self.places, self.value = net, list(places), value
        self.gradient, self.base = gradient.astype(float), base
        self.value_size = np.abs(value).astype(float)
        self.size = np.maximum(1.0, self.value_size)
        ends = np.cumsum([0, *(len(place.entries) for place in self.places)]).tolist()
        self.tensors = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.machine_eps = float(np.finfo(net.dtype).eps)
        single = net.dtype.itemsize == 4
        self.scales = SINGLE if single else DOUBLE
        self.rounding = GRADIENT_ROUNDING[4] if single else 0.0
        floor = 0.0 if net.loss_name == "mse" else self.machine_eps / 2  # as in `NetworkLoss`
        self.noise = max(FEW_ROUNDINGS * self.machine_eps * abs(base), floor)

    def run(self, entries: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses with entry e's activation at points[…, e], and the kinks crossed."""
        raise NotImplementedError

    def look(self, entries: np.ndarray, steps: np.ndarray) -> Differences:
        """Evaluate the loss on both sides, at each step (S, E) of each entry."""
        start = self.value[entries]
        signs = np.array([1, -1], start.dtype)[:, None, None]
        points = start + signs * steps.astype(start.dtype)
        losses, kinks = self.run(entries, points)
        taken = np.abs((points - start).astype(float))
        right, left = losses.astype(float)
        return Differences(self.base, right, left, *taken, self.machine_eps, kinks.sum(axis=0))

    def at_step(self, eps: float, scheme: Scheme) -> tuple[np.ndarray, np.ndarray]:
        """Return the slopes at eps and twice that, (2, E), and the kinks that eps crosses, (E,)."""
        start = self.value
        steps = np.array([eps, 2 * eps], start.dtype)[:, None]
        offsets = np.array(scheme.offsets, start.dtype if scheme.subtracts else complex)
        points = start + offsets[:, None, None] * steps
        losses, kinks = self.run(np.arange(len(start)), points)
        return scheme.combine(losses, points, steps).astype(float), kinks[:, 0].sum(axis=0)

    @cached_property
    def known(self) -> Finding:
        """What the whole ladder of steps proves: the same for every step of one's own."""
        return judge(self)[0]

    def beside(self) -> tuple[ShiftedLoss, ShiftedLoss] | None:
        """Return the same a small way to either side; None where nobody needs it."""
        return None

    def repeats(self) -> bool:
        """Say that the loss still is what it was: a network keeps nothing between two calls."""
        return True


def judged(loss: ShiftedLoss, eps: float, scheme: Scheme) -> dict[str, TensorReport]:
    """Judge the activations of each place at the step `eps`, as `gl.check` judges parameters."""
    slopes, kinks = loss.at_step(eps, scheme)
    err = np.full(len(kinks), loss.noise / eps if scheme.subtracts else 0.0)
    step, dead = np.full(len(kinks), float(eps)), (slopes == 0).all(axis=0)
    found, _ = judge_step(loss, slopes, err, step, kinks > 0, dead, known=lambda: loss.known)
    setting = Setting(eps, loss.net.dtype.itemsize == 4)
    return {
        place.name: tensor_report(
            place.name,
            loss.gradient[part],
            found.pick(part),
            kinks[part],
            place.shape,
            place.entries if len(place.entries) < np.prod(place.shape) else None,
            setting,
        )
        for place, part in zip(loss.places, loss.tensors, strict=True)
    }


class CutLoss(ShiftedLoss):
    """The loss as a function of what stands at one cut.

    Parameters
    ----------
    point : Point
    position : int
        Of the cut; 0 is the input.
    place : Place
        Entries in the order of `net.cut_activations`.
    gradient : ndarray
        dL/d(activation), in that order too, all of it.
    moved : ndarray or None, optional
        What stands at the cut instead of what comes there, in that order.
    """

    def __init__(
        self,
        point: Point,
        position: int,
        place: Place,
        gradient: np.ndarray,
        moved: np.ndarray | None = None,
    ) -> None:
        net, x, y, masks = point
        a, self._target = net.prepare(x, y)
        self._n = a.shape[-2]
        chain = net.chain(masks, self._n)
        for layer in chain[:position]:
            a = layer.forward(net.params, a)
        order = net.as_rows(np.arange(a.size).reshape(a.shape)[..., 0], self._n).ravel()
        if moved is not None:
            a = a.copy()
            a.reshape(-1)[order] = moved
        self._point, self._position, self._rest, self._a = point, position, chain[position:], a
        self._flat = a.reshape(-1)[order]
        self._where = order[place.entries]
        self._per_example = self._losses(a)
        self._tied = any(layer.ties_batch for layer in self._rest)
        base = float(self._per_example.sum() / self._n)
        value = self._flat[place.entries]
        super().__init__(net, [place], value, gradient.ravel()[place.entries], base)

    def run(self, entries: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses with entry e's activation at points[…, e], and the kinks crossed."""
        columns = self._a.shape[-2]
        feature, column = np.divmod(np.broadcast_to(self._where[entries], points.shape), columns)
        flat = points.ravel()
        widest = max(self._widest, self._a[..., 0, 0].size) * (columns if self._tied else 1)
        losses, kinks = np.empty(flat.size, points.dtype), np.zeros(flat.size, int)
        for part in _parts(flat.size, max(1, _ROOM // widest)):
            losses[part], kinks[part] = self._some(
                feature.ravel()[part], column.ravel()[part], flat[part]
            )
        return losses.reshape(points.shape), kinks.reshape(points.shape)

    def beside(self) -> tuple[CutLoss, CutLoss]:
        """Return the same a small way to either side, with the gradient that goes back there."""
        place, (_, gradient) = self.places[0], from_cut(self._point, self._position)
        return tuple(
            CutLoss(self._point, self._position, place, gradient(there), there)
            for there in aside(self._flat)
        )

    def _some(
        self, feature: np.ndarray, column: np.ndarray, values: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        size, each = len(values), np.arange(len(values))
        if self._tied:
            a = np.repeat(self._a.astype(values.dtype), size, axis=-1)
            a.reshape(-1, self._a.shape[-2], size)[feature, column, each] = values
            losses, kinks = self._through(a, self._rest, self._target, slice(None))
            return losses.sum(axis=0) / self._n, kinks.sum(axis=0)
        a = self._a[..., column, :].astype(values.dtype)
        a.reshape(-1, size)[feature, each] = values
        rest = [
            Mask(layer.mask[:, column]) if isinstance(layer, Mask) else layer
            for layer in self._rest
        ]
        target = self._target[column] if self._target.ndim == 1 else self._target[:, column]
        losses, kinks = self._through(a, rest, target, column)
        others = self._per_example.sum() - self._per_example[column]
        return (others + losses[:, 0]) / self._n, kinks[:, 0]

    def _through(
        self, a: np.ndarray, rest: list[Layer], target: np.ndarray, column: np.ndarray | slice
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return loss and kinks of each column, (columns, K)."""
        kinks = np.zeros(a.shape[-2:], int)
        for k, layer in enumerate(rest):
            if (before := self._branches[k]) is not None:
                changed = layer.branches(a) != before[..., column, :]
                kinks = kinks + changed.reshape(-1, *a.shape[-2:]).sum(axis=0)
            a = layer.forward(self._point.net.params, a)
        return self._point.net.loss_rule.per_example(a, target), kinks

    def _losses(self, a: np.ndarray) -> np.ndarray:
        """Return each column's loss, and remember on which side of its kinks everything is."""
        self._branches, self._widest = [], 1
        for layer in self._rest:
            self._branches.append(layer.branches(a))
            a = layer.forward(self._point.net.params, a)
            self._widest = max(self._widest, a[..., 0, 0].size, layer.scratch)
        return self._point.net.loss_rule.per_example(a, self._target)[:, 0]


class StepsLoss(ShiftedLoss):
    """The loss of an LSTM as a function of h, c and x at its time steps.

    A state that is moved is moved for all that comes after it. The columns are copies of the batch
    where every step counts, else single sequences.
    """

    def __init__(
        self,
        net: LSTMNet,
        x: np.ndarray,
        y: np.ndarray,
        places: Sequence[Place],
        gradients: Mapping[str, np.ndarray],
    ) -> None:
        self._a, self._target = net.prepare(x, y)
        self._n = self._a.shape[-2]
        layer, *self._rest = net.layers
        steps = list(layer.steps(net.params, self._a))
        values = {"h": [s.h for s in steps], "c": [s.c for s in steps], "x": self._a}
        rows = {
            f"{part}{t}": value[..., 0].T
            for part in PARTS
            for t, value in enumerate(values[part], 1)
        }
        self._layer, self._net = layer, net
        self._per_example = self._losses(self._a, self._target, None)[:, 0]
        # of each entry: which tensor, which feature, which sequence
        self._which = np.repeat(np.arange(len(places)), [len(p.entries) for p in places])
        self._example, self._feature = np.concatenate(
            [np.array(np.unravel_index(p.entries, p.shape)) for p in places], axis=1
        )

        def picked(of: Mapping[str, np.ndarray]) -> np.ndarray:
            return np.concatenate([of[p.name].ravel()[p.entries] for p in places])

        base = float(self._per_example.sum() / self._n)
        super().__init__(net, places, picked(rows), picked(gradients), base)

    def run(self, entries: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses with entry e at points[…, e]; an LSTM has no kinks."""
        entry, flat = np.broadcast_to(entries, points.shape).ravel(), points.ravel()
        numbers = len(self._a) * self._layer.scratch
        numbers *= self._n if self._layer.every_step else 1
        losses = np.empty(flat.size, points.dtype)
        for part in _parts(flat.size, max(1, _ROOM // numbers)):
            losses[part] = self._some(entry[part], flat[part])
        return losses.reshape(points.shape), np.zeros(points.shape, int)

    def _some(self, entry: np.ndarray, values: np.ndarray) -> np.ndarray:
        size, example = len(entry), self._example[entry]
        shift = values - self.value[entry]
        if self._layer.every_step:
            a, target = np.repeat(self._a.astype(values.dtype), size, axis=-1), self._target
            at = example, np.arange(size)
        else:
            a, target = self._a[:, :, example, :].astype(values.dtype), self._target
            target = target[example] if target.ndim == 1 else target[:, example]
            at = np.arange(size), np.zeros(size, int)
        moves = {}
        for k in np.unique(self._which[entry]):
            own = np.flatnonzero(self._which[entry] == k)
            name = self.places[k].name
            moves[name] = own, (self._feature[entry[own]], *(index[own] for index in at))

        def put(part: str, t: int, value: np.ndarray) -> np.ndarray:
            if (move := moves.get(f"{part}{t + 1}")) is not None:
                value = value.copy()
                value[move[1]] += shift[move[0]]
            return value

        a = np.stack([put("x", t, step) for t, step in enumerate(a)])
        losses = self._losses(a, target, put)
        if self._layer.every_step:
            return losses.sum(axis=0) / self._n
        others = self._per_example.sum() - self._per_example[example]
        return (others + losses[:, 0]) / self._n

    def _losses(self, a: np.ndarray, target: np.ndarray, put: Callable | None) -> np.ndarray:
        out = self._layer.forward(self._net.params, a, put=put)
        for layer in self._rest:
            out = layer.forward(self._net.params, out)
        return self._net.loss_rule.per_example(out, target)


@dataclass(frozen=True, eq=False)
class CutLosses:
    """The loss as a function of what stands at each cut, made once for all steps.

    Attributes
    ----------
    point : Point
        Its network goes back as is judged.
    samples, seed : int
        Entries of each cut that are looked at: those that `gl.bisect` draws.
    """

    point: Point
    samples: int = 100
    seed: int = 0

    @cached_property
    def cuts(self) -> dict[str, CutLoss]:
        """By the cut's name, from "input" to "output"."""
        net, x, y, masks = self.point
        grads = net.cut_gradients(x, y, masks)
        return {
            name: CutLoss(self.point, k, self._place(name, grad.shape), grad)
            for k, (name, grad) in enumerate(grads.items())
        }

    @cached_property
    def steps(self) -> StepsLoss | None:
        """The time steps of an LSTM; None for other networks."""
        net, x, y, _ = self.point
        if not isinstance(net, LSTMNet):
            return None
        grads = net.state_gradients(x, y)
        inputs = net.cut_gradients(x, y)["input"]
        grads |= {f"x{t}": grad for t, grad in enumerate(inputs, 1)}
        few = CutLosses(self.point, max(_FEWEST, 2 * self.samples // len(grads)), self.seed)
        places = [few._place(name, grad.shape) for name, grad in grads.items()]
        return StepsLoss(net, x, y, places, grads)

    def at(self, eps: float, scheme: Scheme) -> dict[str, TensorReport]:
        """Judge every cut at a step."""
        return {name: judged(loss, eps, scheme)[name] for name, loss in self.cuts.items()}

    def _place(self, name: str, shape: tuple[int, ...]) -> Place:
        size, rng = int(np.prod(shape)), np.random.default_rng(self.seed)
        entries = np.arange(size)
        if size > self.samples:
            entries = np.sort(rng.choice(entries, self.samples, replace=False))
        return Place(name, shape, entries)


_FEWEST = 4  # entries of one time step's tensor


def _parts(size: int, most: int) -> list[slice]:
    return [slice(a, a + most) for a in range(0, size, most)]
