"""The controls: one widget a setting, each with a description, a tooltip and its unit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from gradlab import bugs
from gradlab.checking import MEASURES, SCHEMES
from gradlab.lab.controls import locked
from gradlab.lab.controls.hidden_layers import HiddenLayers
from gradlab.lab.controls.whole_number import WholeNumber
from gradlab.lab.model.ranges import AS_GIVEN, LABELS, MYSTERY, NO_BUG, RANGES, YOURS
from gradlab.lab.state import LabState
from gradlab.nn import ACTIVATIONS, LOSSES
from gradlab.nn.data import DATASETS
from gradlab.nn.parameters import DTYPES

__all__ = ["SWITCHED", "TOOLTIPS", "follow_choices", "make_controls"]

#: What means something only while a checkbox is ticked, or a bug is planted.
SWITCHED = {
    "bug": ("bug_layer",),
    "use_dropout": ("dropout_rate", "freeze_masks"),
    "use_l2": ("l2", "l2_in_loss", "l2_in_gradient"),
}

TOOLTIPS = {
    "data": "the examples that the loss is computed on: a fixed few, so that the lab is live",
    "hidden": "how many hidden layers, and how many units in each",
    "activation": "the function after each hidden layer",
    "loss": "mean over the examples; the cross-entropies take the outputs as logits",
    "seed": "of the random weights and dropout masks: same seed, same draws",
    "weight_scale": "standard deviation of the weights: scales the same random draws, 1e-4 to 1e2",
    "eps": "step of the numerical gradient, in units of the parameters, 1e-13 to 1e-1",
    "scheme": "how the numerical gradient is made from losses",
    "measure": "|Δ| / max(|a|, |n|), |Δ| / (|a| + |n|), or ‖Δ‖ / (‖a‖ + ‖n‖) of a tensor",
    "use_dropout": "zero some hidden units with masks, in both gradients",
    "dropout_rate": "the fraction of hidden units that is zeroed",
    "freeze_masks": "one set of masks for every evaluation; without it each draws its own",
    "use_l2": "add ½·λ·ΣW² to the loss: weights only, biases never",
    "l2": "λ, in units of loss per squared weight, 1e-6 to 1e5",
    "l2_in_loss": "the loss that is differenced has the L2 term",
    "l2_in_gradient": "backpropagation adds λ·W",
    "dtype": "of the weights, and so of both gradients",
    "train_steps": "updates of mini-batch SGD before the check, 0 to 500",
    "bug": "planted in the analytic gradient alone; a mystery is one that is not told",
    "bug_layer": "at which layer, counted from the input; 0 is the bug's own choice",
    "tensor": "the one whose entries the heatmap and the comparison show",
}

_FACTOR = "all weights times this factor, 1e-4 to 1e2; 1 leaves them as they were given"

_WORDS = {
    "softmax_cross_entropy": "softmax cross-entropy",
    "binary_cross_entropy": "binary cross-entropy",
    "mse": "mean squared error",
    "five_point": "five-point",
    "complex_step": "complex step",
    "max_relative": "max-relative",
    "sum_relative": "sum-relative",
    "norm_ratio": "norm ratio",
    "leaky_relu": "leaky ReLU",
    "relu": "ReLU",
    "elu": "ELU",
    "digits": "digits (8×8)",
    YOURS: "yours",
}


def make_controls(state: LabState) -> dict[str, widgets.Widget]:
    """Return a control for every setting, by the setting's name; each has a trait `value`.

    The caller's own data, and the caller's own list of activations, are offered where there are
    such.
    """
    data = DATASETS if state.given is None else (*DATASETS, YOURS)
    activations = (*ACTIVATIONS, AS_GIVEN) if state.activation == AS_GIVEN else ACTIVATIONS
    controls = {
        "eps": _log_slider("eps", decade_step=0.1, digits=1),
        "weight_scale": _log_slider("weight_scale", decade_step=0.05, digits=1),
        "data": _dropdown("data", data),
        "hidden": HiddenLayers(TOOLTIPS["hidden"]),
        "activation": _dropdown("activation", activations),
        "loss": _dropdown("loss", LOSSES),
        "seed": WholeNumber(0, None, **_common("seed")),
        "scheme": _dropdown("scheme", SCHEMES),
        "measure": _dropdown("measure", MEASURES),
        "use_dropout": _checkbox("use_dropout", "dropout on"),
        "freeze_masks": _checkbox("freeze_masks", "freeze masks"),
        "dropout_rate": locked.FloatSlider(
            min=RANGES["dropout_rate"][0], max=RANGES["dropout_rate"][1], step=0.05,
            readout_format=".2f", **_common("dropout_rate"),
        ),
        "use_l2": _checkbox("use_l2", "L2 on"),
        "l2": _log_slider("l2", decade_step=0.25, digits=0),
        "l2_in_loss": _checkbox("l2_in_loss", LABELS["l2_in_loss"]),
        "l2_in_gradient": _checkbox("l2_in_gradient", LABELS["l2_in_gradient"]),
        "dtype": _dropdown("dtype", DTYPES),
        "train_steps": locked.IntSlider(
            min=RANGES["train_steps"][0], max=RANGES["train_steps"][1], step=10,
            continuous_update=False, **_common("train_steps"),
        ),
        "bug": _dropdown("bug", (NO_BUG,)),
        "bug_layer": WholeNumber(*RANGES["bug_layer"], **_common("bug_layer")),
        "tensor": _dropdown("tensor", ("",)),
    }  # fmt: skip
    controls["bug"].add_class("gradlab-wide")  # titles are sentences
    if "hidden" not in state.applicable:  # no MLP of the lab's own: the weights are the caller's
        controls["weight_scale"].tooltip = f"{LABELS['weight_scale']}: {_FACTOR}"
    return controls


def follow_choices(controls: Mapping[str, widgets.Widget], state: LabState) -> None:
    """Offer the bugs and the tensors of the network that is shown, and keep what is chosen."""
    if state.result is None:
        return
    own = {NO_BUG: "none", MYSTERY: "mystery: find it"}
    choices = [(own.get(name) or bugs.describe(name).title, name) for name in state.bug_choices]
    tensors = [("the worst", ""), *((name, name) for name in state.result.report)]
    for name, options in (("bug", choices), ("tensor", tensors)):
        control = controls[name]
        if control.options != tuple(options):
            control.options = options
            if getattr(state, name) in [value for _, value in options]:
                control.value = getattr(state, name)


def _common(name: str) -> dict[str, Any]:
    return {
        "description": LABELS[name],
        "tooltip": f"{LABELS[name]}: {TOOLTIPS[name]}",
    }


def _log_slider(name: str, decade_step: float, digits: int) -> locked.FloatLogSlider:
    low, high = (round(math.log10(v)) for v in RANGES[name])
    slider = locked.FloatLogSlider(
        min=low, max=high, step=decade_step, readout_format=f".{digits}e",
        continuous_update=False, **_common(name),
    )  # fmt: skip
    slider.add_class(f"gradlab-slides-{name}")  # while it is dragged: slides.js
    return slider


def _dropdown(name: str, options: Sequence[str]) -> locked.Dropdown:
    return locked.Dropdown(options=[(_WORDS.get(o, o), o) for o in options], **_common(name))


def _checkbox(name: str, words: str) -> locked.Checkbox:
    return locked.Checkbox(indent=False, **(_common(name) | {"description": words}))
