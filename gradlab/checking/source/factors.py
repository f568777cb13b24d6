"""Whether a factor that a gradient is off by is the same elsewhere: else it is no cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from gradlab.checking.diagnosis.causes import Diagnosis
from gradlab.checking.diagnosis.facts import Factor, Facts
from gradlab.checking.source.elsewhere import Elsewhere
from gradlab.checking.source.target import Arrays

SAME = 1e-4  # relative


def common(facts: Facts) -> Factor | None:
    """Return the one factor by which all wrong tensors are off; None for 0 and for none.

    None, too, where it makes the length a round number: then it is clipped, and told as that.
    """
    factor = facts.factor([name for name in facts.wrong if name in facts.live])
    if factor is None or not factor.value:
        return None
    return None if facts.clipped_length and 0 < factor.value < 1 else factor


def ratio(place: Elsewhere, grads: Arrays, wrong: list[str]) -> float | None:
    """Return the factor by which a gradient is off along some directions; None for none."""
    pairs = [
        (float(np.sum(np.ravel(grads[name]) * np.ravel(along))), slope)
        for name, along, slope, _ in place.slopes
        if name in wrong
    ]
    square = sum(slope**2 for _, slope in pairs)
    found = sum(one * slope for one, slope in pairs) / square if square else np.nan
    size = max((abs(one) for one, _ in pairs), default=0.0)
    fits = all(abs(one - found * slope) <= SAME * size for one, slope in pairs)
    return found if fits and np.isfinite(found) else None


def changes(
    factor: Factor, places: Iterable[Elsewhere], grads_at: Callable, wrong: list[str]
) -> bool:
    """Tell whether it is another one, or none at all, somewhere else."""
    for place in places:
        try:
            found = ratio(place, grads_at(place), wrong)
        except Exception:
            continue
        if found is None or abs(found - factor.value) > SAME * abs(factor.value):
            return True
    return False


def of_data(factor: Factor, facts: Facts) -> list[Diagnosis]:
    """Return that a factor is no cause."""
    what = "every tensor" if facts.all_wrong else ", ".join(facts.wrong)
    return [
        Diagnosis(
            f"{what} is off by a factor that depends on the numbers: {factor} here, "
            "another elsewhere",
            None,
            None,
            f"Analytic over numerical is {factor}, and not so on other inputs. {facts.where}.",
            0.3,
        )
    ]
