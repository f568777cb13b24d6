"""What a notebook keeps of a widget: its picture and its words, for when nothing answers any more.

A live widget needs its kernel. In a notebook that was saved and opened again JupyterLab says only
"Error displaying widget: model not found", in a viewer there is no view at all. So a lab, and a
prediction, leaves three outputs: the live view, the picture with the text, and a few lines of HTML
that say how to bring it to life. Their style sheet shows the last two where, and only where, the
first is missing.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from html import escape
from typing import Any

from IPython.display import display

__all__ = ["LIVE", "show_and_store"]

#: The CSS class of a widget that shows itself so.
LIVE = "gradlab-live"
#: Its view, as Jupyter calls it.
VIEW = "application/vnd.jupyter.widget-view+json"
# The outputs of a cell in JupyterLab, VS Code and Colab, and in the first the two before the words.
_CELL = ":is(.jp-OutputArea, .output_container, #output-area)"
_PICTURE = ".jp-OutputArea-child:has(+ .jp-OutputArea-child .gradlab-stored)"
_FAILED = ".jp-OutputArea-child:has(+ * + .jp-OutputArea-child .gradlab-stored):has(> .lm-Panel)"
# A widget takes a moment to come: until then nothing is shown that it would push away again.
CSS = f"""<style>
{_CELL}:has(.{LIVE}) :is({_PICTURE}, .gradlab-stored) {{ display: none; }}
.jp-OutputArea:not(:has(.{LIVE})) {_FAILED} {{ display: none; }}
{_PICTURE}, .gradlab-stored {{ animation: gradlab-wait 1s; }}
@keyframes gradlab-wait {{ from, to {{ height: 0; overflow: hidden; visibility: hidden; }} }}
.gradlab-stored p {{ border-left: 6px solid #8A6100; padding: 6px 10px; }}
</style>"""
#: Bytes of the largest picture: in the notebook, as text, they are a third more.
_MOST = 200_000
_ALT = "The lab's pictures; the text below tells what they show."


def show_and_store(
    view: dict[str, Any], text: str, picture: Callable[[], bytes] | None, life: str
) -> None:
    """Show a widget in the running cell, so that a saved notebook still tells what it was.

    Parameters
    ----------
    view : dict
        The widget's own output, by MIME type.
    text : str
        The same in words, equal on every machine.
    picture : callable, () -> bytes, or None
        Draws a PNG, two of its pixels for one of the page's; called when the view is out already.
    life : str
        How to bring it to life where nothing answers.
    """
    if VIEW in view:
        display({VIEW: view[VIEW]}, raw=True)
    stored, about = {"text/plain": text}, {}
    if picture is not None:
        small, width = _small(picture())
        stored["image/png"] = base64.b64encode(small).decode("ascii")
        about = {"image/png": {"alt": _ALT, "width": width}}
    display(stored, metadata=about, raw=True)
    again = f"<pre>{escape(text)}</pre>" if picture is not None else ""  # for who sees no picture
    words = f"<p>{escape(life)}</p>{again}"
    display({"text/html": f'{CSS}\n<div class="gradlab-stored">{words}</div>'}, raw=True)


def _small(picture: bytes) -> tuple[bytes, int]:
    """Return the picture in 256 colours, coarser if need be, and its width on the page."""
    from PIL import Image  # after the view

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    width, height = image.size
    scale = 1.0
    while True:
        now = image.resize((round(scale * width), round(scale * height)), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        now.quantize(256, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
        if buffer.tell() <= _MOST:
            return buffer.getvalue(), width // 2
        scale *= 0.8
