"""The network of ours that has the same loss as somebody's code, to the last digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np

from gradlab.checking.own_code import OwnCode
from gradlab.checking.recognise.layouts import Layout, Piece, layouts
from gradlab.nn.activations import ACTIVATION_FUNCTIONS, LEAKY_SLOPE
from gradlab.nn.layers import Activation
from gradlab.nn.losses import LOSS_TABLE
from gradlab.nn.network import Network

POINTS = 6  # at which the losses are compared: the arrays as they are, and shifted
SAME = {8: 1e-11, 4: 1e-5}  # of the loss, by the bytes of a number: what round-off may leave
#: Multiply-adds of a search, after which no further network is tried: a few seconds. By size and
#: not by the clock, so that all machines find the same. A try costs at least `LEAST`.
MOST_WORK, LEAST = 3e9, 4e6
FIRST = 2  # of these points: most networks differ there already
NEAR = 1e-6  # the same but for a small number, such as that in log(p + 1e-8)
HEADS = (
    ("softmax_cross_entropy", "identity"),
    ("binary_cross_entropy", "identity"),
    *(("mse", name) for name in ACTIVATION_FUNCTIONS),
)


@dataclass(frozen=True)
class Fit:
    """How a loss is made: scale * data loss + 1/2 lam * the sum of squares.

    Attributes
    ----------
    scale, lam : float
    called : str
        What the scale is: "N / 2"; "" for 1.
    over_all : bool
        Whether the sum goes over all arrays and not over the weights alone.
    left : float
        The largest difference that is left at any point, relative.
    """

    scale: float
    lam: float
    called: str
    over_all: bool
    left: float


@dataclass(frozen=True, eq=False)
class Match:
    """A network of ours with somebody's arrays in it.

    Attributes
    ----------
    net : Network
        Its loss times `fit.scale` is theirs, but for L2 on biases.
    layout : Layout
    x, y : ndarray
    fit : Fit
    is_exact : bool
    """

    net: Network
    layout: Layout
    x: np.ndarray
    y: np.ndarray
    fit: Fit
    is_exact: bool

    def __str__(self) -> str:
        fit, net = self.fit, self.net
        if type(net) is not Network:
            what = f"gl.{repr(net.replace(l2=0.0)).split(':')[0]}"
            about = f" ({self.layout.about})" if self.layout.about else ""
        else:
            what, about = f"{self.layout.about}, {net.loss_name}", ""
            names = {a.function.name for a in net.layers if hasattr(a, "function")}
            what += f", {' and '.join(sorted(names))}" if names else ""
        slopes = {
            a.function.slope
            for a in net.layers
            if isinstance(a, Activation) and a.function.name == "leaky_relu"
        }
        if slopes - {LEAKY_SLOPE}:
            about += f" (slope {max(slopes):g} in leaky_relu)"
        times = f"{fit.called} times " * bool(fit.called)
        over = "all arrays" if fit.over_all else "the weights"
        l2 = f" + 1/2 lam * (the sum of squares of {over}), lam = {fit.lam:.6g}" if fit.lam else ""
        digits = min(15, int(-np.log10(max(fit.left, 1e-16))))
        return f"{times}that of {what}{about}{l2}; equal at {POINTS} points to {digits} digits"


def recognise(
    own: OwnCode, x: np.ndarray, y: np.ndarray, like: Network | None = None
) -> Match | None:
    """Return the network whose loss is that of `own` at six points; None if no network has it.

    An exact one wins over one that is nearly the same. Where none has this loss it costs two
    forward passes of every network that the shapes allow (of an LSTM some hundred, by the order of
    the gates and of the axes; of two convolutions some 150), and no more than `MOST_WORK`: the
    likely ones come first.
    """
    points = np.vstack([own.theta[None], own.elsewhere(POINTS - 1)])
    values = own.at(points)
    if not np.isfinite(values).all():
        return None
    points, exact = points.astype(float), SAME[own.theta.itemsize]
    pieces = [
        Piece(name, np.arange(lo, hi).reshape(shape), name)
        for name, (lo, hi, shape) in own.layout.items()
    ]
    near, work = None, Work(MOST_WORK if like is None else np.inf)
    with np.errstate(all="ignore"):
        for layout in [_named(like, pieces, x)] if like is not None else layouts(pieces, x):
            heads = [(like.loss_name, None)] if like is not None else HEADS
            for match in _matches(layout, heads, points, values, y, exact, work):
                if match.is_exact:
                    return _filled(match, own.theta)
                near = near or match
    return near and _filled(near, own.theta)


class Work:
    """What may still be spent on a search, in multiply-adds."""

    def __init__(self, left: float) -> None:
        self.left = left

    def allows(self, net: Network, x: np.ndarray) -> bool:
        """Take the first passes of a network off; tell whether there was enough left."""
        pixels = x.size / x.shape[1] if x.ndim == 4 else 0
        rows = len(x) if x.ndim == 4 else x.size / x.shape[-1]
        once = sum(
            w.size * (pixels if w.ndim == 4 else rows) for w in net.params.values() if w.ndim > 1
        )
        self.left -= max(FIRST * once, LEAST)
        return self.left >= 0


def _filled(match: Match, theta: np.ndarray) -> Match:
    """Return a match whose network has somebody's numbers."""
    net = match.net.replace(l2=match.fit.lam / match.fit.scale)
    net.params = match.layout.params(net, theta)
    return replace(match, net=net)


def _matches(
    layout: Layout,
    heads: tuple,
    points: np.ndarray,
    values: np.ndarray,
    y: np.ndarray,
    exact: float,
    work: Work,
) -> Iterator[Match]:
    """Yield the networks of a layout that have these values, exactly or nearly."""
    heads = [head for head in heads if layout.has_head or head[1] in (None, "identity")]
    for names in layout.activations():
        body = layout.make(names, "mse", "identity")
        if not work.allows(body, layout.x):
            return
        K, n = body.outputs, layout.rows[-1]
        targets = {loss: list(_targets(y, layout.rows, K, loss)) for loss, _ in heads}
        if not any(targets.values()):
            return
        sizes = {"N": n, "K": K, "T": layout.rows[0] if len(layout.rows) > 1 else 1}

        def outputs_at(some: np.ndarray, body: Network = body) -> list[np.ndarray]:
            predicted = (body.predict(layout.x, layout.params(body, theta)) for theta in some)
            return [out.reshape(-1, body.outputs).T[..., None] for out in predicted]

        outputs = outputs_at(points[:FIRST])
        places = layout.places(body)
        weights = np.concatenate([places[name].ravel() for name in body.weight_names])
        squares = [
            (points[:, which] ** 2).sum(axis=1)
            for which in (weights[weights >= 0], np.arange(points.shape[1]))
        ]
        for loss, output in heads:
            rule = LOSS_TABLE[loss]
            f = ACTIVATION_FUNCTIONS[output or "identity"].function
            for target in targets[loss]:
                prepared = rule.prepare(target, len(target), K, np.dtype(float))
                data = [rule.per_example(f(z), prepared).sum() / n for z in outputs]
                if not _may_fit(values, np.array(data[:FIRST]), squares, sizes, exact):
                    continue
                if len(outputs) == FIRST:
                    outputs += outputs_at(points[FIRST:])
                    data += [rule.per_example(f(z), prepared).sum() / n for z in outputs[FIRST:]]
                fit = _fit(values, np.array(data), squares, sizes, exact)
                if fit is None:
                    continue
                net = layout.make(names, loss, output)
                shape = (*layout.rows, *target.shape[1:])
                yield Match(net, layout, layout.x, target.reshape(shape), fit, fit.left < exact)


def _may_fit(
    values: np.ndarray, data: np.ndarray, squares: list, sizes: dict[str, int], exact: float
) -> bool:
    """Tell from the first two points whether `_fit` may find something.

    Two losses minus what L2 adds are without lam, and the scale that is left must have a name.
    """
    if not np.isfinite(data).all() or not data.any():
        return False
    allowed = 3 * max(exact, NEAR) * np.abs(values).max()
    scales = np.array([exact for *_, exact in _names(tuple(sizes.items()))])
    (v, w), (d, e) = values[:FIRST], data
    if (np.maximum(abs(v - scales * d), abs(w - scales * e)) < allowed).any():
        return True
    return any(
        (abs(v * s[1] - w * s[0] - scales * (d * s[1] - e * s[0])) < allowed * s[:2].sum()).any()
        for s in squares
    )


def _fit(
    values: np.ndarray, data: np.ndarray, squares: list, sizes: dict[str, int], exact: float
) -> Fit | None:
    """Return what makes `values`, the simplest first; None if nothing does."""
    if not np.isfinite(data).all() or not data.any():
        return None
    every, size = np.stack([data, *squares], axis=1), np.abs(values).max()
    near = max(exact, NEAR)
    if np.abs(values - every @ _least_squares(every, values)).max() > 3 * near * size:
        return None  # for most networks this is all
    found = []
    for which in (None, 0, 1):
        columns = [data] if which is None else [data, squares[which] / 2]
        solved = _least_squares(np.stack(columns, axis=1), values)
        called, scale = _name_of(solved[0], sizes)
        if called is None:
            continue
        lam = 0.0
        if which is not None:  # once more, now that the scale is known to the last digit
            lam = float(columns[1] @ (values - scale * data) / (columns[1] @ columns[1]))
            short = float(f"{lam:.6g}")
            lam = short if abs(short - lam) < 1e-8 * abs(lam) else lam
        rest = values - scale * data - (lam * columns[1] if lam else 0)
        left = float(np.abs(rest).max() / size)
        if left < near:
            found.append(Fit(scale, lam, called, which == 1, left))
    return next((f for f in found if f.left < exact), found[0] if found else None)


def _least_squares(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(A, axis=0)
    return np.linalg.lstsq(A / size, b, rcond=None)[0] / size


def _name_of(value: float, sizes: dict[str, int]) -> tuple[str | None, float]:
    """Return what a factor of the data loss is called, and its exact value; None for no name."""
    found = [
        name for name in _names(tuple(sizes.items())) if abs(value - name[2]) < 1e-3 * abs(name[2])
    ]
    return min(found)[1:] if found else (None, value)


@lru_cache(maxsize=32)
def _names(sizes: tuple[tuple[str, int], ...]) -> list[tuple[float, str, float]]:
    """Return the factors that have a name: (how odd it is, the name, the factor)."""
    ratios = [[("", "", 1.0), (f" * {k}", "", n), ("", k, 1 / n)] for k, n in sizes if n > 1]
    found = []
    for number, *choice in product((1, 0.5, 2, -1), *ratios):
        above = f"{number:g}" + "".join(r[0] for r in choice)
        below = "".join(f" / {r[1]}" for r in choice if r[1])
        letters = sum(r[2] != 1 for r in choice)
        text = (above + below).removeprefix("1 * ")
        exact = number * float(np.prod([r[2] for r in choice]))
        found.append((letters + 1.5 * (number != 1), "" if text == "1" else text, exact))
    return found


def _targets(y: np.ndarray, rows: tuple[int, ...], K: int, loss: str) -> Iterator[np.ndarray]:
    """Yield y as (rows, K), or as labels, where it can be meant so."""
    if loss == "softmax_cross_entropy" and K == 1:  # which is 0 whatever the network does
        return
    n = int(np.prod(rows))
    ways = [y, *([y.T] if y.ndim == 2 else []), *([y.swapaxes(0, 1)] if y.ndim == 3 else [])]
    if y.ndim == 3 and y.shape[2] == 1:  # a list of columns (K, 1)
        ways.append(y[..., 0])
    found = [
        w.reshape(n, K)
        for w in ways
        if w.size == n * K and (w.shape in ((*rows, K), (n, K)) or K == 1)
    ]
    labels = [w.ravel() for w in ways if w.size == n and K > 1 and w.dtype.kind in "iuf"]
    found += [
        np.eye(K)[w.astype(int)]
        for w in labels
        if (w == np.floor(w)).all() and w.min() >= 0 and w.max() < K
    ]
    if loss != "mse":
        found = [t for t in found if t.min() >= 0 and t.max() <= 1]
    if loss == "softmax_cross_entropy":
        found = [t for t in found if np.allclose(t.sum(axis=1), 1)]
    seen: list[np.ndarray] = []
    for target in found:
        if not any(np.array_equal(target, other) for other in seen):
            seen.append(target)
            yield target


def _named(like: Network, pieces: list[Piece], x: np.ndarray) -> Layout:
    """Return the layout of a network that was named: by the names, else by the order."""
    by_name = {piece.text: piece for piece in pieces}
    if by_name.keys() == like.params.keys():
        pieces = [by_name[name] for name in like.params]
    shapes = {name: value.shape for name, value in like.params.items()}
    wrong = ValueError(
        f"like must have the arrays' shapes, {[p.where.shape for p in pieces]} in "
        f"this order, got {shapes}"
    )
    if len(pieces) != len(shapes):
        raise wrong
    parts = {}
    for piece, (name, shape) in zip(pieces, shapes.items(), strict=True):
        turned = piece.where.T.shape == shape and piece.where.shape != shape
        is_vector = len(shape) == 1 and piece.is_vector and piece.where.size == shape[0]
        if piece.where.shape != shape and not turned and not is_vector:
            raise wrong
        parts[name] = piece.turned if turned and piece.where.ndim == 2 else piece
    like.prepare_x(x)
    rows = x.shape[:2] if getattr(like, "every_step", False) else (x.shape[like.batch_axis],)
    return Layout(lambda names, loss, output: like.replace(l2=0.0), 0, parts, x, rows)
