"""Error measures: one definition each, all on the same difference analytic - numerical."""

from __future__ import annotations

import numpy as np

MEASURES = ("max_relative", "sum_relative", "norm_ratio")


def absolute_error(analytic: np.ndarray, numerical: np.ndarray) -> np.ndarray:
    """Return |a - n| entry by entry."""
    return np.abs(analytic - numerical)


def relative_error(
    analytic: np.ndarray, numerical: np.ndarray, measure: str = "max_relative"
) -> np.ndarray:
    """Return |a - n| / max(|a|, |n|) entry by entry; 0 where both are 0.

    With `measure="sum_relative"` the denominator is |a| + |n|, which is between one and two times
    as large: a factor 2 then shows as 1/3, a missing or a flipped gradient as 1.

    References
    ----------
    CS231n notes, "Gradient checks", for the maximum; its notebooks, for the sum.
    """
    analytic, numerical = np.asarray(analytic) * 1.0, np.asarray(numerical) * 1.0
    a, n = np.abs(analytic), np.abs(numerical)
    scale = a + n if measure == "sum_relative" else np.maximum(a, n)
    error = np.abs(np.subtract(analytic, numerical))
    return np.divide(error, scale, out=np.zeros_like(error), where=scale != 0)


def norm_ratio(analytic: np.ndarray, numerical: np.ndarray) -> np.ndarray:
    """Return ‖a - n‖ / (‖a‖ + ‖n‖) over the last axis; 0 where both norms are 0.

    References
    ----------
    Ng, "Gradient checking", Deep Learning Specialization: the sum of two norms, not the norm of a
    sum.
    """
    a, n = _scaled(analytic, numerical)
    scale = np.linalg.norm(a, axis=-1) + np.linalg.norm(n, axis=-1)
    error = np.linalg.norm(a - n, axis=-1)
    return np.divide(error, scale, out=np.zeros_like(error), where=scale != 0)


def _scaled(analytic: np.ndarray, numerical: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both divided by their largest entry, so that squares neither overflow nor vanish."""
    a, n = np.broadcast_arrays(analytic, numerical)
    largest = np.maximum(np.abs(a), np.abs(n)).max(axis=-1, keepdims=True, initial=0.0)
    largest = np.where(largest == 0, 1.0, largest)
    return a / largest, n / largest


def tensor_error(analytic: np.ndarray, numerical: np.ndarray, measure: str) -> np.ndarray:
    """Return one number for a tensor, in the chosen measure.

    Parameters
    ----------
    analytic : ndarray, shape (size,)
    numerical : ndarray, shape (size,) or (S, size)
    measure : {"max_relative", "sum_relative", "norm_ratio"}

    Returns
    -------
    ndarray, shape () or (S,)
        The largest entry's relative error, or the norm ratio.
    """
    if measure == "norm_ratio":
        return norm_ratio(analytic, numerical)
    return relative_error(analytic, numerical, measure).max(axis=-1)


def cosine(analytic: np.ndarray, numerical: np.ndarray) -> float:
    """Return the cosine between two gradients: -1 is a flipped sign; NaN where one of them is 0."""
    a, n = _scaled(analytic, numerical)
    norms = float(np.linalg.norm(a) * np.linalg.norm(n))
    return float(np.vdot(a, n)) / norms if norms else float("nan")


def ratio(analytic: np.ndarray, numerical: np.ndarray) -> float:
    """Return <a, n> / <n, n>, the factor by which the analytic gradient is off; NaN for n = 0."""
    a, n = _scaled(analytic, numerical)
    square = float(np.vdot(n, n))
    return float(np.vdot(a, n)) / square if square else float("nan")
