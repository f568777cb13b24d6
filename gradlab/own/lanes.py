"""Many evaluations in one call of a framework's `vmap`, held against single calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future

import numpy as np

from gradlab.checking.black_box import Along, Probe

Layout = dict[str, tuple[int, int, tuple[int, ...]]]
#: (theta (P,), tensor's name, entries of theta (B,), values (B,)) -> losses (B,): in lane b theta
#: with one entry replaced. All entries are the tensor's.
Many = Callable[[np.ndarray, str, np.ndarray, np.ndarray], np.ndarray]
MEMORY = 2**22  # numbers that the lanes of a batch may hold, of parameters, inputs and outputs
MOST = 256  # lanes: more of them gain little and take memory
FEW = 4  # so few points are not worth a batch
# By so many roundings a lane may differ from a single call: sums are taken in another order there.
ROUNDINGS = 1e3


class Lanes(Executor):
    """What `check_function` takes as `executor`: spreads evaluations over lanes, not processes.

    No batch is believed unseen. In every batch the first one is theta itself and must agree with a
    single call, and so must the one with the longest step; where they do not, or where the
    framework refuses, that tensor's evaluations are single calls from then on.

    Parameters
    ----------
    many : Many
    layout : dict of str to (start, stop, shape)
    numbers : dict of str to int
        How many lanes at a time, for each tensor.
    machine_eps : float
        Of the numbers that the loss is computed in.
    size : float
        Of the terms that the loss is a sum of: they may cancel.
    """

    def __init__(
        self, many: Many, layout: Layout, numbers: dict[str, int], machine_eps: float, size: float
    ) -> None:
        self.many, self.names, self.numbers = many, list(layout), numbers
        self.starts = np.array([lo for lo, _, _ in layout.values()])
        self.allowed = ROUNDINGS * machine_eps
        self.size = size
        self.alone = {name for name, number in numbers.items() if number <= FEW}
        self.used = False
        self._base: tuple[Probe | None, float] = (None, np.nan)

    def submit(self, fn: Callable, /, *args: object, **kwargs: object) -> Future:
        """Call it right now: only `map` has lanes."""
        done = Future()
        done.set_result(fn(*args, **kwargs))
        return done

    def map(self, fn: Callable, *iterables: Iterable, **_: object) -> Iterable:
        """Return the probe's answers at the points (entry, value), in their order."""
        if not (isinstance(fn, Probe) and len(iterables) == 1) or isinstance(fn.f, Along):
            return map(fn, *iterables)
        points = list(iterables[0])
        entries = np.array([i for i, _ in points], int)
        values = np.array([v for _, v in points], fn.theta.dtype)
        answers: list = [None] * len(points)
        of = np.searchsorted(self.starts, entries, side="right") - 1
        for k in np.unique(of):
            name, mine = self.names[k], np.flatnonzero(of == k)
            number = max(1, self.numbers[name] - 1)  # the first lane is theta itself
            for at in range(0, len(mine), number):
                part = mine[at : at + number]
                losses = self._batch(fn, name, entries[part], values[part])
                if losses is None:
                    losses = [fn(points[j]) for j in part]
                for j, loss in zip(part, losses, strict=True):
                    answers[j] = loss
        return answers

    def _batch(
        self, probe: Probe, name: str, entries: np.ndarray, values: np.ndarray
    ) -> list[float] | None:
        """Return the losses of a batch, or None where they must be single calls."""
        if name in self.alone or len(entries) < FEW:
            return None
        try:
            first = entries[:1], probe.theta[entries[:1]]
            with np.errstate(all="ignore"):
                given = (
                    np.concatenate(pair) for pair in zip(first, (entries, values), strict=True)
                )
                losses = np.asarray(self.many(probe.theta, name, *given), float)
        except Exception:  # the framework cannot do it this way: no concern of the caller's
            self.alone.add(name)
            return None
        longest = int(np.argmax(np.abs(values - probe.theta[entries])))
        single = probe((int(entries[longest]), values[longest]))
        base = self._at_theta(probe)
        if not self._agree(losses[0], base) or not self._agree(losses[1 + longest], single):
            self.alone.add(name)
            return None
        self.used = True
        return list(losses[1:] + (base - losses[0]))  # what all lanes are off by, theta's is too

    def _at_theta(self, probe: Probe) -> float:
        if self._base[0] is not probe:
            self._base = probe, probe.value(probe.theta)
        return self._base[1]

    def _agree(self, lane: float, single: float | Exception) -> bool:
        if isinstance(single, Exception) or not np.isfinite(single):
            return not np.isfinite(lane)
        return abs(lane - single) <= self.allowed * max(abs(single), self.size)
