"""Copies of the objects that methods belong to: what they keep between calls is not disturbed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import MethodType


def detached(*functions: Callable) -> list[Callable]:
    """Return the same functions, those that are methods bound to copies of their objects.

    Two methods of one object are bound to one copy. Other functions come back as they are.

    Raises
    ------
    TypeError
        An object cannot be copied.
    """
    memo: dict = {}
    found = []
    for function in functions:
        if isinstance(function, MethodType) and not isinstance(function.__self__, type):
            owner = copied(function.__self__, memo)
            function = MethodType(function.__func__, owner)
        found.append(function)
    return found


def copied(thing: object, memo: dict | None = None) -> object:
    """Return a deep copy, or raise a TypeError that says what cannot be copied."""
    try:
        return copy.deepcopy(thing, memo)
    except Exception as error:
        raise TypeError(
            f"a layer must be an object that copy.deepcopy can copy, for it is checked as a copy; "
            f"got {type(thing).__name__}: {error}"
        ) from error
