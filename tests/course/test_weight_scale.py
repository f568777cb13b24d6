"""Lesson 05's exercise knows the mistakes that people make."""

import numpy as np
import pytest

from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks import weight_scale as lesson


def rms(a):
    return np.sqrt(np.mean(np.square(a)))


def until_z_is_small(x):
    scale, draw = 1e6, np.random.default_rng(3).standard_normal((x.shape[1], 16))
    while (x @ draw * scale).std() > 1.2:
        scale /= 1.5
    return scale


def until_tanh_bends(x):
    draw = np.random.default_rng(1).standard_normal((x.shape[1], 32))
    for power in range(16, -20, -1):
        if np.mean(1 - np.tanh(2.0**power * (x @ draw)) ** 2) > 0.6:
            return np.float64(2.0**power)
    return None


RIGHT = {
    "the solution": lesson.first_scale,
    "rms of an entry and columns": lambda x: 1 / (rms(x) * np.sqrt(x.shape[1])),
    "mean length of a row": lambda x: float(1 / np.linalg.norm(x, axis=1).mean()),
    "half": lambda x: 0.5 / np.linalg.norm(x, axis=1).mean(),
    "Frobenius": lambda x: np.sqrt(len(x)) / np.linalg.norm(x),
    "median row": lambda x: np.float32(1 / np.median(np.linalg.norm(x, axis=1))),
    "an array without axes": lambda x: np.array(1 / np.linalg.norm(x, axis=1).max()),
    "a search over z": until_z_is_small,
    "a search over tanh'": until_tanh_bends,
    "a loop": lambda x: 1 / (sum(sum(v * v for v in row) for row in x) / len(x)) ** 0.5,
}


def overwrites(x):
    x -= x.mean(axis=0)
    return 1.0


WRONG = {
    "with 0.01 the pre-activations z1 are about 0.009: tanh is a straight line": lambda x: 0.01,
    "moons in other units, a thousand times smaller: with 0.5": lambda x: 0.5,
    "about 0.0006: tanh is a straight line": lambda x: 1 / np.sqrt(x.shape[1]),
    "digits with pixels from 0 to 16: with 0.16": lambda x: 1 / x.std(),
    "digits with pixels from 0 to 16: with 0.0025": lambda x: 1 / np.linalg.norm(x),
    "200 columns near 1: with 0.75": lambda x: 1 / np.abs(x).max(),
    "the mean of tanh' is 4e-03": lambda x: 1 / (x.std() * np.sqrt(x.shape[1])),
    "moons: with 1e+02 the pre-activations": lambda x: 100,
    "It returned shape (2,)": lambda x: 1 / x.std(axis=0),
    "returned 0 (int); a positive, finite number": lambda x: 0,
    "a positive, finite number is asked": lambda x: np.inf,
    "returned '1.0' (str)": lambda x: "1.0",
    "x comes back changed": overwrites,
    "Hand over the function itself": 0.5,
    "ZeroDivisionError": lambda x: 1 / 0,
}


def check(answer, store):
    return Exercise(TASKS["first_scale"], store).check(answer)


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_any_way_to_a_fitting_scale_is_right(answer, store):
    note = check(answer, store)
    assert note.solved, note.text


@pytest.mark.parametrize("words", WRONG)
def test_a_mistake_gets_its_own_message(words, store):
    note = check(WRONG[words], store)
    assert note.mark == "✗"
    assert words in note.text, note.text
    assert store.solved() == set()


@pytest.mark.parametrize("value", [...])
def test_an_untouched_body_is_a_stub(value, store):
    assert check(lambda x: value, store).mark == "○"


def test_no_single_number_passes_on_all_and_each_window_is_wide():
    fits = {
        name: {k for k in range(-24, 20) if not lesson._unfit(name, x, 10 ** (k / 4))}
        for name, x in lesson.inputs().items()
    }
    assert not set.intersection(*fits.values())
    for window in fits.values():
        assert len(window) >= 4  # a decade, without gaps
        assert max(window) - min(window) == len(window) - 1


def test_what_is_asked_is_what_is_graded():
    """Just inside of either limit passes, just outside does not."""
    assert (lesson.SLOPE, lesson.SEEN) == (0.1, 1e-3)  # as lesson 05 says
    moons = lesson.inputs()["moons"]
    small = next(k for k in range(400) if not lesson._unfit("moons", moons, 1e-3 * 1.02**k))
    assert "straight line" in lesson._unfit("moons", moons, 1e-3 * 1.02 ** (small - 1))
    changed = lesson._unfit("moons", moons, 1e-3 * 1.02 ** (small - 1)).split("norm ratio of ")[1]
    assert 9e-4 <= float(changed.split(",")[0]) <= 1.1e-3
