"""A lab on a page, as a person reads it; each function waits for what it says."""

import ast
import re
import time
from collections import Counter

import nbformat
import pytest
from playwright.sync_api import expect

from gradlab.lab.board.panels import PANELS

#: A cell that shows a lab with every panel.
LAB = """import gradlab as gl
lab = gl.Lab(panels=("u_curve", "tensors", "network", "heatmap", "agreement"))
lab"""


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


def write_notebook(jupyterlab, name, *cells, context=None):
    """Write a notebook of these cells into the served folder, open and run it; returns its page."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, jupyterlab.root / name)
    page = jupyterlab.open(name, context=context)
    page.run_all()
    return page


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
