"""Training with the backward pass that is checked, beside the right one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.bugs.planting import without_bugs
from gradlab.lab.model import budget
from gradlab.lab.model.classes import share_right
from gradlab.lab.model.problem import NO_NETWORK, Problem
from gradlab.lab.model.result import Result
from gradlab.lab.model.training import LEARNING_RATES
from gradlab.nn.layers import BatchNorm
from gradlab.nn.network import Network
from gradlab.nn.training import train

__all__ = ["Beside", "Run", "cannot_train", "trainings"]

#: Updates, where the network is small enough; and at least.
STEPS, _FEWEST = 200, 20
_BATCH = 32
#: What a training may cost, in units of `budget`; one update costs about that many evaluations.
_COST, _UPDATE = 4e8, 100


@dataclass(frozen=True, eq=False)
class Run:
    """A training.

    Attributes
    ----------
    losses : ndarray, shape (steps done + 1,)
        Of all examples, by the loss whose gradient is checked.
    finished : bool
        Whether it came to the end before something overflowed.
    right : float
        The share of the examples that are classified rightly at the end; NaN where there are no
        classes.
    """

    losses: np.ndarray
    finished: bool
    right: float

    @property
    def last(self) -> float:
        """The loss at the end; infinity where it overflowed."""
        return float(self.losses[-1]) if self.finished else np.inf


@dataclass(frozen=True, eq=False)
class Beside:
    """Both trainings, with the same batches, dropout masks and learning rate.

    Attributes
    ----------
    steps : int
        Updates that were asked for.
    rate : float
        The largest learning rate tried with which the right code lowers the loss; NaN if there is
        none, and then there are no runs.
    right : Run or None
    checked : Run or None
        With the gradient that is checked; None where that is the right one.
    """

    steps: int
    rate: float
    right: Run | None
    checked: Run | None


def cannot_train(problem: Problem) -> str:
    """Return why `gl.train` does not take this network and these examples, or ""."""
    if problem.net is None:
        return NO_NETWORK
    if not np.isfinite(problem.net.loss(problem.x, problem.y)):
        return "the loss is not finite here"
    count = budget.count(problem.net, problem.x)
    if count % _BATCH == 1 and any(isinstance(layer, BatchNorm) for layer in problem.net.layers):
        return f"the last batch of {count} examples holds one, which is no batch for batch norm"
    return ""


def trainings(result: Result) -> Beside:
    """Train from the present parameters; once a problem."""
    problem = result.problem
    if "trainings" not in problem.memo:
        problem.memo["trainings"] = _train_both(problem, result.settings.seed)
    return problem.memo["trainings"]


def differs(problem: Problem) -> bool:
    """Tell whether the gradient that is checked may be another than that of the loss."""
    planted = problem.planted
    own = planted.backward_pass is not None or type(planted).gradient is not Network.gradient
    return own or planted.l2 != problem.net.l2


def _train_both(problem: Problem, seed: int) -> Beside:
    steps, right_code = _affordable_steps(problem), without_bugs(problem.net)
    for rate in LEARNING_RATES:
        right = _run(right_code, problem, steps, rate, seed)
        if right.finished and right.losses[-1] < right.losses[0]:
            checked = None
            if differs(problem):
                checked = _run(problem.planted, problem, steps, rate, seed)
            return Beside(steps, rate, right, checked)
    return Beside(steps, np.nan, None, None)


def _run(net: Network, problem: Problem, steps: int, rate: float, seed: int) -> Run:
    """Train a copy of `net` as `gl.train` does."""
    loss, losses = problem.net.loss_function(problem.x, problem.y), []
    losses.append(float(loss(net.theta)))
    trained, finished = net.copy(), True

    def keep(step: int, now: Network) -> None:
        losses.append(float(loss(now.theta)))

    with np.errstate(all="ignore"):
        try:
            train(
                trained,
                problem.x,
                problem.y,
                steps=steps,
                batch_size=_BATCH,
                learning_rate=rate,
                seed=seed,
                progress=False,
                after_step=keep,
            )
        except ValueError as error:
            if not str(error).startswith("learning_rate"):
                raise
            finished = False
    finite = np.isfinite(losses)
    if not finite.all():
        losses, finished = losses[: int(np.argmin(finite))], False
    return Run(np.array(losses), finished, share_right(trained, problem.x, problem.y))


def _affordable_steps(problem: Problem) -> int:
    net, x = problem.net, problem.x
    one = _UPDATE * budget.count(net, x) * budget.units(net, x)
    return int(np.clip(_COST / one, _FEWEST, STEPS))
