"""One JupyterLab and one Chromium for each module of browser tests."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .server import JupyterLab

# A machine that does other things too may take long; a condition that holds is seen at once.
expect.set_options(timeout=30_000)

LESSONS = Path(__file__).parents[2] / "lessons"


def pytest_configure(config):
    config.addinivalue_line("markers", "browser: needs Chromium; never skipped, fails without one")


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="module")
def jupyterlab(tmp_path_factory):
    """JupyterLab on a copy of the lessons: running them writes nothing into the project."""
    copy = tmp_path_factory.mktemp("browser") / "lessons"
    shutil.copytree(LESSONS, copy, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with JupyterLab(copy) as server:
        yield server


@pytest.fixture(autouse=True)
def _server_log_on_failure(request):
    """Print the end of the server's log below a failed test."""
    yield
    outcome = getattr(request.node, "gradlab_outcome", None)
    server = request.node.funcargs.get("jupyterlab")
    if outcome is not None and outcome.failed and server is not None:
        print(f"\n--- JupyterLab's log ---\n{server.log()[-6000:]}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.gradlab_outcome = report
    return report
