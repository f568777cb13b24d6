"""Several charts side by side as one figure, to be stored in a notebook or in a file."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gradlab.plots.axes import draw
from gradlab.plots.chart import Chart, Mark
from gradlab.plots.layout import POINTS, margins
from gradlab.plots.palette import LIGHT, Palette

__all__ = ["figure_of"]

HEIGHT = 21.0
_DPI = 100.0


def figure_of(
    pictures: Sequence[tuple[Chart, Sequence[Mark]]],
    palette: Palette = LIGHT,
    columns: int | None = None,
    scale: float = 1.0,
    widths: Sequence[float] | None = None,
) -> Figure:
    """Draw charts with their moving marks, each in a panel of its own.

    Parameters
    ----------
    pictures : sequence of (Chart, sequence of Mark)
    palette : Palette, optional
    columns : int or None, optional
        Panels a row; None is all in one.
    scale : float, optional
        Pixels over those of the lab at its usual size.
    widths : sequence of float or None, optional
        Of the panels, in em; None is 22 each.

    Returns
    -------
    Figure
        Rows are 21 em high; an em is 10 points at 100 · `scale` dots an inch.
    """
    widths = [22.0] * len(pictures) if widths is None else list(widths)
    columns = columns or max(1, len(pictures))
    rows = [range(i, min(i + columns, len(widths))) for i in range(0, len(widths), columns)]
    wide = max((sum(widths[i] for i in row) for row in rows), default=1.0)
    high = HEIGHT * max(1, len(rows))
    figure = Figure(figsize=(wide * POINTS / 72, high * POINTS / 72), dpi=_DPI * scale)
    figure.set_facecolor(palette.paper)
    FigureCanvasAgg(figure)
    for number, row in enumerate(rows):
        x, floor = 0.0, high - HEIGHT * (number + 1)
        for i in row:
            chart, moving = pictures[i]
            room = margins(chart, widths[i])
            box = (
                (x + room.left) / wide,
                (floor + room.bottom) / high,
                (widths[i] - room.left - room.right) / wide,
                (HEIGHT - room.top - room.bottom) / high,
            )
            draw(figure.add_axes(box), chart, palette, moving)
            x += widths[i]
    return figure
