"""What a learner sees: the playground in JupyterLab, run, and its lab used."""

import pytest

from .lab_parts import banner, expect_eps, expect_start, expect_verdict, open_group

EPS = "step eps"
LESSON = "playground.ipynb"
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def lesson(jupyterlab):
    page = jupyterlab.open(LESSON)
    page.run_all()
    yield page
    page.close()


@pytest.fixture
def lab(lesson):
    """The lesson's live lab, reset and at rest."""
    lab = lesson.show_cell(lesson.cell_with(WIDGET)).locator(".gradlab-lab").first
    lab.get_by_role("button", name="Reset").click()
    expect_start(lesson)  # not at once: clicks go to another thread of the kernel than code
    lesson.wait_sharp(lab)
    return lab


@pytest.fixture(autouse=True)
def nothing_wrong(lesson):
    """No test may leave an error in a cell, the page or its console, or ask the network."""
    yield
    lesson.assert_clean()


def pictures(page, lab):
    """The panels; the U-curve and the entries change with every event, the network seldom."""
    found = page.pictures(lab)
    assert len(found) == 3
    for panel in found:
        assert not panel.blank, panel
        assert len(panel.alt) > 40
    return found


def picture(page, lab):
    return pictures(page, lab)[0]


def test_it_opens_with_a_verdict_and_a_picture(lesson, lab):
    expect_verdict(lab, "correct")
    expect_eps(lab, "1.0e-05")
    for shown in pictures(lesson, lab):
        assert shown.colours > 20
        assert 0.3 < shown.background < 0.99


def test_dragging_epsilon_with_the_mouse_moves_text_picture_and_verdict(lesson, lab):
    handle = lesson.handle(EPS, within=lab)
    before, where = picture(lesson, lab), handle.bounding_box()
    with lesson.changing(banner(lab)):
        lesson.drag(handle, -1000)
    expect_eps(lab, "1.0e-13")
    expect_verdict(lab, not_="correct")
    lesson.wait_sharp(lab)
    far = picture(lesson, lab)
    with lesson.changing(banner(lab)):
        lesson.drag(handle, where["x"] - handle.bounding_box()["x"])
    expect_verdict(lab, "correct")
    lesson.wait_sharp(lab)
    assert far.distance(before) > 3 * picture(lesson, lab).distance(before)


def test_keys_move_epsilon_there_and_back(lesson, lab):
    handle = lesson.handle(EPS, within=lab)
    before, _, network = pictures(lesson, lab)
    with lesson.changing(banner(lab)):
        lesson.press(handle, "ArrowRight", 40)
    expect_eps(lab, "1.0e-01")
    expect_verdict(lab, not_="correct")
    lesson.wait_sharp(lab)
    far, _, network_far = pictures(lesson, lab)
    assert network_far.digest != network.digest
    with lesson.changing(banner(lab)):
        lesson.press(handle, "ArrowLeft", 40)
    expect_eps(lab, "1.0e-05")
    expect_verdict(lab, "correct")
    lesson.wait_sharp(lab)
    # Not equal: forty steps of a tenth end a rounding beside 1e-5, and round-off is noise.
    again, _, network_again = pictures(lesson, lab)
    assert far.distance(before) > 3 * again.distance(before)
    assert network_again.digest == network.digest


def test_the_weight_scale_moves_text_and_picture(lesson, lab):
    before = picture(lesson, lab)
    with lesson.changing(banner(lab)):
        lesson.press(lesson.handle("weight scale", within=lab), "ArrowLeft", 20)
    lesson.wait_sharp(lab)
    assert picture(lesson, lab).digest != before.digest


def test_dropout_can_be_checked_with_frozen_masks_only(lesson, lab):
    open_group(lab, "Dropout, L2")
    with lesson.changing(banner(lab)):
        lab.get_by_label("dropout on", exact=True).check()
    expect_verdict(lab, "correct")
    lesson.wait_sharp(lab)
    with lesson.changing(banner(lab)):
        lab.get_by_label("freeze masks", exact=True).uncheck()
    expect_verdict(lab, not_="correct")
    lesson.wait_sharp(lab)
    with lesson.changing(banner(lab)):
        lab.get_by_label("freeze masks", exact=True).check()
    expect_verdict(lab, "correct")
    lesson.wait_sharp(lab)


def test_l2_in_one_of_the_two_gradients_is_wrong_and_in_both_is_right(lesson, lab):
    open_group(lab, "Dropout, L2")
    in_gradient = lab.get_by_label("L2 in the analytic gradient", exact=True)
    with lesson.changing(banner(lab)):
        lab.get_by_label("L2 on", exact=True).check()
    expect_verdict(lab, "correct")
    lesson.wait_sharp(lab)
    with lesson.changing(banner(lab)):
        in_gradient.uncheck()
    expect_verdict(lab, not_="correct")
    lesson.wait_sharp(lab)
    with lesson.changing(banner(lab)):
        in_gradient.check()
    expect_verdict(lab, "correct")
    lesson.wait_sharp(lab)
