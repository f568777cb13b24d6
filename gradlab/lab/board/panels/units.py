"""What the units see: a histogram of the pre-activations z of each layer, and f′ there."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

import numpy as np

from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.preactivations import Seen, is_flat, what_units_see
from gradlab.lab.model.result import Result
from gradlab.plots.chart import Axis, Chart, Legend, Mark, boxes, segments, words

__all__ = ["UnitsPanel"]

_END, _BINS = 6.0, 48  # z further out is counted in the last bins
_EDGES = np.linspace(-_END, _END, _BINS + 1)
_HEIGHT = 0.86  # of the tallest bar, in rows
_BESIDE = "at the right: the mean of the slope f′ over all of z"
_STRAIGHT = 0.99  # a mean derivative above it: nothing bends, and forgetting f′ hardly shows
_TICKS = (
    (-6.0, "≤ −6"),
    (-4.0, "−4"),
    (-2.0, "−2"),
    (0.0, "0"),
    (2.0, "2"),
    (4.0, "4"),
    (6.0, "≥ 6"),
)


class UnitsPanel(Panel):
    """A row a layer, on an axis that does not move: both ends of the weight scale show on it."""

    name: ClassVar[str] = "units"
    title: ClassVar[str] = "What the units see"
    width: ClassVar[float] = 22.0

    def fits(self, result: Result) -> str:
        """Return why no layer can be shown."""
        if result.net is None:
            return "a function has no units: this panel is for networks"
        return "" if _seen(result) else "the network has no hidden layer"

    def key(self, result: Result) -> Hashable:
        """Return the problem: the step has no part in it."""
        return result.problem

    def still(self, result: Result) -> Chart:
        """Return a histogram a layer, the first at the top, and the mean derivative beside it."""
        layers = _seen(result)
        rows, marks = len(layers), []
        for row, layer in enumerate(layers):
            marks += _row(layer, row, rows)
        ticks = tuple((rows - 1 - row + 0.3, layer.name) for row, layer in enumerate(layers))
        legend = [Legend("z, all units and examples", "layer0", sign="■")]
        if any(_shaded(layer).any() for layer in layers):
            legend.append(Legend("slope below 1 %, or 0", "band3", sign="■"))
        return Chart(
            self.title,
            Axis(-_END, _END, "pre-activation z", ticks=_TICKS),
            Axis(0, rows, ticks=ticks),
            marks,
            "",
            _note(result, layers) or _BESIDE,
            legend,
            right=5.6,
        )

    def alt(self, result: Result) -> str:
        """Return the mean derivative of each layer, and how much of it is flat."""
        layers = _seen(result)
        told = "; ".join(
            f"{layer.name}: {_words(layer)}, z from {layer.z.min():.2g} to {layer.z.max():.2g}"
            for layer in layers
        )
        note = _note(result, layers)
        return f"What the units see, by layer: {told}." + (f" {_capital(note)}." if note else "")


def _seen(result: Result) -> list[Seen]:
    with np.errstate(all="ignore"):
        seen = what_units_see(result.net, result.x, result.problem.masks(result.settings))
    return [layer for layer in seen if np.isfinite(layer.z).all()]


def _row(layer: Seen, row: int, rows: int) -> list[Mark]:
    floor = rows - 1 - row
    counts, _ = np.histogram(np.clip(layer.z, -_END, _END), _EDGES)
    tall = _HEIGHT * counts / counts.max()
    shown = tall > 0
    marks: list[Mark] = []
    if (flat := _shaded(layer)).any():
        starts, ends = _runs(flat)
        marks.append(boxes(_EDGES[starts], floor, _EDGES[ends], floor + 0.95, "band3"))
    middle = floor + 0.5
    mean, share = _beside(layer)
    return [
        *marks,
        boxes(_EDGES[:-1][shown], floor, _EDGES[1:][shown], floor + tall[shown], "layer0"),
        segments(-_END, floor, _END, floor, "grid"),
        words(
            [_END],
            [middle],
            [mean],
            "ink",
            0.8,
            "left",
            "bottom" if share else "middle",
            dx=0.4,
            outside=True,
        ),
        words([_END], [middle], [share], "faint", 0.75, "left", "top", dx=0.4, outside=True),
    ]


def _shaded(layer: Seen) -> np.ndarray:
    """Return in which bins the layer's function is flat."""
    z = (_EDGES[:-1] + _EDGES[1:]) / 2
    if layer.function is None:
        return np.zeros(_BINS, bool)
    return is_flat(layer.function, z, layer.function.derivative(z, layer.function.function(z)))


def _runs(flags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where runs of True start, and where they have ended."""
    steps = np.diff(flags.astype(int), prepend=0, append=0)
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)


def _slope_name(layer: Seen) -> str:
    return "" if layer.function is None else f"{layer.function.name.replace('_', ' ')}′"


def _beside(layer: Seen) -> tuple[str, str]:
    """Return the mean derivative, and the share that is flat, in few words."""
    if layer.function is None:
        return "no f′ follows", ""
    mean = f"{_slope_name(layer)} {_percent(layer.mean_slope)}"
    if layer.dead:
        return mean, f"{layer.dead} units flat"
    return mean, f"{100 * layer.flat:.0f} % flat" if layer.flat >= 0.005 else ""


def _percent(mean: float) -> str:
    """Return a mean between 0 and 1, with the digits that tell it from 0 and from 1."""
    if mean >= 0.995 and mean < 1:
        return f"1 − {1 - mean:.0e}"
    return f"{mean:.2f}" if mean >= 0.01 or mean == 0 else f"{mean:.0e}"


def _words(layer: Seen) -> str:
    if layer.function is None:
        return "no activation follows"
    text = f"mean {_slope_name(layer)} {_percent(layer.mean_slope)}, {100 * layer.flat:.0f} % flat"
    return text + (f", {layer.dead} of {len(layer.z)} units everywhere" if layer.dead else "")


def _note(result: Result, layers: list[Seen]) -> str:
    """Return what follows from the mean derivatives."""
    bent = [layer for layer in layers if layer.function is not None]
    straight = [layer.name for layer in bent if layer.mean_slope > _STRAIGHT]
    if not bent:
        return "nothing bends: there is no activation"
    if not straight:
        return ""
    where = "all layers" if len(straight) == len(bent) else ", ".join(straight)
    return f"nearly linear, mean f′ above {_STRAIGHT}: {where}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
