"""A palette of 256 colours for live frames: half of the bytes, and of the encoder's time."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gradlab.plots.palette import Palette

__all__ = ["ColourTable", "colour_table"]

#: Steps of anti-aliasing between a colour and what is behind it: text needs more than dots do.
_TEXT_STEPS, _LINE_STEPS = 6, 5


class ColourTable:
    """At most 256 colours, and the nearest one of them for any other.

    Parameters
    ----------
    colours : ndarray of uint8, shape (n, 3), n <= 256
        These are kept exactly, the first ones above all.
    """

    def __init__(self, colours: np.ndarray) -> None:
        self.colours = colours
        # 5 bits a channel: 32768 bins are looked up faster than distances are computed.
        r, g, b = (np.arange(1 << 15) >> shift & 31 for shift in (0, 5, 10))
        bins = np.stack([r, g, b], axis=1) * 8.0 + 4.0
        wanted = colours.astype(float)
        lengths = (wanted**2).sum(axis=1)
        self._nearest = np.concatenate(
            [(lengths - 2 * part @ wanted.T).argmin(axis=1) for part in np.split(bins, 16)]
        ).astype(np.uint8)
        own = (colours >> 3).astype(int) @ [1, 1 << 5, 1 << 10]
        self._nearest[own[::-1]] = np.arange(len(colours))[::-1]  # of two in a bin the first wins

    def indices(self, rgba: np.ndarray) -> np.ndarray:
        """Return for each pixel of `rgba` (H, W, 4) the index of its colour, (H, W) uint8."""
        pixel = rgba.view("<u4")[..., 0]
        return self._nearest[pixel >> 3 & 0x1F | pixel >> 6 & 0x3E0 | pixel >> 9 & 0x7C00]


@lru_cache(maxsize=4)
def colour_table(palette: Palette) -> ColourTable:
    """Return the table for plots in `palette`: its colours, and each blended with what is behind.

    Costs some 50 ms once.
    """
    behind = [palette.paper, *palette.bands]
    texts = [palette.ink, palette.faint]
    lines = [*palette.verdicts.values(), *palette.layers, palette.grid]
    colours = [_rgb(c) for c in (*behind, *texts, *lines)]
    for front, steps in [(c, _TEXT_STEPS) for c in texts] + [(c, _LINE_STEPS) for c in lines]:
        for share in np.arange(1, steps) / steps:
            colours += [share * _rgb(front) + (1 - share) * _rgb(back) for back in behind]
    rounded = np.rint(np.array(colours)).astype(np.uint8)
    _, first = np.unique(rounded, axis=0, return_index=True)
    return ColourTable(rounded[np.sort(first)][:256])


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
