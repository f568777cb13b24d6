"""A lab on a page, as a person reads it; each function waits for what it says."""

import ast
import re
import time
from collections import Counter

import nbformat
import pytest
from playwright.sync_api import expect

from gradlab.lab.board.panels import PANELS

#: What the labs on the shared pages show at first; a test that needs other panels shows them.
FIVE = ("u_curve", "tensors", "network", "heatmap", "agreement")
EVERY = tuple(panel.name for panel in PANELS)
LAB = f"""import gradlab as gl
lab = gl.Lab(panels={FIVE})
lab"""
#: A lesson's own figure.
FIGURE = """from matplotlib.figure import Figure
from gradlab.course import Picture
ax = Figure(figsize=(4, 3)).subplots()
ax.axhspan(0.2, 0.8, color="#007A5A")
Picture(ax.figure, "A green band from 0.2 to 0.8 & nothing else.")"""
#: Labs on networks that the lab cannot build itself; each has the name of its kind in the kernel.
DATA = """import numpy as np
import gradlab as gl
rng = np.random.default_rng(0)"""
NETWORKS = {
    "convnet": f"""net = gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=6)
convnet = gl.Lab(net, rng.standard_normal((6, 1, 8, 8)), np.arange(6), panels={FIVE})
convnet""",
    "lstm": f"""net = gl.lstm(3, 4, 6)
lstm = gl.Lab(net, rng.standard_normal((5, 6, 3)), np.arange(6), panels={FIVE})
lstm""",
}

# A control as it stands in Playwright's tree of roles and accessible names; an icon of the icon
# font before its words is no part of the name that is told.
CONTROL = re.compile(
    r"^\s*- '?(button|checkbox|combobox|slider|spinbutton|textbox|link|radio)\b"
    r"(?: \"[\ue000-\uf8ff]? ?(.*?)\")?",
    re.MULTILINE,
)

#: What stands beside the groups' buttons, and below them in a lab with a network of its own.
TOOLBAR = {
    "button Undo", "button Redo", "button Pin", "button Save picture as PNG",
    "button Save picture as SVG", "button Full screen", "button Reset",
}  # fmt: skip
STORY = {
    "button Previous scenario", "combobox scenario", "button Next scenario",
    "button Scenario again",
}  # fmt: skip
APPEARANCE = {"button Presentation size", "combobox theme"} | {
    f"checkbox {panel.title}" for panel in PANELS
}


def write_notebook(jupyterlab, name, *cells, tags=(), context=None):
    """Write a notebook of these cells into the served folder, open and run it; returns its page."""
    metadata = {"tags": list(tags)}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code, metadata=metadata) for code in cells]
    )
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, jupyterlab.root / name)
    page = jupyterlab.open(name, context=context)
    page.run_all()
    return page


def put_back(page, lab, *, name="lab"):
    """Make the lab what it was at first, whatever a test before did, and wait until it rests."""
    page.run_code(f"{name}.state.reset(); {name}.theme = 'auto'")
    page.run_code(f"{name}.appearance.large.value = False")
    show(page, lab, FIVE, name=name)


def show(page, lab, panels, *, name="lab"):
    """Show these panels and no others."""
    boxes = f"{name}.appearance.panels.items()"
    page.run_code(f"for panel, box in {boxes}: box.value = panel in {tuple(panels)}")
    page.wait_sharp(lab)


def open_group(lab, title):
    """Open a group of controls, and wait until it is the one that is open."""
    lab.get_by_role("button", name=title, exact=True).click()
    expect(lab.locator(".gradlab-chooser .mod-active")).to_have_text([title])


def banner(lab):
    """Return the banner with the verdict and its reason."""
    return lab.locator(".gradlab-banner").first


def expect_verdict(lab, word=None, *, not_=None):
    """Wait until the banner's verdict is `word`, or is not `not_`."""
    shown = expect(lab.locator(".gradlab-verdict").first)
    if word is not None:
        shown.to_have_text(re.compile(rf"\b{word}$"))
    if not_ is not None:
        shown.not_to_have_text(re.compile(rf"\b{not_}$"))


def expect_eps(lab, eps):
    """Wait until the banner tells this step, written as it writes it: "1.0e-05"."""
    expect(banner(lab)).to_have_text(re.compile(rf"eps\s*=\s*{re.escape(eps)}(?![\d.e])"))


def expect_state(page, expected, *, lab="lab", seconds=300):
    """Wait until the lab's state has these settings, a mapping; numbers but for last digits.

    Asking once is not enough: the kernel takes what a control sends on another thread than code.
    """
    ask = f"print({{name: getattr({lab}.state, name) for name in {list(expected)!r}}})"
    close = {
        name: pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
        for name, value in expected.items()
    }
    deadline = time.monotonic() + seconds
    while (found := ast.literal_eval(page.run_code(ask))) != close:
        assert time.monotonic() < deadline, f"the state has {found}, expected {expected}"


def expect_start(page, *, lab="lab"):
    """Wait until every setting is what the lab was made with."""
    settings = f"{{n: getattr({lab}.state.start, n) for n in vars({lab}.state.start)}}"
    expect_state(page, ast.literal_eval(page.run_code(f"print({settings})")), lab=lab)


def controls_of(lab):
    """Return role and name of everything there is to operate, counted: "slider step eps"."""
    return Counter(f"{role} {name}".strip() for role, name in CONTROL.findall(lab.aria_snapshot()))
