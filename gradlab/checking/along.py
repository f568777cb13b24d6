"""The loss along one parameter: what a difference looks at, seen from the side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.checking.fast import Copies
from gradlab.nn.network import Network, Point

__all__ = ["FunctionAlong", "LossAlong"]

_PIECES = 8  # that an interval with a kink in it is cut into, again and again
_ROUNDS = 4  # of cutting: a kink is known to 1/8**4 of the distance of two samples
_ROOM = 1 << 20  # numbers that the copies of one pass may write in a layer
_MANY = 24  # intervals with kinks: more are not told apart on any picture


class LossAlong:
    """L(w + t) over t, for one entry w of one tensor, by the engine of the numerical gradient.

    Parameters
    ----------
    point : Point
        Network, examples and dropout masks.
    name : str
        Of the tensor.
    entry : int
        Which of the raveled tensor's entries w is.

    Attributes
    ----------
    value : float
        w.
    redrawn : bool
        Whether every evaluation has dropout masks of its own: then there is no curve, only dots.
    """

    def __init__(self, point: Point, name: str, entry: int) -> None:
        net, x, y, masks = point
        self.copies = Copies(net, *net.prepare(x, y), masks)
        self.value = net.params[name].reshape(-1)[entry]
        self.position, self.index = _place(net, self.copies, name, entry)
        self.redrawn = self.copies.redrawn is not None

    def losses(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distances that rounding left of `t` (T,), and L(w + t) there.

        In one order of additions for all: what they differ by is the loss's own round-off. Complex
        distances give complex losses, as the complex step takes them.
        """
        t = np.asarray(t)
        t = t.astype(complex if np.iscomplexobj(t) else self.value.dtype)
        taken = (self.value + t) - self.value
        loss = self.copies.losses(self.position, taken[:, None], np.array([self.index]))
        return taken, loss[:, 0]

    def kinks(self, t: np.ndarray) -> np.ndarray:
        """Return where the loss has kinks between the ascending distances `t` (T,), ascending.

        There a unit's pre-activation changes sign, or a max-pool its winner. Kinks that lie closer
        together than 1/8**4 of the distance of two samples count as one; where more than 24 pairs
        of neighbours have kinks between them, each pair is told once, by its middle.
        """
        if self.redrawn or not self.copies.has_kinks:
            return np.zeros(0)
        rows = np.arange(0, len(t) - 1, _PIECES)[:, None] + np.arange(_PIECES + 1)
        low, high = self._changes(np.asarray(t, float)[np.minimum(rows, len(t) - 1)])
        for _ in range(_ROUNDS if len(low) <= _MANY else 0):
            share = np.linspace(0, 1, _PIECES + 1)
            low, high = self._changes(low[:, None] + (high - low)[:, None] * share)
            if len(low) > 4 * _MANY:
                break
        return (low + high) / 2

    def _changes(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the neighbours in each row of `t` (R, T) between which a branch changes."""
        changed = np.zeros((len(t), t.shape[1] - 1), bool)
        together = max(1, _ROOM // (max(self.copies.widths) * self.copies.batch * t.shape[1]))
        for start in range(0, len(t), together):
            some = t[start : start + together]
            step = some.reshape(-1).astype(self.value.dtype)
            for pattern in self.copies.patterns(self.position, step, self.index):
                sides = pattern.reshape(-1, *some.shape)
                differs = (sides[..., 1:] != sides[..., :-1]).any(axis=0)
                changed[start : start + together] |= differs
        return t[:, :-1][changed], t[:, 1:][changed]


class FunctionAlong:
    """The same of any function f(theta), by one evaluation after the other.

    Parameters
    ----------
    f : callable, (P,) -> float
    theta : ndarray, shape (P,)
    entry : int
        Which of theta's entries w is.
    """

    redrawn = False

    def __init__(self, f: Callable[[np.ndarray], float], theta: np.ndarray, entry: int) -> None:
        self.f, self.theta, self.entry, self.value = f, theta, entry, theta[entry]

    def losses(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distances that rounding left of `t` (T,), and f there; NaN where it raises."""
        taken = (self.value + np.asarray(t, self.value.dtype)) - self.value
        return taken, np.array([self._at(self.value + distance) for distance in taken])

    def kinks(self, t: np.ndarray) -> np.ndarray:
        """Return none: from values alone they cannot be told."""
        return np.zeros(0)

    def _at(self, value: float) -> float:
        theta = self.theta.copy()
        theta[self.entry] = value
        try:
            return float(np.squeeze(self.f(theta)))
        except Exception:  # whatever f raises: it is not defined there
            return float("nan")


def _place(net: Network, copies: Copies, name: str, entry: int) -> tuple[int, int]:
    """Return the layer that reads the tensor, and the entry's place among its parameters."""
    for position, layer in enumerate(copies.chain):
        if name in layer.param_names:
            before = layer.param_names[: layer.param_names.index(name)]
            return position, entry + sum(net.params[other].size for other in before)
    raise KeyError(name)
