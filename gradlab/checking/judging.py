"""The two ways to judge a network's gradient: by a ladder of steps, and at one given step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gradlab._validate import check_real_array
from gradlab.checking.conclusion import conclude
from gradlab.checking.errors import entry_errors
from gradlab.checking.evidence import BUG
from gradlab.checking.fast import crossed_kinks, fast_gradient
from gradlab.checking.network_evidence import STEPS, background_of, gather
from gradlab.checking.report import TensorReport
from gradlab.checking.sampling import Entries
from gradlab.checking.schemes import Scheme
from gradlab.checking.verdict import (
    NOT_DETERMINISTIC,
    ONLY_AT_THIS_STEP,
    Doubt,
    Verdict,
    judge,
    round_off_bound,
)
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

Gradient = Mapping[str, np.ndarray]
#: Entries of a tensor that are looked at first where one step says that it is wrong.
SUSPECTS = 64
_NONE = np.arange(0)


def by_evidence(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    a: Gradient,
    masks: Masks,
    measure: str,
    entries: Entries | None,
) -> tuple[dict[str, TensorReport], int]:
    """Judge every tensor by a ladder of steps; return the reports and the number of evaluations."""
    background = background_of(net, x, y, masks)
    found = gather(net, x, y, a, background, masks, entries)
    tensors, evaluations = {}, background.evaluations
    largest = max(float(np.abs(value).max()) for value in a.values())
    for name, (evidence, crossed) in found.items():
        shape = net.params[name].shape
        flat = np.ravel(a[name]) if entries is None else np.ravel(a[name])[entries[name]]
        judgement = conclude(flat, evidence, net.params[name].size, largest)
        if not background.deterministic:
            judgement = NOT_DETERMINISTIC
        arrays = (flat, evidence.numerical, crossed, evidence.mark)
        if entries is None:
            arrays = tuple(array.reshape(shape) for array in arrays)
        flat, n, crossed, mark = arrays
        tensors[name] = TensorReport(
            name, flat, n, measure, judgement, crossed, mark,
            None if entries is None else shape, None if entries is None else entries[name],
        )  # fmt: skip
        evaluations += 2 * len(STEPS[net.dtype.itemsize]) * n.size
    return tensors, evaluations


def by_one_step(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    a: Gradient,
    eps: float,
    rule: Scheme,
    masks: Masks,
    measure: str,
    numerical: Gradient | None,
    entries: Entries | None = None,
) -> tuple[dict[str, TensorReport], int]:
    """Judge every tensor at a given step; return the reports and the number of evaluations."""
    loss, again = net.loss(x, y, masks), net.loss(x, y, masks)
    evaluations = 2
    whole = a
    if entries is not None:
        a = {name: np.ravel(a[name])[entries[name]] for name in whole}
    if numerical is None:
        both = fast_gradient(net, x, y, np.array([eps, 2 * eps]), rule, masks, entries)
        n = {name: value[0] for name, value in both.items()}
        change = {name: value[1] - value[0] for name, value in both.items()}
        checked = sum(value.size for value in n.values())
        evaluations += 2 * sum(o != 0 for o in rule.offsets) * checked
    else:
        n = checked_gradient(net, numerical, "numerical")
        change = {name: np.zeros_like(value) for name, value in n.items()}
    round_off = 0.0
    if rule.subtracts:
        round_off = round_off_bound(loss, eps, np.finfo(net.dtype).eps)
    kinks = crossed_kinks(net, x, y, eps, rule, masks, entries)
    tensors = {}
    for name, (_, _, shape) in net.tensors.items():
        doubt = Doubt(round_off, _truncation(change[name].ravel(), rule), kinks[name].ravel())
        size = int(np.prod(shape))
        judgement = (
            judge(a[name].ravel(), n[name].ravel(), doubt, size)
            if loss == again
            else NOT_DETERMINISTIC
        )
        sample = (None, None, None) if entries is None else (None, shape, entries[name])
        tensors[name] = TensorReport(name, a[name], n[name], measure, judgement, kinks[name],
                                     *sample)  # fmt: skip
    if numerical is None:
        _confirm(tensors, whole, net, x, y, masks)
    return tensors, evaluations


def _confirm(
    tensors: dict[str, TensorReport],
    analytic: Gradient,
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    masks: Masks,
) -> None:
    """Take "wrong" back where no entry of the tensor is a bug at every other step, too."""
    doubted = {name for name, t in tensors.items() if t.verdict == Verdict.WRONG}
    if not doubted:
        return
    background = background_of(net, x, y, masks)
    order = dict.fromkeys(tensors, _NONE)
    for name in doubted:
        t = tensors[name]
        places = np.arange(t.analytic.size) if t.entries is None else t.entries
        errors = entry_errors(t.analytic, t.numerical).ravel()
        order[name] = places[np.lexsort((-errors, t.kinks.ravel() > 0))]  # the clearest first
    # mostly one look at a few entries is enough; only what these do not show needs all the others
    for part in (slice(SUSPECTS), slice(SUSPECTS, None)):
        wanted = {name: order[name][part] if name in doubted else _NONE for name in order}
        found = gather(net, x, y, analytic, background, masks, wanted)
        doubted -= {name for name, (evidence, _) in found.items() if (evidence.mark == BUG).any()}
    for name in doubted:
        tensors[name] = replace(tensors[name], judgement=ONLY_AT_THIS_STEP)


def _truncation(change: np.ndarray, rule: Scheme) -> np.ndarray:
    """Return the truncation error at eps from the change between eps and 2 eps.

    An error c * eps**p grows by the factor 2**p from eps to 2 eps.
    """
    return np.abs(change) / (2**rule.order - 1)


def own_gradient(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks) -> Gradient:
    """Return `net.gradient`; that of a second call where it is not gradlab's own code.

    A backward pass that adds to what an earlier call left is right at the first call only.
    """
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
