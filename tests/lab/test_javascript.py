"""The board's JavaScript: its parts by Node's own test runner, and the one module that they become.

Playwright, which the browser tests need, brings a Node; so these tests run wherever those do.
"""

import re
import subprocess
import sys
from pathlib import Path

import playwright
import pytest

from gradlab.lab.board import board
from gradlab.lab.board.board import MODULES, Board, bundle

NODE = (
    Path(playwright.__file__).parent
    / "driver"
    / ("node.exe" if sys.platform == "win32" else "node")
)
TESTS = sorted((Path(__file__).parents[1] / "board_js").glob("*.test.mjs"))
FOLDER = Path(board.__file__).parent


def run(*arguments, **options):
    return subprocess.run(
        [str(NODE), *map(str, arguments)], capture_output=True, text=True, timeout=120, **options
    )


@pytest.mark.every_case
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.split(".")[0])
def test_the_parts(path):
    found = run("--test", path)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_script_is_a_part_and_comes_after_what_it_imports():
    assert sorted(MODULES) == sorted(path.name for path in FOLDER.glob("*.js"))
    for place, name in enumerate(MODULES):
        text = (FOLDER / name).read_text(encoding="utf-8")
        needed = re.findall(r"^import .* from '\./(.*)';$", text, re.MULTILINE)
        assert len(needed) == text.count("\nimport ") + text.startswith("import ")
        assert set(needed) <= set(MODULES[:place])


def test_the_parts_together_are_one_module_that_imports_nothing():
    """Two names of the whole file that are the same would be an error of syntax."""
    found = run("--input-type=module", "--check", "-", input=bundle())
    assert found.returncode == 0, found.stderr
    assert not re.search(r"^import ", bundle(), re.MULTILINE)
    assert re.findall(r"^export .*", bundle(), re.MULTILINE) == ["export default {render};"]


def test_the_board_carries_module_and_style_sheet():
    assert Board._esm == bundle()
    assert ".gradlab-banner" in Board._css
    assert ".gradlab-toolbar" in Board._css
