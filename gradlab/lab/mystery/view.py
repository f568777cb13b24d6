"""The mystery bug on the screen: pick a tensor and a line, guess, take hints, see the answer."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets

from gradlab.lab.controls import locked
from gradlab.lab.lock import LOCK
from gradlab.lab.state import LabState

__all__ = ["MysteryView"]

_ONE = (
    "One of these lines of the backward pass, shown as they should be, is written wrongly. Which "
    "one, and which is the first tensor, coming from the loss, that it makes wrong? Move the "
    "sliders, look, and guess."
)
_TWO = (
    "Two of these lines of the backward pass, shown as they should be, are written wrongly. Which "
    "ones, and which is the first tensor, coming from the loss, that they make wrong? Each takes a "
    "guess of its own. Move the sliders, look, and guess."
)

_NONE = "choose …"  # nothing is preset: that might be the answer
_BUTTONS = {
    "guess": ("Guess", "is it this tensor, and this line?"),
    "hint": ("Hint", "costs a point of three"),
    "reveal": ("Reveal", "shows the bug; the round is over"),
    "next": ("New bug", "plants another one"),
    "two": ("Two bugs", "plants two at a time"),
}


class MysteryView(widgets.VBox):
    """Shown while `state.bug` is "mystery"; all of it works from the keyboard.

    Parameters
    ----------
    state : LabState

    Attributes
    ----------
    tensor, line : Dropdown
    buttons : dict of str to Button
        "guess", "hint", "reveal", "next", "two".
    told : HTML
        What the lab answered, and the score.
    """

    def __init__(self, state: LabState) -> None:
        self._state = state
        narrow = {"description_width": "75px"}
        self.tensor = locked.Dropdown(
            description="tensor", tooltip="tensor: the first wrong one, coming from the loss",
            style=narrow, layout=widgets.Layout(width="200px"),
        )  # fmt: skip
        self.line = locked.Dropdown(
            description="wrong line", tooltip="wrong line: the one that is not as it should be",
            style=narrow, layout=widgets.Layout(width="auto", max_width="1100px"),
        )  # fmt: skip
        self.line.add_class("gradlab-code")  # a row of its own: lines are long
        self.buttons = {
            name: widgets.Button(
                description=words, tooltip=f"{words}: {what}", layout=widgets.Layout(width="auto")
            )
            for name, (words, what) in _BUTTONS.items()
        }
        self.told = widgets.HTML()
        row = widgets.HBox(
            [self.tensor, *self.buttons.values()], layout=widgets.Layout(flex_flow="row wrap")
        )
        super().__init__([self.line, row, self.told], layout=widgets.Layout(width="100%"))
        for name, button in self.buttons.items():
            button.on_click(getattr(self, f"_on_{name}"))
        state.observe(self._on_round, "mystery")
        self._on_round(None)

    def _on_round(self, change: Any) -> None:
        with LOCK:
            mystery = self._state.mystery
            self.layout.display = "none" if mystery is None else ""
            if mystery is not None:
                for control, options in (
                    (self.tensor, mystery.tensors), (self.line, mystery.choices)
                ):  # fmt: skip
                    control.options = [(_NONE, ""), *((name, name) for name in options)]
                    control.index = 0
                self._tell(_ONE if mystery.count == 1 else _TWO)

    def _on_guess(self, button: widgets.Button) -> None:
        with LOCK:
            mystery = self._state.mystery
            if not (self.tensor.value and self.line.value):
                self._tell("Choose a tensor and a line first.")
                return
            feedback = mystery.guess(self.tensor.value, self.line.value)
            self._tell(f"Solved. {mystery.reveal()}" if feedback.solved else feedback.words)

    def _on_hint(self, button: widgets.Button) -> None:
        with LOCK:
            self._tell(self._state.mystery.hint())

    def _on_reveal(self, button: widgets.Button) -> None:
        with LOCK:
            self._tell(self._state.mystery.reveal())

    def _on_next(self, button: widgets.Button) -> None:
        with LOCK:
            self._state.new_mystery()

    def _on_two(self, button: widgets.Button) -> None:
        with LOCK:
            self._state.new_mystery(count=2)

    def _tell(self, words: str) -> None:
        mystery = self._state.mystery
        for name in ("guess", "hint", "reveal"):
            self.buttons[name].disabled = mystery.finished
        lines = "<br>".join(_shown(line) for line in words.splitlines())
        score = escape(str(self._state.score))  # not on a line of its own: the screen is full
        self.told.value = f'<div class="gradlab-told" role="status"><b>{score}.</b> {lines}</div>'


def _shown(line: str) -> str:
    """Return a line of the answer as HTML; one that is indented is code."""
    return f"<code>{escape(line)}</code>" if line.startswith("  ") else escape(line)
