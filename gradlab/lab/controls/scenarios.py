"""The row of scenarios: step to the next one, the one before, or choose; with its sentence."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets

from gradlab.lab.controls import locked
from gradlab.lab.controls.buttons import icon_button
from gradlab.lab.lock import LOCK
from gradlab.lab.model.scenarios import SCENARIOS
from gradlab.lab.model.settings import Settings
from gradlab.lab.state import LabState

__all__ = ["Scenarios"]

_CHOOSE = "choose …"
_NAMES = tuple(SCENARIOS)
#: The first of those that set the same.
_BY_SETTINGS = {scenario.full(): scenario.name for scenario in reversed(SCENARIOS.values())}


class Scenarios(widgets.HBox):
    """Sets everything at once to show one thing, and says what there is to see.

    The scenario stays named, with its sentence, while controls are moved from there: "changed".

    Parameters
    ----------
    state : LabState

    Attributes
    ----------
    chooser : HBox
        The four below, in a row.
    choice : Dropdown
    before, after, again : Button
        The scenario before and the one after, in a ring; and the chosen one as it was.
    lesson : HTML
        What there is to see.
    """

    def __init__(self, state: LabState) -> None:
        self._state, self._following = state, False
        titles = [(scenario.title, name) for name, scenario in SCENARIOS.items()]
        self.choice = locked.Dropdown(
            options=[(_CHOOSE, ""), *titles],
            description="scenario",
            tooltip="scenario: sets every control to show one thing",
        )
        self.before = icon_button("Previous scenario", "chevron-left")
        self.after = icon_button("Next scenario", "chevron-right")
        self.again = icon_button("Scenario again", "repeat", "as it was before controls were moved")
        self.lesson = widgets.HTML()
        self.chooser = widgets.HBox([self.before, self.choice, self.after, self.again])
        super().__init__([self.chooser, self.lesson])
        self.add_class("gradlab-scenarios")
        self._follow()
        self.choice.observe(self._on_choice, "value")
        self.before.on_click(lambda button: self._step(-1))
        self.after.on_click(lambda button: self._step(1))
        self.again.on_click(lambda button: self.load(self.choice.value))
        state.observe(self._follow, "revision")

    def load(self, name: str) -> None:
        """Set what a scenario sets, also where it is the one that is shown; "" changes nothing."""
        with LOCK:
            if name:
                try:
                    self._state.load_scenario(name)
                except Exception as error:  # nobody would see it: a callback has no output
                    self._state.fail((), error)
            self._show(name)

    def _follow(self, change: Any = None) -> None:
        """Show the scenario that is set, or that the lab was in before controls were moved."""
        state = self._state
        now, shown = state.settings, self.choice.value
        if shown and SCENARIOS[shown].full() == now:
            self._show(shown)
        elif now in (Settings(), state.start) or not shown:
            # the plain lab is "healthy", but nobody has chosen that
            found = _BY_SETTINGS.get(now, "")
            self._show("" if now == Settings() else found)
        else:
            self._show(_BY_SETTINGS.get(now, shown))

    def _show(self, name: str) -> None:
        self._following = True
        try:
            self.choice.value = name
        finally:
            self._following = False
        changed = bool(name) and SCENARIOS[name].full() != self._state.settings
        self.again.disabled = not changed
        words = escape(SCENARIOS[name].lesson) if name else ""
        title = f"<b>{escape(SCENARIOS[name].title)} (changed).</b> " if changed else ""
        self.lesson.value = f'<div class="gradlab-told" role="status">{title}{words}</div>'

    def _on_choice(self, change: Any) -> None:
        if not self._following and change["new"]:
            self.load(change["new"])
        elif not self._following:
            self._show("")

    def _step(self, by: int) -> None:
        with LOCK:
            shown = self.choice.value
            at = _NAMES.index(shown) + by if shown else min(0, by)
            self.load(_NAMES[at % len(_NAMES)])
