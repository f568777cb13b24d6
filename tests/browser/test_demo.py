"""CONTRIBUTING's demo in ten minutes, played by hand at 1280 × 720: nothing has to be scrolled."""

import re

import pytest
from playwright.sync_api import expect

from gradlab.lab.board.panels import DEFAULT, PANELS

from .fit import faults
from .lab_parts import banner, expect_state, expect_verdict, open_group, show
from .test_hands_in_jupyterlab import click, panel_of, ticks_of

TITLES = {panel.name: panel.title for panel in PANELS}


@pytest.fixture
def demo(page, lab):
    """The lab as a lesson opens it, with a way to see that it still fits the window."""
    show(page, lab, DEFAULT)
    open_group(lab, "Data")

    def fits(whole=True):
        page.wait_sharp(lab)
        window = page.tab.locator(".jp-WindowedPanel-outer").first.bounding_box()
        assert (lab if whole else lab.locator(".gradlab-shown")).bounding_box()["height"] <= window[
            "height"
        ]
        assert faults(lab) == []

    return page, lab, fits


def tick(lab, *names):
    """Show other panels, or take them off."""
    open_group(lab, "Appearance")
    for name in names:
        box = lab.get_by_role("checkbox", name=TITLES[name], exact=True)
        box.set_checked(not box.is_checked())


def scenario(lab, title):
    lab.get_by_role("combobox", name="scenario").select_option(label=title)


def test_steps_1_to_4(demo):
    page, lab, fits = demo
    expect_verdict(lab, "correct")
    fits()
    page.press(page.handle("step eps", within=lab), "Home")
    expect_verdict(lab, "inconclusive")
    expect(banner(lab)).to_contain_text("Move eps to the right")
    fits()
    lab.get_by_role("button", name="Reset").click()
    lab.get_by_role("button", name="Pin").click()
    scenario(lab, "float32")
    expect_verdict(lab, "inconclusive")
    fits()
    lab.get_by_role("button", name="Reset").click()
    middle = panel_of(lab, "u_curve").bounding_box()["height"] / 2
    page.wait_sharp(lab)
    click(lab, "u_curve", ticks_of(lab, "u_curve")[-5], middle)
    expect_verdict(lab, "correct")
    lab.get_by_role("button", name="Pin").click()


def test_step_5_the_loss_along_one_weight(demo):
    page, lab, fits = demo
    tick(lab, "loss_along", "tensors")
    page.press(page.handle("step eps", within=lab), "Home")
    open_group(lab, "Check")
    fits()
    lab.get_by_role("combobox", name="scheme").select_option(label="forward")
    page.press(page.handle("step eps", within=lab), "End")
    expect_state(page, {"eps": 0.1, "scheme": "forward"})
    fits()


def test_steps_6_to_10(demo):
    _page, lab, fits = demo
    scenario(lab, "Kinks")
    expect_verdict(lab, "inconclusive")
    expect(banner(lab)).to_contain_text("No step makes this correct")
    fits()
    scenario(lab, "Dropout redrawn")
    tick(lab, "gradient_size", "tensors")
    open_group(lab, "Dropout, L2")
    fits()
    lab.get_by_role("checkbox", name="freeze masks").check()
    expect_verdict(lab, "correct")
    scenario(lab, "Bug hidden by small weights")
    expect(banner(lab)).to_contain_text("blind to a missing or wrong derivative")
    fits()
    field = lab.get_by_role("textbox", name="weight scale, typed value")
    field.fill("0.5")
    field.press("Enter")
    expect_verdict(lab, "wrong")
    tick(lab, "training", "gradient_size")
    fits(whole=False)  # of all the panels to tick
    expect(panel_of(lab, "training")).to_have_attribute(
        "aria-label", re.compile("It still learns, only worse")
    )
    tick(lab, "measures", "training")
    open_group(lab, "Bugs")
    lab.get_by_role("combobox", name="bug", exact=True).select_option(label="mystery: find it")
    expect_verdict(lab, "wrong")
    fits(whole=False)  # the lines to choose from stand below
