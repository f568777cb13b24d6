"""Exercises of lesson 02, "Choose eps"."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, number_in, wants_a_function
from gradlab.course.tasks.three_steps import THREE_STEPS

__all__ = ["QUESTIONS", "TASKS"]


def choose_eps(dtype, order) -> float:
    """Return the step where truncation, eps**order, equals round-off, machine_eps / eps."""
    machine_eps = np.finfo(dtype).eps
    return machine_eps ** (1 / (order + 1))


CASES = (("float64", 2), ("float64", 1), ("float64", 4), ("float32", 2), ("float32", 1))
#: A step within this factor of the rule is as good: constants near 1 were left out of the rule.
SLACK = 5.0
_SIZE = {name: float(np.finfo(name).eps) for name in ("float64", "float32")}

Rule = Callable[[float, int], float]
# What people write instead: (rule, what to say). The first that fits all cases is named.
MISTAKES: tuple[tuple[Rule, str], ...] = (
    (
        lambda u, order: u,
        "This is machine_eps itself. At a step that small theta + eps is the next number or theta "
        "again, and the difference of the two losses is all round-off.",
    ),
    (
        lambda u, order: u ** (1 / order),
        "The exponent is 1 / order. Set eps**order equal to machine_eps / eps: on which side does "
        "the second eps go, and what is the power of eps then?",
    ),
    (
        lambda u, order: _SIZE["float64"] ** (1 / (order + 1)),
        "This is right in float64, and does not look at dtype. In float32 the machine epsilon is "
        "1.2e-07.",
    ),
    (
        lambda u, order: u ** (1 / 3),
        "This is right for central differences, and does not look at order: forward differences "
        "have order 1, the five-point formula has order 4.",
    ),
    (
        lambda u, order: u ** (1 / 2),
        "This is right for forward differences, and does not look at order: central differences "
        "have order 2.",
    ),
    (
        lambda u, order: u ** (order / (order + 1)),
        "This is the smallest error, not the step: at the best step both errors are "
        "machine_eps**(order / (order + 1)).",
    ),
    (
        lambda u, order: 1e-5,
        "This is the customary 1e-05 whatever the dtype and the order. It is good for central "
        "differences in float64 only.",
    ),
)


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `choose_eps`; a dtype may be spelled in three ways."""
    if not callable(answer):
        return wants_a_function(answer, "choose_eps")
    told: list[str | None] = []
    for spelled in (np.dtype, lambda name: np.dtype(name).type, str):
        with suppress(Exception):  # it may well know one spelling only
            told.append(_mistake_when_given(answer, spelled))
    if not told:
        return _mistake_when_given(answer, np.dtype)  # and raises, which Exercise tells
    return "" if "" in told else told[0]


def _mistake_when_given(
    answer: Callable[..., object], spelled: Callable[[str], object]
) -> str | None:
    given = [answer(spelled(dtype), order) for dtype, order in CASES]
    if all(value is None or value is ... for value in given):
        return None
    steps = [number_in(value) for value in given]
    for (dtype, order), value, step in zip(CASES, given, steps, strict=True):
        if step is None or step <= 0:
            return (
                f"choose_eps(np.{dtype}, {order}) returned {shown(value)}; "
                "a step is a positive number."
            )
    return _compare(steps)


def _compare(steps: list[float]) -> str:
    if _all_near(steps, lambda u, order: u ** (1 / (order + 1)), SLACK):
        return ""
    for rule, message in MISTAKES:
        if _all_near(steps, rule, 1.5):
            return message
    for (dtype, order), step in zip(CASES, steps, strict=True):
        right = _SIZE[dtype] ** (1 / (order + 1))
        if not _near(step, right, SLACK):
            side, error = ("long", "truncation") if step > right else ("short", "round-off")
            return (
                f"choose_eps(np.{dtype}, {order}) returned {step:.1e}: too {side}, {error} is far "
                "larger there than the other error."
            )
    return ""


def _all_near(steps: list[float], rule: Rule, factor: float) -> bool:
    return all(
        _near(step, rule(_SIZE[dtype], order), factor)
        for (dtype, order), step in zip(CASES, steps, strict=True)
    )


def _near(step: float, right: float, factor: float) -> bool:
    return abs(math.log(step / right)) <= math.log(factor)


TASKS = (
    Task(
        name="choose_eps",
        lesson="02",
        question=(
            "Write choose_eps(dtype, order): the step for a difference scheme whose truncation "
            "error is eps**order, in floating-point numbers of that dtype."
        ),
        find_mistake=find_mistake,
        hints=(
            "Truncation is about eps**order, round-off about machine_eps / eps. Where do the two "
            "lines cross?",
            "Set them equal and multiply by eps: eps**(order + 1) = machine_eps.",
            "np.finfo(dtype).eps is machine_eps: 2.2e-16 for np.float64, 1.2e-07 for np.float32.",
        ),
        answer=choose_eps,
        solution=(
            "For float64 it gives 1.5e-08 for forward, 6.1e-06 for central differences and "
            "7.4e-04 for the five-point formula; for float32, 3.5e-04, 4.9e-03 and 4.1e-02. "
            "Any constant near 1 in front does as well."
        ),
        praise="Your steps stand at the bottom of the U for every dtype and scheme asked.",
    ),
    THREE_STEPS,
)

QUESTIONS = (
    Question(
        name="the_distance_gone",
        lesson="02",
        question=(
            "With the distance between the two points in place of 2 eps, the line 1e-15 of the "
            "table, which was 3.1641356202, becomes …"
        ),
        choices={
            "about 3.08": (
                "Half of the error would stay if the step and w³ were rounded alike. Here the "
                "step takes all of it."
            ),
            "3.0000000000": (
                "Only the step was rounded: the points are 2.11e-15 apart. With a slope of 3 "
                "whole gaps of w make whole gaps of w³, so nothing else was lost."
            ),
            "3.1641356202, as before": (
                "That would be so if the error came from w³ alone. Here 2 eps is not the way "
                "that was gone: 1 + 1e-15 is rounded as well."
            ),
            "between 2.999 and 3.001, but not 3.0000000000": (
                "That takes w³ for a loss, which keeps roundings of its own. Here the cubes of "
                "the two points are exact to the last gap."
            ),
        },
        right="3.0000000000",
    ),
    Question(
        name="equal_losses",
        lesson="02",
        question=(
            "At 1e-16, for how many of the 82 parameters are the two losses the same number, for "
            "whatever reason, and the slope exactly 0?"
        ),
        choices={
            "all 82": (
                "On paper the change is rounded away. But the loss is made in hundreds of steps,"
                " each with its own rounding, and in about half of the entries some of them tip."
            ),
            "about half": (
                "Inside a loss there are hundreds of roundings, and a nudge tips some of them. "
                "In about half of the entries the sum of them comes out the same."
            ),
            "one in ten": "More than that: a tenth of a gap is often too little to tip a rounding.",
            "none": (
                "That is so at long steps. At 1e-16 many losses are the same on both sides: what"
                " should change them is smaller than a gap."
            ),
        },
        right="about half",
    ),
)
