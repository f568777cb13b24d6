"""Which copies go through the layers together: enough for long loops, few enough for the cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

CHUNK = 1 << 19  # numbers in the largest array of a chunk: 4 MB, longer loops against the cache
LONG = 64  # copies in a chunk, at least, where the batch can be cut
GROUP = 1 << 16  # numbers that the copies of one row must write to get a chunk of their own


@cache
def keep_freed_memory() -> None:
    """Make the system's allocator keep what a chunk frees for the next one, from now on.

    glibc gives freed memory back at once, and getting it anew, zeroed, costs more than the sums,
    until it has seen a larger block freed (its threshold adapts, see mallopt(3)). This block is
    one: nothing is ever written to it, so it never takes any memory. Without it the sizes
    2-256-256-2 take a third longer (benchmarks/numerical_gradient.py).
    """
    np.empty(4 * CHUNK)


@dataclass(frozen=True)
class Plan:
    """How the copies that shift one layer's parameters are cut into chunks.

    Attributes
    ----------
    widest : int
        Numbers that are written out for a copy and example, at most.
    batch : int
    whole : bool
        Whether the batch must stay in one part.
    rows : int or None
        How many rows of the layer's output the parameters shift, entry e row e % rows: copies that
        shift the same one are faster together. None where that is not so.
    """

    widest: int
    batch: int
    whole: bool
    rows: int | None

    @property
    def examples(self) -> int:
        """How many examples let LONG copies fit the cache: long inner loops are fast."""
        fit = max(1, CHUNK // (self.widest * LONG))
        return self.batch if self.whole else min(self.batch, fit)

    @property
    def limit(self) -> int:
        """How many copies a chunk may have."""
        return max(16, CHUNK // (self.widest * self.examples))

    def chunks(self, copies: int, entries: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the copies in each chunk, as numbers; copy i shifts entries[i % len(entries)]."""
        for group in self._groups(np.arange(copies), entries):
            pieces = -(-len(group) // self.limit)
            yield from np.array_split(group, pieces) if pieces > 1 else [group]

    def _groups(self, every: np.ndarray, entries: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the copies row by row, those of each by themselves where these are many."""
        if self.rows is None:
            yield every
            return
        row = entries % self.rows
        order = np.argsort(row, kind="stable")
        by_row = every.reshape(-1, len(entries))[:, order]
        if len(every) * self.batch * self.widest < GROUP * self.rows:
            yield by_row.T.reshape(-1)
            return
        for group in np.split(by_row, np.flatnonzero(np.diff(row[order])) + 1, axis=1):
            yield group.reshape(-1)
