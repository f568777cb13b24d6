"""ipywidgets' controls, taking what the browser sends under the lab's lock.

ipywidgets applies a message in several steps: it mutes the widget's own updates, sets the traits,
and then tells the observers. Messages come on another thread than cells, and a cell that moved the
same widget between two of these steps would lose its update, or meet the options of an index that
has just gone.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from gradlab.lab.lock import LOCK

__all__ = [
    "Checkbox",
    "Dropdown",
    "FloatLogSlider",
    "FloatSlider",
    "IntSlider",
    "Text",
    "ToggleButton",
    "ToggleButtons",
]


class _Locked:
    def set_state(self, sync_data: dict[str, Any]) -> None:
        with LOCK:
            super().set_state(sync_data)


class Checkbox(_Locked, widgets.Checkbox):
    """A box to tick."""


class Dropdown(_Locked, widgets.Dropdown):
    """One of several choices."""


class FloatLogSlider(_Locked, widgets.FloatLogSlider):
    """A number, by its logarithm."""


class FloatSlider(_Locked, widgets.FloatSlider):
    """A number."""


class IntSlider(_Locked, widgets.IntSlider):
    """A whole number."""


class Text(_Locked, widgets.Text):
    """A line of text."""


class ToggleButton(_Locked, widgets.ToggleButton):
    """A button that stays down."""


class ToggleButtons(_Locked, widgets.ToggleButtons):
    """A row of buttons of which one is down."""
