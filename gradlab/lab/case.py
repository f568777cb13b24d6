"""What a planted bug does to the gradient of the network in the lab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab import bugs
from gradlab.bugs.exhibit import layer_numbers
from gradlab.checking import Report, bisect, check, norm_ratio
from gradlab.checking.diagnosis import Clues
from gradlab.lab.backward import Place, analytic_gradient
from gradlab.lab.problem import Problem
from gradlab.lab.settings import Settings
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

__all__ = ["Case"]

#: Norm ratio, in one tensor at least, of a bug that is worth looking for; of a tensor that is
#: wrong; and of two gradients that are the same.
VISIBLE, WRONG, SAME = 1e-2, 1e-4, 1e-6


@dataclass(frozen=True, eq=False)
class Case:
    """A network, its examples, and a bug in its backward pass.

    Attributes
    ----------
    net : Network
        The one whose gradient is compared, without the bug.
    x, y : ndarray
    masks : list of ndarray or None
        Frozen, also where the lab draws them anew: a bug must be all that there is to find.
    place : Place
    sampling : dict
        Which entries a check takes, as arguments of `gl.check`.
    """

    net: Network
    x: np.ndarray
    y: np.ndarray
    masks: Masks
    place: Place
    sampling: dict[str, Any]

    @classmethod
    def of(cls, problem: Problem, settings: Settings, place: Place) -> Case:
        """Return the case of a bug planted in the lab's network."""
        masks = problem.masks(settings.replace(freeze_masks=True))
        return cls(problem.in_gradient, problem.x, problem.y, masks, place, problem.sampling)

    def changes(self) -> dict[str, float]:
        """Return how far off the bug puts each tensor, as a norm ratio."""
        return self._beside(self._gradient(self.place), self._gradient(None))

    @property
    def shows(self) -> bool:
        """Whether a check at a good step sees it."""
        return max(self.changes().values()) > VISIBLE

    @property
    def wrong(self) -> list[str]:
        """The tensors that are wrong."""
        return [name for name, change in self.changes().items() if change > WRONG]

    @property
    def layered(self) -> bool:
        """Whether the bug is in one layer, and not in the loss or in the whole gradient."""
        return bugs.describe(self.place.name).is_of_layer

    def layer_is(self, tensor: str) -> bool | None:
        """Tell whether `tensor` is of the topmost layer that is wrong; None if not `layered`.

        That is where the damage begins on the way down from the loss.
        """
        if not self.layered:
            return None
        numbers = self._numbers()
        return numbers[tensor] == max(numbers[name] for name in self.wrong)

    def same_as(self, name: str) -> bool:
        """Tell whether the bug `name`, at some layer, gives the same gradient."""
        mine = self._gradient(self.place)
        others = (Place(name, layer) for layer in bugs.layers(self.net, name))
        return any(max(self._beside(self._gradient(o), mine).values()) < SAME for o in others)

    def which_tensors(self) -> str:
        """Return a sentence on which tensors are wrong, and what that says."""
        return f"{self._clues().where}."

    def which_step(self) -> str:
        """Return sentences on where the signal goes wrong, and on what the worst tensor shows."""
        planted = bugs.plant(self.net, self.place.name, self.place.layer)
        found = bisect(planted, self.x, self.y, self.masks)
        report = self._report()
        worst = report[max(self.wrong, key=lambda name: report[name].norm_ratio)]
        remark = "" if found.step else f" But {found.remark}."
        return (
            f"{found.why}{remark} In {worst.name} the ratio of the analytic to the numerical "
            f"gradient is {worst.ratio:.3g} and their cosine {worst.cosine:.3g}."
        )

    def _report(self) -> Report:
        analytic = self._gradient(self.place)
        return check(self.net, self.x, self.y, masks=self.masks, analytic=analytic, **self.sampling)

    def _clues(self) -> Clues:
        return Clues.of(self._report(), self.net, self.x)

    def _gradient(self, place: Place | None) -> dict[str, np.ndarray]:
        return analytic_gradient(self.net, self.x, self.y, self.masks, place)

    def _beside(self, a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> dict[str, float]:
        return {name: float(norm_ratio(a[name].ravel(), b[name].ravel())) for name in a}

    def _numbers(self) -> dict[str, int]:
        """Return the number of each tensor's layer, 1 for that of the first weights."""
        steps = zip(self.net.layers, layer_numbers(self.net), strict=True)
        return {p: number for step, number in steps for p in getattr(step, "param_names", ())}
