"""One tensor's entries as a matrix, coloured by their relative error, with bug and kink marked."""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import cache
from typing import Any

import numpy as np

from gradlab.checking import TensorReport
from gradlab.lab.board.entry_marks import SIGNS, in_place
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.lab.text.words import two_digits
from gradlab.plots.chart import Axis, Chart, Legend, Mark, boxes, cells, words
from gradlab.plots.scales import power_of_ten

__all__ = ["HeatmapPanel", "as_matrix", "chosen_tensor"]

_UNCHECKED, _FAINT = -1.0, (128, 128, 128, 40)
_LOWEST = -12  # decade of the darkest colour; the brightest is 1
# The matrix has the square from (0, 0) to (1, 1), some 15 em; the colour bar stands beside it.
_BAR, _RIGHT, _EM = (1.07, 1.12), 1.32, 1 / 14.5
_LARGEST_CELL, _SMALLEST_SIGN, _LARGEST_SIGN = 0.2, 0.45, 1.2
_USUAL = ("bug", "kink", "noise", "zero")  # in every legend; the others where there is one


def chosen_tensor(result: Result) -> TensorReport:
    """Return the tensor that was chosen, or the one with the largest error."""
    return result.report[result.tensor]


class HeatmapPanel(Panel):
    """Colour bar, title and legend stand still; the cells and their signs move."""

    name, title, width = "heatmap", "Entries of one tensor", 20.0
    hint = "Click a cell to choose that entry."

    def key(self, result: Result) -> Hashable:
        """Return the tensor shown, and which signs are to be explained."""
        tensor = chosen_tensor(result)
        return _title(tensor), _explained(tensor)

    def still(self, result: Result) -> Chart:
        """Return the colour bar, and what the signs mean."""
        tensor = chosen_tensor(result)
        ramp = _table()[::-1, None].copy()
        decades = range(_LOWEST, 1, 3)
        heights = [1 - decade / _LOWEST for decade in decades]
        texts = [power_of_ten(10.0**decade) for decade in decades]
        marks = [
            cells(_BAR[0], 0.0, _BAR[1], 1.0, ramp),
            words([_BAR[1]] * len(texts), heights, texts, "ink", 0.8, "left", dx=0.3, outside=True),
        ]
        legend = [
            Legend("both 0" if mark == "zero" else mark, "ink", sign=SIGNS[mark])
            for mark in _explained(tensor)
        ]
        return Chart(
            "Error by entry",
            Axis(0.0, _RIGHT),
            Axis(-0.03, 1.03),
            marks,
            _title(tensor),
            legend=legend,
            framed=False,
            square=True,
        )

    def moving(self, result: Result) -> list[Mark]:
        """Return the coloured cells, a sign in each that is marked, a frame around the chosen."""
        tensor = chosen_tensor(result)
        errors = as_matrix(_shown(tensor))
        rgba, (rows, columns) = _colours(errors), errors.shape
        left, top, cell = _place(errors.shape)
        box = left, top - rows * cell, left + columns * cell, top
        marks = [cells(*box, rgba), *_signs(tensor, rgba, left, top, cell)]
        entry = result.settings.entry
        if 0 <= entry < errors.size and not tensor.directional:
            row, column = divmod(entry, columns)
            corner = left + column * cell, top - (row + 1) * cell
            whole = (*corner, corner[0] + cell, corner[1] + cell)
            marks.append(boxes(*whole, None, "paper", width=4.0))
            marks.append(boxes(*whole, None, "ink", width=2.0))
        return marks

    def alt(self, result: Result) -> str:
        """Return how many entries have which mark."""
        tensor = chosen_tensor(result)
        marks, counts = np.unique(tensor.marks, return_counts=True)
        largest = float(tensor.errors.max())
        told = ", ".join(f"{count} {mark}" for mark, count in zip(marks, counts, strict=True))
        return (
            f"Relative error of {_which(tensor)} {tensor.name}: {told}; "
            f"the largest is {two_digits(largest)}."
        )

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the entry of the cell at the point."""
        tensor = chosen_tensor(result)
        rows, columns = as_matrix(_shown(tensor)).shape
        left, top, cell = _place((rows, columns))
        row, column = math.floor((top - y) / cell), math.floor((x - left) / cell)
        if tensor.directional or not (0 <= row < rows and 0 <= column < columns):
            return {}
        return {"tensor": tensor.name, "entry": row * columns + column}


def _title(tensor: TensorReport) -> str:
    if tensor.directional:
        return f"{tensor.name}, {tensor.coverage}"
    if tensor.entries is not None:
        return f"{tensor.name}, {tensor.analytic.size} of {math.prod(tensor.shape)}"
    return f"{tensor.name} ({' × '.join(str(n) for n in tensor.shape)})"


def _explained(tensor: TensorReport) -> tuple[str, ...]:
    met = set(np.unique(tensor.marks))
    return tuple(mark for mark in SIGNS if mark in _USUAL or mark in met)


def _signs(
    tensor: TensorReport, rgba: np.ndarray, left: float, top: float, cell: float
) -> list[Mark]:
    """Return the signs of the marked entries, white on dark cells; none where cells are tiny."""
    size = min(0.8 * cell / _EM, _LARGEST_SIGN)
    if size < _SMALLEST_SIGN:
        return []
    told = as_matrix(in_place(tensor, tensor.marks, ""))
    rows, columns = np.nonzero(np.isin(told, tuple(SIGNS)))
    if not len(rows):
        return []
    here = rgba[rows, columns]
    colours = np.where(here[:, 1] < 128, "#FFFFFF", "#000000")
    colours = np.where(here[:, 3] < 255, "ink", colours).tolist()  # the paper shines through
    texts = [SIGNS[mark] for mark in told[rows, columns]]
    x, y = left + (columns + 0.5) * cell, top - (rows + 0.5) * cell
    return [words(x, y, texts, colours, size)]


def _shown(tensor: TensorReport) -> np.ndarray:
    """Return the errors in the tensor's shape; 0 against 0 proves nothing, so it gets no colour."""
    errors = np.where(tensor.marks == "zero", _UNCHECKED, tensor.errors)
    return in_place(tensor, errors, _UNCHECKED)


def _which(tensor: TensorReport) -> str:
    full = tensor.entries is None and not tensor.directional
    return "every entry of" if full else f"{tensor.coverage} of"


def _colours(errors: np.ndarray) -> np.ndarray:
    """Return the colours of errors, uint8 (…, 4); NaN is the worst, what was not checked faint."""
    clipped = np.clip(np.nan_to_num(errors, nan=1.0), 10.0**_LOWEST, 1.0)
    rgba = _table()[np.rint((np.log10(clipped) / -_LOWEST + 1) * 255).astype(np.intp)]
    rgba[errors == _UNCHECKED] = _FAINT
    return rgba


def as_matrix(values: np.ndarray) -> np.ndarray:
    """Return a tensor's values as rows and columns: a vector is one row, a filter bank F rows."""
    if values.ndim < 2:
        return values.reshape(1, -1)
    return values.reshape(values.shape[0], -1)


def _place(shape: tuple[int, int]) -> tuple[float, float, float]:
    """Return the left and upper end of the matrix and the side of a cell, so that it fits."""
    rows, columns = shape
    cell = min(_LARGEST_CELL, 1 / columns, 1 / rows)
    return 0.5 - 0.5 * cell * columns, 0.5 + 0.5 * cell * rows, cell


@cache
def _table() -> np.ndarray:
    """Return 256 colours, even in lightness, for every eye, darkest first; shape (256, 4)."""
    from matplotlib import colormaps  # the lab opens without it

    return colormaps["cividis"](np.arange(256), bytes=True)
