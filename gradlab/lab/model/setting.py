"""What one setting of the lab is: its values, its words, and what depends on it.

A field of `Settings` is made by one of the functions below and carries its record along, so that
whatever asks about a setting (a trait, a control, a line of code) asks the same one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradlab._validate import (
    check_bool,
    check_choice,
    check_integer,
    check_number,
    is_collection,
)

__all__ = [
    "EVERYTHING",
    "LSTM_ALONE",
    "NETWORKS",
    "Setting",
    "choice",
    "flag",
    "linear",
    "logarithmic",
    "name",
    "whole",
    "widths",
]

#: What a setting means something for: "mlp" is also what the lab builds itself.
NETWORKS = frozenset({"mlp", "convnet", "lstm"})
EVERYTHING, LSTM_ALONE, MLP_ALONE = NETWORKS | {"function"}, frozenset({"lstm"}), frozenset({"mlp"})


@dataclass(frozen=True)
class Setting:
    """The record of a setting.

    Attributes
    ----------
    kind : str
        "logarithmic", "linear", "whole" (a number), "choice", "flag", "widths" or "name".
    default : object
    label : str
        What the control is called, on the screen and in messages.
    tooltip : str
        What it does, in a phrase.
    group : str
        The heading under which its control stands; "" is above the pictures.
    name : str
        The field's.
    low, high : float or None
        The range of a number, in its own unit, and of each of the widths.
    is_open : bool
        The control ends at `high`, the values do not.
    choices : mapping of str to str
        The values of a choice, and the words for them.
    step, digits : float, int
        Of the control: a step (of a logarithmic one in decades; 0 is a box to type into) and the
        digits that it shows.
    words : str
        What stands beside the box of a flag.
    needs : str
        The setting that switches it on: a flag, or a bug that is not "none". "" is none.
    subjects : frozenset of str
        What it means something for, of "mlp", "convnet", "lstm" and "function".
    tooltip_given : str
        The tooltip for a network that the lab cannot build itself; "" is the same one.
    structure : bool
        Another value is another backward pass, and starts another round of the mystery.
    trains : bool
        What training gives depends on it.
    cursor : bool
        It moves on the same sweep.
    most : int
        How many widths there may be.
    """

    kind: str
    default: Any
    label: str
    tooltip: str
    group: str
    name: str = ""
    low: float | None = None
    high: float | None = None
    is_open: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    step: float = 0
    digits: int = 1
    words: str = ""
    needs: str = ""
    subjects: frozenset[str] = MLP_ALONE
    tooltip_given: str = ""
    structure: bool = False
    trains: bool = False
    cursor: bool = False
    most: int = 0

    def validated(self, value: Any) -> Any:
        """Return `value` as the setting holds it.

        Raises
        ------
        ValueError, TypeError
            It is out of range or of the wrong type; the message says which setting, what came and
            what was expected.
        """
        return _CHECKS[self.kind](self, value)


def logarithmic(default: float, low: float, high: float, **about: Any) -> Any:
    """Return a field for a number on a logarithmic slider."""
    return _field("logarithmic", default, low=low, high=high, **about)


def linear(default: float, low: float, high: float, **about: Any) -> Any:
    """Return a field for a number on a slider."""
    return _field("linear", default, low=low, high=high, **about)


def whole(default: int, low: int, high: int, **about: Any) -> Any:
    """Return a field for a whole number: on a slider if it has a `step`, else in a box."""
    return _field("whole", default, low=low, high=high, **about)


def choice(
    default: str, values: Iterable[str], words: Mapping[str, str] | None = None, **about: Any
) -> Any:
    """Return a field for one of several `values`, which are their own words unless there are."""
    choices = {value: (words or {}).get(value, value) for value in values}
    return _field("choice", default, choices=choices, **about)


def flag(default: bool, **about: Any) -> Any:
    """Return a field for a box to tick."""
    return _field("flag", default, **about)


def widths(default: tuple[int, ...], high: int, most: int, **about: Any) -> Any:
    """Return a field for up to `most` widths of layers, each from 1 to `high`."""
    return _field("widths", default, low=1, high=high, most=most, **about)


def name(default: str, **about: Any) -> Any:
    """Return a field for a name out of a list that only a result knows."""
    return _field("name", default, **about)


def _field(kind: str, default: Any, **about: Any) -> Any:
    return dataclasses.field(default=default, metadata={"setting": Setting(kind, default, **about)})


def _number(setting: Setting, value: Any) -> float:
    # A logarithmic slider's end is 10**-13, which is not quite 1e-13: such a hair is no error.
    low, high, number = setting.low, setting.high, check_number(value, setting.name)
    if not low * (1 - 1e-9) <= number <= high * (1 + 1e-9):
        number = check_number(value, setting.name, low, high)
    return min(max(number, low), high)


def _whole(setting: Setting, value: Any) -> int:
    number = check_integer(value, setting.name, setting.low)
    if number > setting.high and not setting.is_open:
        raise ValueError(
            f"{setting.name} must be an integer in [{setting.low}, {setting.high}], got {number}"
        )
    return number


def _widths(setting: Setting, value: Any) -> tuple[int, ...]:
    called, most, high = setting.name, setting.most, setting.high
    if isinstance(value, str) or not is_collection(value):
        raise TypeError(f"{called} must be a sequence of widths such as (16, 16), got {value!r}")
    found = tuple(check_integer(w, f"{called}[{i}]", 1) for i, w in enumerate(value))
    if len(found) > most:
        raise ValueError(f"{called} must hold at most {most} widths, got {len(found)}")
    for i, width in enumerate(found):
        if width > high:
            raise ValueError(f"{called}[{i}] must be an integer in [1, {high}], got {width}")
    return found


def _name(setting: Setting, value: Any) -> str:
    # Which names there are depends on the network: the rest is checked when there is one.
    if not isinstance(value, str):
        raise TypeError(f'{setting.name} must be a name such as "W1", or "", got {value!r}')
    return value


_CHECKS: dict[str, Callable[[Setting, Any], Any]] = {
    "logarithmic": _number,
    "linear": _number,
    "whole": _whole,
    "choice": lambda setting, value: check_choice(value, tuple(setting.choices), setting.name),
    "flag": lambda setting, value: check_bool(value, setting.name),
    "widths": _widths,
    "name": _name,
}
