"""Other inputs with a loss's true slopes: what a gradient that is right must have there, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

STEP = 1e-5  # of the directions, whose entries are about 1
AGREES = 1e-6  # of a gradient's norm
ROUNDING = 1e-14  # of what is summed up to the loss

Slope = tuple[str, np.ndarray, float, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class Elsewhere:
    """Slopes along some directions; who inherits says where.

    Attributes
    ----------
    slopes : list of (str, ndarray, float, float)
        The input that is moved, the direction, the slope along it and how far that may be off.
    is_larger : bool
        Some sizes are others than those of what was handed over.
    """

    slopes: list[Slope]
    is_larger: bool = False

    def agrees(self, grads: Mapping[str, np.ndarray]) -> bool:
        """Tell whether a gradient has these slopes."""
        return all(
            abs(float(np.sum(np.ravel(grads[name]) * np.ravel(along))) - slope)
            <= AGREES * np.linalg.norm(grads[name]) + noise
            for name, along, slope, noise in self.slopes
        )


def slope_of(name: str, along: np.ndarray, up: float, down: float, size: float) -> Slope:
    """Return the slope between the losses a `STEP` to either side; their terms add up to `size`."""
    return name, along, float((up - down) / (2 * STEP)), float(ROUNDING * size / STEP)
