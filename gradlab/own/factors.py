"""The factor by which a layer's gradient is off: at other inputs, and at other sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradlab.checking.diagnosis import Diagnosis, Facts, diagnose_black_box
from gradlab.checking.diagnosis.facts import Factor
from gradlab.checking.source.factors import SAME, changes, common, of_data, ratio
from gradlab.own.code import LayerCode
from gradlab.own.elsewhere import OtherInputs, places

NO_SIZE = 1  # a batch of which there is nothing to forget


def of_factor(code: LayerCode, facts: Facts) -> list[Diagnosis]:
    """Return what a common factor may come from; nothing where there is none.

    One that is another on other inputs is no cause; one over the examples is told as such if it
    follows their number, and as it stands if it does not. Where their number cannot be changed,
    both are told.
    """
    factor = common(facts)
    if factor is None or not _is_steady(code, facts):
        return []
    found = places(code)
    if changes(
        factor,
        [p for p in found if not p.is_larger],
        lambda p: code.at(p.inputs, p.above)[1],
        facts.wrong,
    ):
        return of_data(factor, facts)
    here = examples_of(code)
    others = [(examples_of(code, place), _ratio(code, place, facts)) for place in found]
    others = [(n, r) for n, r in others if n is not None and n != here and r is not None]
    if others and all(abs(r - factor.value) <= SAME * abs(factor.value) for _, r in others):
        here = NO_SIZE  # it does not follow their number
    elif others:
        return _of_sizes(factor, facts, here, others)
    elif here and (factor.is_(here) or factor.is_(1 / here)):
        return _left_open(factor, facts, here)
    return diagnose_black_box(replace(facts, batch=here))


def examples_of(code: LayerCode, place: OtherInputs | None = None) -> int | None:
    """Return the number of examples, if the first axis of the first input counts them."""
    first = (place.inputs if place else code.inputs)[code.floats[0]]
    return first.shape[0] if first.ndim else None


def _of_sizes(
    factor: Factor, facts: Facts, here: int | None, others: list[tuple[int, float]]
) -> list[Diagnosis]:
    """Return what is told of a factor that is another one with one example more."""
    what = "every tensor" if facts.all_wrong else ", ".join(facts.wrong)
    evidence = (
        f"Analytic over numerical is {factor}, and with one example more it is "
        f"{others[0][1]:.6g}. {facts.where}."
    )
    told = {
        "1/N of what it must be: a mean over the {} examples, where a sum belongs, or one mean too "
        "many": lambda n: 1 / n,
        "N times what it must be: a sum over the {} examples, where a mean belongs": lambda n: n,
    }
    for words, value in told.items():
        if here and all(
            abs(r - value(n)) <= SAME * abs(r) for n, r in [(here, factor.value), *others]
        ):
            return [Diagnosis(f"{what} is {words.format(here)}", None, None, evidence, 0.9)]
    cause = f"{what} is off by a factor that follows the arrays' sizes: {factor} here"
    return [Diagnosis(cause, None, None, evidence, 0.5)]


def _left_open(factor: Factor, facts: Facts, here: int) -> list[Diagnosis]:
    """Return both that a factor may be, where the number of examples could not be changed."""
    what, shown = ", ".join(facts.wrong), f"1/{here}" if factor.value < 1 else str(here)
    return [
        Diagnosis(
            f"{what} is {shown} times what it must be: N is {here} here, so that a mean and a sum "
            f"over the examples may be exchanged, or the number {here} lost or there twice",
            None,
            None,
            f"Analytic over numerical is {factor}; the layer takes no other number of examples, "
            f"which would tell. {facts.where}.",
            0.5,
        )
    ]


def _ratio(code: LayerCode, place: OtherInputs, facts: Facts) -> float | None:
    try:
        return ratio(place, code.at(place.inputs, place.above)[1], facts.wrong)
    except Exception:  # anybody's code, at inputs of our choice
        return None


def _is_steady(code: LayerCode, facts: Facts) -> bool:
    """Tell whether backward still gives what came: it may add to what a call before left."""
    if any(a.size != np.prod(facts.shapes[k], dtype=int) for k, a in facts.analytic.items()):
        return False  # only some entries are known
    try:
        now = code.at({}, code.above)[1]
    except Exception:  # anybody's code
        return False
    return all(np.allclose(np.ravel(now[k]), a, rtol=1e-9) for k, a in facts.analytic.items())
