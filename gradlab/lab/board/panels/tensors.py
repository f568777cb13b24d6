"""The relative error of every entry at this step, a column a tensor."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.artist import Artist

from gradlab.lab.board.live_figure import Layer
from gradlab.lab.board.panels.ink import Shape, bars, discs
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.plots import Entries

__all__ = ["TensorsPanel"]


class TensorsPanel(Panel):
    """Bands and verdicts on the paper; a dot an entry and a bar a tensor are ink."""

    name, title, size = "tensors", "Every entry at this step", (264, 292)
    repeats = 32

    def build(self, result: Result) -> None:
        """Make the axes."""
        self._axes = self.live.figure.add_axes((0.012, 0.145, 0.65, 0.765))
        self._entries = Entries(self._axes, tuple(result.report), self.palette)
        for artist in self._entries.dots:
            artist.set_animated(True)
        self._verdicts = None

    def layers(self, result: Result) -> list[Layer]:
        """Return the verdicts above the columns."""
        verdicts = tuple(str(tensor.verdict) for tensor in result.report.tensors.values())
        if verdicts != self._verdicts:
            self._entries.set_verdicts(verdicts)
            self._verdicts = verdicts
        return [Layer(verdicts, self._entries.marks)]

    def ink(self, result: Result) -> list[Shape]:
        """Return the dots and the bars."""
        dots, counts, tops = self._entries.positions(result.report)
        hues = [self.palette.layer(name) for name in result.report]
        width = self._axes.get_position().width * self.size[0] / len(hues)
        return [
            discs(self.live.pixels(self._axes, *dots), counts, hues, 1.4),
            bars(self.live.pixels(self._axes, *tops), min(0.35 * width, 20), self.palette.ink, 2.6),
        ]

    def draw_ink(self, result: Result) -> Sequence[Artist]:
        """Return dots and bars as artists."""
        self._entries.set_report(result.report)
        return self._entries.dots

    def alt(self, result: Result) -> str:
        """Return each tensor's error and verdict in words."""
        each = (f"{n} {t.error:.1e} {t.verdict}" for n, t in result.report.tensors.items())
        return f"Largest relative error and verdict of each tensor: {', '.join(each)}."
