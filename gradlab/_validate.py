"""Checks on arguments. Every message says which argument, what came and what was expected."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Sequence

import numpy as np

LARGEST = int(np.iinfo(np.intp).max)


def check_choice(value: object, options: Sequence[str], argument: str) -> str:
    """Return `value` if it is one of `options`, else raise with the list and the nearest one.

    Raises
    ------
    TypeError
        `value` is not a string.
    ValueError
        `value` is not among `options`.
    """
    listed = ", ".join(repr(option) for option in options)
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be one of {listed}, got {in_short(value)}")
    if value not in options:
        near = difflib.get_close_matches(value, options, n=1, cutoff=0.4)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"{argument} must be one of {listed}, got {value!r}{hint}")
    return value


def check_number(
    value: object, argument: str, low: float = -np.inf, high: float = np.inf, below: bool = False
) -> float:
    """Return `value` as a float in [low, high] (or [low, high) when `below`), or raise."""
    interval = _interval(low, high, below)
    wrong_type = TypeError(f"{argument} must be a number{interval}, got {in_short(value)}")
    if not _is_single_number(value):
        raise wrong_type
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(
            f"{argument} must be a finite number{interval}, got {in_short(value)}, too large for a "
            "float"
        ) from None
    except (TypeError, ValueError):
        raise wrong_type from None
    if not np.isfinite(number) or not low <= number <= high or (below and number == high):
        raise ValueError(f"{argument} must be a finite number{interval}, got {number!r}")
    return number


def _is_single_number(value: object) -> bool:
    """Tell whether `value` may be one real number: no truth value, no text, no list of numbers."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        return False
    # what is no number to numpy may be one to Python: an integer of 400 digits, a Fraction
    return array.ndim == 0 and array.dtype.kind in "iufO"


def check_positive(value: object, argument: str) -> float:
    """Return `value` as a float > 0, or raise."""
    try:
        number = check_number(value, argument)
    except ValueError:
        number = -1.0
    if not number > 0:
        raise ValueError(f"{argument} must be a positive finite number, got {in_short(value)}")
    return number


def check_positive_vector(value: object, argument: str) -> np.ndarray:
    """Return a number or a sequence of them as a vector of floats > 0, or raise."""
    vector = check_real_array(value, argument).astype(float)
    if vector.ndim > 1 or vector.size == 0:
        raise ValueError(f"{argument} must be a number or a vector, got shape {vector.shape}")
    vector = np.atleast_1d(vector)
    if (vector <= 0).any():
        raise ValueError(f"{argument} must be positive, got {vector[vector <= 0][0]:g}")
    return vector


def check_integer(value: object, argument: str, low: int = 0) -> int:
    """Return `value` as an int >= low, or raise; 2.0 is not an integer here, nor is True.

    At most what an array can be indexed with, 2**63 - 1 as a rule.
    """
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{argument} must be an integer >= {low}, got {in_short(value)}") from None
    if not low <= number <= LARGEST:
        most = f" and <= {LARGEST}" if number > LARGEST else ""
        raise ValueError(f"{argument} must be an integer >= {low}{most}, got {in_short(number)}")
    return number


def check_bool(value: object, argument: str) -> bool:
    """Return `value` if it is True or False, or raise."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be True or False, got {in_short(value)}")
    return bool(value)


def check_real_array(value: object, argument: str, shape: tuple | None = None) -> np.ndarray:
    """Return `value` as a finite array of real numbers, or raise; never broadcast to `shape`.

    Parameters
    ----------
    value : array_like
    argument : str
        The name to put into a message.
    shape : tuple of int or None, optional
        The one shape that is accepted; a None inside it stands for any length.

    Raises
    ------
    TypeError
        `value` does not hold real numbers.
    ValueError
        It has another shape, or holds NaN or infinity.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{argument} must be an array, got rows of different lengths") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{argument} must hold real numbers, got dtype {array.dtype}")
    if shape is not None:
        same = len(shape) == array.ndim and all(
            want in (None, have) for want, have in zip(shape, array.shape, strict=True)
        )
        if not same:
            wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape)
            wanted += ",)" if len(shape) == 1 else ")"
            raise ValueError(f"{argument} must have shape {wanted}, got {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{argument} must be finite, got {array[where]} at index {where}")
    return array


def readable(value: object) -> object:
    """Return a tensor as `np.asarray` can read it; anything else as it came.

    One that records gradients, or is not in main memory, refuses until it is asked for a plain
    copy: by names, so that no framework is imported.
    """
    for name in ("detach", "cpu"):
        method = getattr(value, name, None)
        value = method() if callable(method) else value
    return value


def in_short(value: object) -> str:
    """Return a value as a message tells it: its repr, cut off, and its type."""
    try:
        text = repr(value)
    except ValueError:  # Python prints no integer of more than 4300 digits
        text = "a number of thousands of digits"
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"{text} ({type(value).__name__})"


def _interval(low: float, high: float, below: bool) -> str:
    if low == -np.inf and high == np.inf:
        return ""
    if high == np.inf:
        return f" >= {low:g}"
    return f" in [{low:g}, {high:g}{')' if below else ']'}"


def is_collection(value: object) -> bool:
    """Tell whether `value` can be gone through; an array without an axis only looks like it."""
    return isinstance(value, Iterable) and getattr(value, "ndim", 1) > 0


def check_names(given: object, options: Sequence[str], argument: str) -> tuple[str, ...]:
    """Return names that are all among `options`, each once, or raise an error."""
    if isinstance(given, str) or not is_collection(given):
        raise TypeError(
            f'{argument} must be a sequence of names such as ("{options[0]}",), got {given!r}'
        )
    return tuple(dict.fromkeys(check_choice(name, options, argument) for name in given))
