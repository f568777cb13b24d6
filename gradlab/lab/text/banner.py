"""What the lab says in its banner: the verdict, why, and what to move."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from gradlab.bugs import describe, wrong_tensors
from gradlab.checking import BANDS, Report
from gradlab.checking.verdict import about
from gradlab.lab.model.planted import places_of_bugs
from gradlab.lab.model.result import Result
from gradlab.lab.model.settings import MYSTERY, NO_BUG, Settings
from gradlab.plots.palette import MARKS

__all__ = ["banner_html", "cost_line", "explanation"]

#: A step this many times the best one is truncation's; this many times smaller, round-off's.
FAR = 30.0
#: An L2 term this many times the data's gradient hides it.
SWAMPED = 100.0
_MEASURES = {"max_relative": "relative error", "sum_relative": "relative error (sum)",
             "norm_ratio": "norm ratio"}  # fmt: skip


def band(error: float) -> str:
    """Return the name of the band that `error` falls into; NaN falls into the last."""
    return next((label for edge, label in BANDS if error <= edge), BANDS[-1][1])


def explanation(result: Result) -> tuple[str, str]:
    """Return why the verdict is what it is, and what to move.

    By the lab's own settings where they explain it, else by the report.
    """
    s, report = result.settings, result.report
    if s.use_dropout and not s.freeze_masks and s.hidden:
        return (
            "Dropout draws new masks at every evaluation: the two losses that are subtracted "
            "belong to different functions.",
            "Tick “freeze masks”.",
        )
    if s.use_l2 and s.l2_in_loss != s.l2_in_gradient:
        has, lacks = "numerical loss", "analytic gradient"
        if s.l2_in_gradient:
            has, lacks = lacks, has
        return f"L2 is in the {has} but not in the {lacks}.", "Tick both, or neither."
    if swamped := _swamped(result):
        return swamped
    if s.bug not in (NO_BUG, MYSTERY) and report.verdict != "inconclusive":
        return _about_bug(s.bug, hidden=report.verdict == "correct")
    if report.verdict != "wrong" and report.error > BANDS[0][0]:
        found = _kinks_explain(report) or _step_explains(s, result.sweep.predicted_best_eps)
        if found:
            return found
    if _only_round_off(report):
        off, size = _differing(report)
        return (
            f"{off} of {size} entries differ by more than 1e-4 of their own size, but by less than "
            f"{about(report.resolution)} of their tensor's largest",
            "",
        )
    named = [name for name in report if report[name].verdict == report.verdict]
    if report.verdict == "correct" or not named:
        return report.why, report.advice
    if len(named) == 1:
        return f"{named[0]}: {report[named[0]].why}", report.advice
    who = "every tensor" if len(named) == len(report) else ", ".join(named)
    return f"{who} (in {named[0]}, {report[named[0]].why})", report.advice


def _about_bug(name: str, hidden: bool) -> tuple[str, str]:
    """Return what a bug that was chosen does, and when it hides."""
    about = describe(name)
    if hidden:
        return f"A bug is planted and does not show: {about.summary}.", f"It hides: {about.blind}."
    return f"The planted bug: {about.summary}.", ""


def cost_line(result: Result) -> str:
    """Return what the check cost: "1 418 evaluations of the loss, 2.1 ms: as long as 14 backprops".

    Measured, so no two runs tell the same; it stands in no text that is compared.
    """
    cost = result.cost
    plural = "" if cost.backprops == 1 else "s"
    return (
        f"{_part(result)}{_thousands(cost.evaluations)} evaluations of the loss, "
        f"{_two_digits(cost.milliseconds)} ms: as long as {_thousands(cost.backprops)} "
        f"backprop{plural}"
    )


def _part(result: Result) -> str:
    """Return how many entries were checked, where that is not all of them."""
    if result.problem.samples is None:
        return ""
    checked = sum(tensor.analytic.size for tensor in result.report.tensors.values())
    return f"{_thousands(checked)} of {_thousands(result.net.size)} entries: "


def _thousands(count: int) -> str:
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _two_digits(value: float) -> str:
    return f"{value:.1f}" if value < 10 else _thousands(round(value))


def _swamped(result: Result) -> tuple[str, str] | None:
    """Return how little of a bug L2 leaves to be seen in weights that it spoils."""
    s, net = result.settings, result.problem.in_gradient
    if net is None or not net.l2 or s.bug in (NO_BUG, MYSTERY) or result.report.verdict != "wrong":
        return None
    places = [place for place in places_of_bugs(s, net) if not place.dormant]
    spoiled = {name for place in places for name in wrong_tensors(net, place.name, place.layer)}
    times = {}
    for name in (name for name in net.weight_names if name in spoiled):
        l2 = net.l2 * net.params[name]
        data = np.linalg.norm(result.analytic[name] - l2)
        times[name] = np.linalg.norm(l2) / max(data, np.finfo(float).tiny)
    if not times or min(times.values()) < SWAMPED:
        return None
    left = max(result.report[name].norm_ratio for name in times)
    return (
        f"In {', '.join(times)} the L2 term is over {_number(min(times.values()))} times the "
        f"data's gradient, and leaves a norm ratio of at most {_number(left)} of the planted bug: "
        f"{describe(s.bug).summary}.",
        "Lower λ.",
    )


def _differing(report: Report) -> tuple[int, int]:
    """Return how many entries differ by more than is usual, and how many there are."""
    errors = np.concatenate([tensor.errors.ravel() for tensor in report.tensors.values()])
    return int((~(errors <= BANDS[1][0])).sum()), errors.size


def _only_round_off(report: Report) -> bool:
    """Whether errors look large and the verdict is "correct" all the same."""
    return report.verdict == "correct" and report.error > BANDS[1][0]


def _kinks_explain(report: Report) -> tuple[str, str] | None:
    crossed = sum(t.crossed_kinks for t in report.tensors.values() if t.verdict == "inconclusive")
    if not crossed:
        return None
    return (
        f"The step crosses {crossed} kinks: a difference across a kink is no slope.",
        "Move eps to the left, or the weight scale up.",
    )


def _step_explains(s: Settings, best: float) -> tuple[str, str] | None:
    if s.eps > best * FAR:
        return (
            f"The step is far above the predicted best, {_number(best)}: the loss bends within it.",
            "Move eps to the left.",
        )
    if s.eps < best / FAR and s.scheme != "complex_step":  # which subtracts nothing
        return (
            f"The step is far below the predicted best, {_number(best)}: subtracting two nearly "
            "equal losses leaves round-off.",
            "Move eps to the right.",
        )
    return None


def banner_html(result: Result | None, error: str, settings: Settings) -> str:
    """Return the banner: the verdict in a word and a mark, why, the numbers, and what to move.

    Everything that is not a constant of this module is escaped.
    """
    if error:
        shown = "; the pictures show the last result" if result else ""
        return _banner(
            "error", "!", "cannot compute", escape(error.rstrip(".")) + ".",
            f"The lab is still alive{shown}. Move the control back, or press Reset.",
        )  # fmt: skip
    if result is None:
        return _banner("inconclusive", "?", "nothing yet", "", "")
    report = result.report
    verdict = str(report.verdict)
    # of the tensors that decide the verdict: another may have a larger error that proves nothing
    deciding = [name for name in report if report[name].verdict == report.verdict]
    worst = max(deciding or report, key=lambda name: _or_inf(report[name].error))
    numbers = (
        f"At eps&nbsp;=&nbsp;<b>{settings.eps:.1e}</b> the largest {_MEASURES[report.measure]} is "
        f"<b>{report[worst].error:.1e}</b>, in {escape(worst)}"
    )
    # The band's name would contradict a verdict that knows why the error is large.
    known = verdict == "inconclusive" or _only_round_off(report)
    told = "." if known else f": {escape(band(report[worst].error))}."
    why, move = (escape(_sentence(text)) for text in explanation(result))
    return _banner(verdict, MARKS[verdict], verdict, f"{numbers}{told} {why}", move)


def _number(value: float) -> str:
    """Return "6e-06" with a hyphen that no line breaks at."""
    return f"{value:.0e}".replace("-", "‑")


def _sentence(text: str) -> str:
    """Return `text` with a capital at its start and a full stop at its end."""
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")


def _banner(kind: str, mark: str, word: str, why: str, move: str) -> str:
    return (
        f'<div class="gradlab-banner gradlab-{kind}">'
        f'<span class="gradlab-verdict"><span aria-hidden="true">{mark}</span> {word}</span>'
        f'<span class="gradlab-why">{why} <i>{move}</i></span></div>'
    )


def _or_inf(error: float) -> float:
    return math.inf if math.isnan(error) else error
