"""Known wrong gradients of a network, to compare a doubtful one with.

Rooms above this one know the bugs (`gradlab.bugs`); they put themselves on the list `SOURCES`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.checking.errors import raw_norm_ratio
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

Gradient = Mapping[str, np.ndarray]
# Norm ratio from which on a bug does not hide, by the bytes of the type: "usually fine" ends there,
# and what rounding does to a float32 gradient.
SEEN = {8: 1e-4, 4: 3e-3}


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
    gradient: Gradient
    random: bool = False
    warning: str = ""

    def __repr__(self) -> str:
        where = "" if self.layer is None else f" at layer {self.layer}"
        return f"{self.bug}{where}: {self.cause}"


Source = Callable[[Network, np.ndarray, np.ndarray, Masks], Iterable[Suspect]]
SOURCES: list[Source] = []


def without_bugs(net: Network) -> Network:
    """Return `net` with gradlab's own backward pass, sharing its parameters.

    Whether a bug was planted in it or its class overrides `gradient`.
    """
    own = next(c for c in type(net).__mro__ if c.__module__.startswith("gradlab.nn"))
    other = copy.copy(net)
    other.__class__ = own
    return other


def suspects(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks = None) -> list[Suspect]:
    """Return all bugs that this network could have here. Costs a backward pass for each."""
    return list(_one_by_one(net, x, y, masks))


def _one_by_one(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks) -> Iterator[Suspect]:
    for source in SOURCES:
        yield from source(net, x, y, masks)


def hidden_bugs(
    net: Network, x: np.ndarray, y: np.ndarray, masks: Masks = None, right: Gradient | None = None
) -> list[Suspect]:
    """Return the bugs that would not show here: their gradient is the right one, or nearly.

    A check at these parameters and data passes with any of them in the code.

    Parameters
    ----------
    net, x, y, masks
        As for `gl.check`.
    right : dict of str to ndarray or None, optional
        The gradient to compare with; None is that of gradlab's own backward pass.
    """
    right = without_bugs(net).gradient(x, y, masks) if right is None else right
    return [s for s in _one_by_one(net, x, y, masks) if _hides(s.gradient, right)]


def hiding_places(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks = None) -> list[str]:
    """Return a sentence for every reason why a bug would not show here, each once.

    A sentence says at which layers, where the same bug would show at another one. Nothing is said
    of masks that are drawn anew at every call: no two gradients are the same then.
    """
    if isinstance(masks, np.random.Generator):
        return []
    right = without_bugs(net).gradient(x, y, masks)
    told: dict[str, dict[str, set]] = {}  # by sentence and bug, the layers
    seen = set()  # bugs that show at some layer
    with np.errstate(all="ignore"):
        for s in _one_by_one(net, x, y, masks):  # all their gradients at once are too many
            if not _hides(s.gradient, right):
                seen.add(s.bug)
            elif s.warning:
                told.setdefault(s.warning, {}).setdefault(s.bug, set()).add(s.layer)
    return [_at_layers(by_bug, seen) + sentence for sentence, by_bug in told.items()]


def _at_layers(by_bug: dict[str, set], seen: set[str]) -> str:
    if not by_bug.keys() <= seen:  # one of them shows nowhere
        return ""
    layers = sorted(set().union(*by_bug.values()) - {None})
    return f"at layer {', '.join(map(str, layers))}, " if layers else ""


def _hides(gradient: Gradient, right: Gradient) -> bool:
    least = 1e-12 * max(np.abs(value).max() for value in right.values())
    for name, value in right.items():
        change = np.abs(gradient[name] - value).max()
        ratio = raw_norm_ratio(gradient[name].ravel(), value.ravel())
        if not (change <= least or ratio <= SEEN[value.dtype.itemsize]):  # nan does not hide
            return False
    return True
