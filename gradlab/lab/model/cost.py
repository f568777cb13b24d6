"""What a check cost."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cost"]


@dataclass(frozen=True)
class Cost:
    """What a check cost.

    Attributes
    ----------
    evaluations : int
        How often the loss was evaluated.
    milliseconds : float
        Wall-clock time of the check; differs from run to run and between machines.
    """

    evaluations: int
    milliseconds: float
