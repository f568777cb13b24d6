"""The lab fits its page: one row at each size, nothing cut off, on another, scrolled sideways."""

import pytest

from gradlab.lab import SCENARIOS

from .lab_parts import open_group, write_notebook
from .scripts import TWO_FRAMES
from .test_other_networks_in_jupyterlab import CELLS, DATA
from .texts import RECORD, collisions, texts_of

DEFAULT = "import gradlab as gl\nlab = gl.Lab()\nlab"
#: Width and height of the window, device pixels a CSS pixel, and whether the file browser is open.
#: Zoomed to 150 %, a screen of 1920 × 1080 has 1280 × 720 CSS pixels, and one of 1280 × 720 fewer.
PLACES = {
    "1024x768": (1024, 768, 1, False),
    "1280x720": (1280, 720, 1, False),
    "1280x720, file browser": (1280, 720, 1, True),
    "1920x1080": (1920, 1080, 1, True),
    "1920x1080 at 150 %": (1280, 720, 1.5, True),
    "1280x720 at 150 %": (853, 480, 1.5, False),
}
TALLEST = 540  # pixels at 1280 × 720, from the sliders to the row of group buttons
ONE_ROW = 700  # pixels of the board's width, from which the default panels stand in one row
# What is wrong with the elements of a lab, in words: an element that sticks out of its parent
# (unless that clips it on purpose, or it has left the flow), what can be scrolled sideways.
WRONG = """lab => {
  const found = [], name = e => `${e.tagName}.${[...e.classList].join('.')}`;
  for (const element of lab.querySelectorAll('*')) {
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    const style = getComputedStyle(element), parent = element.parentElement;
    if (['absolute', 'fixed'].includes(style.position) || style.display === 'contents') continue;
    if (element.closest('svg, .noUi-target, option, select, .gradlab-voice')) continue;
    const own = element.getBoundingClientRect(), around = parent.getBoundingClientRect();
    if (!own.width || !own.height || getComputedStyle(parent).display === 'contents') continue;
    if (style.display === 'inline') continue;
    const out = Math.max(own.right - around.right, around.left - own.left);
    if (out > 2.5) found.push(`${name(element)} sticks ${out.toFixed(1)} out of ${name(parent)}`);
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth
        && ['auto', 'scroll'].includes(style.overflowX)) {
      found.push(`${name(element)} scrolls sideways`);
    }
  }
  for (let e = lab; e; e = e.parentElement) {
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible'
        && getComputedStyle(e).overflowX !== 'hidden') found.push(`${name(e)} scrolls sideways`);
  }
  return found;
}"""
# Words of the DOM that lie on each other; what is inside of a control is one thing.
OVERLAPS = """lab => {
  const words = [], walk = document.createTreeWalker(lab, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, holder = node.parentElement;
    if (!node.data.trim() || holder.closest('option, style, .gradlab-voice, canvas')) continue;
    if (!holder.checkVisibility({visibilityProperty: true})) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) words.push([node, box]);
  }
  const found = [];
  words.forEach(([one, a], i) => words.slice(i + 1).forEach(([two, b]) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (one !== two && across > 2 && down > 4) found.push([one.data.trim(), two.data.trim()]);
  }));
  return found;
}"""
ROWS = """lab => new Set([...lab.querySelectorAll('.gradlab-panel')]
  .filter(panel => panel.checkVisibility())
  .map(panel => Math.round(panel.getBoundingClientRect().top))).size"""
HEIGHT = """lab => {
  const bottom = lab.querySelector('.gradlab-chooser, .gradlab-row').getBoundingClientRect().bottom;
  const sliders = [...lab.querySelectorAll('.noUi-target')].filter(e => e.checkVisibility());
  const top = Math.min(...sliders.map(e => e.getBoundingClientRect().top));
  return bottom - top;
}"""


def recorded(jupyterlab, scale):
    """Return a context whose pages note where the texts of their pictures stand."""
    context = jupyterlab.new_context(scale=scale)
    context.add_init_script(RECORD)
    return context


@pytest.fixture(scope="module", params=[1, 1.5], ids=lambda scale: f"scale {scale}")
def page(request, jupyterlab):
    """A page with the default lab; one for each number of device pixels."""
    context = recorded(jupyterlab, request.param)
    page = write_notebook(jupyterlab, "geometry.ipynb", DEFAULT, context=context)
    page.scale = request.param
    yield page
    page.close()


def settle(page, lab):
    """Wait until what a new size changes is drawn."""
    page.wait_sharp(lab)
    page.tab.evaluate(TWO_FRAMES)
    page.tab.evaluate(TWO_FRAMES)


def put(page, place):
    """Give the page a size, its file browser open or closed; returns the lab, at rest."""
    width, height, _, files = PLACES[place]
    page.resize(width, height)
    page.show_files(files)
    lab = page.show_cell(0).locator(".gradlab-lab").first
    settle(page, lab)
    return lab


def board_width(lab):
    return lab.locator(".gradlab-panels").bounding_box()["width"]


def assert_fits(lab):
    assert (lab.evaluate(WRONG), lab.evaluate(OVERLAPS), collisions(lab)) == ([], [], [])


def of_scale(page, place):
    """Tell whether a place is one of this page's: its pixels were fixed when it was opened."""
    return PLACES[place][2] == page.scale


def places(page):
    return [place for place in PLACES if of_scale(page, place)]


def test_the_default_lab_fits_every_window(page):
    for place in places(page):
        lab = put(page, place)
        assert_fits(lab), place
        if board_width(lab) >= ONE_ROW:
            assert lab.evaluate(ROWS) == 1, place
        if PLACES[place][:2] == (1280, 720):
            assert lab.evaluate(HEIGHT) <= TALLEST, place


def test_every_group_fits_where_it_is_narrow(page):
    lab = put(page, "1024x768" if page.scale == 1 else "1280x720 at 150 %")
    for title in lab.locator(".gradlab-chooser button").all_inner_texts():
        open_group(lab, title.strip())
        settle(page, lab)
        assert_fits(lab), title


@pytest.mark.parametrize("mode", ["button", "JupyterLab's"])
def test_presentation_size_and_mode_fit_and_are_larger(page, mode):
    for place in places(page):
        lab = put(page, place)
        small = text_height(lab)
        present(page, lab, mode, on=True)
        try:
            assert_fits(lab), place
            assert text_height(lab) > 1.1 * small, place
        finally:
            present(page, lab, mode, on=False)


def text_height(lab):
    return lab.locator(".gradlab-banner").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")


def present(page, lab, mode, *, on):
    if mode == "button":
        page.run_code(f"lab.appearance.large.value = {on}")
    else:
        page.tab.evaluate(
            "window.jupyterapp.commands.execute('application:toggle-presentation-mode')"
        )
    settle(page, lab)


SOME = list(SCENARIOS)[::8]
LATER = [pytest.param(n, marks=pytest.mark.soak) for n in SCENARIOS if n not in SOME]


@pytest.mark.parametrize("scenario", [*SOME, *LATER])
def test_no_text_lies_on_another_in_any_scenario(page, scenario):
    lab = put(page, places(page)[0])
    page.run_code(f"lab.state.load_scenario({scenario!r})")
    settle(page, lab)
    assert_fits(lab)
    page.run_code("lab.state.reset()")


@pytest.mark.parametrize("kind", CELLS)
def test_no_text_lies_on_another_for_other_networks(jupyterlab, kind):
    context = recorded(jupyterlab, 1)
    page = write_notebook(jupyterlab, f"geometry_{kind}.ipynb", DATA, CELLS[kind], context=context)
    lab = page.show_cell(1).locator(".gradlab-lab").first
    settle(page, lab)
    try:
        assert_fits(lab)
    finally:
        page.close()


def test_overlaps_and_what_sticks_out_would_be_seen(page):
    """The measures themselves: each fault is planted."""
    lab = put(page, places(page)[0])
    texts, _ = texts_of(lab)
    assert all(len(all_texts) > 5 for all_texts in texts.values()), texts
    draw = """lab => {
      const canvas = lab.querySelector('.gradlab-panel canvas');
      canvas.gradlabTexts = [...canvas.gradlabTexts, {...canvas.gradlabTexts[0], text: 'planted'}];
    }"""
    lab.evaluate(draw)
    assert any("planted" in pair for pair in collisions(lab))
    lab.evaluate("lab => { lab.querySelector('.gradlab-banner').style.width = '200%'; }")
    assert any("gradlab-banner" in said for said in lab.evaluate(WRONG))
    lab.evaluate("lab => { lab.querySelector('.gradlab-banner').style.width = ''; }")
