"""Why the verdict is what it is: by the lab's own settings where they explain it."""

from __future__ import annotations

import math

import numpy as np

from gradlab.bugs import describe, wrong_tensors
from gradlab.checking import BANDS, Report
from gradlab.checking.judge import KINK
from gradlab.checking.verdict import Verdict
from gradlab.lab.model.planted import Place, places_of_bugs
from gradlab.lab.model.remedy import remedy
from gradlab.lab.model.result import Result
from gradlab.lab.model.settings import MYSTERY, NO_BUG
from gradlab.lab.text.advice import NO_ADVICE, Advice, another_step, to_change
from gradlab.lab.text.words import listed, number, rounded_down, rounded_up, sentence

__all__ = ["FAR", "advice", "deserves_a_band", "explanation", "told"]

#: A step this many times the best one is truncation's; this many times smaller, round-off's.
FAR = 30.0
#: An L2 term this many times the gradient of the data hides a bug that is known to be there.
L2_OVER_DATA = 100.0
#: Steps this many times shorter and longer show on which arm of the U a step is.
_NEAR, _WIDE = 3.0, 100.0
_DORMANT = {
    "dropout is off": Advice("Switch dropout on.", {"use_dropout": True}),
    "the dropout rate is 0": Advice("Raise the dropout rate to 0.5.", {"dropout_rate": 0.5}),
    "L2 is off": Advice("Switch L2 on.", {"use_l2": True}),
    "L2 is not in the analytic gradient": Advice(
        "Tick L2 in the analytic gradient.", {"l2_in_gradient": True}
    ),
}


def explanation(result: Result) -> tuple[str, str]:
    """Return why the verdict is what it is, and what to change, as sentences."""
    why, what = told(result)
    return why, what.words


def advice(result: Result) -> Advice:
    """Return what to change, as words and as settings."""
    return told(result)[1]


def told(result: Result) -> tuple[str, Advice]:
    """Return why the verdict is what it is, in sentences, and what to change."""
    why, what = _of_settings(result) or _BY_VERDICT[result.report.verdict](result)
    return sentence(why, result.report.tensors), what


def _of_settings(result: Result) -> tuple[str, Advice] | None:
    """Return what dropout and L2 explain: for them there is a box to tick."""
    s, net, verdict = result.settings, result.net, result.report.verdict
    if net is None:
        return None
    redrawn = s.use_dropout and not s.freeze_masks and net.dropout_rate > 0
    if redrawn and verdict == Verdict.INCONCLUSIVE:
        return (
            "Dropout draws new masks at every evaluation: the two losses that are subtracted "
            "belong to different functions",
            Advice("Tick “freeze masks”.", {"freeze_masks": True}),
        )
    # a step that tells nothing is not L2's doing
    if s.use_l2 and s.l2_in_loss != s.l2_in_gradient and verdict != Verdict.INCONCLUSIVE:
        has, lacks = "numerical loss", "analytic gradient"
        if s.l2_in_gradient:
            has, lacks = lacks, has
        more = _planted(result) if verdict == Verdict.WRONG else ""
        hidden = ", and too small beside the data's gradient to show"
        return (
            f"L2 is in the {has} but not in the {lacks}"
            f"{hidden if verdict == Verdict.CORRECT else ''}{more and f'. {more}'}",
            Advice("Tick both, or neither.", {"l2_in_loss": True, "l2_in_gradient": True}),
        )
    return None


# -- wrong ---------------------------------------------------------------------------------------


def _wrong(result: Result) -> tuple[str, Advice]:
    if swamped := _swamped(result):
        return swamped
    if planted := _planted(result):
        words = "No step mends a bug: “no bug” shows the right code."
        return planted, Advice(words, {"bug": NO_BUG})
    why = _of_tensors(result.report)
    if result.settings.bug == MYSTERY:
        return why, NO_ADVICE
    return why, Advice("The panel “Ratio and cosine” tells what kind of bug it is.")


def _bugs(result: Result) -> list[Place]:
    """Return the bugs that are planted and may be told, and where."""
    s = result.settings
    if result.net is None or s.bug in (NO_BUG, MYSTERY):
        return []
    return list(places_of_bugs(s, result.problem.in_gradient))


def _planted(result: Result) -> str:
    """Return what the planted bugs do; "" if there are none that may be told."""
    said = [_of_bug(place) for place in _bugs(result)]
    if len(said) < 2:
        return f"The planted bug: {said[0]}" if said else ""
    return f"Two bugs are planted: {said[0]}; and {said[1]}"


def _of_bug(place: Place) -> str:
    cannot = f" (which cannot show: {place.dormant})" if place.dormant else ""
    return describe(place.name).summary + cannot


def _swamped(result: Result) -> tuple[str, Advice] | None:
    """Return how little of a bug L2 leaves to be seen in weights that it spoils."""
    s, net = result.settings, result.problem.in_gradient
    if net is None or not net.l2 or s.bug in (NO_BUG, MYSTERY):
        return None
    places = [place for place in places_of_bugs(s, net) if not place.dormant]
    spoiled = {name for place in places for name in wrong_tensors(net, place.name, place.layer)}
    times = {}
    for name in (name for name in net.weight_names if name in spoiled):
        l2 = net.l2 * net.params[name]
        data = np.linalg.norm(result.analytic[name] - l2)
        times[name] = np.linalg.norm(l2) / max(data, np.finfo(float).tiny)
    if not times or min(times.values()) < L2_OVER_DATA:
        return None
    least = rounded_down(min(times.values()))
    left = rounded_up(max(result.report[name].norm_ratio for name in times))
    return (
        f"In {', '.join(times)} the L2 term is over {least} times the data's gradient, and leaves "
        f"a norm ratio of at most {left} of the planted bug: {describe(s.bug).summary}",
        Advice("Lower λ to 0.001.", {"l2": 1e-3}),
    )


def _of_tensors(report: Report) -> str:
    """Return which tensors have the verdict, and why, said of the one that decides it."""
    which = [name for name in report if report[name].verdict == report.verdict]
    worst = report[report.deciding]
    if len(which) < 2:
        return f"in {worst.name}, {worst.why}"
    start = "every tensor is" if len(which) == len(report) else f"{listed(which)} are"
    return f"{start} {report.verdict}; in {worst.name}, {worst.why}"


# -- inconclusive --------------------------------------------------------------------------------


def _inconclusive(result: Result) -> tuple[str, Advice]:
    why = _of_kinks(result.report) or _of_the_step(result) or _of_tensors(result.report)
    return why, another_step(result)


def _of_kinks(report: Report) -> str:
    deciding = report[report.deciding]
    if not (deciding.marks == KINK).any():
        return ""
    crossing = sum(int((t.kinks > 0).sum()) for t in report.tensors.values())
    checked = sum(t.kinks.size for t in report.tensors.values())
    which = (
        f"Along {crossing} of {checked} directions"
        if deciding.directional
        else f"At {crossing} of {checked} entries"
    )
    return f"{which} the step crosses a kink, where a difference is no slope"


def _of_the_step(result: Result) -> str:
    """Return what is wrong with the step, where shorter or longer ones have half the error."""
    s, sweep, name = result.settings, result.sweep, result.report.deciding
    error = result.report[name].error
    errors = np.nan_to_num(sweep.errors[name], nan=np.inf) if name in sweep.errors else None
    if errors is None or math.isnan(error) or error == 0:  # 0 = 0 is no matter of the step
        return ""
    ratio = sweep.eps / s.eps
    shorter = errors[(ratio < 1 / _NEAR) & (ratio > 1 / _WIDE)].min(initial=np.inf)
    longer = errors[(ratio > _NEAR) & (ratio < _WIDE)].min(initial=np.inf)
    if min(shorter, longer) > error / 2:
        return ""
    best = sweep.predicted_best_eps
    if shorter < longer:
        far = f"far above the predicted best, {number(best)}" if s.eps > FAR * best else "too long"
        return f"The step is {far}: the loss bends within it"
    if s.scheme == "complex_step":  # which subtracts nothing
        return ""
    far = f"far below the predicted best, {number(best)}" if s.eps < best / FAR else "too short"
    left = "round-off" if result.net is not None else "noise"  # a function may have its own
    return f"The step is {far}: subtracting two nearly equal losses leaves {left}"


# -- correct -------------------------------------------------------------------------------------


def _correct(result: Result) -> tuple[str, Advice]:
    if _bugs(result):
        return _hidden(result)
    return _only_round_off(result.report) or result.report.why, NO_ADVICE


def _hidden(result: Result) -> tuple[str, Advice]:
    """Return which bug is planted and does not show, why, and what brings it out."""
    places = _bugs(result)
    if result.dormant and len(places) == 1:
        planted = f"A bug is planted: {describe(places[0].name).summary}"
        return f"{planted}. It cannot show: {result.dormant}", _waking(places)
    start = _planted(result).replace("The planted bug", "A bug is planted")
    if result.dormant:
        return start, _waking(places)
    out = remedy(result, frozenset({Verdict.WRONG}))
    more = Advice(f"{to_change(result, out)} There it shows.", out) if out else NO_ADVICE
    they = "They do not show: they change" if len(places) > 1 else "It does not show: it changes"
    return f"{start}. {they} no entry by more than this check can see", more


def _waking(places: list[Place]) -> Advice:
    """Return what lets the first of the bugs that cannot show."""
    return _DORMANT.get(places[0].dormant, NO_ADVICE)


def _only_round_off(report: Report) -> str:
    """Return what there is to say where errors look large and are right all the same."""
    if not report.error > BANDS[1][0]:
        return ""
    off, size, seen = 0, 0, 0.0
    for tensor in report.tensors.values():
        large = ~(tensor.errors <= BANDS[1][0])
        off, size = off + int(large.sum()), size + large.size
        away = np.abs(tensor.analytic - tensor.numerical)[large].max(initial=0.0)
        seen = max(seen, away / max(np.abs(tensor.numerical).max(), np.finfo(float).tiny))
    own = "its" if off == 1 else "their"
    of = f"{own} tensor's"
    if seen > BANDS[2][0]:  # a tensor that is all round-off
        whole = max(np.abs(t.numerical).max() for t in report.tensors.values())
        seen = max(np.abs(t.analytic - t.numerical).max() for t in report.tensors.values()) / whole
        of = "the whole gradient's"
    verb = "differs" if off == 1 else "differ"
    return (
        (
            f"{off} of {size} entries {verb} by more than 1e-4 of {own} own size, but by at most "
            f"{rounded_up(seen)} of {of} largest"
        )
        if off
        else ""
    )


def deserves_a_band(report: Report) -> bool:
    """Whether the name of the error's band fits what is known: it is of relative errors alone."""
    return (
        report.measure == "max_relative"
        and report.verdict == Verdict.CORRECT
        and (report.error <= BANDS[1][0])
    )


_BY_VERDICT = {
    Verdict.WRONG: _wrong,
    Verdict.INCONCLUSIVE: _inconclusive,
    Verdict.CORRECT: _correct,
}
