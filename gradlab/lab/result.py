"""From settings to a result: a pure function, with what is still valid taken from the last result.

Moving the step does not recompute the sweep; moving anything else does, on fewer steps while a
slider is dragged (`coarse`) and on all of them when it rests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

import gradlab as gl
from gradlab.checking import EpsSweep, Report
from gradlab.lab import budget
from gradlab.lab.problem import Given, build_network, examples
from gradlab.lab.settings import YOURS, Settings
from gradlab.nn.mlp import MLP
from gradlab.nn.network import Masks

__all__ = ["SWEEP_EPS", "Result", "compute"]

#: The steps of the U-curve: five a decade over the range of the slider.
SWEEP_EPS = np.logspace(-13, -1, 61)


@dataclass(frozen=True, eq=False)
class Result:
    """What the lab shows.

    Attributes
    ----------
    settings : Settings
        What it was computed from.
    net : MLP
        Its `l2` is that of the numerical loss.
    x, y : ndarray
    analytic : dict of ndarray
        The gradient by backpropagation.
    report : Report
    sweep : Sweep
    sweep_settings : Settings
        What the sweep was computed from; its `eps` stands for nothing.
    stride : int
        The sweep took every n-th of `SWEEP_EPS`.
    """

    settings: Settings
    net: MLP
    x: np.ndarray
    y: np.ndarray
    analytic: dict[str, np.ndarray]
    report: Report
    sweep: EpsSweep
    sweep_settings: Settings
    stride: int

    @property
    def stale(self) -> bool:
        """Whether the sweep is that of earlier settings, to be computed when the slider rests."""
        return self.sweep_settings != _without_eps(self.settings)

    @property
    def rough(self) -> bool:
        """Whether a better sweep is to be had at rest."""
        full = budget.stride(self.settings, self.net, len(self.x), budget.FULL)
        return self.stale or self.stride > full


def compute(
    settings: Settings,
    given: Given | None = None,
    previous: Result | None = None,
    *,
    coarse: bool = False,
) -> Result:
    """Compute what the lab shows for `settings`.

    Parameters
    ----------
    settings : Settings
    given : Given or None, optional
        The caller's network and data.
    previous : Result or None, optional
        Whatever of it is still valid is kept.
    coarse : bool, optional
        Whether a new sweep may take fewer steps, or wait, to be quick.

    Returns
    -------
    Result

    Raises
    ------
    ValueError, TypeError
        The settings do not go together (labels for another loss, say); the message says why.
    """
    with np.errstate(all="ignore"):  # overflow at large weights is a result here, not a warning
        if previous and _without_eps(previous.settings) == _without_eps(settings):
            net, x, y, analytic = previous.net, previous.x, previous.y, previous.analytic
        else:
            net, x, y, analytic = _problem(settings, given)
        report = gl.check(
            net, x, y, eps=settings.eps, scheme=settings.scheme, measure=settings.measure,
            masks=_masks(settings, net, len(x)), analytic=analytic,
        )  # fmt: skip
        stride = budget.stride(settings, net, len(x), budget.COARSE if coarse else budget.FULL)
        if previous:
            kept = replace(
                previous, settings=settings, net=net, x=x, y=y, analytic=analytic, report=report
            )
            if _good_enough(kept, stride, coarse):
                return kept
        sweep = gl.sweep_eps(
            net, x, y, eps=SWEEP_EPS[::stride], scheme=settings.scheme, measure=settings.measure,
            masks=_masks(settings, net, len(x)), analytic=analytic,
        )  # fmt: skip
    return Result(
        settings, net, x, y, analytic, report, sweep, _without_eps(settings), stride
    )  # fmt: skip


def _good_enough(kept: Result, stride: int, coarse: bool) -> bool:
    if not kept.stale and kept.stride <= stride:
        return True
    same_tensors = tuple(kept.sweep.errors) == tuple(kept.net.params)
    return coarse and same_tensors and budget.too_slow(kept.settings, kept.net, len(kept.x))


def _without_eps(settings: Settings) -> Settings:
    return settings.replace(eps=1.0)


def _problem(
    settings: Settings, given: Given | None
) -> tuple[MLP, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    x, y, outputs = examples(settings, given)
    net = build_network(settings, given, x.shape[1], outputs)
    if settings.data != YOURS:
        n = budget.affordable_examples(settings, net, len(x))
        x, y = x[:n], y[:n]
    l2 = settings.l2 if settings.use_l2 else 0.0
    in_gradient = net.replace(l2=l2 if settings.l2_in_gradient else 0.0)
    analytic = in_gradient.gradient(x, y, masks=_masks(settings, net, len(x)))
    broken = [name for name, grad in analytic.items() if not np.isfinite(grad).all()]
    if broken:
        raise ValueError(
            f"the gradient of {', '.join(broken)} is not finite: the outputs overflow; "
            "lower the weight scale"
        )
    return net.replace(l2=l2 if settings.l2_in_loss else 0.0), x, y, analytic


def _masks(settings: Settings, net: MLP, n: int) -> Masks:
    """Return the same masks at every call, or a generator that draws anew at every evaluation."""
    if not settings.use_dropout:
        return None
    rng = np.random.default_rng((settings.seed, 1))  # apart from the draws of the weights
    return net.draw_masks(n, rng) if settings.freeze_masks else rng
