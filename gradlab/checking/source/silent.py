"""Nothing is printed by one thread, while the others print as before."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Sieve:
    """A stream that drops what one thread writes."""

    def __init__(self, stream: object, thread: int) -> None:
        self._stream, self._thread = stream, thread

    def write(self, text: str) -> int:
        """Write what another thread writes."""
        is_dropped = threading.get_ident() == self._thread
        return len(text) if is_dropped else self._stream.write(text)

    def open(self) -> None:
        """Let everything through from now on."""
        self._thread = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextmanager
def silent() -> Iterator[None]:
    """Drop what this thread prints: a line that is tried a thousand times may print."""
    before = sys.stdout
    sys.stdout = sieve = Sieve(before, threading.get_ident())
    try:
        yield
    finally:
        sieve.open()  # somebody may have put another one over it meanwhile
        if sys.stdout is sieve:
            sys.stdout = before
