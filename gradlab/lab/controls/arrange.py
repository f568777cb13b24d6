"""Where the lab's parts stand.

At 1280 pixels everything that moves stands below each other in JupyterLab's output area without
scrolling: the two sliders, the banner, the pictures, one group of controls. On a wider screen all
groups stand to the right of the pictures: the rows wrap, nothing is computed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import ipywidgets as widgets

from gradlab.lab.board.style import CSS
from gradlab.lab.controls.groups import Groups
from gradlab.lab.model.settings import GROUPS

__all__ = ["arrange"]

#: Pixels for the pictures: side by side they fit JupyterLab's output area at 1280 pixels with the
#: file browser open, which is 846 wide.
WIDTH = 836


def arrange(
    controls: Mapping[str, widgets.Widget],
    wanted: Collection[str],
    board: widgets.Widget,
    extras: Mapping[str, Sequence[widgets.Widget]],
    beside: Sequence[widgets.Widget],
) -> tuple[list[widgets.Widget], Groups]:
    """Return the lab's children, top to bottom, and the groups of controls among them.

    Parameters
    ----------
    controls : mapping of str to Widget
        All settings' controls.
    wanted : collection of str
        The settings whose controls are shown.
    board : Widget
        Banner and pictures, below the sliders.
    extras : mapping of str to sequence of Widget
        More widgets for a group, new ones after the others.
    beside : sequence of Widget
        What stands beside the groups' buttons.
    """
    above = [controls[name] for name in GROUPS[""] if name in wanted]
    for slider in above:
        slider.layout.flex = "1 1 300px"
    width = widgets.Layout(flex=f"1 1 {WIDTH}px", max_width=f"{WIDTH + 4}px", overflow="hidden")
    shown = widgets.VBox([widgets.HBox(above), board], layout=width)
    shown.add_class("gradlab-shown")
    inside = {
        title: [controls[name] for name in names if name in wanted]
        for title, names in GROUPS.items() if title
    }  # fmt: skip
    for title, more in extras.items():
        inside[title] = [*inside.get(title, []), *more]
    groups = Groups({title: parts for title, parts in inside.items() if parts}, beside)
    groups.layout.flex = "1 1 270px"
    groups.layout.overflow = "hidden"
    both = widgets.HBox(
        [shown, groups], layout=widgets.Layout(flex_flow="row wrap", overflow="hidden")
    )
    # Not displayed, and still in force: a style sheet needs no room.
    return [widgets.HTML(CSS, layout=widgets.Layout(display="none")), both], groups
