"""Lesson 01's exercises know the mistakes that people make."""

import copy
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks.nudge_a_weight import DRIFTING


def copied(change):
    """Return a `nudged` that applies `change` to a copy."""

    def function(theta, i, eps):
        moved = theta.copy()
        change(moved, i, eps)
        return moved

    return function


def entry(value):
    """Return a change of entry i: what it becomes, from what it is and eps."""

    def change(moved, i, eps):
        moved[i] = value(moved[i], eps)

    return change


def alias(theta, i, eps):
    moved = theta
    moved[i] += eps
    return moved


def view(theta, i, eps):
    moved = theta[:]
    moved[i] += eps
    return moved


def in_place(theta, i, eps):
    theta[i] += eps


def copied_too_late(theta, i, eps):
    theta[i] += eps
    return theta.copy()


def subtracts_it_again(theta, i, eps):
    theta[i] += eps
    moved = theta.copy()
    theta[i] -= eps
    return moved


def puts_it_back(theta, i, eps):
    saved = theta[i]
    theta[i] += eps
    moved = theta.copy()
    theta[i] = saved
    return moved


def all_entries(moved, i, eps):
    moved += eps


def first_entry(moved, i, eps):
    moved[0] += eps


WRONG_COPIES = {
    "second name": alias,
    "is a view": view,
    "returns nothing": in_place,
    "theta moved as well. Move the copy": copied_too_late,
    "changed in its last digits: of 0.1 0.10000000000000003 is left": subtracts_it_again,
    "Nothing moved": copied(lambda moved, i, eps: None),
    "All entries": copied(all_entries),
    "Entry 0 moved": copied(first_entry),
    "wrong side": copied(entry(lambda old, eps: old - eps)),
    "by 2 * eps": copied(entry(lambda old, eps: old + 2 * eps)),
    "+=, not =": copied(entry(lambda old, eps: eps)),
    "use the argument eps": copied(entry(lambda old, eps: old + 0.125)),
    "only entry 2 should move": copied(entry(lambda old, eps: 7.0)),
    "as long as theta": lambda theta, i, eps: theta[i] + eps,
    "Hand over the function itself": 0.5,
    "TypeError": lambda theta: theta,
}
WRONG_SLOPES = {
    "the formula's slope": 12, "forward difference, ": 12.61, "backward difference": 11.41,
    "Twice too large": 24.02, "over 2 eps": 6.305, "difference of the two values": 2.402,
    "Use brackets": 0.1201, "sign is flipped": -12.01, "subtract, and divide": 7,
    "quotation marks": "12.01",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words", "answer"),
    [("nudged", *pair) for pair in WRONG_COPIES.items()]
    + [("slope_by_hand", *pair) for pair in WRONG_SLOPES.items()],
)
def test_a_mistake_gets_a_message_about_that_mistake(name, words, answer, store):
    note = Exercise(TASKS[name], store).check(answer)
    assert note.mark == "✗"
    assert words in note.text
    assert store.solved() == set()


def adds_in_a_deep_copy(theta, i, eps):
    moved = copy.deepcopy(theta)
    np.add.at(moved, i, eps)
    return moved


@pytest.mark.parametrize(
    "answer",
    [
        lambda theta, i, eps: theta + eps * np.eye(len(theta))[i],
        lambda theta, i, eps: np.array([t + eps * (k == i) for k, t in enumerate(theta)]),
        lambda theta, i, eps: np.where(np.arange(len(theta)) == i, theta + eps, theta),
        lambda theta, i, eps: np.concatenate([theta[:i], [theta[i] + eps], theta[i + 1 :]]),
        adds_in_a_deep_copy,
        puts_it_back,
    ],
)
def test_any_right_way_to_nudge_a_copy_is_right(answer, store):
    assert Exercise(TASKS["nudged"], store).check(answer).solved


@pytest.mark.parametrize(
    "answer",
    [
        (2.1**3 - 1.9**3) / 0.2, np.float32(12.01), np.array(12.01), Fraction(1201, 100),
        Decimal("12.01"), 3 * 2**2 + 0.1**2,
    ],
)  # fmt: skip
def test_a_slope_computed_rather_than_typed_is_right(answer, store):
    assert Exercise(TASKS["slope_by_hand"], store).check(answer).solved


def test_each_of_the_numbers_that_should_drift_does():
    assert ((DRIFTING + 0.2) - 0.2 != DRIFTING).all()
