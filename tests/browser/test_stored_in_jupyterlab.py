"""A lab in a notebook that was saved, shut down and opened again, or whose page is reloaded."""

import nbformat
import pytest
from playwright.sync_api import expect

from gradlab._stored import VIEW

from .lab_parts import expect_verdict, write_notebook

NAME, CELL = "saved.ipynb", "import gradlab as gl\ngl.Lab(eps=1e-4)"
SAVE = "async () => { await window.jupyterapp.shell.currentWidget.context.save(); }"
SHUT_DOWN = "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"
LIMIT = 300e3  # bytes


def expect_stored(page, *, shown):
    """Wait until the stored picture and words are shown or hidden, both."""
    words, picture = page.tab.locator(".gradlab-stored"), page.tab.locator(".jp-RenderedImage img")
    for part in (words, picture):
        (expect(part).to_be_visible if shown else expect(part).to_be_hidden)()
    if shown:
        expect(words).to_contain_text("To bring it to life, run the cell")
        expect(words).to_contain_text("verdict: correct, every tensor")
        expect(page.tab.get_by_text("Error displaying widget")).to_be_hidden()
        (decoded,) = page.pictures(page.tab.locator(".jp-Notebook"))
        assert decoded.colours > 20


@pytest.fixture(scope="module")
def page(jupyterlab):
    """A notebook with a lab in it, saved."""
    page = write_notebook(jupyterlab, NAME, CELL)
    expect_verdict(page.tab.locator(".gradlab-lab"), "correct")
    expect_stored(page, shown=False)
    page.tab.evaluate(SAVE)
    yield page
    page.close()


def test_a_lab_takes_little_room(page, jupyterlab):
    assert (jupyterlab.root / NAME).stat().st_size < LIMIT


def test_after_a_reload_the_kernel_still_answers_and_the_lab_is_live(page):
    page.reload()
    lab = page.tab.locator(".gradlab-lab")
    expect_verdict(lab, "correct")
    expect_stored(page, shown=False)
    page.press(page.handle("step eps", within=lab), "End")
    expect_verdict(lab, not_="correct")
    page.assert_clean()


@pytest.mark.soak
def test_opened_where_it_is_not_trusted_it_shows_what_was_stored(page, jupyterlab):
    book = nbformat.read(jupyterlab.root / NAME, as_version=4)
    assert VIEW in book.cells[0].outputs[0].data
    book.cells[0].outputs[2].data["text/html"] += "<!-- so the signature no longer holds -->"
    nbformat.write(book, jupyterlab.root / "untrusted.ipynb")
    page.open("untrusted.ipynb")
    expect_stored(page, shown=True)
    page.assert_clean()


def test_opened_again_it_shows_the_same_and_run_again_it_lives(page):
    page.open(NAME)
    page.tab.evaluate(SHUT_DOWN)
    page.reload()
    expect_stored(page, shown=True)
    # JupyterLab says so itself, and both are true
    told = ("widget model not found", "Canceled future")
    assert all(any(words in error for words in told) for error in page.errors), page.errors
    page.run_all()
    expect_verdict(page.tab.locator(".gradlab-lab"), "correct")
    expect_stored(page, shown=False)
