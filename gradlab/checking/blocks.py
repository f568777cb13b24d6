"""What a report is made of: text of a limited width, with marks under what differs, and HTML.

Both say the same. In HTML everything is escaped, and nothing has a background of its own: it is
read in a light notebook and in a dark one.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from re import findall
from typing import Protocol

WIDTH = 100
MOST = 88  # columns of a line of code
MARKS = 30  # at most under a line: more of them point at nothing
INDENT = "    "
# Of JupyterLab's, those that stand out 4.5 times from the light and the dark background.
COLOURS = {"wrong": "--jp-error-color1", "right": "--jp-success-color0"}


class Block(Protocol):
    """A part of a report."""

    def text(self) -> str:
        """Return it as lines of at most `WIDTH` columns."""

    def html(self) -> str:
        """Return it as HTML, escaped."""


@dataclass(frozen=True)
class Words:
    """A paragraph; `tag` is what HTML sets it in, and as text `indent` what follows line one."""

    words: str
    tag: str = "span"
    indent: str = "  "

    def text(self) -> str:
        """Return it, with what follows the first line set in."""
        return textwrap.fill(
            self.words,
            WIDTH,
            subsequent_indent=self.indent,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def html(self) -> str:
        """Return it as a line of its own."""
        return f"<div><{self.tag}>{escape(self.words)}</{self.tag}></div>"


@dataclass(frozen=True)
class Lines:
    """A wrong line of code above the right one, which may be "".

    Marks below say what of the right line is another, where that is a short stretch of it. What is
    longer than `MOST` goes on in the next line, without marks.
    """

    wrong: str
    right: str

    def text(self) -> str:
        """Return both, the marks below."""
        lines = _code("wrong", self.wrong)
        if self.right:
            lines += [*_code("right", self.right), *self._marks()]
        return "\n".join((INDENT + line).rstrip() for line in lines)

    def html(self) -> str:
        """Return both, the difference underlined."""
        wrong, right, start, stop = (self.wrong, self.right, *differing(self.wrong, self.right))
        rows = [("wrong", wrong, start, len(wrong) - stop)]
        rows += [("right", right, start, len(right) - stop)] if right else []
        told = "\n".join(
            f'<span style="color: var({COLOURS[label]}, currentColor)">{label}</span>  '
            f"{escape(line[:a])}<u>{escape(line[a:b])}</u>{escape(line[b:])}"
            for label, line, a, b in rows
        )
        return f'<pre style="margin: 0.3em 1em; white-space: pre; overflow-x: auto">{told}</pre>'

    def _marks(self) -> list[str]:
        start, end = differing(self.wrong, self.right)
        size = len(self.right) - start - end
        if not 0 < size <= MARKS or len(self.right) > MOST:
            return []
        return [" " * (7 + start) + "^" * size]


@dataclass(frozen=True)
class Table:
    """Rows under a head."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """Return it in columns."""
        rows = [self.head, *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.head))]
        return "\n".join(
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def html(self) -> str:
        """Return it as a table."""

        def line(cells: Sequence[str], tag: str) -> str:
            cells = [f'<{tag} style="text-align: left">{escape(c)}</{tag}>' for c in cells]
            return f"<tr>{''.join(cells)}</tr>"

        body = "".join(line(row, "td") for row in self.rows)
        return f"<table><thead>{line(self.head, 'th')}</thead><tbody>{body}</tbody></table>"


def _code(label: str, line: str) -> list[str]:
    """Return a line of code after its label, what is too long set in below."""
    first, *more = textwrap.wrap(line, MOST, subsequent_indent=INDENT, break_on_hyphens=False) or [
        ""
    ]
    return [f"{label}  {first}", *(" " * 7 + part for part in more)]


def differing(one: str, other: str) -> tuple[int, int]:
    """Return how many characters two lines share at their start, and how many at their end.

    Whole words are taken: of m1 and m2 all is another.
    """
    a, b = (findall(r"\w+|\W", line) for line in (one, other))
    both = min(len(a), len(b))
    start = next((k for k in range(both) if a[k] != b[k]), both)
    end = next((k for k in range(both - start) if a[-1 - k] != b[-1 - k]), both - start)
    return len("".join(a[:start])), len("".join(a[len(a) - end :]))
