"""Relative error per tensor: a column a tensor, a dot an entry, the bands behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradlab.checking import BANDS, Report
from gradlab.plots.chart import Axis, Chart, Mark, dots, segments, words
from gradlab.plots.layout import text_width
from gradlab.plots.looks import Look, looks_of
from gradlab.plots.palette import LIGHT, MARKS, Palette
from gradlab.plots.scales import ERROR_RANGE, clip_errors, error_axis, error_bands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
#: Room for the bands' names, and for the columns, in em.
_RIGHT, _WIDE = 5.6, 8.2


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
    looks = looks_of(names)
    below, note = _column_names(looks)
    if note:  # lines between the layers
        layers = [look.layer for look in looks.values()]
        ends = [i - 0.5 for i in range(1, len(layers)) if layers[i] != layers[i - 1]]
        marks.append(segments(ends, ERROR_RANGE[0], ends, ERROR_RANGE[1], "grid"))
    return Chart(
        "Every entry at this step",
        Axis(left, right, ticks=()),
        error_axis(),
        [*marks, *below],
        note=note,
        right=_RIGHT,
        bottom=1.2 * len(below),
    )


def _column_names(looks: Mapping[str, Look]) -> tuple[list[Mark], str]:
    """Return the names below the columns, and a note.

    In one row; of many tensors the kinds stand above the layers, or in the note where they are too
    many for that.
    """
    long = any(len(name) > 2 for name in looks)
    if not any(look.kind for look in looks.values()) or (len(looks) <= _FEW and not long):
        at = [(float(i), name, look.colour) for i, (name, look) in enumerate(looks.items())]
        return [_row(at, 0.35, len(looks))], ""
    kinds = [(float(i), look.kind, look.colour) for i, look in enumerate(looks.values())]
    of_layer: dict[str, list[int]] = {}
    for column, look in enumerate(looks.values()):
        of_layer.setdefault(look.short.replace("output", "out"), []).append(column)
    layers = [(float(np.mean(own)), name, kinds[own[0]][2]) for name, own in of_layer.items()]
    if len(looks) <= _FEW:
        return [_row(kinds, 0.35, len(looks)), _row(layers, 1.45, len(layers))], ""
    own_kinds = {name: ", ".join(kinds[c][1] for c in own) for name, own in of_layer.items()}
    usual = next(iter(own_kinds.values()))
    others = [f"{name}: {own}" for name, own in own_kinds.items() if own != usual]
    return [_row(layers, 0.35, len(layers))], "; ".join([f"from the left: {usual}", *others])


def _row(at: Sequence[tuple[float, str, str]], dy: float, columns: int) -> Mark:
    """Return bold words, each (x, text, role), `dy` em below the axes."""
    x, texts, colours = zip(*at, strict=True)
    longest = max(text_width(text, 1.2) for text in texts)  # bold is wider
    return words(
        x,
        [ERROR_RANGE[0]] * len(x),
        texts,
        colours,
        min(0.9, 0.9 * _WIDE / columns / longest),
        base="top",
        dy=dy,
        bold=True,
        outside=True,
    )


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
            columns,
            np.full(len(report), _ABOVE),
            [MARKS[v] for v in verdicts],
            verdicts,
            min(1.0, _WIDE / len(report)),
            bold=True,
        ),
    ]


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
    from gradlab.plots.axes import draw  # matplotlib's axes: the lab opens without them

    draw(ax, entries_chart(tuple(report)), palette, entries_marks(report))
