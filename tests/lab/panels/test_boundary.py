import numpy as np
import pytest

import gradlab as gl
from gradlab.lab.board.panels.boundary import BoundaryPanel, _class_colours, _examples, _legend
from gradlab.lab.board.panels.cuts import CutsPanel
from gradlab.lab.board.panels.seeds import SeedsPanel
from gradlab.lab.board.panels.training import TrainingPanel
from gradlab.lab.model.function import Function
from gradlab.lab.model.plane import Plane, _plane, contour, plane_of
from gradlab.lab.model.result import compute
from gradlab.plots import DARK, LIGHT, figure_of
from tests.lab.panels.results import given, of_convnet, of_lstm, own

PANEL = BoundaryPanel()


def kinds(result):
    return [mark["kind"] for mark in PANEL.still(result).marks]


def test_the_line_where_a_function_is_zero_is_found():
    axis = np.linspace(-1.5, 1.5, 60)
    x0, y0, x1, y1 = contour(axis, axis, np.add.outer(axis**2, axis**2) - 1)
    np.testing.assert_allclose(np.hypot(x0, y0), 1, atol=2e-3)
    np.testing.assert_allclose(np.hypot(x1, y1), 1, atol=2e-3)
    assert np.hypot(x1 - x0, y1 - y0).sum() == pytest.approx(2 * np.pi, rel=1e-3)


def test_a_straight_line_is_straight_and_no_number_is_no_line():
    axis = np.linspace(0, 1, 5)
    z = np.broadcast_to(axis - 0.3, (5, 5)).copy()
    x0, _, x1, _ = contour(axis, axis, z)
    np.testing.assert_allclose([*x0, *x1], 0.3)
    z[:, 1] = np.nan
    assert len(contour(axis, axis, z)[0]) == 0


def test_every_point_has_the_class_that_the_network_gives_it():
    result = own(data="spirals", train_steps=100)
    plane = plane_of(result.problem)
    for row, column in ((0, 0), (17, 42), (59, 59)):
        point = np.array([[plane.x1[column], plane.x2[row]]])
        assert plane.classes[row, column] == result.net.predict(point).argmax()
    assert (plane.x1[0] < result.x[:, 0]).all()
    assert (plane.x2[-1] > result.x[:, 1]).all()


def test_the_boundary_is_where_the_two_largest_outputs_are_equal():
    result = own(data="spirals", train_steps=100)
    pieces = next(m for m in PANEL.still(result).marks if m["kind"] == "segments")
    z = np.sort(result.net.predict(np.stack([pieces["x0"], pieces["y0"]], axis=1)), axis=1)
    typical = np.ptp(plane_of(result.problem).outputs, axis=-1).mean()
    assert np.median(z[:, -1] - z[:, -2]) < 0.02 * typical


def test_the_matrix_of_colours_has_its_first_row_at_the_top():
    result = own()
    plane, cells = plane_of(result.problem), PANEL.still(result).marks[0]
    colours = {k: tuple(cells["rgba"][::-1][plane.classes == k][0]) for k in (0, 1)}
    assert colours[0] != colours[1]
    assert tuple(cells["rgba"][0, 0]) == colours[plane.classes[-1, 0]]


def test_the_words_count_what_is_seen():
    result = own(train_steps=20)
    right = (result.net.predict(result.x).argmax(axis=1) == result.y).sum()
    assert f"{right} of 30 examples lie in their own region" in PANEL.alt(result)
    assert "15 of class 0, 15 of class 1" in PANEL.alt(result)


def test_each_class_has_a_sign_of_its_own():
    x, y = gl.data.spirals(60, classes=6)
    marks = PANEL.still(given(gl.mlp([2, 8, 6]), x, y)).marks
    looks = {(m["sign"], m["colours"][0]) for m in marks if m["kind"] == "dots"}
    assert len(looks) == 6


@pytest.mark.parametrize("loss", ["mse", "binary_cross_entropy"])
def test_one_hot_targets_are_classes(loss):
    assert "in their own region" in PANEL.alt(own(loss=loss))


def test_one_yes_no_output_is_two_classes():
    x, y = gl.data.moons(20)
    result = given(gl.mlp([2, 4, 1], loss="binary_cross_entropy"), x, y.astype(float))
    right = ((result.net.predict(x)[:, 0] > 0) == y).sum()
    assert f"{right} of 20" in PANEL.alt(result)
    assert kinds(result)[:2] == ["cells", "segments"]


def test_a_regression_is_a_ramp():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((25, 2))
    result = given(gl.mlp([2, 8, 1], loss="mse"), x, x[:, 0])
    off = abs(result.net.predict(x)[:, 0] - x[:, 0]).mean()
    assert f"{off:.2g} off its target" in PANEL.alt(result)
    output, cells = plane_of(result.problem).outputs[..., 0], PANEL.still(result).marks[0]
    red = cells["rgba"][::-1, :, 0].astype(float)
    assert np.corrcoef(output.ravel(), red.ravel())[0, 1] < -0.999  # paler where it is low


def test_what_is_no_plane_says_why():
    assert PANEL.fits(own(data="digits")) == (
        "the examples have 64 numbers each; this picture needs 2"
    )
    assert "images" in PANEL.fits(of_convnet())
    assert "sequences" in PANEL.fits(of_lstm())
    (x, y), rng = gl.data.moons(12), np.random.default_rng(0)
    assert "batch norm" in PANEL.fits(given(gl.mlp([2, 4, 2], batch_norm=True), x, y))
    two = given(gl.mlp([2, 4, 2], loss="mse"), x, rng.standard_normal((12, 2)))
    assert "2 outputs" in PANEL.fits(two)
    assert PANEL.fits(own()) == ""


@pytest.mark.parametrize(
    "settings", [{}, {"hidden": (16,) * 8}, {"weight_scale": 100.0}, {"examples": 1},
                 {"data": "spirals", "data_scale": 1e3}]
)  # fmt: skip
def test_it_is_drawn_in_both_palettes(settings):
    result = own(**settings)
    for palette in (LIGHT, DARK):
        figure_of([(PANEL.still(result), [])], palette, widths=[22.0]).canvas.draw()


def test_a_function_has_no_network_to_look_into():
    theta = np.array([1.0, 2.0])
    brought = Function.check(lambda t: float(t @ t), lambda t: 2 * t, theta)
    result = compute(brought.settings(), brought)
    for panel in (PANEL, CutsPanel(), SeedsPanel(), TrainingPanel()):
        assert "no network" in panel.fits(result)


# -- what is drawn where -------------------------------------------------------------------------


def test_the_plane_reaches_beyond_the_data_by_a_share_of_it_and_each_point_has_a_cell():
    result = own()
    plane, chart = plane_of(result.problem), PANEL.still(result)
    low, high = result.x.min(axis=0), result.x.max(axis=0)
    for k, (axis, drawn) in enumerate(((plane.x1, chart.x), (plane.x2, chart.y))):
        assert len(axis) == 60
        assert low[k] - axis[0] == pytest.approx(0.15 * (high - low)[k])
        assert axis[-1] - high[k] == pytest.approx(0.15 * (high - low)[k])
        assert (drawn.low, drawn.high) == (axis[0], axis[-1])
        half = (axis[1] - axis[0]) / 2
        box = chart.marks[0]["box"]
        assert (box[k], box[k + 2]) == pytest.approx((axis[0] - half, axis[-1] + half))


@pytest.mark.parametrize(("value", "room"), [(0.0, 1.0), (0.5, 1.0), (-3.0, 3.0)])
def test_around_a_single_example_there_is_room(value, room):
    x = np.array([[value, 2.0]])
    plane = plane_of(given(gl.mlp([2, 3, 2]), x, np.array([0])).problem)
    assert (plane.x1[0], plane.x1[-1]) == (value - room, value + room)
    assert (plane.x2[0], plane.x2[-1]) == (0.0, 4.0)


def test_the_margin_of_a_class_is_how_far_it_is_above_the_best_other_one():
    outputs = np.array([[[1.0, 5.0, 2.0]]])
    both = [float(m.squeeze()) for m in Plane(None, None, outputs, None).margins()]
    assert both == [-4.0, 3.0]
    (one,) = Plane(None, None, np.array([[[-2.0]]]), None).margins()
    assert one == -2.0


def test_a_point_whose_output_overflows_has_no_class_and_no_colour():
    net, (x, y) = gl.mlp([2, 3, 2], "identity"), gl.data.moons(8)
    net.params["W1"][:] = [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    net.params["W2"][:] = 1e308
    plane = _plane(net, x, y)
    broken = ~np.isfinite(plane.outputs).all(axis=-1)
    assert broken.sum() > 0
    np.testing.assert_array_equal(plane.classes == -1, broken)
    pale = _class_colours(plane.classes)
    np.testing.assert_array_equal(pale[..., 3] == 0, broken)


def test_regions_are_seen_and_stand_behind_the_examples():
    pale = _class_colours(np.array([[0, 1, 2, 3, 4, -1]]))[0]
    assert len({tuple(colour) for colour in pale[:4].tolist()}) == 4
    assert pale[4].tolist() == pale[0].tolist(), "colours come again, with other signs"
    assert np.all((pale[:4, 3] > 0.15 * 255) & (pale[:4, 3] < 0.4 * 255))
    assert pale[5, 3] == 0
    for k in range(4):
        assert "#" + pale[k, :3].tobytes().hex().upper() == LIGHT.hex(f"data{k}").upper()


@pytest.mark.parametrize(("classes", "told"), [(2, 2), (6, 6), (7, 0)])
def test_a_legend_names_up_to_six_classes_by_colour_and_sign(classes, told):
    labels = np.arange(classes)
    entries, x = _legend(labels), np.zeros((classes, 2))
    assert [entry.text for entry in entries] == [f"class {k}" for k in range(told)]
    letters = {"disc": "●", "square": "■", "triangle": "▼", "ring": "○"}
    for entry, mark in zip(entries, _examples(x, labels)[:told], strict=True):
        assert (entry.colour, entry.sign) == (mark["colours"][0], letters[mark["sign"]])


def test_sixteen_classes_have_a_look_each_and_an_edge_that_keeps_them_apart():
    marks = _examples(np.arange(32.0).reshape(16, 2), np.arange(16))
    assert len({(m["sign"], m["colours"][0]) for m in marks}) == 16
    assert [m["x"].tolist() for m in marks] == [[2.0 * k] for k in range(16)]
    for mark in marks:
        assert (mark["edge"] is None) == (mark["sign"] == "ring")


def test_one_example_is_told_of_in_the_singular_and_a_class_without_any_is_not():
    net = gl.mlp([2, 4, 3])
    x, labels = np.array([[0.3, 0.1], [-0.4, 0.2]]), np.array([0, 2])
    result = given(net, x, labels)
    right = int((net.predict(x).argmax(axis=1) == labels).sum())
    said = {0: "0 of 2 examples lie in their own", 1: "1 of 2 examples lies in its own",
            2: "2 of 2 examples lie in their own"}[right]  # fmt: skip
    assert f"{said} region." in PANEL.alt(result)
    assert "1 of class 0, 1 of class 2." in PANEL.alt(result)
    swapped = given(net, x, labels[::-1].copy())
    other = int((net.predict(x).argmax(axis=1) == labels[::-1]).sum())
    assert f"{other} of 2 examples lie" in PANEL.alt(swapped)
    seen = ", ".join(str(k) for k in np.unique(plane_of(result.problem).classes))
    assert f"these classes: {seen}." in PANEL.alt(result)


def test_of_a_regression_an_example_is_a_ring_around_the_colour_it_should_have():
    rng = np.random.default_rng(0)
    x, net = rng.standard_normal((40, 2)), gl.mlp([2, 8, 1], loss="mse")
    y = np.linspace(-3, 5, 40)
    result = given(net, x, y)
    cells, *rings = PANEL.still(result).marks
    output = plane_of(result.problem).outputs[..., 0]
    low, high = min(-3, output.min()), max(5, output.max())
    assert 5 <= len(rings) <= 9
    assert sum(len(m["x"]) for m in rings) == 40
    ends = np.array([[255, 255, 255], [0x1A, 0x6F, 0xA8]], float)
    for mark in rings:
        assert mark["edge"] not in mark["colours"]
        for at in mark["x"]:
            share = (y[np.flatnonzero(x[:, 0] == at)[0]] - low) / (high - low)
            level = bytes.fromhex(mark["colours"][0][1:])
            off = np.abs(np.array(list(level)) - (ends[0] + share * (ends[1] - ends[0])))
            assert off.max() <= 255 / 16 + 1
    row, column = 10, 20
    share = (output[row, column] - low) / (high - low)
    expected = ends[0] + share * (ends[1] - ends[0])
    assert np.abs(cells["rgba"][::-1][row, column, :3] - expected).max() <= 1
    assert (cells["rgba"][..., 3] == 255).all()
    assert PANEL.still(result).title == "Data and output"
    assert "The 40 examples by x₁ and x₂ over the output." in PANEL.alt(result)


def test_a_regression_to_one_value_has_one_colour():
    x = np.random.default_rng(0).standard_normal((5, 2))
    net = gl.mlp([2, 3, 1], loss="mse")
    net.params["W2"][:] = 0.0
    _, *rings = PANEL.still(given(net, x, np.zeros(5))).marks
    assert [m["colours"] for m in rings] == [["#ffffff"]]


def test_a_contour_ends_where_no_number_is_and_meets_every_cell_it_crosses():
    x1, x2 = np.linspace(0, 3, 4), np.linspace(0, 2, 3)
    z = np.add.outer(0 * x2, x1 - 1.25)
    pieces = np.array(contour(x1, x2, z))
    np.testing.assert_allclose(pieces[[0, 2]], 1.25)
    length = np.abs(pieces[3] - pieces[1]).sum()
    assert length == pytest.approx(2)
    assert pieces.shape[1] == 4, "two triangles of two cells"
    assert contour(x1, x2, z + 10)[0].size == 0


def test_without_a_second_region_there_is_no_boundary():
    net, (x, y) = gl.mlp([2, 3, 2]), gl.data.moons(8)
    net.params["b2"][:] = [50.0, 0.0]
    assert "segments" not in kinds(given(net, x, y))
    assert "segments" in kinds(own())


def test_one_number_each_is_told_in_the_singular():
    x = np.arange(4.0)[:, None]
    assert "the examples have 1 number each" in PANEL.fits(given(gl.mlp([1, 3, 2]), x, x[:, 0] > 1))
