"""One figure that lives as long as the lab: artists made once, what stands still is kept as pixels.

A frame is a stack of layers, from the one that changes least to the one that changes always. Each
layer carries a key; drawing starts from the pixels kept below the first layer whose key changed.
So dragging the step redraws a cursor and some dots, not axes, ticks, texts and curves.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from gradlab.lab.lock import LOCK

__all__ = ["Layer", "LiveFigure"]

_DPI = 100


@dataclass(frozen=True)
class Layer:
    """Artists that change together, and a key that changes whenever they do."""

    key: Hashable
    artists: Sequence[Artist]


class LiveFigure:
    """A matplotlib figure on Agg, drawn frame by frame.

    Parameters
    ----------
    width, height : int
        Size of a frame at scale 1, in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
        self._canvas = FigureCanvasAgg(self.figure)
        # Per scale: for every layer drawn, its key and the pixels of everything up to it.
        self._kept: dict[int, list[tuple[Hashable, Any]]] = {}

    def clear(self, paper: str) -> None:
        """Empty the figure, for other panels on a background of colour `paper`."""
        self.figure.clear()
        self.figure.set_facecolor(paper)
        self._kept.clear()

    def frame(self, layers: Sequence[Layer], scale: int = 1) -> np.ndarray:
        """Draw the layers' current artists and return the pixels, (H, W, 4) uint8.

        The array is the canvas itself: use it before the next frame, and before anyone else can
        draw (that is, holding `LOCK`).

        Parameters
        ----------
        layers : sequence of Layer
            Bottom first. All other artists of the figure are background.
        scale : int
            Pixels per pixel: 1 while dragging, 2 for a sharp frame.
        """
        with LOCK:
            self.figure.set_dpi(_DPI * scale)
            kept = self._kept.setdefault(scale, [])
            if not kept:
                self._draw_background(layers, kept)
            same = 0
            while same < len(layers) and same + 1 < len(kept):
                if kept[same + 1][0] != layers[same].key:
                    break
                same += 1
            del kept[same + 1 :]
            self._canvas.get_renderer()  # the one of this scale: set_dpi changed its size
            self._canvas.restore_region(kept[same][1])
            for layer in layers[same:]:
                _draw(layer.artists)
                if layer is not layers[-1]:  # the top layer is new in almost every frame
                    kept.append((layer.key, self._pixels()))
            return np.asarray(self._canvas.buffer_rgba())

    def pixels(self, axes: Axes, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return points of `axes` in pixels at scale 1 from the top left, (n, 2)."""
        points = axes.transData.transform(np.column_stack([x, y]))
        points *= _DPI / self.figure.dpi
        points[:, 1] = self.height - points[:, 1]
        return points

    def _draw_background(self, layers: Iterable[Layer], kept: list[tuple[Hashable, Any]]) -> None:
        """Draw all that is in no layer; `animated` keeps the layers' artists out of it."""
        for layer in layers:
            for artist in layer.artists:
                artist.set_animated(True)
        self._canvas.draw()
        kept.append((None, self._pixels()))

    def _pixels(self) -> Any:
        return self._canvas.copy_from_bbox(self.figure.bbox)


def _draw(artists: Iterable[Artist]) -> None:
    for artist in artists:
        artist.draw(artist.figure.canvas.get_renderer())
