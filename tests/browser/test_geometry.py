"""The lab fits its page: one row at each size, nothing cut off, on another, scrolled sideways."""

import pytest

from gradlab.lab import SCENARIOS
from gradlab.lab.board.panels import DEFAULT

from .fit import WRONG, faults, height, rows, settle
from .lab_parts import EVERY, NETWORKS, open_group, put_back, show
from .texts import collisions, texts_of

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
NARROW = ("1024x768", "1280x720 at 150 %")
WIDE = ("1280x720", "1920x1080")
TALLEST = 540  # pixels at 1280 × 720, from the sliders to the row of group buttons
ONE_ROW = 700  # pixels of the board's width, from which the default panels stand in one row


@pytest.fixture
def three(page, lab):
    """The lab with its default panels."""
    show(page, lab, DEFAULT)
    return lab


def put(page, lab, place):
    """Give the page a size, its file browser open or closed, and wait until the lab rests."""
    width, height, scale, files = PLACES[place]
    page.resize(width, height, scale)
    page.show_files(files)
    settle(page, lab)


def board_width(lab):
    return lab.locator(".gradlab-panels").bounding_box()["width"]


def banner_height(lab):
    return lab.locator(".gradlab-banner").bounding_box()["height"]


def text_height(lab):
    return lab.locator(".gradlab-banner").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")


def test_the_default_lab_fits_every_window(page, three):
    for place in PLACES:
        put(page, three, place)
        assert faults(three) == [], place
        if board_width(three) >= ONE_ROW:
            assert rows(three) == 1, place
        if PLACES[place][:2] == (1280, 720):
            assert height(three) <= TALLEST, place


def test_long_words_make_the_banner_taller_and_what_comes_next_does_not_jump(page, three):
    put(page, three, "1280x720")
    usual = banner_height(three)
    long = "the gradient of W1 is not finite, " * 15
    page.run_code(f"lab.state.fail(('eps',), ValueError({long!r}))")
    settle(page, three)
    taller = banner_height(three)
    assert taller > 1.2 * usual
    assert faults(three) == []
    put_back(page, three)
    settle(page, three)
    assert banner_height(three) == taller
    put(page, three, "1280x720, file browser")
    assert banner_height(three) == usual


@pytest.mark.parametrize("place", NARROW)
def test_every_group_fits_where_it_is_narrow(page, three, place):
    put(page, three, place)
    for title in three.locator(".gradlab-chooser button").all_inner_texts():
        open_group(three, title.strip())
        settle(page, three)
        assert faults(three) == [], title


def present(page, lab, mode):
    """Switch presentation size or mode on or off."""
    if mode == "button":
        lab.get_by_role("button", name="Presentation size").click()
        page.wait_idle()
    else:
        page.tab.evaluate(
            "window.jupyterapp.commands.execute('application:toggle-presentation-mode')"
        )
    settle(page, lab)


@pytest.mark.parametrize(
    ("mode", "places"),
    [
        ("button", WIDE),
        ("JupyterLab's", NARROW),
        *(pytest.param(m, PLACES, marks=pytest.mark.soak) for m in ("button", "JupyterLab's")),
    ],
    ids=["button", "mode", "button everywhere", "mode everywhere"],
)
def test_presentation_size_and_mode_fit_and_are_larger(page, three, mode, places):
    open_group(three, "Appearance")  # the button's
    for place in places:
        put(page, three, place)
        small = text_height(three)
        present(page, three, mode)
        try:
            assert faults(three) == [], place
            assert text_height(three) > 1.1 * small, place
        finally:
            present(page, three, mode)


SOME = list(SCENARIOS)[::13]
LATER = [pytest.param(name, marks=pytest.mark.soak) for name in SCENARIOS if name not in SOME]


@pytest.mark.parametrize("scenario", [*SOME, *LATER])
def test_no_text_lies_on_another_in_any_scenario(page, three, scenario):
    page.run_code(f"lab.state.load_scenario({scenario!r})")
    settle(page, three)
    assert faults(three) == []


def test_every_panel_holds_its_texts(page, lab):
    show(page, lab, EVERY)
    for place in WIDE:
        put(page, lab, place)
        assert faults(lab) == [], place
    assert set(texts_of(lab)[0]) == set(EVERY)


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_panel_holds_its_texts_for_other_networks(networks_page, kind):
    page = networks_page
    page.resize(1280, 720)
    lab = page.show_cell(1 + list(NETWORKS).index(kind)).locator(".gradlab-lab").first
    put_back(page, lab, name=kind)
    show(page, lab, EVERY, name=kind)
    settle(page, lab)
    assert faults(lab) == []
    assert set(texts_of(lab)[0]) == set(EVERY)


def test_overlaps_and_what_sticks_out_would_be_seen(page, three):
    """The measures themselves: each fault is planted."""
    texts, _ = texts_of(three)
    assert all(len(all_texts) > 5 for all_texts in texts.values()), texts
    draw = """lab => {
      const canvas = lab.querySelector('.gradlab-panel canvas');
      canvas.gradlabTexts = [...canvas.gradlabTexts, {...canvas.gradlabTexts[0], text: 'planted'}];
    }"""
    three.evaluate(draw)
    assert any("planted" in pair for pair in collisions(three))
    three.evaluate("lab => { lab.querySelector('.gradlab-banner').style.width = '200%'; }")
    assert any("gradlab-banner" in said for said in three.evaluate(WRONG))
    three.evaluate("lab => { lab.querySelector('.gradlab-banner').style.width = ''; }")
