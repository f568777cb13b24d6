"""What stands still in the agreement's picture, what moves, and what has no place on its axes."""

from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.lab.board.panels.agreement import AgreementPanel, _points, _unit
from gradlab.lab.model.settings import Settings
from tests.lab.panels.cases import result_of

PANEL = AgreementPanel()


def tensor(numerical, analytic, marks=None, **more):
    """Return what a report knows of one tensor."""
    numerical, analytic = np.array(numerical), np.array(analytic)
    marks = np.array(["ok"] * numerical.size if marks is None else marks)
    made = {"name": "W1", "entries": None, "directional": False, "errors": np.zeros(marks.shape)}
    return SimpleNamespace(numerical=numerical, analytic=analytic, marks=marks, **made | more)


def showing(one, **settings):
    """Return a result that looks at this tensor."""
    return SimpleNamespace(report={"W1": one}, tensor="W1", settings=Settings(**settings))


def test_the_diagonal_runs_through_all_of_the_square_and_the_axes_through_0():
    chart = PANEL.still(result_of("default"))
    assert (chart.x.low, chart.x.high) == (chart.y.low, chart.y.high)
    assert chart.x.high == -chart.x.low
    assert 1.05 < chart.x.high < 1.5, "the largest entry stands inside, near the end"
    assert chart.square
    cross, diagonal = chart.marks
    end = chart.x.high
    lines = zip(cross["x0"], cross["y0"], cross["x1"], cross["y1"], strict=True)
    assert list(lines) == [(-end, 0, end, 0), (0, -end, 0, end)]
    assert [diagonal[key] for key in ("x0", "y0", "x1", "y1")] == [-end, -end, end, end]
    assert diagonal["width"] > cross["width"]
    assert [at for at, _ in chart.x.ticks] == [-1, 0, 1]


def test_both_gradients_are_in_units_of_the_largest_of_both():
    x, y = _points(tensor([1.0, -2.0, 0.5], [1.0, 4.0, 0.0]))
    np.testing.assert_array_equal(x, [0.25, -0.5, 0.125])
    np.testing.assert_array_equal(y, [0.25, 1.0, 0.0])
    assert _unit(tensor([1.0, -8.0], [1.0, 4.0])) == "W1: 1 is 8.0e+00, the largest"


def test_what_is_no_number_stands_at_0_and_what_is_too_large_at_the_end():
    one = tensor([np.nan, np.inf, -np.inf, 2.0], [1.0, 1.0, 1.0, -4.0])
    x, y = _points(one)
    end = PANEL.still(showing(one)).x.high
    np.testing.assert_array_equal(x, [0, end, -end, 0.5])
    np.testing.assert_array_equal(y, [0.25, 0.25, 0.25, -1])
    assert "1 is 4.0e+00" in _unit(one)


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_without_any_number_all_stand_at_0(nothing):
    one = tensor([nothing] * 3, [nothing] * 3)
    assert not np.any(_points(one))
    assert _unit(one) == "W1: 1 is 0, the largest"


def test_each_mark_has_a_sign_and_what_is_marked_is_larger_and_above_what_agrees():
    words = ["kink", "ok", "bug", "noise", "subgradient", "zero", "jumps", "open"]
    one = tensor(np.arange(8.0) / 8, np.arange(8.0) / 8, words)
    drawn = PANEL.moving(showing(one))
    assert [(m["sign"], m["colours"]) for m in drawn] == [
        ("disc", ["correct"]), ("ring", ["inconclusive"]), ("triangle", ["inconclusive"]),
        ("square", ["wrong"]),
    ]  # fmt: skip
    groups = [{words[round(8 * x * 7 / 8)] for x in m["x"]} for m in drawn]
    assert groups == [{"ok", "subgradient"}, {"noise", "zero", "open"}, {"kink", "jumps"}, {"bug"}]
    assert all(m["radius"] > drawn[0]["radius"] for m in drawn[1:])
    assert len(PANEL.moving(showing(tensor([1.0], [1.0])))) == 1, "nothing where there is none"


def test_a_click_takes_the_nearest_dot_along_both_axes():
    one = tensor([0.0, 0.5, 1.0, 1.0], [0.0, 0.5, 1.0, 0.2])
    assert PANEL.pressed(showing(one), 0.9, 0.3)["entry"] == 3
    assert PANEL.pressed(showing(one), 0.9, 0.9)["entry"] == 2
    assert PANEL.pressed(showing(one), 0.1, -0.9)["entry"] == 0
    sampled = tensor([0.0, 1.0], [0.0, 1.0], entries=np.array([4, 9]))
    assert PANEL.pressed(showing(sampled), 1.0, 1.0) == {"tensor": "W1", "entry": 9}


def test_what_is_not_defined_is_told():
    one = tensor([0.0], [0.0], ratio=np.nan, cosine=np.nan)
    assert PANEL.alt(showing(one)).endswith("ratio not defined, cosine not defined.")


def test_the_key_changes_with_the_tensor_and_its_unit_alone():
    one = result_of("default", tensor="W1")
    assert PANEL.key(one) == PANEL.key(result_of("default", tensor="W1", eps=1e-6))
    assert PANEL.key(one) != PANEL.key(result_of("default", tensor="W2"))
