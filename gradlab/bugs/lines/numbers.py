"""What a wrong factor may be called: 1 / N, 2 * lam, or a short number."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import numpy as np

FACTORS = {1: 0, 2: 0.2, 0.5: 0.7, 4: 0.7, 0.25: 0.7, 0.1: 0.7, 0.01: 0.7, 0.9: 0.7, 3: 0.7}
UNNAMED = 1.6  # what costs more than this is no number that a person would have written


UNITS = re.compile(r"(\w+)\.shape\[(\d)\]")
#: Sizes of the batch and the network, which may be taken for each other anywhere.
SIZES = ("N", "K", "T", "H")


def names_of(
    S: float, values: Mapping[str, object], tolerance: float, local: Collection[str] = ()
) -> list[tuple[str, float]]:
    """Return [(formula, cost)] for a number, the simplest first.

    Parameters
    ----------
    S : float
    values : mapping of str to object
        Has the network's sizes.
    tolerance : float
        Relative; how far `S` may be off.
    local : collection of str, optional
        What else the line could speak of: lam, keep, the pixels R1 and C1 of its layer, its units
        W2.shape[1]. Elsewhere these would be coincidences.
    """
    if abs(S) < tolerance:
        return [("0", 0.6)]  # rather say what is left out than that it is multiplied by 0
    found, size, sign = [], abs(S), "-" if S < 0 else ""
    for text, value, cost in _ratios(values, local):
        for factor, more in FACTORS.items():
            # a tenth of a ratio is a coincidence
            is_likely = not text or factor in (1, 2, 0.5)
            if is_likely and abs(factor * value - size) < tolerance * size:
                shown = f"{factor:g} * {text}" if factor != 1 else text
                more += 0.3 * bool(text and factor != 1)
                found.append((sign + (shown if text else f"{factor:g}"), cost + more))
    short = f"{S:.3g}"
    is_short = abs(float(short) - S) < tolerance * size
    found.append((short, 1 + 0.1 * len(short)) if is_short else (f"{S:.17g}", 2 * UNNAMED))
    return sorted(found, key=lambda name: name[1])


def _ratios(
    values: Mapping[str, object], local: Collection[str]
) -> Iterator[tuple[str, float, float]]:
    """Yield (formula, value, cost): 1, the sizes, and what is made of two of them."""
    named = [*SIZES, *({"lam", "keep"} & set(local))]
    sizes = {k: values[k] for k in named if values.get(k, 1) not in (0, 1)}
    for name in local:
        if re.fullmatch(r"R\d", name):
            sizes[f"({name} * C{name[1]})"] = values[name] * values["C" + name[1]]
    if "keep" in sizes:
        sizes["(1 - keep)"] = 1 - sizes["keep"]
    yield "", 1.0, 0
    for a, v in sizes.items():
        yield from ((a, v, 0.4), (f"1 / {a}", 1 / v, 0.4))
        yield from ((f"{a}**2", v**2, 0.7), (f"1 / {a}**2", 1 / v**2, 0.7))
        for b, w in sizes.items():
            if a < b:
                yield from ((f"{a} * {b}", v * w, 0.9), (f"1 / ({a} * {b})", 1 / (v * w), 0.9))
            if a != b:
                yield f"{a} / {b}", v / w, 0.9
    for name in sorted(local):  # a set has no order, and what is told first must not change
        if (found := UNITS.fullmatch(name)) and found[1] in values:
            units = np.shape(values[found[1]])[int(found[2])]
            if units not in FACTORS:
                yield from ((name, units, 0.55), (f"1 / {name}", 1 / units, 0.55))
    n = sizes.get("N", 0)
    if n > 2:
        yield from (
            ("1 / (N - 1)", 1 / (n - 1), 0.5),
            ("N / (N - 1)", n / (n - 1), 0.6),
            ("(N - 1) / N", (n - 1) / n, 0.6),
        )
