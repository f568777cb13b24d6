"""The lab's pictures on the page: papers that seldom change, and ink that moves with a slider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from gradlab.lab.board.panels import PANELS

__all__ = ["Board"]


def _paper() -> traitlets.Bytes:
    return traitlets.Bytes(b"").tag(sync=True)


class Board(anywidget.AnyWidget):
    """A banner and a row of panels, each a PNG with shapes drawn over it by the browser.

    ipywidgets' `Image` would need a new PNG for every event of a drag; here most events send a few
    hundred numbers, which the browser draws at its own resolution. It also takes clicks and a text
    for who cannot see it.

    Attributes
    ----------
    visible : list of str
        The panels that are shown, in order.
    zoom : float
        Pixels on the page for a pixel of a panel.
    banner : str
        HTML: the verdict and its reason. Here, so that words and pictures come in one message.
    ink : dict
        "shapes" by panel; "bytes", their numbers; "shows", the step that they belong to; "sharp",
        whether it is the picture of a lab at rest.
    told : dict
        The same in words, which nobody reads in the midst of a drag: "alt" by panel; "cost", the
        line below them; "said", the verdict for who listens.
    u_curve, tensors, network, heatmap, agreement : bytes
        The paper of each panel, a PNG.
    """

    _esm = "\n".join(
        (Path(__file__).parent / name).read_text(encoding="utf-8")
        for name in ("names.js", "slides.js", "board.js")
    )
    sizes = traitlets.Dict({panel.name: list(panel.size) for panel in PANELS}).tag(sync=True)
    visible = traitlets.List(traitlets.Unicode()).tag(sync=True)
    zoom = traitlets.Float(1.0).tag(sync=True)
    banner = traitlets.Unicode().tag(sync=True)
    ink = traitlets.Dict({"shapes": {}, "bytes": b"", "shows": "", "sharp": False}).tag(sync=True)
    told = traitlets.Dict({"alt": {}, "cost": "", "said": ""}).tag(sync=True)

    u_curve, tensors, network, heatmap, agreement = (_paper() for _ in range(5))

    def __init__(
        self,
        visible: Sequence[str],
        pressed: Callable[[str, float, float], None],
        slid: Callable[[str, float], None],
    ) -> None:
        super().__init__(visible=list(visible))
        self.on_msg(self._on_message)
        self._pressed, self._slid = pressed, slid

    def show(
        self,
        banner: str,
        papers: dict[str, bytes],
        ink: dict[str, Any],
        told: dict[str, Any] | None,
    ) -> None:
        """Send the banner, what is new of the papers, ink, and words if any, in one message."""
        with self.hold_sync():
            self.banner = banner
            if told is not None:
                self.told = told
            for name, png in papers.items():
                setattr(self, name, png)
            self.ink = ink

    def copy(self, text: str) -> None:
        """Put `text` on the clipboard, where the browser allows it."""
        self.send({"copy": text})

    def _on_message(self, widget: object, content: Any, buffers: object) -> None:
        """Take a click, (panel, x, y), or where a handle stands, (slide, to); all else is none."""
        if not isinstance(content, dict):
            return
        panel, slide = content.get("panel"), content.get("slide")
        if panel in self.visible and _are_numbers(x := content.get("x"), y := content.get("y")):
            self._pressed(panel, float(x), float(y))
        elif isinstance(slide, str) and _are_numbers(to := content.get("to")):
            self._slid(slide, float(to))


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) for value in values)
