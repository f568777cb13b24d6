"""A picture as plain data: two axes, and marks in their coordinates, coloured by their roles.

Two painters draw it, and neither knows what it shows: `gradlab.plots.axes` with matplotlib, for
lessons, stored pictures and files; and the lab's board in the browser, for everything that moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "Axis",
    "Chart",
    "Legend",
    "Mark",
    "boxes",
    "cells",
    "curve",
    "dots",
    "segments",
    "words",
]

#: One mark: its kind, its arrays in data coordinates, how it looks. The functions below make it.
Mark = dict[str, Any]


@dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Attributes
    ----------
    low, high : float
        What is drawn; what lies outside is cut off.
    label : str
    log : bool
    ticks : tuple of (float, str) or None
        Where which text stands; None leaves that to the painter, () is none.
    """

    low: float
    high: float
    label: str = ""
    log: bool = False
    ticks: tuple[tuple[float, str], ...] | None = None


@dataclass(frozen=True)
class Legend:
    """One entry of a legend: a piece of line, or a sign, and its words."""

    text: str
    colour: str
    dash: tuple[float, ...] = ()
    sign: str = ""


@dataclass(frozen=True, eq=False)
class Chart:
    """A picture, or the part of one that stands still while a slider is dragged.

    Attributes
    ----------
    title : str
        Above, at the left.
    x, y : Axis
    marks : sequence of Mark
        The first ones lie below.
    aside : str
        Above, at the right: which tensor, say.
    note : str
        One small line below everything.
    legend : sequence of Legend
        Drawn by the painter where it covers no data: in a row below the title.
    framed : bool
        Whether the axes are drawn; a network needs none.
    square : bool
        Whether a unit is as long along y as along x.
    right, bottom : float
        Room for texts at the right of the axes, and below them, in em.
    """

    title: str
    x: Axis
    y: Axis
    marks: Sequence[Mark] = ()
    aside: str = ""
    note: str = ""
    legend: Sequence[Legend] = ()
    framed: bool = True
    square: bool = False
    right: float = 0.0
    bottom: float = 0.0


def curve(
    x: ArrayLike, y: ArrayLike, colour: str, width: float, dash: Sequence[float] = ()
) -> Mark:
    """Return a line through the points (n,), broken where one is NaN; `dash` in line widths."""
    return {
        "kind": "curve",
        "x": _array(x),
        "y": _array(y),
        "colour": colour,
        "dash": list(dash),
        "width": width,
    }


def dots(
    x: ArrayLike,
    y: ArrayLike,
    colours: Sequence[str],
    counts: Sequence[int] | None = None,
    radius: float = 2.0,
    edge: str | None = None,
    sign: str = "disc",
) -> Mark:
    """Return dots at (n,) points, in groups of `counts`, a colour a group; radius in pixels.

    `sign` is "disc", "square", "triangle" (its tip down) or "ring", which is filled with paper.
    """
    x = _array(x)
    counts = [len(x)] if counts is None else counts
    return {
        "kind": "dots",
        "x": x,
        "y": _array(y),
        "colours": list(colours),
        "ends": np.cumsum(counts).tolist(),
        "radius": radius,
        "edge": edge,
        "sign": sign,
    }


def segments(
    x0: ArrayLike,
    y0: ArrayLike,
    x1: ArrayLike,
    y1: ArrayLike,
    colour: str,
    dash: Sequence[float] = (),
    width: float = 1.0,
) -> Mark:
    """Return straight lines, all in one style: a cursor, a network's weights, bars of a column."""
    style = {"kind": "segments", "colour": colour, "dash": list(dash), "width": width}
    return style | _corners(x0, y0, x1, y1)


def boxes(
    x0: ArrayLike,
    y0: ArrayLike,
    x1: ArrayLike,
    y1: ArrayLike,
    fill: str | None,
    edge: str | None = None,
    dash: Sequence[float] = (),
    width: float = 1.0,
    round_by: float = 0.0,
    hatch: bool = False,
) -> Mark:
    """Return rectangles, all in one style; `round_by` in em; a hatch is drawn in colour `edge`."""
    style = {
        "kind": "boxes",
        "fill": fill,
        "edge": edge,
        "dash": list(dash),
        "width": width,
        "round": round_by,
        "hatch": hatch,
    }
    return style | _corners(x0, y0, x1, y1)


def words(
    x: ArrayLike,
    y: ArrayLike,
    texts: Sequence[str],
    colours: str | Sequence[str],
    size: float = 0.8,
    align: str = "center",
    base: str = "middle",
    dx: float = 0.0,
    dy: float = 0.0,
    bold: bool = False,
    outside: bool = False,
    halo: bool = False,
) -> Mark:
    """Return short texts at (n,) points, moved by (dx, dy) em, right and down; size in em.

    `align` is "left", "center" or "right", `base` is "top", "middle" or "bottom": where the point
    is. `outside` lets them stand beyond the axes; a `halo` of paper keeps them readable on lines.
    """
    texts = list(texts)
    colours = [colours] * len(texts) if isinstance(colours, str) else list(colours)
    return {
        "kind": "words",
        "x": _array(x),
        "y": _array(y),
        "texts": texts,
        "colours": colours,
        "size": size,
        "align": align,
        "base": base,
        "dx": dx,
        "dy": dy,
        "bold": bold,
        "outside": outside,
        "halo": halo,
    }


def cells(x0: float, y0: float, x1: float, y1: float, rgba: np.ndarray) -> Mark:
    """Return colours, uint8 (rows, columns, 4), as a matrix over a rectangle, first row at y1."""
    return {
        "kind": "cells",
        "box": [float(v) for v in (x0, y0, x1, y1)],
        "rgba": np.ascontiguousarray(rgba, np.uint8),
    }


def _array(values: ArrayLike) -> np.ndarray:
    return np.atleast_1d(np.asarray(values, dtype=float))


def _corners(x0: ArrayLike, y0: ArrayLike, x1: ArrayLike, y1: ArrayLike) -> dict[str, np.ndarray]:
    arrays = np.broadcast_arrays(*(_array(values) for values in (x0, y0, x1, y1)))
    return dict(zip(("x0", "y0", "x1", "y1"), (a.copy() for a in arrays), strict=True))
