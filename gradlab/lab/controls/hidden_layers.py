"""The control for the hidden layers: how many, and a width for each."""

from __future__ import annotations

import ipywidgets as widgets
import traitlets

from gradlab.lab.controls import locked
from gradlab.lab.model.settings import MOST_LAYERS, MOST_UNITS

__all__ = ["HiddenLayers"]


class HiddenLayers(widgets.VBox):
    """A slider for the number of layers above a box for the width of each.

    The boxes of layers that are not there stay in their place, switched off, and keep their
    widths for when they come back.

    Attributes
    ----------
    value : tuple of int
        Units of each hidden layer.
    """

    value = traitlets.Tuple()

    def __init__(self, tooltip: str) -> None:
        self.count = locked.IntSlider(
            min=0, max=MOST_LAYERS, description="hidden layers",
            tooltip=f"hidden layers: {tooltip}", style={"description_width": "95px"},
            layout=widgets.Layout(width="auto", margin="1px 2px"),
        )  # fmt: skip
        self.widths = [
            locked.BoundedIntText(
                value=16, min=1, max=MOST_UNITS, description=f"h{i}",
                tooltip=f"units in hidden layer {i}, 1 to {MOST_UNITS}",
                style={"description_width": "18px"},
                layout=widgets.Layout(width="66px", margin="0 1px", min_width="40px"),
            )
            for i in range(1, MOST_LAYERS + 1)
        ]  # fmt: skip
        row = widgets.HBox(self.widths, layout=widgets.Layout(justify_content="space-between"))
        super().__init__([self.count, row])
        self._showing = False
        self.observe(self._show, "value")
        for widget in (self.count, *self.widths):
            widget.observe(self._read, "value")
        self._enable()

    def _read(self, change: object) -> None:
        if not self._showing:
            self._enable()
            self.value = tuple(box.value for box in self.widths[: self.count.value])

    def _show(self, change: object) -> None:
        self._showing = True
        try:
            self.count.value = len(self.value)
            for box, width in zip(self.widths, self.value, strict=False):
                box.value = width
        finally:
            self._showing = False
        self._enable()

    def _enable(self) -> None:
        for i, box in enumerate(self.widths):
            box.disabled = i >= self.count.value
