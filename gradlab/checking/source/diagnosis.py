"""What is told of the edits of a person's own lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradlab.bugs.lines.cause import Cause
from gradlab.checking.diagnosis.causes import Diagnosis, of_line
from gradlab.checking.diagnosis.facts import Facts
from gradlab.checking.report import Report
from gradlab.checking.source.search import Mended
from gradlab.checking.source.target import Target

MOST_ALIKE = 3  # other edits that are told
ONE_SIZE = "of these sizes, too; other sizes could not be tried"
#: So many times the tolerance of an entry is near enough for an edit: other inputs decide.
NEAR = 5


def diagnosis_of(found: list[Mended], facts: Facts) -> list[Diagnosis]:
    """Return the likeliest edit as a cause, with the others that hold everywhere too."""
    if not found:
        return []
    first, *others = found
    alike = [
        f"{one.where}: {one.wrong or 'a line is missing'}"
        + (f"    where it must be    {one.right}" if one.right else ", which is one too many")
        for one in others[:MOST_ALIKE]
    ]
    cause = Cause(
        first.where,
        first.wrong,
        first.right,
        first.residual,
        True,
        tuple(facts.wrong),
        alike=tuple(alike),
    )
    left = f"{max(first.residual, 1e-16):.0e}"
    tried = "of other sizes, too" if first.resized else ONE_SIZE
    evidence = (
        f"With the line as it must be, {left} of the deviation is left, and the gradient "
        f"is right on other inputs {tried}. {facts.where}."
    )
    return [replace(of_line(cause, facts), evidence=evidence, whose="yours")]


def target_of(report: Report, facts: Facts, rounding: float = 0.0) -> Target:
    """Return the numerical gradient with how far an entry may be off."""
    tolerance = {
        name: np.where(np.isfinite(np.ravel(t.bounds)), NEAR * facts.tolerance_of(name), np.inf)
        + rounding * np.abs(facts.numerical[name]).max(initial=0.0)
        for name, t in report.tensors.items()
    }
    return Target(
        facts.numerical,
        facts.analytic,
        tolerance,
        {name: t.entries for name, t in report.tensors.items()},
    )
