"""The loss along one weight: a difference's points, its secant, and backpropagation's tangent."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any, ClassVar

import numpy as np

from gradlab.checking import BANDS
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.lab.model.weight import Weight
from gradlab.lab.text.words import two_digits
from gradlab.plots.chart import Axis, Chart, Legend, Mark, curve, dots, segments, words
from gradlab.plots.scales import EPS_RANGE, power_of_ten

__all__ = ["LossAlongPanel"]

_LEVELS = 24  # gaps between floating-point numbers that are drawn, at most
_NUMERICAL, _ANALYTIC, _DASH = "layer0", "layer1", (4.0, 2.5)
_APART = 0.08  # of half the window: kinks that get a sign each
_HEAD = 0.5  # room above the curve for the numbers, of the curve's own height
_WHY = {
    "ok": "agrees",
    "subgradient": "at a kink, between its slopes",
    "zero": "both are 0",
    "bug": "differs",
    "kink": "kink crossed",
    "jumps": "the loss jumps",
    "noise": "too rough to tell",
    "slight": "differs slightly",
    "flat": "the loss stands still",
    "open": "undecided",
    "": "not among those checked",
}
_SIGNS = {"ok": "✓", "subgradient": "✓", "zero": "✓", "bug": "✗"}
_VERDICTS = {"✓": "correct", "✗": "wrong", "?": "inconclusive"}


class LossAlongPanel(Panel):
    """L(w + t) − L(w) over t. The window follows the step, a power of ten at a time."""

    name: ClassVar[str] = "loss_along"
    title: ClassVar[str] = "The loss along one weight"
    width: ClassVar[float] = 23.0
    hint: ClassVar[str] = "Click to set a step as far as there; the weight stays."

    def fits(self, result: Result) -> str:
        """Return why there is no weight to look at."""
        if result.report[result.tensor].directional:
            return "directions were checked, through all weights at once: there is no one weight"
        return "" if math.isfinite(result.weight.base) else "the loss is not finite here"

    def key(self, result: Result) -> Hashable:
        """Return the weight and the window."""
        weight = result.weight
        return result.problem, weight.tensor, weight.entry, weight.window

    def still(self, result: Result) -> Chart:
        """Return the curve over the window, with its kinks."""
        weight, half = result.weight, result.weight.window
        t, rise = weight.curve
        low, high = _range(weight)
        levels = _levels(low, high, weight.gap)
        marks: list[Mark] = []
        claim = "backprop, a" if result.net is not None else "gradient, a"
        legend = [Legend("difference, n", _NUMERICAL), Legend(claim, _ANALYTIC, _DASH)]
        if len(levels):
            marks.append(segments(-half, levels, half, levels, "grid"))
        if not weight.along.redrawn:
            marks.append(curve(t, rise, "ink", 0.8 if len(levels) else 1.6))
            if len(kinks := weight.along.kinks(np.linspace(-half, half, len(t)))):
                marks += _kink_marks(kinks, weight)
                legend.append(Legend("kink", "inconclusive", sign="∧"))
        if weight.along.redrawn or len(levels):
            marks.append(dots(t, rise, ["ink"], radius=1.8))
        x_ticks, x_unit = _ticks(-half, half)
        y_ticks, y_unit = _ticks(low, high)
        return Chart(
            f"The loss along {weight.name}",
            Axis(-half, half, f"t, added to the weight{x_unit}", ticks=x_ticks),
            Axis(low, high, f"L(w + t) − L(w){y_unit}", ticks=y_ticks),
            marks,
            note=_note(weight, len(levels)),
            legend=legend,
        )

    def moving(self, result: Result) -> list[Mark]:
        """Return the points of the difference, the two lines, and the numbers."""
        weight = result.weight
        taken, rise, slope = weight.difference
        ends = weight.window * np.array([-1.0, 1.0])
        # through the points: of the five-point formula through the middle of the near ones
        t, height = (float(np.mean(v[:2])) if len(v) else 0.0 for v in (taken, rise))
        return [
            curve(ends, height + slope * (ends - t), _NUMERICAL, 1.8),
            curve(ends, weight.analytic * ends, _ANALYTIC, 1.8, _DASH),
            dots(taken, rise, [_NUMERICAL], radius=4.0, edge="paper"),
            *_numbers(weight),
        ]

    def alt(self, result: Result) -> str:
        """Return the weight, both slopes and what the check thinks of them."""
        w = result.weight
        error = "" if math.isnan(w.error) else f", relative error {two_digits(w.error)}"
        text = (
            f"The loss along {w.name} = {w.value:.3g}, from {w.window:.1g} below to as much above. "
            f"Slope of the gradient's tangent: {_number(w.analytic)}; of the difference, "
            f"{_points(w)}: {_number(w.numerical)}{error}; {_why(w)}."
        )
        if w.along.redrawn:
            text += " Every evaluation has masks of its own, so the dots are on no curve."
        if _apart(w):
            text += f" The points shown were evaluated again: {_number(w.difference[2])}."
        return text

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the step that reaches as far as the click, and the weight: the worst one hops."""
        low, high = EPS_RANGE
        eps = min(max(abs(float(x)), low), high)
        return {"eps": eps, "tensor": result.tensor, "entry": result.entry}


def _range(weight: Weight) -> tuple[float, float]:
    """Return what of y is shown: the curve, and room above it for three lines of text."""
    rise = weight.curve[1]
    low, high = float(np.nanmin(rise)), float(np.nanmax(rise))
    least = max(6 * weight.gap, 1e-25)  # a flat curve; the browser's numbers end at 1e-38
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    size = high - low
    around = 0.3 if weight.along.redrawn else 0.08  # other draws may fall further out
    return low - around * size, high + (around + _HEAD) * size


def _levels(low: float, high: float, gap: float) -> np.ndarray:
    """Return the only heights that a loss can have, where they are few enough to be drawn."""
    if not 0 < high - low <= _LEVELS * gap:
        return np.zeros(0)
    return gap * np.arange(math.ceil(low / gap), math.floor(high / gap) + 1)


def _kink_marks(kinks: np.ndarray, weight: Weight) -> list[Mark]:
    t, rise = weight.curve
    height, (low, _) = np.interp(kinks, t, rise), _range(weight)
    named = [0]  # signs that would overlap are left out
    for i in range(1, len(kinks)):
        if kinks[i] - kinks[named[-1]] > _APART * weight.window:
            named.append(i)
    signs = ["∧"] * len(named)
    return [
        segments(kinks, low, kinks, height, "inconclusive", dash=(1.0, 2.0)),
        words(kinks[named], height[named], signs, "inconclusive", 0.9, base="bottom", dy=0.1),
    ]


def _numbers(weight: Weight) -> list[Mark]:
    """Return a, n and the error in the upper corner that the curve leaves free."""
    rise = weight.curve[1]
    falls = np.nan_to_num(rise[-1]) < np.nan_to_num(rise[0])
    side, align = (1, "right") if falls else (-1, "left")
    error = "" if math.isnan(weight.error) else f"Δ = {two_digits(weight.error)}  "
    sign = _SIGNS.get(weight.mark, "?")
    again = f"; evaluated again: {weight.difference[2]:.2g}" if _apart(weight) else ""
    lines = (
        (f"n = {_number(weight.numerical)}{again}", _NUMERICAL),
        (f"a = {_number(weight.analytic)}", _ANALYTIC),
        (f"{error}{sign} {_why(weight)}", _VERDICTS[sign]),
    )
    top = _range(weight)[1]
    return [
        words(
            side * weight.window,
            top,
            [text],
            colour,
            0.85,
            align,
            "top",
            dx=-0.4 * side,
            dy=0.2 + 1.15 * row,
            halo=True,
        )
        for row, (text, colour) in enumerate(lines)
    ]


def _number(slope: float) -> str:
    return "not defined" if math.isnan(slope) else f"{slope:.5g}"


def _why(weight: Weight) -> str:
    if weight.mark == "kink" and weight.kinks > 1:
        return f"{weight.kinks} kinks crossed"
    if weight.mark == "ok" and weight.error > BANDS[1][0]:
        return "tiny in its tensor"
    if weight.mark == "noise" and weight.rule.subtracts and not weight.along.redrawn:
        result = weight.result
        too_far = result.settings.eps > result.sweep.predicted_best_eps
        return "the step is too far" if too_far else "lost in round-off"
    return _WHY[weight.mark]


def _points(weight: Weight) -> str:
    """Return where the difference evaluates the loss, in words."""
    eps = f"{weight.result.settings.eps:.2g}"
    return {
        "forward": f"from w to w + {eps}",
        "central": f"from w − {eps} to w + {eps}",
        "five_point": f"from four points, {eps} and twice that to both sides",
        "complex_step": f"from w + {eps} i, which is off this line",
    }[weight.rule.name]


def _apart(weight: Weight) -> bool:
    """Return whether the points shown, evaluated again, give visibly another slope."""
    n, again = weight.numerical, weight.difference[2]
    return abs(again - n) > 0.01 * max(abs(n), abs(again))


def _note(weight: Weight, levels: int) -> str:
    base = f"w = {weight.value:.3g}, L(w) = {weight.base:.3g}"
    if weight.along.redrawn:
        return f"{base}; masks anew at each dot"
    if levels:
        return f"{base}; grey: its possible values"
    if not weight.rule.subtracts:
        return f"{base}; w + i·eps is off this line"
    return base


def _ticks(low: float, high: float) -> tuple[tuple[tuple[float, str], ...], str]:
    """Return a few ticks as small numbers, and the unit that they are in, for the axis' label."""
    exponent = math.floor(math.log10(max(abs(low), abs(high))))
    unit = 1.0 if -2 <= exponent <= 3 else 10.0**exponent
    size = (high - low) / unit
    stride = 10.0 ** math.floor(math.log10(size))
    stride *= next(m for m in (0.2, 0.5, 1, 2) if size / (m * stride) <= 5)
    counts = range(
        math.ceil(low / unit / stride - 1e-9), math.floor(high / unit / stride + 1e-9) + 1
    )
    texts = ((k * stride * unit, f"{k * stride:.4g}".replace("-", "−")) for k in counts)
    return tuple(texts), "" if unit == 1.0 else f", in {power_of_ten(unit)}"
