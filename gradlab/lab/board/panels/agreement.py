"""Analytic against numerical, entry by entry: on the diagonal they agree."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import numpy as np

from gradlab.checking import TensorReport
from gradlab.lab.board.entry_marks import chosen_place, entry_at
from gradlab.lab.board.panels.heatmap import chosen_tensor
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.lab.text.words import two_digits
from gradlab.plots.chart import Axis, Chart, Legend, Mark, dots, segments

__all__ = ["AgreementPanel"]

# Sign, role and words of the entries with these marks, drawn in this order; kinks above noise.
_GROUPS = (
    (("ok", "subgradient"), "disc", "correct", Legend("agrees", "correct", sign="●")),
    (
        ("zero", "noise", "slight", "flat", "open"),
        "ring",
        "inconclusive",
        Legend("cannot tell", "inconclusive", sign="○"),
    ),
    (("kink", "jumps"), "triangle", "inconclusive", Legend("kink", "inconclusive", sign="▼")),
    (("bug",), "square", "wrong", Legend("bug", "wrong", sign="■")),
)
_END = 1.15


class AgreementPanel(Panel):
    """Axes and diagonal stand still; the entries move.

    Both gradients are divided by the tensor's largest entry, so that the axes stay where they are
    while the weights are scaled; what that is, is told below.
    """

    name, title, width = "agreement", "Analytic against numerical", 19.0
    hint = "Click a dot to choose that entry."

    def key(self, result: Result) -> Hashable:
        """Return the tensor, and what the axes are in units of."""
        return _unit(chosen_tensor(result))

    def still(self, result: Result) -> Chart:
        """Return the axes and the diagonal."""
        tensor = chosen_tensor(result)
        ticks = ((-1.0, "−1"), (0.0, "0"), (1.0, "1"))
        x, y = (Axis(-_END, _END, label, ticks=ticks) for label in ("numerical", "analytic"))
        marks = [
            segments([-_END, 0], [0, -_END], [_END, 0], [0, _END], "grid"),
            segments(-_END, -_END, _END, _END, "faint", (3, 3), 1.4),
        ]
        return Chart(
            self.title,
            x,
            y,
            marks,
            note=_unit(tensor),
            legend=[group[-1] for group in _GROUPS],
            square=True,
        )

    def moving(self, result: Result) -> list[Mark]:
        """Return a dot an entry, signed by its mark, and a ring around the one chosen."""
        tensor = chosen_tensor(result)
        x, y = _points(tensor)
        marks = []
        for mark, sign, role, _ in _GROUPS:
            here = np.isin(tensor.marks.ravel(), mark)
            if here.any():
                radius = 2.0 if sign == "disc" else 2.6
                marks.append(dots(x[here], y[here], [role], radius=radius, sign=sign))
        place = chosen_place(tensor, result.settings.entry)
        if place is not None:
            mark = tensor.marks.ravel()[place]
            role = next(role for own, _, role, _ in _GROUPS if mark in own)
            marks.append(dots(x[place], y[place], ["ink"], radius=5.0, sign="ring"))
            marks.append(dots(x[place], y[place], [role], radius=2.0))
        return marks

    def alt(self, result: Result) -> str:
        """Return ratio and cosine."""
        tensor = chosen_tensor(result)
        return (
            f"Analytic against numerical gradient of {tensor.name}, a dot an entry: "
            f"ratio {_defined(tensor.ratio)}, cosine {_defined(tensor.cosine)}."
        )

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the entry whose dot is nearest to the point."""
        tensor = chosen_tensor(result)
        if tensor.directional:
            return {}
        across, up = _points(tensor)
        nearest = int(np.argmin(np.hypot(across - x, up - y)))
        return {"tensor": tensor.name, "entry": entry_at(tensor, nearest)}


def _points(tensor: TensorReport) -> tuple[np.ndarray, np.ndarray]:
    """Return numerical and analytic of the entries, in units of the largest, onto the axes."""
    largest = _largest(tensor) or 1.0
    arrays = tensor.numerical.ravel(), tensor.analytic.ravel()
    x, y = (np.clip(np.nan_to_num(v / largest), -_END, _END) for v in arrays)
    return x, y


def _defined(value: float) -> str:
    return "not defined" if math.isnan(value) else f"{value:.3g}"


def _unit(tensor: TensorReport) -> str:
    return f"{tensor.name}: 1 is {two_digits(_largest(tensor))}, the largest"


def _largest(tensor: TensorReport) -> float:
    values = np.concatenate([tensor.numerical.ravel(), tensor.analytic.ravel()])
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max()) if finite.size else 0.0
