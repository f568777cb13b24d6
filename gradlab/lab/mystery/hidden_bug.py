"""What a hidden bug does to the gradient of the network in the lab."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradlab.bugs import Secret
from gradlab.bugs.choices import choices
from gradlab.bugs.drawing import draw, far
from gradlab.bugs.exhibit import layer_numbers
from gradlab.bugs.slip import Written
from gradlab.checking import Report, bisect, check
from gradlab.checking.diagnosis import Facts
from gradlab.lab.model.problem import Problem
from gradlab.lab.model.settings import Settings
from gradlab.nn.layers import Masks
from gradlab.nn.network import Network, Point

__all__ = ["HiddenBug"]

TRIES = 20  # to find a bug that was not played
WRONG = 1e-4  # norm ratio of a tensor that is wrong


@dataclass(frozen=True, eq=False)
class HiddenBug:
    """A network, its examples, and a bug in its backward pass.

    Attributes
    ----------
    net : Network
        The one whose gradient is compared, without the bug.
    x, y : ndarray
    masks : list of ndarray or None
        Frozen, also where the lab draws them anew: a bug must be all that there is to find.
    secret : Secret
    lines : sequence of (Line, str)
        Those to choose from, as they should be.
    sampling : dict
        Which entries a check takes, as arguments of `gl.check`.
    """

    net: Network
    x: np.ndarray
    y: np.ndarray
    masks: Masks
    secret: Secret
    lines: Written
    sampling: dict[str, Any]

    @classmethod
    def draw(
        cls,
        problem: Problem,
        settings: Settings,
        rng: np.random.Generator,
        count: int = 1,
        played: Collection[Secret] = (),
    ) -> HiddenBug:
        """Return a bug that shows in the lab's network, one that was not `played` if there is one.

        Raises
        ------
        ValueError
            None shows.
        """
        net, masks = problem.in_gradient, problem.masks(settings.replace(freeze_masks=True))
        point = Point(net, problem.x, problem.y, masks)
        for _ in range(TRIES):
            secret = draw(point, rng, count, is_of_lines=True)
            if secret not in played:
                break
        return cls(*point, secret, tuple(choices(secret, point, rng)), problem.sampling)

    @cached_property
    def wrong(self) -> list[str]:
        """The tensors that are wrong."""
        right = self.net.gradient(self.x, self.y, self.masks)
        return [name for name, ratio in far(self.gradient, right).items() if ratio > WRONG]

    @cached_property
    def gradient(self) -> dict[str, np.ndarray]:
        """The wrong gradient."""
        return self.secret.plant(self.net).gradient(self.x, self.y, self.masks)

    def layer_is(self, tensor: str) -> bool | None:
        """Tell whether `tensor` is of the topmost layer that is wrong; None for a bug of the loss.

        There the damage shows first on the way down from the loss; it may be the layer above that
        hands it down.
        """
        if not self.secret.is_of_layer:
            return None
        numbers = self._numbers()
        return numbers[tensor] == max(numbers[name] for name in self.wrong)

    def which_tensors(self) -> str:
        """Return a sentence on which tensors are wrong, and what that says."""
        return f"{Facts.of(self._report(), self.net, self.x).where}."

    def which_step(self) -> str:
        """Return sentences on where the signal goes wrong, and on what the worst tensor shows."""
        found = bisect(self.secret.plant(self.net), self.x, self.y, self.masks)
        report = self._report()
        worst = report[max(self.wrong, key=lambda name: report[name].norm_ratio)]
        remark = "" if found.step else f" But {found.remark}."
        return (
            f"{found.why}{remark} In {worst.name} the ratio of the analytic to the numerical "
            f"gradient is {worst.ratio:.3g} and their cosine {worst.cosine:.3g}."
        )

    def _report(self) -> Report:
        return check(
            self.net, self.x, self.y, masks=self.masks, analytic=self.gradient, **self.sampling
        )

    def _numbers(self) -> dict[str, int]:
        """Return the number of each tensor's layer, 1 for that of the first weights."""
        steps = zip(self.net.layers, layer_numbers(self.net), strict=True)
        return {p: number for step, number in steps for p in step.param_names}
