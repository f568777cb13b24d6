"""Which side of its kinks each unit of a copy is on, and how many lie between it and the base.

A difference across a kink is no slope, and correct code fails there.
"""

from __future__ import annotations

import numpy as np

from gradlab.checking.fast.shifted_layers import Base, OneRow, State
from gradlab.nn.layers import Activation, Layer


def crossings(layer: Layer, state: State, base: Base) -> np.ndarray | int:
    """Return how many of the layer's kinks lie between each copy's input and the base's, (K,)."""
    on_base = layer.branches(base.a)
    if on_base is None:
        return 0
    if isinstance(state, OneRow) and isinstance(layer, Activation):
        changed = layer.branches(state.value) != Base(on_base).rows(state.row)
    else:
        full = state.full() if isinstance(state, OneRow) else state
        changed = layer.branches(full) != on_base
    return changed.reshape(-1, changed.shape[-1]).sum(axis=0)


def branches(layer: Layer, state: State) -> np.ndarray | None:
    """Return which side of its kinks each of a layer's units is on, in each copy: (…, K).

    Of an elementwise layer that sees one changed row, that row alone. None if it is smooth.
    """
    if isinstance(state, OneRow):
        state = state.value if isinstance(layer, Activation) else state.full()
    return layer.branches(state)
