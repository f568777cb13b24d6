"""The suite must fail on a fault. Each is planted in a copy of the tree, where a part of it runs.

The same part passes on the copy without the fault, or the failure would say nothing.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NBVAL = (
    "--nbval",
    "--nbval-current-env",
    "--nbval-sanitize-with=.ci/nbval_sanitize.cfg",
    "--nbval-cell-timeout=900",
)
LESSON = "lessons/04_check_backprop.ipynb"
FROM_CODE = "lessons/03_build_an_mlp.ipynb"  # it sets its lab from code
UNITS = ("tests/nn/test_oracle_autograd.py", "-k", "mixed_activations and labels")
LAB = ("tests/lab", "-k", "state")
FORM = ("tests/lessons/test_form.py",)

ENGINE_OFF = """

_right = Network.gradient


def _off(self, *args, **options):
    return {name: 1.001 * grad for name, grad in _right(self, *args, **options).items()}


Network.gradient = _off
"""

CALLBACK_RAISES = """


def _broken(self, change):
    raise RuntimeError("planted")


LabState._on_setting = _broken
"""


VERDICTS_SWAPPED = """

from gradlab.checking.verdict import Verdict
_was = {"correct": Verdict.WRONG, "wrong": Verdict.CORRECT, "inconclusive": Verdict.INCONCLUSIVE}
for _class in (TensorReport, Report):
    _class.verdict = property(lambda self: _was[str(self.judgement.verdict)])
"""

BANDS_SWAPPED = """

_NORM_EDGES = (1e-5, 1e-7, 1e-3, math.inf)
"""

ACCEPTS_EVERYTHING = """

from dataclasses import replace
REPAIR = replace(REPAIR, find_mistake=lambda answer: "")
"""

LINES_OFF = """

FUNCTIONS["tanh"] = lambda z: 1.000001 * np.tanh(z)
"""

EDIT_LOST = """

Program.run = lambda self, changes, S=1.0, wanted=(), into=None: iter(())
"""


@pytest.fixture
def tree(tmp_path):
    """Copy what the suite needs; the installed package is hidden behind the copy."""
    unwanted = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "browser", "planted")
    for folder in ("gradlab", "lessons", "tests", ".ci"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=unwanted)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def suite(tree, *arguments):
    """Run pytest in `tree`; return its exit status and what it printed."""
    mine = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    env = mine | {"PYTHONPATH": str(tree)}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments]
    run = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def plant(tree, module, code):
    with (tree / "gradlab" / module).open("a", encoding="utf-8") as file:
        file.write(code)


def passes(tree, *arguments):
    status, printed = suite(tree, *arguments)
    assert status == pytest.ExitCode.OK, printed
    return True


def fails(tree, *arguments):
    """Tests failed: not a wrong option, a missing file or an error at collection."""
    status, printed = suite(tree, *arguments)
    assert status == pytest.ExitCode.TESTS_FAILED, printed
    assert "failed" in printed.splitlines()[-1]
    return printed


@pytest.mark.soak
def test_an_engine_off_by_a_thousandth_fails_the_unit_tests(tree):
    assert passes(tree, *UNITS)
    plant(tree, "nn/network.py", ENGINE_OFF)
    fails(tree, *UNITS)


@pytest.mark.soak
def test_an_engine_off_by_a_thousandth_fails_a_lesson(tree):
    assert passes(tree, *NBVAL, LESSON)
    plant(tree, "nn/network.py", ENGINE_OFF)
    assert "Cell" in fails(tree, *NBVAL, LESSON)


@pytest.mark.soak
def test_lines_off_by_a_millionth_fail_the_tests_of_the_layers(tree):
    lines = ("tests/bugs/lines/test_layers.py", "-k", "compute_the_layers_own_gradient and tanh")
    assert passes(tree, *lines)
    plant(tree, "bugs/lines/functions.py", LINES_OFF)
    fails(tree, *lines)


@pytest.mark.soak
def test_an_edit_that_is_lost_fails_the_museum(tree):
    museum = ("tests/bugs/test_museum.py", "-k", "names_exactly and tanh-0")
    assert passes(tree, *museum)
    plant(tree, "bugs/lines/program.py", EDIT_LOST)
    fails(tree, *museum)


@pytest.mark.soak
def test_a_callback_that_raises_fails_the_labs_tests(tree):
    assert passes(tree, *LAB)
    plant(tree, "lab/state.py", CALLBACK_RAISES)
    assert "RuntimeError: planted" in fails(tree, *LAB)


def test_a_callback_that_raises_fails_a_lesson(tree):
    """Each lesson moves a control from code: nbval sees no slider, but it sees that cell."""
    book = nbformat.read(tree / FROM_CODE, as_version=4)
    book.cells = [c for c in book.cells if re.search(r"import gradlab|^lab\b", c.source, re.M)]
    nbformat.write(book, tree / FROM_CODE)
    assert passes(tree, *NBVAL, FROM_CODE)
    plant(tree, "lab/state.py", CALLBACK_RAISES)
    assert "planted" in fails(tree, *NBVAL, FROM_CODE)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("checking/report.py", VERDICTS_SWAPPED),
        ("lab/text/summary.py", BANDS_SWAPPED),
        ("course/tasks/repair_backward.py", ACCEPTS_EVERYTHING),
    ],
    ids=["swapped verdicts", "swapped bands", "accepts everything"],
)
def test_a_fault_of_the_product_fails_a_lesson(tree, module, code):
    assert passes(tree, *NBVAL, LESSON)
    plant(tree, module, code)
    assert "import gradlab" not in fails(tree, *NBVAL, LESSON)  # that cell still runs


@pytest.mark.soak
def test_another_default_fails_a_lesson(tree):
    path = tree / "gradlab/lab/model/settings.py"
    source = path.read_text(encoding="utf-8")
    default = 'measure: str = choice(\n        "{}",'
    assert source.count(default.format("max_relative")) == 1
    path.write_text(source.replace(default.format("max_relative"), default.format("norm_ratio")))
    assert "norm_ratio" in fails(tree, *NBVAL, LESSON)


@pytest.mark.soak
def test_an_unexecuted_lesson_fails_its_form(tree):
    form = (*FORM, "-m", "soak or not soak")  # of many lessons the usual run looks at some
    assert passes(tree, *form)
    book = nbformat.read(tree / LESSON, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(book, tree / LESSON)
    assert "was never executed" in fails(tree, *form)
