"""The notebooks that are measured side by side: one computation, shown in three ways."""

from dataclasses import dataclass

import nbformat

SLIDER = "step eps"

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

_LAB = """
lab = gl.Lab(net, x, y)

def final():
    return lab.state.eps

lab
"""

_EVERY_PANEL = _LAB.replace(
    "x, y)", 'x, y, panels=("u_curve", "tensors", "network", "heatmap", "agreement"))'
)

_PYPLOT = """
import matplotlib.pyplot as plt
from gradlab import plots

def final():
    return None

def draw(eps):
    state.eps = eps
    report, sweep = state.result.report, state.result.sweep
    wide = {"width_ratios": (2.1, 1.4, 1.0)}
    figure, axes = plt.subplots(1, 3, figsize=(8.36, 2.92), layout="constrained", gridspec_kw=wide)
    plots.u_curve(axes[0], sweep, eps)
    plots.entries(axes[1], report)
    plots.network(axes[2], net.sizes, report)
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
    """

    title: str
    cells: tuple
    extension: bool = True
    text: str | None = None
    quiet: int = 600

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
    "every panel": Variant("gl.Lab with all five panels", (_SETUP, _EVERY_PANEL)),
    "plain floor": Variant(
        "floor, server without the extension", (_SETUP, _SLIDER, _FLOOR), False, text=_ECHO
    ),
    "plain lab": Variant("gl.Lab, server without the extension", (_SETUP, _LAB), False),
    "pyplot": Variant("interact with pyplot", (_SETUP, _SLIDER, _PYPLOT), quiet=1500),
}
