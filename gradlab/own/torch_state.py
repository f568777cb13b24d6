"""Copies of PyTorch modules, and what evaluating code changes besides its result, put back."""

from __future__ import annotations

import copy
import functools
import inspect
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from gradlab.checking.own_code import surely

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def copy_of(module: torch.nn.Module, dtype: torch.dtype | None) -> torch.nn.Module:
    """Return a copy of a module in its mode and on its device, its floats converted.

    Raises
    ------
    TypeError
        It cannot be copied.
    """
    kept = [
        t
        for inner in module.modules()
        for t in vars(inner).values()
        if isinstance(t, torch.Tensor) and not t.is_leaf
    ]
    try:  # what an earlier forward pass left, deepcopy refuses
        copied = copy.deepcopy(module, {id(t): t.detach().clone() for t in kept})
    except Exception as error:
        raise TypeError(
            f"code must be a module that copy.deepcopy can copy, got {type(module).__name__}, "
            f"which it cannot: {error}"
        ) from error
    _give_leaves(copied)
    for p in copied.parameters():
        p.grad = None
    return copied if dtype is None else copied.to(dtype)


def _give_leaves(module: torch.nn.Module) -> None:
    """Give a copy parameters of its own: those of a scripted module still follow the original's."""
    made: dict[int, torch.nn.Parameter] = {}
    for inner in module.modules():
        if isinstance(inner, torch.jit.ScriptModule):
            for name, p in list(inner.named_parameters(recurse=False)):
                new = torch.nn.Parameter(p.detach(), requires_grad=p.requires_grad)
                setattr(inner, name, made.setdefault(p.data_ptr(), new))


def modules_near(function: Callable) -> list[torch.nn.Module]:
    """Return the modules that a function reads besides its arguments: it may move their buffers."""
    found: list[object] = []
    while isinstance(function, functools.partial):
        found += [*function.args, *function.keywords.values()]
        function = function.func
    found += [function, getattr(function, "__self__", None)]
    try:
        outside = inspect.getclosurevars(inspect.unwrap(function))
        found += [*outside.nonlocals.values(), *outside.globals.values()]
    except (TypeError, ValueError):  # of C, or an object that is called: it has no such variables
        found += list(getattr(function, "__dict__", {}).values())
    for thing in [*found]:  # one level further in: a list of modules, an object that has one
        if isinstance(thing, dict):
            found += thing.values()
        elif isinstance(thing, list | tuple):
            found += thing
        elif not isinstance(thing, torch.nn.Module | type):
            found += [*getattr(thing, "__dict__", {}).values(), *vars(type(thing)).values()]
    return list({id(m): m for m in found if isinstance(m, torch.nn.Module)}.values())


def read_past_the_copy(module: torch.nn.Module, loss: object) -> list[str]:
    """Return what reads the module itself, and not the copy that is checked.

    A loss, or a function that is kept in the module: with the copy they have nothing to do, so what
    they contribute to the gradient is missing on both sides.
    """
    inner = set(map(id, module.modules()))
    own = [("loss", loss)] if loss is not None else []
    own += [
        (f"the function {name}", value)
        for part in module.modules()
        for name, value in vars(part).items()
        if inspect.isfunction(value)
    ]
    return [
        called
        for called, function in own
        if any(id(near) in inner for near in modules_near(function))
    ]


def hooks_of(module: torch.nn.Module | None) -> list[Callable]:
    """Return the hooks of a module and of those in it: what they keep is the caller's."""
    return [
        hook
        for inner in ([] if module is None else module.modules())
        for name in HOOKS
        for hook in getattr(inner, name, {}).values()
    ]


@contextmanager
def grads_kept(loss: torch.Tensor, modules: Iterable[torch.nn.Module]) -> Iterator[None]:
    """Put back the gradients of all tensors that a loss is seen to depend on, and of modules."""
    nodes, leaves = [loss.grad_fn], [p for module in modules for p in module.parameters()]
    seen = set(nodes)
    while nodes:
        node = nodes.pop()
        leaves += [node.variable] if hasattr(node, "variable") else []
        more = {other for other, _ in node.next_functions if other is not None} - seen
        seen |= more
        nodes += more
    before = [(t, t.grad, None if t.grad is None else t.grad.clone()) for t in leaves]

    def put_back() -> None:
        for t, grad, numbers in before:
            t.grad = grad
            if grad is not None:
                grad.copy_(numbers)

    try:
        yield
    finally:
        surely(put_back)


class Buffers:
    """The buffers of modules, such as running means: remembered, and put back where they lay."""

    def __init__(self, modules: Iterable[torch.nn.Module]) -> None:
        self.kept = []
        for module in modules:
            for prefix, inner in module.named_modules():
                for name, buffer in inner._buffers.items():
                    if buffer is not None:
                        key = f"{prefix}.{name}" if prefix else name
                        self.kept.append((key, inner, name, buffer, buffer.detach().clone()))

    def put_back(self) -> None:
        """Give every buffer its numbers, and its place in its module."""
        for _, inner, name, buffer, numbers in self.kept:
            # one that was made in inference mode can be written into there alone
            with torch.no_grad(), torch.inference_mode(buffer.is_inference()):
                buffer.copy_(numbers)
            inner._buffers[name] = buffer

    def moved(self) -> dict[str, torch.Tensor]:
        """Return what the buffers were that are now something else, by their names."""
        return {
            key: numbers
            for key, inner, name, _, numbers in self.kept
            if not torch.equal(inner._buffers[name], numbers)
        }


class Slots:
    """Which parameter stands where in modules."""

    def __init__(self, modules: Iterable[torch.nn.Module]) -> None:
        self.kept = [
            (inner, name, p)
            for module in modules
            for inner in module.modules()
            for name, p in inner._parameters.items()
            if p is not None
        ]

    def put_back(self) -> None:
        """Put every parameter back to its place, if it is not there."""
        for inner, name, p in self.kept:
            if getattr(inner, name, None) is not p:
                inner._parameters.pop(name, None)
                setattr(inner, name, p)  # and not by the dict alone: some modules keep a list too


class RandomState:
    """The state of PyTorch's generators on all devices that a check uses."""

    def __init__(self, tensors: Iterable[torch.Tensor], module: torch.nn.Module | None) -> None:
        inner = [] if module is None else [*module.parameters(), *module.buffers()]
        devices = {t.device for t in (*tensors, *inner)}
        self.cpu = torch.get_rng_state()
        self.plain = np.random.get_state(), random.getstate()  # noqa: NPY002 - people use these too
        self.others = []
        for device in devices - {torch.device("cpu")}:
            backend = getattr(torch, device.type, None)
            if hasattr(backend, "get_rng_state"):
                where = () if device.type == "mps" else (device,)
                self.others.append((backend, where, backend.get_rng_state(*where)))

    def put_back(self) -> None:
        """Make every generator draw what it would have drawn."""
        torch.set_rng_state(self.cpu)
        np.random.set_state(self.plain[0])  # noqa: NPY002
        random.setstate(self.plain[1])
        for backend, where, state in self.others:
            backend.set_rng_state(state, *where)
