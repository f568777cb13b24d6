"""Arrays in dicts, lists, tuples and objects, under the names of their paths: "layers[0].W"."""

from __future__ import annotations

import copy
import keyword
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import numpy as np

from gradlab._validate import readable

CLOSED = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType)  # never looked into


class Nested:
    """What stands where in a nested structure.

    A dict or list that stands in two places, such as a layer that is used twice, is gone through
    once, under the name of the place that is nearest to the root.

    Parameters
    ----------
    root : dict, list, tuple, object with attributes, or array
    is_leaf : callable, str -> bool, optional
        Whether what has this path is taken whole, and not gone through.

    Attributes
    ----------
    leaves : dict of str to object
        What is no container, by path.
    containers : list
        Each once.
    again : dict of str to str
        Paths of containers that stand elsewhere too, and where.
    lengths : dict of str to int
        Of the lists and tuples.
    """

    def __init__(self, root: object, is_leaf: Callable[[str], bool] = lambda path: False) -> None:
        self.root = root
        self.containers: list[object] = []
        self.again: dict[str, str] = {}
        self.lengths: dict[str, int] = {}
        found, seen = {}, {}
        queue = deque([("", (), root)])
        while queue:  # by levels, so that a container has its shortest path as its name
            path, position, node = queue.popleft()
            parts = None if is_leaf(path) else children(node)
            if parts is None:
                found[position] = path, node
            elif id(node) in seen:
                self.again[path] = seen[id(node)]
            else:
                seen[id(node)] = path
                self.containers.append(node)
                if isinstance(node, list | tuple):
                    self.lengths[path] = len(node)
                for k, (key, part) in enumerate(parts):
                    queue.append((join(path, key, node), (*position, k), part))
        self.leaves = dict(found[position] for position in sorted(found))

    def first_path(self, path: str) -> str:
        """Return the path by which what stands there is known."""
        for other, first in self.again.items():
            if path == other or path.startswith((f"{other}.", f"{other}[")):
                rest = path[len(other) :]
                return self.first_path(first + rest if first else rest.removeprefix("."))
        return path

    def with_copies(self, leaves: Mapping[str, object]) -> object:
        """Return the same structure of new containers, with other leaves where they are named."""
        made: dict[int, object] = {}

        def build(path: str, node: object) -> object:
            if path in leaves:
                return leaves[path]
            if id(node) in made:
                return made[id(node)]
            parts = children(node)
            if parts is None:
                return node.copy() if isinstance(node, np.ndarray) else node
            if isinstance(node, tuple):
                values = [build(join(path, key, node), part) for key, part in parts]
                return type(node)(*values) if hasattr(node, "_fields") else type(node)(values)
            # known before it is filled: what is below may hold it
            is_view = isinstance(node, Mapping) and not isinstance(node, dict)
            try:
                new = dict(node) if is_view else copy.copy(node)
            except Exception:  # a file, a connection: no arrays are expected in it
                new = node
            made[id(node)] = new
            if new is node:
                return node
            for key, part in parts:
                value = build(join(path, key, node), part)
                if isinstance(node, Mapping | list):
                    new[key] = value
                else:
                    new.__dict__[key] = value
            return new

        return build("", self.root)


def children(node: object) -> list[tuple[object, object]] | None:
    """Return keys and parts of a container; None for what is none."""
    if isinstance(node, Mapping):
        return list(node.items())
    if isinstance(node, tuple) and hasattr(node, "_fields"):
        return list(zip(node._fields, node, strict=True))
    if isinstance(node, list | tuple):
        return list(enumerate(node))
    is_closed = isinstance(node, CLOSED) or hasattr(node, "__array__")
    if is_closed or not hasattr(node, "__dict__"):
        return None
    return list(vars(node).items())


def join(path: str, key: object, node: object) -> str:
    """Return the path of a part: a name after a dot, a number or another key in brackets."""
    is_name = isinstance(key, str) and key.isidentifier() and not keyword.iskeyword(key)
    if is_name:
        return f"{path}.{key}" if path else key
    return f"{path}[{key!r}]"


def numbers_in(leaf: object) -> np.ndarray | None:
    """Return an array or a float as a base ndarray, a view where it can be; None for others."""
    if isinstance(leaf, np.ndarray | float) or hasattr(leaf, "__array__"):
        array = np.asarray(readable(leaf))
        return array if array.dtype.kind == "f" else None
    return None


def overlapping(
    arrays: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, str]]:
    """Yield the names of an array and another one that share memory."""
    for one, array in arrays.items():
        for other, its in others.items():
            # the second asks exactly, and may take long: only where the ends say that it may be
            if one != other and np.may_share_memory(array, its) and np.shares_memory(array, its):
                yield one, other


def shown(path: str) -> str:
    """Return a path as the report names it: a list's entries have a name too."""
    return f"arrays{path}" if path.startswith("[") else path or "theta"
