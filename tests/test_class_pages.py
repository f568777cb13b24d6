"""What the pages for a class say of lessons, scenarios and commands is so."""

import re
from pathlib import Path

import pytest

from gradlab.course.syllabus import LESSONS
from gradlab.lab import SCENARIOS
from gradlab.lab.demo import TEN_MINUTES
from tests.lessons.prose import minutes

ROOT = Path(__file__).resolve().parents[1]
INSTRUCTOR = (ROOT / "docs/instructor.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d\d) [^|]+\|\s*(\d+) \|\s*(\d+) \|", re.MULTILINE)


def test_every_lesson_has_its_minutes_as_they_are_counted():
    told = {number: (int(read), int(whole)) for number, read, whole in ROW.findall(INSTRUCTOR)}
    numbered = [lesson for lesson in LESSONS if lesson.number]
    assert told == {lesson.number: minutes(lesson.name) for lesson in numbered}


def test_what_a_demo_presses_is_a_button_of_the_row():
    demos = INSTRUCTOR.partition("## Three demos")[2].partition("## Questions")[0]
    assert demos.count("\n### ") == 3
    buttons = {SCENARIOS[name].title for name in TEN_MINUTES} | {"Mystery bug"}
    assert {bold.rstrip(".") for bold in re.findall(r"\*\*(.+?)\*\*", demos)} == buttons


@pytest.mark.parametrize("page", ["class", "hub", "instructor"])
def test_files_and_targets_that_a_page_names_are_there(page):
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    for name in re.findall(r"\bbenchmarks/\w+\.py\b", text):
        assert (ROOT / name).is_file(), name
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([a-z]+)\b", text):
        if target not in ("it",):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
