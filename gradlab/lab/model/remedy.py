"""Where a check would decide: at which other step, or with which other setting.

A sweep has errors, and no error alone is a verdict: so it is found by checking there. What was
found is kept as long as the problem is, for the step is no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradlab.checking.schemes import SCHEME_TABLE
from gradlab.checking.verdict import Verdict
from gradlab.lab.model.result import SWEEP_EPS, Result, check_at
from gradlab.lab.model.settings import NO_BUG
from gradlab.nn.mlp import MLP

__all__ = ["at_a_kink", "best_step", "drowned", "remedy", "verdict_at"]

_DECIDED = frozenset({Verdict.CORRECT, Verdict.WRONG})
#: Steps to try in the midst of a drag, and after another setting was changed.
_FEW = 3
#: Weight scales that can be proposed, and how many of the nearest are tried.
_SCALES, _NEAREST = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0), 4
#: Random biases that can be proposed where units are at their kink.
_BIASES = (0.1, 0.5)
#: Training that takes longer than this is not repeated to find a remedy.
_MOST_TRAINING = 50
#: What no check can do with less than: a bound of a third of `meaningful` over the largest slope.
_MEANINGFUL = {8: 1e-3, 4: 2e-2}
_BOUNDS = 3.0


@dataclass
class _Known:
    """What was found out about a problem: verdicts by step, the rest by the verdicts wanted."""

    verdicts: dict[float, Verdict] = field(default_factory=dict)
    best: dict[frozenset[Verdict], tuple[float | None, bool]] = field(default_factory=dict)
    remedies: dict[frozenset[Verdict], dict[str, Any] | None] = field(default_factory=dict)


def _of(result: Result) -> _Known:
    return result.problem.memo.setdefault("steps", _Known())


def verdict_at(result: Result, eps: float) -> Verdict:
    """Return the verdict at another step; it costs a check when it is first asked for."""
    verdicts = _of(result).verdicts
    if eps not in verdicts:
        settings = result.settings.replace(eps=eps)
        with np.errstate(all="ignore"):
            verdicts[eps] = check_at(settings, result.problem)[0].verdict
    return verdicts[eps]


def best_step(
    result: Result, wanted: frozenset[Verdict] = _DECIDED, most: int | None = None
) -> tuple[float | None, bool]:
    """Return a step of one digit with a verdict among the wanted, and whether all were tried.

    The nearest to the bottom of the U come first. Of a sweep that is still rough only a few are
    tried, as long as something moves; while a handle is held, none that was not tried before.
    """
    if result.held:
        return _of(result).best.get(wanted, (None, False))
    most = _FEW if most is None and result.rough else most
    steps = _promising(result)
    for eps in steps[:most]:
        if verdict_at(result, eps) in wanted:
            found = eps, True
            break
    else:
        found = None, most is None or len(steps) <= most
    if found[1]:
        _of(result).best[wanted] = found
    return found


def _promising(result: Result) -> list[float]:
    """Return the steps where nothing is known to forbid a verdict, the best ones first."""
    sweep = result.sweep
    errors = np.nan_to_num(np.max(list(sweep.errors.values()), axis=0), nan=np.inf)
    bottom = float(sweep.eps[np.argmin(errors)])
    steps = {float(f"{eps:.0e}") for eps in SWEEP_EPS[:: result.stride]}
    if result.settings.bug == NO_BUG:  # a bug may be proved even there
        least = max((_least_step(result, name) for name in result.analytic), default=0.0)
        steps = {eps for eps in steps if least <= eps < sweep.kinks_from}
    return sorted(steps, key=lambda eps: (abs(np.log10(eps / bottom)), eps))


def _least_step(result: Result, name: str) -> float:
    """Return the step below which rounding alone hides more than a check may leave open."""
    net = result.net
    along = result.problem.function is not None  # as a whole: a tensor may be lost in it
    if along or not SCHEME_TABLE[result.settings.scheme].subtracts:
        return 0.0
    return _BOUNDS * rounding(result) / (_MEANINGFUL[net.dtype.itemsize] * _size(result, name))


def rounding(result: Result) -> float:
    """Return how far rounding may put one loss off, at least."""
    net = result.net
    loss = net.loss(result.x, result.y, result.problem.masks(result.settings))
    return float(np.finfo(net.dtype).eps) * abs(float(loss))


def _size(result: Result, name: str) -> float:
    """Return what a tensor's entries are compared with: its largest, or 1e-9 of that of all."""
    whole = max(np.abs(value).max() for value in result.analytic.values())
    return max(1.01 * np.abs(result.analytic[name]).max(), 1e-9 * whole, np.finfo(float).tiny)


def at_a_kink(result: Result) -> bool:
    """Whether a kink is at the parameters themselves: even the shortest step crosses it."""
    return bool(result.sweep.kinks_from <= result.sweep.eps.min())


def drowned(result: Result) -> str:
    """Return the first tensor whose gradient rounding hides at every step; "" if there is none."""
    longest = float(SWEEP_EPS[-1])
    return next((n for n in result.analytic if _least_step(result, n) > longest), "")


def remedy(result: Result, wanted: frozenset[Verdict] = _DECIDED) -> dict[str, Any] | None:
    """Return the setting to change so that a check comes to a verdict among the wanted.

    It does at the step that is set, or at another one that `best_step` finds then. None if none of
    those that were tried does, or if it is not known yet.
    """
    known = _of(result).remedies
    if result.rough or result.held:
        return known.get(wanted)
    if wanted not in known:
        tried = (changes for changes in _proposals(result) if _helps(result, changes, wanted))
        known[wanted] = next(tried, None)
    return known[wanted]


def _proposals(result: Result) -> Iterator[dict[str, Any]]:
    s, net = result.settings, result.net
    if net is None:
        return
    if s.dtype == "float32":
        yield {"dtype": "float64"}
    if s.train_steps > _MOST_TRAINING:
        return
    if at_a_kink(result):
        yield from ({"bias_scale": scale} for scale in _BIASES if scale > s.bias_scale)
    if s.scheme != "central":
        yield {"scheme": "central"}
    scales = sorted(_SCALES, key=lambda scale: abs(np.log(scale / s.weight_scale)))
    yield from ({"weight_scale": scale} for scale in scales[:_NEAREST] if scale != s.weight_scale)
    if isinstance(net, MLP):
        if s.activation != "tanh":
            yield {"activation": "tanh"}
        yield {"seed": s.seed + 1}


def _helps(result: Result, changes: dict[str, Any], wanted: frozenset[Verdict]) -> bool:
    try:
        other = result.anew(result.settings.replace(**changes))
    except (ValueError, TypeError):  # these settings do not go together
        return False
    return other.report.verdict in wanted or best_step(other, wanted, _FEW)[0] is not None
