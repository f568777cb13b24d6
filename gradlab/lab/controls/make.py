"""The controls: one widget a setting, each with a description, a tooltip and its unit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import ipywidgets as widgets

from gradlab.lab.controls import locked
from gradlab.lab.controls.hidden_layers import HiddenLayers
from gradlab.lab.controls.whole_number import WholeNumber
from gradlab.lab.model.setting import Setting
from gradlab.lab.model.settings import AS_GIVEN, NO_BUG, SETTINGS, YOURS
from gradlab.lab.state import LabState

__all__ = ["follow_choices", "make_controls"]

#: What is offered only to who brought it.
_BROUGHT = {YOURS, AS_GIVEN}


def make_controls(state: LabState) -> dict[str, widgets.Widget]:
    """Return a control for every setting, by the setting's name; each has a trait `value`.

    The caller's own data, and the caller's own list of activations, are offered where there are
    such.
    """
    return {name: _MAKERS[setting.kind](setting, state) for name, setting in SETTINGS.items()}


def follow_choices(controls: Mapping[str, widgets.Widget], state: LabState) -> None:
    """Offer the bugs and the tensors of the network that is shown, and keep what is chosen."""
    if state.result is None:
        return
    tensors = [("the worst", ""), *((name, name) for name in state.result.report)]
    offers = {
        "bug": _titled("bug", state.bug_choices),
        "tensor": tensors,
        "second_bug": _titled("second_bug", state.bug_choices),
    }
    for name, options in offers.items():
        control = controls[name]
        if control.options != tuple(options):
            control.options = options
            if getattr(state, name) in [value for _, value in options]:
                control.value = getattr(state, name)


def _titled(name: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """Return words and values of a choice, those of `values` that it can have."""
    words = SETTINGS[name].choices
    return [(words[value], value) for value in values if value in words]


def _common(setting: Setting, state: LabState) -> dict[str, Any]:
    own = "hidden" in state.applicable  # else the weights are the caller's
    tooltip = setting.tooltip if own else setting.tooltip_given or setting.tooltip
    return {
        "description": setting.label,
        "tooltip": f"{setting.label}: {tooltip}",
    }


def _logarithmic(setting: Setting, state: LabState) -> widgets.Widget:
    low, high = (round(math.log10(v)) for v in (setting.low, setting.high))
    slider = locked.FloatLogSlider(
        min=low,
        max=high,
        step=setting.step,
        readout_format=_written(setting),
        continuous_update=False,
        **_common(setting, state),
    )
    slider.add_class(f"gradlab-slides-{setting.name}")  # while it is dragged: the board's script
    return slider


def _written(setting: Setting) -> str:
    """Return how a number is told: in powers of ten where it is always small, else as it is."""
    # without a letter d3 leaves off what is 0; ipywidgets refuses the "~g" that means the same
    return f".{setting.digits}e" if setting.high < 1 else f".{setting.digits + 2}"


def _linear(setting: Setting, state: LabState) -> widgets.Widget:
    return locked.FloatSlider(
        min=setting.low,
        max=setting.high,
        step=setting.step,
        readout_format=f".{setting.digits}f",
        **_common(setting, state),
    )


def _whole(setting: Setting, state: LabState) -> widgets.Widget:
    common = _common(setting, state)
    if not setting.step:
        return WholeNumber(setting.low, None if setting.is_open else setting.high, **common)
    return locked.IntSlider(
        min=setting.low, max=setting.high, step=setting.step, continuous_update=False, **common
    )


def _choice(setting: Setting, state: LabState) -> widgets.Widget:
    offered = (
        (NO_BUG,)
        if NO_BUG in setting.choices
        else [  # a result has more: `follow_choices`
            value
            for value in setting.choices
            if value not in _BROUGHT or value == getattr(state.base, setting.name)
        ]
    )
    control = locked.Dropdown(options=_titled(setting.name, offered), **_common(setting, state))
    if NO_BUG in setting.choices:
        control.add_class("gradlab-wide")  # titles of bugs are sentences
    return control


def _flag(setting: Setting, state: LabState) -> widgets.Widget:
    return locked.Checkbox(indent=False, **_common(setting, state) | {"description": setting.words})


def _name(setting: Setting, state: LabState) -> widgets.Widget:
    return locked.Dropdown(options=[("the worst", "")], **_common(setting, state))


def _widths(setting: Setting, state: LabState) -> widgets.Widget:
    return HiddenLayers(setting.tooltip)


#: The widget for each kind of setting.
_MAKERS = {
    "logarithmic": _logarithmic,
    "linear": _linear,
    "whole": _whole,
    "choice": _choice,
    "flag": _flag,
    "name": _name,
    "widths": _widths,
}
