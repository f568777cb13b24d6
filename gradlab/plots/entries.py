"""Relative error per tensor: a column a tensor, a dot an entry, the bands behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from gradlab.checking import BANDS, Report
from gradlab.plots.axes import draw
from gradlab.plots.chart import Axis, Chart, Mark, dots, segments, words
from gradlab.plots.looks import Look, looks_of
from gradlab.plots.palette import LIGHT, MARKS, Palette
from gradlab.plots.scales import ERROR_RANGE, clip_errors, error_axis, error_bands

__all__ = ["across", "entries", "entries_chart", "entries_marks"]

_GOLDEN = 0.6180339887498949
#: Half the width of a column of dots, in columns.
_SPREAD = 0.34
#: Cells of a column's grid; two dots in one cell would be drawn on the same pixels.
_GRID = (24, 480)
_CROWD = 1000
#: Columns that have room for whole names.
_FEW = 8
_ABOVE = 22.0


def entries_chart(names: Sequence[str]) -> Chart:
    """Return the columns of the tensors `names`, and the bands with their names."""
    left, right = -0.6, len(names) - 0.4
    marks = error_bands(left, right)
    edges = [ERROR_RANGE[0], *(min(edge, ERROR_RANGE[1]) for edge, _ in BANDS)]
    middles = np.sqrt(np.multiply(edges[:-1], edges[1:]))
    bands = [label for _, label in BANDS]
    marks.append(
        words([right] * len(bands), middles, bands, "faint", 0.72, "left", dx=0.35, outside=True)
    )
    below = _column_names(looks_of(names))
    return Chart(
        "Every entry at this step", Axis(left, right, ticks=()), error_axis(labels=False),
        [*marks, *below], right=5.4, bottom=1.3 * len(below),
    )  # fmt: skip


def _column_names(looks: Mapping[str, Look]) -> list[Mark]:
    """Return the names below the columns: in one row, or of many the kinds above the layers."""
    columns, floor = np.arange(len(looks)), ERROR_RANGE[0]
    colours = [look.colour for look in looks.values()]
    style = {"base": "top", "outside": True}
    long = any(len(name) > 2 for name in looks)
    if not any(look.kind for look in looks.values()) or (len(looks) <= _FEW and not long):
        floors = np.full(len(looks), floor)
        size = 0.9 if len(looks) <= 6 else 0.75
        return [words(columns, floors, list(looks), colours, size, dy=0.35, bold=True, **style)]
    kinds = [look.kind for look in looks.values()]
    size = min(0.75, 7.0 / len(looks))
    rows = [words(columns, np.full(len(looks), floor), kinds, colours, size, dy=0.35, **style)]
    of_layer: dict[str, list[int]] = {}
    for column, look in enumerate(looks.values()):
        of_layer.setdefault(look.short, []).append(column)
    middles = [float(np.mean(own)) for own in of_layer.values()]
    hues = [colours[own[0]] for own in of_layer.values()]
    floors = np.full(len(middles), floor)
    rows.append(words(middles, floors, list(of_layer), hues, 0.8, dy=1.4, bold=True, **style))
    return rows


def across(count: int) -> np.ndarray:
    """Return where the entries of a tensor stand in its column, (count,), from its middle.

    An entry keeps its place (a golden-ratio sequence over its index), so that while a slider is
    dragged each dot only moves up and down.
    """
    return _SPREAD * (2.0 * ((np.arange(count) * _GOLDEN) % 1.0) - 1.0)


def entries_marks(report: Report) -> list[Mark]:
    """Return a dot an entry, each tensor's own number as a bar, and its verdict's sign above."""
    columns = np.arange(len(report))
    parts = [clip_errors(tensor.errors.ravel()) for tensor in report.tensors.values()]
    places = [_thinned(heights, column) for column, heights in enumerate(parts)]
    x, y = (np.concatenate(axis) for axis in zip(*places, strict=True))
    hues = [look.colour for look in looks_of(report).values()]
    bars = clip_errors(np.array([tensor.error for tensor in report.tensors.values()]))
    verdicts = [str(tensor.verdict) for tensor in report.tensors.values()]
    return [
        dots(x, y, hues, [len(place[0]) for place in places], 1.4),
        segments(columns - 0.35, bars, columns + 0.35, bars, "ink", width=2.6),
        words(
            columns, np.full(len(report), _ABOVE), [MARKS[v] for v in verdicts], verdicts,
            1.0 if len(report) <= _FEW else 0.8, bold=True,
        ),
    ]  # fmt: skip


def _thinned(heights: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
    """Spread a tensor's errors over its column; of a crowd, dots on the same pixels are one."""
    places = across(heights.size)
    if heights.size > _CROWD:
        low, high = np.log10(ERROR_RANGE)
        rows = ((np.log10(heights) - low) * (_GRID[1] / (high - low))).astype(np.int64)
        cells = rows * _GRID[0] + ((places / _SPREAD + 1) * (_GRID[0] / 2)).astype(np.int64)
        _, keep = np.unique(cells, return_index=True)
        heights, places = heights[keep], places[keep]
    return column + places, heights


def entries(ax: Axes, report: Report, palette: Palette = LIGHT) -> None:
    """Draw every entry of `report` on `ax`."""
    draw(ax, entries_chart(tuple(report)), palette, entries_marks(report))
