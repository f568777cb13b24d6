"""Numbers, lists and sentences as the lab writes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

__all__ = ["listed", "number", "sentence", "thousands"]


def number(value: float) -> str:
    """Return "6e-06" with a hyphen that no line breaks at."""
    return f"{value:.0e}".replace("-", "‑")


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
