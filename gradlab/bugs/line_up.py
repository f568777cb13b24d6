"""The museum's bugs as suspects: what each of them would make of a network's gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from gradlab.bugs.fault import LayerFault
from gradlab.bugs.hiding import MUTE, Point, warning
from gradlab.bugs.museum import describe, names, plant, wrong_tensors
from gradlab.bugs.table import FAULTS
from gradlab.checking.suspects import Suspect, without_bugs
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

RANDOM = ("redrawn_dropout_mask",)


def line_up(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks = None) -> Iterator[Suspect]:
    """Yield every bug that `net` can have, at every layer, with its gradient.

    A bug that `net` may have already is left out of it first. Those that make no difference in
    this network come last, with the right gradient.
    """
    net = without_bugs(net)
    right = net.gradient(x, y, masks)
    for name in names(net):
        places = FAULTS[name].places(net)
        placed = isinstance(FAULTS[name], LayerFault) or len(places) > 1
        for layer, position in places.items():
            gradient = plant(net, name, layer).gradient(x, y, masks)
            # where nothing comes down, no bug does anything, and that is another story
            dead = not any(right[tensor].any() for tensor in wrong_tensors(net, name, layer))
            at = None if dead else Point(net, x, masks, position)
            yield _suspect(name, layer if placed else None, gradient, at)
    for name, find in MUTE.items():
        for layer, position in find(net).items():
            yield _suspect(name, layer, right, Point(net, x, masks, position))


def _suspect(
    name: str, layer: int | None, gradient: Mapping[str, np.ndarray], at: Point | None
) -> Suspect:
    about = describe(name)
    told = "" if at is None else warning(name, about.cause, at)
    return Suspect(name, layer, about.cause, about.blind, gradient, name in RANDOM, told)
