"""Everything that can be set in the lab, as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gradlab._validate import check_bool, check_choice, check_integer, check_number
from gradlab.checking import MEASURES, SCHEMES
from gradlab.lab.model.ranges import (
    AS_GIVEN,
    BUGS,
    DEEPEST,
    MOST_UNITS,
    NO_BUG,
    RANGES,
    YOURS,
)
from gradlab.nn import ACTIVATIONS, LOSSES
from gradlab.nn.data import DATASETS
from gradlab.nn.parameters import DTYPES

__all__ = ["NAMES", "SWITCHES", "Settings", "validated", "validated_all"]


@dataclass(frozen=True)
class Settings:
    """What the lab computes. Every field is a control.

    Attributes
    ----------
    data : str
        A name of `gl.data.DATASETS`, or "yours": the caller's x and y.
    hidden : tuple of int
        Units of each hidden layer: up to 8 layers of up to 64.
    activation, loss, scheme, measure : str
        Names as in `gl.mlp` and `gl.check`.
    seed : int
        Of the weights, of the dropout masks and of the training.
    weight_scale : float, 1e-4 … 1e2
        Standard deviation of the initial weights; changing it scales the same random draws.
    eps : float, 1e-13 … 1e-1
        Step of the numerical gradient, in units of the parameters.
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
    tensor : str
        Which tensor is looked at closely; "" is the one with the largest error.
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
    dtype: str = "float64"
    train_steps: int = 0
    bug: str = NO_BUG
    bug_layer: int = 0
    tensor: str = ""

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


def validated_all(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that somebody starts a lab with, validated.

    Giving `l2` or `dropout_rate` switches it on, unless it is switched off in so many words.
    """
    values = {name: validated(name, value) for name, value in settings.items()}
    for rate, switch in SWITCHES.items():
        if rate in values:
            values.setdefault(switch, True)
    return values


#: A number that, when it is given, switches its term on.
SWITCHES = {"l2": "use_l2", "dropout_rate": "use_dropout"}


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


def _integer(name: str) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number, (low, high) = check_integer(value, name), RANGES[name]
        if number > high and name != "seed":  # the control ends there, seeds do not
            raise ValueError(f"{name} must be an integer in [{low}, {high}], got {number}")
        return number

    return check


def _hidden(value: Any) -> tuple[int, ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"hidden must be a sequence of widths such as (16, 16), got {value!r}")
    widths = tuple(check_integer(w, f"hidden[{i}]", 1) for i, w in enumerate(value))
    if len(widths) > DEEPEST:
        raise ValueError(f"hidden must hold at most {DEEPEST} widths, got {len(widths)}")
    for i, width in enumerate(widths):
        if width > MOST_UNITS:
            raise ValueError(f"hidden[{i}] must be an integer in [1, {MOST_UNITS}], got {width}")
    return widths


def _tensor(value: Any) -> str:
    # Which names there are depends on the network: the rest is checked when there is one.
    if not isinstance(value, str):
        raise TypeError(f'tensor must be a name such as "W1", or "", got {value!r}')
    return value


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "data": _choice("data", (*DATASETS, YOURS)),
    "hidden": _hidden,
    "activation": _choice("activation", (*ACTIVATIONS, AS_GIVEN)),
    "loss": _choice("loss", LOSSES),
    "scheme": _choice("scheme", SCHEMES),
    "measure": _choice("measure", MEASURES),
    "dtype": _choice("dtype", DTYPES),
    "bug": _choice("bug", BUGS),
    "tensor": _tensor,
    **{name: _integer(name) for name in ("seed", "train_steps", "bug_layer")},
    **{name: _number(name) for name in ("weight_scale", "eps", "dropout_rate", "l2")},
    **{
        name: _flag(name)
        for name in ("use_dropout", "freeze_masks", "use_l2", "l2_in_loss", "l2_in_gradient")
    },
}
