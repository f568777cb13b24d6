"""The lessons have their form, and a fault planted in a good lesson is seen."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.lessons.form import problems

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))


@pytest.fixture
def cleaner():
    """Return the module .ci/execute_lessons.py, which is a script and no part of a package."""
    spec = importlib.util.spec_from_file_location("cleaner", ROOT / ".ci" / "execute_lessons.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_its_form(path):
    assert problems(path) == []


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_stored_clean(path, cleaner, tmp_path):
    """As `make lessons` leaves it: no random ids, no widget state, nothing of this machine."""
    book = nbformat.read(path, as_version=4)
    cleaner.clean(book)
    nbformat.write(book, tmp_path / path.name)
    assert (tmp_path / path.name).read_text() == path.read_text()


def test_lessons_are_numbered_once_and_the_first_is_there():
    assert "00_start_here" in [path.stem for path in LESSONS]
    numbers = [path.stem[:2] for path in LESSONS if path.stem != "playground"]
    assert len(numbers) == len(set(numbers))


def lesson():
    """Return a small lesson that has every step of the frame."""
    title = "# Choose a step\n\nHow small is small?\n\nYou will … 10 minutes."
    title += " A name is not defined? Run All Above Selected Cell."
    middle = "**Predict** … **What happened?** … **Try** … **What you should see**"
    sources = [
        "import gradlab as gl",
        "lab = gl.Lab()\nlab.state.eps = 1e-8\nlab",
        'ex = gl.exercise("x")\nex.check(1)\nex.hint()\nex.solution()',
    ]
    code = [new_code_cell(text, execution_count=n) for n, text in enumerate(sources, start=1)]
    code[1].outputs = [new_output("execute_result", {"text/plain": "Lab: correct"})]
    code[1].outputs[0].execution_count = 2
    prose = [new_markdown_cell(title), new_markdown_cell(middle)]
    end = new_markdown_cell("You have … Sources: …")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [prose[0], code[0], prose[1], code[1], code[2], end]
    return new_notebook(cells=cells, metadata=kernel)


def found(book, folder, name="02_choose_eps.ipynb"):
    nbformat.write(book, folder / name)
    return problems(folder / name)


def test_a_good_lesson_has_no_problem(tmp_path):
    assert found(lesson(), tmp_path) == []


def text_output(text):
    return [new_output("stream", text=text)]


def never_executed(book):
    book.cells[3].execution_count = None


def no_outputs(book):
    book.cells[3].outputs = []


def out_of_order(book):
    book.cells[1].execution_count, book.cells[3].execution_count = 2, 1


def long_cell(book):
    book.cells[4].source += "\n1" * 12


def many_cells(book):
    book.cells[2:2] = [new_markdown_cell("more") for _ in range(20)]


def little_prose(book):
    book.cells[4:4] = [new_code_cell("1", execution_count=3)]
    book.cells[5].execution_count = 4


def widget_state(book):
    book.metadata["widgets"] = {}


def model_id(book):
    book.cells[3].outputs[0].data["application/vnd.jupyter.widget-view+json"] = {"model_id": "a"}


def stored_error(book):
    book.cells[3].outputs = [new_output("error", ename="ValueError", evalue="", traceback=[])]


def stderr(book):
    book.cells[3].outputs = [new_output("stream", name="stderr", text="a warning")]


def address(book):
    book.cells[3].outputs = text_output("<Thing at 0x7f00aa>")


def machine_path(book):
    book.cells[3].outputs = text_output("/home/me/x.html")


def long_imports(book):
    book.cells[1].source += "\nimport math" * 6


def path_hack(book):
    book.cells[1].source += "\nsys.path.append('..')"


def magic(book):
    book.cells[4].source += "\n%timeit 1"


def semicolon(book):
    book.cells[3].source += ";"


def no_title(book):
    book.cells[0].source = "Choose a step? You will … 10 minutes."


def no_question(book):
    book.cells[0].source = book.cells[0].source.replace("?", ".")


def no_goals(book):
    book.cells[0].source = book.cells[0].source.replace("You will", "")


def no_sources(book):
    book.cells[-1].source = "You have …"


def no_prediction(book):
    book.cells[2].source = book.cells[2].source.replace("Predict", "")


def no_move_from_code(book):
    book.cells[3].source = "gl.Lab()"


def no_exercise(book):
    book.cells[4].source = "1"


def dead_link(book):
    book.cells[-1].source += " [next](03_nowhere.ipynb)"


def wrong_kernel(book):
    book.metadata.kernelspec.name = "my-env"


def asks(book, *, folded=True, first="# Decide before you run this.\n", after="<details>"):
    """Add a prediction, its answer and an explanation before the last cell."""
    guess = new_code_cell('gl.predict("x")', execution_count=4)
    answer = new_code_cell(f"{first}print(1)", execution_count=5)
    answer.outputs = text_output("1")
    answer.metadata = {"jupyter": {"outputs_hidden": True}} if folded else {}
    texts = ("Which?", "Run this.", f"{after}because")
    cells = [new_markdown_cell(text) for text in texts]
    book.cells[-1:-1] = [cells[0], guess, cells[1], answer, cells[2]]


def test_a_good_prediction_has_no_problem(tmp_path):
    book = lesson()
    asks(book)
    assert found(book, tmp_path) == []


def answer_in_view(book):
    asks(book, folded=False)


def answer_without_its_line(book):
    asks(book, first="")


def explanation_in_view(book):
    asks(book, after="")


def guess_and_more(book):
    asks(book)
    book.cells[-5].source += "\nprint(1)"


def shown_before_the_answer(book):
    asks(book)
    book.cells[-4:-4] = [new_code_cell("1", execution_count=5)]
    book.cells[-3].execution_count = 6


def prediction_left_alone(book):
    book.cells[-2:-2] = [new_markdown_cell("**Predict.** Which?")]


def never_answered(book):
    asks(book)
    del book.cells[-3]


FAULTS = {
    answer_in_view: "not stored folded",
    answer_without_its_line: "does not start with",
    explanation_in_view: "not folded by <details>",
    guess_and_more: "something else as well",
    shown_before_the_answer: "does not start with",
    prediction_left_alone: "neither a guess nor a folded answer",
    never_answered: "never answered",
    never_executed: "never executed",
    no_outputs: "nothing for nbval",
    out_of_order: "in the order",
    long_cell: "has 16 lines",
    many_cells: "26 cells",
    little_prose: "3 of 7 cells are prose",
    widget_state: "widget state",
    model_id: "model id",
    stored_error: "the error ValueError",
    stderr: "stderr",
    address: "at 0x7f00aa",
    machine_path: "/home/",
    long_imports: "at most 6 lines",
    path_hack: "path hack",
    magic: "magic",
    semicolon: "semicolon",
    no_title: "not a title",
    no_question: "no question",
    no_goals: "'you will'",
    no_sources: "'source'",
    no_prediction: "'predict'",
    no_move_from_code: "call of .state.",
    no_exercise: "call of gl.exercise(",
    dead_link: "03_nowhere.ipynb",
    wrong_kernel: "kernel",
}


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_named(tmp_path, plant):
    book = lesson()
    plant(book)
    assert any(re.search(re.escape(FAULTS[plant]), line) for line in found(book, tmp_path))


def test_a_wrong_name_is_named(tmp_path):
    assert any("the name" in line for line in found(lesson(), tmp_path, "Lesson 2.ipynb"))


def test_what_is_no_notebook_is_named(tmp_path):
    (tmp_path / "02_choose_eps.ipynb").write_text("{}")
    assert "not a valid notebook" in problems(tmp_path / "02_choose_eps.ipynb")[0]


def test_executing_and_cleaning_gives_the_same_bytes_twice(cleaner, tmp_path):
    """A widget's model id is random: the file must not show it, and the text must stay."""
    source = "import ipywidgets\nipywidgets.IntSlider(value=3)"
    path = tmp_path / "00_start_here.ipynb"
    texts = []
    for _ in range(2):
        nbformat.write(new_notebook(cells=[new_code_cell(source), new_code_cell(source)]), path)
        cleaner.main([str(path)])
        texts.append(path.read_text())
    assert texts[0] == texts[1]
    assert "IntSlider(value=3)" in texts[0]
    assert "model_id" not in texts[0]


def test_cleaning_folds_an_answer_and_joins_printed_text(cleaner):
    """JupyterLab unfolds what it runs, and a kernel may cut what is printed anywhere."""
    answer = new_code_cell("# Decide before you run this.\nprint(1)")
    answer.outputs = text_output("a\n") + text_output("b\n")
    other = new_code_cell("print(1)", metadata={"jupyter": {"outputs_hidden": True}})
    book = new_notebook(cells=[answer, other])
    cleaner.clean(book)
    assert [output.text for output in answer.outputs] == ["a\nb\n"]
    assert answer.metadata == {"jupyter": {"outputs_hidden": True}}
    assert other.metadata == {}
