"""The mystery bug on the screen: pick a tensor and a cause, guess, take hints, see the answer."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets

from gradlab.lab import locked
from gradlab.lab.lock import LOCK
from gradlab.lab.state import LabState

__all__ = ["MysteryView"]

_START = (
    "One backward pass has a bug. Where is the first tensor, coming from the loss, that it makes "
    "wrong, and what was done? Move the sliders, look, and guess."
)


_NONE = "choose …"  # nothing is preset: that might be the answer


class MysteryView(widgets.VBox):
    """Shown while `state.bug` is "mystery"; all of it works from the keyboard.

    Parameters
    ----------
    state : LabState

    Attributes
    ----------
    tensor, cause : Dropdown
    buttons : dict of str to Button
        "guess", "hint", "reveal", "next".
    told : HTML
        What the lab answered, and the score.
    """

    def __init__(self, state: LabState) -> None:
        self._state = state
        narrow = {"description_width": "60px"}
        self.tensor = locked.Dropdown(
            description="tensor", tooltip="tensor: the first wrong one, coming from the loss",
            style=narrow, layout=widgets.Layout(width="150px"),
        )  # fmt: skip
        self.cause = locked.Dropdown(
            description="cause", tooltip="cause: what was done to the backward pass", style=narrow,
            layout=widgets.Layout(flex="1 1 260px"),
        )  # fmt: skip
        self.buttons = {
            name: widgets.Button(
                description=words, tooltip=f"{words}: {what}", layout=widgets.Layout(width="auto")
            )
            for name, (words, what) in {
                "guess": ("Guess", "is it this tensor, and this cause?"),
                "hint": ("Hint", "costs a point of three"),
                "reveal": ("Reveal", "shows the bug; the round is over"),
                "next": ("New bug", "plants another one"),
            }.items()
        }
        self.told = widgets.HTML()
        row = widgets.HBox(
            [self.tensor, self.cause, *self.buttons.values()],
            layout=widgets.Layout(flex_flow="row wrap"),
        )
        super().__init__([row, self.told], layout=widgets.Layout(width="100%"))
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
                    (self.tensor, mystery.tensors), (self.cause, mystery.choices)
                ):  # fmt: skip
                    control.options = [(_NONE, ""), *((name, name) for name in options)]
                    control.index = 0
                self._tell(_START)

    def _on_guess(self, button: widgets.Button) -> None:
        with LOCK:
            mystery = self._state.mystery
            if not (self.tensor.value and self.cause.value):
                self._tell("Choose a tensor and a cause first.")
                return
            feedback = mystery.guess(self.tensor.value, self.cause.value)
            solved = f"Solved. {mystery.reveal()}" if feedback.solved else ""
            self._tell(f"{feedback.words}\n{solved}".strip())

    def _on_hint(self, button: widgets.Button) -> None:
        with LOCK:
            self._tell(self._state.mystery.hint())

    def _on_reveal(self, button: widgets.Button) -> None:
        with LOCK:
            self._tell(self._state.mystery.reveal())

    def _on_next(self, button: widgets.Button) -> None:
        with LOCK:
            self._state.new_mystery()

    def _tell(self, words: str) -> None:
        mystery = self._state.mystery
        for name in ("guess", "hint", "reveal"):
            self.buttons[name].disabled = mystery.finished
        lines = "<br>".join(escape(line) for line in words.splitlines())
        self.told.value = (
            f'<div class="gradlab-told" role="status">{lines}<br>'
            f"<b>{escape(str(self._state.score))}</b></div>"
        )
