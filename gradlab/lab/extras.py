"""What is on the lab's screen and is no setting: scenarios, the line to share, how it looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from gradlab.lab.line import settings_line
from gradlab.lab.lock import LOCK
from gradlab.lab.panels import PANELS
from gradlab.lab.scenarios import SCENARIOS
from gradlab.lab.state import LabState

__all__ = ["THEMES", "Appearance", "Scenarios", "reset_button"]

THEMES = ("auto", "light", "dark")
_MOST_LARGE = 2  # pictures in presentation size, unless more are asked for
_CHOOSE = "choose …"


class Scenarios(widgets.HBox):
    """A drop-down that sets everything at once, and the line of code that does the same.

    Parameters
    ----------
    state : LabState
    copy : callable, (str) -> None
        Puts a text on the clipboard.
    """

    def __init__(self, state: LabState, copy: Callable[[str], None]) -> None:
        self._state, self._copy = state, copy
        titles = [(scenario.title, name) for name, scenario in SCENARIOS.items()]
        self.choice = widgets.Dropdown(
            options=[(_CHOOSE, ""), *titles], description="scenario",
            tooltip="scenario: sets every control to show one thing",
            style={"description_width": "60px"}, layout=widgets.Layout(flex="1 1 280px"),
        )  # fmt: skip
        self.copy_button = widgets.Button(
            description="Copy settings", icon="copy", layout=widgets.Layout(width="auto"),
            tooltip="Copy settings: one line of code that recreates what is set now",
        )  # fmt: skip
        self.line = widgets.Text(
            description="line", tooltip="line: paste it into a cell", placeholder="gl.Lab(…)",
            style={"description_width": "30px"}, layout=widgets.Layout(flex="2 1 320px"),
        )  # fmt: skip
        self.lesson = widgets.HTML(layout=widgets.Layout(width="100%"))
        super().__init__(
            [self.choice, self.copy_button, self.line, self.lesson],
            layout=widgets.Layout(flex_flow="row wrap", width="100%"),
        )
        self.choice.observe(self._on_choice, "value")
        self.copy_button.on_click(self._on_copy)

    def _on_choice(self, change: Any) -> None:
        if not change["new"]:
            return
        with LOCK:
            scenario = SCENARIOS[change["new"]]
            self.lesson.value = f'<div class="gradlab-told">{scenario.lesson}</div>'
            try:
                self._state.load_scenario(scenario.name)
            except Exception as error:  # nobody would see it: a callback has no output
                self._state.fail((), error)
            self._write()

    def _on_copy(self, button: widgets.Button) -> None:
        with LOCK:
            self._write()
            self._copy(self.line.value)

    def _write(self) -> None:
        given = self._state.given
        self.line.value = settings_line(self._state.settings, given and given.settings())


class Appearance(widgets.HBox):
    """Which panels are shown, how large, and in which colours.

    Parameters
    ----------
    visible : sequence of str
        Panels that are shown at the start.
    theme : str
    changed : callable, () -> None
        Called after each change.
    """

    def __init__(self, visible: Sequence[str], theme: str, changed: Callable[[], None]) -> None:
        self.panels = {
            panel.name: widgets.Checkbox(
                value=panel.name in visible, description=panel.title, indent=False,
                tooltip=f"{panel.title}: show this picture", layout=widgets.Layout(width="auto"),
            )
            for panel in PANELS
        }  # fmt: skip
        self.large = widgets.ToggleButton(
            description="Presentation size", icon="search-plus",
            layout=widgets.Layout(width="auto"),
            tooltip="Presentation size: text and lines to be read from the back of a room",
        )  # fmt: skip
        self.theme = widgets.Dropdown(
            options=THEMES, value=theme, description="theme",
            tooltip="theme: colours of the pictures; auto follows JupyterLab",
            style={"description_width": "48px"}, layout=widgets.Layout(width="160px"),
        )  # fmt: skip
        super().__init__(
            [*self.panels.values(), self.large, self.theme],
            layout=widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 14px"),
        )
        self._order = [*visible, *(p for p in self.panels if p not in visible)]
        self._changed, self._hidden = changed, []
        self.large.observe(self._on_large, "value")
        for box in self.panels.values():
            box.observe(self._on_panel, "value")

    def _on_large(self, change: Any) -> None:
        """Make room: at most two pictures fit beside each other when they are large."""
        with LOCK:
            if change["new"]:
                self._hidden = self.visible[_MOST_LARGE:]
            for name in self._hidden:
                self.panels[name].value = not change["new"]
            self._changed()

    def _on_panel(self, change: Any) -> None:
        with LOCK:
            self._changed()

    @property
    def visible(self) -> list[str]:
        """The panels that are ticked, in order."""
        return [name for name in self._order if self.panels[name].value]


def reset_button() -> widgets.Button:
    """Return the button that goes back to the start."""
    return widgets.Button(
        description="Reset", tooltip="Reset: back to where the lab started", icon="undo",
        layout=widgets.Layout(width="auto"),
    )  # fmt: skip
