"""Where a lab can start: settings that show one thing each, and the verdict that they must give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gradlab import bugs
from gradlab._validate import check_choice
from gradlab.lab.model.settings import Settings
from gradlab.nn import ACTIVATIONS, LOSSES, mlp

__all__ = ["MLP_BUGS", "SCENARIOS", "Scenario", "scenario_named"]


@dataclass(frozen=True)
class Scenario:
    """Settings that show one thing.

    Attributes
    ----------
    name : str
        What `gl.Lab(scenario=…)` takes.
    title : str
    settings : mapping of str to value
        What differs from the lab's defaults.
    verdict : str
        What the check must say: "correct", "wrong" or "inconclusive".
    lesson : str
        What there is to see, one sentence.
    """

    name: str
    title: str
    settings: Mapping[str, Any]
    verdict: str
    lesson: str

    def value(self, name: str) -> Any:
        """Return what a setting is in this scenario."""
        return self.settings.get(name, getattr(Settings(), name))

    def full(self) -> Settings:
        """Return all settings."""
        return Settings().replace(**self.settings)


def _scenario(name: str, title: str, verdict: str, lesson: str, /, **settings: Any) -> Scenario:
    return Scenario(name, title, MappingProxyType(settings), verdict, lesson)


def _bugs_of_mlps() -> tuple[str, ...]:
    """Return the bugs that one MLP or another without batch norm can have."""
    nets = [
        mlp([2, 3, 3, 2], activation, loss=loss, l2=0.1, dropout_rate=0.5)
        for activation in ACTIVATIONS
        for loss in LOSSES
    ]
    return tuple(n for n in bugs.names() if any(bugs.layers(net, n) for net in nets))


MLP_BUGS = _bugs_of_mlps()

_PHENOMENA = (
    _scenario(
        "healthy",
        "Healthy",
        "correct",
        "Right code at a good step: most entries agree to nine digits or more, the worst one to "
        "seven, and the verdict says what was covered.",
    ),
    _scenario(
        "step_too_small",
        "Step too small",
        "inconclusive",
        "Two nearly equal losses are subtracted: round-off leaves about three digits of most "
        "slopes at 1e-12 and none of the smallest, and grows like 1/eps on the left arm of the U.",
        eps=1e-12,
    ),
    _scenario(
        "step_too_large",
        "Step too large",
        "inconclusive",
        "The loss bends within the step: the error falls a hundredfold for every tenth of eps, "
        "which a bug's does not.",
        eps=1e-1,
        weight_scale=1.0,
    ),
    _scenario(
        "float32",
        "float32",
        "inconclusive",
        "With seven digits the step that is best for float64 drowns in round-off: the left arm "
        "of the U stands higher and its bottom lies further right.",
        dtype="float32",
    ),
    _scenario(
        "saturated_tanh",
        "Saturated tanh",
        "correct",
        "Large weights drive tanh to ±1, where its slope is 0: many entries of right code are off "
        "by all of their size, because they are smaller than the round-off of the loss.",
        weight_scale=50.0,
    ),
    _scenario(
        "bug_hidden_by_small_weights",
        "Bug hidden by small weights",
        "correct",
        "tanh' is missing, and the check passes: near 0 tanh is a straight line; raise the weight "
        "scale and the bug comes out.",
        bug="missing_activation_derivative",
        weight_scale=1e-4,
        hidden=(16,),
        loss="mse",
    ),
    _scenario(
        "kinks",
        "Kinks",
        "inconclusive",
        "Right ReLU code: the step crosses the kinks of some units, where a difference is no "
        "slope; lower eps and they come off one by one, but before the last one does round-off "
        "hides what is left.",
        activation="relu",
        weight_scale=1e-2,
        eps=1e-3,
    ),
    _scenario(
        "dropout_redrawn",
        "Dropout redrawn",
        "inconclusive",
        "New masks at every evaluation: two different functions are subtracted, and the numerical "
        "gradient grows like 1/eps.",
        use_dropout=True,
        freeze_masks=False,
    ),
    _scenario(
        "dropout_frozen",
        "Dropout frozen",
        "correct",
        "The same masks at every evaluation make dropout a function like any other.",
        use_dropout=True,
    ),
    _scenario(
        "l2_forgotten_in_the_gradient",
        "L2 forgotten in the gradient",
        "wrong",
        "The weights are wrong and the biases right, and what is off is λW: the loss has a term "
        "that the gradient lacks.",
        use_l2=True,
        l2=0.1,
        l2_in_gradient=False,
    ),
    _scenario(
        "l2_swamps_the_data",
        "L2 swamps the data",
        "wrong",
        "The sign is flipped, and the weights' norm ratio, below 1e-4, hardly shows it beside "
        "λ = 1e4: the biases, which L2 leaves alone, are at 1.",
        use_l2=True,
        l2=1e4,
        bug="flipped_sign",
        measure="norm_ratio",
    ),
    _scenario(
        "vanishing_gradients_in_eight_layers",
        "Vanishing gradients in eight layers",
        "inconclusive",
        "Each layer shrinks the signal on its way down: what reaches the first ones moves the "
        "loss by little more than its round-off.",
        hidden=(8,) * 8,
        activation="sigmoid",
        weight_scale=0.1,
    ),
)

_L2 = {"use_l2": True, "l2": 0.1}
_DROPOUT = {"use_dropout": True, "dropout_rate": 0.3}
_MSE = {"loss": "mse"}
#: What a bug needs, where the defaults are not enough.
_NEEDS = {
    "missing_factor_2": _MSE,
    "mean_over_outputs": {**_MSE, "data": "iris"},
    "missing_l2": _L2,
    "doubled_l2": _L2,
    "l2_over_n": _L2,
    "negated_l2": _L2,
    "l2_on_biases": {**_L2, "train_steps": 50},  # biases are 0 at first, and hide it
    "missing_dropout_mask": _DROPOUT,
    "missing_dropout_scale": _DROPOUT,
    "redrawn_dropout_mask": _DROPOUT,
    "relu_masks_by_gradient": {"activation": "relu"},
    "leaky_slope_dropped": {"activation": "leaky_relu"},
}


def _of_bug(name: str) -> Scenario:
    about = bugs.describe(name)
    # what follows is about other networks than the lab's; its smallest λ hides nothing
    hides = "" if about.blind.startswith("a small λ") else re.split("[;:]", about.blind)[0]
    blind = f" What hides it: {hides}." if hides else ""
    return Scenario(
        f"bug_{name}",
        f"Bug: {bugs.describe(name).title}",
        MappingProxyType({"bug": name, **_NEEDS.get(name, {})}),
        "wrong",
        f"{about.summary[:1].upper()}{about.summary[1:]}.{blind}",
    )


#: All scenarios, by name, in the order to be shown in.
SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {s.name: s for s in (*_PHENOMENA, *(_of_bug(name) for name in MLP_BUGS))}
)


def scenario_named(name: str) -> Scenario:
    """Return the scenario called `name`.

    Raises
    ------
    ValueError, TypeError
        There is none; the message lists all and says which name is nearest.
    """
    return SCENARIOS[check_choice(name, tuple(SCENARIOS), "scenario")]
