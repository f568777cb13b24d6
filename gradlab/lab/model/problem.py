"""From settings to the network and the examples that are checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gradlab.bugs import Secret
from gradlab.lab.model import budget
from gradlab.lab.model.given import Given
from gradlab.lab.model.planted import place_of_bug, seconds_of_a_backprop
from gradlab.lab.model.ranges import AS_GIVEN, YOURS
from gradlab.lab.model.settings import Settings
from gradlab.lab.model.training import Trainer
from gradlab.nn import data, mlp
from gradlab.nn.dropout import Masks
from gradlab.nn.mlp import MLP
from gradlab.nn.network import Network

__all__ = ["Problem", "pose"]

#: Examples the lab checks on: few, so that it is live (and a check needs no more).
EXAMPLES = 30


@dataclass(frozen=True, eq=False)
class Problem:
    """What is checked, but for the step: network, examples, and the gradient to compare.

    Attributes
    ----------
    net : Network
        Its `l2` is that of the numerical loss.
    in_gradient : Network
        The same with the `l2` of the analytic gradient, and no bug.
    x, y : ndarray
    analytic : dict of ndarray
        The gradient by backpropagation.
    backprop_seconds : float
        How long that takes.
    samples : int or None
        How many entries of each tensor are checked; None is all.
    planted : Network
        `in_gradient` with what is planted in it: its gradient is `analytic`.
    """

    net: Network
    in_gradient: Network
    x: np.ndarray
    y: np.ndarray
    analytic: dict[str, np.ndarray]
    backprop_seconds: float
    samples: int | None
    planted: Network

    @property
    def sampling(self) -> dict[str, Any]:
        """Which entries `gl.check` and `gl.sweep_eps` take: the same in both."""
        return {} if self.samples is None else {"method": "sampled", "samples": self.samples}

    def masks(self, settings: Settings) -> Masks:
        """Return the dropout masks for these examples."""
        return draw_masks(settings, self.net, budget.count(self.net, self.x))


def pose(
    settings: Settings,
    given: Given | None = None,
    trainer: Trainer | None = None,
    secret: Secret | None = None,
) -> Problem:
    """Build the network, train it if it is to be trained, and compute its gradient."""
    x, y, outputs = examples(settings, given)
    net = build_network(settings, given, x, outputs)
    if settings.data != YOURS:
        n = budget.affordable_examples(settings, net, x)
        x, y = x[:n], y[:n]
    l2 = settings.l2 if settings.use_l2 else 0.0
    in_loss = net.replace(l2=l2 if settings.l2_in_loss else 0.0)
    if settings.train_steps:
        in_loss = (trainer or Trainer())(in_loss, x, y, settings)
    in_gradient = in_loss.replace(l2=l2 if settings.l2_in_gradient else 0.0)
    place = place_of_bug(settings, in_gradient, secret)
    n = budget.count(net, x)
    planted = in_gradient if place is None else place.plant(in_gradient)
    analytic = planted.gradient(x, y, draw_masks(settings, net, n))
    broken = [name for name, grad in analytic.items() if not np.isfinite(grad).all()]
    if broken:
        raise ValueError(
            f"the gradient of {', '.join(broken)} is not finite: the outputs overflow; "
            "lower the weight scale"
        )
    seconds = seconds_of_a_backprop(in_gradient, x, y, draw_masks(settings, net, n))
    samples = budget.samples(settings, net, x)
    return Problem(in_loss, in_gradient, x, y, analytic, seconds, samples, planted)


def examples(settings: Settings, given: Given | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Return x (N, …), y and the number of outputs K.

    `y` holds (N,) labels, or (N, K) one-hot rows where the loss wants targets.
    """
    if settings.data == YOURS:
        if given is None:
            raise ValueError("data is 'yours', but the lab was made without x and y")
        x, y, outputs = given.x, given.y, given.net.outputs
        if not isinstance(given.net, MLP):
            return x, y, outputs
    else:
        x, y = _shipped(settings.data)
        outputs = int(y.max()) + 1
    labels = y.ndim == 1 and y.dtype.kind in "iu" and outputs > 1
    if labels and settings.loss != "softmax_cross_entropy":
        y = np.eye(outputs)[y]
    return x, y, outputs


def build_network(settings: Settings, given: Given | None, x: np.ndarray, outputs: int) -> Network:
    """Return the network that `settings` describe: the caller's where they still describe it.

    The weights are random draws times `weight_scale`, so moving that slider scales the same draws.
    """
    if given is not None and not isinstance(given.net, MLP):
        return given.scaled(settings)
    rate = settings.dropout_rate if settings.use_dropout else 0.0
    source = given.net if given is not None else None
    sizes = (x.shape[1], *settings.hidden, outputs)
    if source is not None and given.describes(settings, sizes):
        return given.scaled(settings).replace(dropout_rate=rate)  # with a backward pass of its own
    activation = settings.activation
    if activation == AS_GIVEN:
        if source is None or len(source.activations) != len(settings.hidden):
            raise ValueError(
                "activation is 'as given', but the network that was given has other layers; "
                "choose one of the named activations"
            )
        activation = list(source.activations)
    net = mlp(
        sizes,
        activation=activation,
        output_activation=source.output_activation if source else "identity",
        loss=settings.loss,
        dropout_rate=rate,
        weight_scale=settings.weight_scale,
        seed=settings.seed,
        dtype=settings.dtype,
        batch_norm=source.batch_norm if source else False,
    )
    if source is not None and source.sizes == sizes and source.seed == settings.seed:
        net.params = given.scaled(settings).params
    return net


def draw_masks(settings: Settings, net: Network, n: int) -> Masks:
    """Return the same masks at every call, or a generator that draws anew at every evaluation."""
    if not settings.use_dropout:
        return None
    rng = np.random.default_rng((settings.seed, 1))  # apart from the draws of the weights
    return net.draw_masks(n, rng) if settings.freeze_masks else rng


@lru_cache(maxsize=8)
def _shipped(name: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = data.load(name, EXAMPLES, seed=0)
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y
