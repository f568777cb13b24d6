"""Execute notebooks from top to bottom in a fresh kernel and store them clean.

    .venv/bin/python .ci/execute_lessons.py lessons/*.ipynb        # execute, clean, write
    .venv/bin/python .ci/execute_lessons.py --clean FILE …         # clean and write, no execution

Clean means: no widget state and no model ids (they are random, and dead without their kernel), no
timings, ids that follow from the cell's text. What a widget shows stays as text/plain and, where
it offers one, as a picture. Running twice gives the same bytes, but for pictures. The answer to a
prediction is stored folded; JupyterLab unfolds it when the reader runs the cell.
"""

import hashlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbclient import NotebookClient

WIDGET = "application/vnd.jupyter.widget-view+json"
ANSWER = "# Decide before you run this"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def execute(book: nbformat.NotebookNode, folder: Path) -> None:
    """Run every cell in place; the first error ends it with its traceback."""
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    settings = {"metadata": {"path": str(folder)}}
    NotebookClient(book, timeout=120, kernel_name="python3", resources=settings).execute()


def clean(book: nbformat.NotebookNode) -> None:
    """Take out, in place, what differs between two runs and what only a live kernel can show."""
    book.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    book.nbformat, book.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    for cell in book.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code" and cell.source.startswith(ANSWER):
            cell.metadata["jupyter"] = {"outputs_hidden": True}
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[name] += 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"
        if cell.cell_type == "code":
            cell.outputs = joined(output for output in map(cleaned, cell.outputs) if output)


def cleaned(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """Return the output without its widget view; None if nothing is left to show."""
    if "data" not in output:
        return output
    output.data.pop(WIDGET, None)
    output.metadata = nbformat.from_dict({})
    return output if output.data else None


def joined(outputs: Iterable[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Return the outputs with printed text in one piece: where a kernel cuts it is chance."""
    whole: list[nbformat.NotebookNode] = []
    for output in outputs:
        if whole and "name" in output and whole[-1].get("name") == output.name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def main(arguments: list[str]) -> int:
    """Treat the files named; `--clean` leaves out the execution."""
    paths = [Path(name) for name in arguments if name != "--clean"]
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as home:
        os.environ["GRADLAB_HOME"] = home  # the kernels inherit it, and find nothing solved
        treat(paths, run="--clean" not in arguments)
    return 0


def treat(paths: list[Path], run: bool) -> None:
    """Clean the notebooks and write them back, executed before if `run`."""
    for path in paths:
        book = nbformat.read(path, as_version=4)
        if run:
            print(f"executing {path}", flush=True)
            execute(book, path.parent)
        clean(book)
        nbformat.write(book, path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
