"""A box for a whole number, which says so where what was typed is none."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import ipywidgets as widgets
import traitlets

from gradlab.lab.controls import locked

__all__ = ["WholeNumber", "read_whole"]


def read_whole(text: str, low: int, high: int | None) -> int:
    """Return the whole number that `text` writes, such as "12" or "1e3".

    Raises
    ------
    ValueError
        It is none, or not from `low` to `high`; the message is for whoever typed it.
    """
    wanted = f"a whole number from {low} " + ("on" if high is None else f"to {high}")
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text[:20]!r} is not {wanted}") from None
    if not math.isfinite(number) or number != int(number):
        raise ValueError(f"{text.strip()[:20]} is not {wanted}")
    # a long seed has more digits than a float
    whole = int(text) if text.strip().isdecimal() else int(number)
    if whole < low or (high is not None and whole > high):
        raise ValueError(f"{text.strip()[:20]} is not {wanted}")
    return whole


class WholeNumber(widgets.VBox):
    """ipywidgets' own box drops what is no digit, and clamps: "12.7" would be 127, and 65 be 64.

    What is refused is told, and the box goes back to the number that is in force.

    Parameters
    ----------
    low : int
    high : int or None
        What can be typed; from code any number can be set.
    description, tooltip : str
    value : int, optional

    Attributes
    ----------
    text : Text
        What is typed into.
    told : HTML
        Why the last entry was refused. Below the box, unless somebody shows it elsewhere.
    """

    value = traitlets.Int(0)
    description = traitlets.Unicode()
    tooltip = traitlets.Unicode()
    disabled = traitlets.Bool(False)

    def __init__(
        self, low: int, high: int | None, *, description: str, tooltip: str, value: int = 0
    ) -> None:
        self._low, self._high = low, high
        self.text = locked.Text(
            value=str(value),
            continuous_update=False,
            description=description,
            tooltip=tooltip,
        )
        self.text.add_class("gradlab-whole")  # the arrow keys step it: names.js
        self.told = widgets.HTML()
        super().__init__(
            [self.text, self.told],
            value=value,
            description=description,
            tooltip=tooltip,
        )
        self.text.observe(self._on_text, "value")
        self.observe(self._on_value, "value")
        traitlets.dlink((self, "disabled"), (self.text, "disabled"))

    def tell(self, words: str) -> None:
        """Say `words` beside the box; "" says nothing."""
        self.told.value = f'<div class="gradlab-refused" role="alert">{escape(words)}</div>' * bool(
            words
        )

    def _on_text(self, change: Any) -> None:
        if change["new"] == str(self.value):
            return
        try:
            number = read_whole(change["new"], self._low, self._high)
        except ValueError as error:
            self.text.value = str(self.value)
            self.tell(f"{error}; it stays {self.value}")
            return
        self.tell("")
        self.text.value = str(number)  # "1e3" is shown as what it is
        self.value = number

    def _on_value(self, change: Any) -> None:
        self.tell("")
        self.text.value = str(self.value)
