"""A stand-in for JAX: arrays are numpy's, `grad` is autograd's, `jit` and `vmap` are plain."""

import sys
import types
from contextlib import contextmanager

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.extend import Box

compiled = []  # every function that was handed to jit


class Array(np.ndarray):
    """An array that says what it is with one entry exchanged: a.at[k].set(v)."""

    at = property(lambda self: _At(self))


class _At:
    def __init__(self, array):
        self.array = array

    def __getitem__(self, key):
        def put(value):
            new = np.array(self.array)
            new[key] = value
            return asarray(new)

        return types.SimpleNamespace(set=put)


def asarray(value, dtype=None):
    if isinstance(value, Box):
        return value
    array = np.asarray(value, dtype)
    return array.view(Array) if dtype is None or array.dtype == dtype else array


numpy = types.SimpleNamespace(
    asarray=asarray, issubdtype=np.issubdtype, floating=np.floating, abs=anp.abs,
    complexfloating=np.complexfloating, real=anp.real, imag=anp.imag,
)  # fmt: skip


def grad(function):
    def of(parts):
        plain = [np.array(part) for part in parts]
        return autograd.grad(lambda given: anp.sum(function(given)))(plain)

    return of


def jit(function):
    compiled.append(function)
    return function


def vmap(function, axes):
    def together(theta, entries, values):
        assert axes == (None, 0, 0)
        pairs = zip(entries, values, strict=True)
        return np.stack([function(theta, entry, value) for entry, value in pairs])

    return together


# -- trees ----------------------------------------------------------------------------------------


class Key:
    def __init__(self, idx):
        self.idx = idx

    def __repr__(self):
        return f"[{self.idx!r}]"


def _children(tree):
    if isinstance(tree, dict):
        return [(key, tree[key]) for key in sorted(tree)]
    return list(enumerate(tree)) if isinstance(tree, tuple | list) else None


def tree_flatten_with_path(tree, path=()):
    children = _children(tree)
    if tree is None:
        return [], tree
    if children is None:
        return [(path, tree)], tree
    found = [
        leaf for k, part in children for leaf in tree_flatten_with_path(part, (*path, Key(k)))[0]
    ]
    return found, tree


def tree_leaves(tree):
    return [leaf for _, leaf in tree_flatten_with_path(tree)[0]]


def tree_unflatten(tree, leaves):
    leaves = iter(leaves)

    def build(part):
        children = _children(part)
        if part is None:
            return None
        if children is None:
            return next(leaves)
        built = {k: build(inner) for k, inner in children}
        return built if isinstance(part, dict) else type(part)(built.values())

    return build(tree)


def keystr(path):
    return "".join(map(repr, path))


tree_util = types.ModuleType("jax.tree_util")
for _one in (tree_flatten_with_path, tree_leaves, tree_unflatten, keystr):
    setattr(tree_util, _one.__name__, _one)


@contextmanager
def installed():
    """Let `import jax` give this module, and gradlab's own module be read anew with it."""
    here = sys.modules[__name__]
    numpy_ = types.ModuleType("jax.numpy")
    vars(numpy_).update(vars(numpy))
    given = {"jax": here, "jax.numpy": numpy_, "jax.tree_util": tree_util}
    before = {name: sys.modules.pop(name, None) for name in (*given, "gradlab.own.jax_code")}
    sys.modules.update(given)
    compiled.clear()
    try:
        yield here
    finally:
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
