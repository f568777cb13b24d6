"""The lab's panels as one: what to send for a result, and the picture that a notebook stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.lab.board.colour_table import colour_table
from gradlab.lab.board.panels import PANELS, Panel
from gradlab.lab.board.panels.ink import Shape, pack
from gradlab.lab.board.png import encode_png
from gradlab.lab.model.result import Result
from gradlab.lab.text.banner import cost_line, said
from gradlab.plots import Palette

__all__ = ["Scene"]


class Scene:
    """The panels, drawn in one palette.

    Parameters
    ----------
    palette : Palette
    visible : sequence of str
        Names of the panels that are shown; the others cost nothing.
    """

    def __init__(self, palette: Palette, visible: Sequence[str]) -> None:
        self.visible = tuple(visible)
        self.recolour(palette)

    def recolour(self, palette: Palette) -> None:
        """Draw with another palette from the next frame on."""
        self._palette = palette
        self.panels: dict[str, Panel] = {panel.name: panel(palette) for panel in PANELS}

    def frame(
        self, result: Result, scale: int = 1, words: bool = True
    ) -> tuple[dict[str, bytes], dict[str, Any], dict[str, Any] | None]:
        """Return the papers that are new, by panel, the ink of all visible panels, and words."""
        papers: dict[str, bytes] = {}
        shapes: dict[str, list[Shape]] = {}
        for name in self.visible:
            frame = self.panels[name].frame(result, scale)
            if frame.paper is not None:
                papers[name] = frame.paper
            shapes[name] = frame.ink
        shows = f"eps = {result.settings.eps!r}"
        packed, numbers = pack(shapes)
        ink = {"shapes": packed, "bytes": numbers, "shows": shows, "sharp": scale > 1}
        return papers, ink, self._told(result) if words else None

    def _told(self, result: Result) -> dict[str, Any]:
        """Return the same in words: each panel's, what it cost, and what it comes to."""
        return {
            "alt": {name: self.panels[name].alt(result) for name in self.visible},
            "cost": cost_line(result),
            "said": said(result),
        }

    def whole(self, result: Result, scale: int = 1) -> bytes:
        """Return the visible panels side by side as one small PNG, to be stored in a notebook."""
        pictures = [self.panels[name].whole(result, scale) for name in self.visible]
        own = any(self.panels[name].own_colours for name in self.visible)
        table = None if own else colour_table(self._palette)
        return encode_png(np.hstack(pictures), table, level=9)
