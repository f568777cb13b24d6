"""The real data sets, in npz files beside this one; README.md tells their source and licence."""

from __future__ import annotations

from importlib.resources import files

import numpy as np

__all__ = ["digits", "iris"]


def iris() -> tuple[np.ndarray, np.ndarray]:
    """Fisher's iris flowers, 50 of each of three species, in the source's order: sorted by species.

    Returns
    -------
    x : ndarray, shape (150, 4)
        Sepal length, sepal width, petal length, petal width, in centimetres.
    y : ndarray of int, shape (150,)
        0 setosa, 1 versicolor, 2 virginica.

    References
    ----------
    Fisher, R. (1936). Iris [Dataset]. UCI Machine Learning Repository, doi:10.24432/C56C76.
    The values are those of its file bezdekIris.data, which has two rows of iris.data corrected.
    """
    tenths, y = _shipped("iris")
    return tenths / 10, y


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Handwritten digits as 8 x 8 pictures, in the source's order: the classes are mixed.

    Returns
    -------
    x : ndarray, shape (1797, 64)
        Ink in each pixel, row by row, from 0 (none) to 1, in steps of 1/16.
    y : ndarray of int, shape (1797,)
        The digit, 0 to 9.

    References
    ----------
    Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits [Dataset]. UCI
    Machine Learning Repository, doi:10.24432/C50P49. These are the rows of its test file.
    """
    sixteenths, y = _shipped("digits")
    return sixteenths / 16, y


def _shipped(name: str) -> tuple[np.ndarray, np.ndarray]:
    with (
        files(__name__).joinpath(f"{name}.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return arrays["x"].astype(np.float64), arrays["y"].astype(np.int64)
