"""Colours for the plots: one light palette, one dark, both from Okabe and Ito.

Colour is never the only sign: a verdict also has a mark and a word, a tensor also has a line style
and a name. Text and thin lines keep a contrast of at least 4.5 to 1 with the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DARK", "LIGHT", "MARKS", "PALETTES", "STYLES", "Palette"]

#: The sign that stands beside a verdict's colour.
MARKS = {"correct": "✓", "wrong": "✗", "inconclusive": "?"}

#: Verdict to line style and width: the verdict shows without its colour too.
STYLES = {
    "correct": ("solid", 0.7),
    "inconclusive": ((0, (1, 2)), 1.0),
    "wrong": ((0, (5, 1.5)), 1.1),
}


@dataclass(frozen=True, eq=False)  # hashed by identity: there are two
class Palette:
    """Every colour a plot may use.

    Attributes
    ----------
    paper, ink, faint, grid : str
        Background, text, secondary text, grid lines.
    verdicts : dict of str
        Verdict word to colour.
    bands : tuple of str
        Backgrounds of the error bands, best first, in the order of `gradlab.checking.BANDS`.
    layers : tuple of str
        One hue a layer, input side first; W is drawn solid and b dashed in the same hue.
    """

    paper: str
    ink: str
    faint: str
    grid: str
    verdicts: dict[str, str]
    bands: tuple[str, ...]
    layers: tuple[str, ...]

    def layer(self, name: str) -> str:
        """Return the hue of tensor `name`: that of the layer whose number ends the name."""
        digits = "".join(c for c in name if c.isdigit())
        return self.layers[(int(digits or 1) - 1) % len(self.layers)]


LIGHT = Palette(
    paper="#FFFFFF",
    ink="#1F2328",
    faint="#57606A",
    grid="#D5DAE0",
    verdicts={"correct": "#007A5A", "wrong": "#C04A00", "inconclusive": "#8A6100"},
    bands=("#DCF1E9", "#F1F6EC", "#FCEFD3", "#F9DCCB"),
    layers=("#0072B2", "#B1438B", "#1F2328", "#3A9BD1", "#7A6A00"),
)

DARK = Palette(
    paper="#111111",
    ink="#E3E6EA",
    faint="#A9B1BA",
    grid="#454B52",
    verdicts={"correct": "#2CC79A", "wrong": "#FF8A4C", "inconclusive": "#F0B840"},
    bands=("#16392F", "#2A3327", "#43361B", "#4E2A1B"),
    layers=("#5FB4EA", "#E79CC9", "#E3E6EA", "#8FE0E6", "#E4D24A"),
)

PALETTES = {"light": LIGHT, "dark": DARK}
