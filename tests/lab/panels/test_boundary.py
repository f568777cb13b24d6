import numpy as np
import pytest

import gradlab as gl
from gradlab.lab.board.panels.boundary import BoundaryPanel
from gradlab.lab.board.panels.cuts import CutsPanel
from gradlab.lab.board.panels.seeds import SeedsPanel
from gradlab.lab.board.panels.training import TrainingPanel
from gradlab.lab.model.function import Function
from gradlab.lab.model.plane import contour, plane_of
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
