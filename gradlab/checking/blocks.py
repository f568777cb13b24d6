"""What a report is made of, as text of a limited width and as HTML that takes its theme's colours.

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
    """A paragraph; `tag` is what HTML sets it in, and as text a `short` one is cut to one line."""

    words: str
    tag: str = "span"
    short: bool = False

    def text(self) -> str:
        """Return it, with what follows the first line set in."""
        if self.short:
            return _short(self.words, WIDTH)
        return textwrap.fill(self.words, WIDTH, subsequent_indent="  ", break_long_words=False,
                             break_on_hyphens=False)  # fmt: skip

    def html(self) -> str:
        """Return it as a line of its own."""
        return f"<div><{self.tag}>{escape(self.words)}</{self.tag}></div>"


@dataclass(frozen=True)
class Lines:
    """A wrong line of code above the right one, and marks where they differ; `right` may be "".

    As text, what is longer than `MOST` is cut around the difference.
    """

    wrong: str
    right: str

    def text(self) -> str:
        """Return both, the marks below."""
        wrong, right, at, size = self._cut()
        lines = [f"wrong  {wrong}", *([f"right  {right}", " " * (7 + at) + "^" * size]
                                      if right else [])]  # fmt: skip
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

    def _cut(self) -> tuple[str, str, int, int]:
        """Return both lines and the column and number of the marks."""
        start, end = differing(self.wrong, self.right)
        longest = max(len(self.wrong), len(self.right))
        size = longest - start - end
        gone = max(0, min(longest - MOST, start - 8))
        wrong, right = (f"… {line[gone + 2 :]}" if gone else line
                        for line in (self.wrong, self.right))  # fmt: skip
        at = start - gone
        return _short(wrong, MOST), _short(right, MOST), at, min(size, MOST - at)


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
        return (
            f"<table><thead>{line(self.head, 'th')}</thead><tbody>{body}</tbody></table>"
        )  # fmt: skip


def _short(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 2]} …"


def differing(one: str, other: str) -> tuple[int, int]:
    """Return how many characters two lines share at their start, and how many at their end.

    Whole words are taken: of m1 and m2 all is another.
    """
    a, b = (findall(r"\w+|\W", line) for line in (one, other))
    both = min(len(a), len(b))
    start = next((k for k in range(both) if a[k] != b[k]), both)
    end = next((k for k in range(both - start) if a[-1 - k] != b[-1 - k]), both - start)
    return len("".join(a[:start])), len("".join(a[len(a) - end :]))
