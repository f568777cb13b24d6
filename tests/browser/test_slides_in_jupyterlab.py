"""Dragging a handle: what only a browser can tell."""

import pytest

from .lab_parts import expect_state

DELAY = 500  # ms, so many that a slow machine does not count
COUNT_FRAMES = """() => {
  window.gradlabFrames = 0;
  document.addEventListener('gradlab-drawn', () => { window.gradlabFrames += 1; });
}"""


def grab(page, handle):
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.tab.mouse.move(x, y)
    page.tab.mouse.down()
    return x, y


@pytest.mark.parametrize("name", ["eps", "weight_scale"])
def test_a_handle_that_comes_back_to_where_it_was_is_believed(page, lab, name):
    """ipywidgets has nothing to send then: the value is the one from before the drag."""
    label = {"eps": "step eps", "weight_scale": "weight scale"}[name]
    handle = page.handle(label, within=lab)
    page.press(handle, "ArrowRight")  # onto a step of the slider
    page.wait_sharp(lab)
    before = float(page.run_code(f"print(lab.state.{name})"))
    x, y = grab(page, handle)
    page.tab.mouse.move(x + 60, y, steps=6)
    page.tab.mouse.move(x, y, steps=6)
    page.tab.mouse.up()
    page.wait_sharp(lab)
    expect_state(page, {name: before})


def test_a_handle_that_is_held_still_shows_what_it_says(page, lab):
    handle = page.handle("step eps", within=lab)
    x, y = grab(page, handle)
    page.tab.mouse.move(x + 60, y, steps=6)
    page.wait_sharp(lab)
    said = float(handle.get_attribute("aria-valuenow"))
    expect_state(page, {"eps": pytest.approx(10**said, rel=1e-6)})
    page.tab.mouse.up()
    page.wait_sharp(lab)
    expect_state(page, {"eps": pytest.approx(10**said, rel=1e-6)})


# It counts frames in a time, which another process can take away.
@pytest.mark.soak
def test_a_drag_over_a_distance_is_more_than_a_frame_a_round_trip(page, lab):
    handle = page.handle("step eps", within=lab)
    page.tab.evaluate(f"window.gradlabDelay = {DELAY}")
    page.tab.evaluate(COUNT_FRAMES)
    x, y = grab(page, handle)
    started = page.tab.evaluate("performance.now()")
    for i in range(40):
        page.tab.mouse.move(x + 2 * i, y)
        page.tab.wait_for_timeout(50)
    frames, ended = page.tab.evaluate("[window.gradlabFrames, performance.now()]")
    page.tab.mouse.up()
    page.wait_sharp(lab)
    said = float(handle.get_attribute("aria-valuenow"))
    expect_state(page, {"eps": pytest.approx(10**said, rel=1e-6)})
    page.tab.evaluate("window.gradlabDelay = 0")  # nothing is under way now that could be overtaken
    round_trips = (ended - started) / (2 * DELAY)
    assert frames > 1.3 * round_trips, f"{frames} frames in {round_trips:.1f} round trips"
