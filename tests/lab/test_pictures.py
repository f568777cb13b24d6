"""What is sent of a result: charts when they change, ink, words; and the picture that is stored."""

import io
from collections.abc import Hashable
from typing import ClassVar

import matplotlib.image
import numpy as np
import pytest

from gradlab.lab.board import scene as scene_module
from gradlab.lab.board.board import Board
from gradlab.lab.board.packing import pack_chart, pack_ghost, pack_ink, shares
from gradlab.lab.board.panels import NAMES, PANELS, Panel
from gradlab.lab.board.scene import Scene
from gradlab.lab.model.result import compute
from gradlab.lab.model.settings import Settings
from gradlab.plots.chart import Axis, Chart, boxes, cells, curve, dots, words
from gradlab.plots.palette import DARK, LIGHT

SMALL = Settings(hidden=(4,))
LOG, LINE = Axis(1e-13, 1e-1, log=True), Axis(-2.0, 6.0, "along")


def floats(packed, place):
    start, count = place
    return np.frombuffer(packed["bytes"], "<f4", count, start)


def test_data_become_shares_of_their_axis():
    np.testing.assert_allclose(shares(np.array([1e-13, 1e-7, 1e-1]), LOG), [0, 0.5, 1], atol=1e-12)
    np.testing.assert_allclose(shares(np.array([-2.0, 0.0, 6.0]), LINE), [0, 0.25, 1])


def test_what_has_no_place_stays_far_outside_and_nan_stays_nan():
    far = shares(np.array([0.0, -1.0, np.inf]), LOG)
    assert (far[:2] < -10).all()
    assert np.isfinite(far).all()
    assert np.isnan(shares(np.array([np.nan]), LOG)).all()
    assert shares(np.array([5.0]), Axis(5.0, 5.0)) == [0.0]
    assert shares(np.array([6.0]), Axis(5.0, 5.0)) == [1.0]


def test_a_loss_that_moves_by_a_billionth_keeps_its_shape_on_the_way():
    loss = 0.6931 + 1e-9 * np.array([0.0, 0.3, 1.0])
    chart = Chart("", LINE, Axis(0.6931, 0.6931 + 1e-9), [curve([0, 1, 2], loss, "ink", 1.5)])
    packed = pack_chart(chart)
    np.testing.assert_allclose(floats(packed, packed["marks"][0]["y"]), [0, 0.3, 1], atol=1e-6)


def test_a_chart_is_packed_with_all_its_numbers_in_one_buffer():
    rgba = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    marks = [
        boxes(-2, 1e-13, 6, 1e-7, "band0"),
        cells(-2, 1e-13, 6, 1e-1, rgba),
        dots([0, 2, 6], [1e-1, 1e-7, np.nan], ["wrong", "ink"], [1, 2]),
        words([2], [1e-7], ["<b>"], "faint"),
    ]
    packed = pack_chart(Chart("A title", LINE, LOG, marks, bottom=1.5))
    box, matrix, points, text = packed["marks"]
    np.testing.assert_allclose(floats(packed, box["y1"]), [0.5])
    assert matrix["box"] == [0.0, 0.0, 1.0, 1.0]
    assert matrix["shape"] == [2, 3]
    start, count = matrix["rgba"]
    assert packed["bytes"][start : start + count] == rgba.tobytes()
    np.testing.assert_allclose(floats(packed, points["x"]), [0.25, 0.5, 1])
    assert points["ends"] == [1, 3]
    assert text["texts"] == ["<b>"]
    assert packed["bottom"] == 1.5
    starts = [place[0] for mark in packed["marks"] for key, place in mark.items() if key in "xy"]
    assert all(start % 4 == 0 for start in starts), "where 32-bit numbers may begin"


def test_an_axis_is_sent_with_its_ticks_as_shares():
    packed = pack_chart(Chart("", Axis(0.0, 4.0, ticks=((1.0, "W1"), (2.0, "b1"))), LOG))
    assert packed["x"]["ticks"] == [(0.25, "W1"), (0.5, "b1")]
    assert not packed["x"]["free"], "names stay where they are"
    assert packed["y"]["free"]
    plain = pack_chart(Chart("", LINE, Axis(1.0, 1e3, log=True, ticks=((10.0, "ten"),))))
    assert plain["x"]["free"]
    assert plain["y"]["free"], "a logarithmic axis finds ticks between those that are named"
    assert (0.25, "10⁻¹⁰") in [(round(at, 6), text) for at, text in packed["y"]["ticks"]]


def test_ink_stands_on_the_axes_of_its_panel():
    charts = {"one": Chart("", LINE, LOG), "two": Chart("", LOG, LINE)}
    marks = {"one": [curve([2], [1e-7], "ink", 1.5)], "two": [curve([1e-7], [2], "ink", 1.5)]}
    packed, numbers = pack_ink(marks, charts)
    for name in charts:
        (mark,) = packed[name]
        for key in "xy":
            np.testing.assert_allclose(floats({"bytes": numbers}, mark[key]), [0.5])


def test_a_ghost_is_curves_and_dots_alone():
    chart = Chart("", LINE, LOG, [boxes(0, 1e-7, 1, 1e-1, "band0"), curve([0], [1e-7], "ink", 1.5)])
    ghost = pack_ghost({"u": (chart, [dots([0], [1e-3], ["ink"]), words([0], [1e-3], "x", "ink")])})
    assert [mark["kind"] for mark in ghost["charts"]["u"]["marks"]] == ["curve", "dots"]
    assert pack_ghost({}) == {}


class Dear(Panel):
    """Counts how often it is computed; only at rest."""

    name, title, at_rest = "dear", "A dear panel", True
    computed: ClassVar[list] = []
    why: ClassVar[str] = ""

    def fits(self, result):
        return self.why

    def key(self, result) -> Hashable:
        return result.settings.eps

    def still(self, result):
        self.computed.append(result.settings.eps)
        return Chart("", LINE, LOG)

    def alt(self, result):
        return "dear"


@pytest.fixture
def dear(monkeypatch):
    monkeypatch.setattr(scene_module, "PANELS", (Dear,))
    monkeypatch.setattr(Dear, "computed", [])
    monkeypatch.setattr(Dear, "why", "")
    return Scene(["dear"])


def test_what_is_dear_is_computed_at_rest_alone(dear):
    one, other = compute(SMALL), compute(SMALL.replace(eps=1e-3))
    assert "dear" in dear.frame(one).charts
    moving = dear.frame(other, at_rest=False)
    assert moving.charts == {}
    assert "dear" not in moving.ink["marks"], "it keeps what it shows"
    assert Dear.computed == [one.settings.eps]
    assert "dear" in dear.frame(other).charts


def test_a_panel_with_nothing_to_show_says_why(dear, monkeypatch):
    result = compute(SMALL)
    dear.frame(result)
    monkeypatch.setattr(Dear, "why", "the data has 64 columns, not 2.")
    frame = dear.frame(result)
    assert frame.charts == {"dear": {"says": Dear.why}}
    assert frame.told["alt"]["dear"] == f"A dear panel: {Dear.why}"
    assert dear.frame(result).charts == {}
    monkeypatch.setattr(Dear, "why", "")
    assert "marks" in dear.frame(result).charts["dear"]


def test_a_chart_is_sent_only_when_its_key_changes():
    scene = Scene(NAMES)
    right = compute(SMALL)
    assert set(scene.frame(right).charts) == set(NAMES)
    assert scene.frame(right).charts == {}
    moved = compute(SMALL.replace(eps=2e-5), previous=right, held=True)
    assert "u_curve" not in scene.frame(moved).charts
    wrong = compute(SMALL.replace(bug="flipped_sign"))
    assert {"u_curve", "network"} <= set(scene.frame(wrong).charts)


def test_a_frame_depends_on_the_result_and_on_nothing_before():
    moved = Scene(NAMES)
    changes = ({}, {"eps": 1e-2}, {"use_l2": True, "l2_in_loss": False}, {"hidden": (3, 2)})
    for result in [compute(SMALL.replace(**change)) for change in changes]:
        frame, fresh = moved.frame(result), Scene(NAMES).frame(result)
        assert frame.ink == fresh.ink
        assert frame.told == fresh.told
        assert all(chart == fresh.charts[name] for name, chart in frame.charts.items())


def test_the_ghost_is_of_the_result_that_was_pinned():
    scene, pinned = Scene(["u_curve", "network"]), compute(SMALL)
    assert scene.ghost() == {}
    scene.pin(pinned)
    ghost = scene.ghost()
    scene.frame(compute(SMALL.replace(weight_scale=2.0)))
    assert scene.ghost() == ghost
    kinds = {mark["kind"] for mark in ghost["charts"]["u_curve"]["marks"]}
    assert kinds == {"curve", "dots"}
    scene.pin(None)
    assert scene.ghost() == {}


def pixels(png):
    return matplotlib.image.imread(io.BytesIO(png))[..., :3]


def test_the_stored_picture_has_the_visible_panels_in_the_palettes_colours():
    result = compute(SMALL)
    light, dark = (Scene(NAMES).picture(result, palette) for palette in (LIGHT, DARK))
    assert pixels(light)[0, 0].tolist() == [1, 1, 1]
    assert pixels(dark)[0, 0].max() < 0.1
    one = pixels(Scene(["network"]).picture(result, LIGHT))
    assert one.shape[1] < pixels(light).shape[1]
    assert one.std() > 0.05
    three, four = (pixels(Scene(NAMES[:n]).picture(result, LIGHT)) for n in (3, 4))
    assert three.shape[0] == one.shape[0], "three stand beside each other"
    assert four.shape[0] > 1.8 * one.shape[0]
    assert b"<svg" in Scene(["u_curve"]).picture(result, LIGHT, "svg")[:1000]


def test_the_board_has_a_place_for_every_panel():
    traits = Board.class_traits()
    sent = {name for name, trait in traits.items() if trait.metadata.get("sync")}
    assert sent >= {f"chart_{name}" for name in NAMES} | {
        "panels", "visible", "theme", "colours", "banner", "ink", "ghost", "told",
    }  # fmt: skip
    board = Board(NAMES, print, print, {})
    assert list(board.panels) == [panel.name for panel in PANELS]
    assert board.colours["dark"]["paper"] == DARK.paper
    board.close()
