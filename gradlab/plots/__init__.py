"""Pictures as plain data, and their painter in matplotlib: no pyplot, no global state.

`u_curve`, `entries` and `network` draw on the Axes they are given; `u_curve_chart` and the like
return what they draw, for `draw`, `figure_of`, and the lab's board.
"""

from typing import TYPE_CHECKING

from gradlab.plots.chain import chain_chart, chain_places, stages
from gradlab.plots.entries import entries, entries_chart, entries_marks
from gradlab.plots.looks import legend_of, looks_of
from gradlab.plots.network import network, network_chart, network_places
from gradlab.plots.palette import DARK, LIGHT, MARKS, PALETTES, Palette
from gradlab.plots.u_curve import u_curve, u_curve_chart, u_curve_cursor

if TYPE_CHECKING:
    from gradlab.plots.axes import draw
    from gradlab.plots.figure import figure_of

__all__ = [
    "DARK",
    "LIGHT",
    "MARKS",
    "PALETTES",
    "Palette",
    "chain_chart",
    "chain_places",
    "draw",
    "entries",
    "entries_chart",
    "entries_marks",
    "figure_of",
    "legend_of",
    "looks_of",
    "network",
    "network_chart",
    "network_places",
    "stages",
    "u_curve",
    "u_curve_chart",
    "u_curve_cursor",
]


def __getattr__(name: str) -> object:
    # matplotlib's axes and figures take time to load, and the lab opens without them
    if name == "draw":
        from gradlab.plots.axes import draw

        return draw
    if name == "figure_of":
        from gradlab.plots.figure import figure_of

        return figure_of
    raise AttributeError(f"module 'gradlab.plots' has no attribute {name!r}")
