"""The lab's pictures: the errors, which move with every event, and the network, which seldom does.

Two pictures, so that an event sends the pixels that it changes and no others.
"""

from __future__ import annotations

import numpy as np

from gradlab.lab.colour_table import colour_table
from gradlab.lab.live_figure import Layer, LiveFigure
from gradlab.lab.lock import LOCK
from gradlab.lab.png import encode_png
from gradlab.lab.result import Result
from gradlab.plots import Entries, NetworkDrawing, Palette, UCurve

__all__ = ["ERRORS_SIZE", "NETWORK_SIZE", "Scene"]

#: Width and height in pixels. Side by side they fit JupyterLab's output area at 1280 pixels with
#: the file browser open, which is 846 wide.
ERRORS_SIZE, NETWORK_SIZE = (660, 292), (176, 292)


class Scene:
    """The U-curve and every entry in one figure, the network in another.

    Parameters
    ----------
    palette : Palette
    """

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._errors_figure = LiveFigure(*ERRORS_SIZE)
        self._network_figure = LiveFigure(*NETWORK_SIZE)
        self._sizes: tuple[int, ...] | None = None
        self._verdicts: tuple[str, ...] | None = None
        self._network_shown: tuple[object, int] = (None, 0)  # what, and at which scale

    def recolour(self, palette: Palette) -> None:
        """Draw with another palette from the next frame on."""
        self._palette, self._sizes = palette, None

    def errors(self, result: Result, scale: int = 1) -> bytes:
        """Return the picture of the errors as a PNG, `scale` pixels a pixel."""
        with LOCK:
            return self._encode(self._errors(result, scale), scale)

    def network(self, result: Result, scale: int = 1) -> bytes | None:
        """Return the picture of the network as a PNG, or None if the last one still shows it."""
        with LOCK:
            self._prepare(result)
            what = (self._sizes, self._verdicts, self._palette)
            if what == self._network_shown[0] and scale <= self._network_shown[1]:
                return None
            self._network_shown = (what, scale)
            return self._encode(self._network(result, scale), scale)

    def both(self, result: Result, scale: int = 1) -> bytes:
        """Return both pictures side by side as one small PNG, to be stored in a notebook."""
        with LOCK:
            left = self._errors(result, scale).copy()
            pixels = np.hstack([left, self._network(result, scale)])
            return encode_png(pixels, colour_table(self._palette), level=9)

    def _encode(self, pixels: np.ndarray, scale: int) -> bytes:
        """Encode for speed while dragging, in true colours at rest."""
        return encode_png(pixels, colour_table(self._palette) if scale == 1 else None)

    def _errors(self, result: Result, scale: int) -> np.ndarray:
        self._prepare(result)
        errors = [tensor.error for tensor in result.report.tensors.values()]
        if result.sweep is not self._sweep:
            self._u_curve.set_sweep(result.sweep)
            self._sweep = result.sweep  # also keeps it alive, so that no other one gets its id
        self._u_curve.set_cursor(result.settings.eps, errors)
        self._entries.set_report(result.report, errors)
        layers = [
            Layer(id(result.sweep), self._u_curve.curves),
            Layer(self._verdicts, self._entries.marks),
            Layer(None, [*self._u_curve.cursor, *self._entries.dots]),
        ]
        return self._errors_figure.frame(layers, scale)

    def _network(self, result: Result, scale: int) -> np.ndarray:
        self._prepare(result)
        return self._network_figure.frame([Layer(None, self._drawing.tensors)], scale)

    def _prepare(self, result: Result) -> None:
        """Make the panels for another network or palette; show the tensors' verdicts."""
        if result.net.sizes != self._sizes:
            self._build(result)
        verdicts = {name: str(t.verdict) for name, t in result.report.tensors.items()}
        if tuple(verdicts.values()) != self._verdicts:
            self._verdicts = tuple(verdicts.values())
            self._drawing.set_verdicts(verdicts)
            self._entries.set_verdicts(self._verdicts)

    def _build(self, result: Result) -> None:
        names, palette = tuple(result.report), self._palette
        for live in (self._errors_figure, self._network_figure):
            live.clear(palette.paper)
        figure = self._errors_figure.figure
        self._u_curve = UCurve(figure.add_axes((0.07, 0.145, 0.5, 0.765)), names, palette)
        self._entries = Entries(figure.add_axes((0.605, 0.145, 0.26, 0.765)), names, palette)
        axes = self._network_figure.figure.add_axes((0.04, 0.01, 0.93, 0.9))
        self._drawing = NetworkDrawing(axes, result.net.sizes, palette)
        self._sizes, self._verdicts, self._sweep = result.net.sizes, None, None
