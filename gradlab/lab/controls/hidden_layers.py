"""The control for the hidden layers: how many, and a width for each."""

from __future__ import annotations

import ipywidgets as widgets
import traitlets

from gradlab.lab.controls import locked
from gradlab.lab.controls.whole_number import WholeNumber
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
    count : IntSlider
    widths : list of WholeNumber
    """

    value = traitlets.Tuple()

    def __init__(self, tooltip: str) -> None:
        self.count = locked.IntSlider(
            min=0,
            max=MOST_LAYERS,
            description="hidden layers",
            tooltip=f"hidden layers: {tooltip}",
        )
        self.widths = [
            WholeNumber(
                1,
                MOST_UNITS,
                value=16,
                description=f"h{i}",
                tooltip=f"units in hidden layer {i}, 1 to {MOST_UNITS}",
            )
            for i in range(1, MOST_LAYERS + 1)
        ]
        row = widgets.HBox(self.widths)
        row.add_class("gradlab-widths")
        # below all of them: a sentence needs more room than a box
        self.told = [box.told for box in self.widths]
        for box in self.widths:
            box.children = [box.text]
        super().__init__([self.count, row, *self.told])
        self._showing = False
        self.observe(self._show, "value")
        for widget in (self.count, *self.widths):
            widget.observe(self._read, "value")
        self._enable()

    def _read(self, change: object) -> None:
        if not self._showing:
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
