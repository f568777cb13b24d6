"""What a check at this point cannot see, however good its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from gradlab.bugs.exhibit import Spot, always
from gradlab.bugs.planting import without_bugs
from gradlab.bugs.suspects import Suspect, line_up
from gradlab.checking.report import BlindSpot, TensorReport
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
    suspects: Iterable[Suspect] | None = None,
) -> tuple[BlindSpot, ...]:
    """Return what stays hidden here, and what to do to see it; often nothing.

    Every known bug that the network could have is tried: that costs a backward pass for each,
    unless they are handed in as `suspects`. `seen` is what the check saw, tensor by tensor; empty
    where it cannot be told apart.
    """
    found = _swamped(point.net, analytic)
    zero = [name for name, value in analytic.items() if not np.any(value)]
    if zero:
        found.append(Spot(always, f"the gradient of {', '.join(zero)} is exactly 0",
                          "code that returns 0 there", "check at other parameters",
                          surely=True))  # fmt: skip
    told = tuple(BlindSpot(spot.caveat(), spot.sentence, spot.cure) for spot in found)
    return (*told, *hiding_places(point, seen, suspects))


def _swamped(net: Network, analytic: Gradient) -> list[Spot]:
    names = []
    for name in net.weight_names if net.l2 else ():
        penalty = net.l2 * net.params[name]
        data = np.linalg.norm(analytic[name] - penalty)
        if np.linalg.norm(penalty) > SWAMPED * data:
            names.append(name)
    if not names:
        return []
    return [Spot(always, f"L2 makes up nearly all of the gradient of {', '.join(names)}",
                 "a bug in the data's part, even a flipped sign,",
                 "check with l2=0 first")]  # fmt: skip


def hiding_places(
    point: Point, seen: Mapping[str, TensorReport], suspects: Iterable[Suspect] | None = None
) -> list[BlindSpot]:
    """Return every reason why a bug would not show here, each once.

    It says at which layers, where the same bug would show at another one. Nothing is said of masks
    that are drawn anew at every call: no two gradients are the same then.
    """
    net, x, y, masks = point
    if isinstance(masks, np.random.Generator):
        return []
    right = without_bugs(net).gradient(x, y, masks)
    told: dict[Spot, dict[str, set]] = {}  # by reason and bug, the layers
    shown = set()  # bugs that show at some layer
    with np.errstate(all="ignore"):
        for s in line_up(point) if suspects is None else suspects:
            if not hides(s.gradient, right, seen):
                shown.add(s.bug)
            elif s.spot:
                told.setdefault(s.spot, {}).setdefault(s.bug, set()).add(s.layer)
    found = []
    for spot, by_bug in told.items():
        where = _at_layers(by_bug, shown)
        start = f"{where}, " if where else ""
        caveat = spot.caveat(where and f" {where}")
        found.append(BlindSpot(caveat, start + spot.sentence, spot.cure))
    return found


def _at_layers(by_bug: dict[str, set], shown: set[str]) -> str:
    """Return "at layer 2, 3", or "" where one of the bugs shows nowhere."""
    layers = sorted(set().union(*by_bug.values()) - {None})
    return f"at layer {', '.join(map(str, layers))}" if layers and by_bug.keys() <= shown else ""


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
