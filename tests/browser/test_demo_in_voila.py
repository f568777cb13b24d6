"""`gradlab demo`, as a class sees it: one page, no code, nothing to scroll."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import websocket
from playwright.sync_api import expect

from gradlab.lab import SCENARIOS
from gradlab.lab.demo import TEN_MINUTES

from .fit import faults
from .lab_parts import banner, expect_eps, expect_verdict

ROOT = Path(__file__).parents[2]
SMALL, LARGE = (1280, 720), (1920, 1080)
# Whatever can be scrolled: the page, or a part of it.
SCROLLS = """() => [...document.querySelectorAll('*')].filter(e => {
  const style = getComputedStyle(e), can = overflow => ['auto', 'scroll'].includes(overflow);
  return (e.scrollHeight > e.clientHeight + 1 && can(style.overflowY))
    || (e.scrollWidth > e.clientWidth + 1 && can(style.overflowX));
}).map(e => `${e.tagName} ${e.id} ${e.className}`)"""
START_SECONDS = 600


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a running `gradlab demo`, with its token."""
    own = tmp_path_factory.mktemp("demo")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
    folders = {"JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"}
    kept |= {name: str(own / name) for name in folders}
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH")]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (own / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gradlab", "demo", "--", f"--port={port}", "--no-browser"],
            cwd=own, env=kept, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (found := re.search(r"http://\S+\?token=\w+", said := (own / "log").read_text())):
            assert server.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        yield found[0]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


@pytest.fixture(scope="module", params=["light", pytest.param("dark", marks=pytest.mark.soak)])
def page(request, browser, address):
    """The page, once for each theme; with what it told of errors and asked of other servers."""
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        page = context.new_page()
        page.set_default_timeout(START_SECONDS * 1000)
        page.errors, page.outside = [], []
        page.on("pageerror", lambda error: page.errors.append(f"{error}"))
        page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
        here = address.partition("?")[0]
        ours = (here, here.replace("http:", "ws:"), "data:", "blob:")
        note = lambda it: None if it.url.startswith(ours) else page.outside.append(it.url)  # noqa: E731
        page.on("request", note)
        page.on("websocket", note)
        page.goto(address + ("" if request.param == "light" else "&theme=dark"))
        rested(page)
        yield page


@pytest.fixture
def lab(page):
    """The lab on the page, healthy again; no test may leave an error or ask the network."""
    page.set_viewport_size({"width": 1280, "height": 720})
    lab = page.locator(".gradlab-lab").first
    press(page, lab, "Healthy")
    yield lab
    assert page.errors == []
    assert page.outside == []


def rested(page):
    page.locator(".gradlab-board[data-rests]").first.wait_for(state="attached")


def press(page, lab, title):
    """Press a button of the row, and wait until it is down and the lab rests."""
    button = lab.locator(".gradlab-ten-minutes").get_by_role("button", name=title, exact=True)
    button.click()
    expect(button).to_have_class(re.compile("mod-active"))
    rested(page)


def test_the_page_is_the_lab_in_presentation_size_without_code(page, lab):
    assert page.locator(".jp-InputArea, .jp-InputPrompt, .cm-editor").count() == 0
    assert "import gradlab" not in page.content()
    assert "Demo()" not in page.locator("body").inner_text()
    box = lab.bounding_box()
    assert box["width"] > 1240
    assert box["y"] < 20
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    assert lab.evaluate(size) == pytest.approx(0.0129 * 1280, abs=0.1)
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert lab.evaluate(size) == pytest.approx(0.0129 * 1920, abs=0.1)


def test_the_buttons_stand_in_one_row(page, lab):
    row = lab.locator(".gradlab-ten-minutes button")
    titles = [SCENARIOS[name].title for name in TEN_MINUTES]
    assert row.all_inner_texts() == [*titles, "Mystery bug"]
    for width, height in (SMALL, LARGE):
        page.set_viewport_size({"width": width, "height": height})
        assert len({button.bounding_box()["y"] for button in row.all()}) == 1


def test_a_slider_and_a_scenario_are_answered(page, lab):
    expect_verdict(lab, "correct")
    lab.locator(".noUi-handle").first.focus()
    page.keyboard.press("Home")
    expect_eps(lab, "1.0e-13")
    expect_verdict(lab, "inconclusive")
    press(page, lab, "Bug hidden by small weights")
    expect_verdict(lab, "correct")
    expect(banner(lab)).to_contain_text("blind to a missing or wrong derivative")
    expect(lab.locator(".gradlab-words")).to_contain_text("raise the weight scale")


@pytest.mark.soak
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_nothing_has_to_be_scrolled(page, lab, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for button in lab.locator(".gradlab-ten-minutes button").all():
        press(page, lab, title := button.inner_text())
        assert page.evaluate(SCROLLS) == [], title
        assert faults(lab) == [], title
    press(page, lab, "Dropout redrawn")
    for button in lab.locator(".gradlab-chooser button").all():
        button.click()
        expect(button).to_have_class(re.compile("mod-active"))
        group = lab.locator(".gradlab-group:visible")
        expect(group).to_have_count(1)
        assert page.evaluate(SCROLLS) == [], button.inner_text()


def test_who_has_no_token_gets_nothing(address):
    here = address.partition("?")[0]
    with urllib.request.urlopen(here) as answer:
        assert "/login" in answer.url
        assert b"gradlab-" not in answer.read()
    kernel = "/api/kernels/00000000-0000-0000-0000-000000000000"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(here.rstrip("/") + kernel)
    assert refused.value.code == 403
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(here.rstrip("/").replace("http", "ws") + f"{kernel}/channels")
    assert refused.value.status_code == 403
    assert here.startswith("http://127.0.0.1:")
