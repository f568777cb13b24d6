"""What a ladder of steps proves about each entry of a gradient.

A single step cannot tell a bug from a false alarm. Many can: round-off grows like 1/h, truncation
falls like h**2, a kink makes the slopes left and right of theta differ, and only a wrong gradient
is off by the same amount at all of them. So an entry is judged on differences at many steps:

- it agrees if it does at the smallest step that resolves it (small bounds on noise and truncation);
- it differs if the slope stands still over three steps, equal on both sides, away from the entry,
  and no step agrees with it;
- else it stays open, with the reason: a kink, noise, or neither (a staircase, say, whose slope at
  short steps is another than at long ones).

Near a kink an extrapolated sequence converges to the wrong slope, so nothing is extrapolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

OK, BUG, KINK, NOISE, OPEN = "ok", "bug", "kink", "noise", "open"
RESOLVED = 0.02  # error bound over size, at most, of a slope that may prove something
STILL = 0.05  # how far a slope may move over three steps, in units of its distance to the entry
SAME_SIDES = 0.2  # how far the slopes on both sides may differ, in the same units


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
        The steps that were really taken, both positive.
    noise : float
        How far one evaluation of the loss may be off.
    kinks : ndarray of int, shape (S, E), or None
        Kinks crossed, where they can be counted.
    """

    base: float
    right: np.ndarray
    left: np.ndarray
    h_right: np.ndarray
    h_left: np.ndarray
    noise: float
    kinks: np.ndarray | None = None
    machine_eps: float = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The outcome for each entry.

    Attributes
    ----------
    mark : ndarray of str, shape (E,)
        "ok", "bug", "kink", "noise" or "open".
    numerical : ndarray, shape (E,)
        The slope at the step that says most.
    bound : ndarray, shape (E,)
        How far that slope may be off.
    """

    mark: np.ndarray
    numerical: np.ndarray
    bound: np.ndarray


def weigh(analytic: np.ndarray, d: Differences, rtol: float, atol: float = 0.0) -> Evidence:
    """Return what the differences prove about each entry of `analytic`, shape (E,).

    Parameters
    ----------
    analytic : ndarray, shape (E,)
    d : Differences
    rtol, atol : float
        Differences below atol + rtol * size are put down to rounding in the gradient itself.
    """
    with np.errstate(all="ignore"):
        return _weigh(analytic, d, rtol, atol)


def _weigh(analytic: np.ndarray, d: Differences, rtol: float, atol: float) -> Evidence:
    forward, backward = (d.right - d.base) / d.h_right, (d.base - d.left) / d.h_left
    width = d.h_right + d.h_left
    slope = (d.right - d.left) / width
    dead = (d.right == d.base) & (d.left == d.base)
    valid = np.isfinite(slope)
    if d.kinks is not None:
        valid &= d.kinks == 0
    noise = 2 * _entry_noise(d, slope, dead, valid) / width
    change = np.abs(slope - np.vstack([slope[1:], np.full_like(slope[:1], np.nan)]))
    bound = noise + np.where(np.isfinite(change), np.minimum(change, np.abs(slope)), 0)

    size = np.maximum(np.abs(analytic), np.abs(slope))
    distance = np.abs(analytic - slope)
    tolerance = atol + rtol * size
    resolved = valid & ~dead & (noise <= RESOLVED * size)
    ok = resolved & (bound <= RESOLVED * size) & (distance <= tolerance + bound)
    bad = resolved & (distance > 3 * (tolerance + noise))
    still = _stands_still(slope, forward - backward, distance, noise, bad)

    last_ok, last_still = _last(ok), _last(still)
    last_contradiction = _last(_contradicts(slope, distance, bad))
    constant = _does_not_matter(d, valid, dead)
    # A loss that is tiny can be made of terms near 1, as log(1 + small) is: whatever moves those by
    # less than machine_eps does not move the loss, and is not proved to be 0.
    floor = np.maximum(noise, 4 * d.machine_eps / width)
    unseen = atol + 4 * np.min(np.where(valid, floor, np.inf), axis=0)
    agrees = ((last_ok >= 0) & (last_contradiction < last_ok)) | (constant & (analytic == 0))
    differs = ((last_still >= 0) & (last_ok < 0)) | (constant & (np.abs(analytic) > unseen))
    reason = np.where(_kinky(d, forward - backward, noise, valid), KINK, OPEN)
    reason = np.where(~resolved.any(axis=0) & (reason == OPEN), NOISE, reason)
    mark = np.where(agrees, OK, np.where(differs, BUG, reason))
    best = np.argmin(np.where(valid & np.isfinite(bound), bound, np.inf), axis=0)
    best_ok = np.argmin(np.where(ok, bound, np.inf), axis=0)
    chosen = np.where(agrees & ~constant, best_ok, np.where(differs & ~constant, last_still, best))
    pick = (chosen, np.arange(len(analytic)))
    return Evidence(mark, np.nan_to_num(slope[pick]), np.nan_to_num(bound[pick], nan=np.inf))


def _entry_noise(
    d: Differences, slope: np.ndarray, dead: np.ndarray, valid: np.ndarray
) -> np.ndarray:
    """Return each entry's noise of one evaluation, shape (E,).

    Where a step does not move the loss at all though larger ones do, the loss is rounded more
    coarsely than its type says (float32 inside, digits cut off): by about what it should have
    moved.
    """
    alive = valid & ~dead
    largest = np.argmax(alive, axis=0)  # steps fall, so the first is the largest
    size = np.abs(slope[largest, np.arange(slope.shape[1])])
    dead_step = np.max(np.where(dead & alive.any(axis=0), d.h_right, 0), axis=0)
    return np.maximum(d.noise, np.nan_to_num(size * dead_step))


def _stands_still(
    slope: np.ndarray, gap: np.ndarray, distance: np.ndarray, noise: np.ndarray, bad: np.ndarray
) -> np.ndarray:
    """Return True at the last of three steps over which the slope stays, away from the entry."""
    still = np.zeros(slope.shape, bool)
    if len(slope) < 3:
        return still
    three = np.stack([slope[:-2], slope[1:-1], slope[2:]])
    spread = np.ptp(three, axis=0)
    far = distance[2:]
    all_bad = bad[:-2] & bad[1:-1] & bad[2:]
    is_zero = np.abs(three).max(axis=0) <= 3 * noise[2:]
    steady = (spread <= STILL * far) & (is_zero | (spread <= 2 * STILL * np.abs(three).max(axis=0)))
    smooth = np.abs(gap[2:]) <= SAME_SIDES * far + 4 * noise[2:]
    still[2:] = all_bad & steady & smooth
    return still


def _contradicts(slope: np.ndarray, distance: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Return True where two steps in a row show about the same slope, away from the entry.

    Noise that was underestimated does not do that: its slopes grow tenfold from step to step.
    """
    twice = np.zeros(slope.shape, bool)
    near = np.abs(np.diff(slope, axis=0)) <= 0.25 * np.minimum(distance[:-1], distance[1:])
    twice[1:] = bad[:-1] & bad[1:] & near
    return twice


def _does_not_matter(d: Differences, valid: np.ndarray, dead: np.ndarray) -> np.ndarray:
    """Return True for entries that do not move the loss at any step, the largest included."""
    return (dead | ~valid).all(axis=0) & (dead & valid).any(axis=0)


def _kinky(d: Differences, gap: np.ndarray, noise: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Return True where the slopes on both sides differ, and hardly less at a tenth of the step."""
    if d.kinks is not None:
        return (d.kinks > 0).any(axis=0)
    clear = np.isfinite(gap) & (np.abs(gap) > 8 * noise)
    ratio = np.abs(gap[:-1]) / np.abs(gap[1:])
    return (clear[:-1] & clear[1:] & (ratio < 4)).any(axis=0)


def _last(true: np.ndarray) -> np.ndarray:
    """Return the index of the smallest step where `true` holds, or -1, for each entry."""
    rows = np.arange(len(true))[:, None]
    return np.where(true, rows, -1).max(axis=0)
