"""JAX code for frameworks.py, right and spoiled, with `check_grads` beside gradlab.

In float32, as JAX is unless it is told otherwise.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.test_util import check_grads

import gradlab as gl


def runs():
    """Yield (code, truth, gradlab's check, a peer, its check) for every line of the table."""
    for name, (f, args) in cases().items():
        for truth, factor in (("right", None), ("1 % off", 1.01), ("sign", -1.0)):
            code = partial(spoiled, f, factor)
            ours = partial(gl.check_jax, code, *args)
            yield f"jax: {name}", truth, ours, "check_grads", partial(checked, code, args)


def checked(f, args):
    """Return JAX's verdict, a dash, for it names nothing, and how often it evaluated."""
    count = [0]

    def counted(*given):
        count[0] += 1
        return f(*given)

    try:
        check_grads(counted, args, order=1, modes=["rev"])
    except AssertionError:
        return "wrong", "–", count[0]
    return "correct", "–", count[0]


def cases():
    """Return {name: (function, arguments)}."""
    rng = np.random.default_rng(0)

    def a(*shape):
        return jnp.asarray(rng.standard_normal(shape), jnp.float32)

    mlp_params = {"W1": a(30, 55), "b1": a(55), "W2": a(55, 5), "b2": a(5)}
    return {
        "MLP, 2 000 parameters": (mlp, (mlp_params, a(8, 30))),
        "convolution": (
            lambda w, x: jax.lax.conv(x, w, (1, 1), "SAME"),
            (a(3, 2, 3, 3), a(2, 2, 6, 6)),
        ),
        "scan": (cell, ({"W": 0.5 * a(4, 4), "U": a(4, 3)}, a(5, 3))),
        "softmax": (lambda x: jax.nn.softmax(x, axis=-1), (a(6, 5),)),
        "logsumexp": (lambda x: jax.nn.logsumexp(x, axis=-1), (a(6, 5),)),
        "layer norm": (
            lambda x, g: g * (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True),
            (a(5, 8), a(8)),
        ),
    }


def mlp(params, x):
    """Return a network's outputs."""
    return jnp.tanh(x @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]


def cell(params, xs):
    """Return the states of a recurrent network."""

    def step(h, x):
        h = jnp.tanh(params["W"] @ h + params["U"] @ x)
        return h, h

    return jax.lax.scan(step, jnp.zeros(len(params["W"])), xs)[1]


# -- spoiling


def spoiled(f, factor, *given):
    """Return f; the gradient of its first array is a factor too large, if there is one."""
    leaves, tree = jax.tree_util.tree_flatten(given)
    if factor is not None:
        leaves[0] = times(leaves[0], factor)
    return f(*jax.tree_util.tree_unflatten(tree, leaves))


@jax.custom_vjp
def times(x, factor):
    """Return x; its gradient is that of x times the factor."""
    return x


times.defvjp(lambda x, factor: (x, factor), lambda factor, dout: (dout * factor, None))
