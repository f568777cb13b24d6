"""The network drawn, each tensor in the colour and style of its verdict."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from gradlab.lab.board.live_figure import Layer
from gradlab.lab.board.panels.ink import Shape, bars
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.nn.mlp import MLP
from gradlab.plots import ChainDrawing, NetworkDrawing, stages

__all__ = ["NetworkPanel"]


class NetworkPanel(Panel):
    """The network is paper: it changes only with a verdict. A bar under the chosen tensor is ink.

    An MLP is drawn with its units, any other network as the chain of its layers.
    """

    name, title, size = "network", "Verdict per tensor", (176, 292)
    repeats = 32

    def made_for(self, result: Result) -> Hashable:
        """Return the layers' sizes, or the names of the tensors."""
        return result.net.sizes if isinstance(result.net, MLP) else tuple(result.report)

    def build(self, result: Result) -> None:
        """Make the axes."""
        self._axes = self.live.figure.add_axes((0.04, 0.01, 0.93, 0.9))
        self._verdicts = None
        if _has_units(result):
            self._drawing = NetworkDrawing(self._axes, result.net.sizes, self.palette)
            self._places = self._drawing.places
        else:
            chain = stages(tuple(result.report), result.net.layers)
            self._drawing = ChainDrawing(self._axes, chain, self.palette)
            self._places = {n: (0.5, y) for n, y in self._drawing.heights.items()}

    def layers(self, result: Result) -> list[Layer]:
        """Return the tensors in their verdicts' colours."""
        verdicts = {name: str(t.verdict) for name, t in result.report.tensors.items()}
        if verdicts != self._verdicts:
            self._drawing.set_verdicts(verdicts)
            self._verdicts = verdicts
        return [Layer(tuple(verdicts.values()), self._drawing.tensors)]

    def ink(self, result: Result) -> list[Shape]:
        """Return a bar at the tensor that was chosen, if one was."""
        place = self._places.get(result.settings.tensor)
        if place is None:
            return []
        at = self.live.pixels(self._axes, [place[0]], [place[1]])
        return [bars(at + np.array([0, 5]), 13, self.palette.ink, 2)]

    def alt(self, result: Result) -> str:
        """Return which tensors have which verdict."""
        groups: dict[str, list[str]] = {}
        for name, tensor in result.report.tensors.items():
            groups.setdefault(str(tensor.verdict), []).append(name)
        told = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in groups.items())
        return f"The network with the verdict of each of its tensors. {told}."

    def pressed(self, result: Result, x: float, y: float) -> str | None:
        """Return the tensor that is nearest to the point: of its layer, the one at its height."""
        names = list(self._places)
        at = self.live.pixels(self._axes, *zip(*self._places.values(), strict=True))
        # columns first in an MLP's drawing, rows first in a chain
        weight = (1.0, 0.02) if _has_units(result) else (0.02, 1.0)
        distances = abs(at - [x, y]) @ weight
        return names[int(distances.argmin())]


def _has_units(result: Result) -> bool:
    """Return whether the network is one that `NetworkDrawing` can draw."""
    net = result.net
    return isinstance(net, MLP) and all(name[0] in "Wb" for name in result.report)
