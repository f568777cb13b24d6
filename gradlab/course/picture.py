"""A figure with words for those who do not see it, in the colours of JupyterLab's theme."""

from __future__ import annotations

from html import escape
from io import BytesIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["Picture"]

# A stored picture must show where no script and no style sheet is let through, on GitHub say: so it
# is a plain PNG, and what turns it dark is an output of its own before it. There lightness is
# inverted, and hues are turned back; 0.93 makes white the theme's own #111. The words are for those
# who hear the page; where the style is taken out they stand above the picture, as its caption.
_STYLE = """<style>
.gradlab-said { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }
body[data-jp-theme-light="false"] .jp-OutputArea-child:has(.gradlab-said)
  + .jp-OutputArea-child img { filter: invert(0.93) hue-rotate(180deg); }
</style>"""


class Picture:
    """Shows a figure in a notebook; its text says the same in words.

    A bare `Figure` shows nothing by itself. The words are read out, and are all that a terminal
    shows. In JupyterLab's dark theme the picture is dark.

    Parameters
    ----------
    figure : Figure
    alt : str
        What the figure shows, in one or two sentences.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        self.figure, self.alt = figure, " ".join(alt.split())

    def __repr__(self) -> str:
        return self.alt

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        buffer = BytesIO()
        FigureCanvasAgg(self.figure).print_figure(buffer, format="png", dpi=144)
        width = round(self.figure.get_figwidth() * 96)
        said = f'<p class="gradlab-said">{escape(self.alt)}</p>'
        publish_display_data({"text/html": _STYLE + said})
        publish_display_data(
            {"text/plain": self.alt, "image/png": buffer.getvalue()},
            {"image/png": {"alt": self.alt, "width": width}},
        )
