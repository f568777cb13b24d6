"""The network whose gradient the lab compares: right, or with a bug in it, or with two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab import bugs
from gradlab.bugs.lines.program import listing_of
from gradlab.bugs.museum import EXHIBITS, pass_with
from gradlab.bugs.planting import EditedPass, put
from gradlab.lab.model.settings import MYSTERY, NO_BUG, Settings
from gradlab.nn.layers import Dropout
from gradlab.nn.network import Network

__all__ = [
    "Place",
    "Planted",
    "bug_choices",
    "places_of_bugs",
    "planted_in",
]


@dataclass(frozen=True)
class Place:
    """A bug of the museum and the layer that it is planted at.

    Attributes
    ----------
    name : str
    layer : int
    dormant : str
        Why it cannot show in this network: "dropout is off"; "" if it can.
    """

    name: str
    layer: int
    dormant: str = ""

    def backward_pass(self, net: Network) -> EditedPass:
        """Return the backward pass of a network that can have the bug, with it."""
        exhibit = EXHIBITS[self.name]
        return pass_with(exhibit, net, self.layer, exhibit.places(net)[self.layer])


@dataclass(frozen=True, eq=False)
class Planted:
    """A network with what is planted in it, and why that cannot show ("" if it can)."""

    net: Network
    dormant: str = ""


def bug_choices(net: Network) -> tuple[str, ...]:
    """Return what `bug` can be for this network, with dropout and L2 on or off."""
    return (NO_BUG, *bugs.names(_with_all(net)), MYSTERY)


def _place(settings: Settings, net: Network, name: str, layer: int, setting: str = "bug") -> Place:
    """Return where a bug goes; `layer` 0 is its own choice, the last that can have it.

    Raises
    ------
    ValueError
        This network cannot have it, or not at that layer; the message says what it needs.
    """
    layers, needs = bugs.layers(net, name), bugs.describe(name).needs
    dormant = ""
    if not layers:
        layers, dormant = bugs.layers(_with_all(net), name), _why_dormant(settings, net, name)
    if not layers:
        raise ValueError(f"{setting} {name!r} needs {needs}, and this network has not; got {net}")
    if layer and layer not in layers:
        raise ValueError(
            f"bug_layer must be 0 or one of {layers} for {name!r} in this network (it needs "
            f"{needs}), got {layer}"
        )
    return Place(name, layer or max(layers), dormant)


def places_of_bugs(settings: Settings, net: Network) -> tuple[Place, ...]:
    """Return where the bugs go that the settings name: none, one or two.

    Raises
    ------
    ValueError
        This network cannot have one of them.
    """
    if settings.bug in (NO_BUG, MYSTERY):
        return ()
    first = _place(settings, net, settings.bug, settings.bug_layer)
    if settings.second_bug == NO_BUG:
        return (first,)
    return first, _place(settings, net, settings.second_bug, 0, "second_bug")


def planted_in(net: Network, settings: Settings, secret: bugs.Secret | None = None) -> Planted:
    """Return `net` with the bugs that the settings name, sharing its parameters.

    Parameters
    ----------
    net : Network
    settings : Settings
    secret : Secret or None, optional
        What `bug="mystery"` stands for.

    Raises
    ------
    ValueError
        It cannot have one of them, not at that layer, or not both at once.
    """
    if settings.bug == MYSTERY:
        if secret is not None and not secret.fits(net):
            raise ValueError(
                "the mystery bug of this round cannot be in such a network: go back, or start a "
                "new round"
            )
        return Planted(net if secret is None else secret.plant(net))
    places = places_of_bugs(settings, net)
    if not places:
        return Planted(net)
    if len(places) == 1 and not places[0].dormant:
        return Planted(bugs.plant(net, places[0].name, places[0].layer))
    # the lines of dropout and L2 are there to be edited only in a network that has them
    complete = _with_all(net) if any(place.dormant for place in places) else net
    bugs.plant(complete, places[0].name, places[0].layer)  # raises if one is planted already
    passes = [place.backward_pass(complete) for place in places]
    _refuse_one_line_for_two(complete, places, passes)
    dormant = places[0].dormant if all(place.dormant for place in places) else ""
    return Planted(put(net, passes[0] if len(passes) == 1 else _both(*passes)), dormant)


def _with_all(net: Network) -> Network:
    """Return `net` with L2, and with dropout where it has a place for it."""
    drops = any(isinstance(layer, Dropout) for layer in net.layers)
    return net.replace(l2=net.l2 or 0.1, dropout_rate=(net.dropout_rate or 0.5) if drops else 0.0)


def _why_dormant(settings: Settings, net: Network, name: str) -> str:
    """Return what keeps a bug from showing that `net` could have with dropout and L2."""
    if bugs.layers(net.replace(l2=0.1), name):
        return "L2 is not in the analytic gradient" if settings.use_l2 else "L2 is off"
    return "the dropout rate is 0" if settings.use_dropout else "dropout is off"


def _both(first: EditedPass, second: EditedPass) -> EditedPass:
    """Return the backward pass with the wrong lines of two; what one does at its end follows."""
    after = [one.after for one in (first, second) if one.after]

    def finish(grads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        for change in after:
            grads = change(grads)
        return grads

    return EditedPass(
        lambda listing: {**first.edits(listing), **second.edits(listing)},
        finish if after else None,
        (first.told, second.told),
    )


def _refuse_one_line_for_two(
    net: Network, places: tuple[Place, ...], passes: list[EditedPass]
) -> None:
    """Raise if two bugs are one, or are in one line."""
    if len(places) < 2:
        return
    one, other = (place.name for place in places)
    if one == other:
        raise ValueError(f"second_bug must be another bug than {one!r}")
    listing = listing_of(net, with_masks=True)
    edits = [made.edits(listing) for made in passes]
    if shared := sorted(set(edits[0]) & set(edits[1])):
        raise ValueError(
            f"second_bug {other!r} and {one!r} are both in the line "
            f"{listing.lines[shared[0]].text!r}: they cannot be planted together"
        )
