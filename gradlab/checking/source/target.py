"""The right gradient, as far as a check knows it, and how an edit is compared with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gradlab.checking.source.elsewhere import Elsewhere
from gradlab.checking.source.functions import Code, Function

Arrays = Mapping[str, np.ndarray]
MOST_LEFT = 0.03  # of the deviation that came


class Target:
    """The right gradient beside the one that came.

    Parameters
    ----------
    numerical, analytic, tolerance : dict of str to ndarray
        Raveled, checked entries only; `tolerance` is not finite where nothing is known.
    entries : dict of str to ndarray of int, or None for all
    """

    def __init__(
        self,
        numerical: Arrays,
        analytic: Arrays,
        tolerance: Arrays,
        entries: Mapping[str, np.ndarray | None],
    ) -> None:
        self.entries = entries
        self.known = {k: np.isfinite(t) & np.isfinite(numerical[k]) for k, t in tolerance.items()}
        self.right, self.given, self.tolerance = (
            np.concatenate([np.ravel(v[k])[known].astype(float) for k, known in self.known.items()])
            for v in (numerical, analytic, tolerance)
        )
        sizes = [
            np.full(known.sum(), np.abs(numerical[k][known]).max(initial=0.0) or 1.0)
            for k, known in self.known.items()
        ]
        self.weight = 1 / np.concatenate(sizes)
        self.off = float(np.linalg.norm(self.weight * (self.given - self.right)))

    def vector(self, grads: Arrays) -> np.ndarray:
        """Return what is known of a gradient as one vector (m,)."""
        parts = []
        for name, known in self.known.items():
            flat, entries = np.ravel(grads[name]).astype(float), self.entries[name]
            parts.append((flat if entries is None else flat[entries])[known])
        return np.concatenate(parts)

    def fits(self, vector: np.ndarray) -> bool:
        """Tell whether a gradient is right to the resolution, and far more so than what came."""
        if vector.shape != self.right.shape:
            return False
        far = np.abs(vector - self.right)
        return bool((far <= self.tolerance).all() and self.left(vector) <= MOST_LEFT)

    def left(self, vector: np.ndarray) -> float:
        """Return what a gradient leaves of the deviation, relative."""
        return float(np.linalg.norm(self.weight * (vector - self.right)) / (self.off or 1.0))

    def factor(self, start: np.ndarray, step: np.ndarray) -> float | None:
        """Return c so that start + c * step is right, if there is one but 0."""
        along, missing = self.weight * step, self.weight * (self.right - start)
        square = float(along @ along)
        c = float(along @ missing) / square if square > 0 else 0.0
        return c if c and np.isfinite(c) and self.fits(start + c * step) else None


@dataclass(frozen=True, eq=False)
class Trial:
    """What a search tries its edits on.

    Attributes
    ----------
    codes : sequence of Code
        Of the functions that may be wrong, the likeliest first.
    run : callable, (number of the code, what `Code.edited` gave, place) -> dict of str to ndarray
        The gradient at a place, None for that of the target; raises where anything else changes.
    target : Target
    places : callable, () -> list of Elsewhere
    constants : list of float
        Numbers that stand in the forward pass.
    handed : sequence
        What the codes are handed, besides arrays.
    keeps : callable, Function -> bool
        Whether the loss, which is right, is as before with a function as its tree stands: it may
        call that too.
    """

    codes: Sequence[Code]
    run: Callable[[int, object, Elsewhere | None], Arrays]
    target: Target
    places: Callable[[], list[Elsewhere]]
    constants: list[float] = field(default_factory=list)
    handed: Sequence[object] = ()
    keeps: Callable[[Function], bool] = lambda function: True
