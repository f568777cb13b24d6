"""What each setting may be, and what it is called."""

from __future__ import annotations

from gradlab.bugs import names

__all__ = [
    "AS_GIVEN",
    "BUGS",
    "DEEPEST",
    "LABELS",
    "MOST_LAYERS",
    "MOST_UNITS",
    "MYSTERY",
    "NO_BUG",
    "RANGES",
    "STRUCTURE",
    "YOURS",
]

#: The data set that stands for the x and y that the caller brought.
YOURS = "yours"
#: The activation that stands for those of the caller's network, when its layers differ.
AS_GIVEN = "as given"
#: Hidden layers that the control has boxes for; a setting may name up to `DEEPEST`.
MOST_LAYERS, MOST_UNITS = 4, 64
DEEPEST = 8
#: No bug, and one that the lab picks and does not tell.
NO_BUG, MYSTERY = "none", "mystery"
#: All values of `bug`; a network can have some of them (`LabState.bug_choices`).
BUGS = (NO_BUG, *names(), MYSTERY)

#: Changing one of these starts another round of the mystery.
STRUCTURE = {"data", "hidden", "activation", "loss", "use_dropout", "use_l2", "l2_in_gradient"}

#: Lowest and highest value of every setting that is a number, in its own unit.
RANGES = {
    "eps": (1e-13, 1e-1),
    "weight_scale": (1e-4, 1e2),
    "dropout_rate": (0.0, 0.9),
    "l2": (1e-6, 1e5),
    "seed": (0, 9999),
    "train_steps": (0, 500),
    "bug_layer": (0, DEEPEST + 1),
}

#: What each control is called, on the screen and in messages.
LABELS = {
    "data": "data set",
    "hidden": "hidden layers",
    "activation": "activation",
    "loss": "loss",
    "seed": "seed",
    "dtype": "number type",
    "weight_scale": "weight scale",
    "train_steps": "training steps",
    "eps": "step eps",
    "scheme": "scheme",
    "measure": "error measure",
    "use_dropout": "dropout",
    "dropout_rate": "dropout rate",
    "freeze_masks": "freeze masks",
    "use_l2": "L2",
    "l2": "λ of L2",
    "l2_in_loss": "L2 in the numerical loss",
    "l2_in_gradient": "L2 in the analytic gradient",
    "bug": "bug",
    "bug_layer": "bug layer",
    "tensor": "tensor shown",
}
