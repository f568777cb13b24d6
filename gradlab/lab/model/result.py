"""From settings to a result: a pure function, with what is still valid taken from the last result.

Moving the step does not recompute the sweep; moving anything else does, on fewer steps while a
slider is dragged (`coarse`) and on all of them when it rests.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

import gradlab as gl
from gradlab.bugs import Secret
from gradlab.checking import EpsSweep, Report
from gradlab.lab.model import budget
from gradlab.lab.model.cost import Cost
from gradlab.lab.model.given import Given
from gradlab.lab.model.problem import Problem, pose
from gradlab.lab.model.ranges import MYSTERY
from gradlab.lab.model.settings import Settings
from gradlab.lab.model.training import Trainer
from gradlab.nn.network import Network

__all__ = ["SWEEP_EPS", "Result", "UnknownTensorError", "checked", "compute"]

#: The steps of the U-curve: five a decade over the range of the slider.
SWEEP_EPS = np.logspace(-13, -1, 61)


class UnknownTensorError(ValueError):
    """The tensor to be shown is not one of the network's."""


@dataclass(frozen=True, eq=False)
class Result:
    """What the lab shows.

    Attributes
    ----------
    settings : Settings
        What it was computed from.
    problem : Problem
        With `net`, `x`, `y` and `analytic`, which can be read from here as well.
    report : Report
    cost : Cost
        Of the check.
    sweep : EpsSweep
        The U-curve.
    stride : int
        The sweep took every n-th of `SWEEP_EPS`.
    given : Given or None
        The caller's network and data.
    secret : Secret or None
        What `bug="mystery"` stands for.
    """

    settings: Settings
    problem: Problem
    report: Report
    cost: Cost
    sweep: EpsSweep
    stride: int
    given: Given | None = None
    secret: Secret | None = None

    @property
    def net(self) -> Network:
        """The network, its `l2` that of the numerical loss."""
        return self.problem.net

    @property
    def x(self) -> np.ndarray:
        """The examples."""
        return self.problem.x

    @property
    def y(self) -> np.ndarray:
        """Their labels or targets."""
        return self.problem.y

    @property
    def analytic(self) -> dict[str, np.ndarray]:
        """The gradient by backpropagation."""
        return self.problem.analytic

    @cached_property
    def tensor(self) -> str:
        """The tensor that is looked at closely: the one set, or that with the largest error."""
        if self.settings.tensor:
            return self.settings.tensor
        errors = {name: self.report[name].error for name in self.report}
        return max(errors, key=lambda n: math.inf if math.isnan(errors[n]) else errors[n])

    @property
    def rough(self) -> bool:
        """Whether a better sweep is to be had at rest."""
        full = budget.stride(self.settings, self.net, self.x, budget.FULL)
        return self.stride > full


def compute(
    settings: Settings,
    given: Given | None = None,
    previous: Result | None = None,
    *,
    coarse: bool = False,
    trainer: Trainer | None = None,
    secret: Secret | None = None,
) -> Result:
    """Compute what the lab shows for `settings`.

    Parameters
    ----------
    settings : Settings
    given : Given or None, optional
        The caller's network and data.
    previous : Result or None, optional
        Whatever of it is still valid is kept; it must be of the same `given` and `secret`.
    coarse : bool, optional
        Whether a new sweep may take fewer steps, to be quick.
    trainer : Trainer or None, optional
        Remembers what was trained before.
    secret : Secret or None, optional
        What `bug="mystery"` stands for.

    Returns
    -------
    Result

    Raises
    ------
    ValueError, TypeError
        The settings do not go together (labels for another loss, say); the message says why.
    """
    with np.errstate(all="ignore"):  # overflow at large weights is a result here, not a warning
        if previous and _without_cursor(previous.settings) != _without_cursor(settings):
            previous = None
        problem = previous.problem if previous else pose(settings, given, trainer, secret)
        _check_tensor(settings, problem.net)
        if previous and previous.settings.eps == settings.eps:
            report, cost = previous.report, previous.cost
        else:
            report, cost = checked(settings, problem)
        limit = budget.COARSE if coarse else budget.FULL
        stride = budget.stride(settings, problem.net, problem.x, limit)
        if previous and previous.stride <= stride:
            return replace(previous, settings=settings, report=report, cost=cost)
        sweep = gl.sweep_eps(
            problem.net, problem.x, problem.y, eps=SWEEP_EPS[::stride], scheme=settings.scheme,
            measure=settings.measure, masks=problem.masks(settings), analytic=problem.analytic,
            **problem.sampling,
        )  # fmt: skip
    return Result(settings, problem, report, cost, sweep, stride, given, secret)


def checked(settings: Settings, problem: Problem) -> tuple[Report, Cost]:
    """Check the gradient at the settings' step; return the report and what it cost."""
    masks = problem.masks(settings)
    start = time.perf_counter()
    report = gl.check(
        problem.net, problem.x, problem.y, eps=settings.eps, scheme=settings.scheme,
        measure=settings.measure, masks=masks, analytic=problem.analytic, **problem.sampling,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if settings.bug == MYSTERY:  # a report finds the cause when it is printed
        report = replace(report, find_causes=None)
    return report, Cost.measured(report.evaluations, seconds, problem.backprop_seconds)


def _check_tensor(settings: Settings, net: Network) -> None:
    if settings.tensor and settings.tensor not in net.params:
        listed = ", ".join(net.params)
        raise UnknownTensorError(
            f"tensor must be one of {listed}, or '' for the worst, got {settings.tensor!r}"
        )


def _without_cursor(settings: Settings) -> Settings:
    """Return the settings without those that move on the same sweep."""
    return settings.replace(eps=1.0, tensor="")
