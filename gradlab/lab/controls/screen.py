"""What stands on the lab's screen beside the settings' controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import ipywidgets as widgets

from gradlab.lab.board.board import Board
from gradlab.lab.controls.appearance import Appearance
from gradlab.lab.controls.arrange import arrange
from gradlab.lab.controls.scenarios import Scenarios
from gradlab.lab.controls.share import Share
from gradlab.lab.controls.toolbar import Toolbar
from gradlab.lab.mystery.view import MysteryView
from gradlab.lab.state import LabState

__all__ = ["Screen"]


class Screen:
    """Board, toolbar, scenarios, mystery, the line to share, and how it all looks.

    Parameters
    ----------
    state : LabState
    board : Board
    panels : sequence of str
        What the board shows at the start.
    theme : str
    changed : callable, () -> None
        Called when the appearance has changed.
    pin : callable, (bool) -> None
        Pins the present curves, or lets go of them.
    save : callable, (str) -> None
        Saves the picture as "png" or "svg".
    """

    def __init__(
        self,
        state: LabState,
        board: Board,
        panels: Sequence[str],
        theme: str,
        *,
        changed: Callable[[], None],
        pin: Callable[[bool], None],
        save: Callable[[str], None],
    ) -> None:
        self._state, self._board = state, board
        self.scenarios, self.share = Scenarios(state), Share(state, board.copy)
        self.appearance = Appearance(panels, theme, changed)
        self.mystery = MysteryView(state, partial(board.bring_into_view, "gradlab-mystery"))
        self.toolbar = Toolbar(state, pin, save)

    def all(self) -> list[widgets.Widget]:
        """Return every widget, also those that are not shown."""
        return [
            self.scenarios,
            self.share,
            self.appearance,
            self.mystery,
            self.toolbar,
            self._chooser,
        ]

    def arranged(
        self, controls: Mapping[str, widgets.Widget], wanted: Sequence[str] | None
    ) -> list[widgets.Widget]:
        """Return the lab's children: everything that applies, or only the settings `wanted`."""
        shown = self._state.applicable if wanted is None else wanted
        extras: dict[str, list[widgets.Widget]] = {}
        if "bug" in shown:
            extras["Bugs"] = [self.mystery]
        if wanted is None:
            extras["Share"] = [self.share]
            extras["Appearance"] = [self.appearance]
        story = [self.scenarios] if wanted is None and self._state.brought is None else []
        children, groups = arrange(controls, shown, self._board, extras, self.toolbar, story)
        self._chooser = groups.chooser  # not shown where there is one group alone
        # whoever starts a round, from a scenario's line or from code, sees where to guess
        self._state.observe(lambda change: change["new"] and groups.unfold("Bugs"), "mystery")
        return children
