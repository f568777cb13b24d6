"""What a network says of every point of the plane, where its inputs are two numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.lab.model.classes import class_labels, predicted_classes
from gradlab.lab.model.problem import NO_NETWORK, Problem
from gradlab.nn.network import Network

__all__ = ["Plane", "contour", "no_plane", "plane_of"]

SIDE = 60  # points a side
_MARGIN = 0.15  # of the data's range, on every side


@dataclass(frozen=True, eq=False)
class Plane:
    """The outputs on a grid of points around the examples.

    Attributes
    ----------
    x1, x2 : ndarray, shape (60,)
        Where the points are.
    outputs : ndarray, shape (60, 60, K)
        By x2, then x1.
    classes : ndarray of int, shape (60, 60), or None
        The class of each point, -1 where an output is not finite; None for a regression.
    """

    x1: np.ndarray
    x2: np.ndarray
    outputs: np.ndarray
    classes: np.ndarray | None

    def margins(self) -> list[np.ndarray]:
        """Return for all classes but the last how far their output is above the others', (60, 60).

        Each boundary is where one of them is 0.
        """
        z = self.outputs
        if z.shape[-1] == 1:
            return [z[..., 0]]
        others = [np.delete(z, k, axis=-1).max(axis=-1) for k in range(z.shape[-1] - 1)]
        return [z[..., k] - other for k, other in enumerate(others)]


def no_plane(problem: Problem) -> str:
    """Return why the network and its examples make no such picture, or ""."""
    net, x = problem.net, problem.x
    if net is None:
        return NO_NETWORK
    if len(net.input_shape) != 1:
        what = "images" if len(net.input_shape) == 3 else "sequences"
        return f"the examples are {what}; this picture needs 2 numbers each"
    if x.shape[1] != 2:
        each = "1 number" if x.shape[1] == 1 else f"{x.shape[1]} numbers"
        return f"the examples have {each} each; this picture needs 2"
    if any(layer.ties_batch for layer in net.chain(None, len(x))):
        return "batch norm looks at a whole batch: no point has a class by itself"
    if class_labels(net, problem.y) is None and net.outputs > 1:
        return f"there are {net.outputs} outputs, and no classes; this picture shows one output"
    return ""


def plane_of(problem: Problem) -> Plane:
    """Return what the network says around its examples, without dropout; once a problem."""
    if "plane" not in problem.memo:
        problem.memo["plane"] = _plane(problem.net, problem.x, problem.y)
    return problem.memo["plane"]


def _plane(net: Network, x: np.ndarray, y: np.ndarray) -> Plane:
    low, high = x.min(axis=0).astype(float), x.max(axis=0).astype(float)
    room = _MARGIN * (high - low)
    room[room == 0] = np.maximum(1.0, np.abs(low))[room == 0]  # a single example, or a column
    x1, x2 = np.linspace(low - room, high + room, SIDE).T
    points = np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        outputs = net.predict(points).reshape(SIDE, SIDE, -1).astype(float)
    classes = None
    if class_labels(net, y) is not None:
        finite = np.isfinite(outputs).all(axis=-1)
        classes = np.where(finite, predicted_classes(net, outputs), -1)
    return Plane(x1, x2, outputs, classes)


def contour(x1: np.ndarray, x2: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return where z (len(x2), len(x1)) is 0, as straight pieces x0, y0, x1, y1.

    Each cell is cut into two triangles, in each of which z is a plane: a piece joins the two sides
    where z changes its sign.
    """
    X, Y = np.meshgrid(x1, x2)
    corners = [
        np.stack([v[:-1, :-1], v[:-1, 1:], v[1:, 1:], v[1:, :-1]], axis=-1).reshape(-1, 4)
        for v in (X, Y, z)
    ]
    triangles = np.concatenate(
        [np.stack(corners)[..., [0, 1, 2]], np.stack(corners)[..., [0, 2, 3]]], axis=1
    )
    positive = triangles[2] > 0
    crossed = np.isfinite(triangles[2]).all(axis=-1) & (positive.any(-1) != positive.all(-1))
    triangles, positive = triangles[:, crossed], positive[crossed]
    # the corner that is alone on its side, and from it to the other two
    alone = np.where(positive.sum(-1) == 1, positive.argmax(-1), positive.argmin(-1))
    rows = np.arange(len(alone))
    one = triangles[:, rows, alone]
    ends = []
    for turn in (1, 2):
        other = triangles[:, rows, (alone + turn) % 3]
        share = one[2] / (one[2] - other[2])
        ends += [one[k] + share * (other[k] - one[k]) for k in (0, 1)]
    return tuple(ends)
