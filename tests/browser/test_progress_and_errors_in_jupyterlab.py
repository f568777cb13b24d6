"""What the lab tells while it works, and when it cannot."""

import pytest
from playwright.sync_api import expect

from .lab_parts import banner, expect_state, expect_verdict, open_group

LARGEST = "lab.state.update(hidden=(64, 64, 64, 64), data='digits')"
# Every change of the bar, because the test may look too late: what was seen of it, and how full.
WATCH_BAR = """bar => {
  window.gradlabBar = [];
  const note = () => window.gradlabBar.push([
    getComputedStyle(bar).visibility, parseFloat(bar.querySelector('.progress-bar').style.width),
  ]);
  new MutationObserver(note).observe(bar, {subtree: true, attributeFilter: ['style']});
}"""
HALF = """() => window.gradlabBar.some(
  ([seen, full]) => seen === 'visible' && full > 0 && full < 100
)"""
BREAK = """
import gradlab.lab.state as module
kept = module.compute
def planted(*args, **kwargs):
    raise ZeroDivisionError("planted <b>here</b>")
module.compute = planted
"""


def test_training_shows_its_progress_the_first_time_and_is_looked_up_afterwards(page, lab):
    page.run_code(LARGEST)  # which no other test has trained, and which takes a while
    page.wait_sharp(lab)
    open_group(lab, "Network")
    bar = lab.locator(".widget-hprogress")
    expect(bar).to_be_hidden()
    bar.evaluate(WATCH_BAR)
    slider = lab.get_by_role("slider", name="training steps")
    page.press(slider, "End")
    page.tab.wait_for_function(HALF)
    expect(bar).to_be_hidden()
    expect_state(page, {"train_steps": 500, "progress": 1.0})
    page.wait_sharp(lab)
    page.tab.evaluate("window.gradlabBar.length = 0")
    page.press(slider, "ArrowLeft")
    expect_state(page, {"train_steps": 490})
    page.wait_sharp(lab)
    expect(bar).to_be_hidden()
    assert page.tab.evaluate("window.gradlabBar") == []
    open_group(lab, "Check")  # the bar shows beside whatever group is open
    page.press(lab.get_by_role("slider", name="weight scale"), "ArrowRight")
    page.tab.wait_for_function(HALF)
    expect(bar.locator(".progress")).to_have_attribute("role", "progressbar")


@pytest.mark.parametrize("name", ["weight scale", "step eps"])
def test_an_exception_is_told_with_the_controls_name_and_the_next_drag_works(page, lab, name):
    slider, eps = lab.get_by_role("slider", name=name), page.handle("step eps", within=lab)
    page.run_code(BREAK)
    try:
        page.press(slider, "ArrowRight")
        expect_verdict(lab, "compute")
        expect(banner(lab)).to_contain_text(f"{name}: planted <b>here</b>.")
        expect(banner(lab)).to_contain_text("The lab is still alive")
    finally:
        page.run_code("module.compute = kept")
    page.drag(eps, -1000)
    expect_verdict(lab, "inconclusive")
    expect_state(page, {"eps": 1e-13, "error": ""})
    page.wait_sharp(lab)
    page.tab.wait_for_function(
        "panel => panel.ariaLabel.includes('eps 1.0e-13')",
        arg=lab.locator("[data-panel=u_curve]").element_handle(),
    )
