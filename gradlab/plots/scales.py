"""The axes that the panels share, where ticks stand, and what is written at them."""

from __future__ import annotations

import itertools
import math

import numpy as np

from gradlab.checking import BANDS
from gradlab.plots.chart import Axis, Mark, boxes

__all__ = [
    "EPS_RANGE",
    "ERROR_RANGE",
    "clip_errors",
    "eps_axis",
    "error_axis",
    "error_bands",
    "power_of_ten",
    "ticks_of",
]

EPS_RANGE = (1e-13, 1e-1)
#: Errors outside are drawn on the edge: 0 has no place on a logarithmic axis. No relative error
#: exceeds 2; above it is room for the verdicts.
ERROR_RANGE = (1e-17, 150.0)
_ERROR_TICKS = (1e-16, 1e-13, 1e-10, 1e-7, 1e-4, 1e-2, 1.0)
_EPS_TICKS = (1e-13, 1e-11, 1e-9, 1e-7, 1e-5, 1e-3, 1e-1)
_MOST_TICKS = 7
_HAIR = 1e-9  # by so much of a stride rounding may move a tick over an axis' end
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float) -> str:
    """`1e-7` as "10⁻⁷" in plain Unicode, which draws ten times faster than mathtext."""
    exponent = round(float(np.log10(value)))
    return "1" if exponent == 0 else "10" + str(exponent).translate(_SUPERSCRIPT)


def clip_errors(errors: np.ndarray) -> np.ndarray:
    """Return errors moved onto the drawn range; NaN and infinity go to the upper edge."""
    low, high = 2 * ERROR_RANGE[0], 2.0
    return np.maximum(np.fmin(errors, high), low)  # fmin: NaN gives way


def eps_axis(label: str = "step eps") -> Axis:
    """Return the shared axis of the step."""
    return Axis(*EPS_RANGE, label, log=True, ticks=_named(_EPS_TICKS))


def error_axis() -> Axis:
    """Return the logarithmic axis of errors; each picture has its ticks, being as high as it is."""
    return Axis(*ERROR_RANGE, log=True, ticks=_named(_ERROR_TICKS))


def error_bands(left: float, right: float) -> list[Mark]:
    """Return the bands of `gradlab.checking.BANDS`, as boxes from `left` to `right`."""
    edges = [ERROR_RANGE[0], *(min(edge, ERROR_RANGE[1]) for edge, _ in BANDS)]
    return [
        boxes(left, low, right, high, f"band{i}")
        for i, (low, high) in enumerate(itertools.pairwise(edges))
    ]


def ticks_of(axis: Axis) -> tuple[tuple[float, str], ...]:
    """Return where which text stands: the axis' own ticks, or at most seven round numbers."""
    if axis.ticks is not None:
        return axis.ticks
    if axis.log:
        first = math.ceil(math.log10(axis.low) - _HAIR)
        last = math.floor(math.log10(axis.high) + _HAIR)
        if last > first:  # else it is shorter than a decade or two
            stride = math.ceil((last - first + 1) / _MOST_TICKS)
            # counted from 1, so that 1 is one of them wherever it is in the range
            return _named([10.0**e for e in range(first, last + 1) if e % stride == 0])
    low, high = sorted((axis.low, axis.high))
    decade = 10.0 ** math.floor(math.log10(high - low))
    strides = (m * decade / 10 for m in (2, 5, 10, 20))
    stride = next(s for s in strides if (high - low) / s < _MOST_TICKS - _HAIR)
    counts = range(math.ceil(low / stride - _HAIR), math.floor(high / stride + _HAIR) + 1)
    return tuple((k * stride, f"{k * stride:.6g}".replace("-", "−")) for k in counts)


def _named(values: tuple[float, ...] | list[float]) -> tuple[tuple[float, str], ...]:
    return tuple((value, power_of_ten(value)) for value in values)
