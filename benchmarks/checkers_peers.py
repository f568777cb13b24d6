"""Other gradient checkers with their defaults, asked about a numpy function and its gradient."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np


def peers() -> dict[str, Callable[..., str]]:
    """Return those that are installed, each (f, grad, theta) -> "correct" or "wrong"."""
    found: dict[str, Callable[..., str]] = {}
    for name, make in (("torch gradcheck", _torch), ("jax check_grads", _jax),
                       ("scipy check_grad", _scipy)):  # fmt: skip
        with contextlib.suppress(ImportError):
            found[name] = make()
    return found


def _torch() -> Callable[..., str]:
    import torch

    def check(f: Callable, grad: Callable, theta: np.ndarray) -> str:
        class Function(torch.autograd.Function):
            @staticmethod
            def forward(ctx, t):
                ctx.save_for_backward(t)
                return torch.tensor(float(f(t.detach().numpy().copy())), dtype=torch.float64)

            @staticmethod
            def backward(ctx, grad_out):
                (t,) = ctx.saved_tensors
                a = np.array(grad(t.detach().numpy().copy()), float)
                return grad_out * torch.from_numpy(a)

        t = torch.tensor(theta.astype(float), requires_grad=True)
        passed = torch.autograd.gradcheck(Function.apply, (t,), raise_exception=False)
        return "correct" if passed else "wrong"

    return check


def _jax() -> Callable[..., str]:
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)

    def check(f: Callable, grad: Callable, theta: np.ndarray) -> str:
        def value(t):
            return np.float64(f(np.array(t, float)))

        def slope(t):
            return np.array(grad(np.array(t, float)), float)

        @jax.custom_vjp
        def function(t):
            return jax.pure_callback(value, jax.ShapeDtypeStruct((), jnp.float64), t)

        def forward(t):
            return function(t), t

        def backward(t, grad_out):
            shape = jax.ShapeDtypeStruct(theta.shape, jnp.float64)
            return (grad_out * jax.pure_callback(slope, shape, t),)

        function.defvjp(forward, backward)
        try:
            check_grads(function, (jnp.asarray(theta.astype(float)),), order=1, modes=["rev"])
        except AssertionError:
            return "wrong"
        return "correct"

    return check


def _scipy() -> Callable[..., str]:
    from scipy.optimize import check_grad

    def check(f: Callable, grad: Callable, theta: np.ndarray) -> str:
        # it returns a norm and leaves the judging to a person: 1e-5 of the gradient's norm here
        theta = theta.astype(float)
        size = np.linalg.norm(grad(theta))
        return "correct" if check_grad(f, grad, theta) <= 1e-5 * size else "wrong"

    return check
