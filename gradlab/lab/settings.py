"""Everything that can be set in the lab, as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradlab._validate import check_bool, check_choice, check_integer, check_number
from gradlab.checking import MEASURES, SCHEMES
from gradlab.nn import ACTIVATIONS, LOSSES
from gradlab.nn.data import DATASETS

__all__ = ["LABELS", "MOST_LAYERS", "MOST_UNITS", "RANGES", "YOURS", "Settings", "validated"]

#: The data set that stands for the x and y that the caller brought.
YOURS = "yours"
#: The activation that stands for those of the caller's network, when its layers differ.
AS_GIVEN = "as given"
MOST_LAYERS, MOST_UNITS = 4, 64
#: Lowest and highest value of every setting that is a number, in its own unit.
RANGES = {
    "eps": (1e-13, 1e-1),
    "weight_scale": (1e-4, 1e2),
    "dropout_rate": (0.0, 0.9),
    "l2": (1e-6, 1e5),
    "seed": (0, 9999),
}

#: What each control is called, on the screen and in messages.
LABELS = {
    "data": "data set",
    "hidden": "hidden layers",
    "activation": "activation",
    "loss": "loss",
    "seed": "seed",
    "weight_scale": "weight scale",
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
}


@dataclass(frozen=True)
class Settings:
    """What the lab computes. Every field is a control.

    Attributes
    ----------
    data : str
        A name of `gl.data.DATASETS`, or "yours": the caller's x and y.
    hidden : tuple of int
        Units of each hidden layer: up to 4 layers of up to 64.
    activation, loss, scheme, measure : str
        Names as in `gl.mlp` and `gl.check`.
    seed : int
        Of the weights and of the dropout masks.
    weight_scale : float, 1e-4 … 1e2
        Standard deviation of the initial weights; changing it scales the same random draws.
    eps : float, 1e-13 … 1e-1
        Step of the numerical gradient, in units of the parameters.
    use_dropout, dropout_rate, freeze_masks
        Dropout after the hidden layers: whether, the fraction that is zeroed, and whether one set
        of masks serves every evaluation.
    use_l2, l2, l2_in_loss, l2_in_gradient
        ½·λ·ΣW²: whether, λ, and which of the two gradients know of it.
    """

    data: str = "moons"
    hidden: tuple[int, ...] = (16, 16)
    activation: str = "tanh"
    loss: str = "softmax_cross_entropy"
    seed: int = 0
    weight_scale: float = 0.5
    eps: float = 1e-5
    scheme: str = "central"
    measure: str = "max_relative"
    use_dropout: bool = False
    dropout_rate: float = 0.5
    freeze_masks: bool = True
    use_l2: bool = False
    l2: float = 1e-3
    l2_in_loss: bool = True
    l2_in_gradient: bool = True

    def replace(self, **changes: Any) -> Settings:
        """Return settings with some values changed; they are taken as valid."""
        return dataclasses.replace(self, **changes)


NAMES = tuple(field.name for field in dataclasses.fields(Settings))


def validated(name: str, value: Any) -> Any:
    """Return `value` as setting `name` holds it.

    Raises
    ------
    ValueError, TypeError
        There is no such setting, or the value is out of range or of the wrong type. The message
        says which setting, what came and what was expected.
    """
    return _CHECKS[check_choice(name, NAMES, "setting")](value)


def _choice(name: str, options: tuple[str, ...]) -> Callable[[Any], str]:
    return lambda value: check_choice(value, options, name)


def _number(name: str) -> Callable[[Any], float]:
    low, high = RANGES[name]
    # A logarithmic slider's end is 10**-13, which is not quite 1e-13: such a hair is no error.
    return lambda value: min(max(_near(value, name, low, high), low), high)


def _near(value: Any, name: str, low: float, high: float) -> float:
    number = check_number(value, name)
    if low * (1 - 1e-9) <= number <= high * (1 + 1e-9):
        return number
    return check_number(value, name, low, high)


def _flag(name: str) -> Callable[[Any], bool]:
    return lambda value: check_bool(value, name)


def _seed(value: Any) -> int:
    number = check_integer(value, "seed")
    if number > RANGES["seed"][1]:
        raise ValueError(f"seed must be an integer in [0, {RANGES['seed'][1]}], got {number}")
    return number


def _hidden(value: Any) -> tuple[int, ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"hidden must be a sequence of widths such as (16, 16), got {value!r}")
    widths = tuple(check_integer(w, f"hidden[{i}]", 1) for i, w in enumerate(value))
    if len(widths) > MOST_LAYERS:
        raise ValueError(f"hidden must hold at most {MOST_LAYERS} widths, got {len(widths)}")
    for i, width in enumerate(widths):
        if width > MOST_UNITS:
            raise ValueError(f"hidden[{i}] must be an integer in [1, {MOST_UNITS}], got {width}")
    return widths


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "data": _choice("data", (*DATASETS, YOURS)),
    "hidden": _hidden,
    "activation": _choice("activation", (*ACTIVATIONS, AS_GIVEN)),
    "loss": _choice("loss", LOSSES),
    "seed": _seed,
    "scheme": _choice("scheme", SCHEMES),
    "measure": _choice("measure", MEASURES),
    **{name: _number(name) for name in ("weight_scale", "eps", "dropout_rate", "l2")},
    **{
        name: _flag(name)
        for name in ("use_dropout", "freeze_masks", "use_l2", "l2_in_loss", "l2_in_gradient")
    },
}
