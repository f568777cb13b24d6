"""Where a gradient is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradlab.nn.dropout import Masks

if TYPE_CHECKING:  # a network makes points of itself
    from gradlab.nn.network import Network


class Point(NamedTuple):
    """What is checked: a network at its parameters, a batch, and its dropout masks.

    Attributes
    ----------
    net : Network
    x, y : ndarray
    masks : list of ndarray, Generator or None
        As in `net.loss`.
    """

    net: Network
    x: np.ndarray
    y: np.ndarray
    masks: Masks = None

    @property
    def batch(self) -> int:
        """The number of examples."""
        return np.shape(self.x)[self.net.batch_axis]
