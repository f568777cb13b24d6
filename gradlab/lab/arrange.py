"""Where the lab's parts stand.

At 1280 pixels everything fits below each other in JupyterLab's output area without scrolling: the
two sliders, the banner, the picture, three columns of controls. On a wider screen the columns move
to the picture's right: the rows wrap, nothing is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets as widgets

from gradlab.lab.style import CSS

__all__ = ["arrange"]

#: Pixels for the pictures: side by side they fit JupyterLab's output area at 1280 pixels with the
#: file browser open, which is 846 wide.
WIDTH = 836


def arrange(
    controls: Mapping[str, widgets.Widget],
    banner: widgets.Widget,
    board: widgets.Widget,
    appearance: Sequence[widgets.Widget],
) -> list[widgets.Widget]:
    """Return the lab's children, top to bottom.

    Parameters
    ----------
    controls : dict of str to Widget
        All settings' controls.
    banner : Widget
    board : Widget
        The panels.
    appearance : sequence of Widget
        What is no setting: the theme and the reset button.
    """
    for name in ("eps", "weight_scale"):
        controls[name].layout.flex = "1 1 300px"
    sliders = widgets.HBox([controls["eps"], controls["weight_scale"]])
    shown = widgets.VBox(
        [sliders, banner, board],
        layout=widgets.Layout(flex=f"1 1 {WIDTH}px", max_width=f"{WIDTH + 4}px", overflow="hidden"),
    )
    network = [controls[n] for n in ("data", "hidden", "activation", "loss", "seed")]
    dropout = widgets.HBox(
        [controls["use_dropout"], controls["freeze_masks"]],
        layout=widgets.Layout(justify_content="space-around"),
    )
    check = [controls["scheme"], controls["measure"], dropout, controls["dropout_rate"]]
    l2_where = [controls["l2_in_loss"], controls["l2_in_gradient"]]
    columns = widgets.HBox(
        [
            _column("Network", network, 276),
            _column("Check and dropout", check),
            _column(
                "L2 and the rest", [controls["use_l2"], controls["l2"], *l2_where, *appearance]
            ),
        ],
        layout=widgets.Layout(
            flex="1 1 270px", flex_flow="row wrap", align_content="flex-start", overflow="hidden"
        ),
    )
    both = widgets.HBox(
        [shown, columns], layout=widgets.Layout(flex_flow="row wrap", overflow="hidden")
    )
    # Not displayed, and still in force: a style sheet needs no room.
    return [widgets.HTML(CSS, layout=widgets.Layout(display="none")), both]


def _column(title: str, parts: Sequence[widgets.Widget], width: int = 254) -> widgets.VBox:
    heading = widgets.HTML(f'<div class="gradlab-heading">{title}</div>')
    return widgets.VBox(
        [heading, *parts],
        layout=widgets.Layout(flex=f"1 1 {width}px", overflow="hidden", padding="0 4px"),
    )
