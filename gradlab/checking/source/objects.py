"""A person's own objects, what they lead to, and other methods on them for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)

import numpy as np

MOST = 1000  # things that are looked into
CLOSED = (
    ModuleType,
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    GetSetDescriptorType,
    classmethod,
    staticmethod,
    property,
    type,
    str,
    bytes,
    int,
    float,
    complex,
    np.generic,
)
NOTHING = object()  # stood there

Methods = Mapping[FunctionType, FunctionType]  # the live one, and what is called in its place


def reached(roots: Iterable[object]) -> list[object]:
    """Return what things lead to, themselves too; more than MOST are some of what there is.

    Through dicts, lists, tuples, sets, arrays of objects, attributes of objects and of classes.
    """
    todo, found, seen = [*roots], [], set()
    while todo and len(found) <= MOST:
        thing = todo.pop()
        if id(thing) in seen or thing is None or isinstance(thing, CLOSED):
            continue
        seen.add(id(thing))
        found.append(thing)
        if isinstance(thing, dict):
            todo += thing.values()
        elif isinstance(thing, list | tuple | set | frozenset):
            todo += thing
        elif isinstance(thing, np.ndarray) and thing.dtype == object:
            todo += thing.ravel().tolist()
        elif isinstance(thing, MethodType):
            todo += (thing.__self__, thing.__func__)
        if isinstance(getattr(thing, "__dict__", None), dict):
            todo.append(vars(thing))
        for kind in type(thing).__mro__:
            if kind.__module__.partition(".")[0] in ("builtins", "numpy"):
                continue
            for name, value in vars(kind).items():
                if isinstance(value, MemberDescriptorType):  # of __slots__
                    todo.append(getattr(thing, name, None))
                elif not isinstance(value, FunctionType) and not name.startswith("__"):
                    todo.append(value)
    return found


def objects_in(roots: Iterable[object], file: str) -> list[object]:
    """Return the objects whose class has methods in a file, and that things lead to."""
    return [
        thing
        for thing in reached(roots)
        if isinstance(getattr(thing, "__dict__", None), dict) and file in _files_of(type(thing))
    ]


def _files_of(kind: type) -> set[str]:
    return {
        value.__code__.co_filename
        for base in kind.__mro__
        for value in vars(base).values()
        if isinstance(value, FunctionType)
    }


def put_on(objects: Iterable[object], methods: Methods) -> list[tuple[dict, str, object]]:
    """Give objects methods of their own; return what stood there."""
    before = []
    for thing in objects:
        for live, new in methods.items():
            *_, kind, _ = ("", *live.__qualname__.split("."))
            name, own = private(kind, live.__name__), vars(thing)
            if getattr(type(thing), name, None) is live:
                before.append((own, name, own.get(name, NOTHING)))
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
            if value is NOTHING:
                own.pop(name, None)
            else:
                own[name] = value
