"""Spoiled gradients of hand-written numpy losses, each with what is really wrong with it.

No object of a neural-network library is in here: a problem is named parameters, a loss and its
gradient, as people write them. `BUGS` spoils each in one way; `RIGHT` holds the unspoiled problems.
Written without a look at the checker.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Params = dict[str, np.ndarray]
Spoil = Callable[[Params, Params], Params]  # (gradients, parameters) -> gradients


@dataclass(frozen=True)
class Bug:
    """One spoiled gradient: `make()` gives a fresh (f, grad, theta, tensors)."""

    name: str
    kind: str
    make: Callable[[], tuple]
    wrong: tuple[str, ...]
    expected: str


@dataclass(frozen=True)
class Problem:
    """A loss of named parameters, with its right gradient."""

    shapes: dict[str, tuple[int, ...]]
    loss: Callable[[Params], float]
    gradient: Callable[[Params], Params]
    scale: float = 0.7

    def theta(self) -> np.ndarray:
        size = sum(int(np.prod(shape)) for shape in self.shapes.values())
        return self.scale * np.random.default_rng(size).normal(size=size)

    def tensors(self) -> dict[str, tuple[int, int, tuple[int, ...]]]:
        places, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + int(np.prod(shape))
            places[name] = (start, stop, shape)
            start = stop
        return places

    def unpack(self, theta: np.ndarray) -> Params:
        return {name: theta[i:j].reshape(s) for name, (i, j, s) in self.tensors().items()}

    def pack(self, gradients: Params) -> np.ndarray:
        return np.concatenate([np.ravel(gradients[name]) for name in self.shapes])


# --- helpers that also work for complex numbers, so that a complex step can prove the gradients


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(Z, axis):
    E = np.exp(Z - Z.real.max(axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)


def one_hot(rng, N, k):
    return np.eye(k)[rng.integers(0, k, N)]


# --- the problems; keyword arguments are sizes and the places where a bug can be put in


def logistic(N=17, d=5):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(N, d)), rng.integers(0, 2, N)

    def loss(p):
        z = X @ p["w"] + p["b"]
        return np.mean(np.log1p(np.exp(z)) - y * z)

    def gradient(p):
        error = (sigmoid(X @ p["w"] + p["b"]) - y) / N
        return {"w": X.T @ error, "b": error.sum(keepdims=True)}

    return Problem({"w": (d,), "b": (1,)}, loss, gradient)


def linear(N=11, d=4, k=3):
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(N, d)), rng.normal(size=(N, k))

    def loss(p):
        return np.sum((X @ p["W"] + p["b"] - Y) ** 2) / N

    def gradient(p):
        error = 2 * (X @ p["W"] + p["b"] - Y) / N
        return {"W": X.T @ error, "b": error.sum(axis=0, keepdims=True)}

    return Problem({"W": (d, k), "b": (1, k)}, loss, gradient)


def softmax_columns(N=13, d=5, k=4, through=lambda P, Y: P - Y, axis=0):
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(d, N)), one_hot(rng, N, k).T

    def loss(p):
        return -np.sum(Y * np.log(softmax(p["W"] @ X + p["b"], 0))) / N

    def gradient(p):
        error = through(softmax(p["W"] @ X + p["b"], axis), Y) / N
        return {"W": error @ X.T, "b": error.sum(axis=1, keepdims=True)}

    return Problem({"W": (k, d), "b": (k, 1)}, loss, gradient)


def mlp_rows(
    N=9,
    d=4,
    h=7,
    k=3,
    slope=lambda Z, H: 1 - H**2,
    through=lambda P, Y: P - Y,
    hidden_bias=lambda D: D.sum(axis=0),
):
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(N, d)), one_hot(rng, N, k)

    def forward(p):
        Z = X @ p["W1"] + p["b1"]
        H = np.tanh(Z)
        return Z, H, softmax(H @ p["W2"] + p["b2"], 1)

    def loss(p):
        return -np.sum(Y * np.log(forward(p)[2])) / N

    def gradient(p):
        Z, H, P = forward(p)
        D2 = through(P, Y) / N
        D1 = (D2 @ p["W2"].T) * slope(Z, H)
        return {"W1": X.T @ D1, "b1": hidden_bias(D1), "W2": H.T @ D2, "b2": D2.sum(axis=0)}

    return Problem({"W1": (d, h), "b1": (1, h), "W2": (h, k), "b2": (k,)}, loss, gradient)


def mlp_columns(
    N=8,
    d=5,
    h=6,
    k=2,
    slope=lambda Z, A: A * (1 - A),
    hidden_bias=lambda D: D.sum(axis=1, keepdims=True),
):
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(d, N)), rng.normal(size=(k, N))

    def forward(p):
        Z = p["W1"] @ X + p["b1"]
        A = sigmoid(Z)
        return Z, A, p["W2"] @ A + p["b2"] - Y

    def loss(p):
        return np.sum(forward(p)[2] ** 2) / (2 * N)

    def gradient(p):
        Z, A, R = forward(p)
        D2 = R / N
        D1 = (p["W2"].T @ D2) * slope(Z, A)
        b2 = D2.sum(axis=1, keepdims=True)
        return {"W1": D1 @ X.T, "b1": hidden_bias(D1), "W2": D2 @ A.T, "b2": b2}

    return Problem({"W1": (h, d), "b1": (h, 1), "W2": (k, h), "b2": (k, 1)}, loss, gradient)


def square_net(N=8, n=5, back=lambda V: V.T):
    rng = np.random.default_rng(6)
    X, Y = rng.normal(size=(N, n)), rng.normal(size=(N, n))

    def forward(p):
        H = np.tanh(X @ p["W"] + p["a"])
        return H, np.tanh(H @ p["V"] + p["c"])

    def loss(p):
        return np.sum((forward(p)[1] - Y) ** 2) / (2 * N)

    def gradient(p):
        H, S = forward(p)
        D2 = (S - Y) * (1 - S**2) / N
        D1 = (D2 @ back(p["V"])) * (1 - H**2)
        return {"W": X.T @ D1, "a": D1.sum(axis=0), "V": H.T @ D2, "c": D2.sum(axis=0)}

    return Problem({"W": (n, n), "a": (n,), "V": (n, n), "c": (n,)}, loss, gradient)


def factorisation(users=7, items=5, rank=3):
    rng = np.random.default_rng(7)
    ratings, known = rng.normal(size=(users, items)), rng.random((users, items)) < 0.8

    def error(p):
        return known * (p["U"] @ p["V"].T + p["u"] + p["v"] - ratings)

    def loss(p):
        return np.sum(error(p) ** 2) / 2

    def gradient(p):
        E = error(p)
        sums = {"u": E.sum(axis=1, keepdims=True), "v": E.sum(axis=0, keepdims=True)}
        return {"U": E @ p["V"], "V": E.T @ p["U"], **sums}

    shapes = {"U": (users, rank), "V": (items, rank), "u": (users, 1), "v": (1, items)}
    return Problem(shapes, loss, gradient)


def kernel_ridge(N=9, ridge=0.3):
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=N), rng.normal(size=(N, 1))
    K = np.exp(-((x[:, None] - x) ** 2))

    def loss(p):
        r = K @ p["alpha"] + p["b"] - y
        return np.sum(r**2) / (2 * N) + ridge * np.sum(p["alpha"] * (K @ p["alpha"])) / 2

    def gradient(p):
        r = (K @ p["alpha"] + p["b"] - y) / N
        return {"alpha": K @ r + ridge * K @ p["alpha"], "b": r.sum(keepdims=True)}

    return Problem({"alpha": (N, 1), "b": (1, 1)}, loss, gradient)


def gaussian_process(N=12, d=3):
    rng = np.random.default_rng(9)
    X, y = rng.normal(size=(N, d)), rng.normal(size=N)
    D = (X[:, None, :] - X) ** 2

    def covariance(p):
        signal = np.exp(2 * p["amplitude"]) * np.exp(-(D @ np.exp(-2 * p["lengths"])) / 2)
        return signal, signal + np.exp(2 * p["noise"]) * np.eye(N)

    def loss(p):
        K = covariance(p)[1]
        sign, log_size = np.linalg.slogdet(K)
        return (y @ np.linalg.solve(K, y) + log_size + np.log(sign)) / 2

    def gradient(p):
        signal, K = covariance(p)
        inverse = np.linalg.inv(K)
        G = (inverse - np.outer(inverse @ y, inverse @ y)) / 2
        lengths = np.einsum("ij,ijk->k", G * signal, D) * np.exp(-2 * p["lengths"])
        amplitude = 2 * np.sum(G * signal, keepdims=True)[0]
        noise = 2 * np.exp(2 * p["noise"]) * np.trace(G)
        return {"lengths": lengths, "amplitude": amplitude, "noise": noise}

    return Problem({"lengths": (d,), "amplitude": (1,), "noise": (1,)}, loss, gradient)


def recurrent(T=4, N=5, d=3, h=6, k=2, steps_back=None):
    rng = np.random.default_rng(10)
    X, Y = rng.normal(size=(T, N, d)), rng.normal(size=(N, k))

    def forward(p):
        states = [np.zeros((N, h))]
        for x in X:
            states.append(np.tanh(x @ p["U"] + states[-1] @ p["W"] + p["b"]))
        return states

    def loss(p):
        return np.sum((forward(p)[-1] @ p["V"] - Y) ** 2) / (2 * N)

    def gradient(p):
        states = forward(p)
        error = (states[-1] @ p["V"] - Y) / N
        g = {name: np.zeros_like(value) for name, value in p.items()}
        g["V"] = states[-1].T @ error
        D = error @ p["V"].T
        for t in reversed(range(T - (steps_back or T), T)):
            D = D * (1 - states[t + 1] ** 2)
            g["U"] += X[t].T @ D
            g["W"] += states[t].T @ D
            g["b"] += D.sum(axis=0)
            D = D @ p["W"].T
        return g

    return Problem({"U": (d, h), "W": (h, h), "b": (h,), "V": (h, k)}, loss, gradient, scale=0.5)


def attention(T=7, d=5, through=lambda A, D: A * (D - (D * A).sum(axis=1, keepdims=True))):
    rng = np.random.default_rng(11)
    X, Y = rng.normal(size=(T, d)), rng.normal(size=(T, d))

    def weights(p):
        return softmax((X @ p["Q"]) @ (X @ p["K"]).T / np.sqrt(d), 1)

    def loss(p):
        return np.sum((weights(p) @ X @ p["V"] - Y) ** 2) / (2 * T)

    def gradient(p):
        A = weights(p)
        error = (A @ X @ p["V"] - Y) / T
        S = through(A, error @ (X @ p["V"]).T) / np.sqrt(d)
        Q, K = X.T @ S @ (X @ p["K"]), X.T @ S.T @ (X @ p["Q"])
        return {"Q": Q, "K": K, "V": (A @ X).T @ error}

    return Problem({"Q": (d, d), "K": (d, d), "V": (d, d)}, loss, gradient, scale=0.5)


def poisson(N=19, d=6):
    rng = np.random.default_rng(12)
    X, y = rng.normal(size=(N, d)), rng.poisson(2, size=(N, 1))

    def loss(p):
        z = X @ p["w"] + p["b"]
        return np.sum(np.exp(z) - y * z)

    def gradient(p):
        error = np.exp(X @ p["w"] + p["b"]) - y
        return {"w": X.T @ error, "b": error.sum(keepdims=True)}

    return Problem({"w": (d, 1), "b": (1, 1)}, loss, gradient, scale=0.3)


def quadratic(n=8, m=5):
    rng = np.random.default_rng(13)
    A, B, C = (rng.normal(size=s) for s in ((n, n), (n, m), (m, m)))
    A, C, c = A @ A.T, C @ C.T, rng.normal(size=n)

    def loss(p):
        x, y = p["x"], p["y"]
        return x @ A @ x / 2 + x @ B @ y + y @ C @ y / 2 - c @ x

    def gradient(p):
        x, y = p["x"], p["y"]
        return {"x": A @ x + B @ y - c, "y": B.T @ x + C @ y}

    return Problem({"x": (n,), "y": (m,)}, loss, gradient)


def gated(N=6, d=5, h=4):
    rng = np.random.default_rng(14)
    X, Y = rng.normal(size=(N, d)), rng.normal(size=(N, h))

    def forward(p):
        return X @ p["A"] + p["a"], sigmoid(X @ p["B"] + p["b"])

    def loss(p):
        value, gate = forward(p)
        return np.sum((value * gate - Y) ** 2) / (2 * N)

    def gradient(p):
        value, gate = forward(p)
        error = (value * gate - Y) / N
        D, E = error * gate, error * value * gate * (1 - gate)
        a, b = D.sum(axis=0, keepdims=True), E.sum(axis=0, keepdims=True)
        return {"A": X.T @ D, "a": a, "B": X.T @ E, "b": b}

    return Problem({"A": (d, h), "a": (1, h), "B": (d, h), "b": (1, h)}, loss, gradient)


def bilinear(N=14, n=4):
    rng = np.random.default_rng(15)
    X, Z, t = rng.normal(size=(N, n)), rng.normal(size=(N, n)), rng.choice([-1.0, 1.0], N)

    def score(p):
        return np.einsum("ij,jk,ik->i", X, p["M"], Z) + X @ p["u"][0] + Z @ p["v"][:, 0]

    def loss(p):
        return np.sum(np.log1p(np.exp(-t * score(p))))

    def gradient(p):
        error = -t * sigmoid(-t * score(p))
        M = np.einsum("i,ij,ik->jk", error, X, Z)
        return {"M": M, "u": error @ X, "v": error @ Z}

    return Problem({"M": (n, n), "u": (1, n), "v": (n, 1)}, loss, gradient)


def heteroscedastic(N=15, d=4, k=2):
    rng = np.random.default_rng(16)
    X, Y = rng.normal(size=(N, d)), rng.normal(size=(N, k))

    def forward(p):
        return X @ p["M"] + p["m"] - Y, X @ p["S"] + p["s"]

    def loss(p):
        r, s = forward(p)
        return np.sum(s + r**2 * np.exp(-2 * s) / 2) / N

    def gradient(p):
        r, s = forward(p)
        D, E = r * np.exp(-2 * s) / N, (1 - r**2 * np.exp(-2 * s)) / N
        return {"M": X.T @ D, "m": D.sum(axis=0), "S": X.T @ E, "s": E.sum(axis=0)}

    return Problem({"M": (d, k), "m": (k,), "S": (d, k), "s": (k,)}, loss, gradient, scale=0.3)


def autoencoder(N=10, d=6, h=3):
    rng = np.random.default_rng(17)
    X = rng.normal(size=(N, d))

    def forward(p):
        H = np.tanh(X @ p["E"] + p["e"])
        return H, H @ p["D"] + p["d"] - X

    def loss(p):
        return np.sum(forward(p)[1] ** 2) / 2

    def gradient(p):
        H, R = forward(p)
        S = (R @ p["D"].T) * (1 - H**2)
        e, d_ = S.sum(axis=0, keepdims=True), R.sum(axis=0, keepdims=True)
        return {"E": X.T @ S, "e": e, "D": H.T @ R, "d": d_}

    return Problem({"E": (d, h), "e": (1, h), "D": (h, d), "d": (1, d)}, loss, gradient)


def layer_norm(N=8, d=4, h=6, through_statistics=True):
    rng = np.random.default_rng(18)
    X, Y = rng.normal(size=(N, d)), rng.normal(size=(N, h))

    def forward(p):
        Z = X @ p["W"]
        Z = Z - Z.mean(axis=1, keepdims=True)
        width = np.sqrt((Z**2).mean(axis=1, keepdims=True) + 1e-3)
        return Z / width, width

    def loss(p):
        return np.sum((forward(p)[0] * p["gain"] + p["shift"] - Y) ** 2) / (2 * N)

    def gradient(p):
        normal, width = forward(p)
        error = (normal * p["gain"] + p["shift"] - Y) / N
        D = error * p["gain"]
        if through_statistics:
            D = D - D.mean(axis=1, keepdims=True) - normal * (D * normal).mean(1, keepdims=True)
        gain, shift = (error * normal).sum(axis=0), error.sum(axis=0)
        return {"W": X.T @ (D / width), "gain": gain, "shift": shift}

    return Problem({"W": (d, h), "gain": (h,), "shift": (h,)}, loss, gradient)


def skip_gram(words=9, dim=4, pairs=40, overwrite=False):
    rng = np.random.default_rng(19)
    i, j, t = rng.permutation(np.arange(pairs) % words), np.arange(pairs) % words, np.ones(pairs)
    t[::2] = -1

    def score(p):
        return np.sum(p["E"][i] * p["C"][j], axis=1)

    def loss(p):
        return np.sum(np.log1p(np.exp(-t * score(p))))

    def gradient(p):
        error = (-t * sigmoid(-t * score(p)))[:, None]
        E, C = np.zeros_like(p["E"]), np.zeros_like(p["C"])
        np.add.at(C, j, error * p["E"][i])
        if overwrite:
            E[i] = error * p["C"][j]
        else:
            np.add.at(E, i, error * p["C"][j])
        return {"E": E, "C": C}

    return Problem({"E": (words, dim), "C": (words, dim)}, loss, gradient)


def pseudo_huber(N=16, d=7):
    rng = np.random.default_rng(20)
    X, y = rng.normal(size=(N, d)), rng.normal(size=(N, 1))

    def loss(p):
        return np.sum(np.sqrt(1 + (X @ p["w"] + p["b"] - y) ** 2) - 1)

    def gradient(p):
        r = X @ p["w"] + p["b"] - y
        error = r / np.sqrt(1 + r**2)
        return {"w": X.T @ error, "b": error.sum(keepdims=True)}

    return Problem({"w": (d, 1), "b": (1, 1)}, loss, gradient)


def ridge(problem: Problem, size: float, *names: str) -> Problem:
    """Return the problem with size / 2 · |W|² added for the named tensors."""

    def loss(p):
        return problem.loss(p) + size / 2 * sum(np.sum(p[name] ** 2) for name in names)

    def gradient(p):
        g = problem.gradient(p)
        return {name: g[name] + size * p[name] if name in names else g[name] for name in g}

    return Problem(problem.shapes, loss, gradient, problem.scale)


# --- the ways to spoil a gradient


def times(factor: float, *names: str) -> Spoil:
    return lambda g, p: {n: g[n] * factor if not names or n in names else g[n] for n in g}


def each(**factors: float) -> Spoil:
    return lambda g, p: {n: g[n] * factors.get(n, 1) for n in g}


def zero(*names: str) -> Spoil:
    return times(0, *names)


def transpose(*names: str) -> Spoil:
    return lambda g, p: {n: g[n].T if n in names else g[n] for n in g}


def copy(source: str, target: str) -> Spoil:
    return lambda g, p: {**g, target: g[source]}


def total(*names: str) -> Spoil:
    return lambda g, p: {n: np.full_like(g[n], g[n].sum()) if n in names else g[n] for n in g}


def clip_values(limit: float) -> Spoil:
    return lambda g, p: {n: np.clip(g[n], -limit, limit) for n in g}


def clip_norm(limit: float) -> Spoil:
    def spoil(g, p):
        norm = np.sqrt(sum(np.sum(value**2) for value in g.values()))
        return {n: g[n] * min(1, limit / norm) for n in g}

    return spoil


def add_theta(size: float, *names: str) -> Spoil:
    return lambda g, p: {n: g[n] + size * p[n] if n in names else g[n] for n in g}


def part(name: str, index, change: Callable[[np.ndarray], np.ndarray | float]) -> Spoil:
    def spoil(g, p):
        value = g[name].copy()
        value[index] = change(value[index])
        return {**g, name: value}

    return spoil


def noise(size: float, *names: str) -> Spoil:
    def spoil(g, p):
        rng = np.random.default_rng(99)
        noisy = {n: np.abs(g[n]).max() * size * rng.normal(size=g[n].shape) for n in g}
        return {n: g[n] + noisy[n] if n in names else g[n] for n in g}

    return spoil


def change(name: str, how: Callable[[np.ndarray], np.ndarray]) -> Spoil:
    return lambda g, p: {**g, name: how(g[name])}


def nothing(g: Params, p: Params) -> Params:
    """Leave the gradients alone: the bug is in the problem itself."""
    return g


# --- the list


BUGS: list[Bug] = []
ALL = ()


def spoiled(
    kind: str,
    problem: Callable[[], Problem],
    spoil: Spoil,
    wrong: tuple[str, ...],
    expected: str,
    dtype: type = np.float64,
    problem_name: str = "",
) -> None:
    """Add one bug to the list; wrong=ALL means every tensor."""

    def make():
        it = problem()

        def f(theta):
            return it.loss(it.unpack(theta))

        def grad(theta):
            p = it.unpack(theta)
            gradients = {n: np.reshape(v, it.shapes[n]) for n, v in it.gradient(p).items()}
            return it.pack(spoil(gradients, p)).astype(dtype)

        return f, grad, it.theta(), it.tensors()

    name = f"{problem_name or problem.__name__}: {expected}"
    if dtype is not np.float64:
        name += f" ({np.dtype(dtype).name})"
    BUGS.append(Bug(name, kind, make, wrong or tuple(problem().shapes), expected))


def accumulated(problem: Callable[[], Problem], names: tuple[str, ...], expected: str) -> None:
    """Add a bug whose gradient keeps what the calls before left (in the named tensors)."""

    def make():
        it = problem()
        left = {name: np.zeros(shape) for name, shape in it.shapes.items()}

        def f(theta):
            return it.loss(it.unpack(theta))

        def grad(theta):
            for name, value in it.gradient(it.unpack(theta)).items():
                kept = left[name] if not names or name in names else 0
                left[name] = kept + np.reshape(value, it.shapes[name])
            return it.pack(left)

        return f, grad, it.theta(), it.tensors()

    name = f"{problem.__name__}: {expected}"
    BUGS.append(Bug(name, "accumulated", make, names or tuple(problem().shapes), expected))


def ridge_linear():
    return ridge(linear(), 0.8, "W")


def ridge_mlp():
    return ridge(mlp_rows(), 0.05, "W1", "W2")


def ridge_softmax():
    return ridge(softmax_columns(), 0.2, "W")


def ridge_factorisation():
    return ridge(factorisation(), 0.35, "U", "V")


def ridge_logistic():
    return ridge(logistic(), 0.1, "w", "b")


f32 = np.float32

# every tensor times one constant
spoiled("factor", logistic, times(2), ALL, "every tensor times 2")
spoiled("factor", linear, times(0.5), ALL, "every tensor times 0.5")
spoiled("factor", mlp_rows, times(3), ALL, "every tensor times 3", f32)
spoiled("factor", gaussian_process, times(1 / 39), ALL, "every tensor times 1/39")
spoiled("factor", attention, times(1000), ALL, "every tensor times 1000")
spoiled("factor", poisson, times(1.01), ALL, "every tensor times 1.01")
spoiled("factor", quadratic, times(2), ALL, "every tensor times 2", f32)
spoiled("factor", bilinear, times(-3), ALL, "every tensor times -3")

# one tensor times a constant
spoiled("factor_in_one_tensor", mlp_columns, times(2, "W1"), ("W1",), "W1 times 2")
spoiled("factor_in_one_tensor", recurrent, times(1 / 3, "W"), ("W",), "W times 1/3")
spoiled("factor_in_one_tensor", factorisation, times(1.5, "v"), ("v",), "v times 1.5", f32)
spoiled("factor_in_one_tensor", layer_norm, times(0.9, "gain"), ("gain",), "gain times 0.9")
spoiled("factor_in_one_tensor", gated, times(4, "B"), ("B",), "B times 4")
spoiled("factor_in_one_tensor", kernel_ridge, times(100, "b"), ("b",), "b times 100")

# the sign
spoiled("sign", logistic, times(-1), ALL, "every tensor's sign flipped")
spoiled("sign", pseudo_huber, times(-1), ALL, "every tensor's sign flipped", f32)
spoiled("sign", mlp_columns, times(-1, "b2"), ("b2",), "b2's sign flipped")
spoiled("sign", heteroscedastic, times(-1, "S"), ("S",), "S's sign flipped")
spoiled("sign", gaussian_process, times(-1, "lengths"), ("lengths",), "lengths' sign flipped")

# sum and mean over the batch
spoiled("sum_for_mean", logistic, times(17), ALL, "sum over the batch of 17, loss has the mean")
spoiled("sum_for_mean", linear, times(11, "b"), ("b",), "b summed over the batch of 11, not mean")
spoiled("sum_for_mean", softmax_columns, times(13), ALL, "sum over 13 examples for the mean", f32)
spoiled("sum_for_mean", recurrent, times(5), ALL, "sum over 5 sequences, the loss has the mean")
spoiled("mean_for_sum", poisson, times(1 / 19), ALL, "mean over the batch of 19, loss has the sum")
spoiled("mean_for_sum", autoencoder, times(1 / 10, "e"), ("e",), "e is a mean over 10, not a sum")
spoiled("mean_for_sum", bilinear, times(1 / 14), ALL, "mean over 14 examples, not their sum", f32)
spoiled("mean_for_sum", mlp_rows, times(1 / 9), ALL, "divided twice by the batch of 9")

# transposed
spoiled("transposed", square_net, transpose("W"), ("W",), "W transposed")
spoiled("transposed", bilinear, transpose("M"), ("M",), "M transposed")
spoiled("transposed", attention, transpose("Q"), ("Q",), "Q transposed")
spoiled("transposed", recurrent, transpose("W"), ("W",), "W transposed", f32)
spoiled("transposed", square_net, transpose("W", "V"), ("W", "V"), "W and V transposed")

# copied from another tensor
spoiled("copied", square_net, copy("c", "a"), ("a",), "a holds the gradient of c")
spoiled("copied", attention, copy("Q", "K"), ("K",), "K holds the gradient of Q")
spoiled("copied", gated, copy("A", "B"), ("B",), "B holds the gradient of A")
spoiled("copied", heteroscedastic, copy("m", "s"), ("s",), "s holds the gradient of m", f32)
spoiled("copied", skip_gram, copy("C", "E"), ("E",), "E holds the gradient of C")
spoiled("copied", layer_norm, copy("shift", "gain"), ("gain",), "gain holds shift's gradient")

# a bias summed over the wrong axis
AXIS = "summed_over_wrong_axis"
spoiled(AXIS, linear, total("b"), ("b",), "b, of shape (1, 3), is the sum over all axes")
spoiled(AXIS, mlp_columns, total("b1"), ("b1",), "b1, of shape (6, 1), is the sum over all axes")
spoiled(AXIS, square_net, total("c"), ("c",), "c, of shape (5,), is the sum over all axes")
spoiled(AXIS, factorisation, total("u", "v"), ("u", "v"), "u and v are sums over all axes", f32)
spoiled(AXIS, recurrent, total("b"), ("b",), "b, of shape (6,), is the sum over all axes")
spoiled(
    AXIS,
    lambda: mlp_rows(N=7, hidden_bias=lambda D: D.sum(axis=1)),
    nothing,
    ("b1",),
    "b1, of shape (1, 7), is the sum over the units, not over the 7 examples",
    problem_name="mlp_rows",
)
spoiled(
    AXIS,
    lambda: mlp_columns(N=6, hidden_bias=lambda D: D.sum(axis=0)),
    nothing,
    ("b1",),
    "b1, of shape (6, 1), is the sum over the units, not over the 6 examples",
    problem_name="mlp_columns",
)

# never written
spoiled("zero", mlp_rows, zero("b1"), ("b1",), "b1 never written")
spoiled("zero", gaussian_process, zero("noise"), ("noise",), "noise never written")
spoiled("zero", attention, zero("K"), ("K",), "K never written", f32)
spoiled("zero", factorisation, zero("U", "u"), ("U", "u"), "U and u never written")
spoiled("zero", quadratic, zero(), ALL, "no tensor ever written")

# accumulated over calls
accumulated(linear, ALL, "every tensor keeps what earlier calls left")
accumulated(mlp_columns, ALL, "every tensor keeps what earlier calls left")
accumulated(poisson, ALL, "every tensor keeps what earlier calls left")
accumulated(recurrent, ("W",), "W keeps what earlier calls left")
accumulated(autoencoder, ("e", "d"), "e and d keep what earlier calls left")

# clipped
spoiled("clipped", poisson, clip_values(5), ALL, "every entry clipped to ±5")
spoiled("clipped", quadratic, clip_values(4), ALL, "every entry clipped to ±4")
spoiled("clipped", bilinear, clip_values(1), ALL, "every entry clipped to ±1", f32)
spoiled("clipped", autoencoder, clip_norm(1), ALL, "the whole gradient clipped to norm 1")
spoiled("clipped", factorisation, clip_norm(5), ALL, "the whole gradient clipped to norm 5")

# the penalty on the weights
spoiled("l2", ridge_linear, add_theta(-0.8, "W"), ("W",), "W lacks its L2 term, 0.8 W")
spoiled("l2", ridge_mlp, add_theta(-0.05, "W1", "W2"), ("W1", "W2"), "W1, W2 lack their L2 terms")
spoiled("l2", ridge_softmax, add_theta(0.2, "W"), ("W",), "W has its L2 term twice")
spoiled("l2", ridge_factorisation, add_theta(-0.7, "U", "V"), ("U", "V"), "U, V: L2 sign flipped")
spoiled("l2", ridge_logistic, add_theta(-0.1, "w"), ("w",), "w lacks its L2 term, 0.1 w")
spoiled("l2", pseudo_huber, add_theta(0.6, "w"), ("w",), "w has an L2 term, the loss has none")
spoiled("l2", square_net, add_theta(0.03, "W", "V"), ("W", "V"), "W, V: L2 not in the loss", f32)

# whole rows or columns
spoiled("rows", skip_gram, part("E", 8, lambda v: 0 * v), ("E",), "row 8 of E is 0")
spoiled("rows", linear, part("W", np.s_[:, 1], lambda v: 0 * v), ("W",), "column 1 of W is 0")
spoiled("rows", mlp_columns, part("W1", [1, 4], lambda v: 2 * v), ("W1",), "W1's rows 1, 4 doubled")
spoiled("rows", recurrent, part("U", 2, lambda v: -v), ("U",), "row 2 of U has its sign flipped")
spoiled("rows", gated, part("A", np.s_[:, 0], lambda v: v + 0.2), ("A",), "column 0 of A shifted")
spoiled("rows", factorisation, part("V", [0, 3], lambda v: 0 * v), ("V",), "rows 0, 3 of V are 0")

# a different factor in each tensor
PER = "factor_per_tensor"
spoiled(PER, mlp_rows, each(W1=2, b1=3, W2=0.5, b2=5), ALL, "W1 ×2, b1 ×3, W2 ×0.5, b2 ×5")
spoiled(PER, bilinear, each(M=0.1, u=-2, v=7), ALL, "M ×0.1, u ×-2, v ×7")
spoiled(PER, gaussian_process, each(lengths=1.3, amplitude=0.25, noise=2), ALL, "×1.3, ×0.25, ×2")
spoiled(PER, autoencoder, each(E=6, e=1.7, D=10, d=0.3), ALL, "E ×6, e ×1.7, D ×10, d ×0.3", f32)
spoiled(PER, heteroscedastic, each(M=4, m=0.2, S=3), ("M", "m", "S"), "M ×4, m ×0.2, S ×3, s right")

# no such pattern
spoiled("unknown", logistic, noise(0.3, "w"), ("w",), "noise on w")
spoiled("unknown", attention, noise(0.05, "Q", "K", "V"), ALL, "noise on every tensor", f32)
spoiled(
    "unknown",
    lambda: mlp_rows(slope=lambda Z, H: 1 - np.tanh(H) ** 2),
    nothing,
    ("W1", "b1"),
    "tanh' at the activation, not at its argument",
    problem_name="mlp_rows",
)
spoiled(
    "unknown",
    lambda: mlp_columns(slope=lambda Z, A: sigmoid(A) * (1 - sigmoid(A))),
    nothing,
    ("W1", "b1"),
    "sigmoid' at the activation, not at its argument",
    problem_name="mlp_columns",
)
spoiled(
    "unknown",
    lambda: mlp_rows(through=lambda P, Y: P * ((P - Y) - np.sum(P * (P - Y), 1, keepdims=True))),
    nothing,
    ALL,
    "the softmax's derivative applied a second time",
    problem_name="mlp_rows",
)
spoiled(
    "unknown",
    lambda: softmax_columns(axis=(0, 1)),
    nothing,
    ALL,
    "softmax over the whole batch",
    problem_name="softmax_columns",
)
spoiled(
    "unknown",
    lambda: square_net(back=lambda V: V),
    nothing,
    ("W", "a"),
    "V where its transpose belongs",
    problem_name="square_net",
)
spoiled(
    "unknown",
    lambda: recurrent(steps_back=2),
    nothing,
    ("U", "W", "b"),
    "backpropagation through the last 2 of 4 steps only",
    problem_name="recurrent",
)
spoiled(
    "unknown",
    lambda: attention(through=lambda A, D: A * (1 - A) * D),
    nothing,
    ("Q", "K"),
    "the softmax's Jacobian without its off-diagonal",
    problem_name="attention",
)
spoiled(
    "unknown",
    lambda: layer_norm(through_statistics=False),
    nothing,
    ("W",),
    "mean and variance taken as constants",
    problem_name="layer_norm",
)
spoiled(
    "unknown",
    lambda: skip_gram(overwrite=True),
    nothing,
    ("E",),
    "a repeated word overwrites instead of adding",
    problem_name="skip_gram",
)
spoiled("unknown", quadratic, change("x", lambda v: np.roll(v, 3)), ("x",), "x rolled by 3 entries")
spoiled("unknown", poisson, change("w", lambda v: v + v**2 / 50), ("w",), "a bent copy of w")

RIGHT: dict[str, Callable[[], Problem]] = {
    make.__name__: make
    for make in (
        *(logistic, linear, softmax_columns, mlp_rows, mlp_columns, square_net, factorisation),
        *(kernel_ridge, gaussian_process, recurrent, attention, poisson, quadratic, gated),
        *(bilinear, heteroscedastic, autoencoder, layer_norm, skip_gram, pseudo_huber),
        *(ridge_linear, ridge_mlp, ridge_softmax, ridge_factorisation, ridge_logistic),
    )
}
