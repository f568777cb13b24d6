"""What functions can write into, as it was: whatever an edited line has done to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np

MOST_LONG = 2000  # entries along an axis of an array
MOST_BYTES = 2**28


@contextmanager
def untouched(things: Iterable[object]) -> Iterator[Callable[[], None]]:
    """Put back, at the end, what stands in the arrays, dicts, lists and sets among things.

    What is yielded does so meanwhile.
    """
    kept = [
        (thing, thing.copy())
        for thing in things
        if (isinstance(thing, np.ndarray) and thing.flags.writeable)
        or isinstance(thing, dict | list | set)
    ]

    def put_back() -> None:
        for thing, before in kept:
            if isinstance(thing, np.ndarray):
                if thing.flags.writeable:
                    thing[...] = before
            elif isinstance(thing, list):
                thing[:] = before
            elif isinstance(thing, set):
                thing.intersection_update(before)
                thing.update(before)
            else:
                if [*thing] != [*before]:  # in another order, perhaps
                    dict.clear(thing)
                dict.update(thing, before)

    try:
        yield put_back
    finally:
        put_back()


def is_large(things: Iterable[object]) -> bool:
    """Tell whether to keep things takes much memory, or time."""
    arrays = [thing for thing in things if isinstance(thing, np.ndarray)]
    return any(map(is_long, arrays)) or sum(a.nbytes for a in arrays) > MOST_BYTES


def is_long(value: object) -> bool:
    """Tell whether a forgotten axis, which makes N x N numbers of N, would make too many."""
    return isinstance(value, np.ndarray) and max(value.shape, default=0) > MOST_LONG
