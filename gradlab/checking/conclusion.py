"""From the evidence on entries to a verdict on a tensor, in words."""

from __future__ import annotations

import numpy as np

from gradlab.checking.evidence import BUG, KINK, NOISE, OK, OPEN, Evidence
from gradlab.checking.verdict import Judgement, Verdict

NEGLIGIBLE = 1e-3  # entries below this share of the largest may drown in noise without a fuss


def conclude(analytic: np.ndarray, evidence: Evidence, total: int) -> Judgement:
    """Return the verdict on a tensor of which the entries `analytic` (E,) were checked."""
    mark = evidence.mark
    count = {kind: int((mark == kind).sum()) for kind in (OK, BUG, KINK, NOISE, OPEN)}
    checked = f"{mark.size} of {total}" if mark.size < total else f"all {total}"
    if count[BUG]:
        return Judgement(
            Verdict.WRONG,
            f"{count[BUG]} of {mark.size} entries differ by the same amount at every step: "
            "no kink, noise or step explains that",
            "look at ratio and cosine: they tell what kind of bug it is",
        )
    if not analytic.any() and not evidence.numerical.any():
        return Judgement(
            Verdict.INCONCLUSIVE,
            "gradient and differences are exactly 0 here: that proves nothing, any code passes",
            "check where the loss depends on these parameters",
        )
    if count[KINK]:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"{count[KINK]} of {mark.size} entries sit on or next to a kink, where no step gives "
            "a slope; the others show no bug",
            "move the parameters or the data a little, so that no unit is exactly at its kink",
        )
    hidden = _hidden(analytic, evidence)
    if hidden or count[OPEN]:
        return _unresolved(hidden, count[OPEN], mark.size)
    small = f" ({count[NOISE]} of them too small to tell from 0)" if count[NOISE] else ""
    return Judgement(Verdict.CORRECT, f"{checked} entries agree{small}")


def _hidden(analytic: np.ndarray, evidence: Evidence) -> int:
    """Return how many entries drown in noise and are not small beside those that were checked."""
    good = np.abs(analytic[evidence.mark == OK])
    drowned = evidence.mark == NOISE
    size = np.abs(analytic) + np.abs(evidence.numerical) + evidence.bound
    return int((drowned & ~(size <= NEGLIGIBLE * good.max(initial=0.0))).sum())


def _unresolved(hidden: int, unclear: int, size: int) -> Judgement:
    if hidden:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"{hidden} of {size} entries are no larger than what rounding does to the loss",
            "check in float64, where the gradient is larger, or on a loss without large constants",
        )
    return Judgement(
        Verdict.INCONCLUSIVE,
        f"for {unclear} of {size} entries the slope never settles: too much noise, or bends "
        "shorter than any step that rounding allows",
        "check in float64, or at other parameters",
    )
