"""The notebooks that are measured side by side: one computation, shown in three ways."""

from dataclasses import dataclass

import nbformat

SLIDER, SCALE = "step eps", "weight scale"

# What every notebook has: the data, the network, and a log of which picture shows which value.
_SETUP = """
import json
import gradlab as gl
from gradlab.lab import LabState

x, y = gl.data.moons(30)
net = gl.mlp([2, 16, 16, 2], seed=0)
frames = []

def show_log():
    print(json.dumps({"frames": frames, "final": final()}))
"""

_SLIDER = f"""
import ipywidgets as widgets

state = LabState(net, x, y)
slider = widgets.FloatLogSlider(value=1e-5, min=-13, max=-1, step=0.1, description="{SLIDER}")
"""

_FLOOR = """
line = widgets.HTML("eps")

def final():
    return state.eps

def answer(change):
    state.eps = change.new
    line.value = f"eps = {state.eps!r} error {state.result.report.error:.1e}"

slider.observe(answer, "value")
widgets.VBox([slider, line])
"""

# The same for a drag that needs another network, and another sweep, for each event.
_SCALE_SLIDER = f"""
import ipywidgets as widgets

state = LabState(net, x, y)
slider = widgets.FloatLogSlider(value=1.0, min=-4, max=2, step=0.05, description="{SCALE}")
"""

_SCALE_FLOOR = """
line = widgets.HTML("scale")

def final():
    return state.weight_scale

def answer(change):
    state.weight_scale = change.new
    line.value = f"weight_scale = {state.weight_scale!r} error {state.result.report.error:.1e}"

slider.observe(answer, "value")
widgets.VBox([slider, line])
"""

_LAB = """
lab = gl.Lab(net, x, y)

def final():
    return lab.state.eps

lab
"""

_EVERY_PANEL = _LAB.replace("x, y)", "x, y, panels=PANELS)").replace(
    "\nlab =", "\nfrom gradlab.lab.board.panels import NAMES as PANELS\nlab =", 1
)
_SCALE_LAB, _SCALE_EVERY_PANEL = (
    cell.replace("lab.state.eps", "lab.state.weight_scale") for cell in (_LAB, _EVERY_PANEL)
)

_PYPLOT = """
import matplotlib.pyplot as plt
from gradlab.lab.board.panels import DEFAULT, PANELS
from gradlab.plots.axes import draw as draw_chart

panels = [panel() for panel in PANELS if panel.name in DEFAULT]

def final():
    return None

def draw(eps):
    state.eps = eps
    figure, all_axes = plt.subplots(1, len(panels), figsize=(8.36, 2.92))
    for axes, panel in zip(all_axes, panels):
        draw_chart(axes, panel.still(state.result), moving=panel.moving(state.result))
    plt.show()

widgets.interactive(draw, eps=slider)
"""


@dataclass(frozen=True)
class Variant:
    """One way to show the computation.

    Attributes
    ----------
    title : str
        What the table calls it.
    cells : tuple of str
        The notebook.
    extension : bool
        Whether the server has gradlab's extension.
    text : str or None
        Selector of the line that answers; None where a picture does.
    quiet : int
        Milliseconds without a frame after which nothing more will come.
    slider : str
        What is dragged.
    """

    title: str
    cells: tuple
    extension: bool = True
    text: str | None = None
    quiet: int = 600
    slider: str = SLIDER

    def write(self, path):
        """Write the notebook."""
        notebook = nbformat.v4.new_notebook()
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        notebook.cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in self.cells]
        nbformat.write(notebook, path)


_ECHO = ".jupyter-widgets.widget-html"
VARIANTS = {
    "floor": Variant(
        "floor: the computation, one line of text", (_SETUP, _SLIDER, _FLOOR), text=_ECHO
    ),
    "lab": Variant("gl.Lab(net, x, y)", (_SETUP, _LAB)),
    "every panel": Variant("gl.Lab with every panel", (_SETUP, _EVERY_PANEL)),
    "scale floor": Variant(
        "floor of the weight scale", (_SETUP, _SCALE_SLIDER, _SCALE_FLOOR), text=_ECHO,
        slider=SCALE,
    ),
    "scale lab": Variant("gl.Lab, weight scale", (_SETUP, _SCALE_LAB), slider=SCALE),
    "scale, every panel": Variant(
        "gl.Lab with every panel, weight scale", (_SETUP, _SCALE_EVERY_PANEL), slider=SCALE
    ),
    "plain floor": Variant(
        "floor, server without the extension", (_SETUP, _SLIDER, _FLOOR), False, text=_ECHO
    ),
    "plain lab": Variant("gl.Lab, server without the extension", (_SETUP, _LAB), False),
    "pyplot": Variant("interact with pyplot", (_SETUP, _SLIDER, _PYPLOT), quiet=1500),
}  # fmt: skip
