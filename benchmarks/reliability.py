"""What gradlab withstands, as one table.

    python benchmarks/reliability.py                         all but the environments
    python benchmarks/reliability.py --environments          also other Pythons, lowest, newest
    python benchmarks/reliability.py --only memory random

Where a test holds something already, the row runs it and tells how many cases there were; the
others are measured here. Exits with 1 if a row fails. The rows of the page need a browser
(GRADLAB_BROWSER). Takes a quarter of an hour, the environments about as long again.
"""

import argparse
import ast
import asyncio
import builtins
import gc
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import traceback
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import _one_core  # noqa: F401
import comm
import nbformat
import numpy as np
import psutil
from jupyter_client.manager import start_new_kernel

import gradlab as gl
from tests.lab.front_end import FrontEnd  # `_one_core` puts the project's folder on the path

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted((ROOT / "lessons").glob("*.ipynb"))
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
#: What a fresh environment must be able to do: numerics, own code, the lab, the course.
SMALL = ("tests/nn/test_networks.py", "tests/checking/test_check.py", "tests/lab/test_state.py",
         "tests/lab/test_view.py", "tests/course/test_exercises.py", "tests/plots")  # fmt: skip
VERSIONS = """from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in ("numpy", "matplotlib", "ipywidgets")))"""
EVENTS, GROWTH = 2000, 20.0  # slider events, and MB that they may leave


class FailedError(Exception):
    """A row does not hold; the message says why."""


def passed(nodes, python=sys.executable, *, more=()):
    """Run tests; returns how many cases passed."""
    command = [python, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *more, *nodes]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    said = ended.stdout.strip().splitlines()
    found = re.search(r"(\d+) passed", said[-1]) if said else None
    if ended.returncode or not found:
        which = [line for line in said[-8:] if line.startswith(("FAILED", "ERROR"))]
        raise FailedError("; ".join(which) or " ".join(said[-3:]) or ended.stderr[-300:])
    return int(found[1])


# -- the rows: each returns what there was to see ------------------------------------------------


def bad_input():
    """Wrong arguments get an error that names them, wrong answers a message."""
    rooms = ("checking/test_bad_input", "own/test_misuse", "test_validate", "course/test_exercises")
    count = passed([f"tests/{room}.py" for room in rooms], more=["-m", ""])
    return f"{count} cases tried and answered"


def memory():
    """Slider events answered, and what they leave."""
    answered, grown = asyncio.run(drag())  # as in a kernel: what is dear comes at rest
    if grown > GROWTH or answered < EVENTS:
        raise FailedError(f"{answered} of {EVENTS} answered, {grown:.1f} MB left behind")
    return f"{EVENTS} events, all answered; memory {grown:+.1f} MB (at most {GROWTH:.0f})"


async def drag():
    """Drag two sliders; returns the frames that it gave and the memory that it left, in MB."""
    front_end = FrontEnd()
    comm.create_comm = front_end.create_comm
    lab = gl.Lab()
    for count in (EVENTS // 5, EVENTS):  # the first time caches fill
        gc.collect()
        frames, before = lab.frames, psutil.Process().memory_info().rss
        for i, step in enumerate(np.logspace(-13, -1, count)):
            name, value = ("weight_scale", step**0.25) if i % 20 == 0 else ("eps", step)
            front_end.move(lab.controls[name], float(value))
            front_end.clear()
            await asyncio.sleep(0)
    gc.collect()
    answered, after = lab.frames - frames, psutil.Process().memory_info().rss
    lab.close()
    return answered, (after - before) / 1e6


def monkey():
    """Random use of every control, button, key and panel, wrong values among it."""
    count = passed(["tests/lab/test_monkey.py", "tests/lab/test_threads.py"], more=["-m", ""])
    return f"10000 events of a seeded monkey, and cells beside callbacks: {count} tests"


def runs_again():
    """Run a cell again: one lab is left."""
    count = passed(["tests/lab/test_lifetime.py", "tests/lab/test_view.py"], more=["-k", "cell"])
    return f"ten runs of a cell leave one lab and one callback: {count} tests"


def random_order():
    """Run lessons' cells in random order, alone and each right after those that set it up."""
    worked, total, alone, wrong = 0, 0, 0, []
    for path in LESSONS:
        good, cells, first, bad = shuffled(path, seed=0)
        worked, total, alone, wrong = worked + good, total + cells, alone + first, wrong + bad
        print(f"  {path.name}: {good} of {cells}, {first} of them alone", file=sys.stderr)
    if wrong:
        raise FailedError(f"{worked} of {total} cells; {'; '.join(wrong[:4])}")
    early = f"too early: {alone} work, {total - alone} say which name is not defined"
    return f"{len(LESSONS)} notebooks, {total} cells, each after its set-up: all work; {early}"


def shuffled(path, seed):
    """Run a lesson's cells in random order, each with no name defined, and after its set-up.

    Returns how many worked after it, of all, how many worked alone, and what failed. Alone a cell
    may miss a name, and nothing else: the lesson's first cell says what to do then.
    """
    codes = [c.source for c in nbformat.read(path, 4).cells if c.cell_type == "code"]
    needs = [needed(codes, i) for i in range(len(codes))]
    order = random.Random(seed).sample(range(len(codes)), len(codes))
    manager, client = start_new_kernel(startup_timeout=600, cwd=str(path.parent))
    good, alone, wrong = 0, 0, []
    try:
        with tempfile.TemporaryDirectory() as home:
            run(client, f"import os; os.environ['GRADLAB_HOME'] = {home!r}")
            for i in order:
                run(client, "%reset -f")
                early = run(client, codes[i])
                for j in [*sorted(needs[i]), i]:
                    content = run(client, codes[j])
                good += content["status"] == "ok"
                alone += early["status"] == "ok"
                bad = [content] if content["status"] != "ok" else []
                if early["status"] != "ok" and early["ename"] != "NameError":
                    bad.append(early)
                wrong += [f"{path.stem}, cell {i}: {c['ename']}: {c['evalue']}" for c in bad]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return good, len(codes), alone, wrong


def run(client, code):
    """Run a cell and return the reply's content."""
    quiet = {"output_hook": lambda message: None, "timeout": 900}
    return client.execute_interactive(code, allow_stdin=False, **quiet)["content"]


def needed(codes, at):
    """Return the cells before `at` that bind a name which it reads, and what they need."""
    found = set()
    for name in names(codes[at])[0]:
        makers = [i for i in range(at) if name in names(codes[i])[1]]
        if makers:
            found |= {makers[-1], *needed(codes, makers[-1])}
    return found


def names(code):
    """Return the names that a cell reads, and those that it binds."""
    reads, binds = set(), set()
    tree = ast.parse(re.sub(r"^[%!].*", "pass", code, flags=re.MULTILINE))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (binds if isinstance(node.ctx, ast.Store) else reads).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            binds.add(node.name)
        elif isinstance(node, ast.alias):
            binds.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            with suppress(SyntaxError, ValueError):  # code for timeit, in a string
                reads |= names(node.value)[0]
    return reads - set(dir(builtins)), binds


def progress():
    """Progress written by several kernels at once, and by threads."""
    count = passed(["tests/course/test_progress.py"], more=["-k", "several or threads"])
    return f"3 kernels and 8 threads at once lose nothing: {count} tests"


def full_disk():
    """Progress on a disk without room."""
    count = passed(["tests/course/test_progress.py"], more=["-k", "full_disk"])
    return f"nothing lost, said once, saved later: {count} cases"


def read_only():
    """Progress and an exercise where the home cannot be written."""
    code = ("import gradlab as gl\nfrom gradlab.course.tasks import TASKS\n"
            "note = gl.exercise('choose_eps').check(TASKS['choose_eps'].answer)\n"
            "assert note.solved and 'cannot be saved' in repr(note), note")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        home.chmod(0o500)
        if os.access(home, os.W_OK):  # root may write anywhere but there:
            home = Path("/proc")
        environment = os.environ | {"GRADLAB_HOME": str(home / "gradlab"), "PYTHONPATH": str(ROOT)}
        ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True,
                               text=True)  # fmt: skip
    if ended.returncode:
        raise FailedError(ended.stderr.strip().splitlines()[-1])
    return "an exercise is checked, and the note says that it cannot be saved"


def in_browser(file, words):
    """Return a row that runs a file of browser tests."""
    return lambda: f"{words}: {passed([f'tests/browser/{file}'])} tests"


def environments():
    """Yield a row for each Python of this machine, and for the ends of the ranges."""
    for version in PYTHONS:
        program = shutil.which(f"python{version}")
        # a manager's stand-in for a version that is not there is found, and does not run
        if program is None or subprocess.run([program, "-c", ""], capture_output=True).returncode:
            print(f"{'Python ' + version:24} --      not on this machine")
            continue
        yield f"Python {version}, newest", lambda program=program: fresh(program, [])
    yield "lowest of the ranges", lambda: fresh(sys.executable, lowest())


def fresh(program, pins):
    """Run a few tests in a new environment."""
    with tempfile.TemporaryDirectory(prefix="gradlab-venv-") as folder:
        subprocess.run([program, "-m", "venv", folder], check=True)
        python = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        wanted = ["--editable", str(ROOT), "pytest", "pytest-timeout", "autograd", "psutil", *pins]
        ended = subprocess.run([*pip, *wanted], capture_output=True, text=True)
        if ended.returncode:
            raise FailedError(ended.stderr.strip().splitlines()[-1])
        # old packages use what the newest of those below them call deprecated: theirs, not ours
        more = ["-W", "ignore::DeprecationWarning"] if pins else []
        count = passed(SMALL, str(python), more=more)
        told = subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True).stdout
    return f"{count} tests; {told.strip()}"


def lowest():
    """Return each run-time package at the lower end of its range."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [re.sub(r">=([\d.]+).*", r"==\1", one) for one in project["dependencies"]]


ROWS = {
    "bad input": bad_input,
    "memory": memory,
    "monkey": monkey,
    "runs again": runs_again,
    "random order": random_order,
    "two kernels": progress,
    "full disk": full_disk,
    "read-only home": read_only,
    "HTML, killed kernel": in_browser(
        "test_attacks_in_jupyterlab.py", "HTML stays text; a kernel killed in a drag is told"
    ),
    "saved and reopened": in_browser(
        "test_stored_in_jupyterlab.py", "picture and text where nothing answers"
    ),
}  # fmt: skip


def main():
    """Print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=list(ROWS), help="rows that begin so")
    parser.add_argument("--environments", action="store_true", help="also make new environments")
    asked = parser.parse_args()
    rows = [(n, row) for n, row in ROWS.items() if any(n.startswith(one) for one in asked.only)]
    failed = sum(not shown(name, row) for name, row in rows)
    if asked.environments:
        failed += sum(not shown(name, row) for name, row in environments())
    return 1 if failed else 0


def shown(name, row):
    """Run a row and print it; returns whether it holds."""
    out = StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(sys.stderr):
            told, held = row(), True
    except FailedError as failed:
        told, held = f"{failed}", False
    except Exception:
        told, held = traceback.format_exc().strip().splitlines()[-1], False
    print(f"{name:24} {'holds' if held else 'FAILS'}   {told}", flush=True)
    return held


if __name__ == "__main__":
    sys.exit(main())
