"""What a report gives away about the cause of a wrong gradient."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.checking.report import Report
from gradlab.nn.network import Network

NOISE = {"float64": 1e-6, "float32": 1e-3}  # relative difference that is none


@dataclass(frozen=True, eq=False)
class Clues:
    """Numbers and names, gathered once for all patterns.

    Attributes
    ----------
    analytic, numerical : dict of str to ndarray, shape (checked entries,)
    wrong : list of str
    params : dict of str to ndarray, shape (checked entries,), or None
        None if the network is not known, or not which of its entries were checked.
    entries : dict of str to ndarray of int or slice, or None
        Which entries of each tensor were checked; None if that is not known.
    shapes : dict of str to tuple
    groups : list of list of str
        The tensors of each step that has any, from the input up.
    numbers : dict of str to int or None
        Which layer a tensor belongs to, 1 for W1.
    biases : set of str
    batch, outputs : int or None
    loss_name : str or None
    l2, dropout_rate : float
    tolerance : float
        Relative.
    """

    analytic: Mapping[str, np.ndarray]
    numerical: Mapping[str, np.ndarray]
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
    tolerance: float

    @classmethod
    def of(cls, report: Report, net: Network | None, x: np.ndarray | None) -> Clues:
        """Gather the clues of a report, and of the network and its inputs if they are known."""
        analytic = {name: np.ravel(report[name].analytic) for name in report}
        # where no step gave a slope, nothing is known of a deviation
        numerical = {name: np.where(np.isfinite(n), n, analytic[name]) for name, n in
                     ((name, np.ravel(report[name].numerical)) for name in report)}  # fmt: skip
        shapes = {name: report[name].shape for name in report}
        if net is not None and shapes != {k: v.shape for k, v in net.params.items()}:
            net = None
        entries = _entries(report)
        return cls(
            analytic,
            numerical,
            list(report.wrong),
            None if net is None or entries is None else _picked(net.params, entries),
            entries,
            shapes,
            _groups(list(shapes), net),
            _numbers(list(shapes), net),
            _biases(shapes, net),
            None if x is None or net is None else np.shape(x)[net.batch_axis],
            net.outputs if net else None,
            net.loss_name if net else None,
            net.l2 if net else 0.0,
            net.dropout_rate if net else 0.0,
            NOISE[net.dtype.name if net else "float64"],
        )

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
        """Which tensors are wrong, and what that says about the signal's path down."""
        wrong = set(self.wrong)
        listed = ", ".join(self.wrong)
        if self.all_wrong:
            return f"All tensors are wrong ({listed}): the signal is off from the loss on"
        top = max(i for i, group in enumerate(self.groups) if wrong & set(group))
        below = {name for group in self.groups[: top + 1] for name in group if name in self.live}
        own = [name for name in self.groups[top] if name in self.live]
        above = ", ".join(name for group in self.groups[top + 1 : top + 2] for name in group)
        if below <= wrong and above and len(below) > 1:
            return (
                f"Wrong are {listed}, right is what stands above: the signal is spoiled on its way "
                f"down from {above} to {', '.join(self.groups[top])}"
            )
        if len(wrong) == 1 and len(own) == 1 and above:
            return f"Only {listed} is wrong: its formula is, or the signal between it and {above}"
        if len(wrong) == 1:
            return f"Only {listed} is wrong: the signal is right, the formula for {listed} is not"
        if wrong <= self.biases or not wrong & self.biases:
            kind = "biases" if wrong <= self.biases else "weights"
            return f"Only {kind} are wrong ({listed}): the signal is right, their formula is not"
        return f"Wrong are {listed}"


def _entries(report: Report) -> dict[str, np.ndarray | slice] | None:
    found: dict[str, np.ndarray | slice] = {}
    for name in report:
        tensor = report[name]
        entries = getattr(tensor, "entries", None)
        if entries is None and np.size(tensor.analytic) != np.prod(tensor.shape, dtype=int):
            return None
        found[name] = slice(None) if entries is None else entries
    return found


def _picked(
    arrays: Mapping[str, np.ndarray], entries: Mapping[str, np.ndarray | slice]
) -> dict[str, np.ndarray]:
    return {name: np.ravel(arrays[name])[entries[name]] for name in entries}


def _groups(names: list[str], net: Network | None) -> list[list[str]]:
    if net is not None:
        owned = (list(getattr(layer, "param_names", ())) for layer in net.layers)
        return [group for group in owned if group]
    groups: dict[str, list[str]] = {}  # W1 and b1 belong together, and so do conv1_W and conv1_b
    for name in names:
        number = re.search(r"\d+", name)
        groups.setdefault(number[0] if number else name, []).append(name)
    return list(groups.values())


def _numbers(names: list[str], net: Network | None) -> dict[str, int | None]:
    """Return the number of each tensor's layer, 1 for W1; None where the names do not tell."""
    if net is None:
        found = {name: re.search(r"\d+", name) for name in names}
        return {name: int(number[0]) if number else None for name, number in found.items()}
    numbers: dict[str, int | None] = {}
    count = 0
    for layer in net.layers:
        count += bool(getattr(layer, "weight_names", ()))
        numbers |= dict.fromkeys(getattr(layer, "param_names", ()), count)
    return numbers


def _biases(shapes: Mapping[str, tuple[int, ...]], net: Network | None) -> set[str]:
    if net is not None:
        return {name for name in shapes if name not in net.weight_names}
    return {name for name, shape in shapes.items() if len(shape) == 1}
