"""What goes wrong with the finished gradient: L2, sums that are not reset, a line copied."""

from __future__ import annotations

from gradlab.bugs.fault import idle_biases
from gradlab.bugs.faults import Weighted
from gradlab.nn.layers import Grads, Params
from gradlab.nn.network import Network


def accumulated(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """Return what a second call does when it adds to what the first one left."""
    return {name: g + g for name, g in grads.items()}


def copied_bias(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """Return the gradient of another layer's bias, of the same shape."""
    return {**grads, net.layers[position].b: grads[twin_bias(net, position)]}


def twin_bias(net: Network, position: int) -> str | None:
    """Return the nearest other layer's bias of the same shape, upper ones first."""
    own, idle = net.layers[position], idle_biases(net)
    others = [(abs(i - position), i < position, layer.b) for i, layer in enumerate(net.layers)
              if isinstance(layer, Weighted) and layer is not own and layer.b not in idle
              and net.params[layer.b].shape == net.params[own.b].shape]  # fmt: skip
    return min(others)[2] if others else None


def missing_l2(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """L2 in the loss only."""
    return _more_l2(net, grads, params, -1.0)


def doubled_l2(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """2·λ·W, the derivative of λ·ΣW² without the ½."""
    return _more_l2(net, grads, params, 1.0)


def l2_over_n(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """λ·W divided by the batch size, which the loss does not do."""
    return _more_l2(net, grads, params, 1 / n - 1)


def negated_l2(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """Take λ·W off instead of adding it."""
    return _more_l2(net, grads, params, -2.0)


def l2_on_biases(net: Network, grads: Grads, params: Params, n: int, position: int) -> Grads:
    """λ·b in the gradient, for biases that the loss does not regularise."""
    return {k: g if k in net.weight_names else g + net.dtype.type(net.l2) * params[k]
            for k, g in grads.items()}  # fmt: skip


def _more_l2(net: Network, grads: Grads, params: Params, times: float) -> Grads:
    factor = net.dtype.type(times * net.l2)
    return {k: g + factor * params[k] if k in net.weight_names else g for k, g in grads.items()}
