"""One Chromium, one JupyterLab and one page with the whole lab for all browser tests.

To start a kernel and to load JupyterLab costs seconds, so tests share pages, and each puts the lab
back as it was before it looks at it.
"""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .chromium import chromium
from .lab_parts import DATA, FIGURE, LAB, NETWORKS, put_back, write_notebook
from .scripts import FAR_AWAY
from .server import JupyterLab
from .texts import RECORD

# A machine that does other things too may take long; a condition that holds is seen at once.
expect.set_options(timeout=300_000)

USUAL = (1280, 720)
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
def context(browser):
    """The memory that all pages share; they note where the texts of pictures stand."""
    with browser.new_context(viewport={"width": USUAL[0], "height": USUAL[1]}) as context:
        context.add_init_script(RECORD)
        context.add_init_script(FAR_AWAY)
        yield context


@pytest.fixture(scope="package")
def jupyterlab(tmp_path_factory, browser, context):
    """JupyterLab on a copy of the lessons: running them writes nothing into the project."""
    copy = tmp_path_factory.mktemp("browser") / "lessons"
    shutil.copytree(LESSONS, copy, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with JupyterLab(copy, browser=browser, context=context) as server:
        yield server


@pytest.fixture(scope="package")
def lab_page(jupyterlab):
    """A notebook that shows the lab, which in its kernel is `lab`, and a lesson's figure."""
    page = write_notebook(jupyterlab, "the_lab.ipynb", LAB, FIGURE)
    yield page
    page.close()


@pytest.fixture(scope="package")
def networks_page(jupyterlab):
    """A notebook with a lab on each of `NETWORKS`, below the cell with their data."""
    page = write_notebook(jupyterlab, "other_networks.ipynb", DATA, *NETWORKS.values())
    yield page
    page.close()


@pytest.fixture
def page(lab_page):
    """The page of `lab_page`; no test may leave an error on it, or ask the network."""
    lab_page.tab.bring_to_front()  # where another page was opened meanwhile
    lab_page.resize(*USUAL)
    lab_page.show_files(True)
    yield lab_page
    lab_page.assert_clean()


@pytest.fixture
def lab(page):
    """The lab on `page` as it was at first, with five panels, and at rest."""
    lab = page.show_cell(0).locator(".gradlab-lab").first
    put_back(page, lab)
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
