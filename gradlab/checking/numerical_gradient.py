"""The numerical gradient of a network."""

from __future__ import annotations

import numpy as np

from gradlab._validate import check_choice, check_positive_vector
from gradlab.checking.fast import fast_gradient
from gradlab.checking.schemes import SCHEME_TABLE, SCHEMES, plain_loop
from gradlab.nn.layers import Masks
from gradlab.nn.network import Network

METHODS = ("fast", "loop")


def numerical_gradient(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    eps: float | np.ndarray = 1e-5,
    scheme: str = "central",
    masks: Masks = None,
    method: str = "fast",
) -> dict[str, np.ndarray]:
    """Estimate the gradient of `net.loss` with respect to every parameter by differences.

    Costs `P` times two (forward: one, five_point: four) evaluations of the loss; the fast method
    shares most of their work. The network's parameters are never modified, not even for a moment.

    Parameters
    ----------
    net : Network
    x : ndarray, shape (N, D)
    y : ndarray, shape (N,) of labels or (N, K)
    eps : float or ndarray, shape (S,), > 0, optional
        Absolute step, in units of the parameters. A vector gives a gradient for each step.
    scheme : {"forward", "central", "five_point", "complex_step"}, optional
    masks : list of ndarray, Generator or None, optional
        Dropout masks, as in `net.loss`. A Generator draws new ones at every evaluation: then the
        result is not a gradient of anything, which is what a lesson shows.
    method : {"fast", "loop"}, optional
        "loop" is the plain loop over `net.loss_function`: the oracle, and slow.

    Returns
    -------
    dict of str to ndarray
        The shapes of `net.params`, with an axis S in front when `eps` is a vector.

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong shape, type or range; the message names it.
    """
    rule = SCHEME_TABLE[check_choice(scheme, SCHEMES, "scheme")]
    steps = check_positive_vector(eps, "eps")
    if check_choice(method, METHODS, "method") == "fast":
        gradient = fast_gradient(net, x, y, steps, rule, masks)
    else:
        f = net.loss_function(x, y, masks)
        rows = [net.roll(plain_loop(f, net.theta, h, scheme)) for h in steps]
        gradient = {name: np.stack([row[name] for row in rows]) for name in net.params}
    return {k: v[0] for k, v in gradient.items()} if np.ndim(eps) == 0 else gradient
