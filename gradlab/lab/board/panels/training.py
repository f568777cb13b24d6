"""Training with the backward pass that is checked, beside the right one."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

import numpy as np

from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.lab.model.settings import NO_BUG
from gradlab.lab.model.training_beside import Beside, Run, cannot_train, trainings
from gradlab.plots.chart import Axis, Chart, Legend, curve, words

__all__ = ["TrainingPanel"]

_RIGHT, _CHECKED, _DASH = "layer0", "layer1", (5.0, 2.0)
#: The checked curve is drawn up to so many times the loss at the start.
_TOP = 4.0
_SAME = 1e-6  # what rounding does to the same curve
#: From this ratio of largest to smallest loss on the axis is logarithmic.
_LOG = 30.0
#: A loss is another where it differs by this share of itself, and of how far the right code got.
_OTHER, _OF_FALL = 0.1, 0.02
#: What falls less than this share of the right code's fall learns nothing to speak of.
_LEARNS = 0.05


class TrainingPanel(Panel):
    """The loss by updates: the same start, batches and learning rate for both."""

    name: ClassVar[str] = "training"
    title: ClassVar[str] = "Training with this backward pass"
    width: ClassVar[float] = 22.0
    at_rest: ClassVar[bool] = True

    def fits(self, result: Result) -> str:
        """Return why nothing can be trained."""
        if why := cannot_train(result.problem):
            return why
        if trainings(result).right is None:
            return "no learning rate from 0.1 to 1e-6 lowers the loss, with right code either"
        return ""

    def key(self, result: Result) -> Hashable:
        """Return the problem, which has the gradient and where it starts."""
        return result.problem

    def still(self, result: Result) -> Chart:
        """Return the curves, with where they end."""
        both = trainings(result)
        y = _axis(both)
        runs = [
            ("right code", both.right, _RIGHT, ()),
            ("this code", both.checked, _CHECKED, _DASH),
        ]
        marks, legend = [], []
        for label, run, colour, dash in runs:
            if run is None:
                continue
            losses = np.minimum(run.losses, 3 * y.high)  # beyond the top, whatever it is
            marks.append(curve(np.arange(len(losses)), losses, colour, 2.0, dash))
            legend.append(Legend(f"{label}: {_end(run)}", colour, dash))
        if both.checked is not None and both.checked.losses.max() > y.high:
            above = int(np.argmax(both.checked.losses > y.high))
            marks.append(words([above], [y.high], ["▲"], _CHECKED, 0.8, base="top"))
        return Chart(
            self.title,
            Axis(0, both.steps, f"updates, at a learning rate of {both.rate:g}"),
            y,
            marks,
            note=comparison(result, both),
            legend=legend,
        )

    def alt(self, result: Result) -> str:
        """Return where the curves begin and end, and how they compare."""
        both = trainings(result)
        text = (
            f"The loss over {both.steps} updates at a learning rate of {both.rate:g}, from "
            f"{both.right.losses[0]:.2g} on. Right code: {_end(both.right)}."
        )
        if both.checked is not None:
            text += f" The code that is checked: {_end(both.checked)}."
        return f"{text} {comparison(result, both)}"


def comparison(result: Result, both: Beside) -> str:
    """Return one sentence that is true of both curves."""
    right, checked = both.right, both.checked
    if checked is None:
        none = result.settings.bug == NO_BUG
        return "No bug is planted." if none else "What is planted does not touch this gradient."
    same_length = len(right.losses) == len(checked.losses)
    if same_length and np.allclose(right.losses, checked.losses, rtol=_SAME, atol=0.0):
        return "Both curves are the same."
    if not checked.finished:
        return f"It diverges: update {len(checked.losses)} overflows."
    start, good, end = right.losses[0], right.last, checked.last
    fall = start - good
    if end > _TOP * start:
        return f"It diverges: the loss grows to {end:.1g}."
    if end >= start:
        return "It does not lower the loss."
    if start - end < _LEARNS * fall:
        return "It hardly lowers the loss."
    if end - good > max(_OTHER * good, _OF_FALL * fall):
        return "It still learns, only worse."
    if good - end > max(_OTHER * end, _OF_FALL * fall):
        return "Its loss ends lower here than that of right code."
    return "It learns as well: the loss falls as far."


def _end(run: Run) -> str:
    """Return "loss 0.0033, 100 % right"."""
    if not run.finished:
        return f"overflows after {len(run.losses) - 1}"
    share = "" if np.isnan(run.right) else f", {100 * run.right:.0f} % right"
    return f"loss {run.last:.2g}{share}"


def _axis(both: Beside) -> Axis:
    """Return an axis that holds the right curve, and of the other what is not far above."""
    right, start = both.right.losses, both.right.losses[0]
    top, low = right.max(), right.min()
    if both.checked is not None:
        top = max(top, min(both.checked.losses.max(), _TOP * start))
        low = min(low, both.checked.losses.min())
    if low > 0 and top / low > _LOG:
        return Axis(float(0.7 * low), float(1.4 * top), "loss", log=True)
    return Axis(min(0.0, float(low)), float(1.06 * top), "loss")
