"""A network and data that the caller brought to the lab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.lab.model import budget
from gradlab.lab.model.function import Function
from gradlab.lab.model.settings import (
    AS_GIVEN,
    DEEPEST,
    MOST_EXAMPLES,
    MOST_UNITS,
    RANGES,
    SETTINGS,
    YOURS,
    Settings,
)
from gradlab.nn.convnet import ConvNet
from gradlab.nn.lstm import LSTMNet
from gradlab.nn.mlp import MLP
from gradlab.nn.network import Network, scaled, weight_scale_of

__all__ = ["OwnNetwork", "applicable"]


def applicable(brought: OwnNetwork | Function | None) -> frozenset[str]:
    """Return the names of the settings that mean something for the network that is shown."""
    kind = "mlp" if brought is None else brought.kind
    return frozenset(name for name, setting in SETTINGS.items() if kind in setting.subjects)


@dataclass(frozen=True, eq=False)
class OwnNetwork:
    """What the caller brought: copies, so that a cell that trains on does not change the lab.

    Attributes
    ----------
    net : Network
        Of gl.mlp, gl.convnet or gl.lstm.
    x : ndarray, shape (N, D), (N, C, H, W) or (T, N, D)
    y : ndarray
    weight_scale : float
        The value of the slider at which the weights are exactly the caller's: their standard
        deviation for an MLP, else 1, and the slider is a factor.
    """

    net: Network
    x: np.ndarray
    y: np.ndarray
    weight_scale: float

    @staticmethod
    def check(net: Network, x: np.ndarray, y: np.ndarray) -> OwnNetwork:
        """Take copies of a network and its data.

        Raises
        ------
        TypeError, ValueError
            `net` is of another kind or too large to be live, or `x` or `y` do not fit it.
        """
        if not isinstance(net, tuple(_KINDS)):
            raise TypeError(
                "net must be a network made by gl.mlp, gl.convnet or gl.lstm, "
                f"got {type(net).__name__}"
            )
        if isinstance(net, MLP):
            _check_sizes(net, x)
        for name, value in (("l2", net.l2), ("dropout_rate", net.dropout_rate)):
            low, high = RANGES[name]
            if value and not low <= value <= high:
                raise ValueError(
                    f"net.{name} must be 0 or in [{low:g}, {high:g}] for the lab, which has a "
                    f"slider for it, got {value:g}; gl.check(net, x, y) takes any"
                )
        net.loss(x, y)  # raises with the argument's name if x or y do not fit
        budget.refuse_what_is_too_large(net, _some(net, x, y))
        return OwnNetwork(net.copy(), np.array(x), np.array(y), _weight_scale(net))

    @property
    def kind(self) -> str:
        """What it is, as settings call it: "mlp", "convnet" or "lstm"."""
        return next(kind for of, kind in _KINDS.items() if isinstance(self.net, of))

    def first(self, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
        """Return the examples that the settings ask for, and of sequences the first steps."""
        rows = np.arange(min(settings.examples, budget.count(self.net, self.x)))
        x, y = self.net.pick(self.x, self.y, rows)
        if settings.time_steps and isinstance(self.net, LSTMNet):
            steps = slice(settings.time_steps)
            x, y = x[steps], y[steps] if self.net.every_step else y
        return x, y

    def settings(self) -> Settings:
        """Return the settings that show the network as it was given."""
        net, default = self.net, Settings()
        about_net = (
            self._settings_of_mlp()
            if isinstance(net, MLP)
            else {
                "hidden": (),
                "activation": AS_GIVEN,
            }
        )
        return default.replace(
            data=YOURS,
            examples=min(budget.count(net, self.x), MOST_EXAMPLES),
            loss=net.loss_name,
            seed=net.seed,
            dtype=net.dtype.name,
            weight_scale=self.weight_scale,
            use_l2=net.l2 > 0,
            l2=net.l2 or default.l2,
            **about_net,
        )

    def describes(self, settings: Settings, sizes: tuple[int, ...]) -> bool:
        """Tell whether `settings` ask for just this MLP, but for its weights' scale."""
        own = self.settings()
        same = all(getattr(own, n) == getattr(settings, n) for n in ("activation", "loss"))
        return same and (self.net.sizes, self.net.seed) == (sizes, settings.seed)

    def scaled(self, settings: Settings) -> Network:
        """Return a copy with its weights scaled, in the settings' number type."""
        net = scaled(self.net, settings.weight_scale / self.weight_scale)
        net.dtype = np.dtype(settings.dtype)
        net.params = {name: value.astype(net.dtype) for name, value in net.params.items()}
        return net

    def _settings_of_mlp(self) -> dict[str, Any]:
        net, default, names = self.net, Settings(), set(self.net.activations)
        return {
            "hidden": net.sizes[1:-1],
            "activation": AS_GIVEN if len(names) > 1 else next(iter(names), default.activation),
            "use_dropout": net.dropout_rate > 0,
            "dropout_rate": min(net.dropout_rate, RANGES["dropout_rate"][1])
            or default.dropout_rate,
        }


_KINDS = {MLP: "mlp", ConvNet: "convnet", LSTMNet: "lstm"}


def _some(net: Network, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the inputs of as many examples as the lab takes at most."""
    rows = np.arange(min(budget.count(net, x), MOST_EXAMPLES))
    return net.pick(np.asarray(x), np.asarray(y), rows)[0]


def _check_sizes(net: MLP, x: np.ndarray) -> None:
    """Raise if an MLP has other sizes than the lab's controls can show."""
    hidden = net.sizes[1:-1]
    if len(hidden) > DEEPEST or max(hidden, default=0) > MOST_UNITS:
        raise ValueError(
            f"net must have at most {DEEPEST} hidden layers of at most {MOST_UNITS} units "
            f"to be live, got {list(net.sizes)}: {budget.way_on(net, x)}"
        )


def _weight_scale(net: Network) -> float:
    if not isinstance(net, MLP):
        return 1.0
    low, high = RANGES["weight_scale"]
    return float(np.clip(weight_scale_of(net) or 1.0, low, high))
