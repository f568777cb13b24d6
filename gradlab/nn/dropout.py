"""Where dropout stands in a chain of layers, and its masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradlab._validate import check_real_array
from gradlab.nn.layers import Layer, Mask

Masks = Sequence[np.ndarray] | np.random.Generator | None


@dataclass(frozen=True)
class Dropout:
    """The place in the chain where mask number `index` goes, if there are masks."""

    index: int
    features: int


def draw_mask(
    shape: tuple[int, ...], rate: float, dtype: np.dtype, rng: np.random.Generator
) -> np.ndarray:
    """Return an inverted dropout mask: 0 with probability `rate`, else 1/(1 - rate)."""
    keep = dtype.type(1 - rate)
    return (rng.random(shape) < 1 - rate).astype(dtype) / keep


def put_masks(
    layers: Sequence[Layer | Dropout],
    masks: Masks,
    n: int,
    rate: float,
    dtype: np.dtype,
    copies: int = 1,
) -> list[Layer]:
    """Return the layers with masks for a batch of `n` in the places of dropout.

    Parameters
    ----------
    masks : list of ndarray, Generator or None
        One (n, features) a place; a Generator draws them, anew for each of the `copies`; None
        leaves dropout out.

    Raises
    ------
    ValueError, TypeError
        `masks` is of another type, length or shape.
    """
    if masks is None:
        return [layer for layer in layers if isinstance(layer, Layer)]
    places = [layer for layer in layers if isinstance(layer, Dropout)]
    if isinstance(masks, np.random.Generator):
        drawn = [draw_mask((p.features, n, copies), rate, dtype, masks) for p in places]
    else:
        drawn = _check_masks(masks, places, n, dtype)
    return [
        Mask(drawn[layer.index], f"dropout{layer.index + 1}")
        if isinstance(layer, Dropout)
        else layer
        for layer in layers
    ]


def _check_masks(masks: object, places: list[Dropout], n: int, dtype: np.dtype) -> list[np.ndarray]:
    if not isinstance(masks, (list, tuple)):
        raise TypeError(
            f"masks must be a list of arrays, a numpy Generator or None, got {type(masks).__name__}"
        )
    if len(masks) != len(places):
        raise ValueError(
            f"masks must hold one array for each of the {len(places)} hidden layers, "
            f"got {len(masks)}"
        )
    checked = []
    for i, (mask, place) in enumerate(zip(masks, places, strict=True)):
        mask = check_real_array(mask, f"masks[{i}]", (n, place.features))
        checked.append(np.ascontiguousarray(mask.T, dtype)[:, :, None])
    return checked
