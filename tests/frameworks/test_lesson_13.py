"""What lesson 13 shows of PyTorch and JAX runs, and is called correct."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

import gradlab as gl

LESSON = Path(__file__).resolve().parents[2] / "lessons" / "13_check_your_own_code.ipynb"


def blocks():
    """Return the pieces of code in the lesson's prose that import a framework."""
    cells = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    code = re.findall(r"```python\n(.*?)```", prose, re.DOTALL)
    return [block for block in code if re.match(r"import (torch|jax)", block)]


def test_there_is_one_of_each():
    assert [block.split()[1].split(".")[0] for block in blocks()] == ["torch", "jax"]


@pytest.mark.parametrize("block", blocks(), ids=["torch", "jax"])
def test_it_runs_and_is_correct(block):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(block, {"gl": gl})  # noqa: S102 - the lesson's own text
    assert told.getvalue().startswith("✓ correct")
    names = {"torch": ("0.weight", "2.bias"), "jax": ("W",)}
    for name in names["torch" if "import torch" in block else "jax"]:
        assert name in told.getvalue()
