"""Networks with data, for the tests of the numerics."""

import numpy as np

import gradlab as gl
from gradlab.checking.diagnosis import Facts


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


def known(analytic, numerical, bound=1e-12, **more):
    """Return facts of these gradients, without a network; what differs is wrong."""
    shapes = {k: np.shape(v) for k, v in numerical.items()}
    a, n = ({k: np.ravel(np.asarray(g[k], float)) for k in shapes} for g in (analytic, numerical))
    facts = {
        "bounds": {k: np.full(v.shape, bound) for k, v in n.items()},
        "wrong": [k for k in n if not np.array_equal(a[k], n[k])],
        "params": None, "entries": dict.fromkeys(n, slice(None)), "shapes": shapes, "groups": [],
        "numbers": dict.fromkeys(n, 1), "biases": set(), "batch": None, "outputs": None,
        "loss_name": None, "l2": 0.0, "dropout_rate": 0.0, "knows_l2": False, "rounding": 0.0,
    }  # fmt: skip
    return Facts(a, n, **facts | more)
