"""The wrong line of a layer's own backward, in the words of who wrote it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import MethodType

import numpy as np

from gradlab.checking.black_box import GRADIENT_ROUNDING
from gradlab.checking.diagnosis import Diagnosis, Facts
from gradlab.checking.report import Report
from gradlab.checking.source.diagnosis import diagnosis_of, target_of
from gradlab.checking.source.functions import Code, Function
from gradlab.checking.source.mended import constants_in
from gradlab.checking.source.objects import put_on_copy
from gradlab.checking.source.search import Search
from gradlab.checking.source.target import Arrays, Trial
from gradlab.own.detached import copied
from gradlab.own.elsewhere import OtherInputs, places
from gradlab.own.layer_code import LayerCode

LEAST = 2  # other places at which an edit must be right


def of_layer(code: LayerCode, report: Report, facts: Facts) -> list[Diagnosis]:
    """Return the line of backward, or of what forward keeps, with which the gradient is right."""
    codes = [_code_of(one, _handed(code)) for one in (code.backward, code.forward)]
    if not codes[0].functions:
        return []
    with code.drawing_as_before():
        found = Search(_trial(code, report, facts, codes)).run()
    return diagnosis_of(found, facts)


def _handed(code: LayerCode) -> list[object]:
    return [value for value in code.inputs.values() if not isinstance(value, np.ndarray)]


def _code_of(called: Callable, handed: list[object]) -> Code:
    """Return what can be read of a function; of an object's method where it stands for one."""
    layer = getattr(called, "layer", None)
    method = called if layer is None else getattr(type(layer), called.method)
    return Code(method, layer, handed)


def _trial(code: LayerCode, report: Report, facts: Facts, codes: list[Code]) -> Trial:
    above = [a.copy() for a in code.above]
    right: dict[int, list[np.ndarray]] = {}

    def run(number: int, new: object, place: OtherInputs | None) -> Arrays:
        inputs, from_above = (place.inputs, place.above) if place else ({}, above)
        changed = copy.copy(code)
        changed.is_guarded = code.draws
        changed.forward, changed.backward = _exchanged(code, number, new)
        outs, grads = changed.at(inputs, from_above)
        if number:  # an edit of forward must leave its output alone
            if id(place) not in right:
                right[id(place)] = code.at(inputs)[0]
            if not all(map(np.array_equal, outs, right[id(place)])):
                raise ValueError("another output")
        return grads

    def elsewhere() -> list[OtherInputs]:
        found = places(code)
        return found if len(found) >= LEAST else []

    rounding = GRADIENT_ROUNDING.get(code.dtype.itemsize, 0.0)
    target = target_of(report, facts, rounding)

    def keeps(function: Function) -> bool:
        if not codes[1].may_call(function):
            return True
        if (twin := codes[1].twin(function)) is None:
            return False
        changed = copy.copy(code)
        changed.forward, changed.backward = _exchanged(code, 1, codes[1].edited(twin, {}))
        return all(map(np.array_equal, changed.at({})[0], code.at({})[0]))

    handed = _handed(code)
    return Trial(codes, run, target, elsewhere, constants_in(codes[1]), handed, keeps)


def _exchanged(code: LayerCode, number: int, new: object) -> tuple[Callable, Callable]:
    """Return forward and backward, of which one is another function, or has another method."""
    pair = [code.forward, code.backward]
    if not isinstance(new, dict):
        pair[1 - number] = new
        return tuple(pair)
    if hasattr(code.backward, "remade"):
        return code.backward.remade(new)
    own = copied(pair[1 - number].__self__)
    put_on_copy(own, new)
    return tuple(
        getattr(own, f.__func__.__name__)
        if isinstance(f, MethodType) and f.__self__ is pair[1 - number].__self__
        else f
        for f in pair
    )
