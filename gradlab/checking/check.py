"""Checking a network's backpropagation against differences, or a numerical gradient handed in."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from gradlab._validate import check_choice, check_number, check_positive, check_real_array
from gradlab.checking.check_function import METHODS, check_function
from gradlab.checking.diagnosis import Diagnosis, blind_spots, diagnose
from gradlab.checking.errors import MEASURES
from gradlab.checking.fast import crossed_kinks, fast_gradient
from gradlab.checking.judge import (
    BUG,
    KINK,
    OK,
    OPEN,
    SAFETY,
    SUBGRADIENT,
    ZERO,
    Finding,
    judge,
    judge_step,
    resolved,
    scales,
)
from gradlab.checking.network_loss import NetworkLoss
from gradlab.checking.report import Report, TensorReport, summary, tensor_report
from gradlab.checking.sampling import sampled_entries
from gradlab.checking.schemes import SCHEME_TABLE, SCHEMES, Scheme
from gradlab.checking.verdict import Judgement, Setting, not_deterministic
from gradlab.nn.layers import Masks
from gradlab.nn.network import Network, Point

Gradient = Mapping[str, np.ndarray]
# Of the largest entry: how far a numerical gradient of unknown making may be off and agree, and
# from where on it is wrong.
USUAL, CLEAR = 1e-4, 1e-2


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
    tolerance: float = 0.0,
) -> Report:
    """Compare a network's backpropagation with differences of its loss, entry by entry.

    With `eps=None` each entry is differenced at two steps, and what these leave open at a ladder of
    them. With a number that step is respected: the entry is differenced there and at twice the
    step, and where these two cannot support a verdict the report says so; what differs there is
    called wrong only if the whole ladder says so too.

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
    tolerance : float, >= 0, optional
        An error that is accepted, over the tensor's largest entry: for gradients that are
        approximate on purpose. The report says so.

    Returns
    -------
    Report
        Its `resolution` is the smallest error that would have been seen.

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong shape, type or range; the message names it.
    """
    start = time.perf_counter()
    rule = SCHEME_TABLE[check_choice(scheme, SCHEMES, "scheme")]
    check_choice(measure, MEASURES, "measure")
    check_choice(method, METHODS, "method")
    tolerance = check_number(tolerance, "tolerance", 0.0)
    has_step = eps is not None or scheme != "central"
    if (method != "full" and numerical is not None) or (method == "directional" and has_step):
        what = "numerical" if numerical is not None else "eps or scheme"
        raise ValueError(f"method must be 'full' where {what} is given, got {method!r}")
    point = Point(net, x, y, masks)
    own = partial(_gradient, x, y, masks) if analytic is None else None
    a = own_gradient(point) if own else checked_gradient(net, analytic, "analytic")
    if method == "directional":
        return _along_directions(point, a, samples=samples, seed=seed, tolerance=tolerance)
    entries = sampled_entries(net.params, samples, seed) if method == "sampled" else None
    loss = NetworkLoss(point, a, entries, own)
    if has_step or numerical is not None:
        best = rule.best_step(float(np.finfo(net.dtype).eps))
        eps = best if eps is None else check_positive(eps, "eps")
    setting = Setting(eps, net.dtype.itemsize == 4, net.dropout_rate > 0, tolerance)
    if numerical is None:
        tensors, evaluations = _judged(loss, eps, rule, setting, measure)
    else:
        n, setting = checked_gradient(net, numerical, "numerical"), replace(setting, elsewhere=True)
        tensors, evaluations = _beside(loss, n, eps, rule, setting, measure)
    seconds = time.perf_counter() - start
    report = Report(
        tensors, summary(tensors, setting), repr(net), measure, scheme, eps, evaluations, seconds
    )
    return _with_later(report, point, a)


def _along_directions(point: Point, a: Gradient, **chosen: float) -> Report:
    """Return the report on random directions through all parameters at once."""
    net, x, y, masks = point
    f = net.loss_function(x, y, masks)
    report = check_function(f, lambda _: net.unroll(a), net.theta, method="directional", **chosen)
    return _with_later(replace(report, subject=repr(net), find_causes=None), point, a)


def _with_later(report: Report, point: Point, a: Gradient) -> Report:
    """Return the report with what it finds out when it is first asked: about copies made now."""
    kept = _kept(point)
    # along directions nothing is told apart
    known = report.tensors.keys() == point.net.params.keys()
    seen = {name: t for name, t in report.tensors.items() if known}
    return replace(
        report,
        find_remarks=partial(_at_kinks, kept, report),
        find_causes=partial(_causes, kept) if known else None,
        find_blind_spots=partial(blind_spots, kept, a, seen),
    )


def _at_kinks(kept: Point, report: Report) -> tuple[str, ...]:
    """Return how many units are at a kink, where the gradient of an entry depends on it."""
    marks = np.concatenate([t.marks.ravel() for t in report.tensors.values()])
    net, x, _, masks = kept
    if isinstance(masks, np.random.Generator) or not np.isin(marks, (KINK, SUBGRADIENT)).any():
        return ()
    ties = net.ties(x, masks)
    if not ties:
        return ()
    what = "1 unit or pooling window is" if ties == 1 else f"{ties} units or pooling windows are"
    return (
        f"{what} exactly at a kink (z = 0, or equal pixels), where the gradient is a convention; a "
        "little noise on inputs and parameters takes them off it",
    )


def _causes(kept: Point, report: Report) -> list[Diagnosis]:
    return diagnose(report, *kept)


def _judged(
    loss: NetworkLoss, eps: float | None, rule: Scheme, setting: Setting, measure: str
) -> tuple[dict[str, TensorReport], int]:
    """Judge every tensor; return the reports and how often the loss was evaluated."""
    background = loss.survey() if eps is None else loss.glance()
    size, judgement = len(loss.gradient), None
    if not background.deterministic:
        judgement = not_deterministic(setting)
        found, evaluations = Finding.nothing(size), 0
        if eps is not None:
            found, evaluations = replace(found, slope=_slopes(loss, eps, rule)[0]), 4 * size
        kinks, at_kink = np.zeros(size, int), None
    elif eps is None:
        found, evaluations = judge(loss, setting.tolerance)
        kinks, at_kink = loss.crossed_kinks(found.step), None
    else:
        found, kinks, evaluations = _at_step(loss, eps, rule, setting)
        at_kink = _at_a_kink(loss, rule, found.mark == KINK)
    tensors = _reports(loss, found, kinks, setting, measure, judgement, at_kink)
    return tensors, evaluations + background.evaluations


def _reports(
    loss: NetworkLoss,
    found: Finding,
    kinks: np.ndarray,
    setting: Setting,
    measure: str,
    judgement: Judgement | None = None,
    at_kink: np.ndarray | None = None,
) -> dict[str, TensorReport]:
    at_kink = np.zeros(len(kinks), bool) if at_kink is None else at_kink
    return {
        name: tensor_report(
            name,
            loss.gradient[part],
            found.pick(part),
            kinks[part],
            loss.net.params[name].shape,
            None if loss.picked is None else loss.picked[name],
            replace(setting, at_kink=bool(at_kink[part].any())),
            measure,
            judgement,
        )
        for name, part in zip(loss.names, loss.tensors, strict=True)
    }


def _at_step(
    loss: NetworkLoss, eps: float, rule: Scheme, setting: Setting
) -> tuple[Finding, np.ndarray, int]:
    """Judge at a given step and twice the step: what was found, kinks crossed, evaluations."""
    slopes, net = _slopes(loss, eps, rule), loss.net
    err = np.zeros(slopes.shape[1]) + (loss.noise / eps if rule.subtracts else 0.0)
    kinks = crossed_kinks(net, loss.x, loss.y, eps, rule, loss.masks, loss.picked)
    kinks = np.concatenate([kinks[name].ravel() for name in loss.names])
    step = np.full(len(err), float(eps))
    dead = (slopes == 0).all(axis=0)
    found, evaluations = judge_step(loss, slopes, err, step, kinks > 0, dead, setting.tolerance)
    return found, kinks, evaluations + 2 * rule.evaluations(len(err))


def _at_a_kink(loss: NetworkLoss, rule: Scheme, asked: np.ndarray) -> np.ndarray:
    """Return which of the entries asked for, (E,) bool, even the shortest step takes over a kink.

    Their numbers are known to rounding only: what lies within two of these is at theta.
    """
    if not asked.any():
        return asked
    net, masks = loss.net, loss.masks
    shortest = 2 * float(np.finfo(net.dtype).eps) * max(1.0, float(np.abs(net.theta).max()))
    crossed = crossed_kinks(net, loss.x, loss.y, shortest, rule, masks, loss.picked)
    return asked & (np.concatenate([crossed[name].ravel() for name in loss.names]) > 0)


def _beside(
    loss: NetworkLoss, n: Gradient, eps: float, rule: Scheme, setting: Setting, measure: str
) -> tuple[dict[str, TensorReport], int]:
    """Compare with a numerical gradient from elsewhere, which is taken at its word."""
    background = loss.glance()
    slope = np.concatenate([np.ravel(n[name]) for name in loss.names]).astype(float)
    bound = np.full(slope.shape, loss.noise / eps if rule.subtracts else 0.0)
    step, mark = np.full(slope.shape, eps), np.full(slope.shape, OK, "<U11")
    found = Finding(mark, slope, bound, step, np.abs(slope), np.full(slope.shape, np.inf))
    scale, tolerance = scales(loss, found), max(setting.tolerance, USUAL)
    off = np.abs(loss.gradient - slope) - SAFETY * bound
    found.mark[off > tolerance * scale] = OPEN
    found.mark[off > max(setting.tolerance, CLEAR) * scale] = BUG
    found.mark[(loss.gradient == 0) & (slope == 0)] = ZERO
    found = resolved(loss, found, tolerance)
    return _reports(
        loss, found, np.zeros(len(slope), int), setting, measure
    ), background.evaluations


def _slopes(loss: NetworkLoss, eps: float, rule: Scheme) -> np.ndarray:
    """Return the numerical gradient of the checked entries at eps and twice eps, (2, E)."""
    steps = np.array([eps, 2 * eps])
    n = fast_gradient(loss.net, loss.x, loss.y, steps, rule, loss.masks, loss.picked)
    return np.concatenate([n[name].reshape(2, -1) for name in loss.names], axis=1).astype(float)


def _kept(point: Point) -> Point:
    """Return copies: what a report finds out later is about what was checked, not what became."""
    net, x, y, masks = point
    if isinstance(masks, (list, tuple)):
        masks = [np.array(mask) for mask in masks]
    elif masks is not None:
        masks = copy.deepcopy(masks)  # a Generator: one that is asked later must not move
    return Point(net.copy(), np.array(x), np.array(y), masks)


def _gradient(x: np.ndarray, y: np.ndarray, masks: Masks, net: Network) -> Gradient:
    return net.gradient(x, y, masks)


def own_gradient(point: Point) -> Gradient:
    """Return `net.gradient`; that of a second call where it is not gradlab's own code.

    A backward pass that adds to what an earlier call left is right at the first call only.
    """
    net, x, y, masks = point
    if type(net).gradient is not Network.gradient and not isinstance(masks, np.random.Generator):
        net.gradient(x, y, masks)
    return net.gradient(x, y, masks)


def checked_gradient(net: Network, gradient: Gradient, argument: str) -> dict[str, np.ndarray]:
    """Return a copy of `gradient`, as floats, or raise if its names or shapes do not fit."""
    if not isinstance(gradient, Mapping) or gradient.keys() != net.tensors.keys():
        got = list(gradient) if isinstance(gradient, Mapping) else type(gradient).__name__
        raise ValueError(f"{argument} must have the keys {list(net.tensors)}, got {got}")
    checked = {}
    for name, (_, _, shape) in net.tensors.items():
        value = check_real_array(gradient[name], f"{argument}[{name!r}]", shape)
        checked[name] = np.array(value, value.dtype if value.dtype.kind == "f" else float)
    return checked
