"""One tensor's entries as a matrix, coloured by their relative error, with bug and kink marked."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.colors import LogNorm

from gradlab.checking import TensorReport
from gradlab.lab.board.entry_marks import SIGNS, in_place
from gradlab.lab.board.panels.ink import Shape, cells, signs, words
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.plots.scales import power_of_ten

__all__ = ["HeatmapPanel", "chosen_tensor"]

_COLOURS = colormaps["cividis"]  # even in lightness, and the same to the colour-blind
_NORM = LogNorm(1e-12, 1.0)
_UNCHECKED, _FAINT = -1.0, (128, 128, 128, 40)
_TABLE = _COLOURS(np.arange(256), bytes=True)
_BOX = (14.0, 34.0, 214.0, 214.0)  # x, y, width, height of the largest matrix, in pixels
_LARGEST_CELL, _SMALLEST_SIGN = 40.0, 6.5


def chosen_tensor(result: Result) -> TensorReport:
    """Return the tensor that was chosen, or the one with the largest error."""
    return result.report[result.tensor]


def _title(tensor: TensorReport) -> str:
    if tensor.entries is not None:
        return f"{tensor.name}, {tensor.analytic.size} of {math.prod(tensor.shape)}"
    return f"{tensor.name} ({' × '.join(str(n) for n in tensor.shape)})"


class HeatmapPanel(Panel):
    """Title and colour bar are paper; the cells and the marks are ink."""

    name, title, size = "heatmap", "Entries of one tensor", (296, 292)
    own_colours = True

    def made_for(self, result: Result) -> Hashable:
        """Return one thing for all results: the tensor's name is ink."""
        return self.name

    def build(self, result: Result) -> None:
        """Write the title and what the marks mean; draw the colour bar."""
        figure, palette = self.live.figure, self.palette
        width, height = self.size
        self._cells = None
        self._name = figure.text(
            1 - 8 / width, 1 - 12 / height, "", fontsize=10, color=palette.ink, va="center",
            ha="right", animated=True,
        )  # fmt: skip
        figure.text(
            _BOX[0] / width, 1 - 12 / height, "Error by entry", fontsize=10,
            color=palette.ink, va="center",
        )  # fmt: skip
        legend = "   ".join(f"{SIGNS[mark]} {mark}" for mark in ("bug", "kink", "noise"))
        legend += f"   {SIGNS['zero']} 0 = 0"
        figure.text(_BOX[0] / width, 14 / height, legend, fontsize=9, color=palette.ink)
        bar = figure.add_axes((0.80, 1 - 248 / height, 0.035, 214 / height))
        ramp = np.logspace(-12, 0, 256)[:, None]
        bar.imshow(_COLOURS(_NORM(ramp)), aspect="auto", origin="lower", extent=(0, 1, -12, 0))
        bar.set_xticks([])
        bar.yaxis.tick_right()
        ticks = range(-12, 1, 3)
        bar.set_yticks(ticks, [power_of_ten(10.0**t) for t in ticks])
        bar.tick_params(colors=palette.ink, labelsize=9, length=2)

    def ink(self, result: Result) -> list[Shape]:
        """Return the coloured cells, and a sign in each that is marked."""
        tensor = chosen_tensor(result)
        errors = as_matrix(_shown(tensor))
        x, y, cell = _place(errors.shape)
        rows, columns = errors.shape
        rgba = _colours(errors)
        name = words([(self.size[0] - 8, 12, _title(tensor))], self.palette.ink, 13, "right")
        shapes = [cells((x, y, columns * cell, rows * cell), rgba), name]
        if cell < _SMALLEST_SIGN:
            return shapes
        marks = as_matrix(in_place(tensor, tensor.marks, ""))
        dark = rgba[..., 1] < 128
        for mark, sign in SIGNS.items():
            here = marks == mark
            for colour, where in (("#FFFFFF", here & dark), ("#000000", here & ~dark)):
                at = np.argwhere(where)[:, ::-1]
                if len(at):
                    places = np.array([x, y]) + (at + 0.5) * cell
                    shapes.append(signs(places, sign, colour, round(min(0.8 * cell, 16), 1)))
        return shapes

    def draw_ink(self, result: Result) -> Sequence[Artist]:
        """Return the cells as one artist; the stored picture goes without the signs."""
        tensor = chosen_tensor(result)
        errors = as_matrix(_shown(tensor))
        x, y, cell = _place(errors.shape)
        width, height = self.size
        box = (x / width, 1 - (y + errors.shape[0] * cell) / height,
               errors.shape[1] * cell / width, errors.shape[0] * cell / height)  # fmt: skip
        if self._cells is None:
            self._cells = self.live.figure.add_axes(box)
        self._cells.clear()
        self._cells.set_position(box)
        picture = self._cells.imshow(_colours(errors), aspect="auto")
        picture.set_animated(True)
        self._cells.set_axis_off()
        self._name.set_text(_title(tensor))
        return [picture, self._name]

    def alt(self, result: Result) -> str:
        """Return how many entries have which mark."""
        tensor = chosen_tensor(result)
        marks, counts = np.unique(tensor.marks, return_counts=True)
        told = ", ".join(f"{count} {mark}" for mark, count in zip(marks, counts, strict=True))
        return (
            f"Relative error of {_which(tensor)} {tensor.name}: {told}; "
            f"the largest is {tensor.error:.1e}."
        )


def _shown(tensor: TensorReport) -> np.ndarray:
    """Return the errors in the tensor's shape; 0 against 0 proves nothing, so it gets no colour."""
    errors = np.where(tensor.marks == "zero", _UNCHECKED, tensor.errors)
    return in_place(tensor, errors, _UNCHECKED)


def _which(tensor: TensorReport) -> str:
    return "every entry of" if tensor.entries is None else f"{tensor.coverage} of"


def _colours(errors: np.ndarray) -> np.ndarray:
    """Return the colours of errors, uint8 (…, 4); NaN is the worst, what was not checked faint."""
    clipped = np.clip(np.nan_to_num(errors, nan=1.0), 1e-12, 1.0)
    rgba = _TABLE[np.rint((np.log10(clipped) + 12) * (255 / 12)).astype(np.intp)]
    rgba[errors == _UNCHECKED] = _FAINT
    return rgba


def as_matrix(values: np.ndarray) -> np.ndarray:
    """Return a tensor's values as rows and columns: a vector is one row, a filter bank F rows."""
    if values.ndim < 2:
        return values.reshape(1, -1)
    return values.reshape(values.shape[0], -1)


def _place(shape: tuple[int, int]) -> tuple[float, float, float]:
    """Return the top left corner and the side of a cell, so that the matrix fits its box."""
    x, y, width, height = _BOX
    cell = min(_LARGEST_CELL, width / shape[1], height / shape[0])
    return x + (width - cell * shape[1]) / 2, y + (height - cell * shape[0]) / 2, cell
