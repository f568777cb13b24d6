"""Copies of the objects that methods belong to: what they keep between calls is not disturbed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import MethodType


def detached(*functions: Callable) -> list[Callable]:
    """Return the same functions, bound to copies of their objects if all of them are methods.

    Two methods of one object are bound to one copy. Where one is no method, as a lambda around one,
    all come back as they are: a copy would not be the object that the lambda speaks of.

    Raises
    ------
    TypeError
        An object cannot be copied.
    """
    memo: dict = {}
    if not all(_is_of_an_object(function) for function in functions):
        return list(functions)
    return [MethodType(f.__func__, copied(f.__self__, memo)) for f in functions]


def _is_of_an_object(function: Callable) -> bool:
    return isinstance(function, MethodType) and not isinstance(function.__self__, type)


def copied(thing: object, memo: dict | None = None) -> object:
    """Return a deep copy, or raise a TypeError that says what cannot be copied."""
    try:
        return copy.deepcopy(thing, memo)
    except Exception as error:
        raise TypeError(
            f"a layer must be an object that copy.deepcopy can copy, for it is checked as a copy; "
            f"got {type(thing).__name__}: {error}"
        ) from error
