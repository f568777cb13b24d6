"""What a panel draws over its paper, as plain data; `board.js` has a function for each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Shape", "bars", "cells", "discs", "line", "pack", "signs", "words"]

Shape = dict[str, Any]
_FIXED_POINT = 32  # steps in a pixel: two bytes a coordinate, and no dot visibly out of its place


def line(ends: np.ndarray, colour: str, width: float) -> Shape:
    """Return a straight line between two points, `ends` (2, 2)."""
    points = [round(float(v), 2) for v in np.ravel(ends)]
    return {"kind": "line", "points": points, "colour": colour, "width": width}


def discs(
    xy: np.ndarray,
    counts: Sequence[int],
    colours: Sequence[str],
    radius: float,
    edge: str | None = None,
) -> Shape:
    """Return discs at `xy` (n, 2), in groups of `counts`, a colour a group."""
    ends = np.cumsum(counts).tolist()
    return {
        "kind": "discs", "xy": _fixed(xy), "ends": ends, "colours": list(colours),
        "radius": radius, "edge": edge,
    }  # fmt: skip


def bars(xy: np.ndarray, half: float, colour: str, width: float) -> Shape:
    """Return horizontal bars around the points `xy` (n, 2), `half` long to each side."""
    return {"kind": "bars", "xy": _fixed(xy), "half": half, "colour": colour, "width": width}


def cells(box: Sequence[float], rgba: np.ndarray) -> Shape:
    """Return a matrix of colours, uint8 (rows, columns, 4), in a box (x, y, width, height)."""
    return {
        "kind": "cells", "box": [round(float(v), 2) for v in box],
        "shape": list(rgba.shape[:2]), "rgba": np.ascontiguousarray(rgba).tobytes(),
    }  # fmt: skip


def signs(xy: np.ndarray, text: str, colour: str, size: float) -> Shape:
    """Return the same short text at many points `xy` (n, 2)."""
    return {"kind": "signs", "xy": _fixed(xy), "text": text, "colour": colour, "size": size}


def words(
    items: Sequence[tuple[float, float, str]], colour: str, size: float, align: str = "center"
) -> Shape:
    """Return short texts, each at its point (x, y, text), "center"ed there or ending "right"."""
    told = [[round(float(x), 1), round(float(y), 1), text] for x, y, text in items]
    return {"kind": "words", "items": told, "colour": colour, "size": size, "align": align}


def pack(shapes: Mapping[str, Sequence[Shape]]) -> tuple[dict[str, list[Shape]], bytes]:
    """Return the shapes with [start, stop] where they had bytes, and all the bytes as one.

    On its way through kernel, server and page every buffer of a message is handled apart.
    """
    parts: list[bytes] = []
    start = 0
    packed: dict[str, list[Shape]] = {}
    for name, drawn in shapes.items():
        packed[name] = []
        for shape in drawn:
            told = dict(shape)
            for key in ("xy", "rgba"):
                if key in told:
                    parts.append(told[key])
                    told[key] = [start, start + len(parts[-1])]
                    start += len(parts[-1])
            packed[name].append(told)
    return packed, b"".join(parts)


def _fixed(xy: np.ndarray) -> bytes:
    return np.clip(np.rint(xy * _FIXED_POINT), 0, 65535).astype("<u2").tobytes()
