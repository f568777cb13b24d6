"""What a page withstands: HTML in every text that can be typed, a kernel that dies in a drag."""

import re

import pytest
from playwright.sync_api import expect

from .lab_parts import expect_state, open_group, write_notebook
from .test_lab_in_jupyterlab import KILL
from .test_slides_in_jupyterlab import grab

PAYLOADS = (
    "<img src=x onerror='window.gradlabPwned = 1'>",
    "<script>window.gradlabPwned = 1</script>",
    "\"><svg onload='window.gradlabPwned = 1'>",
    "gl.Lab(scenario=\"<img src=x onerror='window.gradlabPwned = 1'>\")",
    "gl.Lab(bug='<iframe srcdoc=x onload=parent.gradlabPwned=1>')",
)
# Where a text of the learner's code comes to the page: a name, an error, an answer, a repr.
CODE = """import gradlab as gl
import numpy as np
from IPython.display import display
bad = {payload!r}

class Bad:
    def __repr__(self):
        return bad

def raises(*arguments):
    raise ValueError(bad)

theta = np.ones(3)
lab = gl.Lab(lambda t: float(t @ t), lambda t: 2 * t, theta, tensors={{bad: (0, 3, (3,))}})
display(lab)
lab.state.fail((bad,), ValueError(bad))
exercise = gl.exercise("choose_eps")
for answer in (bad, Bad(), raises):
    display(exercise.check(answer))
"""
ATTACKED = """() => ({
  ran: window.gradlabPwned ?? 0,
  elements: document.querySelectorAll(
    '.jp-OutputArea :is(img[onerror], svg[onload], iframe[srcdoc], script)').length,
})"""


def text_boxes(lab):
    return lab.locator("input[type='text']:visible").all()


def expect_harmless(page):
    page.tab.wait_for_timeout(200)  # an image fails to load a little later
    assert page.tab.evaluate(ATTACKED) == {"ran": 0, "elements": 0}


#: One that is HTML alone and one that the line reads as a lab's; the others in the soak.
USUAL = (PAYLOADS[0], PAYLOADS[3])


@pytest.mark.parametrize(
    "payload", [pytest.param(p, marks=[pytest.mark.soak] * (p not in USUAL)) for p in PAYLOADS]
)
def test_html_that_is_typed_stays_text(page, lab, payload):
    typed = 0
    for group in lab.locator(".gradlab-chooser button").all_inner_texts():
        open_group(lab, group.strip())
        for box in text_boxes(lab):
            if not box.is_enabled():
                continue
            box.fill(payload)
            box.press("Enter")
            typed += 1
            page.wait_idle()
    readouts = lab.locator(".widget-readout[contenteditable]")
    for i in range(readouts.count()):
        if readouts.nth(i).is_visible():
            readouts.nth(i).fill(payload)
            readouts.nth(i).press("Enter")
            typed += 1
            page.wait_idle()
    assert typed >= 5
    expect_harmless(page)


@pytest.mark.soak
def test_html_in_names_errors_and_answers_stays_text(jupyterlab):
    cells = [CODE.format(payload=payload) for payload in PAYLOADS[:3]]
    page = write_notebook(jupyterlab, "attacks.ipynb", *cells)
    assert page.tracebacks() == []
    for index in range(len(cells)):
        cell = page.show_cell(index)
        expect(cell.locator(".gradlab-banner").first).to_contain_text("gradlabPwned")
        expect_harmless(page)
    page.close()


# Without the drag, and with the cell run again, test_lab_in_jupyterlab.py holds it every time.
@pytest.mark.soak
def test_a_kernel_that_dies_in_a_drag_is_told_and_the_cell_brings_the_lab_back(jupyterlab):
    page = write_notebook(jupyterlab, "dies.ipynb", "import gradlab as gl\nlab = gl.Lab()\nlab")
    lab = page.show_cell(0).locator(".gradlab-lab").first
    page.wait_sharp(lab)
    x, y = grab(page, page.handle("step eps", within=lab))
    for i in range(30):
        page.tab.mouse.move(x + 2 * i, y)
        if i == 10:
            page.tab.evaluate(KILL)
    page.tab.mouse.up()
    expect(lab.locator(".gradlab-restarted")).to_contain_text(re.compile("ell again"))
    expect(lab.locator(".gradlab-verdict")).to_be_hidden()
    page.tab.locator(".jp-Dialog .jp-mod-accept").click()  # JupyterLab tells it, too
    page.run_all()
    lab = page.show_cell(0).locator(".gradlab-lab").first
    page.wait_sharp(lab)
    page.press(page.handle("step eps", within=lab), "Home")
    expect_state(page, {"eps": 1e-13})
    page.close()
