"""What a check found for one tensor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.checking.errors import cosine, entry_errors, ratio, raw_norm_ratio, tensor_error
from gradlab.checking.verdict import Judgement, Verdict

SIGNS = {Verdict.CORRECT: "✓", Verdict.WRONG: "✗", Verdict.INCONCLUSIVE: "?"}


@dataclass(frozen=True, eq=False)
class TensorReport:
    """The check of one tensor.

    Attributes
    ----------
    name : str
    analytic, numerical : ndarray, shape of the tensor
        In units of loss per unit of the parameter.
    measure : str
        What `error` and `errors` are measured in.
    judgement : Judgement
    kinks : ndarray of int, shape of the tensor
        How many kinks the perturbation of each entry crossed: at the given eps. Where the checker
        chose its steps, at the shortest of them, which is 1e-9 in float64: longer ones that cross a
        kink are left out of the verdict and not counted here. `gl.check_function` cannot count
        kinks: 1 where the slopes left and right of the entry say that there is one, else 0.
    marks : ndarray of str or None
        For each entry "ok", "bug", "kink", "noise" or "open", where steps were chosen freely.
    full_shape : tuple of int or None
        Shape of the tensor, where only a sample of its entries was checked; the arrays above are
        then vectors.
    entries : ndarray of int or None
        Which entries of the raveled tensor the sample holds.
    """

    name: str
    analytic: np.ndarray
    numerical: np.ndarray
    measure: str
    judgement: Judgement
    kinks: np.ndarray
    marks: np.ndarray | None = None
    full_shape: tuple[int, ...] | None = None
    entries: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.analytic.shape if self.full_shape is None else self.full_shape

    @property
    def coverage(self) -> str:
        """How many of its entries were checked."""
        total = int(np.prod(self.shape))
        return f"{self.analytic.size} of {total} entries"

    @property
    def verdict(self) -> Verdict:
        """One of "correct", "wrong", "inconclusive"."""
        return self.judgement.verdict

    @property
    def why(self) -> str:
        """The reason for the verdict, one sentence."""
        return self.judgement.why

    @property
    def crossed_kinks(self) -> int:
        """How many kinks the perturbations of this tensor crossed: the sum of `kinks`."""
        return int(self.kinks.sum())

    @cached_property
    def errors(self) -> np.ndarray:
        """Relative error of each entry; for the norm ratio, the max-relative one."""
        return entry_errors(self.analytic, self.numerical, self.measure)

    @cached_property
    def error(self) -> float:
        """The tensor's one number in the chosen measure: its largest entry's, or the norm ratio."""
        return float(tensor_error(self.analytic.ravel(), self.numerical.ravel(), self.measure))

    @property
    def relative_error(self) -> float:
        """Largest |a - n| / max(|a|, |n|) over the entries, whatever the chosen measure."""
        return float(entry_errors(self.analytic, self.numerical).max())

    @property
    def norm_ratio(self) -> float:
        """‖a - n‖ / (‖a‖ + ‖n‖)."""
        return float(raw_norm_ratio(self.analytic.ravel(), self.numerical.ravel()))

    @property
    def ratio(self) -> float:
        """<a, n> / <n, n>: the factor by which the analytic gradient is off, if it is a factor."""
        return ratio(self.analytic.ravel(), self.numerical.ravel())

    @property
    def cosine(self) -> float:
        """The cosine of the angle between the two: 1 same direction, -1 flipped sign."""
        return cosine(self.analytic.ravel(), self.numerical.ravel())

    def row(self) -> tuple[str, ...]:
        """Return the cells of this tensor's line in the table."""
        return (
            self.name,
            str(self.shape).replace(" ", ""),
            f"{self.relative_error:.1e}",
            f"{self.norm_ratio:.1e}",
            f"{self.ratio:.3g}",
            f"{self.cosine:.3g}",
            f"{SIGNS[self.verdict]} {self.verdict}",
        )
