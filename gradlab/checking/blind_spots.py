"""What a check at this point cannot see, however good its verdict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.nn.dropout import Masks
from gradlab.nn.layers import Activation
from gradlab.nn.network import Network
from gradlab.nn.recurrent import LSTM

SWAMPED = 1e3  # L2's gradient over the data's, above which the data's hardly counts
LINEAR = 1e-2  # change of an activation's slope over all units, below which it is nearly linear


def blind_spots(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    masks: Masks,
    analytic: Mapping[str, np.ndarray],
) -> tuple[str, ...]:
    """Return sentences on what stays hidden here, and what to do to see it; often none."""
    a, _ = net.prepare(x, y)
    chain = net.chain(masks, a.shape[-2])
    activations = [a]
    for layer in chain:
        activations.append(layer.forward(net.params, activations[-1]))
    found = [*_swamped(net, analytic), *_nearly_linear(chain, activations)]
    if a.shape[-2] == 1:
        found.append("one example: a forgotten, doubled or misplaced mean over the batch would "
                     "not show; check with several")  # fmt: skip
    if net.dropout_rate and masks is None:
        found.append("no dropout masks: dropout's own backward pass is not tested; pass frozen "
                     "masks")  # fmt: skip
    if net.l2 and not any(net.params[n].any() for n in net.params if n not in net.weight_names):
        found.append("all biases are 0: L2 that wrongly includes them would not show; check after "
                     "some training")  # fmt: skip
    ones = [n for n, value in net.params.items() if n.startswith("gamma") and (value == 1).all()]
    if ones:
        found.append(f"{', '.join(ones)} all 1: batch norm's backward pass without gamma would not "
                     "show; check after some training")  # fmt: skip
    if any(isinstance(layer, LSTM) for layer in chain) and len(a) == 1:
        found.append("a single time step: most of backpropagation through time is not tested; "
                     "check with four or more")  # fmt: skip
    zero = [name for name, value in analytic.items() if not np.any(value)]
    if zero and len(zero) < len(analytic):
        found.append(f"the gradient of {', '.join(zero)} is exactly 0: code that returns 0 there "
                     "would pass")  # fmt: skip
    return tuple(found)


def _swamped(net: Network, analytic: Mapping[str, np.ndarray]) -> list[str]:
    names = []
    for name in net.weight_names if net.l2 else ():
        penalty = net.l2 * net.params[name]
        data = np.linalg.norm(analytic[name] - penalty)
        if np.linalg.norm(penalty) > SWAMPED * data:
            names.append(name)
    if not names:
        return []
    return [f"L2 makes up nearly all of the gradient of {', '.join(names)}: a bug in the data's "
            "part, even a flipped sign, can hide there; check with l2=0 first"]  # fmt: skip


def _nearly_linear(chain: list, activations: list[np.ndarray]) -> list[str]:
    for layer, z, out in zip(chain, activations, activations[1:], strict=False):
        if not isinstance(layer, Activation) or layer.function.has_kink:
            continue
        at_0 = np.zeros(1)
        at_0 = layer.function.derivative(at_0, layer.function.function(at_0))
        if np.abs(layer.function.derivative(z, out) - at_0).max() < LINEAR:
            return [f"{layer.function.name} is nearly linear here (its slope varies by less than "
                    f"{LINEAR:g}): a missing or wrong derivative may not show; raise weight_scale, "
                    "or check again after some training"]  # fmt: skip
    return []
