"""Name the cause of a wrong gradient: the wrong line beside the right one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gradlab.bugs.lines import problems
from gradlab.bugs.lines.afterwards import clipping
from gradlab.bugs.lines.another_batch import Asked, Gradient, fewer
from gradlab.bugs.lines.cause import Cause, cause_of
from gradlab.bugs.lines.layers import has_lines
from gradlab.bugs.lines.program import Program
from gradlab.bugs.lines.search import FAILS, Search, pairs, searched
from gradlab.bugs.lines.wrong_gradient import EXACT, Arrays, WrongGradient
from gradlab.nn.network import Point

ALIKE = 8  # other edits that are told beside a cause
MOST = 100  # causes that fit, of which the most usual are compared with each other


def explain(
    point: Point,
    analytic: Arrays,
    numerical: Arrays,
    bounds: Mapping[str, np.ndarray | float],
    entries: Arrays | None = None,
    gradient: Gradient | None = None,
) -> list[Cause]:
    """Return the edits of the backward pass that reproduce a wrong gradient.

    Takes a tenth of a second for a small MLP and two for an LSTM of 500 parameters.

    Parameters
    ----------
    point : Point
        Its network's forward pass must be right; the `gradient` is called only if it is handed in.
        With masks that are drawn anew at each call nothing can be explained.
    analytic, numerical : mapping of str to ndarray
        For every parameter, raveled or in its shape.
    bounds : mapping of str to ndarray or float
        How far off the numerical gradient may be, and float32's rounding in the analytic one: the
        resolution at which an edit must reproduce what is given.
    entries : mapping of str to ndarray of int, optional
        Which entries of the raveled tensors the arrays hold, where only a sample was checked.
    gradient : callable, (x, y, masks) -> dict of str to ndarray, optional
        The code that gave `analytic`. It is asked on one example and one step fewer: sizes that
        coincide here do not there.

    Returns
    -------
    list of Cause
        The simplest and most usual first; empty if nothing is wrong or nothing fits. Several that
        are `certain` differ on other data, but not on these: all are to be told. One that explains
        a part only is not certain, and says what it leaves open.
    """
    net, x, y, masks = point
    is_float32 = net.dtype == np.float32 or any(
        np.asarray(v).dtype == np.float32 for v in analytic.values()
    )
    target = WrongGradient(analytic, numerical, bounds, entries, is_float32)
    # no pass is like another one, or a layer of somebody's own has no lines: nothing to reproduce
    if isinstance(masks, np.random.Generator) or not has_lines(net.layers):
        return []
    with np.errstate(all="ignore"):
        program = Program(Point(net, x, y, masks))
        if (search := searched(program, target)) is None:
            return []
        causes = (
            search.causes()
            or problems.others(program, target)
            or pairs(search)
            or problems.redrawn(program, target)
            or _under_clipping(program, target)
        )
        target.measure(program)
        if causes:
            asked = None if gradient is None else Asked.of(gradient, point)
            return _distinct(causes, program, target, asked)
        return [_best_part(search, program)] if search.part else []


def _under_clipping(program: Program, target: WrongGradient) -> list[Cause]:
    """Return the causes of a gradient that was clipped, too: found in the entries that were not."""
    top = max(float(np.abs(v).max(initial=0)) for v in target.value.values())
    inside = {
        k: np.flatnonzero(np.abs(v) < top * (1 - target.exact)) for k, v in target.value.items()
    }
    clipped = sum(v.size - inside[k].size for k, v in target.value.items())
    if target.entries is not None or clipped < 3 or not any(v.size for v in inside.values()):
        return []
    rest = WrongGradient(
        *(
            {k: values[k][v] for k, v in inside.items()}
            for values in (target.value, target.numerical, target.bound)
        ),
        inside,
        target.exact > EXACT["float64"],
    )
    search = Search(program, rest)
    search.run()
    after = clipping(top, list(target.value))
    both = [cause_of(cause.edits, after) for cause in search.causes() if not cause.after]
    return [cause for cause in both if target.fit_all(cause.apply(program))]


def _best_part(search: Search, program: Program) -> Cause:
    """Return what explains the most tensors, as far as it goes."""
    seen, edit = max(search.part, key=lambda p: (len(p[0]), -p[1].cost))
    left_open = tuple(k for k in program.net.params if k in search.target.wrong - seen)
    tensors = tuple(k for k in program.net.params if k in seen)
    cause = cause_of((edit,))
    residual = search.target.residual(cause.apply(program), seen)
    return replace(cause, certain=False, tensors=tensors, left_open=left_open, residual=residual)


def _distinct(
    causes: list[Cause], program: Program, target: WrongGradient, asked: Asked | None
) -> list[Cause]:
    """Return one of all causes that are the same mathematics, and what else would fit as well.

    Two causes are the same if they do the same on other numbers: nearby parameters and another
    batch. The same line in other words is not told at all.
    """
    others = _elsewhere(program)
    kept: list[tuple[Cause, np.ndarray, list[Cause]]] = []
    for cause in sorted(causes, key=lambda c: (c.cost, len(c.wrong_line)))[:MOST]:
        made = _made(cause, others)
        twin = next(
            (k for k in kept if _is_same(made, k[1]) and _sizes(cause) == _sizes(k[0])), None
        )
        if twin is None:
            kept.append((cause, made, []))
        elif not any(_is_same_line(cause, other, program) for other in (twin[0], *twin[2])):
            twin[2].append(cause)
    return _told([(cause, same) for cause, _, same in kept], program, target, asked)


def _told(
    groups: list[tuple[Cause, list[Cause]]],
    program: Program,
    target: WrongGradient,
    asked: Asked | None,
) -> list[Cause]:
    """Return each group's first cause with how well it fits and what else would."""
    agreeing = [group for group in groups if asked is None or asked.agrees(group[0])]
    groups = agreeing or groups
    residuals = [target.residual(cause.apply(program)) for cause, _ in groups]
    # where the bounds are wide, some edits only come near what another one hits
    closest = max(100 * min(residuals, default=0), 1e-7)
    fitting = [g for g in zip(groups, residuals, strict=True) if g[1] <= closest]
    tensors = tuple(k for k in program.net.params if k in target.wrong)
    said = dict.fromkeys(c.said for (cause, same), _ in fitting for c in (cause, *same))
    return [
        replace(
            cause,
            tensors=tensors,
            residual=residual,
            certain=bool(agreeing)
            and target.is_proof()
            and cause.is_named
            and target.fit_all(cause.apply(program)),
            alike=tuple(other for other in said if other != cause.said)[:ALIKE],
        )
        for (cause, _), residual in fitting
    ]


def _elsewhere(program: Program) -> list[Program]:
    """Return the program at other parameters, on fewer examples and steps and on as many."""
    rng = np.random.default_rng(0)
    net, x, y, masks = program.point
    net = net.copy()
    for value in net.params.values():
        value += (0.3 * rng.standard_normal(value.shape)).astype(value.dtype)
    x, y = np.asarray(x) + 0.3 * rng.standard_normal(x.shape), np.asarray(y)
    point = Point(net, x, y, masks)
    return [Program(fewer(point)), Program(point)]


def _made(cause: Cause, others: list[Program]) -> np.ndarray:
    """Return a cause's gradient elsewhere; some lines only run on a batch as large as this one."""
    for program in others:
        try:
            return program.net.unroll(cause.apply(program))
        except FAILS:
            continue
    return np.full(1, np.nan)


def _is_same(one: np.ndarray, two: np.ndarray) -> bool:
    most = 1e-7 * np.abs(two) + 1e-10 * np.abs(one).max()  # nan for what is no number: not the same
    return bool((np.abs(one - two) <= most).all())


def _sizes(cause: Cause) -> set[str]:
    """Return the network's own sizes in a cause's factors, which no other batch tells apart."""
    return {n for edit in cause.edits for n in re.findall(r"\b(?:K|H|R\d|C\d)\b", edit.name)}


def _is_same_line(one: Cause, two: Cause, program: Program) -> bool:
    """Tell whether two causes are one edit in other words: they do the same to any signal."""
    if len(one.edits) != len(two.edits) or one.taken or bool(one.after) != bool(two.after):
        return False
    if all(
        a.also and a.changes().keys() == b.changes().keys()
        for a, b in zip(one.edits, two.edits, strict=True)
    ):
        return True  # found in one line and in its sister, the same edit everywhere
    forms = [{program.lines[e.index].step.form or 0 for e in cause.edits} for cause in (one, two)]
    if forms[0] != forms[1]:
        return True  # the same mistake in another way of writing the layer
    if [e.index for e in one.edits] != [e.index for e in two.edits] or one.after:
        return False
    rng, values = np.random.default_rng(1), dict(program.values)
    for name in set().union(*(step.writes for step in program.steps)) & values.keys():
        values[name] = rng.standard_normal(np.shape(values[name]))
    return all(
        _same_effect(a.changes(), b.changes(), program, values)
        for a, b in zip(one.edits, two.edits, strict=True)
    )


def _same_effect(
    one: dict[int, str], two: dict[int, str], program: Program, values: dict[str, object]
) -> bool:
    if one.keys() != two.keys():
        return False
    for index in one:
        line, made = program.lines[index], []
        for text in (one[index], two[index]):
            if line.is_head or text == "pass":
                return one[index] == two[index]
            try:
                made.append(program.target_of(line, text, values))
            except FAILS:  # it reads what only another way of writing sets
                return False
        if np.shape(made[0]) != np.shape(made[1]) or not np.allclose(*made, equal_nan=True):
            return False
    return True
