"""Relative error against the step, with the cursor."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from gradlab.checking.report import largest_error
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.lab.text.words import two_digits
from gradlab.plots import u_curve_chart, u_curve_cursor
from gradlab.plots.chart import Chart, Mark
from gradlab.plots.scales import EPS_RANGE

__all__ = ["UCurvePanel"]


class UCurvePanel(Panel):
    """A line a tensor stands still; the cursor and a dot a tensor move."""

    name, title, width, zooms = "u_curve", "Relative error against the step", 25.0, True
    hint = "Click to set the step."

    def key(self, result: Result) -> Hashable:
        """Return the sweep, which is compared by identity."""
        return result.curve

    def still(self, result: Result) -> Chart:
        """Return the curves, which change with the sweep."""
        return u_curve_chart(result.curve)

    def moving(self, result: Result) -> list[Mark]:
        """Return the cursor, and where it meets the tensors."""
        return u_curve_cursor(tuple(result.report), result.settings.eps, _errors(result))

    def alt(self, result: Result) -> str:
        """Return the curve in words."""
        best = result.sweep.predicted_best_eps
        worst = largest_error(result.report.tensors.values()).error
        norm = result.report.measure == "norm_ratio"
        of, what = ("Norm ratio", "norm ratio") if norm else ("Relative error", "error")
        lines = [f"a line for each of {len(result.report)} tensors", "one line"]
        first = result.sweep.kinks_from
        kinks = f" From {first:.0e} on, steps cross kinks." if np.isfinite(first) else ""
        return (
            f"{of} against the step, {lines[len(result.report) == 1]}. "
            f"The cursor is at eps {result.settings.eps:.1e}, where the largest {what} is "
            f"{two_digits(worst)}; the predicted best step is {best:.0e}.{kinks}"
        )

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the step at the point."""
        return {"eps": float(np.clip(x, *EPS_RANGE))}


def _errors(result: Result) -> np.ndarray:
    return np.array([tensor.error for tensor in result.report.tensors.values()])
