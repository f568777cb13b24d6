"""The lab's pictures on the page: charts that seldom change, and ink that moves with a slider."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from gradlab.lab.board.panels import NAMES, PANELS
from gradlab.plots.palette import PALETTES

__all__ = ["MODULES", "Board", "bundle"]

_FOLDER = Path(__file__).parent
# The controls' too: anywidget brings a style sheet to the page, and ipywidgets none.
_STYLES = (_FOLDER / "board.css", _FOLDER.parent / "controls/controls.css")
#: What board.js is made of, each after what it imports.
MODULES = (
    "scales.js",
    "layout.js",
    "frame.js",
    "paint.js",
    "zoom.js",
    "panel.js",
    "banner.js",
    "kernel.js",
    "names.js",
    "slides.js",
    "shortcuts.js",
    "board.js",
)
_IMPORT = re.compile(r"^import .* from '\./\w+\.js';\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|class|function|async|let)", re.MULTILINE)


def bundle(folder: Path = _FOLDER, modules: Sequence[str] = MODULES) -> str:
    """Return the modules as the one that anywidget takes.

    In the files they are ES modules that import each other, so that each can be tested alone. In
    one module they see each other's names: the lines that import go, and the word `export`, but
    for `export default`.
    """
    texts = ((folder / name).read_text(encoding="utf-8") for name in modules)
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


def _dict(**value: Any) -> traitlets.Dict:
    return traitlets.Dict(value).tag(sync=True)


def _about_panels() -> dict[str, dict[str, Any]]:
    return {
        panel.name: {
            "title": panel.title,
            "width": panel.width,
            "zooms": panel.zooms,
            "hint": panel.hint,
        }
        for panel in PANELS
    }


# A trait a panel: what is new is sent, and a page that comes later still gets all of them.
_Charts = traitlets.MetaHasTraits(
    "_Charts", (traitlets.HasTraits,), {f"chart_{name}": _dict() for name in NAMES}
)


class Board(_Charts, anywidget.AnyWidget):
    """A banner and panels, which the browser draws, lays out and colours.

    Attributes
    ----------
    visible : list of str
        The panels that are shown, in order.
    theme : {"auto", "light", "dark"}
        Whose colours; "auto" follows the page.
    colours : dict
        "light" and "dark": what each role looks like, "#rrggbb".
    banner : str
        HTML: the verdict and its reason. Here, so that words and pictures come in one message.
    chart_u_curve, chart_tensors, … : dict
        What stands still, a trait a panel, as `packing.pack_chart` writes it.
    ink : dict
        What moves, and "shows" and "sharp": see `gradlab.lab.board.scene.Frame`.
    ghost : dict
        What an earlier result looked like, or {}.
    told : dict
        The same in words, which nobody reads in the midst of a drag: "alt" by panel; "cost", the
        line below them; "said", the verdict for who listens.

    Parameters
    ----------
    visible : sequence of str
    clicked : callable, (str, float, float) -> None
        Takes a panel, and where it was clicked in its data's coordinates.
    slid : callable, (str, float) -> None
        Takes a setting, and where its handle stands while it is dragged.
    asked : mapping of str to callable, () -> None
        What a key asks for: "undo" and "redo".
    """

    _esm = bundle()
    _css = "".join(path.read_text(encoding="utf-8") for path in _STYLES)
    panels = _dict(**_about_panels())
    visible = traitlets.List(traitlets.Unicode()).tag(sync=True)
    theme = traitlets.Unicode("auto").tag(sync=True)
    colours = _dict(**{name: palette.roles() for name, palette in PALETTES.items()})
    banner = traitlets.Unicode().tag(sync=True)
    ink = _dict(marks={}, bytes=b"", shows="", sharp=False)
    ghost = _dict()
    told = _dict(alt={}, cost="", said="")

    def __init__(
        self,
        visible: Sequence[str],
        clicked: Callable[[str, float, float], None],
        slid: Callable[[str, float], None],
        asked: Mapping[str, Callable[[], None]],
    ) -> None:
        super().__init__(visible=list(visible))
        self.on_msg(self._on_message)
        self._clicked, self._slid, self._asked = clicked, slid, dict(asked)
        self._in_view: dict[str, frozenset[str]] = {}

    @property
    def in_view(self) -> frozenset[str] | None:
        """The panels that some page has within its window; None where no page told."""
        return frozenset().union(*self._in_view.values()) if self._in_view else None

    def show(
        self,
        banner: str,
        charts: Mapping[str, dict[str, Any]],
        ink: dict[str, Any],
        told: dict[str, Any] | None,
    ) -> None:
        """Send the banner, what is new of the charts, ink, and words if any, in one message."""
        with self.hold_sync():
            self.banner = banner
            if told is not None:
                self.told = told
            for name, chart in charts.items():
                self.set_trait(f"chart_{name}", chart)
            self.ink = ink

    def copy(self, text: str) -> None:
        """Put `text` on the clipboard, where the browser allows it."""
        self.send({"copy": text})

    def bring_into_view(self, part: str) -> None:
        """Scroll as little as it takes to see the part of the lab with this class whole."""
        self.send({"see": f".{part}"})

    def save(self, name: str, mime: str, content: bytes) -> None:
        """Hand `content` to the browser as a file to be saved."""
        self.send({"save": name, "mime": mime}, [content])

    def _on_message(self, widget: object, content: Any, buffers: object) -> None:
        """Take a click, a handle, what a page has in view, or a wish; all else is none."""
        if not isinstance(content, dict):
            return
        panel, slide = content.get("panel"), content.get("slide")
        if panel in self.visible and _are_numbers(x := content.get("x"), y := content.get("y")):
            self._clicked(panel, float(x), float(y))
        elif isinstance(slide, str) and _are_numbers(to := content.get("to")):
            self._slid(slide, float(to))
        elif isinstance(page := content.get("page"), str):
            names = content.get("in_view")
            self._in_view[page] = frozenset(names if isinstance(names, list) else ())
        else:
            for wish, answer in self._asked.items():
                if content.get(wish) is True:
                    answer()


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) for value in values)
