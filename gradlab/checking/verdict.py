"""From what is known of the entries to a verdict on a tensor: why, and what to do, in words.

Four words are kept apart: a `Finding` is what the judge knows of each entry, in marks and numbers;
a `Verdict` is one of three words, on a tensor or a whole check; a `Judgement` is a verdict with its
reason and its advice; and a `Diagnosis` says what may have made a gradient wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gradlab.checking.judge import (
    BUG,
    FLAT,
    JUMPS,
    KINK,
    NOISE,
    OK,
    OPEN,
    SLIGHT,
    SUBGRADIENT,
    ZERO,
    Finding,
)

KINDS = (BUG, KINK, JUMPS, NOISE, SLIGHT, FLAT, OPEN, ZERO)


class Verdict(StrEnum):
    """The three verdicts of a check."""

    CORRECT = "correct"
    WRONG = "wrong"
    INCONCLUSIVE = "inconclusive"


SIGNS = {Verdict.CORRECT: "✓", Verdict.WRONG: "✗", Verdict.INCONCLUSIVE: "?"}


@dataclass(frozen=True)
class Judgement:
    """A verdict, the reason for it, and what to do about it (may be empty)."""

    verdict: Verdict
    why: str
    advice: str = ""


@dataclass(frozen=True)
class Setting:
    """What was checked and how: what words and advice must fit.

    Attributes
    ----------
    eps : float or None
        The step that was asked for; None where the checker chose.
    single : bool
        Whether the numbers are float32.
    masks : bool
        Whether dropout masks could be frozen there.
    tolerance : float
        What is accepted, over the tensor's largest entry.
    elsewhere : bool
        Whether the numerical gradient came from elsewhere: then nothing is known of it.
    at_kink : bool or None
        Whether theta itself is at a kink, which every step crosses; None where nobody knows.
    """

    eps: float | None = None
    single: bool = False
    masks: bool = False
    tolerance: float = 0.0
    elsewhere: bool = False
    at_kink: bool | None = None


_DIFFERS = "the loss differs from one evaluation to the next, so a difference of two is not a slope"


def not_deterministic(setting: Setting) -> Judgement:
    """Return the judgement on a loss that differs from call to call."""
    return Judgement(
        Verdict.INCONCLUSIVE,
        _DIFFERS,
        "freeze the dropout masks: draw them once and pass them as masks"
        if setting.masks
        else "draw random numbers once, outside of f; reset whatever f remembers before each call",
    )


REMEMBERS = Judgement(
    Verdict.INCONCLUSIVE,
    "f(theta) is another number after f was evaluated elsewhere: it remembers earlier calls, so a "
    "difference of two is not a slope",
    "reset whatever f remembers (running means, caches, counters) before each call",
)
NOTHING_PROVED = Judgement(
    Verdict.INCONCLUSIVE,
    "gradient and differences are exactly 0 here: that proves nothing, any code passes",
    "check where the loss depends on these parameters",
)


def says_unsteady(why: str) -> bool:
    """Tell whether the reason for a verdict is that the loss does not repeat: no step helps."""
    return _DIFFERS in why or REMEMBERS.why in why


def about(error: float) -> str:
    """Return a size in one digit, rounded up: 2.1e-9 is "3e-09"."""
    if not 0 < error <= 1:
        return "0" if error == 0 else "any size"
    power = math.floor(math.log10(error))
    return f"{math.ceil(round(error / 10**power, 6)) * 10**power:.0e}"


def judgement_on(
    analytic: np.ndarray, found: Finding, shape: tuple[int, ...], setting: Setting
) -> Judgement:
    """Return the judgement on a tensor of which the entries `analytic` (E,) were checked.

    Parameters
    ----------
    analytic : ndarray, shape (E,)
    found : Finding
        About them.
    shape : tuple of int
        Of the tensor.
    setting : Setting
    """
    mark, size = found.mark, found.mark.size
    if (mark == OK).all():
        return Judgement(Verdict.CORRECT, _agree(found, math.prod(shape), setting))
    count = {kind: int((mark == kind).sum()) for kind in KINDS}
    of = f"of {size} entries"
    if count[BUG]:
        return Judgement(
            Verdict.WRONG,
            f"{count[BUG]} {of} {'differs' if count[BUG] == 1 else 'differ'} by more than noise, a "
            "kink or the step's length can explain",
            "look at ratio and cosine: they tell what kind of bug it is",
        )
    if count[ZERO] == size:
        return NOTHING_PROVED
    if count[KINK]:
        return _kinks(f"{count[KINK]} {of}", setting)
    if count[JUMPS]:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"{count[JUMPS]} {of} differ at some steps, and at others agree or do not move the "
            "loss: it has jumps, ripples or flat parts, which explain the difference",
            "check a smoother version of the loss, or where it has no flat part",
        )
    if count[SLIGHT]:
        return _slight(analytic, found, f"{count[SLIGHT]} {of}")
    if count[OPEN]:
        undefined = not np.isfinite(found.slope + found.bound)[mark == OPEN].all()
        return _open(f"{count[OPEN]} {of}", setting, undefined)
    if count[FLAT]:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"for {count[FLAT]} {of} no step moves the loss, and the gradient is not 0: it is "
            "wrong, or digits are cut off from the loss",
            "check where the loss moves, and that f depends on these parameters",
        )
    if count[NOISE]:
        return _noise(found, f"{count[NOISE]} {of}", setting)
    return Judgement(Verdict.CORRECT, _agree(found, math.prod(shape), setting))


def _kinks(which: str, setting: Setting) -> Judgement:
    if setting.eps is not None and setting.at_kink:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"for {which} the step crosses a kink, where a difference is no slope; theta itself is "
            "at one, and no step is short enough for that",
            "leave eps out: then both sides of a kink are looked at; or move theta off the kink, "
            "with random biases for instance",
        )
    if setting.eps is not None:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"for {which} the step crosses a kink, where a difference is no slope",
            "lower eps, or leave it out: then both sides of a kink are looked at"
            if setting.at_kink is False
            else "leave eps out: then both sides of a kink are looked at; a lower one helps only "
            "where theta is beside the kink, not at it",
        )
    return Judgement(
        Verdict.INCONCLUSIVE,
        f"{which} sit on or next to a kink, where no step gives a slope; the others show no bug",
        "add a little noise to the inputs or the parameters, so that no unit is at its kink",
    )


def _slight(analytic: np.ndarray, found: Finding, which: str) -> Judgement:
    off = np.abs(analytic - found.slope)[found.mark == SLIGHT].max()
    share = about(float(off / max(np.abs(found.slope).max(), np.finfo(float).tiny)))
    return Judgement(
        Verdict.INCONCLUSIVE,
        f"{which} differ steadily, by up to {share} of the largest: so may an approximation, and "
        "so may a bug",
        f"if the gradient is an approximation, pass tolerance={share}; if not, look for a bug",
    )


def _open(which: str, setting: Setting, undefined: bool) -> Judgement:
    if setting.elsewhere:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"{which} differ from the numerical gradient that was given, by more than is usual and "
            "less than a bug does; how good that one is, is not known",
            "leave numerical out, and the checker takes differences of its own",
        )
    if undefined:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"for {which} no step that was looked at gives a slope: the loss is not defined there, "
            "or bends too much",
            ("" if setting.eps is None else "leave eps out, or ") + "check at other parameters",
        )
    if setting.eps is not None:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"for {which} other steps tell another thing than this one, and none proves a bug: the "
            "step is too long, or too short",
            "leave eps out, and the checker chooses its steps",
        )
    more = (
        "check in float64, or at other parameters"
        if setting.single
        else ("check at other parameters, or a smoother version of the loss")
    )
    return Judgement(
        Verdict.INCONCLUSIVE,
        f"{which} differ, but the slope never settles long enough to prove a bug",
        more,
    )


def _noise(found: Finding, which: str, setting: Setting) -> Judgement:
    seen = found.within[found.mark == NOISE].max()
    size = about(float(seen)) + (" of the largest entry" if seen <= 1 else "")
    what = (
        f"for {which} an error of {size} could hide"
        if np.isfinite(seen)
        else f"{which} are no larger than what rounding does to the loss"
    )
    if setting.eps is not None:
        return Judgement(
            Verdict.INCONCLUSIVE,
            f"{what}: at this step round-off or the step's length is larger",
            "move eps towards the bottom of the U, or leave it out",
        )
    cure = "check in float64, or " if setting.single else "check "
    return Judgement(
        Verdict.INCONCLUSIVE,
        f"{what}: the loss is too noisy there, or bends too much",
        f"{cure}where the gradient is larger, or at other parameters",
    )


def _agree(found: Finding, total: int, setting: Setting) -> str:
    size, resolution = found.mark.size, resolution_of(found)
    agree = f"{agreeing(found.mark, total)}{accepted(setting)}"
    seen = f"{agree}; an error of {about(resolution)} would have been seen"
    return seen + met(total, size) + in_brackets(found.mark)


def agreeing(mark: np.ndarray, total: int, of: str = "") -> str:
    """Return how many entries were checked and agree: 0 against exactly 0 is no agreement."""
    size, zeros = mark.size, int((mark == ZERO).sum())
    if size < total:
        which = f"{size - zeros} agree" if zeros else "agree"
        return f"{size} of {total} entries{of} were checked, and {which}"
    return (
        f"{size - zeros} of {size} entries{of} agree" if zeros else f"all {size} entries{of} agree"
    )


def met(total: int, size: int) -> str:
    """Return how probably a sample has met a bug; nothing where all entries were checked."""
    if size >= total:
        return ""
    chance = chance_of_meeting(total, size, 0.1)
    told = f"of {chance:.2g}" if chance < 0.995 else "of over 0.99"
    return f", in a tenth of the entries with a probability {told}"


def chance_of_meeting(total: int, size: int, share: float) -> float:
    """Return the probability that `size` of `total` entries hold one of a share of all."""
    bad = max(1, math.ceil(share * total))
    if size > total - bad:
        return 1.0
    missed = np.arange(total - bad - size + 1, total - bad + 1)
    return float(1 - np.prod(missed / np.arange(total - size + 1, total + 1)))


def accepted(setting: Setting) -> str:
    """Return what else was accepted, if anything."""
    return f" to the tolerance of {setting.tolerance:g}" if setting.tolerance else ""


def in_brackets(mark: np.ndarray) -> str:
    """Return what there is to say of entries that agree in another way: " (3 are 0 = 0, …)"."""
    notes = []
    if kinks := int((mark == SUBGRADIENT).sum()):
        notes.append(f"{kinks} at a kink: within the slopes of its two sides, or right beside it")
    if zeros := int((mark == ZERO).sum()):
        verb = "is" if zeros == 1 else "are"
        notes.append(f"{zeros} {verb} 0 = 0, which proves nothing there")
    return f" ({'; '.join(notes)})" if notes else ""


def resolution_of(found: Finding) -> float:
    """Return the smallest error that would have been seen in any entry, over the largest slope.

    Infinite where an entry was not decided, or where all are 0 = 0.
    """
    within = found.within[(found.mark != ZERO) & (found.mark != BUG)]
    return float(within.max()) if within.size else math.inf


def worst_of(
    analytic: np.ndarray,
    slope: np.ndarray,
    mark: np.ndarray,
    shape: tuple[int, ...],
    entries: np.ndarray | None,
    most: int,
) -> list[tuple[tuple[int, ...], float, float]]:
    """Return the entries that are bugs, worst first: index, analytic and numerical."""
    bugs = np.flatnonzero(mark == BUG)
    order = bugs[np.argsort(-np.abs(analytic - slope)[bugs], kind="stable")][:most]
    at = order if entries is None else entries[order]
    return [
        (tuple(int(i) for i in np.unravel_index(flat, shape)), float(analytic[k]), float(slope[k]))
        for flat, k in zip(at, order, strict=True)
    ]


def in_digits(a: float, n: float) -> tuple[str, str]:
    """Return two numbers, "0.0123" and "0.0121", in as many digits as show the difference."""
    for digits in range(3, 17):
        first, second = f"{a:.{digits}g}", f"{n:.{digits}g}"
        if abs(float(first) - float(second) - (a - n)) <= 0.1 * abs(a - n):
            break
    return first, second
