"""The signal at every cut of the network: below which layer it goes wrong."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gradlab.checking.report import TensorReport
from gradlab.checking.time_steps import PARTS
from gradlab.checking.verdict import SIGNS, Verdict
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.lab.model.settings import MYSTERY
from gradlab.lab.model.signal import Signal, cannot_be_cut, signal_of
from gradlab.nn.lstm import LSTMNet
from gradlab.plots.chart import Axis, Chart, Mark, dots, segments, words

__all__ = ["CutsPanel", "told"]

_WIDTH, _HEIGHT = 21.0, 18.0  # of the drawing, in em
_TOLD, _LINE, _LETTERS = 4.4, 1.05, 48  # room for the words below it; a line of them
_MOST_ROWS = 13  # cuts in one column
_STEPS, _TOLD_OF_STEPS = 6.6, 6.0  # room for an LSTM's time steps, and for words about them
_SHAPES = {Verdict.CORRECT: "disc", Verdict.WRONG: "triangle", Verdict.INCONCLUSIVE: "ring"}
_MOST_SIGNS, _MOST_NUMBERS = 14, 6  # time steps beside each other with signs, and with numbers


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where the cuts stand: one column from the input down to the loss, or two."""

    names: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    row: float
    wide: bool

    @classmethod
    def of(cls, names: Sequence[str], steps: int) -> _Layout:
        columns = 1 if len(names) <= _MOST_ROWS else 2
        rows = -(-len(names) // columns)
        room = _HEIGHT - (_STEPS + _TOLD_OF_STEPS if steps else _TOLD)
        row = min(room / (rows + 1), 2.6)
        column, at = np.divmod(np.arange(len(names)), rows)
        return cls(
            tuple(names),
            1.0 + column * _WIDTH / columns,
            _HEIGHT - row * (at + 0.5),
            row,
            columns == 1,
        )

    @property
    def right(self) -> np.ndarray:
        """Where the numbers of each cut end."""
        return self.x + (_WIDTH - 1.4 if self.wide else _WIDTH / 2 - 1.6)


class CutsPanel(Panel):
    """The chain of the network, a verdict a cut; of an LSTM also one a time step.

    The signal comes from the loss, at the bottom, and goes up.
    """

    name: ClassVar[str] = "cuts"
    title: ClassVar[str] = "Where the signal goes wrong"
    width: ClassVar[float] = 22.0

    def fits(self, result: Result) -> str:
        """Return why there is no signal to look at."""
        return cannot_be_cut(result)

    def key(self, result: Result) -> Hashable:
        """Return the problem: its layers stand still."""
        return result.problem

    def still(self, result: Result) -> Chart:
        """Return the layers between the cuts, and the time steps' names."""
        signal = signal_of(result)
        layout = _Layout.of(tuple(signal.cuts), _time_steps(result))
        marks = _layers(layout, signal.layers)
        if steps := _time_steps(result):
            marks += _step_names(layout, steps)
        note = "dL/d(activation) against differences: norm ratio"
        return Chart(
            self.title,
            Axis(0, _WIDTH, ticks=()),
            Axis(0, _HEIGHT, ticks=()),
            marks,
            note=note,
            framed=False,
        )

    def moving(self, result: Result) -> list[Mark]:
        """Return the verdicts, the frontier, and what they prove."""
        signal = signal_of(result)
        cuts, layout = (
            list(signal.cuts.values()),
            _Layout.of(tuple(signal.cuts), _time_steps(result)),
        )
        colours = [str(cut.verdict) for cut in cuts]
        marks = _frontier(layout, signal.found.between)
        for verdict, sign in _SHAPES.items():
            own = [i for i, cut in enumerate(cuts) if cut.verdict == verdict]
            marks.append(
                dots(
                    layout.x[own],
                    layout.y[own],
                    [str(verdict)],
                    radius=4.0,
                    sign=sign,
                    edge="paper",
                )
            )
        marks.append(words(layout.x, layout.y, layout.names, colours, 0.85, "left", dx=0.8))
        told = [f"{SIGNS[cut.verdict]} {_number(cut)}" for cut in cuts]
        marks.append(words(layout.right, layout.y, told, colours, 0.85, "right"))
        if signal.steps:
            marks += _step_signs(layout, signal.steps, _time_steps(result))
        lines = textwrap.wrap(conclusion(result, signal), _LETTERS)
        top = _TOLD_OF_STEPS if signal.steps else _TOLD
        heights = top - 0.6 - _LINE * np.arange(len(lines))
        return [*marks, words(np.zeros(len(lines)), heights, lines, "ink", 0.75, "left")]

    def alt(self, result: Result) -> str:
        """Return which cuts have which verdict, and what that proves."""
        signal = signal_of(result)
        text = (
            "The gradient's signal at each cut of the network, from the input up to the loss. "
            f"{_grouped(signal.cuts)}. "
        )
        if signal.steps:
            text += f"At the time steps: {_grouped(signal.steps)}. "
        return text + conclusion(result, signal)


def told(result: Result) -> str:
    """Return one line for who sees no panel: the verdict of every cut, and where time steps turn.

    "cuts: wrong: input, z1; correct: a1, output"
    """
    if why := cannot_be_cut(result):
        return f"cuts: {why}"
    signal = signal_of(result)
    line = f"cuts: {_grouped(signal.cuts)}."
    return f"{line}{_about_steps(signal) if signal.steps else ''}".removesuffix(".")


def conclusion(result: Result, signal: Signal) -> str:
    """Return what the verdicts prove: of the path the words of `gl.bisect`."""
    found, wrong = signal.found, result.report.wrong
    text = found.why
    if found.step is None and signal.cuts[[*found.cuts][-1]].verdict != Verdict.CORRECT:
        text = f"No cut can be judged at this step. At the input: {signal.cuts['input'].why}."
    if result.settings.bug == MYSTERY and len(found.between) == 2:  # which layer is the riddle
        below, above = found.between
        text = f"The signal is wrong at {below}; the first right one above it is at {above}."
        if signal.cuts[above].verdict != Verdict.CORRECT:
            text = f"The signal is wrong at {below}; what lies above could not be judged."
    if signal.steps:
        text += _about_steps(signal)
    if found.step is None and wrong and signal.cuts["input"].verdict == Verdict.CORRECT:
        of = f"{len(wrong)} tensors" if len(wrong) > 3 else ", ".join(wrong)
        text += (
            f" What is wrong in {of} comes after it: a formula of its own, a sum, a factor or L2."
        )
    return text


def _about_steps(signal: Signal) -> str:
    """Return which state or input is the first that is wrong, as `gl.bisect` walks them."""
    if signal.found.between and signal.found.between != ("input", "hidden"):
        return ""
    count = len(signal.steps) // len(PARTS)
    walk = [f"{part}{t}" for t in range(count, 0, -1) for part in PARTS]
    first = next((n for n in walk if signal.steps[n].verdict == Verdict.WRONG), None)
    before = walk if first is None else walk[: walk.index(first)]
    unsure = [n for n in before if signal.steps[n].verdict != Verdict.CORRECT]
    but = f"; {len(unsure)} before it could not be judged" if unsure and first else ""
    if first is not None:
        return f" From the last time step back, {first} is the first that is wrong{but}."
    if unsure:
        return f" No time step is wrong, but {len(unsure)} of {len(walk)} could not be judged."
    return " Every time step's signal is right."


def _time_steps(result: Result) -> int:
    return len(result.x) if isinstance(result.net, LSTMNet) else 0


def _layers(layout: _Layout, layers: Sequence[str]) -> list[Mark]:
    """Return a line from each cut to the next, and the layer's name beside it."""
    x, y = layout.x, layout.y
    marks = []
    same = np.flatnonzero(x[1:] == x[:-1])
    marks.append(segments(x[same], y[same], x[same], y[same + 1], "faint"))
    if layout.wide:
        middle, half = (y[:-1] + y[1:]) / 2, layout.row / 2
        marks.append(segments(x[-1], y[-1], x[-1], y[-1] - 1.4 * half, "faint"))
        marks.append(words(x[:-1], middle, layers, "faint", 0.65, "left", dx=4.4))
        end = y[-1:] - layout.row * 0.85
        marks.append(words(x[-1:], end, ["▲ the loss"], "faint", 0.8, "left", dx=-0.27))
    else:
        turn = np.flatnonzero(x[1:] != x[:-1])
        marks.append(
            words(
                x[turn],
                y[turn] - 0.75 * layout.row,
                ["▲ from the right column"],
                "faint",
                0.7,
                "left",
                dx=-0.3,
            )
        )
        marks.append(
            words(
                x[-1:],
                y[-1:] - 0.75 * layout.row,
                ["▲ from the loss"],
                "faint",
                0.7,
                "left",
                dx=-0.3,
            )
        )
    return marks


def _frontier(layout: _Layout, between: tuple[str, ...]) -> list[Mark]:
    """Return a thick line over the step that is to blame."""
    if not between:
        return []
    below = layout.names.index(between[0])
    if len(between) == 1:  # the loss
        ends = [(below, layout.y[below] - 0.7 * layout.row)]
    else:
        above = layout.names.index(between[1])
        ends = [
            (
                i,
                layout.y[i + 1]
                if layout.x[i + 1] == layout.x[i]
                else layout.y[i] - 0.5 * layout.row,
            )
            for i in range(below, above)
        ]
    at = [i for i, _ in ends]
    return [
        segments(layout.x[at], layout.y[at], layout.x[at], [y for _, y in ends], "wrong", width=4.0)
    ]


# -- an LSTM's time steps --------------------------------------------------------------------------


def _grid(layout: _Layout, steps: int) -> tuple[np.ndarray, dict[str, float]]:
    """Return where the columns and the rows of the time steps are."""
    top = _TOLD_OF_STEPS + _STEPS - 1.0
    left, right = 4.6, _WIDTH - 0.6
    x = left + (right - left) * (np.arange(steps) + 0.5) / steps
    return x, {part: top - 1.2 - 1.7 * row for row, part in enumerate(PARTS)}


def _step_names(layout: _Layout, steps: int) -> list[Mark]:
    x, rows = _grid(layout, steps)
    shown = np.arange(0, steps, -(-steps // _MOST_SIGNS))
    top = max(rows.values()) + 1.3
    return [
        words([0.4], [top], ["time step"], "faint", 0.75, "left"),
        words(x[shown], np.full(len(shown), top), [str(t + 1) for t in shown], "faint", 0.75),
        words(
            np.full(3, 0.4),
            list(rows.values()),
            [f"dL/d{part}" for part in rows],
            "ink",
            0.8,
            "left",
        ),
    ]


def _step_signs(layout: _Layout, steps: dict[str, TensorReport], count: int) -> list[Mark]:
    x, rows = _grid(layout, count)
    marks: list[Mark] = []
    for part, y in rows.items():
        row = [steps[f"{part}{t}"] for t in range(1, count + 1)]
        if count <= _MOST_SIGNS:
            colours = [str(cut.verdict) for cut in row]
            numbered = count <= _MOST_NUMBERS
            marks.append(
                words(
                    x,
                    np.full(count, y + 0.3 * numbered),
                    [SIGNS[cut.verdict] for cut in row],
                    colours,
                    0.9,
                )
            )
            if numbered:
                marks.append(
                    words(x, np.full(count, y - 0.5), [_number(cut) for cut in row], colours, 0.65)
                )
            continue
        for verdict, sign in _SHAPES.items():
            own = [i for i, cut in enumerate(row) if cut.verdict == verdict]
            marks.append(dots(x[own], np.full(len(own), y), [str(verdict)], sign=sign))
    return marks


def _number(cut: TensorReport) -> str:
    ratio = cut.norm_ratio
    return "0 = 0" if np.isnan(ratio) else f"{ratio:.2f}" if ratio >= 0.01 else f"{ratio:.0e}"


def _grouped(cuts: dict[str, TensorReport]) -> str:
    """Return "wrong: input, z1; correct: a1, output"."""
    groups: dict[str, list[str]] = {}
    for name, cut in cuts.items():
        groups.setdefault(str(cut.verdict), []).append(name)
    return "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in groups.items())
