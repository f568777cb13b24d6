"""What to change so that the check comes to a verdict: words, and the settings that they mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradlab.checking.schemes import SCHEME_TABLE
from gradlab.checking.verdict import says_unsteady
from gradlab.lab.model.remedy import at_a_kink, best_step, drowned, remedy, rounding
from gradlab.lab.model.result import Result
from gradlab.lab.model.settings import LABELS, NO_BUG, YOURS
from gradlab.lab.text.words import number, rounded_down, rounded_up, sentence

__all__ = ["NO_ADVICE", "Advice", "another_step", "to_change"]


@dataclass(frozen=True)
class Advice:
    """What to do, as a sentence and as data.

    Attributes
    ----------
    words : str
        Empty if there is nothing to do.
    changes : mapping of str to value
        The settings that it asks for.
    is_last : bool
        Whether it says that no step leads to a verdict.
    """

    words: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    is_last: bool = False


NO_ADVICE = Advice()


def another_step(result: Result) -> Advice:
    """Return to which step to move, or that there is none, why, and what would help."""
    eps, sure = best_step(result)
    if eps is not None:
        side = "left" if eps < result.settings.eps else "right"
        return Advice(f"Move eps to the {side}, to about {number(eps)}.", {"eps": eps})
    if not sure:  # in the midst of a drag: at rest the rest is looked at
        return NO_ADVICE
    if says_unsteady(result.report.why):
        return Advice(f"No step decides this. {sentence(result.report.advice)}", is_last=True)
    changes = remedy(result)
    right = result.settings.bug == NO_BUG and result.settings.data != YOURS
    start = f"No step {'makes this correct' if right else 'decides this'}: {_because(result)}."
    way_out = f"{start} {to_change(result, changes)}" if changes else start
    return Advice(way_out, changes or {}, is_last=True)


def _because(result: Result) -> str:
    report = result.report
    if name := next((n for n in report if (report[n].marks == "zero").all()), ""):
        return f"gradient and differences of {name} are exactly 0, which any code passes"
    if result.net is None:
        return "each leaves too much noise, bends too much or crosses a kink"
    if not SCHEME_TABLE[result.settings.scheme].subtracts:
        return "each leaves some entries undecided"
    if name := drowned(result):
        largest = abs(result.analytic[name]).max()
        longest = rounding(result) / 0.1
        return (
            f"the gradient of {name} is at most {rounded_up(largest)}, and rounding alone can put "
            f"a slope off by {rounded_down(longest)} even at the longest step"
        )
    if at_a_kink(result):
        return "the parameters are at a kink themselves, and every step crosses it"
    if math.isfinite(result.sweep.kinks_from):
        return "short ones leave round-off, and longer ones cross kinks"
    return "short ones leave too much round-off, and long ones bend too much"


def to_change(result: Result, changes: Mapping[str, Any]) -> str:
    """Return a change of settings as a sentence: "Raise the weight scale to 0.5."."""
    return " ".join(_sentence(result, name, value) for name, value in changes.items())


def _sentence(result: Result, name: str, value: Any) -> str:
    if name == "dtype":
        return f"Use {value}."
    if name == "weight_scale":
        verb = "Raise" if value > result.settings.weight_scale else "Lower"
        return f"{verb} the weight scale to {value:g}."
    return f"Set {LABELS[name]} to {value}."
