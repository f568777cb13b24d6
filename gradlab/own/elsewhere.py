"""Other inputs of a layer, and its true slopes there, along random directions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from gradlab.checking.source.elsewhere import STEP, Elsewhere, slope_of
from gradlab.own.calls import DOUT
from gradlab.own.layer_code import LayerCode, projection

SHIFTS = (0.5, 0.1, 0.01)  # of the inputs, the smaller ones where the layer is not defined
POINTS = 2
DIRECTIONS = 2

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class OtherInputs(Elsewhere):
    """Inputs, what comes from above, and slopes.

    Attributes
    ----------
    inputs : dict of str to object
    above : list of ndarray
    """

    inputs: Mapping[str, object]
    above: list[np.ndarray]


def places(code: LayerCode) -> list[OtherInputs]:
    """Return other inputs: of the same shapes, and with one size larger by one, where that works.

    Sizes that coincide do so no more there: a factor 1/5 is told from one over five examples.
    """
    found = [_first(code, 0, _shifted(code, 0))]
    found += [
        _first(code, k, chain(_shifted(code, k, _drawn(code, k)), _shifted(code, k)))
        for k in range(1, POINTS)
    ]
    found += [_first(code, POINTS + k, [larger]) for k, larger in enumerate(_larger(code))]
    return [place for place in found if place is not None]


def _first(code: LayerCode, seed: int, tried: object) -> OtherInputs | None:
    """Return the first of several inputs on which the layer is defined, with its slopes there."""
    for inputs in tried:
        try:
            place = _with_slopes(code, inputs, np.random.default_rng(seed), seed)
        except Exception:  # anybody's code, at inputs of our choice
            continue
        if place is not None:
            return place
    return None


def _with_slopes(
    code: LayerCode, inputs: Arrays, rng: np.random.Generator, seed: int
) -> OtherInputs | None:
    outs = code.at(inputs)[0]
    above = projection([out.shape for out in outs], np.dtype(float), 2 + seed)
    if not any(kind == DOUT for kind, _ in code.calls.handed):  # a loss with nothing above it
        above = [np.ones(())]
    code.at(inputs, above)  # wrong as it is, it must run

    def loss(name: str, moved: np.ndarray) -> tuple[float, float]:
        outs = code.at({**inputs, name: moved})[0]
        parts = [np.sum(a * out) for a, out in zip(above, outs, strict=True)]
        return sum(parts), sum(np.sum(np.abs(a * o)) for a, o in zip(above, outs, strict=True))

    slopes = []
    for name in code.checked:
        for _ in range(DIRECTIONS):
            along = rng.standard_normal(np.shape(inputs[name]))
            up, size = loss(name, inputs[name] + STEP * along)
            down = loss(name, inputs[name] - STEP * along)[0]
            slopes.append(slope_of(name, along, up, down, size))
    if not all(np.isfinite(slope) for _, _, slope, _ in slopes):
        return None
    return OtherInputs(inputs, above, slopes=slopes, is_larger=seed >= POINTS)


def _drawn(code: LayerCode, seed: int) -> dict[str, np.ndarray]:
    """Return labels, indices and masks of other examples: in another order, one for another.

    Where they stay the same, a sum of theirs can be taken for a size.
    """
    whole = {k: v for k, v in code.inputs.items() if isinstance(v, np.ndarray) and v.ndim}
    whole = {k: v for k, v in whole.items() if v.dtype.kind in "biu" and len(v)}
    rows = {}
    for size in {len(value) for value in whole.values()}:
        rows[size] = np.random.default_rng([13, seed, size]).permutation(size)
        rows[size][0] = rows[size][-1]
    return {name: value[rows[len(value)]] for name, value in whole.items()}


def _shifted(
    code: LayerCode, seed: int, drawn: Mapping[str, np.ndarray] = {}
) -> Iterator[dict[str, object]]:
    """Yield the inputs shifted at random, in float64, further at first."""
    for names in (code.floats, code.checked):
        for shift in SHIFTS:
            rng = np.random.default_rng([7, seed])
            yield {
                name: np.asarray(value, float)
                + shift * rng.standard_normal(value.shape) * (name in names)
                if name in code.floats
                else drawn.get(name, value)
                for name, value in code.inputs.items()
            }


def _larger(code: LayerCode) -> Iterator[dict[str, object]]:
    """Yield the inputs with all axes of one size longer by one; with the first axes alone, too.

    And with one array's first alone: as many examples as a kernel has rows are told from these.
    Not of arrays of one shape, whose examples may be pairs: right code need not take it otherwise.
    """
    arrays = {k: v for k, v in code.inputs.items() if isinstance(v, np.ndarray) and v.ndim}
    sizes = dict.fromkeys(n for v in arrays.values() for n in v.shape if n > 1)
    for size in sizes:
        axes = {k: [a for a, n in enumerate(v.shape) if n == size] for k, v in arrays.items()}
        first = {k: [a for a in found if a == 0] for k, found in axes.items()}
        rest = {k: [a for a in found if a > 0] for k, found in axes.items()}
        tried = [axes]
        tried += [some for some in (first, rest) if any(some.values()) and some != axes]
        longer = [k for k, found in first.items() if found]
        alone = [k for k in longer if [arrays[o].shape for o in longer].count(arrays[k].shape) == 1]
        tried += [{one: first[one]} for one in alone] * (len(longer) > 1)
        for some in tried:
            rng, inputs = np.random.default_rng(size), dict(code.inputs)
            for name, value in arrays.items():
                for axis in some.get(name, ()):
                    value = np.concatenate([value, value.take([0], axis)], axis)
                if name in code.floats:
                    value = value.astype(float) + 0.1 * rng.standard_normal(value.shape)
                inputs[name] = value
            yield inputs
