"""Small convolutional networks, their layers first: convolution and pooling.

Images inside the network are (channels, rows, columns, batch, K); see `layers`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gradlab._validate import check_choice, check_integer, check_positive
from gradlab.nn.activations import ACTIVATION_FUNCTIONS
from gradlab.nn.layers import Activation, Dense, Grads, Layer, Params
from gradlab.nn.network import Network

POOLS = ("max", "average")
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # the pixels of a window


class Conv(Layer):
    """z[f] = b[f] + sum over c, i, j of W[f, c, i, j] * a[c, row + i, column + j].

    A cross-correlation: the kernel is not flipped. Stride 1; `padding` rows and columns of zeros
    are put around the image first.
    """

    def __init__(self, W: str, b: str, padding: int = 0, name: str = "") -> None:
        self.W, self.b, self.padding, self.name = W, b, padding, name
        self.param_names, self.weight_names = (W, b), (W,)

    def __repr__(self) -> str:
        return f"Conv({self.W}, {self.b}, padding={self.padding})"

    def patches(self, a: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
        """Return what each weight of a kernel meets: (C, kh, kw, rows, columns, batch, K).

        The sums over c, i, j of all pixels are then one matrix product.
        """
        windows = sliding_window_view(self._pad(a), kernel, axis=(1, 2))
        return np.ascontiguousarray(np.moveaxis(windows, (-2, -1), (1, 2)))

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        W, b = params[self.W], params[self.b]
        patches = self.patches(a, W.shape[2:])
        z = W.reshape(len(W), -1) @ patches.reshape(W[0].size, -1)
        z += b[:, None]
        return z.reshape(len(W), *patches.shape[3:])

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        W = params[self.W]
        patches = self.patches(a, W.shape[2:])
        delta = grad_out.reshape(len(W), -1)
        grads = {
            self.W: (delta @ patches.reshape(W[0].size, -1).T).reshape(W.shape),
            self.b: delta.sum(axis=1),
        }
        grad_patches = (W.reshape(len(W), -1).T @ delta).reshape(patches.shape)
        return self._add_up(grad_patches, a), grads

    def _pad(self, a: np.ndarray) -> np.ndarray:
        p = self.padding
        if p == 0:
            return a
        channels, height, width = a.shape[:3]
        padded = np.zeros((channels, height + 2 * p, width + 2 * p, *a.shape[3:]), a.dtype)
        padded[:, p:-p, p:-p] = a
        return padded

    def _add_up(self, grad_patches: np.ndarray, a: np.ndarray) -> np.ndarray:
        """Return dL/da: a pixel stands in many patches, and gets the sum of what they pass on."""
        grad_padded = np.zeros_like(self._pad(a))
        _, kh, kw, rows, columns = grad_patches.shape[:5]
        for i in range(kh):
            for j in range(kw):
                grad_padded[:, i : i + rows, j : j + columns] += grad_patches[:, i, j]
        p = self.padding
        return grad_padded[:, p:-p, p:-p] if p else grad_padded


def corners(a: np.ndarray) -> list[np.ndarray]:
    """Return the four pixels of every window: views (…, rows / 2, columns / 2, batch, K)."""
    return [a[..., i::2, j::2, :, :] for i, j in CORNERS]


class MaxPool(Layer):
    """The largest pixel of each window; of equals, the first in reading order."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def __repr__(self) -> str:
        return "MaxPool(2)"

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        if np.iscomplexobj(a):  # the real part decides: np.maximum would ask the imaginary one too
            return np.take_along_axis(np.stack(corners(a)), self.branches(a)[None], axis=0)[0]
        one, two, three, four = corners(a)
        return np.maximum(np.maximum(one, two), np.maximum(three, four))

    def branches(self, a: np.ndarray) -> np.ndarray:
        """Return which pixel of its window wins, 0 to 3, for each output."""
        return np.stack(corners(a.real)).argmax(axis=0)

    def ties(self, a: np.ndarray) -> int:
        window = np.stack(corners(a))
        return int(((window == window.max(axis=0)).sum(axis=0) > 1).sum())

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        winner, grad = self.branches(a), np.zeros_like(a)
        for k, corner in enumerate(corners(grad)):
            corner[...] = np.where(winner == k, grad_out, 0)
        return grad, {}


class AveragePool(Layer):
    """The mean of each window's four pixels."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def __repr__(self) -> str:
        return "AveragePool(2)"

    def forward(self, params: Params, a: np.ndarray) -> np.ndarray:
        one, two, three, four = corners(a)
        total = one + two
        total += three
        total += four
        total *= 0.25
        return total

    def backward(
        self, params: Params, a: np.ndarray, out: np.ndarray, grad_out: np.ndarray
    ) -> tuple[np.ndarray, Grads]:
        grad = np.empty_like(a)
        for corner in corners(grad):
            corner[...] = grad_out / 4
        return grad, {}


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
