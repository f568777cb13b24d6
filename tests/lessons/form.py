"""What a lesson's file must look like; works on any path, so that faults can be planted.

nbval compares nothing in a cell that was never run, never looks at pixels, and never sees that the
cells were run in another order. What it leaves out is asked here.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

CODE_LINES = 15
IMPORT_LINES = 6
CELLS = 25
BYTES = 1_000_000
WIDGET = "application/vnd.jupyter.widget-view+json"
NAME = re.compile(r"(\d\d_[a-z][a-z0-9_]*|playground)\.ipynb")
# Phrases of the frame: a lesson that lacks one lacks a step. They are looked for without case.
OPENING = ("you will", "minute", "run all above selected cell")
CLOSING = ("you have", "source")
STEPS = ("predict", "what happened?", "what you should see", "try")
CALLS = ("gl.lab(", ".state.", "gl.exercise(", ".check(", ".hint()", ".solution()")
UNFRAMED = ("playground",)  # a room to play in: no exercise of its own
# A prediction is asked for, then answered by the next code cell, which starts with this line.
ANSWER = "# Decide before you run this"
GUESS = "gl.predict("
FORBIDDEN = {
    "sys.path": "a path hack: gradlab is installed",
    "pyplot": "pyplot's figures are global: the lab draws",
    "widgets.Output": "an Output widget flickers, and nbval fails on it",
    "warnings.filterwarnings": "a warning is hidden: remove its cause",
}
# An address, a machine's path, or a bare object of matplotlib differs from run to run.
UNSTABLE = re.compile(r"\bat 0x[0-9a-f]+|/home/|/root/|/tmp/|/Users/|<matplotlib\.|<Axes")


def problems(path: str | Path) -> list[str]:
    """Return one sentence for each way in which the notebook at `path` is not a lesson."""
    path = Path(path)
    try:
        book = nbformat.read(path, as_version=4)
        nbformat.validate(book)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        return [f"not a valid notebook: {error}"]
    checks = (name_and_size, cells, execution, stored_outputs, predictions, code, frame)
    return [problem for check in checks for problem in check(path, book)]


def name_and_size(path: Path, book: nbformat.NotebookNode) -> Iterator[str]:
    """Look at what stands around the cells."""
    if not NAME.fullmatch(path.name):
        yield f"the name {path.name} is not like 02_choose_eps.ipynb"
    if path.stat().st_size > BYTES:
        yield f"the file has {path.stat().st_size} bytes, at most {BYTES} are asked"
    if "widgets" in book.metadata:
        yield "widget state is stored in the file's metadata"
    if book.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"


def cells(path: Path, book: nbformat.NotebookNode) -> Iterator[str]:
    """Count cells and lines. The widget of a prediction asks in words: its cell counts as prose."""
    prose = [cell for cell in book.cells if cell.cell_type == "markdown" or GUESS in cell.source]
    if len(book.cells) > CELLS:
        yield f"{len(book.cells)} cells, at most {CELLS} are asked"
    if 2 * len(prose) < len(book.cells):
        yield f"{len(prose)} of {len(book.cells)} cells are prose, at least half is asked"
    for number, cell in code_cells(book):
        lines = len(cell.source.splitlines())
        if not cell.source.strip():
            yield f"code cell {number} is empty"
        if lines > CODE_LINES:
            yield f"code cell {number} has {lines} lines, at most {CODE_LINES} are asked"


def execution(path: Path, book: nbformat.NotebookNode) -> Iterator[str]:
    """Every code cell was run once, from top to bottom, in a fresh kernel."""
    counts = [cell.execution_count for _, cell in code_cells(book)]
    if None in counts:
        yield f"code cell {counts.index(None) + 1} was never executed"
    elif counts != list(range(1, len(counts) + 1)):
        yield f"the cells were executed in the order {counts}"
    shows = any(cell.outputs for _, cell in code_cells(book))
    if counts and not shows:
        yield "no code cell has an output: there is nothing for nbval to compare"


def stored_outputs(path: Path, book: nbformat.NotebookNode) -> Iterator[str]:
    """Nothing in the outputs is an error, a widget's state, or different on the next machine."""
    for number, cell in code_cells(book):
        for output in cell.outputs:
            data = output.get("data", {})
            text = "".join((output.get("text", ""), str(data.get("text/plain", ""))))
            if output.output_type == "error":
                yield f"code cell {number} stores the error {output.ename}"
            if output.get("name") == "stderr":
                yield f"code cell {number} writes to stderr: {output.text[:60]!r}"
            if WIDGET in data or "model_id" in str(output):
                yield f"code cell {number} stores a widget's model id"
            if found := UNSTABLE.search(text):
                yield f"code cell {number} prints {found[0]!r}, which differs from run to run"


def predictions(path: Path, book: nbformat.NotebookNode) -> Iterator[str]:
    """A reader is asked before the notebook shows the answer: it is stored, but folded."""
    answer_expected, asked, before = False, False, ""
    for cell in book.cells:
        if cell.cell_type == "markdown":
            asked = asked or "**Predict.**" in cell.source
            if before.startswith(ANSWER) and not cell.source.startswith("<details>"):
                yield "the prose after an answer is not folded by <details>"
        else:
            if asked and GUESS not in cell.source and not cell.source.startswith(ANSWER):
                yield "after a prediction comes neither a guess nor a folded answer"
            yield from answered(cell, answer_expected)
            answer_expected, asked = GUESS in cell.source, False
        before = cell.source
    if answer_expected:
        yield "a guess is asked and never answered"


def answered(cell: nbformat.NotebookNode, expected: bool) -> Iterator[str]:
    """Look at one code cell; `expected` says that the code cell before it asks for a guess."""
    is_answer = cell.source.startswith(ANSWER)
    if GUESS in cell.source and not re.fullmatch(r'gl\.predict\("\w+"\)', cell.source):
        yield "a cell that asks for a guess does something else as well"
    if expected and not is_answer:
        yield f"the answer to a guess does not start with {ANSWER!r}"
    if is_answer and not cell.metadata.get("jupyter", {}).get("outputs_hidden"):
        yield "the answer to a prediction is not stored folded: run make lessons"


def code(path: Path, book: nbformat.NotebookNode) -> Iterator[str]:
    """Short imports first, no magic, nothing hidden."""
    for number, cell in code_cells(book):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if number == 1 and (len(lines) > IMPORT_LINES or "import gradlab as gl" not in cell.source):
            yield f"the first code cell must import gradlab as gl in at most {IMPORT_LINES} lines"
        if any(line.lstrip().startswith(("%", "!")) for line in lines):
            yield f"code cell {number} uses a magic or the shell"
        if lines and lines[-1].rstrip().endswith(";"):
            yield f"code cell {number} ends in a semicolon: nbval sees another output"
        for word, why in FORBIDDEN.items():
            if word in cell.source:
                yield f"code cell {number} has {word}: {why}"


def frame(path: Path, book: nbformat.NotebookNode) -> Iterator[str]:
    """The steps of a lesson: title, question, goals, predict, see, exercise, recap, sources."""
    prose = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    if not prose or book.cells[0].cell_type != "markdown" or not prose[0].startswith("# "):
        yield "the first cell is not a title"
        return
    if path.stem != "playground" and "?" not in prose[0]:
        yield "the first cell asks no question"
    if book.cells[-1].cell_type != "markdown":
        yield "the last cell is not prose"
    source = "\n".join(cell.source for _, cell in code_cells(book)).lower()
    yield from (f"there is no call of {call}" for call in missing(CALLS[:2], source))
    for target in re.findall(r"\]\(([^)#]+\.ipynb)", "\n".join(prose)):
        if "://" not in target and not (path.parent / target).exists():
            yield f"a link leads to {target}, which is not there"
    if path.stem in UNFRAMED:
        return
    yield from (f"the first cell lacks {word!r}" for word in missing(OPENING, prose[0]))
    yield from (f"the last two cells lack {w!r}" for w in missing(CLOSING, "\n".join(prose[-2:])))
    yield from (f"no cell says {word!r}" for word in missing(STEPS, "\n".join(prose)))
    yield from (f"there is no call of {call}" for call in missing(CALLS[2:], source))


def missing(words: tuple[str, ...], text: str) -> list[str]:
    """Return the words that `text` lacks, whatever their case."""
    return [word for word in words if word not in text.lower()]


def code_cells(book: nbformat.NotebookNode) -> Iterator[tuple[int, nbformat.NotebookNode]]:
    """Yield (number, cell) for the code cells, counted from 1."""
    yield from enumerate((cell for cell in book.cells if cell.cell_type == "code"), start=1)
