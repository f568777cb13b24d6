"""A sum over axis 0 that rounds exactly as np.sum rounds a vector."""

from __future__ import annotations

import numpy as np


def row_sum(t: np.ndarray) -> np.ndarray:
    """Sum `t` (B, K) over axis 0, each column in np.sum's own order for a contiguous vector.

    np.sum adds a vector pairwise: in eight interleaved partial sums up to a length of 128, and by
    halves above. Over an axis it adds row after row instead, with up to twice the round-off. The
    left arm of the U-curve *is* that round-off, so the fast engine must not add any of its own.

    References
    ----------
    Higham, "The accuracy of floating point summation", SIAM J. Sci. Comput. 14(4), 1993.
    """
    n = len(t)
    if n < 8:
        return np.add.reduce(t, axis=0)
    if n > 128:
        half = n // 2
        half -= half % 8
        return row_sum(t[:half]) + row_sum(t[half:])
    whole = n - n % 8
    lanes = np.add.reduce(t[:whole].reshape(whole // 8, 8, -1), axis=0)
    pairs = lanes[0::2] + lanes[1::2]
    quads = pairs[0::2] + pairs[1::2]
    total = quads[0] + quads[1]
    for row in t[whole:]:
        total += row
    return total
