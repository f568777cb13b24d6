"""The wrong line of a layer's own backward, in the words of who wrote it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from types import MethodType

import numpy as np

from gradlab.bugs.lines.cause import Cause
from gradlab.checking.black_box import GRADIENT_ROUNDING
from gradlab.checking.diagnosis import Clues
from gradlab.checking.report import Report
from gradlab.checking.source.functions import Code, put_on
from gradlab.checking.source.search import Mended, Search
from gradlab.checking.source.target import Arrays, Case, Target
from gradlab.own.code import LayerCode
from gradlab.own.detached import copied
from gradlab.own.elsewhere import Elsewhere, places

LEAST = 2  # other places at which an edit must be right
MOST_ALIKE = 3  # other edits that are told


def of_source(code: LayerCode, report: Report, clues: Clues) -> Cause | None:
    """Return the line of backward, or of what forward keeps, with which the gradient is right."""
    codes = [_code_of(code.backward), _code_of(code.forward)]
    if not any(one.functions for one in codes):
        return None
    with code.drawing_as_before():
        found = Search(_case(code, report, clues, codes)).run()
    return cause_of(found, clues.wrong) if found else None


def cause_of(found: list[Mended], wrong: list[str]) -> Cause:
    """Return what is told of edits: the likeliest, and the others that hold everywhere too."""
    first, *others = found
    alike = [f"{one.where}: {one.wrong or 'a line is missing'}"
             + (f"    must be    {one.right}" if one.right else "    does not belong there")
             for one in others[:MOST_ALIKE]]  # fmt: skip
    return Cause(first.where, first.wrong, first.right, first.residual, True, tuple(wrong),
                 alike=tuple(alike))  # fmt: skip


def _code_of(called: Callable) -> Code:
    """Return what can be read of a function; of an object's method where it stands for one."""
    layer = getattr(called, "layer", None)
    return Code(called) if layer is None else Code(getattr(type(layer), called.method), layer)


def _case(code: LayerCode, report: Report, clues: Clues, codes: list[Code]) -> Case:
    above = [a.copy() for a in code.above]
    right: dict[int, list[np.ndarray]] = {}

    def run(number: int, new: object, place: Elsewhere | None) -> Arrays:
        inputs, from_above = (place.inputs, place.above) if place else ({}, above)
        trial = copy.copy(code)
        trial.is_guarded = code.draws
        trial.forward, trial.backward = _exchanged(code, number, new)
        outs, grads = trial.at(inputs, from_above)
        if number:  # an edit of forward must leave its output alone
            if id(place) not in right:
                right[id(place)] = code.at(inputs)[0]
            if not all(map(np.array_equal, outs, right[id(place)])):
                raise ValueError("another output")
        return grads

    def elsewhere() -> list[Elsewhere]:
        found = places(code)
        return found if len(found) >= LEAST else []

    rounding = GRADIENT_ROUNDING.get(code.dtype.itemsize, 0.0)
    return Case(codes, run, target_of(report, clues, rounding),
                lambda grads, place: place.agrees(grads), elsewhere,
                constants_in(codes[1]))  # fmt: skip


def target_of(report: Report, clues: Clues, rounding: float) -> Target:
    """Return the numerical gradient with how far an entry may be off."""
    tolerance = {
        name: np.where(np.isfinite(np.ravel(t.bounds)), clues.tolerance_of(name), np.inf)
        + rounding * np.abs(clues.numerical[name]).max(initial=0.0)
        for name, t in report.tensors.items()
    }  # fmt: skip
    return Target(clues.numerical, clues.analytic, tolerance,
                  {name: t.entries for name, t in report.tensors.items()})  # fmt: skip


def _exchanged(code: LayerCode, number: int, new: object) -> tuple[Callable, Callable]:
    """Return forward and backward, of which one is another function, or has another method."""
    pair = [code.forward, code.backward]
    if not isinstance(new, dict):
        pair[1 - number] = new
        return tuple(pair)
    if hasattr(code.backward, "remade"):
        return code.backward.remade(new)
    own = copied(pair[1 - number].__self__)
    put_on(own, new)
    return tuple(
        getattr(own, f.__func__.__name__)
        if isinstance(f, MethodType) and f.__self__ is pair[1 - number].__self__ else f
        for f in pair
    )


def constants_in(code: Code) -> list[float]:
    """Return the numbers that stand in functions, but those that are written everywhere."""
    found = {
        float(node.value)
        for function in code.functions for node in ast.walk(function.node)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    }  # fmt: skip
    return sorted(found - {0.0, 1.0, 2.0})
