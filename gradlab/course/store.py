"""Which exercises a learner has solved: one empty file for each, named after the exercise.

Making such a file is a single step, and two notebooks that do it at once cannot harm each other.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

__all__ = ["Store", "data_folder"]

SOLVED = "solved"
EARLIER = "progress.json"  # where gradlab 0.1 kept all names; it is read, and never written


class Store:
    """Solved exercises, on disk if the disk lets us, else in memory.

    Nothing here raises: a lesson goes on whatever happens to a file. What happened is said once,
    by `news`.
    """

    def __init__(self) -> None:
        self._unsaved: set[str] = set()
        self._news: list[str] = []
        self._said: set[str] = set()

    def solved(self) -> set[str]:
        """Return the names of all solved exercises."""
        kept: set[str] = set()
        try:
            folder = data_folder()
            kept = _names_in(folder / SOLVED) | self._earlier(folder / EARLIER)
            for name in tuple(self._unsaved):
                (folder / SOLVED).mkdir(parents=True, exist_ok=True)
                (folder / SOLVED / name).touch()
                kept.add(name)
                self._unsaved.discard(name)
        except OSError as error:
            self._complain(error)
        return kept | self._unsaved

    def add(self, name: str) -> None:
        """Remember that exercise `name` is solved."""
        self._unsaved.add(name)
        self.solved()

    def news(self) -> list[str]:
        """Return what went wrong with the files since the last call, one sentence each."""
        news, self._news = self._news, []
        return news

    def _complain(self, error: OSError) -> None:
        self._say(
            f"Your progress cannot be saved ({error.strerror or error}): it lasts until this "
            "kernel stops. The variable GRADLAB_HOME can name another folder."
        )

    def _earlier(self, path: Path) -> set[str]:
        """Return what the file of gradlab 0.1 holds; move it aside if it cannot be understood."""
        try:
            return _parse(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return set()
        except OSError as error:
            kept = f"{path} ({error.strerror})"
        except ValueError:
            kept = self._aside(path)
        self._say(f"The file with your earlier progress could not be read. It was kept as {kept}.")
        return set()

    def _aside(self, path: Path) -> str:
        try:
            return str(path.rename(_free_name(path)))
        except OSError as error:
            return f"{path} ({error.strerror})"

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._news.append(sentence)


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


def _names_in(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
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


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.unreadable-{number}.json")).exists():
        number += 1
    return aside
