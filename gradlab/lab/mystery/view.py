"""The mystery bug on the screen: pick a tensor and a line, guess, take hints, see the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from html import escape
from typing import Any

import ipywidgets as widgets

from gradlab.lab.controls import locked
from gradlab.lab.lock import LOCK
from gradlab.lab.mystery.mystery import HINTS
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
#: A button that was pressed again before its answer was there: nobody asked for another one.
_SECONDS = 0.5


class MysteryView(widgets.VBox):
    """Shown while `state.bug` is "mystery"; all of it works from the keyboard.

    Parameters
    ----------
    state : LabState
    answered : callable, () -> None
        Called when there is an answer to a button to be seen.

    Attributes
    ----------
    tensor, line : Dropdown
    buttons : dict of str to Button
        "guess", "hint", "reveal", "next", "two".
    score : HTML
    told : HTML
        What the lab answered last.
    hints : HTML
        All hints of this round.
    """

    def __init__(self, state: LabState, answered: Callable[[], None] = lambda: None) -> None:
        self._state, self._given, self._answered = state, [], answered
        self._last, self._free_at = "", 0.0
        self.tensor = locked.Dropdown(
            description="tensor", tooltip="tensor: the first wrong one, coming from the loss"
        )
        self.line = locked.Dropdown(
            description="wrong line", tooltip="wrong line: the one that is not as it should be"
        )
        self.line.add_class("gradlab-code")  # a row of its own: lines are long
        self.buttons = {
            name: widgets.Button(
                description=words, tooltip=f"{words}: {what}", layout=widgets.Layout(width="auto")
            )
            for name, (words, what) in _BUTTONS.items()
        }
        self.score, self.told, self.hints = (widgets.HTML() for _ in range(3))
        row = widgets.HBox([self.tensor, *self.buttons.values(), self.score])
        row.add_class("gradlab-flow")
        super().__init__([self.line, row, self.told, self.hints])
        self.add_class("gradlab-mystery")
        actions: dict[str, Callable[[], None]] = {
            "guess": self._guess,
            "hint": self._hint,
            "reveal": lambda: self._tell(self._state.mystery.reveal()),
            "next": lambda: self._round("next", 1),
            "two": lambda: self._round("two", 2),
        }
        for name, action in actions.items():
            self.buttons[name].on_click(partial(self._act, name, action))
        state.observe(self._on_round, "mystery")
        self._on_round(None)

    def _act(self, name: str, action: Callable[[], None], button: widgets.Button) -> None:
        with LOCK:
            # pressed again while the answer was worked out, it has waited for the lock
            again = name == self._last and time.monotonic() < self._free_at
            if self._state.mystery is None or again:
                return
            try:
                action()
                self._answered()
            except Exception as error:  # nobody would see it: a callback has no output
                self._state.fail((), error)

    def _on_round(self, change: Any) -> None:
        with LOCK:
            mystery = self._state.mystery
            self.layout.display = "none" if mystery is None else ""
            if mystery is not None:
                for control, options in (
                    (self.tensor, mystery.tensors),
                    (self.line, mystery.choices),
                ):
                    control.options = [(_NONE, ""), *((name, name) for name in options)]
                    control.index = 0
                self._given = []
                self._tell(_ONE if mystery.count == 1 else _TWO)

    def _guess(self) -> None:
        mystery = self._state.mystery
        if not (self.tensor.value and self.line.value):
            self._tell("Choose a tensor and a line first.")
            return
        feedback = mystery.guess(self.tensor.value, self.line.value)
        self._tell(f"Solved. {mystery.reveal()}" if feedback.solved else feedback.words)

    def _hint(self) -> None:
        with self._working("hint", "looking …"):
            hint = self._state.mystery.hint()
        self._given.append(hint)
        self._tell("")

    def _round(self, button: str, count: int) -> None:
        before = self._state.mystery
        with self._working(button, "planting …"):
            self._state.new_mystery(count=count)
        if self._state.mystery is before:  # the banner says why
            self._tell("")

    @contextmanager
    def _working(self, button: str, sign: str) -> Iterator[None]:
        """Show that it is being worked on, and take that button no more until a moment after."""
        self._tell(sign)
        try:
            yield
        finally:
            self._last, self._free_at = button, time.monotonic() + _SECONDS
            self._switch()

    def _switch(self) -> None:
        mystery = self._state.mystery
        over = mystery is None or mystery.finished
        spent = over or mystery.hints >= HINTS
        for name, button in self.buttons.items():
            off = spent if name == "hint" else over and name in ("guess", "reveal")
            button.disabled = off  # not while it works: it would lose the focus

    def _tell(self, words: str) -> None:
        self._switch()
        lines = "<br>".join(_shown(line) for line in words.splitlines())
        hints = "".join(
            f"<div><b>Hint {number}:</b> {escape(hint)}</div>"
            for number, hint in enumerate(self._given, 1)
        )
        for part, inside in ((self.told, lines), (self.hints, hints)):
            part.value = f'<div class="gradlab-told" role="status">{inside}</div>'
        self.score.value = f'<div class="gradlab-score">{escape(str(self._state.score))}</div>'


def _shown(line: str) -> str:
    """Return a line of the answer as HTML; one that is indented is code."""
    return f"<code>{escape(line)}</code>" if line.startswith("  ") else escape(line)
