"""The error over a whole range of steps: the U-curve."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradlab._validate import check_choice, check_positive_vector
from gradlab.checking.errors import MEASURES, tensor_error
from gradlab.checking.fast import crossed_kinks, fast_gradient
from gradlab.checking.judging import checked_gradient, own_gradient
from gradlab.checking.sampling import Entries, sampled_entries
from gradlab.checking.schemes import SCHEME_TABLE, SCHEMES, Scheme
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network


@dataclass(frozen=True, eq=False)
class EpsSweep:
    """Errors of a numerical gradient over a range of steps.

    Attributes
    ----------
    eps : ndarray, shape (S,)
    errors : dict of str to ndarray, shape (S,)
        One number a tensor and step, in `measure`.
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
        own_gradient(net, x, y, masks)
        if analytic is None
        else checked_gradient(net, analytic, "analytic")
    )
    entries = None
    if check_choice(method, ("full", "sampled"), "method") == "sampled":
        entries = sampled_entries(net.params, samples, seed)
        a = {name: np.ravel(a[name])[entries[name]] for name in net.params}
    n = fast_gradient(net, x, y, steps, rule, masks, entries)
    errors = {
        name: tensor_error(a[name].ravel(), n[name].reshape(len(steps), -1), measure)
        for name in net.params
    }
    machine_eps = float(np.finfo(net.dtype).eps)
    best = machine_eps ** (1 / (rule.order + rule.subtracts))
    size = sum(value.size for value in a.values())
    evaluations = sum(o != 0 for o in rule.offsets) * size * len(steps) + (0 in rule.offsets)
    kinks = _kinks_from(net, x, y, np.sort(steps), rule, masks, entries)
    seconds = time.perf_counter() - start
    return EpsSweep(steps, errors, scheme, measure, machine_eps, best, kinks, evaluations, seconds)


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
