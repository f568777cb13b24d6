"""A battery that was written without a look at the checker.

The checker's first run on it, before anything was mended: of the 80 right gradients 60 were called
correct, 18 inconclusive, 1 was blamed (`solver_bisection`, a staircase) and 1 ended in the
function's own exception; of the 80 with a bug none was called correct.
"""

import pytest

import gradlab as gl
from tests.checking.second_battery import CASES, with_bug

RAISES = "domain_raises_value_error"  # f itself raises outside its domain: that reaches the caller


@pytest.mark.parametrize("name", [name for name in CASES if name != RAISES])
def test_right_gradients_are_not_blamed_and_bugs_are_not_passed(name):
    f, grad, theta = CASES[name]()
    assert gl.check_function(f, grad, theta).verdict != "wrong"
    f, grad, theta = CASES[name]()
    assert gl.check_function(f, with_bug(grad), theta).verdict != "correct"


def test_at_least_sixty_are_called_correct():
    verdicts = [
        gl.check_function(*make()).verdict for name, make in CASES.items() if name != RAISES
    ]
    assert verdicts.count("correct") >= 60


def test_an_exception_of_f_reaches_the_caller():
    with pytest.raises(ValueError, match="math domain error"):
        gl.check_function(*CASES[RAISES]())
