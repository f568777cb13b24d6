"""Relative error per tensor: a column a tensor, a dot an entry, the bands behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from gradlab.checking import Report
from gradlab.plots.markers import Markers
from gradlab.plots.old_axes import ERROR_RANGE, clip_errors, draw_bands, error_axis
from gradlab.plots.palette import LIGHT, MARKS, Palette

__all__ = ["Entries", "entries"]

_GOLDEN = 0.6180339887498949
#: Half the width of a column of dots, in columns.
_SPREAD = 0.34
#: Cells of a column's grid; two dots in one cell would be drawn on the same pixels.
_GRID = (24, 480)
_CROWD = 1000


class Entries:
    """The panel, its artists made once and moved afterwards.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    names : sequence of str
        The tensors, a column each.
    palette : Palette, optional

    Attributes
    ----------
    dots, marks : list of Artist
        What changes with every number, and what changes with a verdict only.
    """

    def __init__(self, ax: Axes, names: Sequence[str], palette: Palette = LIGHT) -> None:
        self.names, self._palette = tuple(names), palette
        error_axis(ax, palette, labels=False)
        ax.set_xlim(-0.6, len(self.names) - 0.4)
        many = len(self.names) > 12  # room for the weights' names only
        shown = [n.removeprefix("W") if n[0] == "W" else "" for n in self.names]
        ax.set_xticks(range(len(self.names)), shown if many else self.names)
        size = 9 if len(self.names) <= 6 else 7.5
        for label, name in zip(ax.get_xticklabels(), self.names, strict=True):
            label.set_color(palette.layer(name))
            label.set_fontweight("bold" if len(self.names) <= 6 else "normal")
            label.set_fontsize(size)
        ax.tick_params(axis="both", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_title("Every entry at this step", loc="left", fontsize=10, color=palette.ink)
        draw_bands(ax, palette, names=True)
        self._dots = Markers(ax, [palette.layer(name) for name in self.names], size=2.0)
        wide = 0.5 * ax.get_position().width * ax.figure.get_figwidth() * 72 / len(self.names)
        (self._bars,) = ax.plot([], [], "_", ms=min(wide, 30), color=palette.ink, mew=2.0)
        self._marks = [
            ax.text(i, 0.99, "", transform=ax.get_xaxis_transform(), ha="center", va="top",
                    fontsize=11, fontweight="bold")
            for i in range(len(self.names))
        ]  # fmt: skip
        self.dots: list[Artist] = [self._dots, self._bars]
        self.marks: list[Artist] = list(self._marks)

    def set_report(self, report: Report) -> None:
        """Show another report's entries, and each tensor's own number as a bar."""
        (x, y), counts, bars = self.positions(report)
        self._dots.set_points(x, y, counts)
        self._bars.set_data(*bars)

    def positions(self, report: Report) -> tuple[np.ndarray, list[int], np.ndarray]:
        """Return where dots (2, n) and bars (2, tensors) stand, and how many dots a tensor has."""
        parts = [report[name].errors.ravel() for name in self.names]
        heights = np.split(clip_errors(np.concatenate(parts)), np.cumsum([p.size for p in parts]))
        columns = [_spread(height, i) for i, height in enumerate(heights[:-1])]
        dots = np.array([np.concatenate(axis) for axis in zip(*columns, strict=True)])
        bars = clip_errors(np.array([report[name].error for name in self.names]))
        tops = np.array([np.arange(len(self.names)), bars])
        return dots, [len(column[0]) for column in columns], tops

    def set_verdicts(self, verdicts: Sequence[str]) -> None:
        """Write each tensor's verdict above its column, as a mark in the verdict's colour."""
        for text, verdict in zip(self._marks, verdicts, strict=True):
            text.set_text(MARKS[verdict])
            text.set_color(self._palette.verdicts[verdict])


def _spread(heights: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
    """Spread a tensor's errors over its column; of a crowd, dots on the same pixels are one.

    An entry keeps its place along x (a golden-ratio sequence over its index), so that while a
    slider is dragged each dot only moves up and down.
    """
    across = (np.arange(heights.size) * _GOLDEN) % 1.0
    if heights.size > _CROWD:
        low, high = np.log10(ERROR_RANGE)
        rows = ((np.log10(heights) - low) * (_GRID[1] / (high - low))).astype(np.int64)
        cells = rows * _GRID[0] + (across * _GRID[0]).astype(np.int64)
        _, keep = np.unique(cells, return_index=True)
        heights, across = heights[keep], across[keep]
    return column + _SPREAD * (2.0 * across - 1.0), heights


def entries(ax: Axes, report: Report, palette: Palette = LIGHT) -> Entries:
    """Draw every entry of `report` on `ax`."""
    panel = Entries(ax, tuple(report), palette)
    panel.set_report(report)
    panel.set_verdicts([str(report[name].verdict) for name in panel.names])
    return panel
