"""What to think of each entry of a tensor: bug, kink, noise, or nothing."""

from __future__ import annotations

import numpy as np

from gradlab.checking import BANDS, TensorReport, Verdict

__all__ = ["SIGNS", "entry_marks", "in_place"]

#: The sign drawn into a marked entry's cell.
SIGNS = {"bug": "✗", "kink": "∧", "noise": "·", "open": "?"}


def entry_marks(tensor: TensorReport) -> np.ndarray:
    """Return "ok", "bug", "kink" or "noise" for each entry, in the tensor's shape.

    A check that chose its steps brings its own marks. At one given step an entry whose error is
    more than the best band's is a kink's if its perturbation crossed one; a bug's if the tensor is
    wrong; else it is noise: round-off or truncation, which this step cannot tell from a bug.
    """
    if tensor.marks is not None:
        return tensor.marks
    marks = np.full(tensor.errors.shape, "ok", dtype="<U5")
    off = ~(tensor.errors <= BANDS[0][0])  # NaN is off too
    wrong = tensor.verdict == Verdict.WRONG
    marks[off] = "bug" if wrong else "noise"
    marks[off & (tensor.kinks > 0)] = "kink"
    return marks


def in_place(tensor: TensorReport, values: np.ndarray, unchecked: object) -> np.ndarray:
    """Return `values` of the checked entries in the tensor's shape, `unchecked` in the others."""
    if tensor.entries is None:
        return values
    whole = np.full(tensor.shape, unchecked, values.dtype)
    whole.reshape(-1)[tensor.entries] = values
    return whole
