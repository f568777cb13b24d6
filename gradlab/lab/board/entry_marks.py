"""What to think of each entry of a tensor, as signs, and which entry is which."""

from __future__ import annotations

import numpy as np

from gradlab.checking import TensorReport

__all__ = ["SIGNS", "chosen_place", "entry_at", "in_place"]

#: The sign drawn into a marked entry's cell; entries that agree have none.
SIGNS = {
    "bug": "✗",
    "kink": "∧",
    "noise": "·",
    "zero": "0",
    "open": "?",
    "slight": "~",
    "flat": "-",
    "jumps": "≈",
}


def in_place(tensor: TensorReport, values: np.ndarray, unchecked: object) -> np.ndarray:
    """Return `values` of the checked entries in the tensor's shape, `unchecked` in the others."""
    if tensor.entries is None:
        return values
    whole = np.full(tensor.shape, unchecked, values.dtype)
    whole.reshape(-1)[tensor.entries] = values
    return whole


def entry_at(tensor: TensorReport, place: int) -> int:
    """Return which entry of the raveled tensor stands at `place` of those that were checked."""
    return place if tensor.entries is None else int(tensor.entries[place])


def chosen_place(tensor: TensorReport, entry: int) -> int | None:
    """Return where `entry` stands among those that were checked; None if none of them is it."""
    if tensor.directional or entry < 0:
        return None
    if tensor.entries is None:
        return entry if entry < tensor.errors.size else None
    found = np.flatnonzero(tensor.entries == entry)
    return int(found[0]) if found.size else None
