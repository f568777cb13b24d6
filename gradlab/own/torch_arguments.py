"""Checks on what a person hands to `check_torch`."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch

from gradlab._validate import in_short
from gradlab.own.lanes import Layout

FLOATS = (torch.float32, torch.float64)


def taken_apart(code: object) -> tuple[Callable | None, torch.nn.Module | None, str, Callable]:
    """Return the function, the module that it is of, a name, and whose signature has names."""
    kind = type(code).__name__
    if isinstance(code, torch.nn.Module):
        return None, code, kind, code.forward
    if isinstance(code, type) and issubclass(code, torch.autograd.Function):
        return code.apply, None, code.__name__, code
    if isinstance(code, type) and issubclass(code, torch.nn.Module):
        raise TypeError(
            f"code must be a module, got the class {code.__name__}: make one of it "
            f"first, {code.__name__}(…)"
        )
    if isinstance(code, torch.Tensor) or not callable(code):
        raise TypeError(f"code must be a torch.nn.Module or a function of tensors, got {kind}")
    owner = getattr(code, "__self__", None)
    name = getattr(code, "__name__", kind)
    if isinstance(owner, torch.nn.Module) and inspect.ismethod(code):
        return code.__func__, owner, f"{type(owner).__name__}.{name}", code
    if isinstance(owner, type) and issubclass(owner, torch.autograd.Function):
        return code, None, owner.__name__, owner
    return code, None, name, code


def nothing_to_check(module: torch.nn.Module | None, name: str) -> str:
    """Return what to say where nothing requires grad."""
    if module is None:
        return (
            f"inputs must hold a tensor that requires grad, for {name} is no module with "
            "parameters; got none: call requires_grad_() on those to check"
        )
    return (
        f"code must have a parameter, or inputs a tensor, that requires grad; {name} and its "
        "inputs have none: call requires_grad_() on what to check"
    )


def check_dtype(dtype: object) -> torch.dtype | None:
    """Return the type that copies are converted to, or raise."""
    if dtype is None or dtype in FLOATS:
        return dtype
    if isinstance(dtype, str) and dtype in ("float64", "float32"):
        return getattr(torch, dtype)
    raise TypeError(f"dtype must be torch.float64, torch.float32 or None, got {in_short(dtype)}")


def check_tensor(t: torch.Tensor, name: str, dtype: torch.dtype | None) -> torch.Tensor:
    """Return a tensor that can be checked, or raise."""
    if torch.nn.parameter.is_lazy(t):
        raise ValueError(
            f"{name} must have a shape, got a lazy parameter: run the module once "
            "on an input before it is checked"
        )
    if t.is_complex() or t.layout != torch.strided:
        raise TypeError(
            f"{name} must be a dense tensor of real numbers to be checked, got "
            f"{t.dtype}, {t.layout}"
        )
    if t.is_meta:
        raise ValueError(f"{name} must hold numbers, got a tensor on the device 'meta'")
    if dtype is None and t.dtype not in FLOATS:
        raise TypeError(
            f"{name} must be float32 or float64 where dtype=None keeps it, got "
            f"{t.dtype}: leave dtype out, or make it float32"
        )
    if not torch.isfinite(t).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity in it")
    return t


def one_type(tensors: list[tuple[str, torch.Tensor]]) -> torch.dtype:
    """Return the type of all tensors, or raise if there are two."""
    name, first = tensors[0]
    for other, t in tensors:
        if t.dtype != first.dtype:
            raise TypeError(
                "dtype=None needs tensors of one type, got "
                f"{name} in {first.dtype} and {other} in {t.dtype}"
            )
    return first.dtype


def lay_out(tensors: list[tuple[str, torch.Tensor]]) -> Layout:
    """Return where each tensor stands in theta, or raise if one is empty."""
    layout, end = {}, 0
    for name, t in tensors:
        if t.numel() == 0:
            raise ValueError(f"{name} must have entries to be checked, got shape {tuple(t.shape)}")
        layout[name] = (end, end + t.numel(), tuple(t.shape))
        end += t.numel()
    return layout


def has_padding(module: torch.nn.Module | None) -> bool:
    """Tell whether an embedding in it has a row without a gradient."""
    kinds = (torch.nn.Embedding, torch.nn.EmbeddingBag)
    inner = [] if module is None else module.modules()
    return any(isinstance(m, kinds) and m.padding_idx is not None for m in inner)
