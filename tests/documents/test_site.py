"""The site without a server as `make site` makes it. Whether its Python runs is not tested here."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest

from docs import lite
from docs.slots import BUNDLED

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))
pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    into = tmp_path_factory.mktemp("without_a_server")
    venv = Path(sys.prefix)
    command = ["make", "site", f"DOCS={venv}", f"BUILD={into}", "--assume-old", f"{venv}/.docs"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert run.returncode == 0, run.stdout + run.stderr
    return into / "site", run.stdout


def test_it_says_what_was_checked_and_what_was_not(made):
    assert "built and checked (jupyter lite check)" in made[1]
    assert "Not tested: a lesson that runs in it" in made[1]
    assert "check:contents:validate:lessons/all.json" in made[1]
    assert "was not tested" in (made[0] / "index.html").read_text()


def test_the_lessons_are_there_with_one_cell_more(made):
    files = made[0] / "files" / "lessons"
    listed = json.loads((made[0] / "api" / "contents" / "lessons" / "all.json").read_text())
    assert sorted(entry["name"] for entry in listed["content"]) == [p.name for p in LESSONS]
    for lesson in LESSONS:
        before, after = nbformat.read(lesson, 4), nbformat.read(files / lesson.name, 4)
        nbformat.validate(after)
        assert after.cells[0].source == lite.INSTALL
        assert [c.source for c in after.cells[1:]] == [c.source for c in before.cells]
        assert [c.get("outputs") for c in after.cells[1:]] == [
            c.get("outputs") for c in before.cells
        ]


def test_a_stored_text_is_one_text(made):
    """Of a list of lines the page would show a comma before each but the first."""
    for lesson in (made[0] / "files" / "lessons").glob("*.ipynb"):
        cells = json.loads(lesson.read_text())["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        told = [output["text"] for output in outputs if output["output_type"] == "stream"]
        told += [value for output in outputs for value in output.get("data", {}).values()]
        assert [text for text in told if isinstance(text, list)] == [], lesson.name


def test_the_packages_are_in_the_sites_own_index(made):
    index = json.loads((made[0] / "pypi" / "all.json").read_text())
    assert set(index) == {"gradlab", *BUNDLED}
    for name, package in index.items():
        (release,) = package["releases"].values()
        wheel = made[0] / "pypi" / Path(urlsplit(release[0]["url"]).path).name
        assert wheel.name.endswith("-none-any.whl"), name
        assert zipfile.ZipFile(wheel).testzip() is None
    for name in (*BUNDLED, "gradlab"):
        assert repr(name)[1:-1] in lite.INSTALL


def test_gradlabs_wheel_is_this_checkouts(made):
    (wheel,) = (made[0] / "pypi").glob("gradlab-*.whl")
    held = zipfile.ZipFile(wheel)
    files = [p for p in (ROOT / "gradlab").rglob("*") if p.suffix in (".py", ".js", ".css", ".npz")]
    assert len(files) > 100
    for path in files:
        assert held.read(str(path.relative_to(ROOT))) == path.read_bytes()


def test_the_first_page_leads_to_every_lesson(made):
    links = re.findall(r'<a href="([^"]+)"', (made[0] / "index.html").read_text())
    asked = [parse_qs(urlsplit(link).query)["path"][0] for link in links]
    assert asked == [f"lessons/{lesson.name}" for lesson in LESSONS]
    for link, path in zip(links, asked, strict=True):
        assert (made[0] / urlsplit(link).path).is_file()
        assert (made[0] / "files" / path).is_file()


def test_jupyterlites_pages_find_their_settings_in_the_first_page(made):
    """They fetch it, and without this script they stay blank."""
    text = (made[0] / "index.html").read_text()
    script = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert json.loads(script[1]) == {}
    asked = (made[0] / "config-utils.js").read_text()
    assert "index.html" in asked
    assert "jupyter-config-data" in asked


def test_what_the_lessons_import_is_in_the_site_or_comes_with_pyodide(made):
    """A package that a lesson begins to use must be put into the site, too."""
    with_pyodide = {"numpy", "matplotlib", "PIL", "IPython", "traitlets"}
    own = {"gradlab", *BUNDLED}
    used = set()
    for lesson in LESSONS:
        for cell in nbformat.read(lesson, 4).cells:
            if cell.cell_type == "code":
                used |= set(re.findall(r"^(?:import|from) (\w+)", cell.source, re.MULTILINE))
    assert used - with_pyodide - own - set(sys.stdlib_module_names) == set()
