"""A report as data: which tensor decides, what each number is, and what a row shows."""

from dataclasses import replace

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.judge import Finding
from gradlab.checking.report import BlindSpot, Report, summary, tensor_report, too_small, untested
from gradlab.checking.verdict import Setting


def tensor(name, marks, analytic=None, numerical=None, **given):
    """Return a tensor's report with these marks; its numbers are 1 unless they are given."""
    n = len(marks)
    numerical = np.ones(n) if numerical is None else np.array(numerical, float)
    analytic = np.ones(n) if analytic is None else np.array(analytic, float)
    parts = {"bound": np.full(n, 1e-9), "within": np.full(n, 1e-8)} | {
        key: np.array(given.pop(key), float) for key in ("bound", "within") if key in given
    }
    found = Finding(np.array(marks, "<U11"), numerical, parts["bound"], np.ones(n),
                    np.abs(numerical), parts["within"])  # fmt: skip
    shape, entries = given.pop("shape", (n,)), given.pop("entries", None)
    return tensor_report(name, analytic, found, given.pop("kinks", None), shape, entries,
                         Setting(**given))  # fmt: skip


def whole(*tensors, **setting):
    tensors = {t.name: t for t in tensors}
    return Report(tensors, summary(tensors, Setting(**setting)), "f", "max_relative", "central",
                  None, 10, 0.5)  # fmt: skip


OFF = tensor("off", ["bug", "ok"], [1.5, 1.0])
FAR = tensor("far", ["bug"], [4.0])
OPEN = tensor("open", ["open"], [100.0])
NOISY = tensor("noisy", ["noise"], [1.1], within=[0.3])
GOOD = tensor("good", ["ok", "ok"], [1.0, 1.0 + 1e-9])


def test_wrong_decides_over_inconclusive_and_this_over_correct():
    for tensors, verdict, deciding in (
        ((GOOD, OPEN, OFF), "wrong", "off"),  # the open one's error is larger and proves nothing
        ((GOOD, OFF, FAR), "wrong", "far"),
        ((GOOD, NOISY), "inconclusive", "noisy"),
        ((NOISY, OPEN), "inconclusive", "open"),
        ((GOOD,), "correct", "good"),
    ):
        report = whole(*tensors)
        assert (report.verdict, report.deciding) == (verdict, deciding)
    assert whole(GOOD, OFF).wrong == ["off"]
    assert whole(GOOD, OFF).why == f"off: {OFF.why}"
    assert whole(GOOD, OFF, FAR).why == f"off, far: in far, {FAR.why}"
    assert whole(NOISY, OPEN, GOOD).why == f"noisy, open: in open, {OPEN.why}"
    assert whole(NOISY, GOOD).advice == NOISY.judgement.advice
    assert repr(whole(GOOD, OFF)) == "Report(wrong, 2 tensors, wrong: ['off'])"


def test_of_several_tensors_that_agree_all_entries_are_counted():
    assert whole(GOOD).why == GOOD.why
    other = tensor("other", ["ok", "zero", "subgradient"], within=[1e-5, 0, 1e-6])
    said = whole(GOOD, other).why
    assert said.startswith("4 of 5 entries of 2 tensors agree; an error of 1e-05 would have been")
    assert "(1 at a kink: " in said
    assert said.endswith("1 is 0 = 0, which proves nothing there)")
    assert "of 2 tensors agree to the tolerance of 0.01;" in whole(GOOD, GOOD2, tolerance=0.01).why
    part = tensor("part", ["ok"] * 2, shape=(4, 5), entries=np.array([3, 7]))
    small = tensor("small", ["ok"] * 2, shape=(3,), entries=np.array([0, 2]))
    said = whole(part, small).why  # of which the tensor that is met least is told
    assert said.startswith("4 of 23 entries of 2 tensors were checked, and agree")
    assert said.endswith("in a tenth of the entries with a probability of 0.19")


GOOD2 = replace(GOOD, name="good2")


def test_the_numbers_of_the_whole_are_the_largest_and_the_norm_is_over_all():
    report = whole(GOOD, OFF, FAR)
    assert report.error == FAR.error == report.relative_error == 0.75
    assert report.resolution == max(t.resolution for t in report.tensors.values())
    a = np.concatenate([t.analytic for t in report.tensors.values()])
    n = np.ones(5)
    expected = np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n))
    assert report.norm_ratio == pytest.approx(expected)
    assert (OFF.ratio, OFF.cosine) == pytest.approx((1.25, 2.5 / np.sqrt(2 * 3.25)))


def test_a_sample_and_directions_know_where_they_stand():
    part = tensor("W", ["bug", "ok", "bug"], [2.0, 1.0, 5.0], shape=(4, 5),
                  entries=np.array([3, 7, 19]), kinks=np.array([0, 2, 1]))  # fmt: skip
    assert (part.shape, part.coverage, part.directional) == ((4, 5), "3 of 20 entries", False)
    assert part.worst() == [((3, 4), 5.0, 1.0), ((0, 3), 2.0, 1.0)]
    assert part.worst(1) == [((3, 4), 5.0, 1.0)]
    assert part.crossed_kinks == 3
    lines = replace(part, entries=None, full_shape=(20,))
    assert (lines.directional, lines.coverage, lines.worst()) == (True, "3 directions", [])
    assert lines.chance_of_meeting(0.1) == 1.0
    square = tensor("W", ["kink", "ok", "subgradient", "ok"], shape=(2, 2))
    assert square.kinks.tolist() == [[1, 0], [1, 0]]  # told by the mark where none were counted
    assert square.marks.shape == square.bounds.shape == square.within.shape == (2, 2)


def test_a_row_of_what_is_0_or_rounding_tells_nothing_relative():
    assert OFF.row() == ("off", "(2,)", "3.3e-01", "1.6e-01", "1.25", "0.981", "✗ wrong")
    dashes = ("–",) * 4
    nothing = tensor("b", ["ok", "ok"], [1e-12, 0.0], [2e-12, 0.0], bound=[2e-12, 0.0])
    assert nothing.row()[2:6] == dashes
    above = tensor("b", ["ok", "ok"], [1e-12, 0.0], [2e-12, 0.0], bound=[1.9e-12, 0.0])
    assert above.row()[2] == "5.0e-01"
    half = tensor("b", ["ok", "zero"], [0.0, 0.0], [0.0, 0.0], bound=[0.0, 0.0])
    assert half.row()[2:6] == dashes
    open_ = tensor("b", ["open"], [1.0], [0.0])  # of no slope there is no ratio
    assert open_.row()[2:6] == ("1.0e+00", "1.0e+00", "–", "–")
    assert tensor("W", ["ok"] * 6, shape=(3, 2)).row()[1] == "(3,2)"


def test_what_agrees_and_is_no_larger_than_what_would_have_been_seen_is_too_small():
    big = tensor("W", ["ok"] * 4, [2.0, 1e-3, 0.9e-3, 0.0], [2.0, 0.0, 1.1e-3, 0.0],
                 within=[5e-4, 5e-4, 5e-4, 0.0])  # fmt: skip
    assert too_small(whole(big))["W"].tolist() == [False, True, False, True]
    marks = tensor("W", ["ok", "bug", "subgradient", "zero"], [1.0, 0, 0, 0], [1.0, 0, 0, 0])
    assert too_small(whole(marks))["W"].tolist() == [False, False, True, False]
    # of a tensor that is nearly 0 beside others, over a billionth of the largest of all
    tiny = tensor("b", ["ok", "ok"], [3e-12, 1e-12], [3e-12, 1e-12], within=[1e-3, 1e-3])
    for largest, small in ((1.0, [False, True]), (1e-3, [False, False])):
        wide = tensor("W", ["ok"], [largest], [largest])
        told = {**too_small(whole(wide, replace(tiny, within=np.array([2e-3, 2e-3]))))}
        assert told["b"].tolist() == small
    unknown = tensor("W", ["ok", "open"], [1.0, 1.0], [1.0, np.nan])
    assert too_small(whole(unknown))["W"].tolist() == [False, False]
    assert untested(whole(big)) == ("2 of 4 entries are too small to tell from 0",)


def test_what_is_found_out_later_is_asked_for_once_and_only_where_it_is_needed():
    asked = []

    def finds(name, answer):
        return lambda *_: asked.append(name) or answer

    spots = (BlindSpot("blind to c", "It is blind.", "look"), BlindSpot("d", "And d.", "look"))
    later = {
        "find_causes": finds("causes", ["a cause"]),
        "find_blind_spots": finds("spots", spots),
        "find_remarks": finds("remarks", ("a remark",)),
    }
    right, wrong = (replace(whole(t), **later) for t in (GOOD, OFF))
    assert asked == []
    assert right.diagnosis == []
    assert (wrong.diagnosis, wrong.diagnosis) == (["a cause"], ["a cause"])
    assert asked == ["causes"]
    assert right.warnings == ("a remark", "It is blind.", "And d.")
    assert (right.cures, right.caveats) == (("look",), ("blind to c", "d"))
    assert wrong.caveats == ()
    assert asked == ["causes", "remarks", "spots"]
    plain = whole(GOOD)
    assert (plain.warnings, plain.remarks, plain.blind_spots, plain.cures) == ((), (), (), ())


def test_a_report_is_a_mapping_of_names():
    report = whole(GOOD, OFF)
    assert (list(report), len(report), report["off"]) == (["good", "off"], 2, OFF)
    with pytest.raises(KeyError, match=r"the report has the tensors \['good', 'off'\], not 'W'"):
        report["W"]
    assert gl.check_function(lambda t: float(t @ t), lambda t: 2 * t, [1.0]).seconds > 0
