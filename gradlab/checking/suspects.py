"""Known wrong gradients of a network, to compare a doubtful one with.

Rooms above this one know the bugs (`gradlab.bugs`); they put themselves on the list `SOURCES`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.checking.errors import norm_ratio
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

Gradient = Mapping[str, np.ndarray]
SEEN = 1e-4  # norm ratio from which on a bug does not hide: "usually fine" ends there


@dataclass(frozen=True)
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
    """

    bug: str
    layer: int | None
    cause: str
    blind: str
    gradient: Gradient
    random: bool = False

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
    return [suspect for source in SOURCES for suspect in source(net, x, y, masks)]


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
    return [s for s in suspects(net, x, y, masks) if _hides(s.gradient, right)]


def _hides(gradient: Gradient, right: Gradient) -> bool:
    least = 1e-12 * max(np.abs(value).max() for value in right.values())
    for name, value in right.items():
        change = np.abs(gradient[name] - value).max()
        if change > least and norm_ratio(gradient[name].ravel(), value.ravel()) > SEEN:
            return False
    return True
