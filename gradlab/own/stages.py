"""A layer of somebody's stack: where its parameters are, and its passes without a memory."""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from keyword import iskeyword

import numpy as np

from gradlab.checking.source.objects import put_on_copy
from gradlab.own.detached import copied
from gradlab.own.gradients import AFTER, BEFORE
from gradlab.own.layer_code import LayerCode


@dataclass(frozen=True)
class Stage:
    """One layer.

    Attributes
    ----------
    label : str
    forward, backward : callable
    params : tuple
        What forward takes behind its input.
    remarks : tuple of str
    """

    label: str
    forward: Callable
    backward: Callable
    params: tuple = ()
    remarks: tuple[str, ...] = ()

    def code(self, x: object) -> LayerCode:
        """Return it as a function of its input and its parameters."""
        code = LayerCode(self.forward, self.backward, (x, *self.params))
        code.remarks += self.remarks
        return code


def stages_of(layers: object) -> list[Stage]:
    """Return what somebody calls layers, one by one.

    Raises
    ------
    TypeError, ValueError
        It is no list, or one of them has no forward and backward.
    """
    named = list(layers.items()) if isinstance(layers, Mapping) else None
    if named is None and not isinstance(layers, list | tuple):
        raise TypeError(f"layers must be a list or a dict of layers, got {type(layers).__name__}")
    if not layers:
        raise ValueError("layers must hold at least one layer, got none")
    named = named or [(None, layer) for layer in layers]
    found = [
        _stage(layer, f"layers[{k if name is None else name!r}]", name)
        for k, (name, layer) in enumerate(named)
    ]
    return _with_twins_told(found, [layer for _, layer in named])


def _with_twins_told(stages: list[Stage], layers: list) -> list[Stage]:
    """Remark on an object that stands in the stack twice: each is checked as if it were alone."""
    told = (
        "this object stands in the stack more than once. In use its forward overwrites what the "
        "one before kept, and its gradients those of the other; here each is checked by itself. "
        "gl.check_arrays checks the whole.",
    )
    objects = [id(layer) for layer in layers]
    return [
        replace(stage, remarks=stage.remarks + told)
        if objects.count(id(layer)) > 1 and not isinstance(layer, tuple | list)
        else stage
        for stage, layer in zip(stages, layers, strict=True)
    ]


def _stage(layer: object, called: str, name: object) -> Stage:
    if isinstance(layer, tuple | list):
        if len(layer) < 2 or not all(map(callable, layer[:2])):
            kinds = ", ".join(type(part).__name__ for part in layer)
            raise TypeError(f"{called} must be (forward, backward, *parameters), got ({kinds})")
        forward, backward, *params = layer
        label = getattr(forward, "__name__", type(forward).__name__)
        label = label.removesuffix("_forward").removesuffix("_fwd").strip("<>")
        if len(params) == 1 and isinstance(params[0], Mapping):
            params = _in_order(forward, params[0])
        return Stage(str(name or label), forward, backward, tuple(params))
    if not all(callable(getattr(layer, method, None)) for method in ("forward", "backward")):
        raise TypeError(
            f"{called} must have the methods forward and backward, or be a tuple (forward, "
            f"backward, *parameters), got {type(layer).__name__}"
        )
    return _of_object(copied(layer), str(name or type(layer).__name__))


def _in_order(forward: Callable, params: Mapping) -> list:
    """Return a dict's values in forward's order; as they are, a dict of settings, if it has none.

    A layer takes a dict of parameters by their names.
    """
    try:
        names = list(inspect.signature(forward).parameters)[1:]
    except (TypeError, ValueError):
        return [params]
    if params and set(params) <= set(names):
        return [params[name] for name in names if name in params]
    return [params]


# -- an object with forward and backward, and parameters in it ------------------------------------


@dataclass(frozen=True)
class Held:
    """A parameter in an object: where it lies, and where its gradient does after backward.

    Attributes
    ----------
    name : str
    value, grad : callable, object -> ndarray
    """

    name: str
    value: Callable
    grad: Callable


def _of_object(layer: object, label: str) -> Stage:
    """Return an object as functions: every call is one of a new copy of it."""
    held = _held_in(layer)
    for one in held:  # those that backward adds to, from 0 on
        grad = one.grad(layer)
        if isinstance(grad, np.ndarray) and grad.flags.writeable:
            grad[...] = 0

    def forward(x: object, *params: np.ndarray) -> tuple:
        own = copied(layer)
        for one, value in zip(held, params, strict=True):
            one.value(own)[...] = value
        return own.forward(x), own

    def backward(dout: np.ndarray, own: object) -> dict:
        answer = own.backward(dout)
        grads = {one.name: one.grad(own) for one in held}
        if isinstance(answer, tuple | list):
            answer, *rest = answer
            if len(rest) == 1 and isinstance(rest[0], Mapping):
                rest = [_named(rest[0], one.name) for one in held]
            grads |= {one.name: grad for one, grad in zip(held, rest, strict=False)}
        return {x: answer, **grads}

    x = next(iter(inspect.signature(layer.forward).parameters), "x")
    x = "input" if x in {one.name for one in held} else x
    forward.__signature__ = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY)
            for name in (x, *(one.name for one in held))
        ]
    )
    for function, method in ((forward, "forward"), (backward, "backward")):
        function.layer, function.method = layer, method
    backward.remade = partial(_remade, layer, label)
    params = tuple(one.value(layer) for one in held)
    return Stage(label, forward, backward, params, _not_looked_at(layer, held))


def _remade(layer: object, label: str, methods: Mapping) -> tuple[Callable, Callable]:
    """Return an object's functions, some of whose methods are others."""
    other = copied(layer)
    put_on_copy(other, methods)
    stage = _of_object(other, label)
    return stage.forward, stage.backward


def _held_in(layer: object) -> list[Held]:
    """Return an object's parameters: in `params` and `grads`, or attributes W and dW."""
    params, grads = getattr(layer, "params", None), getattr(layer, "grads", None)
    if isinstance(params, Mapping) and (grads is None or isinstance(grads, Mapping)):
        return [_in_dict(key) for key, value in params.items() if _is_floats(value)]
    if isinstance(params, list | tuple) and isinstance(grads, list | tuple | None):
        own = {id(v): k for k, v in getattr(layer, "__dict__", {}).items() if _is_floats(v)}
        return [
            _in_list(k, own.get(id(value), f"params[{k}]"))
            for k, value in enumerate(params)
            if _is_floats(value)
        ]
    attributes, kept = getattr(layer, "__dict__", {}), _kept_by(layer, "forward", "backward")
    return [
        _attribute(name)
        for name, value in attributes.items()
        if _is_floats(value)
        and not name.startswith("_")
        and name not in kept
        and (_grad_names(name) & _set_in(layer) or isinstance(grads, Mapping))
    ]


def _in_dict(key: object) -> Held:
    return Held(
        _as_name(key), lambda layer: layer.params[key], lambda layer: _gradient_of(layer, key)
    )


def _in_list(k: int, name: str) -> Held:
    def grad(layer: object) -> object:
        grads = getattr(layer, "grads", None) or ()
        return grads[k] if k < len(grads) else None

    return Held(_as_name(name), lambda layer: layer.params[k], grad)


def _as_name(key: object) -> str:
    """Return a key as the name of an argument: "fc.weight" as fc_weight."""
    name = re.sub(r"\W+", "_", str(key)).strip("_")
    return name if name.isidentifier() and not iskeyword(name) else f"p_{name}"


def _attribute(name: str) -> Held:
    return Held(name, lambda layer: getattr(layer, name), lambda layer: _gradient_of(layer, name))


def _gradient_of(layer: object, key: object) -> object:
    """Return a parameter's gradient from the dict of gradients, else from an attribute."""
    grads = getattr(layer, "grads", None)
    found = [_named(grads, key)] if isinstance(grads, Mapping) else []
    found += [getattr(layer, other, None) for other in sorted(_grad_names(str(key)))]
    return next((value for value in found if value is not None), None)


def _grad_names(name: str) -> set[str]:
    return {f"{b}{name}" for b in BEFORE} | {f"{name}{a}" for a in AFTER}


def _set_in(layer: object) -> set[str]:
    """Return the attributes that an object has, or that its backward sets: read in its code."""
    codes = [getattr(vars(kind).get("backward"), "__code__", None) for kind in type(layer).__mro__]
    names = {name for code in codes if code for name in code.co_names}
    return names | getattr(layer, "__dict__", {}).keys()


def _kept_by(layer: object, *methods: str) -> set[str]:
    """Return the attributes that methods assign: what is kept between calls is no parameter."""
    kinds = type(layer).__mro__
    codes = [getattr(vars(k).get(method), "__code__", None) for k in kinds for method in methods]
    return {
        line.argval
        for code in codes
        if code
        for line in dis.get_instructions(code)
        if line.opname == "STORE_ATTR"
    }


def _not_looked_at(layer: object, held: list[Held]) -> tuple[str, ...]:
    """Return remarks on what may be a parameter and was not checked."""
    attributes = getattr(layer, "__dict__", {})
    kept = _kept_by(layer, "forward", "backward")
    grads = set().union(*(_grad_names(one.name) for one in held))
    known = {one.name for one in held} | kept | grads
    left = [name for name, value in attributes.items() if _is_floats(value) and name not in known]
    told = []
    if left and not isinstance(getattr(layer, "params", None), Mapping | list | tuple):
        which = "its arrays" if held else "no parameters were found; its arrays"
        told.append(
            f"{which} {', '.join(left)} were not checked. Parameters are looked for in "
            "params and grads, or as W and dW, grad_W, g_W or W_grad."
        )
    parts = [
        v
        for value in attributes.values()
        for v in (value if isinstance(value, list | tuple) else [value])
    ]
    if any(callable(getattr(part, "backward", None)) for part in parts):
        told.append(
            "it has layers of its own, whose parameters were not checked: hand these over "
            "as a stack of their own."
        )
    return tuple(told)


def _named(grads: Mapping, key: object) -> object:
    return grads.get(key, grads.get(f"d{key}"))


def _is_floats(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 0
