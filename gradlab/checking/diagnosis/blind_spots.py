"""What a check at this point cannot see, however good its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from gradlab.bugs.exhibit import Spot, always
from gradlab.bugs.planting import without_bugs
from gradlab.bugs.suspects import line_up
from gradlab.checking.report import BlindSpot, TensorReport
from gradlab.nn.network import Network, Point

Gradient = Mapping[str, np.ndarray]
UNDECIDED = 1e-2  # of the largest entry: what would be seen in one that could not be decided
USUAL = 1e-4  # the same, where the tensors are not told apart
NEVER_WRONG = 1e-6  # of the largest entry: a change that no check calls wrong beside so much L2


def blind_spots(
    point: Point,
    analytic: Gradient,
    seen: Mapping[str, TensorReport],
    known: Iterable[Trace] | None = None,
) -> tuple[BlindSpot, ...]:
    """Return what stays hidden here, and what to do to see it; often nothing.

    Every known bug that the network could have is tried: that costs a backward pass for each,
    unless their traces are handed in as `known`. `seen` is what the check saw, tensor by tensor;
    empty where it cannot be told apart.
    """
    found = _swamped(point.net, analytic, seen)
    zero = [name for name, value in analytic.items() if not np.any(value)]
    if zero:
        found.append(
            Spot(
                always,
                f"the gradient of {', '.join(zero)} is exactly 0",
                "code that returns 0 there",
                "check at other parameters",
                surely=True,
            )
        )
    told = tuple(BlindSpot(spot.caveat(), spot.sentence, spot.cure) for spot in found)
    return (*told, *hiding_places(point, seen, known))


def _swamped(net: Network, analytic: Gradient, seen: Mapping[str, TensorReport]) -> list[Spot]:
    """Return where L2 is so large that the data's part could have any sign."""
    names = []
    for name in net.weight_names if net.l2 else ():
        penalty = net.l2 * net.params[name]
        flipped, right = {name: 2 * penalty - analytic[name]}, {name: analytic[name]}
        hidden = np.maximum(_unseen(right, seen), NEVER_WRONG)
        if (_change(flipped, right, seen) <= hidden).all():
            names.append(name)
    if not names:
        return []
    return [
        Spot(
            always,
            f"L2 makes up nearly all of the gradient of {', '.join(names)}",
            "a bug in the data's part, even a flipped sign,",
            "check with l2=0 first",
        )
    ]


class Trace(NamedTuple):
    """What a bug would change in the entries that are checked, over each tensor's largest."""

    bug: str
    layer: int | None
    spot: Spot | None
    change: np.ndarray


def traces(point: Point, seen: Mapping[str, TensorReport]) -> Iterator[Trace]:
    """Yield the trace of each known bug that the network could have.

    None for masks that are drawn anew at every call: no two gradients are the same then.
    """
    net, x, y, masks = point
    if isinstance(masks, np.random.Generator):
        return
    right = without_bugs(net).gradient(x, y, masks)
    with np.errstate(all="ignore"):
        for s in line_up(point):
            yield Trace(s.bug, s.layer, s.spot, _change(s.gradient, right, seen))


def hiding_places(
    point: Point, seen: Mapping[str, TensorReport], known: Iterable[Trace] | None = None
) -> list[BlindSpot]:
    """Return every reason why a bug would not show here, each once.

    It says at which layers, where the same bug would show at another one.
    """
    net, x, y, masks = point
    if isinstance(masks, np.random.Generator):
        return []
    unseen = _unseen(without_bugs(net).gradient(x, y, masks), seen)
    told: dict[Spot, dict[str, set]] = {}  # by reason and bug, the layers
    shown = set()  # bugs that show at some layer
    for trace in traces(point, seen) if known is None else known:
        if not (trace.change <= unseen).all():  # nan shows
            shown.add(trace.bug)
        elif trace.spot:
            told.setdefault(trace.spot, {}).setdefault(trace.bug, set()).add(trace.layer)
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
    return bool((_change(gradient, right, seen) <= _unseen(right, seen)).all())


def _change(gradient: Gradient, right: Gradient, seen: Mapping[str, TensorReport]) -> np.ndarray:
    """Return how far the checked entries are from the right ones, over each tensor's largest."""
    parts = []
    for name, size in _sizes(right).items():
        change = np.abs(gradient[name] - right[name]).ravel() / size
        entries = seen[name].entries if name in seen else None
        parts.append(change if entries is None else change[entries])
    return np.concatenate(parts)


def _unseen(right: Gradient, seen: Mapping[str, TensorReport]) -> np.ndarray:
    """Return the largest change of each checked entry that would not have been seen."""
    whole = max(np.abs(value).max() for value in right.values())
    parts = []
    for name, size in _sizes(right).items():
        within = np.full(right[name].size, USUAL)
        if (tensor := seen.get(name)) is not None:
            within = np.minimum(tensor.within, UNDECIDED).ravel()
        parts.append(np.maximum(within, 1e-12 * whole / size))
    return np.concatenate(parts)


def _sizes(right: Gradient) -> dict[str, float]:
    largest = {name: float(np.abs(value).max()) for name, value in right.items()}
    least = max(1e-9 * max(largest.values()), np.finfo(float).tiny)
    return {name: max(size, least) for name, size in largest.items()}
