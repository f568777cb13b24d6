"""How much the loss differs from one set of dropout masks to the next."""

from __future__ import annotations

import numpy as np

from gradlab.checking.schemes import Scheme
from gradlab.nn.network import Point

__all__ = ["noise_of_scheme", "spread_over_masks"]


def spread_over_masks(point: Point, draws: int = 64) -> float:
    """Return σ, the standard deviation of the loss over masks, estimated from some draws.

    From 64 it is right to about a tenth. `point.masks` is the generator that draws them.
    """
    net, x, y, rng = point
    a, target = net.prepare(x, y)
    for layer in net.chain(rng, a.shape[-2], draws):
        a = layer.forward(net.params, a)
    losses = net.loss_rule.per_example(a, target).mean(axis=0)  # the same L2 in all
    return float(losses.astype(float).std(ddof=1))


def noise_of_scheme(rule: Scheme) -> float:
    """Return the standard deviation of a slope where losses have one of 1 and eps is 1.

    For central differences √(1 + 1) / 2 = 1/√2: that of the difference, over twice the step.
    """
    if not rule.subtracts:
        return 0.0
    offsets = np.real(rule.offsets)
    weights = rule.combine(np.eye(len(offsets)), offsets[:, None], 1.0)
    return float(np.linalg.norm(weights))
