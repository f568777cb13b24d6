"""A wrong gradient that lines are to reproduce, and how closely an edit must reproduce it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from gradlab.bugs.lines.program import Program

Arrays = Mapping[str, np.ndarray]
EXACT = {"float64": 1e-9, "float32": 3e-5}  # of a tensor's norm: what round-off may leave
DIGITS = 8
SHARE = 1e-4  # of the deviation: more than this an edit that explains it never leaves


class WrongGradient:
    """A wrong gradient beside the numerical one: the target of whoever edits right lines.

    Parameters
    ----------
    analytic, numerical : mapping of str to ndarray
        Raveled or in the parameters' shapes; only the sampled entries, where `entries` has them.
    bounds : mapping of str to ndarray or float
        How far off each entry may be for all that is known.
    entries : mapping of str to ndarray of int, or None
    is_float32 : bool
    """

    def __init__(
        self,
        analytic: Arrays,
        numerical: Arrays,
        bounds: Mapping[str, np.ndarray | float],
        entries: Arrays | None,
        is_float32: bool,
    ) -> None:
        self.value = {k: np.asarray(v, float).ravel() for k, v in analytic.items()}
        self.numerical = {k: np.asarray(v, float).ravel() for k, v in numerical.items()}
        self.bound = {
            k: np.broadcast_to(np.ravel(bounds[k]), v.shape) for k, v in self.value.items()
        }
        for name, bound in self.bound.items():  # of an entry at a kink nothing may be known
            known = np.isfinite(bound)
            self.bound[name] = np.where(known, bound, bound[known].max(initial=0))
        self.entries = entries
        self.exact = EXACT["float32" if is_float32 else "float64"]
        self.size = {k: float(np.linalg.norm(v)) for k, v in self.value.items()}
        self.floor = 1e-13 * np.sqrt(sum(s**2 for s in self.size.values()))

    def of(self, name: str, value: np.ndarray) -> np.ndarray:
        """Return the entries of a tensor that were checked."""
        flat = np.ravel(value)
        return flat if self.entries is None else flat[self.entries[name]]

    def knows(self, program: Program) -> bool:
        """Tell whether the right lines give the numerical gradient: else they are another's.

        A kink can put single entries off, so most of them decide.
        """
        for name, right in program.gradient.items():
            far = np.abs(self.of(name, right) - self.numerical[name])
            size = np.abs(self.numerical[name]).max(initial=0)
            if np.mean(far <= 10 * self.bound[name] + 1e-3 * size + self.floor) < 0.9:
                return False
        return True

    def measure(self, program: Program) -> None:
        """Set what is wrong beside what `program` computes, and how close is close."""
        right = {k: self.of(k, v) for k, v in program.gradient.items()}
        self.off = {k: float(np.linalg.norm(v - right[k])) for k, v in self.value.items()}
        self.limit = {}
        for k in self.value:
            rounding = self.exact * (self.size[k] + np.linalg.norm(right[k])) + self.floor
            self.limit[k] = float(max(rounding, np.linalg.norm(self.bound[k])))
        self.wrong = {k for k, off in self.off.items() if off > self.limit[k]}
        for k in self.wrong:
            self.limit[k] = max(min(self.limit[k], SHARE * self.off[k]), self.floor)

    def fits(self, name: str, value: np.ndarray) -> bool:
        """Tell whether `value` is the wrong tensor as closely as can be told."""
        # nan is no fit
        return bool(np.linalg.norm(self.of(name, value) - self.value[name]) <= self.limit[name])

    def fit_all(self, gradient: Arrays) -> bool:
        """Tell whether every tensor of a gradient fits."""
        return all(self.fits(name, value) for name, value in gradient.items())

    def residual(self, gradient: Arrays, names: Collection[str] | None = None) -> float:
        """Return what a gradient leaves of the deviation in the worst of the wrong tensors."""
        return max(
            float(np.linalg.norm(self.of(k, gradient[k]) - self.value[k]) / self.off[k])
            for k in (self.wrong if names is None else names)
        )

    def is_proof(self) -> bool:
        """Tell whether an edit that fits cannot do so by chance.

        Of ten thousand edits one may hit a single number to four digits: the digits of all wrong
        entries together must be many more.
        """
        digits = sum(self.value[k].size * np.log10(self.off[k] / self.limit[k]) for k in self.wrong)
        return bool(digits >= DIGITS)

    def factor(self, name: str, direction: np.ndarray, start: np.ndarray | float = 0.0) -> float:
        """Return S of the best fit start + S * direction."""
        direction = self.of(name, direction)
        start = self.of(name, start) if isinstance(start, np.ndarray) else start
        square = float(direction @ direction)
        return float(direction @ (self.value[name] - start)) / square if square else 0.0
