"""A function that nothing is known of, as the judge looks at it: every call with a fresh copy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from gradlab._validate import readable
from gradlab.checking.judge import DOUBLE, SINGLE, Differences, Scales

Function = Callable[[np.ndarray], float]
REPEATS = 64  # roundings by which two values of the same evaluation may differ
# Of its largest entry: what rounding leaves in a gradient, by the bytes of a number.
GRADIENT_ROUNDING = {2: 2e-3, 4: 1e-5}
ASIDE = 1e-3  # of an entry's size: far enough to leave a kink, near enough to be about the same


class Probe:
    """Calls f at points near theta, each time with a copy.

    It is a class and not a closure so that it can be sent to another process.
    """

    def __init__(self, f: Function, theta: np.ndarray) -> None:
        self.f, self.theta = f, theta

    def value(self, theta: np.ndarray) -> float:
        """Return f there; its exceptions reach the caller."""
        return scalar(self.f(theta.copy()))

    def __call__(self, point: tuple[int, float]) -> float | Exception:
        """Return f where entry `index` of theta is replaced by a value, or what f raised there."""
        theta = self.theta.copy()
        theta[point[0]] = point[1]
        try:
            with np.errstate(all="ignore"):  # a long step may leave where f is defined
                return scalar(self.f(theta))
        except MemoryError:
            raise
        except Exception as error:
            return error


class Along:
    """f along straight lines through theta: s (n,) -> f(theta + s @ directions)."""

    def __init__(self, f: Function, theta: np.ndarray, directions: np.ndarray) -> None:
        self.f, self.theta, self.directions = f, theta, directions

    def __call__(self, s: np.ndarray) -> float:
        """Return f at a point of theta's type."""
        return self.f((self.theta + s @ self.directions).astype(self.theta.dtype))


def scalar(value: object) -> float:
    """Return what f returned as a float, or raise a TypeError or ValueError that says what came."""
    if isinstance(value, tuple | list | dict):
        what = f"{type(value).__name__} of {len(value)}"
        hint = "; grad=True takes an f that returns (loss, grad)" if len(value) == 2 else ""
        raise TypeError(f"f must return the loss alone, one number, got a {what}{hint}")
    array = np.asarray(readable(value))
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
    same : float
        By how much two values at the same point may differ: a few roundings.
    deterministic : bool
        Whether f(theta) came out the same every time, but for that.
    noise : float
        How far one evaluation may be off, at least.
    single : bool
        Whether the values look like float32 numbers.
    evaluations : int
    """

    base: float
    same: float
    deterministic: bool
    noise: float
    single: bool
    evaluations: int

    @property
    def machine_eps(self) -> float:
        """Of the numbers that f is computed in."""
        return float(np.finfo(np.float32 if self.single else np.float64).eps)


def survey(value: Function, theta: np.ndarray, size: np.ndarray) -> Background:
    """Evaluate f a few times at theta and very near to it.

    For float64 the steps are 1e-13 to 5e-11, too short for a smooth function to bend: what the
    second difference shows there is noise.

    Raises
    ------
    ValueError
        f(theta) is not finite.
    """
    same = [value(theta) for _ in range(2)]
    base = same[0]
    if not np.isfinite(base):
        raise ValueError(f"f(theta) must be finite, got {base}")
    rng, bends, values = np.random.default_rng(0), [], list(same)
    for h in float(np.finfo(theta.dtype).eps) ** np.linspace(0.66, 0.83, 3):
        for _ in range(2):
            move = h * size * rng.choice([-1.0, 1.0], theta.size)
            try:
                with np.errstate(all="ignore"):
                    ends = [value((theta + sign * move).astype(theta.dtype)) for sign in (1, -1)]
            except Exception:  # the edge of where f is defined; it raised nothing at theta
                continue
            values += ends
            bends.append(abs(ends[0] + ends[1] - 2 * base))
    finite = [v for v in values if np.isfinite(v)]
    with np.errstate(over="ignore"):
        # one value alone proves it too, for its last digits: such short steps may not move float32
        single = all(float(np.float32(v)) == v for v in finite) and (
            len(set(finite)) > 1 or float(np.float16(base)) != base
        )
    single &= base != np.round(base)
    machine_eps = float(np.finfo(np.float32 if single else np.float64).eps)
    spread = max(same) - min(same)
    # two extremes may be kinks at theta: the median is not moved by them
    median = float(np.median([b for b in bends if np.isfinite(b)] or [0.0]))
    noise = max(2 * machine_eps * abs(base), 2 * median, 2 * spread)
    allowed = REPEATS * machine_eps * abs(base)
    return Background(base, allowed, spread <= allowed, noise, bool(single), len(values))


def aside(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two points a small way to either side of theta."""
    size = np.maximum(1.0, np.abs(theta))
    move = ASIDE * size * np.random.default_rng(0).choice([-1.0, 1.0], theta.size)
    return (theta + move).astype(theta.dtype), (theta - move).astype(theta.dtype)


class BlackBox:
    """A function and its gradient around theta: what the judge calls a `Loss`.

    Attributes
    ----------
    entries : ndarray of int, shape (E,)
        Which entries of theta are checked.
    trouble : Exception or None
        What f raised first, at a step that it was not asked for.
    worked : ndarray of bool, shape (E,)
        Where any step gave a slope.
    """

    def __init__(
        self,
        probe: Probe,
        background: Background,
        grad: Callable[[np.ndarray], np.ndarray] | None,
        gradient: np.ndarray,
        entries: np.ndarray,
        tensors: list[slice],
        executor: Executor | None = None,
    ) -> None:
        self.probe, self.background, self.grad, self.executor = probe, background, grad, executor
        self.entries, self.tensors = entries, tensors
        self.base, self.noise = background.base, background.noise
        self.gradient = gradient[entries].astype(float)
        self.value_size = np.abs(probe.theta[entries]).astype(float)
        self.size = np.maximum(1.0, self.value_size)
        coarse = background.single or probe.theta.itemsize == 4
        self.scales: Scales = SINGLE if coarse else DOUBLE
        rounding = GRADIENT_ROUNDING.get(gradient.itemsize, 0.0)
        self.rounding = max(rounding, GRADIENT_ROUNDING[4] if coarse else 0.0)
        self.trouble: Exception | None = None
        self.worked = np.zeros(len(entries), bool)

    def look(self, entries: np.ndarray, steps: np.ndarray) -> Differences:
        """Evaluate f on both sides of theta, at each step (S, E) of each entry."""
        theta, index = self.probe.theta, self.entries[entries]
        start = theta[index]
        ends = [(start + sign * steps).astype(theta.dtype) for sign in (1, -1)]
        points = [(i, v) for end in ends for row in end for i, v in zip(index, row, strict=True)]
        run = map if self.executor is None else self.executor.map
        values = np.empty(len(points))
        for k, value in enumerate(run(self.probe, points)):
            if isinstance(value, Exception):
                self.trouble = self.trouble or value
                value = np.nan
            values[k] = value
        right, left = values.reshape(2, *steps.shape)
        with np.errstate(invalid="ignore"):
            self.worked[entries] |= np.isfinite(right - left).any(axis=0)
        taken = [np.abs(end.astype(float) - start) for end in ends]
        return Differences(self.base, right, left, *taken, self.background.machine_eps)

    def beside(self) -> tuple[BlackBox, BlackBox] | None:
        """Return the same function a small way to either side of theta, with the gradient there."""
        if self.grad is None:
            return None
        sides = []
        for there in aside(self.probe.theta):
            try:
                base = self.probe.value(there)
                gradient = np.array(self.grad(there.copy()), float).reshape(there.shape)
            except Exception:  # it is the judge's own idea to ask there
                return None
            around = replace(self.background, base=base)
            if not (np.isfinite(base) and np.isfinite(gradient).all()):
                return None
            sides.append(
                BlackBox(
                    Probe(self.probe.f, there),
                    around,
                    None,
                    gradient,
                    self.entries,
                    self.tensors,
                    self.executor,
                )
            )
        return sides[0], sides[1]

    def repeats(self) -> bool:
        """Tell whether f(theta) still is what it was."""
        return abs(self.probe.value(self.probe.theta) - self.base) <= self.background.same
