"""Links and commands in what a person reads first: README, CONTRIBUTING, the pages of docs/."""

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "CONTRIBUTING.md"]
PAGES += sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))
MADE = ("lessons", "reference")  # folders of the documents that are made: Sphinx looks after them


def links(page):
    """Return where the links of a page lead that are neither addresses nor inside a code block."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    here = (ROOT / page).parent
    for link in links(page):
        path = link.split("#")[0]
        made_elsewhere = page.startswith("docs/") and path.split("/")[0] in MADE
        assert made_elsewhere or (here / path).exists(), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_to_be_typed_is_there(page):
    text = (ROOT / page).read_text()
    code = "\n".join(re.findall(r"`+([^`]+)`+", text))
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][\w-]*)", code)) <= targets
    asked = set(re.findall(r"^gradlab ([a-z]+)\b", code, re.MULTILINE))
    assert asked <= commands(), page


def commands():
    help_ = [sys.executable, "-m", "gradlab", "--help"]
    told = subprocess.run(help_, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^    ([a-z]+)  ", told, re.MULTILINE))


def test_the_new_targets_are_told_where_people_look():
    readme, head = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()[:600]
    for target in ("make docs", "make site"):
        assert target in readme
        assert target in head


def test_a_second_time_pip_is_asked_for_nothing(tmp_path):
    for name in ("Makefile", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / ".venv" / "docs").mkdir(parents=True)
    for stamp in (".made", ".test", "docs/.docs"):
        (tmp_path / ".venv" / stamp).touch()
    dry = ["make", "--dry-run", "docs", "site", "test-documents"]
    plan = subprocess.run(dry, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "python docs/build.py build/docs" in plan
    assert "python docs/lite.py build/site" in plan
    assert "pip install" not in plan
    later = time.time() + 10
    os.utime(tmp_path / "pyproject.toml", (later, later))
    plan = subprocess.run(dry, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert plan.count("--editable '.[test,docs]'") == 1


def test_the_citation_is_the_projects():
    told = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert told["authors"] == project["authors"]
    assert "Copyright (c) 2026, " + told["authors"][0]["name"] in (ROOT / "LICENSE").read_text()
    same = {"title": "name", "version": "version", "license": "license", "keywords": "keywords"}
    assert {ours: told[ours] for ours in same} == {ours: project[its] for ours, its in same.items()}
    assert told["abstract"] == project["description"]
    assert (told["cff-version"], told["type"]) == ("1.2.0", "software")
    assert told["message"]
