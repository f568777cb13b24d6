"""What is on the lab's screen and is no setting: scenarios, the line to share, how it looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from gradlab.lab.board.panels import PANELS
from gradlab.lab.controls import locked
from gradlab.lab.lock import LOCK
from gradlab.lab.model.scenarios import SCENARIOS
from gradlab.lab.model.settings import NAMES, Settings
from gradlab.lab.state import LabState

__all__ = ["THEMES", "Appearance", "Scenarios", "Share", "reset_button"]

THEMES = ("auto", "light", "dark")
_MOST_LARGE = 2  # pictures in presentation size, unless more are asked for
_CHOOSE = "choose …"


class Scenarios(widgets.HBox):
    """A drop-down that sets everything at once to show one thing, and says what there is to see.

    It shows the scenario whose settings are set, and none once a control was moved.

    Parameters
    ----------
    state : LabState
    """

    def __init__(self, state: LabState) -> None:
        self._state = state
        titles = [(scenario.title, name) for name, scenario in SCENARIOS.items()]
        self.choice = locked.Dropdown(
            options=[(_CHOOSE, ""), *titles], description="scenario",
            tooltip="scenario: sets every control to show one thing",
            style={"description_width": "60px"}, layout=widgets.Layout(width="420px"),
        )  # fmt: skip
        self.lesson = widgets.HTML(layout=widgets.Layout(flex="1 1 300px"))
        super().__init__(
            [self.choice, self.lesson], layout=widgets.Layout(flex_flow="row wrap", width="100%")
        )
        self.follow()
        self.choice.observe(self._on_choice, "value")
        state.observe(self._on_setting, NAMES)

    def follow(self) -> None:
        """Show the scenario that is set, or none."""
        now = self._state.settings
        shown = SCENARIOS.get(self.choice.value)
        if shown is None or shown.full() != now:
            shown = next((s for s in SCENARIOS.values() if s.full() == now), None)
        if shown is not None and shown.full() == Settings():
            shown = None
        self.choice.value = shown.name if shown else ""
        words = escape(shown.lesson) if shown else ""
        self.lesson.value = f'<div class="gradlab-told">{words}</div>'

    def _on_setting(self, change: Any) -> None:
        # while a slider is dragged there is nothing to compare
        if self.choice.value and change["new"] != SCENARIOS[self.choice.value].value(
            change["name"]
        ):
            self.choice.value = ""
            self.lesson.value = ""

    def _on_choice(self, change: Any) -> None:
        if not change["new"]:
            return
        with LOCK:
            scenario = SCENARIOS[change["new"]]
            if scenario.full() != self._state.settings:
                try:
                    self._state.load_scenario(scenario.name)
                except Exception as error:  # nobody would see it: a callback has no output
                    self._state.fail((), error)
            self.follow()


class Share(widgets.HBox):
    """The line of code that recreates what is set; or paste one, and press Enter.

    Parameters
    ----------
    state : LabState
    copy : callable, (str) -> None
        Puts a text on the clipboard.
    """

    def __init__(self, state: LabState, copy: Callable[[str], None]) -> None:
        self._state, self._copy = state, copy
        self.copy_button = widgets.Button(
            description="Copy settings", icon="copy", layout=widgets.Layout(width="auto"),
            tooltip="Copy settings: one line of code that recreates what is set now",
        )  # fmt: skip
        self.line = locked.Text(
            description="line", tooltip="line: paste one and press Enter",
            placeholder="gl.Lab(…)", continuous_update=False,
            style={"description_width": "30px"}, layout=widgets.Layout(flex="2 1 320px"),
        )  # fmt: skip
        super().__init__(
            [self.copy_button, self.line], layout=widgets.Layout(flex_flow="row wrap", width="100%")
        )
        self.copy_button.on_click(self._on_copy)
        self.line.observe(self._on_line, "value")
        state.observe(self._on_setting, NAMES)

    def _on_setting(self, change: Any) -> None:
        if self.line.value:
            self.line.value = ""  # it would be that of other settings

    def _on_copy(self, button: widgets.Button) -> None:
        with LOCK:
            state = self._state
            self.line.value = state.line
            self._copy(self.line.value)

    def _on_line(self, change: Any) -> None:
        """Set what a pasted line says; one that was written here changes nothing."""
        with LOCK:
            try:
                if change["new"]:
                    self._state.load_line(change["new"])
            except Exception as error:  # nobody would see it: a callback has no output
                self._state.fail((), error)


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
            panel.name: locked.Checkbox(
                value=panel.name in visible, description=panel.title, indent=False,
                tooltip=f"{panel.title}: show this picture", layout=widgets.Layout(width="auto"),
            )
            for panel in PANELS
        }  # fmt: skip
        self.large = locked.ToggleButton(
            description="Presentation size", icon="search-plus",
            layout=widgets.Layout(width="auto"),
            tooltip="Presentation size: text and lines to be read from the back of a room",
        )  # fmt: skip
        self.theme = locked.Dropdown(
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
