"""The U-curve: relative error against the step, a line a tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from gradlab.checking import BANDS, EpsSweep
from gradlab.plots.markers import Markers
from gradlab.plots.old_axes import (
    EPS_RANGE,
    clip_errors,
    draw_bands,
    error_axis,
    power_of_ten,
)
from gradlab.plots.palette import LIGHT, Palette

__all__ = ["UPRIGHT", "UCurve", "u_curve"]

UPRIGHT = (4e-13, 6.0)  # how far upright lines reach: not into the legend, nor into the labels
_ABOVE = 28.0  # where those stand
_EPS_TICKS = (1e-13, 1e-11, 1e-9, 1e-7, 1e-5, 1e-3, 1e-1)


class UCurve:
    """The panel, its artists made once and moved afterwards.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    names : sequence of str
        The tensors, W before b, input side first.
    palette : Palette, optional

    Attributes
    ----------
    curves, cursor : list of Artist
        What changes with the sweep, and what changes with the step.
    """

    def __init__(self, ax: Axes, names: Sequence[str], palette: Palette = LIGHT) -> None:
        self.names = tuple(names)
        ax.set_xscale("log")
        ax.set_xlim(*EPS_RANGE)
        error_axis(ax, palette)
        ax.set_xticks(_EPS_TICKS, [power_of_ten(t) for t in _EPS_TICKS])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlabel("step eps", fontsize=9, color=palette.ink, labelpad=1)
        ax.set_title("Relative error against the step", loc="left", fontsize=10, color=palette.ink)
        draw_bands(ax, palette)
        self._lines = {name: _tensor_line(ax, name, palette) for name in self.names}
        (self._best,) = ax.plot([], [], color=palette.faint, lw=1.2, ls=(0, (2, 2)))
        self._best_label = ax.text(1e-5, _ABOVE, "predicted best", va="center", **_small(palette))
        faint = {"color": palette.faint, "lw": 1.0, "ls": (0, (1, 2))}
        self._predicted = [ax.plot([], [], **faint)[0] for _ in range(2)]
        (self._found,) = ax.plot([], [], "v", ms=4.5, color=palette.faint)
        self._found_label = ax.text(1e-5, _ABOVE, "found", va="center", **_small(palette))
        self._kinks = ax.axvspan(
            1, 1, 0.172, 1, facecolor="none", edgecolor=palette.grid, hatch="//", lw=0
        )
        self._kinks_label = ax.text(0.09, 5e-14, "kinks crossed", ha="right", **_small(palette))
        (self._cursor,) = ax.plot([], [], color=palette.ink, lw=1.6, solid_capstyle="butt")
        hues = [palette.layer(name) for name in self.names]
        self._points = Markers(ax, hues, size=5.5, edge=palette.paper)
        self.curves: list[Artist] = [
            self._kinks, self._kinks_label, *self._predicted, self._best, self._best_label,
            self._found, self._found_label, *self._lines.values(),
        ]  # fmt: skip
        self.cursor: list[Artist] = [self._cursor, self._points]
        _legend(ax, self._lines, palette)

    def set_sweep(self, sweep: EpsSweep) -> None:
        """Show another sweep: its lines, what was predicted, and where kinks are crossed."""
        for name, line in self._lines.items():
            line.set_data(sweep.eps, clip_errors(sweep.errors[name]))
        best = sweep.predicted_best_eps
        self._best.set_data([best, best], UPRIGHT)
        found, stands_out = _found(sweep)
        # the two labels turn away from each other
        left, right = (1 / 1.4, "right"), (1.4, "left")
        for label, x, (factor, ha) in (
            (self._best_label, best, left if found >= best else right),
            (self._found_label, found, right if found >= best else left),
        ):
            label.set_x(x * factor)
            label.set_ha(ha)
        self._found.set_visible(stands_out)
        self._found_label.set_visible(stands_out and EPS_RANGE[0] * 30 < found < EPS_RANGE[1] / 30)
        for line, predicted in zip(
            self._predicted, (sweep.round_off, sweep.truncation), strict=True
        ):
            inside = (predicted > 1e-13) & (predicted < 1)
            line.set_data(sweep.eps[inside], predicted[inside])
        self._found.set_data([found], [_ABOVE])
        crossed = np.isfinite(sweep.kinks_from)
        self._kinks.set_visible(crossed)
        self._kinks_label.set_visible(crossed)
        if crossed:
            self._kinks.set_x(sweep.kinks_from)
            self._kinks.set_width(EPS_RANGE[1] - sweep.kinks_from)

    def set_cursor(self, eps: float, errors: Sequence[float]) -> None:
        """Move the cursor to `eps`, where the tensors have `errors`, in the order of `names`."""
        self._cursor.set_data([eps, eps], UPRIGHT)
        heights = clip_errors(np.asarray(errors, dtype=float))
        self._points.set_points(np.full(heights.size, eps), heights, [1] * heights.size)


def _small(palette: Palette) -> dict[str, object]:
    return {"fontsize": 8, "color": palette.faint}


def _found(sweep: EpsSweep) -> tuple[float, bool]:
    """Return the step at which the largest of the tensors' errors is smallest.

    And whether that is a best step: not where a bug keeps the error up at every one.
    """
    largest = np.max([clip_errors(e) for e in sweep.errors.values()], axis=0)
    lowest = int(np.argmin(largest))
    return float(sweep.eps[lowest]), bool(largest[lowest] <= BANDS[2][0])


def _tensor_line(ax: Axes, name: str, palette: Palette) -> Line2D:
    style = "-" if name.startswith("W") else (0, (4, 1.6))
    (line,) = ax.plot([], [], color=palette.layer(name), ls=style, lw=1.5, label=name)
    return line


def _legend(ax: Axes, lines: dict[str, Line2D], palette: Palette) -> None:
    """Add a two-row legend in the lower right corner, which no scheme reaches: W above b."""
    if len(lines) > 12:  # the weights alone: a bias has the hue of its weight
        lines = {name: line for name, line in lines.items() if name.startswith("W")}
    few = len(lines) <= 6
    ax.legend(
        list(lines.values()), list(lines), loc="lower right", ncols=(len(lines) + 1) // 2,
        fontsize=8, frameon=False, labelcolor=palette.ink, handlelength=1.7 if few else 1.2,
        columnspacing=0.9 if few else 0.6, handletextpad=0.4, borderaxespad=0.1, labelspacing=0.2,
    )  # fmt: skip


def u_curve(
    ax: Axes, sweep: EpsSweep, eps: float | None = None, palette: Palette = LIGHT
) -> UCurve:
    """Draw `sweep` on `ax`, with a cursor at the nearest swept step if `eps` is given."""
    panel = UCurve(ax, tuple(sweep.errors), palette)
    panel.set_sweep(sweep)
    if eps is not None:
        nearest = int(np.argmin(np.abs(np.log(sweep.eps) - np.log(eps))))
        panel.set_cursor(eps, [errors[nearest] for errors in sweep.errors.values()])
    return panel
