"""The wrong line of a gradient that is a function of one vector, or of arrays where they lie."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np

from gradlab.checking.source.elsewhere import STEP, Elsewhere, Slope, slope_of
from gradlab.checking.source.functions import Code, Function
from gradlab.checking.source.harmless import written_by
from gradlab.checking.source.objects import put_on_for_a_while
from gradlab.checking.source.search import Mended, Search
from gradlab.checking.source.target import Target, Trial
from gradlab.checking.source.untouched import untouched

SHIFTS = (0.3, 0.05, 0.005)  # of theta's size, the smaller ones where the loss is not defined
POINTS = 3
DIRECTIONS = 2  # for each tensor

Layout = Mapping[str, tuple[int, int, tuple[int, ...]]]


@dataclass(frozen=True, eq=False)
class OtherTheta(Elsewhere):
    """Another theta, with slopes there."""

    theta: np.ndarray


def mended(
    code: Code,
    loss: Callable,
    gradient: Callable[[object, np.ndarray], np.ndarray],
    theta: np.ndarray,
    layout: Layout,
    target: Target,
    keeps: Callable[[Function], bool],
    handed: Sequence[object] = (),
) -> list[Mended]:
    """Return the edits of a gradient's code with which it is right.

    Parameters
    ----------
    code : Code
    loss : callable, (P,) -> float
    gradient : callable, (what `Code.edited` gave, (P,)) -> ndarray (P,)
    theta : ndarray, shape (P,)
    layout : dict of str to (start, stop, shape)
    target : Target
    keeps, handed
        As `Trial` has them.
    """
    if not code.functions or theta.dtype != np.float64:
        return []

    def run(number: int, new: object, place: OtherTheta | None) -> dict[str, np.ndarray]:
        at = theta if place is None else place.theta
        flat = gradient(new, at.copy())
        if flat.shape != theta.shape:
            raise ValueError("a gradient of another shape")
        return {name: flat[lo:hi] for name, (lo, hi, _) in layout.items()}

    def elsewhere() -> list[OtherTheta]:
        return [*others(loss, theta, layout)]

    trial = Trial([code], run, target, elsewhere, constants_in(code), handed, keeps)
    return Search(trial).run()


def leaves_alone(
    loss: Code,
    value: Callable[[Callable, np.ndarray], object],
    theta: np.ndarray,
    handed: Sequence[object] = (),
) -> Callable[[Function], bool]:
    """Return what tells whether a loss is as before with a function that it may call, too.

    Parameters
    ----------
    loss : Code
    value : callable, (what to call for the loss, (P,)) -> float
    theta : ndarray, shape (P,)
    handed : sequence
        What the loss is handed, besides arrays.
    """
    things = cache(lambda: written_by([loss], handed))

    def keeps(function: Function) -> bool:
        if not loss.may_call(function):
            return True
        if (twin := loss.twin(function)) is None or things() is None:
            return False
        with untouched(things()):
            for at in (theta, 1.01 * theta + 0.01):
                before = value(loss.called, at.copy())
                with called_as(loss, loss.edited(twin, {})) as now:
                    if value(now, at.copy()) != before:
                        return False
        return True

    return keeps


def others(loss: Callable, theta: np.ndarray, layout: Layout) -> Iterator[OtherTheta]:
    """Yield other thetas with slopes there, where the loss is defined."""
    for k in range(POINTS):
        for shift in SHIFTS:
            rng = np.random.default_rng([11, k])
            size = max(float(np.sqrt(np.mean(theta**2))), 0.3)
            at = theta + shift * size * rng.standard_normal(theta.size)
            try:
                slopes = [*_slopes(loss, at, layout, rng)]
            except Exception:
                continue
            if all(np.isfinite(slope) for _, _, slope, _ in slopes):
                yield OtherTheta(at, slopes=slopes)
                break


def _slopes(
    loss: Callable, theta: np.ndarray, layout: Layout, rng: np.random.Generator
) -> Iterator[Slope]:
    for name, (lo, hi, _) in layout.items():
        for _ in range(DIRECTIONS):
            along = np.zeros(theta.size)
            along[lo:hi] = rng.standard_normal(hi - lo)
            up, down = (float(loss(theta + sign * STEP * along)) for sign in (1, -1))
            yield slope_of(name, along[lo:hi], up, down, abs(up))


def constants_in(code: Code) -> list[float]:
    """Return the numbers that stand in functions, but those that are written everywhere."""
    found = {
        float(node.value)
        for function in code.functions
        for node in ast.walk(function.node)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    }
    return sorted(found - {0.0, 1.0, 2.0})


@contextmanager
def called_as(code: Code, new: Callable | Mapping) -> Iterator[Callable]:
    """Yield what to call for what `Code.edited` gave; an object has its methods meanwhile."""
    if not isinstance(new, Mapping):
        yield new
        return
    with put_on_for_a_while(code.objects(), new):
        yield getattr(code.owner, code.functions[0].name)
