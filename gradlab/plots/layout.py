"""How much room a chart's texts need, in em, before matplotlib draws anything.

In the browser `lab/board/frame.js` is the same, with its own widths of texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from gradlab.plots.chart import Chart, Legend
from gradlab.plots.scales import ticks_of

__all__ = [
    "AIR",
    "EDGE",
    "LEGEND_LINE",
    "LEGEND_ROW",
    "POINTS",
    "SMALL",
    "TITLE",
    "Margins",
    "below",
    "legend_rows",
    "margins",
    "sides",
    "text_width",
]

#: One em in points.
POINTS = 10.0
#: Sizes of texts in em: ticks, legend and notes.
SMALL = 0.82
TITLE, LEGEND_ROW, LEGEND_LINE = 1.8, 1.15, 1.5
EDGE = 0.6
AIR = 0.25  # between legend and axes, where the topmost tick's text stands
_GAP, _TICK_ROW, _LABEL_ROW = 0.75, 1.35, 1.15
_FONT = FontProperties(size=100)


@dataclass(frozen=True)
class Margins:
    """Room around the axes, in em."""

    left: float
    right: float
    top: float
    bottom: float


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = SMALL) -> float:
    """Return the width of `text` in em, `size` em large."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, _FONT, ismath=False)
    return size * width / 100


def legend_rows(legend: Sequence[Legend], width: float) -> list[list[tuple[float, Legend]]]:
    """Break a legend into rows of at most `width` em: each entry with where it begins."""
    rows: list[list[tuple[float, Legend]]] = []
    x = 0.0
    for entry in legend:
        needed = _entry_width(entry)
        if not rows or x + needed > width:
            rows.append([])
            x = 0.0
        rows[-1].append((x, entry))
        x += needed + (_GAP if entry.text else 0.3)
    return rows


def _entry_width(entry: Legend) -> float:
    sign = text_width(entry.sign) if entry.sign else LEGEND_LINE
    return sign + (0.35 + text_width(entry.text) if entry.text else 0.0)


def sides(chart: Chart) -> tuple[float, float]:
    """Return the room at the left and at the right of a chart's axes, in em."""
    left, right = EDGE, EDGE + chart.right
    ticks = [text for _, text in ticks_of(chart.y)] if chart.framed else []
    if ticks:
        left += max(text_width(text) for text in ticks) + 0.5
    if chart.framed and not chart.right and ticks_of(chart.x):  # the last tick's text, half of it
        right = max(right, 0.5 * text_width(ticks_of(chart.x)[-1][1]) + 0.2)
    return left + (_LABEL_ROW if chart.y.label else 0.0), right


def below(chart: Chart) -> float:
    """Return the height of ticks and label below a chart's axes, and of its own texts, in em."""
    ticks = _TICK_ROW if chart.framed and ticks_of(chart.x) else 0.0
    return ticks + (_LABEL_ROW if chart.x.label else 0.0) + chart.bottom


def margins(chart: Chart, width: float) -> Margins:
    """Return what a chart, `width` em wide in all, needs around its axes."""
    left, right = sides(chart)
    rows = len(legend_rows(chart.legend, width - 2 * EDGE))
    note = _LABEL_ROW if chart.note else 0.0
    top = TITLE + LEGEND_ROW * rows + (AIR if rows else 0.0)
    return Margins(left, right, top, below(chart) + note + 0.5)
