"""What the U-curve draws beside its lines: predicted slopes, the best steps, kinks, the cursor."""

import numpy as np
import pytest

from gradlab.lab import LabState
from gradlab.lab.board.panels.u_curve import UCurvePanel
from gradlab.plots.scales import EPS_RANGE

ORDERS = {"forward": 1, "central": 2, "five_point": 4}


def drawn(**settings):
    """Return the chart of a lab's result, by kind of mark, and its sweep."""
    result = LabState(**settings).result
    chart, by_kind = UCurvePanel().still(result), {}
    for mark in chart.marks:
        by_kind.setdefault(mark["kind"], []).append(mark)
    return by_kind, result.sweep


def predicted(marks):
    """Return round-off and truncation as they are drawn."""
    return [(mark["x"], mark["y"]) for mark in marks["curve"] if mark["colour"] == "faint"]


def kinks(marks):
    return [mark for mark in marks["boxes"] if mark["hatch"]]


def slope(line):
    return np.polyfit(*np.log10(line), 1)[0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scheme", ORDERS)
def test_predicted_slopes_are_those_of_the_scheme_and_the_number_type(scheme, dtype):
    marks, _ = drawn(scheme=scheme, dtype=dtype)
    round_off, truncation = predicted(marks)
    assert slope(truncation) == pytest.approx(ORDERS[scheme])
    assert slope(round_off) == pytest.approx(-1)
    np.testing.assert_allclose(round_off[0] * round_off[1], np.finfo(dtype).eps)
    best = np.finfo(dtype).eps ** (1 / (ORDERS[scheme] + 1))
    (upright,) = marks["segments"]
    assert [upright["x0"], upright["x1"]] == pytest.approx([best, best])


def test_the_complex_step_has_flat_round_off():
    marks, _ = drawn(scheme="complex_step")
    round_off, truncation = predicted(marks)
    assert slope(truncation) == pytest.approx(2)
    # below what is drawn of the axis, or level
    assert len(round_off[0]) == 0 or slope(round_off) == pytest.approx(0)


def test_the_measured_lines_follow_the_predicted_slopes():
    """What is drawn as a prediction is one: the lines fall and rise beside it."""
    _, sweep = drawn(scheme="central")
    error = np.median([*sweep.errors.values()], axis=0)
    for low, high, expected in ((1e-3, 3e-2, 2), (1e-12, 1e-8, -1)):
        at = (sweep.eps > low) & (sweep.eps < high)
        found = np.polyfit(np.log10(sweep.eps[at]), np.log10(error[at]), 1)[0]
        assert found == pytest.approx(expected, abs=0.2)


def test_the_best_step_found_is_where_the_largest_error_is_smallest():
    marks, sweep = drawn()
    (found,) = marks["dots"]
    largest = np.max(list(sweep.errors.values()), axis=0)  # as the banner tells it
    assert found["x"] == sweep.eps[np.argmin(largest)]
    assert found["sign"] == "triangle"


def test_stretches_of_kinks_are_marked_from_the_first_step_that_crosses_one():
    marks, sweep = drawn(scenario="kinks")
    (stretch,) = kinks(marks)
    assert stretch["x0"] == sweep.kinks_from
    assert stretch["x1"] == EPS_RANGE[1]
    smooth, _ = drawn(activation="tanh")
    assert kinks(smooth) == []


def test_there_is_a_line_a_tensor_and_a_band_each():
    marks, sweep = drawn()
    assert len(marks["curve"]) == 2 + len(sweep.errors)
    assert {f"band{i}" for i in range(4)} <= {mark["fill"] for mark in marks["boxes"]}


@pytest.mark.parametrize("eps", [1e-12, 3e-6, 1e-2])
def test_the_cursor_stands_at_the_step_that_is_set(eps):
    result = LabState(eps=eps).result
    line, dots = UCurvePanel().moving(result)
    assert line["x0"] == line["x1"] == eps
    np.testing.assert_array_equal(dots["x"], eps)
    errors = [tensor.error for tensor in result.report.tensors.values()]
    np.testing.assert_allclose(dots["y"], np.minimum(errors, 2.0))


def test_its_words_tell_the_measure_the_lines_and_where_kinks_begin():
    panel = UCurvePanel()
    alt = panel.alt(LabState(scenario="kinks").result)
    first = LabState(scenario="kinks").result.sweep.kinks_from
    assert alt.startswith("Relative error against the step, a line for each of 6 tensors.")
    assert alt.endswith(f" From {first:.0e} on, steps cross kinks.")
    smooth = panel.alt(LabState(hidden=(4,), measure="norm_ratio").result)
    assert smooth.startswith("Norm ratio against the step, a line for each of 4 tensors.")
    assert "the largest norm ratio is" in smooth
    assert "kinks" not in smooth
    along = panel.alt(LabState(hidden=(4,), method="directional").result)
    assert along.startswith("Relative error against the step, one line.")
    assert "where the largest error is" in along
