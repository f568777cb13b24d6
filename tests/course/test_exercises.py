import inspect
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.syllabus import LESSONS
from gradlab.course.task import Task, number_in
from gradlab.course.tasks import TASKS
from gradlab.course.tasks.check_backprop import check_one_weight
from gradlab.course.tasks.choose_eps import choose_eps


def size(dtype):
    return float(np.finfo(dtype).eps)


@pytest.fixture(params=TASKS)
def any_exercise(request, store):
    return Exercise(TASKS[request.param], store)


def test_the_shown_solution_is_right(any_exercise):
    assert any_exercise.check(any_exercise._task.answer).solved


def test_an_untouched_stub_is_said_to_be_one(any_exercise):
    for stub in (..., None):
        note = any_exercise.check(stub)
        assert note.mark == "○"
        assert "yet" in note.title
        assert not note.solved
    assert any_exercise.check().mark == "○"


FUNCTIONS = [name for name, task in TASKS.items() if inspect.isfunction(task.answer)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_with_an_untouched_body_is_a_stub(name, store):
    note = Exercise(TASKS[name], store).check(lambda *arguments: ...)
    assert note.mark == "○" or "nothing" in note.text, note
    assert "None" not in repr(note)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_lacks_its_return_is_told_so_and_not_that_dots_are_left(name, store):
    note = Exercise(TASKS[name], store).check(lambda *arguments: None)
    assert note.mark == "✗"
    assert "Replace the" not in repr(note)
    assert "It returns None: is there a return?" in note.text or "returns nothing" in note.text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_work_that_is_done_and_not_returned_is_told_so(name, store):
    right = TASKS[name].answer

    def without_return(*arguments):
        right(*arguments)

    note = Exercise(TASKS[name], store).check(without_return)
    assert note.mark == "✗"
    assert re.search("returns None|return(s|ed) nothing|nothing is returned", note.text), note


class Hostile:
    """Raises whatever is asked of it."""

    def _refuse(self, *arguments, **more):
        raise RuntimeError("no")

    __repr__ = __str__ = __eq__ = __hash__ = __float__ = __array__ = _refuse
    __iter__ = __len__ = __bool__ = __lt__ = _refuse


class Plain(Hostile):
    __repr__ = object.__repr__


def which(loss, gradient, theta):
    return 1 + "a"


def test_a_function_is_named_as_it_was_written(store):
    for name in FUNCTIONS:
        text = Exercise(TASKS[name], store).check(which).text
        assert "0x" not in text
        assert text.startswith("Checking which ended in TypeError: ") or name == "Dense", text


class HostileError(Exception):
    def __str__(self):
        raise RuntimeError("no")


def raises(*arguments):
    raise HostileError


RUBBISH = {
    "text": "<b>x</b>", "bytes": b"0.5", "true": True, "nan": np.nan, "infinity": np.inf,
    "huge": 10**400, "complex": 1j, "list": [1, 2], "nested": [[1], [2, 3]], "dict": {"a": ...},
    "set": {1}, "array": np.zeros((2, 3)), "empty": np.array([]), "type": int, "module": np,
    "hostile": Hostile(), "no arguments": lambda: 1.0, "raises": raises,
    "gives rubbish": lambda *arguments: Hostile(), "gives text": lambda *arguments: "1e-5",
    "gives nan": lambda *arguments: np.nan, "gives complex": lambda *arguments: 1j,
    "gives zero": lambda *arguments: 0, "gives minus one": lambda *arguments: -1.0,
    "gives an array": lambda *arguments: np.ones(3), "generator": (i for i in range(3)),
}  # fmt: skip


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH.keys())
def test_rubbish_is_answered_and_never_raises(any_exercise, rubbish):
    note = any_exercise.check(rubbish)
    assert note.mark == "✗"
    assert note.text
    assert repr(note)
    assert note._repr_html_()


def check_all(name, wrong, store):
    exercise = Exercise(TASKS[name], store)
    texts = {}
    for words, answer in wrong.items():
        note = exercise.check(answer)
        assert note.mark == "✗", words
        assert words in note.text, (words, note.text)
        texts[words] = note.text
    assert len(set(texts.values())) == len(wrong)
    assert store.solved() == set()


WRONG_STEPS = {
    "machine_eps itself": lambda d, o: size(d),
    "1 / order": lambda d, o: size(d) ** (1 / o),
    "does not look at dtype": lambda d, o: 2.0 ** (-52 / (o + 1)),
    "right for central differences, and does not look at order": lambda d, o: size(d) ** (1 / 3),
    "right for forward differences, and does not look at order": lambda d, o: size(d) ** 0.5,
    "smallest error, not the step": lambda d, o: size(d) ** (o / (o + 1)),
    "customary 1e-05": lambda d, o: 1e-5,
    "too long": lambda d, o: 0.1,
    "too short": lambda d, o: 1e-3 * choose_eps(d, o),
    "a step is a positive number": lambda d, o: -choose_eps(d, o),
    "Hand over the function itself": 1e-5,
    "ZeroDivisionError": lambda d, o: 1 / 0,
}


def test_wrong_steps_are_recognised(store):
    check_all("choose_eps", WRONG_STEPS, store)


@pytest.mark.parametrize("factor", [0.3, 3 ** (1 / 3), 3.0])
def test_a_constant_in_front_of_the_step_is_as_good(factor, store):
    answer = lambda dtype, order: factor * choose_eps(dtype, order)  # noqa: E731
    assert Exercise(TASKS["choose_eps"], store).check(answer).solved


@pytest.mark.parametrize(
    "answer",
    [
        lambda d, o: (1.2e-7 if d == "float32" else 2.2e-16) ** (1 / (o + 1)),
        lambda d, o: {"float32": 1.2e-7, "float64": 2.2e-16}[d] ** (1 / (o + 1)),
        lambda d, o: {np.float32: 1.2e-7, np.float64: 2.2e-16}[d] ** (1 / (o + 1)),
        lambda d, o: (1.2e-7 if d is np.float32 else 2.2e-16) ** (1 / (o + 1)),
        lambda d, o: np.finfo(d).resolution ** (1 / (o + 1)),
        lambda d, o: np.float32(np.finfo(d).eps) ** np.float32(1 / (o + 1)),
    ],
    ids=["==", "by name", "by type", "is", "resolution", "in float32"],
)
def test_a_dtype_may_be_meant_in_any_way(answer, store):
    note = Exercise(TASKS["choose_eps"], store).check(answer)
    assert note.solved, note


def slope(left, right, over):
    """Return a `check_one_weight` made of two shifts of theta and a divisor."""

    def function(loss, theta, i, eps):
        unit = np.eye(len(theta))[i]
        return (loss(theta + right(eps, unit)) - loss(theta + left(eps, unit))) / over(eps)

    return function


def plus(eps, unit):
    return eps * unit


def minus(eps, unit):
    return -eps * unit


def stay(eps, unit):
    return 0 * unit


def drifting(loss, theta, i, eps):
    theta[i] += 1 / 3
    theta[i] += eps - 1 / 3
    right = loss(theta)
    theta[i] -= 2 * eps
    left = loss(theta)
    theta[i] += eps + 1e-14
    return (right - left) / (2 * eps)


def there_and_back(loss, theta, i, eps):
    theta[i] += eps
    right = loss(theta)
    theta[i] -= 2 * eps
    left = loss(theta)
    theta[i] += eps
    return (right - left) / (2 * eps)


def in_four_moves(loss, theta, i, eps):
    theta[i] += eps
    right = loss(theta)
    theta[i] -= eps
    theta[i] -= eps
    left = loss(theta)
    theta[i] += eps
    return (right - left) / (2 * eps)


def moved_once(loss, theta, i, eps):
    theta[i] += eps
    return (loss(theta) - loss(theta)) / (2 * eps)


def never_restored(loss, theta, i, eps):
    theta[i] += eps
    right = loss(theta)
    theta[i] -= 2 * eps
    return (right - loss(theta)) / (2 * eps)


def aliased(loss, theta, i, eps):
    right = theta
    right[i] += eps
    left = theta
    left[i] -= eps
    return (loss(right) - loss(left)) / (2 * eps)


def nothing_returned(loss, theta, i, eps):
    check_one_weight(loss, theta, i, eps)


def right_for_one_only(loss, theta, i, eps):
    return check_one_weight(loss, theta, min(i, 1), eps)


WRONG_SLOPES = {
    "forward difference": slope(stay, plus, lambda e: e),
    "backward difference": slope(minus, stay, lambda e: e),
    "Twice the slope": slope(minus, plus, lambda e: e),
    "half of the slope": slope(stay, plus, lambda e: 2 * e),
    "in brackets": slope(minus, plus, lambda e: 2 / e),
    "sign is flipped": slope(plus, minus, lambda e: 2 * e),
    "Divide it by the step": slope(minus, plus, lambda e: 1),
    "All entries": slope(lambda e, v: -e, lambda e, v: e, lambda e: 2 * e),
    "slope along entry 0": lambda f, t, i, e: check_one_weight(f, t, 0, e),
    "use the argument eps": lambda f, t, i, e: check_one_weight(f, t, i, 1e-6),
    "last digits": drifting,
    "theta comes back changed. Save": never_restored,
    "not a copy": aliased,
    "returns nothing": nothing_returned,
    "never": lambda f, t, i, e: 1.0,
    "only once": lambda f, t, i, e: f(t),
    "wrong for i = 2": right_for_one_only,
    "the central difference there is": slope(minus, plus, lambda e: 7 * e),
    "is one number": lambda f, t, i, e: np.ones(2) * f(t),
    "TypeError": lambda f: 1.0,
}


def on_two_copies(loss, theta, i, eps):
    right, left = theta.copy(), theta.copy()
    right[i] += eps
    left[i] -= eps
    return (loss(right) - loss(left)) / (2 * eps)


def by_a_unit_vector(loss, theta, i, eps):
    unit = np.zeros(theta.shape)
    unit[i] = eps
    return float(loss(theta + unit) - loss(theta - unit)) / (eps + eps)


def left_first_and_put_back(loss, theta, i, eps):
    saved = float(theta[i])
    try:
        theta[i] = saved - eps
        before = loss(theta)
        theta[i] = saved + eps
        return 0.5 * (loss(theta) - before) / eps
    finally:
        theta[i] = saved


def the_whole_vector_put_back(loss, theta, i, eps):
    saved, losses = theta.copy(), []
    for sign in (1, -1):
        theta[i] += sign * eps
        losses.append(loss(theta))
        theta[:] = saved
    return np.array(losses[0] - losses[1]) / (2 * eps)


def by_a_comprehension(loss, theta, i, eps):
    at = [np.array([t + s * (k == i) for k, t in enumerate(theta)]) for s in (eps, -eps)]
    return np.subtract(*map(loss, at)) / (2 * eps)


@pytest.mark.parametrize(
    "answer",
    [
        check_one_weight, on_two_copies, by_a_unit_vector, left_first_and_put_back,
        the_whole_vector_put_back, by_a_comprehension,
    ],
)  # fmt: skip
def test_any_right_way_to_check_one_weight_is_right(answer, store):
    note = Exercise(TASKS["check_one_weight"], store).check(answer)
    assert note.solved, note


@pytest.mark.parametrize("answer", [there_and_back, in_four_moves])
def test_theta_must_come_back_bit_by_bit(answer, store):
    assert "drifts" in Exercise(TASKS["check_one_weight"], store).check(answer).text


def test_theta_moved_once_is_recognised(store):
    said = Exercise(TASKS["check_one_weight"], store).check(moved_once).text
    assert "not put back before the second loss" in said


def test_wrong_slopes_are_recognised(store):
    check_all("check_one_weight", WRONG_SLOPES, store)


@pytest.mark.parametrize(
    "answer",
    [0.5, np.float32(0.5), np.array(0.5), np.float64(1) / 2, Fraction(1, 2), Decimal("0.5")],
)
def test_a_number_may_come_in_any_type(answer):
    assert number_in(answer) == 0.5


@pytest.mark.parametrize("name", TASKS)
def test_a_solved_exercise_is_remembered(name, store):
    Exercise(TASKS[name], store).check(TASKS[name].answer)
    assert store.solved() == {name}


def test_hints_come_one_by_one_and_end(any_exercise):
    hints = any_exercise._task.hints
    for number in range(1, len(hints) + 1):
        note = any_exercise.hint()
        assert [hint in note.text for hint in hints] == [i < number for i in range(len(hints))]
    assert any_exercise.hint() == note
    assert "all" in note.title


def test_the_answer_to_an_exercise_is_folded_until_it_is_clicked():
    task = Task("one", "00", "How much?", lambda answer: "", ("A hint.",), 1, "Because.", "Yes.")
    exercise = Exercise(task)
    for note, told in ((exercise.solution(), "Because."), (exercise.hint(), "A hint.")):
        head, body = note._repr_html_().split("</summary>")
        assert head.startswith("<details><summary>")
        assert told not in head
        assert told in body
        assert body.endswith("</details>")
    assert "<details>" not in exercise.check(1)._repr_html_()


def test_hints_go_on_in_another_cell():
    first = gl.exercise("choose_eps").hint()
    assert gl.exercise("choose_eps").hint() != first


def test_an_unknown_name_gets_the_list_and_the_nearest():
    with pytest.raises(ValueError, match=r"'check_one_weight'.*did you mean 'choose_eps'\?"):
        gl.exercise("chose_eps")
    with pytest.raises(TypeError, match="name"):
        gl.exercise(2)


def test_what_a_learner_types_is_escaped(any_exercise):
    class Script:
        def __repr__(self):
            return "<script>alert(1)</script>"

    for answer in ("<script>alert(1)</script>", Script(), lambda *a: Script()):
        html = any_exercise.check(answer)._repr_html_()
        assert "<script>" not in html
    error = "<img src=x onerror=alert(1)>"

    def raises_html(*arguments):
        raise ValueError(error)

    note = any_exercise.check(raises_html)
    assert "<img" not in note._repr_html_()
    if any_exercise._task.name in ("choose_eps", "check_one_weight"):
        assert error in note.text


def test_all_that_the_course_says_is_escaped():
    nasty = "<&>"
    task = Task(nasty, nasty, nasty, lambda a: nasty, (nasty,), nasty, nasty, nasty)
    exercise = Exercise(task)
    for said in (exercise, exercise.check(1), exercise.hint(), exercise.solution()):
        assert nasty in repr(said)
        assert nasty not in said._repr_html_()
        assert "&lt;&amp;&gt;" in said._repr_html_()


def test_exercises_belong_to_lessons_that_are_there():
    assert {task.lesson for task in TASKS.values()} <= {k.number for k in LESSONS}
