"""Groups of controls, one open at a time where there is no room for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from gradlab.lab.controls import locked

__all__ = ["Groups"]


class Groups(widgets.VBox):
    """A row of buttons, and below it the group of controls that was chosen.

    Parameters
    ----------
    groups : mapping of str to sequence of Widget
        The controls of each group, by its title.
    beside : sequence of Widget
        What stands at the right end of the row of buttons.

    Attributes
    ----------
    chooser : ToggleButtons
        Its value is the title of the open group.
    """

    def __init__(
        self, groups: Mapping[str, Sequence[widgets.Widget]], beside: Sequence[widgets.Widget]
    ) -> None:
        self.chooser = locked.ToggleButtons(
            options=list(groups), description="controls",
            tooltips=[f"{title} controls" for title in groups],
            style={"button_width": "auto", "description_width": "0px"},
        )  # fmt: skip
        self.chooser.add_class("gradlab-chooser")
        self._boxes = {title: _box(title, controls) for title, controls in groups.items()}
        row = widgets.HBox(
            [self.chooser, *beside],
            layout=widgets.Layout(
                justify_content="space-between", align_items="center", flex_flow="row wrap"
            ),
        )
        super().__init__([row, *self._boxes.values()])
        self.layout.display = "" if groups else "none"
        self.chooser.observe(self._show, "value")
        self._show(None)

    def unfold(self, title: str) -> None:
        """Open a group, where there is one of that title."""
        if title in self._boxes:
            self.chooser.value = title

    def _show(self, change: Any) -> None:
        for title, box in self._boxes.items():
            # a class, not `display`: on a wide screen the style sheet shows all of them
            (box.remove_class if title == self.chooser.value else box.add_class)("gradlab-folded")


def _box(title: str, controls: Sequence[widgets.Widget]) -> widgets.VBox:
    heading = widgets.HTML(f'<div class="gradlab-heading">{title}</div>')
    inside = widgets.HBox(list(controls), layout=widgets.Layout(flex_flow="row wrap"))
    box = widgets.VBox([heading, inside], layout=widgets.Layout(overflow="hidden"))
    box.add_class("gradlab-group")
    return box
