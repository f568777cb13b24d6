"""Everything that can be set in the lab, as plain data: a new setting is one more field here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gradlab import bugs
from gradlab._validate import check_choice
from gradlab.checking import MEASURES, SCHEMES
from gradlab.lab.model.setting import (
    EVERYTHING,
    LSTM_ALONE,
    NETWORKS,
    Setting,
    choice,
    flag,
    linear,
    logarithmic,
    name,
    whole,
    widths,
)
from gradlab.nn import ACTIVATIONS, LOSSES
from gradlab.nn.data import DATASETS
from gradlab.nn.parameters import DTYPES

__all__ = [
    "AS_GIVEN",
    "BUGS",
    "DEEPEST",
    "DIRECTION",
    "FULL",
    "GROUPS",
    "LABELS",
    "METHODS",
    "MOST_EXAMPLES",
    "MOST_LAYERS",
    "MOST_UNITS",
    "MYSTERY",
    "NAMES",
    "NO_BUG",
    "RANGES",
    "SAMPLED",
    "SETTINGS",
    "STRUCTURE",
    "SWITCHED",
    "SWITCHES",
    "YOURS",
    "Settings",
    "validated",
    "validated_all",
]

#: The data set that stands for the x and y that the caller brought.
YOURS = "yours"
#: The activation that stands for those of the caller's network, when its layers differ.
AS_GIVEN = "as given"
#: Hidden layers that the control has boxes for; a setting may name up to `DEEPEST`.
MOST_LAYERS, MOST_UNITS = 4, 64
DEEPEST = 8
MOST_EXAMPLES = 200
#: No bug, and one that the lab picks and does not tell.
NO_BUG, MYSTERY = "none", "mystery"
#: All values of `bug`; a network can have some of them (`LabState.bug_choices`).
BUGS = (NO_BUG, *bugs.names(), MYSTERY)
#: Which entries are checked: all, some of each tensor, or random directions through all of them.
METHODS = FULL, SAMPLED, DIRECTION = ("full", "sampled", "directional")

_TITLES = {NO_BUG: "none", MYSTERY: "mystery: find it"} | {
    bug: bugs.describe(bug).title for bug in bugs.names()
}


@dataclass(frozen=True)
class Settings:
    """What the lab computes. Every field is a control.

    Attributes
    ----------
    data : str
        A name of `gl.data.DATASETS`, or "yours": the caller's x and y.
    examples : int, 1 … 200
        How many of the examples: the first ones. Large networks are checked on fewer.
    time_steps : int
        Of the sequences that were given, the first steps; 0 is all.
    data_scale : float, 1e-3 … 1e3
        x is multiplied by it.
    hidden : tuple of int
        Units of each hidden layer: up to 8 layers of up to 64.
    activation, loss, scheme, measure : str
        Names as in `gl.mlp` and `gl.check`.
    seed : int
        Of the weights, of the biases, of the dropout masks and of the training.
    weight_scale : float, 1e-4 … 1e2
        Standard deviation of the initial weights; changing it scales the same random draws.
    bias_scale : float, 0 … 10
        Standard deviation of what is added to the initial biases, likewise.
    eps : float, 1e-13 … 1e-1
        Step of the numerical gradient, in units of the parameters.
    method : {"full", "sampled", "directional"}
        Whether all entries are checked, some of each tensor, or random directions through all
        parameters at once.
    use_dropout, dropout_rate, freeze_masks
        Dropout after the hidden layers: whether, the fraction that is zeroed, and whether one set
        of masks serves every evaluation.
    use_l2, l2, l2_in_loss, l2_in_gradient
        ½·λ·ΣW²: whether, λ, and which of the two gradients know of it.
    dtype : {"float64", "float32"}
        Of the parameters, and so of both gradients.
    train_steps : int, 0 … 500
        Updates, as `gl.train` does them, before the check.
    bug : str
        "none", a name of `gl.bugs.names()`, or "mystery": one that the lab picks. It is planted in
        the analytic gradient alone.
    bug_layer : int
        At which layer; 0 is the bug's own choice, the last that can have it.
    second_bug : str
        Another one beside `bug`, at its own choice of layer.
    tensor : str
        Which tensor is looked at closely; "" is the one with the largest error.
    entry : int
        Which entry of that tensor, in the order of its raveled array; -1 is the worst.
    """

    data: str = choice(
        "moons",
        (*DATASETS, YOURS),
        {"digits": "digits (8×8)"},
        label="data set",
        group="Data",
        tooltip="the examples that the loss is computed on: few, so that the lab is live",
        structure=True,
        trains=True,
    )
    hidden: tuple[int, ...] = widths(
        (16, 16),
        MOST_UNITS,
        DEEPEST,
        label="hidden layers",
        group="Network",
        tooltip="how many hidden layers, and how many units in each",
        structure=True,
        trains=True,
    )
    activation: str = choice(
        "tanh",
        (*ACTIVATIONS, AS_GIVEN),
        {"leaky_relu": "leaky ReLU", "relu": "ReLU", "elu": "ELU"},
        label="activation",
        group="Network",
        tooltip="the function after each hidden layer",
        structure=True,
        trains=True,
    )
    loss: str = choice(
        "softmax_cross_entropy",
        LOSSES,
        {
            "softmax_cross_entropy": "softmax cross-entropy",
            "binary_cross_entropy": "binary cross-entropy",
            "mse": "mean squared error",
        },
        label="loss",
        group="Network",
        tooltip="mean over the examples; the cross-entropies take the outputs as logits",
        structure=True,
        trains=True,
    )
    seed: int = whole(
        0,
        0,
        9999,
        label="seed",
        group="Network",
        is_open=True,
        tooltip="of the random weights and dropout masks: same seed, same draws",
        trains=True,
    )
    eps: float = logarithmic(
        1e-5,
        1e-13,
        1e-1,
        label="step eps",
        group="",
        step=0.1,
        subjects=EVERYTHING,
        cursor=True,
        tooltip="step of the numerical gradient, in units of the parameters, 1e-13 to 1e-1",
    )
    weight_scale: float = logarithmic(
        0.5,
        1e-4,
        1e2,
        label="weight scale",
        group="",
        step=0.05,
        subjects=NETWORKS,
        trains=True,
        tooltip="standard deviation of the weights: scales the same random draws, 1e-4 to 1e2",
        tooltip_given="all weights times this factor, 1e-4 to 1e2; 1 leaves them as given",
    )
    scheme: str = choice(
        "central",
        SCHEMES,
        {"five_point": "five-point", "complex_step": "complex step"},
        label="scheme",
        group="Check",
        subjects=NETWORKS,
        tooltip="how the numerical gradient is made from losses",
    )
    measure: str = choice(
        "max_relative",
        MEASURES,
        {
            "max_relative": "max-relative",
            "sum_relative": "sum-relative",
            "norm_ratio": "norm ratio",
        },
        label="error measure",
        group="Check",
        subjects=EVERYTHING,
        tooltip="|Δ| / max(|a|, |n|), |Δ| / (|a| + |n|), or ‖Δ‖ / (‖a‖ + ‖n‖) of a tensor",
    )
    use_dropout: bool = flag(
        False,
        label="dropout",
        group="Dropout, L2",
        words="dropout on",
        structure=True,
        tooltip="zero some hidden units with masks, in both gradients",
        trains=True,
    )
    dropout_rate: float = linear(
        0.5,
        0.0,
        0.9,
        label="dropout rate",
        group="Dropout, L2",
        step=0.05,
        digits=2,
        tooltip="the fraction of hidden units that is zeroed",
        needs="use_dropout",
        trains=True,
    )
    freeze_masks: bool = flag(
        True,
        label="freeze masks",
        group="Dropout, L2",
        words="freeze masks",
        needs="use_dropout",
        tooltip="one set of masks for every evaluation; without it each draws its own",
    )
    use_l2: bool = flag(
        False,
        label="L2",
        group="Dropout, L2",
        words="L2 on",
        subjects=NETWORKS,
        structure=True,
        tooltip="add ½·λ·ΣW² to the loss: weights only, biases never",
        trains=True,
    )
    l2: float = logarithmic(
        1e-3,
        1e-6,
        1e5,
        label="λ of L2",
        group="Dropout, L2",
        step=0.25,
        digits=0,
        tooltip="λ, in units of loss per squared weight, 1e-6 to 1e5",
        needs="use_l2",
        subjects=NETWORKS,
        trains=True,
    )
    l2_in_loss: bool = flag(
        True,
        label="L2 in the numerical loss",
        group="Dropout, L2",
        words="L2 in the numerical loss",
        tooltip="the loss that is differenced has the L2 term",
        needs="use_l2",
        subjects=NETWORKS,
        trains=True,
    )
    l2_in_gradient: bool = flag(
        True,
        label="L2 in the analytic gradient",
        group="Dropout, L2",
        words="L2 in the analytic gradient",
        tooltip="backpropagation adds λ·W",
        needs="use_l2",
        subjects=NETWORKS,
        structure=True,
    )
    dtype: str = choice(
        "float64",
        DTYPES,
        label="number type",
        group="Check",
        subjects=NETWORKS,
        trains=True,
        tooltip="of the weights, and so of both gradients",
    )
    train_steps: int = whole(
        0,
        0,
        500,
        label="training steps",
        group="Network",
        step=10,
        subjects=NETWORKS,
        tooltip="updates of mini-batch SGD before the check, 0 to 500",
    )
    bug: str = choice(
        NO_BUG,
        BUGS,
        _TITLES,
        label="bug",
        group="Bugs",
        subjects=NETWORKS,
        tooltip="planted in the analytic gradient alone; a mystery is one that is not told",
    )
    bug_layer: int = whole(
        0,
        0,
        DEEPEST + 1,
        label="bug layer",
        group="Bugs",
        needs="bug",
        subjects=NETWORKS,
        tooltip="at which layer, counted from the input; 0 is the bug's own choice",
    )
    tensor: str = name(
        "",
        label="tensor shown",
        group="Check",
        subjects=EVERYTHING,
        cursor=True,
        tooltip="the one whose entries the heatmap and the comparison show",
    )
    examples: int = whole(
        30,
        1,
        MOST_EXAMPLES,
        label="examples",
        group="Data",
        step=1,
        subjects=NETWORKS,
        tooltip="how many, 1 to 200; a large network is checked on fewer",
        trains=True,
    )
    time_steps: int = whole(
        0,
        0,
        9999,
        label="time steps",
        group="Data",
        subjects=LSTM_ALONE,
        trains=True,
        tooltip="the first steps of the sequences that were given; 0 is all",
    )
    data_scale: float = logarithmic(
        1.0,
        1e-3,
        1e3,
        label="data scale",
        group="Data",
        step=0.05,
        subjects=NETWORKS,
        trains=True,
        tooltip="the inputs times this factor, 1e-3 to 1e3",
    )
    bias_scale: float = linear(
        0.0,
        0.0,
        10.0,
        label="bias scale",
        group="Network",
        step=0.1,
        subjects=NETWORKS,
        tooltip="standard deviation of the biases: scales the same random draws, 0 to 10",
        tooltip_given="standard deviation of what is added to the biases that were given, 0 to 10",
        trains=True,
    )
    second_bug: str = choice(
        NO_BUG,
        BUGS[:-1],
        _TITLES,
        label="second bug",
        group="Bugs",
        needs="bug",
        tooltip="planted beside the first one, at the last layer that can have it",
        subjects=NETWORKS,
    )
    method: str = choice(
        FULL,
        METHODS,
        {FULL: "every entry", SAMPLED: "some entries", DIRECTION: "directions"},
        label="checked",
        group="Check",
        subjects=EVERYTHING,
        tooltip="every entry, up to 20 of each tensor, or 20 random directions through all",
    )
    entry: int = whole(
        -1,
        -1,
        999_999,
        label="entry",
        group="Check",
        subjects=EVERYTHING,
        cursor=True,
        tooltip="of the tensor shown, counted from 0 through its rows; -1 is the worst",
    )

    def replace(self, **changes: Any) -> Settings:
        """Return settings with some values changed; they are taken as valid."""
        return dataclasses.replace(self, **changes)


#: The record of every setting, by its name.
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        field.name: dataclasses.replace(field.metadata["setting"], name=field.name)
        for field in dataclasses.fields(Settings)
    }
)
NAMES = tuple(SETTINGS)
#: What each control is called, on the screen and in messages.
LABELS = {name: setting.label for name, setting in SETTINGS.items()}
#: Lowest and highest value of every setting that is a number, in its own unit.
RANGES = {
    name: (setting.low, setting.high)
    for name, setting in SETTINGS.items()
    if setting.kind in ("logarithmic", "linear", "whole")
}
#: Changing one of these starts another round of the mystery.
STRUCTURE = frozenset(name for name, setting in SETTINGS.items() if setting.structure)
#: The settings under each heading, in the order in which they stand there.
GROUPS = {
    group: tuple(name for name, setting in SETTINGS.items() if setting.group == group)
    for group in ("", "Data", "Network", "Check", "Dropout, L2", "Bugs")
}
#: What means something only while a flag is set, or a bug is planted.
SWITCHED = {
    switch: tuple(name for name, setting in SETTINGS.items() if setting.needs == switch)
    for switch in dict.fromkeys(s.needs for s in SETTINGS.values() if s.needs)
}
#: A number that, when it is given, switches its term on.
SWITCHES = {
    name: setting.needs
    for name, setting in SETTINGS.items()
    if setting.kind in ("logarithmic", "linear") and setting.needs
}


def validated(name: str, value: Any) -> Any:
    """Return `value` as setting `name` holds it.

    Raises
    ------
    ValueError, TypeError
        There is no such setting, or the value is out of range or of the wrong type. The message
        says which setting, what came and what was expected.
    """
    return SETTINGS[check_choice(name, NAMES, "setting")].validated(value)


def validated_all(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that somebody starts a lab with, validated.

    Giving `l2` or `dropout_rate` switches it on, unless it is switched off in so many words.
    """
    values = {name: validated(name, value) for name, value in settings.items()}
    for rate, switch in SWITCHES.items():
        if rate in values:
            values.setdefault(switch, True)
    return values
