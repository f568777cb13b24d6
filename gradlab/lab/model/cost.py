"""What a check cost."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cost"]


@dataclass(frozen=True)
class Cost:
    """What a check cost, measured; differs from run to run and between machines.

    Attributes
    ----------
    evaluations : int
        How often the loss was evaluated.
    milliseconds : float
        Wall-clock time of the check.
    backprops : int
        How many backward passes that time is, rounded to two digits, 1 at least.
    """

    evaluations: int
    milliseconds: float
    backprops: int

    @classmethod
    def measured(cls, evaluations: int, seconds: float, backprop_seconds: float) -> Cost:
        """Return the cost of a check that took `seconds`, where a backprop takes that long."""
        times = seconds / max(backprop_seconds, 1e-9)
        return cls(evaluations, 1e3 * seconds, max(1, int(float(f"{times:.2g}"))))
