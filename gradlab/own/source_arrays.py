"""The wrong line of a function that returns the gradients of arrays where they lie."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from gradlab.checking.arguments import Part
from gradlab.checking.diagnosis import Diagnosis, Facts
from gradlab.checking.own_code import OwnCode
from gradlab.checking.report import Report
from gradlab.checking.source.diagnosis import diagnosis_of, target_of
from gradlab.checking.source.functions import Code
from gradlab.checking.source.mended import called_as, leaves_alone, mended
from gradlab.own.gradients import Gradients
from gradlab.own.kept import kept
from gradlab.own.nested import Nested


class Exchangeable:
    """A function in whose place another one can be called."""

    def __init__(self, called: Callable) -> None:
        self.called = self.__wrapped__ = called  # whose arguments are its own
        self.__name__ = getattr(called, "__name__", type(called).__name__)

    def __call__(self, *arguments: object) -> object:
        """Call it."""
        return self.called(*arguments)


def of_arrays(
    loss: Callable,
    grads: object,
    own: OwnCode,
    gradient: Callable,
    gradients: Gradients,
    report: Report,
) -> list[Diagnosis]:
    """Return the line of `grads` with which the gradients are right.

    The arrays are shifted where they lie, and put back, as in a check.
    """
    if not isinstance(grads, Exchangeable):
        return []
    called = grads.called
    is_part = isinstance(called, Part)
    code = Code(called.f if is_part else called)
    if not code.functions or any(tensor.directional for tensor in report.tensors.values()):
        return []

    def edited(new: object, at: np.ndarray) -> np.ndarray:
        before = own(at)  # what the gradients need may have been left behind by the loss
        with called_as(code, new) as now:
            handed = [gradients.structure(own.parts(at))] * own.loss_takes
            if is_part and now(*handed)[0] != before:
                raise ValueError("another loss")
            grads.called = Part(now, 1) if is_part else now
            try:
                return gradient(at)
            finally:
                grads.called = called

    trees = [Nested(gradients.tree.root), *map(Nested, code.roots)]
    facts = Facts.of(report)

    def value(now: Callable, at: np.ndarray) -> object:
        return now(*[gradients.structure(own.parts(at))] * own.loss_takes)

    # where the loss is one with the gradient, it is compared at every run
    handed = [gradients.tree.root]
    keeps = leaves_alone(Code(None if is_part else loss), value, own.theta, handed)
    with kept(*trees), own, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = mended(
            code, own, edited, own.theta, own.layout, target_of(report, facts), keeps, handed
        )
    return diagnosis_of(found, facts)
