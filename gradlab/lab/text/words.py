"""Numbers, lists and sentences as the lab writes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable

__all__ = ["listed", "number", "rounded_down", "rounded_up", "sentence", "thousands", "two_digits"]


def number(value: float) -> str:
    """Return "6e-06" with a hyphen that no line breaks at."""
    return f"{value:.0e}".replace("-", "‑")


def two_digits(value: float) -> str:
    """Return "2.3e-09", and in words what has no such digits: "0", "infinite", "not defined"."""
    if math.isnan(value):
        return "not defined"
    if value == 0:
        return "0"
    return "infinite" if math.isinf(value) else f"{value:.1e}"


def rounded_up(value: float) -> str:
    """Return a size in one digit, rounded up: 2.1e-9 is "3e-09"."""
    return _rounded(value, math.ceil)


def rounded_down(value: float) -> str:
    """Return a size in one digit, rounded down: 2.9e-9 is "2e-09"."""
    return _rounded(value, math.floor)


def _rounded(value: float, to: Callable[[float], int]) -> str:
    if not 0 < value < math.inf:
        return f"{value:.0f}"
    power = math.floor(math.log10(value))
    return number(to(round(value / 10.0**power, 9)) * 10.0**power)


def thousands(count: int) -> str:
    """Return "1 418", with a space that no line breaks at."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def listed(names: Iterable[str]) -> str:
    """Return "W1, b1 and W2"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def sentence(text: str, names: Collection[str] = ()) -> str:
    """Return `text` with a full stop, and a capital unless it starts with one of the names."""
    if not text:
        return ""
    first = text.split()[0].rstrip(",:;.'")
    start = text[:1] if first in names else text[:1].upper()
    return start + text[1:] + ("" if text.endswith(".") else ".")
