"""An exercise as a learner uses it: its check tells mistakes and exceptions; hints, a solution."""

from __future__ import annotations

import inspect

from gradlab.course.note import Note, named
from gradlab.course.store import Store
from gradlab.course.task import Task

__all__ = ["STORE", "Exercise"]

STORE = Store()


class Exercise:
    """An exercise of a lesson; made by `gl.exercise`.

    Parameters
    ----------
    task : Task
    store : Store, optional
        Where a solved exercise is remembered.
    """

    def __init__(self, task: Task, store: Store = STORE) -> None:
        self._task, self._store = task, store
        self._hints_given = 0

    def check(self, answer: object = ...) -> Note:
        """Say whether `answer` is right, and if not, what the mistake is.

        Never raises because of the answer; an untouched stub (`...`) is said to be one, and so is
        a function that lacks its `return`.
        """
        task = self._task
        if answer is None:
            return Note("○", f"{task.name}: no answer yet. What was handed over is None.")
        mistake = None
        if answer is not ...:
            try:
                mistake = task.find_mistake(answer)
                if mistake is None and _returns_none(answer, task):
                    mistake = "It returns None: is there a return?"
            except Exception as error:  # whatever was typed, a lesson goes on
                problem = f"{type(error).__name__}: {_text_of(error)}"
                mistake = f"Checking {named(answer)} ended in {problem}"
        if mistake is None:
            return Note("○", f"{task.name}: no answer yet. Replace the ... and run the cell again.")
        if mistake:
            return Note("✗", f"{task.name}: not yet.", mistake)
        self._store.add(task.name)
        return Note("✓", f"{task.name}: solved.", "\n".join([task.praise, *self._store.news()]))

    def hint(self) -> Note:
        """Give one more hint at each call."""
        hints = self._task.hints
        self._hints_given = given = min(self._hints_given + 1, len(hints))
        lines = [f"{number}. {hint}" for number, hint in enumerate(hints[:given], start=1)]
        more = "Run the cell again for the next." if given < len(hints) else "These are all."
        title = f"{self._task.name}: hint {given} of {len(hints)}. {more}"
        return Note("", title, "\n".join(lines), folded=True)

    def solution(self) -> Note:
        """Show a right answer, and why it is right."""
        task, answer = self._task, self._task.answer
        code = inspect.getsource(answer).rstrip() if callable(answer) else repr(answer)
        indented = "\n".join("    " + line for line in code.splitlines())
        return Note("", f"{task.name}: a solution", f"{indented}\n{task.solution}", folded=True)

    def __repr__(self) -> str:
        return (
            f"Exercise {self._task.name} of lesson {self._task.lesson}: {self._task.question}\n"
            ".check(answer)  .hint()  .solution()"
        )

    def _repr_html_(self) -> str:
        return Note("", *repr(self).split("\n", 1))._repr_html_()


def _returns_none(answer: object, task: Task) -> bool:
    """Whether an answer in which no mistake was found to tell of is a function without a return.

    A stub returns `...`: it is called once more, as what it gives is known to the task alone.
    """
    given = []

    def watched(*arguments: object) -> object:
        given.append(answer(*arguments))
        return given[-1]

    if callable(answer):
        task.find_mistake(watched)
    return any(value is None for value in given)


def _text_of(error: Exception) -> str:
    try:
        return str(error)
    except Exception:
        return "(no text)"
