"""What a statement of a person's function can see: names, what they stand for, and what is near."""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from types import ModuleType

import numpy as np

MOST_ARRAYS = 24  # that are tried in the place of another, or beside it
MOST_SIZE = 200_000  # entries of an array that is worth it
REDUCED = ("sum", "mean")
AS_SIZE = 0.6  # what a plain number costs more that is the length of an axis
Named = tuple[str, float]  # an expression and its cost
Valued = tuple[str, np.ndarray, float]  # an expression, its value and its cost


class Scope:
    """The names that a statement can speak of, where it last ran.

    Parameters
    ----------
    local, outer : mapping of str to object
        The function's own names, and those of its file.
    constants : list of float
        Numbers that stand in the forward pass.
    axes : sequence of str
        Those that the function speaks of.

    Attributes
    ----------
    arrays : dict of str to ndarray
        By how they are written: x, self.x, cache["x"].
    scalars : dict of str to float
        Numbers, and the arrays' sizes as shape[k].
    np : str
        What numpy is called; "" where it is not.
    """

    def __init__(
        self,
        local: Mapping[str, object],
        outer: Mapping[str, object],
        constants: list[float],
        axes: Sequence[str] = (),
    ) -> None:
        self.local, self.outer, self.constants, self.axes = local, outer, constants, axes
        self.arrays: dict[str, np.ndarray] = {}
        self._terms: dict[tuple[int, ...], list] = {}
        self.scalars: dict[str, float] = {}
        for name, value in local.items():
            self._take(name, value)
        self.np = next(
            (
                name
                for name in ("np", "numpy", *outer)
                if isinstance(outer.get(name), ModuleType) and outer[name].__name__ == "numpy"
            ),
            "",
        )
        for name, array in [*self.arrays.items()]:
            for axis, size in enumerate(array.shape):
                if size > 1 and size not in (self.scalars[k] for k in self.scalars):
                    self.scalars[f"{name}.shape[{axis}]"] = size

    def _take(self, name: str, value: object, depth: int = 0) -> None:
        if isinstance(value, np.ndarray) and value.dtype.kind in "fbiu":
            if value.ndim == 0:
                self.scalars[name] = float(value)
            elif value.size <= MOST_SIZE and len(self.arrays) < MOST_ARRAYS:
                self.arrays[name] = value
        elif isinstance(value, int | float | np.number) and not isinstance(value, bool):
            self.scalars[name] = float(value)
        elif isinstance(value, Mapping) and depth == 0:
            for key, inner in value.items():
                if isinstance(key, str):
                    self._take(f"{name}[{key!r}]", inner, 1)
        elif depth == 0 and name == "self":
            for key, inner in vars(value).items():
                self._take(f"{name}.{key}", inner, 1)

    def value_of(self, node: ast.expr) -> object:
        """Return what an expression of the person's stands for; raises what it raises."""
        return self.run(compile(ast.Expression(node), "part", "eval"))

    def known(self, node: ast.expr) -> object:
        """Return what an expression stands for; None where that is not known."""
        try:
            return self.value_of(node)
        except (Exception, SystemExit):  # anybody's expression, where it last ran
            return None

    def run(self, code: object) -> object:
        """Run a compiled part of a statement where it last ran."""
        # its own code, from its own tree: see `functions`
        return eval(code, {**self.outer, **self.local})  # noqa: S307

    # -- what may be missing ----------------------------------------------------------------------

    def forms(self, shape: tuple[int, ...]) -> Iterator[Valued]:
        """Yield (expression, value, cost) for what of one array can be a factor or a term here."""
        for name, a in self.arrays.items():
            for text, value, cost in self._of_array(name, a):
                if _fits(np.shape(value), shape):
                    yield text, value, cost

    def _of_array(self, name: str, a: np.ndarray) -> Iterator[Valued]:
        yield name, a, 0
        if a.ndim and a.size > 1:  # a number for each example, say
            yield f"{name}[{':, ' * a.ndim}None]", a[..., None], 0.2
        if a.dtype.kind == "b":
            return
        with np.errstate(all="ignore"):
            yield f"({name} > 0)", a > 0, 0.4
            if a.dtype.kind in "iu":
                return
            yield f"(1 - {name} ** 2)", 1 - a**2, 0.2
            yield f"{name} * (1 - {name})", a * (1 - a), 0.2
            yield f"(1 - {name})", 1 - a, 0.3
            yield f"{name} ** 2", a**2, 0.4
            for function in ("exp", "sign", "sqrt", "abs", "log") if self.np else ():
                value = getattr(np, function)(a)
                yield f"{self.np}.{function}({name})", value, 0.7
            if a.ndim == 2:
                yield f"{name}.T", a.T, 0.3
            for axis in range(a.ndim) if a.ndim > 1 else ():
                for kind in REDUCED:
                    value = getattr(a, kind)(axis=axis, keepdims=True)
                    yield f"{name}.{kind}(axis={axis}, keepdims=True)", value, 0.8

    def terms(self, shape: tuple[int, ...]) -> list[Valued]:
        """Return what can be a term where an array of this shape stands."""
        if shape not in self._terms:
            self._terms[shape] = [*self._terms_of(shape)]
        return self._terms[shape]

    def _terms_of(self, shape: tuple[int, ...]) -> Iterator[Valued]:
        """Yield what of some arrays can be a term: A @ B, A * B, A * (A * B).sum(...).

        Shapes are compared before anything is computed.
        """
        arrays = {k: v for k, v in self.arrays.items() if v.dtype.kind == "f"}
        pairs = [
            (k, m)
            for k, m in product(arrays, repeat=2)
            if k <= m and _broadcast(arrays[k].shape, arrays[m].shape)
        ]
        yield from ((k, v, 0.0) for k, v in arrays.items() if _fits(v.shape, shape))
        yield from self._rows_of_one(shape)
        yield from _matrix_products(arrays, shape)
        for k, m in pairs:
            if _fits(np.broadcast_shapes(arrays[k].shape, arrays[m].shape), shape):
                yield f"{k} * {m}", arrays[k] * arrays[m], 0.4
        for text, value, cost in self._reduced(arrays, pairs, shape):
            yield text, value, cost
            yield from _multiples(arrays, shape, text, value, cost)

    def _rows_of_one(self, shape: tuple[int, ...]) -> Iterator[Valued]:
        """Yield what has a 1 in each row: in the diagonal, or where labels say."""
        if len(shape) != 2 or not self.np:
            return
        size = next((k for k, v in self.scalars.items() if v == shape[1]), str(shape[1]))
        if shape[0] == shape[1]:
            yield f"{self.np}.eye({size})", np.eye(shape[1]), 0.3
        for name, labels in self.arrays.items():
            if (
                labels.dtype.kind in "iu"
                and labels.shape == shape[:1]
                and labels.min() >= 0
                and labels.max() < shape[1]
            ):
                yield f"{self.np}.eye({size})[{name}]", np.eye(shape[1])[labels], 0.4

    def _reduced(
        self,
        arrays: Mapping[str, np.ndarray],
        pairs: list[tuple[str, str]],
        shape: tuple[int, ...],
    ) -> Iterator[Valued]:
        """Yield sums and means of one array, and of two arrays' product."""
        for names in (*((k,) for k in arrays), *pairs):
            whole = np.broadcast_shapes(*(arrays[k].shape for k in names))
            inside = names[0] if len(names) == 1 else f"({' * '.join(names)})"
            for axis, keep in product(range(len(whole)), (True, False)):
                left = [n for k, n in enumerate(whole) if k != axis]
                if not _fits((*whole[:axis], 1, *whole[axis + 1 :]) if keep else (*left,), shape):
                    continue
                value = arrays[names[0]] if len(names) == 1 else arrays[names[0]] * arrays[names[1]]
                how = f"axis={axis}" + ", keepdims=True" * keep
                yield f"{inside}.sum({how})", value.sum(axis=axis, keepdims=keep), 0.3 * len(names)

    def alike(self, text: str, value: object) -> Iterator[Named]:
        """Yield what could be meant where a name stands: an array of the same shape, a number."""
        if isinstance(value, np.ndarray) and value.ndim:
            yield from (
                (k, 0.8) for k, v in self.arrays.items() if k != text and v.shape == value.shape
            )
        elif isinstance(value, int | float | np.number | np.ndarray):
            yield from ((k, 1.2) for k in self.scalars if k != text)

    # -- what a number may be called --------------------------------------------------------------

    def names_of(self, number: float, tolerance: float) -> list[Named]:
        """Return what a factor may be, the likeliest first; nothing where no one would write it."""
        found: list[Named] = []
        size, sign = abs(number), "-" if number < 0 else ""
        for text, value, cost in self._numbers():
            if abs(value - size) <= tolerance * size:
                found.append((sign + text, cost + (0.15 if text == "1" else 0.3) * bool(sign)))
        short = float(f"{size:.3g}")
        if not found and abs(short - size) <= tolerance * size:
            found.append((f"{sign}{short:.3g}", 1.4))
        best: dict[str, float] = {}
        for text, cost in found:
            best[text] = min(cost, best.get(text, np.inf))
        return sorted(best.items(), key=operator.itemgetter(1))

    def _numbers(self) -> Iterator[tuple[str, float, float]]:
        lengths = {n for array in self.arrays.values() for n in array.shape if n > 2}

        def as_size(number: float) -> float:  # a 3 is a size, rather, where something has 3 rows
            return AS_SIZE * bool(lengths & {number, 1 / number})

        for factor, cost in ((1, 0), (2, 0.3), (0.5, 0.4), (4, 0.6), (0.25, 0.6), (3, 0.5)):
            yield f"{factor:g}", factor, cost + as_size(factor)
        yield from ((f"{c:.17g}", c, 0.3 + as_size(c)) for c in self.constants if c > 0)
        sizes = {k: v for k, v in self.scalars.items() if np.isfinite(v) and v > 0 and v != 1}
        for k, v in sizes.items():
            more = 0.3 * ("[" in k)
            for factor, shown in ((1, ""), (2, "2 * "), (0.5, "0.5 * ")):
                extra = 0.2 + more + 0.3 * (factor != 1)
                yield f"{shown}{k}", factor * v, extra
                yield (f"{factor:g} / {k}", factor / v, extra)
            yield f"{k} ** 2", v**2, 0.35 + more
            yield f"1 / {k} ** 2", 1 / v**2, 0.35 + more
            yield f"({k} - 1)", v - 1, 0.6 + more
            yield f"1 / ({k} - 1)", 1 / (v - 1), 0.6 + more
            if v < 1:
                yield f"(1 - {k})", 1 - v, 0.4 + more
                yield f"1 / (1 - {k})", 1 / (1 - v), 0.4 + more
            if self.np:
                yield f"{self.np}.sqrt({k})", np.sqrt(v), 0.4 + more
                yield f"1 / {self.np}.sqrt({k})", 1 / np.sqrt(v), 0.4 + more
            for m, w in sizes.items():
                if k < m:
                    yield f"({k} * {m})", v * w, 0.6 + more
                    yield f"1 / ({k} * {m})", 1 / (v * w), 0.5 + more
                if k != m:
                    yield f"{k} / {m}", v / w, 0.6 + more


def _matrix_products(arrays: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> Iterator[Valued]:
    turned = {**arrays, **{f"{k}.T": v.T for k, v in arrays.items() if v.ndim == 2}}
    for (k, v), (m, w) in product(turned.items(), repeat=2):
        is_product = v.ndim > 1 and w.ndim > 1 and v.shape[-1] == w.shape[-2]
        if is_product and _fits((*v.shape[:-1], w.shape[-1]), shape):
            with suppress(ValueError):  # two stacks of matrices of other lengths
                yield f"{k} @ {m}", v @ w, 0.5


def _multiples(
    arrays: Mapping[str, np.ndarray],
    shape: tuple[int, ...],
    text: str,
    sums: np.ndarray,
    cost: float,
) -> Iterator[Valued]:
    """Yield sums times arrays, and times powers of a smaller one: what a normalisation has."""
    alike = {n: w for n, w in arrays.items() if w.ndim == len(shape) and _fits(w.shape, shape)}
    small = [(n, w) for n, w in alike.items() if w.size < np.prod(shape)]
    for k, v in arrays.items():
        if v.shape == shape:
            yield f"{k} * {text}", v * sums, cost + 0.3
            for n, w in small:
                yield f"{k} * {n} ** 2 * {text}", v * w**2 * sums, cost + 0.7
                yield f"{k} * {n} ** 3 * {text}", v * w**3 * sums, cost + 0.7


def _fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, into) == into
    except ValueError:
        return False


def _broadcast(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    try:
        return np.prod(np.broadcast_shapes(one, other)) <= MOST_SIZE
    except ValueError:
        return False


def outer_names(function: object) -> dict[str, object]:
    """Return what a function sees around it: builtins, its file's names, what it closes over."""
    return {**vars(builtins), **function.__globals__, **closed_over(function)}


def closed_over(function: object) -> dict[str, object]:
    """Return what a function closes over, by its names."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not yet set
            found[name] = cell.cell_contents
    return found
