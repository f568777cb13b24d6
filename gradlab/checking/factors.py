"""One factor by which all wrong tensors are off: which one, where, and what it may come from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradlab.checking.clues import Clues

Found = Iterator[tuple[str, str | None, int | None, str]]


def common_factor(clues: Clues) -> Found:
    """Find one factor by which all wrong tensors are off."""
    names = [name for name in clues.wrong if name in clues.live]
    for part in ("", "data part"):  # L2's part of the gradient may be right beside a wrong rest
        factor = _factor(clues, names, part)
        if factor is None or (abs(factor) < 1e-12 and _noise_is_left(clues, names)):
            continue
        what = "every tensor" if clues.all_wrong else ", ".join(clues.wrong)
        what += " without its L2 part" if part else ""
        evidence = f"Analytic over numerical is {factor:.6g} in {what}, direction the same."
        yield from ((cause, bug, None, evidence) for cause, bug in _meaning(clues, factor))
        return


def _factor(clues: Clues, names: list[str], part: str) -> float | None:
    if part and not clues.l2:
        return None
    factors = []
    for name in names:
        off = clues.l2_part(name) if part else 0.0
        a, n = clues.analytic[name] - off, clues.numerical[name] - off
        factor = float(a @ n / (n @ n))
        if np.linalg.norm(a - factor * n) > 1e-4 * np.linalg.norm(n):
            return None
        factors.append(factor)
    if not factors or np.ptp(factors) > 1e-4 * np.abs(factors).max() + 1e-12:
        return None
    return float(np.mean(factors))


def _noise_is_left(clues: Clues, names: list[str]) -> bool:
    """Tell sums that cancel from zeros: only what was never computed is exactly 0."""
    return any(clues.analytic[name].any() for name in names)


def _meaning(clues: Clues, factor: float) -> list[tuple[str, str | None]]:
    """Return what a factor in all tensors, in one bias or in the lower layers may come from."""

    def is_(value: float | None) -> bool:
        return value is not None and abs(factor - value) < 1e-4 * abs(value)

    if abs(factor) < 1e-12:
        return [("the gradient is 0: it is never computed, or reset after it was", None)]
    table = _everywhere(clues, factor) if clues.all_wrong else _somewhere(clues, factor)
    found = [(cause, bug) for value, fits, cause, bug in table if fits and is_(value)]
    return found or [(_plain(factor), None)]


def _everywhere(clues: Clues, factor: float) -> list[tuple[float, bool, str, str]]:
    """Return (factor, is it possible, cause, bug) for factors that all tensors share."""
    n, k, loss = _batch(clues, factor), clues.outputs or 0, clues.loss_name
    return [
        (-1, True, "the sign is flipped: y - p where p - y belongs", "flipped_sign"),
        (
            2,
            True,
            "every tensor is exactly double: gradients were added to those of a call before, or a "
            "factor 2 is there twice",
            "accumulated_gradients",
        ),
        (
            1 / 2,
            loss in (None, "mse"),
            "every tensor is exactly half: a factor 2 is missing, usually the one from the square "
            "in the MSE",
            "missing_factor_2",
        ),
        (
            1 / max(k, 1),
            k > 1 and loss == "mse",
            f"the loss's derivative is divided by N·K, the loss by N; K is {k}",
            "mean_over_outputs",
        ),
        (n, n > 1, f"1/N is missing, that of the mean over a batch of {n}", "missing_1_over_n"),
        (
            1 / n,
            n > 1,
            f"1/N is there twice, that of the mean over a batch of {n}",
            "double_1_over_n",
        ),
    ]


def _somewhere(clues: Clues, factor: float) -> list[tuple[float, bool, str, str]]:
    """Return (factor, is it possible, cause, bug) for factors that only some tensors share."""
    n, keep = _batch(clues, factor), 1 - clues.dropout_rate
    one_bias = len(clues.wrong) == 1 and clues.wrong[0] in clues.biases
    return [
        (
            1 / n,
            one_bias and n > 1,
            f"the bias's gradient is a mean over a batch of {n} where a sum belongs",
            "bias_mean",
        ),
        (
            keep,
            keep < 1,
            "dropout's factor 1/keep is missing on the way back",
            "missing_dropout_scale",
        ),
    ]


def _batch(clues: Clues, factor: float) -> int:
    """Return the batch size; where it is not known, what the factor suggests; at least 1."""
    if clues.batch is not None:
        return clues.batch
    size = max(abs(factor), 1 / abs(factor))
    whole = abs(size - round(size)) < 1e-4 * size
    return round(size) if whole and size > 2.5 else 1


def _plain(factor: float) -> str:
    if abs(factor + 1) < 1e-4:
        return "the sign is flipped there"
    return f"a constant factor {1 / factor:.4g} is missing"
