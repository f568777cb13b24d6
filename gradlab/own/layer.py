"""Checking one layer's backward by itself: `gl.check_layer`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from gradlab._validate import check_bool, check_integer
from gradlab.checking.check_function import check_function
from gradlab.checking.diagnosis import Diagnosis
from gradlab.checking.judge import KINK, SUBGRADIENT
from gradlab.checking.report import Report
from gradlab.checking.verdict import Verdict
from gradlab.nn.parameters import roll
from gradlab.own.above import first_wrong, others
from gradlab.own.calls import DOUT
from gradlab.own.cause import Finder
from gradlab.own.detached import detached
from gradlab.own.layer_code import LayerCode, projection

#: Of a tensor's size: how far its entries are moved, each by another length, to leave a kink.
ASIDE = 1e-2
TIED = (
    "At a kink, such as where several numbers are tied for a max, are {}: no step gives a slope "
    f"there. Backward was judged with inputs moved by up to {ASIDE:.0%} of their size, where "
    "nothing is tied; what it returns at a tie, such as the gradient to all of the tied, was not."
)
ON_KINKS = (
    "At a kink, such as where several numbers are tied for a max, are {}: a backward that hands "
    "the gradient to one of the tied passes there, and so may one that hands it to all of them. "
    "Inputs that are drawn at random are not tied."
)


def check_layer(
    forward: Callable,
    backward: Callable,
    *inputs: object,
    cache: bool | None = None,
    method: str = "full",
    samples: int = 20,
    seed: int = 0,
    tolerance: float = 0.0,
) -> Report:
    """Check the backward pass of one layer of your own, whatever the shape of its output.

    What would come from above is a fixed random array `dout`, entries of both signs and none near
    0: the loss is ``sum(dout * out)``, and backward must give its gradient by every input. For a
    layer that returns one number, a loss, it is 1. The true gradient is linear in dout; where
    backward is not, or a gradient is 0 throughout, other dout are tried too.

    `report.diagnosis` has the wrong line of backward beside the right one: your own line, if its
    file can be read and one edit of it makes the gradient right, on other inputs too. Else, where
    forward equals a layer that gradlab knows the lines of, the line of these that gives what your
    backward gives.

    Parameters
    ----------
    forward : callable
        ``forward(x, W, b)`` returns ``out`` or ``(out, cache)``, or several outputs and the cache,
        ``(h, c, cache)``.
    backward : callable
        ``backward(dout, cache)``, ``backward(dh, dc, cache)``, ``backward(dout, x, W, b)`` (by
        forward's names, or as many) or ``backward(dout)`` where forward keeps what is needed; a
        loss's may do without dout. Returns one array, of the first array of floats; or a tuple, one
        for each array of floats or for each input, None for what it has no gradient of; or a dict
        with the keys ``x`` or ``dx``.
    *inputs : ndarray or anything
        Arrays of float64 or float32, of any shapes, are differentiated, in their type. Integers,
        truth values, numbers and dicts of settings go through as they are. Never modified: every
        call gets copies. If forward and backward are both methods, they work on a copy of their
        object; what a lambda closes over is not copied.
    cache : bool or None, optional
        Whether the last of several things that forward returns is the cache; None finds out.
    method, samples, seed, tolerance
        As in `gl.check_function`.

    Returns
    -------
    Report
        One tensor for each input that backward has a gradient of, under forward's name for it;
        its `remarks` tell which were not checked, and what writes into what it is handed.

    Raises
    ------
    ValueError, TypeError
        Forward returns nothing that can be differentiated; backward's arguments can be understood
        in two ways, or it returns too many gradients, too few, or one of another shape. The message
        says what came and what was expected.

    Notes
    -----
    Four calls of forward for each entry of the inputs, more at kinks and zeros, and a few of
    backward.

    Examples
    --------
    >>> import numpy as np
    >>> import gradlab as gl
    >>> def forward(x, W, b):
    ...     return x @ W + b, (x, W)
    >>> def backward(dout, cache):
    ...     x, W = cache
    ...     return dout @ W.T, x.T @ dout, dout.mean(axis=0)
    >>> rng = np.random.default_rng(0)
    >>> shapes = (5, 3), (3, 4), (4,)
    >>> report = gl.check_layer(forward, backward, *map(rng.standard_normal, shapes))
    >>> report.wrong
    ['b']
    >>> print(report.diagnosis[0].wrong_line, report.diagnosis[0].right_line, sep=chr(10))
    return dout @ W.T, x.T @ dout, dout.mean(axis=0)
    return dout @ W.T, x.T @ dout, dout.sum(axis=0)
    """
    cache = None if cache is None else check_bool(cache, "cache")
    code = LayerCode(*detached(forward, backward), inputs, cache)
    seed = check_integer(seed, "seed")
    return check_code(
        code, {"method": method, "samples": samples, "seed": seed, "tolerance": tolerance}
    )


def check_code(code: LayerCode, chosen: dict, always_twice: bool = False) -> Report:
    """Return the report on a layer: that of the first thing from above which is wrong, if any is.

    Parameters
    ----------
    code : LayerCode
        With what comes from above first.
    chosen : dict
        What is handed to `check_function`.
    always_twice : bool, optional
        Whether random numbers from above are tried in any case.
    """
    first, remarks = _judged(code, chosen), list(code.remarks)
    evaluations = first.evaluations
    if first.verdict == Verdict.INCONCLUSIVE and (marked := _marked(first, KINK)):
        code, there = _beside_the_kinks(code, first, chosen)
        remarks += [TIED.format(marked)] * (there is not first)
        evaluations += there.evaluations * (there is not first)
        first = there
    elif first.verdict == Verdict.CORRECT and (marked := _marked(first, SUBGRADIENT)):
        remarks.append(ON_KINKS.format(marked))
    judged = first
    if first.verdict != Verdict.WRONG and (always_twice or _takes_above(code)):
        two = projection(code.shapes, code.dtype, 1)
        answer = partial(_answer, code)
        tried = others(answer, code.above, two, first, code.calls.above, always_twice)
        judged, more, said = first_wrong(first, tried, partial(_judged, code, chosen))
        evaluations += more
        remarks += said
    finder = Finder(code, [a.copy() for a in code.above])
    return replace(
        judged,
        evaluations=evaluations,
        find_causes=lambda report: _causes(finder, judged, report),
        find_remarks=lambda: (*judged.remarks, *remarks),
    )


def _judged(code: LayerCode, chosen: dict, above: list | None = None) -> Report:
    if above is not None:
        code.above = [np.asarray(a) for a in above]
    return check_function(code, code.gradient, code.theta, tensors=code.layout, **chosen)


def _answer(code: LayerCode, above: list) -> np.ndarray:
    return code.vector(code.at({}, [np.asarray(a) for a in above])[1])


def _takes_above(code: LayerCode) -> bool:
    return any(kind == DOUT for kind, _ in code.calls.handed)


def _marked(report: Report, mark: str) -> str:
    """Return how many entries have a mark, "3 of x, 2 of W"; nothing if none has."""
    counts = {name: int((t.marks == mark).sum()) for name, t in report.tensors.items()}
    return ", ".join(f"{count} of {name}" for name, count in counts.items() if count)


def _beside_the_kinks(code: LayerCode, first: Report, chosen: dict) -> tuple[LayerCode, Report]:
    """Return the layer at inputs where nothing is tied, and its report; as it was if none tells."""
    rng = np.random.default_rng(0)
    size = np.empty(code.theta.size)
    for lo, hi, _ in code.layout.values():
        size[lo:hi] = np.sqrt(np.mean(code.theta[lo:hi] ** 2)) or 1.0
    by = ASIDE * size * rng.uniform(0.5, 1.0, size.shape) * rng.choice([-1.0, 1.0], size.shape)
    moved = copy.copy(code)
    moved.theta = (code.theta + by).astype(code.dtype)
    moved.inputs = {**code.inputs, **roll(moved.theta, code.layout)}
    try:
        there = _judged(moved, chosen)
    except Exception:  # not defined there: it is our idea to ask
        return code, first
    return (code, first) if there.verdict == Verdict.INCONCLUSIVE else (moved, there)


def _causes(finder: Finder, judged: Report, report: Report) -> list[Diagnosis]:
    """Return the lines if there are any, else what the numbers alone say."""
    return finder.find(report) or judged.find_causes(report)
