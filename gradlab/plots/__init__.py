"""Plots that draw on the Axes they are given: no pyplot, no global state.

`u_curve`, `entries` and `network` draw once; `UCurve`, `Entries` and `NetworkDrawing` are the same
panels with artists that can be moved, for a live figure.
"""

from gradlab.plots.axes import draw
from gradlab.plots.chain import ChainDrawing, stages
from gradlab.plots.entries import Entries, entries
from gradlab.plots.figure import figure_of
from gradlab.plots.markers import Markers
from gradlab.plots.network import NetworkDrawing, network
from gradlab.plots.palette import DARK, LIGHT, MARKS, PALETTES, Palette
from gradlab.plots.u_curve import UCurve, u_curve

__all__ = [
    "DARK",
    "LIGHT",
    "MARKS",
    "PALETTES",
    "ChainDrawing",
    "Entries",
    "Markers",
    "NetworkDrawing",
    "Palette",
    "UCurve",
    "draw",
    "entries",
    "figure_of",
    "network",
    "stages",
    "u_curve",
]
