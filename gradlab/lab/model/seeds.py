"""The same check with other random weights: a seed after the other."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from gradlab.checking import Report
from gradlab.lab.model import budget
from gradlab.lab.model.problem import pose
from gradlab.lab.model.result import Result, check_at
from gradlab.lab.model.settings import RANGES
from gradlab.lab.model.training import Trainer

__all__ = ["Seeds", "seeds_of"]

#: Seeds side by side: at best, and where a check is dear.
COUNT, _FEWEST = 12, 3
#: What all of the checks may cost together, in units of `budget`.
_COST, _UPDATE = budget.FULL / 2, 100  # an update of a training, in evaluations
_MOST_STEPS = RANGES["train_steps"][1]  # a trainer goes the whole way
_KNOWN: WeakKeyDictionary[Result, Seeds] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Seeds:
    """What the check says at a few seeds in a row.

    Attributes
    ----------
    reports : dict of int to Report or None
        By seed; None where nothing could be computed.
    """

    reports: dict[int, Report | None]

    @property
    def counts(self) -> dict[str, int]:
        """How many seeds have each verdict, most first."""
        verdicts = [str(r.verdict) if r else "not computed" for r in self.reports.values()]
        return {v: verdicts.count(v) for v in sorted({*verdicts}, key=verdicts.count)[::-1]}


def seeds_of(result: Result) -> Seeds:
    """Return the check at the present seed and the ones that follow; computed once a result."""
    if result not in _KNOWN:
        first = result.settings.seed
        count = _affordable(result)
        reports = {first: result.report}
        reports |= {seed: _at(result, seed) for seed in range(first + 1, first + count)}
        _KNOWN[result] = Seeds(reports)
    return _KNOWN[result]


def _at(result: Result, seed: int) -> Report | None:
    settings = result.settings.replace(seed=seed)
    try:
        with np.errstate(all="ignore"):
            problem = pose(settings, result.brought, Trainer(), result.secret)
            return check_at(settings, problem)[0]
    except ValueError:  # weights that overflow, or that no learning rate trains
        return None


def _affordable(result: Result) -> int:
    """Return for how many seeds there is time: each takes about as long as the present one."""
    settings, net, x = result.settings, result.net, result.x
    redrawn = 10 if settings.use_dropout and not settings.freeze_masks else 1
    evaluations = result.report.evaluations * redrawn + (
        _UPDATE * _MOST_STEPS if settings.train_steps else 0
    )
    one = evaluations * budget.count(net, x) * budget.units(net, x)
    return int(np.clip(_COST / one, _FEWEST, COUNT))
