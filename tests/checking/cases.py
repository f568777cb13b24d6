"""Networks with data, for the tests of the numerics."""

import numpy as np

import gradlab as gl


def case(sizes=(4, 5, 6, 3), n=7, seed=0, **settings):
    """Return a network with non-zero biases, inputs and targets that fit its loss."""
    rng = np.random.default_rng(seed)
    net = gl.mlp(list(sizes), seed=seed, **settings)
    for value in net.params.values():
        value += 0.1 * rng.standard_normal(value.shape)
    x = rng.standard_normal((n, sizes[0]))
    if net.loss_name == "softmax_cross_entropy":
        return net, x, rng.integers(0, sizes[-1], n)
    return net, x, rng.random((n, sizes[-1]))


def flat(net, gradient):
    """Return a gradient as one vector, or one a step."""
    return np.concatenate(
        [g.reshape(*g.shape[: g.ndim - len(net.tensors[k][2])], -1) for k, g in gradient.items()],
        axis=-1,
    )
