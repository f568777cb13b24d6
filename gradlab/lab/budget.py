"""How much the lab computes at once, so that dragging stays live.

Costs come from sizes and not from a clock: the same settings must show the same everywhere.
"""

from __future__ import annotations

from gradlab.lab.settings import Settings
from gradlab.nn.mlp import MLP

__all__ = ["COARSE", "FULL", "affordable_examples", "stride", "too_slow"]

#: What a sweep may cost while dragging, and at rest: some 10 ms and 300 ms. The unit is one
#: evaluation of the loss for one example and two units, which takes about 2 ns.
COARSE, FULL = 6e6, 6e7
#: What one check may cost: larger networks are checked on fewer examples (Ng: a few will do).
_CHECK = 8e6
_FEWEST_EXAMPLES = 6
#: Every n-th of 61 steps; all divide 60, so that both ends are always there.
_STRIDES = (1, 2, 3, 4, 5, 6, 10, 12, 20)
_EVALUATIONS = {"forward": 1, "central": 2, "five_point": 4, "complex_step": 2}
_REDRAWN = 10  # unfrozen masks: every evaluation is a whole pass with random draws


def stride(settings: Settings, net: MLP, n: int, budget: float) -> int:
    """Return which steps of the sweep to take, every 1st to every 20th, within the budget."""
    fits = (s for s in _STRIDES if _cost(settings, net, n, s) <= budget)
    return next(fits, _STRIDES[-1])


def too_slow(settings: Settings, net: MLP, n: int) -> bool:
    """Whether even the coarsest sweep is too slow to follow a slider."""
    return _cost(settings, net, n, _STRIDES[-1]) > 4 * COARSE


def affordable_examples(settings: Settings, net: MLP, n: int) -> int:
    """Return how many of `n` examples one check can afford."""
    one_check = _cost(settings, net, n, 60) / 2
    return n if one_check <= _CHECK else max(_FEWEST_EXAMPLES, int(n * _CHECK / one_check))


def _cost(settings: Settings, net: MLP, n: int, every: int) -> float:
    evaluations = _EVALUATIONS[settings.scheme] * net.size * (60 // every + 1)
    redrawn = settings.use_dropout and not settings.freeze_masks
    return evaluations * n * sum(net.sizes[1:]) / 2 * (_REDRAWN if redrawn else 1)
