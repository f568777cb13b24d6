"""A person's own arrays, loss and gradients as functions of one vector theta."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import numpy as np

from gradlab._validate import check_real_array
from gradlab.checking.black_box import scalar
from gradlab.nn.parameters import lay_out, roll, unroll


class OwnCode:
    """The loss and the gradient of somebody's code at any theta.

    Inside a `with` block the arrays may be shifted where they lie; at its end they are what they
    were, bit by bit, whatever has happened.

    Parameters
    ----------
    loss : callable
        Without an argument, reading the arrays where they lie; or with one, a dict of copies.
    arrays : dict of str to ndarray
    grads : dict of str to ndarray, or callable that returns one
        The callable may take a dict, as `loss` may.

    Attributes
    ----------
    theta : ndarray, shape (P,)
    layout : dict of str to (start, stop, shape)
    answers : list of ndarray, shape (P,)
        What `grads` returned, call by call.

    Raises
    ------
    ValueError, TypeError
        The message names the argument, what came and what was expected.
    """

    def __init__(self, loss: Callable, arrays: Mapping[str, np.ndarray], grads: object) -> None:
        if not callable(loss):
            raise TypeError(f"loss must be a function, got {type(loss).__name__}")
        self.loss, self.arrays, self.grads = loss, _check_arrays(arrays), grads
        self.layout = lay_out(self.arrays)
        self.theta = unroll(self.arrays, self.layout)
        self.loss_takes = takes(loss, "loss")
        self.grads_take = takes(grads, "grads") if callable(grads) else 0
        self.answers: list[np.ndarray] = []
        self.__name__ = getattr(loss, "__name__", type(loss).__name__)  # what the report calls it
        if not self.loss_takes:
            for name, array in self.arrays.items():
                if not array.flags.writeable:
                    raise ValueError(
                        f"arrays[{name!r}] must be writeable, for a loss that takes no argument is "
                        "asked with the arrays shifted where they lie; got a read-only one"
                    )
        if not callable(grads):
            self._vector(grads)

    def __enter__(self) -> OwnCode:
        self._before = {name: array.copy() for name, array in self.arrays.items()}
        return self

    def __exit__(self, *error: object) -> None:
        if not self.loss_takes:
            surely(self._put_back)

    def _put_back(self) -> None:
        for name, array in self.arrays.items():
            put_back(array, self._before[name])

    def __call__(self, theta: np.ndarray) -> object:
        """Return the loss at theta."""
        parts = self.parts(theta)
        return self.loss(*[parts] * self.loss_takes)

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return the gradient at theta, (P,); for a dict that was given, this dict's."""
        if not callable(self.grads):
            return self._vector(self.grads)
        parts = self.parts(theta)
        self.answers.append(self._vector(self.grads(*[parts] * self.grads_take), "grads()"))
        return self.answers[-1]

    def check(self) -> None:
        """Raise if `loss` returns no finite number, or reads other arrays than these."""
        try:
            value = scalar(self(self.theta))
        except (TypeError, ValueError) as error:
            if not str(error).startswith("f must return"):  # it comes from the person's own code
                raise
            raise type(error)(str(error).replace("f must", "loss() must", 1)) from None
        if not np.isfinite(value):
            raise ValueError(f"loss() must return a finite number, got {value}")
        if self.loss_takes:
            return
        with np.errstate(all="ignore"):
            if all(np.isfinite(v) and v == value for v in self.at(self.elsewhere(3))):
                raise ValueError(
                    "loss must read `arrays` where they lie: it returned the same number "
                    f"({value:.6g}) when all of them were shifted, so it reads copies or others"
                )

    def elsewhere(self, number: int) -> np.ndarray:
        """Return points around theta, (number, P)."""
        rng = np.random.default_rng(0)
        size = [np.full(a.size, max(np.sqrt(np.mean(a**2)), 0.3)) for a in self.arrays.values()]
        shift = 0.3 * np.concatenate(size) * rng.standard_normal((number, self.theta.size))
        return (self.theta + shift).astype(self.theta.dtype)

    def at(self, points: np.ndarray) -> np.ndarray:
        """Return the loss at points, nan where it is not defined."""
        values = []
        for theta in points:
            try:
                values.append(scalar(self(theta)))
            except Exception:  # it is our idea to ask there
                values.append(np.nan)
        return np.array(values)

    def parts(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arrays at theta; they stand where the loss reads them."""
        parts = roll(theta, self.layout)
        if not self.loss_takes:
            for name, array in self.arrays.items():
                array[...] = parts[name]
        return {name: part.copy() for name, part in parts.items()}

    def _vector(self, grads: object, called: str = "grads") -> np.ndarray:
        if not isinstance(grads, Mapping):
            raise TypeError(
                f"{called} must be a dict with the keys of arrays, got {type(grads).__name__}"
            )
        if grads.keys() != self.arrays.keys():
            raise ValueError(
                f"{called} must have the keys of arrays, {list(self.arrays)}, got {list(grads)}"
            )
        checked = [
            check_real_array(grads[name], f"{called}[{name!r}]", array.shape)
            for name, array in self.arrays.items()
        ]
        return np.concatenate([np.ravel(value) for value in checked])


def put_back(array: np.ndarray, before: np.ndarray) -> None:
    """Give an array its numbers, bit by bit, where it lies."""
    is_locked = not array.flags.writeable  # by the loss: it came in writeable
    if is_locked:  # else never said: some views refuse it even where it is so
        array.flags.writeable = True
    array[...] = before
    if is_locked:
        array.flags.writeable = False


def surely(put_all_back: Callable[[], None]) -> None:
    """Put back, also where it is interrupted by Ctrl-C: once more then, and the whole of it."""
    try:
        put_all_back()
    except KeyboardInterrupt:
        put_all_back()
        raise


def check_examples(value: object, called: str) -> np.ndarray:
    """Return x or y as an array of its own, float64, or raise."""
    array = np.array(check_real_array(value, called), float)
    if array.ndim == 0:
        raise ValueError(
            f"{called} must be an array of N examples, such as (N, n) or a list of N "
            f"rows or columns, got a single number, {array[()]:g}"
        )
    if array.size == 0:
        raise ValueError(f"{called} must hold at least one example, got shape {array.shape}")
    return array


def _check_arrays(arrays: object) -> dict[str, np.ndarray]:
    if not isinstance(arrays, Mapping):
        raise TypeError(f"arrays must be a dict of name to array, got {type(arrays).__name__}")
    if not arrays:
        raise ValueError("arrays must hold at least one array, got an empty dict")
    first = None
    for name, array in arrays.items():
        if not isinstance(name, str):
            raise TypeError(f"arrays must have names as keys, got {name!r} ({type(name).__name__})")
        called = f"arrays[{name!r}]"
        if not isinstance(array, np.ndarray) or array.dtype not in (np.float64, np.float32):
            got = getattr(array, "dtype", type(array).__name__)
            raise TypeError(f"{called} must be an ndarray of float64 or float32, got {got}")
        check_real_array(array, called)
        first = array if first is None else first
        if array.dtype != first.dtype:
            raise TypeError(f"arrays must all be of one type, got {first.dtype} and {array.dtype}")
        if array.size == 0 or (array.size > 1 and 0 in array.strides):
            raise ValueError(
                f"{called} must have entries, and a place for each, got shape {array.shape} with "
                f"strides {array.strides}"
            )
    names = list(arrays)
    for k, name in enumerate(names):
        for other in names[k + 1 :]:
            if np.shares_memory(arrays[name], arrays[other]):
                raise ValueError(f"arrays must not overlap: {name!r} and {other!r} share memory")
    return dict(arrays)


def takes(function: Callable, called: str) -> int:
    """Return how many arguments a function needs: none, or one for a dict of arrays."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some of C's have no signature
        return 0
    needed = [
        p
        for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if len(needed) > 1 or any(p.kind == p.KEYWORD_ONLY for p in needed):
        raise TypeError(
            f"{called} must take no argument, or one (a dict of arrays), got a function of "
            f"{', '.join(p.name for p in needed)}"
        )
    return len(needed)
