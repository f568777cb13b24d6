"""What a layer keeps for its backward, and another layer of the stack writes into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gradlab.checking.diagnosis import Diagnosis
from gradlab.checking.judge import BUG
from gradlab.checking.report import Report, TensorReport
from gradlab.checking.verdict import Judgement, Verdict
from gradlab.own.above import LINEAR
from gradlab.own.code import LayerCode
from gradlab.own.returned import gradients_of


@dataclass(frozen=True, eq=False)
class Overwritten:
    """What a layer's backward returns in the stack, where another one wrote into its cache.

    Attributes
    ----------
    grads : dict of str to ndarray
        Those that are others than by itself, for the same gradient from above.
    by : str
        Which layers write into their input.
    """

    grads: dict[str, np.ndarray]
    by: str

    def causes(self, alone: Report) -> list[Diagnosis]:
        """Return whose fault it is, as the one cause, if the layer is right by itself."""
        if alone.wrong:
            return []
        return [
            Diagnosis(
                f"what it keeps for its backward is overwritten by {self.by}, in place",
                None,
                None,
                "By itself it is right.",
                1.0,
            )
        ]

    def told(self, tensor: TensorReport) -> TensorReport:
        """Return a tensor that is right by itself, and another in the stack, as wrong."""
        known = tensor.directional or tensor.name in self.grads
        if not known or tensor.verdict != Verdict.CORRECT:
            return tensor
        if tensor.directional:
            bug, used = np.ones(tensor.analytic.shape, bool), tensor.analytic
            what = "its gradients are others in the stack than those"
        else:
            entries = slice(None) if tensor.entries is None else tensor.entries
            used = self.grads[tensor.name].ravel()[entries].reshape(tensor.analytic.shape)
            bug = _differs(used, tensor.analytic)
            what = f"{bug.sum()} of {bug.size} entries are others in the stack than those"
        if not bug.any():
            return tensor
        judgement = Judgement(
            Verdict.WRONG,
            f"{what} of this layer by itself, which are right: what it keeps for "
            f"backward is overwritten by {self.by}",
            f"let {self.by} work on a copy of its input",
        )
        marks = np.where(bug, BUG, tensor.marks)
        return replace(tensor, analytic=used, judgement=judgement, marks=marks)


def overwritten(codes: Mapping[str, LayerCode]) -> dict[str, Overwritten]:
    """Return whose cache is overwritten when a stack runs on the arrays themselves, as in use.

    Every backward gets from above what it got by itself: what differs then, a cache explains.

    Parameters
    ----------
    codes : mapping of str to LayerCode
        The layers by their names, from the input on.
    """
    runs, inputs, same, writing = [], [], [], []
    out = None
    for name, code in codes.items():
        handed = code._copies({})
        handed[0] = handed[0] if out is None else out
        before = np.array(handed[0])
        same.append(np.array_equal(before, code.inputs[code.names[0]]))  # else it is not repeatable
        returned = code._forward(handed)
        if before.tobytes() != np.asarray(handed[0]).tobytes():
            writing.append(name)
        out = returned[0] if code.calls.is_tuple else returned
        runs.append(returned)
        inputs.append(handed)
    if not writing:
        return {}
    found, names = {}, list(codes)
    for k, (name, code) in enumerate(codes.items()):
        above = [other for other in writing if names.index(other) > k]
        if not (above and same[k]):
            continue
        returned, handed = runs[k], inputs[k]
        answer = code._backward(code._arguments(returned, handed, [a.copy() for a in code.above]))
        grads = gradients_of(answer, code.inputs, code.floats)
        alone = code.at({}, code.above)[1]
        others = {k: np.array(g) for k, g in grads.items() if _differs(g, alone[k]).any()}
        if others:
            found[name] = Overwritten(others, " and ".join(above))
    return found


def _differs(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    size = np.maximum(np.abs(one), np.abs(other)).max(initial=0.0)
    return np.abs(one - other) > LINEAR[other.itemsize] * size
