"""The figure, its layers, the PNG encoder and its colours."""

import io

import matplotlib.image
import numpy as np
import pytest

from gradlab.lab.board.board import Board
from gradlab.lab.board.colour_table import ColourTable, colour_table
from gradlab.lab.board.live_figure import Layer, LiveFigure
from gradlab.lab.board.panels import NAMES, PANELS
from gradlab.lab.board.png import encode_png
from gradlab.lab.board.scene import Scene
from gradlab.lab.model.result import compute
from gradlab.lab.model.settings import Settings
from gradlab.plots import PALETTES

SMALL = Settings(hidden=(4,))


def decoded(png):
    return np.rint(255 * matplotlib.image.imread(io.BytesIO(png))[..., :3]).astype(np.uint8)


@pytest.fixture(params=[(1, 1), (7, 5), (40, 33)], ids=str)
def picture(request):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (*request.param, 4), dtype=np.uint8)


def test_a_true_colour_png_holds_every_pixel(picture):
    np.testing.assert_array_equal(decoded(encode_png(picture)), picture[..., :3])


def test_a_palette_png_holds_the_nearest_colours():
    table = ColourTable(np.array([[0, 0, 0], [255, 255, 255], [200, 30, 40]], np.uint8))
    picture = np.full((2, 3, 4), 255, np.uint8)
    picture[0, 0, :3] = (3, 1, 2)
    picture[0, 1, :3] = (210, 40, 30)
    picture[1, 2, :3] = (200, 30, 40)
    got = decoded(encode_png(picture, table))
    assert got[0, 0].tolist() == [0, 0, 0]
    assert got[0, 1].tolist() == got[1, 2].tolist() == [200, 30, 40]
    assert got[1, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("theme", PALETTES)
def test_the_table_keeps_the_palettes_own_colours(theme):
    palette = PALETTES[theme]
    colours = [palette.paper, palette.ink, *palette.bands, *palette.layers]
    rgb = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours]
    picture = np.array([[[*c, 255] for c in rgb]], np.uint8)
    table = colour_table(palette)
    assert len(table.colours) <= 256
    assert decoded(encode_png(picture, table))[0].tolist() == rgb


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("panel", PANELS, ids=NAMES)
def test_a_dragged_paper_looks_like_the_true_one(panel, theme):
    one, result = panel(PALETTES[theme]), compute(SMALL)
    dragged = decoded(one.frame(result).paper).astype(int)
    true = decoded(encode_png(one.live.frame(one._prepare(result), 1))).astype(int)
    assert np.abs(dragged - true).mean() < 1.5
    if panel.name != "heatmap":  # whose colour bar has colours of its own
        assert (np.abs(dragged - true).max(axis=2) > 60).mean() < 0.002


@pytest.fixture
def two_lines():
    live = LiveFigure(60, 40)
    live.clear("#ffffff")
    axes = live.figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return live, [axes.plot([], [], color=c, lw=4)[0] for c in ("red", "blue")]


def draw(live, lines, keys, heights, scale=1):
    for line, height in zip(lines, heights, strict=True):
        line.set_data([0, 1], [height, height])
    layers = [Layer(key, [line]) for key, line in zip(keys, lines, strict=True)]
    return live.frame(layers, scale)[..., :3].copy()


def has(frame, colour):
    return bool((frame == colour).all(axis=-1).any())


RED, BLUE = (255, 0, 0), (0, 0, 255)


def test_a_layer_is_drawn_again_only_when_its_key_changes(two_lines):
    live, lines = two_lines
    first = draw(live, lines, ["a", 0], [0.3, 0.7])
    assert has(first, RED)
    assert has(first, BLUE)
    same_key = draw(live, lines, ["a", 1], [0.9, 0.5])
    np.testing.assert_array_equal(
        (same_key == RED).all(axis=-1), (first == RED).all(axis=-1)
    )  # kept pixels
    assert not np.array_equal(same_key, first)
    new_key = draw(live, lines, ["b", 1], [0.9, 0.5])
    assert not np.array_equal((new_key == RED).all(axis=-1), (first == RED).all(axis=-1))


def test_both_scales_show_the_latest(two_lines):
    live, lines = two_lines
    draw(live, lines, ["a", 0], [0.3, 0.7])
    small = draw(live, lines, ["b", 1], [0.8, 0.2])
    large = draw(live, lines, ["b", 2], [0.8, 0.2], scale=2)
    again = draw(live, lines, ["b", 3], [0.8, 0.2])
    assert small.shape == (40, 60, 3)
    assert large.shape == (80, 120, 3)
    np.testing.assert_array_equal(small, again)
    assert abs(large[::2, ::2].astype(int) - small).mean() < 20


def test_clearing_leaves_nothing_of_the_old_panels(two_lines):
    live, lines = two_lines
    draw(live, lines, ["a", 0], [0.3, 0.7])
    live.clear("#00ff00")
    frame = live.frame([])[..., :3]
    assert (frame == (0, 255, 0)).all()


def test_a_panel_is_a_picture_of_the_result_and_of_nothing_before():
    results = [
        compute(SMALL.replace(**change))
        for change in ({}, {"eps": 1e-2}, {"use_l2": True, "l2_in_loss": False}, {"hidden": (3, 2)})
    ]
    moved = Scene(PALETTES["light"], NAMES)
    pictures = []
    for result in results * 2:
        fresh = Scene(PALETTES["light"], NAMES)
        pictures.append(moved.whole(result))
        assert pictures[-1] == fresh.whole(result)
        assert moved.frame(result)[1] == fresh.frame(result)[1]
    assert len(set(pictures)) == len(results)


@pytest.mark.parametrize("panel", PANELS, ids=NAMES)
def test_sizes_and_scales(panel):
    one, result = panel(PALETTES["dark"]), compute(SMALL)
    width, height = panel.size
    for scale in (1, 2):
        paper = one.frame(result, scale).paper
        assert decoded(paper).shape == (height * scale, width * scale, 3)
    assert one.frame(result, 1).paper is None, "a sharp one is on the screen"


def test_the_board_has_a_place_for_every_panel():
    assert all(Board.class_traits()[name].metadata["sync"] for name in NAMES)
    assert list(Board(NAMES, print, print).sizes) == list(NAMES)


def test_cells_of_the_heatmap_that_were_not_checked_are_faint():
    panel = next(panel for panel in PANELS if panel.name == "heatmap")(PALETTES["light"])
    result = compute(Settings(hidden=(64,) * 4, data="digits", tensor="W2"), coarse=True)
    cells = next(shape for shape in panel.ink(result) if shape["kind"] == "cells")
    rgba = np.frombuffer(cells["rgba"], np.uint8).reshape(64, 64, 4)
    checked = np.flatnonzero(rgba[..., 3] == 255)
    np.testing.assert_array_equal(checked, result.report["W2"].entries)
    assert f"{len(checked)} of 4096 entries of W2" in panel.alt(result)


@pytest.mark.parametrize("name", ["tensors", "network"])
def test_a_paper_that_was_drawn_before_is_the_same_and_is_not_drawn_again(name, monkeypatch):
    panel = next(panel for panel in PANELS if panel.name == name)(PALETTES["light"])
    right = compute(SMALL)
    wrong = compute(SMALL.replace(bug="flipped_sign"))
    other = compute(SMALL.replace(hidden=(5,)))
    first = [panel.frame(result).paper for result in (right, wrong)]
    assert first[0] != first[1]
    with monkeypatch.context() as patched:
        patched.setattr(panel.live, "frame", None)
        assert [panel.frame(result).paper for result in (right, wrong)] == first
        assert panel.frame(wrong).paper is None  # it is on the screen
    if name == "network":  # axes of another network are other axes
        assert panel.frame(other).paper not in first
        assert panel.frame(right).paper == first[0]


@pytest.mark.parametrize(("changes", "factor"), [({}, 1.0), ({"bug": "flipped_sign"}, -1.0)])
def test_agreement_shows_an_entry_on_the_diagonal_where_the_two_agree(changes, factor):
    panel = next(panel for panel in PANELS if panel.name == "agreement")(PALETTES["light"])
    result = compute(SMALL.replace(tensor="b1", **changes))
    panel.frame(result)
    dots = next(shape for shape in panel.ink(result) if shape["kind"] == "discs")
    at = np.frombuffer(dots["xy"], "<u2").reshape(-1, 2) / 32
    ((x0, y0), (x1, y1)) = panel.live.pixels(panel._axes, [-1.0, 1.0], [-1.0, 1.0])
    numerical, analytic = (at[:, 0] - x0) / (x1 - x0), (at[:, 1] - y0) / (y1 - y0)
    numerical, analytic = 2 * numerical - 1, 2 * analytic - 1
    assert len(at) == 4
    np.testing.assert_allclose(analytic, factor * numerical, atol=2e-3)
    assert np.abs(numerical).max() > 0.99
    assert f"ratio {factor:.3g}" in panel.alt(result)
