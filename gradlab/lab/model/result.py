"""From settings to a result: a pure function, with what is still valid taken from the last result.

Moving the step does not recompute the sweep; moving anything else does, on fewer steps while a
slider is dragged (`coarse`) and on all of them when it rests.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

import gradlab as gl
from gradlab.bugs import Secret
from gradlab.checking import EpsSweep, Report
from gradlab.checking.diagnosis.blind_spots import blind_spots, traces
from gradlab.checking.report import BlindSpot
from gradlab.lab.model.cost import Cost
from gradlab.lab.model.function import Function
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.problem import Problem, pose
from gradlab.lab.model.settings import MYSTERY, SETTINGS, Settings
from gradlab.lab.model.training import Trainer
from gradlab.lab.model.weight import Weight
from gradlab.nn.network import Network, Point

__all__ = ["SWEEP_EPS", "NotThereError", "Result", "check_at", "compute"]

#: The steps of the U-curve: five a decade over the range of the slider.
SWEEP_EPS = np.array([float(f"{eps:.12g}") for eps in np.logspace(-13, -1, 61)])  # 1e-5 exactly
_CURSOR = {name: setting.default for name, setting in SETTINGS.items() if setting.cursor}


class NotThereError(ValueError):
    """The tensor, or its entry, that is to be looked at is not there."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


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
    curve : EpsSweep
        The same with the report's errors at its step, so that its dots lie on the lines: the same
        arithmetic in blocks of another size ends in other round-off. While a step is dragged it
        stays as it is.
    stride : int
        The sweep took every n-th of `SWEEP_EPS`.
    brought : OwnNetwork, Function or None
        What the caller brought.
    secret : Secret or None
        What `bug="mystery"` stands for.
    held : bool
        Whether a handle is being dragged: what is dear and not known yet waits until it rests.
    """

    settings: Settings
    problem: Problem
    report: Report
    cost: Cost
    sweep: EpsSweep
    curve: EpsSweep
    stride: int
    brought: OwnNetwork | Function | None = None
    secret: Secret | None = None
    held: bool = False

    @property
    def net(self) -> Network | None:
        """The network, its `l2` that of the numerical loss; None for a function."""
        return self.problem.net

    @property
    def x(self) -> np.ndarray | None:
        """The examples; None for a function."""
        return self.problem.x

    @property
    def y(self) -> np.ndarray | None:
        """Their labels or targets; None for a function."""
        return self.problem.y

    @property
    def analytic(self) -> dict[str, np.ndarray]:
        """The gradient by backpropagation."""
        return self.problem.analytic

    @cached_property
    def weight(self) -> Weight:
        """The one entry of `tensor` that is looked at, with the loss along it."""
        return Weight(self)

    @cached_property
    def tensor(self) -> str:
        """The tensor that is looked at closely: the one set, or that which decides the verdict."""
        if self.settings.tensor:
            return self.settings.tensor
        return self.report.deciding

    @cached_property
    def entry(self) -> int:
        """The entry of `tensor` that is looked at: the one set, or that with the largest error.

        An index into the raveled tensor; among directions, the direction's number.
        """
        if self.settings.entry >= 0:
            return self.settings.entry
        shown = self.report[self.tensor]
        worst = int(np.argmax(np.nan_to_num(shown.errors.ravel(), nan=np.inf)))
        return worst if shown.entries is None else int(shown.entries[worst])

    @property
    def dormant(self) -> str:
        """Why no bug that is planted can show: "dropout is off"; "" if one can."""
        return self.problem.dormant

    @property
    def remark(self) -> str:
        """What there is to say about the training: that it raised the loss; "" for nothing."""
        return self.problem.remark

    def let_go(self) -> Result:
        """Return the same for a handle that is held no longer: its step is on the curve now."""
        curve = _with_step(self.sweep, self.report, self.settings.eps)
        return replace(self, curve=curve, held=False)

    def anew(self, settings: Settings) -> Result:
        """Compute the same with other settings, coarsely; what was trained is trained again."""
        return compute(settings, self.brought, secret=self.secret, coarse=True)

    @property
    def knows_blind_spots(self) -> bool:
        """Whether `report.caveats` are at hand."""
        return not self.held or "traces" in self.problem.memo or self.net is None

    @property
    def rough(self) -> bool:
        """Whether a better sweep is to be had at rest."""
        return self.stride > self.problem.stride(self.settings, coarse=False)


def compute(
    settings: Settings,
    brought: OwnNetwork | Function | None = None,
    previous: Result | None = None,
    *,
    coarse: bool = False,
    trainer: Trainer | None = None,
    secret: Secret | None = None,
    held: bool = False,
) -> Result:
    """Compute what the lab shows for `settings`.

    Parameters
    ----------
    settings : Settings
    brought : OwnNetwork, Function or None, optional
        The caller's network and data, or function.
    previous : Result or None, optional
        Whatever of it is still valid is kept; it must be of the same `brought` and `secret`.
    coarse : bool, optional
        Whether a new sweep may take fewer steps, to be quick.
    trainer : Trainer or None, optional
        Remembers what was trained before.
    secret : Secret or None, optional
        What `bug="mystery"` stands for.
    held : bool, optional
        Whether a handle is being dragged, and the next settings will come soon.

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
        problem = previous.problem if previous else pose(settings, brought, trainer, secret)
        _check_tensor(settings, problem)
        if previous and previous.settings.eps == settings.eps:
            report, cost = previous.report, previous.cost
        else:
            report, cost = check_at(settings, problem)
        stride = problem.stride(settings, coarse=coarse)
        if previous and previous.stride <= stride:
            curve = previous.curve if held else _with_step(previous.sweep, report, settings.eps)
            result = replace(
                previous, settings=settings, report=report, cost=cost, curve=curve, held=held
            )
        else:
            sweep = _sweep(settings, problem, report, SWEEP_EPS[::stride])
            curve = _with_step(sweep, report, settings.eps)
            result = Result(
                settings, problem, report, cost, sweep, curve, stride, brought, secret, held
            )
    _check_entry(result)
    return result


def check_at(settings: Settings, problem: Problem) -> tuple[Report, Cost]:
    """Check at the step of the settings; return the report and what it cost."""
    start = time.perf_counter()
    if problem.function is not None:
        report = problem.function.report(settings, problem.samples)
    else:
        report = gl.check(
            problem.net,
            problem.x,
            problem.y,
            eps=settings.eps,
            scheme=settings.scheme,
            measure=settings.measure,
            masks=problem.masks(settings),
            analytic=problem.analytic,
            **problem.sampling,
        )
    seconds = time.perf_counter() - start
    if problem.function is None:
        report = replace(report, find_blind_spots=partial(_blind_spots, settings, problem, report))
    if settings.bug == MYSTERY:  # a report finds the cause when it is printed
        report = replace(report, find_causes=None)
    return report, Cost(report.evaluations, 1e3 * seconds)


def _blind_spots(settings: Settings, problem: Problem, report: Report) -> tuple[BlindSpot, ...]:
    """Return what the check could not have seen; the bugs are tried once for all steps."""
    point = Point(problem.net, problem.x, problem.y, problem.masks(settings))
    memo = problem.memo
    if "traces" not in memo:
        memo["traces"] = list(traces(point, report.tensors))
    return blind_spots(point, problem.analytic, report.tensors, memo["traces"])


def _sweep(settings: Settings, problem: Problem, report: Report, steps: np.ndarray) -> EpsSweep:
    if problem.function is not None:
        return problem.function.sweep(report, steps)
    return gl.sweep_eps(
        problem.net,
        problem.x,
        problem.y,
        eps=steps,
        scheme=settings.scheme,
        measure=settings.measure,
        masks=problem.masks(settings),
        analytic=problem.analytic,
        **problem.sampling,
    )


def _with_step(sweep: EpsSweep, report: Report, eps: float) -> EpsSweep:
    """Return the sweep with the report's errors at `eps`: in place of its own, or between them."""
    i = int(np.searchsorted(sweep.eps, eps))
    there = int(i < len(sweep.eps) and sweep.eps[i] == eps)

    def put(values: np.ndarray, value: float) -> np.ndarray:
        return np.concatenate((values[:i], [value], values[i + there :]))

    errors = {name: put(sweep.errors[name], t.error) for name, t in report.tensors.items()}
    sizes = {
        name: put(sweep.sizes[name], float(np.linalg.norm(t.numerical)))
        for name, t in report.tensors.items()
    }
    return replace(sweep, eps=put(sweep.eps, eps), errors=errors, sizes=sizes)


def _check_tensor(settings: Settings, problem: Problem) -> None:
    names = problem.sizes(settings)
    if settings.tensor and settings.tensor not in names:
        raise NotThereError(
            "tensor",
            f"tensor must be one of {', '.join(names)}, or '' for the worst, "
            f"got {settings.tensor!r}",
        )


def _check_entry(result: Result) -> None:
    size = result.problem.sizes(result.settings)[result.tensor]
    if result.settings.entry >= size:
        raise NotThereError(
            "entry",
            f"entry must be from 0 to {size - 1} for {result.tensor}, or -1 for the worst, "
            f"got {result.settings.entry}",
        )


def _without_cursor(settings: Settings) -> Settings:
    """Return the settings without those that move on the same sweep."""
    return settings.replace(**_CURSOR)
