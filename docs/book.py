"""The static book: each lesson as it was stored, with pictures where widgets were."""

import re
from html import unescape
from pathlib import Path

import nbformat

from gradlab.course.syllabus import LESSONS

RECORD = (
    "*To read, not to run: where a widget was, its picture stands. The lesson itself, alive, is "
    "`lessons/{name}.ipynb` in JupyterLab: `make lab`, or [on Binder](../binder.md).*"
)
ANSWER = "What it prints: decide before you look"
STORED = 'class="gradlab-stored"'  # in what `gradlab._stored` leaves beside a widget
LAB = "The lab's pictures; the words below tell what they show."


def contents() -> str:
    """Return the page that lists the lessons."""
    names = "\n".join(lesson.name for lesson in LESSONS)
    return (
        "# The lessons, to read\n\n"
        "What each lesson printed and drew when it last ran. A prediction's answer is folded: "
        "decide before you open it. What moves, moves in JupyterLab alone.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n"
    )


def write_page(lesson: Path, to: Path) -> None:
    """Write a lesson as a page of the book."""
    book = nbformat.read(lesson, as_version=4)
    note = nbformat.v4.new_markdown_cell(RECORD.format(name=lesson.stem), id="record")
    book.cells.insert(1, note)
    for cell in book.cells:
        if cell.cell_type == "code":
            settle(cell)
    nbformat.write(book, to)


def settle(cell: nbformat.NotebookNode) -> None:
    """Fold an answer to a prediction; of a widget keep its picture and its words."""
    if cell.metadata.get("jupyter", {}).get("outputs_hidden"):
        cell.metadata["tags"] = ["hide-output"]
        cell.metadata["mystnb"] = {"code_prompt_show": ANSWER, "code_prompt_hide": ANSWER}
    is_lab = any(STORED in o.get("data", {}).get("text/html", "") for o in cell.outputs)
    kept = [words_of(output) for output in cell.outputs]
    cell.outputs = [output for output in kept if output]
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            alt = LAB if is_lab else output.data["text/plain"]
            cell.metadata.setdefault("mystnb", {})["image"] = {"alt": alt}


def words_of(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """Return an output; of what a widget stored in case that nothing answers, the words alone."""
    html = output.get("data", {}).get("text/html", "")
    if STORED not in html:
        if html:  # the map of the course leads to the lessons: here to their pages
            output.data["text/html"] = re.sub(r'href="(\w+)\.ipynb"', r'href="\1.html"', html)
        return output
    words = re.search(r"<pre>(.*)</pre>", html, re.DOTALL)
    return nbformat.v4.new_output("stream", text=unescape(words[1]) + "\n") if words else None
