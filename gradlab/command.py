"""The command `gradlab`: the course, the lab for a class, and a check that a shell can read."""

from __future__ import annotations

import argparse
import os
import pkgutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from gradlab.checking import Report, Verdict, check_function
from gradlab.checking.saved import where_to_save
from gradlab.lesson_files import FIRST, copy_lessons, lessons_of

STATUS = {Verdict.CORRECT: 0, Verdict.WRONG: 1, Verdict.INCONCLUSIVE: 2}
NOTHING_CHECKED = 3
FOLDER = "gradlab-lessons"
WANTED = "a gl.Report, a function without arguments that returns one, or a tuple (f, grad, theta)"
ABOUT = "Gradient checking you can see: a course in JupyterLab, and checks of your own code."
LAB = """\
Open the course in JupyterLab, at its first lesson. From a checkout the lessons are used where they
are; an installed gradlab copies its own to a folder of yours, and never overwrites a file that
is there. What stands after -- is for JupyterLab: gradlab lab -- --port 8899"""
DEMO = """\
Open the lab for a class: one page, full of the lab, in presentation size, with a row of buttons
for ten minutes. It runs on this machine, for this machine: nobody else can open it without its
token. What stands after -- is for Voilà: gradlab demo -- --theme=dark --port=8899 --no-browser"""
CHECK = f"""\
Check a gradient and print the report. NAME is in a module of the current folder, and is
{WANTED}.

exit status:
  0  correct
  1  wrong
  2  inconclusive
  3  nothing was checked, or not saved: a wrong command, an error in the module"""


class _Parser(argparse.ArgumentParser):
    """Leaves the statuses 1 and 2 to verdicts."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(NOTHING_CHECKED, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands after `gradlab`; by default, of this process.

    Returns
    -------
    int
        The exit status: of a check 0, 1 or 2 for correct, wrong or inconclusive, and 3 where
        nothing was checked; of the lab JupyterLab's, of the demo Voilà's.

    Raises
    ------
    SystemExit
        The arguments are wrong, or help was asked for.

    Examples
    --------
    >>> from gradlab.command import main
    >>> main([])  # doctest: +ELLIPSIS
    usage: gradlab ...
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    rest = None
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, rest = arguments[:cut], arguments[cut + 1 :]
    parser = _parser()
    asked = parser.parse_args(arguments)
    if rest is not None and asked.does not in (_lab, _demo):
        parser.error("only gradlab lab and gradlab demo take arguments after --")
    if asked.does is None:
        parser.print_help()
        return 0
    try:
        return asked.does(asked, rest or [])
    except _RefusedError as refused:
        print(f"gradlab: {refused}", file=sys.stderr)
        return NOTHING_CHECKED
    except Exception:  # whatever it is, Python's own status for it, 1, would be a verdict
        traceback.print_exc()
        return NOTHING_CHECKED


class _RefusedError(Exception):
    """What was asked for cannot be done; the message says why."""


def _parser() -> _Parser:
    parser = _Parser("gradlab", description=ABOUT)
    parser.set_defaults(does=None)
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="what it can do", metavar="command")
    raw = argparse.RawDescriptionHelpFormatter
    lab = commands.add_parser(
        "lab",
        help="open the course in JupyterLab",
        description=LAB,
        usage="gradlab lab [-h] [--folder FOLDER] [-- ARGUMENT ...]",
        formatter_class=raw,
    )
    lab.add_argument("--folder", help=f"copy the lessons there (installed: ./{FOLDER})")
    lab.set_defaults(does=_lab)
    demo = commands.add_parser(
        "demo",
        help="show the lab to a class, full screen",
        description=DEMO,
        usage="gradlab demo [-h] [-- ARGUMENT ...]",
        formatter_class=raw,
    )
    demo.set_defaults(does=_demo)
    check = commands.add_parser(
        "check",
        help="check a gradient: gradlab check module:name",
        description=CHECK,
        formatter_class=raw,
    )
    check.add_argument("what", metavar="module:name", help="as in net:report or package.net:check")
    check.add_argument("--save", metavar="REPORT.html", help="write the report as a page, too")
    check.set_defaults(does=_check)
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"gradlab {version('gradlab')}"
    except PackageNotFoundError:
        return "gradlab (not installed)"


# -- gradlab lab ---------------------------------------------------------------------------------


def _lab(asked: argparse.Namespace, rest: list[str]) -> int:
    """Open the course; on POSIX systems this process becomes JupyterLab."""
    if find_spec("jupyterlab") is None:
        raise _RefusedError(
            f"JupyterLab is not installed for {sys.executable}: pip install jupyterlab"
        )
    lessons, ours = lessons_of()
    if lessons is None:
        raise _RefusedError("this gradlab has no lessons: install it with pip, or use a checkout")
    folder = lessons
    if asked.folder is not None or ours:
        folder = Path(asked.folder or FOLDER).absolute()
        try:
            copied, same, changed = copy_lessons(lessons, folder)
        except FileExistsError:
            raise _RefusedError(f"--folder must be a folder, got the file {folder}") from None
        except OSError as error:
            why = error.strerror or error
            told = f"--folder must be a folder that can be made, got {folder}: {why}"
            raise _RefusedError(told) from None
        _tell(folder, copied, same, changed)
    # Where the files are and what is opened; JupyterLab's other defaults stay, token and all.
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        *rest,
    ]
    return _become(command, os.environ)


def _become(command: list[str], environment: Mapping[str, str]) -> int:
    """Run a server in this one's place, with one thread for BLAS unless it is told otherwise.

    The matrices are small: the second thread spins while it waits, and takes the browser's core.
    """
    sys.stdout.flush()
    environment = {"OPENBLAS_NUM_THREADS": "1", **environment}
    if os.name == "posix":
        os.execve(command[0], command, environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which may ask first
    return subprocess.call(command, env=environment)


def _tell(folder: Path, copied: int, same: int, changed: list[str]) -> None:
    files = "file" if copied == 1 else "files"
    print(f"{folder}: {copied} {files} copied, {same} were there already")
    if changed:
        differ = "this gradlab's differs" if len(changed) == 1 else "this gradlab's differ"
        print(f"kept, though {differ}: {', '.join(changed)}")
        print("(rename or delete one, and the next gradlab lab brings the lesson as it was)")


# -- gradlab demo --------------------------------------------------------------------------------


def _demo(_: argparse.Namespace, rest: list[str]) -> int:
    """Serve the lab alone; on POSIX systems this process becomes Voilà."""
    if find_spec("voila") is None:
        raise _RefusedError(
            f"Voilà is not installed for {sys.executable}: pip install 'gradlab[demo]'"
        )
    folder = Path(__file__).resolve().parent / "lab" / "demo"
    # A token, which Voilà asks of nobody by itself; whoever opens the page finds a kernel that has
    # run its cell, and whoever loads it again the next one.
    command = [
        sys.executable,
        "-m",
        "gradlab.demo_server",
        str(folder / "demo.ipynb"),
        "--template=gradlab",
        "--Voila.ip=127.0.0.1",
        "--token",
        "--preheat_kernel=True",
        "--pool_size=2",
        *rest,
    ]
    paths = [str(folder), os.environ.get("JUPYTER_PATH", "")]  # where the template is
    here = {"JUPYTER_PATH": os.pathsep.join(filter(None, paths))}
    return _become(command, os.environ | here)


# -- gradlab check -------------------------------------------------------------------------------


def _check(asked: argparse.Namespace, _: list[str]) -> int:
    """Print the report of what was named; its verdict is the status."""
    _can_print_everything()
    try:
        target = where_to_save(asked.save) if asked.save is not None else None
    except (OSError, ValueError) as error:
        raise _RefusedError(f"--save: {error}") from None
    report = _report_of(asked.what)
    told, trouble = _run(str, f"the report of {asked.what} raised", (report,)), None
    if target is not None:
        try:
            told += f"\n\nsaved: {report.save(target)}"
        except OSError as error:
            trouble = f"--save {target}: {error.strerror or error}"
    try:
        print(told, flush=True)
    except BrokenPipeError:  # as in gradlab check … | head -1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if trouble:
        raise _RefusedError(trouble)
    return STATUS[report.verdict]


def _can_print_everything() -> None:
    """Write what a terminal's encoding does not have, as ✓, by its number."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _report_of(what: str) -> Report:
    """Return the report that `what` is, or leads to, or raise with what it is instead."""
    module, colon, name = what.partition(":")
    if not (module and colon and name):
        raise _RefusedError(f"expected module:name, as in net:report, got {what!r}")
    sys.path.insert(0, os.getcwd())
    found = _thing_in(module, name)
    if callable(found):
        found = _run(found, f"{what} raised", ())
    if isinstance(found, Report):
        return found
    if (
        isinstance(found, tuple)
        and len(found) == 3
        and callable(found[0])
        and (callable(found[1]) or found[1] is True or hasattr(found[1], "__len__"))
    ):
        return _run(check_function, f"checking {what} raised", found)
    shown = repr(found)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    raise _RefusedError(f"{what} must be {WANTED}, got {shown} ({type(found).__name__})")


def _thing_in(module: str, name: str) -> object:
    """Import `module`, and return what `name` is in it."""
    imported = _run(_module, f"importing {module} raised", (module,))
    where = module
    for part in name.split("."):
        if not hasattr(imported, part):
            names = [n for n in dir(imported) if not n.startswith("_")]
            raise _RefusedError(f"{where} has no {part!r}; it has {', '.join(names) or 'no names'}")
        imported, where = getattr(imported, part), f"{where}.{part}"
    return imported


def _module(name: str) -> object:
    try:
        return pkgutil.resolve_name(f"{name}:")
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):  # another one, which this one imports
            raise
    except ValueError as error:
        if "invalid format" not in str(error):
            raise
    raise _RefusedError(f"no module {name!r} in {os.getcwd()} or among the installed ones")


def _run(function: object, told: str, given: tuple) -> object:
    """Call what is the caller's own; whatever it raises is no verdict."""
    try:
        return function(*given)
    except (KeyboardInterrupt, _RefusedError):
        raise
    except BaseException as error:  # SystemExit as well: its status would be taken for a verdict
        traceback.print_exc()
        raise _RefusedError(f"{told} {type(error).__name__}: {error}") from None
