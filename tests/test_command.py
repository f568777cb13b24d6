"""The command `gradlab`, as a shell runs it."""

import ast
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from gradlab import lesson_files
from gradlab.lesson_files import copy_lessons, lessons_of

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted(p.name for p in (ROOT / "lessons").glob("*.ipynb"))
MODULE = """
import numpy as np
import gradlab as gl

theta = np.array([0.5, 1.0, 2.0])
f = lambda t: float(np.sin(t).sum())
right = (f, np.cos, theta)
slightly_wrong = (f, lambda t: 1.01 * np.cos(t), theta)
undecided = (lambda t: f(t) + np.random.default_rng().random(), np.cos, theta)
report = gl.check_function(*right)
no_gradient = (f, 3, theta)
number = 3


def check():
    return gl.check_function(*slightly_wrong)


def parts():
    return right


def needs(argument):
    return report


def says_all_is_well():
    raise SystemExit(0)


def says_wrong():
    raise SystemExit(1)


def breaks():
    raise ZeroDivisionError("in net.py")


def fails(t):
    raise RuntimeError("no loss today")


broken = (fails, np.cos, theta)


class Suite:
    report = report
"""


def run(folder, *arguments, path=ROOT, **env):
    """Run the command in `folder`; gradlab comes from `path`."""
    paths = os.pathsep.join(map(str, path if isinstance(path, list) else [path]))
    return subprocess.run(
        [sys.executable, "-m", "gradlab", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8", **env},
        timeout=600,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net.py").write_text(MODULE)
    return tmp_path


def test_alone_it_lists_what_it_can_do(tmp_path):
    alone = run(tmp_path)
    assert alone.returncode == 0
    for words in ("open the course in JupyterLab", "check a gradient: gradlab check module:name"):
        assert words in " ".join(alone.stdout.split())
    assert run(tmp_path, "--version").stdout.startswith("gradlab ")
    assert run(tmp_path, "check", "--help").returncode == 0


def test_the_package_brings_the_command_and_the_lessons():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["scripts"] == {"gradlab": "gradlab.command:main"}
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["only-include"] == ["gradlab", "lessons"]
    assert ".ipynb_checkpoints" in wheel["exclude"]
    assert wheel["sources"] == {"lessons": "gradlab/lessons"}


def test_it_is_light(tmp_path):
    """A check of one's own needs neither JupyterLab nor matplotlib."""
    code = "import gradlab.command, sys; print(sorted({'jupyterlab', 'matplotlib', 'torch'} & "
    found = subprocess.run([sys.executable, "-c", code + "set(sys.modules)))"], cwd=ROOT,
                           capture_output=True, text=True)  # fmt: skip
    assert ast.literal_eval(found.stdout) == []


# -- gradlab check -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("right", 0, "✓ correct"),
        ("report", 0, "✓ correct"),
        ("parts", 0, "✓ correct"),
        ("Suite.report", 0, "✓ correct"),
        ("slightly_wrong", 1, "✗ wrong"),
        ("check", 1, "✗ wrong"),
        ("undecided", 2, "? inconclusive"),
    ],
)
def test_the_verdict_is_the_status(folder, name, status, words):
    checked = run(folder, "check", f"net:{name}")
    assert (checked.returncode, checked.stderr) == (status, "")
    assert checked.stdout.startswith(words)
    assert "evaluations" in checked.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], "invalid choice: 'chekc' (choose from"),
        (["check"], "the following arguments are required: module:name"),
        (["check", "net:right", "--sav"], "expected one argument"),
        (["check", "net:right", "--", "more"], "only gradlab lab and gradlab demo take"),
        (["check", "net"], "expected module:name, as in net:report, got 'net'"),
        (["check", "net:"], "expected module:name, as in net:report, got 'net:'"),
        (["check", ":right"], "expected module:name, as in net:report, got ':right'"),
        (["check", "ent:right"], "no module 'ent' in "),
        (["check", "ent.inner:right"], "no module 'ent.inner' in "),
        (["check", "net.inner:right"], "no module 'net.inner' in "),
        (["check", "my-net:right"], "no module 'my-net' in "),
        (["check", "net:rigth"], "net has no 'rigth'; it has Suite, breaks, broken, check, f"),
        (["check", "net:Suite.x"], "net.Suite has no 'x'; it has report"),
        (["check", "net:number"], "net:number must be a gl.Report, a function without arguments "
         "that returns one, or a tuple (f, grad, theta), got 3 (int)"),
        (["check", "net:no_gradient"], "net:no_gradient must be a gl.Report, a function"),
        (["check", "net:Suite"], "net:Suite must be a gl.Report, a function"),
        (["check", "net:needs"], "net:needs raised TypeError: needs() missing 1 required"),
        (["check", "net:says_all_is_well"], "net:says_all_is_well raised SystemExit: 0"),
        (["check", "net:says_wrong"], "net:says_wrong raised SystemExit: 1"),
        (["check", "net:breaks"], "net:breaks raised ZeroDivisionError: in net.py"),
        (["check", "net:broken"], "checking net:broken raised RuntimeError: no loss today"),
        (["check", "leaves:x"], "importing leaves raised SystemExit: 0"),
        (["check", "lacks:x"], "importing lacks raised ModuleNotFoundError: No module named 'no_s"),
        (["check", "typo:x"], "importing typo raised SyntaxError: "),
        (["check", "net:right", "--save", "r.pdf"], "--save: path must end in .html, got 'r.pdf'"),
        (["check", "net:right", "--save", "."], "--save: path must be a file such as"),
        (["check", "net:right", "--save", "a/r.html"], "--save: path must lie in a folder, got"),
        (["lab", "--folder", "net.py"], "--folder must be a folder, got the file "),
        (["lab", "--folder", "net.py/in"], "--folder must be a folder that can be made, got "),
    ],
)  # fmt: skip
def test_whatever_is_no_verdict_is_status_3(folder, arguments, words):
    (folder / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    (folder / "lacks.py").write_text("import no_such_module\n")
    (folder / "typo.py").write_text("def f(:\n")
    ended = run(folder, *arguments)
    assert ended.returncode == 3
    assert words in " ".join(ended.stderr.split())
    assert ended.stdout == ""


def test_an_error_of_ones_own_shows_where(folder):
    assert 'net.py", line' in run(folder, "check", "net:breaks").stderr


def test_the_page_is_saved_too(folder):
    checked = run(folder, "check", "net:check", "--save", "report.html")
    assert checked.returncode == 1
    assert checked.stdout.splitlines()[-1] == f"saved: {folder / 'report.html'}"
    assert "✗ wrong" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_wrong_place_to_save_is_known_before_the_check(folder):
    (folder / "slow.py").write_text("open('ran', 'w').close()\n")
    assert run(folder, "check", "slow:x", "--save", "no/r.html").returncode == 3
    assert not (folder / "ran").exists()


def test_a_terminal_without_check_marks(folder):
    checked = run(folder, "check", "net:right", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert checked.returncode == 0
    assert checked.stdout.startswith("\\u2713 correct")


def test_a_reader_that_goes_away_does_not_change_the_status(folder):
    command = f"{sys.executable} -m gradlab check net:right | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True,
                           env=os.environ | {"PYTHONPATH": str(ROOT)})  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")


# -- gradlab lab ---------------------------------------------------------------------------------


@pytest.fixture
def jupyter(tmp_path):
    """A folder for PYTHONPATH with a JupyterLab that only says how it was called."""
    package = tmp_path / "stub" / "jupyterlab"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("import sys\nprint(sys.argv[1:])\nsys.exit(7)\n")
    return tmp_path / "stub"


@pytest.fixture
def installed(tmp_path):
    """The package as the wheel holds it, unpacked: the lessons are inside."""
    site = tmp_path / "site"
    site.mkdir()
    package = site / "gradlab"
    package.mkdir()
    for path in (ROOT / "gradlab").iterdir():
        if path.name not in ("__pycache__", "lesson_files.py"):
            os.symlink(path, package / path.name)
    (package / "lesson_files.py").write_text(Path(lesson_files.__file__).read_text())
    os.symlink(ROOT / "lessons", package / "lessons")
    return site


def called(ended):
    assert ended.returncode == 7, ended.stderr  # JupyterLab's own
    *told, command = ended.stdout.splitlines()
    return told, ast.literal_eval(command)


def opened(folder, *more):
    return [f"--ServerApp.root_dir={folder}", "--LabApp.default_url=/lab/tree/00_start_here.ipynb",
            *more]  # fmt: skip


def test_a_checkout_uses_its_own_lessons_and_no_default_of_jupyterlab_is_weakened(
    tmp_path, jupyter
):
    told, command = called(run(tmp_path, "lab", path=[ROOT, jupyter]))
    assert told == []
    assert command == opened(ROOT / "lessons")
    more = ("--no-browser", "--port", "8899", "--", "x")
    _, command = called(run(tmp_path, "lab", "--", *more, path=[ROOT, jupyter]))
    assert command == opened(ROOT / "lessons", *more)


@pytest.mark.parametrize(("asked", "threads"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_its_kernels_have_one_thread_for_blas_unless_somebody_asks_for_more(
    tmp_path, jupyter, monkeypatch, asked, threads
):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    ask = "import os\nprint(os.environ['OPENBLAS_NUM_THREADS'])\n"
    (jupyter / "jupyterlab/__main__.py").write_text(ask)
    assert run(tmp_path, "lab", path=[ROOT, jupyter], **asked).stdout == f"{threads}\n"


def test_a_checkout_copies_when_it_is_told_where_to(tmp_path, jupyter):
    told, command = called(run(tmp_path, "lab", "--folder", "mine", path=[ROOT, jupyter]))
    assert command == opened(tmp_path / "mine")
    assert sorted(p.name for p in (tmp_path / "mine").glob("*.ipynb")) == LESSONS
    assert told[0].startswith(f"{tmp_path / 'mine'}: {len(LESSONS) + 2} files copied, 0 were")


def test_an_installed_package_copies_its_lessons_and_never_over_a_changed_one(
    tmp_path, jupyter, installed
):
    path = [installed, jupyter]
    mine = tmp_path / "gradlab-lessons"
    told, command = called(run(tmp_path, "lab", path=path))
    assert command == opened(mine)
    assert told == [f"{mine}: {len(LESSONS) + 2} files copied, 0 were there already"]
    for name in LESSONS:
        assert (mine / name).read_bytes() == (ROOT / "lessons" / name).read_bytes()
    (mine / LESSONS[2]).write_text("my own work")
    (mine / LESSONS[3]).unlink()
    (mine / "my_notebook.ipynb").write_text("{}")
    told, _ = called(run(tmp_path, "lab", path=path))
    assert told[0] == f"{mine}: 1 file copied, {len(LESSONS)} were there already"
    assert told[1] == f"kept, though this gradlab's differs: {LESSONS[2]}"
    assert (mine / LESSONS[2]).read_text() == "my own work"
    assert (mine / LESSONS[3]).read_bytes() == (ROOT / "lessons" / LESSONS[3]).read_bytes()
    assert (mine / "my_notebook.ipynb").read_text() == "{}"


def test_without_jupyterlab_it_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['jupyterlab'] = None; from gradlab.command import main; "
    ended = subprocess.run([sys.executable, "-c", code + "sys.exit(main(['lab']))"], cwd=ROOT,
                           capture_output=True, text=True)  # fmt: skip
    assert ended.returncode == 3
    assert "JupyterLab is not installed for" in ended.stderr


def test_without_voila_it_says_what_to_install():
    code = "import sys; sys.modules['voila'] = None; from gradlab.command import main; "
    ended = subprocess.run([sys.executable, "-c", code + "sys.exit(main(['demo']))"], cwd=ROOT,
                           capture_output=True, text=True)  # fmt: skip
    assert ended.returncode == 3
    assert "Voilà is not installed for" in ended.stderr
    assert "pip install 'gradlab[demo]'" in ended.stderr


def test_a_copy_that_is_interrupted_leaves_no_half_file(tmp_path, monkeypatch):
    def half(path, target):
        Path(target).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.copyfile", half)
    with pytest.raises(KeyboardInterrupt):
        copy_lessons(ROOT / "lessons", tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_links_and_folders_in_the_way_are_kept_and_checkpoints_stay(tmp_path):
    lessons, mine = tmp_path / "lessons", tmp_path / "mine"
    (lessons / ".ipynb_checkpoints").mkdir(parents=True)
    mine.mkdir()
    for name in ("a.ipynb", "b.ipynb", "c.ipynb", ".ipynb_checkpoints/a.ipynb"):
        (lessons / name).write_text(name)
    (mine / "a.ipynb").symlink_to(tmp_path / "nowhere")
    (mine / "b.ipynb").mkdir()
    assert copy_lessons(lessons, mine) == (1, 0, ["a.ipynb", "b.ipynb"])
    assert not (tmp_path / "nowhere").exists()
    assert sorted(p.name for p in mine.iterdir()) == ["a.ipynb", "b.ipynb", "c.ipynb"]


def test_lessons_of_somebody_else_are_not_taken(tmp_path):
    package = tmp_path / "site-packages" / "gradlab"
    (package.parent / "lessons").mkdir(parents=True)
    package.mkdir()
    (package.parent / "lessons" / "00_start_here.ipynb").write_text("another's")
    assert lessons_of(package) == (None, False)


def served(command, folder, tmp_path, env):
    """Start JupyterLab, return its page at the address that it prints, and end it.

    It takes the next port that is free by itself.
    """
    lab = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
        env=os.environ | env
        | {f"JUPYTER_{name}_DIR": str(tmp_path) for name in ("CONFIG", "DATA", "RUNTIME")},
    )  # fmt: skip
    try:
        printed, url = [], None
        while not url and (line := lab.stdout.readline()):
            printed.append(line)
            url = re.search(r"http://127\.0\.0\.1:\d+/\S*token=\S+", line)
        assert url, "".join(printed)
        return url[0], page_of(url[0]), status_of(url[0].partition("/lab")[0] + "/api/contents")
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        lab.stdout.close()
        lab.wait(300)


def page_of(url):
    """JupyterLab prints its address a moment before it listens."""
    for _ in range(3000):
        try:
            with urllib.request.urlopen(url, timeout=300) as page:
                return page.read().decode()
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.1)
    raise AssertionError(f"nobody listens at {url}")


def status_of(url):
    try:
        return urllib.request.urlopen(url, timeout=300).status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_course_opens_in_a_real_jupyterlab_with_its_token(tmp_path, installed):
    command = [sys.executable, "-m", "gradlab", "lab", "--", "--no-browser", "--allow-root"]
    env = {"PYTHONPATH": str(installed)}
    url, page, without_token = served(command, tmp_path, tmp_path / "jupyter", env)
    assert "/lab/tree/00_start_here.ipynb?token=" in url
    assert "jupyter-config-data" in page
    assert without_token == 403
    assert (tmp_path / "gradlab-lessons" / LESSONS[0]).exists()


# Without hatchling pip fetches it, which needs the network: that waits for the soak.
HATCHLING = find_spec("hatchling") is not None


@pytest.mark.parametrize(
    "offline", [pytest.param(HATCHLING, marks=() if HATCHLING else pytest.mark.soak)]
)
def test_the_wheel_has_the_lessons_and_opens_the_course(tmp_path, jupyter, offline):
    more = ["--no-build-isolation"] if offline else []
    build = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "-q", "-w", str(tmp_path)]
    subprocess.run([*build, *more], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("gradlab-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        assert (
            sorted(
                n.rpartition("/")[2] for n in names if re.fullmatch(r"gradlab/lessons/\w+.ipynb", n)
            )
            == LESSONS
        )
        assert not [n for n in names if ".ipynb_checkpoints" in n or n.startswith("lessons/")]
        (entry,) = [n for n in names if n.endswith("entry_points.txt")]
        assert "gradlab = gradlab.command:main" in packed.read(entry).decode()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    # an environment with nothing of gradlab's; what it depends on is lent by this one
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (mine,) = Path(sys.prefix).glob("lib/python*/site-packages")
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index",
                    "--target", site, wheel], check=True, capture_output=True)  # fmt: skip
    (tmp_path / "home").mkdir()
    env = {"PYTHONPATH": os.pathsep.join(map(str, [site, jupyter, mine]))}
    ended = subprocess.run(
        [python, "-m", "gradlab", "lab"], cwd=tmp_path / "home", text=True, capture_output=True,
        env=os.environ | env,
    )  # fmt: skip
    _, command = called(ended)
    assert command == opened(tmp_path / "home" / "gradlab-lessons")
    copied = tmp_path / "home" / "gradlab-lessons"
    assert sorted(p.name for p in copied.glob("*.ipynb")) == LESSONS
