"""The museum's bugs as suspects: what each of them would make of a network's gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradlab.bugs.fault import LayerFault
from gradlab.bugs.museum import describe, layers, names, plant
from gradlab.bugs.table import FAULTS
from gradlab.checking.suspects import Suspect, without_bugs
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

RANDOM = ("redrawn_dropout_mask",)


def line_up(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks = None) -> Iterator[Suspect]:
    """Yield every bug that `net` can have, at every layer, with its gradient.

    A bug that `net` may have already is left out of it first.
    """
    net = without_bugs(net)
    for name in names(net):
        exhibit = describe(name)
        for layer in layers(net, name):
            placed = isinstance(FAULTS[name], LayerFault) or len(layers(net, name)) > 1
            yield Suspect(
                name,
                layer if placed else None,
                exhibit.cause,
                exhibit.blind,
                plant(net, name, layer).gradient(x, y, masks),
                name in RANDOM,
            )
