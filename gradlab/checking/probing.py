"""Evaluating a function that nothing is known of: safely, and at a ladder of steps."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from gradlab.checking.evidence import Differences
from gradlab.checking.verdict import ROUNDINGS

LADDER = 10.0 ** -np.arange(1, 15)  # relative to the size of an entry, or to 1 where it is smaller
FIRST = slice(3, 8)  # 1e-4 … 1e-8: enough for most entries, the rest only where these leave doubt


class Probe:
    """Calls f at points near theta, each time with a copy, and counts.

    It is a class and not a closure so that it can be sent to another process.
    """

    def __init__(self, f: Callable[[np.ndarray], float], theta: np.ndarray) -> None:
        self.f, self.theta = f, theta

    def __call__(self, points: tuple[np.ndarray, ...]) -> float:
        """Return f where theta's entries `index` are replaced by `value`; (index, value)."""
        theta = self.theta.copy()
        index, value = points
        theta[index] = value
        return scalar(self.f(theta))


def scalar(value: object) -> float:
    """Return what f returned as a float, or raise a TypeError or ValueError that says what came."""
    array = np.asarray(value)
    if array.size != 1:
        raise ValueError(f"f must return one number, got an array of shape {array.shape}")
    if array.dtype.kind not in "fiu":
        raise TypeError(f"f must return a real number, got {type(value).__name__} ({array.dtype})")
    return float(array.reshape(()))


@dataclass(frozen=True)
class Background:
    """What a few evaluations around theta say about f.

    Attributes
    ----------
    base : float
        f(theta).
    deterministic : bool
        Whether f(theta) came out the same every time.
    noise : float
        How far one evaluation may be off.
    single : bool
        Whether the values look like float32 numbers.
    evaluations : int
    """

    base: float
    deterministic: bool
    noise: float
    single: bool
    evaluations: int


def survey(probe: Probe, rng: np.random.Generator) -> Background:
    """Evaluate f a few times at theta and very near to it.

    Steps of 1e-13 to 1e-9 are too short for a smooth function to bend: what the second difference
    shows there is noise. The idea is that of More and Wild, "Estimating computational noise", SIAM
    J. Sci. Comput. 33(3), 2011, with fewer evaluations.
    """
    theta, nothing = probe.theta, (np.arange(0), np.zeros(0))
    same = [probe(nothing) for _ in range(3)]
    base, everything = same[0], np.arange(theta.size)
    if not np.isfinite(base):
        raise ValueError(f"f(theta) must be finite, got {base}")
    bends, values = [], list(same)
    for h in 10.0 ** -np.arange(9, 14):
        for _ in range(2):
            move = h * np.maximum(1, np.abs(theta)) * rng.choice([-1.0, 1.0], theta.size)
            ends = [probe((everything, theta + sign * move)) for sign in (1, -1)]
            values += ends
            bends.append(abs(ends[0] + ends[1] - 2 * base))
    with np.errstate(over="ignore"):
        single = all(float(np.float32(v)) == v for v in values) and base != np.round(base)
    machine_eps = float(np.finfo(np.float32 if single else np.float64).eps)
    finite = [bend for bend in bends if np.isfinite(bend)] or [0.0]
    # two extremes may be kinks at theta: the median is not moved by them
    noise = max(ROUNDINGS * machine_eps * abs(base), 2 * float(np.median(finite)))
    return Background(base, len(set(same)) == 1, noise, bool(single), len(values))


@dataclass(frozen=True, eq=False)
class Lines:
    """Straight lines through theta along which f is differenced: coordinates or directions.

    Attributes
    ----------
    index : list of ndarray of int
        The entries of theta that move along each line.
    direction : list of ndarray of float
        By how much they move for a step of 1.
    """

    index: list[np.ndarray]
    direction: list[np.ndarray]

    def ends(self, theta: np.ndarray, line: int, step: float) -> tuple[np.ndarray, float]:
        """Return the entries' values at the end of a step, and the step as rounding left it."""
        start = theta[self.index[line]]
        end = (start + step * self.direction[line]).astype(theta.dtype)
        largest = int(np.argmax(np.abs(self.direction[line])))
        taken = (float(end[largest]) - float(start[largest])) / self.direction[line][largest]
        return end, taken


def differences(
    probe: Probe,
    lines: Lines,
    background: Background,
    steps: np.ndarray,
    executor: Executor | None = None,
) -> Differences:
    """Evaluate f on both sides of theta, at each step (S, E) of each of the E lines."""
    points, taken = [], []
    for sign in (1, -1):
        for row in steps:
            for line, step in enumerate(row):
                end, length = lines.ends(probe.theta, line, sign * step)
                points.append((lines.index[line], end))
                taken.append(sign * length)
    run = map if executor is None else executor.map
    values = np.fromiter(run(probe, points), float, len(points))
    f_right, f_left = values.reshape(2, *steps.shape)
    h_right, h_left = np.reshape(taken, (2, *steps.shape))
    return Differences(background.base, f_right, f_left, h_right, h_left, background.noise)
