"""When a lab ends: closing it whole, and closing the one that an earlier run of a cell made."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Protocol
from weakref import ref

import ipywidgets as widgets

__all__ = ["family", "replace_earlier"]


class _Closable(Protocol):
    def close(self) -> None: ...


# Cell to the run that made its labs, and those labs. ipywidgets keeps every widget alive until it
# is closed, so without this each run of a cell would leave a whole lab behind.
_by_cell: dict[str, tuple[str, list[ref[_Closable]]]] = {}


def family(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """Yield `widget`'s descendants, then it; each after its layout and its style."""
    for child in getattr(widget, "children", ()):
        yield from family(child)
    for part in (getattr(widget, "layout", None), getattr(widget, "style", None)):
        if part is not None:
            yield part
    yield widget


def replace_earlier(lab: _Closable) -> None:
    """Remember that the running cell made `lab`; close what an earlier run of it made.

    Does nothing where the front end does not name its cells.
    """
    running = _running_cell()
    if running is None:
        return
    cell, run = running
    earlier_run, labs = _by_cell.get(cell, (run, []))
    if earlier_run != run:
        for reference in labs:
            old = reference()
            if old is not None:
                old.close()
        labs = []
    _by_cell[cell] = (run, [*labs, ref(lab)])


def _running_cell() -> tuple[str, str] | None:
    """Return the running cell's id and the id of this run of it."""
    if "IPython" not in sys.modules:  # not in a notebook, and no reason to load it
        return None
    shell = sys.modules["IPython"].get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = parent.get("metadata", {}).get("cellId")
    run = parent.get("header", {}).get("msg_id")
    return (cell, run) if cell and run else None
