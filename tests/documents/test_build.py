"""The documents as `make docs` makes them: whole, strict, and asking nothing of the network."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import gradlab as gl
from gradlab.bugs.museum import EXHIBITS
from gradlab.course.syllabus import LESSONS

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.soak


class Page(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    def __init__(self, path):
        super().__init__()
        self.names, self.links, self.loads, self.pictures = set(), [], [], []
        self.text = path.read_text()
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "img":
            self.pictures.append(given)
            self.loads.append(given["src"])
        elif tag in ("script", "iframe", "video") and given.get("src"):
            self.loads.append(given["src"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload"):
            self.loads.append(given["href"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The real target, with the environment that runs the tests standing for .venv."""
    into = tmp_path_factory.mktemp("documents")
    venv = Path(sys.prefix)
    command = ["make", "docs", f"DOCS={venv}", f"BUILD={into}", "--assume-old", f"{venv}/.docs"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"open {into}/docs/html/index.html" in run.stdout
    return into / "docs"


@pytest.fixture(scope="module")
def pages(folder):
    html = folder / "html"
    return {path.relative_to(html): Page(path) for path in html.rglob("*.html")}


def test_every_link_inside_leads_somewhere(folder, pages):
    count = 0
    for at, page in pages.items():
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            count += 1
            to = Path(os.path.normpath(at.parent / unquote(parts.path))) if parts.path else at
            assert (folder / "html" / to).is_file(), f"{at}: {link}"
            if parts.fragment and to in pages:
                assert unquote(parts.fragment) in pages[to].names, f"{at}: {link}"
    assert count > 1000


def test_no_page_loads_anything_from_elsewhere(pages):
    """Readers may be offline, and none is told of to another host."""
    loaded = [link for page in pages.values() for link in page.loads]
    assert len(loaded) > len(pages)
    assert [link for link in loaded if urlsplit(link).scheme not in ("", "data")] == []


def test_every_page_can_be_reached_from_the_first(pages):
    seen, ahead = set(), [Path("index.html")]
    while ahead:
        at = ahead.pop()
        if at in seen or at not in pages:
            continue
        seen.add(at)
        paths = (unquote(urlsplit(link).path) for link in pages[at].links)
        ahead += [Path(os.path.normpath(at.parent / path)) for path in paths if path]
    assert set(pages) - seen == {Path("search.html")}  # a form leads there


def test_every_public_name_has_its_place(pages):
    names = set().union(*(page.names for page in pages.values()))
    functions = [n for n in gl.__all__ if callable(getattr(gl, n))]
    assert len(functions) > 20
    assert [n for n in functions if f"gradlab.{n}" not in names] == []
    museum = pages[Path("reference/museum.html")].names
    assert {name.replace("_", "-") for name in EXHIBITS} <= museum


def test_docstrings_are_read_and_not_shown_as_they_are_written(pages):
    text = pages[Path("reference/checking.html")].text
    assert "Return |a - n| / max(|a|, |n|) entry by entry" in text
    assert "----------" not in text
    assert not any("system-message" in page.text for page in pages.values())


@pytest.mark.parametrize("lesson", [lesson.name for lesson in LESSONS])
def test_a_lesson_of_the_book(pages, lesson):
    page = pages[Path(f"lessons/{lesson}.html")]
    shown = [picture for picture in page.pictures if picture["src"].endswith(".png")]
    assert shown, "no picture where the lab was"
    for picture in shown:
        assert len(picture["alt"]) > 20, picture
    assert "gradlab-stored" not in page.text
    assert "To bring it to life" not in page.text
    assert "Error displaying widget" not in page.text
    assert "MathML" in page.text or lesson == "playground"
    assert "\\frac" not in re.sub(r'alttext="[^"]*"', "", page.text)
    answers = page.text.count("# Decide before you run this")
    assert page.text.count("What it prints: decide before you look") >= answers


def built(folder):
    """Build the sources in a folder; return (status, what it said).

    In a process of its own: here, the deprecations of Sphinx's own extensions would be errors.
    """
    code = "import sys; from pathlib import Path; from docs.build import build"
    command = [sys.executable, "-c", f"{code}; sys.exit(build(Path({str(folder)!r})))"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    return run.returncode, run.stdout + run.stderr


def test_a_link_to_nowhere_fails_the_build(tmp_path):
    """The strictness is real: one bad link in a sound page, and nothing else."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "index.md").write_text("# A page\n\n[there](nowhere.md)\n")
    status, said = built(tmp_path)
    assert status == 1
    assert "nowhere.md" in said
    (tmp_path / "source" / "index.md").write_text("# A page\n")
    assert built(tmp_path)[0] == 0


def test_a_page_more_is_found_by_itself(folder, tmp_path):
    """Pages about teaching are written beside this: docs/*.md are listed by a pattern."""
    shutil.copytree(folder / "source", tmp_path / "source")
    shutil.rmtree(tmp_path / "source" / "lessons")
    (tmp_path / "source" / "zz_another.md").write_text("# Another page\n")
    built(tmp_path)  # fails, as the lessons' links lead nowhere now; the page is made all the same
    assert 'href="zz_another.html"' in (tmp_path / "html" / "index.html").read_text()
