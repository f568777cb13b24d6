"""What the lab says in its banner: the verdict, why, and what to move."""

from __future__ import annotations

from html import escape

from gradlab.checking import BANDS
from gradlab.checking.report import largest_error, untested
from gradlab.checking.verdict import Verdict
from gradlab.lab.model.result import Result
from gradlab.lab.model.settings import DIRECTION, Settings
from gradlab.lab.text.reasons import FAR, deserves_a_band, explanation
from gradlab.lab.text.words import thousands, two_digits
from gradlab.plots.palette import MARKS

__all__ = ["FAR", "banner_html", "cost_line", "explanation", "said"]

#: Finding out takes a backward pass for each known bug: too long for every frame of a drag.
_NOT_YET = "blind spots are looked for at rest"
_MEASURES = {
    "max_relative": "relative error",
    "sum_relative": "relative error (sum)",
    "norm_ratio": "norm ratio",
}


#: After a change that cannot be computed; and where nothing could be from the start.
_BACK, _ONWARDS = "Move the control back", "Change a setting"


def band(error: float) -> str:
    """Return the name of the band that `error` falls into."""
    return next(label for edge, label in BANDS if error <= edge)


def banner_html(result: Result | None, error: str, settings: Settings) -> str:
    """Return the banner: the verdict in a word and a mark, why, the numbers, and what to move.

    Everything that is not a constant of this module is escaped.
    """
    if error:
        shown = "; the pictures show the last result" if result else ""
        return _banner(
            "error",
            "!",
            "cannot compute",
            escape(error.rstrip(".")) + ".",
            f"The lab is still alive{shown}. {_BACK if result else _ONWARDS}, or press Reset.",
        )
    if result is None:
        return _banner("inconclusive", "?", "nothing yet", "", "")
    verdict = str(result.report.verdict)
    why, move = (escape(text) for text in explanation(result))
    told = f"{_numbers(result, settings)} {why}"
    if caveats := _caveats(result):
        open_ = escape("; ".join(caveats))
        told = f'<b class="gradlab-caveat">here, and {open_}.</b> {told}'
    return _banner(verdict, MARKS[verdict], verdict, told, move)


def _caveats(result: Result) -> tuple[str, ...]:
    """Return what a verdict of "correct" leaves open; in a drag, that it was not looked for yet."""
    report = result.report
    if result.knows_blind_spots or report.verdict != Verdict.CORRECT:
        return report.caveats
    return (_NOT_YET, *untested(report))


def _numbers(result: Result, settings: Settings) -> str:
    """Return the step and the error there of the tensor that decides the verdict.

    Another tensor's may be larger, and prove nothing.
    """
    report = result.report
    worst = report[report.deciding]
    measure, error = _MEASURES[report.measure], f"<b>{two_digits(worst.error)}</b>"
    name = f": {escape(band(worst.error))}" if deserves_a_band(report) else ""
    start, where = f"At eps&nbsp;=&nbsp;<b>{settings.eps:.1e}</b>", f"in {escape(worst.name)}"
    if largest_error(report.tensors.values()) is not worst:
        return f"{start} the largest {measure} {where} is {error}."
    return f"{start} the largest {measure} is {error}, {where}{name}."


def said(result: Result) -> str:
    """Return the verdict for who listens: with what it leaves open, and why."""
    report = result.report
    start = (
        f"{report.verdict} here, and {'; '.join(report.caveats)}."
        if report.caveats
        else f"{report.verdict}:"
    )
    return f"{start} {explanation(result)[0]}"


def cost_line(result: Result) -> str:
    """Return what the check cost, in evaluations of the loss and in time.

    The time is measured, and no two runs tell the same; it stands in no text that is compared.
    """
    cost = result.cost
    function = "function" if result.net is None else "loss"
    beside = "" if result.net is None else "; one backprop does the arithmetic of 2 or 3"
    return (
        f"{_part(result)}{thousands(cost.evaluations)} evaluations of the {function}, "
        f"{_milliseconds(cost.milliseconds)} ms{beside}"
    )


def _part(result: Result) -> str:
    """Return how many entries were checked, where that is not all of them."""
    if result.problem.samples is None or result.settings.method == DIRECTION:
        return ""
    checked = sum(tensor.analytic.size for tensor in result.report.tensors.values())
    total = sum(value.size for value in result.analytic.values())
    return f"{thousands(checked)} of {thousands(total)} entries: "


def _milliseconds(value: float) -> str:
    return f"{value:.1f}" if value < 10 else thousands(round(value))


def _banner(kind: str, mark: str, word: str, why: str, move: str) -> str:
    return (
        f'<div class="gradlab-banner gradlab-{kind}">'
        f'<span class="gradlab-verdict"><span aria-hidden="true">{mark}</span> {word}</span> '
        f'<span class="gradlab-why">{why} <i>{move}</i></span></div>'
    )
