"""Everything in a structure as it was, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from gradlab.checking.own_code import put_back, surely
from gradlab.own.nested import Nested


@contextmanager
def kept(*trees: Nested) -> Iterator[None]:
    """Put back, at the end, what every array holds, and what stands in every dict, list and object.

    That of arrays bit by bit; a loss may also leave caches behind, or put new arrays in places.
    """
    arrays = [(array, array.copy()) for tree in trees for array in _arrays(tree)]
    places = [(inside, inside.copy()) for tree in trees for inside in _insides(tree)]
    try:
        yield
    finally:
        surely(lambda: _put_back(arrays, places))


def _arrays(tree: Nested) -> Iterator[np.ndarray]:
    for leaf in tree.leaves.values():
        if isinstance(leaf, np.ndarray) and leaf.flags.writeable and leaf.dtype != object:
            yield np.asarray(leaf)


def _insides(tree: Nested) -> Iterator[dict | list]:
    """Yield the dicts and lists whose entries may be exchanged; of an object, its attributes."""
    for node in tree.containers:
        if isinstance(node, dict | list):
            yield node
        elif hasattr(node, "__dict__"):
            yield vars(node)


def _put_back(arrays: list, places: list) -> None:
    for inside, before in places:
        if not _same(inside, before):
            inside.clear()
            inside.update(before) if isinstance(inside, dict) else inside.extend(before)
    for array, before in arrays:
        put_back(array, before)


def _same(inside: dict | list, before: dict | list) -> bool:
    """Tell whether the very same objects stand in the same places."""
    if isinstance(inside, dict):
        if list(inside) != list(before):
            return False
        inside, before = inside.values(), before.values()
    return len(inside) == len(before) and all(
        one is other for one, other in zip(inside, before, strict=True)
    )
