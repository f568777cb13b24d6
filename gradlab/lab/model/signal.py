"""The signal on its way back, dL/d(activation) at every cut and time step, at the present step."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from gradlab.checking import Verdict
from gradlab.checking.bisect import Bisection, conclude
from gradlab.checking.cuts import CutLosses, judged
from gradlab.checking.report import TensorReport
from gradlab.checking.schemes import SCHEME_TABLE
from gradlab.lab.model import budget
from gradlab.lab.model.problem import NO_NETWORK
from gradlab.lab.model.result import Result
from gradlab.nn.network import Network, Point

__all__ = ["Signal", "cannot_be_cut", "signal_of"]

_MOST, _ALL, _FEWEST = 100, 700, 8  # entries of a cut, of all cuts together; and at least, of one
#: For a picture and its words.
_SHOWN: WeakKeyDictionary[Result, Signal] = WeakKeyDictionary()


class Signal:
    """What the cuts of a network say at one step.

    Attributes
    ----------
    cuts : dict of str to TensorReport
        From "input" to "output".
    layers : list of str
        What stands between one cut and the next.
    """

    def __init__(self, losses: CutLosses, result: Result) -> None:
        self._losses, self._settings = losses, result.settings
        net, x, _, masks = losses.point
        with np.errstate(all="ignore"):  # outputs that overflow are a result here
            self.cuts = losses.at(result.settings.eps, SCHEME_TABLE[result.settings.scheme])
        self.layers = [repr(layer) for layer in net.chain(masks, budget.count(net, x))]

    @cached_property
    def steps(self) -> dict[str, TensorReport]:
        """Of an LSTM "h1" to "hT", "c1" to "cT" and "x1" to "xT"; {} for other networks."""
        if self._losses.steps is None:
            return {}
        return judged(self._losses.steps, self._settings.eps, SCHEME_TABLE[self._settings.scheme])

    @cached_property
    def found(self) -> Bisection:
        """What `gl.bisect` says of these verdicts: from the input up to the first that is right."""
        walk = {}
        for name, cut in self.cuts.items():
            walk[name] = cut
            if cut.verdict == Verdict.CORRECT:
                break
        return conclude(walk, self.layers)


def cannot_be_cut(result: Result) -> str:
    """Return why there is no signal to look at, or ""."""
    s, net = result.settings, result.problem.planted
    if net is None:
        return NO_NETWORK
    if s.use_dropout and not s.freeze_masks:
        return "dropout draws new masks at every evaluation; freeze them to see the cuts"
    own = type(net)
    if own.gradient is not Network.gradient and own.cut_gradients is Network.cut_gradients:
        return "this network's gradient is code of its own, which hands out nothing at the cuts"
    return ""


def signal_of(result: Result) -> Signal:
    """Return what the cuts say; what does not depend on the step is computed once a problem."""
    if result in _SHOWN:
        return _SHOWN[result]
    problem, settings = result.problem, result.settings
    if "cuts" not in problem.memo:
        point = Point(problem.planted, problem.x, problem.y, problem.masks(settings))
        problem.memo["cuts"] = CutLosses(point, _samples(point))
    _SHOWN[result] = Signal(problem.memo["cuts"], result)
    return _SHOWN[result]


def _samples(point: Point) -> int:
    """Return how many entries of each cut a drag can afford."""
    net, x, _, masks = point
    chain = net.chain(masks, budget.count(net, x))
    tied = any(layer.ties_batch for layer in chain)
    one = 4 * (len(chain) + 1) * budget.units(net, x) / 2 * (budget.count(net, x) if tied else 1)
    affordable = min(_ALL // (len(chain) + 1), int(budget.COARSE / one))
    return int(np.clip(affordable, _FEWEST, _MOST))
