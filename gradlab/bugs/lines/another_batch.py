"""Another batch, on which sizes that coincide do so no more: what a gradient's code says there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.bugs.lines.cause import Cause
from gradlab.bugs.lines.search import FAILS
from gradlab.nn.network import Point

Arrays = Mapping[str, np.ndarray]
Gradient = Callable[[np.ndarray, np.ndarray, list[np.ndarray] | None], Arrays]


def fewer(point: Point) -> Point:
    """Return a batch of one example fewer and, of sequences, one step fewer.

    Of as many examples as steps two fewer, that these sizes differ. Of the shortest sequences one
    step more, which says as much; two examples stay two.
    """
    net, x, y, masks = point
    x, y = np.asarray(x), np.asarray(y)
    n = x.shape[net.batch_axis]
    rows = np.arange(n - (n > 2) * (1 + (net.batch_axis and n == len(x))))
    x, y = net.pick(x, y, rows)
    if net.batch_axis:
        steps = [*range(len(x) - 1)] if len(x) > 2 else [*range(len(x)), 0]
        x, y = x[steps], y[steps] if net.every_step else y
    return Point(net, x, y, None if masks is None else [np.asarray(m)[rows] for m in masks])


@dataclass(frozen=True)
class Asked:
    """What the code that is looked into gives for another batch.

    Attributes
    ----------
    point : Point
        With that batch.
    answer : dict of str to ndarray
    """

    point: Point
    answer: Arrays

    @classmethod
    def of(cls, gradient: Gradient, point: Point) -> Asked | None:
        """Ask; None where the code cannot answer, such as for a batch of another size."""
        _, *batch = point = fewer(point)
        try:
            answer = {k: np.array(v, float) for k, v in gradient(*batch).items()}
        except Exception:  # anybody's code: whatever it raises, it does not answer
            return None
        shapes = {k: v.shape for k, v in point.net.params.items()}
        is_whole = {k: v.shape for k, v in answer.items()} == shapes
        return cls(point, answer) if is_whole else None

    def is_(self, gradient: Arrays, tolerance: float = 0.0) -> bool:
        """Tell whether another code's gradient is the same, tensor by tensor."""
        tolerance = max(tolerance, 1e-3 if self.point.net.dtype == np.float32 else 1e-6)
        largest = max(np.linalg.norm(v) for v in self.answer.values())
        return all(
            np.linalg.norm(np.ravel(gradient[k]) - v.ravel())
            <= tolerance * np.linalg.norm(v) + 1e-9 * largest
            for k, v in self.answer.items()
        )

    def agrees(self, cause: Cause) -> bool:
        """Tell whether a cause gives the same, or cannot be carried over to that batch."""
        try:
            made = cause.replay(self.point)
        except FAILS:
            return True
        return self.is_(made, 1e-2 if cause.after and cause.after.is_coarse else 0.0)
