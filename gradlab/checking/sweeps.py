"""The check over a whole range: of steps, the U-curve, or of weight scales.

Over scales it shows where right code looks wrong, and wrong code right.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradlab._validate import check_choice, check_positive_vector
from gradlab.checking.check import check, checked_gradient, own_gradient
from gradlab.checking.errors import MEASURES, tensor_error
from gradlab.checking.fast import crossed_kinks, fast_gradient
from gradlab.checking.sampling import Entries, sampled_entries
from gradlab.checking.schemes import SCHEME_TABLE, SCHEMES, Scheme
from gradlab.checking.verdict import Verdict
from gradlab.nn.layers import Masks
from gradlab.nn.network import Network, Point, scaled, weight_scale_of


@dataclass(frozen=True, eq=False)
class EpsSweep:
    """Errors of a numerical gradient over a range of steps.

    Attributes
    ----------
    eps : ndarray, shape (S,)
    errors : dict of str to ndarray, shape (S,)
        One number a tensor and step, in `measure`.
    sizes : dict of str to ndarray, shape (S,)
        ‖n‖ of the numerical gradient's checked entries, in units of loss per unit of the tensor: a
        relative error cannot tell how large it grows, for it ends at 1 or 2.
    scheme, measure : str
    machine_eps : float
        Of the numbers that were used: np.finfo(dtype).eps of the parameters.
    predicted_best_eps : float
        Where truncation and round-off balance: machine_eps ** (1 / (order + 1)). For the complex
        step the largest step that has no truncation to speak of, machine_eps ** (1 / 2).
    kinks_from : float
        The smallest of the steps at which any entry's difference crosses a kink; infinity if none
        does. From there on errors are no fault of the code's.
    evaluations : int
    seconds : float
    """

    eps: np.ndarray
    errors: dict[str, np.ndarray]
    sizes: dict[str, np.ndarray]
    scheme: str
    measure: str
    machine_eps: float
    predicted_best_eps: float
    kinks_from: float
    evaluations: int
    seconds: float

    @property
    def best_eps(self) -> dict[str, float]:
        """The step with the smallest error, for each tensor."""
        finite = {name: np.where(np.isnan(e), np.inf, e) for name, e in self.errors.items()}
        return {name: float(self.eps[np.argmin(e)]) for name, e in finite.items()}

    @property
    def truncation(self) -> np.ndarray:
        """Predicted truncation error over eps, shape (S,): eps**order for derivatives near 1."""
        return self.eps ** SCHEME_TABLE[self.scheme].order

    @property
    def round_off(self) -> np.ndarray:
        """Predicted round-off error over eps, shape (S,): machine_eps / eps.

        The complex step subtracts nothing: its round-off does not depend on eps.
        """
        subtracts = SCHEME_TABLE[self.scheme].subtracts
        return self.machine_eps / (self.eps if subtracts else np.ones_like(self.eps))

    def __repr__(self) -> str:
        return (
            f"EpsSweep({len(self.eps)} steps from {self.eps.min():.0e} to {self.eps.max():.0e}, "
            f"{self.scheme}, {len(self.errors)} tensors)"
        )


def sweep_eps(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    eps: np.ndarray | None = None,
    scheme: str = "central",
    masks: Masks = None,
    measure: str = "max_relative",
    analytic: Mapping[str, np.ndarray] | None = None,
    method: str = "full",
    samples: int = 20,
    seed: int = 0,
) -> EpsSweep:
    """Check the gradient at every step of a range.

    Parameters
    ----------
    net, x, y, scheme, masks, measure, analytic
        As in `gl.check`.
    eps : ndarray, shape (S,), > 0, optional
        The steps; 61 from 1e-1 to 1e-13 when left out.
    method : {"full", "sampled"}, optional
    samples, seed : int, optional
        As in `gl.check`: the same entries for the same seed.

    Returns
    -------
    EpsSweep

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong shape, type or range; the message names it.
    """
    start = time.perf_counter()
    steps = check_positive_vector(np.logspace(-1, -13, 61) if eps is None else eps, "eps")
    rule = SCHEME_TABLE[check_choice(scheme, SCHEMES, "scheme")]
    check_choice(measure, MEASURES, "measure")
    a = (
        own_gradient(Point(net, x, y, masks))
        if analytic is None
        else checked_gradient(net, analytic, "analytic")
    )
    entries = None
    if check_choice(method, ("full", "sampled"), "method") == "sampled":
        entries = sampled_entries(net.params, samples, seed)
        a = {name: np.ravel(a[name])[entries[name]] for name in net.params}
    n = fast_gradient(net, x, y, steps, rule, masks, entries)
    n = {name: value.reshape(len(steps), -1) for name, value in n.items()}
    errors = {name: tensor_error(a[name].ravel(), n[name], measure) for name in net.params}
    sizes = {name: np.linalg.norm(value.astype(float), axis=-1) for name, value in n.items()}
    machine_eps = float(np.finfo(net.dtype).eps)
    size = sum(value.size for value in a.values())
    evaluations = rule.evaluations(size * len(steps)) + (0 in rule.offsets)
    kinks = _kinks_from(net, x, y, np.sort(steps), rule, masks, entries)
    seconds = time.perf_counter() - start
    best = rule.best_step(machine_eps)
    return EpsSweep(
        steps, errors, sizes, scheme, measure, machine_eps, best, kinks, evaluations, seconds
    )


def _kinks_from(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    steps: np.ndarray,
    rule: Scheme,
    masks: Masks,
    entries: Entries | None,
) -> float:
    """Return the smallest of the ascending steps that crosses a kink, found by halving.

    What a short step crosses a longer one crosses too, but for kinks that lie side by side.
    """

    def crosses(step: float) -> bool:
        return any(c.any() for c in crossed_kinks(net, x, y, step, rule, masks, entries).values())

    if isinstance(masks, np.random.Generator) or not crosses(steps[-1]):
        return float("inf")
    low, high = -1, len(steps) - 1  # steps[low] crosses none, steps[high] does
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if crosses(steps[middle]) else (middle, high)
    return float(steps[high])


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
    >>> sweep = gl.sweep_weight_scale(net, x, y[:, None], scales=[1e-4, 1.0], eps=1e-5)
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
