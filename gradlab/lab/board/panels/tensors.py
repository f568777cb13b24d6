"""The relative error of every entry at this step, a column a tensor."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from gradlab.lab.board.entry_marks import chosen_place, entry_at
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.lab.text.words import two_digits
from gradlab.plots import entries_chart, entries_marks, looks_of
from gradlab.plots.chart import Chart, Mark, dots
from gradlab.plots.entries import across
from gradlab.plots.scales import ERROR_RANGE, clip_errors

__all__ = ["TensorsPanel"]

#: How high the columns are, in widths of a column of three: what is near is told by the eye.
_TALL = 5.5


class TensorsPanel(Panel):
    """Bands and names stand still; a dot an entry, a bar and a sign a tensor move."""

    name, title, width = "tensors", "Every entry at this step", 17.5
    hint = "Click a dot to choose that entry, a name to choose the tensor."

    def key(self, result: Result) -> Hashable:
        """Return the tensors' names."""
        return tuple(result.report)

    def still(self, result: Result) -> Chart:
        """Return the bands and the columns' names."""
        return entries_chart(tuple(result.report))

    def moving(self, result: Result) -> list[Mark]:
        """Return dots, bars and signs, and a ring around the entry that was chosen."""
        marks = entries_marks(result.report)
        tensor = result.report[result.tensor]
        place = chosen_place(tensor, result.settings.entry)
        if place is not None:
            x = list(result.report).index(tensor.name) + across(tensor.errors.size)[place]
            y = clip_errors(tensor.errors.ravel()[place : place + 1])
            hue = looks_of(result.report)[tensor.name].colour
            marks.append(dots(x, y, ["ink"], radius=4.5, sign="ring"))
            marks.append(dots(x, y, [hue], radius=1.8))
        return marks

    def alt(self, result: Result) -> str:
        """Return each tensor's error and verdict in words."""
        each = (f"{n} {two_digits(t.error)} {t.verdict}" for n, t in result.report.tensors.items())
        return f"Largest relative error and verdict of each tensor: {', '.join(each)}."

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the tensor of the column, and of its entries the one whose dot is nearest."""
        names = list(result.report)
        column = int(np.clip(round(x), 0, len(names) - 1))
        tensor = result.report[names[column]]
        if tensor.directional:
            return {}
        if not ERROR_RANGE[0] < y <= 2.0:
            return {"tensor": tensor.name}
        low, high = np.log10(ERROR_RANGE)
        up = (np.log10(clip_errors(tensor.errors.ravel())) - np.log10(y)) / (high - low)
        aside = (column + across(up.size) - x) * 3 / len(names) / _TALL
        nearest = int(np.argmin(np.hypot(up, aside)))
        return {"tensor": tensor.name, "entry": entry_at(tensor, nearest)}
