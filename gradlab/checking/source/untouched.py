"""What functions close over, as it was: whatever an edited line has written into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType

import numpy as np

from gradlab.checking.source.functions import Code, names_in
from gradlab.checking.source.scope import outer_names

MOST = 1000  # things that are looked into
MOST_LONG = 2000  # entries along an axis of an array
MOST_BYTES = 2**28
SKIPPED = (ModuleType, FunctionType, type, str, bytes, int, float, complex)


@contextmanager
def untouched(codes: Iterable[Code]) -> Iterator[Callable[[], None]]:
    """Put back, at the end, what stands in the arrays, dicts, lists and objects of functions.

    What is yielded does so meanwhile.
    """
    arrays, insides = [], []
    for thing in _reached(codes):
        if isinstance(thing, np.ndarray):
            if thing.flags.writeable and thing.dtype != object:
                arrays.append((thing, thing.copy()))
        else:
            insides.append((thing, thing.copy()))

    def put_back() -> None:
        for inside, before in insides:
            if isinstance(inside, dict):
                for name in inside.keys() - before.keys():
                    del inside[name]
                inside.update(before)
            else:
                inside[:] = before
        for array, before in arrays:
            if array.flags.writeable:
                array[...] = before

    try:
        yield put_back
    finally:
        put_back()


def is_large(codes: Iterable[Code]) -> bool:
    """Tell whether to keep what functions can write into takes much memory, or time."""
    arrays = [thing for thing in _reached(codes) if isinstance(thing, np.ndarray)]
    return any(map(is_long, arrays)) or sum(a.nbytes for a in arrays) > MOST_BYTES


def is_long(value: object) -> bool:
    """Tell whether a forgotten axis, which makes N x N numbers of N, would make too many."""
    return isinstance(value, np.ndarray) and max(value.shape, default=0) > MOST_LONG


def _reached(codes: Iterable[Code]) -> list[np.ndarray | dict | list]:
    """Return what functions can reach by their names, and what stands in that."""
    todo: list[object] = [code.owner for code in codes if code.owner is not None]
    for function in (one for code in codes for one in code.functions):
        outer = outer_names(function.live)
        todo += [outer[name] for name in names_in(function.live.__code__) if name in outer]
    found, seen = [], set()
    while todo and len(seen) < MOST:
        thing = todo.pop()
        if id(thing) in seen or thing is None or isinstance(thing, SKIPPED):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray | dict | list):
            found.append(thing)
        if isinstance(thing, dict):
            todo += thing.values()
        elif isinstance(thing, list | tuple):
            todo += thing
        elif isinstance(getattr(thing, "__dict__", None), dict):
            todo.append(vars(thing))
    return found
