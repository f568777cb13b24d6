"""Checks on what a person hands to `check_function`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

import numpy as np

from gradlab._validate import check_real_array
from gradlab.nn.unrolling import Tensors


def check_theta(theta: object) -> np.ndarray:
    """Return a copy of `theta`, or raise if it is not a vector of finite floats of its own."""
    array = check_real_array(theta, "theta")
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise TypeError(f"theta must be float64 or float32, got dtype {array.dtype}")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"theta must have shape (P,) with P >= 1, got {array.shape}")
    if array.size > 1 and array.strides == (0,):
        raise ValueError(
            "theta must have a place for each entry, got a broadcast view of one number"
        )
    return array.copy()


def check_tensors(tensors: object, size: int) -> Tensors:
    """Return `tensors` if they cover theta once, in order; one called "theta" for None."""
    if tensors is None:
        return {"theta": (0, size, (size,))}
    if not isinstance(tensors, Mapping) or not tensors:
        raise TypeError(f"tensors must be a dict of name to (start, stop, shape), got {tensors!r}")
    end = 0
    for name, entry in tensors.items():
        if not isinstance(name, str) or not name:
            raise TypeError(f"tensors must have names such as 'W1' for keys, got {name!r}")
        try:
            lo, hi = (operator.index(n) for n in entry[:2])
            (shape,) = entry[2:]
            shape = tuple(map(operator.index, shape))
            fits = hi - lo == int(np.prod(shape)) and hi > lo
        except (TypeError, ValueError, IndexError):
            raise TypeError(
                f"tensors[{name!r}] must be (start, stop, shape), got {entry!r}"
            ) from None
        if lo != end or not fits or hi > size:
            raise ValueError(
                f"tensors[{name!r}] must start at {end}, fit its shape and end by {size}, "
                f"got {tuple(entry)}"
            )
        end = hi
    if end != size:
        raise ValueError(f"tensors must cover theta's {size} entries, got {end}")
    return {name: (lo, hi, tuple(shape)) for name, (lo, hi, shape) in tensors.items()}


def gradient_at(grad: Callable, theta: np.ndarray) -> np.ndarray:
    """Return grad(theta) as floats (P,), or raise if it is not finite or of another shape.

    A column (P, 1) or a row (1, P) is taken as what it must mean.
    """
    answer = grad(theta.copy())
    kind = type(answer).__name__
    if answer is None or isinstance(answer, dict | str):
        raise TypeError(f"grad(theta) must return an array of shape {theta.shape}, got {kind}")
    try:
        given = np.asarray(answer)
    except ValueError:
        raise ValueError(
            f"grad(theta) must return one array of shape {theta.shape}, got a {kind} of "
            f"{len(answer)} parts of different shapes"
        ) from None
    if given.shape in ((theta.size, 1), (1, theta.size)):
        given = given.ravel()
    gradient = check_real_array(given, "grad(theta)", theta.shape)
    if gradient.dtype.kind != "f":
        return gradient.astype(float)
    return gradient.copy()
