"""Make the documents: `python docs/build.py [FOLDER]`, by default build/docs; warnings are errors.

Three kinds of pages meet in FOLDER/source: those of this folder, whose slots {{…}} are filled from the
project (`slots.py`), the reference that is made from the code (`made.py`), and the lessons with what
they stored when they ran (`book.py`).
"""

import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import book  # noqa: E402
import made  # noqa: E402
import slots  # noqa: E402


def write_sources(folder: Path) -> None:
    """Write every page to an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "reference").mkdir(parents=True)
    (folder / "lessons").mkdir()
    values = slots.values()
    for page in HERE.rglob("*.md"):
        to = folder / page.relative_to(HERE)
        to.write_text(slots.filled(page.read_text(), values))
    shutil.copytree(ROOT / "lessons" / "images", folder / "lessons" / "images")
    for name, text in made.pages().items():
        (folder / "reference" / f"{name}.md").write_text(text)
    for lesson in sorted((ROOT / "lessons").glob("*.ipynb")):
        book.write_page(lesson, folder / "lessons" / lesson.name)
    (folder / "lessons" / "index.md").write_text(book.contents())


def main(arguments: list[str]) -> int:
    """Build; return Sphinx's status."""
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "docs"
    write_sources(folder / "source")
    shutil.rmtree(folder / "html", ignore_errors=True)
    strict = ["--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    made_of = ["-c", str(HERE), "-d", str(folder / "doctrees")]
    status = sphinx([*strict, *made_of, str(folder / "source"), str(folder / "html")])
    if status == 0:
        print(f"open {folder / 'html' / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
