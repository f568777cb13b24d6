"""Which panels are shown, how large, and in which colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from gradlab.lab.board.panels import PANELS
from gradlab.lab.controls import locked
from gradlab.lab.lock import LOCK

__all__ = ["THEMES", "Appearance"]

THEMES = ("auto", "light", "dark")


class Appearance(widgets.HBox):
    """A checkbox a panel, the size, and the theme.

    Parameters
    ----------
    visible : sequence of str
        Panels that are shown at the start.
    theme : str
    changed : callable, () -> None
        Called after each change of panels or size.
    """

    def __init__(self, visible: Sequence[str], theme: str, changed: Callable[[], None]) -> None:
        self.panels = {
            panel.name: locked.Checkbox(
                value=panel.name in visible,
                description=panel.title,
                indent=False,
                tooltip=f"{panel.title}: show this picture",
            )
            for panel in PANELS
        }
        self.large = locked.ToggleButton(
            description="Presentation size",
            icon="search-plus",
            layout=widgets.Layout(width="auto"),
            tooltip="Presentation size: text and lines to be read from the back of a room",
        )
        self.theme = locked.Dropdown(
            options=THEMES,
            value=theme,
            description="theme",
            tooltip="theme: colours of the pictures; auto follows JupyterLab",
        )
        super().__init__([*self.panels.values(), self.large, self.theme])
        self.add_class("gradlab-flow")
        self.add_class("gradlab-appearance")
        self._order = [*visible, *(p for p in self.panels if p not in visible)]
        self._changed = changed
        for control in (*self.panels.values(), self.large):
            control.observe(self._on_change, "value")

    def _on_change(self, change: Any) -> None:
        with LOCK:
            self._changed()

    @property
    def visible(self) -> list[str]:
        """The panels that are ticked, in order."""
        return [name for name in self._order if self.panels[name].value]
