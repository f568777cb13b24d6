"""Where the lab's parts stand.

At 1280 pixels everything fits below each other in JupyterLab's output area without scrolling: the
two sliders, the banner, the picture, three columns of controls. On a wider screen the columns move
to the picture's right: the rows wrap, nothing is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets as widgets

from gradlab.lab.scene import ERRORS_SIZE, NETWORK_SIZE
from gradlab.lab.style import CSS

__all__ = ["arrange"]


def arrange(
    controls: Mapping[str, widgets.Widget],
    banner: widgets.Widget,
    pictures: Sequence[widgets.Widget],
    appearance: Sequence[widgets.Widget],
) -> list[widgets.Widget]:
    """Return the lab's children, top to bottom.

    Parameters
    ----------
    controls : dict of str to Widget
        All settings' controls.
    banner : Widget
    pictures : sequence of Widget
        Side by side.
    appearance : sequence of Widget
        What is no setting: the theme and the reset button.
    """
    width = ERRORS_SIZE[0] + NETWORK_SIZE[0]
    for name in ("eps", "weight_scale"):
        controls[name].layout.flex = "1 1 300px"
    sliders = widgets.HBox([controls["eps"], controls["weight_scale"]])
    side_by_side = widgets.HBox(list(pictures), layout=widgets.Layout(flex_flow="row wrap"))
    shown = widgets.VBox(
        [sliders, banner, side_by_side],
        layout=widgets.Layout(flex=f"1 1 {width}px", max_width=f"{width + 4}px", overflow="hidden"),
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
