"""A saved report as a person opens it: in Chromium, light and dark, from the disk."""

import io
from functools import cache

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

import gradlab as gl

EVIL = "<img src=x onerror=alert(1)>"
SCRIPT = '"></title></style><script>alert(2)</script>' + "x" * 70
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT_OFF = """[...document.querySelectorAll('svg text')].filter(text => {
  const a = text.getBoundingClientRect(), b = text.ownerSVGElement.getBoundingClientRect();
  return a.left < b.left || a.right > b.right || a.top < b.top || a.bottom > b.bottom;
}).map(text => text.textContent)"""
COLLIDING = """[...document.querySelectorAll('svg')].flatMap(svg => {
  const texts = [...svg.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()]);
  return texts.flatMap(([t, a], i) => texts.slice(i + 1).filter(([_, b]) =>
    a.left < b.right && b.left < a.right && a.top + 4 < b.bottom && b.top + 4 < a.bottom
  ).map(([other]) => [t.textContent, other.textContent]));
})"""
PAPER = {"light": "ffffff", "dark": "111111"}


def f(t):
    return float(np.sin(t) @ np.arange(1.0, 9.0))


f.__name__ = EVIL  # the report's subject


def grad(t):
    gradient = np.cos(t) * np.arange(1.0, 9.0)
    gradient[1] *= 1.01
    return gradient


@cache
def evil_report():
    tensors = {EVIL: (0, 4, (2, 2)), SCRIPT: (4, 8, (4,))}
    return gl.check_function(f, grad, np.linspace(0.1, 1, 8), tensors=tensors)


def evil_page(folder):
    return evil_report().save(folder / "evil.html")


@cache
def network_report():
    net, (x, y) = gl.mlp([2, 16, 16, 2], activation="relu"), gl.data.moons(32)
    net = gl.bugs.plant(net, "bias_mean")
    return gl.check(net, x, y, eps=1e-5), gl.sweep_eps(net, x, y)


def network_page(folder):
    report, sweep = network_report()
    return report.save(folder / "net.html", sweep)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("make", [evil_page, network_page])
def test_a_saved_report_in_chromium(tmp_path, browser, make, scheme):
    path = make(tmp_path)
    asked, troubles = [], []
    with browser.new_context(
        viewport={"width": 1280, "height": 720}, color_scheme=scheme
    ) as context:
        tab = context.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("console", lambda message: troubles.append(message.text))
        tab.goto(path.as_uri())
        assert asked == [path.as_uri()]
        assert tab.locator("img, script, iframe, object, embed").count() == 0
        assert tab.evaluate(SIDEWAYS) == 0
        assert tab.locator("svg").count() >= 1
        assert tab.evaluate(CUT_OFF) == []
        assert tab.evaluate(COLLIDING) == []
        picture = np.asarray(Image.open(io.BytesIO(tab.screenshot(full_page=True))).convert("RGB"))
        packed = picture.astype(int) @ [1 << 16, 1 << 8, 1]
        colors, counts = np.unique(packed, return_counts=True)
        assert f"{colors[counts.argmax()]:06x}" == PAPER[scheme]
        assert len(colors) > 100
        assert picture.reshape(-1, 3).std() > 20  # not blank
        told = tab.locator("body").inner_text()
        assert "✗ wrong" in told
        if make is evil_page:
            assert EVIL in told
            assert SCRIPT in told
        found = Axe().run(tab).response
        assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]][:3])
                for rule in found["violations"]] == []  # fmt: skip
        tab.set_viewport_size({"width": 400, "height": 720})  # what is wider scrolls by itself
        assert tab.evaluate(SIDEWAYS) == 0
        assert troubles == []


def test_a_script_would_be_noticed(tmp_path, browser):
    """The same page with the name put in as markup: the policy stops it, and says so."""
    path = evil_page(tmp_path)
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace("<main>", f"<main>{EVIL}<script>alert(2)</script>"))
    told, ran = [], []
    with browser.new_context() as context:
        tab = context.new_page()
        tab.on("console", lambda message: told.append(message.text))
        tab.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
        tab.goto(path.as_uri())
        assert tab.locator("img, script").count() == 2
        assert any("Content Security Policy" in words for words in told)
        assert ran == []
