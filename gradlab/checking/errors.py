"""Error measures: one definition each, all on the same difference analytic - numerical."""

from __future__ import annotations

import numpy as np

from gradlab._validate import check_choice

MEASURES = ("max_relative", "sum_relative", "norm_ratio")
# Relative errors and what CS231n's notes say of them: customs, which no verdict depends on.
BANDS = (
    (1e-7, "happy"),
    (1e-4, "usually fine"),
    (1e-2, "uncomfortable"),
    (np.inf, "probably wrong"),
)


def relative_error(
    analytic: np.ndarray, numerical: np.ndarray, measure: str = "max_relative"
) -> np.ndarray:
    """Return |a - n| / max(|a|, |n|) entry by entry; 0 where both are 0.

    With `measure="sum_relative"` the denominator is |a| + |n|, which is between one and two times
    as large: a factor 2 then shows as 1/3, a missing or a flipped gradient as 1.

    Parameters
    ----------
    analytic, numerical : array_like of real numbers, both of the same shape
        Never broadcast: (64,) against (1, 64) would compare fine and be a bug.
    measure : {"max_relative", "sum_relative"}, optional
        For the norm ratio, one number for all entries, there is `norm_ratio`.

    Returns
    -------
    ndarray, of the same shape

    Raises
    ------
    ValueError, TypeError
        The shapes differ, an argument holds no real numbers, or the measure is unknown.

    References
    ----------
    CS231n notes, "Gradient checks", for the maximum; its notebooks, for the sum.
    """
    check_choice(measure, MEASURES[:2], "measure")
    return entry_errors(*_checked(analytic, numerical), measure)[()]  # of numbers a number


def _checked(analytic: object, numerical: object) -> tuple[np.ndarray, np.ndarray]:
    arrays = []
    for value, argument in ((analytic, "analytic"), (numerical, "numerical")):
        try:
            array = np.asarray(value)
        except ValueError:
            raise ValueError(
                f"{argument} must be an array, got rows of different lengths"
            ) from None
        if array.dtype.kind not in "fiu":  # nan is let through: a difference may have none
            raise TypeError(f"{argument} must hold real numbers, got dtype {array.dtype}")
        arrays.append(array * 1.0)
    a, n = arrays
    if a.shape != n.shape:
        raise ValueError(f"numerical must have the shape of analytic, {a.shape}, got {n.shape}")
    return a, n


def entry_errors(
    analytic: np.ndarray, numerical: np.ndarray, measure: str = "max_relative"
) -> np.ndarray:
    """Return `relative_error` of float arrays without checks, broadcast over a step axis."""
    a, n = np.abs(analytic), np.abs(numerical)
    scale = a + n if measure == "sum_relative" else np.maximum(a, n)
    error = np.abs(np.subtract(analytic, numerical))
    return np.divide(error, scale, out=np.zeros_like(error), where=scale != 0)


def norm_ratio(analytic: np.ndarray, numerical: np.ndarray) -> float:
    """Return ‖a - n‖ / (‖a‖ + ‖n‖), one number for all entries; 0 where both norms are 0.

    Of a matrix ‖·‖ is the root of the sum of all squares, as of the vector of its entries.
    Arguments and errors as in `relative_error`: shapes must be equal.

    References
    ----------
    Ng, "Gradient checking", Deep Learning Specialization: the sum of two norms, not the norm of a
    sum.

    Examples
    --------
    >>> import numpy as np
    >>> import gradlab as gl
    >>> round(float(gl.norm_ratio(3 * np.ones((2, 4)), np.ones((2, 4)))), 6)
    0.5
    """
    a, n = _checked(analytic, numerical)
    return raw_norm_ratio(a.ravel(), n.ravel())[()]


def raw_norm_ratio(analytic: np.ndarray, numerical: np.ndarray) -> np.ndarray:
    """Return `norm_ratio` over the last axis, without checks, broadcast over a step axis."""
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
        return raw_norm_ratio(analytic, numerical)
    return entry_errors(analytic, numerical, measure).max(axis=-1)


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
