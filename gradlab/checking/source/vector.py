"""The wrong line of a gradient that is a function of one vector, or of arrays where they lie."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from gradlab.checking.source.functions import Code, put_on
from gradlab.checking.source.search import Mended, Search
from gradlab.checking.source.target import Arrays, Case, Target

SHIFTS = (0.3, 0.05, 0.005)  # of theta's size, the smaller ones where the loss is not defined
POINTS = 3
DIRECTIONS = 2  # for each tensor
STEP = 1e-5
AGREES = 1e-6
ROUNDING = 1e-14

Layout = Mapping[str, tuple[int, int, tuple[int, ...]]]
Function = Callable[[np.ndarray], object]


@dataclass(frozen=True, eq=False)
class Point:
    """Another theta, with (tensor's name, direction, slope, noise) for some directions."""

    theta: np.ndarray
    slopes: list[tuple[str, np.ndarray, float, float]]
    is_larger = False

    def agrees(self, grads: Arrays) -> bool:
        """Tell whether a gradient has these slopes."""
        return all(
            abs(float(np.sum(np.ravel(grads[name]) * along)) - slope)
            <= AGREES * np.linalg.norm(grads[name]) + noise
            for name, along, slope, noise in self.slopes
        )


def mended(
    code: Code, loss: Function, gradient: Callable[[object, np.ndarray], np.ndarray],
    theta: np.ndarray, layout: Layout, target: Target,
) -> list[Mended]:  # fmt: skip
    """Return the edits of a gradient's code with which it is right.

    Parameters
    ----------
    code : Code
    loss : callable, (P,) -> float
    gradient : callable, (what `Code.edited` gave, (P,)) -> ndarray (P,)
    theta : ndarray, shape (P,)
    layout : dict of str to (start, stop, shape)
    target : Target
    """
    if not code.functions or theta.dtype != np.float64:
        return []

    def run(number: int, new: object, place: Point | None) -> dict[str, np.ndarray]:
        at = theta if place is None else place.theta
        flat = gradient(new, at.copy())
        if flat.shape != theta.shape:
            raise ValueError("a gradient of another shape")
        return {name: flat[lo:hi] for name, (lo, hi, _) in layout.items()}

    case = Case([code], run, target, lambda grads, place: place.agrees(grads),
                lambda: [*points(loss, theta, layout)], constants_in(code))  # fmt: skip
    return Search(case).run()


def points(loss: Function, theta: np.ndarray, layout: Layout) -> Iterator[Point]:
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
                yield Point(at, slopes)
                break


def _slopes(
    loss: Function, theta: np.ndarray, layout: Layout, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray, float, float]]:
    for name, (lo, hi, _) in layout.items():
        for _ in range(DIRECTIONS):
            along = np.zeros(theta.size)
            along[lo:hi] = rng.standard_normal(hi - lo)
            up, down = (float(loss(theta + sign * STEP * along)) for sign in (1, -1))
            yield name, along[lo:hi], (up - down) / (2 * STEP), ROUNDING * abs(up) / STEP


def constants_in(code: Code) -> list[float]:
    """Return the numbers that stand in functions, but those that are written everywhere."""
    found = {
        float(node.value)
        for function in code.functions for node in ast.walk(function.node)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    }  # fmt: skip
    return sorted(found - {0.0, 1.0, 2.0})


@contextmanager
def wearing(owner: object, methods: Mapping) -> Iterator[None]:
    """Let an object have other methods for a while."""
    before = {name: vars(owner)[name] for name in methods if name in vars(owner)}
    put_on(owner, methods)
    try:
        yield
    finally:
        for name in methods:
            del vars(owner)[name]
        vars(owner).update(before)
