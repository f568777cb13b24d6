"""From the evidence on entries to a verdict on a tensor, in words."""

from __future__ import annotations

import numpy as np

from gradlab.checking.evidence import BUG, KINK, NOISE, OK, OPEN, Evidence
from gradlab.checking.verdict import Judgement, Verdict

ROUNDED_ZERO = 1e-14  # of the gradient's largest entry: what sums that cancel leave behind
NEGLIGIBLE = 1e-3  # entries below this share of the largest may drown in noise without a fuss


def conclude(
    analytic: np.ndarray, evidence: Evidence, total: int, largest: float = 0.0
) -> Judgement:
    """Return the verdict on a tensor of which the entries `analytic` (E,) were checked.

    `largest` is the largest entry of the whole gradient, 0 where nothing else was checked.
    """
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
    if np.abs(analytic).max(initial=0.0) <= ROUNDED_ZERO * largest and not count[OPEN]:
        return Judgement(
            Verdict.CORRECT, "0 up to rounding, and the loss does not move either at any step"
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
    weighty = _weighty(analytic, evidence)
    hidden = int((weighty & (mark == NOISE)).sum())
    unclear = int((weighty & (mark == OPEN)).sum())
    if hidden or unclear:
        return _unresolved(hidden, unclear, mark.size)
    small = count[NOISE] + count[OPEN]
    rest = f" ({small} of them too small beside the others to tell)" if small else ""
    return Judgement(Verdict.CORRECT, f"{checked} entries agree{rest}")


def _weighty(analytic: np.ndarray, evidence: Evidence) -> np.ndarray:
    """Return True for entries that are not, or might not be, small beside those that agree."""
    good = np.abs(analytic[evidence.mark == OK]).max(initial=0.0)
    with np.errstate(invalid="ignore"):
        size = np.abs(analytic) + np.abs(evidence.numerical) + evidence.bound
    return ~(size <= NEGLIGIBLE * good)


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
