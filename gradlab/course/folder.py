"""Where a learner's progress is kept, and a lock so that two notebooks do not lose entries."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

__all__ = ["data_folder", "locked"]


def data_folder() -> Path:
    """Return the folder for gradlab's own data; it may not exist yet.

    The variable GRADLAB_HOME comes first, then the platform's custom: APPDATA on Windows,
    ~/Library/Application Support on macOS, XDG_DATA_HOME or ~/.local/share elsewhere.

    Raises
    ------
    OSError
        The account has no home folder.
    """
    own = os.environ.get("GRADLAB_HOME")
    if own:
        return Path(own).absolute()
    try:
        home = Path.home()
    except RuntimeError as error:
        raise OSError(str(error)) from None
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "gradlab"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "gradlab"
    given = Path(os.environ.get("XDG_DATA_HOME", ""))
    # The XDG specification: a relative path there is to be ignored.
    return (given if given.is_absolute() else home / ".local" / "share") / "gradlab"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep every other thread and process that asks for the same lock waiting.

    The system lets go of the lock when the process ends, however it ends. Where a file system has
    no locks (some network folders), this goes on without: that is better than no progress at all.

    Parameters
    ----------
    path : Path
        A file for the lock alone; it is made if need be, and stays.

    Raises
    ------
    OSError
        The file cannot be made.
    """
    with path.open("a+b") as file:
        with suppress(OSError):
            _lock(file)
        try:
            yield
        finally:
            with suppress(OSError):
                _unlock(file)


def _lock(file: IO[bytes]) -> None:
    if fcntl is None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX)


def _unlock(file: IO[bytes]) -> None:
    if fcntl is None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_UN)
