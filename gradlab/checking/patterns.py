"""Patterns in a wrong gradient that point at a cause, from the numbers alone.

Each takes the clues and yields (cause, the bug's name or None, layer or None, evidence).
"""

from __future__ import annotations

import numpy as np

from gradlab.checking.clues import Clues
from gradlab.checking.factors import Found, common_factor


def equal_entries(clues: Clues) -> Found:
    """Find a bias whose entries are all the same."""
    for name in () if clues.sampled else clues.wrong:
        a, n = clues.analytic[name], clues.numerical[name]
        if len(clues.shapes[name]) != 1 or a.size < 2:
            continue
        scale = np.abs(n).max()
        if np.ptp(a) < 1e-9 * scale < np.ptp(n) and abs(a[0] - n.sum()) < 1e-4 * np.abs(n).sum():
            yield (
                "the bias's gradient is summed without an axis",
                "bias_summed_without_axis",
                clues.numbers[name],
                f"All {a.size} entries of {name} are {a[0]:.3g}, the sum of the right ones.",
            )


def never_computed(clues: Clues) -> Found:
    """Find tensors that are exactly 0."""
    zero = [name for name in clues.wrong if not clues.analytic[name].any()]
    if zero and len(zero) < len(clues.live):
        yield (
            "the gradient is 0 there: it is never computed, or reset after it was",
            None,
            None,
            f"All entries of {', '.join(zero)} are exactly 0, and their slopes are not.",
        )


def l2_off(clues: Clues) -> Found:
    """Find a deviation that is a multiple of the weights."""
    times = _along_params(clues)
    if times is None or set(clues.wrong) & clues.biases:
        return
    evidence = f"The analytic gradient less the numerical one is {times:.4g} times W"
    if not clues.l2:
        evidence += " in every weight, and the loss has no L2; the biases are right."
        yield "L2 is in the gradient and not in the loss", None, None, evidence
        return
    c = times / clues.l2
    evidence += f", {c:.4g} times λW, in every weight; the biases are right."
    n = clues.batch
    known = [
        (-1.0, "L2 is missing in the gradient", "missing_l2"),
        (1.0, "L2 is doubled in the gradient", "doubled_l2"),
        (-2.0, "L2's gradient is subtracted where it must be added", "negated_l2"),
    ]
    if n and n > 1:
        known.append((1 / n - 1, f"L2's gradient is divided by the batch size {n}", "l2_over_n"))
    named = [(cause, bug) for value, cause, bug in known if abs(c - value) < 1e-2 * abs(value)]
    for cause, bug in named or [(f"L2's gradient is {1 + c:.4g} times what it must be", None)]:
        yield cause, bug, None, evidence


def l2_on_biases(clues: Clues) -> Found:
    """Find biases that alone are wrong, by a multiple of themselves."""
    if set(clues.wrong) <= clues.biases and (times := _along_params(clues)) is not None:
        yield (
            "L2 treats the biases differently in the loss and in the gradient",
            "l2_on_biases",
            None,
            f"The analytic gradient less the numerical one is {times:.4g} times b in "
            f"{', '.join(clues.wrong)} (λ is {clues.l2:g}); the weights are right.",
        )


def _along_params(clues: Clues) -> float | None:
    """Return the multiple of the parameters that all wrong tensors deviate by, if there is one."""
    if clues.params is None:
        return None
    value = np.concatenate([clues.params[name] for name in clues.wrong])
    off = np.concatenate([clues.analytic[name] - clues.numerical[name] for name in clues.wrong])
    square = float(value @ value)
    times = float(off @ value) / square if square else 0.0
    return times if np.linalg.norm(off - times * value) < 1e-2 * np.linalg.norm(off) else None


def copied(clues: Clues) -> Found:
    """Find a tensor that holds another's gradient, of the same shape."""
    for name in () if clues.sampled else clues.wrong:
        for other, shape in clues.shapes.items():
            a, n = clues.analytic[name], clues.numerical[other]
            same = (
                other != name
                and shape == clues.shapes[name]
                and not clues.sampled
                and np.linalg.norm(n) > clues.floor
            )
            if same and np.linalg.norm(a - n) < 1e-4 * np.linalg.norm(n):
                yield (
                    f"the gradient of {name} is that of {other}",
                    "copied_bias_gradient" if name in clues.biases else None,
                    clues.numbers[name],
                    f"All entries of {name} are those of {other}.",
                )


def transposed(clues: Clues) -> Found:
    """Find a square matrix that is right but for being transposed."""
    for name in () if clues.sampled else clues.wrong:
        shape = clues.shapes[name]
        if len(shape) != 2 or shape[0] != shape[1]:
            continue
        a, n = clues.analytic[name].reshape(shape), clues.numerical[name].reshape(shape)
        if np.linalg.norm(a - n.T) < 1e-4 * np.linalg.norm(n):
            yield (
                f"the gradient of {name} is transposed: delta.T @ a where a.T @ delta belongs",
                None,
                clues.numbers[name],
                f"{name} equals the numerical gradient's transpose.",
            )


PATTERNS = (
    common_factor,
    equal_entries,
    copied,
    transposed,
    l2_off,
    l2_on_biases,
    never_computed,
)
