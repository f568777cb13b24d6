"""Multi-layer perceptrons: `gl.mlp`, and how their weights start."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from gradlab._validate import check_bool, check_choice, check_integer, check_positive
from gradlab.nn.activations import ACTIVATION_FUNCTIONS, ACTIVATIONS
from gradlab.nn.layers import Activation, BatchNorm, Dense, Dropout, Layer
from gradlab.nn.network import Network


class MLP(Network):
    """A multi-layer perceptron; see `mlp`."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    output_activation: str
    batch_norm: bool
    seed: int

    def __repr__(self) -> str:
        names = set(self.activations) or {"identity"}
        activation = names.pop() if len(names) == 1 else list(self.activations)
        parts = [str(list(self.sizes)), f"activation={activation!r}"]
        if self.output_activation != "identity":
            parts.append(f"output_activation={self.output_activation!r}")
        parts.append(f"loss={self.loss_name!r}")
        if self.l2:
            parts.append(f"l2={self.l2:g}")
        if self.dropout_rate:
            parts.append(f"dropout_rate={self.dropout_rate:g}")
        if self.batch_norm:
            parts.append("batch_norm=True")
        if self.dtype != np.float64:
            parts.append(f"dtype={self.dtype.name!r}")
        return f"mlp({', '.join(parts)}): {self.size} parameters"


def mlp(
    sizes: Sequence[int],
    activation: str | Sequence[str] = "tanh",
    output_activation: str = "identity",
    loss: str = "softmax_cross_entropy",
    l2: float = 0.0,
    dropout_rate: float = 0.0,
    weight_scale: float | None = None,
    seed: int = 0,
    dtype: str = "float64",
    batch_norm: bool = False,
) -> MLP:
    """Build a multi-layer perceptron with random weights and zero biases.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden layers, outputs: [2, 16, 16, 3] has two hidden layers of 16 units.
    activation : str or list of str, optional
        One name, or one a hidden layer: see `gl.nn.ACTIVATIONS`.
    output_activation : str, optional
        Applied to the last layer. The cross-entropies take logits: leave it "identity" there.
    loss : {"mse", "softmax_cross_entropy", "binary_cross_entropy"}, optional
        All are a mean over the N examples; mse and binary_cross_entropy sum over the K outputs.
    l2 : float, >= 0, optional
        λ of ½·λ·ΣW², over weights and never over biases.
    dropout_rate : float in [0, 1), optional
        The fraction of each hidden layer that masks zero. Inverted dropout, after the activation.
        Without `masks` a call uses no dropout.
    weight_scale : float > 0 or None, optional
        Standard deviation of the initial weights; None is 1/sqrt(D_in) for each layer.
    seed : int, >= 0, optional
        Same seed, same weights. The draws do not depend on `weight_scale`, they are scaled by it.
    dtype : {"float64", "float32"}, optional
    batch_norm : bool, optional
        Normalise each hidden layer over the batch, before its activation, with parameters gamma1,
        beta1, … (1 and 0 at first, never in L2), with the batch's own statistics always: `x` must
        hold at least 2 examples. The bias before it then has no effect, and a gradient of 0.

    Returns
    -------
    MLP

    Raises
    ------
    ValueError, TypeError
        An argument is out of range or of the wrong type; the message says which.

    Examples
    --------
    >>> import gradlab as gl
    >>> gl.mlp([2, 16, 3])
    mlp([2, 16, 3], activation='tanh', loss='softmax_cross_entropy'): 99 parameters
    """
    sizes = _check_sizes(sizes)
    names = _check_activations(activation, len(sizes) - 2)
    output_activation = check_choice(output_activation, ACTIVATIONS, "output_activation")
    if weight_scale is not None:
        weight_scale = check_positive(weight_scale, "weight_scale")
    batch_norm = check_bool(batch_norm, "batch_norm")
    rng = np.random.default_rng(check_integer(seed, "seed"))
    layers: list[Layer | Dropout] = []
    params = {}
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes), start=1):
        scale = fan_in**-0.5 if weight_scale is None else weight_scale
        params[f"W{i}"] = scale * rng.standard_normal((fan_in, fan_out))
        params[f"b{i}"] = np.zeros(fan_out)
        name = names[i - 1] if i <= len(names) else output_activation
        layers.append(Dense(f"W{i}", f"b{i}", f"z{i}"))
        if batch_norm and i <= len(names):
            params[f"gamma{i}"], params[f"beta{i}"] = np.ones(fan_out), np.zeros(fan_out)
            layers.append(BatchNorm(f"gamma{i}", f"beta{i}", name=f"norm{i}"))
        if name != "identity":
            layers.append(Activation(ACTIVATION_FUNCTIONS[name], f"a{i}"))
        if i <= len(names):
            layers.append(Dropout(i - 1, fan_out))
    net = MLP(layers, params, sizes[:1], sizes[-1], loss, l2, dropout_rate, dtype)
    net.sizes, net.activations, net.output_activation = sizes, names, output_activation
    net.batch_norm, net.weight_scale, net.seed = batch_norm, weight_scale, int(seed)
    return net


def _check_sizes(sizes: object) -> tuple[int, ...]:
    if isinstance(sizes, (str, int)) or not hasattr(sizes, "__iter__"):
        raise TypeError(f"sizes must be a list of integers such as [2, 16, 3], got {sizes!r}")
    sizes = tuple(check_integer(n, f"sizes[{i}]", 1) for i, n in enumerate(sizes))
    if len(sizes) < 2:
        raise ValueError(f"sizes must hold at least inputs and outputs, got {list(sizes)}")
    return sizes


def _check_activations(activation: object, hidden: int) -> tuple[str, ...]:
    if isinstance(activation, (list, tuple)):
        if len(activation) != hidden:
            raise ValueError(
                f"activation must be one name or a list of {hidden}, one a hidden layer, "
                f"got {len(activation)}"
            )
        return tuple(
            check_choice(name, ACTIVATIONS, f"activation[{i}]") for i, name in enumerate(activation)
        )
    return (check_choice(activation, ACTIVATIONS, "activation"),) * hidden
