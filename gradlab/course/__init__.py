"""The course: predictions, exercises that recognise mistakes, and the learner's progress."""

from __future__ import annotations

from functools import cache

from gradlab._validate import check_choice
from gradlab.course.exercise import STORE, Exercise
from gradlab.course.note import Note
from gradlab.course.picture import Picture
from gradlab.course.prediction import Prediction
from gradlab.course.progress import Progress
from gradlab.course.tasks import QUESTIONS, TASKS

__all__ = [
    "Exercise",
    "Note",
    "Picture",
    "Prediction",
    "Progress",
    "exercise",
    "predict",
    "progress",
]


def exercise(name: str) -> Exercise:
    """Return an exercise of the course: `.check(answer)`, `.hint()`, `.solution()`.

    Raises
    ------
    ValueError, TypeError
        There is no such exercise; the message lists all, and the nearest.
    """
    return _exercise(check_choice(name, tuple(TASKS), "name"))


@cache
def _exercise(name: str) -> Exercise:
    # One object a name, so that a second call of .hint() in another cell gives the second hint.
    return Exercise(TASKS[name])


def predict(name: str, guess: str | int | None = None) -> Prediction:
    """Ask for a guess before the answer is seen; what is said to it depends on the guess.

    A guess that was taken stays taken for as long as the kernel runs.

    Parameters
    ----------
    name : str
    guess : str or int, optional
        One of the choices, or its number from 1, to guess without the mouse.

    Raises
    ------
    ValueError, TypeError
        There is no such prediction, or no such choice; the message lists all.
    """
    prediction = Prediction(QUESTIONS[check_choice(name, tuple(QUESTIONS), "name")])
    if guess is not None:
        prediction.guess(guess)
    return prediction


def progress() -> Progress:
    """Return the map of the course, with what was solved on this account."""
    solved = STORE.solved()
    return Progress(solved, STORE.news())
