"""Where the lab's parts stand: in one column, whatever moves above what is set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import ipywidgets as widgets

from gradlab.lab.controls.groups import Groups
from gradlab.lab.model.settings import GROUPS

__all__ = ["arrange"]


def arrange(
    controls: Mapping[str, widgets.Widget],
    wanted: Collection[str],
    board: widgets.Widget,
    extras: Mapping[str, Sequence[widgets.Widget]],
    toolbar: widgets.Widget,
    story: Sequence[widgets.Widget],
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
    toolbar : Widget
        What stands beside the groups' buttons.
    story : sequence of Widget
        What stands between these and the open group.
    """
    sliders = widgets.HBox([controls[name] for name in GROUPS[""] if name in wanted])
    sliders.add_class("gradlab-sliders")
    inside = {
        title: [controls[name] for name in names if name in wanted]
        for title, names in GROUPS.items()
        if title
    }
    for title, more in extras.items():
        inside[title] = [*inside.get(title, []), *more]
    groups = Groups({title: parts for title, parts in inside.items() if parts}, toolbar, story)
    shown = widgets.VBox([*([sliders] if sliders.children else []), board])
    shown.add_class("gradlab-shown")
    return [shown, groups], groups
