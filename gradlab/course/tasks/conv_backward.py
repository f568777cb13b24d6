"""An exercise of lesson 10: the backward pass of a convolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.course.note import shown
from gradlab.course.task import Task, wants_a_function

__all__ = ["CONV_BACKWARD"]

Parts = tuple[np.ndarray, np.ndarray, np.ndarray]
NAMES = ("dx", "dW", "db")


def conv_backward(dz, x, W) -> tuple:
    """Return dx, dW and db, for z[f, i, j] = b[f] + the sum of W[f] * x[:, i:i + kh, j:j + kw]."""
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros(len(W))
    kh, kw = W.shape[2:]
    for f, i, j in np.ndindex(dz.shape):
        dx[:, i : i + kh, j : j + kw] += dz[f, i, j] * W[f]
        dW[f] += dz[f, i, j] * x[:, i : i + kh, j : j + kw]
        db[f] += dz[f, i, j]
    return dx, dW, db


@dataclass(frozen=True)
class Case:
    """An image, filters and dL/dz; C, H, W of the image, F filters, kernels of kh by kw."""

    image: tuple[int, int, int]
    filters: int
    kernel: tuple[int, int]
    seed: int

    @cached_property
    def given(self) -> Parts:
        """Return dz, x and W."""
        rng = np.random.default_rng(self.seed)
        (c, h, w), (kh, kw) = self.image, self.kernel
        shapes = (self.filters, h - kh + 1, w - kw + 1), self.image, (self.filters, c, kh, kw)
        return tuple(rng.standard_normal(shape) for shape in shapes)

    @cached_property
    def right(self) -> Parts:
        """Return dx, dW and db by central differences: z is linear in each, so h may be 1."""
        dz, x, W = self.given
        b = np.zeros(self.filters)

        def loss(*parts: np.ndarray) -> float:
            return float((dz * _conv(*parts)).sum())

        return (
            _differences(lambda q: loss(q, W, b), x),
            _differences(lambda q: loss(x, q, b), W),
            _differences(lambda q: loss(x, W, q), b),
        )

    def __str__(self) -> str:
        return f"an image {_by(self.image)} and {self.filters} kernels {_by(self.kernel)}"


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _conv(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, W.shape[2:], axis=(1, 2))
    return np.einsum("cijkl,fckl->fij", windows, W) + b[:, None, None]


def _differences(f: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    units = np.eye(at.size).reshape(-1, *at.shape)
    return np.array([(f(at + u) - f(at - u)) / 2 for u in units]).reshape(at.shape)


#: Kernels that are neither square nor odd: with 3 x 3 the middle weight is right by luck.
CASES = (Case((2, 5, 7), 3, (2, 3), seed=3), Case((1, 6, 4), 2, (3, 1), seed=4))


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `conv_backward`."""
    if not callable(answer):
        return wants_a_function(answer, "conv_backward")
    for number, case in enumerate(CASES):
        copies = [part.copy() for part in case.given]
        given = answer(*copies)
        if given is None or given is ...:
            return None if number == 0 else f"For {case} it returned nothing."
        if isinstance(given, (tuple, list)) and len(given) == 3 and all(p is ... for p in given):
            return None
        mistake = _changed(copies, case) or _wrong_form(given, case) or _wrong_numbers(given, case)
        if mistake:
            return mistake if number == 0 else f"Right for {CASES[0]}; for {case}: {mistake}"
    return ""


def _changed(copies: list[np.ndarray], case: Case) -> str:
    """Return which of the arguments came back changed."""
    for name, copy, part in zip(("dz", "x", "W"), copies, case.given, strict=True):
        if not np.array_equal(copy, part):
            return f"It changes {name}, which it was given. Work on arrays of your own."
    return ""


def _wrong_form(given: object, case: Case) -> str:
    if not isinstance(given, (tuple, list)) or len(given) != 3:
        return f"It returned {shown(given)}; three arrays are asked: dx, dW, db."
    for name, part, right in zip(NAMES, given, case.right, strict=True):
        if part is ... or part is None:
            return f"{name} is not there yet."
        if np.shape(part) != right.shape:
            like = {"dx": "x", "dW": "W", "db": "b, a number for each filter"}[name]
            return f"{name} has the shape {np.shape(part)}. It must have {right.shape}, as {like}."
        if np.iscomplexobj(part):
            return f"{name} is complex. After a Fourier transform back, take its .real."
    return ""


def _wrong_numbers(given: object, case: Case) -> str:
    parts = [np.asarray(part, dtype=float) for part in given]
    fits = [_near(part, right) for part, right in zip(parts, case.right, strict=True)]
    if all(fits):
        return ""
    name = NAMES[fits.index(False)]
    part, right = parts[fits.index(False)], case.right[fits.index(False)]
    known = (why for value, why in _mistakes(name, case) if _near(part, value))
    why = next(known, None) or _factor(name, part, right) or _entry(name, part, right)
    good = [other for other, fit in zip(NAMES, fits, strict=True) if fit]
    return (
        f"{why} ({' and '.join(good)} {'is' if len(good) == 1 else 'are'} right.)" if good else why
    )


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a, b, rtol=1e-6, atol=1e-8))


def _mistakes(name: str, case: Case) -> Iterator[tuple[np.ndarray, str]]:
    """Yield what mistakes lead to, and what to say of each."""
    dz, x, W = case.given
    k = NAMES.index(name)

    def with_loops(dz: np.ndarray, W: np.ndarray = W, assign: bool = False) -> np.ndarray:
        return _loops(dz, x, W, assign)[k]

    size = min(dz.shape[1:])
    seen = np.zeros_like(dz)
    seen[:, :size, :size] = dz[:, :size, :size]
    yield (
        0 * case.right[k],
        {
            "dx": "dx is 0 everywhere. No parameter of this layer needs dx, so a check of them "
            "would pass; the layer below needs it.",
            "dW": "dW is 0 everywhere.",
            "db": "db is 0 everywhere.",
        }[name],
    )
    yield (
        with_loops(seen),
        f"{name} has nothing of a part of dz: the loops run over {size} x {size} of its "
        f"{dz.shape[1]} x {dz.shape[2]} places. On a square image nobody would see it.",
    )
    yield from {"dx": _of_image, "dW": _of_weights, "db": _of_bias}[name](case, with_loops)


def _of_image(
    case: Case, with_loops: Callable[..., np.ndarray]
) -> Iterator[tuple[np.ndarray, str]]:
    dz, x, W = case.given
    yield (
        with_loops(dz, W[:, :, ::-1, ::-1]),
        "dx is that of the kernel turned by 180°. z[i, j] used x[i + k, j + l] with W[k, l], "
        "so that pixel gets dz[i, j] W[k, l]: W as it is, at i + k and j + l.",
    )
    overwritten = "In dx later patches overwrite earlier ones. They share pixels: += where = is."
    yield with_loops(dz, assign=True), overwritten
    yield _last_offset(dz, x, W), overwritten
    for f in range(len(W)):
        yield (
            with_loops(dz[f : f + 1], W[f : f + 1]),
            f"dx has the share of one filter alone, number {f}. Every filter read the same "
            "pixels: sum over them.",
        )


def _of_weights(
    case: Case, with_loops: Callable[..., np.ndarray]
) -> Iterator[tuple[np.ndarray, str]]:
    dz, _, _ = case.given
    yield (
        case.right[1][:, :, ::-1, ::-1],
        "dW is turned by 180°. Only the middle weight of an odd kernel would be right. W[k, l] "
        "met x[i + k, j + l], so its gradient sums dz[i, j] x[i + k, j + l].",
    )
    yield (
        with_loops(dz, assign=True),
        "dW has the last place alone. The same weight is used at every place: += where = is.",
    )
    yield from _means("dW", case)


def _of_bias(case: Case, with_loops: Callable[..., np.ndarray]) -> Iterator[tuple[np.ndarray, str]]:
    dz, _, _ = case.given
    yield (
        np.full(len(dz), dz.sum()),
        "db is one sum over everything, the same for all filters. Sum over rows and columns, "
        "and keep the filters apart.",
    )
    yield (
        with_loops(dz, assign=True),
        "db has the last place alone. The same bias is used at every place: += where = is.",
    )
    yield from _means("db", case)


def _means(name: str, case: Case) -> Iterator[tuple[np.ndarray, str]]:
    places = case.given[0][0].size
    yield (
        case.right[NAMES.index(name)] / places,
        f"{name} is a mean over the {places} places of z, where a sum belongs.",
    )


def _loops(dz: np.ndarray, x: np.ndarray, W: np.ndarray, assign: bool) -> Parts:
    """Return what `conv_backward` does; with `assign`, with = in the place of +=."""
    keep = 0.0 if assign else 1.0
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros(len(W))
    kh, kw = W.shape[2:]
    for f, i, j in np.ndindex(dz.shape):
        at = slice(None), slice(i, i + kh), slice(j, j + kw)
        dx[at] = keep * dx[at] + dz[f, i, j] * W[f]
        dW[f] = keep * dW[f] + dz[f, i, j] * x[at]
        db[f] = keep * db[f] + dz[f, i, j]
    return dx, dW, db


def _last_offset(dz: np.ndarray, x: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Return dx of loops over the kernel that assign."""
    dx, (_, rows, columns) = np.zeros_like(x), dz.shape
    for i, j in np.ndindex(W.shape[2:]):
        dx[:, i : i + rows, j : j + columns] = np.einsum("fyx,fc->cyx", dz, W[:, :, i, j])
    return dx


def _factor(name: str, part: np.ndarray, right: np.ndarray) -> str:
    factor = float((part * right).sum() / (right**2).sum())
    if not np.isfinite(factor) or not _near(part, factor * right):
        return ""
    if _near(part, -right):
        return f"The sign of {name} is flipped. Nothing is subtracted here."
    return f"{name} is {factor:.3g} times what differences of the loss give."


def _entry(name: str, part: np.ndarray, right: np.ndarray) -> str:
    off = ~np.isclose(part, right, rtol=1e-6, atol=1e-8)
    at = tuple(map(int, np.argwhere(off)[0]))
    return (
        f"{off.sum()} of the {off.size} entries of {name} are off. {name}{list(at)} is "
        f"{part[at]:.4f}, and differences of the loss give {right[at]:.4f}."
    )


CONV_BACKWARD = Task(
    name="conv_backward",
    lesson="10",
    question=(
        "Write conv_backward(dz, x, W): dx, dW and db of a convolution of one image x (C, H, W) "
        "with filters W (F, C, kh, kw), stride 1, no padding: z[f, i, j] = b[f] + the sum over c, "
        "k, l of W[f, c, k, l] x[c, i + k, j + l]. dz is dL/dz."
    ),
    find_mistake=find_mistake,
    hints=(
        "Loop over f, i and j. One z[f, i, j] read one patch, x[:, i : i + kh, j : j + kw].",
        "z[f, i, j] is the sum of W[f] * patch. So W[f] gets dz[f, i, j] * patch, and the patch "
        "gets dz[f, i, j] * W[f].",
        "Patches overlap, filters share the image, and a weight is used at every place: += each "
        "time, from zeros.",
    ),
    answer=conv_backward,
    solution=(
        "Each z[f, i, j] hands its dz on to all that it was made of. That the kernel seems turned "
        "in textbooks comes from asking the other way round: pixel r, s gets dz[r - k, s - l] "
        "W[k, l]."
    ),
    praise="dx, dW and db agree with differences, on oblong images with oblong kernels.",
)
