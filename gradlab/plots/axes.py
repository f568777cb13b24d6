"""Paints a chart with matplotlib, on any Axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator
from matplotlib.transforms import ScaledTranslation, Transform

from gradlab.plots.chart import Chart, Legend, Mark
from gradlab.plots.layout import (
    AIR,
    EDGE,
    LEGEND_LINE,
    LEGEND_ROW,
    POINTS,
    SMALL,
    below,
    legend_rows,
    sides,
    text_width,
)
from gradlab.plots.palette import LIGHT, Palette
from gradlab.plots.scales import ticks_of

__all__ = ["draw"]

_INCH = POINTS / 72  # one em
_PIXEL = POINTS / 13.9  # of the lab's board at scale 1, in points
_MARKERS = {"disc": "o", "square": "s", "triangle": "v", "ring": "o"}
_BASES = {"top": "top", "middle": "center", "bottom": "bottom"}
_HALO = 0.35 * POINTS  # width of the paper around letters
_LOWEST = 1.0  # zorder of the first mark: above the background, below ticks


def draw(ax: Axes, chart: Chart, palette: Palette = LIGHT, moving: Sequence[Mark] = ()) -> None:
    """Draw `chart` on `ax`, the marks `moving` above its own.

    Title and legend stand above the axes: leave room there, or let the figure have
    `layout="constrained"`.
    """
    _frame(ax, chart, palette)
    for i, mark in enumerate((*chart.marks, *moving)):
        _PAINTERS[mark["kind"]](ax, mark, palette, _LOWEST + 1e-3 * i)
    _texts(ax, chart, palette)


def _frame(ax: Axes, chart: Chart, palette: Palette) -> None:
    ax.set_facecolor(palette.paper)
    for axis, data, log in ((ax.xaxis, chart.x, ax.set_xscale), (ax.yaxis, chart.y, ax.set_yscale)):
        log("log" if data.log else "linear")
        ticks = ticks_of(data) if chart.framed else ()
        axis.set_ticks([at for at, _ in ticks], [text for _, text in ticks])
        axis.set_minor_locator(NullLocator())
    ax.set_xlim(chart.x.low, chart.x.high)
    ax.set_ylim(chart.y.low, chart.y.high)
    ax.set_autoscale_on(False)
    if chart.square:
        ax.set_aspect("equal", adjustable="box", anchor="NW")
    ax.tick_params(
        colors=palette.ink, labelsize=SMALL * POINTS, length=3, color=palette.faint, pad=2.5
    )
    for side, spine in ax.spines.items():
        spine.set_visible(chart.framed and side in ("left", "bottom"))
        spine.set_color(palette.faint)
    size = {"fontsize": 0.9 * POINTS, "color": palette.ink}
    ax.set_xlabel(chart.x.label, labelpad=1, **size)
    ax.set_ylabel(chart.y.label, labelpad=1, **size)


def _texts(ax: Axes, chart: Chart, palette: Palette) -> None:
    """Write title, aside, legend and note around the axes, from one end of the panel to the other.

    They begin where the ticks' texts do, so that a narrow panel has room for its legend.
    """
    given = ax.get_position(original=True).width * ax.figure.get_figwidth() / _INCH
    left, right = (room - EDGE for room in sides(chart))
    rows = legend_rows(chart.legend, given + left + right)
    up = LEGEND_ROW * len(rows) + (AIR if rows else 0.0) + 0.5
    size = {"fontsize": POINTS, "color": palette.ink}
    ax.text(-left * _INCH, up * _INCH, chart.title, transform=_from(ax, 0, 1), **size)
    if chart.aside:
        place = right * _INCH, up * _INCH
        ax.text(*place, chart.aside, ha="right", transform=_from(ax, 1, 1), **size)
    for number, row in enumerate(rows):
        up = LEGEND_ROW * (len(rows) - number - 0.5) + AIR + 0.2
        for x, entry in row:
            _legend_entry(ax, entry, palette, x - left, up)
    if chart.note:
        ax.text(
            -left * _INCH,
            -(below(chart) + 0.2) * _INCH,
            chart.note,
            va="top",
            fontsize=SMALL * POINTS,
            color=palette.faint,
            transform=_from(ax, 0, 0),
        )


def _from(ax: Axes, x: float, y: float) -> Transform:
    """Return what places things in inches from a corner of the axes, wherever that will be."""
    return ax.figure.dpi_scale_trans + ScaledTranslation(x, y, ax.transAxes)


def _legend_entry(ax: Axes, entry: Legend, palette: Palette, x: float, up: float) -> None:
    """Draw one entry, its left end `x` em from the axes' left side, `up` em above its top."""
    colour = palette.hex(entry.colour)
    corner = _from(ax, 0, 1)
    style = {"fontsize": SMALL * POINTS, "va": "center", "transform": corner}
    if entry.sign:
        ax.text(x * _INCH, up * _INCH, entry.sign, color=colour, **style)
        x += text_width(entry.sign)
    else:
        ends = [x * _INCH, (x + LEGEND_LINE) * _INCH]
        ax.add_artist(
            Line2D(
                ends,
                [up * _INCH] * 2,
                color=colour,
                lw=1.6,
                ls=_dash(entry.dash),
                transform=corner,
                clip_on=False,
                dash_capstyle="butt",
            )
        )
        x += LEGEND_LINE
    if entry.text:
        ax.text((x + 0.35) * _INCH, up * _INCH, entry.text, color=palette.ink, **style)


def _dash(dash: Sequence[float]) -> str | tuple[float, tuple[float, ...]]:
    return (0, tuple(dash)) if dash else "-"


def _curve(ax: Axes, mark: Mark, palette: Palette, zorder: float) -> None:
    ax.add_line(
        Line2D(
            mark["x"],
            mark["y"],
            color=palette.hex(mark["colour"]),
            lw=mark["width"] * _PIXEL,
            ls=_dash(mark["dash"]),
            zorder=zorder,
        )
    )


def _dots(ax: Axes, mark: Mark, palette: Palette, zorder: float) -> None:
    start = 0
    for colour, end in zip(mark["colours"], mark["ends"], strict=True):
        hue = palette.hex(colour)
        ring = mark["sign"] == "ring"
        edge = hue if ring or mark["edge"] is None else palette.hex(mark["edge"])
        x, y = _inside(ax, mark["x"][start:end], mark["y"][start:end])
        line = Line2D(
            x,
            y,
            ls="none",
            marker=_MARKERS[mark["sign"]],
            clip_on=False,
            ms=2 * mark["radius"] * _PIXEL,
            color=hue,
            mfc=palette.paper if ring else hue,
            mec=edge,
            mew=1.6 * _PIXEL if ring else 0.0 if mark["edge"] is None else 0.8,
            zorder=zorder,
        )
        ax.add_line(line)
        start = end


def _inside(ax: Axes, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points on the axes: a dot on their edge is drawn whole, one outside is not."""
    (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    here = (x >= left) & (x <= right) & (y >= low) & (y <= high)
    return x[here], y[here]


def _segments(ax: Axes, mark: Mark, palette: Palette, zorder: float) -> None:
    ends = np.stack([mark[key] for key in ("x0", "y0", "x1", "y1")], axis=-1).reshape(-1, 2, 2)
    ax.add_collection(
        LineCollection(
            list(ends),
            colors=palette.hex(mark["colour"]),
            linewidths=mark["width"] * _PIXEL,
            linestyles=[_dash(mark["dash"])],
            zorder=zorder,
        ),
        autolim=False,
    )


def _boxes(ax: Axes, mark: Mark, palette: Palette, zorder: float) -> None:
    edge = None if mark["edge"] is None else palette.hex(mark["edge"])
    style = {
        "facecolor": "none" if mark["fill"] is None else palette.hex(mark["fill"]),
        "edgecolor": "none" if edge is None else edge,
        "linewidth": 0.0 if mark["hatch"] or edge is None else mark["width"] * _PIXEL,
        "linestyle": _dash(mark["dash"]),
        "hatch": "//" if mark["hatch"] else None,
    }
    corners = zip(mark["x0"], mark["y0"], mark["x1"], mark["y1"], strict=True)
    shapes = [_box(ax, mark["round"], *box) for box in corners]
    ax.add_collection(PatchCollection(shapes, zorder=zorder, **style), autolim=False)


def _box(ax: Axes, round_by: float, x0: float, y0: float, x1: float, y1: float) -> Rectangle:
    if not round_by:
        return Rectangle((x0, y0), x1 - x0, y1 - y0)
    place, (width, height) = ax.get_position(), ax.figure.get_size_inches()
    along_x = abs(ax.get_xlim()[1] - ax.get_xlim()[0]) / (place.width * width)
    along_y = abs(ax.get_ylim()[1] - ax.get_ylim()[0]) / (place.height * height)
    return FancyBboxPatch(
        (x0, y0),
        x1 - x0,
        y1 - y0,
        mutation_aspect=along_y / along_x,
        boxstyle=f"round,pad=0,rounding_size={round_by * _INCH * along_x}",
    )


def _words(ax: Axes, mark: Mark, palette: Palette, zorder: float) -> None:
    halo = [withStroke(linewidth=_HALO, foreground=palette.paper)] if mark["halo"] else None
    shift = ScaledTranslation(mark["dx"] * _INCH, -mark["dy"] * _INCH, ax.figure.dpi_scale_trans)
    for x, y, text, colour in zip(
        mark["x"], mark["y"], mark["texts"], mark["colours"], strict=True
    ):
        ax.text(
            x,
            y,
            text,
            color=palette.hex(colour),
            fontsize=mark["size"] * POINTS,
            zorder=zorder,
            ha=mark["align"],
            va=_BASES[mark["base"]],
            transform=ax.transData + shift,
            fontweight="bold" if mark["bold"] else "normal",
            clip_on=not mark["outside"],
            parse_math=False,
            path_effects=halo,
        )


def _cells(ax: Axes, mark: Mark, palette: Palette, zorder: float) -> None:
    x0, y0, x1, y1 = mark["box"]
    ax.imshow(
        mark["rgba"],
        extent=(x0, x1, y0, y1),
        aspect=ax.get_aspect(),
        zorder=zorder,
        interpolation="nearest",
    )


_PAINTERS: dict[str, Callable[[Axes, Mark, Palette, float], None]] = {
    "curve": _curve,
    "dots": _dots,
    "segments": _segments,
    "boxes": _boxes,
    "words": _words,
    "cells": _cells,
}
