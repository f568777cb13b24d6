"""Checking a network's backpropagation against differences of its loss."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from gradlab._validate import check_choice, check_positive, check_real_array
from gradlab.checking.errors import MEASURES
from gradlab.checking.kinks import crossed_kinks
from gradlab.checking.numerical import numerical_gradient
from gradlab.checking.report import Report, TensorReport
from gradlab.checking.schemes import SCHEME_TABLE, SCHEMES, Scheme
from gradlab.checking.verdict import (
    NOT_DETERMINISTIC,
    Doubt,
    Judgement,
    Verdict,
    judge,
    round_off_bound,
)
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

Gradient = Mapping[str, np.ndarray]


def check(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    eps: float = 1e-5,
    scheme: str = "central",
    masks: Masks = None,
    measure: str = "max_relative",
    analytic: Gradient | None = None,
    numerical: Gradient | None = None,
) -> Report:
    """Compare a network's backpropagation with a numerical gradient, entry by entry.

    Every entry of every tensor is checked, at `eps` and at twice `eps`: the change between the two
    tells how much of a difference the step itself can explain.

    Parameters
    ----------
    net : Network
        Its parameters are never modified.
    x : ndarray, shape (N, D)
    y : ndarray, shape (N,) of labels or (N, K)
    eps : float, > 0, optional
        Absolute step, in units of the parameters.
    scheme : {"forward", "central", "five_point", "complex_step"}, optional
    masks : list of ndarray, Generator or None, optional
        Dropout masks, as in `net.loss`.
    measure : {"max_relative", "sum_relative", "norm_ratio"}, optional
        What `report.relative_error` is measured in. The verdict does not depend on it.
    analytic, numerical : dict of str to ndarray or None, optional
        Gradients computed elsewhere, used instead of `net.gradient` or of differences.

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
    eps = check_positive(eps, "eps")
    check_choice(measure, MEASURES, "measure")
    loss, again = net.loss(x, y, masks), net.loss(x, y, masks)
    a = (
        net.gradient(x, y, masks)
        if analytic is None
        else checked_gradient(net, analytic, "analytic")
    )
    evaluations = 2
    if numerical is None:
        both = numerical_gradient(net, x, y, np.array([eps, 2 * eps]), scheme, masks)
        n = {name: value[0] for name, value in both.items()}
        change = {name: value[1] - value[0] for name, value in both.items()}
        evaluations += 2 * sum(o != 0 for o in rule.offsets) * net.size
    else:
        n = checked_gradient(net, numerical, "numerical")
        change = {name: np.zeros_like(value) for name, value in n.items()}
    round_off = 0.0
    if rule.subtracts:
        round_off = round_off_bound(loss, eps, np.finfo(net.dtype).eps)
    kinks = crossed_kinks(net, x, y, eps, rule, masks)
    tensors = {}
    for name in net.params:
        doubt = Doubt(round_off, _truncation(change[name].ravel(), rule), kinks[name].ravel())
        judgement = (
            judge(a[name].ravel(), n[name].ravel(), doubt) if loss == again else NOT_DETERMINISTIC
        )
        tensors[name] = TensorReport(name, a[name], n[name], measure, judgement, kinks[name])
    seconds = time.perf_counter() - start
    return Report(tensors, summary(tensors), repr(net), measure, scheme, eps, evaluations, seconds)


def _truncation(change: np.ndarray, rule: Scheme) -> np.ndarray:
    """Return the truncation error at eps from the change between eps and 2 eps.

    An error c * eps**p grows by the factor 2**p from eps to 2 eps.
    """
    return np.abs(change) / (2**rule.order - 1)


def checked_gradient(net: Network, gradient: Gradient, argument: str) -> dict[str, np.ndarray]:
    """Return `gradient` if its names and shapes are those of the parameters, or raise."""
    if not isinstance(gradient, Mapping) or gradient.keys() != net.tensors.keys():
        got = list(gradient) if isinstance(gradient, Mapping) else type(gradient).__name__
        raise ValueError(f"{argument} must have the keys {list(net.tensors)}, got {got}")
    return {
        name: check_real_array(gradient[name], f"{argument}[{name!r}]", shape)
        for name, (_, _, shape) in net.tensors.items()
    }


def summary(tensors: Mapping[str, TensorReport]) -> Judgement:
    """Return the verdict on the whole from those on the tensors."""
    for verdict in (Verdict.WRONG, Verdict.INCONCLUSIVE):
        named = [t for t in tensors.values() if t.verdict == verdict]
        if named:
            names = ", ".join(t.name for t in named)
            return Judgement(verdict, f"{names}: {named[0].why}", named[0].judgement.advice)
    entries = sum(t.analytic.size for t in tensors.values())
    return Judgement(Verdict.CORRECT, f"all {entries} entries of {len(tensors)} tensors agree")
