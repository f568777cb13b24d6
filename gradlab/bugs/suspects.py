"""The museum's bugs as suspects: what each of them would make of a network's gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.bugs.fault import LayerFault
from gradlab.bugs.hiding import MUTE, Point, warning
from gradlab.bugs.museum import describe, names, plant, wrong_tensors
from gradlab.bugs.planting import without_bugs
from gradlab.bugs.table import FAULTS
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

RANDOM = ("redrawn_dropout_mask",)


@dataclass(frozen=True, eq=False)
class Suspect:
    """A bug that the network could have, with the gradient that it would then have.

    Attributes
    ----------
    bug : str
        Its name.
    layer : int or None
        Where; None for a bug of the whole gradient or the loss.
    cause : str
        What would be wrong, one sentence.
    blind : str
        When it does not show.
    gradient : dict of str to ndarray
    random : bool
        True where the bug draws numbers of its own, so that its gradient tells which tensors are
        wrong but not by how much.
    warning : str
        What to say if it does not show here: why, and what to do. Empty if there is nothing to
        say, as where its tensors have no gradient at all.
    """

    bug: str
    layer: int | None
    cause: str
    blind: str
    gradient: Mapping[str, np.ndarray]
    random: bool = False
    warning: str = ""

    def __repr__(self) -> str:
        where = "" if self.layer is None else f" at layer {self.layer}"
        return f"{self.bug}{where}: {self.cause}"


def suspects(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks = None) -> list[Suspect]:
    """Return all bugs that this network could have here. Costs a backward pass for each."""
    return list(line_up(net, x, y, masks))


def line_up(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks = None) -> Iterator[Suspect]:
    """Yield the same one by one: all their gradients at once may be too many.

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
