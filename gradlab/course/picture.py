"""A figure with words for those who do not see it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["Picture"]


class Picture:
    """Shows a figure in a notebook; its text says the same in words.

    A bare `Figure` shows nothing by itself. The words are the alternative text of
    the picture, and all that a terminal shows.

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

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        buffer = BytesIO()
        FigureCanvasAgg(self.figure).print_figure(buffer, format="png", dpi=144)
        width = round(self.figure.get_figwidth() * 96)
        data = {"text/plain": self.alt, "image/png": buffer.getvalue()}
        return data, {"image/png": {"alt": self.alt, "width": width}}
