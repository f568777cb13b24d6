"""What to think of each entry of a tensor, as signs that can be drawn into its cell."""

from __future__ import annotations

import numpy as np

from gradlab.checking import TensorReport

__all__ = ["SIGNS", "in_place"]

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
