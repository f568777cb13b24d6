"""A JAX function of trees of arrays, and its gradient, as functions of one vector theta."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import keystr, tree_flatten_with_path, tree_leaves, tree_unflatten

from gradlab._validate import check_integer, in_short
from gradlab.own.lanes import MEMORY, MOST, ROUNDINGS, Lanes
from gradlab.own.outside import Outside

SHORT = 16  # lanes of a batch for a few points


class JaxCode:
    """The loss of somebody's function at any theta, and what `jax.grad` says of it.

    Parameters
    ----------
    f, args, loss, argnums, seed
        As in `gl.check_jax`.

    Attributes
    ----------
    theta : ndarray, shape (P,), float32 or float64
    layout : dict of str to (start, stop, shape)

    Raises
    ------
    ValueError, TypeError
        The message names the argument, what came and what was expected.
    """

    def __init__(self, f: object, args: tuple, loss: object, argnums: object, seed: int) -> None:
        if not callable(f):
            raise TypeError(f"f must be a function of arrays, got {type(f).__name__}")
        if loss is not None and not callable(loss):
            raise TypeError(f"loss must be a function of the output, got {type(loss).__name__}")
        self.f, self.loss, self.seed = f, loss, seed
        self.outside = Outside(f, *[loss] * (loss is not None))
        self.name = getattr(f, "__name__", type(f).__name__)
        chosen = _check_argnums(argnums, len(args))
        flat, self.tree = tree_flatten_with_path(args)
        self.leaves = [leaf for _, leaf in flat]
        self.which = [
            k for k, (path, leaf) in enumerate(flat) if path[0].idx in chosen and _is_floating(leaf)
        ]
        if not self.which:
            raise ValueError(
                "args must hold an array of floating numbers to check, got "
                f"{[_told(leaf) for leaf in self.leaves]}"
            )
        called = _names(f, len(args))
        names = [called[flat[k][0][0].idx] + keystr(flat[k][0][1:]) for k in self.which]
        arrays = [np.asarray(jnp.asarray(self.leaves[k])) for k in self.which]
        self.layout, self.theta = _laid_out(names, arrays)
        self._look_at(self._output(self._parts(self.theta)))
        self._compiled: Callable | None = None
        self._together: Callable | None = None

    def __call__(self, theta: np.ndarray) -> float:
        """Return the loss at theta."""
        if self._compiled is None:
            return float(self._value(jnp.asarray(theta)))
        with self.outside.kept():
            return float(self._compiled(jnp.asarray(theta)))

    def _value(self, theta: jax.Array) -> jax.Array:
        return self._loss(self._output(self._parts(theta)))

    def compile(self) -> None:
        """Evaluate the loss compiled from now on, if that gives the same and it has no memory.

        Uncompiled, a loop such as `lax.scan` is compiled anew in every single call.
        """
        here, there = self.theta, self.theta * self.theta.dtype.type(0.99) - 0.01
        points = [jnp.asarray(theta, self.theta.dtype) for theta in (here, there, here)]
        try:
            plain = np.array([self._value(theta) for theta in points], float)
            compiled = jax.jit(self._value)
            with self.outside.kept():
                answers = np.array([compiled(theta) for theta in points], float)
        except Exception:  # it needs numbers, and no tracers
            return
        allowed = ROUNDINGS * np.finfo(self.theta.dtype).eps * np.maximum(self.size, np.abs(plain))
        if plain[0] == plain[2] and (np.abs(plain - answers) <= allowed).all():
            self._compiled = compiled

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return what `jax.grad` says at theta, (P,)."""
        with self.outside.kept():
            grads = jax.grad(lambda parts: self._loss(self._output(parts)))(self._parts(theta))
        return np.concatenate([np.asarray(g).ravel() for g in grads]).astype(theta.dtype)

    def _parts(self, theta: object) -> list[jax.Array]:
        return [jnp.asarray(theta[lo:hi]).reshape(shape) for lo, hi, shape in self.layout.values()]

    def _output(self, parts: Sequence[jax.Array]) -> object:
        # arrays of numpy's can be written into: f gets copies
        leaves = [leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in self.leaves]
        for k, part in zip(self.which, parts, strict=True):
            leaves[k] = part
        return self.f(*tree_unflatten(self.tree, leaves))

    def _loss(self, out: object) -> jax.Array:
        return self._projected(out if self.loss is None else self.loss(out), lambda terms: terms)

    def _projected(self, out: object, change: Callable) -> jax.Array:
        parts = _floating(out)
        if [p.shape for p in parts] != [r.shape for r in self.above]:
            raise ValueError(
                "f must return arrays of the same shapes at every call, got "
                f"{[p.shape for p in parts]} after "
                f"{[r.shape for r in self.above]}"
            )
        pairs = zip(parts, self.above, strict=True)
        return sum(change(part * numbers.astype(part.dtype)).sum() for part, numbers in pairs)

    def _look_at(self, out: object) -> None:
        """Draw the random numbers that fit the output; raise if there is no loss in it."""
        leaves, whole = tree_leaves(out), out
        if self.loss is not None:
            whole = self.loss(out)
            if not _is_floating(whole):
                raise TypeError(f"loss must return a floating number, got {_told(whole)}")
            if np.size(whole) != 1:
                raise ValueError(f"loss must return one number, got shape {np.shape(whole)}")
        parts = _floating(whole)
        if not parts:
            raise TypeError(
                "f must return an array of floating numbers, or a tree with some, got "
                f"{[_told(leaf) for leaf in leaves]}"
            )
        self.is_one_number = len(tree_leaves(whole)) == 1 and parts[0].size == 1
        self.above, self.other_above = (
            [np.random.default_rng(seed).standard_normal(p.shape) for p in parts]
            for seed in (self.seed, self.seed + 1)
        )
        if self.is_one_number:
            self.above = [np.ones(parts[0].shape)]
        self.size = float(self._projected(whole, jnp.abs))
        self.numbers = self.theta.size + sum(np.size(v) for v in (*leaves, *self.leaves))

    def ask_with(self, above: list[np.ndarray]) -> None:
        """Multiply the output by other numbers from now on."""
        self.above = above
        self._together = None  # what is compiled has the numbers in it
        if self._compiled is not None:
            self._compiled = None
            self.compile()

    def answer(self, above: list[np.ndarray]) -> np.ndarray:
        """Return `jax.grad`'s gradient, (P,), for other numbers times the output."""
        before, self.above = self.above, above
        try:
            return self.gradient(self.theta)
        finally:
            self.above = before

    # -- many points at once

    def lanes(self) -> Lanes:
        """Return what evaluates the loss at many points in one call."""
        numbers = dict.fromkeys(self.layout, self._number())
        eps = float(np.finfo(self.theta.dtype).eps)
        return Lanes(self._many, self.layout, numbers, eps, self.size)

    def _number(self) -> int:
        return int(np.clip(MEMORY // self.numbers, 1, MOST))

    def _many(
        self, theta: np.ndarray, name: str, entries: np.ndarray, values: np.ndarray
    ) -> np.ndarray:
        """Return the losses; the lanes are filled up, so that it is compiled twice at most."""

        def one(theta: jax.Array, entry: jax.Array, value: jax.Array) -> jax.Array:
            return self._value(theta.at[entry].set(value))

        if self._together is None:
            self._together = jax.jit(jax.vmap(one, (None, 0, 0)))
        # two sizes to compile, and no long batch for a few points
        size = SHORT if len(entries) <= SHORT else self._number()
        filled = [np.pad(v, (0, size - len(v)), mode="edge") for v in (entries, values)]
        filled[0] = filled[0].astype(np.int32)
        with self.outside.kept():
            return np.asarray(self._together(jnp.asarray(theta), *filled))[: len(entries)]

    def subject(self, lanes: Lanes | None) -> str:
        """Return what a report says that it checked."""
        above = "" if self.is_one_number else ", its output times fixed random numbers"
        together = ", evaluated in batches" if lanes is not None and lanes.used else ""
        return f"{self.name} in {self.theta.dtype}{above}{together}"


def _is_floating(leaf: object) -> bool:
    if isinstance(leaf, bool | int | complex | str):
        return False
    dtype = getattr(leaf, "dtype", None)
    return isinstance(leaf, float) or (dtype is not None and jnp.issubdtype(dtype, jnp.floating))


def _floating(out: object) -> list[jax.Array]:
    """Return the floating arrays of an output; of a complex one both parts."""
    parts = []
    for leaf in tree_leaves(out):
        if _is_floating(leaf):
            parts.append(jnp.asarray(leaf))
        elif jnp.issubdtype(getattr(leaf, "dtype", bool), jnp.complexfloating):
            parts += [jnp.real(leaf), jnp.imag(leaf)]
    return parts


def _told(leaf: object) -> str:
    dtype = getattr(leaf, "dtype", None)
    return type(leaf).__name__ if dtype is None else f"{dtype}{list(np.shape(leaf))}"


def _check_argnums(argnums: object, number: int) -> set[int]:
    if argnums is None:
        return set(range(number))
    given = argnums if isinstance(argnums, tuple | list) else (argnums,)
    chosen = {check_integer(n, "argnums", -number) for n in given}  # from the end, as in jax.grad
    if not chosen or max(chosen) >= number:
        raise ValueError(
            f"argnums must be integers below {number}, the number of arguments, got "
            f"{in_short(argnums)}"
        )
    return {n % number for n in chosen}


def _names(f: Callable, number: int) -> list[str]:
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # of C, or another language's: no signature
        parameters = ()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [*names[:number], *(f"args[{k}]" for k in range(len(names), number))]


def _laid_out(names: Sequence[str], arrays: Sequence[np.ndarray]) -> tuple[dict, np.ndarray]:
    layout, end = {}, 0
    for name, array in zip(names, arrays, strict=True):
        if array.dtype not in (np.float32, np.float64):
            raise TypeError(f"{name} must be float32 or float64 to be checked, got {array.dtype}")
        if array.dtype != arrays[0].dtype:
            raise TypeError(
                f"args must have floating leaves of one type, got {names[0]} in "
                f"{arrays[0].dtype} and {name} in {array.dtype}"
            )
        if array.size == 0:
            raise ValueError(f"{name} must have entries to be checked, got shape {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, got NaN or infinity in it")
        layout[name] = (end, end + array.size, array.shape)
        end += array.size
    return layout, np.concatenate([array.ravel() for array in arrays])
