"""Which gradient belongs to which array."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

import numpy as np

from gradlab._validate import check_real_array, readable
from gradlab.own.nested import Nested, numbers_in, shown

LAST_NAME = re.compile(r"^(?P<head>(?:.*\.)?)(?P<name>[A-Za-z_]\w*)$", re.DOTALL)
BEFORE, AFTER = ("d", "d_", "grad_", "g_"), ("_grad",)  # dW1, d_W1, grad_W1, g_W1, W1_grad


class Gradients:
    """Reads gradients by the paths of the arrays that they belong to.

    Parameters
    ----------
    tree : Nested
        The arrays.

    Attributes
    ----------
    floats : dict of str to ndarray
        The arrays of floats in it, by path, each once.
    once : dict of str to str
        Paths of arrays that stand elsewhere too, and where.
    called : dict of str to str
        Under which name a gradient stood, where it is not its array's: {"dW1": "W1"}.
    reshaped : dict of str to str
        Which gradients had another shape that holds the same vector, and what was said of it.
    """

    def __init__(self, tree: Nested) -> None:
        self.tree, self.once = tree, {}
        self.floats: dict[str, np.ndarray] = {}
        places: dict[tuple, str] = {}
        for path, leaf in tree.leaves.items():
            array = numbers_in(leaf)
            if array is None:
                continue
            place = (array.__array_interface__["data"][0], array.shape, array.strides)
            if isinstance(leaf, np.ndarray) and array.size and place in places:
                self.once[path] = places[place]
            else:
                places[place] = path
                self.floats[path] = array
        self.called: dict[str, str] = {}
        self.reshaped: dict[str, str] = {}

    def structure(self, parts: Mapping[str, np.ndarray]) -> object:
        """Return the structure with these arrays, by shown path, and with copies of the others."""
        leaves = {
            path: _alike(self.tree.leaves[path], parts.get(shown(path), array.copy()))
            for path, array in self.floats.items()
        }
        leaves |= {other: leaves[path] for other, path in self.once.items()}
        return self.tree.with_copies(leaves)

    def read(self, answer: object, argument: str) -> dict[str, np.ndarray]:
        """Return gradients, {path: array of its shape}; of those arrays that have one.

        Raises
        ------
        ValueError, TypeError
            One belongs to no array, or has another shape, or is not finite.
        """
        if answer is None:
            raise TypeError(f"{argument} must have the structure of arrays, got None")
        found: dict[str, np.ndarray] = {}
        for path, name, value in self._matched(answer, argument):
            gradient = self._shaped(value, path, f"{argument}, for {name}:")
            if path in found and not np.array_equal(found[path], gradient):
                raise ValueError(
                    f"{argument} must have one gradient of {shown(path)}, which is the same array "
                    f"under two names; got two that differ, the second as {name}"
                )
            found[path] = gradient
        if not found:
            raise ValueError(f"{argument} must have a gradient of one of {self._names()}, got none")
        narrow = min((g.dtype for g in found.values()), key=lambda dtype: dtype.itemsize)
        # copies in the order of the arrays, all as precise as the least precise
        return {p: found[p].astype(narrow) for p in self.floats if p in found}

    def _matched(self, answer: object, argument: str) -> list[tuple[str, str, object]]:
        """Return (path of the array, path of the gradient, value) of all that is not None."""
        leaves = self.tree.leaves
        if isinstance(answer, Mapping) and any(k in leaves and "." in str(k) for k in answer):
            given = dict(answer)  # by path: {"layers[0].W": ...}
        else:
            nested = Nested(answer, lambda path: path in leaves or self._base(path) is not None)
            given = nested.leaves
            self._check_lengths(nested, argument)
        given = {path: value for path, value in given.items() if value is not None}
        bases = {path: self._base(path) for path in given}
        if answer is self.tree.root:  # dW1 stands beside W1, among much else
            given = {path: value for path, value in given.items() if bases[path]}
            if not given:
                raise ValueError(
                    f"{argument} must not be arrays itself, unless gradients stand beside their "
                    f"arrays (dW1 beside W1); got only {self._names()}"
                )
        if answer is self.tree.root or (given and all(bases.values())):
            self.called |= {shown(path): shown(bases[path]) for path in given}
            return [(self._first(bases[path]), path, value) for path, value in given.items()]
        unknown = [path for path in given if self._first(path) not in self.floats]
        if unknown:
            raise self._refused(unknown[0], argument)
        return [(self._first(path), path, value) for path, value in given.items()]

    def _base(self, path: str) -> str | None:
        """Return the array whose gradient would have this name: "W1" for "dW1"; or None."""
        match = LAST_NAME.match(path)
        if match is None:
            return None
        head, name = match["head"], match["name"]
        names = [name.removeprefix(b) for b in BEFORE if name.startswith(b)]
        names += [name.removesuffix(a) for a in AFTER if name.endswith(a)]
        return next((head + n for n in names if self._first(head + n) in self.floats), None)

    def _first(self, path: str) -> str:
        path = self.tree.first_path(path)
        return self.once.get(path, path)

    def _check_lengths(self, nested: Nested, argument: str) -> None:
        for path, length in nested.lengths.items():
            wanted = self.tree.lengths.get(self.tree.first_path(path), length)
            if length != wanted:
                at = f"{argument}{'.' * (path[:1] not in ('', '['))}{path}"
                raise ValueError(
                    f"{at} must have {wanted} entries, as arrays has there (None for "
                    f"what has no gradient); got {length}"
                )

    def _refused(self, path: str, argument: str) -> Exception:
        if path in self.tree.leaves:
            leaf = self.tree.leaves[path]
            what = f"{type(leaf).__name__} {getattr(leaf, 'dtype', '')}".strip()
            return TypeError(
                f"{shown(path)} must be an array of float64 or float32, as grads has "
                f"a gradient of it; got {what}"
            )
        near = difflib.get_close_matches(path, self.floats, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        got = "one array or number" if path == "" else repr(path)
        return ValueError(
            f"{argument} must have the structure of arrays, {self._names()}; got {got}{hint}"
        )

    def _names(self) -> str:
        names = [shown(path) for path in self.floats]
        return ", ".join(names[:8]) + f" and {len(names) - 8} more" * (len(names) > 8)

    def _shaped(self, value: object, path: str, argument: str) -> np.ndarray:
        """Return a gradient in its array's shape, perhaps a view.

        (n,), (n, 1) and (1, n) hold the same vector; nothing else is reshaped.
        """
        shape = self.floats[path].shape
        gradient = check_real_array(readable(value), argument)
        if gradient.dtype.kind != "f":
            gradient = gradient.astype(float)
        if gradient.shape != shape:
            size = max(shape, default=1)
            is_vector = gradient.size == self.floats[path].size == size and (
                max(gradient.shape, default=1) == size
            )
            if not is_vector or gradient.ndim == len(shape):  # or a transpose
                raise ValueError(f"{argument} must have shape {shape}, got {gradient.shape}")
            self.reshaped[shown(path)] = f"{gradient.shape} for {shape}"
        return gradient.reshape(shape)


def _alike(leaf: object, part: np.ndarray) -> object:
    """Return an array as what stood there: a float, or an ndarray of the same class."""
    if isinstance(leaf, float):
        return type(leaf)(part)
    return part.view(type(leaf)) if isinstance(leaf, np.ndarray) else part
