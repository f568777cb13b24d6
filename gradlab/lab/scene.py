"""The lab's picture: three panels in one figure, so that a frame is one message."""

from __future__ import annotations

from gradlab.lab.live_figure import Layer, LiveFigure
from gradlab.lab.result import Result
from gradlab.plots import Entries, NetworkDrawing, Palette, UCurve

__all__ = ["HEIGHT", "WIDTH", "Scene"]

#: Fits JupyterLab's output area at 1280 pixels with the file browser open (846 wide).
WIDTH, HEIGHT = 836, 292


class Scene:
    """The U-curve, every entry, and the network, for one result after the other.

    Parameters
    ----------
    palette : Palette
    """

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._live = LiveFigure(WIDTH, HEIGHT)
        self._sizes: tuple[int, ...] | None = None
        self._layers: list[Layer] = []

    def recolour(self, palette: Palette) -> None:
        """Draw with another palette from the next frame on."""
        self.palette, self._sizes = palette, None

    def frame(self, result: Result, scale: int = 1) -> bytes:
        """Return the picture of `result` as a PNG, `scale` pixels a pixel."""
        if result.net.sizes != self._sizes:
            self._build(result)
        names = tuple(result.report)
        verdicts = tuple(str(result.report[name].verdict) for name in names)
        errors = tuple(result.report[name].error for name in names)
        self._u_curve.set_sweep(result.sweep)
        self._u_curve.set_cursor(result.settings.eps, errors)
        self._entries.set_report(result.report)
        if not self._layers or self._layers[0].key != verdicts:
            self._network.set_verdicts(dict(zip(names, verdicts, strict=True)))
            self._entries.set_verdicts(verdicts)
        self._layers = [
            Layer(verdicts, [*self._network.tensors, *self._entries.marks]),
            Layer(id(result.sweep), self._u_curve.curves),
            Layer(None, [*self._u_curve.cursor, *self._entries.dots]),
        ]
        self._shown = result  # keeps the sweep alive, so that no other one gets its id
        return self._live.frame(self._layers, scale)

    def _build(self, result: Result) -> None:
        """Make the panels' artists for another network or palette; the figure stays."""
        figure = self._live.figure
        figure.clear()
        figure.set_facecolor(self.palette.paper)
        self._live.forget()
        names = tuple(result.report)
        self._u_curve = UCurve(figure.add_axes((0.055, 0.145, 0.395, 0.765)), names, self.palette)
        self._entries = Entries(figure.add_axes((0.478, 0.145, 0.212, 0.765)), names, self.palette)
        self._network = NetworkDrawing(
            figure.add_axes((0.8, 0.01, 0.195, 0.9)), result.net.sizes, self.palette
        )
        self._sizes, self._layers = result.net.sizes, []
