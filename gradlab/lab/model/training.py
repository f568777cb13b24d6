"""Training before the check: once for each network, and then looked up."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from gradlab.lab.model.settings import RANGES, SETTINGS, Settings
from gradlab.nn.network import Network
from gradlab.nn.training import train

__all__ = ["Trainer"]

_MOST_STEPS = RANGES["train_steps"][1]
_UNRELATED = {name: s.default for name, s in SETTINGS.items() if not s.trains}
#: Tried from the left: the first that keeps the loss falling over all steps is taken.
LEARNING_RATES = (0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)
_KEPT = 4 << 20  # bytes of parameters on the way that are kept for one training
_TRAININGS = 2  # how many trainings are kept
_TELL_SECONDS = 0.05  # from one word on the progress to the next: each is a message to the browser


class Trainer:
    """Trains networks as `gl.train` does, always the whole way, and keeps the parameters.

    So the slider moves freely once it has moved: each of its places is a look-up.

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
        How many trainings were run; looking one up is none.
    """

    def __init__(
        self,
        tell: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listener = tell or (lambda fraction: None)
        self._clock, self._told = clock, -math.inf
        self._known: OrderedDict[object, _Trajectory] = OrderedDict()
        self.trained = 0

    def __call__(self, net: Network, x: np.ndarray, y: np.ndarray, settings: Settings) -> Network:
        """Return `net` after `settings.train_steps` steps, a copy; `net` stays as it is.

        Raises
        ------
        ValueError
            At every learning rate the loss overflows or rises.
        """
        key = (_about_training(settings), x.shape)
        if key not in self._known:
            self._known[key] = self._train(net, x, y, settings.seed)
            while len(self._known) > _TRAININGS:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        found, steps = self._known[key], settings.train_steps
        other = net.copy()
        if steps in found.thetas:
            other.theta = found.thetas[steps]
        elif steps == found.extra[0]:
            other.theta = found.extra[1]
        else:  # a large network, of which only every few steps are kept
            train(other, x, y, steps=steps, learning_rate=found.rate, seed=settings.seed,
                  progress=False)  # fmt: skip
            found.extra = (steps, other.theta)
        return other

    def _train(self, net: Network, x: np.ndarray, y: np.ndarray, seed: int) -> _Trajectory:
        every = -(-_MOST_STEPS * net.theta.nbytes // _KEPT)
        self.trained += 1
        self._tell(0.0)
        try:
            for rate in LEARNING_RATES:
                found = _Trajectory(rate, every, self._tell)
                try:
                    history = train(net.copy(), x, y, steps=_MOST_STEPS, learning_rate=rate,
                                    seed=seed, progress=False, after_step=found.keep)  # fmt: skip
                except ValueError:  # it overflowed
                    continue
                if history.loss[-1] <= history.loss[0]:
                    return found
        finally:
            self._tell(1.0)
        raise ValueError(
            "training does not lower the loss at any learning rate from "
            f"{LEARNING_RATES[0]:g} to {LEARNING_RATES[-1]:g}; lower the weight scale or λ"
        )

    def _tell(self, fraction: float) -> None:
        now = self._clock()
        if fraction == 1.0 or now - self._told >= _TELL_SECONDS:
            self._told = now
            self._listener(fraction)


class _Trajectory:
    """The parameters on the way, by the number of steps done; `extra` is one more of them."""

    def __init__(self, rate: float, every: int, tell: Callable[[float], None]) -> None:
        self.rate, self._every, self._tell = rate, every, tell
        self.thetas: dict[int, np.ndarray] = {}
        self.extra: tuple[int, np.ndarray | None] = (0, None)

    def keep(self, step: int, net: Network) -> None:
        """Remember where `net` is; `gl.train` calls this after each step."""
        if step % self._every == 0:
            self.thetas[step] = net.theta
        if step < _MOST_STEPS:
            self._tell(step / _MOST_STEPS)


def _about_training(settings: Settings) -> Settings:
    """Return the settings with all that training does not depend on set to its default."""
    return settings.replace(**_UNRELATED)
