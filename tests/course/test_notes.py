"""What the course answers with: notes, pictures, and how an exercise shows itself."""

from dataclasses import FrozenInstanceError, replace

import IPython.display
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

import gradlab as gl
from gradlab.course import Picture
from gradlab.course.exercise import Exercise
from gradlab.course.note import Note, named, shown
from gradlab.course.progress import Progress
from gradlab.course.syllabus import LESSONS
from gradlab.course.task import Task, number_in
from gradlab.course.tasks import QUESTIONS, TASKS

TASK = Task(
    "halve", "04", "Half of <3>?", {1.5: "", 6: "Twice."}.get, ("a", "b"),
    1.5, "3 / 2", "Well done.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("note", "text", "html"),
    [
        (Note("✓", "a < b"), "✓ a < b", '<div role="status"><b>✓ a &lt; b</b></div>'),
        (Note("", "no mark"), "no mark", '<div role="status"><b>no mark</b></div>'),
        (
            Note("✗", "title", "a < b"),
            "✗ title\na < b",
            '<div role="status"><b>✗ title</b>'
            '<div style="white-space: pre-wrap; margin: 0.3em 0">a &lt; b</div></div>',
        ),
        (
            Note("", "title", "text", folded=True),
            "title\ntext",
            "<details><summary>title</summary>"
            '<div style="white-space: pre-wrap; margin: 0.3em 0">text</div></details>',
        ),
    ],
    ids=lambda value: repr(value) if isinstance(value, Note) else "",
)
def test_a_note_is_text_and_html(note, text, html):
    assert repr(note) == text
    assert note._repr_html_() == html


def test_only_a_tick_says_that_it_is_solved():
    assert [Note(mark, "").solved for mark in ("✓", "✗", "○", "")] == [True, False, False, False]


def test_lines_of_code_are_in_monospace_and_no_others():
    html = Note("", "", "before\n    one\n    two\nafter\n  little")._repr_html_()
    assert html.count("monospace") == 1
    code = html.split('0.93em">')[1].split("</span>")[0]
    assert code == "    one\n    two"


@pytest.mark.parametrize("thing", [Note("", ""), TASK, LESSONS[0], *[*QUESTIONS.values()][:1]])
def test_what_is_shared_is_not_changed_in_place(thing):
    field = next(iter(thing.__dataclass_fields__))
    with pytest.raises(FrozenInstanceError):
        setattr(thing, field, getattr(thing, field))


def test_long_answers_are_shown_by_their_beginning():
    fits, long = "x" * 58, "x" * 59
    assert shown(fits) == f"'{fits}' (str)"
    assert shown(long) == f"'{'x' * 56}... (str)"
    assert shown([1, 2], longest=5) == "[1... (list)"
    assert shown(np.zeros((2, 1))) == "array([[0.], [0.]]) (ndarray)"


def test_functions_and_classes_are_named():
    assert named(shown) == "shown"
    assert named(Task) == "Task"
    assert shown(shown) == "shown (function)"
    assert named(3) == "3 (int)"
    assert "0x" not in shown(object())


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("answer", "number"),
    [
        (1.5, 1.5), (np.float32(2), 2.0), (np.array(3), 3.0), (True, None), (np.True_, None),
        ("1.5", None), (1j, None), (np.inf, None), ([1.0], None), (None, None), (10**400, None),
    ],
)  # fmt: skip
def test_a_number_is_one_finite_number(answer, number):
    assert number_in(answer) == number


def test_hints_come_one_by_one_with_what_is_left(store):
    exercise = Exercise(TASK, store)
    notes = [exercise.hint() for _ in range(3)]
    assert [note.title for note in notes] == [
        "halve: hint 1 of 2. Run the cell again for the next.",
        "halve: hint 2 of 2. These are all.",
        "halve: hint 2 of 2. These are all.",
    ]
    assert [note.text for note in notes] == ["1. a", "1. a\n2. b", "1. a\n2. b"]
    assert all(note.folded for note in notes)


def test_a_solution_is_code_and_why(store):
    note = Exercise(TASK, store).solution()
    assert (note.title, note.text, note.folded) == ("halve: a solution", "    1.5\n3 / 2", True)
    code = Exercise(TASKS["mse"], store).solution().text
    assert code.startswith("    def mse(")


def test_an_exercise_shows_its_question(store):
    exercise = Exercise(TASK, store)
    first, second = (
        "Exercise halve of lesson 04: Half of <3>?",
        ".check(answer)  .hint()  .solution()",
    )
    assert repr(exercise) == f"{first}\n{second}"
    html = exercise._repr_html_()
    assert "<b>Exercise halve of lesson 04: Half of &lt;3&gt;?</b>" in html
    assert f">{second}</div>" in html


def test_what_is_said_to_an_answer(store, home):
    exercise = Exercise(TASK, store)
    assert repr(exercise.check(None)) == ("○ halve: no answer yet. What was handed over is None.")
    assert repr(exercise.check()) == (
        "○ halve: no answer yet. Replace the ... and run the cell again."
    )
    assert repr(exercise.check(6)) == "✗ halve: not yet.\nTwice."
    assert repr(exercise.check(1.5)) == "✓ halve: solved.\nWell done."
    assert store.solved() == {"halve"}
    broken = Exercise(replace(TASK, find_mistake=lambda answer: 1 / 0), store)
    assert repr(broken.check(2)) == (
        "✗ halve: not yet.\nChecking 2 (int) ended in ZeroDivisionError: division by zero"
    )


def test_one_exercise_stays_the_same_object_for_its_hints():
    assert gl.exercise("mse") is gl.exercise("mse")


def test_the_map_has_a_row_a_lesson(home):
    names = [name for name, task in TASKS.items() if task.lesson == "03"]
    shown = repr(Progress({names[0], "worst_tensor"}, ["News."])).split("\n")
    total = len(TASKS)
    assert shown[0] == f"Your way through the course: 2 of {total} exercises solved"
    assert shown[1] == ""
    assert shown[-1] == "News."
    rows = shown[2:-1]
    assert len(rows) == len(LESSONS)
    assert rows[0].split("  ")[0] == "✓"
    assert rows[3].startswith("○  03  Build an MLP")
    assert rows[3].endswith(f"1 of {len(names)}")
    assert rows[-1].strip().startswith("Playground")
    assert not rows[-1].rstrip().endswith("0")
    starts = [row.index(lesson.question) for row, lesson in zip(rows, LESSONS, strict=True)]
    assert len(set(starts)) == 1


def test_the_map_is_a_table_in_a_notebook():
    html = Progress({"worst_tensor"}, ["a < b"])._repr_html_()
    assert html.count("<tr>") == len(LESSONS) + 1
    assert html.count("<th ") == 5
    assert html.count("<td ") == 5 * len(LESSONS)
    assert html.endswith("<p>a &lt; b</p>")
    assert '>✓</td><td style="text-align: left">00</td>' in html


def test_a_picture_says_and_shows_the_same(monkeypatch, tmp_path):
    sent = []
    monkeypatch.setattr(IPython.display, "publish_display_data", lambda *a: sent.append(a))
    figure = Figure(figsize=(2, 1))
    picture = Picture(figure, "a <\n  curve")
    assert repr(picture) == "a < curve"
    picture._ipython_display_()
    (style,), (data, about) = sent
    assert '<p class="gradlab-said">a &lt; curve</p>' in style["text/html"]
    assert data["text/plain"] == "a < curve"
    assert about == {"image/png": {"alt": "a < curve", "width": 192}}
    (tmp_path / "one.png").write_bytes(data["image/png"])
    assert imread(tmp_path / "one.png").shape[:2] == (144, 288)
