"""What stands on the lab's screen beside the settings' controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from gradlab.lab.arrange import arrange
from gradlab.lab.board import Board
from gradlab.lab.extras import Appearance, Scenarios, reset_button
from gradlab.lab.mystery_view import MysteryView
from gradlab.lab.state import LabState

__all__ = ["Parts"]


class Parts:
    """Banner, board, scenarios, mystery, appearance, reset, and the bar of a training.

    Parameters
    ----------
    state : LabState
    board : Board
    panels : sequence of str
        What the board shows at the start.
    theme : str
    changed : callable, () -> None
        Called when the appearance has changed.
    """

    def __init__(
        self,
        state: LabState,
        board: Board,
        panels: Sequence[str],
        theme: str,
        changed: Callable[[], None],
    ) -> None:
        self._state, self._board = state, board
        self.banner = widgets.HTML()
        self.scenarios = Scenarios(state, board.copy)
        self.appearance = Appearance(panels, theme, changed)
        self.mystery = MysteryView(state)
        self.reset_button = reset_button()
        self.training = widgets.FloatProgress(
            min=0, max=1, description="training", layout=widgets.Layout(display="none")
        )
        state.observe(self._on_progress, "progress")

    def arranged(
        self, controls: Mapping[str, widgets.Widget], wanted: Sequence[str] | None
    ) -> list[widgets.Widget]:
        """Return the lab's children: everything that applies, or only the settings `wanted`."""
        pictures, applicable = [self.banner, self._board], self._state.applicable
        if wanted is not None:
            return arrange(controls, wanted, pictures, {}, [self.reset_button])
        extras: dict[str, list[widgets.Widget]] = {"Network": [self.training]}
        if "bug" in applicable:
            extras["Bugs"] = [self.mystery]
        if self._state.given is None:
            extras["Scenarios"] = [self.scenarios]
        extras["Appearance"] = [self.appearance]
        return arrange(controls, applicable, pictures, extras, [self.reset_button])

    def _on_progress(self, change: Any) -> None:
        self.training.value = self._state.progress
        self.training.layout.display = "none" if self._state.progress >= 1 else ""
