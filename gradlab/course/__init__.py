"""The course: exercises that recognise mistakes, and the learner's progress."""

from __future__ import annotations

from functools import cache

from gradlab._validate import check_choice
from gradlab.course.exercise import STORE, Exercise
from gradlab.course.note import Note
from gradlab.course.picture import Picture
from gradlab.course.progress import Progress
from gradlab.course.tasks import TASKS

__all__ = ["Exercise", "Note", "Picture", "Progress", "exercise", "progress"]


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


def progress() -> Progress:
    """Return the map of the course, with what was solved on this account."""
    solved = STORE.solved()
    return Progress(solved, STORE.news())
