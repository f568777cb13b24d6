"""A search disturbs no other thread: it prints nothing, and waits, or does not begin."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType

ALONE = threading.RLock()  # held by who exchanges lines of a person's
STANDARD = f"{sysconfig.get_path('stdlib')}{os.sep}", "<frozen "
PACKAGES = "site-packages", "dist-packages"


def others_run() -> bool:
    """Tell whether another thread runs code that is none of Python's or of a package's.

    It could see a line that is exchanged, or write what is put back then. Threads of a notebook's
    server, which only wait, do neither.
    """
    frames = sys._current_frames()
    del frames[threading.get_ident()]
    timers = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
    codes = [getattr(timer.function, "__code__", None) for timer in timers]
    for frame in frames.values():
        codes += [one.f_code for one, _ in traceback.walk_stack(frame)]
    return any(map(_is_a_persons, codes))


def _is_a_persons(code: CodeType | None) -> bool:
    file = "" if code is None else code.co_filename
    return not file.startswith(STANDARD) and not any(name in file for name in PACKAGES)


class Sieve:
    """A stream that drops what one thread writes."""

    def __init__(self, stream: object, thread: int) -> None:
        self.stream, self._thread, self.is_open = stream, thread, False

    def write(self, text: str) -> int:
        """Write what another thread writes."""
        is_dropped = not self.is_open and threading.get_ident() == self._thread
        return len(text) if is_dropped else self.stream.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


@contextmanager
def silent() -> Iterator[None]:
    """Drop what this thread prints: a line that is tried a thousand times may print."""
    sys.stdout = sieve = Sieve(sys.stdout, threading.get_ident())
    try:
        yield
    finally:
        sieve.is_open = True  # somebody may have put another one over it meanwhile
        while isinstance(sys.stdout, Sieve) and sys.stdout.is_open:
            sys.stdout = sys.stdout.stream
