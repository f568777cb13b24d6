"""The network drawn: a column of units a layer, each tensor coloured by its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradlab.checking import Report
from gradlab.plots.chart import Axis, Chart, Mark, dots, segments, words
from gradlab.plots.palette import LIGHT, STYLES, Palette, tensor_sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["network", "network_chart", "network_places"]

#: Units drawn of a wider layer: the first ones, dots, and the last one.
_MOST_UNITS = 7
#: Layers of weights whose names have room in one row.
_ROOMY = 4


def network_chart(sizes: Sequence[int], verdicts: Mapping[str, str], chosen: str = "") -> Chart:
    """Return the drawing of a network.

    Parameters
    ----------
    sizes : sequence of int
        Units of every layer, the input first.
    verdicts : mapping of str to str
        Of W1, b1, W2, …: each tensor is coloured, styled and labelled by its own. Lines are broken
        and units hollow where it is not "correct".
    chosen : str, optional
        A tensor to point at.
    """
    columns = [_unit_heights(size) for size in sizes]
    marks: list[Mark] = []
    for layer in range(1, len(sizes)):
        marks.append(_weights(layer, columns[layer - 1], columns[layer], verdicts[f"W{layer}"]))
    marks.append(dots(np.zeros(len(columns[0])), columns[0], ["faint"], radius=3.4, sign="square"))
    for layer in range(1, len(sizes)):
        verdict, heights = verdicts[f"b{layer}"], columns[layer]
        ends = np.full(len(heights), layer)
        sign, radius = ("disc", 4.6) if verdict == "correct" else ("ring", 3.9)
        marks.append(dots(ends, heights, [verdict], radius=radius, sign=sign))
    wide = [layer for layer, size in enumerate(sizes) if size > _MOST_UNITS]
    gaps = [float(np.mean(columns[layer][-2:])) for layer in wide]
    marks.append(words(wide, gaps, ["⋮"] * len(wide), "faint", 0.9))
    floor = np.full(len(sizes), -0.22 if len(sizes) <= _ROOMY + 1 else -0.31)
    size = 0.85 if len(sizes) <= 7 else 0.7
    marks.append(words(range(len(sizes)), floor, [str(n) for n in sizes], "faint", size))
    for name, place in network_places(len(sizes) - 1).items():
        marks.append(
            words(
                *place,
                [tensor_sign(name, verdicts[name], name == chosen)],
                verdicts[name],
                0.85 if len(sizes) <= _ROOMY + 1 else 0.7,
                bold=name == chosen,
            )
        )
    x = Axis(-0.45, len(sizes) - (0.55 if len(sizes) <= _ROOMY + 1 else 0.25))
    return Chart("Verdict per tensor", x, Axis(-0.35, 1.2), marks, framed=False)


def network_places(layers: int) -> dict[str, tuple[float, float]]:
    """Return where the names of W1, b1, W2, … stand, in data coordinates.

    Above the weights and below the units; those of a deep network in two rows, by turns.
    """
    places: dict[str, tuple[float, float]] = {}
    for layer in range(1, layers + 1):
        second = layers > _ROOMY and layer % 2 == 0
        places[f"W{layer}"] = layer - 0.5, 1.09 + 0.08 * second
        places[f"b{layer}"] = float(layer), -0.12 - 0.08 * second
    return places


def _weights(layer: int, before: np.ndarray, after: np.ndarray, verdict: str) -> Mark:
    """Return the lines from every unit of a layer to every unit of the next."""
    dash, width = STYLES[verdict]
    ends = np.tile(after, len(before)), np.repeat(before, len(after))
    return segments(layer - 1.0, ends[1], float(layer), ends[0], verdict, dash, 1.4 * width)


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
    from gradlab.plots.axes import draw  # matplotlib's axes: the lab opens without them

    draw(ax, network_chart(sizes, {n: str(report[n].verdict) for n in report}), palette)
