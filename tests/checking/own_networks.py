"""Networks as people write them in plain numpy, each in a style of its own.

Each function makes one: (loss, arrays, grads, x, y). `planted` makes it with one text replaced, as
a person would have mistyped it.
"""

import inspect
import textwrap
from itertools import pairwise

import numpy as np


def planted(maker, right, wrong):
    """Return a maker with `wrong` in the one place where `right` stands."""
    source = textwrap.dedent(inspect.getsource(maker))
    assert source.count(right) == 1, (maker.__name__, right)
    scope = dict(globals())
    exec(source.replace(right, wrong), scope)  # noqa: S102 - our own source
    return scope[maker.__name__]


def numbers(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def class_with_params():
    """CS231n's two-layer net: scores, reg * sum(W * W), labels."""

    class TwoLayerNet:
        def __init__(self):
            self.params = {
                "W1": numbers(4, 5), "b1": numbers(5), "W2": numbers(5, 3), "b2": numbers(3),
            }  # fmt: skip

        def loss(self, X, y, reg=0.05):
            W1, b1, W2, b2 = (self.params[k] for k in ("W1", "b1", "W2", "b2"))
            N = len(X)
            hidden = np.maximum(0, X.dot(W1) + b1)
            scores = hidden.dot(W2) + b2
            probs = softmax(scores)
            data_loss = -np.log(probs[np.arange(N), y]).sum() / N
            loss = data_loss + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
            dscores = probs.copy()
            dscores[np.arange(N), y] -= 1
            dscores /= N
            grads = {"W2": hidden.T.dot(dscores), "b2": dscores.sum(axis=0)}
            dhidden = dscores.dot(W2.T)
            dhidden[hidden <= 0] = 0
            grads["W1"] = X.T.dot(dhidden)
            grads["b1"] = dhidden.sum(axis=0)
            grads["W2"] += 2 * reg * W2
            grads["W1"] += 2 * reg * W1
            return loss, grads

    net, X, y = TwoLayerNet(), numbers(7, 4), np.array([0, 2, 1, 1, 0, 2, 2])
    return (
        lambda: net.loss(X, y)[0],
        net.params,
        lambda: {k: net.loss(X, y)[1][k] for k in net.params},
        X,
        y,
    )


def columns():
    """Ng's: X (n_x, m), W (n_out, n_in), b a column, the cost with 1/m."""
    X, Y = numbers(3, 8), (numbers(1, 8) > 0).astype(float)
    m = X.shape[1]
    par = {
        "W1": numbers(4, 3), "b1": 0.1 * numbers(4, 1), "W2": numbers(1, 4), "b2": numbers(1, 1),
    }  # fmt: skip

    def forward():
        A1 = np.tanh(par["W1"] @ X + par["b1"])
        A2 = sigmoid(par["W2"] @ A1 + par["b2"])
        return A1, A2

    def cost():
        A2 = forward()[1]
        return -1 / m * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))

    def backward():
        A1, A2 = forward()
        dZ2 = A2 - Y
        dW2 = 1 / m * dZ2 @ A1.T
        db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
        dZ1 = par["W2"].T @ dZ2 * (1 - A1**2)
        dW1 = 1 / m * dZ1 @ X.T
        db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
        return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

    return cost, par, backward, X, Y


def deep_columns_with_l2():
    """Three layers in Ng's way: lambda / (2 m), and parameters in the order of all W first."""
    X, labels, lambd = numbers(4, 9), np.arange(9) % 3, 0.7
    m, Y = 9, np.eye(3)[labels].T
    par = {"W1": numbers(5, 4), "W2": numbers(5, 5), "W3": numbers(3, 5), "b1": numbers(5, 1),
           "b2": 0.3 * numbers(5, 1), "b3": numbers(3, 1)}  # fmt: skip

    def forward():
        A1 = np.maximum(par["W1"] @ X + par["b1"], 0)
        A2 = np.maximum(par["W2"] @ A1 + par["b2"], 0)
        Z3 = par["W3"] @ A2 + par["b3"]
        return A1, A2, softmax(Z3.T).T

    def cost():
        A3 = forward()[2]
        squares = sum(np.sum(np.square(par[k])) for k in ("W1", "W2", "W3"))
        return -np.sum(Y * np.log(A3)) / m + lambd / (2 * m) * squares

    def backward():
        A1, A2, A3 = forward()
        dZ3 = (A3 - Y) / m
        dW3 = dZ3 @ A2.T + lambd / m * par["W3"]
        dA2 = par["W3"].T @ dZ3
        dZ2 = dA2 * (A2 > 0)
        dW2 = dZ2 @ A1.T + lambd / m * par["W2"]
        dA1 = par["W2"].T @ dZ2
        dZ1 = dA1 * (A1 > 0)
        dW1 = dZ1 @ X.T + lambd / m * par["W1"]
        return {"W1": dW1, "b1": dZ1.sum(1, keepdims=True), "W2": dW2,
                "b2": dZ2.sum(1, keepdims=True), "W3": dW3,
                "b3": dZ3.sum(1, keepdims=True)}  # fmt: skip

    return cost, par, backward, X, labels


def eleven_lines():
    """Trask's: no bias, sigmoid at both ends, the square with 1/2 and no mean."""
    X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1.0], [1, 0.5, 1]])
    y = np.array([[0, 1, 1, 0, 0.5]]).T
    syn0, syn1 = numbers(3, 4), numbers(4, 1)

    def loss():
        l1 = sigmoid(X @ syn0)
        l2 = sigmoid(l1 @ syn1)
        return 0.5 * np.sum((y - l2) ** 2)

    def grads():
        l1 = sigmoid(X @ syn0)
        l2 = sigmoid(l1 @ syn1)
        l2_delta = (l2 - y) * (l2 * (1 - l2))
        l1_delta = l2_delta.dot(syn1.T) * (l1 * (1 - l1))
        return {"syn0": X.T.dot(l1_delta), "syn1": l1.T.dot(l2_delta)}

    return loss, {"syn0": syn0, "syn1": syn1}, grads, X, y


def layer_objects():
    """A list of layers, each with forward and backward, and an mse over all N * K numbers."""

    class Linear:
        def __init__(self, n_in, n_out):
            self.W, self.b = numbers(n_in, n_out), 0.1 * numbers(n_out)

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, dout):
            self.dW = self.x.T @ dout
            self.db = dout.sum(0)
            return dout @ self.W.T

    class Tanh:
        def forward(self, x):
            self.out = np.tanh(x)
            return self.out

        def backward(self, dout):
            return dout * (1 - self.out * self.out)

    layers = [Linear(3, 6), Tanh(), Linear(6, 4), Tanh(), Linear(4, 2)]
    x, y = numbers(5, 3), numbers(5, 2)

    def forward():
        out = x
        for layer in layers:
            out = layer.forward(out)
        return out

    def loss():
        return np.mean((forward() - y) ** 2)

    def grads():
        d = 2 * (forward() - y) / y.size
        for layer in reversed(layers):
            d = layer.backward(d)
        linear = [layer for layer in layers if isinstance(layer, Linear)]
        return {f"fc{k}.{n}": getattr(layer, f"d{n}") for k, layer in enumerate(linear)
                for n in ("W", "b")}  # fmt: skip

    linear = [layer for layer in layers if isinstance(layer, Linear)]
    arrays = {f"fc{k}.{n}": getattr(layer, n) for k, layer in enumerate(linear) for n in "Wb"}
    return loss, arrays, grads, x, y


def pure_functions():
    """A function of a dict that is passed, the batch summed, one-hot labels."""
    x, t = numbers(6, 4), np.eye(3)[[0, 1, 2, 2, 1, 0]]
    params = {"w_in": numbers(4, 5), "w_out": numbers(5, 3), "bias_in": 0.2 * numbers(5),
              "bias_out": numbers(3)}  # fmt: skip

    def forward(p):
        h = sigmoid(x @ p["w_in"] + p["bias_in"])
        return h, softmax(h @ p["w_out"] + p["bias_out"])

    def loss(p):
        return -(t * np.log(forward(p)[1])).sum()

    def gradient(p):
        h, probs = forward(p)
        delta_out = probs - t
        delta_in = (delta_out @ p["w_out"].T) * h * (1 - h)
        return {"w_in": x.T @ delta_in, "w_out": h.T @ delta_out,
                "bias_in": delta_in.sum(0), "bias_out": delta_out.sum(0)}  # fmt: skip

    return loss, params, gradient, x, t


def logistic_regression():
    """A weight vector, and the label a vector of 0 and 1."""
    X, y, alpha = numbers(10, 4), (numbers(10) > 0).astype(int), 0.3
    w, b = numbers(4), np.zeros(1)

    def loss():
        p = sigmoid(X @ w + b)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + alpha / 2 * w @ w

    def grads():
        error = sigmoid(X @ w + b) - y
        return {"w": X.T @ error / len(y) + alpha * w, "b": np.array([error.mean()])}

    return loss, {"w": w, "b": b}, grads, X, y


def l2_on_everything():
    """Weight decay 1/2 * lam over weights and biases, the loss summed, leaky relu."""
    x, y, lam = numbers(5, 3), numbers(5, 2), 0.2
    P = {"W0": numbers(3, 4), "b0": numbers(4), "W1": numbers(4, 2), "b1": numbers(2)}

    def forward():
        z = x @ P["W0"] + P["b0"]
        a = np.where(z > 0, z, 0.01 * z)
        return z, a, a @ P["W1"] + P["b1"]

    def loss():
        r = forward()[2] - y
        return (r * r).sum() + 0.5 * lam * sum((v * v).sum() for v in P.values())

    def grads():
        z, a, out = forward()
        g2 = 2 * (out - y)
        g1 = (g2 @ P["W1"].T) * np.where(z > 0, 1, 0.01)
        g = {"W0": x.T @ g1, "b0": g1.sum(0), "W1": a.T @ g2, "b1": g2.sum(0)}
        for k in P:
            g[k] = g[k] + lam * P[k]
        return g

    return loss, P, grads, x, y


def torch_like():
    """Weights (out, in) and examples as rows, as torch has them; softplus; y a column of labels."""
    x, y = numbers(6, 4), np.array([[0], [1], [2], [1], [0], [2]])
    state = {"fc1.weight": numbers(5, 4), "fc1.bias": numbers(5), "fc2.weight": numbers(3, 5),
             "fc2.bias": numbers(3)}  # fmt: skip

    def forward():
        z = x @ state["fc1.weight"].T + state["fc1.bias"]
        h = np.log1p(np.exp(z))
        return z, h, softmax(h @ state["fc2.weight"].T + state["fc2.bias"])

    def loss():
        p = forward()[2]
        return -np.log(np.take_along_axis(p, y, axis=1)).mean()

    def grads():
        z, h, p = forward()
        d = p.copy()
        d[np.arange(len(y)), y[:, 0]] -= 1
        d /= len(y)
        dh = d @ state["fc2.weight"]
        dz = dh * sigmoid(z)
        return {"fc1.weight": dz.T @ x, "fc1.bias": dz.sum(0), "fc2.weight": d.T @ h,
                "fc2.bias": d.sum(0)}  # fmt: skip

    return loss, state, grads, x, y


def batch_norm():
    """Dense without bias, batch norm, relu, dense; gamma and beta come last."""
    x, y, eps = numbers(8, 3), np.arange(8) % 3, 1e-5
    p = {"W1": numbers(3, 5), "W2": numbers(5, 3), "b2": numbers(3),
         "gamma": 1 + 0.1 * numbers(5), "beta": 0.3 * numbers(5)}  # fmt: skip

    def forward():
        z = x @ p["W1"]
        mu, var = z.mean(0), z.var(0)
        std = np.sqrt(var + eps)
        xhat = (z - mu) / std
        a = np.maximum(p["gamma"] * xhat + p["beta"], 0)
        return std, xhat, a, softmax(a @ p["W2"] + p["b2"])

    def loss():
        return -np.log(forward()[-1][np.arange(8), y]).mean()

    def grads():
        std, xhat, a, prob = forward()
        d = (prob - np.eye(3)[y]) / 8
        da = (d @ p["W2"].T) * (a > 0)
        dgamma = (da * xhat).sum(0)
        dxhat = da * p["gamma"]
        dz = (dxhat - dxhat.mean(0) - xhat * (dxhat * xhat).mean(0)) / std
        return {"W1": x.T @ dz, "W2": a.T @ d, "b2": d.sum(0), "gamma": dgamma, "beta": da.sum(0)}

    return loss, p, grads, x, y


def batch_norm_long():
    """Ioffe and Szegedy's own steps, eps 1e-8, a bias before it, two such layers of one width."""
    x, y, eps = numbers(7, 4), numbers(7, 2), 1e-8
    p = {}
    for k, (n_in, n_out) in enumerate([(4, 4), (4, 4), (4, 2)], 1):
        p[f"W{k}"], p[f"b{k}"] = numbers(n_in, n_out, seed=k), 0.1 * numbers(n_out, seed=k)
        if k < 3:
            p[f"scale{k}"], p[f"shift{k}"] = 1 + 0.2 * numbers(n_out, seed=k), numbers(4, seed=9)

    def forward():
        a, cache = x, []
        for k in (1, 2):
            z = a @ p[f"W{k}"] + p[f"b{k}"]
            mu, var = z.mean(0), z.var(0)
            xhat = (z - mu) / np.sqrt(var + eps)
            out = np.tanh(p[f"scale{k}"] * xhat + p[f"shift{k}"])
            cache.append((a, z, mu, var, xhat, out))
            a = out
        return cache, a @ p["W3"] + p["b3"]

    def loss():
        return ((forward()[1] - y) ** 2).sum() / (2 * len(x))

    def grads():
        cache, out = forward()
        m, g = len(x), {}
        d = (out - y) / m
        g["W3"], g["b3"] = cache[-1][-1].T @ d, d.sum(0)
        d = d @ p["W3"].T
        for k in (2, 1):
            a, z, mu, var, xhat, out = cache[k - 1]
            d = d * (1 - out**2)
            g[f"scale{k}"], g[f"shift{k}"] = (d * xhat).sum(0), d.sum(0)
            dxhat = d * p[f"scale{k}"]
            dvar = (dxhat * (z - mu)).sum(0) * -0.5 * (var + eps) ** -1.5
            dmu = -dxhat.sum(0) / np.sqrt(var + eps)
            dz = dxhat / np.sqrt(var + eps) + dvar * 2 * (z - mu) / m + dmu / m
            g[f"W{k}"], g[f"b{k}"] = a.T @ dz, dz.sum(0)
            d = dz @ p[f"W{k}"].T
        return g

    return loss, p, grads, x, y


def lstm_stacked():
    """One matrix for all gates, x above h, in the order i, f, o, g; the last h; batch first."""
    D, H, K, N, T = 3, 4, 2, 5, 4
    x, y = numbers(N, T, D), np.array([0, 1, 1, 0, 1])
    p = {"W": 0.5 * numbers(D + H, 4 * H), "b": 0.2 * numbers(4 * H), "Wout": numbers(H, K),
         "bout": numbers(K)}  # fmt: skip

    def forward():
        h, c, cache = np.zeros((N, H)), np.zeros((N, H)), []
        for t in range(T):
            xh = np.hstack([x[:, t], h])
            z = xh @ p["W"] + p["b"]
            i, f, o = (sigmoid(z[:, k * H : (k + 1) * H]) for k in range(3))
            g = np.tanh(z[:, 3 * H :])
            c_prev, c = c, f * c + i * g
            h = o * np.tanh(c)
            cache.append((xh, i, f, o, g, c_prev, c))
        return h, cache, softmax(h @ p["Wout"] + p["bout"])

    def loss():
        return -np.log(forward()[2][np.arange(N), y]).mean()

    def grads():
        h, cache, prob = forward()
        d = (prob - np.eye(K)[y]) / N
        dW, db = np.zeros_like(p["W"]), np.zeros_like(p["b"])
        dWout, dbout = h.T @ d, d.sum(0)
        dh, dc = d @ p["Wout"].T, np.zeros((N, H))
        for xh, i, f, o, g, c_prev, c in reversed(cache):
            do = dh * np.tanh(c)
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            di, df, dg = dc * g, dc * c_prev, dc * i
            dz = np.hstack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)])
            dW += xh.T @ dz
            db += dz.sum(0)
            dh = dz @ p["W"][D:].T
            dc = dc * f
        return {"W": dW, "b": db, "Wout": dWout, "bout": dbout}

    return loss, p, grads, x, y


def lstm_gates():
    """Ng's: a matrix a gate over [a, x], columns, x (n_x, m, T); in the order f, i, c, o."""
    n_x, n_a, n_y, m, T = 2, 3, 1, 6, 3
    x, y = numbers(n_x, m, T), numbers(n_y, m)
    p = {f"W{q}": 0.6 * numbers(n_a, n_a + n_x, seed=k) for k, q in enumerate("fico")}
    p |= {f"b{q}": 0.3 * numbers(n_a, 1, seed=k) for k, q in enumerate("fico")}
    p |= {"Wy": numbers(n_y, n_a), "by": numbers(n_y, 1)}

    def forward():
        a, c, cache = np.zeros((n_a, m)), np.zeros((n_a, m)), []
        for t in range(T):
            both = np.concatenate([a, x[:, :, t]])
            ft, it, ot = (sigmoid(p[f"W{q}"] @ both + p[f"b{q}"]) for q in "fio")
            cct = np.tanh(p["Wc"] @ both + p["bc"])
            before, c = c, ft * c + it * cct
            a = ot * np.tanh(c)
            cache.append((both, ft, it, ot, cct, before, c))
        return a, cache, p["Wy"] @ a + p["by"]

    def loss():
        return np.sum((forward()[2] - y) ** 2) / m

    def grads():
        a, cache, out = forward()
        g = {k: np.zeros_like(v) for k, v in p.items()}
        d = 2 * (out - y) / m
        g["Wy"], g["by"] = d @ a.T, d.sum(1, keepdims=True)
        da, dc = p["Wy"].T @ d, 0
        for both, ft, it, ot, cct, before, c in reversed(cache):
            dc = dc + da * ot * (1 - np.tanh(c) ** 2)
            dz = {
                "f": dc * before * ft * (1 - ft),
                "i": dc * cct * it * (1 - it),
                "c": dc * it * (1 - cct**2),
                "o": da * np.tanh(c) * ot * (1 - ot),
            }
            da = 0
            for q in "fico":
                g[f"W{q}"] += dz[q] @ both.T
                g[f"b{q}"] += dz[q].sum(1, keepdims=True)
                da = da + p[f"W{q}"][:, :n_a].T @ dz[q]
            dc = dc * ft
        return g

    return loss, p, grads, x, y


def convolution():
    """One convolution of 3 x 3, relu, max pool, dense; loops over all."""
    x, y = numbers(3, 1, 6, 6), np.array([0, 2, 1])
    p = {"K": 0.5 * numbers(2, 1, 3, 3), "kb": 0.1 * numbers(2), "W": numbers(8, 3),
         "b": numbers(3)}  # fmt: skip

    def forward():
        conv = np.zeros((3, 2, 4, 4))
        for r in range(4):
            for c in range(4):
                patch = x[:, :, r : r + 3, c : c + 3]
                conv[:, :, r, c] = np.einsum("ncij,fcij->nf", patch, p["K"]) + p["kb"]
        act = np.maximum(conv, 0)
        pool = act.reshape(3, 2, 2, 2, 2, 2).max(axis=(3, 5))
        flat = pool.reshape(3, -1)
        return act, pool, flat, softmax(flat @ p["W"] + p["b"])

    def loss():
        return -np.log(forward()[3][np.arange(3), y]).mean()

    def grads():
        act, pool, flat, prob = forward()
        d = (prob - np.eye(3)[y]) / 3
        dpool = (d @ p["W"].T).reshape(pool.shape)
        up = pool.repeat(2, 2).repeat(2, 3)
        dconv = dpool.repeat(2, 2).repeat(2, 3) * (act == up) * (act > 0)
        dK = np.zeros_like(p["K"])
        for r in range(4):
            for c in range(4):
                patch = x[:, :, r : r + 3, c : c + 3]
                dK += np.einsum("nf,ncij->fcij", dconv[:, :, r, c], patch)
        return {"K": dK, "kb": dconv.sum((0, 2, 3)), "W": flat.T @ d, "b": d.sum(0)}

    return loss, p, grads, x, y


def safe_log():
    """A small number in the logarithm: not quite a loss of ours."""
    x, y = numbers(6, 3), np.eye(3)[[0, 1, 2, 2, 1, 0]]
    W1, W2 = 0.5 * numbers(3, 4), 0.5 * numbers(4, 3)

    def forward():
        h = np.tanh(x @ W1)
        return h, softmax(h @ W2)

    def loss():
        return -(y * np.log(forward()[1] + 1e-9)).sum() / 6

    def grads():
        h, p = forward()
        d = y * p / (p + 1e-9) / -6
        d = d - p * d.sum(1, keepdims=True)
        return {"W1": x.T @ (d @ W2.T * (1 - h**2)), "W2": h.T @ d}

    return loss, {"W1": W1, "W2": W2}, grads, x, y


def flat_theta():
    """All parameters are views of one vector; elu and sigmoid layers; images are flattened."""
    images, y = numbers(5, 2, 3), numbers(5)
    theta = 0.5 * numbers(6 * 4 + 4 + 4 * 3 + 3 + 3 * 1 + 1)
    shapes = {"W1": (6, 4), "b1": (4,), "W2": (4, 3), "b2": (3,), "W3": (3, 1), "b3": (1,)}
    p, start = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        p[name] = theta[start : start + size].reshape(shape)
        start += size
    x = images.reshape(5, -1)

    def forward():
        z1 = x @ p["W1"] + p["b1"]
        a1 = np.where(z1 > 0, z1, np.exp(np.minimum(z1, 0)) - 1)
        a2 = sigmoid(a1 @ p["W2"] + p["b2"])
        return z1, a1, a2, (a2 @ p["W3"] + p["b3"])[:, 0]

    def loss():
        return np.mean((forward()[3] - y) ** 2) + 1e-3 * sum(
            (p[k] ** 2).sum() for k in ("W1", "W2", "W3")
        )

    def grads():
        z1, a1, a2, out = forward()
        d3 = (2 * (out - y) / len(y))[:, None]
        d2 = d3 @ p["W3"].T * a2 * (1 - a2)
        d1 = d2 @ p["W2"].T * np.where(z1 > 0, 1, a1 + 1)
        return {"W1": x.T @ d1 + 2e-3 * p["W1"], "b1": d1.sum(0),
                "W2": a1.T @ d2 + 2e-3 * p["W2"], "b2": d2.sum(0),
                "W3": a2.T @ d3 + 2e-3 * p["W3"], "b3": d3.sum(0)}  # fmt: skip

    return loss, p, grads, images, y


def ones_before_x():
    """Andrew Ng's course in Octave: the first column of each Theta is the bias; L2 without it."""
    X, Y = numbers(7, 4), np.eye(3)[[0, 1, 2, 2, 1, 0, 1]]
    Theta1, Theta2 = 0.5 * numbers(6, 5), 0.5 * numbers(3, 7)
    lam, m = 0.7, len(X)

    def with_ones(A):
        return np.column_stack([np.ones(len(A)), A])

    def forward():
        a1 = with_ones(X)
        z2 = a1 @ Theta1.T
        a2 = with_ones(sigmoid(z2))
        return a1, z2, a2, sigmoid(a2 @ Theta2.T)

    def loss():
        h = forward()[3]
        J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
        return J + lam / (2 * m) * ((Theta1[:, 1:] ** 2).sum() + (Theta2[:, 1:] ** 2).sum())

    def grads():
        a1, z2, a2, h = forward()
        d3 = h - Y
        d2 = (d3 @ Theta2)[:, 1:] * sigmoid(z2) * (1 - sigmoid(z2))
        G1, G2 = d2.T @ a1 / m, d3.T @ a2 / m
        G1[:, 1:] += lam / m * Theta1[:, 1:]
        G2[:, 1:] += lam / m * Theta2[:, 1:]
        return {"Theta1": G1, "Theta2": G2}

    return loss, {"Theta1": Theta1, "Theta2": Theta2}, grads, X, Y


def ones_after_x():
    """The bias is the last row; a single output."""
    X, y = numbers(6, 3), numbers(6, 1)
    A, B = numbers(4, 5), numbers(6, 1)
    ones = np.ones((6, 1))

    def loss():
        return ((np.hstack([np.tanh(np.hstack([X, ones]) @ A), ones]) @ B - y) ** 2).mean()

    def grads():
        inputs = np.hstack([X, ones])
        h = np.tanh(inputs @ A)
        hidden = np.hstack([h, ones])
        d = 2 * (hidden @ B - y) / len(X)
        return {"A": inputs.T @ (d @ B[:-1].T * (1 - h**2)), "B": hidden.T @ d}

    return loss, {"A": A, "B": B}, grads, X, y


def lists_of_columns():
    """Nielsen's book: x and y are lists of columns (n, 1)."""
    sizes = [4, 6, 5, 3]
    w = [numbers(n, k) for k, n in pairwise(sizes)]
    b = [0.5 * numbers(n, 1) for n in sizes[1:]]
    xs = [numbers(4, 1, seed=k) for k in range(7)]
    ys = [np.eye(3)[:, [k % 3]] for k in range(7)]

    def loss():
        total = 0.0
        for a, y in zip(xs, ys, strict=True):
            for k in range(3):
                a = sigmoid(w[k] @ a + b[k])
            total += 0.5 * ((a - y) ** 2).sum()
        return total / len(xs)

    def grads():
        g = {f"{kind}{k}": 0 for k in range(3) for kind in "wb"}
        for x, y in zip(xs, ys, strict=True):
            a = [x]
            for k in range(3):
                a.append(sigmoid(w[k] @ a[-1] + b[k]))
            delta = (a[-1] - y) * a[-1] * (1 - a[-1])
            for k in (2, 1, 0):
                g[f"w{k}"] = g[f"w{k}"] + delta @ a[k].T / len(xs)
                g[f"b{k}"] = g[f"b{k}"] + delta / len(xs)
                delta = (w[k].T @ delta) * a[k] * (1 - a[k])
        return g

    return (
        loss,
        {f"{kind}{k}": {"w": w, "b": b}[kind][k] for k in range(3) for kind in "wb"},
        grads,
        xs,
        ys,
    )


#: (network, what is right in its source, what is mistyped, and of the line that is named: where it
#: is, and a part of the wrong one and of the right one)
BUGS = [
    (class_with_params, "dhidden[hidden <= 0] = 0", "pass", "layer 1, relu",
     "dz1 = da1", "dz1 = da1 * (z1 > 0)"),
    (class_with_params, "+= 2 * reg * W2", "+= reg * W2", "output, L2",
     "dW2 = data_dW2 + 0.5 * (lam * W2)", "dW2 = data_dW2 + lam * W2"),
    (class_with_params, "            dscores /= N\n", "", "loss", "dlogits = p - y", "(p - y) / N"),
    (columns, "* (1 - A1**2)", "* (1 - A1)", "layer 1, tanh", "(1 - a1)", "(1 - a1 ** 2)"),
    (columns, "dZ1 = par", "dZ1 = m * par", "output, dense", "da1 = N * (dlogits @ W2)",
     "da1 = dlogits @ W2"),
    (columns, "dW2 = 1 / m * dZ2", "dW2 = dZ2", "output, dense", "dW2.T = N * (a1.T @ dlogits)",
     "dW2.T = a1.T @ dlogits"),
    (deep_columns_with_l2, 'dA1 = par["W2"].T @', 'dA1 = par["W2"] @', "layer 2, dense",
     "da1 = dz2 @ W2.T", "da1 = dz2 @ W2"),
    (deep_columns_with_l2, 'lambd / m * par["W3"]', 'lambd * par["W3"]', "output, L2",
     "dW3.T = data_dW3.T + N * (lam * W3.T)", "dW3.T = data_dW3.T + lam * W3.T"),
    (eleven_lines, "* (l1 * (1 - l1))", "* l1", "layer 1, sigmoid", "dz1 = da1 * a1",
     "dz1 = da1 * a1 * (1 - a1)"),
    (eleven_lines, "l2_delta.dot(syn1.T)", "(l2 - y).dot(syn1.T)", "output, dense",
     "da1 = da2 @ syn1.T", "da1 = dz2 @ syn1.T"),
    (layer_objects, "self.out * self.out", "self.out", "every tanh", "(1 - a2)", "(1 - a2 ** 2)"),
    (layer_objects, "y.size", "len(y)", "loss", "dlogits = 1 / K * 2 * (2 * (logits - y) / N)",
     "dlogits = 1 / K * 2 * (logits - y) / N"),
    (pure_functions, "h * (1 - h)", "h", "layer 1, sigmoid", "dz1 = da1 * a1",
     "dz1 = da1 * a1 * (1 - a1)"),
    (pure_functions, "delta_out = probs - t", "delta_out = (probs - t) / len(x)", "loss",
     "dlogits = (p - y) / N", "dlogits = p - y"),
    (logistic_regression, "+ alpha * w,", "- alpha * w,", "output, L2",
     "dw[:, None] = data_dw[:, None] + -1 * (lam * w[:, None])", "+ lam * w[:, None]"),
    (l2_on_everything, "np.where(z > 0, 1, 0.01)", "np.where(z > 0, 1, 0)", "layer 1, leaky_relu",
     "dz1 = da1 * (z1 > 0)", "where(z1 > 0, 1, 0.01)"),
    (l2_on_everything, "in P:\n", 'in ("W0", "W1"):\n', "after backward",
     "g = g + -lam * parameter   # in b0, b1", ""),
    (torch_like, "dh * sigmoid(z)", "dh * sigmoid(h)", "layer 1, softplus",
     "dz1 = da1 * sigmoid(a1)", "dz1 = da1 * sigmoid(z1)"),
    (torch_like, '"fc1.bias": dz.sum(0)', '"fc1.bias": dz.mean(0)', "layer 1, dense",
     "dfc1.bias = 1 / N * dz1.sum(axis=0)", "dfc1.bias = dz1.sum(axis=0)"),
    (batch_norm, "- xhat * (dxhat * xhat).mean(0)", "", "layer 1, batch norm",
     "dz1 = (dxhat1 - dxhat1.mean(axis=0)) / sqrt(var1 + eps)", "xhat1 * (dxhat1 * xhat1)"),
    (batch_norm, 'dxhat = da * p["gamma"]', "dxhat = da", "layer 1, batch norm", "dxhat1 = du1",
     "dxhat1 = du1 * gamma"),
    (batch_norm_long, "+ dmu / m", "", "every batch norm", "dz2 = ", "dxhat2.mean(axis=0)"),
    (lstm_stacked, "df * f * (1 - f)", "df * (1 - f)", "LSTM, gate f",
     "dz_f = df * (1 - f[t])", "dz_f = df * f[t] * (1 - f[t])"),
    (lstm_stacked, "dc = dc * f\n", "dc = dc * i\n", "LSTM", "dc_next = dc * i[t]",
     "dc_next = dc * f[t]"),
    (lstm_gates, '"c": dc * it * (1 - cct**2)', '"c": dc * it * (1 - cct)', "LSTM, gate g",
     "dz_g = dg * (1 - g[t])", "dz_g = dg * (1 - g[t] ** 2)"),
    # relu's slope is missing, and this max pool sends a gradient to all pixels that are equal
    (convolution, " * (act > 0)", "", "layer 1, max pool; layer 1, relu",
     "da1 = up(dp1) * ties1; dz1 = da1", "dz1 = da1 * (z1 > 0)"),
    (convolution, "dconv.sum((0, 2, 3))", "dconv.mean(0).sum((1, 2))", "layer 1, convolution",
     "dkb = 1 / N * dz1.sum(axis=(0, 2, 3))", "dkb = dz1.sum(axis=(0, 2, 3))"),
    (safe_log, "(1 - h**2)", "(1 - h)", "layer 1, tanh", "(1 - a1)", "(1 - a1 ** 2)"),
    (flat_theta, "a1 + 1)", "a1)", "layer 1, elu", "where(z1 > 0, 1, a1)", "a1 + 1)"),
    (flat_theta, '"b2": d2.sum(0)', '"b2": d2.sum(0) / 5', "layer 2, dense",
     "db2 = 1 / N * dz2.sum(axis=0)", "db2 = dz2.sum(axis=0)"),
    (ones_before_x, "sigmoid(z2) * (1 - sigmoid(z2))", "(1 - sigmoid(z2))", "layer 1, sigmoid",
     "dz1 = da1 * (1 - a1)", "dz1 = da1 * a1 * (1 - a1)"),
    (ones_before_x, "lam / m * Theta2[:, 1:]\n", "lam * Theta2[:, 1:]\n", "output, L2",
     "dTheta2[:, 1:].T = data_dTheta2[:, 1:].T + N * (lam * Theta2[:, 1:].T)", ""),
    (ones_after_x, "1 - h**2", "1 - h", "layer 1, tanh", "(1 - a1)", "(1 - a1 ** 2)"),
    (lists_of_columns, "(a[-1] - y) * a[-1] * (1 - a[-1])", "(a[-1] - y)", "output, sigmoid",
     "dz3 = da3", "dz3 = da3 * a3 * (1 - a3)"),
]  # fmt: skip
MAKERS = list(dict.fromkeys(bug[0] for bug in BUGS))
