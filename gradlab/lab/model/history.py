"""What was set before, to go back to: a list of steps, as plain data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from gradlab.lab.model.settings import Settings

__all__ = ["History", "Moment"]

#: Changes of one setting that follow each other within so many seconds are one drag.
DRAG_SECONDS = 0.6
#: How many steps are kept.
MOST = 200


@dataclass(frozen=True)
class Moment:
    """What was set, and the mystery's round that was played then (None for none)."""

    settings: Settings
    round: Any = field(default=None, compare=False)


class History:
    """Steps that can be undone and redone; a drag is one step.

    Parameters
    ----------
    start : Moment
    """

    def __init__(self, start: Moment) -> None:
        self._moments, self._at = [start], 0
        self._dragged: tuple[str, ...] = ()  # what the last change was about, while it may go on
        self._held, self._time = False, 0.0

    @property
    def now(self) -> Moment:
        """What is set."""
        return self._moments[self._at]

    @property
    def can_undo(self) -> bool:
        """Whether there is a step back."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether a step that was undone can be made again."""
        return self._at < len(self._moments) - 1

    def record(
        self, moment: Moment, names: Collection[str], seconds: float, *, held: bool = False
    ) -> None:
        """Take note of a change; what had been undone can no longer be redone.

        Parameters
        ----------
        moment : Moment
            What is set now.
        names : collection of str
            The settings that were changed: of one alone, it may be a drag that goes on.
        seconds : float
            When: of any clock that goes forward.
        held : bool, optional
            Whether the setting's handle is held, so that the drag goes on however long it takes.
        """
        if moment.settings == self.now.settings:
            self._moments[self._at] = moment  # another round, at the most
            return
        about = tuple(names)
        quick = seconds - self._time < DRAG_SECONDS
        goes_on = len(about) == 1 and about == self._dragged and (quick or (held and self._held))
        if not goes_on:
            self._at += 1
        self._moments[self._at :] = [moment]
        if len(self._moments) > MOST + 1:
            del self._moments[0]
            self._at -= 1
        self._dragged, self._held, self._time = about, held, seconds

    def release(self) -> None:
        """End a drag: the next change is a step of its own."""
        self._dragged = ()

    def undo(self) -> Moment | None:
        """Go one step back and return what was set; None where there is none."""
        return self._move(-1) if self.can_undo else None

    def redo(self) -> Moment | None:
        """Go one step forward and return what was set; None where there is none."""
        return self._move(1) if self.can_redo else None

    def _move(self, by: int) -> Moment:
        self.release()
        self._at += by
        return self.now
