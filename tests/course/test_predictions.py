"""A guess is taken before its answer is seen, and what is said belongs to that guess."""

import re
from pathlib import Path

import pytest

import gradlab as gl
from gradlab.course import prediction as module
from gradlab.course.prediction import Prediction, Question
from gradlab.course.syllabus import LESSONS
from gradlab.course.tasks import QUESTIONS, TASKS

STEP = Question(
    "step", "02", "Shorter is <b>…</b>", {"better": "no", "worse": "yes", "the same": "nor"},
    "worse",
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_guessed(monkeypatch):
    monkeypatch.setattr(module, "_GUESSES", {})


@pytest.fixture(params=QUESTIONS.values(), ids=QUESTIONS)
def question(request):
    return request.param


def test_a_question_is_complete(question):
    assert question.right in question.choices
    assert len(question.choices) >= 3
    assert len(set(question.choices.values())) == len(question.choices)
    assert all(text.endswith(".") for text in question.choices.values())
    assert question.lesson in [lesson.number for lesson in LESSONS]


def test_nothing_of_the_answer_is_seen_before_the_guess(question):
    asked = Prediction(question)
    page = asked._answer.value + "".join(child.description for child in asked.children[1:3])
    for text in question.choices.values():
        assert text not in repr(asked)
        assert text not in page
    assert all(choice in repr(asked) for choice in question.choices)


def test_each_guess_is_told_its_own_reason_and_the_right_one():
    for choice, why in STEP.choices.items():
        module._GUESSES.clear()
        asked = Prediction(STEP)
        asked.guess(choice)
        assert why in repr(asked).splitlines()
        assert ("✓" in repr(asked)) == (choice == "worse")
        assert repr(asked).splitlines()[-1] == "yes"


def test_a_right_guess_is_told_so_and_a_wrong_one_which_was_right():
    asked = Prediction(STEP)
    assert repr(asked) == (
        "○ Shorter is <b>…</b>\n  1. better\n  2. worse\n  3. the same\n"
        'gl.predict("step", 1) takes a guess that is typed.'
    )
    for choice, said in (("better", "✗ Not better: worse.\nno\nyes"),
                         ("the same", "✗ Not the same: worse.\nnor\nyes"),
                         ("worse", "✓ As you predicted.\nyes")):  # fmt: skip
        asked.guess(choice)
        assert repr(asked) == said
        assert said.split("\n")[0] in asked._answer.value


def test_a_guess_is_typed_by_its_number_too():
    asked = Prediction(STEP)
    asked.guess(2)
    assert asked._choice.value == "worse"
    module._GUESSES.clear()
    for number, choice in enumerate(STEP.choices, start=1):
        assert f"\n  {number}. {choice}" in repr(Prediction(STEP))
    asked = Prediction(STEP)
    asked.guess(3)
    assert asked._choice.value == "the same"
    for number in (0, 4, -1):
        with pytest.raises((TypeError, ValueError), match="better"):
            Prediction(STEP).guess(number)


def test_with_the_mouse_it_is_committed_by_the_button_alone():
    asked = Prediction(STEP)
    assert asked._commit.disabled
    asked._choice.index = 0
    assert not asked._commit.disabled
    assert asked._answer.value == ""
    asked._commit.click()
    assert "no" in asked._answer.value
    assert asked._choice.disabled
    assert asked._commit.layout.display == "none"


def test_a_cell_that_runs_again_shows_the_guess_and_asks_no_more():
    first = Prediction(STEP)
    first.guess("better")
    again = Prediction(STEP)
    assert again._choice.value == "better"
    assert again._answer.value == first._answer.value
    assert again._choice.disabled


def test_what_it_asks_is_escaped():
    assert "<b>…" not in Prediction(STEP).children[0].value


def test_by_name_with_and_without_a_guess():
    assert "○" in repr(gl.predict("equal_losses"))
    assert "✓" in repr(gl.predict("equal_losses", "about half"))
    assert "✓" in repr(gl.predict("equal_losses"))
    with pytest.raises(ValueError, match="name"):
        gl.predict("equal_loses")
    with pytest.raises(ValueError, match="guess"):
        gl.predict("equal_losses", "big")


def test_each_lesson_asks_its_own_questions_and_sets_its_own_exercises():
    """Two of one name, and the second would answer in the place of the first."""
    root = Path(__file__).parents[2] / "lessons"
    for lesson in LESSONS:
        source = (root / f"{lesson.name}.ipynb").read_text()
        asked = re.findall(r'^\s*"gl\.predict\(\\"(\w+)\\"\)"', source, flags=re.MULTILINE)
        assert [QUESTIONS[name].lesson for name in asked] == [lesson.number] * len(asked)
        mine = [one.name for one in QUESTIONS.values() if one.lesson == lesson.number]
        assert sorted(asked) == sorted(mine), lesson.name
        for name in (task.name for task in TASKS.values() if task.lesson == lesson.number):
            assert name in source, (lesson.name, name)
