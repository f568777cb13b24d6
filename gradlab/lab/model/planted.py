"""The analytic gradient that the lab compares: right, or with a bug in it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from gradlab import bugs
from gradlab.lab.model.ranges import MYSTERY, NO_BUG
from gradlab.lab.model.settings import Settings
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

__all__ = [
    "Place",
    "Planted",
    "bug_choices",
    "place_of_bug",
    "seconds_of_a_backprop",
]


@dataclass(frozen=True)
class Place:
    """A bug of the museum and the layer that it is planted at."""

    name: str
    layer: int

    def plant(self, net: Network) -> Network:
        """Return a network with the bug, sharing the parameters of `net`."""
        return bugs.plant(net, self.name, self.layer)


#: What the lab plants: a bug that is named, or a mystery's.
Planted = Place | bugs.Secret


def bug_choices(net: Network) -> tuple[str, ...]:
    """Return what `bug` can be for this network."""
    return (NO_BUG, *bugs.names(net), MYSTERY)


def place_of_bug(settings: Settings, net: Network, secret: bugs.Secret | None) -> Planted | None:
    """Return which bug goes where; None for none.

    Raises
    ------
    ValueError
        This network cannot have it, or not at that layer; the message says what it needs.
    """
    if settings.bug == NO_BUG:
        return None
    if settings.bug == MYSTERY:
        if secret is not None and not secret.fits(net):
            raise ValueError(
                "the mystery bug of this round cannot be in such a network: go back, or start a "
                "new round"
            )
        return secret
    layers, needs = bugs.layers(net, settings.bug), bugs.describe(settings.bug).needs
    if not layers:
        raise ValueError(f"bug {settings.bug!r} needs {needs}, and this network has not; got {net}")
    if settings.bug_layer and settings.bug_layer not in layers:
        raise ValueError(
            f"bug_layer must be 0 or one of {layers} for {settings.bug!r} in this network (it "
            f"needs {needs}), got {settings.bug_layer}"
        )
    return Place(settings.bug, settings.bug_layer or max(layers))


def seconds_of_a_backprop(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks) -> float:
    """Return how long one backward pass takes: the shorter of two, so that one hiccup is none."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        net.gradient(x, y, masks)
        times.append(time.perf_counter() - start)
    return min(times)
