"""The exercise of lesson 02 in which three steps are chosen, and tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from gradlab.checking.errors import norm_ratio
from gradlab.course.note import shown
from gradlab.course.task import Task, number_in
from gradlab.nn import data
from gradlab.nn.mlp import mlp

__all__ = ["THREE_STEPS"]

CASES = ("loss", "loss + 1e6", "float32")
ENOUGH = 10.0  # times the least error that any step gives
ANSWER = {"loss": 1e-5, "loss + 1e6": 1e-3, "float32": 1e-2}


def error_at(case: str, eps: float) -> float:
    """Return the norm ratio of the central difference on the lesson's network, at one step."""
    dtype = "float32" if case == "float32" else "float64"
    net = mlp([2, 16, 2], weight_scale=0.5, seed=0, dtype=dtype)
    x, y = data.moons(30, seed=0)
    loss, theta = net.loss_function(x, y), net.theta
    offset = 1e6 if case == "loss + 1e6" else 0.0
    step = net.dtype.type(eps)
    steps = step * np.eye(theta.size, dtype=dtype)
    n = [(loss(theta + s) + offset - (loss(theta - s) + offset)) / (2 * step) for s in steps]
    return norm_ratio(np.array(n, float), net.unroll(net.gradient(x, y)).astype(float))


@cache
def least(case: str) -> tuple[float, float]:
    """Return the best of two steps a decade, and its error."""
    errors = {eps: error_at(case, eps) for eps in 10 ** np.arange(-8, -0.4, 0.5)}
    eps = min(errors, key=errors.__getitem__)
    return float(eps), errors[eps]


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's three steps."""
    given = _given(answer)
    if given is None or isinstance(given, str):
        return given
    steps = {case: number_in(value) for case, value in given.items()}
    for case, step in steps.items():
        if step is None or not 0 < step < 1:
            return (
                f"A step is a number between 0 and 1, and for {case!r} this is "
                f"{shown(given[case])}."
            )
    told = [_told(case, step) for case, step in steps.items() if _too_bad(case, step)]
    return " ".join(told)


def _given(answer: object) -> dict[str, object] | str | None:
    if isinstance(answer, Mapping):
        missing = [case for case in CASES if case not in answer]
        if missing:
            return f"There is no step for {' and '.join(map(repr, missing))}."
        given = {case: answer[case] for case in CASES}
    elif isinstance(answer, Sequence | np.ndarray) and not isinstance(answer, str | bytes):
        if len(answer) != len(CASES):
            return f"Three steps are asked, for {', '.join(CASES)}; these are {len(answer)}."
        given = dict(zip(CASES, answer, strict=True))
    else:
        return f"A dictionary with three steps is asked, and this is {shown(answer)}."
    if any(value is None or value is ... for value in given.values()):
        untouched = [case for case in CASES if given[case] is None or given[case] is ...]
        return None if len(untouched) == 3 else f"There is no step for {untouched[0]!r} yet."
    return given


def _too_bad(case: str, step: float) -> bool:
    return not error_at(case, step) <= ENOUGH * least(case)[1]


def _told(case: str, step: float) -> str:
    """Return how bad a step is, and on which side of the bottom."""
    best, error = least(case)
    times = float(f"{error_at(case, step) / error:.0g}")
    ruled, other = ("truncation", "shorter") if step > best else ("round-off", "longer")
    why = ""
    if case == "float32" and step < best:
        why = (
            " float32 has half the digits: its round-off is larger, so the bottom is further right."
        )
    if case == "loss + 1e6" and step < best:
        why = " Near 1e6 the gaps between numbers are wide: round-off is larger, as in float32."
    return (
        f"For {case!r}, {step:.0e} has {times:.0f} times the least error: {ruled} rules there, "
        f"and a {other} step is better.{why}"
    )


THREE_STEPS = Task(
    name="three_steps",
    lesson="02",
    question=(
        "Choose a step for the central difference of the network's loss, of the loss plus 1e6, and "
        "of the loss in float32."
    ),
    find_mistake=find_mistake,
    hints=(
        "h* goes with the third root of δ, the error of one loss. What is δ in each case?",
        "δ is about machine_eps times the loss that is stored: 2e-16 · 0.5, 2e-16 · 1e6, "
        "1e-7 · 0.5.",
        "numerical(eps, f) draws the U: try a step a decade, and keep the best.",
    ),
    answer=ANSWER,
    solution=(
        "The third roots of the three δ differ by a factor of 100 and of 1000, and so do the best "
        "steps: the more is rounded off, the further right."
    ),
    praise="Each step is near the bottom of its own U: the more is rounded off, the further right.",
)
