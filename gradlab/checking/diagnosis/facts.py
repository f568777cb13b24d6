"""The facts from which a cause is told: a report's numbers and names, and where to look first."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.checking.black_box import GRADIENT_ROUNDING
from gradlab.checking.judge import ROUNDED, SAFETY
from gradlab.checking.report import Report
from gradlab.nn.network import Network


@dataclass(frozen=True)
class Factor:
    """A number that is known to within an error.

    Attributes
    ----------
    value, error : float
    """

    value: float
    error: float

    def is_(self, other: float) -> bool:
        """Tell whether it may be `other`, and is known well enough to say so."""
        known = self.error <= 1e-2 * abs(self.value)
        return bool(known and abs(self.value - other) <= self.error + 1e-9 * abs(other))

    def over(self, other: float) -> Factor:
        """Return it in units of another number."""
        return Factor(self.value / other, self.error / abs(other))

    @property
    def inverse(self) -> Factor:
        """One over it."""
        return Factor(1 / self.value, self.error / self.value**2)

    def __str__(self) -> str:
        known = max(self.error, 1e-9 * abs(self.value), np.finfo(float).tiny)
        digits = int(math.log10(max(abs(self.value) / known, 1))) if self.value else 1
        return f"{self.value:.{min(max(digits, 1), 9)}g}"


@dataclass(frozen=True, eq=False)
class Facts:
    """Numbers and names, gathered once for all patterns.

    Attributes
    ----------
    analytic, numerical, bounds : dict of str to ndarray, shape (checked entries,)
        `bounds` is how far `numerical` may be off; where nothing is known of it, `numerical` is
        the analytic one.
    wrong : list of str
    params : dict of str to ndarray, shape (checked entries,), or None
        None if they are not known, or not which of their entries were checked.
    entries : dict of str to ndarray of int or slice, or None
        Which entries of each tensor were checked; None if that is not known.
    shapes : dict of str to tuple
    groups : list of list of str
        The tensors of each step that has any, from the input up; empty where the order in which
        they come is not known.
    numbers : dict of str to int or None
        Which layer a tensor belongs to, 1 for W1.
    biases : set of str
    batch, outputs : int or None
    loss_name : str or None
    l2, dropout_rate : float
    knows_l2 : bool
        Whether `l2` is known at all.
    rounding : float
        Of the analytic gradient, over a tensor's largest entry.
    first : dict of str to ndarray, or None
        What the gradient's code returned at its first call; `analytic` is a later one's.
    """

    analytic: Mapping[str, np.ndarray]
    numerical: Mapping[str, np.ndarray]
    bounds: Mapping[str, np.ndarray]
    wrong: list[str]
    params: Mapping[str, np.ndarray] | None
    entries: Mapping[str, np.ndarray | slice] | None
    shapes: Mapping[str, tuple[int, ...]]
    groups: list[list[str]]
    numbers: dict[str, int | None]
    biases: set[str]
    batch: int | None
    outputs: int | None
    loss_name: str | None
    l2: float
    dropout_rate: float
    knows_l2: bool
    rounding: float
    first: Mapping[str, np.ndarray] | None = None

    @classmethod
    def of(
        cls,
        report: Report,
        net: Network | None = None,
        x: np.ndarray | None = None,
        params: Mapping[str, np.ndarray] | None = None,
        first: Mapping[str, np.ndarray] | None = None,
        rounding: float = 0.0,
    ) -> Facts:
        """Gather what is known of a report, and of the network and its inputs if they are known."""
        analytic = {name: np.ravel(report[name].analytic) for name in report}
        bounds = {name: np.ravel(report[name].bounds) for name in report}
        # where no step gave a slope, nothing is known of a deviation
        numerical = {
            name: np.where(np.isfinite(bounds[name]) & np.isfinite(n), n, analytic[name])
            for name, n in ((name, np.ravel(report[name].numerical)) for name in report)
        }
        bounds = {name: np.where(np.isfinite(b), b, 0.0) for name, b in bounds.items()}
        shapes = {name: report[name].shape for name in report}
        if net is not None and shapes != {k: v.shape for k, v in net.params.items()}:
            net = None
        entries, params = _entries(report), net.params if net else params
        if net is not None:
            rounding = GRADIENT_ROUNDING.get(net.dtype.itemsize, 0.0)
        return cls(
            analytic,
            numerical,
            bounds,
            list(report.wrong),
            None if params is None or entries is None else _picked(params, entries),
            entries,
            shapes,
            _groups(net),
            _numbers(list(shapes), net),
            _biases(shapes, net),
            None if x is None or net is None else np.shape(x)[net.batch_axis],
            net.outputs if net else None,
            net.loss_name if net else None,
            net.l2 if net else 0.0,
            net.dropout_rate if net else 0.0,
            net is not None,
            rounding,
            first if entries is None or first is None else _picked(first, entries),
        )

    # -- what fits to the resolution -------------------------------------------------------------

    def tolerance_of(self, name: str) -> np.ndarray:
        """Return how far an entry may be off the numerical one and be the same, (E,)."""
        n, a = self.numerical[name], self.analytic[name]
        size = max(np.abs(n).max(initial=0.0), np.abs(a).max(initial=0.0))
        return SAFETY * self.bounds[name] + ROUNDED * np.abs(n) + (self.rounding + 1e-12) * size

    def off(self, name: str) -> np.ndarray:
        """Tell which entries differ, (E,)."""
        return np.abs(self.analytic[name] - self.numerical[name]) > self.tolerance_of(name)

    def fits(self, name: str, a: np.ndarray, model: np.ndarray) -> bool:
        """Tell whether `a` is `model`, made of the numerical gradient, to the resolution."""
        size = np.abs(model).max(initial=0.0)
        if size == 0:
            return not a.any()
        near = SAFETY * float(self.bounds[name].max(initial=0.0))
        if near > 1e-2 * size:  # anything would fit
            return False
        return bool((np.abs(a - model) <= near + (self.rounding + 1e-9) * size).all())

    def factor(self, names: Sequence[str], data_part: bool = False) -> Factor | None:
        """Return the one factor by which these tensors are off; None if there is none."""
        if not names:
            return None
        parts = [self.l2_part(name) if data_part else 0.0 for name in names]
        a = [self.analytic[name] - part for name, part in zip(names, parts, strict=True)]
        n = [self.numerical[name] - part for name, part in zip(names, parts, strict=True)]
        if not any(v.any() for v in a):
            return Factor(0.0, 0.0)
        sizes = [_size(v) for v in n]
        u, v = (
            np.concatenate([w / s for w, s in zip(part, sizes, strict=True)]) for part in (a, n)
        )
        if not v.any():
            return None
        c = float(u @ v / (v @ v))
        if abs(c) < 1e-9:  # sums that cancel
            return Factor(0.0, 0.0) if np.abs(u).max() < 1e-9 else None
        off = np.concatenate(
            [
                (
                    abs(c) * (SAFETY * self.bounds[name] + ROUNDED * np.abs(w))
                    + max(self.rounding, 1e-12) * np.abs(b).max(initial=0.0)
                )
                / s
                for name, b, w, s in zip(names, a, n, sizes, strict=True)
            ]
        )
        if not (np.abs(u - c * v) <= 2 * off).all():
            return None
        error = 3 * float(np.sqrt((off**2).sum() / (v @ v) / len(v)))
        return Factor(c, error) if error <= 1e-2 * abs(c) else None

    def along_params(self, names: Sequence[str]) -> Factor | None:
        """Return the multiple of the parameters that tensors deviate by; None if there is none."""
        if self.params is None or not names:
            return None
        value = np.concatenate([self.params[name] for name in names])
        off = np.concatenate([self.analytic[name] - self.numerical[name] for name in names])
        tol = np.concatenate([self.tolerance_of(name) for name in names])
        square = float(value @ value)
        times = float(off @ value) / square if square else 0.0
        seen = np.abs(times * value) > 10 * tol  # what stands out of the noise
        if (
            seen.sum() < 2
            or not (np.abs(off - times * value) <= 2 * tol + 1e-6 * np.abs(off)).all()
        ):
            return None
        return Factor(times, 3 * float(np.sqrt((tol**2).sum() / square / len(tol))))

    def batch_for(self, factor: Factor) -> int:
        """Return the batch size; where it is not known, what the factor suggests; at least 1."""
        if self.batch is not None:
            return self.batch
        if factor.value <= 0:
            return 1
        size = factor if factor.value > 1 else factor.inverse
        whole = round(size.value)
        return whole if 3 <= whole <= 10**6 and size.error < 0.2 and size.is_(whole) else 1

    @property
    def entries_off(self) -> int:
        """How many entries differ."""
        return sum(int(self.off(name).sum()) for name in self.wrong)

    @cached_property
    def length(self) -> float:
        """Length of the whole analytic gradient."""
        return float(np.sqrt(sum(float(a @ a) for a in self.analytic.values())))

    @property
    def clipped_length(self) -> bool:
        """Whether that is a number that a person would choose: 1, 0.5, 5."""
        return (
            not self.sampled and abs(self.length - float(f"{self.length:.1g}")) < 1e-9 * self.length
        )

    # -- what is known ---------------------------------------------------------------------------

    @property
    def sampled(self) -> bool:
        """Whether some entries are missing."""
        return any(a.size != np.prod(self.shapes[k], dtype=int) for k, a in self.analytic.items())

    def flat(self, gradient: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the checked entries of a whole gradient."""
        return _picked(gradient, self.entries)

    @cached_property
    def floor(self) -> float:
        """What is nothing beside this gradient."""
        largest = max((np.linalg.norm(n) for n in self.numerical.values()), default=0.0)
        return 1e-9 * float(largest) + np.finfo(float).tiny

    @cached_property
    def live(self) -> list[str]:
        """The tensors whose slope is not 0."""
        return [name for name, n in self.numerical.items() if np.linalg.norm(n) > self.floor]

    @property
    def weights(self) -> set[str]:
        """The tensors that are no biases."""
        return set(self.shapes) - self.biases

    @property
    def tolerance(self) -> float:
        """Relative difference of two gradients that is none."""
        return 1e-3 if self.rounding else 1e-6

    @cached_property
    def all_wrong(self) -> bool:
        """Whether every tensor that has a slope is wrong."""
        return set(self.live) <= set(self.wrong)

    def l2_part(self, name: str) -> np.ndarray | float:
        """Return what L2 adds to the gradient of a tensor."""
        if self.params is None or not self.l2 or name in self.biases:
            return 0.0
        return self.l2 * self.params[name]

    def deviation(self, gradient: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
        """Return what a gradient, by default the analytic one, is off, as one vector."""
        given = self.analytic if gradient is None else self.flat(gradient)
        return np.concatenate([given[k] - n for k, n in self.numerical.items()])

    @cached_property
    def where(self) -> str:
        """Which tensors are wrong, and where to look first.

        Names prove no more than that. A wrong signal may show in one bias alone, as where pixels
        that tie are all 0; and each wrong tensor may have a wrong line of its own.
        """
        wrong, listed = set(self.wrong), ", ".join(self.wrong)
        only = f"Only {listed} is wrong" if len(wrong) == 1 else f"Wrong are {listed}"
        if self.all_wrong:
            which = "All tensors" if wrong == set(self.shapes) else "All tensors that have a slope"
            first = "look first at the loss's derivative, and at what is done to all gradients"
            return f"{which} are wrong ({listed})" + (f": {first}" if self.groups else "")
        if not self.groups:  # which stands above which is not known
            return only
        top = max(i for i, group in enumerate(self.groups) if wrong & set(group))
        below = {name for group in self.groups[: top + 1] for name in group if name in self.live}
        above = "".join(_listed(group) for group in self.groups[top + 1 : top + 2])
        if below <= wrong and above and len(below) > 1:
            return (
                f"{only}, and nothing above is: look first at what takes the signal down from "
                f"{above} to {_listed(self.groups[top])}"
            )
        if len(wrong) == 1:
            own = len([name for name in self.groups[top] if name in self.live]) == 1 and above
            also = f", and at what takes the signal down from {above}" if own else ""
            return f"{only}: look first at its own line{also}"
        if wrong <= self.biases or not wrong & self.biases:
            kind = "biases" if wrong <= self.biases else "weights"
            return f"Only {kind} are wrong ({listed}): look first at their own lines"
        return only


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{names[0]} … {names[-1]}"


def _entries(report: Report) -> dict[str, np.ndarray | slice] | None:
    found: dict[str, np.ndarray | slice] = {}
    for name in report:
        tensor = report[name]
        entries = tensor.entries
        if entries is None and np.size(tensor.analytic) != np.prod(tensor.shape, dtype=int):
            return None
        found[name] = slice(None) if entries is None else entries
    return found


def _picked(
    arrays: Mapping[str, np.ndarray], entries: Mapping[str, np.ndarray | slice]
) -> dict[str, np.ndarray]:
    return {name: np.ravel(arrays[name])[entries[name]] for name in entries}


def _groups(net: Network | None) -> list[list[str]]:
    """Return the tensors of each step; none without a network: the order of names is no depth."""
    if net is None:
        return []
    return [list(layer.param_names) for layer in net.layers if layer.param_names]


def _numbers(names: list[str], net: Network | None) -> dict[str, int | None]:
    """Return the number of each tensor's layer, 1 for W1; None where the names do not tell."""
    if net is None:
        found = {name: re.search(r"\d+", name) for name in names}
        return {name: int(number[0]) if number else None for name, number in found.items()}
    numbers: dict[str, int | None] = {}
    count = 0
    for layer in net.layers:
        count += bool(layer.weight_names)
        numbers |= dict.fromkeys(layer.param_names, count)
    return numbers


def _biases(shapes: Mapping[str, tuple[int, ...]], net: Network | None) -> set[str]:
    """Return what L2 leaves alone; without a network, what is called b or beta."""
    if net is not None:
        return {name for name in shapes if name not in net.weight_names}
    return {name for name in shapes if re.match(r"(b|beta|bias|.*_b)\d*$", name)}


def _size(n: np.ndarray) -> float:
    return float(np.abs(n).max(initial=0.0)) or 1.0
