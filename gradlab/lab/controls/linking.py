"""Ties the controls to the state: each follows the other, and what is refused is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import ipywidgets as widgets
import traitlets

from gradlab.lab.controls.make import follow_choices
from gradlab.lab.lock import LOCK
from gradlab.lab.model.settings import NAMES, SWITCHED
from gradlab.lab.state import LabState

__all__ = ["Link"]


class Link:
    """Keeps controls and state the same.

    Parameters
    ----------
    state : LabState
    controls : mapping of str to Widget
        By the name of the setting.

    Attributes
    ----------
    held : str or None
        The setting whose handle is being dragged, while its value is taken.
    """

    def __init__(self, state: LabState, controls: Mapping[str, widgets.Widget]) -> None:
        self._state, self._controls = state, controls
        self._following, self._offered_for = False, None
        self.held: str | None = None
        self.follow_all()
        for name, control in controls.items():
            control.observe(partial(self._on_control, name), "value")
        state.observe(self._on_setting, NAMES)

    def follow_all(self) -> None:
        """Make every control show its setting."""
        self.follow_result()
        for name, control in self._controls.items():
            self._follow(name, control)
        self._switch()

    def slide(self, name: str, to: float) -> None:
        """Take where the handle of a logarithmic slider stands that is being dragged."""
        control = self._controls.get(name)
        if not isinstance(control, widgets.FloatLogSlider) or not control.min <= to <= control.max:
            return
        with LOCK:
            self.held = name
            self._state.hold(name)
            try:
                self._on_control(name, {"new": control.base**to})
            finally:
                self.held = None

    def follow_result(self) -> None:
        """Offer the bugs and the tensors that the network can have now."""
        if self._state.result is None or self._state.result.problem is self._offered_for:
            return
        self._offered_for = self._state.result.problem
        self._following = True
        try:
            follow_choices(self._controls, self._state)
        finally:
            self._following = False

    def _follow(self, name: str, control: widgets.Widget) -> None:
        # A control cannot show what it does not offer ("yours", eight layers): the banner and the
        # picture tell it.
        value = getattr(self._state, name)
        if name == self.held or _same(control.value, value):
            return  # sent back, the last digits would pull at a handle that is being dragged
        # nor a seed or a λ beyond its range: it shows the nearest, and that is nobody's choice
        before, self._following = self._following, True
        try:
            with suppress(traitlets.TraitError):
                control.value = value
        finally:
            self._following = before

    def _on_control(self, name: str, change: Any) -> None:
        if self._following:  # the control shows something else: nobody chose anything
            return
        value = change["new"]
        if isinstance(value, float):  # the browser makes 1e-3 of a logarithm: 0.0010000000000000041
            value = float(f"{value:.12g}")
        try:
            if not _same(value, getattr(self._state, name)):  # else it is following the state
                setattr(self._state, name, value)
        except Exception as error:  # nobody would see it: a callback has no output
            self._state.fail((name,), error)
        if name != self.held:
            self._state.release()  # the value that a slider sends itself, when it is let go

    def _on_setting(self, change: Any) -> None:
        with LOCK:
            if change["name"] in self._controls:
                self._follow(change["name"], self._controls[change["name"]])
            self._switch()

    def _switch(self) -> None:
        """Switch off the controls that mean nothing now."""
        for switch, names in SWITCHED.items():
            for name in names:
                on = getattr(self._state, switch) not in (False, "none", "mystery")
                self._controls[name].disabled = not on


def _same(one: object, other: object) -> bool:
    """Return whether two values of a setting are equal, numbers but for their last digits."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other
