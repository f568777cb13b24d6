"""From settings to the network and the examples that are checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gradlab.lab.settings import AS_GIVEN, MOST_LAYERS, MOST_UNITS, RANGES, YOURS, Settings
from gradlab.nn import data, mlp
from gradlab.nn.mlp import MLP

__all__ = ["EXAMPLES", "Given", "build_network", "examples"]

#: Examples the lab checks on: few, so that it is live (and a check needs no more).
EXAMPLES = 30


@dataclass(frozen=True, eq=False)
class Given:
    """What the caller brought: copies, so that a cell that trains on does not change the lab.

    Attributes
    ----------
    net : MLP
    x : ndarray, shape (N, D)
    y : ndarray, shape (N,) or (N, K)
    weight_scale : float
        The value of the slider at which the weights are exactly the caller's.
    """

    net: MLP
    x: np.ndarray
    y: np.ndarray
    weight_scale: float

    @staticmethod
    def check(net: MLP, x: np.ndarray, y: np.ndarray) -> Given:
        """Take copies of a network and its data.

        Raises
        ------
        TypeError, ValueError
            `net` is no MLP or too large for the controls, or `x` or `y` do not fit it.
        """
        if not isinstance(net, MLP):
            raise TypeError(f"net must be a network made by gl.mlp, got {type(net).__name__}")
        hidden = net.sizes[1:-1]
        if len(hidden) > MOST_LAYERS or max(hidden, default=0) > MOST_UNITS:
            raise ValueError(
                f"net must have at most {MOST_LAYERS} hidden layers of at most {MOST_UNITS} units "
                f"to be live, got {list(net.sizes)}; gl.check(net, x, y) takes any size"
            )
        net.loss(x, y)  # raises with the argument's name if x or y do not fit
        weights = np.concatenate([net.params[name].ravel() for name in net.weight_names])
        scale = net.weight_scale or float(np.sqrt(np.mean(weights**2))) or 1.0
        low, high = RANGES["weight_scale"]
        return Given(net.copy(), np.array(x), np.array(y), float(np.clip(scale, low, high)))

    def settings(self) -> Settings:
        """Return the settings that show the network as it was given."""
        net = self.net
        names = set(net.activations)
        default = Settings()
        return default.replace(
            data=YOURS,
            hidden=net.sizes[1:-1],
            activation=AS_GIVEN if len(names) > 1 else next(iter(names), default.activation),
            loss=net.loss_name,
            seed=net.seed,
            weight_scale=self.weight_scale,
            use_dropout=net.dropout_rate > 0,
            dropout_rate=min(net.dropout_rate, RANGES["dropout_rate"][1]) or default.dropout_rate,
            use_l2=net.l2 > 0,
            l2=float(np.clip(net.l2, *RANGES["l2"])) if net.l2 else default.l2,
        )


def examples(settings: Settings, given: Given | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Return x (N, D), y and the number of outputs K.

    `y` holds (N,) labels, or (N, K) one-hot rows where the loss wants targets.
    """
    if settings.data == YOURS:
        if given is None:
            raise ValueError("data is 'yours', but the lab was made without x and y")
        x, y, outputs = given.x, given.y, given.net.sizes[-1]
    else:
        x, y = _shipped(settings.data)
        outputs = int(y.max()) + 1
    labels = y.ndim == 1 and y.dtype.kind in "iu" and outputs > 1
    if labels and settings.loss != "softmax_cross_entropy":
        y = np.eye(outputs)[y]
    return x, y, outputs


def build_network(settings: Settings, given: Given | None, inputs: int, outputs: int) -> MLP:
    """Return the network that `settings` describe: the caller's where they still describe it.

    The weights are random draws times `weight_scale`, so moving that slider scales the same draws.
    """
    sizes = (inputs, *settings.hidden, outputs)
    source = given.net if given is not None else None
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
        dropout_rate=settings.dropout_rate if settings.use_dropout else 0.0,
        weight_scale=settings.weight_scale,
        seed=settings.seed,
        dtype=source.dtype.name if source else "float64",
    )
    if source is not None and source.sizes == sizes and source.seed == settings.seed:
        factor = settings.weight_scale / given.weight_scale
        for name, value in source.params.items():
            net.params[name] = value * factor if name in net.weight_names else value.copy()
    return net


@lru_cache(maxsize=8)
def _shipped(name: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = data.load(name, EXAMPLES, seed=0)
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y
