"""A network drawn as the chain of its layers, each with its tensors and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from gradlab.plots.old_axes import STYLES
from gradlab.plots.palette import LIGHT, MARKS, Palette

__all__ = ["ChainDrawing", "stages"]

_ORDER = ("correct", "inconclusive", "wrong")  # a box takes the last of its tensors' verdicts


def stages(tensors: Sequence[str], layers: Sequence[object]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the stages of a network, input first: a label and the tensors of each.

    An LSTM's gates are a stage each: its twelve tensors would not fit into one.
    """
    found: list[tuple[str, tuple[str, ...]]] = [("input", ())]
    for layer in layers:
        own = tuple(name for name in getattr(layer, "param_names", ()) if name in tensors)
        if len(own) > 3:
            gates = dict.fromkeys(name[-1] for name in own)
            found += [(f"gate {q}", tuple(n for n in own if n[-1] == q)) for q in gates]
        else:
            found.append((getattr(layer, "name", "") or type(layer).__name__.lower(), own))
    return found


class ChainDrawing:
    """The panel, its artists made once and recoloured afterwards.

    Parameters
    ----------
    ax : Axes
        Where to draw; its frame is hidden.
    chain : sequence of (str, tuple of str)
        As `stages` returns it.
    palette : Palette, optional

    Attributes
    ----------
    tensors : list of Artist
        What changes with a verdict.
    heights : dict of str to float
        Where each tensor stands, as a share of the height.
    """

    def __init__(
        self, ax: Axes, chain: Sequence[tuple[str, tuple[str, ...]]], palette: Palette = LIGHT
    ) -> None:
        self._palette, self._chain = palette, [stage for stage in chain if stage[0]]
        ax.set_axis_off()
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)
        ax.set_title("Verdict per tensor", loc="left", fontsize=10, color=palette.ink)
        room = 1 / len(self._chain)
        self._boxes, self._labels = [], []
        self.heights: dict[str, float] = {}
        for i, (label, tensors) in enumerate(self._chain):
            middle = 1 - room * (i + 0.5)
            box = FancyBboxPatch(
                (0.04, middle - 0.31 * room), 0.92, 0.62 * room, boxstyle="round,pad=0.01",
                facecolor=palette.paper, edgecolor=palette.faint,
            )  # fmt: skip
            self._boxes.append(ax.add_patch(box))
            if i:
                ax.plot([0.5, 0.5], [middle + 0.35 * room, middle + 0.65 * room],
                        color=palette.faint, lw=1)  # fmt: skip
            size = 8.0 if len(tensors) < 3 else 7.0
            ax.text(0.08, middle, label, va="center", fontsize=size, color=palette.faint)
            self._labels.append(
                ax.text(0.93, middle, "", va="center", ha="right", fontsize=size, zorder=4)
            )
            self.heights |= dict.fromkeys(tensors, middle)
        self.tensors: list[Artist] = [*self._boxes, *self._labels]

    def set_verdicts(self, verdicts: Mapping[str, str]) -> None:
        """Colour, style and label every stage by the verdicts of its tensors."""
        for (_, tensors), box, text in zip(self._chain, self._boxes, self._labels, strict=True):
            if not tensors:
                continue
            worst = max((verdicts[name] for name in tensors), key=_ORDER.index)
            style, width = STYLES[worst]
            colour = self._palette.verdicts[worst]
            box.set(edgecolor=colour, linestyle=style, linewidth=width + 0.6)
            text.set_text("  ".join(f"{name}{MARKS[verdicts[name]]}" for name in tensors))
            text.set_color(colour)
