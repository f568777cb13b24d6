"""Every entry's relative error, a strip a tensor, on one logarithmic axis."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from gradlab.checking.errors import BANDS
from gradlab.checking.judge import AGREES, BUG, ZERO
from gradlab.checking.saved import svg
from gradlab.checking.verdict import SIGNS, in_digits

if TYPE_CHECKING:
    from gradlab.checking.report import Report, TensorReport

WIDTH = 1000
LEFT, NIL, RIGHT = 170.0, 190.0, 832.0  # names before it; errors of exactly 0 stand at NIL
TOP, ROW, SPREAD = 42.0, 48.0, 15.0
AXIS = svg.LogAxis(3e-17, 2.0, 214.0, RIGHT)
NAME = 19  # characters of a name that fit before the strip
COUNTS = 26  # characters of a line beside the strip
WHOLE = 1000  # of more dots, those that fall on the same pixels are drawn once
HINTS = 2000  # dots with a hint each; of more, only those that do not agree
_GOLDEN = 0.6180339887498949
FORMULAS = {"sum_relative": "|a − n| / (|a| + |n|)"}  # every other measure's entries: max-relative
CAPTION = (
    "A dot is an entry: its relative error {formula} of the analytic and the numerical gradient. "
    "● agrees, ✕ is wrong, ○ was not decided, and a small ring at 0 is 0 = 0, which proves "
    "nothing; {bar}. The words above are "
    "customs: the verdict does not depend on them, but on how far each numerical entry may be off, "
    "so that a small entry may agree with a large relative error."
)


def strips(report: Report) -> str:
    """Return the figure."""
    tensors = list(report.tensors.values())
    bottom = TOP + ROW * len(tensors)
    shown = [_shown(tensor) for tensor in tensors]
    hints = sum(map(len, shown)) <= HINTS
    parts = [
        *_bands(bottom),
        *_ticks(bottom),
        *(
            part
            for i, (tensor, dots) in enumerate(zip(tensors, shown, strict=True))
            for part in _strip(tensor, TOP + ROW * (i + 0.5), dots, hints)
        ),
    ]
    told = "; ".join(
        f"{t.name}: {t.verdict}, largest error {t.error:.1e}, {counted(t)}" for t in tensors
    )
    bar = "the bar is the tensor's largest"
    if report.measure == "norm_ratio":
        bar = "the bar is the tensor's norm ratio ‖a − n‖ / (‖a‖ + ‖n‖)"
    formula = FORMULAS.get(report.measure, "|a − n| / max(|a|, |n|)")
    return svg.figure(
        WIDTH,
        bottom + 46,
        f"Relative error of every entry. {told}",
        parts,
        CAPTION.format(bar=bar, formula=formula),
    )


def counted(tensor: TensorReport) -> str:
    """Return how many entries are wrong, were not decided, agree, and are 0 on both sides."""
    wrong, agree = _kinds(tensor)
    zero = tensor.marks.ravel() == ZERO
    masks = (wrong, ~wrong & ~agree, agree & ~zero, zero)
    numbers = [int(mask.sum()) for mask in masks]
    words = ("wrong", "undecided", "agree", "are 0 = 0")
    return ", ".join(f"{n} {word}" for n, word in zip(numbers, words, strict=True) if n)


def _kinds(tensor: TensorReport) -> tuple[np.ndarray, np.ndarray]:
    marks = tensor.marks.ravel()
    return marks == BUG, np.isin(marks, AGREES)


def _bands(bottom: float) -> list[str]:
    """Return the bands with their names above."""
    parts, low = [], AXIS.low
    for i, (high, name) in enumerate(BANDS):
        x, end = LEFT if i == 0 else AXIS.at(low), AXIS.at(high)
        parts.append(svg.box(x, TOP, end - x, bottom - TOP, f"band{i}"))
        words = [name] if i == 0 else name.rsplit(maxsplit=1)  # narrow: a word below the other
        for k, word in enumerate(words):
            up = TOP - 8 - 14 * (len(words) - 1 - k)
            parts.append(svg.text((x + end) / 2, up, word, "small", "middle"))
        low = high
    return parts


def _ticks(bottom: float) -> list[str]:
    """Return the lines of the axis, its numbers and its name."""
    parts = [
        svg.line(NIL, TOP, NIL, bottom, "grid"),
        svg.text(NIL, bottom + 16, "0", "small", "middle"),
    ]
    for power in AXIS.powers(2):
        x = AXIS.at(10.0**power)
        parts.append(svg.line(x, TOP, x, bottom, "grid"))
        parts.append(svg.text(x, bottom + 16, svg.power_of_ten(power), "small", "middle"))
    words = "relative error of each entry, from exactly 0 on the left"
    return [*parts, svg.text((LEFT + RIGHT) / 2, bottom + 36, words, "small", "middle")]


def _strip(tensor: TensorReport, y: float, shown: np.ndarray, hints: bool) -> list[str]:
    """Return one tensor's name, dots, bar, verdict and counts."""
    errors = tensor.errors.ravel()
    wrong, agree = _kinds(tensor)
    dots = [
        _dot(
            _at(errors[k]),
            _across(k, y),
            wrong[k],
            agree[k],
            tensor.marks.flat[k] == ZERO,
            _hint(tensor, k) if hints or not agree[k] else "",
        )
        for k in shown
    ]
    bar = _at(tensor.error)
    short = svg.text(LEFT - 12, y + 5, svg.shortened(tensor.name, NAME), "name mono", "end")
    name = svg.element("g", svg.title(tensor.name), short)
    verdict = f"{SIGNS[tensor.verdict]} {tensor.verdict}"
    return [
        svg.line(LEFT, y + ROW / 2, RIGHT, y + ROW / 2, "grid"),
        name,
        svg.line(bar, y - SPREAD - 4, bar, y + SPREAD + 4, "bar"),  # below the dot that it is of
        *dots,
        svg.text(RIGHT + 12, y - 7, verdict, f"name {tensor.verdict}"),
        *(
            svg.text(RIGHT + 12, y + 8 + 13 * k, line, "small")
            for k, line in enumerate(textwrap.wrap(counted(tensor), COUNTS))
        ),
    ]


def _at(error: float) -> float:
    return NIL if error == 0 else AXIS.at(float(error))


def _across(k: int, y: float) -> float:
    """Return the height of an entry in its strip: a golden-ratio sequence fills it evenly."""
    return y + SPREAD * (2 * ((k * _GOLDEN) % 1.0) - 1)


def _dot(x: float, y: float, wrong: bool, agrees: bool, zero: bool, hint: str) -> str:
    """Return an entry: its shape says what was found, its color says it again."""
    inside = [svg.title(hint)] if hint else []
    if wrong:
        cross = f"M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0 -7l-7 7"
        return svg.element("path", *inside, d=cross, class_="cross")
    if agrees:
        return svg.element(
            "circle", *inside, cx=x, cy=y, r=2.2, class_="dot zero" if zero else "dot"
        )
    return svg.element("circle", *inside, cx=x, cy=y, r=3.2, class_="ring")


def _hint(tensor: TensorReport, k: int) -> str:
    a, n = in_digits(float(tensor.analytic.flat[k]), float(tensor.numerical.flat[k]))
    if tensor.directional:
        where = f"direction {k}"
    else:
        flat = k if tensor.entries is None else tensor.entries[k]
        where = f"{tensor.name}{[int(i) for i in np.unravel_index(flat, tensor.shape)]}"
    return f"{where}: analytic {a}, numerical {n}, error {tensor.errors.flat[k]:.1e}"


def _shown(tensor: TensorReport) -> np.ndarray:
    """Return which entries are drawn, those that agree first; of a crowd, one a pixel or two."""
    errors = tensor.errors.ravel()
    wrong, agree = _kinds(tensor)
    rank = np.where(wrong, 2, np.where(agree, 0, 1))
    order = np.argsort(rank, kind="stable")
    if errors.size <= WHOLE:
        return order
    x = np.full(errors.size, NIL)
    positive = errors > 0
    low, span = math.log(AXIS.low), math.log(AXIS.high / AXIS.low)
    share = (np.log(np.clip(errors[positive], AXIS.low, AXIS.high)) - low) / span
    x[positive] = AXIS.start + share * (AXIS.stop - AXIS.start)
    y = (np.arange(errors.size) * _GOLDEN) % 1.0
    cells = np.stack([rank, x // 3, y * SPREAD * 2 // 3], axis=1).astype(int)
    _, first = np.unique(cells, axis=0, return_index=True)
    return first[np.argsort(rank[first], kind="stable")]
