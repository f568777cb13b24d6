"""The one weight that is looked at: its place, both gradients there, and the loss along it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gradlab.checking.along import LossAlong
from gradlab.checking.schemes import SCHEME_TABLE, Scheme
from gradlab.nn.point import Point

if TYPE_CHECKING:
    from gradlab.checking import TensorReport
    from gradlab.lab.model.result import Result

__all__ = ["SAMPLES", "Weight", "chosen_weight"]

#: A window is that many steps wide, at least: what the difference looks at is well inside of it.
_ROOM = 1.5
SAMPLES = 65  # evaluations of the loss for the curve: odd, so that the weight itself is one


@dataclass(frozen=True, eq=False)
class Weight:
    """One entry of one tensor, at the step that is set.

    Attributes
    ----------
    result : Result
        What it is a part of.
    tensor : str
    entry : int
        Index into the raveled tensor.
    at : int or None
        Index into the entries that were checked; None where this one was not.
    """

    result: Result
    tensor: str
    entry: int
    at: int | None

    @property
    def name(self) -> str:
        """Such as "W1[3, 0]"."""
        index = np.unravel_index(self.entry, self.result.net.params[self.tensor].shape)
        return f"{self.tensor}[{', '.join(str(int(i)) for i in index)}]"

    @property
    def value(self) -> float:
        """The weight itself."""
        return float(self.result.net.params[self.tensor].flat[self.entry])

    @property
    def analytic(self) -> float:
        """The slope by backpropagation."""
        return float(self.result.analytic[self.tensor].flat[self.entry])

    @property
    def numerical(self) -> float:
        """The slope by a difference: the check's, or where it left this entry out, its own."""
        if self.at is None:
            return self.difference[2]
        return float(self._report.numerical.flat[self.at])

    @property
    def error(self) -> float:
        """The relative error in the chosen measure, NaN where the entry was not checked."""
        return math.nan if self.at is None else float(self._report.errors.flat[self.at])

    @property
    def mark(self) -> str:
        """What the check thinks of it: a word of `TensorReport.marks`; "" if it was not checked."""
        return "" if self.at is None else str(self._report.marks.flat[self.at])

    @property
    def kinks(self) -> int:
        """How many kinks lie between the points of its difference."""
        return 0 if self.at is None else int(self._report.kinks.flat[self.at])

    @property
    def rule(self) -> Scheme:
        """The scheme of its difference."""
        return SCHEME_TABLE[self.result.settings.scheme]

    @cached_property
    def along(self) -> LossAlong:
        """The loss along it."""
        r = self.result
        masks = r.problem.masks(r.settings)
        return LossAlong(Point(r.net, r.x, r.y, masks), self.tensor, self.entry)

    @cached_property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances t (SAMPLES,) over the window, the middle one 0, and L(w + t) - L(w) there."""
        t, rise = self._seen
        return t[:SAMPLES], rise[:SAMPLES]

    @cached_property
    def difference(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Where the scheme evaluates the loss, L(w + t) - L(w) there, and the slope from these.

        The complex step looks at no place on this line: it has no points.
        """
        rule, eps, value = self.rule, self.result.settings.eps, self.along.value
        if not rule.subtracts:
            taken, losses = self.along.losses(np.array(rule.offsets) * eps)
            return np.zeros(0), np.zeros(0), float(rule.combine(losses, value + taken, eps))
        taken, rise = (array[SAMPLES:] for array in self._seen)
        points = value + taken.astype(value.dtype)
        return taken, rise, float(rule.combine(rise, points, eps))

    @property
    def base(self) -> float:
        """L(w)."""
        return self._base_and_seen[0]

    @cached_property
    def _base_and_seen(self) -> tuple[float, np.ndarray, np.ndarray]:
        """L(w), and of the curve and of the difference's points: t, and L(w + t) - L(w)."""
        t = np.linspace(-self.window, self.window, SAMPLES)
        if self.rule.subtracts:
            t = np.concatenate([t, np.real(self.rule.offsets) * self.result.settings.eps])
        with np.errstate(all="ignore"):  # what overflows has no place on the picture
            taken, losses = self.along.losses(t)
            base = losses[SAMPLES // 2]
            rise = (losses - base).astype(float)  # in the network's own numbers
        return float(base), taken.astype(float), np.where(np.isfinite(rise), rise, np.nan)

    @property
    def _seen(self) -> tuple[np.ndarray, np.ndarray]:
        return self._base_and_seen[1:]

    @property
    def gap(self) -> float:
        """Distance of L(w) to the next number that there is: what stairs are high."""
        return float(np.spacing(np.abs(self.along.value.dtype.type(self.base))))

    @property
    def window(self) -> float:
        """Half the width of a picture: 2 times a power of ten, so that it stands still for long."""
        reach = max(abs(offset) for offset in self.rule.offsets) * self.result.settings.eps
        return 2 * 10.0 ** math.ceil(math.log10(_ROOM * reach / 2))

    @property
    def _report(self) -> TensorReport:
        return self.result.report[self.tensor]


def chosen_weight(result: Result) -> Weight:
    """Return the entry that is set, of the tensor looked at; the worst one where none is set.

    The worst is the first that is wrong beyond doubt, else that with the largest error.
    """
    tensor = result.tensor
    report, entry = result.report[tensor], result.settings.entry
    if entry < 0 or entry >= result.net.params[tensor].size:
        errors = np.where(np.isnan(report.errors), np.inf, report.errors).ravel()
        at = int(np.argmax(errors))
        entry = at if report.entries is None else int(report.entries[at])
        return Weight(result, tensor, entry, at)
    if report.entries is None:
        return Weight(result, tensor, entry, entry)
    places = np.flatnonzero(report.entries == entry)
    return Weight(result, tensor, entry, int(places[0]) if len(places) else None)
