"""The U-curve: relative error against the step, a line a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradlab.checking import BANDS, EpsSweep
from gradlab.plots.chart import Chart, Legend, Mark, boxes, curve, dots, segments
from gradlab.plots.looks import legend_of, looks_of
from gradlab.plots.palette import LIGHT, Palette
from gradlab.plots.scales import (
    EPS_RANGE,
    ERROR_RANGE,
    clip_errors,
    eps_axis,
    error_axis,
    error_bands,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["best_found", "u_curve", "u_curve_chart", "u_curve_cursor"]

_UPRIGHT = (ERROR_RANGE[0], 6.0)  # how far upright lines reach: not to the sign of the best step
_ABOVE = 28.0  # where that stands
_PREDICTED, _BEST = (1.0, 2.0), (2.0, 2.0)


def u_curve_chart(sweep: EpsSweep) -> Chart:
    """Return the lines of `sweep`, what was predicted, and where kinks are crossed."""
    looks = looks_of(sweep.errors)
    marks, legend = error_bands(*EPS_RANGE), legend_of(looks)
    if np.isfinite(sweep.kinks_from):
        stretch = (sweep.kinks_from, ERROR_RANGE[0], EPS_RANGE[1], ERROR_RANGE[1])
        marks.append(boxes(*stretch, None, "grid", hatch=True))
    found = best_found(sweep)
    if found is not None:
        marks.append(dots(found, _ABOVE, ["faint"], radius=3.2, sign="triangle"))
        legend.append(Legend("best found", "faint", sign="▼"))
    legend.append(Legend("predicted best", "faint", sign="┆"))
    if np.isfinite(sweep.kinks_from):
        legend.append(Legend("kinks crossed", "faint", sign="▨"))
    legend.append(Legend("predicted slopes", "faint", _PREDICTED))
    for predicted in (sweep.round_off, sweep.truncation):
        inside = (predicted > 1e-13) & (predicted < 1)
        marks.append(curve(sweep.eps[inside], predicted[inside], "faint", 1.4, _PREDICTED))
    best = sweep.predicted_best_eps
    marks.append(segments(best, _UPRIGHT[0], best, _UPRIGHT[1], "faint", _BEST, 1.6))
    for name, look in looks.items():
        marks.append(curve(sweep.eps, clip_errors(sweep.errors[name]), look.colour, 2.0, look.dash))
    of = "Norm ratio" if sweep.measure == "norm_ratio" else "Relative error"
    title = f"{of} against the step"
    return Chart(title, eps_axis(), error_axis(), marks, legend=legend)


def u_curve_cursor(names: Sequence[str], eps: float, errors: Sequence[float]) -> list[Mark]:
    """Return a line at `eps`, and a dot where each of the tensors `names` has its error."""
    heights = clip_errors(np.asarray(errors, dtype=float))
    hues = [look.colour for look in looks_of(names).values()]
    return [
        segments(eps, _UPRIGHT[0], eps, _UPRIGHT[1], "ink", width=1.6),
        dots(np.full(heights.size, eps), heights, hues, [1] * heights.size, 3.8, "paper"),
    ]


def best_found(sweep: EpsSweep) -> float | None:
    """Return the step at which the largest of the tensors' errors is smallest.

    None where that is no best step: where a bug keeps the error up at every one.
    """
    largest = np.max([clip_errors(e) for e in sweep.errors.values()], axis=0)
    lowest = int(np.argmin(largest))
    return float(sweep.eps[lowest]) if largest[lowest] <= BANDS[2][0] else None


def u_curve(ax: Axes, sweep: EpsSweep, eps: float | None = None, palette: Palette = LIGHT) -> None:
    """Draw `sweep` on `ax`, with a cursor at the nearest swept step if `eps` is given."""
    cursor: list[Mark] = []
    if eps is not None:
        nearest = int(np.argmin(np.abs(np.log(sweep.eps) - np.log(eps))))
        errors = [each[nearest] for each in sweep.errors.values()]
        cursor = u_curve_cursor(tuple(sweep.errors), float(sweep.eps[nearest]), errors)
    from gradlab.plots.axes import draw  # matplotlib's axes: the lab opens without them

    draw(ax, u_curve_chart(sweep), palette, cursor)
