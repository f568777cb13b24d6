"""From marks to words: what decides a tensor, what is said of it, and what to do about it."""

import math

import numpy as np
import pytest

from gradlab.checking.judge import Finding
from gradlab.checking.verdict import (
    REMEMBERS,
    Setting,
    in_brackets,
    judgement_on,
    met,
    not_deterministic,
    resolution_of,
    says_unsteady,
    worst_of,
)

AUTO, AT_STEP = Setting(), Setting(eps=1e-5)


def judged(marks, setting=AUTO, total=None, **given):
    """Return verdict, reason and advice of entries with these marks; all slopes are 1."""
    n = len(marks)
    parts = {"slope": np.ones(n), "bound": np.full(n, 1e-9), "within": np.full(n, 1e-8), **given}
    analytic = np.asarray(parts.pop("analytic", np.ones(n)), float)
    slope, bound, within = (np.asarray(parts[name], float) for name in ("slope", "bound", "within"))
    found = Finding(np.array(marks, "<U11"), slope, bound, np.ones(n), np.abs(slope), within)
    told = judgement_on(analytic, found, (n if total is None else total,), setting)
    return str(told.verdict), told.why, told.advice


# -- which mark decides --------------------------------------------------------------------------

#: Each decides over all that come after it.
ORDER = {
    "bug": ("wrong", "differs by more than noise"),
    "kink": ("inconclusive", "sit on or next to a kink"),
    "jumps": ("inconclusive", "it has jumps, ripples or flat parts"),
    "slight": ("inconclusive", "differ steadily"),
    "open": ("inconclusive", "the slope never settles"),
    "flat": ("inconclusive", "no step moves the loss, and the gradient is not 0"),
    "noise": ("inconclusive", "could hide"),
    "subgradient": ("correct", "at a kink"),
    "zero": ("correct", "0 = 0"),
    "ok": ("correct", "agree"),
}


@pytest.mark.every_case
@pytest.mark.parametrize("mark", ORDER)
def test_of_many_marks_the_worst_decides_and_its_entries_are_counted(mark):
    order = list(ORDER)
    verdict, phrase = ORDER[mark]
    later = order[order.index(mark) :]
    told = judged(later)
    assert told[0] == verdict
    assert phrase in told[1]
    if verdict != "correct":
        assert f"1 of {len(later)} entries" in told[1]
        two = judged([mark, *later])
        assert f"2 of {len(later) + 1} entries" in two[1]


def test_a_bug_is_told_in_the_singular_and_in_the_plural():
    assert judged(["bug", "ok"])[1].startswith("1 of 2 entries differs by more than noise")
    assert judged(["bug", "bug"])[1].startswith("2 of 2 entries differ by more than noise")
    assert "ratio and cosine" in judged(["bug"])[2]


def test_where_everything_is_0_nothing_is_proved():
    assert judged(["zero", "zero"])[0] == "inconclusive"
    assert "any code passes" in judged(["zero"])[1]
    assert judged(["zero", "ok"])[:2] == (
        "correct",
        "1 of 2 entries agree; an error of 1e-08 would have been seen (1 is 0 = 0, which proves "
        "nothing there)",
    )


# -- what agrees ---------------------------------------------------------------------------------


def test_what_agrees_is_counted_with_the_error_that_would_have_been_seen():
    assert judged(["ok"] * 3, within=[1e-8, 2.5e-7, 1e-9])[1] == (
        "all 3 entries agree; an error of 3e-07 would have been seen"
    )
    accepting = Setting(tolerance=1e-3)
    assert judged(["ok"], accepting)[1].startswith("all 1 entries agree to the tolerance of 0.001;")
    some = judged(["ok"] * 2, total=20)[1]
    assert some.startswith("2 of 20 entries were checked, and agree; an error of")
    assert some.endswith("in a tenth of the entries with a probability of 0.19")  # 2 bad of 20
    with_zero = judged(["ok", "ok", "zero"], total=4)[1]
    assert with_zero.startswith("3 of 4 entries were checked, and 2 agree;")
    assert judged(["ok", "ok", "zero"])[1].startswith("2 of 3 entries agree;")


def test_a_sample_tells_how_probably_it_met_a_bug():
    assert met(10, 10) == ""
    # one of ten is bad: one draw meets it once in ten
    assert met(10, 1) == ", in a tenth of the entries with a probability of 0.1"
    # 100 bad of 1000: 43 draws miss them all once in ninety, 60 once in six hundred
    missed = [math.comb(900, size) / math.comb(1000, size) for size in (43, 60)]
    assert [round(1 - p, 4) for p in missed] == [0.9903, 0.9985]
    assert met(1000, 43).endswith("with a probability of 0.99")
    assert met(1000, 60).endswith("with a probability of over 0.99")


def test_brackets_hold_what_agrees_in_another_way():
    assert in_brackets(np.array(["ok", "ok"])) == ""
    assert in_brackets(np.array(["ok", "zero"])) == " (1 is 0 = 0, which proves nothing there)"
    assert in_brackets(np.array(["zero"] * 2)) == " (2 are 0 = 0, which proves nothing there)"
    both = in_brackets(np.array(["zero", "subgradient", "subgradient"]))
    assert both.startswith(" (2 at a kink: ")
    assert both.endswith("right beside it; 1 is 0 = 0, which proves nothing there)")


def test_the_resolution_is_the_worst_of_what_was_decided():
    def resolution(marks, within):
        n = len(marks)
        return resolution_of(Finding(np.array(marks), *np.ones((4, n)), np.array(within, float)))

    assert resolution(["ok", "ok"], [1e-9, 1e-7]) == 1e-7
    assert resolution(["ok", "zero", "bug"], [1e-9, 5.0, np.inf]) == 1e-9
    assert resolution(["ok", "open"], [1e-9, np.inf]) == np.inf
    assert resolution(["zero", "zero"], [0.0, 0.0]) == np.inf


# -- what to do ----------------------------------------------------------------------------------


def test_what_is_advised_at_a_kink_depends_on_the_step_and_on_where_theta_is():
    _, why, advice = judged(["kink", "ok"])
    assert why.startswith("1 of 2 entries sit on or next to a kink")
    assert advice.startswith("add a little noise")
    told = {}
    for at_kink in (True, False, None):
        _, why, told[at_kink] = judged(["kink", "ok"], Setting(eps=1e-5, at_kink=at_kink))
        assert why.startswith("for 1 of 2 entries the step crosses a kink")
        assert ("theta itself is at one" in why) == (at_kink is True)
    assert told[True].endswith("or move theta off the kink, with random biases for instance")
    assert told[False].startswith("lower eps, or leave it out")
    assert "a lower one helps only where theta is beside the kink" in told[None]


def test_a_steady_difference_is_told_over_the_largest_slope():
    _, why, advice = judged(
        ["slight", "slight", "ok"], slope=[2.0, -4.0, 1.0], analytic=[2.0, -4.0 - 2e-6, 9.0]
    )
    assert why.startswith("2 of 3 entries differ steadily, by up to 5e-07 of the largest")
    assert "pass tolerance=5e-07;" in advice


def test_what_is_left_open_is_told_by_what_could_be_looked_at():
    assert "the slope never settles" in judged(["open", "ok"])[1]
    assert judged(["open"])[2] == "check at other parameters, or a smoother version of the loss"
    assert judged(["open"], Setting(single=True))[2].startswith("check in float64, or")
    at_step = judged(["open"], AT_STEP)
    assert "other steps tell another thing than this one" in at_step[1]
    assert at_step[2] == "leave eps out, and the checker chooses its steps"
    elsewhere = judged(["open"], Setting(eps=1e-5, elsewhere=True), slope=[np.nan])
    assert "the numerical gradient that was given" in elsewhere[1]
    assert "leave numerical out" in elsewhere[2]
    for unknown in ({"slope": [np.nan, 1.0]}, {"bound": [np.inf, 1.0]}):
        why, advice = judged(["open", "ok"], **unknown)[1:]
        assert why.startswith("for 1 of 2 entries no step that was looked at gives a slope")
        assert advice == "check at other parameters"
        assert judged(["open", "ok"], AT_STEP, **unknown)[2] == (
            "leave eps out, or check at other parameters"
        )
        # of an entry that agrees nothing needs to be known
        assert "never settles" in judged(["ok", "open"], **unknown)[1]


def test_what_noise_hides_is_told_by_its_size():
    _, why, advice = judged(["noise", "noise", "ok"], within=[2e-3, 0.04, 0.5])
    assert why.startswith("for 2 of 3 entries an error of 4e-02 of the largest entry could hide")
    assert advice == "check where the gradient is larger, or at other parameters"
    assert judged(["noise"], Setting(single=True))[2].startswith("check in float64, or where")
    assert "an error of 1e+00 of the largest entry could hide" in judged(["noise"], within=[1.0])[1]
    assert "an error of any size could hide" in judged(["noise"], within=[1.1])[1]
    unknown = judged(["noise", "ok"], within=[np.inf, 1e-9])[1]
    assert unknown.startswith("1 of 2 entries are no larger than what rounding does to the loss")
    at_step = judged(["noise"], AT_STEP, within=[np.inf])
    assert "at this step round-off or the step's length is larger" in at_step[1]
    assert at_step[2] == "move eps towards the bottom of the U, or leave it out"


def test_a_loss_that_does_not_repeat_is_told_as_one():
    masked, plain = (not_deterministic(Setting(masks=masks)) for masks in (True, False))
    assert masked.advice.startswith("freeze the dropout masks")
    assert plain.advice.startswith("draw random numbers once, outside of f")
    for unsteady in (masked, plain, REMEMBERS):
        assert unsteady.verdict == "inconclusive"
        assert says_unsteady(f"W1: in W1, {unsteady.why}")
    assert not says_unsteady(judged(["open"])[1])


def test_the_worst_entries_come_first_with_their_place_in_the_tensor():
    analytic = np.array([1.0, 2.0, 5.0, 1.0, 9.0, 1.5])
    mark = np.array(["bug", "bug", "bug", "ok", "open", "bug"])
    worst = worst_of(analytic, np.ones(6), mark, (3, 2), None, 2)
    assert worst == [((1, 0), 5.0, 1.0), ((0, 1), 2.0, 1.0)]
    assert [entry[0] for entry in worst_of(analytic, np.ones(6), mark, (3, 2), None, 9)] == [
        (1, 0), (0, 1), (2, 1), (0, 0)
    ]  # fmt: skip
    sampled = worst_of(analytic, np.ones(6), mark, (4, 5), np.arange(6) + 10, 1)
    assert sampled == [((2, 2), 5.0, 1.0)]
    below = worst_of(np.array([0.0, 1.5]), np.ones(2), np.array(["bug"] * 2), (2,), None, 1)
    assert below == [((0,), 0.0, 1.0)]  # too small is as wrong as too large
