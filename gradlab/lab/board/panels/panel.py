"""What all panels have in common: a paper that is drawn only when it changes, and ink."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.artist import Artist

from gradlab.lab.board.colour_table import colour_table
from gradlab.lab.board.live_figure import Layer, LiveFigure
from gradlab.lab.board.panels.ink import Shape
from gradlab.lab.board.png import encode_png
from gradlab.lab.lock import LOCK
from gradlab.lab.model.result import Result
from gradlab.plots import Palette

__all__ = ["Frame", "Panel"]


@dataclass(frozen=True)
class Frame:
    """What a panel shows of one result.

    Attributes
    ----------
    paper : bytes or None
        A PNG, or None where the last one still holds.
    ink : list of dict
        Shapes over it, in pixels of the panel.
    """

    paper: bytes | None
    ink: list[Shape]


class Panel:
    """One picture of the lab. A subclass draws its paper with matplotlib, and says what the ink is.

    Attributes
    ----------
    name, title : str
    size : (int, int)
        Width and height in pixels.
    own_colours : bool
        Whether it has colours that are not the palette's.
    repeats : int
        How many papers are kept. A drag there and back meets the same verdicts again, and drawing
        them takes longer than all the rest of an event. Only where a layer's key says all that the
        layer shows.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    size: ClassVar[tuple[int, int]]
    own_colours: ClassVar[bool] = False
    repeats: ClassVar[int] = 0

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self.live = LiveFigure(*self.size)
        self._made_for: Hashable = None
        self._on_screen: tuple[Hashable, int] = (None, 0)  # which paper, and at which scale
        self._known: dict[Hashable, bytes] = {}

    def frame(self, result: Result, scale: int = 1) -> Frame:
        """Return what is new; `scale` is the paper's pixels for a pixel of the panel."""
        with LOCK:
            layers = self._prepare(result)
            what = (self._made_for, *(layer.key for layer in layers))
            paper = None
            if what != self._on_screen[0] or scale > self._on_screen[1]:
                self._on_screen = (what, scale)
                # fast while dragging, in true colours at rest
                small = scale == 1 and not self.own_colours
                table = colour_table(self.palette) if small else None
                paper = self._known.get((what, scale))
                if paper is None:
                    paper = encode_png(self.live.frame(layers, scale), table)
                    self._remember((what, scale), paper)
            return Frame(paper, self.ink(result))

    def whole(self, result: Result, scale: int) -> np.ndarray:
        """Return paper and ink as one picture, (H, W, 4) uint8, drawn by matplotlib alone."""
        with LOCK:
            layers = self._prepare(result)
            top = self.draw_ink(result)
            return self.live.frame([*layers, Layer(None, top)], scale).copy()

    def _prepare(self, result: Result) -> list[Layer]:
        if self._made_for != self.made_for(result):
            self._made_for = self.made_for(result)
            self._known.clear()
            self.live.clear(self.palette.paper)
            self.build(result)
        return self.layers(result)

    def _remember(self, what: Hashable, paper: bytes) -> None:
        self._known[what] = paper
        while len(self._known) > self.repeats:
            del self._known[next(iter(self._known))]

    # -- what a subclass says ----------------------------------------------------------------------

    def made_for(self, result: Result) -> Hashable:
        """Return what the axes depend on: for another value they are made anew."""
        return tuple(result.report)

    def build(self, result: Result) -> None:
        """Make axes and artists in `self.live.figure`."""
        raise NotImplementedError

    def layers(self, result: Result) -> list[Layer]:
        """Bring the paper's artists up to date and return them, with the keys that tell changes."""
        return []

    def ink(self, result: Result) -> list[Shape]:
        """Return what lies over the paper."""
        return []

    def draw_ink(self, result: Result) -> Sequence[Artist]:
        """Bring the artists up to date that show the ink in a stored picture; return them."""
        return []

    def alt(self, result: Result) -> str:
        """Return the picture in words."""
        raise NotImplementedError

    def pressed(self, result: Result, x: float, y: float) -> str | None:
        """Return the tensor at a point of the panel, or None."""
        return None
