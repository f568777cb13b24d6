"""Every lesson in JupyterLab: it runs, and its labs, predictions and exercises answer."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from gradlab.course.syllabus import LESSONS
from gradlab.course.tasks import QUESTIONS, TASKS

from .lab_parts import banner, open_group

WIDGET = "application/vnd.jupyter.widget-view+json"
NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "lessons").glob("*.ipynb"))
#: One of them in the usual run; the others in the soak.
USUAL = "02_choose_eps"
NUMBERS = {lesson.name: lesson.number for lesson in LESSONS}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] * (name != USUAL)) for name in NAMES]
)
def test_it_runs_and_all_that_is_live_answers(jupyterlab, name):
    page = jupyterlab.open(f"{name}.ipynb")
    page.run_all()
    assert page.tracebacks() == []
    labs = guesses = 0
    for index in [i for i, cell in enumerate(page.outputs()) if WIDGET in str(cell)]:
        live = page.show_cell(index).locator(".gradlab-live").first
        live.wait_for()
        if "gradlab-lab" in live.get_attribute("class"):
            labs += 1
            use_the_lab(page, live)
        else:
            guesses += 1
            guess(live)
    assert labs
    assert guesses == sum(one.lesson == NUMBERS[name] for one in QUESTIONS.values())
    for task in (one for one in TASKS.values() if one.lesson == NUMBERS[name]):
        answer_in_the_kernel(page, task.name)
    page.assert_clean()
    page.close()


def use_the_lab(page, lab):
    """Move a slider by the mouse and by keys, or else choose from a list: the pictures follow."""
    page.wait_sharp(lab)
    whole = "banner => banner.scrollHeight <= banner.clientHeight"
    assert lab.locator(".gradlab-banner").evaluate(whole), "its words need a scroll bar"
    assert not any(picture.blank for picture in page.pictures(lab))
    before = [picture.digest for picture in page.pictures(lab)]
    if slider := visible(lab, ".noUi-handle"):
        page.drag(slider, 80)  # one that stands at its right end stays there
        page.wait_sharp(lab)
        page.press(slider, "ArrowLeft", 7)  # from the end no whole decade: 13 ends at 1e-2
    else:
        with page.changing(banner(lab)):
            visible(lab, "select").select_option(index=1)
    page.wait_sharp(lab)
    assert [picture.digest for picture in page.pictures(lab)] != before
    expect(banner(lab)).not_to_have_text("")


def visible(lab, selector):
    """Return the first such control that can be seen; groups are opened until there is one."""
    titles = lab.locator(".gradlab-chooser button").all_inner_texts()
    for title in [None, *titles]:
        if title:
            open_group(lab, title.strip())
        for control in lab.locator(selector).all():
            if control.is_visible():
                return control
    return None


def guess(prediction):
    """Take the first choice: it is answered, and no other can be taken any more."""
    button = prediction.get_by_role("button")
    expect(button).to_be_disabled()
    prediction.get_by_role("radio").first.check()
    button.click()
    expect(prediction.get_by_role("status").last).to_contain_text(".")
    expect(button).to_be_hidden()
    expect(prediction.get_by_role("radio").first).to_be_disabled()


def answer_in_the_kernel(page, name):
    """A right answer is solved and a wrong one is not."""
    told = page.run_code(
        "import gradlab as _gl\n"
        "from gradlab.course.tasks import TASKS as _TASKS\n"
        f"_exercise = _gl.exercise({name!r})\n"
        "print(_exercise.check(object()).mark, _exercise.check(_TASKS"
        f"[{name!r}].answer).mark)"
    )
    assert told.split() == ["✗", "✓"], f"{name}: {told}"
