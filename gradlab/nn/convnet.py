"""Small convolutional networks: Input, Conv1, Pool1, Conv2, Pool2, ReLU, Output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradlab._validate import check_choice, check_integer, check_positive
from gradlab.nn.activations import ACTIVATION_FUNCTIONS
from gradlab.nn.convolution import Conv
from gradlab.nn.layers import Activation, Dense
from gradlab.nn.network import Network
from gradlab.nn.pooling import AveragePool, MaxPool

POOLS = ("max", "average")


class ConvNet(Network):
    """A network of two convolutions; see `convnet`."""

    image_shape: tuple[int, int, int]
    filters: tuple[int, int]
    kernels: tuple[tuple[int, int], tuple[int, int]]
    padding: tuple[int, int]
    pool: str
    classes: int
    seed: int

    def __repr__(self) -> str:
        kernels = tuple(kh if kh == kw else (kh, kw) for kh, kw in self.kernels)
        parts = [str(self.image_shape), f"filters={self.filters}", f"kernels={kernels}"]
        parts += [f"padding={self.padding}", f"pool={self.pool!r}", f"classes={self.classes}"]
        parts.append(f"loss={self.loss_name!r}")
        if self.l2:
            parts.append(f"l2={self.l2:g}")
        if self.dtype != np.float64:
            parts.append(f"dtype={self.dtype.name!r}")
        return f"convnet({', '.join(parts)}): {self.size} parameters"


def convnet(
    image_shape: Sequence[int],
    filters: Sequence[int] = (4, 6),
    kernels: Sequence[int | Sequence[int]] = (3, 3),
    padding: Sequence[int] = (0, 0),
    pool: str = "max",
    classes: int = 10,
    loss: str = "softmax_cross_entropy",
    l2: float = 0.0,
    weight_scale: float | None = None,
    seed: int = 0,
    dtype: str = "float64",
) -> ConvNet:
    """Build Input → Conv1 → Pool1 → Conv2 → Pool2 → ReLU → Output, with random weights.

    Convolutions are cross-correlations with stride 1 and zero padding, pools take windows of 2 x 2
    with stride 2, and the one ReLU stands after Pool2. Images are x (N, C, H, W).

    Parameters
    ----------
    image_shape : (int, int, int)
        Channels, rows and columns of an image. What reaches each pool must have an even number of
        rows and of columns.
    filters : (int, int), optional
        Output channels of each convolution.
    kernels : two of int or (int, int), optional
        Rows and columns of each convolution's kernel; one int is both.
    padding : (int, int), optional
        Rows and columns of zeros around what goes into each convolution.
    pool : {"max", "average"}, optional
    classes : int, optional
        The number of outputs K.
    loss : {"mse", "softmax_cross_entropy", "binary_cross_entropy"}, optional
        A mean over the N images.
    l2 : float, >= 0, optional
        λ of ½·λ·ΣW², over the weights and never over the biases.
    weight_scale : float > 0 or None, optional
        Standard deviation of the initial weights; None is 1/sqrt(fan-in) for each layer.
    seed : int, >= 0, optional
        Same seed, same weights.
    dtype : {"float64", "float32"}, optional

    Returns
    -------
    ConvNet
        With conv1_W (F, C, kh, kw), conv1_b (F,), conv2_W, conv2_b, out_W (flat, K), out_b (K,);
        "flat" counts a ReLU output's channels, rows and columns, in this order. Biases are 0.

    Raises
    ------
    ValueError, TypeError
        An argument is out of range or of the wrong type; the message says which.

    Examples
    --------
    >>> import gradlab as gl
    >>> gl.convnet((1, 8, 8), padding=(1, 1)).size
    512
    """
    image = _check_integers(image_shape, "image_shape", 3, "channels, rows and columns")
    filters = _check_integers(filters, "filters", 2, "one a convolution")
    kernels = _check_kernels(kernels)
    padding = _check_integers(padding, "padding", 2, "one a convolution", low=0)
    check_choice(pool, POOLS, "pool")
    classes = check_integer(classes, "classes", 1)
    if weight_scale is not None:
        weight_scale = check_positive(weight_scale, "weight_scale")
    rng = np.random.default_rng(check_integer(seed, "seed"))
    params, layers, shape = {}, [], image
    for i, (f, kernel, p) in enumerate(zip(filters, kernels, padding, strict=True), start=1):
        params |= _draw(rng, f"conv{i}", (f, shape[0], *kernel), f, weight_scale)
        layers.append(Conv(f"conv{i}_W", f"conv{i}_b", p, f"conv{i}"))
        layers.append((MaxPool if pool == "max" else AveragePool)(f"pool{i}"))
        shape = _pooled_shape(f, shape, kernel, p, image, i)
    layers.append(Activation(ACTIVATION_FUNCTIONS["relu"], "relu"))
    layers.append(Dense("out_W", "out_b", "output"))
    params |= _draw(rng, "out", (int(np.prod(shape)), classes), classes, weight_scale)
    net = ConvNet(layers, params, image, classes, loss, l2, 0.0, dtype)
    net.image_shape, net.filters, net.kernels, net.padding = image, filters, kernels, padding
    net.pool, net.classes, net.weight_scale, net.seed = pool, classes, weight_scale, int(seed)
    return net


def _draw(
    rng: np.random.Generator, name: str, shape: tuple[int, ...], units: int, scale: float | None
) -> dict[str, np.ndarray]:
    """Return random weights of `shape` and a zero bias for each of `units`."""
    scale = (np.prod(shape) / units) ** -0.5 if scale is None else scale
    return {f"{name}_W": scale * rng.standard_normal(shape), f"{name}_b": np.zeros(units)}


def _pooled_shape(
    filters: int,
    shape: tuple[int, int, int],
    kernel: tuple[int, int],
    padding: int,
    image: tuple[int, int, int],
    i: int,
) -> tuple[int, int, int]:
    """Return the shape after a convolution and its pool, or raise if the pool does not fit."""
    height, width = (n + 2 * padding - k + 1 for n, k in zip(shape[1:], kernel, strict=True))
    if height < 2 or width < 2 or height % 2 or width % 2:
        raise ValueError(
            "image_shape must leave an even number of rows and columns, 2 or more, for each 2 x 2 "
            f"pool, got {image}: conv{i} makes {max(height, 0)} x {max(width, 0)} of "
            f"{shape[1]} x {shape[2]} pixels (kernel {kernel[0]} x {kernel[1]}, padding {padding})"
        )
    return filters, height // 2, width // 2


def _check_integers(
    value: object, argument: str, length: int, what: str, low: int = 1
) -> tuple[int, ...]:
    if not isinstance(value, (tuple, list, np.ndarray)):
        raise TypeError(f"{argument} must be {length} integers, {what}, got {value!r}")
    if len(value) != length:
        raise ValueError(f"{argument} must be {length} integers, {what}, got {len(value)}")
    return tuple(check_integer(n, f"{argument}[{i}]", low) for i, n in enumerate(value))


def _check_kernels(value: object) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(
            f"kernels must be 2 integers or pairs (rows, columns), one a convolution, got {value!r}"
        )
    pairs = [k if isinstance(k, (tuple, list)) else (k, k) for k in value]
    return tuple(
        _check_integers(pair, f"kernels[{i}]", 2, "rows and columns")
        for i, pair in enumerate(pairs)
    )
