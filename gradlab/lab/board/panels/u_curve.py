"""Relative error against the step, with the cursor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist

from gradlab.lab.board.live_figure import Layer
from gradlab.lab.board.panels.ink import Shape, discs, line
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.plots import UCurve
from gradlab.plots.scales import clip_errors
from gradlab.plots.u_curve import UPRIGHT

__all__ = ["UCurvePanel"]


class UCurvePanel(Panel):
    """A line a tensor on the paper; the cursor and a dot a tensor are ink."""

    name, title, size = "u_curve", "Relative error against the step", (396, 292)

    def build(self, result: Result) -> None:
        """Make the axes."""
        self._axes = self.live.figure.add_axes((0.116, 0.145, 0.834, 0.765))
        self._curve = UCurve(self._axes, tuple(result.report), self.palette)
        for artist in self._curve.cursor:
            artist.set_animated(True)
        self._sweep = None

    def layers(self, result: Result) -> list[Layer]:
        """Return the curves, which change with the sweep."""
        if result.sweep is not self._sweep:
            self._curve.set_sweep(result.sweep)
            self._sweep = result.sweep  # also keeps it alive, so that no other one gets its id
        return [Layer(id(result.sweep), self._curve.curves)]

    def ink(self, result: Result) -> list[Shape]:
        """Return the cursor, and where it meets the tensors."""
        eps, heights = result.settings.eps, clip_errors(_errors(result))
        ends = self.live.pixels(self._axes, [eps, eps], UPRIGHT)
        dots = self.live.pixels(self._axes, np.full(len(heights), eps), heights)
        hues = [self.palette.layer(name) for name in result.report]
        return [
            line(ends, self.palette.ink, 1.6),
            discs(dots, [1] * len(dots), hues, 3.8, self.palette.paper),
        ]

    def draw_ink(self, result: Result) -> Sequence[Artist]:
        """Return cursor and dots as artists."""
        self._curve.set_cursor(result.settings.eps, _errors(result))
        return self._curve.cursor

    def alt(self, result: Result) -> str:
        """Return the curve in words."""
        best = result.sweep.predicted_best_eps
        worst = float(np.max(np.nan_to_num(_errors(result), nan=np.inf)))
        first = result.sweep.kinks_from
        kinks = f" From {first:.0e} on, steps cross kinks." if np.isfinite(first) else ""
        return (
            f"Relative error against the step, a line for each of {len(result.report)} tensors. "
            f"The cursor is at eps {result.settings.eps:.1e}, where the largest error is "
            f"{worst:.1e}; the predicted best step is {best:.0e}.{kinks}"
        )


def _errors(result: Result) -> np.ndarray:
    return np.array([tensor.error for tensor in result.report.tensors.values()])
