"""The museum's bugs as suspects: what each of them would make of a network's gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.bugs.exhibit import Exhibit, Place, Spot
from gradlab.bugs.lines.layers import has_lines
from gradlab.bugs.museum import EXHIBITS, pass_with
from gradlab.bugs.planting import program_of, without_bugs
from gradlab.nn.network import Point


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
    spot : Spot or None
        What to say if it does not show here: why, and what to do. None if there is nothing to
        say, as where its tensors have no gradient at all.
    """

    bug: str
    layer: int | None
    cause: str
    blind: str
    gradient: Mapping[str, np.ndarray]
    random: bool = False
    spot: Spot | None = None

    @property
    def warning(self) -> str:
        """The same as a sentence; empty if there is nothing to say."""
        return self.spot.sentence if self.spot else ""

    def __repr__(self) -> str:
        where = "" if self.layer is None else f" at layer {self.layer}"
        return f"{self.bug}{where}: {self.cause}"


def suspects(point: Point) -> list[Suspect]:
    """Return all bugs that this network could have here. Costs a backward pass for each."""
    return list(line_up(point))


def line_up(point: Point) -> Iterator[Suspect]:
    """Yield the same one by one: all their gradients at once may be too many.

    A bug that `net` may have already is left out of it first. Those that make no difference in
    this network come last, with the right gradient. A layer of somebody's own has no lines, and a
    network with one no bugs that are known.
    """
    net = without_bugs(point.net)
    if not has_lines(net.layers):
        return
    point = point._replace(net=net)
    program = program_of(point)
    right = program.gradient
    for exhibit in EXHIBITS.values():
        for layer, position in exhibit.places(net).items():
            gradient = pass_with(exhibit, net, layer, position).applied_to(program)
            # where nothing comes down, no bug does anything, and that is another story
            dead = not any(right[tensor].any() for tensor in exhibit.damage(net, position))
            place = Place(point, position)
            told = None if dead else exhibit.spot(place)
            yield _suspect(exhibit, layer if exhibit.is_of_layer else None, gradient, told)
    for exhibit in EXHIBITS.values():
        for layer, position in exhibit.mute_places(net).items():
            place = Place(point, position)
            at = layer if exhibit.is_of_layer else None
            yield _suspect(exhibit, at, right, exhibit.spot(place))


def _suspect(
    exhibit: Exhibit, layer: int | None, gradient: Mapping[str, np.ndarray], told: Spot | None
) -> Suspect:
    return Suspect(
        exhibit.name, layer, exhibit.cause, exhibit.blind, gradient, exhibit.is_random, told
    )
