"""Many markers of few colours as one artist: what a frame has most of, drawn with least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, IdentityTransform

__all__ = ["Markers"]


class Markers(Artist):
    """Discs in groups, a colour a group.

    A `Line2D` for each group would spend ten times as long on its bookkeeping as on its pixels.

    Parameters
    ----------
    ax : Axes
        The artist adds itself.
    colours : sequence of str
        One a group.
    size : float
        Diameter in points.
    edge : str or None, optional
        Colour of a thin rim.
    zorder : float, optional
    """

    def __init__(
        self,
        ax: Axes,
        colours: Sequence[str],
        size: float,
        edge: str | None = None,
        zorder: float = 3,
    ) -> None:
        super().__init__()
        self._colours = [to_rgb(colour) for colour in colours]
        self._edge = None if edge is None else to_rgba(edge)
        self._size = size
        self._points = np.empty((0, 2))
        self._ends = [0] * len(colours)
        self.set_zorder(zorder)
        ax.add_artist(self)

    def set_points(self, x: np.ndarray, y: np.ndarray, counts: Sequence[int]) -> None:
        """Move the markers.

        Parameters
        ----------
        x, y : ndarray, shape (n,)
            In data coordinates, group after group.
        counts : sequence of int
            How many belong to each group; their sum is n.
        """
        self._points = np.column_stack([x, y])
        self._ends = np.cumsum(counts).tolist()
        self.stale = True

    @allow_rasterization
    def draw(self, renderer: RendererBase) -> None:
        """Draw the markers."""
        if not self.get_visible() or not len(self._points):
            return
        pixels = self.axes.transData.transform(self._points)
        disc = Affine2D().scale(renderer.points_to_pixels(self._size) / 2)
        context = renderer.new_gc()
        self._set_gc_clip(context)
        context.set_linewidth(0 if self._edge is None else renderer.points_to_pixels(0.8))
        if self._edge is not None:
            context.set_foreground(self._edge, isRGBA=True)
        start = 0
        for colour, end in zip(self._colours, self._ends, strict=True):
            if end > start:
                renderer.draw_markers(
                    context, Path.unit_circle(), disc, Path(pixels[start:end]),
                    IdentityTransform(), colour,
                )  # fmt: skip
            start = end
        context.restore()
