"""Lesson 00's exercise: any right way is accepted, and each mistake is told what it did."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks.worst_tensor import _VARIANTS, CASES, worst_tensor

TASK = TASKS["worst_tensor"]


def named_by(measure, pick=max):
    """Return an answer that picks the name by `measure` (a tensor of a, its n)."""
    return lambda a, n: pick(a, key=lambda name: measure(a[name], n[name]))


def ratio(a, n):
    return np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n) + 1e-300)


def in_plain_python(a, n):
    def length(v):
        return sum(float(x) ** 2 for x in np.ravel(v)) ** 0.5

    ratios = {}
    for name in n:
        both = length(a[name]) + length(n[name])
        ratios[name] = length(a[name] - n[name]) / both if both else 0
    return sorted(ratios, key=ratios.get)[-1]


def by_argmax(a, n):
    names = np.array(list(a))
    return names[np.argmax([np.nan_to_num(gl.norm_ratio(a[k].ravel(), n[k].ravel())) for k in a])]


def with_vdot(a, n):
    def length(v):
        return np.sqrt(np.vdot(v, v))

    pairs = [
        (length(a[k] - n[k]) / max(length(a[k]) + length(n[k]), np.finfo(float).tiny), k) for k in a
    ]
    return max(pairs)[1]


def where_there_is_a_difference(a, n):
    off = [k for k in a if np.any(a[k] != n[k])]
    return max(off, key=lambda k: ratio(a[k], n[k]))


RIGHT = {
    "max and a key": named_by(ratio),
    "plain python": in_plain_python,
    "argmax, numpy's str": by_argmax,
    "pairs": with_vdot,
    "those that differ": where_there_is_a_difference,
    "the least of minus": named_by(lambda a, n: -ratio(a, n), min),
    "float32 at the end": named_by(lambda a, n: np.float32(ratio(a, n))),
    "another measure of the same order": named_by(lambda a, n: np.log(ratio(a, n) + 1e-300)),
}


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_any_right_way_is_right(answer, store):
    note = Exercise(TASK, store).check(answer)
    assert note.solved, note


def length(v):
    return np.linalg.norm(v)


def one_for_all(a, n):
    return length(np.hstack([(a[k] - n[k]).ravel() for k in a]))


def subtracts_in_place(a, n):
    for name in a:
        a[name] -= n[name]
    return "b1"


def nan_wins(a, n):
    with np.errstate(invalid="ignore"):
        return named_by(lambda a, n: length(a - n) / (length(a) + length(n)))(a, n)


WRONG = {
    "the smallest norm ratio": named_by(ratio, min),
    "the largest ‖a - n‖. That": named_by(lambda a, n: length(a - n)),
    "the largest ‖a - n‖ / ‖n‖.": named_by(lambda a, n: length(a - n) / length(n)),
    "the largest ‖a - n‖ / ‖a‖.": named_by(lambda a, n: length(a - n) / length(a)),
    "max(‖a‖, ‖n‖)": named_by(lambda a, n: length(a - n) / max(length(a), length(n))),
    "‖a - n‖ / ‖a + n‖": named_by(lambda a, n: length(a - n) / length(a + n)),
    "‖a - n‖² / (‖a‖² + ‖n‖²)": named_by(
        lambda a, n: np.sum((a - n) ** 2) / (np.sum(a**2) + np.sum(n**2))
    ),
    "Subtract first": named_by(lambda a, n: abs(length(a) - length(n)) / (length(a) + length(n))),
    "plain sums": named_by(lambda a, n: abs(np.sum(a - n)) / (abs(a.sum()) + abs(n.sum()))),
    "error of a single entry": named_by(lambda a, n: np.max(gl.relative_error(a, n))),
    "It named W1 where the norm ratios are": lambda a, n: "W1",
    "It returned the number": one_for_all,
    "It returned True": lambda a, n: True,
    "such as 'b1'": lambda a, n: [named_by(ratio)(a, n)],
    "There is no tensor 'c1'": lambda a, n: "c1",
    "It changed a": subtracts_in_place,
    "0 / 0 is nan": nan_wins,
    "let their ratio be 0 (": lambda a, n: worst_tensor(a, n) if a["b1"].any() else "b2",
    "Hand over the function itself": "b1",
    "TypeError": lambda a: "b1",
}


@pytest.mark.parametrize(("words", "answer"), WRONG.items(), ids=WRONG)
def test_a_mistake_is_told_what_it_did(words, answer, store):
    note = Exercise(TASK, store).check(answer)
    assert note.mark == "✗"
    assert words in note.text
    assert store.solved() == set()


def test_no_two_mistakes_name_the_same_tensors():
    named = [tuple(way(a, n) for a, n in CASES) for way in (worst_tensor, *_VARIANTS.values())]
    assert len(set(named)) == len(named) == len(_VARIANTS) + 1


def test_the_largest_ratio_is_the_largest_by_far():
    """So that how a norm is rounded decides nothing."""
    for a, n in CASES:
        ratios = sorted(ratio(a[name], n[name]) for name in a)
        assert ratios[-1] - ratios[-2] > 0.01


def test_it_gives_b_away():
    assert "of B in this lesson it names b1" in TASK.praise
    x, y = gl.data.moons(30, seed=0)
    B = gl.mlp([2, 16, 2], weight_scale=1e-3, seed=0)
    B = gl.bugs.plant(B, "missing_activation_derivative")
    assert worst_tensor(B.gradient(x, y), gl.numerical_gradient(B, x, y)) == "b1"
