"""The network drawn: a column of units a layer, each tensor coloured by its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from gradlab.checking import Report
from gradlab.plots.old_axes import STYLES
from gradlab.plots.palette import LIGHT, MARKS, Palette

__all__ = ["NetworkDrawing", "network"]

#: Units drawn of a wider layer: the first ones, dots, and the last one.
_MOST_UNITS = 7


class NetworkDrawing:
    """The panel, its artists made once and recoloured afterwards.

    Parameters
    ----------
    ax : Axes
        Where to draw; its frame is hidden.
    sizes : sequence of int
        Units of every layer, the input first.
    palette : Palette, optional

    Attributes
    ----------
    tensors : list of Artist
        What changes with a verdict.
    places : dict of str to (float, float)
        Where each tensor's name stands, in data coordinates.
    """

    def __init__(self, ax: Axes, sizes: Sequence[int], palette: Palette = LIGHT) -> None:
        self._palette = palette
        ax.set_axis_off()
        ax.set_xlim(-0.3, len(sizes) - 0.7)
        ax.set_ylim(-0.27, 1.17)
        ax.set_title("Verdict per tensor", loc="left", fontsize=10, color=palette.ink)
        small = 8.5 if len(sizes) <= 4 else 7.0
        columns = [_unit_heights(size) for size in sizes]
        self._weights: list[LineCollection] = []
        self._units: list[Artist] = []
        self._labels: list[Artist] = []
        self.places: dict[str, tuple[float, float]] = {}
        for layer, heights in enumerate(columns):
            ax.text(layer, -0.26, str(sizes[layer]), ha="center", fontsize=8.5, color=palette.faint)
            if sizes[layer] > _MOST_UNITS:
                gap = (heights[-1] + heights[-2]) / 2
                ax.text(layer, gap, "⋮", ha="center", va="center", fontsize=9, color=palette.faint)
            if layer == 0:
                ax.plot([0] * len(heights), heights, "s", ms=5, color=palette.faint, zorder=3)
                continue
            lines = [
                ((layer - 1, a), (layer, b)) for a in columns[layer - 1] for b in heights
            ]  # fmt: skip
            self._weights.append(ax.add_collection(LineCollection(lines, zorder=1)))
            (units,) = ax.plot([layer] * len(heights), heights, "o", ms=7, zorder=3, mew=1.6)
            self._units.append(units)
            for name, x, up in (("W", layer - 0.5, 1.08), ("b", layer, -0.14)):
                self._labels.append(ax.text(x, up, "", ha="center", fontsize=small, zorder=4))
                self.places[f"{name}{layer}"] = x, up
        self.tensors: list[Artist] = [*self._weights, *self._units, *self._labels]

    def set_verdicts(self, verdicts: Mapping[str, str]) -> None:
        """Colour, style and label every tensor by its verdict; the keys are W1, b1, W2, ….

        The fill of the units is hollow and the lines are broken where it is not "correct".
        """
        for layer, (lines, units) in enumerate(zip(self._weights, self._units, strict=True), 1):
            weight, bias = verdicts[f"W{layer}"], verdicts[f"b{layer}"]
            style, width = STYLES[weight]
            lines.set(linestyle=style, linewidth=width, color=self._palette.verdicts[weight])
            colour = self._palette.verdicts[bias]
            hollow = bias != "correct"
            units.set(color=colour, markerfacecolor=self._palette.paper if hollow else colour)
            labels = self._labels[2 * layer - 2 : 2 * layer]
            for text, name, verdict in zip(labels, ("W", "b"), (weight, bias), strict=True):
                crowded = len(self._weights) > 6
                text.set(text=MARKS[verdict] if crowded else f"{name}{layer}{MARKS[verdict]}")
                text.set_color(self._palette.verdicts[verdict])


def _unit_heights(size: int) -> np.ndarray:
    """Where a layer's drawn units stand, top to bottom, centred in 0 … 1."""
    count = min(size, _MOST_UNITS)
    if count == 1:
        return np.array([0.5])
    half = min(0.5, 0.085 * count)
    heights = np.linspace(0.5 + half, 0.5 - half, count)
    if size > _MOST_UNITS:
        heights = np.linspace(1.0, 0.0, count + 1)
        return np.delete(heights, count - 1)
    return heights


def network(ax: Axes, sizes: Sequence[int], report: Report, palette: Palette = LIGHT) -> None:
    """Draw a network of `sizes` on `ax`, its tensors coloured by the verdicts of `report`."""
    drawing = NetworkDrawing(ax, sizes, palette)
    drawing.set_verdicts({name: str(report[name].verdict) for name in report})
