"""Exercises of lesson 04, "Check backprop"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, number_in, one_number, wants_a_function
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
    return float(np.exp(theta[0]) + 2 * np.sin(2 * theta[1]) - theta[0] * theta[1] ** 3
                 + theta[1] * theta[2] ** 3)  # fmt: skip


_SLOPE = 4 * np.cos(2 * THETA[1]) - 3 * THETA[0] * THETA[1] ** 2 + THETA[2] ** 3


def _at(*shift: float) -> float:
    return _loss(THETA + np.array(shift))


def _mistakes() -> list[tuple[float, str]]:
    """Return (value for entry 1, what to say) for the mistakes that give a number of their own."""
    right, left, here = _at(0, EPS, 0), _at(0, -EPS, 0), _loss(THETA)
    difference = right - left
    return [
        ((right - here) / EPS, "This is the forward difference. The central one needs the loss at "
         "theta[i] - eps too, and errs by eps**2 instead of eps."),
        ((here - left) / EPS, "This is the backward difference. The central one needs the loss at "
         "theta[i] + eps too, and errs by eps**2 instead of eps."),
        (difference / EPS, "Twice the slope: from theta[i] - eps to theta[i] + eps it is 2 * eps, "
         "not eps."),
        ((right - here) / (2 * EPS), "About half of the slope: the way from theta[i] to "
         "theta[i] + eps is eps long, not 2 * eps."),
        (difference / 2 * EPS, "Multiplied by eps: in Python a / 2 * eps is (a / 2) * eps. Put "
         "2 * eps in brackets."),
        (-difference / (2 * EPS), "The sign is flipped: it is the loss on the right minus the "
         "loss on the left."),
        (difference, "This is the difference of the losses. Divide it by the step, 2 * eps."),
        ((_at(EPS, EPS, EPS) - _at(-EPS, -EPS, -EPS)) / (2 * EPS), "All entries moved at once. "
         "Move entry i alone: theta[i], not theta."),
        ((_at(EPS, 0, 0) - _at(-EPS, 0, 0)) / (2 * EPS), "This is the slope along entry 0. Move "
         "entry i, whatever i is."),
        (_SLOPE, "A good slope, but not at the step that was asked: use the argument eps."),
    ]  # fmt: skip


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


find_wrong_factor = one_number(
    0.5,
    {
        2 / 3: "This is the max-relative error, |3 - 1| / max(3, 1). The sum is asked.",
        1 / 3: "This is what a factor of 2 gives: |2 - 1| / (2 + 1). Here the factor is 3.",
        2.0: "This is |a - n| / |n|, which is not symmetric. The sum-relative error divides by "
        "|a| + |n| and never exceeds 1.",
        3.0: "This is the factor itself. The error is |a - n| / (|a| + |n|), with a = 3 n.",
        1.0: "1 is what a missing or a flipped gradient gives.",
    },
    otherwise="Put a = 3 n into |a - n| / (|a| + |n|); n cancels.",
    example="0.25",
)


TASKS = (
    Task(
        name="off_by_a_factor",
        lesson="04",
        question=(
            "A gradient is three times too large in every entry. What is its sum-relative error?"
        ),
        find_mistake=find_wrong_factor,
        hints=("a = 3 n in every entry.", "|a - n| = 2 |n|, and |a| + |n| = 4 |n|."),
        answer=0.5,
        solution="|3 - 1| / (3 + 1). A factor c gives |c - 1| / (|c| + 1).",
        praise="A factor c gives |c - 1| / (|c| + 1): you can read the factor off the error.",
    ),
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
    REPAIR,
)

QUESTIONS = (
    Question(
        name="one_example",
        lesson="04",
        question="The same code is checked on one example instead of 30. The verdict is …",
        choices={
            "wrong in the same three": "That would be so if fewer examples were the same check, "
            "only cheaper. The fault here is in how examples are put together.",
            "wrong in all four": "b1 would have to become wrong. Nothing in the code treats a "
            "single example worse.",
            "wrong in b1 alone": "b1 is right with 30 examples, and stays so: with one example a "
            "mean and a sum are the same.",
            "correct": "With one example there is nothing to average, and a fault in averaging "
            "cannot show. With two examples three tensors are wrong.",
        },
        right="correct",
    ),
    Question(
        name="ten_per_cent",
        lesson="04",
        question="One of the 51 entries is 10 % too large. The norm ratio of all of theta, "
        "whichever the entry, is …",
        choices={
            "0.05, whichever entry": "Half of 10 % is what a gradient gives that is too large in "
            "every entry. Here 50 of 51 entries are right.",
            "from 1e-3 to 2e-3": "About 1e-3 is 0.05 divided by 51, as if the ratio were a mean "
            "over the entries. A norm weighs an entry by its size.",
            "from 1e-4 to 2e-2": "It depends on which entry it is: a norm weighs an entry by its "
            "size, and the entries differ by a factor of hundreds.",
            "from 1e-8 to 1e-7": "Then nobody would see it with one number for theta. It is not "
            "that bad: over all 51 choices the least is 1e-4.",
        },
        right="from 1e-4 to 2e-2",
    ),
)
