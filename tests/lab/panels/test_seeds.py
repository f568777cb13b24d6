import math
from itertools import pairwise
from types import SimpleNamespace

import pytest

import gradlab as gl
from gradlab.checking import Verdict
from gradlab.lab.board.panels import seeds as panel_module
from gradlab.lab.board.panels.seeds import SeedsPanel
from gradlab.lab.model import seeds as seeds_module
from gradlab.lab.model.seeds import Seeds, seeds_of
from gradlab.lab.model.settings import Settings
from gradlab.plots import DARK, LIGHT, figure_of
from tests.lab.panels.results import given, of_convnet, own

PANEL = SeedsPanel()


def test_each_column_is_the_check_of_a_network_of_that_seed():
    result = own(activation="relu", eps=1e-4, seed=3)
    reports = seeds_of(result).reports
    assert list(reports) == list(range(3, 15))
    for seed, report in reports.items():
        net = gl.mlp([2, 16, 16, 2], activation="relu", weight_scale=0.5, seed=seed)
        alone = gl.check(net, result.x, result.y, eps=1e-4)
        assert (report.verdict, report.error) == (alone.verdict, alone.error)
        assert f"{seed} {alone.verdict}, {alone.error:.1e}" in PANEL.alt(result)


def test_the_verdicts_are_counted():
    result = own(activation="relu", eps=1e-4)
    verdicts = [str(r.verdict) for r in seeds_of(result).reports.values()]
    assert len({*verdicts}) > 1
    for verdict in {*verdicts}:
        assert f"{verdicts.count(verdict)} {verdict}" in PANEL.still(result).note


def test_the_bug_is_planted_at_every_seed():
    result = own(bug="missing_activation_derivative", bug_layer=1)
    assert seeds_of(result).counts == {"wrong": 12}


def test_a_click_on_a_column_goes_to_its_seed():
    result = own(seed=5)
    assert PANEL.pressed(result, 7.4, 1e-9) == {"seed": 7}
    assert PANEL.pressed(result, -3.0, 1.0) == {"seed": 5}
    assert PANEL.pressed(result, 99.0, 1.0) == {"seed": 16}


def test_a_large_network_is_checked_at_fewer_seeds():
    few = seeds_of(own(hidden=(64,) * 4, train_steps=1)).reports
    assert 3 <= len(few) < 12


def test_weights_that_are_the_callers_have_no_other_seeds():
    assert "its own" in PANEL.fits(of_convnet())
    net, (x, y) = gl.mlp([2, 6, 2], seed=4), gl.data.moons(12)
    result = given(net, x, y)
    assert PANEL.fits(result) == ""
    assert next(iter(seeds_of(result).reports)) == 4


def test_the_label_is_that_of_the_measure():
    assert PANEL.still(own(measure="norm_ratio")).y.label == "largest norm ratio"


def test_it_is_drawn_in_both_palettes():
    for result in (own(), own(seed=9995), own(eps=1e-12, dtype="float32")):
        for palette in (LIGHT, DARK):
            figure_of([(PANEL.still(result), [])], palette, widths=[22.0]).canvas.draw()


# -- what is drawn where -------------------------------------------------------------------------


@pytest.fixture
def made_up(monkeypatch):
    """Return a function that gives the seeds of a result the verdicts and errors of a test."""

    def make(first=0, **reports):
        made = {
            first + k: report and SimpleNamespace(verdict=Verdict(report[0]), error=report[1])
            for k, report in enumerate(reports.values())
        }
        monkeypatch.setattr(panel_module, "seeds_of", lambda result: Seeds(made))
        settings = Settings(seed=first)
        return SimpleNamespace(settings=settings), PANEL.still(SimpleNamespace(settings=settings))

    return make


def of_kind(chart, kind):
    return [m for m in chart.marks if m["kind"] == kind]


def test_a_seed_has_its_verdicts_sign_above_and_its_error_as_a_dot(made_up):
    result, chart = made_up(
        4, a=("correct", 1e-9), b=("wrong", 0.5), c=None, d=("inconclusive", math.nan)
    )
    signs = of_kind(chart, "words")
    assert [m["texts"] for m in signs] == [["✓"], ["✗"], ["–"], ["?"]]
    assert [m["colours"] for m in signs] == [["correct"], ["wrong"], ["faint"], ["inconclusive"]]
    assert [float(m["x"][0]) for m in signs] == [4, 5, 6, 7]
    assert [m["bold"] for m in signs] == [True, False, False, False], "this lab's own"
    bands, dots = of_kind(chart, "boxes"), of_kind(chart, "dots")
    top = max(m["y1"][0] for m in bands)
    assert all(top < m["y"][0] < chart.y.high for m in signs)
    assert [(m["x"][0], m["y"][0], m["colours"]) for m in dots] == [
        (4, 1e-9, ["correct"]), (5, 0.5, ["wrong"]),
    ]  # fmt: skip
    (line,) = of_kind(chart, "segments")
    assert line["x0"] == line["x1"] == 4
    assert (line["y0"], line["y1"]) == (chart.y.low, top)
    assert chart.note.endswith("dotted: the seed of this lab")
    assert "6 not computed" in PANEL.alt(result)
    assert "7 inconclusive, not defined" in PANEL.alt(result)


def test_the_bands_fill_the_columns_and_hold_every_dot(made_up):
    _, chart = made_up(0, a=("wrong", 1e9), b=("correct", 0.0))
    bands, dots = of_kind(chart, "boxes"), of_kind(chart, "dots")
    assert [m["y1"][0] for m in bands[:3]] == [1e-7, 1e-4, 1e-2]
    assert all(above["y0"] == below["y1"] for below, above in pairwise(bands))
    assert all((m["x0"], m["x1"]) == (chart.x.low, chart.x.high) for m in bands)
    assert 0.5 < 0 - chart.x.low < 0.8, "half a column and a little"
    assert 0.5 < chart.x.high - 1 < 0.8
    low, high = bands[0]["y0"][0], bands[-1]["y1"][0]
    assert low == chart.y.low < 1e-13
    for mark in dots:
        assert 1.2 * low < mark["y"][0] < 0.9 * high, "a whole dot"


def test_counts_are_told_most_first(made_up):
    _, chart = made_up(0, a=("wrong", 1.0), b=("correct", 1e-9), c=("correct", 1e-9), d=None)
    assert chart.note.startswith("2 correct, 1 ")
    assert {"1 wrong", "1 not computed"} < set(chart.note.split("; ")[0].split(", "))


@pytest.mark.parametrize(("first", "count", "every"), [(0, 12, 1), (988, 12, 1), (989, 12, 3),
                                                       (5000, 4, 3)])  # fmt: skip
def test_long_numbers_name_every_third_column(made_up, first, count, every):
    _, chart = made_up(first, **{f"s{k}": ("correct", 1e-9) for k in range(count)})
    seeds = range(first, first + count)[::every]
    assert chart.x.ticks == tuple((float(seed), str(seed)) for seed in seeds)


def test_weights_that_overflow_at_another_seed_are_not_computed(monkeypatch):
    result = own(hidden=(2,))

    def overflows(settings, *more):
        raise ValueError("planted")

    monkeypatch.setattr(seeds_module, "pose", overflows)
    reports = seeds_of(result).reports
    assert reports.pop(0) is result.report
    assert set(reports.values()) == {None}
    assert seeds_of(result) is seeds_of(result), "once a result"
