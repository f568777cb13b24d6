"""What can happen to a finished gradient: it is clipped, scaled, cast, put under another name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.bugs.lines.numbers import UNNAMED, names_of
from gradlab.bugs.lines.wrong_gradient import WrongGradient

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class After:
    """A change of the whole gradient.

    Attributes
    ----------
    code : str
        A line of Python.
    function : callable, (gradients, values) -> gradients
        `values` are those of the program: sizes and parameters.
    is_coarse : bool
        What is left of a cast to few digits, or of a sum in them, is not reproduced to the last.
    is_named : bool
        It holds no number that nobody would write.
    """

    code: str
    function: Callable[[Arrays, Mapping[str, object]], dict[str, np.ndarray]]
    is_coarse: bool = False
    is_named: bool = True


def _each(f: Callable[[np.ndarray], np.ndarray]) -> Callable[..., dict[str, np.ndarray]]:
    return lambda gradient, values: {k: f(v) for k, v in gradient.items()}


def _norm(gradient: Arrays) -> float:
    return float(np.sqrt(sum((v**2).sum() for v in gradient.values())))


def afterwards(
    right: Arrays, target: WrongGradient, values: Mapping[str, object], weights: Collection[str]
) -> Iterator[After]:
    """Yield what could have made the wrong gradient from `right`; L2 is of the `weights`."""
    yield from _clipped(right, target)
    if target.entries is None:
        yield from _rescaled(target)
    yield After("g = np.sign(g)", _each(np.sign))
    yield After("g = np.abs(g)", _each(np.abs))
    yield After("g = np.trunc(g)", _each(np.trunc))
    yield After(
        "g = g.astype(np.float16).astype(float)",
        _each(lambda v: v.astype(np.float16).astype(float)),
        True,
    )
    for digits in range(1, 7):
        rounded = _each(lambda v, digits=digits: np.round(v, digits))
        yield After(f"g = np.round(g, {digits})", rounded, True)
    yield from _loss_scale(right, target)
    yield from _never_written(right, target, values, weights)
    yield from _multiplied(right, target, values)
    yield from _weights_added(right, target, values)
    yield from _other_names(right, target)


def _clipped(right: Arrays, target: WrongGradient) -> Iterator[After]:
    """Clip all tensors, or those that are wrong, at the largest entry that is left."""
    for names in (sorted(right), sorted(target.wrong)):
        entries = np.abs(np.concatenate([target.value[k] for k in names]))
        top = float(entries.max())
        # one entry that sticks out proves nothing: some others were as large, or the bound is round
        is_edge = (entries >= top * (1 - target.exact)).sum() > 2 or is_round(top, target.exact)
        if top > 0 and is_edge:
            yield clipping(top, names, len(names) == len(right))


def clipping(top: float, names: list[str], is_all: bool = True) -> After:
    """Return the clipping of some tensors to ±`top`, entry by entry."""
    where = "" if is_all else f"   # in {', '.join(names)}"
    return After(
        f"g = np.clip(g, -{top:.6g}, {top:.6g}){where}",
        lambda g, _: {k: np.clip(v, -top, top) if k in names else v for k, v in g.items()},
    )


def _rescaled(target: WrongGradient) -> Iterator[After]:
    whole = _norm(target.value)
    first = target.size[next(iter(target.size))]
    most = max(target.size.values())
    if is_round(whole, target.exact):
        yield After(
            f"g = g * {whole:.6g} / norm of all",
            lambda g, _: {k: v * whole / _norm(g) for k, v in g.items()},
        )
    if is_round(first, target.exact):
        yield After(
            f"g = g * {first:.6g} / np.linalg.norm(g)",
            _each(lambda v: v * first / np.linalg.norm(v)),
        )
    if is_round(most, target.exact):
        yield After(
            f"g = g * min(1, {most:.6g} / np.linalg.norm(g))",
            _each(lambda v: v * min(1, most / np.linalg.norm(v))),
        )


def _multiplied(
    right: Arrays, target: WrongGradient, values: Mapping[str, object]
) -> Iterator[After]:
    pairs = [(target.of(k, v), target.value[k]) for k, v in right.items()]
    square = sum(float(r @ r) for r, _ in pairs)
    S = sum(float(r @ w) for r, w in pairs) / square if square else 1.0
    names = names_of(S, values, target.exact)
    for name, cost in (n for n in names[:2] if n[1] <= names[0][1] + 0.2):

        def times(g: Arrays, values: Mapping[str, object], name: str = name) -> dict:
            return {k: number(name, values) * v for k, v in g.items()}

        yield After(f"g = {name} * g", times, is_named=cost < UNNAMED)


def _loss_scale(right: Arrays, target: WrongGradient) -> Iterator[After]:
    """Leave in a number that was to keep small ones alive in float16: a power of two, or of ten."""
    pairs = [(target.of(k, v), target.value[k]) for k, v in right.items()]
    square = sum(float(r @ r) for r, _ in pairs)
    S = sum(float(r @ w) for r, w in pairs) / square if square else 1.0
    if not 4 < S < np.inf:
        return
    for scale in {2.0 ** np.round(np.log2(S)), float(f"{S:.1g}")}:
        if abs(scale - S) < 1e-3 * S:  # float16 has three digits
            cast = _each(lambda v, scale=scale: (scale * v).astype(np.float16).astype(float))
            yield After(f"g = ({scale:g} * g).astype(np.float16)", cast, True)


def _never_written(
    right: Arrays, target: WrongGradient, values: Mapping[str, object], weights: Collection[str]
) -> Iterator[After]:
    """Leave some entries 0 where all others are right; L2 may have come on top of them."""
    parts, names = {}, sorted(target.wrong)
    if target.entries is not None:
        return
    for k in names:
        value, l2 = target.value[k].reshape(right[k].shape), values["lam"] * values[k]
        for before, rest in (("", 0 * l2), ("data_", l2))[: 1 + (k in weights and l2.any())]:
            left = np.abs(value - rest) <= target.exact * np.abs(rest)
            left &= np.abs(right[k] - rest) > target.exact * np.abs(right[k])
            if left.any() and not left.all() and target.fits(k, np.where(left, rest, right[k])):
                parts[k] = (f"{before}d{k}[{_index(left)}] = 0", left, before)

    def unwritten(g: Arrays, values: Mapping[str, object]) -> dict:
        rests = {k: values["lam"] * values[k] if l2 else 0.0 for k, (_, _, l2) in parts.items()}
        return {k: np.where(parts[k][1], rests[k], v) if k in parts else v for k, v in g.items()}

    if len(parts) == len(names):
        yield After("; ".join(code for code, *_ in parts.values()), unwritten)


def _index(mask: np.ndarray) -> str:
    """Return how a person indexes what is set in a mask, if it is a block of rows and columns."""
    which = [
        mask.any(axis=tuple(k for k in range(mask.ndim) if k != axis)) for axis in range(mask.ndim)
    ]
    spans = [_span(np.flatnonzero(found).tolist(), len(found)) for found in which]
    if mask.sum() != np.prod([found.sum() for found in which]):
        return "…"
    if sum("[" in span for span in spans) > 1:  # two lists would be paired up
        return f"np.ix_({', '.join(map(str, (np.flatnonzero(found).tolist() for found in which)))})"
    while spans[-1] == ":" and len(spans) > 1:
        spans.pop()
    return ", ".join(spans)


def _span(found: list[int], size: int) -> str:
    """Return how a person writes these of `size` rows: one, a slice, or a list."""
    first, last = found[0], found[-1]
    if len(found) == 1 and size > 1:
        return str(first)
    if last - first + 1 == len(found):
        return f"{first or ''}:{last + 1 if last + 1 < size else ''}"
    return str(found)


def _weights_added(
    right: Arrays, target: WrongGradient, values: Mapping[str, object]
) -> Iterator[After]:
    """L2 in every tensor that is wrong, such as in the biases, which have none."""
    wrong = sorted(target.wrong)
    rows = [(target.of(k, values[k]), target.value[k] - target.of(k, right[k])) for k in wrong]
    square = sum(float(p @ p) for p, _ in rows)
    along = sum(float(p @ d) for p, d in rows) / square if square else 0.0
    sizes = {k: values[k] for k in ("lam", "N")}
    for name, cost in names_of(along, sizes, target.exact, ["lam"])[:1] if along else ():
        if cost < UNNAMED:

            def added(g: Arrays, values: Mapping[str, object], name: str = name) -> dict:
                more = number(name, values)
                return {k: v + more * values[k] if k in wrong else v for k, v in g.items()}

            yield After(f"g = g + {name} * parameter   # in {', '.join(wrong)}", added)


def _other_names(right: Arrays, target: WrongGradient) -> Iterator[After]:
    """Every wrong tensor is the gradient of another one, or its transpose."""
    source: dict[str, tuple[str, bool]] = {}
    for k in sorted(target.wrong):
        for j, value in right.items():
            for turn in (False, True):
                turned = value.T if turn else value
                if (j != k or turn) and turned.shape == right[k].shape and target.fits(k, turned):
                    source.setdefault(k, (j, turn))
    if len(source) == len(target.wrong):
        names = {k: j + ".T" * turn for k, (j, turn) in source.items()}
        yield After(
            "; ".join(f"d{k} = d{j}" for k, j in names.items()),
            lambda g, _: {
                k: (g[source[k][0]].T if source[k][1] else g[source[k][0]]) if k in source else v
                for k, v in g.items()
            },
        )


def number(name: str, values: Mapping[str, object]) -> float:
    """Return the value of a formula of `numbers.names_of`."""
    sizes = {k: v for k, v in values.items() if not isinstance(v, np.ndarray)}
    return eval(name, {"__builtins__": {}}, sizes)  # noqa: S307 - a formula of `names_of`


def is_round(value: float, tolerance: float) -> bool:
    """Tell whether a number has two digits at most, such as a bound that somebody chose."""
    return value > 0 and abs(float(f"{value:.2g}") - value) < tolerance * value
