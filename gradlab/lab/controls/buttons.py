"""Buttons that show an icon, and have words for whoever points at them or listens."""

from __future__ import annotations

import ipywidgets as widgets

from gradlab.lab.controls import locked

__all__ = ["icon_button", "icon_toggle"]


def icon_button(name: str, icon: str, more: str = "") -> widgets.Button:
    """Return a button; the style sheet hides its name from the eye alone."""
    return _iconic(widgets.Button(**_words(name, more), icon=icon))


def icon_toggle(name: str, icon: str, more: str = "") -> locked.ToggleButton:
    """Return a button that stays down."""
    return _iconic(locked.ToggleButton(**_words(name, more), icon=icon))


def _words(name: str, more: str) -> dict[str, str]:
    return {"description": name, "tooltip": f"{name}: {more}" if more else name}


def _iconic(button: widgets.DOMWidget) -> widgets.DOMWidget:
    button.add_class("gradlab-icon")
    return button
