"""The lab's panels as one: what to send for a result, and the picture that a notebook stores."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gradlab.lab.board.packing import pack_chart, pack_ghost, pack_ink
from gradlab.lab.board.panels import PANELS, Panel
from gradlab.lab.model.result import Result
from gradlab.lab.text.banner import cost_line, said
from gradlab.plots.chart import Chart, Mark
from gradlab.plots.palette import Palette

__all__ = ["Frame", "Scene"]

_COLUMNS = 3  # of the stored picture
_LEADING = 3  # panels, the first in view, that every frame of a drag has; the others take turns:
_TURNS = 3  # in so many frames each of them is shown once, and many cost little more than a few


@dataclass(frozen=True, eq=False)
class Frame:
    """What the browser has to be told of one result.

    Attributes
    ----------
    charts : dict of str to dict
        What is new of the charts, by panel; of a panel with nothing to show {"says": why}.
    ink : dict
        "marks", what moves by panel, with its numbers, "bytes"; "shows", which step and
        weight scale; "sharp", whether the lab is at rest and all is shown. A panel that is left
        out keeps what it shows.
    told : dict or None
        The same in words; None in a frame that is not sharp: nobody reads then.
    """

    charts: dict[str, dict[str, Any]]
    ink: dict[str, Any]
    told: dict[str, Any] | None

    @property
    def is_last(self) -> bool:
        """Whether all is shown that there is to show of the result."""
        return self.ink["sharp"]


class Scene:
    """The panels that are shown, and what the browser knows of each.

    Parameters
    ----------
    visible : sequence of str
        Names of the panels that are shown; the others cost nothing.
    """

    def __init__(self, visible: Sequence[str]) -> None:
        self.visible = tuple(visible)
        self.panels: dict[str, Panel] = {panel.name: panel() for panel in PANELS}
        self._sent: dict[str, tuple[Hashable, Chart | None]] = {}
        self._settled: dict[str, Result] = {}  # dear panels: what they show
        self._pinned: Result | None = None
        self._turn = 0

    def frame(
        self,
        result: Result,
        at_rest: bool = True,
        in_view: Collection[str] | None = None,
        patience: float = math.inf,
    ) -> Frame:
        """Return what is new: charts whose key changed, and all that moves.

        While something moves, panels that are computed at rest alone are left out, those that are
        not `in_view`, if that is known, and all but the first few have a third of the frames. At
        rest no dear panel is begun once one has taken more than `patience` seconds: the next frame
        has it, and a hand that moves again need not wait.
        """
        start, patient, sharp = time.perf_counter(), True, at_rest
        charts: dict[str, dict[str, Any]] = {}
        marks: dict[str, Sequence[Mark]] = {}
        on: dict[str, Chart] = {}
        for name in self.visible if at_rest else self._now(in_view):
            panel = self.panels[name]
            dear = panel.at_rest and self._settled.get(name) is not result
            if dear and not patient:
                sharp = False
                continue
            chart, new = self._chart(panel, result)
            if new:
                charts[name] = pack_chart(chart) if chart else {"says": panel.fits(result)}
            if chart:
                marks[name], on[name] = panel.moving(result), chart
            if dear:
                self._settled[name] = result
                patient = time.perf_counter() - start < patience
        packed, numbers = pack_ink(marks, on)
        settings = result.settings
        shows = f"eps = {settings.eps!r} weight_scale = {settings.weight_scale!r}"
        ink = {"marks": packed, "bytes": numbers, "shows": shows, "sharp": sharp}
        return Frame(charts, ink, self._told(result) if sharp else None)

    def _now(self, in_view: Collection[str] | None) -> list[str]:
        """Return the panels that the next frame of a drag has."""
        seen = [
            name
            for name in self.visible
            if not self.panels[name].at_rest and (in_view is None or name in in_view)
        ]
        others = seen[_LEADING:]
        turns = min(len(others), _TURNS) or 1
        self._turn += 1
        return seen[:_LEADING] + others[self._turn % turns :: turns]

    def _chart(self, panel: Panel, result: Result) -> tuple[Chart | None, bool]:
        """Return the panel's chart, None where it has nothing to show; and whether it is new."""
        why = panel.fits(result)
        key = ("says", why) if why else ("shows", panel.key(result))
        known = self._sent.get(panel.name)
        if known and known[0] == key:
            return known[1], False
        chart = None if why else panel.still(result)
        self._sent[panel.name] = (key, chart)
        return chart, True

    def _told(self, result: Result) -> dict[str, Any]:
        """Return the same in words: each panel's, what it cost, and what it comes to."""
        return {
            "alt": {name: self._alt(self.panels[name], result) for name in self.visible},
            "cost": cost_line(result),
            "said": said(result),
        }

    def _alt(self, panel: Panel, result: Result) -> str:
        why = panel.fits(result)
        return f"{panel.title}: {why}" if why else panel.alt(result)

    def pin(self, result: Result | None) -> None:
        """Keep `result`, to be seen behind what comes; None lets go of it."""
        self._pinned = result

    def ghost(self) -> dict[str, Any]:
        """Return the visible panels of the result that is pinned, pale to be; {} without one."""
        if self._pinned is None:
            return {}
        return pack_ghost({panel.name: both for panel, *both in self._drawn(self._pinned)})

    def picture(self, result: Result, palette: Palette, kind: str = "png") -> bytes:
        """Return the visible panels as one picture, a file's bytes; `kind` is "png" or "svg".

        A PNG has two of its pixels for one of the page's.
        """
        from gradlab.plots.figure import figure_of  # matplotlib: only where something is stored

        drawn = list(self._drawn(result))
        widths = [panel.width for panel, *_ in drawn]
        pictures = [(chart, moving) for _, chart, moving in drawn]
        file = io.BytesIO()
        figure_of(pictures, palette, _COLUMNS, scale=2.0, widths=widths).savefig(file, format=kind)
        return file.getvalue()

    def _drawn(self, result: Result) -> Iterator[tuple[Panel, Chart, Sequence[Mark]]]:
        for name in self.visible:
            panel = self.panels[name]
            if not panel.fits(result):
                yield panel, panel.still(result), panel.moving(result)
