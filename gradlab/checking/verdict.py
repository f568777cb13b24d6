"""From numbers to words: what a difference between two gradients proves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gradlab.checking.errors import entry_errors

# Relative errors and what CS231n's notes say of them.
BANDS = (
    (1e-7, "happy"),
    (1e-4, "usually fine"),
    (1e-2, "uncomfortable"),
    (np.inf, "probably wrong"),
)
FINE, PROBABLY_WRONG = BANDS[1][0], BANDS[2][0]
# One evaluation of a mean over a batch errs by a few roundings of its value, not by one.
ROUNDINGS = 8


class Verdict(StrEnum):
    """The three outcomes of a check."""

    CORRECT = "correct"
    WRONG = "wrong"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, eq=False)
class Doubt:
    """How far the numerical gradient itself may be off, in units of the gradient.

    Attributes
    ----------
    round_off : float
        What rounding the loss can do at this step: a few machine_eps * |loss| / eps.
    truncation : ndarray, shape (size,)
        What the step's length does to each entry, from the slopes at eps and at 2 eps. A kink
        between the two shows here as well.
    kinks : ndarray of int, shape (size,)
        How many kinks each entry's perturbation crosses.
    """

    round_off: float
    truncation: np.ndarray
    kinks: np.ndarray


@dataclass(frozen=True)
class Judgement:
    """A verdict, the reason for it, and what to do about it (may be empty)."""

    verdict: Verdict
    why: str
    advice: str = ""


NOT_DETERMINISTIC = Judgement(
    Verdict.INCONCLUSIVE,
    "the loss differs from one evaluation to the next, so a difference of two is not a slope",
    "freeze the dropout masks: draw them once and pass them as masks",
)

ONLY_AT_THIS_STEP = Judgement(
    Verdict.INCONCLUSIVE,
    "the differences disagree with the gradient at this step and not at others: the step is too "
    "long, or too short",
    "leave eps out, and the checker chooses its steps",
)


def round_off_bound(loss: float, eps: float, machine_eps: float) -> float:
    """Return how far round-off can move a difference quotient: a few machine_eps |loss| / eps."""
    return ROUNDINGS * machine_eps * max(abs(loss), np.finfo(np.float64).tiny) / eps


def judge(
    analytic: np.ndarray, numerical: np.ndarray, doubt: Doubt, total: int | None = None
) -> Judgement:
    """Return the verdict on one tensor, entries given as flat vectors (size,).

    `total` is how many entries the tensor has, where these are a sample.

    "wrong" needs an entry that is off by more than the band for "probably wrong", by more than
    round-off and truncation together can explain, and whose step crosses no kink. "correct" needs
    that every entry agrees to the band "usually fine", or to round-off that is small beside the
    tensor's largest entry.
    """
    if not np.isfinite(numerical).all():
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"{(~np.isfinite(numerical)).sum()} of {numerical.size} differences are not finite",
            "lower eps if the loss overflows; raise it if the step rounds to 0",
        )
    if not analytic.any() and not numerical.any():
        return Judgement(
            Verdict.INCONCLUSIVE,
            "gradient and differences are exactly 0 here: that proves nothing, any code passes",
            "check where the loss depends on these parameters, or raise eps",
        )
    difference = np.abs(analytic - numerical)
    scale = np.maximum(np.abs(analytic), np.abs(numerical))
    error = entry_errors(analytic, numerical)
    off = (error > FINE) & (difference > doubt.round_off)
    unexplained = difference > doubt.round_off + 2 * doubt.truncation
    bug = off & (error > PROBABLY_WRONG) & unexplained & (doubt.kinks == 0)
    if bug.any():
        return Judgement(
            Verdict.WRONG,
            f"{bug.sum()} of {bug.size} entries differ by more than round-off and the step's "
            "length can explain",
            "look at the ratio and the cosine: they tell what kind of bug it is",
        )
    if off.any():
        return _doubtful(off, difference, doubt)
    if scale.max() > 0 and doubt.round_off > FINE * scale.max():
        return Judgement(
            Verdict.INCONCLUSIVE,
            "the gradient is no larger than the round-off at this step",
            "raise eps, or check where the gradient is larger",
        )
    whole = total is None or total == error.size
    share = f"all {error.size}" if whole else f"{error.size} of {total}"
    return Judgement(Verdict.CORRECT, f"{share} entries agree")


def _doubtful(off: np.ndarray, difference: np.ndarray, doubt: Doubt) -> Judgement:
    worst = int(np.argmax(np.where(off, difference, 0)))
    if doubt.kinks[worst]:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"{off.sum()} of {off.size} entries differ, and the step crosses kinks "
            f"({doubt.kinks.sum()} in all): there a difference is no slope",
            "lower eps, so that fewer kinks lie within the step",
        )
    if difference[worst] <= doubt.round_off + 2 * doubt.truncation[worst]:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"{off.sum()} of {off.size} entries differ, but the slope itself changes as much "
            "between eps and 2 eps: the step is too long, or it crosses a kink",
            "lower eps",
        )
    return Judgement(
        Verdict.INCONCLUSIVE,
        f"{off.sum()} of {off.size} entries differ by more than is usual and less than a bug does",
        "move eps both ways: truncation and round-off change with it, a bug does not",
    )
