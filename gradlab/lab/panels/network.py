"""The network drawn, each tensor in the colour and style of its verdict."""

from __future__ import annotations

from collections.abc import Hashable

from gradlab.lab.live_figure import Layer
from gradlab.lab.panels.panel import Panel
from gradlab.lab.result import Result
from gradlab.plots import NetworkDrawing

__all__ = ["NetworkPanel"]


class NetworkPanel(Panel):
    """All of it is paper: it changes only with a verdict."""

    name, title, size = "network", "Verdict per tensor", (176, 292)

    def made_for(self, result: Result) -> Hashable:
        """Return the layers' sizes."""
        return result.net.sizes

    def build(self, result: Result) -> None:
        """Make the axes."""
        axes = self.live.figure.add_axes((0.04, 0.01, 0.93, 0.9))
        self._drawing = NetworkDrawing(axes, result.net.sizes, self.palette)
        self._verdicts = None

    def layers(self, result: Result) -> list[Layer]:
        """Return the tensors in their verdicts' colours."""
        verdicts = {name: str(t.verdict) for name, t in result.report.tensors.items()}
        if verdicts != self._verdicts:
            self._drawing.set_verdicts(verdicts)
            self._verdicts = verdicts
        return [Layer(tuple(verdicts.values()), self._drawing.tensors)]

    def alt(self, result: Result) -> str:
        """Return which tensors have which verdict."""
        groups: dict[str, list[str]] = {}
        for name, tensor in result.report.tensors.items():
            groups.setdefault(str(tensor.verdict), []).append(name)
        told = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in groups.items())
        sizes = "-".join(str(size) for size in result.net.sizes)
        return f"The network {sizes} with the verdict of each tensor. {told}."
