"""Call something once a slider has come to rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from weakref import WeakMethod

__all__ = ["AtRest"]


class AtRest:
    """Calls a method when nothing was touched for a while, on the event loop of the last touch.

    Widget callbacks come on any thread, each with a loop of its own; under plain Python there is
    none. Only a loop is used, never a timer thread: nothing can fire while the interpreter exits.

    Parameters
    ----------
    method : bound method, () -> None
        Held weakly: a pending call keeps nothing alive.
    seconds : float
    """

    def __init__(self, method: Callable[[], None], seconds: float) -> None:
        self._method = WeakMethod(method)
        self._seconds = seconds
        self._due = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None  # where a call is pending

    def touch(self, seconds: float | None = None) -> bool:
        """Start waiting anew, so long or as ever. Returns False if there is no loop to wait on."""
        seconds = self._seconds if seconds is None else seconds
        self._due = time.monotonic() + seconds
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(seconds, self._wake, loop)
        return True

    def cancel(self) -> None:
        """Let a pending call come to nothing."""
        self._loop = None

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:  # cancelled, or the touches have moved to another thread
            return
        left = self._due - time.monotonic()
        if left > 0:
            loop.call_later(left, self._wake, loop)
            return
        self._loop = None
        method = self._method()
        if method is not None:
            method()
