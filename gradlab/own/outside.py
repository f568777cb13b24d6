"""What a function keeps outside of its arguments: as it was, once a framework has traced it."""

from __future__ import annotations

import functools
import inspect
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CellType, FunctionType, MethodType, ModuleType

from gradlab.checking.own_code import surely

THEIRS = ("jax", "jaxlib", "torch", "numpy")  # what these keep is their own matter
MOST = 10_000  # places to look into: a function may lead to anything that its module names


class Outside:
    """The dicts, lists, objects, closure cells and globals that functions lead to.

    Where a framework traces a function, what this stores in one of them is a tracer, dead
    afterwards: the next call that reads it raises.

    Parameters
    ----------
    *functions : callable
    """

    def __init__(self, *functions: Callable) -> None:
        self.places: list[object] = []
        self.cells: list[CellType] = []
        self.named: list[tuple[dict, str]] = []  # globals, by the names that a function reads
        seen: dict[int, object] = {}  # the things themselves, for ids must not be used twice
        queue = deque(functions)
        while queue and len(seen) < MOST:
            thing = queue.popleft()
            if id(thing) not in seen:
                seen[id(thing)] = thing
                queue.extend(self._look_into(thing))

    def _look_into(self, thing: object) -> Iterator[object]:
        if isinstance(thing, type | ModuleType):
            return
        inner = inspect.unwrap(thing) if callable(thing) else thing  # of jit, of custom_vjp
        if inner is not thing:
            yield inner
        elif isinstance(thing, functools.partial):
            yield from (thing.func, *thing.args, *thing.keywords.values())
        elif isinstance(thing, MethodType):
            yield from (thing.__func__, thing.__self__)
        elif _is_theirs(thing):  # what a person has hung onto it is the person's
            yield from (
                part
                for name, part in getattr(thing, "__dict__", {}).items()
                if isinstance(part, dict | list | deque) and name[:1] != "_"
            )
        elif isinstance(thing, FunctionType):
            yield from self._of_function(thing)
        elif isinstance(thing, dict | list | deque | tuple):
            if not isinstance(thing, tuple):
                self.places.append(thing)
            yield from thing.values() if isinstance(thing, dict) else thing
        elif hasattr(thing, "__dict__"):
            self.places.append(vars(thing))
            yield from (*vars(thing).values(), vars(type(thing)).get("__call__"))

    def _of_function(self, function: FunctionType) -> Iterator[object]:
        for cell in function.__closure__ or ():
            self.cells.append(cell)
            yield from _inside(cell)
        yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        for name in function.__code__.co_names:
            if name in function.__globals__:
                self.named.append((function.__globals__, name))
                yield function.__globals__[name]

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Put everything back to where it stood, at the end."""
        places = [(place, place.copy()) for place in self.places]
        cells = [(cell, _inside(cell)) for cell in self.cells]
        named = [(names, name, names[name]) for names, name in self.named if name in names]

        def put_back() -> None:
            for place, before in places:
                _put_back(place, before)
            for cell, before in cells:
                if before:
                    cell.cell_contents = before[0]
            for names, name, before in named:
                names[name] = before

        try:
            yield
        finally:
            surely(put_back)


def _is_theirs(thing: object) -> bool:
    of = thing if isinstance(thing, FunctionType) else type(thing)
    return str(getattr(of, "__module__", "")).partition(".")[0] in THEIRS


def _inside(cell: CellType) -> list:
    try:
        return [cell.cell_contents]
    except ValueError:  # empty still
        return []


def _put_back(place: dict | list | deque, before: dict | list | deque) -> None:
    now, then = (
        [*p.items()] if isinstance(p, dict) else [(k, v) for k, v in enumerate(p)]
        for p in (place, before)
    )
    if len(now) == len(then) and all(
        key == other and value is earlier
        for (key, value), (other, earlier) in zip(now, then, strict=True)
    ):
        return
    place.clear()
    place.update(before) if isinstance(place, dict) else place.extend(before)
