"""Lesson 01's exercises know the mistakes that people make."""

import copy

import numpy as np
import pytest

from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks.nudge_a_weight import DRIFTING
from gradlab.course.tasks.slope import CASES, MISTAKES, slope


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
    "Nothing moved: add eps to entry i": copied(  # of entry 0 alone it is so
        lambda moved, i, eps: first_entry(moved[i:], i, eps) if i else None
    ),
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


def forgets_return(f, x, eps):
    (f(x + eps) - f(x - eps)) / (2 * eps)


def formula_of_the_cube(f, x, eps):
    return 3 * x**2 + 0 * f(x + eps) * f(x - eps)


def five_points(f, x, eps):
    return (8 * (f(x + eps) - f(x - eps)) - (f(x + 2 * eps) - f(x - 2 * eps))) / (12 * eps)


WRONG_SLOPES = {
    "This is the forward difference. ": lambda f, x, eps: (f(x + eps) - f(x)) / eps,
    "This is the backward difference. ": lambda f, x, eps: (f(x) - f(x - eps)) / eps,
    "Twice too large": lambda f, x, eps: (f(x + eps) - f(x - eps)) / eps,
    "forward difference over 2": lambda f, x, eps: (f(x + eps) - f(x)) / (2 * eps),
    "backward difference over 2": lambda f, x, eps: (f(x) - f(x - eps)) / (2 * eps),
    "Put 2 * eps in brackets": lambda f, x, eps: (f(x + eps) - f(x - eps)) / 2 * eps,
    "Only f(x - eps) is divided": lambda f, x, eps: f(x + eps) - f(x - eps) / (2 * eps),
    "This is the difference of the two values": lambda f, x, eps: f(x + eps) - f(x - eps),
    "This is half of the difference": lambda f, x, eps: (f(x + eps) - f(x - eps)) / 2,
    "sign is flipped": lambda f, x, eps: (f(x - eps) - f(x + eps)) / (2 * eps),
    "values are added": lambda f, x, eps: (f(x + eps) + f(x - eps)) / (2 * eps),
    "eps / 2 to either side. Go": lambda f, x, eps: (f(x + eps / 2) - f(x - eps / 2)) / eps,
    "It never calls f": lambda f, x, eps: 3 * x**2,
    "at one place only": lambda f, x, eps: f(x) / eps,
    "Two values are needed, f(x - eps) and": lambda f, x, eps: f(x + 1j * eps).imag / eps,
    "It took f at 1.99999999, 2.00000001.": lambda f, x, eps: (f(x + 1e-8) - f(x - 1e-8)) / 2e-8,
    "returned 12; the central difference is 12.01. It took f at 1.9, 2.1.": formula_of_the_cube,
    "x³ at 2, with eps = 0.1, it returned 12; the central difference is 12.01. It took f at 1.999":
        lambda f, x, eps: (f(x + 1e-3) - f(x - 1e-3)) / 2e-3,
    "For tanh at 0.5, with eps = 0.25, it returned": lambda f, x, eps: (f(x + 0.1) - f(x - 0.1))
        / 0.2,
    "the central difference is 12.01. It took f at 2.1, 12.1, 22.1.":
        lambda f, x, eps: (f(x + eps) - f(x + eps + 10)) / 20 + 0 * f(x + eps + 20),
    "It took f at 1.8, 1.9, 2.1, 2.2.": five_points,
    "It took f at 1.8, 1.9, 2, 2.1, ….": lambda f, x, eps: five_points(f, x, eps) + 0 * f(x),
    "returns nothing": forgets_return,
    "a slope is one number": lambda f, x, eps: [f(x - eps), f(x + eps)],
    "Hand over the function itself, as .check(slope)": 12.01,
    "NameError": lambda f, x, eps: (f(x + h) - f(x - h)) / (2 * h),  # noqa: F821
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words", "answer"),
    [("nudged", *pair) for pair in WRONG_COPIES.items()]
    + [("slope", *pair) for pair in WRONG_SLOPES.items()],
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


def in_float32(theta, i, eps):
    """Add where other numbers would be rounded: those of the exercise are short binary ones."""
    moved = theta.astype(np.float32)
    moved[i] += np.float32(eps)
    return moved


@pytest.mark.parametrize(
    "answer",
    [
        lambda theta, i, eps: theta + eps * np.eye(len(theta))[i],
        lambda theta, i, eps: np.array([t + eps * (k == i) for k, t in enumerate(theta)]),
        lambda theta, i, eps: np.where(np.arange(len(theta)) == i, theta + eps, theta),
        lambda theta, i, eps: np.concatenate([theta[:i], [theta[i] + eps], theta[i + 1 :]]),
        adds_in_a_deep_copy,
        in_float32,
        puts_it_back,
    ],
)
def test_any_right_way_to_nudge_a_copy_is_right(answer, store):
    assert Exercise(TASKS["nudged"], store).check(answer).solved


def two_lines(f, x, eps):
    left, right = x - eps, x + eps
    return (f(right) - f(left)) / (right - left)


def by_default(f, x, eps=1e-5):
    rise = f(x + eps)
    rise -= f(x - eps)
    return 0.5 * rise / eps


@pytest.mark.parametrize(
    "answer",
    [
        slope,
        two_lines,
        by_default,
        lambda f, x, eps: ((f(x + eps) - f(x)) / eps + (f(x) - f(x - eps)) / eps) / 2,
        lambda f, x, eps: np.diff(f(np.array([x - eps, x + eps])))[0] / (2 * eps),
        lambda f, x, eps: np.gradient([f(x - eps), f(x), f(x + eps)], eps)[1],
        lambda f, x, eps: np.polyfit([-eps, 0, eps], [f(x + s) for s in (-eps, 0, eps)], 2)[1],
        lambda f, x, eps: sum(side * f(x + side * eps) for side in (1, -1)) / (2 * eps),
    ],
)
def test_any_right_way_to_take_a_slope_is_right(answer, store):
    assert Exercise(TASKS["slope"], store).check(answer).solved


def test_no_two_rules_of_a_slope_give_the_same_in_all_cases():
    """So a message is true of its answer; 12.01, the values and eps² are as the words say."""
    rules = [slope, *(rule for rule, _ in MISTAKES)]
    values = [[rule(f, x, eps) for _, f, x, eps in CASES] for rule in rules]
    for k, one in enumerate(values):
        assert not any(np.allclose(one, other, rtol=1e-3) for other in values[:k])
    _, cube, x, eps = CASES[0]
    assert (x, eps) == (2, 0.1)
    assert slope(cube, x, eps) == pytest.approx(12.01)
    assert [cube(1.9), cube(2.1)] == pytest.approx([6.859, 9.261])
    assert slope(cube, x, eps) - 3 * x**2 == pytest.approx(eps**2)
    assert slope(*CASES[2][1:]) == 0


def test_each_of_the_numbers_that_should_drift_does():
    assert ((DRIFTING + 0.2) - 0.2 != DRIFTING).all()
