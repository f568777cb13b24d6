"""Ratio, cosine and norm ratio of all tensors: whether they are off by a factor, and by which."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any, ClassVar

import numpy as np

from gradlab.checking import TensorReport
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.plots.chart import Axis, Chart, Mark, dots, segments, words
from gradlab.plots.palette import MARKS

__all__ = ["MeasuresPanel"]

#: Across, in em: names, the ratio's axis and number, the cosine's, and the norm ratio.
_NAME, _RATIO, _RATIO_TEXT = 0.2, (4.6, 11.0), 11.4
_COSINE, _COSINE_TEXT, _NORM, _END = (16.4, 19.2), 19.7, 22.8, 26.6
_HEAD, _BODY = 2.6, 15.6  # down, in em: what is written above the rows, and all rows together
_ZERO = 0.25  # where on the ratio's axis 0 is: negative factors are rare
_OCTAVES = 5.0  # to either side of 1 and of -1; what is further out is drawn at the end
_RATIO_MARKS = ((-1.0, "−1"), (0.0, "0"), (0.5, "½"), (1.0, "1"), (2.0, "2"))
_ASIDE = {"−1": "right", "½": "right", "2": "left"}  # away from 0 and 1
_COSINE_MARKS = ((-1.0, "−1"), (0.0, "0"), (1.0, "1"))
_LEAST_ROWS, _MOST_ROWS = 8, 20  # room for, and shown


class MeasuresPanel(Panel):
    """A row a tensor: <a, n> / <n, n> and the cosine as dots, with all the report's numbers."""

    name: ClassVar[str] = "measures"
    title: ClassVar[str] = "Ratio and cosine"
    width: ClassVar[float] = _END + 1.2
    hint: ClassVar[str] = "Click to choose that tensor."

    def key(self, result: Result) -> Hashable:
        """Return the tensors: only what is written and the dots move."""
        return result.problem if len(result.report) > _MOST_ROWS else tuple(result.report)

    def still(self, result: Result) -> Chart:
        """Return the two axes, with their marks."""
        rows = len(_rows(result))
        marks: list[Mark] = []
        for at, text in _RATIO_MARKS:
            marks += _mark(_ratio_x(at), text, rows, strong=at == 1.0)
        for at, text in _COSINE_MARKS:
            marks += _mark(_cosine_x(at), text, rows, strong=at == 1.0)
        heads = (
            (sum(_RATIO) / 2, "ratio a : n"),
            (sum(_COSINE) / 2, "cosine"),
            (_NORM + 1.4, "norm ratio"),
        )
        marks += [segments(start, -0.5, end, -0.5, "grid") for start, end in (_RATIO, _COSINE)]
        marks += [words([x], [-0.5], [text], "ink", 0.85, dy=-1.8) for x, text in heads]
        hidden, room = len(result.report) - rows, max(rows, _LEAST_ROWS)
        return Chart(
            self.title,
            Axis(0, _END, ticks=()),
            Axis(room - 0.5, -0.5 - _HEAD * room / _BODY, ticks=()),
            marks,
            note=f"{hidden} more tensors, with smaller norm ratios" if hidden else "",
            framed=False,
        )

    def moving(self, result: Result) -> list[Mark]:
        """Return a dot on each axis, and the numbers as the report tells them."""
        rows = _rows(result)
        colours = [str(t.verdict) for t in rows]
        y = np.arange(len(rows), dtype=float)
        names = [f"{MARKS[c]} {t.name}" for c, t in zip(colours, rows, strict=True)]
        told = [_told(t) for t in rows]
        marks = [words([_NAME] * len(rows), y, names, colours, 0.85, "left")]
        for column, x in enumerate((_RATIO_TEXT, _COSINE_TEXT, _NORM)):
            texts = [cells[column] for cells in told]
            marks.append(words([x] * len(rows), y, texts, "ink", 0.8, "left"))
        shown = [[i for i, cells in enumerate(told) if _is_number(cells[k])] for k in (0, 1)]
        places = (
            [_ratio_x(rows[i].ratio) for i in shown[0]],
            [_cosine_x(rows[i].cosine) for i in shown[1]],
        )
        for x, seen in zip(places, shown, strict=True):
            marks.append(dots(x, seen, [colours[i] for i in seen], [1] * len(seen), 3.6))
        return marks

    def alt(self, result: Result) -> str:
        """Return all numbers, tensor by tensor."""
        told = [
            f"{t.name} ratio {ratio}, cosine {cosine}, norm ratio {norm}, {t.verdict}"
            for t in _rows(result)
            for ratio, cosine, norm in [_told(t)]
        ]
        return f"Analytic over numerical gradient, by tensor: {'; '.join(told)}."

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the tensor of the row at the click."""
        rows, row = _rows(result), round(float(y))
        return {"tensor": rows[row].name} if 0 <= row < len(rows) else {}


def _rows(result: Result) -> list[TensorReport]:
    """Return the tensors in their order; of many those with the largest norm ratios."""
    tensors = list(result.report.tensors.values())
    if len(tensors) <= _MOST_ROWS:
        return tensors
    largest = sorted(tensors, key=lambda t: -np.nan_to_num(t.norm_ratio, nan=2.0))[:_MOST_ROWS]
    return [t for t in tensors if t in largest]


def _told(tensor: TensorReport) -> tuple[str, str, str]:
    """Return ratio, cosine and norm ratio as the report's table has them, or what is 0."""
    _, _, _, norm, ratio, cosine, _ = tensor.row()  # a dash where there is nothing to tell
    a, n = np.any(tensor.analytic), np.any(tensor.numerical)
    if not a and not n:
        return "0 = 0", "–", norm
    if not n:
        return "n = 0", "–", norm
    return ratio, cosine if a else "a = 0", norm


def _is_number(cell: str) -> bool:
    return cell != "–" and "= 0" not in cell


def _ratio_x(ratio: float) -> float:
    """Return where a ratio stands: octaves around 1 at the right of 0, and around -1 left of it."""
    start, end = _RATIO
    zero = start + _ZERO * (end - start)
    if ratio == 0:
        return zero
    octaves = min(max(math.log2(abs(ratio)), -_OCTAVES), _OCTAVES)
    share = (octaves + _OCTAVES) / (2 * _OCTAVES)
    return zero + share * ((end if ratio > 0 else start) - zero)


def _cosine_x(cosine: float) -> float:
    start, end = _COSINE
    return start + (cosine + 1) / 2 * (end - start)


def _mark(x: float, text: str, rows: int, strong: bool) -> list[Mark]:
    style = {"colour": "faint", "width": 1.4} if strong else {"colour": "grid"}
    return [
        segments(x, -0.5, x, rows - 0.5, **style),
        words([x], [-0.5], [text], "faint", 0.7, _ASIDE.get(text, "center"), dy=-0.7),
    ]
