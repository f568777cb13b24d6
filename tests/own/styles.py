"""Gradients as people write them, each with two bugs.

Each function returns a check, (name of gl's function, its arguments).
"""

from collections import namedtuple
from types import SimpleNamespace

import numpy as np

from tests.checking import own_networks
from tests.checking.own_networks import numbers, planted, sigmoid, softmax

Linear = namedtuple("Linear", ["weight", "bias"])
# `planted` runs a function's text in that module's names
own_networks.Linear, own_networks.SimpleNamespace = Linear, SimpleNamespace


def attributes():
    """A class with W1, b1, W2, b2, its data and its caches; backward returns a dict."""

    class Net:
        def __init__(self):
            self.name, self.lr = "two layers", 0.1
            self.W1, self.b1 = numbers(3, 4), numbers(4)
            self.W2, self.b2 = numbers(4, 2), numbers(2)
            self.x, self.y = numbers(6, 3), numbers(6, 2, seed=1)

        def loss(self):
            self.h = np.tanh(self.x @ self.W1 + self.b1)
            self.out = self.h @ self.W2 + self.b2
            return 0.5 * np.mean(np.sum((self.out - self.y) ** 2, axis=1))

        def backward(self):
            d = (self.out - self.y) / len(self.x)
            dh = d @ self.W2.T * (1 - self.h**2)
            return {
                "W1": self.x.T @ dh, "b1": dh.sum(axis=0),
                "W2": self.h.T @ d, "b2": d.sum(axis=0),
            }  # fmt: skip

    net = Net()
    return "check_arrays", (net.loss, vars(net), net.backward)


def gradients_beside():
    """dW beside W in the same object, which is handed over itself."""

    class Logistic:
        def __init__(self):
            self.w, self.b = numbers(5, 1), np.array(0.3)
            self.dw, self.db = np.zeros((5, 1)), np.array(0.0)
            self.X, self.y = numbers(9, 5), (numbers(9, 1) > 0) * 1.0

        def loss(self):
            p = sigmoid(self.X @ self.w + self.b)
            dz = (p - self.y) / len(self.X)
            self.dw[...] = self.X.T @ dz + 0.2 * self.w
            self.db[...] = dz.sum()
            data = -np.mean(self.y * np.log(p) + (1 - self.y) * np.log(1 - p))
            return data + 0.1 * np.sum(self.w**2)

    model = Logistic()
    model.loss()
    return "check_arrays", (model.loss, model, model)


def loss_and_grads():
    """CS231n's: one call returns (loss, grads)."""
    params = {"W": numbers(4, 3), "b": numbers(3)}
    X, y = numbers(8, 4), np.arange(8) % 3

    def loss_and_gradients(reg=0.1):
        probs = softmax(X @ params["W"] + params["b"])
        loss = -np.log(probs[np.arange(8), y]).mean() + reg * np.sum(params["W"] ** 2)
        d = probs.copy()
        d[np.arange(8), y] -= 1
        d /= 8
        return loss, {"W": X.T @ d + 2 * reg * params["W"], "b": d.sum(axis=0)}

    return "check_arrays", (loss_and_gradients, params, True)


def flat_list():
    """Parameters in a list, gradients in a list."""
    W1, b1, W2 = params = [numbers(3, 4), 0.1 * numbers(1, 4), numbers(4, 1)]
    x, y = numbers(7, 3), numbers(7, 1)

    def forward():
        h = sigmoid(x @ W1 + b1)
        return h, h @ W2

    def loss():
        return np.sum((forward()[1] - y) ** 2)

    def grads():
        h, out = forward()
        d = 2 * (out - y)
        dz = d @ W2.T * h * (1 - h)
        return [x.T @ dz, dz.sum(axis=0, keepdims=True), h.T @ d]

    return "check_arrays", (loss, params, grads)


def list_of_layers():
    """A list of dicts; layers of two kinds, one without parameters."""
    layers = [{"kind": "dense", "W": numbers(3, 5), "b": numbers(5)}, {"kind": "relu"},
              {"kind": "dense", "W": numbers(5, 2), "b": numbers(2)}]  # fmt: skip
    x, t = numbers(6, 3), numbers(6, 2, seed=4)

    def forward():
        a = [x]
        for layer in layers:
            last = a[-1]
            a.append(last @ layer["W"] + layer["b"] if "W" in layer else np.maximum(last, 0))
        return a

    def loss():
        return 0.5 * np.sum((forward()[-1] - t) ** 2)

    a = forward()
    d, grads = a[-1] - t, []
    for layer, into in zip(layers[::-1], a[-2::-1], strict=True):
        if "W" in layer:
            grads.insert(0, {"W": into.T @ d, "b": d.sum(axis=0)})
            d = d @ layer["W"].T
        else:
            grads.insert(0, {})
            d = d * (into > 0)
    return "check_arrays", (loss, layers, grads)


def layer_objects():
    """A stack of layer objects that hold W and dW; the net is handed over with its layers."""

    class Dense:
        def __init__(self, n, m):
            self.W, self.b = numbers(n, m), numbers(m, seed=n)

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, d):
            self.dW, self.db = self.x.T @ d, d.sum(0)
            return d @ self.W.T

    class Tanh:
        def forward(self, x):
            self.out = np.tanh(x)
            return self.out

        def backward(self, d):
            return d * (1 - self.out**2)

    net = SimpleNamespace(layers=[Dense(3, 4), Tanh(), Dense(4, 4), Tanh(), Dense(4, 2)])
    x, y = numbers(5, 3), numbers(5, 2, seed=2)

    def loss():
        out = x
        for layer in net.layers:
            out = layer.forward(out)
        net.d = out - y
        return 0.5 * np.sum(net.d**2)

    def backward():
        d = net.d
        for layer in reversed(net.layers):
            d = layer.backward(d)
        return net

    return "check_arrays", (loss, net, backward)


def pure():
    """loss(params) and grads(params), as in JAX."""
    params = {"enc": {"w": numbers(3, 4)}, "dec": {"w": numbers(4, 3), "scale": 0.7}}
    x = numbers(5, 3)

    def loss(p):
        return np.sum((p["dec"]["scale"] * np.tanh(x @ p["enc"]["w"]) @ p["dec"]["w"] - x) ** 2)

    def grads(p):
        h, s = np.tanh(x @ p["enc"]["w"]), p["dec"]["scale"]
        d = 2 * (s * h @ p["dec"]["w"] - x)
        dh = s * d @ p["dec"]["w"].T * (1 - h**2)
        return {"enc": {"w": x.T @ dh},
                "dec": {"w": s * h.T @ d, "scale": np.sum(d * (h @ p["dec"]["w"]))}}  # fmt: skip

    return "check_arrays", (loss, params, grads)


def named_tuples():
    """A tuple of named tuples; the gradient of the second bias is left out."""
    params = (Linear(numbers(2, 3), numbers(3)), Linear(numbers(3, 1), numbers(1)))
    x, y = numbers(6, 2), numbers(6, 1)

    def run(p):
        h = np.maximum(x @ p[0].weight + p[0].bias, 0.1 * (x @ p[0].weight + p[0].bias))
        return h, h @ p[1].weight + p[1].bias

    def loss(p):
        return np.mean((run(p)[1] - y) ** 2)

    def grads(p):
        h, out = run(p)
        d = 2 * (out - y) / len(x)
        dz = d @ p[1].weight.T * np.where(h > 0, 1, 0.1)
        return (Linear(x.T @ dz, dz.sum(axis=0)), Linear(h.T @ d, None))

    return "check_arrays", (loss, params, grads)


def one_matrix():
    """One array, its loss and its gradient: a matrix factor."""
    A, U = numbers(4, 4), numbers(4, 2)

    def loss(U):
        return np.sum((A - U @ U.T) ** 2)

    def grad(U):
        E = A - U @ U.T
        return -2 * (E + E.T) @ U

    return "check_arrays", (loss, U, grad)


def views_of_one_buffer():
    """All parameters in one vector, of which the layers have views; one transposed."""
    theta = numbers(3 * 4 + 4 + 4)
    net = {"W": theta[:12].reshape(4, 3).T, "b": theta[12:16], "v": theta[16:]}
    x, y = numbers(8, 3), numbers(8)

    def loss():
        h = np.sin(x @ net["W"] + net["b"])
        return float(np.sum((h @ net["v"] - y) ** 2))

    def gradient():
        z = x @ net["W"] + net["b"]
        d = 2 * (np.sin(z) @ net["v"] - y)
        dz = np.outer(d, net["v"]) * np.cos(z)
        return {"dW": x.T @ dz, "db": dz.sum(axis=0), "dv": np.sin(z).T @ d}

    return "check_arrays", (loss, net, gradient)


def single_precision():
    """float32 all through, gradients by a static dict of paths."""
    f = np.float32
    net = {"conv": {"k": numbers(3).astype(f)}, "out": {"w": numbers(6).astype(f)}}
    x = numbers(8).astype(f)

    def forward():
        c = np.array([x[i : i + 3] @ net["conv"]["k"] for i in range(6)])
        return c, np.tanh(c)

    def loss():
        return f(0.5) * (forward()[1] @ net["out"]["w"] - f(1)) ** 2

    _, h = forward()
    d = h @ net["out"]["w"] - f(1)
    dc = d * net["out"]["w"] * (1 - h**2)
    dk = np.array([sum(dc[i] * x[i + j] for i in range(6)) for j in range(3)])
    return "check_arrays", (loss, net, {"conv.k": dk, "out.w": d * h})


def scipy_style():
    """f returns (loss, grad), as scipy's jac=True has it; the start is a list."""

    def rosen(x):
        f = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
        g = [-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]
        return f, g

    return "check_function", (rosen, True, [-1.2, 1.0])


def ngs_columns():
    """Ng's course: theta, X and the gradient are columns, the cost is (1, 1)."""
    X, y = numbers(9, 3), (numbers(9, 1) > 0) * 1.0

    def cost(theta):
        h = sigmoid(X @ theta.reshape(-1, 1))
        return -(y.T @ np.log(h) + (1 - y).T @ np.log(1 - h)) / len(y)

    def gradient(theta):
        h = sigmoid(X @ theta.reshape(-1, 1))
        return X.T @ (h - y) / len(y)

    return "check_function", (cost, gradient, numbers(3))


def tied():
    """One matrix under two names, and its gradient under both."""
    W = numbers(3, 3)
    net = {"enc": W, "dec": W, "b": numbers(3)}
    x = numbers(4, 3)

    def loss():
        return np.sum((np.tanh(x @ net["enc"]) @ net["dec"].T + net["b"] - x) ** 2)

    def grads():
        h = np.tanh(x @ W)
        d = 2 * (h @ W.T + net["b"] - x)
        dW = d.T @ h + x.T @ (d @ W * (1 - h**2))
        return {"enc": dW, "dec": dW, "b": d.sum(axis=0)}

    return "check_arrays", (loss, net, grads)


#: (style, right, wrong, the tensors that are wrong then)
BUGS = [
    (attributes, "* (1 - self.h**2)", "", ["W1", "b1"]),
    (attributes, "d.sum(axis=0),\n            }", "d.mean(axis=0)}", ["b2"]),
    (gradients_beside, "+ 0.2 * self.w", "+ 0.1 * self.w", ["w"]),
    (gradients_beside, "dz.sum()", "dz.sum() * 1.01", ["b"]),
    (loss_and_grads, "d /= 8", "d /= 7", ["W", "b"]),
    (loss_and_grads, "+ 2 * reg", "- 2 * reg", ["W"]),
    (flat_list, "* h * (1 - h)", "* (1 - h)", ["arrays[0]", "arrays[1]"]),
    (flat_list, "h.T @ d]", "0.99 * h.T @ d]", ["arrays[2]"]),
    (list_of_layers, "d * (into > 0)", "d", ["arrays[0].W", "arrays[0].b"]),
    (list_of_layers, "d.sum(axis=0)", "d.sum(axis=0)[::-1]", ["arrays[0].b", "arrays[2].b"]),
    (layer_objects, "1 - self.out**2", "1 - self.out",
     [f"layers[{i}].{k}" for i in (0, 2) for k in "Wb"]),
    (layer_objects, "self.x.T @ d,", "self.x.T @ d / len(d),",
     [f"layers[{i}].W" for i in (0, 2, 4)]),
    (pure, "dh = s * d", "dh = d", ["enc.w"]),
    (pure, "np.sum(d * (h", "s * np.sum(d * (h", ["dec.scale"]),
    (named_tuples, "1, 0.1)", "1, 0.0)", ["arrays[0].weight", "arrays[0].bias"]),
    (named_tuples, "d = 2 *", "d = 2.02 *",
     ["arrays[0].weight", "arrays[0].bias", "arrays[1].weight"]),
    (one_matrix, "(E + E.T)", "(E + E)", ["theta"]),
    (one_matrix, "-2 *", "-1.98 *", ["theta"]),
    (views_of_one_buffer, "np.cos(z)", "np.sin(z)", ["W", "b"]),
    (views_of_one_buffer, "np.sin(z).T @ d", "np.sin(z).T @ d / 2", ["v"]),
    (single_precision, "(1 - h**2)", "(1 - h)", ["conv.k"]),
    (single_precision, "d * h}", "d * _}", ["out.w"]),
    (scipy_style, "- 2 * (1", "+ 2 * (1", ["theta"]),
    (scipy_style, "200 * (x[1]", "202 * (x[1]", ["theta"]),
    (ngs_columns, "(h - y) / len(y)", "(h - y)", ["theta"]),
    (ngs_columns, "X.T @ (h - y)", "X.T @ (y - h)", ["theta"]),
    (tied, "dW = d.T @ h + ", "dW = ", ["enc"]),
    (tied, "d.sum(axis=0)", "d.sum(axis=0) * 0.99", ["b"]),
]  # fmt: skip
STYLES = list(dict.fromkeys(style for style, *_ in BUGS))


def with_bug(bug):
    """Return the check of a style with a bug in it."""
    style, right, wrong, _ = bug
    return planted(style, right, wrong)()
