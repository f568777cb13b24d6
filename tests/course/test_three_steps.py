"""Three steps for three losses: whatever is near the bottom is accepted."""

import numpy as np
import pytest

from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks.three_steps import CASES, error_at, least

TASK = TASKS["three_steps"]
RIGHT = {
    "a dictionary": {"loss": 1e-5, "loss + 1e6": 1e-3, "float32": 1e-2},
    "another order, and more in it": {"float32": 0.01, "mine": 3, "loss + 1e6": 1e-3, "loss": 1e-5},
    "a list": [1e-5, 1e-3, 1e-2],
    "a tuple of numpy's": (np.float64(6e-6), np.float32(1e-3), np.array(5e-3)),
    "an array": np.array([5e-6, 5e-4, 2e-2]),
    "powers of two": {"loss": 2.0**-17, "loss + 1e6": 2.0**-10, "float32": 2.0**-7},
}
WRONG = {
    "For 'float32', 1e-05 has": [1e-5, 1e-3, 1e-5],
    "float32 has half the digits": [1e-5, 1e-3, 1e-4],
    "Near 1e6 the gaps between numbers are wide": [1e-5, 1e-5, 1e-2],
    "For 'loss', 1e-07 has": [1e-7, 1e-3, 1e-2],
    "truncation rules there, and a shorter step is better": [1e-2, 1e-3, 1e-2],
    "A step is a number between 0 and 1, and for 'loss' this is '1e-5' (str)": ["1e-5", 1e-3, 1e-2],
    "There is no step for 'float32'.": {"loss": 1e-5, "loss + 1e6": 1e-3},
    "There is no step for 'float32' yet": [1e-5, 1e-3, ...],
    "Three steps are asked": [1e-5, 1e-3],
    "A dictionary with three steps is asked": 1e-5,
}


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_good_steps_are_accepted(answer, store):
    note = Exercise(TASK, store).check(answer)
    assert note.solved, note


@pytest.mark.parametrize("words", WRONG)
def test_bad_steps_are_told_as_they_are(words, store):
    note = Exercise(TASK, store).check(WRONG[words])
    assert note.mark == "✗"
    assert words in note.text, note.text


def test_untouched_it_is_a_stub(store):
    assert Exercise(TASK, store).check(dict.fromkeys(CASES, ...)).mark == "○"


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_of_a_step_is_so(case, store):
    """How many times the least error, and which way is better."""
    best, error = least(case)
    for step in (best / 1000, best * 50):
        told = Exercise(TASK, store).check({**RIGHT["a dictionary"], case: step}).text
        times = float(f"{error_at(case, step) / error:.0g}")
        assert f"{times:.0f} times the least error" in told
        way = 1.5 if "a longer step" in told else 1 / 1.5
        assert error_at(case, step * way**4) < error_at(case, step)
