"""The harness sees what goes wrong: each fault is planted here, and must be noticed."""

from types import SimpleNamespace

import pytest

from .chromium import NoBrowserError, find_chromium
from .lab_parts import write_notebook
from .server import JupyterLab

OUTSIDE = "http://outside.invalid/picture.png"
CELLS = (
    "print('hello')",
    "raise ValueError('planted in a cell')",
    "import sys; print('planted on stderr', file=sys.stderr)",
    f"""from IPython.display import HTML
HTML('<img src="{OUTSIDE}"><img id="blank" src="data:image/svg+xml,<svg/>">'
     '<script>console.error("planted in the console")</script>')""",
)
LOADED = f"document.querySelector('img[src=\"{OUTSIDE}\"]')?.complete"


@pytest.fixture(scope="module")
def page(jupyterlab):
    page = write_notebook(jupyterlab, "faults.ipynb", *CELLS, tags=["raises-exception"])
    page.tab.wait_for_function(LOADED)  # or failed: the kernel was idle before the page was
    yield page
    page.close()


def test_cells_say_what_they_printed(page):
    assert page.outputs()[0][0]["text"] == "hello\n"


def test_an_exception_in_a_cell_is_found(page):
    assert any("planted in a cell" in said for said in page.tracebacks())


def test_words_on_stderr_are_found(page):
    assert any("planted on stderr" in said for said in page.tracebacks())


def test_an_error_in_the_console_is_found(page):
    assert any("planted in the console" in said for said in page.errors)


def test_a_request_to_the_outside_is_refused_and_listed(page):
    assert set(page.outside) == {OUTSIDE}  # a cell may be drawn more than once
    assert any("ERR_NAME_NOT_RESOLVED" in said for said in page.errors)


def test_blank_pictures_are_blank(page):
    assert [picture.blank for picture in page.pictures(page.show_cell(3))] == [True, True]


def test_code_that_fails_in_the_kernel_fails_here(page):
    assert page.run_code("print(6 * 7)") == "42\n"
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        page.run_code("1 / 0")


@pytest.mark.soak
def test_the_servers_extension_can_be_switched_off(tmp_path, browser):
    """As the benchmarks need it."""
    with JupyterLab(tmp_path, extension=False, browser=browser) as server:
        assert not server.extension_loaded()
        assert "jupyterlab | extension was successfully loaded" in server.log()


def fake_playwright(path):
    return SimpleNamespace(chromium=SimpleNamespace(executable_path=str(path)))


def test_without_a_browser_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("GRADLAB_BROWSER", raising=False)
    with pytest.raises(NoBrowserError, match="playwright install chromium"):
        find_chromium(fake_playwright(tmp_path / "none"))


def test_the_named_browser_comes_first_and_must_be_there(monkeypatch, tmp_path):
    program = tmp_path / "mine"
    program.touch(mode=0o755)
    monkeypatch.setenv("GRADLAB_BROWSER", str(program))
    assert find_chromium(fake_playwright(tmp_path / "none")) == str(program)
    monkeypatch.setenv("GRADLAB_BROWSER", str(tmp_path / "gone"))
    with pytest.raises(NoBrowserError, match="gone"):
        find_chromium(fake_playwright(tmp_path / "none"))


def test_playwrights_own_browser_is_the_last_resort(monkeypatch, tmp_path):
    own = tmp_path / "own"
    own.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("GRADLAB_BROWSER", raising=False)
    assert find_chromium(fake_playwright(own)) == str(own)
