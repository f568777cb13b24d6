"""How each tensor is drawn: a colour a layer, a style of line a kind, and what a legend says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from gradlab.plots.chart import Legend

__all__ = ["Look", "legend_of", "looks_of"]

_KINDS = ("W", "Wx", "Wh", "b", "gamma", "beta")
_BROKEN, _DOTTED = (4.0, 1.6), (1.2, 1.2)
_DASHES = {"Wh": _BROKEN, "b": _BROKEN, "gamma": (6.0, 1.5, 1.2, 1.5), "beta": _DOTTED}
#: As many hues can be told apart; with more layers the colour only says how deep.
_MOST_HUES, _RAMP = 5, 8


@dataclass(frozen=True)
class Look:
    """How one tensor is drawn.

    Attributes
    ----------
    layer : str
        "layer 1", "conv1", "gate i", "output", or the tensor's own name.
    kind : str
        What it is in its layer: "W", "b", …; "" where it is alone.
    colour : str
        A role of the palette.
    dash : tuple of float
        In line widths; () is solid.
    """

    layer: str
    kind: str
    colour: str
    dash: tuple[float, ...]

    @property
    def short(self) -> str:
        """The layer's name without the word before it: "1", "i"."""
        return self.layer.removeprefix("layer ").removeprefix("gate ")


def looks_of(names: Iterable[str]) -> dict[str, Look]:
    """Return how the tensors `names` look, input side first: by five hues, or by a ramp."""
    return dict(_looks(tuple(names)))


@lru_cache(maxsize=64)
def _looks(
    names: tuple[str, ...],
) -> dict[str, Look]:  # panels ask at each event
    parts = {name: _split(name) for name in names}
    layers = list(dict.fromkeys(layer for layer, _ in parts.values()))
    last = len(layers) - 1
    if last < _MOST_HUES:
        colours = {layer: f"layer{i}" for i, layer in enumerate(layers)}
    else:
        colours = {layer: f"ramp{round(i * _RAMP / last)}" for i, layer in enumerate(layers)}
    dashes = dict(_DASHES)
    if any(kind == "Wh" for _, kind in parts.values()):
        dashes["b"] = _DOTTED
    return {
        name: Look(layer, kind, colours[layer], dashes.get(kind, ()))
        for name, (layer, kind) in parts.items()
    }


def legend_of(looks: Mapping[str, Look]) -> list[Legend]:
    """Return the colours of the layers, or of the first and the last of many, and the styles."""
    colours = {look.short: look.colour for look in looks.values()}
    names = list(colours)
    first = next(iter(looks.values())).layer
    if any(colour.startswith("ramp") for colour in colours.values()):
        # a colour that two layers share stands once
        ramp = list(dict.fromkeys(colours.values()))
        entries = [Legend(first, ramp[0]), *(Legend("", c) for c in ramp[2:-1:2])]
        entries.append(Legend(names[-1], ramp[-1]))
    else:
        told = [first, *names[1:]]
        entries = [Legend(text, c) for text, c in zip(told, colours.values(), strict=True)]
    kinds: dict[tuple[float, ...], list[str]] = {}
    for look in looks.values():
        if look.kind and look.kind not in kinds.setdefault(look.dash, []):
            kinds[look.dash].append(look.kind)
    if len(kinds) > 1:
        entries += [Legend(", ".join(told), "faint", dash) for dash, told in kinds.items()]
    return entries


def _split(name: str) -> tuple[str, str]:
    """Return the layer of a tensor and its kind there: W1, conv1_W, Wx_i, by."""
    numbered = re.fullmatch(r"([A-Za-z]+?)(\d+)", name)
    if numbered and numbered[1] in _KINDS:
        return f"layer {numbered[2]}", numbered[1]
    if name in ("Wy", "by"):
        return "output", name[0]
    head, _, tail = name.partition("_")
    if tail and head in _KINDS:
        return (f"gate {tail}" if tail in "ifgo" else tail), head
    layer, _, kind = name.rpartition("_")
    return (layer, kind) if layer and kind in _KINDS else (name, "")
