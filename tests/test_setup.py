"""What a person meets first: make, the environment files, the README."""

import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest
import yaml

import gradlab as gl

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
README = (ROOT / "README.md").read_text()
FIND_BROWSER = [sys.executable, ROOT / ".ci" / "find_browser.py"]


def test_environment_yml_repeats_pyproject():
    wanted = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert wanted["channels"] == ["conda-forge"]
    *packages, pip, editable = wanted["dependencies"]
    assert (pip, editable) == ("pip", {"pip": ["-e ."]})
    assert packages[0] == "python=3.12"  # Binder reads any other form as another version
    assert sorted(packages[1:]) == sorted(PROJECT["dependencies"])


def test_the_package_names_its_five_packages_and_two_more():
    names = {re.match(r"[a-z]+", line)[0] for line in PROJECT["dependencies"]}
    assert names == {
        "numpy",
        "ipywidgets",
        "anywidget",
        "jupyterlab",
        "matplotlib",
        "nbval",
        "tqdm",
    }
    assert all("<" in line and ">=" in line for line in PROJECT["dependencies"])
    assert PROJECT["optional-dependencies"]["frameworks"] == ["torch==2.13.0", "jax>=0.6,<1"]


def test_every_range_and_every_lint_exception_has_its_reason():
    text = (ROOT / "pyproject.toml").read_text()
    for line in re.findall(r'^    ".*[<>=]=?[0-9].*$', text, re.MULTILINE):
        assert " # " in line, f"no reason beside {line.strip()}"
    for block in re.findall(r"^ignore = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            assert " # " in line, f"no reason beside {line.strip()}"


def test_the_readmes_snippets_print_what_stands_below_them(tmp_path):
    snippets = re.findall(r"```python\n(.*?)```\s+```\n(.*?)```", README, re.DOTALL)
    code, printed = ("".join(part) for part in zip(*snippets, strict=True))
    assert len([line for line in snippets[0][0].splitlines() if line]) == 6
    (tmp_path / "readme.py").write_text(code)  # as in a notebook, whose lines can be read
    run = subprocess.run([sys.executable, tmp_path / "readme.py"], capture_output=True, text=True,
                         cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert (run.stdout, run.stderr) == (printed, "")


def test_the_readmes_links_lead_somewhere_and_every_lesson_is_listed():
    links = set(re.findall(r"\]\(([^):]+)\)", README))
    assert [link for link in sorted(links) if not (ROOT / link).exists()] == []
    lessons = {f"lessons/{path.name}" for path in (ROOT / "lessons").glob("*.ipynb")}
    assert lessons == {link for link in links if link.endswith(".ipynb")}


def test_what_contributing_names_is_there():
    told = re.findall(r"`([^`]+)`", (ROOT / "CONTRIBUTING.md").read_text())
    paths = [name for name in told if re.fullmatch(r"(tests|gradlab|lab|benchmarks)/[\w/.]+", name)]
    assert len(paths) > 10
    places = (ROOT, ROOT / "gradlab")
    assert [name for name in paths if not any((at / name).exists() for at in places)] == []
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {name.split()[1] for name in told if name.startswith("make ")} <= set(targets)


def test_make_map_has_a_line_for_every_file():
    command = ["make", "--no-print-directory", "map"]  # as it is below `make test`
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = dict(line.split("  ", 1) for line in printed.stdout.splitlines())
    files = [p for end in ("py", "js") for p in (ROOT / "gradlab").rglob(f"*.{end}")]
    assert sorted(told) == sorted(str(p.relative_to(ROOT)) for p in files)
    assert [path for path, words in told.items() if len(words.split()) < 3] == []


def test_make_lab_serves_the_first_lesson_on_loopback_with_a_token(tmp_path):
    """The real target, with the environment that runs the tests standing for .venv."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    venv = Path(sys.prefix)
    folders = ("CONFIG", "DATA", "RUNTIME")  # nothing of the user's own
    arguments = [f"VENV={venv}", f"LAB_ARGS=--no-browser --port={port} --allow-root"]
    lab = subprocess.Popen(
        ["make", "lab", "--assume-old", str(venv / ".lab"), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {f"JUPYTER_{name}_DIR": str(tmp_path) for name in folders},
    )
    try:
        printed, url = [], None
        while not url and (line := lab.stdout.readline()):
            printed.append(line)
            url = re.search(rf"http://127\.0\.0\.1:{port}/\S*token=\S+", line)
        assert url, "".join(printed)
        assert "/lab/tree/lessons/00_start_here.ipynb" in url[0]
        assert "jupyter-config-data" in page_when_it_listens(url[0])
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents", timeout=300)
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        lab.stdout.close()
        lab.wait(300)


def page_when_it_listens(url):
    """JupyterLab prints its address a moment before it listens."""
    for _ in range(6000):
        try:
            with urllib.request.urlopen(url, timeout=300) as page:
                return page.read().decode()
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.1)
    raise AssertionError(f"nobody listens at {url}")


def test_a_second_make_asks_pip_for_nothing(tmp_path):
    """Offline works because a fresh stamp leaves pip out; a changed pyproject.toml calls it."""
    for name in ("Makefile", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / ".venv" / "docs").mkdir(parents=True)
    for stamp in (".made", ".lab", ".test", ".frameworks", "docs/.docs"):
        (tmp_path / ".venv" / stamp).touch()
    targets = ["lab", "test", "soak", "test-frameworks", "docs", "site"]
    dry = ["make", "--no-print-directory", "--dry-run", *targets]
    plan = subprocess.run(dry, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "jupyter lab" in plan
    assert "pip install" not in plan
    later = time.time() + 10
    os.utime(tmp_path / "pyproject.toml", (later, later))
    plan = subprocess.run(dry, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert plan.count("pip install") == 4


def fake_program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_an_old_python_gets_a_clear_message(tmp_path):
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python"):
        fake_program(tmp_path / name, '[ "$1" = --version ] && echo Python 3.9.2 || exit 1')
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [ROOT / ".ci" / "venv.sh", tmp_path / "venv"]
    run = subprocess.run(command, env=env, capture_output=True, text=True)
    assert run.returncode == 1
    assert "gradlab needs Python 3.11 or newer" in run.stderr
    assert "python3: Python 3.9.2" in run.stderr
    assert not (tmp_path / "venv").exists()


def test_a_python_without_ensurepip_gets_a_clear_message(tmp_path):
    """Debian's python3 without python3-venv: new enough, but it can make no environment."""
    new_enough = (
        'case "$*" in *ensurepip*) exit 1;; esac\n[ "$1" = --version ] && echo Python 3.12.1'
    )
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python"):
        fake_program(tmp_path / name, f"{new_enough}\nexit 0")
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [ROOT / ".ci" / "venv.sh", tmp_path / "venv"]
    run = subprocess.run(command, env=env, capture_output=True, text=True)
    assert run.returncode == 1
    assert "without the modules venv and ensurepip" in run.stderr
    assert "apt-get install python3-venv" in run.stderr


def find_browser(tmp_path, *arguments, **env):
    """Run the script with a PATH that holds only what the test put there."""
    env = {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "none"), **env}
    command = [*FIND_BROWSER, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=1200)


def test_a_browser_of_this_machine_is_taken(tmp_path):
    fake_program(tmp_path / "chromium", "exit 1")  # a stub that does not start is passed over
    chrome = fake_program(tmp_path / "google-chrome", "echo Google Chrome 1.2.3")
    run = find_browser(tmp_path)
    assert (run.returncode, run.stdout.strip()) == (0, str(chrome))


def test_a_browser_that_is_named_must_run(tmp_path):
    chrome = fake_program(tmp_path / "mine", "echo Chromium 1.2.3")
    assert find_browser(tmp_path, GRADLAB_BROWSER=str(chrome)).stdout.strip() == str(chrome)
    run = find_browser(tmp_path, GRADLAB_BROWSER="/no/such/browser")
    assert run.returncode == 1
    assert "'/no/such/browser', which does not run" in run.stderr


def test_no_browser_says_what_to_install(tmp_path, monkeypatch, capsys):
    """In this process: on a Mac, browsers have fixed places that no PATH can hide."""
    script = runpy.run_path(FIND_BROWSER[1])
    monkeypatch.setitem(script["main"].__globals__, "already_here", lambda: iter([None]))
    monkeypatch.delenv("GRADLAB_BROWSER", raising=False)
    assert script["main"]([]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "apt-get install chromium" in printed.err
    assert "GRADLAB_BROWSER" in printed.err


def test_a_missing_browser_is_installed_one_way_after_the_other(tmp_path, monkeypatch, capfd):
    """Playwright's download fails here; then the package manager is asked, and its browser used."""
    fake_program(tmp_path / "apt-get", f"cp {tmp_path}/later {tmp_path}/chromium; echo got $*")
    fake_program(tmp_path / "later", "echo Chromium 1.2.3")
    fake_program(tmp_path / "sudo", 'shift; exec "$@"')
    script = runpy.run_path(FIND_BROWSER[1])
    names = script["main"].__globals__
    monkeypatch.setitem(names, "NAMES", ("chromium",))
    monkeypatch.setitem(names, "playwrights_own", lambda: None)
    monkeypatch.setattr(names["sys"], "executable", "/bin/false")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setitem(names, "shutil", OnlyIn(tmp_path))
    monkeypatch.delenv("GRADLAB_BROWSER", raising=False)
    assert script["main"](["--install"]) == 0
    printed = capfd.readouterr()
    assert printed.out.strip() == str(tmp_path / "chromium")
    assert "got install -y chromium" in printed.err


class OnlyIn:
    """Stands for shutil: finds programs in one folder, and not the machine's own browser."""

    def __init__(self, folder):
        self.folder = folder

    def which(self, name):
        path = self.folder / Path(name).name
        return str(path) if path.exists() else None


def test_all_cases_run_where_a_test_is_asked_for_by_name():
    """Of 68 six run else, and the others wait for the soak."""
    asked = ["-m", "pytest", "--collect-only", "-q", "tests/own/test_source.py"]
    name = "test_with_the_line_that_is_told_the_check_comes_out_right"
    counts = [
        subprocess.run([sys.executable, *asked, *more], capture_output=True, text=True, cwd=ROOT)
        .stdout.count(f"{name}[")
        for more in ([], ["-k", "comes_out_right"])
    ]  # fmt: skip
    assert counts == [6, 68]


def test_the_version_is_that_of_the_package():
    assert gl.__version__ == PROJECT["version"]


def test_the_version_is_looked_up_only_when_asked_for():
    code = "import gradlab, sys; 'importlib.metadata' in sys.modules and sys.exit(1)"
    bare = "import numpy, sys; sys.exit('importlib.metadata' in sys.modules)"
    if subprocess.run([sys.executable, "-c", bare]).returncode == 0:
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
