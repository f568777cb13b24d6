"""The wrong line of a gradient that a person has as a function of theta."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from gradlab.checking.arguments import Part, gradient_at
from gradlab.checking.diagnosis.causes import Diagnosis
from gradlab.checking.diagnosis.facts import Facts
from gradlab.checking.report import Report
from gradlab.checking.source.diagnosis import diagnosis_of, target_of
from gradlab.checking.source.factors import changes, common, of_data
from gradlab.checking.source.functions import Code
from gradlab.checking.source.mended import (
    Layout,
    OtherTheta,
    called_as,
    leaves_alone,
    mended,
    others,
)


def of_functions(
    f: Callable,
    grad: Callable | None,
    theta: np.ndarray,
    layout: Layout,
    report: Report,
    facts: Facts,
) -> list[Diagnosis]:
    """Return the line of `grad`, or of an f that returns both, with which the gradient is right."""
    is_part = isinstance(grad, Part)
    called = grad.f if is_part else grad
    if grad is None:
        return []
    code = Code(called)
    # where f is one with the gradient, its loss is compared at every run
    other = Code(None if is_part else f)
    keeps = leaves_alone(other, lambda now, at: now(at), theta)

    def gradient(new: object, at: np.ndarray) -> np.ndarray:
        before = f(at.copy())  # what grad needs may have been left behind by f
        with called_as(code, new) as now:
            answer = now(at.copy())
        if is_part and answer[0] != before:
            raise ValueError("another loss")
        return gradient_at(lambda theta: answer[1] if is_part else answer, at)

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = mended(code, f, gradient, theta, layout, target_of(report, facts), keeps)
        if not found and (factor := common(facts)) and _is_steady(facts):
            here = np.concatenate([report[name].analytic.ravel() for name in report])

            def grads_at(place: OtherTheta) -> dict[str, np.ndarray]:
                f(place.theta.copy())
                answer = called(place.theta.copy())
                flat = gradient_at(lambda at: answer[1] if is_part else answer, place.theta)
                if np.array_equal(flat, here):
                    raise ValueError("it is known at one theta alone")
                return {name: flat[lo:hi] for name, (lo, hi, _) in layout.items()}

            if changes(factor, others(f, theta, layout), grads_at, facts.wrong):
                return of_data(factor, facts)
    return diagnosis_of(found, facts)


def _is_steady(facts: Facts) -> bool:
    """Tell whether the first two answers were the same: a gradient may add to what it left."""
    return facts.first is None or all(
        np.allclose(facts.first[name], facts.analytic[name], rtol=1e-3) for name in facts.wrong
    )
