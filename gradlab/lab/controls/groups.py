"""Groups of controls, one open at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from gradlab.lab.controls import locked

__all__ = ["Groups"]


class Groups(widgets.VBox):
    """A row of buttons, and below it the group of controls that was chosen.

    A group that is alone has no button: it stands in that row itself.

    Parameters
    ----------
    groups : mapping of str to sequence of Widget
        The controls of each group, by its title.
    toolbar : Widget
        What stands at the right end of the row of buttons.
    between : sequence of Widget
        What stands between the row of buttons and the open group.

    Attributes
    ----------
    chooser : ToggleButtons
        Its value is the title of the open group.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[widgets.Widget]],
        toolbar: widgets.Widget,
        between: Sequence[widgets.Widget] = (),
    ) -> None:
        self.chooser = locked.ToggleButtons(
            options=list(groups),
            description="controls",
            tooltips=[f"{title} controls" for title in groups],
            style={"button_width": "auto", "description_width": "0px"},
        )
        self.chooser.add_class("gradlab-chooser")
        self._boxes = {title: _box(controls) for title, controls in groups.items()}
        boxes = list(self._boxes.values())
        row = widgets.HBox([*(boxes if len(boxes) < 2 else [self.chooser]), toolbar])
        row.add_class("gradlab-row")
        super().__init__([row, *between, *(boxes if len(boxes) > 1 else [])])
        self.chooser.observe(self._show, "value")
        self._show(None)

    def unfold(self, title: str) -> None:
        """Open a group, where there is one of that title."""
        if title in self._boxes:
            self.chooser.value = title

    def _show(self, change: Any) -> None:
        for title, box in self._boxes.items():
            box.layout.display = "" if title == self.chooser.value else "none"


def _box(controls: Sequence[widgets.Widget]) -> widgets.HBox:
    box = widgets.HBox(list(controls))
    box.add_class("gradlab-group")
    box.add_class("gradlab-flow")
    return box
