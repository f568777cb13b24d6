"""The check over a whole range of weight scales: where right code looks wrong, and wrong right."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import numpy as np

from gradlab._validate import check_positive_vector
from gradlab.checking.check import check
from gradlab.checking.verdict import Verdict
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network
from gradlab.nn.scaling import scaled, weight_scale_of


@dataclass(frozen=True, eq=False)
class WeightScaleSweep:
    """What a check says of one network over a range of weight scales.

    Attributes
    ----------
    scales : ndarray, shape (S,)
        Standard deviations of the weights.
    verdicts : tuple of Verdict, length S
        On the whole gradient at each scale.
    errors : dict of str to ndarray, shape (S,)
        One number a tensor and scale, in `measure`.
    gradient_norms : dict of str to ndarray, shape (S,)
        ‖a‖ of the analytic gradient, in units of loss per unit of the tensor: where it vanishes.
    eps : float or None
        None where the checker chose the steps.
    scheme, measure : str
    evaluations : int
        How often the loss was evaluated.
    seconds : float
    """

    scales: np.ndarray
    verdicts: tuple[Verdict, ...]
    errors: dict[str, np.ndarray]
    gradient_norms: dict[str, np.ndarray]
    eps: float | None
    scheme: str
    measure: str
    evaluations: int
    seconds: float

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {verdict}" for verdict, n in Counter(self.verdicts).items())
        low, high = self.scales.min(), self.scales.max()
        return f"WeightScaleSweep({len(self.scales)} scales from {low:.0e} to {high:.0e}: {counts})"


def sweep_weight_scale(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    scales: np.ndarray | None = None,
    eps: float | None = None,
    scheme: str = "central",
    masks: Masks = None,
    measure: str = "max_relative",
) -> WeightScaleSweep:
    """Check the gradient at every weight scale of a range.

    A scale is the standard deviation of the weights, as in `gl.mlp(weight_scale=…)` and on the
    lab's slider. All weights of a copy are multiplied by one number, scale / the network's own;
    the biases stay. The network's own scale is the `weight_scale` it was built with, so at that
    scale it is checked as it is, trained or not, and an untrained one at any scale as if it had
    been built with it. For a network built without, it is the root mean square of all its weights.

    Costs a `gl.check` for each scale: some 20 evaluations of the loss for each of the P parameters,
    or four with central differences at a given `eps`.

    Parameters
    ----------
    net : Network
        Of gl.mlp, gl.convnet or gl.lstm, or one of these with a bug from `gl.bugs.plant`. It is
        never modified.
    x, y, eps, scheme, masks, measure
        As in `gl.check`.
    scales : ndarray, shape (S,), > 0, optional
        25 from 1e-4 to 1e2 when left out.

    Returns
    -------
    WeightScaleSweep

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong shape, type or range, at one of the scales the loss overflows, or
        all weights are 0; the message names the argument.

    References
    ----------
    A. Ng, "Improving deep neural networks", "Gradient checking implementation notes": a bug may
    show only once the weights have grown.

    Examples
    --------
    Near 0 tanh is a straight line, and a backward pass without its derivative passes the check:

    >>> import gradlab as gl
    >>> x, y = gl.data.moons(32)
    >>> net = gl.bugs.plant(gl.mlp([2, 8, 1], loss="mse"), "missing_activation_derivative")
    >>> sweep = gl.sweep_weight_scale(net, x, y[:, None], scales=[1e-3, 1.0], eps=1e-5)
    >>> [str(verdict) for verdict in sweep.verdicts]
    ['correct', 'wrong']
    """
    start = time.perf_counter()
    scales = check_positive_vector(np.logspace(-4, 2, 25) if scales is None else scales, "scales")
    own = weight_scale_of(net)
    if own == 0:
        raise ValueError("net must have weights that are not all 0: there is nothing to scale")
    verdicts, evaluations = [], 0
    errors, norms = ({name: np.empty(len(scales)) for name in net.params} for _ in range(2))
    for i, scale in enumerate(scales):
        other = _at_scale(net, scale, own, x, y, masks)
        report = check(other, x, y, eps, scheme, masks, measure)
        verdicts.append(report.verdict)
        evaluations += report.evaluations
        for name, tensor in report.tensors.items():
            errors[name][i] = tensor.error
            norms[name][i] = np.linalg.norm(tensor.analytic)
    seconds = time.perf_counter() - start
    return WeightScaleSweep(
        scales, tuple(verdicts), errors, norms, report.eps, scheme, measure, evaluations, seconds
    )


def _at_scale(
    net: Network, scale: float, own: float, x: np.ndarray, y: np.ndarray, masks: Masks
) -> Network:
    """Return a copy with weights of another scale, or raise if its loss overflows."""
    with np.errstate(over="ignore", invalid="ignore"):  # has its own message
        other = scaled(net, float(scale / own))
        finite = np.isfinite(other.theta).all() and np.isfinite(other.loss(x, y, masks))
    if not finite:
        raise ValueError(f"scales must leave the loss finite, got {scale:g}: it overflows there")
    return other
