"""The small buttons at the right: undo and redo, pin, save, full screen; and Reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from gradlab.lab.controls.buttons import icon_button, icon_toggle
from gradlab.lab.lock import LOCK
from gradlab.lab.state import LabState

__all__ = ["Toolbar"]


class Toolbar(widgets.HBox):
    """What can be done with the lab as a whole, and the bar of a training.

    Parameters
    ----------
    state : LabState
    pin : callable, (bool) -> None
        Keeps the present curves behind the new ones, or lets go of them.
    save : callable, (str) -> None
        Saves the picture as "png" or "svg".

    Attributes
    ----------
    undo, redo, png, svg, full_screen, reset : Button
        Whoever made the toolbar says what `reset` does; the browser what `full_screen` does.
    pin : ToggleButton
    training : FloatProgress
    """

    def __init__(
        self, state: LabState, pin: Callable[[bool], None], save: Callable[[str], None]
    ) -> None:
        self._state = state
        self.undo = icon_button("Undo", "undo", "take back the last change (Ctrl+Z)")
        self.redo = icon_button("Redo", "repeat", "what was taken back (Ctrl+Shift+Z)")
        self.pin = icon_toggle("Pin", "thumb-tack", "keep the present curves behind, pale")
        self.png = icon_button("Save picture as PNG", "file-image-o")
        self.svg = icon_button("Save picture as SVG", "file-code-o", "drawn anew at any size")
        self.full_screen = icon_button("Full screen", "arrows-alt")
        self.full_screen.add_class("gradlab-fullscreen")  # the browser opens it: board.js
        self.reset = widgets.Button(  # lessons say "Press Reset": a word to look for
            description="Reset",
            icon="fast-backward",
            layout=widgets.Layout(width="auto"),
            tooltip="Reset: back to where the lab started",
        )
        self.training = widgets.FloatProgress(min=0, max=1, description="training")
        super().__init__(
            [
                self.training,
                self.undo,
                self.redo,
                self.pin,
                self.png,
                self.svg,
                self.full_screen,
                self.reset,
            ]
        )
        self.add_class("gradlab-toolbar")
        self.undo.on_click(lambda button: self._act(state.undo))
        self.redo.on_click(lambda button: self._act(state.redo))
        self.png.on_click(lambda button: self._act(lambda: save("png")))
        self.svg.on_click(lambda button: self._act(lambda: save("svg")))
        self.pin.observe(lambda change: self._act(lambda: pin(change["new"])), "value")
        state.observe(self._on_past, ["can_undo", "can_redo"])
        state.observe(self._on_progress, "progress")
        self._on_past()
        self._on_progress()

    def _act(self, action: Callable[[], object]) -> None:
        with LOCK:
            try:
                action()
            except Exception as error:  # nobody would see it: a callback has no output
                self._state.fail((), error)

    def _on_past(self, change: Any = None) -> None:
        self.undo.disabled = not self._state.can_undo
        self.redo.disabled = not self._state.can_redo

    def _on_progress(self, change: Any = None) -> None:
        self.training.value = self._state.progress
        # it keeps its room: nothing jumps
        self.training.layout.visibility = "hidden" if self._state.progress >= 1 else "visible"
