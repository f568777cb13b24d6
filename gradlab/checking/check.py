"""Checking a network's backpropagation against differences of its loss."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from functools import partial

import numpy as np

from gradlab._validate import check_choice, check_positive
from gradlab.checking.blind_spots import blind_spots
from gradlab.checking.check_function import METHODS, check_function
from gradlab.checking.diagnosis import diagnose
from gradlab.checking.errors import MEASURES
from gradlab.checking.judging import (
    Gradient,
    by_evidence,
    by_one_step,
    checked_gradient,
    own_gradient,
)
from gradlab.checking.report import Report, summary
from gradlab.checking.sampling import sampled_entries
from gradlab.checking.schemes import SCHEME_TABLE, SCHEMES
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network


def check(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    eps: float | None = None,
    scheme: str = "central",
    masks: Masks = None,
    measure: str = "max_relative",
    analytic: Gradient | None = None,
    numerical: Gradient | None = None,
    method: str = "full",
    samples: int = 20,
    seed: int = 0,
) -> Report:
    """Compare a network's backpropagation with differences of its loss, entry by entry.

    With `eps=None` each entry is differenced at a ladder of steps, and judged by what all of them
    show together. With a number that step is respected: the entry is differenced there and at
    twice the step, and where these two cannot support a verdict the report says so.

    Parameters
    ----------
    net : Network
        Its parameters are never modified.
    x : ndarray, shape (N, D)
    y : ndarray, shape (N,) of labels or (N, K)
    eps : float, > 0, or None, optional
        Absolute step, in units of the parameters; None lets the checker choose.
    scheme : {"forward", "central", "five_point", "complex_step"}, optional
        Other than central, None stands for the scheme's own predicted best step.
    masks : list of ndarray, Generator or None, optional
        Dropout masks, as in `net.loss`.
    measure : {"max_relative", "sum_relative", "norm_ratio"}, optional
        What `report.error` and `report[name].error` are measured in. The verdict does not depend
        on it, nor do the properties that are named after a measure.
    analytic, numerical : dict of str to ndarray or None, optional
        Gradients computed elsewhere, used instead of `net.gradient` or of differences. One that
        adds to what an earlier call left is right at the first call: hand in that of a second.
    method : {"full", "sampled", "directional"}, optional
        "sampled": `samples` entries of each tensor, drawn by `seed`; the report tells how many
        that is. "directional", where neither `eps` nor `scheme` is given: as in
        `gl.check_function`.
    samples, seed : int, optional

    Returns
    -------
    Report

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong shape, type or range; the message names it.
    """
    start = time.perf_counter()
    rule = SCHEME_TABLE[check_choice(scheme, SCHEMES, "scheme")]
    check_choice(measure, MEASURES, "measure")
    check_choice(method, METHODS, "method")
    given = eps is not None or scheme != "central"
    if (method != "full" and numerical is not None) or (method == "directional" and given):
        what = "numerical" if numerical is not None else "eps or scheme"
        raise ValueError(f"method must be 'full' where {what} is given, got {method!r}")
    a = (
        own_gradient(net, x, y, masks)
        if analytic is None
        else checked_gradient(net, analytic, "analytic")
    )
    later = _kept(net, x, y, masks)
    if method == "directional":
        f = net.loss_function(x, y, masks)
        report = check_function(f, lambda _: net.unroll(a), net.theta, method=method,
                              samples=samples, seed=seed)  # fmt: skip
        return replace(report, subject=repr(net), find_blind_spots=partial(blind_spots, *later, a))
    entries = sampled_entries(net.params, samples, seed) if method == "sampled" else None
    if not given and numerical is None:
        tensors, evaluations = by_evidence(net, x, y, a, masks, measure, entries)
    else:
        machine_eps = float(np.finfo(net.dtype).eps)
        best = machine_eps ** (1 / (rule.order + rule.subtracts))
        eps = best if eps is None else check_positive(eps, "eps")
        tensors, evaluations = by_one_step(
            net, x, y, a, eps, rule, masks, measure, numerical, entries
        )
    seconds = time.perf_counter() - start
    return Report(
        tensors,
        summary(tensors),
        repr(net),
        measure,
        scheme,
        eps,
        evaluations,
        seconds,
        lambda report: diagnose(report, *later),
        partial(blind_spots, *later, a),
    )


def _kept(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks) -> tuple:
    """Return copies: what a report finds out later is about what was checked, not what became."""
    if isinstance(masks, (list, tuple)):
        masks = [np.array(mask) for mask in masks]
    elif masks is not None:
        masks = copy.deepcopy(masks)  # a Generator: one that is asked later must not move
    return net.copy(), np.array(x), np.array(y), masks
