"""Charts and marks as a browser takes them: plain values, and all numbers in one buffer.

On its way through kernel, server and page every buffer of a message is handled apart, and 32 bits
do not hold data (a loss of 0.6931 that moves by 1e-9). So a message has one buffer, and what it
holds are shares of the axes: 0 at the low end, 1 at the high end, in the axis's own scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np

from gradlab.plots.chart import Axis, Chart, Mark
from gradlab.plots.scales import ticks_of

__all__ = ["pack_chart", "pack_ghost", "pack_ink", "shares"]

_FAR = 1e4  # shares: so far outside nobody sees a difference, and a canvas can draw it
_TINY = 1e-300  # where a logarithmic axis draws 0, and what is below it


def shares(values: np.ndarray, axis: Axis) -> np.ndarray:
    """Return where data `values` stand on `axis`, 0 … 1 inside of it; NaN stays NaN."""
    low, high = axis.low, axis.high
    if axis.log:
        values, low, high = (np.log10(np.maximum(v, _TINY)) for v in (values, low, high))
    return np.clip((values - low) / ((high - low) or 1.0), -_FAR, _FAR)


def pack_chart(chart: Chart) -> dict[str, Any]:
    """Return `chart` as plain data, the numbers of its marks in "bytes"."""
    numbers = _Numbers()
    told = {
        "title": chart.title,
        "aside": chart.aside,
        "note": chart.note,
        "legend": [asdict(entry) for entry in chart.legend],
        "framed": chart.framed,
        "square": chart.square,
        "right": chart.right,
        "bottom": chart.bottom,
        **_axes(chart),
        "marks": numbers.take(chart.marks, chart),
    }
    return told | {"bytes": numbers.joined()}


def pack_ink(
    marks: Mapping[str, Sequence[Mark]], charts: Mapping[str, Chart]
) -> tuple[dict[str, list[Mark]], bytes]:
    """Return what moves, by panel, each on the axes of its panel's chart; and its numbers."""
    numbers = _Numbers()
    packed = {name: numbers.take(moving, charts[name]) for name, moving in marks.items()}
    return packed, numbers.joined()


def pack_ghost(shown: Mapping[str, tuple[Chart, Sequence[Mark]]]) -> dict[str, Any]:
    """Return the curves and dots of the charts `shown` and of what moved there; {} of none."""
    numbers = _Numbers()
    charts = {}
    for name, (chart, moving) in shown.items():
        kept = [m for m in (*chart.marks, *moving) if m["kind"] in ("curve", "dots")]
        charts[name] = {**_axes(chart), "marks": numbers.take(kept, chart)}
    return {"charts": charts, "bytes": numbers.joined()} if charts else {}


class _Numbers:
    """Collects arrays; each becomes [first byte, how many numbers]."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def take(self, marks: Iterable[Mark], chart: Chart) -> list[Mark]:
        """Return the marks with [first byte, how many numbers] where they had an array."""
        packed = [dict(mark) for mark in marks]
        for letter, axis in (("x", chart.x), ("y", chart.y)):
            self._take_along(letter, axis, packed)
        for mark in packed:
            if "box" in mark:
                ends = zip(mark["box"], (chart.x, chart.y) * 2, strict=True)
                mark["box"] = [float(shares(value, axis)) for value, axis in ends]
            if "rgba" in mark:
                mark["shape"] = list(mark["rgba"].shape[:2])
                mark["rgba"] = self._add(mark["rgba"])
        return packed

    def _take_along(self, letter: str, axis: Axis, marks: list[Mark]) -> None:
        """Put the arrays of the marks that lie along one axis into the buffer, all at once."""
        places = [
            (mark, key)
            for mark in marks
            for key, value in mark.items()
            if key[0] == letter and isinstance(value, np.ndarray)
        ]
        if not places:
            return
        arrays = [mark[key] for mark, key in places]
        start, _ = self._add(shares(np.concatenate(arrays), axis).astype("<f4"))
        for (mark, key), array in zip(places, arrays, strict=True):
            mark[key] = [start, array.size]
            start += 4 * array.size

    def joined(self) -> bytes:
        """Return all arrays, one after the other; each begins at a multiple of four bytes."""
        return b"".join(self._parts)

    def _add(self, array: np.ndarray) -> list[int]:
        place = [self._size, array.size]
        self._parts.append(array.tobytes())
        self._size += array.nbytes
        return place


def _axes(chart: Chart) -> dict[str, dict[str, Any]]:
    return {"x": _axis(chart.x), "y": _axis(chart.y)}


@lru_cache(maxsize=256)
def _axis(axis: Axis) -> dict[str, Any]:
    """Return an axis with the ticks that it has as a whole, and whether others may be found."""
    ticks = ticks_of(axis)
    at = shares(np.array([value for value, _ in ticks]), axis).tolist()
    return {
        "low": float(axis.low),
        "high": float(axis.high),
        "log": axis.log,
        "label": axis.label,
        "ticks": list(zip(at, (text for _, text in ticks), strict=True)),
        "free": axis.log or axis.ticks is None,
    }
