"""Where a step crosses a kink: a difference across it is no slope, and correct code fails there."""

from __future__ import annotations

import numpy as np

from gradlab.checking.fast.copies import Copies
from gradlab.checking.sampling import Entries, per_tensor
from gradlab.checking.schemes import Scheme
from gradlab.nn.layers import Masks
from gradlab.nn.network import Network


def has_kinks(copies: Copies) -> bool:
    """Tell whether any layer of the network has kinks at all."""
    pairs = zip(copies.chain, copies.whole.base, strict=False)
    return any(layer.branches(base.a) is not None for layer, base in pairs)


def crossed_kinks(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    eps: float,
    scheme: Scheme,
    masks: Masks = None,
    entries: Entries | None = None,
) -> dict[str, np.ndarray]:
    """Count, for each entry, the kinks between the points where its difference is evaluated.

    A kink is crossed when a unit's pre-activation changes sign, or a max-pool its winner, between
    theta and a shifted point. Smooth networks cost nothing, others one more numerical gradient.
    `entries` picks some of each tensor.

    Returns
    -------
    dict of str to ndarray of int, shapes of the parameters, or (number of entries,)

    References
    ----------
    CS231n notes, "Gradient checks": "Kinks in the objective".
    """
    a, target = net.prepare(x, y)
    copies = Copies(net, a, target, masks)
    counts = {
        name: np.zeros(value.shape if entries is None else len(entries[name]), int)
        for name, value in net.params.items()
    }
    if not scheme.subtracts or not has_kinks(copies):
        return counts
    for position, tensors, theta, picked in copies.layers(entries):
        offsets = np.array(scheme.offsets, theta.dtype)
        step = (theta + offsets[:, None] * theta.dtype.type(eps)) - theta
        crossed = copies.crossed_kinks(position, step, picked).sum(axis=0)
        counts |= per_tensor(crossed, tensors, entries)
    return counts
