"""What the course answers: a few words, as text and as escaped HTML."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from html import escape

__all__ = ["Note", "named", "shown"]

_CODE = re.compile(r"^    .*(?:\n    .*)*", re.MULTILINE)
_MONOSPACE = "font-family: var(--jp-code-font-family, monospace); font-size: 0.93em"


@dataclass(frozen=True, repr=False)
class Note:
    """An answer to a learner.

    Attributes
    ----------
    mark : str
        One of ✓ (right), ✗ (not yet), ○ (nothing to judge), or empty.
    title : str
        One line.
    text : str
        More lines; may be empty. Where a line starts with four spaces, it is code.
    folded : bool
        In a notebook, show the title only until it is clicked.
    """

    mark: str
    title: str
    text: str = ""
    folded: bool = False

    @property
    def solved(self) -> bool:
        """Whether this says that an answer is right."""
        return self.mark == "✓"

    def __repr__(self) -> str:
        head = f"{self.mark} {self.title}".strip()
        return f"{head}\n{self.text}" if self.text else head

    def _repr_html_(self) -> str:
        # pre-wrap keeps the lines of code; everything a learner typed goes through escape.
        text = _CODE.sub(_in_monospace, escape(self.text))
        body = f'<div style="white-space: pre-wrap; margin: 0.3em 0">{text}</div>' if text else ""
        head = escape(f"{self.mark} {self.title}".strip())
        if self.folded:
            return f"<details><summary>{head}</summary>{body}</details>"
        return f'<div role="status"><b>{head}</b>{body}</div>'


def _in_monospace(code: re.Match[str]) -> str:
    return f'<span style="{_MONOSPACE}">{code[0]}</span>'


def shown(value: object, longest: int = 60) -> str:
    """Return a short text for anything a learner may type, even if its own repr fails."""
    if _is_code(value):
        text = value.__name__
    else:
        try:
            text = re.sub(r" at 0x[0-9A-Fa-f]+", "", " ".join(repr(value).split()))
        except Exception:
            text = "an object that cannot be shown"
    text = text if len(text) <= longest else text[: longest - 3] + "..."
    return f"{text} ({type(value).__name__})"


def named(value: object) -> str:
    """Return the name of a function or class as it was written, of anything else what is shown."""
    return value.__name__ if _is_code(value) else shown(value)


def _is_code(value: object) -> bool:
    return inspect.isfunction(value) or inspect.isclass(value)
