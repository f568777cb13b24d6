"""A person's own objects, and other methods on them for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, MethodType, ModuleType

import numpy as np

MOST = 500  # things that are looked into
CLOSED = (ModuleType, FunctionType, MethodType, type, str, bytes, int, float, complex, np.ndarray)

Methods = Mapping[FunctionType, FunctionType]  # the live one, and what is called in its place


def objects_in(roots: Iterable[object], file: str) -> list[object]:
    """Return the objects whose class has methods in a file, and that things lead to.

    They may stand in dicts, lists and tuples, or in other objects' attributes.
    """
    todo, found, seen = [*roots], [], set()
    while todo and len(seen) < MOST:
        thing = todo.pop()
        if id(thing) in seen or thing is None or isinstance(thing, CLOSED):
            continue
        seen.add(id(thing))
        if isinstance(thing, dict):
            todo += thing.values()
        elif isinstance(thing, list | tuple):
            todo += thing
        elif isinstance(getattr(thing, "__dict__", None), dict):
            todo += vars(thing).values()
            if file in _files_of(type(thing)):
                found.append(thing)
    return found


def _files_of(kind: type) -> set[str]:
    return {
        value.__code__.co_filename
        for base in kind.__mro__
        for value in vars(base).values()
        if isinstance(value, FunctionType)
    }


def put_on(objects: Iterable[object], methods: Methods) -> list[tuple[dict, str, object]]:
    """Give objects methods of their own; return what stood there, None for nothing."""
    before = []
    for thing in objects:
        for live, new in methods.items():
            *_, kind, _ = ("", *live.__qualname__.split("."))
            name, own = private(kind, live.__name__), vars(thing)
            if getattr(type(thing), name, None) is live:
                before.append((own, name, own.get(name)))
                own[name] = MethodType(new, thing)
    return before


def private(kind: str, name: str) -> str:
    """Return the name that a class's __name has outside of it; any other as it is."""
    is_private = name.startswith("__") and (name == "__" or not name.endswith("__"))
    return f"_{kind.lstrip('_')}{name}" if is_private and kind else name


def put_on_copy(thing: object, methods: Methods) -> None:
    """Give an object, which is a copy, and those in it methods of their own."""
    for file in {live.__code__.co_filename for live in methods}:
        put_on(objects_in([thing], file), methods)


@contextmanager
def put_on_for_a_while(objects: Iterable[object], methods: Methods) -> Iterator[None]:
    """Give objects methods of their own, and take them away at the end."""
    before = put_on(objects, methods)
    try:
        yield
    finally:
        for own, name, value in before:
            if value is None:
                own.pop(name, None)
            else:
                own[name] = value
