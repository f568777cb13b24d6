"""The numerical gradient with respect to the activations between layers, the input among them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradlab._validate import check_choice, check_positive
from gradlab.checking.fast.shifted_losses import row_sum
from gradlab.checking.schemes import SCHEME_TABLE, SCHEMES, Scheme
from gradlab.nn.dropout import Masks
from gradlab.nn.layers import Layer
from gradlab.nn.network import Network

CHUNK = 1 << 18  # numbers in the largest array of a chunk of copies: 2 MB


def numerical_cut_gradients(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    eps: float = 1e-5,
    scheme: str = "central",
    masks: Masks = None,
) -> dict[str, np.ndarray]:
    """Estimate dL/d(activation) at every cut between layers by differences of the loss.

    At each cut every number of the activation is shifted, one at a time, and the rest of the
    network is run: K copies at once. Costs two evaluations of that rest a number (forward: one,
    five_point: four), for the numbers of the whole batch.

    Parameters
    ----------
    net : Network
    x : ndarray, shape (N, …)
    y : ndarray
        As in `net.loss`.
    eps : float, > 0, optional
        Absolute step, in units of the activations.
    scheme : {"forward", "central", "five_point", "complex_step"}, optional
    masks : list of ndarray, Generator or None, optional
        Dropout masks; a Generator draws them once, for all evaluations.

    Returns
    -------
    dict of str to ndarray
        Names and shapes as in `net.cut_gradients`, which is what to compare with.

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong shape, type or range; the message names it.
    """
    rule = SCHEME_TABLE[check_choice(scheme, SCHEMES, "scheme")]
    eps = net.dtype.type(check_positive(eps, "eps"))
    a, target = net.prepare(x, y)
    n = a.shape[-2]
    chain = net.chain(masks, n)
    activations = net.forward(net.params, a, chain)
    gradients = {}
    for i, (name, activation) in enumerate(zip(net.cut_names(chain), activations, strict=True)):
        widest = max(later.size for later in activations[i:])
        slopes = _slopes(net, activation, target, chain[i:], rule, eps, n, max(1, CHUNK // widest))
        gradients[name] = net.as_rows(slopes, n)
    return gradients


def _slopes(
    net: Network,
    activation: np.ndarray,
    target: np.ndarray,
    rest: Sequence[Layer],
    rule: Scheme,
    eps: np.floating,
    n: int,
    copies: int,
) -> np.ndarray:
    """Return dL/d(activation) (features…, batch), `copies` numbers at a time."""
    values = activation.reshape(-1)
    offsets = np.array(rule.offsets, net.dtype if rule.subtracts else complex)
    points = values + offsets[:, None] * eps  # (offsets, numbers)
    losses = np.empty(points.shape, points.dtype)
    for start in range(0, values.size, copies):
        entry = np.arange(start, min(start + copies, values.size))
        for offset, point in enumerate(points):
            shifted = np.repeat(values[:, None].astype(point.dtype), len(entry), axis=1)
            shifted[entry, np.arange(len(entry))] = point[entry]
            out = shifted.reshape(*activation.shape[:-1], -1)
            for layer in rest:
                out = layer.forward(net.params, out)
            losses[offset, entry] = row_sum(net.loss_rule.per_example(out, target)) / n
    losses += net.raw_l2_loss(net.params)  # its round-off is part of the loss that a loop sees
    return rule.combine(losses, points, eps).reshape(activation.shape[:-1])
