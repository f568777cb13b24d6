"""From settings to the network and the examples that are checked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from gradlab.bugs import Secret
from gradlab.lab.model import budget
from gradlab.lab.model.function import COARSE, FULL_SWEEP, SAMPLES, Function
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.planted import planted_in
from gradlab.lab.model.settings import (
    AS_GIVEN,
    DIRECTION,
    MOST_EXAMPLES,
    SAMPLED,
    YOURS,
    Settings,
)
from gradlab.lab.model.training import Trainer
from gradlab.nn import data, mlp
from gradlab.nn.layers import BatchNorm, Dropout, Masks
from gradlab.nn.mlp import MLP
from gradlab.nn.network import Network

__all__ = ["NO_NETWORK", "Problem", "pose"]

#: Of the shipped sets so many come from one draw; more are added to them, so that these stay.
_DRAWN = 30


#: What a picture of the network says where there is none.
NO_NETWORK = "a function is checked: there is no network"


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
    samples : int or None
        How many entries of each tensor are checked; None is all.
    dormant : str
        Why no bug that is planted can show: "dropout is off"; "" if one can, or there is none.
    remark : str
        What there is to say about the training: that it raised the loss; "" for nothing.
    function : Function or None
        What is checked by plain evaluations: the caller's function, for which there is neither a
        network nor data (they are None), or the loss along random directions.
    planted : Network or None
        `in_gradient` with what is planted in it: its gradient is `analytic`.
    memo : dict
        What was found out about it, for as long as it is.
    """

    net: Network | None
    in_gradient: Network | None
    x: np.ndarray | None
    y: np.ndarray | None
    analytic: dict[str, np.ndarray]
    samples: int | None
    dormant: str = ""
    remark: str = ""
    function: Function | None = None
    planted: Network | None = None
    memo: dict[str, Any] = field(default_factory=dict, repr=False)

    def sizes(self, settings: Settings) -> dict[str, int]:
        """Return how many entries there are of each tensor that the report tells of."""
        if settings.method == DIRECTION:
            return {"theta": SAMPLES}
        return {name: value.size for name, value in self.analytic.items()}

    def stride(self, settings: Settings, *, coarse: bool) -> int:
        """Return which steps of the sweep to take, while something moves or at rest."""
        if self.function is None:
            limit = budget.COARSE if coarse else budget.FULL
            return budget.stride(settings, self.net, self.x, limit)
        sizes = self.sizes(settings).values()
        entries = sum(min(size, self.samples or size) for size in sizes)
        return self.function.stride(entries, COARSE if coarse else FULL_SWEEP)

    @property
    def sampling(self) -> dict[str, Any]:
        """Which entries `gl.check` and `gl.sweep_eps` take: the same in both."""
        return {} if self.samples is None else {"method": "sampled", "samples": self.samples}

    def masks(self, settings: Settings) -> Masks:
        """Return the dropout masks for these examples."""
        return draw_masks(settings, self.net, budget.count(self.net, self.x))


def pose(
    settings: Settings,
    brought: OwnNetwork | Function | None = None,
    trainer: Trainer | None = None,
    secret: Secret | None = None,
) -> Problem:
    """Build the network, train it if it is to be trained, and compute its gradient."""
    if isinstance(brought, Function):
        return _pose_function(brought, settings)
    x, y, outputs = examples(settings, brought)
    net = build_network(settings, brought, x, outputs)
    if settings.data != YOURS:
        n = budget.affordable_examples(settings, net, x)
        x, y = x[:n], y[:n]
    l2 = settings.l2 if settings.use_l2 else 0.0
    _add_to_biases(net, settings)
    in_loss = net.replace(l2=l2 if settings.l2_in_loss else 0.0)
    remark = ""
    if settings.train_steps:
        before, in_loss = in_loss, (trainer or Trainer())(in_loss, x, y, settings)
        remark = _on_training(before.loss(x, y), in_loss.loss(x, y))
    in_gradient = in_loss.replace(l2=l2 if settings.l2_in_gradient else 0.0)
    planted = planted_in(in_gradient, settings, secret)
    n = budget.count(net, x)
    analytic = planted.net.gradient(x, y, draw_masks(settings, net, n))
    _refuse_overflow(analytic)
    samples = budget.samples(settings, net, x)
    if settings.method == SAMPLED:
        samples = min(SAMPLES, samples or SAMPLES)
    posed = Problem(
        in_loss, in_gradient, x, y, analytic, samples, planted.dormant, remark, planted=planted.net
    )
    return posed if settings.method != DIRECTION else _along_directions(posed, settings)


def _on_training(before: float, after: float) -> str:
    return f"training raised the loss, from {before:.2g} to {after:.2g}" if after > before else ""


def _along_directions(posed: Problem, settings: Settings) -> Problem:
    """Return the problem with its loss as a function, to be checked along directions."""
    if settings.scheme != "central":
        raise ValueError(
            f"method 'directional' takes central differences, and scheme is {settings.scheme!r}: "
            "choose central, or another method"
        )
    net, theta = posed.net, posed.net.theta
    loss = net.loss_function(posed.x, posed.y, posed.masks(settings))
    gradient = net.unroll(posed.analytic)
    tensors = {"theta": (0, theta.size, (theta.size,))}
    function = Function(loss, lambda _: gradient, theta, tensors)
    return replace(posed, function=function, samples=None)


def _pose_function(function: Function, settings: Settings) -> Problem:
    analytic = function.analytic()
    _refuse_overflow(analytic)
    samples = function.samples
    if settings.method == SAMPLED:
        samples = min(SAMPLES, samples or SAMPLES)
    return Problem(None, None, None, None, analytic, samples, function=function)


def _refuse_overflow(analytic: dict[str, np.ndarray]) -> None:
    broken = [name for name, grad in analytic.items() if not np.isfinite(grad).all()]
    if broken:
        raise ValueError(
            f"the gradient of {', '.join(broken)} is not finite: the outputs overflow; "
            "lower the weight scale"
        )


def examples(settings: Settings, brought: OwnNetwork | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Return x (N, …), y and the number of outputs K.

    `y` holds (N,) labels, or (N, K) one-hot rows where the loss wants targets.
    """
    if settings.data == YOURS:
        if brought is None:
            raise ValueError("data is 'yours', but the lab was made without x and y")
        (x, y), outputs = brought.first(settings), brought.net.outputs
    else:
        x, y = _shipped(settings.data)
        outputs = int(y.max()) + 1
        x, y = x[: settings.examples], y[: settings.examples]
    if settings.data_scale != 1:
        x = x * settings.data_scale
    if brought is not None and not isinstance(brought.net, MLP):
        return x, y, outputs
    labels = y.ndim == 1 and y.dtype.kind in "iu" and outputs > 1
    if labels and settings.loss != "softmax_cross_entropy":
        y = np.eye(outputs)[y]
    return x, y, outputs


def build_network(
    settings: Settings, brought: OwnNetwork | None, x: np.ndarray, outputs: int
) -> Network:
    """Return the network that `settings` describe: the caller's where they still describe it.

    The weights are random draws times `weight_scale`, so moving that slider scales the same draws.
    """
    if brought is not None and not isinstance(brought.net, MLP):
        return brought.scaled(settings)
    rate = settings.dropout_rate if settings.use_dropout else 0.0
    source = brought.net if brought is not None else None
    sizes = (x.shape[1], *settings.hidden, outputs)
    if source is not None and brought.describes(settings, sizes):
        # with a backward pass of its own, if it has one
        return brought.scaled(settings).replace(dropout_rate=rate)
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
        net.params = brought.scaled(settings).params
    return net


def _add_to_biases(net: Network, settings: Settings) -> None:
    """Add random draws times `bias_scale` to the biases of a network that nobody else has."""
    rng = np.random.default_rng((settings.seed, 2))  # apart from weights and masks
    for layer in net.layers if settings.bias_scale else ():
        if isinstance(layer, (Dropout, BatchNorm)):
            continue
        for name in (n for n in layer.param_names if n not in layer.weight_names):
            draws = settings.bias_scale * rng.standard_normal(net.params[name].shape)
            net.params[name] = (net.params[name] + draws).astype(net.dtype)


def draw_masks(settings: Settings, net: Network, n: int) -> Masks:
    """Return the same masks at every call, or a generator that draws anew at every evaluation."""
    if not settings.use_dropout:
        return None
    rng = np.random.default_rng((settings.seed, 1))  # apart from the draws of the weights
    return net.draw_masks(n, rng) if settings.freeze_masks else rng


@lru_cache(maxsize=8)
def _shipped(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return as many examples as the lab takes at most; the first of them are always the same."""
    x, y = data.load(name, _DRAWN, seed=0)
    if name in ("moons", "spirals"):  # drawn anew for each size
        more = data.load(name, MOST_EXAMPLES - _DRAWN, seed=1)
        x, y = (np.concatenate(pair) for pair in zip((x, y), more, strict=True))
    else:  # each row once: iris has 150
        x, y = (values[:MOST_EXAMPLES] for values in data.load(name, seed=0))
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y
