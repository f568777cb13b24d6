"""Any function with its gradient, checked by plain evaluations: the caller's own, or a loss.

A loss is one where a network is checked along random directions instead of entry by entry.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from gradlab.checking import EpsSweep, Report, TensorReport, check_function
from gradlab.checking.arguments import check_tensors, check_theta, gradient_at
from gradlab.checking.black_box import Along, Probe, scalar, survey
from gradlab.checking.errors import tensor_error
from gradlab.lab.model.settings import DIRECTION, FULL, SAMPLED, YOURS, Settings
from gradlab.nn.parameters import Tensors

__all__ = ["COARSE", "FULL_SWEEP", "SAMPLES", "Function"]

#: How many entries of each tensor, or directions, stand for all where that is asked for.
SAMPLES = 20
#: What a check, and a sweep while dragging and at rest, may cost in evaluations of the function,
#: and in seconds where it is a slow one. The counts are what rules for a function that takes less
#: than 50 microseconds: the same settings must show the same everywhere.
_CHECK, COARSE, FULL_SWEEP = 1024, 500, 16_000
_SECONDS = {_CHECK: 0.1, COARSE: 0.05, FULL_SWEEP: 0.8}
_FEWEST = 4
#: Every n-th of 61 steps; all divide 60, so that both ends are always there.
_STRIDES = (1, 2, 3, 4, 5, 6, 10, 12, 20)


@dataclass(frozen=True, eq=False)
class Function:
    """A function of a vector, and what claims to be its gradient.

    Attributes
    ----------
    f : callable, (P,) -> float
    grad : callable, (P,) -> ndarray (P,)
    theta : ndarray, shape (P,)
        Where the gradient is checked: a copy.
    tensors : mapping of str to (start, stop, shape)
        Names for parts of theta.
    seconds : float
        How long one evaluation takes.
    """

    f: Callable[[np.ndarray], float]
    grad: Callable[[np.ndarray], np.ndarray]
    theta: np.ndarray
    tensors: Tensors
    seconds: float = 0.0

    #: What it is, as settings call it.
    kind: ClassVar[str] = "function"

    @staticmethod
    def check(f: object, grad: object, theta: object, tensors: object = None) -> Function:
        """Take what a caller brings to `gl.Lab(f, grad, theta)`; f is evaluated twice, grad once.

        Raises
        ------
        TypeError, ValueError
            `f` or `grad` cannot be called, `theta` is no vector, `tensors` do not cover it, or
            f(theta) is not one finite number, or grad(theta) no gradient of it. What f and grad
            raise reaches the caller.
        """
        for name, value in (("f", f), ("grad", grad)):
            if not callable(value):
                raise TypeError(f"{name} must be a function of theta, got {type(value).__name__}")
        theta = check_theta(theta)
        layout, times = check_tensors(tensors, theta.size), []
        for _ in range(2):
            start = time.perf_counter()
            value = scalar(f(theta.copy()))
            times.append(time.perf_counter() - start)
        if not np.isfinite(value):
            raise ValueError(f"f(theta) must be finite, got {value}")
        gradient_at(grad, theta)
        return Function(f, grad, theta, layout, min(times))

    @property
    def name(self) -> str:
        """What it is called."""
        return getattr(self.f, "__name__", type(self.f).__name__)

    def settings(self) -> Settings:
        """Return the settings that a lab with this function starts from."""
        return Settings().replace(data=YOURS, dtype=self.theta.dtype.name)

    def analytic(self) -> dict[str, np.ndarray]:
        """Return what `grad` says, by tensor."""
        values = gradient_at(self.grad, self.theta)
        return {n: values[lo:hi].reshape(s) for n, (lo, hi, s) in self.tensors.items()}

    # -- how much of it is checked -----------------------------------------------------------------

    @property
    def samples(self) -> int | None:
        """How many entries of each tensor a check can afford; None is all."""
        most = self._affordable(_CHECK) // 4  # two steps, both sides
        if most >= self.theta.size:
            return None
        return max(_FEWEST, most // len(self.tensors))

    def stride(self, entries: int, budget: int) -> int:
        """Return which steps of a sweep over so many entries to take, every 1st to every 20th."""
        affordable = self._affordable(budget)
        fits = (s for s in _STRIDES if 2 * entries * (60 // s + 1) <= affordable)
        return next(fits, _STRIDES[-1])

    def _affordable(self, budget: int) -> int:
        return int(min(budget, _SECONDS[budget] / max(self.seconds, 1e-9)))

    # -- the check and the sweep -------------------------------------------------------------------

    def report(self, settings: Settings, samples: int | None) -> Report:
        """Return the check at the step that is set, in the measure that is set."""
        method = settings.method
        if method == FULL and samples is not None:
            method = SAMPLED
        if settings.method == DIRECTION:  # as many as the sweep takes, however large theta is
            samples = SAMPLES
        report = check_function(
            self.f,
            self.grad,
            self.theta,
            settings.eps,
            self.tensors,
            method=method,
            samples=samples or SAMPLES,
        )
        named = {n: replace(t, measure=settings.measure) for n, t in report.tensors.items()}
        return replace(report, tensors=named, measure=settings.measure)

    def sweep(self, report: Report, steps: np.ndarray) -> EpsSweep:
        """Return the errors of central differences at all `steps`, of the entries in `report`.

        One entry after the other; where f raises or is not finite, the error is NaN.
        """
        start = time.perf_counter()
        errors, sizes, spent = {}, {}, 0
        for name, tensor in report.tensors.items():
            f, at, where = self._along(name, tensor)
            slopes = np.array([[_slope(f, at, k, eps) for k in where] for eps in steps])
            errors[name] = tensor_error(tensor.analytic.ravel(), slopes, report.measure)
            sizes[name] = np.linalg.norm(slopes, axis=-1)
            spent += 2 * slopes.size
        machine_eps = max(self._machine_eps, float(np.finfo(self.theta.dtype).eps))
        seconds = time.perf_counter() - start
        return EpsSweep(
            steps,
            errors,
            sizes,
            "central",
            report.measure,
            machine_eps,
            machine_eps ** (1 / 3),
            float("inf"),
            spent,
            seconds,
        )

    def _along(self, name: str, tensor: TensorReport) -> tuple[Callable, np.ndarray, np.ndarray]:
        """Return a function, where it is differenced, and which entries of that are moved."""
        if tensor.directional:
            lines = self._lines
            return Along(self.f, self.theta, lines), np.zeros(len(lines)), np.arange(len(lines))
        low = self.tensors[name][0]
        inside = np.arange(tensor.analytic.size) if tensor.entries is None else tensor.entries
        return self.f, self.theta, low + inside

    @cached_property
    def _machine_eps(self) -> float:
        """Of the numbers that f returns: float32 may come out of a float64 theta."""
        size = np.maximum(1.0, np.abs(self.theta).astype(float))
        return survey(Probe(self.f, self.theta).value, self.theta, size).machine_eps

    @cached_property
    def _lines(self) -> np.ndarray:
        """The random directions that `gl.check_function` takes, of the same seed."""
        draws = np.random.default_rng(0).standard_normal((SAMPLES, self.theta.size))
        length = np.median(np.maximum(1.0, np.abs(self.theta).astype(float)))
        return draws / np.linalg.norm(draws, axis=1, keepdims=True) * float(length)


def _slope(f: Callable[[np.ndarray], Any], theta: np.ndarray, k: int, eps: float) -> float:
    """Return the central difference in one entry, over the distance that rounding leaves of it."""
    right, left = theta.copy(), theta.copy()
    right[k] += eps
    left[k] -= eps
    try:
        with np.errstate(all="ignore"):
            rise = float(np.squeeze(f(right.copy()))) - float(np.squeeze(f(left.copy())))
            return rise / float(right[k] - left[k])
    except Exception:  # not defined there: that step has no slope
        return float("nan")
