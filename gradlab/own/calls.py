"""How a person's forward and backward want to be called: found out from what they take and give."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np

#: How the gradient from above is called, as a rule: dout, dy, grad_out, gy, upstream.
FROM_ABOVE = ("d", "g", "up")
PREFIXES_OF_GRADIENTS = (
    "d_",
    "dnext_",
    "grad_",
    "g_",
    "up_",
    "d",
    "g",
)  # a name, in that of its gradient
OUTPUT_NAMES = ("out", "output")
DOUT, CACHE, OUT, INPUT = "dout", "cache", "out", "input"
Token = tuple[str, int]  # what is handed to backward: (DOUT, 0), (CACHE, 0), (INPUT, 2)


@dataclass(frozen=True)
class Calls:
    """What forward's answer holds, and what backward is handed.

    Attributes
    ----------
    outs : int
        How many of the things that forward returns are outputs; what is left is the cache.
    is_tuple : bool
        Whether it returns several things.
    handed : tuple of (str, int)
        Backward's arguments, in order.
    above : str
        What backward calls the gradient from above; "dout" where it takes none.
    """

    outs: int
    is_tuple: bool
    handed: tuple[Token, ...]
    above: str


def names_of(forward: Callable, inputs: Sequence) -> tuple[str, ...]:
    """Return what forward calls the inputs that it is handed.

    Raises
    ------
    TypeError
        It does not take as many.
    """
    try:
        signature = inspect.signature(forward)
    except (TypeError, ValueError):  # some of C's have no signature
        return tuple(f"input{k + 1}" for k in range(len(inputs)))
    try:
        bound = signature.bind(*inputs)
    except TypeError:
        raise TypeError(
            f"inputs must be what forward{signature} takes, got {len(inputs)} inputs"
        ) from None
    names: list[str] = []
    for name, value in bound.arguments.items():
        if signature.parameters[name].kind == inspect.Parameter.VAR_POSITIONAL:
            names += [f"{name}[{k}]" for k in range(len(value))]
        else:
            names.append(name)
    return tuple(names)


def words_of(forward: Callable) -> frozenset[str]:
    """Return the names that forward speaks of; none where that cannot be read."""
    code = getattr(getattr(forward, "__func__", forward), "__code__", None)
    return frozenset() if code is None else frozenset((*code.co_varnames, *code.co_names))


def plan(
    names: Sequence[str],
    returned: object,
    backward: Callable,
    cache: bool | None = None,
    words: Set[str] = frozenset(),
) -> Calls:
    """Return how backward is to be called, or raise if its signature leaves that open.

    Parameters
    ----------
    names : sequence of str
        Forward's arguments.
    returned : object
        What forward returned.
    backward : callable
    cache : bool or None, optional
        Whether the last of several things that forward returns is the cache; None finds out.
    words : set of str, optional
        The names that forward speaks of: `diff`, of which it speaks, is no gradient from above.
    """
    required, optional, is_open = _parameters(backward)
    is_tuple = isinstance(returned, tuple | list)
    # a setting that forward was handed must reach backward too, whatever its default
    shared = [k for k, name in enumerate(optional, start=1) if name in names]
    least = len(required) + max(shared, default=0)
    most = len(required) + len(optional)
    for count in (*range(least, most + 1), *range(len(required), least)):
        parameters = [*required, *optional][:count]
        found = list(_ways(parameters, names, returned, cache, words))
        if is_open and not found and isinstance(returned, tuple) and cache is not False:
            found = [(2, len(returned) - 1, _above(len(returned) - 1, (CACHE, 0)))]
        if not found:
            continue
        best = min(rank for rank, *_ in found)
        found = list(dict.fromkeys((outs, handed) for rank, outs, handed in found if rank == best))
        if len(found) > 1:
            raise TypeError(_ambiguous(backward, names, returned, parameters))
        outs, handed = found[0]
        takes_above = handed[:1] == ((DOUT, 0),) and parameters
        return Calls(outs, is_tuple, handed, parameters[0] if takes_above else "dout")
    raise TypeError(_ambiguous(backward, names, returned, [*required, *optional]))


def _parameters(backward: Callable) -> tuple[list[str], list[str], bool]:
    """Return the names of what backward needs, of what it may take, and whether of any number."""
    try:
        parameters = inspect.signature(backward).parameters.values()
    except (TypeError, ValueError):
        return [], [], True
    if keyword := [p.name for p in parameters if p.kind == p.KEYWORD_ONLY and p.default is p.empty]:
        raise TypeError(
            f"backward must take its arguments by position, got one that needs "
            f"{', '.join(keyword)} by name"
        )
    placed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return (
        [p.name for p in placed if p.default is p.empty],
        [p.name for p in placed if p.default is not p.empty],
        any(p.kind == p.VAR_POSITIONAL for p in parameters),
    )


def _ways(
    parameters: list[str],
    names: Sequence[str],
    returned: object,
    cache: bool | None,
    words: Set[str],
) -> Iterator[tuple[int, int, tuple[Token, ...]]]:
    """Yield (rank, outputs, what backward is handed) for each way of reading its parameters.

    Arguments that have forward's names are these; then (dout, cache) wins, as the custom is.
    """
    several = list(returned) if isinstance(returned, tuple | list) else [returned]
    splits = [(len(several), False)]
    if isinstance(returned, tuple | list) and len(several) > 1:
        splits = [(len(several) - 1, True), (len(several), False)]
    for outs, has_cache in splits:
        if cache is not None and isinstance(returned, tuple | list) and has_cache != cache:
            continue
        if outs > 1 and not all(map(is_differentiable, several[:outs])):
            continue
        is_loss = outs == 1 and np.ndim(several[0]) == 0
        # a loss has nothing above it, and its backward may take nothing from there
        for above in (outs, 0) if is_loss else (outs,):
            if len(parameters) < above or (not above and not parameters):
                continue
            rest = parameters[above:]
            if set(parameters[:above]) & set(names):  # it takes the inputs alone
                continue
            if not above and parameters[0].lower().startswith(FROM_ABOVE):
                continue
            start = _above(above)
            by_name = _by_name(rest, names, has_cache)
            if by_name is not None:
                yield (0, outs, start + by_name)
            elif has_cache and len(rest) == 1:
                other = rest[0].lower().startswith(FROM_ABOVE) and is_differentiable(several[-1])
                rank = _rank_of_cache(rest[0], words) if other and cache is None else 1
                yield (rank, outs, (*start, (CACHE, 0)))
            elif len(rest) == len(names) > 1 or (has_cache and len(rest) == len(names)):
                yield (2, outs, start + tuple((INPUT, k) for k in range(len(names))))
            elif not rest:
                yield (3, outs, start)


def _rank_of_cache(name: str, words: Set[str]) -> int:
    """Return how likely a name that begins like a gradient's is the cache: 1 if it surely is.

    The other way to read it, a gradient from above for one more output, has rank 3.
    """
    of_output = any(name.startswith(d) and name[len(d) :] in words for d in PREFIXES_OF_GRADIENTS)
    return 3 if (name in words) == of_output else 1 if name in words else 4


def _above(outs: int, *more: Token) -> tuple[Token, ...]:
    return (*((DOUT, k) for k in range(outs)), *more)


def _by_name(rest: list[str], names: Sequence[str], has_cache: bool) -> tuple[Token, ...] | None:
    """Return what parameters are by their names; None if one is not known, or none is."""
    lower = [name.lower() for name in names]
    is_clear = len(set(lower)) == len(lower)
    handed: list[Token] = []
    for name in rest:
        if name in names:
            handed.append((INPUT, list(names).index(name)))
        elif is_clear and name.lower() in lower:  # X for x
            handed.append((INPUT, lower.index(name.lower())))
        elif name in OUTPUT_NAMES:
            handed.append((OUT, 0))
        elif has_cache and len(rest) > 1 and (CACHE, 0) not in handed:
            handed.append((CACHE, 0))
        else:
            return None
    return tuple(handed) if rest else None


def is_differentiable(value: object) -> bool:
    """Tell whether a value is a float array or a float."""
    return isinstance(value, float | np.floating) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )


def _ambiguous(
    backward: Callable, names: Sequence[str], returned: object, parameters: list[str]
) -> str:
    kind = (
        f"{len(returned)} things" if isinstance(returned, tuple | list) else "one thing, the output"
    )
    takes = ", ".join(parameters) or "…"
    return (
        f"backward must take (dout, cache), or (dout, {', '.join(names)}) under forward's names; "
        f"got backward({takes}), where forward({', '.join(names)}) returns {kind}: it is not clear "
        "what to hand to it. Rename its arguments, wrap it in a lambda, or say with cache=True or "
        "cache=False whether the last thing that forward returns is a cache"
    )
