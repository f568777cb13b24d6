"""The U-curve of a sweep: each tensor's error against the step, on logarithmic axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gradlab.checking.blocks import Table
from gradlab.checking.errors import BANDS
from gradlab.checking.saved import svg

if TYPE_CHECKING:
    from gradlab.checking.sweeps import EpsSweep

WIDTH, HEIGHT = 1000, 430
LEFT, RIGHT, TOP, BOTTOM = 80.0, 790.0, 30.0, 380.0
LOW, HIGH = 3e-17, 4.0
HUES, DASHES = 5, ("none", "7 4", "2 4", "10 3 2 3")
MOST = 16  # tensors that the legend names
NAME = 22  # characters of a name that fit into it
CAPTION = (
    "Each line is a tensor: its {measure} against the step eps of {scheme} differences. To the "
    "right the step is too long (truncation), to the left too short (round-off); the dotted lines "
    "are what both were predicted to be. A line that stays high at every step is a wrong gradient, "
    "or entries too small to matter, or a loss that is another one at each call: the verdict tells."
)


def curve(sweep: EpsSweep, eps: float | None) -> str:
    """Return the figure, with a line at `eps` if it is given, and the best steps as a table."""
    low, high = float(sweep.eps.min()), float(sweep.eps.max())
    if low == high:  # one step: no axis has a length of 0
        low, high = low / 10, high * 10
    x = svg.LogAxis(low, high, LEFT, RIGHT)
    y = svg.LogAxis(LOW, HIGH, BOTTOM, TOP)
    parts = [*_frame(x, y), *_kinks(sweep, x), *_predicted(sweep, x, y), *_steps(sweep, eps, x)]
    for i, (name, errors) in enumerate(sweep.errors.items()):
        parts += _tensor(i, name, len(sweep.errors), sweep.eps, errors, x, y)
    rows = []
    for name, errors in sweep.errors.items():
        least = float(np.nanmin(errors, initial=math.inf))
        best = f"{sweep.best_eps[name]:.1e}" if least <= BANDS[2][0] else "none: high at every step"
        rows.append((name, best, f"{least:.1e}"))
    told = "; ".join(f"{name}: error {error}, best step {step}" for name, step, error in rows)
    measure = "norm ratio" if sweep.measure == "norm_ratio" else "largest relative error"
    caption = CAPTION.format(measure=measure, scheme=sweep.scheme)
    table = Table(("tensor", "best step found", "error there"), rows).html()
    return (
        svg.figure(WIDTH, HEIGHT, f"The U-curve. Smallest errors: {told}", parts, caption)
        + f'<div class="wide" tabindex="0" role="group" aria-label="Best steps">{table}</div>'
    )


def _frame(x: svg.LogAxis, y: svg.LogAxis) -> list[str]:
    """Return the axes with their lines, numbers and names."""
    parts = [svg.box(LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, "frame")]
    decades = math.log10(x.high / x.low)
    for power in x.powers(2 if decades > 8 else 1):
        at = x.at(10.0**power)
        parts.append(svg.line(at, TOP, at, BOTTOM, "grid"))
        parts.append(svg.text(at, BOTTOM + 17, svg.power_of_ten(power), "small", "middle"))
    for power in y.powers(4):
        at = y.at(10.0**power)
        parts.append(svg.line(LEFT, at, RIGHT, at, "grid"))
        parts.append(svg.text(LEFT - 8, at + 4, svg.power_of_ten(power), "small", "end"))
    parts.append(svg.text((LEFT + RIGHT) / 2, BOTTOM + 40, "step eps", "small", "middle"))
    return [*parts, svg.text(LEFT - 8, TOP - 10, "error", "small", "end")]


def _kinks(sweep: EpsSweep, x: svg.LogAxis) -> list[str]:
    """Return the stretch of steps that cross kinks, said in words."""
    if not math.isfinite(sweep.kinks_from):
        return []
    start = x.at(sweep.kinks_from)
    words = f"from {sweep.kinks_from:.0e} on, steps cross kinks"
    inside = RIGHT - start > 7 * len(words)
    return [
        svg.box(start, TOP, RIGHT - start, BOTTOM - TOP, "kinks"),
        svg.line(start, TOP, start, BOTTOM, "predicted"),
        svg.text(
            start + 6 if inside else RIGHT - 6,
            BOTTOM - 8,
            words,
            "small",
            None if inside else "end",
        ),
    ]


def _predicted(sweep: EpsSweep, x: svg.LogAxis, y: svg.LogAxis) -> list[str]:
    """Return the slopes that round-off and truncation were predicted to have."""
    parts = []
    for errors in (sweep.round_off, sweep.truncation):
        inside = (errors > LOW) & (errors < 1)
        parts.append(_path(sweep.eps[inside], errors[inside], x, y, "predicted"))
    return parts


def _steps(sweep: EpsSweep, eps: float | None, x: svg.LogAxis) -> list[str]:
    """Return upright lines at the predicted best step and at the one that was checked with."""
    steps = [(sweep.predicted_best_eps, "predicted best", "predicted")]
    if eps is not None:
        steps.append((eps, "checked at", "bar"))
    steps = sorted(step for step in steps if x.low <= step[0] <= x.high)
    parts = []
    for k, (step, words, look) in enumerate(steps):  # the words of two go away from each other
        at = x.at(step)
        anchor = "middle" if len(steps) == 1 else ("end", "start")[k]
        parts.append(svg.line(at, TOP, at, BOTTOM, look))
        parts.append(svg.text(at, TOP - 9, f"{words} {step:.0e}", "small", anchor))
    return parts


def _tensor(
    i: int,
    name: str,
    count: int,
    steps: np.ndarray,
    errors: np.ndarray,
    x: svg.LogAxis,
    y: svg.LogAxis,
) -> list[str]:
    """Return a tensor's line and its place in the legend."""
    look = f"curve hue{i % HUES}"
    dash = DASHES[(i // HUES + i % HUES) % len(DASHES)]
    parts = [_path(steps, errors, x, y, look, dash, name)]
    height = TOP + 12 + 21 * i
    if i < MOST:
        key = svg.element(
            "path", d=f"M{RIGHT + 14:.0f} {height:.0f}h34", class_=look, stroke_dasharray=dash
        )
        parts += [key, svg.text(RIGHT + 56, height + 4, svg.shortened(name, NAME), "small")]
    elif i == MOST:
        words = f"and {count - MOST} more: see the table"
        parts.append(svg.text(RIGHT + 14, height + 4, words, "small"))
    return parts


def _path(
    steps: np.ndarray,
    errors: np.ndarray,
    x: svg.LogAxis,
    y: svg.LogAxis,
    look: str,
    dash: str | None = None,
    name: str = "",
) -> str:
    """Return a line through the points, in the order of the steps."""
    order = np.argsort(steps, kind="stable")
    points = [f"{x.at(float(steps[k])):.1f} {y.at(float(errors[k])):.1f}" for k in order]
    if not points:
        return ""
    told = [svg.title(name)] if name else []
    lines = "M" + "L".join([*points, *points[-1:]] if len(points) == 1 else points)
    return svg.element("path", *told, d=lines, class_=look, stroke_dasharray=dash)
