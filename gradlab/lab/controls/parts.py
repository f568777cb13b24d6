"""What stands on the lab's screen beside the settings' controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from gradlab.lab.board.board import Board
from gradlab.lab.controls.arrange import arrange
from gradlab.lab.controls.extras import Appearance, Scenarios, Share, reset_button
from gradlab.lab.mystery.view import MysteryView
from gradlab.lab.state import LabState

__all__ = ["Parts"]


class Parts:
    """Board, scenarios, mystery, appearance, reset, and the bar of a training.

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
        self.scenarios, self.share = Scenarios(state), Share(state, board.copy)
        self.appearance = Appearance(panels, theme, changed)
        self.mystery = MysteryView(state)
        self.reset_button = reset_button()
        self.training = widgets.FloatProgress(
            min=0, max=1, description="training", style={"description_width": "55px"},
            layout=widgets.Layout(visibility="hidden", width="150px"),
        )  # fmt: skip
        state.observe(self._on_progress, "progress")

    def all(self) -> list[widgets.Widget]:
        """Return every widget, also those that are not shown."""
        return [
            self.scenarios, self.share, self.appearance, self.mystery,
            self.reset_button, self.training,
        ]  # fmt: skip

    def arranged(
        self, controls: Mapping[str, widgets.Widget], wanted: Sequence[str] | None
    ) -> list[widgets.Widget]:
        """Return the lab's children: everything that applies, or only the settings `wanted`."""
        applicable = self._state.applicable
        shown = applicable if wanted is None else wanted
        extras: dict[str, list[widgets.Widget]] = {}
        if "bug" in shown:
            extras["Bugs"] = [self.mystery]
        if wanted is None:
            own = [self.scenarios] if self._state.given is None else []
            extras["Scenarios" if own else "Share"] = [*own, self.share]
            extras["Appearance"] = [self.appearance]
        children, groups = arrange(
            controls, shown, self._board, extras, [self.training, self.reset_button]
        )
        # whoever starts a round, from a scenario's line or from code, sees where to guess
        self._state.observe(lambda change: change["new"] and groups.unfold("Bugs"), "mystery")
        return children

    def _on_progress(self, change: Any) -> None:
        self.training.value = self._state.progress
        # it keeps its room: nothing jumps
        self.training.layout.visibility = "hidden" if self._state.progress >= 1 else "visible"
