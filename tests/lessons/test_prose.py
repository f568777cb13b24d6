"""Every measured number in a lesson's prose is shown by a cell, or held by a test."""

from pathlib import Path

import pytest

from tests.lessons.prose import ROOT, book, minutes, says, unheld

HERE = Path(__file__).parent
LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("*.ipynb"))


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_number_is_shown_or_held(lesson):
    claims = HERE / f"test_{lesson}.py"
    assert unheld(lesson, claims.read_text() if claims.exists() else "") == []


@pytest.mark.parametrize("lesson", [name for name in LESSONS if name != "playground"])
def test_a_lesson_says_how_long_it_takes(lesson):
    read, whole = minutes(lesson)
    told = f"About {read} minutes to read, {whole} with the lab and the exercises."
    assert told in book(lesson).cells[0].source, told


def test_what_is_said_of_all_lessons():
    """The map in lesson 00, the README and CONTRIBUTING speak of the range."""
    times = [minutes(name) for name in LESSONS if name != "playground"]
    assert all(7 <= read <= 13 for read, _ in times), times
    assert {whole for _, whole in times} == {20, 25, 30}, times
    says(LESSONS[0], "some ten minutes, with its lab and exercises 20 to 30")
    assert (
        "Ten minutes to read, 20 to 30 with the lab and the exercises"
        in (ROOT / "README.md").read_text()
    )
