"""What a check at this point cannot see, however good its verdict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.bugs.planting import without_bugs
from gradlab.bugs.suspects import line_up
from gradlab.checking.report import TensorReport
from gradlab.nn.network import Network
from gradlab.nn.point import Point

Gradient = Mapping[str, np.ndarray]
UNDECIDED = 1e-2  # of the largest entry: what would be seen in one that could not be decided
USUAL = 1e-4  # the same, where the tensors are not told apart
SWAMPED = 1e3  # L2's gradient over the data's, above which the data's hardly counts


def blind_spots(
    point: Point,
    analytic: Gradient,
    seen: Mapping[str, TensorReport],
) -> tuple[str, ...]:
    """Return sentences on what stays hidden here, and what to do to see it; often none.

    Every known bug that the network could have is tried: that costs a backward pass for each.
    `seen` is what the check saw, tensor by tensor; empty where it cannot be told apart.
    """
    found = _swamped(point.net, analytic)
    zero = [name for name, value in analytic.items() if not np.any(value)]
    if zero:
        found.append(f"the gradient of {', '.join(zero)} is exactly 0: code that returns 0 there "
                     "would pass; check at other parameters")  # fmt: skip
    return (*found, *hiding_places(point, seen))


def _swamped(net: Network, analytic: Gradient) -> list[str]:
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


def hiding_places(point: Point, seen: Mapping[str, TensorReport]) -> list[str]:
    """Return a sentence for every reason why a bug would not show here, each once.

    A sentence says at which layers, where the same bug would show at another one. Nothing is said
    of masks that are drawn anew at every call: no two gradients are the same then.
    """
    net, x, y, masks = point
    if isinstance(masks, np.random.Generator):
        return []
    right = without_bugs(net).gradient(x, y, masks)
    told: dict[str, dict[str, set]] = {}  # by sentence and bug, the layers
    shown = set()  # bugs that show at some layer
    with np.errstate(all="ignore"):
        for s in line_up(point):
            if not hides(s.gradient, right, seen):
                shown.add(s.bug)
            elif s.warning:
                told.setdefault(s.warning, {}).setdefault(s.bug, set()).add(s.layer)
    return [_at_layers(by_bug, shown) + sentence for sentence, by_bug in told.items()]


def _at_layers(by_bug: dict[str, set], shown: set[str]) -> str:
    if not by_bug.keys() <= shown:  # one of them shows nowhere
        return ""
    layers = sorted(set().union(*by_bug.values()) - {None})
    return f"at layer {', '.join(map(str, layers))}, " if layers else ""


def hides(gradient: Gradient, right: Gradient, seen: Mapping[str, TensorReport]) -> bool:
    """Tell whether a bug's gradient is the right one, or nearer to it than the check could see."""
    whole = max(np.abs(value).max() for value in right.values())
    for name, value in right.items():
        size = max(np.abs(value).max(), 1e-9 * whole)
        change = np.abs(gradient[name] - value).ravel()
        within = USUAL
        if (tensor := seen.get(name)) is not None:
            within = np.minimum(tensor.within, UNDECIDED).ravel()
            change = change if tensor.entries is None else change[tensor.entries]
        if not (change <= np.maximum(within * size, 1e-12 * whole)).all():  # nan shows
            return False
    return True
