"""One Chromium, one JupyterLab and one page with the whole lab for all browser tests."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .chromium import chromium
from .lab_parts import LAB, write_notebook
from .server import JupyterLab

# A machine that does other things too may take long; a condition that holds is seen at once.
expect.set_options(timeout=300_000)

LESSONS = Path(__file__).parents[2] / "lessons"


def pytest_configure(config):
    config.addinivalue_line("markers", "browser: needs Chromium; never skipped, fails without one")


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


# The scope ends with this folder, not with the session: while playwright runs, no test outside
# could run an event loop of its own.
@pytest.fixture(scope="package")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def jupyterlab(tmp_path_factory, browser):
    """JupyterLab on a copy of the lessons: running them writes nothing into the project."""
    copy = tmp_path_factory.mktemp("browser") / "lessons"
    shutil.copytree(LESSONS, copy, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with JupyterLab(copy, browser=browser) as server:
        yield server


@pytest.fixture(scope="package")
def lab_page(jupyterlab):
    """A notebook whose one cell shows a lab with all panels; in its kernel it is `lab`."""
    page = write_notebook(jupyterlab, "the_lab.ipynb", LAB)
    yield page
    page.close()


@pytest.fixture
def page(lab_page, jupyterlab):
    """The page of `lab_page`; no test may leave an error on it, or ask the network."""
    yield lab_page
    lab_page.assert_clean()
    assert jupyterlab.outside == []


@pytest.fixture
def lab(page):
    """The lab on `page`, reset and at rest."""
    lab = page.show_cell(0).locator(".gradlab-lab").first
    page.run_code("lab.state.reset()")
    page.wait_sharp(lab)
    return lab


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
