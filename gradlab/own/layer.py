"""Checking one layer's backward by itself: `gl.check_layer`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradlab._validate import check_bool, check_integer
from gradlab.checking.check_function import check_function
from gradlab.checking.diagnosis import Diagnosis
from gradlab.checking.report import Report
from gradlab.checking.verdict import Verdict
from gradlab.own.cause import Finder
from gradlab.own.code import LayerCode, projection
from gradlab.own.detached import detached

#: So much larger is what comes from above once, to see whether backward is linear there.
LOUD = 1000.0
#: Of the largest gradient: how far from linear backward may be, by the bytes of a number.
LINEAR = {8: 1e-9, 4: 1e-4}


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

    Where forward equals a layer that gradlab knows the lines of, `report.diagnosis` has the wrong
    line beside the right one, in your names: found only if it gives what your backward gives on
    other inputs too.

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
    >>> print(report.diagnosis[0].wrong_line, "  must be  ", report.diagnosis[0].right_line)
    db = 1 / N * dout.sum(axis=0)   must be   db = dout.sum(axis=0)
    """
    cache = None if cache is None else check_bool(cache, "cache")
    code = LayerCode(*detached(forward, backward), inputs, cache)
    seed = check_integer(seed, "seed")
    return check_code(code, {"method": method, "samples": samples, "seed": seed,
                             "tolerance": tolerance})  # fmt: skip


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
    first = judged = _judged(code, chosen)
    evaluations, remarks = first.evaluations, list(code.remarks)
    if first.verdict != Verdict.WRONG:
        for above, why in _others(code, first, always_twice):
            code.above = above
            other = _judged(code, chosen)
            evaluations += other.evaluations
            if other.verdict == Verdict.WRONG:
                judged = other
                remarks.append(why)
                break
            if other.verdict == Verdict.CORRECT and judged.verdict == Verdict.INCONCLUSIVE:
                judged = other  # what came first from above was 0, or too small
    finder = Finder(code, [a.copy() for a in code.above])
    return replace(
        judged, evaluations=evaluations,
        find_causes=lambda report: _causes(finder, judged, report),
        find_remarks=lambda: (*judged.remarks, *remarks),
    )  # fmt: skip


def _judged(code: LayerCode, chosen: dict) -> Report:
    return check_function(code, code.gradient, code.theta, tensors=code.layout, **chosen)


def _others(code: LayerCode, first: Report, always: bool) -> list[tuple[list[np.ndarray], str]]:
    """Return what else is to come from above, with what is said if it comes out wrong there."""
    dtype, one = code.dtype, code.above
    two = projection(code.shapes, dtype, 1)
    both = [(a / 2 - 2 * b).astype(dtype) for a, b in zip(one, two, strict=True)]
    loud = [(LOUD * a).astype(dtype) for a in one]  # what is clipped, say
    whole, other, mixed, large = (_answer(code, above) for above in (one, two, both, loud))
    far = np.abs(whole / 2 - 2 * other - mixed).max()
    size = max(float(np.abs(g).max()) for g in (whole, other, mixed))
    if far <= LINEAR[dtype.itemsize] * size:
        far = np.abs(whole - large / LOUD).max()
        two = loud if far > LINEAR[dtype.itemsize] * size else two
    name = code.calls.above
    if far > LINEAR[dtype.itemsize] * size:
        why = (
            f"Backward is right for one {name} and wrong for another: it is not linear in {name}, "
            "as every gradient is (a loss's must be multiplied by it)."
        )
        takes_above = any(kind == "dout" for kind, _ in code.calls.handed)
        return [(two, why), (both, why)] if takes_above else []
    if always:
        return [(two, f"Backward is right for the {name} that it gets, and wrong for another.")]
    if any((tensor.marks == "zero").all() for tensor in first.tensors.values()):
        return [
            (two, f"A second {name} was tried, for a gradient was 0 throughout with the first.")
        ]
    return []


def _answer(code: LayerCode, above: list[np.ndarray]) -> np.ndarray:
    return code.vector(code.at({}, above)[1]).astype(float)


def _causes(finder: Finder, judged: Report, report: Report) -> list[Diagnosis]:
    """Return the lines if there are any, else what the numbers alone say."""
    return finder.find(report) or judged.find_causes(report)
