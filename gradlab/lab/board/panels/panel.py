"""What all panels have in common: each describes one picture of a result, and draws nothing."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from gradlab.lab.model.result import Result
from gradlab.plots.chart import Chart, Mark

__all__ = ["Panel"]


class Panel:
    """One picture of the lab, as data: the browser draws it, and matplotlib for what is stored.

    A panel keeps nothing between two results. To add one: a file here with a subclass, and its line
    in `PANELS`.

    Attributes
    ----------
    name, title : str
        In code, and on the screen.
    width : float
        In em at scale 1; all panels are 21 em high.
    at_rest : bool
        Dear to compute: shown anew only when nothing moves; a drag keeps the last one, paled.
    zooms : bool
        Whether an area can be selected to be seen larger.
    hint : str
        What a click does; "" where it does nothing.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    width: ClassVar[float] = 20.0
    at_rest: ClassVar[bool] = False
    zooms: ClassVar[bool] = False
    hint: ClassVar[str] = ""

    def fits(self, result: Result) -> str:
        """Return why there is nothing to show here, as a sentence, or ""."""
        return ""

    def key(self, result: Result) -> Hashable:
        """Return what `still` depends on: with the same key it is not described and sent again.

        It may hold objects that are compared by identity; they are kept alive as long as it is.
        """
        return result.sweep

    def still(self, result: Result) -> Chart:
        """Return what stands still while the step is dragged: axes, bands, curves."""
        raise NotImplementedError

    def moving(self, result: Result) -> list[Mark]:
        """Return what changes with every event, above the rest: a cursor, dots, signs."""
        return []

    def alt(self, result: Result) -> str:
        """Return the picture in words, true of the numbers that it shows."""
        raise NotImplementedError

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the settings to change for a click at data coordinates (x, y)."""
        return {}
