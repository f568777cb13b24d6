"""The names of the exercises that a learner has solved, kept in a small JSON file."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path

from gradlab.course.folder import data_folder, locked

__all__ = ["Store"]

FILE = "progress.json"
LOCK = "progress.lock"


class Store:
    """Solved exercises, on disk if the disk lets us, else in memory.

    Nothing here raises: a lesson goes on whatever happens to a file. What happened is said once,
    by `news`.
    """

    def __init__(self) -> None:
        self._unsaved: set[str] = set()
        self._news: list[str] = []
        self._complained = False
        self._lock = threading.Lock()

    def solved(self) -> set[str]:
        """Return the names of all solved exercises."""
        return self._merge(set())

    def add(self, name: str) -> None:
        """Remember that exercise `name` is solved; nothing another notebook wrote is lost."""
        self._merge({name})

    def news(self) -> list[str]:
        """Return what went wrong with the file since the last call, one sentence each."""
        news, self._news = self._news, []
        return news

    def _merge(self, names: set[str]) -> set[str]:
        """Add `names` to what the file holds, and return all of it."""
        with self._lock:
            self._unsaved |= names
            try:
                return self._merge_into(data_folder())
            except OSError as error:
                self._complain(error)
                return _read_without_lock() | self._unsaved

    def _merge_into(self, folder: Path) -> set[str]:
        if not self._unsaved and not (folder / FILE).exists():
            return set()  # nothing to keep: leave no folder behind
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / LOCK):
            kept = self._read(folder / FILE)
            if not self._unsaved <= kept:
                kept |= self._unsaved
                _write(folder / FILE, kept)
        self._unsaved = set()
        return kept

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            self._news.append(
                f"Your progress cannot be saved ({error.strerror or error}): it lasts until this "
                "kernel stops. The variable GRADLAB_HOME can name another folder."
            )

    def _read(self, path: Path) -> set[str]:
        """Return what the file holds; move it aside if it is not ours."""
        try:
            return _parse(path.read_bytes())
        except FileNotFoundError:
            return set()
        except ValueError:
            aside = _free_name(path)
            path.rename(aside)
            self._news.append(
                f"The file with your progress could not be read. It was kept as {aside}, and a "
                "new one begins."
            )
            return set()


def _read_without_lock() -> set[str]:
    try:
        return _parse((data_folder() / FILE).read_bytes())
    except (OSError, ValueError):
        return set()


def _parse(content: bytes) -> set[str]:
    """Return the names in the file's content; raises a ValueError if it is no progress file."""
    try:
        data = json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    names = data.get("solved") if isinstance(data, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("no list of names under 'solved'")
    return set(names)


def _write(path: Path, names: set[str]) -> None:
    """Replace the file in one step: whoever reads sees the old one or the new one, whole."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"solved": sorted(names)}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.unreadable-{number}.json")).exists():
        number += 1
    return aside
