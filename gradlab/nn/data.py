"""Small data sets: two that are generated, and two that are real and shipped with the package.

Inputs are float64, one example a row; labels are int64, 0 to K - 1.
"""

from __future__ import annotations

import numpy as np

from gradlab._validate import check_choice, check_integer, check_number, check_real_array
from gradlab.nn.datasets import digits, iris

__all__ = ["DATASETS", "digits", "iris", "load", "moons", "spirals", "standardize"]

DATASETS = ("moons", "spirals", "iris", "digits")

# Spirals start this far from the origin: at the origin itself every class would have the same
# point, and a network whose biases are 0 would have every pre-activation exactly on ReLU's kink.
_INNER_RADIUS = 0.1
_SPIRAL_TURN = 4.0  # radians from the inner to the outer end of an arm


def moons(n: int = 200, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaved half circles, in random order.

    Parameters
    ----------
    n : int, >= 2
        Number of examples; an odd one goes to class 0.
    noise : float, >= 0
        Standard deviation of the Gaussian noise on each coordinate; the circles have radius 1.
    seed : int, >= 0

    Returns
    -------
    x : ndarray, shape (n, 2)
        Before the noise, class 0 is (cos t, sin t) and class 1 is (1 - cos t, 1/2 - sin t),
        with t evenly spaced from 0 to pi.
    y : ndarray of int, shape (n,)

    Raises
    ------
    ValueError, TypeError
        An argument is out of range or of the wrong type.
    """
    n = check_integer(n, "n", 2)
    noise = check_number(noise, "noise", 0)
    rng = np.random.default_rng(check_integer(seed, "seed"))
    upper, lower = np.linspace(0, np.pi, n - n // 2), np.linspace(0, np.pi, n // 2)
    x = np.concatenate(
        [
            np.column_stack([np.cos(upper), np.sin(upper)]),
            np.column_stack([1 - np.cos(lower), 0.5 - np.sin(lower)]),
        ]
    )
    y = np.repeat([0, 1], [len(upper), len(lower)])
    return _noisy_and_shuffled(x, y, noise, rng)


def spirals(
    n: int = 200, classes: int = 3, noise: float = 0.03, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Spiral arms around the origin, one for each class, in random order.

    Parameters
    ----------
    n : int, >= classes
        Number of examples, divided as evenly as it goes; the first classes get what is left over.
    classes : int, >= 2
    noise : float, >= 0
        Standard deviation of the Gaussian noise on each coordinate; the arms end at radius 1.
    seed : int, >= 0

    Returns
    -------
    x : ndarray, shape (n, 2)
        Before the noise, class k is r (cos t, sin t) with r evenly spaced from 0.1 to 1 and t from
        2 pi k / classes to 2 pi k / classes + 4.
    y : ndarray of int, shape (n,)

    Raises
    ------
    ValueError, TypeError
        An argument is out of range or of the wrong type.

    References
    ----------
    CS231n notes, "Putting it together: Minimal Neural Network Case Study", uses similar arms.
    """
    classes = check_integer(classes, "classes", 2)
    n = check_integer(n, "n", classes)
    noise = check_number(noise, "noise", 0)
    rng = np.random.default_rng(check_integer(seed, "seed"))
    arms, labels = [], []
    for k in range(classes):
        size = n // classes + (k < n % classes)
        along = np.linspace(0, 1, size)
        radius = _INNER_RADIUS + (1 - _INNER_RADIUS) * along
        angle = 2 * np.pi * k / classes + _SPIRAL_TURN * along
        arms.append(radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]))
        labels.append(np.full(size, k))
    return _noisy_and_shuffled(np.concatenate(arms), np.concatenate(labels), noise, rng)


def load(name: str, n: int | None = None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return `n` examples of the data set called `name`, in random order.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    n : int or None, optional
        How many: generated anew for moons and spirals; for iris and digits drawn without
        repetition. None is 200 for the generated sets and all of the others.
    seed : int, >= 0
        Of the noise and the order.

    Returns
    -------
    x : ndarray, shape (n, D)
    y : ndarray of int, shape (n,)

    Raises
    ------
    ValueError, TypeError
        `name` is unknown, or `n` is more than the data set has, or an argument is out of range.
    """
    check_choice(name, DATASETS, "name")
    if name in ("moons", "spirals"):
        generate = moons if name == "moons" else spirals
        return generate(200 if n is None else n, seed=seed)
    x, y = iris() if name == "iris" else digits()
    n = len(x) if n is None else check_integer(n, "n", 1)
    if n > len(x):
        raise ValueError(f"n must be at most {len(x)}, the size of {name}, got {n}")
    rows = np.random.default_rng(check_integer(seed, "seed")).permutation(len(x))[:n]
    return x[rows], y[rows]


def standardize(x: np.ndarray) -> np.ndarray:
    """Return `x` with each column shifted to mean 0 and scaled to standard deviation 1.

    Centimetres between 4 and 8 drive a tanh into saturation; the same flowers, standardized, do
    not. A constant column (a corner that no digit ever inks) becomes zeros.

    Parameters
    ----------
    x : ndarray, shape (N, D)

    Returns
    -------
    ndarray, shape (N, D)

    Raises
    ------
    ValueError, TypeError
        `x` is not a finite matrix of real numbers with at least one row.
    """
    x = check_real_array(x, "x", (None, None))
    if len(x) == 0:
        raise ValueError(f"x must hold at least one example, got shape {x.shape}")
    spread = np.ptp(x, axis=0)
    # The spread and not the deviation decides: that of 150 times 0.1 comes out as 1e-17.
    return (x - x.mean(axis=0)) / np.where(spread > 0, x.std(axis=0), 1) * (spread > 0)


def _noisy_and_shuffled(
    x: np.ndarray, y: np.ndarray, noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    # In random order, so that the first rows, or any mini-batch, hold every class.
    order = rng.permutation(len(x))
    return (x + noise * rng.standard_normal(x.shape))[order], y[order].astype(np.int64)
