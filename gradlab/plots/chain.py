"""A network drawn as the chain of its layers, each with its tensors and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradlab.nn.layers import Layer
from gradlab.plots.chart import Axis, Chart, boxes, segments, words
from gradlab.plots.layout import text_width
from gradlab.plots.looks import looks_of
from gradlab.plots.palette import STYLES, tensor_sign

__all__ = ["chain_chart", "chain_places", "stages"]

_ORDER = ("correct", "inconclusive", "wrong")  # a box takes the last of its tensors' verdicts
_GAP = 0.5  # between two tensors, in em
_RIGHT, _WIDTH = 0.94, 10.8  # the drawing's usual width, in em; it is not drawn narrower
Stage = tuple[str, tuple[str, ...]]


def stages(tensors: Sequence[str], layers: Sequence[Layer]) -> list[Stage]:
    """Return the stages of a network, input first: a label and the tensors of each.

    An LSTM's gates are a stage each: its twelve tensors would not fit into one.
    """
    found: list[Stage] = [("input", ())]
    for layer in layers:
        own = tuple(name for name in layer.param_names if name in tensors)
        if len(own) > 3:
            gates = dict.fromkeys(name[-1] for name in own)
            found += [(f"gate {q}", tuple(n for n in own if n[-1] == q)) for q in gates]
        else:
            found.append((layer.name or type(layer).__name__.lower(), own))
    return found


def chain_chart(chain: Sequence[Stage], verdicts: Mapping[str, str], chosen: str = "") -> Chart:
    """Return the drawing of a chain: a box a stage, styled by the worst of its tensors' verdicts.

    Parameters
    ----------
    chain : sequence of (str, tuple of str)
        As `stages` returns it.
    verdicts : mapping of str to str
        Of every tensor.
    chosen : str, optional
        A tensor to point at.
    """
    room, marks = 1 / len(chain), []
    size = _size(chain)
    for i, (label, tensors) in enumerate(chain):
        middle = 1 - room * (i + 0.5)
        low, high = middle - 0.36 * room, middle + 0.36 * room
        worst = max((verdicts[name] for name in tensors), key=_ORDER.index, default=None)
        dash, width = STYLES[worst or "correct"]
        marks.append(
            boxes(0.02, low, 0.98, high, None, worst or "faint", dash, 1.4 * width + 0.6, 0.4)
        )
        if i:
            marks.append(segments(0.5, high, 0.5, middle + 0.64 * room, "faint", width=1.4))
        marks.append(words(0.06, middle, [label], "faint", size, "left"))
        for name, told, end in _side_by_side(tensors, verdicts, size, chosen):
            marks.append(
                words(end, middle, [told], verdicts[name], size, "right", bold=name == chosen)
            )
    return Chart("Verdict per tensor", Axis(0, 1), Axis(0, 1), marks, framed=False)


def chain_places(chain: Sequence[Stage]) -> dict[str, tuple[float, float]]:
    """Return where each tensor stands, in data coordinates."""
    places: dict[str, tuple[float, float]] = {}
    for i, (_, tensors) in enumerate(chain):
        sizes = _side_by_side(tensors, dict.fromkeys(tensors, "correct"), _size(chain))
        for name, told, end in sizes:
            middle = end - text_width(told, _size(chain)) / 2 / _WIDTH
            places[name] = middle, 1 - (i + 0.5) / len(chain)
    return places


def _size(chain: Sequence[Stage]) -> float:
    return min(0.8, 9.0 / len(chain))


def _side_by_side(
    tensors: Sequence[str], verdicts: Mapping[str, str], size: float, chosen: str = ""
) -> list[tuple[str, str, float]]:
    """Return what is written for each tensor of a stage, and where it ends.

    The stage names the layer: a tensor says only which of its tensors it is.
    """
    placed, end = [], _RIGHT
    for name, look in reversed(looks_of(tensors).items()):
        told = tensor_sign(look.kind or name, verdicts[name], name == chosen)
        placed.append((name, told, end))
        end -= (text_width(told, size) + _GAP) / _WIDTH
    return placed
