"""Make the documents: `python docs/build.py [FOLDER]`, by default build/docs; warnings are errors.

Three kinds of pages meet in FOLDER/source: those of this folder, whose slots {{…}} are filled from
the project (`slots.py`), the reference that is made from the code (`made.py`), and the lessons with
what they stored when they ran (`book.py`).
"""

import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from docs import book, made, slots  # noqa: E402


def write_sources(folder: Path) -> None:
    """Write every page to an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "reference").mkdir(parents=True)
    (folder / "lessons").mkdir()
    values = slots.values()
    for page in HERE.rglob("*.md"):
        filled = slots.filled(page.read_text(), values)
        (folder / page.relative_to(HERE)).write_text(filled)
    shutil.copytree(ROOT / "lessons" / "images", folder / "lessons" / "images")
    for name, text in made.pages().items():
        (folder / "reference" / f"{name}.md").write_text(text)
    for lesson in sorted((ROOT / "lessons").glob("*.ipynb")):
        book.write_page(lesson, folder / "lessons" / lesson.name)
    (folder / "lessons" / "index.md").write_text(book.contents())


def build(folder: Path) -> int:
    """Make HTML of the sources in a folder; return Sphinx's status, 1 after a warning."""
    shutil.rmtree(folder / "html", ignore_errors=True)
    strict = ["--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    places = ["-c", str(HERE), "-d", str(folder / "doctrees")]
    return sphinx([*strict, *places, str(folder / "source"), str(folder / "html")])


def main(arguments: list[str]) -> int:
    """Write the sources and make HTML of them; return the status."""
    folder = Path(arguments[0]).resolve() if arguments else ROOT / "build" / "docs"
    write_sources(folder / "source")
    status = build(folder)
    if status == 0:
        print(f"open {folder / 'html' / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
