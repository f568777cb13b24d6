"""The same numerical gradient in JAX (jit + vmap) and PyTorch (vmap), where they are installed.

Written as their users would: one function of theta and of one shift, mapped over entries.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np

import gradlab as gl

LARGEST = 25_000  # parameters times steps: above, a peer takes many seconds and much memory


def ways(
    net: gl.nn.Network, x: np.ndarray, y: np.ndarray, eps: np.ndarray
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield name and work of each peer that is installed and can do this size."""
    if net.size * len(eps) > LARGEST:
        return
    for name, make in (("jax", _jax), ("torch", _torch)):
        with contextlib.suppress(ImportError):
            yield name, make(net, x, y, eps)


def _jax(net: gl.nn.Network, x: np.ndarray, y: np.ndarray, eps: np.ndarray) -> Callable:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    slices = list(net.tensors.values())

    def loss(theta: jax.Array) -> jax.Array:
        parts = [theta[a:b].reshape(shape) for a, b, shape in slices]
        a = x
        for W, b in zip(parts[0:-2:2], parts[1:-2:2], strict=True):
            a = jnp.tanh(a @ W + b)
        logits = a @ parts[-2] + parts[-1]
        return -jax.nn.log_softmax(logits)[jnp.arange(len(y)), y].mean()

    def slope(theta: jax.Array, i: jax.Array, h: jax.Array) -> jax.Array:
        return (loss(theta.at[i].add(h)) - loss(theta.at[i].add(-h))) / (2 * h)

    every_entry = jax.vmap(slope, in_axes=(None, 0, None))
    step_after_step = jax.jit(
        lambda theta, hs: jax.lax.map(lambda h: every_entry(theta, jnp.arange(net.size), h), hs)
    )
    theta = jnp.asarray(net.theta)
    return lambda: step_after_step(theta, jnp.asarray(eps)).block_until_ready()


def _torch(net: gl.nn.Network, x: np.ndarray, y: np.ndarray, eps: np.ndarray) -> Callable:
    import torch

    torch.set_num_threads(1)
    tx, ty, theta = torch.as_tensor(x), torch.as_tensor(y), torch.as_tensor(net.theta)
    slices = list(net.tensors.values())

    def loss(theta: torch.Tensor) -> torch.Tensor:
        parts = [theta[a:b].reshape(shape) for a, b, shape in slices]
        a = tx
        for W, b in zip(parts[0:-2:2], parts[1:-2:2], strict=True):
            a = torch.tanh(a @ W + b)
        return torch.nn.functional.cross_entropy(a @ parts[-2] + parts[-1], ty)

    every_entry = torch.func.vmap(lambda shift: loss(theta + shift), chunk_size=512)

    def run() -> list[torch.Tensor]:
        eye = torch.eye(net.size, dtype=torch.float64)
        return [(every_entry(h * eye) - every_entry(-h * eye)) / (2 * h) for h in eps.tolist()]

    return run
