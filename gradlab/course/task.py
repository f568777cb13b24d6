"""What an exercise is: plain data and a function that recognises mistakes, each in `tasks/`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradlab.course.note import shown

__all__ = ["Task", "number_in", "wants_a_function"]


@dataclass(frozen=True)
class Task:
    """An exercise as plain data, and one function.

    Attributes
    ----------
    name : str
    lesson : str
        Number of the lesson, such as "02".
    question : str
    find_mistake : callable, answer -> str or None
        "" for a right answer, None where nothing was answered (`...` or None), else a message about
        that mistake.
        It may raise whatever the answer makes it raise.
    hints : tuple of str
    answer : object
        A right answer. If it is a function, its source is the solution that is shown.
    solution : str
        Why that is right.
    praise : str
        What to say when it is solved.
    """

    name: str
    lesson: str
    question: str
    find_mistake: Callable[[object], str | None]
    hints: tuple[str, ...]
    answer: object
    solution: str
    praise: str


def number_in(answer: object) -> float | None:
    """Return the answer as a finite float, or None if it is anything else."""
    if isinstance(answer, (bool, np.bool_, str, bytes, complex, np.complexfloating)):
        return None
    try:
        number = float(answer) if np.ndim(answer) == 0 else np.nan
    except (TypeError, ValueError, OverflowError):
        return None
    return number if np.isfinite(number) else None


def wants_a_function(answer: object, name: str) -> str:
    """Return the message for an answer that is no function: `name` is asked."""
    return f"Hand over the function itself, as .check({name}). This is {shown(answer)}."
