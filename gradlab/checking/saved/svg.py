"""Just enough SVG for two figures: elements as text, and a logarithmic axis.

Whatever comes from outside is escaped here, in one place: texts and the values of attributes.
Colors are classes, so that one style sheet serves a light page and a dark one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def element(tag: str, *inside: str, **attributes: object) -> str:
    """Return an element around markup that is already safe.

    `class_` stands for class, and an underscore inside a name for its hyphen; numbers are rounded
    to a tenth of a pixel.
    """
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{told}>{''.join(inside)}</{tag}>" if inside else f"<{tag}{told}/>"


def text(
    x: float, y: float, words: str, class_: str | None = None, anchor: str | None = None
) -> str:
    """Return words at a place: `anchor` is "middle" or "end" where they do not start there."""
    return element("text", escape(words), x=x, y=y, class_=class_, text_anchor=anchor)


def title(words: str) -> str:
    """Return what a pointer that rests on the element around it is shown."""
    return element("title", escape(words))


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def box(x: float, y: float, width: float, height: float, class_: str) -> str:
    """Return a rectangle."""
    return element("rect", x=x, y=y, width=width, height=height, class_=class_)


def figure(width: float, height: float, told: str, parts: Iterable[str], caption: str) -> str:
    """Return a whole figure: `told` is what it shows, in words, for who cannot see it."""
    drawing = element(
        "svg",
        *parts,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="img",
        aria_label=told,
    )
    scroll = element("div", drawing, class_="wide", tabindex=0, role="group", aria_label="Figure")
    return element("figure", scroll, element("figcaption", escape(caption)))


def shortened(words: str, most: int) -> str:
    """Return at most so many characters, the middle left out of more."""
    if len(words) <= most:
        return words
    head = (most - 1) // 2
    return f"{words[:head]}…{words[len(words) - (most - 1 - head) :]}"


def power_of_ten(exponent: int) -> str:
    """Return "10⁻⁷" for -7, and "1" for 0."""
    return "1" if exponent == 0 else "10" + str(exponent).translate(_SUPERSCRIPT)


@dataclass(frozen=True)
class LogAxis:
    """A logarithmic axis: the values `low` and `high` stand at the pixels `start` and `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """Return where a value stands; what is outside stands at the end, and so does NaN."""
        if not value > self.low:
            return self.stop if math.isnan(value) else self.start
        share = math.log(min(value, self.high) / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.stop - self.start)

    def powers(self, stride: int) -> list[int]:
        """Return the exponents of ten on it, every `stride`-th counted from 1."""
        first = math.ceil(math.log10(self.low) - 1e-9)
        last = math.floor(math.log10(self.high) + 1e-9)
        return [power for power in range(first, last + 1) if power % stride == 0]


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
