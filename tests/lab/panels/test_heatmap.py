"""The heatmap: what the colours and signs of its cells say, and where they stand."""

from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.lab.board.entry_marks import SIGNS
from gradlab.lab.board.panels.heatmap import HeatmapPanel, as_matrix
from gradlab.lab.model.settings import Settings
from tests.lab.panels.cases import result_of

PANEL = HeatmapPanel()


def tensor(errors, marks=None, **more):
    errors = np.asarray(errors, float)
    marks = np.full(errors.shape, "ok", "<U12") if marks is None else np.array(marks)
    made = {
        "name": "W1", "shape": errors.shape, "entries": None, "directional": False,
        "coverage": "20 directions", "analytic": errors,
    }  # fmt: skip
    return SimpleNamespace(errors=errors, marks=marks, **made | more)


def showing(one, **settings):
    return SimpleNamespace(report={"W1": one}, tensor="W1", settings=Settings(**settings))


def colours(one):
    return PANEL.moving(showing(one))[0]["rgba"].astype(int)


def test_a_larger_error_is_brighter_and_both_ends_are_the_bars():
    errors = [[0.0, 1e-12, 1e-10, 1e-7, 1e-4, 1e-1, 1.0, 2.0, np.nan]]
    (row,) = colours(tensor(errors))
    light = row[:, :3].sum(axis=1)
    assert light[0] == light[1]
    assert np.all(np.diff(light[1:7]) > 10)
    assert light[6] == light[7] == light[8], "what is no number is the worst"
    assert np.all(row[:, 3] == 255)
    bar = PANEL.still(showing(tensor(errors))).marks[0]
    assert bar["rgba"][:, 0].tolist() == bar["rgba"][:, -1].tolist()
    np.testing.assert_array_equal(bar["rgba"][0, 0], row[6])
    np.testing.assert_array_equal(bar["rgba"][-1, 0], row[0])
    assert len(bar["rgba"]) == 256


def test_the_bar_names_its_decades_where_their_colours_are():
    errors = 10.0 ** np.arange(-12.0, 1.0, 3)[None]
    bar, names = PANEL.still(showing(tensor(errors))).marks
    assert names["texts"] == ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "1"]
    assert names["y"][0] == 0
    assert names["y"][-1] == 1
    left, low, right, high = bar["box"]
    assert (low, high) == (0, 1)
    assert names["x"] == pytest.approx([right] * 5)
    assert 1 < left < right < PANEL.still(showing(tensor(errors))).x.high
    for height, colour in zip(names["y"], colours(tensor(errors))[0], strict=True):
        at = round((1 - height) * 255)
        assert np.abs(bar["rgba"][at, 0].astype(int) - colour).max() <= 2


def test_what_proves_nothing_and_what_was_not_checked_have_no_colour_of_an_error():
    (row,) = colours(tensor([[0.0, 0.0]], [["zero", "ok"]]))
    assert row[0, 3] < 100
    assert row[1, 3] == 255
    sampled = tensor([1.0, 1e-9], shape=(2, 2), entries=np.array([0, 3]))
    matrix = colours(sampled)
    assert (matrix[..., 3] == 255).tolist() == [[True, False], [False, True]]
    assert len({tuple(colour) for colour in matrix[matrix[..., 3] < 255]}) == 1


def signs(one):
    found = [m for m in PANEL.moving(showing(one)) if m["kind"] == "words"]
    assert len(found) <= 1
    return found[0] if found else None


def test_a_marked_entry_has_its_sign_in_the_middle_of_its_cell():
    one = tensor(np.full((2, 3), 0.5), [["ok", "bug", "ok"], ["kink", "ok", "zero"]])
    mark, box = signs(one), PANEL.moving(showing(one))[0]["box"]
    assert mark["texts"] == [SIGNS["bug"], SIGNS["kink"], SIGNS["zero"]]
    side = (box[2] - box[0]) / 3
    assert (box[3] - box[1]) / 2 == pytest.approx(side), "cells are square"
    np.testing.assert_allclose(mark["x"], box[0] + side * np.array([1.5, 0.5, 2.5]))
    np.testing.assert_allclose(mark["y"], box[3] - side * np.array([0.5, 1.5, 1.5]))
    assert signs(tensor(np.full((2, 3), 0.5))) is None


def test_a_sign_is_white_on_dark_cells_and_black_on_bright_ones():
    one = tensor([[1e-12, 1.0, 0.0]], [["bug", "bug", "zero"]])
    assert signs(one)["colours"] == ["#FFFFFF", "#000000", "ink"]


def test_the_picture_ends_at_the_matrix_and_right_of_the_bars_names():
    chart = PANEL.still(showing(tensor([[0.5]])))
    bar, names = chart.marks
    assert chart.x.low == 0, "the square's left side"
    assert chart.x.high - names["x"][0] == pytest.approx(0.2), "some three letters of 10⁻¹²"
    below, above = -chart.y.low, chart.y.high - 1
    assert below == pytest.approx(above), "half a line at both ends of the bar"
    assert 0.4 < below * 14.5 < 0.5
    assert 0.05 <= bar["box"][0] - 1 < bar["box"][2] - 1 < 0.15, "close to the square, and narrow"
    assert (chart.square, chart.framed, names["align"], names["outside"]) == (1, 0, "left", True)


@pytest.mark.parametrize("columns", [1, 4, 5, 6, 20, 25])
def test_a_matrix_is_in_the_middle_of_the_square_and_of_large_cells_at_the_most(columns):
    one = tensor(np.full((3, columns), 0.5), np.full((3, columns), "bug"))
    left, low, right, high = PANEL.moving(showing(one))[0]["box"]
    assert (left + right, low + high) == pytest.approx((1, 1))
    side = (right - left) / columns
    assert side == pytest.approx(min(0.2, 1 / columns))
    mark = signs(one)
    assert 0.45 <= mark["size"] <= 1.2
    assert mark["size"] <= 14.5 * side, "a sign is no larger than its cell"


def test_where_cells_are_tiny_there_are_no_signs():
    assert signs(tensor(np.full((3, 25), 0.5), np.full((3, 25), "bug"))) is not None
    assert signs(tensor(np.full((3, 26), 0.5), np.full((3, 26), "bug"))) is None
    assert signs(tensor(np.full((26, 3), 0.5), np.full((26, 3), "bug"))) is None


def test_the_legend_explains_the_usual_signs_and_any_other_that_is_there():
    def told(one):
        return [(entry.text, entry.sign) for entry in PANEL.still(showing(one)).legend]

    usual = [("bug", "✗"), ("kink", "∧"), ("noise", "·"), ("both 0", "0")]
    assert told(tensor([[0.5]])) == usual
    assert told(tensor([[0.5]], [["open"]])) == [*usual, ("open", SIGNS["open"])]


def test_the_title_tells_the_shape_or_how_many_were_checked():
    def title(one):
        return PANEL.still(showing(one)).aside

    assert title(tensor(np.ones((2, 3)))) == "W1 (2 × 3)"
    assert title(tensor(np.ones(2), shape=(2, 4), entries=np.array([0, 5]))) == "W1, 2 of 8"
    assert title(tensor(np.ones(20), directional=True)) == "W1, 20 directions"


def test_a_vector_is_a_row_and_a_bank_of_filters_has_one_each():
    assert as_matrix(np.zeros(5)).shape == (1, 5)
    assert as_matrix(np.zeros((4, 3))).shape == (4, 3)
    assert as_matrix(np.zeros((4, 3, 2, 2))).shape == (4, 12)


@pytest.mark.parametrize("entry", [-1, 0, 5, 6])
def test_a_frame_stands_around_an_entry_that_is_there(entry):
    framed = [m["kind"] for m in PANEL.moving(showing(tensor(np.ones((2, 3))), entry=entry))]
    assert framed.count("boxes") == (2 if entry in (0, 5) else 0)
    along = tensor(np.ones((2, 3)), directional=True)
    assert "boxes" not in [m["kind"] for m in PANEL.moving(showing(along, entry=entry))]


def test_a_click_beside_the_cells_chooses_nothing():
    one = showing(tensor(np.ones((2, 3))))
    left, low, right, high = PANEL.moving(one)[0]["box"]
    inside, edge = 0.5, 1e-9
    assert PANEL.pressed(one, left + edge, low + edge) == {"tensor": "W1", "entry": 3}
    assert PANEL.pressed(one, right - edge, high - edge) == {"tensor": "W1", "entry": 2}
    for x, y in ((left - edge, inside), (right + edge, inside), (inside, low - edge),
                 (inside, high + edge)):  # fmt: skip
        assert PANEL.pressed(one, x, y) == {}


def test_its_words_count_the_marks_and_name_the_largest():
    one = tensor([[1e-9, 0.25, 0.5]], [["ok", "bug", "bug"]])
    assert PANEL.alt(showing(one)) == (
        "Relative error of every entry of W1: 2 bug, 1 ok; the largest is 5.0e-01."
    )
    assert "20 directions of W1" in PANEL.alt(showing(tensor([0.5], directional=True)))


def test_its_key_is_the_tensor_and_the_signs_to_explain():
    one, moved = (result_of("default", tensor="W1", eps=eps) for eps in (1e-5, 2e-5))
    assert PANEL.key(one) == PANEL.key(moved)
    assert PANEL.key(one) != PANEL.key(result_of("default", tensor="W2"))
