"""Difference schemes, written as plain loops: two evaluations an entry, one entry at a time.

They work on any f(theta) -> float. They are slow and readable on purpose: the first lesson shows
them, and the fast numerical gradient (`fast`) is tested against them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradlab._validate import check_positive
from gradlab.checking.arguments import check_theta

LossFunction = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Scheme:
    """A way to turn evaluations of f into a slope.

    Attributes
    ----------
    name : str
    offsets : tuple of complex
        Where f is evaluated, in units of eps; 0 is theta itself.
    order : int
        The truncation error is O(eps**order).
    slopes : tuple of (int, int, int)
        Of the differences that are taken: the numbers of their right and left offsets, and their
        weights in the mean. None for the complex step, which reads the slope off one evaluation.
    """

    name: str
    offsets: tuple[complex, ...]
    order: int
    slopes: tuple[tuple[int, int, int], ...]

    @property
    def subtracts(self) -> bool:
        """False for the complex step: without a subtraction there is no round-off to fear."""
        return bool(self.slopes)

    def best_step(self, machine_eps: float) -> float:
        """Return the step where truncation and round-off balance, for numbers of size 1."""
        return machine_eps ** (1 / (self.order + self.subtracts))

    def evaluations(self, entries: int) -> int:
        """Return how often f is evaluated for so many entries, theta itself not counted."""
        return entries * sum(offset != 0 for offset in self.offsets)

    def combine(self, losses: np.ndarray, points: np.ndarray, eps: np.ndarray) -> np.ndarray:
        """Return the slopes from the losses at the shifted points.

        Each difference is divided by the step that was really taken, which rounding makes differ
        from the nominal one (scipy's `_numdiff` does the same).

        Parameters
        ----------
        losses, points : ndarray, shape (offsets, …)
            Loss at each offset, and the entry's value there.
        eps : ndarray, broadcastable to the rest
            Nominal step: it stands in where the step vanished against the entry's size.
        """
        if not self.subtracts:
            return losses[0].imag / eps
        total = 0
        for right, left, weight in self.slopes:
            taken = points[right] - points[left]
            nominal = (self.offsets[right] - self.offsets[left]) * eps
            difference = losses[right] - losses[left]
            total = total + weight * (difference / np.where(taken == 0, nominal, taken))
        return total / sum(weight for _, _, weight in self.slopes)


SCHEME_TABLE = {
    scheme.name: scheme
    for scheme in (
        Scheme("forward", (0, 1), 1, ((1, 0, 1),)),
        Scheme("central", (1, -1), 2, ((0, 1, 1),)),
        # Richardson: 4 and -1 cancel the eps**2 terms of both differences
        Scheme("five_point", (1, -1, 2, -2), 4, ((0, 1, 4), (2, 3, -1))),
        Scheme("complex_step", (1j,), 2, ()),
    )
}
SCHEMES = tuple(SCHEME_TABLE)


def forward_difference(loss: LossFunction, theta: np.ndarray, eps: float = 1e-8) -> np.ndarray:
    """Estimate the gradient of `loss` at `theta`, one evaluation an entry and one at theta.

    Truncation error is O(eps), round-off O(machine_eps * |loss| / eps). Arguments, result and
    errors as in `central_difference`.
    """
    return plain_loop(loss, theta, eps, "forward")


def central_difference(loss: LossFunction, theta: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Estimate the gradient of `loss` at `theta`, two evaluations an entry.

    Truncation error is O(eps**2), round-off O(machine_eps * |loss| / eps).
    `theta` is never modified.

    Parameters
    ----------
    loss : callable, (P,) ndarray -> float
        Deterministic: the same dropout masks on every call.
    theta : ndarray, shape (P,)
    eps : float, > 0
        Absolute step, in units of `theta`.

    Returns
    -------
    ndarray, shape (P,)
        In units of loss per unit of `theta`.

    References
    ----------
    CS231n notes, "Gradient checks"; Numerical Recipes, 3rd ed., sec. 5.7.
    """
    theta, eps = check_theta(theta), check_positive(eps, "eps")
    gradient = np.empty_like(theta)
    for i in range(len(theta)):
        saved = theta[i]
        theta[i] = right = saved + eps
        loss_right = loss(theta)
        theta[i] = left = saved - eps
        loss_left = loss(theta)
        theta[i] = saved  # put back, not subtracted back: that would drift
        gradient[i] = (loss_right - loss_left) / (right - left)
    return gradient


def five_point(loss: LossFunction, theta: np.ndarray, eps: float = 1e-3) -> np.ndarray:
    """Estimate the gradient of `loss` at `theta`, four evaluations an entry.

    Truncation error is O(eps**4), round-off O(machine_eps * |loss| / eps). Arguments, result and
    errors as in `central_difference`.
    """
    return plain_loop(loss, theta, eps, "five_point")


def complex_step(loss: LossFunction, theta: np.ndarray, eps: float = 1e-20) -> np.ndarray:
    """Estimate the gradient of `loss` at `theta` as Im loss(theta + i eps) / eps.

    Nothing is subtracted, so there is no round-off to fear and eps can be tiny; but `loss` must
    accept complex numbers and be analytic in them (no abs, no conj).

    References
    ----------
    Squire and Trapp, "Using complex variables to estimate derivatives of real functions",
    SIAM Review 40(1), 1998.
    """
    return plain_loop(loss, theta, eps, "complex_step")


def plain_loop(loss: LossFunction, theta: np.ndarray, eps: float, scheme: str) -> np.ndarray:
    """Estimate the gradient of `loss` at `theta`, one entry after the other, by any scheme."""
    rule = SCHEME_TABLE[scheme]
    theta, eps = check_theta(theta), check_positive(eps, "eps")
    probe = theta if rule.subtracts else theta.astype(complex)
    steps = [probe.dtype.type(offset * eps) for offset in rule.offsets]
    gradient = np.empty(probe.shape, probe.real.dtype)
    for i, saved in enumerate(probe.copy()):
        losses, points = [], []
        for step in steps:
            probe[i] = saved + step
            points.append(probe[i])
            losses.append(loss(probe))
        probe[i] = saved
        gradient[i] = rule.combine(np.array(losses), np.array(points), gradient.dtype.type(eps))
    return gradient
