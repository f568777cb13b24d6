"""Binder's links, and what a session there starts with."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PAGES = {"README.md": README, "docs/binder.md": (ROOT / "docs" / "binder.md").read_text()}
LINK = re.compile(r"https://mybinder\.org/v2/gh/([^/\s]+)/([^/\s]+)/HEAD\?urlpath=([\w/.]+)")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def test_the_links_open_a_lesson_and_the_lab_alone():
    for page, text in PAGES.items():
        found = LINK.findall(text)
        assert len(found) == text.count("mybinder.org/v2/"), page
        asked = {path for _, _, path in found}
        assert asked == {
            "lab/tree/lessons/00_start_here.ipynb",
            "doc/tree/lessons/playground.ipynb",
        }, page
        for path in asked:
            assert (ROOT / path.split("/tree/")[1]).is_file()


def test_a_placeholder_in_an_address_says_that_it_is_one():
    """An address that is none must not look like one; with a real one the sentence goes."""
    owners = {owner for text in PAGES.values() for owner, _, _ in LINK.findall(text)}
    assert len(owners) == 1
    for page, text in PAGES.items():
        said = bool(re.search(r"`OWNER`.{0,40}\bplaceholder\b", text, re.DOTALL))
        assert said == (owners == {"OWNER"}), page


def test_nothing_hides_environment_yml():
    """repo2docker looks into binder/ alone where it is, and at a Dockerfile before all else."""
    assert [n for n in ("binder", ".binder", "Dockerfile") if (ROOT / n).exists()] == []


def test_blas_takes_one_thread_there_as_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    assert "export OPENBLAS_NUM_THREADS ?= 1\n" in makefile
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["variables"] == ONE_THREAD


def test_start_limits_blas_and_hands_on_what_it_was_given():
    ask = "import os, sys; print(os.environ['OPENBLAS_NUM_THREADS'], sys.argv[1:])"
    command = [ROOT / "start", sys.executable, "-c", ask, "two words", "--port=1"]
    bare = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    for before, after in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")):
        run = subprocess.run(command, env=bare | before, capture_output=True, text=True)
        assert (run.stdout, run.stderr) == (f"{after} ['two words', '--port=1']\n", "")


def test_what_start_ends_with_is_what_it_ran():
    assert subprocess.run([ROOT / "start", "sh", "-c", "exit 7"]).returncode == 7
