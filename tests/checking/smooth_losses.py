"""Smooth losses with right gradients: plain numpy code, and networks as black boxes.

Each maker returns f, grad, theta and the layout of its tensors.
"""

import numpy as np

import gradlab as gl
from gradlab.nn.parameters import lay_out, roll, unroll
from tests.museum import make

SMOOTH = {}


def smooth(maker):
    """Register a maker under its name."""
    SMOOTH[maker.__name__] = maker
    return maker


def boxed(loss, gradient, arrays):
    """Return a loss and a gradient of named arrays as functions of one vector."""
    tensors = lay_out(arrays)
    return (lambda t: float(loss(roll(t, tensors))),
            lambda t: unroll(gradient(roll(t, tensors)), tensors),
            unroll(arrays, tensors), tensors)  # fmt: skip


def of_network(net, n=12, steps=4):
    """Return a network with its data as a black box."""
    net, x, y, masks = make(net, n, 0, steps)
    return (net.loss_function(x, y, masks),
            lambda t: net.unroll(net.gradient(x, y, masks, params=net.roll(t))),
            net.theta, net.tensors)  # fmt: skip


@smooth
def logistic_regression():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 30)), rng.integers(0, 2, 40)

    def loss(p):
        z = x @ p["w"] + p["b"]
        return np.mean(np.logaddexp(0, z) - y * z)

    def gradient(p):
        d = (1 / (1 + np.exp(-(x @ p["w"] + p["b"]))) - y) / len(y)
        return {"w": x.T @ d, "b": d.sum(keepdims=True)}

    return boxed(loss, gradient, {"w": 0.3 * rng.standard_normal(30), "b": np.array([0.2])})


@smooth
def matrix_factorisation():
    rng = np.random.default_rng(1)
    target = rng.standard_normal((8, 7))

    def loss(p):
        return 0.5 * np.sum((p["U"] @ p["V"].T - target) ** 2) + 0.05 * np.sum(p["U"] ** 2)

    def gradient(p):
        e = p["U"] @ p["V"].T - target
        return {"U": e @ p["V"] + 0.1 * p["U"], "V": e.T @ p["U"]}

    return boxed(
        loss, gradient, {"U": rng.standard_normal((8, 3)), "V": rng.standard_normal((7, 3))}
    )


@smooth
def two_layers_by_hand():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((20, 5)), rng.integers(0, 3, 20)

    def forward(p):
        h = np.tanh(x @ p["W1"] + p["b1"])
        z = h @ p["W2"] + p["b2"]
        q = np.exp(z - z.max(axis=1, keepdims=True))
        return h, q / q.sum(axis=1, keepdims=True)

    def loss(p):
        return -np.mean(np.log(forward(p)[1][np.arange(20), y]))

    def gradient(p):
        h, q = forward(p)
        d = (q - np.eye(3)[y]) / 20
        dz = d @ p["W2"].T * (1 - h**2)
        return {"W1": x.T @ dz, "b1": dz.sum(axis=0), "W2": h.T @ d, "b2": d.sum(axis=0)}

    shapes = {"W1": (5, 8), "b1": (8,), "W2": (8, 3), "b2": (3,)}
    return boxed(loss, gradient, {k: 0.5 * rng.standard_normal(s) for k, s in shapes.items()})


@smooth
def recurrent_by_hand():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((5, 3)), rng.standard_normal(4)

    def states(p):
        h = [np.zeros(4)]
        for row in x:
            h.append(np.tanh(row @ p["U"] + h[-1] @ p["W"] + p["b"]))
        return h

    def loss(p):
        return np.sum((states(p)[-1] - y) ** 2)

    def gradient(p):
        h = states(p)
        grads = {k: np.zeros_like(v) for k, v in p.items()}
        d = 2 * (h[-1] - y)
        for t in reversed(range(len(x))):
            dz = d * (1 - h[t + 1] ** 2)
            grads["U"] += np.outer(x[t], dz)
            grads["W"] += np.outer(h[t], dz)
            grads["b"] += dz
            d = p["W"] @ dz
        return grads

    shapes = {"U": (3, 4), "W": (4, 4), "b": (4,)}
    return boxed(loss, gradient, {k: 0.6 * rng.standard_normal(s) for k, s in shapes.items()})


@smooth
def attention_by_hand():
    rng = np.random.default_rng(4)
    x, target = rng.standard_normal((6, 5)), rng.standard_normal((6, 4))

    def forward(p):
        q, k, v = x @ p["Q"], x @ p["K"], x @ p["V"]
        s = np.exp(q @ k.T / 2)
        s /= s.sum(axis=1, keepdims=True)
        return q, k, v, s

    def loss(p):
        _, _, v, s = forward(p)
        return np.mean((s @ v - target) ** 2)

    def gradient(p):
        q, k, v, s = forward(p)
        d = 2 * (s @ v - target) / target.size
        ds = d @ v.T
        dz = s * (ds - np.sum(ds * s, axis=1, keepdims=True)) / 2
        return {"Q": x.T @ (dz @ k), "K": x.T @ (dz.T @ q), "V": x.T @ (s.T @ d)}

    return boxed(loss, gradient, {k: 0.5 * rng.standard_normal((5, 4)) for k in "QKV"})


@smooth
def poisson_regression():
    rng = np.random.default_rng(5)
    x, y = 0.5 * rng.standard_normal((30, 25)), rng.poisson(2.0, 30)

    def loss(p):
        z = x @ p["w"] + p["b"]
        return np.mean(np.exp(z) - y * z)

    def gradient(p):
        d = (np.exp(x @ p["w"] + p["b"]) - y) / len(y)
        return {"w": x.T @ d, "b": d.sum(keepdims=True)}

    return boxed(loss, gradient, {"w": 0.3 * rng.standard_normal(25), "b": np.array([0.5])})


NETWORKS = {
    "tanh_and_softmax": lambda: gl.mlp([4, 7, 6, 3]),
    "sigmoid_and_squares": lambda: gl.mlp([4, 6, 5, 2], "sigmoid", loss="mse", l2=0.01),
    "softplus_and_logits": lambda: gl.mlp([4, 6, 2], "softplus", loss="binary_cross_entropy"),
    "batch_norm": lambda: gl.mlp([4, 6, 3], batch_norm=True),
    "dropout": lambda: gl.mlp([4, 8, 8, 3], dropout_rate=0.3, l2=0.1),
    "lstm": lambda: gl.lstm(3, 4, 3),
    "lstm_every_step": lambda: gl.lstm(3, 4, 2, every_step=True),
    "wide": lambda: gl.mlp([10, 20, 4], weight_scale=0.3),
}
for _name, _net in NETWORKS.items():
    SMOOTH[_name] = lambda net=_net: of_network(net())
