"""What a check at this point cannot see, however good its verdict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.checking.hiding_places import hiding_places
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

SWAMPED = 1e3  # L2's gradient over the data's, above which the data's hardly counts


def blind_spots(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    masks: Masks,
    analytic: Mapping[str, np.ndarray],
) -> tuple[str, ...]:
    """Return sentences on what stays hidden here, and what to do to see it; often none.

    Every known bug that the network could have is tried: that costs a backward pass for each.
    """
    found = _swamped(net, analytic)
    zero = [name for name, value in analytic.items() if not np.any(value)]
    if zero:
        found.append(f"the gradient of {', '.join(zero)} is exactly 0: code that returns 0 there "
                     "would pass; check at other parameters")  # fmt: skip
    return (*found, *hiding_places(net, x, y, masks))


def _swamped(net: Network, analytic: Mapping[str, np.ndarray]) -> list[str]:
    names = []
    for name in net.weight_names if net.l2 else ():
        penalty = net.l2 * net.params[name]
        data = np.linalg.norm(analytic[name] - penalty)
        if np.linalg.norm(penalty) > SWAMPED * data:
            names.append(name)
    if not names:
        return []
    return [f"L2 makes up nearly all of the gradient of {', '.join(names)}: a bug in the data's "
            "part, even a flipped sign, can hide there; check with l2=0 first"]  # fmt: skip
