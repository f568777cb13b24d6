"""The pages that are made from the code say what the code says."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from types import ModuleType

import pytest

import gradlab as gl
from docs import book, made, slots
from gradlab.bugs.museum import EXHIBITS
from gradlab.checking import judge
from gradlab.course.syllabus import LESSONS

ROOT = Path(__file__).resolve().parents[2]
PAGES = made.pages()
RULES = (ROOT / "docs" / "reference" / "rules.md").read_text()


def told(name):
    """Return in how many places of the reference a name has its docstring or its value."""
    mark = re.compile(rf"^(\.\. auto\w+:: |`|){re.escape(name)}(`: | = |$)", re.MULTILINE)
    return sum(len(mark.findall(text)) for text in PAGES.values())


def test_every_public_name_is_told_once():
    names = [n for n in gl.__all__ if not isinstance(getattr(gl, n), ModuleType)]
    assert len(names) > 20
    assert [n for n in names if told(f"gradlab.{n}") != 1] == []


@pytest.mark.parametrize("room", made.ROOMS)
def test_a_rooms_page_tells_all_that_the_room_offers(room):
    offered = dict(made.names_of(room))
    module = __import__(f"gradlab.{room}", fromlist=["__all__"])
    assert {id(getattr(module, name)) for name in module.__all__} <= set(map(id, offered.values()))
    for name in offered:
        assert told(name) == 1, name
        assert f"](#{made.anchor(name)})" in PAGES[room]


def test_the_museums_page_has_every_exhibit_with_its_lines():
    page = PAGES["museum"]
    assert page.count("\n## ") == len(EXHIBITS) == len(gl.bugs.names())
    assert f"\n{len(EXHIBITS)} backward passes" in page
    for name, exhibit in EXHIBITS.items():
        part = page.split(f"\n({made.anchor(name)})=\n")[1].split("\n(")[0]
        assert re.search(rf"^{re.escape(exhibit.wrong)} *  # wrong$", part, re.MULTILINE)
        assert re.search(rf"^{re.escape(exhibit.right)} *  # right$", part, re.MULTILINE)
        assert made.plain(exhibit.shows) in part
        assert f"- *name*: `{name}`" in part
        assert exhibit.wrong != exhibit.right


def test_the_commands_page_is_the_commands_own_help():
    whole = shell_help()
    assert f"```\n{whole}```" in PAGES["command"]
    names = re.search(r"command\n((?:    .*\n)+)", whole)[1].split("\n")[:-1]
    assert len(names) >= 2
    for name in (line.split()[0] for line in names):
        assert f"## gradlab {name}\n\n```\n{shell_help(name)}```" in PAGES["command"]


def shell_help(*words):
    command = [sys.executable, "-m", "gradlab", *words, "--help"]
    env = os.environ | {"COLUMNS": "82"}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True).stdout


def test_marks_of_markdown_in_a_record_stay_what_they_are():
    assert made.plain("a*b_c|d`") == r"a\*b\_c\|d\`"
    assert made.sentence("dropout's mask") == "Dropout's mask"
    assert made.sentence("z_prev is used") == r"z\_prev is used"
    assert made.sentence("1/N is missing") == "1/N is missing"


# -- the rules ----------------------------------------------------------------------------------


def page_of_rules():
    return slots.filled(RULES, slots.numbers())


def test_the_rules_are_told_with_the_judges_numbers():
    page = page_of_rules()
    assert "An entry agrees within 2 bounds." in page
    assert (
        "| the steps that every entry is differenced at | 3e-05 and 1e-05 | 3e-02 and 1e-02 |"
        in page
    )
    assert "half a decade apart | 1e-01 to 1e-12 | 3e-01 to 3e-05 |" in page
    assert "good enough to stop at | 2e-08 | 1e-03 |" in page
    assert "no reason to say *correct* | 1e-03 | 2e-02 |" in page
    assert "*inconclusive* | 1e-06 | 5e-04 |" in page
    assert "| 1e-07 to 1e-04 | usually fine |" in page
    assert "tightest bound decides" in page


def test_a_number_of_the_judge_that_changes_changes_the_page(monkeypatch):
    monkeypatch.setattr(judge, "SAFETY", 3.0)
    monkeypatch.setattr(judge, "DOUBLE", replace(judge.DOUBLE, tight=3e-8))
    monkeypatch.setattr(slots, "USUAL", 2e-4)
    page = page_of_rules()
    assert "within 3 bounds" in page
    assert "stop at | 3e-08 | 1e-03 |" in page
    assert "a difference up to 2e-04 of" in page


def test_the_page_itself_holds_no_number_of_the_judge():
    """What stands outside the slots would stay when the judge changes."""
    bare = re.sub(r"\{\{\w+\}\}", "", RULES)
    assert re.findall(r"\d+e-\d+|\d+\.\d+", bare) == ["1e-8"]  # an example of an error


def test_of_two_marks_in_a_tensor_the_one_that_stands_first_decides():
    table = slots.order()
    rows = sorted(slots.MARKS, key=lambda mark: table.index(f"| {slots.MARKS[mark]} |"))
    for first, second in combinations(rows, 2):
        assert slots.judged(first, second).why == slots.judged(first, judge.OK).why
    verdicts = [str(slots.judged(mark, judge.OK).verdict) for mark in rows]
    assert verdicts == ["wrong", *["inconclusive"] * (len(rows) - 1)]
    kinds = ("BUG", "KINK", "JUMPS", "NOISE", "SLIGHT", "FLAT", "OPEN")
    assert set(rows) == {getattr(judge, kind) for kind in kinds}


def test_a_slot_that_nobody_knows_is_an_error():
    with pytest.raises(KeyError, match="nobody"):
        slots.filled("{{nobody}}", slots.numbers())


# -- the book -----------------------------------------------------------------------------------


def test_the_book_lists_every_lesson():
    listed = re.findall(r"^\w+$", book.contents(), re.MULTILINE)
    assert listed == [path.stem for path in sorted((ROOT / "lessons").glob("*.ipynb"))]
    assert listed == [lesson.name for lesson in LESSONS]
