"""What the lab says: the banner, its plain-text summary, and the words for a verdict's cause."""

from __future__ import annotations

import math
from html import escape

from gradlab.checking import BANDS
from gradlab.lab.result import Result
from gradlab.lab.settings import YOURS, Settings
from gradlab.plots.palette import MARKS

__all__ = ["advice", "banner_html", "summary"]

#: A step this many times the best one is truncation's; this many times smaller, round-off's.
_FAR = 30.0
#: Ng's bands for the norm ratio: great, look again, worry, and beyond.
_NORM_EDGES = (1e-7, 1e-5, 1e-3, math.inf)


def band(error: float) -> str:
    """Return the name of the band that `error` falls into; NaN falls into the last."""
    return next((label for edge, label in BANDS if error <= edge), BANDS[-1][1])


def advice(result: Result) -> str:
    """Return what to move, and why: by the lab's own settings first, else the report's advice."""
    s, best = result.settings, result.sweep.predicted_best_eps
    if s.use_dropout and not s.freeze_masks and s.hidden:
        return (
            "Dropout draws new masks at every evaluation, so the two losses belong to different "
            "functions. Tick “freeze masks”."
        )
    if s.use_l2 and s.l2_in_loss != s.l2_in_gradient:
        has, lacks = "numerical loss", "analytic gradient"
        if s.l2_in_gradient:
            has, lacks = lacks, has
        return (
            f"L2 is in the {has} but not in the {lacks}: two different functions. "
            "Tick both, or neither."
        )
    happy = result.report.relative_error <= BANDS[0][0]
    if not happy:
        if s.eps > best * _FAR:
            return (
                f"The step is far above the predicted best, {_number(best)}: the loss curves "
                "within it (truncation). Move eps to the left."
            )
        if s.eps < best / _FAR and s.scheme != "complex_step":  # which subtracts nothing
            return (
                f"The step is far below the predicted best, {_number(best)}: subtracting two "
                "nearly equal losses leaves round-off. Move eps to the right."
            )
    return result.report.advice


def banner_html(result: Result | None, error: str, settings: Settings) -> str:
    """Return the banner: the verdict in a word and a mark, why, the numbers, and what to move.

    Everything that is not a constant of this module is escaped.
    """
    if error:
        shown = "; the pictures show the last result" if result else ""
        return _banner(
            "error", "!", "cannot compute", escape(error),
            f"The lab is still alive{shown}. Move the control back, or press Reset.",
        )  # fmt: skip
    if result is None:
        return _banner("inconclusive", "?", "nothing yet", "", "")
    report = result.report
    verdict = str(report.verdict)
    worst = max(report, key=lambda name: _or_inf(report[name].error))
    numbers = (
        f"At eps&nbsp;=&nbsp;<b>{settings.eps:.1e}</b> the worst tensor is {escape(worst)}, with "
        f"relative error <b>{report[worst].error:.1e}</b> ({escape(band(report[worst].error))})."
    )
    why = report.why
    if verdict == "correct" and report[worst].error > BANDS[1][0]:
        why = "But the entries that differ are too small to tell from round-off at this step"
    return _banner(
        verdict, MARKS[verdict], verdict,
        f"{numbers} {escape(_sentence(why))}", escape(_sentence(advice(result))),
    )  # fmt: skip


def _number(value: float) -> str:
    """Return "6e-06" with a hyphen that no line breaks at."""
    return f"{value:.0e}".replace("-", "‑")


def _sentence(text: str) -> str:
    """Return `text` with a capital at its start and a full stop at its end."""
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")


def _banner(kind: str, mark: str, word: str, why: str, move: str) -> str:
    return (
        f'<div class="gradlab-banner gradlab-{kind}" role="status">'
        f'<span class="gradlab-verdict"><span aria-hidden="true">{mark}</span> {word}</span>'
        f'<span class="gradlab-why">{why} <i>{move}</i></span></div>'
    )


def summary(settings: Settings, result: Result | None, error: str) -> str:
    """Return settings, verdict and orders of magnitude as plain text, the same on every machine.

    Round-off differs between machines, and a largest entry jumps with it. So each tensor is told
    by its verdict and by the decade bands of its norm ratio, which average over entries; a power of
    ten of the error stands only where truncation rules: there it is a fact about the function.
    """
    lines = ["gradlab lab", "  " + _network_line(settings, result), "  " + _check_line(settings)]
    if error:
        lines.append(f"  error: {error}")
    if result is not None and not error:
        lines.append(f"  verdict: {_verdicts(result)}")
        lines += _numbers(result)
    return "\n".join(lines)


def _network_line(s: Settings, result: Result | None) -> str:
    sizes = result.net.sizes if result else s.hidden
    shape = "-".join(str(n) for n in sizes)
    where = "your data" if s.data == YOURS else s.data
    count = f", {len(result.x)} examples" if result else ""
    return (
        f"network: {shape} {s.activation}, {s.loss}, {where}{count}, seed {s.seed}, "
        f"weight scale {s.weight_scale:.2g}"
    )


def _check_line(s: Settings) -> str:
    dropout, l2 = "off", "off"
    if s.use_dropout:
        dropout = f"{s.dropout_rate:g}, masks {'frozen' if s.freeze_masks else 'redrawn'}"
    if s.use_l2:
        where = {(True, True): "both", (True, False): "the loss alone",
                 (False, True): "the gradient alone", (False, False): "neither"}  # fmt: skip
        l2 = f"{s.l2:.2g} in {where[s.l2_in_loss, s.l2_in_gradient]}"
    return (
        f"check: eps {s.eps:.2g}, {s.scheme}, {s.measure}; dropout {dropout}; L2 {l2}"
    )  # fmt: skip


def _verdicts(result: Result) -> str:
    report = result.report
    groups = {}
    for name in report:
        groups.setdefault(str(report[name].verdict), []).append(name)
    if len(groups) == 1:
        return f"{report.verdict}, every tensor"
    told = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in groups.items())
    return f"{report.verdict} ({told})"


def _numbers(result: Result) -> list[str]:
    report, parts, low = result.report, [], None
    for edge in _NORM_EDGES:
        names = [n for n in report if _between(report[n].norm_ratio, low, edge)]
        if names:
            interval = f"up to {edge:.0e}" if edge < math.inf else f"above {low:.0e}"
            parts.append(f"{interval} in {', '.join(names)}")
        low = edge
    lines = ["  norm ratio: " + "; ".join(parts)]
    truncation_rules = result.settings.eps >= result.sweep.predicted_best_eps * _FAR
    error = report.relative_error
    if truncation_rules and 0 < error < math.inf:
        lines.append(f"  worst relative error: about 1e{round(math.log10(error)):+03d}")
    return lines


def _between(value: float, low: float | None, edge: float) -> bool:
    return (low is None or not value <= low) and (value <= edge or edge == math.inf)


def _or_inf(error: float) -> float:
    return math.inf if math.isnan(error) else error
