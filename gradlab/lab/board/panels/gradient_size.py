"""How large the numerical gradient is over the step: a relative error cannot say, it ends at 2."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any, ClassVar

import numpy as np

from gradlab.checking.schemes import SCHEME_TABLE
from gradlab.lab.board.panels.panel import Panel
from gradlab.lab.model.result import Result
from gradlab.lab.model.spread import noise_of_scheme, spread_over_masks
from gradlab.lab.text.words import two_digits
from gradlab.nn.network import Point
from gradlab.plots.chart import Axis, Chart, Legend, Mark, curve, dots, segments
from gradlab.plots.looks import legend_of, looks_of
from gradlab.plots.scales import EPS_RANGE, eps_axis

__all__ = ["GradientSizePanel"]

_NOISE = {"central": "σ/(√2 eps)", "forward": "√2 σ/eps", "five_point": "0.95 σ/eps"}
_MOST_DECADES = 16
_UPRIGHT = (1e-30, 1e30)  # further than any axis reaches
_NOISE_DASH, _ROUND_DASH = (6.0, 2.0), (1.0, 2.5)


class GradientSizePanel(Panel):
    """‖n‖/√P over eps, a line a tensor of P entries, with backpropagation's own size beside it.

    The root mean square over the entries and not the norm, for noise is the same in all of them:
    where masks are drawn anew the tensors lie on one line.
    """

    name: ClassVar[str] = "gradient_size"
    title: ClassVar[str] = "Size of the gradient's entries"
    width: ClassVar[float] = 22.0
    zooms: ClassVar[bool] = True
    hint: ClassVar[str] = "Click to set the step."

    def fits(self, result: Result) -> str:
        """Return why there is no line to draw."""
        if any(np.any(size[np.isfinite(size)]) for size in result.sweep.sizes.values()):
            return ""
        return "the numerical gradient is 0 at every step: there is nothing to measure"

    def key(self, result: Result) -> Hashable:
        """Return the sweep."""
        return result.sweep

    def still(self, result: Result) -> Chart:
        """Return a line a tensor, dashed ones for backpropagation, and those of the noise."""
        sizes, looks = _sizes(result), looks_of(result.sweep.sizes)
        low, high = _range(result)
        eps, marks, legend = result.sweep.eps, [], []
        for name, backprop in _backprop(result).items():
            if backprop > 0:
                marks.append(
                    segments(
                        EPS_RANGE[0],
                        backprop,
                        EPS_RANGE[1],
                        backprop,
                        looks[name].colour,
                        (1.5, 3.0),
                        1.0,
                    )
                )
        for name, size in sizes.items():
            marks.append(curve(eps, size, looks[name].colour, 1.6, looks[name].dash))
        for height, label, dash in _lines(result):
            at = np.array(EPS_RANGE)
            marks.append(curve(at, height / at, "ink", 1.2, dash))
            legend.append(Legend(label, "ink", dash))
        return Chart(
            self.title,
            eps_axis(),
            Axis(low, high, "‖n‖ / √P", log=True),
            marks,
            "",
            "dotted: backprop, ‖a‖ / √P, over the P entries",
            [*legend_of(looks), *legend],
        )

    def moving(self, result: Result) -> list[Mark]:
        """Return the step, and where the check's gradients are at it."""
        eps, looks = result.settings.eps, looks_of(result.sweep.sizes)
        now = {name: size for name, size in _checked(result).items() if size > 0}
        return [
            segments(eps, _UPRIGHT[0], eps, _UPRIGHT[1], "ink", width=1.6),
            dots(
                [eps] * len(now),
                list(now.values()),
                [looks[n].colour for n in now],
                [1] * len(now),
                3.0,
                edge="paper",
            ),
        ]

    def alt(self, result: Result) -> str:
        """Return the sizes at the step, beside backpropagation's."""
        backprop, now = _backprop(result), _checked(result)
        each = (f"{n} {two_digits(rms)} ({two_digits(backprop[n])})" for n, rms in now.items())
        told = ", ".join(each)
        along = any(tensor.directional for tensor in result.report.tensors.values())
        text = (
            f"Size of {'a slope along a direction' if along else 'an entry'} of the numerical "
            "gradient, root mean square, at a step of "
            f"{result.settings.eps:.2g}, and in brackets backpropagation's: {told}."
        )
        if sigma := _sigma(result):
            text += (
                f" Masks are drawn anew: the loss differs by σ = {sigma:.1e} from one set to the "
                f"next, and the size grows like {_NOISE[result.settings.scheme]}."
            )
        return text

    def pressed(self, result: Result, x: float, y: float) -> dict[str, Any]:
        """Return the step at the click."""
        return {"eps": min(max(float(x), EPS_RANGE[0]), EPS_RANGE[1])}


def _sizes(result: Result) -> dict[str, np.ndarray]:
    """Return ‖n‖/√P of P checked entries at each step; NaN, which is not drawn, for 0."""
    return {
        name: np.where(size > 0, size, np.nan) / math.sqrt(result.report[name].analytic.size)
        for name, size in result.sweep.sizes.items()
    }


def _checked(result: Result) -> dict[str, float]:
    """Return ‖n‖/√P of the check, at the step that is set."""
    return {name: _rms(tensor.numerical) for name, tensor in result.report.tensors.items()}


def _backprop(result: Result) -> dict[str, float]:
    """Return ‖a‖/√P of the same entries."""
    return {name: _rms(tensor.analytic) for name, tensor in result.report.tensors.items()}


def _rms(values: np.ndarray) -> float:
    return float(np.linalg.norm(values.astype(float).ravel()) / math.sqrt(values.size))


def _sigma(result: Result) -> float:
    """Return how much the loss differs from one set of masks to the next; 0 for one set."""
    if result.net is None or result.settings.scheme not in _NOISE:
        return 0.0
    masks = result.problem.masks(result.settings)
    if not isinstance(masks, np.random.Generator):
        return 0.0
    return spread_over_masks(Point(result.net, result.x, result.y, masks))


def _lines(result: Result) -> list[tuple[float, str, tuple[float, ...]]]:
    """Return what grows like 1/eps: its size at eps = 1, its name and its dashes."""
    rule = SCHEME_TABLE[result.settings.scheme]
    if not rule.subtracts:
        return []
    if sigma := _sigma(result):
        return [(noise_of_scheme(rule) * sigma, _NOISE[rule.name], _NOISE_DASH)]
    # where the line ends below the picture, round-off is no matter
    shown = result.weight.gap > 2 * _range(result)[0] * EPS_RANGE[0]
    return [(result.weight.gap, "round-off: a gap of L, over eps", _ROUND_DASH)] if shown else []


def _range(result: Result) -> tuple[float, float]:
    """Return powers of ten around the curves and backpropagation's sizes."""
    curves = np.concatenate([*_sizes(result).values(), list(_backprop(result).values())])
    known = curves[np.isfinite(curves) & (curves > 0)]
    high = math.ceil(math.log10(known.max()) + 0.1)
    low = math.floor(math.log10(known.min()) - 0.1)
    return 10.0 ** max(low, high - _MOST_DECADES), 10.0**high
