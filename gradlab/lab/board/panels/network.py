"""The network drawn, each tensor in the colour and style of its verdict."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.nn.mlp import MLP
from gradlab.plots import chain_chart, chain_places, network_chart, network_places, stages
from gradlab.plots.chart import Chart

__all__ = ["NetworkPanel"]


class NetworkPanel(Panel):
    """All of it stands still until a verdict changes; a sign points at the tensor chosen.

    An MLP is drawn with its units, any other network as the chain of its layers.
    """

    name, title, width = "network", "Verdict per tensor", 12.0
    hint = "Click a tensor to choose it."

    def fits(self, result: Result) -> str:
        """Return why there is no network, or why its tensors have no verdicts of their own."""
        if result.net is None:
            return "What is checked here is a function: it has no layers."
        if set(result.net.params) <= set(result.report):
            return ""
        return "Random directions run through all tensors at once: none has a verdict of its own."

    def key(self, result: Result) -> Hashable:
        """Return the verdicts and the tensor that was chosen."""
        verdicts = tuple(_verdicts(result).items())
        shape = result.net.sizes if _has_units(result) else tuple(result.net.layers)
        return verdicts, shape, result.settings.tensor

    def still(self, result: Result) -> Chart:
        """Return the network in its tensors' colours."""
        verdicts, chosen = _verdicts(result), result.settings.tensor
        if _has_units(result):
            return network_chart(result.net.sizes, verdicts, chosen)
        return chain_chart(stages(tuple(verdicts), result.net.layers), verdicts, chosen)

    def alt(self, result: Result) -> str:
        """Return which tensors have which verdict."""
        groups: dict[str, list[str]] = {}
        for name, verdict in _verdicts(result).items():
            groups.setdefault(verdict, []).append(name)
        told = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in groups.items())
        return f"The network with the verdict of each of its tensors. {told}."

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the tensor that is nearest to the point: of its layer, the one at its height."""
        if _has_units(result):
            places, along = network_places(len(result.net.sizes) - 1), (1.0, 0.02)
        else:
            chain = stages(tuple(result.report), result.net.layers)
            places, along = chain_places(chain), (0.02, 1.0)

        def distance(name: str) -> float:
            at = places[name]
            return along[0] * abs(at[0] - x) + along[1] * abs(at[1] - y)

        return {"tensor": min(places, key=distance)}


def _verdicts(result: Result) -> dict[str, str]:
    return {name: str(tensor.verdict) for name, tensor in result.report.tensors.items()}


def _has_units(result: Result) -> bool:
    """Return whether the network is one that `network_chart` can draw."""
    net = result.net
    return isinstance(net, MLP) and all(name[0] in "Wb" for name in result.report)
