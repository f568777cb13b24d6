"""Exercises of lesson 04, "Check backprop"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, number_in, wants_a_function
from gradlab.course.tasks.compare import COMPARE
from gradlab.course.tasks.repair_backward import REPAIR

__all__ = ["QUESTIONS", "TASKS"]

Loss = Callable[[np.ndarray], float]


def check_one_weight(loss, theta, i, eps) -> float:
    """Return the slope of `loss` along entry `i` of `theta`; `theta` comes back unchanged."""
    saved = theta[i]
    theta[i] = saved + eps
    loss_right = loss(theta)
    theta[i] = saved - eps
    loss_left = loss(theta)
    theta[i] = saved
    return (loss_right - loss_left) / (2 * eps)


THETA = np.array([0.3, -0.7, 1.1])
EPS = 0.25  # long on purpose: the schemes differ visibly there


def _loss(theta: np.ndarray) -> float:
    return float(
        np.exp(theta[0])
        + 2 * np.sin(2 * theta[1])
        - theta[0] * theta[1] ** 3
        + theta[1] * theta[2] ** 3
    )


_SLOPE = 4 * np.cos(2 * THETA[1]) - 3 * THETA[0] * THETA[1] ** 2 + THETA[2] ** 3


def _at(*shift: float) -> float:
    return _loss(THETA + np.array(shift))


def _mistakes() -> list[tuple[float, str]]:
    """Return (value for entry 1, what to say) for the mistakes that give a number of their own."""
    right, left, here = _at(0, EPS, 0), _at(0, -EPS, 0), _loss(THETA)
    difference = right - left
    return [
        (
            (right - here) / EPS,
            "This is the forward difference. The central one needs the loss at "
            "theta[i] - eps too, and errs by eps**2 instead of eps.",
        ),
        (
            (here - left) / EPS,
            "This is the backward difference. The central one needs the loss at "
            "theta[i] + eps too, and errs by eps**2 instead of eps.",
        ),
        (
            difference / EPS,
            "Twice the slope: from theta[i] - eps to theta[i] + eps it is 2 * eps, not eps.",
        ),
        (
            (right - here) / (2 * EPS),
            "About half of the slope: the way from theta[i] to "
            "theta[i] + eps is eps long, not 2 * eps.",
        ),
        (
            difference / 2 * EPS,
            "Multiplied by eps: in Python a / 2 * eps is (a / 2) * eps. Put 2 * eps in brackets.",
        ),
        (
            -difference / (2 * EPS),
            "The sign is flipped: it is the loss on the right minus the loss on the left.",
        ),
        (difference, "This is the difference of the losses. Divide it by the step, 2 * eps."),
        (
            (_at(EPS, EPS, EPS) - _at(-EPS, -EPS, -EPS)) / (2 * EPS),
            "All entries moved at once. Move entry i alone: theta[i], not theta.",
        ),
        (
            (_at(EPS, 0, 0) - _at(-EPS, 0, 0)) / (2 * EPS),
            "This is the slope along entry 0. Move entry i, whatever i is.",
        ),
        (_SLOPE, "A good slope, but not at the step that was asked: use the argument eps."),
    ]


DRIFT = (
    "theta comes back changed in its last digits: adding eps and subtracting it again drifts. "
    "Save theta[i] first, and put that back."
)


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `check_one_weight`."""
    if not callable(answer):
        return wants_a_function(answer, "check_one_weight")
    seen: list[np.ndarray] = []

    def watched(theta: np.ndarray) -> float:
        seen.append(np.array(theta))
        return _loss(theta)

    theta = THETA.copy()
    value = answer(watched, theta, 1, EPS)
    if value is None or value is ...:
        return "It computes losses and returns nothing: return the slope." if seen else None
    slope = number_in(value)
    if slope is None:
        return f"It returned {shown(value)}; the slope along one weight is one number."
    return _wrong_calls(seen, theta) or _wrong_value(slope) or _wrong_elsewhere(answer)


def _wrong_calls(seen: list[np.ndarray], theta: np.ndarray) -> str:
    if len(seen) < 2:
        times = {0: "never", 1: "only once"}[len(seen)]
        return f"It calls loss {times}. Two losses are needed, at theta[i] + eps and - eps."
    if all(np.array_equal(point, seen[0]) for point in seen):
        return (
            "Both losses were computed at the same place. A line such as left = theta makes a "
            "second name, not a copy: use theta.copy(), or save theta[i] and put it back. Or theta "
            "was moved and not put back before the second loss."
        )
    if not np.array_equal(theta, THETA):
        if np.allclose(theta, THETA, rtol=0, atol=1e-12):
            return DRIFT
        return "theta comes back changed. Save theta[i] first, and put it back at the end."
    return ""


def _wrong_value(slope: float) -> str:
    right = (_at(0, EPS, 0) - _at(0, -EPS, 0)) / (2 * EPS)
    if np.isclose(slope, right, rtol=1e-9):
        return ""
    for value, message in _mistakes():
        if np.isclose(slope, value, rtol=1e-6):
            return message
    return f"For a test loss it returned {slope:.4g}; the central difference there is {right:.4g}."


def _wrong_elsewhere(answer: Callable[..., object]) -> str:
    # At (0, 0.1) and at (2, 1e-3), += eps and -= eps do not lead back to the same bits.
    for i, eps in ((0, 0.1), (2, 1e-3)):
        theta, step = THETA.copy(), eps * np.eye(3)[i]
        right = (_loss(theta + step) - _loss(theta - step)) / (2 * eps)
        slope = number_in(answer(_loss, theta, i, eps))
        if slope is None or not np.isclose(slope, right, rtol=1e-8):
            return f"Right for i = 1, but wrong for i = {i} and eps = {eps:g}: use both arguments."
        if not np.array_equal(theta, THETA):
            return DRIFT
    return ""


TASKS = (
    Task(
        name="check_one_weight",
        lesson="04",
        question=(
            "Write check_one_weight(loss, theta, i, eps): the central difference of loss along "
            "entry i of theta. theta must come back as it was."
        ),
        find_mistake=find_mistake,
        hints=(
            "Save theta[i] in a variable of its own before anything else.",
            "Set theta[i] to saved + eps, call loss(theta); then the same with saved - eps.",
            "Put saved back. Return the difference of the two losses over 2 * eps, in brackets.",
        ),
        answer=check_one_weight,
        solution="The value is saved and put back, not added and subtracted: that would drift.",
        praise="Right at every entry and step that was tried, and theta came back bit by bit.",
    ),
    COMPARE,
    REPAIR,
)

QUESTIONS = (
    Question(
        name="a_factor_near_one",
        lesson="04",
        question="tanh' is forgotten. It is 0.94 on average. The norm ratio of b1 is …",
        choices={
            "about 0.03": (
                "So it would be if all 30 terms of the sum were 6 % too large. Each is wrong by "
                "another share, and they have both signs."
            ),
            "about 0.1": (
                "So it is for W1. In b1 more of the sum cancels, and what is wrong in its terms "
                "does not."
            ),
            "about 0.2": (
                "The factor is 0.37 where it is least, but that is one unit on one example. It "
                "is the cancelling of the terms that makes the error large."
            ),
            "about 0.7": (
                "The 30 terms of a bias nearly cancel in the right gradient. What is wrong in "
                "each of them does not, and is larger than what is left."
            ),
        },
        right="about 0.7",
    ),
    Question(
        name="a_lost_tensor",
        lesson="04",
        question=(
            "With the gradient of b1, 8 of the 51 entries, set to 0, the norm ratio of all of "
            "theta is …"
        ),
        choices={
            "about 1": (
                "So it is for b1 alone. Of all of theta the other 43 entries are right, and among "
                "them are all the large ones."
            ),
            "about 0.2": (
                "Eight entries of usual size would give that: the root of 8/51, and half of it. "
                "Those of b1 are smaller, since its terms nearly cancel."
            ),
            "about 0.08": (
                "Half of 8/51 counts the entries. A norm adds squares, so it counts the large "
                "ones, and b1 has none of them."
            ),
            "about 0.02": (
                "A norm weighs an entry by its size. b1 has a sixth of the entries and a "
                "twenty-eighth of the length, and half of that is left."
            ),
        },
        right="about 0.02",
    ),
)
