"""How much the lab computes at once, so that dragging stays live.

Costs come from sizes and not from a clock: the same settings must show the same everywhere.
"""

from __future__ import annotations

import numpy as np

from gradlab.lab.model.settings import Settings
from gradlab.nn.lstm import LSTM
from gradlab.nn.mlp import MLP
from gradlab.nn.network import Network

__all__ = [
    "COARSE",
    "FULL",
    "affordable_examples",
    "count",
    "refuse_what_is_too_large",
    "samples",
    "stride",
    "way_on",
]

#: What a sweep may cost while dragging, and at rest: some 10 ms and 300 ms. The unit is one
#: evaluation of the loss for one example and two units, which takes about 2 ns.
COARSE, FULL = 4e6, 6e7
#: What one check may cost: larger networks are checked on fewer examples (Ng: a few will do).
_CHECK = 6e6
#: Where a check on those still costs more than that, some entries of each tensor stand for all: so
#: many that it costs this.
_SAMPLED = 2e6
#: What one check may cost at all: half a second, which is no longer live.
_REFUSED, _SECONDS = 2.5e8, 2e-9
_FEWEST_EXAMPLES, _FEWEST_ENTRIES = 6, 8
#: Every n-th of 61 steps; all divide 60, so that both ends are always there.
_STRIDES = (1, 2, 3, 4, 5, 6, 10, 12, 20)
#: Of one entry at one step; complex numbers take as long as several real ones.
_EVALUATIONS = {"forward": 1, "central": 2, "five_point": 4, "complex_step": 8}
_REDRAWN = 10  # unfrozen masks: every evaluation is a whole pass with random draws


def count(net: Network, x: np.ndarray) -> int:
    """Return how many examples `x` holds; 1 where `x` is no batch at all."""
    return np.shape(x)[net.batch_axis] if np.ndim(x) > net.batch_axis else 1


def units(net: Network, x: np.ndarray) -> float:
    """Return how many numbers a pass writes for one example, in pairs: z and a of a unit."""
    if isinstance(net, MLP):
        return sum(net.sizes[1:]) / 2
    a, total = net.prepare_x(x)[..., :1, :], 0
    for layer in net.chain(None, 1):
        # an LSTM writes its four gates at every time step, before and after their activation
        gates = 2 * layer.scratch * len(a) if isinstance(layer, LSTM) else 0
        a = layer.forward(net.params, a)
        total += max(a.size, gates)
    return float(total)


def samples(settings: Settings, net: Network, x: np.ndarray) -> int | None:
    """Return how many entries of each tensor to check; None is all."""
    one = _cost_of_a_step(settings, net, x)
    if one <= _CHECK:
        return None
    return max(_FEWEST_ENTRIES, int(net.size * _SAMPLED / (one * len(net.params))))


def stride(settings: Settings, net: Network, x: np.ndarray, budget: float) -> int:
    """Return which steps of the sweep to take, every 1st to every 20th, within the budget."""
    one = _cost_of_a_step(settings, net, x)
    if (few := samples(settings, net, x)) is not None:
        one *= few * len(net.params) / net.size
    fits = (s for s in _STRIDES if one * (60 // s + 1) <= budget)
    return next(fits, _STRIDES[-1])


def affordable_examples(settings: Settings, net: Network, x: np.ndarray) -> int:
    """Return how many of the examples one check can afford."""
    # another scheme, or masks drawn anew, is no reason to check on other examples
    plain = settings.replace(scheme="central", freeze_masks=True)
    n, one_check = len(x), _cost_of_a_step(plain, net, x)
    return n if one_check <= _CHECK else max(_FEWEST_EXAMPLES, int(n * _CHECK / one_check))


def refuse_what_is_too_large(net: Network, x: np.ndarray) -> None:
    """Raise if one check takes too long for a live lab, with its cost and a way on.

    Raises
    ------
    ValueError
        The message tells how many evaluations of the loss a check takes, how many seconds that is
        about, and what to do instead.
    """
    if _one_check(net, x) > _REFUSED:
        raise ValueError(f"net must be small enough to be live, got {net!r}: {way_on(net, x)}")


def way_on(net: Network, x: np.ndarray) -> str:
    """Return what a check of `net` costs, and what to do where that is too much for the lab."""
    evaluations = f"{4 * net.size + 2:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return (
        f"a check takes {evaluations} evaluations of the loss, about "
        f"{_one_check(net, x) * _SECONDS:.1g} s; give the lab fewer examples, or use "
        'gl.check(net, x, y, method="sampled"), which takes any size'
    )


def _one_check(net: Network, x: np.ndarray) -> float:
    return 4 * net.size * count(net, x) * units(net, x)  # two steps, both sides


def _cost_of_a_step(settings: Settings, net: Network, x: np.ndarray) -> float:
    evaluations = _EVALUATIONS[settings.scheme] * net.size
    redrawn = settings.use_dropout and not settings.freeze_masks
    return evaluations * count(net, x) * units(net, x) * (_REDRAWN if redrawn else 1)
