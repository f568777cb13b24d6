"""Training before the check: as far as it is asked for, and on from there."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from gradlab.lab.model.settings import RANGES, SETTINGS, Settings
from gradlab.nn.network import Network
from gradlab.nn.training import train, updates

__all__ = ["LEARNING_RATES", "Trainer"]

_MOST_STEPS = RANGES["train_steps"][1]
_UNRELATED = {name: s.default for name, s in SETTINGS.items() if not s.trains}
#: Tried from the left: the first at which the loss does not rise over the first `TRIED` steps is
#: taken, however many are asked for. What a longer look finds is nearly always the same (in 55 of
#: 57 networks drawn at random), and never a smaller one.
LEARNING_RATES = (0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)
TRIED = 20
_KEPT = 4 << 20  # bytes of parameters on the way that are kept for one training
_TRAININGS = 2  # how many trainings are kept
_TELL_SECONDS = 0.05  # from one word on the progress to the next: each is a message to the browser


class Trainer:
    """Trains networks as `gl.train` does, only as far as is asked, and keeps the parameters.

    So the slider moves freely where it has been, and further on only the steps are made that are
    missing.

    Parameters
    ----------
    tell : callable, (float) -> None, optional
        Called with the fraction done, from 0 to 1, while a network is trained: at most 20 times a
        second, and always with 1 at the end.
    clock : callable, () -> float, optional
        Seconds.

    Attributes
    ----------
    trained : int
        How many trainings were begun; going on with one, or looking one up, is none.
    steps : int
        How many updates were made.
    """

    def __init__(
        self,
        tell: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listener = tell or (lambda fraction: None)
        self._clock, self._told = clock, -math.inf
        self._known: OrderedDict[object, _Training] = OrderedDict()
        self.trained = self.steps = 0

    def __call__(self, net: Network, x: np.ndarray, y: np.ndarray, settings: Settings) -> Network:
        """Return `net` after `settings.train_steps` steps, a copy; `net` stays as it is.

        Raises
        ------
        ValueError
            At every learning rate the loss overflows or rises over the first steps, or it
            overflows later.
        """
        key, steps = (settings.replace(**_UNRELATED), x.shape), settings.train_steps
        missing = key not in self._known or self._known[key].done < steps
        if missing:
            self._tell(0.0)
        try:
            if key not in self._known:
                self._known[key] = self._begin(net, x, y, settings)
                while len(self._known) > _TRAININGS:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            training = self._known[key]
            self._go_on(training, steps, steps)
        finally:
            if missing:
                self._tell(1.0)
        other = net.copy()
        other.theta = training.at(steps)
        return other

    def _begin(self, net: Network, x: np.ndarray, y: np.ndarray, settings: Settings) -> _Training:
        self.trained += 1
        before = net.loss(x, y)
        for rate in LEARNING_RATES:
            training = _Training(net, x, y, rate, settings.seed)
            try:
                self._go_on(training, TRIED, max(TRIED, settings.train_steps))
            except ValueError:  # it overflowed
                continue
            if training.net.loss(x, y) <= before:
                return training
        raise ValueError(
            "training does not lower the loss at any learning rate from "
            f"{LEARNING_RATES[0]:g} to {LEARNING_RATES[-1]:g}; lower the weight scale or λ"
        )

    def _go_on(self, training: _Training, steps: int, of: int) -> None:
        while training.done < steps:
            training.step()
            self.steps += 1
            if training.done < of:
                self._tell(training.done / of)

    def _tell(self, fraction: float) -> None:
        now = self._clock()
        if fraction == 1.0 or now - self._told >= _TELL_SECONDS:
            self._told = now
            self._listener(fraction)


class _Training:
    """One training: where it stands, and the parameters on the way.

    Attributes
    ----------
    net : Network
        After `done` steps.
    done : int
    thetas : dict of int to ndarray
        The parameters on the way, by the number of steps.
    """

    def __init__(self, net: Network, x: np.ndarray, y: np.ndarray, rate: float, seed: int) -> None:
        self._start, self._data, self._how = net.copy(), (x, y), (rate, seed)
        self.net, self.done = net.copy(), 0
        self._updates = updates(self.net, x, y, learning_rate=rate, seed=seed)
        # of a large network every few steps
        self._every = -(-_MOST_STEPS * net.theta.nbytes // _KEPT)
        self.thetas = {0: net.theta}
        self._broken = ""

    def step(self) -> None:
        """Make one more step; raises ValueError where the parameters or the loss overflow."""
        if self._broken:
            raise ValueError(self._broken)
        try:
            if next(self._updates) and not np.isfinite(self.net.loss(*self._data)):
                raise ValueError
        except ValueError:
            self._broken = (
                f"training overflows after {self.done} steps at the learning rate "
                f"{self._how[0]:g}, at which the loss fell at first; take fewer steps, or lower "
                "the weight scale or λ"
            )
            raise ValueError(self._broken) from None
        self.done += 1
        if self.done % self._every == 0:
            self.thetas[self.done] = self.net.theta

    def at(self, steps: int) -> np.ndarray:
        """Return the parameters after so many steps, of those that are done."""
        if steps == self.done:
            return self.net.theta
        if steps not in self.thetas:  # made again: it was not kept
            rate, seed = self._how
            other = self._start.copy()
            train(other, *self._data, steps=steps, learning_rate=rate, seed=seed, progress=False)
            return other.theta
        return self.thetas[steps]
