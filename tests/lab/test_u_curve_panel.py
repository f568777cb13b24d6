"""What the U-curve draws beside its lines: predicted slopes, the best steps, kinks, the cursor."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from gradlab.lab import LabState
from gradlab.plots import LIGHT, UCurve

ORDERS = {"forward": 1, "central": 2, "five_point": 4}


def drawn(**settings):
    """Return the curve of a lab's result, and its sweep."""
    result = LabState(**settings).result
    curve = UCurve(Figure().add_subplot(), tuple(result.report))
    curve.set_sweep(result.sweep)
    curve.set_cursor(result.settings.eps, [t.error for t in result.report.tensors.values()])
    return curve, result.sweep


def slope(line):
    return np.polyfit(*(np.log10(line.get_data())), 1)[0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scheme", ORDERS)
def test_predicted_slopes_are_those_of_the_scheme_and_the_number_type(scheme, dtype):
    curve, _ = drawn(scheme=scheme, dtype=dtype)
    round_off, truncation = curve._predicted
    assert slope(truncation) == pytest.approx(ORDERS[scheme])
    assert slope(round_off) == pytest.approx(-1)
    eps, error = np.array(round_off.get_data())
    np.testing.assert_allclose(eps * error, np.finfo(dtype).eps)
    best = np.finfo(dtype).eps ** (1 / (ORDERS[scheme] + 1))
    assert curve._best.get_xdata() == pytest.approx([best, best])


def test_the_complex_step_has_flat_round_off():
    curve, _ = drawn(scheme="complex_step")
    round_off, truncation = curve._predicted
    assert slope(truncation) == pytest.approx(2)
    # below what is drawn of the axis, or level
    assert len(round_off.get_xdata()) == 0 or slope(round_off) == pytest.approx(0)


def test_the_measured_lines_follow_the_predicted_slopes():
    """What is drawn as a prediction is one: the lines fall and rise beside it."""
    _, sweep = drawn(scheme="central")
    error = np.median([*sweep.errors.values()], axis=0)
    for low, high, expected in ((1e-3, 3e-2, 2), (1e-12, 1e-8, -1)):
        at = (sweep.eps > low) & (sweep.eps < high)
        found = np.polyfit(np.log10(sweep.eps[at]), np.log10(error[at]), 1)[0]
        assert found == pytest.approx(expected, abs=0.2)


def test_the_best_step_found_stands_beside_the_predicted_one():
    curve, sweep = drawn()
    (found,) = curve._found.get_xdata()
    largest = np.max(list(sweep.errors.values()), axis=0)  # as the banner tells it
    assert found == sweep.eps[np.argmin(largest)]
    assert curve._found_label.get_text() == "found"
    assert curve._best_label.get_text() == "predicted best"
    assert {curve._found_label.get_ha(), curve._best_label.get_ha()} == {"left", "right"}


def test_stretches_of_kinks_are_marked_from_the_first_step_that_crosses_one():
    curve, sweep = drawn(scenario="kinks")
    assert curve._kinks.get_visible()
    assert curve._kinks_label.get_visible()
    assert curve._kinks.get_x() == sweep.kinks_from
    assert curve._kinks.get_x() + curve._kinks.get_width() == pytest.approx(0.1, rel=1)
    smooth, _ = drawn(activation="tanh")
    assert not smooth._kinks.get_visible()
    assert not smooth._kinks_label.get_visible()


def test_there_is_a_line_a_tensor_with_its_name_and_a_band_each():
    curve, sweep = drawn()
    axes = curve._cursor.axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert sorted(labels) == sorted(sweep.errors)
    faces = {to_rgb(patch.get_facecolor()) for patch in axes.patches}
    assert faces >= {to_rgb(colour) for colour in LIGHT.bands}


@pytest.mark.parametrize("eps", [1e-12, 3e-6, 1e-2])
def test_the_cursor_stands_at_the_step_that_is_set(eps):
    curve, _ = drawn(eps=eps)
    assert curve._cursor.get_xdata() == [eps, eps]
    np.testing.assert_array_equal(curve._points._points[:, 0], eps)
