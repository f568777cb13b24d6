"""The museum's front desk: which bugs there are, what they are, and how to plant one."""

from __future__ import annotations

from dataclasses import dataclass

from gradlab._validate import check_choice, check_integer
from gradlab.bugs.convnet import OF_CONVNETS
from gradlab.bugs.exhibit import Exhibit
from gradlab.bugs.layers import OF_LAYERS
from gradlab.bugs.losses import OF_LOSSES
from gradlab.bugs.lstm import OF_LSTMS
from gradlab.bugs.planting import EditedPass, put, without_bugs
from gradlab.nn.network import Network

ALL = (*OF_LOSSES, *OF_LAYERS, *OF_CONVNETS, *OF_LSTMS)
EXHIBITS = {exhibit.name: exhibit for exhibit in sorted(ALL, key=lambda e: e.number)}


@dataclass(frozen=True, repr=False)
class Found:
    """What was planted, and at which layer."""

    exhibit: Exhibit
    layer: int

    def __repr__(self) -> str:
        return f"planted at layer {self.layer}: {self.exhibit!r}"


def names(net: Network | None = None) -> list[str]:
    """Return the names of all bugs, or of those that `net` can have, in the museum's order."""
    return [n for n in EXHIBITS if net is None or EXHIBITS[n].places(checked(net))]


def layers(net: Network, name: str) -> list[int]:
    """Return the numbers of the layers of `net` that can have the bug; [] if it can not have it.

    Layer 1 is that of the first weights; an activation and a dropout belong to the layer before
    them, and a bug of the loss to the last layer.
    """
    return list(describe(name).places(checked(net)))


def describe(name: str) -> Exhibit:
    """Return what the museum tells about a bug: what was done, the line of code, what it shows."""
    return EXHIBITS[_known(name)]


def plant(net: Network, name: str, layer: int | None = None) -> Network:
    """Return a network with the same forward pass, whose `gradient` is wrong.

    Parameters
    ----------
    net : Network
        It stays as it is. The new network shares its parameter arrays.
    name : str
        One of `names()`.
    layer : int or None, optional
        At which layer, for a bug that can be at several (`layers`); None is the last of them.

    Returns
    -------
    Network
        Of the same kind; its `reveal()` tells what was planted.

    Raises
    ------
    ValueError, TypeError
        The name is unknown, or this network can not have the bug, or not at that layer.

    Examples
    --------
    >>> import gradlab as gl
    >>> net = gl.bugs.plant(gl.mlp([2, 6, 6, 2]), "missing_activation_derivative", layer=1)
    >>> x, y = gl.data.moons(32)
    >>> gl.check(net, x, y).wrong
    ['W1', 'b1']
    """
    number, position = _place(net, name, layer)
    if net.backward_pass is not None:
        raise ValueError("net must be a network without a planted bug: one at a time")
    if type(net).gradient is not Network.gradient:
        raise ValueError(
            f"net must go back by gradlab's own layers, got a {type(net).__name__} with a gradient "
            "of its own"
        )
    return put(net, pass_with(EXHIBITS[name], net, number, position))


def pass_with(exhibit: Exhibit, net: Network, number: int, position: int) -> EditedPass:
    """Return the backward pass of `net` with a bug at a position, in layer `number`."""
    return EditedPass(
        lambda listing: exhibit.changes(listing, net, position),
        exhibit.after,
        Found(exhibit, number),
    )


def wrong_tensors(net: Network, name: str, layer: int | None = None) -> list[str]:
    """Return the parameters whose gradient the bug spoils; arguments as for `plant`."""
    return list(describe(name).damage(net, _place(net, name, layer)[1]))


def _known(name: object) -> str:
    return check_choice(name, tuple(EXHIBITS), "name")


def checked(net: object) -> Network:
    """Return `net` if it is a network, or raise TypeError."""
    if not isinstance(net, Network):
        raise TypeError(f"net must be a network such as gl.mlp makes, got {type(net).__name__}")
    return net


def _place(net: Network, name: str, layer: int | None) -> tuple[int, int]:
    """Return the layer's number and its position in `net.layers`, or raise."""
    exhibit, net = describe(name), without_bugs(checked(net))
    places = exhibit.places(net)
    if not places:
        raise ValueError(f"net must have {exhibit.needs} for {name!r}, got {net!r}")
    number = max(places) if layer is None else check_integer(layer, "layer", 1)
    if number not in places:
        listed = ", ".join(str(n) for n in places)
        raise ValueError(
            f"layer must be in [{listed}] for {name!r} in {net!r}, got {number}; "
            f"it needs {exhibit.needs}"
        )
    return number, places[number]
