"""All parameters as one flat vector theta, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Tensors = dict[str, tuple[int, int, tuple[int, ...]]]


def lay_out(arrays: Mapping[str, np.ndarray]) -> Tensors:
    """Return where each array stands in theta, {name: (start, stop, shape)}, in dict order."""
    tensors: Tensors = {}
    start = 0
    for name, array in arrays.items():
        tensors[name] = (start, start + array.size, array.shape)
        start += array.size
    return tensors


def unroll(arrays: Mapping[str, np.ndarray], tensors: Tensors) -> np.ndarray:
    """Return the arrays as one vector (P,), each row by row (C order): a copy.

    Raises
    ------
    ValueError
        A name is missing or unknown, or an array has another shape than `tensors` says.
    """
    if arrays.keys() != tensors.keys():
        raise ValueError(f"grads must have the keys {list(tensors)}, got {list(arrays)}")
    for name, (_, _, shape) in tensors.items():
        if np.shape(arrays[name]) != shape:
            raise ValueError(
                f"grads[{name!r}] must have shape {shape}, got {np.shape(arrays[name])}"
            )
    return np.concatenate([np.ravel(arrays[name]) for name in tensors])


def roll(theta: np.ndarray, tensors: Tensors) -> dict[str, np.ndarray]:
    """Return a vector (P,) as named arrays that are views on it.

    Raises
    ------
    ValueError
        `theta` is not a vector of P entries.
    """
    size = sum(stop - start for start, stop, _ in tensors.values())
    if np.shape(theta) != (size,):
        raise ValueError(f"theta must have shape ({size},), got {np.shape(theta)}")
    return {name: theta[a:b].reshape(shape) for name, (a, b, shape) in tensors.items()}
