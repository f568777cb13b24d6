"""Writing the page: the file is there whole, or as it was before."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gradlab._files import replacing
from gradlab._validate import in_short
from gradlab.checking.saved.document import document

if TYPE_CHECKING:
    from gradlab.checking.report import Report
    from gradlab.checking.sweeps import EpsSweep

SUFFIXES = (".html", ".htm")


def save_report(report: Report, path: str | os.PathLike, sweep: EpsSweep | None = None) -> Path:
    """Write `report` to `path`; `Report.save` says more."""
    target = where_to_save(path)
    _check_sweep(sweep, list(report.tensors))
    # a lone surrogate, which no UTF-8 can hold, may stand in a name
    written = document(report, sweep).encode("utf-8", "xmlcharrefreplace")
    try:
        with replacing(target) as beside:
            beside.write_bytes(written)
            if target.exists():
                shutil.copymode(target, beside)
    except OSError as error:  # of the file that the caller knows
        if not error.errno:
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error
    return target


def where_to_save(path: object) -> Path:
    """Return `path` as an absolute one that a page can be written to, or raise.

    Raises
    ------
    TypeError
        It is no path.
    ValueError
        It does not end in .html.
    OSError
        It is a folder, or its parent is none.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise TypeError(f'path must be a path such as "report.html", got {in_short(path)}')
    given = Path(path)
    if given.is_dir():
        raise IsADirectoryError(
            f'path must be a file such as "report.html", got the folder {given}'
        )
    if given.suffix.lower() not in SUFFIXES:
        raise ValueError(f"path must end in .html, got {str(given)!r}")
    target = Path(os.path.realpath(given))  # a link stays a link: what it leads to is written
    if not target.parent.is_dir():
        what = "is a file" if target.parent.exists() else "does not exist"
        raise FileNotFoundError(
            f"path must lie in a folder, got {str(given)!r}: {target.parent} {what}"
        )
    return target


def _check_sweep(sweep: object, names: list[str]) -> None:
    from gradlab.checking.sweeps import EpsSweep  # which imports reports

    if sweep is None:
        return
    if not isinstance(sweep, EpsSweep):
        raise TypeError(f"sweep must be what gl.sweep_eps returns, got {type(sweep).__name__}")
    if list(sweep.errors) != names:
        raise ValueError(
            f"sweep must be of the report's tensors {names}, got one of {list(sweep.errors)}"
        )
