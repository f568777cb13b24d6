"""The same check at other seeds: whether the verdict was luck."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any, ClassVar

import numpy as np

from gradlab.checking import BANDS
from gradlab.checking.verdict import SIGNS
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.problem import NO_NETWORK
from gradlab.lab.model.result import Result
from gradlab.lab.model.seeds import seeds_of
from gradlab.lab.text.words import two_digits
from gradlab.nn.mlp import MLP
from gradlab.plots.chart import Axis, Chart, Mark, boxes, dots, segments, words
from gradlab.plots.scales import power_of_ten

__all__ = ["SeedsPanel"]

_LOW, _HIGH = 1e-14, 3.0  # of the errors' axis
_SIGNS_AT = 30.0  # where the verdicts' row is, above the bands
_TICKS = tuple((at, power_of_ten(at)) for at in (1e-13, 1e-10, 1e-7, 1e-4, 1e-2, 1.0))
_LABELS = {
    "max_relative": "largest relative error",
    "sum_relative": "largest relative error (sum)",
    "norm_ratio": "largest norm ratio",
}


class SeedsPanel(Panel):
    """A column a seed: the verdict's sign, and the error as a dot over the bands."""

    name: ClassVar[str] = "seeds"
    title: ClassVar[str] = "The same check at other seeds"
    width: ClassVar[float] = 22.0
    at_rest: ClassVar[bool] = True
    hint: ClassVar[str] = "Click to go to that seed."

    def fits(self, result: Result) -> str:
        """Return why there are no other seeds."""
        if result.net is None:
            return NO_NETWORK
        if not isinstance(result.net, MLP):
            return "the weights of your network are its own: the lab draws none, whatever the seed"
        return ""

    def key(self, result: Result) -> Hashable:
        """Return the result: with another step every check is another."""
        return result

    def still(self, result: Result) -> Chart:
        """Return signs and dots over the bands."""
        reports = seeds_of(result).reports
        seeds = list(reports)
        low, high = seeds[0] - 0.6, seeds[-1] + 0.6
        edges = [_LOW, *(min(edge, _HIGH) for edge, _ in BANDS)]
        marks: list[Mark] = [
            boxes(low, edges[i], high, edges[i + 1], f"band{i}") for i in range(len(BANDS))
        ]
        here = result.settings.seed
        marks.append(segments(here, _LOW, here, _HIGH, "faint", dash=(2, 2)))
        for seed, report in reports.items():
            if report is None:
                marks.append(words([seed], [_SIGNS_AT], ["–"], "faint", 0.9))
                continue
            verdict = str(report.verdict)
            marks.append(
                words([seed], [_SIGNS_AT], [SIGNS[report.verdict]], verdict, 1.0, bold=seed == here)
            )
            if math.isnan(report.error):
                continue
            error = float(np.clip(report.error, 1.5 * _LOW, 0.8 * _HIGH))
            marks.append(dots([seed], [error], [verdict], radius=4.0, edge="paper"))
        step = 1 if seeds[-1] < 1000 else 3
        ticks = tuple((float(seed), str(seed)) for seed in seeds[::step])
        return Chart(
            self.title,
            Axis(low, high, "seed", ticks=ticks),
            Axis(_LOW, 150.0, _LABELS[result.settings.measure], True, _TICKS),
            marks,
            note=f"{_counted(result)}; dotted: the seed of this lab",
        )

    def alt(self, result: Result) -> str:
        """Return the counts, and error and verdict of each seed."""
        told = [
            f"{seed} not computed"
            if report is None
            else f"{seed} {report.verdict}, {two_digits(report.error)}"
            for seed, report in seeds_of(result).reports.items()
        ]
        label = _LABELS[result.settings.measure]
        return f"The verdict and the {label} by seed: {'; '.join(told)}. {_counted(result)}."

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the seed of that column."""
        seeds = list(seeds_of(result).reports)
        return {"seed": int(np.clip(round(float(x)), seeds[0], seeds[-1]))}


def _counted(result: Result) -> str:
    """Return "9 correct, 3 inconclusive"."""
    return ", ".join(f"{n} {verdict}" for verdict, n in seeds_of(result).counts.items())
