"""Analytic against numerical, entry by entry: on the diagonal they agree."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from matplotlib.artist import Artist

from gradlab.checking import TensorReport
from gradlab.lab.board.panels.heatmap import chosen_tensor
from gradlab.lab.board.panels.ink import Shape, discs, words
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.plots import Markers
from gradlab.plots.old_axes import style_axis

__all__ = ["AgreementPanel"]

_ORDER = ("ok", "subgradient", "zero", "noise", "jumps", "slight", "flat", "kink", "bug", "open")
_VERDICT = {
    "ok": "correct",
    "subgradient": "correct",
    "bug": "wrong",
}  # the others are inconclusive


class AgreementPanel(Panel):
    """Axes and diagonal are paper; the entries are ink.

    Both gradients are divided by the tensor's largest entry, so that the axes stay where they are
    while the weights are scaled; what that is, is told below.
    """

    name, title, size = "agreement", "Analytic against numerical", (276, 292)

    def made_for(self, result: Result) -> Hashable:
        """Return one thing for all results: the tensor's name is ink."""
        return self.name

    def build(self, result: Result) -> None:
        """Make the axes and the diagonal."""
        palette = self.palette
        self._axes = axes = self.live.figure.add_axes((0.17, 0.19, 0.79, 0.72))
        axes.set_xlim(-1.15, 1.15)
        axes.set_ylim(-1.15, 1.15)
        axes.set_xticks([-1, 0, 1])
        axes.set_yticks([-1, 0, 1])
        style_axis(axes, palette)
        axes.plot([-1.15, 1.15], [-1.15, 1.15], color=palette.faint, lw=1, ls=(0, (2, 2)))
        axes.axhline(0, color=palette.grid, lw=0.8, zorder=0)
        axes.axvline(0, color=palette.grid, lw=0.8, zorder=0)
        axes.set_xlabel("numerical", fontsize=9, color=palette.ink, labelpad=0)
        axes.set_ylabel("analytic", fontsize=9, color=palette.ink, labelpad=0)
        axes.set_title(
            "Analytic against numerical", loc="left", fontsize=10,
            color=palette.ink,
        )  # fmt: skip
        self._name = axes.set_title("", loc="right", fontsize=10, color=palette.ink)
        self._name.set_animated(True)
        self._dots = Markers(axes, self._hues(), size=2.9)
        self._dots.set_animated(True)

    def ink(self, result: Result) -> list[Shape]:
        """Return a dot an entry, in the colour of its mark, and the unit of the axes."""
        x, y, counts, largest = _points(chosen_tensor(result))
        told = f"1 stands for {largest:.1e}, the largest entry"
        width, height = self.size
        name = chosen_tensor(result).name
        return [
            words([(width - 11, 14, name)], self.palette.ink, 13, "right"),
            discs(self.live.pixels(self._axes, x, y), counts, self._hues(), 2.0),
            words([(width / 2 + 10, height - 9, told)], self.palette.faint, 11),
        ]

    def draw_ink(self, result: Result) -> Sequence[Artist]:
        """Return the dots as one artist."""
        x, y, counts, _ = _points(chosen_tensor(result))
        self._dots.set_points(x, y, counts)
        self._name.set_text(chosen_tensor(result).name)
        return [self._dots, self._name]

    def _hues(self) -> list[str]:
        verdicts = self.palette.verdicts
        return [verdicts[_VERDICT.get(mark, "inconclusive")] for mark in _ORDER]

    def alt(self, result: Result) -> str:
        """Return ratio and cosine."""
        tensor = chosen_tensor(result)
        return (
            f"Analytic against numerical gradient of {tensor.name}, a dot an entry: "
            f"ratio {tensor.ratio:.3g}, cosine {tensor.cosine:.3g}."
        )


def _points(tensor: TensorReport) -> tuple[np.ndarray, np.ndarray, list[int], float]:
    """Return x and y of the entries, sorted by mark, how many have each, and the axes' unit."""
    a, n, marks = (v.ravel() for v in (tensor.analytic, tensor.numerical, tensor.marks))
    largest = max(_largest(a), _largest(n))
    x, y = (np.clip(np.nan_to_num(v / (largest or 1.0)), -1.15, 1.15) for v in (n, a))
    order = np.concatenate([np.flatnonzero(marks == mark) for mark in _ORDER])
    return x[order], y[order], [int((marks == mark).sum()) for mark in _ORDER], largest


def _largest(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max()) if finite.size else 0.0
