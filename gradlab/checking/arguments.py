"""Checks on what a person hands to `check_function`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from copy import deepcopy

import numpy as np

from gradlab._validate import check_real_array, readable
from gradlab.nn.parameters import Tensors


def check_theta(theta: object) -> np.ndarray:
    """Return a copy of `theta`, or raise if it is not a vector of finite floats of its own."""
    if callable(theta) and not hasattr(theta, "__array__"):
        raise TypeError(
            f"theta must be a vector of floats, got a {type(theta).__name__}: the "
            "order is f, grad, theta"
        )
    array = check_real_array(readable(theta), "theta")
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise TypeError(f"theta must be float64 or float32, got dtype {array.dtype}")
    if array.ndim != 1 or array.size == 0:
        hint = "; gl.check_arrays(f, theta, grad) takes any shape" if array.size else ""
        raise ValueError(f"theta must have shape (P,) with P >= 1, got {array.shape}{hint}")
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


class Part:
    """One of the two that f returns as (loss, grad). A class, so that it can be pickled."""

    def __init__(self, f: Callable, index: int) -> None:
        self.f, self.index = f, index
        self.__wrapped__ = f  # whose arguments are its own
        self.__name__ = getattr(f, "__name__", type(f).__name__)  # what a report calls it

    def __call__(self, *arguments: object) -> object:
        """Return the loss for index 0, the gradient for 1."""
        answer = self.f(*arguments)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            size = f" of {len(answer)}" if isinstance(answer, tuple | list | dict) else ""
            what = type(answer).__name__
            raise TypeError(f"f must return the pair (loss, gradient), got {what}{size}")
        if np.size(readable(answer[0])) != 1 and np.size(readable(answer[1])) == 1:
            raise ValueError(
                "f must return the pair (loss, gradient), got the number last: shapes "
                f"{np.shape(answer[0])} and {np.shape(answer[1])}"
            )
        return answer[self.index]


class Given:
    """A gradient that was given as numbers: it is known at theta alone."""

    def __init__(self, gradient: object, theta: np.ndarray) -> None:
        self.theta = theta
        self.gradient = deepcopy(readable(gradient))  # the loss may write into the caller's

    def __call__(self, theta: np.ndarray) -> object:
        """Return it; elsewhere, where the judge may ask too, there is none."""
        if not np.array_equal(theta, self.theta):
            raise ValueError("grad was given at theta alone")
        return self.gradient


def two_functions(f: object, grad: object, theta: np.ndarray) -> tuple[Callable, Callable]:
    """Return the loss and its gradient as two functions of theta, or raise a TypeError."""
    if not callable(f):
        raise TypeError(f"f must be a function of theta, got {type(f).__name__}")
    if grad is True:
        return Part(f, 0), Part(f, 1)
    if callable(grad):
        return f, grad
    if isinstance(grad, list | tuple) or hasattr(grad, "__array__"):
        return f, Given(grad, theta)
    raise TypeError(
        "grad must be a function of theta, the gradient at theta, or True for an f that returns "
        f"(loss, grad); got {grad!r:.60} ({type(grad).__name__})"
    )


def gradient_at(grad: Callable, theta: np.ndarray) -> np.ndarray:
    """Return grad(theta) as floats (P,), or raise if it is not finite or of another shape.

    A column (P, 1) or a row (1, P) is taken as what it must mean, and so is one number for P = 1.
    """
    answer = grad(theta.copy())
    kind = type(answer).__name__
    if answer is None or isinstance(answer, dict | str):
        raise TypeError(f"grad(theta) must return an array of shape {theta.shape}, got {kind}")
    try:
        given = np.asarray(readable(answer))
    except ValueError:
        hint = "; grad=True takes an f that returns (loss, grad)" if len(answer) == 2 else ""
        raise ValueError(
            f"grad(theta) must return one array of shape {theta.shape}, got a {kind} of "
            f"{len(answer)} parts of different shapes{hint}"
        ) from None
    if given.dtype == object:
        raise TypeError(f"grad(theta) must return real numbers, {theta.shape}, got a {kind}")
    if given.size == theta.size and max(given.shape, default=1) == theta.size:
        given = given.ravel()  # all axes but one have length 1
    gradient = check_real_array(given, "grad(theta)", theta.shape)
    if gradient.dtype.kind != "f":
        return gradient.astype(float)
    return gradient.copy()
