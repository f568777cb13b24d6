"""Named parameters that are also one flat vector, theta."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab._validate import check_choice, check_real_array

DTYPES = ("float64", "float32")
Params = Mapping[str, np.ndarray]
Grads = dict[str, np.ndarray]
Tensors = dict[str, tuple[int, int, tuple[int, ...]]]


class Parameters:
    """What a network has of parameters. No method changes them but assignment by the user.

    Attributes
    ----------
    params : dict of str to ndarray
        Real arrays, assignable.
    dtype : numpy.dtype
    tensors : dict of str to (start, stop, shape)
        Where each parameter stands in `theta`.
    """

    def __init__(self, params: Params, dtype: str | np.dtype) -> None:
        self.dtype = _check_dtype(dtype)
        self.params = {name: np.array(value, self.dtype) for name, value in params.items()}
        self.tensors: Tensors = lay_out(self.params)

    @property
    def size(self) -> int:
        """The number of parameters, P."""
        return sum(stop - start for start, stop, _ in self.tensors.values())

    @property
    def theta(self) -> np.ndarray:
        """All parameters as one flat vector (P,): a copy. Assigning to it sets them."""
        return self.unroll(self.params)

    @theta.setter
    def theta(self, theta: np.ndarray) -> None:
        theta = check_real_array(theta, "theta", (self.size,)).astype(self.dtype)
        for name, part in self.roll(theta).items():
            self.params[name][...] = part  # in place: networks from `replace` share the arrays

    def unroll(self, grads: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return a dict with the keys of `params` as one flat vector, shape (P,)."""
        return unroll(grads, self.tensors)

    def roll(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Return a flat vector (P,) as a dict with the keys and shapes of `params` (views)."""
        return roll(theta, self.tensors)

    def check_params(self, params: Params | None) -> Params:
        """Return `params`, or the own ones for None, if their names, types and shapes fit.

        Raises
        ------
        ValueError, TypeError
            The message names the parameter, what came and what was expected.
        """
        params = self.params if params is None else params
        if params.keys() != self.tensors.keys():
            raise ValueError(f"params must have the keys {list(self.tensors)}, got {list(params)}")
        for name, (_, _, shape) in self.tensors.items():
            value = check_real_array(params[name], f"params[{name!r}]", shape)
            if not isinstance(params[name], np.ndarray) or value.dtype != self.dtype:
                got = getattr(params[name], "dtype", type(params[name]).__name__)
                raise TypeError(f"params[{name!r}] must be an array of {self.dtype}, got {got}")
        return params


def _check_dtype(dtype: object) -> np.dtype:
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if isinstance(dtype, type) and issubclass(dtype, (float, np.floating)):
        name = np.dtype(dtype).name
    return np.dtype(check_choice(dtype if name is None else name, DTYPES, "dtype"))


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
