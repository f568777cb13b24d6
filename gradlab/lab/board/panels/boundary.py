"""The examples in their plane, and what the network makes of every point of it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

import numpy as np

from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.classes import class_labels, share_right
from gradlab.lab.model.plane import Plane, contour, no_plane, plane_of
from gradlab.lab.model.result import Result
from gradlab.plots import LIGHT
from gradlab.plots.chart import Axis, Chart, Legend, Mark, cells, dots, segments

__all__ = ["BoundaryPanel"]

_SIGNS, _COLOURS = ("disc", "square", "triangle", "ring"), 4
_LETTERS = {"disc": "●", "square": "■", "triangle": "▼", "ring": "○"}
_PALE = 56  # opacity of 255: the same colours for light and dark paper
#: A regression's lowest and highest output, on either paper, and the rings around its targets.
_RAMP, _RING = ("#FFFFFF", "#1A6FA8"), "#1F2328"
_LEVELS = 9  # colours of targets
_MOST_IN_LEGEND = 6


class BoundaryPanel(Panel):
    """Regions of the classes, their boundary and the examples; of a regression its output."""

    name: ClassVar[str] = "boundary"
    title: ClassVar[str] = "Data and decision boundary"
    width: ClassVar[float] = 22.0
    at_rest: ClassVar[bool] = True
    zooms: ClassVar[bool] = True

    def fits(self, result: Result) -> str:
        """Return why there is no plane to show."""
        return no_plane(result.problem)

    def key(self, result: Result) -> Hashable:
        """Return the problem: the step changes nothing here."""
        return result.problem

    def still(self, result: Result) -> Chart:
        """Return the whole picture."""
        plane = plane_of(result.problem)
        x1 = Axis(float(plane.x1[0]), float(plane.x1[-1]), "x₁")
        x2 = Axis(float(plane.x2[0]), float(plane.x2[-1]), "x₂")
        labels = class_labels(result.net, result.y)
        if labels is None:
            marks, legend, title = _regression(plane, result), [], "Data and output"
        else:
            marks = [
                _coloured(plane, _class_colours(plane.classes)),
                *_boundary(plane),
                *_examples(result.x, labels),
            ]
            legend, title = _legend(labels), self.title
        return Chart(title, x1, x2, marks, note=_told(result), legend=legend)

    def alt(self, result: Result) -> str:
        """Return how many examples there are of each class, and how many lie where they belong."""
        labels = class_labels(result.net, result.y)
        if labels is None:
            return f"The {len(result.x)} examples by x₁ and x₂ over the output. {_told(result)}"
        counts = np.bincount(labels)
        each = ", ".join(f"{n} of class {k}" for k, n in enumerate(counts) if n)
        regions = np.unique(plane_of(result.problem).classes)
        shown = ", ".join(str(k) for k in regions if k >= 0) or "none"
        return (
            f"The examples by x₁ and x₂: {each}. Around them the network sees these classes: "
            f"{shown}. {_told(result)}"
        )


def _told(result: Result) -> str:
    """Return how well the examples and the picture behind them agree."""
    net, x, y = result.net, result.x, result.y
    if class_labels(net, y) is not None:
        right = round(share_right(net, x, y) * len(x))
        verb = "lies in its" if right == 1 else "lie in their"
        return f"{right} of {len(x)} examples {verb} own region."
    with np.errstate(all="ignore"):
        off = np.abs(net.predict(x)[:, 0] - np.asarray(y, float).reshape(len(x)))
    return f"On average the output is {off.mean():.2g} off its target."


def _class_colours(classes: np.ndarray) -> np.ndarray:
    """Return pale colours (60, 60, 4); nothing where there is no class."""
    pale = [(*_rgb(LIGHT.hex(f"data{k}")), _PALE) for k in range(_COLOURS)]
    table = np.array([*pale, (0, 0, 0, 0)], np.uint8)
    return table[np.where(classes < 0, _COLOURS, classes % _COLOURS)]


def _coloured(plane: Plane, colours: np.ndarray) -> Mark:
    """Return a matrix of colours, each point in the middle of its cell."""
    half = [(axis[1] - axis[0]) / 2 for axis in (plane.x1, plane.x2)]
    return cells(
        plane.x1[0] - half[0],
        plane.x2[0] - half[1],
        plane.x1[-1] + half[0],
        plane.x2[-1] + half[1],
        colours[::-1],
    )


def _boundary(plane: Plane) -> list[Mark]:
    pieces = [contour(plane.x1, plane.x2, margin) for margin in plane.margins()]
    ends = [np.concatenate(values) for values in zip(*pieces, strict=True)]
    return [segments(*ends, "ink", width=1.4)] if len(ends[0]) else []


def _examples(x: np.ndarray, labels: np.ndarray) -> list[Mark]:
    """Return a mark a class; of two classes of one colour the signs differ."""
    return [
        dots(
            *x[labels == k].T,
            [f"data{k % _COLOURS}"],
            radius=3.4,
            sign=_sign(k),
            edge=None if _sign(k) == "ring" else "paper",
        )
        for k in np.unique(labels)
    ]


def _sign(k: int) -> str:
    return _SIGNS[(k + k // _COLOURS) % len(_SIGNS)]


def _legend(labels: np.ndarray) -> list[Legend]:
    classes = np.unique(labels)
    if len(classes) > _MOST_IN_LEGEND:
        return []
    return [Legend(f"class {k}", f"data{k % _COLOURS}", sign=_LETTERS[_sign(k)]) for k in classes]


def _regression(plane: Plane, result: Result) -> list[Mark]:
    """Return output and targets on one ramp, from the lowest of both to the highest."""
    output, target = plane.outputs[..., 0], np.asarray(result.y, float).reshape(len(result.x))
    known = np.concatenate([output[np.isfinite(output)], target])
    low, span = float(known.min()), float(np.ptp(known)) or 1.0
    colours = np.full((*output.shape, 4), 255, np.uint8)
    colours[..., :3] = _mixed((np.nan_to_num(output) - low) / span)
    colours[~np.isfinite(output)] = 0
    marks = [_coloured(plane, colours)]
    # an example is a ring around the colour that the output should have there
    levels = np.round((target - low) / span * (_LEVELS - 1)).astype(int)
    for level in np.unique(levels):
        colour = "#" + _mixed(np.array(level / (_LEVELS - 1))).tobytes().hex()
        marks.append(dots(*result.x[levels == level].T, [colour], radius=4.0, edge=_RING))
    return marks


def _mixed(share: np.ndarray) -> np.ndarray:
    """Return colours of the ramp, uint8 (…, 3)."""
    low, high = (np.array(_rgb(colour), float) for colour in _RAMP)
    return np.round(low + np.clip(share, 0, 1)[..., None] * (high - low)).astype(np.uint8)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
