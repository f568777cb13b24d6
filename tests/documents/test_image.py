"""What the program that Binder runs makes of this folder, without Docker."""

import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own imports: nothing that gradlab can do
    from repo2docker.app import Repo2Docker

ROOT = Path(__file__).resolve().parents[2]
READ = ("environment.yml", "pyproject.toml", "start", "README.md", "LICENSE", "Makefile")
UPDATE = '${MAMBA_EXE} env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in READ:
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)  # where repo2docker looks
    return tmp_path


def picked():
    """Return what repo2docker would build the current folder with, chosen as it chooses."""
    app = Repo2Docker()
    builders = [kind(app.base_image) for kind in (*app.buildpacks, app.default_buildpack)]
    first = next((builder for builder in builders if builder.detect()), builders[-1])
    first.platform = app.platform
    return first


def test_it_is_built_with_conda_and_python_3_12(folder):
    builder = picked()
    assert type(builder).__name__ == "CondaBuildPack"
    assert builder.python_version == "3.12"


def test_the_dockerfile_updates_the_environment_and_runs_start(folder):
    text = picked().render()
    assert text.count(UPDATE) == 1
    assert 'RUN chmod +x "${REPO_DIR}/start"' in text
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/start"' in text


def test_gradlab_is_there_when_pip_installs_it(folder):
    """`-e .` is of use only after the repository was copied."""
    text = picked().render()
    assert text.index(" src/ ${REPO_DIR}/") < text.index(UPDATE)


def test_the_command_says_the_same_of_the_whole_checkout(folder):
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    said = run.stdout + run.stderr
    steps = [line for line in picked().render().splitlines() if re.match("RUN|ENV|COPY", line)]
    assert len(steps) > 20
    hidden = re.compile(r"build_script_files/\S+|--chown=\S+")  # drawn anew; who asks
    assert [s for s in steps if hidden.sub("", s) not in hidden.sub("", said)] == []


def test_a_looser_version_would_be_read_as_another_python(folder):
    """Why environment.yml says python=3.12; and the first test can fail."""
    text = (folder / "environment.yml").read_text()
    (folder / "environment.yml").write_text(text.replace("python=3.12", "python>=3.12"))
    assert picked().python_version != "3.12"


def test_a_folder_binder_would_hide_it(folder):
    (folder / "binder").mkdir()
    assert UPDATE not in picked().render()
