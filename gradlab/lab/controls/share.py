"""The lab's settings as a line of code, to be copied or pasted."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from gradlab.lab.controls import locked
from gradlab.lab.lock import LOCK
from gradlab.lab.model.settings import NAMES
from gradlab.lab.state import LabState

__all__ = ["Share"]


class Share(widgets.HBox):
    """The line of code that recreates what is set; or paste one, and press Enter.

    A line that cannot be set stays, to be mended, with the reason below it; the lab is as before.

    Parameters
    ----------
    state : LabState
    copy : callable, (str) -> None
        Puts a text on the clipboard.
    """

    def __init__(self, state: LabState, copy: Callable[[str], None]) -> None:
        self._state, self._copy, self._writing = state, copy, False
        self.copy_button = widgets.Button(
            description="Copy settings",
            icon="copy",
            layout=widgets.Layout(width="auto"),
            tooltip="Copy settings: one line of code that recreates what is set now",
        )
        self.line = locked.Text(
            description="line",
            tooltip="line: paste one and press Enter",
            placeholder="gl.Lab(…)",
            continuous_update=False,
        )
        self.told = widgets.HTML()
        super().__init__([self.copy_button, self.line, self.told])
        self.add_class("gradlab-share")
        self.copy_button.on_click(self._on_copy)
        self.line.observe(self._on_line, "value")
        state.observe(self._on_setting, NAMES)

    def _on_setting(self, change: Any) -> None:
        """Forget a line that is now that of other settings, but none that somebody is mending."""
        if self.line.value and not self._writing and "refused" not in self.told.value:
            self._write("", "")

    def _on_copy(self, button: widgets.Button) -> None:
        with LOCK:
            state = self._state
            line = state.line
            self._write(line, "copied")
            self._copy(line)

    def _on_line(self, change: Any) -> None:
        """Set what a pasted line says; one that was written here changes nothing."""
        if self._writing:
            return
        with LOCK:
            line = change["new"]
            if not line.strip():
                self._write("", "")
                return
            self._writing = True
            try:
                self._state.load_line(line)
            except Exception as error:  # nobody would see it: a callback has no output
                self._write(line, str(error) or type(error).__name__, refused=True)
            else:
                self._write(line, "set")
            finally:
                self._writing = False

    def _write(self, line: str, words: str, refused: bool = False) -> None:
        before, self._writing = self._writing, True
        try:
            self.line.value = line
            kind, role = ("refused", "alert") if refused else ("told", "status")
            self.told.value = f'<div class="gradlab-{kind}" role="{role}">{escape(words)}</div>'
        finally:
            self._writing = before
