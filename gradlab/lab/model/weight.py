"""The one weight that is looked at: its place, both gradients there, and the loss along it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gradlab.checking.along import FunctionAlong, LossAlong
from gradlab.checking.schemes import SCHEME_TABLE, Scheme
from gradlab.nn.network import Point

if TYPE_CHECKING:
    from gradlab.checking import TensorReport
    from gradlab.lab.model.result import Result

__all__ = ["SAMPLES", "Weight"]

SAMPLES = 65  # evaluations of the loss for the curve: odd, so that the weight itself is one
#: The window reaches so many times as far as the difference, at least.
_ROOM = 1.5


@dataclass(frozen=True, eq=False)
class Weight:
    """The entry that a result looks at, at the step that is set.

    Attributes
    ----------
    result : Result
        What it is a part of.
    """

    result: Result

    @property
    def tensor(self) -> str:
        """The tensor that it is in."""
        return self.result.tensor

    @property
    def entry(self) -> int:
        """Where in the raveled tensor."""
        return self.result.entry

    @property
    def name(self) -> str:
        """Such as "W1[3, 0]"."""
        index = np.unravel_index(self.entry, self._report.shape)
        return f"{self.tensor}[{', '.join(str(int(i)) for i in index)}]"

    @property
    def value(self) -> float:
        """The weight itself."""
        return float(self.along.value)

    @cached_property
    def at(self) -> int | None:
        """Where among the entries that were checked; None where this one was not."""
        if self._report.entries is None:
            return self.entry
        places = np.flatnonzero(self._report.entries == self.entry)
        return int(places[0]) if len(places) else None

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
    def along(self) -> LossAlong | FunctionAlong:
        """The loss along it."""
        problem, settings = self.result.problem, self.result.settings
        if problem.function is not None:
            function = problem.function
            start = function.tensors[self.tensor][0]
            # of directions only the loss itself is asked for: there is no one weight
            entry = 0 if self._report.directional else start + self.entry
            return FunctionAlong(function.f, function.theta, entry)
        point = Point(problem.net, problem.x, problem.y, problem.masks(settings))
        return LossAlong(point, self.tensor, self.entry)

    @property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances t (SAMPLES,) over the window, the middle one 0, and L(w + t) - L(w) there."""
        _, t, rise = self._seen
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
        _, t, rise = self._seen
        taken, rise = t[SAMPLES:], rise[SAMPLES:]
        points = value + taken.astype(value.dtype)
        return taken, rise, float(rule.combine(rise, points, eps))

    @property
    def base(self) -> float:
        """L(w)."""
        return self._seen[0]

    @property
    def gap(self) -> float:
        """Distance of L(w) to the next number that there is: what stairs are high."""
        return float(np.spacing(np.abs(self.along.value.dtype.type(self.base))))

    @property
    def window(self) -> float:
        """Half the width of a picture: 2 times a power of ten, so that it stands still for long."""
        reach = max(abs(offset) for offset in self.rule.offsets) * self.result.settings.eps
        return 2 * 10.0 ** math.ceil(math.log10(_ROOM * reach / 2))

    @cached_property
    def _seen(self) -> tuple[float, np.ndarray, np.ndarray]:
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
    def _report(self) -> TensorReport:
        return self.result.report[self.tensor]
