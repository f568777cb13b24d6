"""Tensors inside of tuples, lists and dicts: found, named, copied, summed up."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch

Path = tuple


def tensors_in(value: object, path: Path = ()) -> Iterator[tuple[Path, torch.Tensor]]:
    """Yield the path and the tensor of all tensors inside."""
    if isinstance(value, torch.Tensor):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from tensors_in(part, (*path, key))
    elif isinstance(value, tuple | list):
        for key, part in enumerate(value):
            yield from tensors_in(part, (*path, key))


def fresh(
    value: object,
    dtype: torch.dtype | None,
    given: Mapping[Path, torch.Tensor] | None = None,
    path: Path = (),
) -> object:
    """Return the same structure with clones of what can be written into.

    Parameters
    ----------
    value : object
    dtype : torch.dtype or None
        What floating tensors are converted to; complex ones to what fits it.
    given : dict of path to tensor, optional
        Tensors to put in instead: clones of them.
    path : tuple, optional
        Where `value` stands.
    """

    def inner(part: object, key: object) -> object:
        return fresh(part, dtype, given, (*path, key))

    if isinstance(value, torch.Tensor):
        if given and path in given:
            return clone_of(given[path], value)
        clone = clone_of(value.detach(), value)
        if dtype is not None and clone.is_floating_point():
            return clone.to(dtype)
        return clone.to(dtype.to_complex()) if dtype and clone.is_complex() else clone
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, torch.Generator):
        return value.clone_state()
    if isinstance(value, Mapping):
        parts = {key: inner(part, key) for key, part in value.items()}
        return _of_its_kind(value, parts)
    if isinstance(value, tuple | list):
        parts = [inner(part, key) for key, part in enumerate(value)]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def clone_of(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return a clone with the strides of `like`, gaps between its rows included: a slice's.

    Autograd follows it. What stands at several places in memory, as after `expand`, is laid out.
    """
    clone = tensor.clone()
    gaps = not like.is_sparse and like.layout == torch.strided and clone.stride() != like.stride()
    if not gaps or 0 in like.stride():
        return clone
    laid_out = torch.empty_strided(
        like.size(), like.stride(), dtype=clone.dtype, device=clone.device
    )
    return laid_out.copy_(clone)


def _of_its_kind(value: Mapping, parts: dict) -> Mapping:
    """Return a mapping like `value`, with other parts: a plain dict if it is read-only."""
    try:
        other = copy.copy(value)
        for key, part in parts.items():
            other[key] = part
    except Exception:
        return parts
    return other


def names_of_arguments(code: Callable, inputs: tuple, paths: Sequence[Path]) -> list[str]:
    """Return a name for each path into (args, kwargs): as the signature says it: "x", "h[0]"."""
    function = code
    if isinstance(code, type):  # an autograd.Function: forward(ctx, x) or, newer, forward(x)
        function = code.forward
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # of C: no signature
        parameters = []
    if isinstance(code, type) and code.setup_context is torch.autograd.Function.setup_context:
        parameters = parameters[1:]
    called = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if isinstance(code, torch.jit.ScriptFunction):  # takes (*args), and knows what they are
        called = [argument.name for argument in code.schema.arguments]
    rest_of_all = next((p.name for p in parameters if p.kind == p.VAR_POSITIONAL), "inputs")
    names = []
    for which, first, *rest in paths:
        if which == 1:
            name = str(first)
        else:
            n = len(called)
            name = called[first] if first < n else f"{rest_of_all}[{first - n}]"
        names.append(name + "".join(f"[{key!r}]" for key in rest))
    return names


def random_like(out: object, seed: int) -> list[torch.Tensor]:
    """Return fixed random numbers for every floating tensor of an output.

    Raises
    ------
    TypeError
        There is no floating tensor in it.
    """
    parts = _floating(out)
    if not parts:
        raise TypeError(
            "code must return a tensor of floating numbers, or a tuple, list or dict "
            f"with some, got {_told(out)}; loss=… can make one of it"
        )
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.standard_normal(tuple(part.shape))).to(part) for part in parts]


def is_one_number(out: object) -> bool:
    """Tell whether an output is a loss by itself."""
    return isinstance(out, torch.Tensor) and out.numel() == 1 and not out.is_complex()


def projected(
    out: object, random_numbers: Sequence[torch.Tensor], absolute: bool = False
) -> torch.Tensor:
    """Return the sum of an output's floating tensors times the random numbers, one number.

    Raises
    ------
    ValueError
        The output is another one than that which the random numbers were drawn for.
    """
    parts = _floating(out)
    if [part.shape for part in parts] != [numbers.shape for numbers in random_numbers]:
        raise ValueError(
            "code must return tensors of the same shapes at every call, got "
            f"{[tuple(p.shape) for p in parts]} after "
            f"{[tuple(r.shape) for r in random_numbers]}"
        )
    total = 0.0
    for part, numbers in zip(parts, random_numbers, strict=True):
        terms = part * numbers
        total = total + (terms.abs() if absolute else terms).sum()
    return total


def _floating(out: object) -> list[torch.Tensor]:
    tensors = [t for _, t in tensors_in(out)]
    return [
        torch.view_as_real(t) if t.is_complex() else t
        for t in tensors
        if t.is_complex() or t.is_floating_point()
    ]


def _told(out: object) -> str:
    kind = type(out).__name__
    return f"{kind} of {out.dtype}" if isinstance(out, torch.Tensor) else kind
