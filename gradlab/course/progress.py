"""The map of the course, with what the learner has solved."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from gradlab.course.syllabus import LESSONS, Lesson
from gradlab.course.tasks import TASKS

__all__ = ["Progress"]


class Progress:
    """Which exercises are solved, lesson by lesson; made by `gl.progress`.

    Attributes
    ----------
    solved : frozenset of str
        Names of exercises.
    news : tuple of str
        What the learner should know about where progress is kept.
    """

    def __init__(self, solved: Iterable[str], news: Iterable[str] = ()) -> None:
        self.solved, self.news = frozenset(solved), tuple(news)

    def __repr__(self) -> str:
        rows = [
            (
                _mark(done, names),
                lesson.number,
                lesson.title,
                lesson.question,
                _state(done, names),
            )
            for lesson, done, names in self._lessons()
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
        return "\n".join([self._head(), "", *lines, *self.news])

    def _repr_html_(self) -> str:
        rows = "".join(
            _row(
                "td",
                _mark(done, names),
                lesson.number,
                _link(lesson),
                escape(lesson.question),
                _state(done, names),
            )
            for lesson, done, names in self._lessons()
        )
        head = _row("th", "", "", "lesson", "question", "exercises solved")
        news = "".join(f"<p>{escape(line)}</p>" for line in self.news)
        return (
            f"<p><b>{escape(self._head())}</b></p><table><thead>{head}</thead>"
            f"<tbody>{rows}</tbody></table>{news}"
        )

    def _lessons(self) -> Iterable[tuple[Lesson, int, list[str]]]:
        """Yield (lesson, how many of its exercises are solved, their names)."""
        for lesson in LESSONS:
            names = [t.name for t in TASKS.values() if t.lesson == lesson.number]
            yield lesson, len(self.solved.intersection(names)), names

    def _head(self) -> str:
        every = [name for _, _, names in self._lessons() for name in names]
        done = len(self.solved.intersection(every))
        return f"Your way through the course: {done} of {len(every)} exercises solved"


def _row(tag: str, *cells: str) -> str:
    """Return a table's row; the cells are HTML. JupyterLab would align them to the right."""
    inside = "".join(f'<{tag} style="text-align: left">{cell}</{tag}>' for cell in cells)
    return f"<tr>{inside}</tr>"


def _mark(done: int, names: list[str]) -> str:
    return " " if not names else "✓" if done == len(names) else "○"


def _state(done: int, names: list[str]) -> str:
    return f"{done} of {len(names)}" if names else ""


def _link(lesson: Lesson) -> str:
    return f'<a href="{lesson.name}.ipynb">{escape(lesson.title)}</a>'
