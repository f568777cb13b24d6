"""Exercises of lesson 01, "Nudge a weight"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, wants_a_function
from gradlab.course.tasks.slope import SLOPE

__all__ = ["QUESTIONS", "TASKS"]


def nudged(theta, i, eps) -> np.ndarray:
    """Return a copy of `theta` whose entry `i` is moved by `eps`; `theta` stays as it is."""
    moved = theta.copy()
    moved[i] += eps
    return moved


THETA = np.array([0.5, -1.25, 2.0, 0.75])
CASES = ((2, 0.125), (0, 0.25), (3, -0.5))  # exact in binary: no rounding blurs a comparison
DRIFTING = np.array([0.1, 0.35, 0.6, -0.9])  # adding 0.2 and subtracting it again changes these


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `nudged`."""
    if not callable(answer):
        return wants_a_function(answer, "nudged")
    for i, eps in CASES:
        theta = THETA.copy()
        moved = answer(theta, i, eps)
        changed = not np.array_equal(theta, THETA)
        if moved is None or moved is ...:
            return _NOTHING if changed else None
        mistake = _not_a_copy(moved, theta, changed) or _wrong_values(moved, i, eps)
        if mistake:
            return mistake
    return _drift(answer)


def _drift(answer: Callable[..., object]) -> str:
    """Return what to say to who moves theta and subtracts the step again."""
    for i in range(len(DRIFTING)):
        theta = DRIFTING.copy()
        answer(theta, i, 0.2)
        if not np.array_equal(theta, DRIFTING):
            return (
                f"theta comes back changed in its last digits: of {float(DRIFTING[i])} "
                f"{float(theta[i])} is left, as adding eps and subtracting it again may drift. "
                "Move the copy alone: then nothing has to be put back."
            )
    return ""


_NOTHING = "It moves theta itself and returns nothing. Move a copy, and return the copy."


def _not_a_copy(moved: object, theta: np.ndarray, changed: bool) -> str:
    if moved is theta:
        return (
            "It returns theta itself. A line such as moved = theta makes a second name for the "
            "same array, so theta moved as well: use theta.copy()."
        )
    if not isinstance(moved, np.ndarray) or moved.shape != theta.shape:
        return f"It returned {shown(moved)}; an array as long as theta is asked."
    if np.shares_memory(moved, theta):
        return (
            "What it returned is a view: theta[:] has a name of its own and theta's numbers, so "
            "theta moved as well. A list would be copied that way, an array is not: theta.copy()."
        )
    if changed:
        return "What it returned is a copy, but theta moved as well. Move the copy alone."
    return ""


def _wrong_values(moved: np.ndarray, i: int, eps: float) -> str:
    unit = np.eye(len(THETA))[i]
    if np.array_equal(moved, THETA + eps * unit):
        return ""
    for values, message in (
        (THETA, "Nothing moved: add eps to entry i of the copy."),
        (THETA + eps, "All entries moved. Move entry i alone: moved[i], not moved."),
        (THETA - eps * unit, "It moved to the wrong side: add eps. A negative eps goes left."),
        (THETA + 2 * eps * unit, "It moved by 2 * eps: eps is asked."),
        (THETA + (eps - THETA[i]) * unit, "Entry i became eps. Add eps to it: +=, not =."),
        (THETA + eps * np.eye(len(THETA))[0], "Entry 0 moved. Move entry i, whatever i is."),
        (THETA + CASES[0][1] * unit, "It moved by another step: use the argument eps."),
    ):
        if np.array_equal(moved, values):
            return message
    return f"nudged({THETA}, {i}, {eps:g}) returned {moved}; only entry {i} should move, by {eps:g}"


TASKS = (
    SLOPE,
    Task(
        name="nudged",
        lesson="01",
        question=(
            "Write nudged(theta, i, eps): a copy of theta with entry i moved by eps. theta must "
            "stay as it is."
        ),
        find_mistake=find_mistake,
        hints=(
            "moved = theta is no copy: it is a second name. Neither is theta[:].",
            "moved = theta.copy() has numbers of its own. Change one of them.",
            "Return the copy.",
        ),
        answer=nudged,
        solution="A copy has numbers of its own. So nothing has to be put back.",
        praise="Entry i moved in a copy, and theta stayed as it was.",
    ),
)

QUESTIONS = (
    Question(
        name="a_thousand_rounds",
        lesson="01",
        question=(
            "A round is +eps, -2 eps, +eps. After one round, and again after 1,000, see how far "
            "the farthest of 1,000 weights is from where it began. After 1,000 rounds that is …"
        ),
        choices={
            "1,000 times as far as after one round": (
                "One gap further the same three roundings happen again, in the same direction, "
                "and again one gap further."
            ),
            "about 30 times as far as after one round": (
                "The root of 1,000 is what independent roundings would give. These are the same "
                "ones each time, in the same direction."
            ),
            "as far as after one round: it moves no more": (
                "That would be so if the second round started from a number that comes back. It "
                "starts one gap further, where the same roundings happen again."
            ),
            "at its place: every round brings every weight back": (
                "On paper. But 1e-5 has no exact place among the digits of a weight of about 1: "
                "three of four weights do not come back."
            ),
        },
        right="1,000 times as far as after one round",
    ),
    Question(
        name="four_at_once",
        lesson="01",
        question=(
            "One entry at a time, the max-relative errors are 6e-7 and less. With all four entries "
            "of W1 nudged at once it is …"
        ),
        choices={
            "about 6e-7": (
                "The worst of the four does not decide. Two slopes are negative and two positive: "
                "they cancel but for 0.02, and the error of the step does not."
            ),
            "about 2e-6": (
                "The error adds up, to less than twice that of one entry. But it is divided by "
                "0.02, which is what the slopes leave of each other, and no longer by 0.4."
            ),
            "about 2e-5": (
                "The four slopes cancel but for 0.02, a twentieth of the largest. The error of the "
                "step, 4e-7, does not cancel, and relative to 0.02 it is large."
            ),
            "about 2e-4": (
                "For that only 0.002 would have to be left of slopes of up to 0.4. It is 0.02, a "
                "twentieth of the largest."
            ),
        },
        right="about 2e-5",
    ),
)
