"""The judge: what differences of a loss prove about each entry of its gradient, and how closely.

A single step cannot tell a bug from a false alarm. Several can: each gives a slope and a bound on
how far that slope may be off, noise (what rounding does to the loss, over the step) plus truncation
(what any shorter step changes); a step across a kink gives none. *The tightest bound decides*: an
entry agrees if it lies within it. What lies outside goes up the whole ladder of steps, and is a bug
only if the slope stands still there, equal on both sides, away from the gradient.

The rules, and what each is for:

- noise is what second differences show while they do not yet grow with the step (`plateau`): a
  staircase, float32 or a solver's tolerance add more of it than steps too short to bend show;
- truncation is what *every* shorter step changes beyond its own noise, not only the next one: a
  kink 1e-8 away on both sides is seen by the shortest steps alone;
- nothing is a bug where two steps in a row agree with the gradient (a ripple, a grid: the loss has
  two faces), where the gradient is 0 and short steps show a flat part, where every step that would
  prove it is known to cross a kink, or where jumps as large as most entries show could explain it;
- at a kink at theta both one-sided slopes stand still. What lies between them is a subgradient, and
  right. What lies outside proves nothing yet, as right code that takes the first of several ties
  may land there: the kink is left to either side, and the gradient looked at there;
- a slope of 0 is proved by steps up to 0.1 only, and 0 against exactly 0 proves nothing;
- nothing is extrapolated: near a kink an extrapolated sequence converges to the wrong slope.

References
----------
More and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33(3), 2011, for the noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

# What is known of an entry. SUBGRADIENT: at a kink at theta, within the slopes of both sides, or
# right beside it. ZERO: gradient and differences are exactly 0. JUMPS: the loss has jumps that
# explain the difference. SLIGHT: a steady difference, no larger than that of an approximation.
OK, SUBGRADIENT, ZERO, BUG = "ok", "subgradient", "zero", "bug"
KINK, JUMPS, NOISE, SLIGHT, OPEN = "kink", "jumps", "noise", "slight", "open"
AGREES = (OK, SUBGRADIENT, ZERO)
FLAT = "flat"  # no step moves the loss, and the gradient is not 0
_OUTSIDE = "outside"  # on the way: outside of both sides' slopes at a kink

SAFETY = 2.0  # how many bounds an entry may be away and agree
PROOFS = 4  # entries of a tensor that go up the ladder first; where they are bugs, others follow
FAR = 30.0  # bounds that an entry must be away to follow
ROUNDED = 1e-9  # of a slope: what rounding leaves in a float64 gradient


@dataclass(frozen=True, eq=False)
class Scales:
    """The steps, and what is large and small, for losses computed in one type of numbers.

    Attributes
    ----------
    first : ndarray
        The two steps that every entry is differenced at, over its size.
    ladder : ndarray
        All steps, half a decade apart, long to short.
    tight : float
        Of the tensor's largest slope: a bound that is good enough to stop at.
    meaningful : float
        A resolution above this is no reason to say "correct".
    small : float
        A steady difference below this share of the largest slope is not called a bug: it may be an
        approximation.
    """

    first: np.ndarray
    ladder: np.ndarray
    tight: float
    meaningful: float
    small: float


DOUBLE = Scales(10.0 ** -np.array([4.5, 5.0]), 10.0 ** -np.arange(1.0, 12.5, 0.5), 2e-8, 1e-3, 1e-6)
SINGLE = Scales(10.0 ** -np.array([1.5, 2.0]), 10.0 ** -np.arange(0.5, 5.0, 0.5), 1e-3, 2e-2, 5e-4)
BLOCK = 2048  # entries that climb together: keeps memory small
LONG = 10.0 ** -np.arange(1.0, 4.0)  # steps that prove that a loss does not depend on an entry


@dataclass(frozen=True, eq=False)
class Differences:
    """Losses right and left of theta, for E entries at S steps, which fall from row to row.

    Attributes
    ----------
    base : float
        Loss at theta.
    right, left : ndarray, shape (S, E)
        Losses there; not finite where the loss is not defined.
    h_right, h_left : ndarray, shape (S, E)
        The steps as rounding left them, both positive.
    machine_eps : float
        Of the numbers that the loss is computed in.
    kinks : ndarray of int, shape (S, E), or None
        How many kinks lie between theta and the ends of each step, where they can be counted.
    """

    base: float
    right: np.ndarray
    left: np.ndarray
    h_right: np.ndarray
    h_left: np.ndarray
    machine_eps: float = float(np.finfo(float).eps)
    kinks: np.ndarray | None = None

    def pick(self, columns: np.ndarray) -> Differences:
        """Return those of some entries."""
        parts = (self.right, self.left, self.h_right, self.h_left)
        kinks = None if self.kinks is None else self.kinks[:, columns]
        picked = (part[:, columns] for part in parts)
        return Differences(self.base, *picked, self.machine_eps, kinks)


class Loss(Protocol):
    """What the judge looks at: a loss around theta, and the gradient to be judged.

    Attributes
    ----------
    gradient : ndarray, shape (E,)
        At theta, of the entries that are checked.
    size : ndarray, shape (E,)
        What a step of 1 is for each entry: max(1, |theta|).
    value_size : ndarray, shape (E,)
        |theta| of each entry.
    tensors : list of slice
        The entries of each tensor.
    base, noise : float
        Loss at theta, and how far one evaluation may be off, at least.
    scales : Scales
    rounding : float
        Of the gradient's own numbers, in units of a tensor's largest slope.
    """

    gradient: np.ndarray
    size: np.ndarray
    value_size: np.ndarray
    tensors: list[slice]
    base: float
    noise: float
    scales: Scales
    rounding: float

    def look(self, entries: np.ndarray, steps: np.ndarray) -> Differences:
        """Difference the entries (E,) at steps (S, E), in units of theta."""

    def beside(self) -> tuple[Loss, Loss] | None:
        """Return the same loss a small way to either side of theta; None if it cannot be had."""

    def repeats(self) -> bool:
        """Tell whether the loss at theta is the same after all that was evaluated since."""


@dataclass(frozen=True, eq=False)
class Finding:
    """What was found for each of E entries.

    Attributes
    ----------
    mark : ndarray of str
        "ok", "subgradient", "zero" (these agree), "bug", "kink", "jumps", "noise", "slight",
        "flat" or "open".
    slope : ndarray
        At the step that says most.
    bound : ndarray
        How far that slope may be off; infinity if nothing is known.
    step : ndarray
        That step, in units of theta.
    reach : ndarray
        The larger of the slopes on both sides at that step.
    within : ndarray
        The smallest error that would have been seen in the entry, over the tensor's largest slope;
        infinity where it does not agree.
    repeats : bool
        Whether the loss at theta was the same after all as before.
    """

    mark: np.ndarray
    slope: np.ndarray
    bound: np.ndarray
    step: np.ndarray
    reach: np.ndarray
    within: np.ndarray
    repeats: bool = True

    def put(self, entries: np.ndarray, other: Finding) -> None:
        """Replace what was found for some entries."""
        for name in ("mark", "slope", "bound", "step", "reach", "within"):
            getattr(self, name)[entries] = getattr(other, name)

    def pick(self, entries: np.ndarray | slice) -> Finding:
        """Return what was found for some entries."""
        parts = (self.mark, self.slope, self.bound, self.step, self.reach, self.within)
        return Finding(*(part[entries] for part in parts), repeats=self.repeats)

    @classmethod
    def nothing(cls, size: int) -> Finding:
        """Return that nothing can be known of so many entries: the loss does not repeat."""
        none, unknown = np.full(size, np.nan), np.full(size, np.inf)
        return cls(np.full(size, NOISE, "<U11"), none, unknown, none, none, unknown, False)


# -- one look: slopes, their bounds, and what they say -------------------------------------------


@dataclass(frozen=True, eq=False)
class Slopes:
    """What S steps show of E entries: arrays (S, E), long steps first; `best` (E,) is a row.

    `crosses` are steps that are known to cross a kink: whatever they show proves no bug.
    """

    slope: np.ndarray
    err: np.ndarray
    change: np.ndarray
    up: np.ndarray
    down: np.ndarray
    alive: np.ndarray
    valid: np.ndarray
    usable: np.ndarray
    kinked: np.ndarray
    bound: np.ndarray
    width: np.ndarray
    crosses: np.ndarray
    best: np.ndarray

    def at_best(self, values: np.ndarray) -> np.ndarray:
        """Return each entry's value at its best step, (E,)."""
        return values[self.best, np.arange(values.shape[1])]


def slopes_of(d: Differences, noise: np.ndarray | float) -> Slopes:
    """Return the slope that each step gives, and how far it may be off."""
    up, down = (d.right - d.base) / d.h_right, (d.base - d.left) / d.h_left
    width = d.h_right + d.h_left
    slope = (d.right - d.left) / width
    valid = np.isfinite(slope)
    moved = np.maximum(np.abs(d.right - d.base), np.abs(d.left - d.base))
    few_roundings = 4 * d.machine_eps * abs(d.base)
    alive = valid & ((d.right != d.left) | (moved > few_roundings))
    # a step that moves nothing proves a slope of 0 if longer ones move f by roundings only: else
    # digits may be cut off
    quiet = np.maximum.accumulate(np.where(valid, moved, 0), axis=0) <= 2 * few_roundings
    err = 2 * noise / width
    gap = np.abs(up - down)
    kinked = np.zeros(slope.shape, bool)
    clear = gap > 4 * err
    kinked[:-1] = clear[:-1] & clear[1:] & (gap[:-1] < 2 * gap[1:])  # a gap that does not shrink
    usable = (alive | (valid & quiet)) & ~kinked
    change = _change(slope)
    bound = np.where(usable, _bounds(slope, err, alive), np.inf)
    best = np.argmin(bound, axis=0)
    crosses = np.zeros(slope.shape, bool) if d.kinks is None else d.kinks > 0
    return Slopes(
        slope, err, change, up, down, alive, valid, usable, kinked, bound, width, crosses, best
    )


def _change(slope: np.ndarray) -> np.ndarray:
    """Return by how much the next shorter step changes each slope; infinity for the shortest."""
    change = np.full(slope.shape, np.inf)
    change[:-1] = np.abs(np.diff(slope, axis=0))
    change[np.isnan(change)] = np.inf
    return change


def _bounds(slope: np.ndarray, err: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Return how far each slope may be off: its noise, and what any shorter step changes."""
    bend = _change(slope)
    for k in range(len(slope) - 1):
        beyond = np.abs(slope[k] - slope[k + 1 :]) - SAFETY * err[k + 1 :]
        bend[k] = np.maximum(bend[k], np.where(alive[k + 1 :], beyond, 0).max(axis=0))
    return err + bend


def plateau(d: Differences, floor: float) -> np.ndarray:
    """Return each entry's noise, (E,): its largest second difference before these grow for good.

    A bend grows tenfold from one step of the ladder to the next, a kink threefold.
    """
    bends = np.abs(d.right + d.left - 2 * d.base)[::-1]  # the shortest step first
    level = np.full(bends.shape[1], floor)
    open_ = np.ones(bends.shape[1], bool)
    for k, bend in enumerate(bends):
        ahead = bends[k : k + 4]
        grows = (~(ahead[1:] <= 2 * ahead[:-1])).all(axis=0)
        open_ &= ~((bend > 2 * level) & grows)
        level = np.where(open_ & (bend > level), bend, level)
    return level


def agreement(
    a: np.ndarray, s: Slopes, scale: np.ndarray, rounding: float, tolerance: float
) -> Finding:
    """Return "ok" for the entries within their tightest bound, "open" for the others."""
    slope, bound = s.at_best(s.slope), s.at_best(s.bound)
    slope = np.where(np.isfinite(bound), slope, s.slope[s.alive.argmax(axis=0), np.arange(len(a))])
    allowed = SAFETY * bound + _own_rounding(slope, scale, rounding) + tolerance * scale
    ok = np.isfinite(bound) & (np.abs(a - slope) <= allowed)
    mark = np.where(ok, OK, OPEN).astype("<U11")
    reach = np.maximum(*np.abs([s.at_best(s.up), s.at_best(s.down)]))
    unknown = np.full(len(a), np.inf)
    return Finding(mark, slope, bound, s.at_best(s.width) / 2, reach, unknown)


def _own_rounding(slope: np.ndarray, scale: np.ndarray, rounding: float) -> np.ndarray:
    return ROUNDED * np.abs(slope) + rounding * scale


def weigh(
    a: np.ndarray,
    d: Differences,
    scale: np.ndarray,
    loss: Loss,
    noise: np.ndarray | float,
    tolerance: float,
) -> Finding:
    """Return what the whole ladder proves about each entry."""
    s = slopes_of(d, noise)
    found = agreement(a, s, scale, loss.rounding, tolerance)
    ok = found.mark == OK
    off = np.abs(a - found.slope)
    still = np.where(off > loss.scales.small * scale, BUG, SLIGHT)
    still = np.where(_is_of_a_flat_part(a, s, found.slope, noise), JUMPS, still)
    mark = np.where(_stands_still(a, s, off), still, OPEN)
    mark = np.where((mark == OPEN) & s.kinked.any(axis=0), KINK, mark)
    rounding = 2 * d.machine_eps * abs(d.base)  # the least noise that there can be
    mark = np.where(_has_two_faces(a, s, off, noise, loss.noise, rounding), JUMPS, mark)
    mark = np.where(~np.isfinite(found.bound), np.where(s.kinked.any(axis=0), KINK, OPEN), mark)
    mark = np.where(ok, OK, mark)
    slope, bound = found.slope.copy(), found.bound.copy()

    # at a kink at theta
    low, high, tol = _at_theta(s)
    sided, allowed = (
        np.isfinite(tol),
        SAFETY * tol + _own_rounding(high - low, scale, loss.rounding),
    )
    inside = (low - allowed <= a) & (a <= high + allowed)
    mark = np.where(sided, np.where(inside, SUBGRADIENT, _OUTSIDE), mark)
    slope = np.where(sided, np.clip(a, low, high), slope)
    bound = np.where(sided, tol, bound)

    # 0 against 0, and what no step moves
    zero = _asleep(s) & (a == 0)
    mark = np.where(zero, ZERO, mark)
    slope, bound = np.where(zero, 0.0, slope), np.where(zero, 0.0, bound)

    dead = ~s.alive.any(axis=0)
    clean = s.valid & ~s.crosses
    tight = np.where(clean, s.err, np.inf).min(axis=0)
    long = np.where(s.valid, s.width, 0).max(axis=0) > 0.1 * s.width[0]
    proved = np.where(clean, s.width, 0).max(axis=0) > 0.1 * s.width[0]
    flat = np.where(proved, np.where(np.abs(a) <= tight, OK, FLAT), OPEN)
    mark = np.where(dead, np.where(long & (a == 0), ZERO, flat), mark)
    slope, bound = np.where(dead, 0.0, slope), np.where(dead, tight, bound)
    reach = np.where(sided, np.maximum(np.abs(low), np.abs(high)), found.reach)
    return Finding(mark.astype("<U11"), slope, bound, found.step, reach, found.within)


def _stands_still(a: np.ndarray, s: Slopes, off: np.ndarray) -> np.ndarray:
    """Tell where the slope stays over three steps, equal on both sides, away from the gradient."""
    far = s.usable & ~s.crosses & (np.abs(a - s.slope) > SAFETY * s.err)
    three = np.stack([s.slope[:-2], s.slope[1:-1], s.slope[2:]])
    still = far[:-2] & far[1:-1] & far[2:] & (np.ptp(three, axis=0) <= 0.05 * off)
    same_sides = np.abs(s.up - s.down)[2:] <= 0.2 * off + 4 * s.err[2:]
    return (still & same_sides).any(axis=0)


def _is_of_a_flat_part(
    a: np.ndarray, s: Slopes, slope: np.ndarray, noise: np.ndarray | float
) -> np.ndarray:
    """Tell where the gradient is 0, and so is the loss's slope at steps that should move it.

    By the slope of longer steps they should: a threshold, a rounded parameter.
    """
    flat = s.valid & ~s.alive & (np.abs(slope) * s.width > 8 * noise)
    return (flat & (np.abs(a) <= SAFETY * s.err)).any(axis=0)


def _has_two_faces(
    a: np.ndarray, s: Slopes, off: np.ndarray, noise: np.ndarray | float, *floors: float
) -> np.ndarray:
    """Tell where two steps in a row agree with the gradient, though the tightest does not."""
    faces = np.zeros(len(a), bool)
    for level in (noise, *floors):
        local = np.where(s.usable, 2 * level / s.width + s.change, np.inf)
        agrees = (local <= 0.2 * off) & (np.abs(a - s.slope) <= SAFETY * local)
        faces |= (agrees[:-1] & agrees[1:]).any(axis=0)
    return faces


def _at_theta(s: Slopes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the lower and the higher slope at a kink at theta, and how far off they may be, (E,).

    It is one where the slopes of both sides differ and stand still down to the shortest step that
    resolves them. Elsewhere they may be off by anything.
    """
    gap = np.abs(s.up - s.down)
    if len(gap) < 5:
        return (np.full(gap.shape[1], np.inf),) * 3
    clear = s.alive & (gap > 20 * s.err)
    rows = np.arange(len(gap))[:, None]
    last = np.where(clear, rows, -1).max(axis=0)
    five = np.maximum(last, 4) + np.arange(-4, 1)[:, None]
    at = (five, np.arange(gap.shape[1]))
    steady = (last >= 4) & clear[at].all(axis=0)
    final = gap[five[-1], at[1]]
    steady &= ~(s.alive & (rows > last) & (s.err < 0.01 * final)).any(axis=0)  # it sees no kink
    moves = np.maximum(np.ptp(s.up[at], axis=0), np.ptp(s.down[at], axis=0)) + 2 * s.err[at][0]
    steady &= moves <= 0.1 * final
    sides, bounds = [], []
    for side in (s.up, s.down):
        bound = np.where(s.alive, _bounds(side, 2 * s.err, s.alive), np.inf)
        best = np.argmin(bound, axis=0), at[1]
        sides.append(side[best])
        bounds.append(bound[best])
    return np.minimum(*sides), np.maximum(*sides), np.where(steady, np.maximum(*bounds), np.inf)


def _asleep(s: Slopes) -> np.ndarray:
    """Tell where f does not move at short steps, and the longer ones show no slope either, (E,).

    So does a unit that a longer step wakes: its gradient is 0. Digits that are cut off hide the
    slope at short steps too, but two long steps in a row show the same one, equal on both sides.
    Where long steps move f by the same to both sides, these prove a slope of 0.
    """
    rows = np.arange(len(s.slope))[:, None]
    still = s.valid & ~s.alive & (rows > np.where(s.alive, rows, -1).max(axis=0))
    one_sided = np.abs(s.up - s.down) > 0.5 * np.maximum(np.abs(s.up), np.abs(s.down))
    shows = s.alive & ~one_sided
    size = np.maximum(np.abs(s.slope[:-1]), np.abs(s.slope[1:]))
    same = shows[:-1] & shows[1:] & (np.abs(np.diff(s.slope, axis=0)) <= 0.2 * size)
    even = s.alive.any(axis=0) & ((np.abs(s.slope) <= s.err) | ~s.alive).all(axis=0)
    return (still.sum(axis=0) >= 3) & ~same.any(axis=0) & ~even


# -- the whole: who goes up the ladder, and what it all means ------------------------------------


def judge(loss: Loss, tolerance: float = 0.0) -> tuple[Finding, int]:
    """Look at every entry until it is decided, or nothing more can be known.

    Costs four evaluations for an entry that agrees at once, 46 more for one that does not, twice
    that for one near 0, and three times for one at a kink that must be left.

    Parameters
    ----------
    loss : Loss
    tolerance : float, >= 0, optional
        What else is accepted, over the tensor's largest slope.

    Returns
    -------
    Finding
    evaluations : int
    """
    with np.errstate(all="ignore"):  # where a loss is not defined, other steps decide
        every = np.arange(len(loss.gradient))
        noise, spent = _first_noise(loss)
        first = slopes_of(loss.look(every, loss.scales.first[:, None] * loss.size), noise)
        start = agreement(loss.gradient, first, np.zeros(len(every)), loss.rounding, tolerance)
        ladder = Ladder(loss, scales(loss, start), tolerance)
        found = agreement(loss.gradient, first, ladder.scale, loss.rounding, tolerance)
        tight = max(loss.scales.tight, tolerance / (SAFETY + 1))
        dead = ~first.alive.any(axis=0)  # no proof of a slope of 0: longer steps may move the loss
        settled = (found.mark == OK) & (found.bound <= tight * ladder.scale) & ~dead
        settled |= ladder.settle_zeros(found, dead)
        ladder.prove(found, ~settled)
        ladder.leave_the_kinks(found)
        ladder.doubt(found)
        evaluations = 2 * loss.scales.first.size * len(every) + spent + ladder.evaluations
        if not loss.repeats():  # it remembers: the same twice at once proved nothing
            return Finding.nothing(len(every)), evaluations
        return resolved(loss, found, tolerance), evaluations


def _first_noise(loss: Loss) -> tuple[float, int]:
    """Return the noise for the first look, and what it cost: in float32 a few ladders show it.

    There the loss rounds so coarsely that steps too short to bend often do not move it at all.
    """
    if loss.scales is not SINGLE:
        return loss.noise, 0
    largest = np.argsort(-np.abs(loss.gradient), kind="stable")[:PROOFS]
    d = loss.look(largest, loss.scales.ladder[:, None] * loss.size[largest])
    return float(np.median(plateau(d, loss.noise))), 2 * loss.scales.ladder.size * len(largest)


def judge_step(
    loss: Loss,
    slopes: np.ndarray,
    err: np.ndarray,
    step: np.ndarray,
    kinked: np.ndarray,
    dead: np.ndarray,
    tolerance: float = 0.0,
    known: Callable[[], Finding] | None = None,
) -> tuple[Finding, int]:
    """Look at every entry at a given step; only what differs there goes up the ladder.

    Parameters
    ----------
    loss : Loss
    slopes : ndarray, shape (2, E)
        At the step, and at twice the step.
    err : ndarray, shape (E,)
        What noise does to the slope at the step.
    step : ndarray, shape (E,)
        The step, in units of theta.
    kinked, dead : ndarray of bool, shape (E,)
        Where the step crosses a kink; where it does not move the loss.
    tolerance : float, >= 0, optional
        As in `judge`.
    known : callable or None, optional
        Returns what `judge` found of the same entries, where somebody keeps that for all steps; it
        is asked only if something differs, and nothing goes up the ladder then.

    Returns
    -------
    Finding
        Its slopes are those at the step.
    evaluations : int
        Beyond those of `slopes`.
    """
    with np.errstate(all="ignore"):
        a, slope = loss.gradient, slopes[0]
        bound = np.where(kinked, np.inf, err + np.abs(slopes[1] - slope))
        bound[np.isnan(bound)] = np.inf
        mark, unknown = np.full(len(a), OPEN, "<U11"), np.full(len(a), np.inf)
        found = Finding(mark, slope, bound, step, np.abs(slope), unknown)
        scale = scales(loss, found)
        allowed = SAFETY * bound + _own_rounding(slope, scale, loss.rounding) + tolerance * scale
        off = np.abs(a - slope)
        found.mark[off <= np.where(np.isfinite(bound), allowed, -1)] = OK
        found.mark[kinked] = KINK
        found.mark[(a == 0) & dead] = ZERO
        # a slope of 0 at one step is no proof of it: a wave may come back there
        open_ = (found.mark == OPEN) | ((found.mark == OK) & (a == 0) & (np.abs(slope) <= bound))
        ladder = Ladder(loss, scale, tolerance)
        if open_.any():
            above = found.pick(np.arange(len(a))) if known is None else known()
            if known is None:
                ladder.prove(above, open_)
                ladder.leave_the_kinks(above)
                ladder.doubt(above)
            found.mark[open_ & (above.mark == BUG)] = BUG
            found.mark[open_ & (found.mark == OK) & ~np.isin(above.mark, AGREES)] = OPEN
        if not loss.repeats():
            return Finding.nothing(len(a)), ladder.evaluations
        return resolved(loss, found, tolerance), ladder.evaluations


def scales(loss: Loss, found: Finding) -> np.ndarray:
    """Return for each entry the largest slope of its tensor, or 1e-9 of the largest of all.

    Where a whole tensor's gradient and slopes are 0, these are compared with those one step away.
    """
    known, a = np.isfinite(found.bound), np.abs(loss.gradient)
    size, reach = (np.where(known, np.abs(v), 0.0) for v in (found.slope, found.reach))
    noise = np.where(known, SAFETY * found.bound, 0.0)
    whole = size.max(initial=0.0) or a.max(initial=0.0) or 1.0
    scale = np.empty(len(size))
    for part in loss.tensors:
        largest, beside = size[part].max(initial=0.0), reach[part].max(initial=0.0)
        nothing = largest <= noise[part].max(initial=0.0)
        if nothing and a[part].max(initial=0.0) <= ROUNDED * beside:
            largest = max(largest, beside)
        scale[part] = max(largest, 1e-9 * whole)
    # at a kink an entry is as large as the slopes on its sides
    return np.where(found.mark == SUBGRADIENT, np.maximum(scale, reach), scale)


def resolved(loss: Loss, found: Finding, tolerance: float) -> Finding:
    """Return the finding with the error that would have been seen in each entry."""
    agrees, scale = np.isin(found.mark, AGREES), scales(loss, found)
    seen = (SAFETY + 1) * found.bound / scale + ROUNDED + loss.rounding + tolerance
    seen = np.where(found.mark == ZERO, 0.0, np.where(agrees, seen, np.inf))
    meaningful = max(loss.scales.meaningful, 1.5 * tolerance)
    mark = np.where(agrees & (seen > meaningful), NOISE, found.mark)
    return replace(found, mark=mark, within=seen)


class Ladder:
    """The whole ladder of steps, for the entries that the first look left open.

    Attributes
    ----------
    scale : ndarray, shape (E,)
        The largest slope of each entry's tensor.
    evaluations : int
        Of the loss, so far.
    """

    def __init__(self, loss: Loss, scale: np.ndarray, tolerance: float) -> None:
        self.loss, self.scale, self.tolerance, self.evaluations = loss, scale, tolerance, 0
        self.climbs: list[tuple[np.ndarray, Differences, np.ndarray]] = []

    def look(self, entries: np.ndarray, steps: np.ndarray) -> Differences:
        """Difference some entries, and count."""
        self.evaluations += 2 * steps.size
        return self.loss.look(entries, steps)

    def weigh(self, entries: np.ndarray, d: Differences, noise: np.ndarray | float) -> Finding:
        """Return what differences prove about some entries."""
        loss = self.loss
        return weigh(loss.gradient[entries], d, self.scale[entries], loss, noise, self.tolerance)

    def settle_zeros(self, found: Finding, dead: np.ndarray) -> np.ndarray:
        """Settle those with gradient 0 among the `dead` that long steps do not move either."""
        settled = np.zeros(len(dead), bool)
        entries = np.flatnonzero(dead & (self.loss.gradient == 0))
        if len(entries):
            d = self.look(entries, LONG[:, None] * self.loss.size[entries])
            zero = self.weigh(entries, d, self.loss.noise)
            found.put(entries, zero)
            settled[entries] = zero.mark == ZERO
        return settled

    def prove(self, found: Finding, open_: np.ndarray) -> None:
        """Look closer at the entries that are open, the worst of each tensor first.

        Where these prove a bug, the others of the tensor that stand as far out follow; what has no
        bound at all is looked at in any case.
        """
        away = np.abs(self.loss.gradient - found.slope)
        off = np.where(np.isfinite(found.bound), away / found.bound, 0.0)
        far = (off > FAR) & (away > 3 * self.loss.scales.small * self.scale)
        worst = np.zeros(len(open_), bool)
        for part in self.loss.tensors:
            rest = part.start + np.flatnonzero(open_[part])
            worst[rest[np.argsort(-off[rest], kind="stable")][:PROOFS]] = True
        self.climb(found, np.flatnonzero(worst))
        rest = open_ & ~worst
        for part in self.loss.tensors:
            if (found.mark[part] == BUG).any():
                found.mark[part][(rest & far)[part]] = BUG
                rest[part] &= self._tell_of_noise(found, part)
        self.climb(found, np.flatnonzero(rest))

    def _tell_of_noise(self, found: Finding, part: slice) -> np.ndarray:
        """Return what else to look at in a wrong tensor: no known slope, and the noisy few."""
        noisy = found.bound[part] / self.scale[part]
        few = np.sort(noisy[np.isfinite(noisy)])[-2 * PROOFS :][:1]
        return ~(noisy < max(self.loss.scales.meaningful, *few))

    def climb(self, found: Finding, entries: np.ndarray) -> None:
        """Difference entries at every step, and weigh what all of them show."""
        blocks = -(-len(entries) // BLOCK)
        for part in np.array_split(entries, blocks) if blocks else ():
            self._climb(found, part, self.loss.size[part])
            # shares of a small theta: the loss may be defined on one side of 0 only
            value = self.loss.value_size[part]
            open_ = ~np.isin(found.mark[part], AGREES)
            if (near := part[open_ & (value > 0) & (value < 1e-2)]).size:
                self._climb(found, near, self.loss.value_size[near], only_better=True)

    def _climb(
        self, found: Finding, entries: np.ndarray, size: np.ndarray, only_better: bool = False
    ) -> None:
        d = self.look(entries, self.loss.scales.ladder[:, None] * size)
        noise = plateau(d, self.loss.noise)
        new = self.weigh(entries, d, noise)
        better = np.ones(len(entries), bool)
        if only_better:  # a bug is taken back only by a slope that is known much better
            off = np.abs(self.loss.gradient[entries] - found.slope[entries])
            bug = found.mark[entries] == BUG
            better = np.isin(new.mark, (*AGREES, BUG)) & (~bug | (new.bound <= 0.2 * off))
        kept = np.flatnonzero(better)
        found.put(entries[kept], new.pick(kept))
        self.climbs.append((entries[kept], d.pick(kept), noise[kept]))

    def leave_the_kinks(self, found: Finding) -> None:
        """Decide what lies outside of the slopes at a kink, by a look to either side of it.

        There the gradient must fit; entries that agreed are the control that it is that point's.
        """
        outside = np.flatnonzero(found.mark == _OUTSIDE)
        found.mark[outside] = KINK
        clear = (found.mark == OK) & (np.abs(found.slope) > 1e-3 * self.scale)
        control = np.flatnonzero(clear)[:PROOFS]
        sides = self.loss.beside() if len(outside) else None
        if sides is None:
            return
        self.evaluations += len(sides)
        fits = [(self._marks_at(side, control) == OK).all() for side in sides]
        for part in (outside[:PROOFS], outside[PROOFS:]):  # mostly a few are enough for a bug
            if not len(part) or (found.mark[outside] == BUG).any():
                break
            marks = [self._marks_at(side, part) for side in sides]
            right = np.all([np.isin(mark, AGREES) for mark in marks], axis=0)
            wrong = np.any(
                [(mark == BUG) & fit for mark, fit in zip(marks, fits, strict=True)], axis=0
            ) & bool(len(control))
            found.mark[part] = np.where(right, SUBGRADIENT, np.where(wrong, BUG, KINK))

    def _marks_at(self, side: Loss, entries: np.ndarray) -> np.ndarray:
        if not len(entries):
            return np.zeros(0, "<U11")
        d = side.look(entries, side.scales.ladder[:, None] * side.size[entries])
        self.evaluations += 2 * side.scales.ladder.size * len(entries)
        noise = plateau(d, side.noise)
        scale = self.scale.copy()
        for part in side.tensors:  # there the gradient may be much larger
            scale[part] = np.maximum(scale[part], np.abs(side.gradient[part]).max(initial=0.0))
        return weigh(side.gradient[entries], d, scale[entries], side, noise, self.tolerance).mark

    def doubt(self, found: Finding) -> None:
        """Take back what the noise of most entries, or what is seen in others, could explain."""
        loss = self.loss
        noises = [level for _, _, noise in self.climbs for level in noise]
        usual = float(np.median(noises or loss.noise))
        decided = np.isin(found.mark, (OK, BUG))
        resolved = (decided & (found.bound < loss.scales.meaningful * self.scale)).any()
        fine = resolved and usual < 10 * loss.noise  # so what is flat is flat
        if fine:
            found.mark[found.mark == FLAT] = BUG
        proved, seen = np.zeros(len(found.mark), bool), np.zeros(len(found.mark), bool)
        for entries, d, _ in reversed(self.climbs):  # of two climbs the later one counts
            bugs = np.flatnonzero((found.mark[entries] == BUG) & ~seen[entries])
            seen[entries] = True
            if len(bugs):
                again = self.weigh(entries[bugs], d.pick(bugs), usual).mark
                held = np.isin(again, (BUG, FLAT, _OUTSIDE))
                found.mark[entries[bugs[~held]]] = JUMPS
                proved[entries[bugs[held]]] = True
        for part in loss.tensors:
            if not proved[part].any():  # those that followed follow nobody
                found.mark[part][found.mark[part] == BUG] = OPEN
