"""Where the lessons are, and a copy of them for a learner, who never loses what was changed."""

from __future__ import annotations

import os
import shutil
from filecmp import cmp
from pathlib import Path

from gradlab._files import replacing

FIRST = "00_start_here.ipynb"


def lessons_of(package: Path | None = None) -> tuple[Path | None, bool]:
    """Return the folder of the lessons, and whether it came in the wheel, inside the package.

    None where there is none. `package` is the folder of the package, by default of this one.
    """
    package = package or Path(__file__).resolve().parent
    inside, beside = package / "lessons", package.parent / "lessons"
    if (inside / FIRST).is_file():
        return inside, True
    # beside an installed package, in site-packages, a folder "lessons" would be somebody else's
    checkout = (package.parent / "pyproject.toml").is_file() and (beside / FIRST).is_file()
    return (beside, False) if checkout else (None, False)


def copy_lessons(lessons: Path, folder: Path) -> tuple[int, int, list[str]]:
    """Copy what is not there yet; whatever is there stays as it is.

    Parameters
    ----------
    lessons, folder : Path
        From where, and to where; made if need be.

    Returns
    -------
    (int, int, list of str)
        How many files were copied, how many were there and are the same, and which are there and
        differ.

    Raises
    ------
    OSError
        `folder` is a file, or cannot be written to.
    """
    copied, same, changed = 0, 0, []
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(lessons.rglob("*")):
        name = path.relative_to(lessons)
        if path.is_dir() or any(part.startswith(".") for part in name.parts):  # checkpoints
            continue
        target = folder / name
        if os.path.lexists(target):
            if target.is_file() and cmp(path, target, shallow=False):
                same += 1
            else:
                changed.append(name.as_posix())
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as beside:  # half of one would be kept for good
            shutil.copyfile(path, beside)
        copied += 1
    return copied, same, changed
