"""The axes that the panels share: the step along x, the relative error along y."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from gradlab.checking import BANDS
from gradlab.plots.palette import Palette

__all__ = ["EPS_RANGE", "ERROR_RANGE", "clip_errors", "draw_bands", "error_axis", "power_of_ten"]

EPS_RANGE = (1e-13, 1e-1)
#: Errors outside are drawn on the edge: 0 has no place on a logarithmic axis. No relative error
#: exceeds 2; above it is room for the verdicts.
ERROR_RANGE = (1e-17, 150.0)
_ERROR_TICKS = (1e-16, 1e-13, 1e-10, 1e-7, 1e-4, 1e-2, 1.0)
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float) -> str:
    """`1e-7` as "10⁻⁷" in plain Unicode, which draws ten times faster than mathtext."""
    exponent = round(float(np.log10(value)))
    return "1" if exponent == 0 else "10" + str(exponent).translate(_SUPERSCRIPT)


def clip_errors(errors: np.ndarray) -> np.ndarray:
    """Return errors moved onto the drawn range; NaN and infinity go to the upper edge."""
    low, high = 2 * ERROR_RANGE[0], 2.0
    return np.maximum(np.fmin(errors, high), low)  # fmin: NaN gives way


def draw_bands(ax: Axes, palette: Palette, *, names: bool = False) -> None:
    """Colour the error bands behind `ax`, and write their names at its right edge."""
    low = ERROR_RANGE[0]
    for (edge, label), colour in zip(BANDS, palette.bands, strict=True):
        high = min(edge, ERROR_RANGE[1])
        ax.axhspan(low, high, color=colour, lw=0, zorder=0)
        if names:
            middle = float(np.sqrt(max(low, ERROR_RANGE[0]) * high))
            ax.text(
                1.02, middle, label.replace(" ", "\n"), transform=ax.get_yaxis_transform(),
                va="center", fontsize=8, color=palette.faint, linespacing=1.0,
            )  # fmt: skip
        low = high


def error_axis(ax: Axes, palette: Palette, *, labels: bool = True) -> None:
    """Give `ax` the shared logarithmic error axis."""
    ax.set_yscale("log")
    ax.set_ylim(*ERROR_RANGE)
    ax.set_yticks(_ERROR_TICKS, [power_of_ten(t) for t in _ERROR_TICKS] if labels else [])
    ax.yaxis.set_minor_locator(NullLocator())
    style_axis(ax, palette)


def style_axis(ax: Axes, palette: Palette) -> None:
    """Quiet frame, ticks and labels in the palette's colours."""
    ax.set_facecolor(palette.paper)
    ax.tick_params(colors=palette.ink, labelsize=9, length=3, color=palette.faint)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(palette.faint)


STYLES = {
    "correct": ("solid", 0.7),
    "inconclusive": ((0, (1, 2)), 1.0),
    "wrong": ((0, (5, 1.5)), 1.1),
}
