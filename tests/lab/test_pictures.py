"""The figure, its layers, the PNG encoder and its colours."""

import io

import matplotlib.image
import numpy as np
import pytest

from gradlab.lab.colour_table import ColourTable, colour_table
from gradlab.lab.live_figure import Layer, LiveFigure
from gradlab.lab.png import encode_png
from gradlab.lab.result import compute
from gradlab.lab.scene import ERRORS_SIZE, NETWORK_SIZE, Scene
from gradlab.lab.settings import Settings
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
def test_a_dragged_frame_looks_like_the_true_one(theme):
    scene, result = Scene(PALETTES[theme]), compute(SMALL)
    dragged = decoded(scene.errors(result)).astype(int)
    true = decoded(encode_png(scene._errors(result, 1))).astype(int)
    assert np.abs(dragged - true).mean() < 1
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


def test_the_scene_is_a_picture_of_the_result_and_of_nothing_before():
    results = [
        compute(SMALL.replace(**change))
        for change in ({}, {"eps": 1e-2}, {"use_l2": True, "l2_in_loss": False}, {"hidden": (3, 2)})
    ]
    moved = Scene(PALETTES["light"])
    for result in results * 2:
        fresh = Scene(PALETTES["light"])
        assert moved.errors(result) == fresh.errors(result)
        assert moved.both(result) == fresh.both(result)
    frames = {moved.errors(result) for result in results}
    assert len(frames) == len(results)


def test_sizes_and_scales():
    scene, result = Scene(PALETTES["dark"]), compute(SMALL)
    for scale in (1, 2):
        width, height = ERRORS_SIZE
        assert decoded(scene.errors(result, scale)).shape == (height * scale, width * scale, 3)
        width, height = NETWORK_SIZE
        assert decoded(scene.network(result, scale)).shape == (height * scale, width * scale, 3)
    assert scene.network(result, 1) is None, "a sharp one is on the screen"
    scene.recolour(PALETTES["light"])
    assert scene.network(result, 1) is not None
