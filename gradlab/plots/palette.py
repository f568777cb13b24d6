"""Colours for the plots: one light palette, one dark, both from Okabe and Ito.

Colour is never the only sign: a verdict also has a mark and a word, a tensor also has a line style
and a name. Text and thin lines keep a contrast of at least 4.5 to 1 with the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DARK", "LIGHT", "MARKS", "PALETTES", "STYLES", "Palette", "tensor_sign"]

#: The sign that stands beside a verdict's colour.
MARKS = {"correct": "✓", "wrong": "✗", "inconclusive": "?"}

#: Verdict to dashes, in line widths, and to width: the verdict shows without its colour too.
STYLES: dict[str, tuple[tuple[float, ...], float]] = {
    "correct": ((), 0.7),
    "inconclusive": ((1, 2), 1.0),
    "wrong": ((5, 1.5), 1.1),
}


def tensor_sign(told: str, verdict: str, chosen: bool = False) -> str:
    """Return the name of a tensor with its verdict's sign, pointed at if it is the chosen one."""
    return f"{'▸' if chosen else ''}{told}{MARKS[verdict]}"


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
        One hue a layer of weights, input side first; deep networks take the ramp.
    ramp : tuple of str
        From input to output: each lighter than the one before, for the colour-blind as well.
    data : tuple of str
        Classes of examples.
    """

    paper: str
    ink: str
    faint: str
    grid: str
    verdicts: dict[str, str]
    bands: tuple[str, ...]
    layers: tuple[str, ...]
    ramp: tuple[str, ...]
    data: tuple[str, ...]

    def roles(self) -> dict[str, str]:
        """Return the colour of every role that a chart may name."""
        rows = {"band": self.bands, "layer": self.layers, "ramp": self.ramp, "data": self.data}
        numbered = {f"{row}{i}": c for row, colours in rows.items() for i, c in enumerate(colours)}
        plain = {"paper": self.paper, "ink": self.ink, "faint": self.faint, "grid": self.grid}
        return plain | self.verdicts | numbered

    def hex(self, role: str) -> str:
        """Return the colour of a role; a colour stands for itself."""
        return role if role.startswith("#") else self.roles()[role]


# fmt: off
LIGHT = Palette(
    paper="#FFFFFF",
    ink="#1F2328",
    faint="#57606A",
    grid="#D5DAE0",
    verdicts={"correct": "#007A5A", "wrong": "#C04A00", "inconclusive": "#8A6100"},
    bands=("#DCF1E9", "#F1F6EC", "#FCEFD3", "#F9DCCB"),
    layers=("#0072B2", "#B1438B", "#1F2328", "#3A9BD1", "#7A6A00",
            "#5B3FA6", "#0F766E", "#8C564B", "#6E7781"),
    ramp=("#0D0887", "#370499", "#5801A4", "#7701A8", "#9410A2", "#AD2793", "#C33D80", "#D5536F",
          "#E56A5D"),
    data=("#0072B2", "#B1438B", "#7A6A00", "#1F2328"),
)

DARK = Palette(
    paper="#111111",
    ink="#E3E6EA",
    faint="#A9B1BA",
    grid="#454B52",
    verdicts={"correct": "#2CC79A", "wrong": "#FF8A4C", "inconclusive": "#F0B840"},
    bands=("#16392F", "#2A3327", "#43361B", "#4E2A1B"),
    layers=("#5FB4EA", "#E79CC9", "#E3E6EA", "#8FE0E6", "#E4D24A",
            "#B7A2F5", "#5FC9BE", "#C9A08F", "#8D96A0"),
    ramp=("#B02A8F", "#BC3587", "#D04D73", "#E16462", "#EF7E50", "#F9983E", "#FEB72D", "#FBD724",
          "#F0F921"),
    data=("#5FB4EA", "#E79CC9", "#E4D24A", "#E3E6EA"),
)

# fmt: on

PALETTES = {"light": LIGHT, "dark": DARK}
