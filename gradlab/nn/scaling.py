"""The scale of a network's weights, and the same network at another scale."""

from __future__ import annotations

import numpy as np

from gradlab.nn.network import Network


def weight_scale_of(net: Network) -> float:
    """Return the standard deviation that stands for all weights of `net` together.

    It is the `weight_scale` that the network was built with, also once it is trained. A network
    that was built without one has a scale for each layer: there it is the root mean square of all
    weights as they are now.
    """
    if net.weight_scale is not None:
        return net.weight_scale
    weights = np.concatenate([net.params[name].ravel() for name in net.weight_names])
    return float(np.sqrt(np.mean(weights**2)))


def scaled(net: Network, factor: float) -> Network:
    """Return a copy of `net` whose weights are multiplied by `factor`; its biases are the same."""
    other = net.copy()
    for name in net.weight_names:
        other.params[name] *= factor
    if net.weight_scale is not None:
        other.weight_scale = net.weight_scale * factor
    return other
