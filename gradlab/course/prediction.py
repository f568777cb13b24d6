"""A prediction: a guess that is taken before the answer is seen, and what there is to say to it."""

from __future__ import annotations

from dataclasses import dataclass

import ipywidgets as widgets

from gradlab._stored import LIVE, show_and_store
from gradlab._validate import check_choice
from gradlab.course.note import Note

__all__ = ["Prediction", "Question"]

#: What was guessed in this session, by question: a cell that runs again shows it, and asks no more.
_GUESSES: dict[str, str] = {}
_LIFE = "To guess with the mouse, run the cell (Shift+Enter), after those above it."


@dataclass(frozen=True)
class Question:
    """What is to be predicted, as plain data.

    Attributes
    ----------
    name : str
    lesson : str
        Number of the lesson, such as "02".
    question : str
    choices : dict of str to str
        What can be guessed, in the order in which it is shown; and what is said to who does: for
        a wrong one which belief leads to it, and why that fails here.
    right : str
        One of the choices.
    """

    name: str
    lesson: str
    question: str
    choices: dict[str, str]
    right: str


class Prediction(widgets.VBox):
    """Asks for a guess, and answers it; made by `gl.predict`.

    Parameters
    ----------
    question : Question
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        self._choice = widgets.RadioButtons(
            options=list(question.choices), index=None, layout={"width": "auto"}
        )
        self._commit = widgets.Button(
            description="That is my guess", disabled=True, tooltip="Takes the guess, and answers it"
        )
        self._answer = widgets.HTML()
        ask = widgets.HTML(Note("", question.question)._repr_html_())
        super().__init__([ask, self._choice, self._commit, self._answer])
        self.add_class(LIVE)
        self._choice.observe(self._on_choice, "index")
        self._commit.on_click(lambda _: self.guess(self._choice.value))
        if question.name in _GUESSES:
            self._choice.value = _GUESSES[question.name]
            self._show()

    def guess(self, choice: str | int) -> None:
        """Take one of the choices, or its number from 1, as the guess, and answer it."""
        choices = tuple(self._question.choices)
        if isinstance(choice, int) and 1 <= choice <= len(choices):
            choice = choices[choice - 1]
        check_choice(choice, choices, "guess")
        _GUESSES[self._question.name] = self._choice.value = choice
        self._show()

    def _on_choice(self, change: object) -> None:
        self._commit.disabled = self._choice.index is None

    def _show(self) -> None:
        self._choice.disabled = True
        self._commit.layout.display = "none"
        self._answer.value = self._note()._repr_html_()

    def _note(self) -> Note:
        """Return what is said to the guess that was taken; to none, what can be guessed."""
        asked, guess = self._question, _GUESSES.get(self._question.name)
        if guess is None:
            lines = [f"  {k}. {choice}" for k, choice in enumerate(asked.choices, start=1)]
            how = f'gl.predict("{asked.name}", 1) takes a guess that is typed.'
            return Note("○", asked.question, "\n".join([*lines, how]))
        title = "As you predicted." if guess == asked.right else f"Not {guess}: {asked.right}."
        text = asked.choices[guess]
        if guess != asked.right:
            text += f"\n{asked.choices[asked.right]}"
        return Note("✓" if guess == asked.right else "✗", title, text)

    def __repr__(self) -> str:
        return repr(self._note())

    def _ipython_display_(self) -> None:
        """Show the widget, and for who has no kernel the text."""
        show_and_store(super()._repr_mimebundle_() or {}, repr(self), None, _LIFE)
