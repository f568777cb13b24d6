"""Awkward functions with right gradients, to try a numerical gradient check on.

Written blind: whoever wrote this battery had no look at the checker, its tests, its prototypes or
its benchmarks, so nothing here is fitted to how it works.

`CASES` maps a name to a maker; each call of a maker gives a fresh `(f, grad, theta)` that shares
no state with any other. `f(theta)` is what can be observed, `grad(theta)` the right gradient.
Where f is disturbed (noise, rounding, a solver that stops early), `grad` is the gradient of the
undisturbed function, which is what a backward pass would return.
"""

from collections.abc import Callable
from functools import wraps

import numpy as np
from numpy.random import default_rng

F = Callable[[np.ndarray], float]
Grad = Callable[[np.ndarray], np.ndarray]
Made = tuple[F, Grad, np.ndarray]

CASES: dict[str, Callable[[], Made]] = {}


def _quiet(function):
    """Silence floating-point warnings: long steps may overflow or leave a domain on purpose."""

    def silent(theta):
        with np.errstate(all="ignore"):
            return function(theta)

    return silent


def case(maker: Callable[[], Made]) -> Callable[[], Made]:
    """Register a maker in CASES under its own name."""

    @wraps(maker)
    def quiet_maker():
        f, grad, theta = maker()
        return _quiet(f), _quiet(grad), theta

    CASES[maker.__name__] = quiet_maker
    return quiet_maker


def with_bug(grad: Grad, factor: float) -> Grad:
    """Return the same gradient with its largest entry (in absolute value) times `factor`."""

    def wrong(theta):
        g = np.array(grad(theta))
        k = np.argmax(np.abs(g))
        g[k] = g[k] * factor
        return g

    return wrong


# ------------------------------------------------------------------------------------- helpers


def _complex_step(core) -> Grad:
    """Exact gradient (to rounding) of an analytic `core` that takes complex arguments."""

    def grad(theta):
        g = np.empty(theta.size)
        for k in range(theta.size):
            z = theta.astype(complex)
            z[k] += 1e-30j
            g[k] = core(z).imag / 1e-30
        return g

    return grad


def _analytic(core, theta) -> Made:
    return (lambda t: float(core(t))), _complex_step(core), theta


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _softmax(z):
    e = np.exp(z - np.max(np.real(z), axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def _logsumexp(z):
    top = np.max(np.real(z))
    return top + np.log(np.sum(np.exp(z - top)))


def _symmetric_index(n):
    """Index of the free entry behind each place of a symmetric n × n matrix."""
    index = np.zeros((n, n), dtype=int)
    index[np.tril_indices(n)] = np.arange(n * (n + 1) // 2)
    return np.maximum(index, index.T)


def _rotation(rng, n):
    return np.linalg.qr(rng.normal(size=(n, n)))[0]


def _sines(seed, size=8):
    """Smooth undisturbed problem: a weighted sum of sines, value and slopes of order one."""
    rng = default_rng(seed)
    w = rng.uniform(0.5, 2.0, size) * rng.choice([-1.0, 1.0], size)
    theta = rng.uniform(-1.0, 1.0, size)
    return (lambda t: np.sum(w * np.sin(t))), (lambda t: w * np.cos(t)), theta


def _logistic(seed, size=6):
    """Smooth undisturbed problem: logistic regression with a little weight decay."""
    rng = default_rng(seed)
    X = rng.normal(size=(30, size))
    s = np.where(X @ rng.normal(size=size) + rng.normal(size=30) > 0, 1.0, -1.0)

    def core(t):
        return np.mean(np.log(1 + np.exp(-s * (X @ t)))) + 0.05 * np.sum(t * t)

    def grad(t):
        return X.T @ (-s * _sigmoid(-s * (X @ t))) / 30 + 0.1 * t

    return core, grad, rng.normal(size=size)


def _tanh_net(seed):
    """Smooth undisturbed problem: 3-5-1 tanh network with a squared error, 26 entries."""
    rng = default_rng(seed)
    X, y = rng.normal(size=(12, 3)), rng.normal(size=12)

    def split(t):
        return t[:15].reshape(3, 5), t[15:20], t[20:25], t[25]

    def core(t):
        W1, b1, w2, b2 = split(t)
        return np.mean((np.tanh(X @ W1 + b1) @ w2 + b2 - y) ** 2)

    def grad(t):
        W1, b1, w2, b2 = split(t)
        H = np.tanh(X @ W1 + b1)
        d = 2 * (H @ w2 + b2 - y) / 12
        dA = np.outer(d, w2) * (1 - H * H)
        return np.concatenate([(X.T @ dA).ravel(), dA.sum(0), H.T @ d, [d.sum()]])

    return core, grad, 0.7 * rng.normal(size=26)


def _relu_net(X, y, hidden):
    """One ReLU layer and a squared error; the gradient takes relu'(0) = 0, as frameworks do."""
    n, d = X.shape
    m = d * hidden

    def split(t):
        return t[:m].reshape(d, hidden), t[m : m + hidden], t[m + hidden : -1], t[-1]

    def core(t):
        W1, b1, w2, b2 = split(t)
        return np.mean((np.maximum(X @ W1 + b1, 0) @ w2 + b2 - y) ** 2)

    def grad(t):
        W1, b1, w2, b2 = split(t)
        A = X @ W1 + b1
        H = np.maximum(A, 0)
        e = 2 * (H @ w2 + b2 - y) / n
        dA = np.outer(e, w2) * (A > 0)
        return np.concatenate([(X.T @ dA).ravel(), dA.sum(0), H.T @ e, [e.sum()]])

    return core, grad


def _disturbed(undisturbed, disturb) -> Made:
    """Observe `disturb(value, theta)` where the gradient is that of the undisturbed value."""
    core, grad, theta = undisturbed
    return (lambda t: float(disturb(core(t), t))), grad, theta


# -------------------------------------------------------------------- smooth and mostly harmless


@case
def quadratic_form():
    """No third derivative at all."""
    rng = default_rng(1)
    B = rng.normal(size=(8, 8))
    A, b = B @ B.T / 8 + np.eye(8), rng.normal(size=8)
    theta = rng.normal(size=8)
    return (lambda t: float(0.5 * t @ A @ t - b @ t)), (lambda t: A @ t - b), theta


@case
def linear_regression():
    rng = default_rng(2)
    X, y = rng.normal(size=(40, 7)), rng.normal(size=40)
    f = lambda t: float(np.mean((X @ t - y) ** 2))  # noqa: E731
    return f, (lambda t: 2 * X.T @ (X @ t - y) / 40), rng.normal(size=7)


@case
def logistic_with_decay():
    core, grad, theta = _logistic(3)
    return (lambda t: float(core(t))), grad, theta


@case
def softmax_cross_entropy():
    rng = default_rng(4)
    X, labels = rng.normal(size=(15, 4)), rng.integers(0, 3, 15)
    hot = np.eye(3)[labels]

    def f(t):
        return float(-np.mean(np.log(np.sum(hot * _softmax(X @ t.reshape(4, 3)), axis=1))))

    def grad(t):
        return (X.T @ (_softmax(X @ t.reshape(4, 3)) - hot) / 15).ravel()

    return f, grad, rng.normal(size=12)


@case
def tanh_network():
    core, grad, theta = _tanh_net(5)
    return (lambda t: float(core(t))), grad, theta


@case
def two_layer_softmax_network():
    rng = default_rng(6)
    X, hot = rng.normal(size=(8, 3)), np.eye(2)[rng.integers(0, 2, 8)]

    def core(t):
        H = np.tanh(X @ t[:12].reshape(3, 4) + t[12:16])
        H = np.tanh(H @ t[16:32].reshape(4, 4) + t[32:36])
        return -np.mean(np.log(np.sum(hot * _softmax(H @ t[36:44].reshape(4, 2)), axis=1)))

    return _analytic(core, rng.normal(size=44))


@case
def poisson_likelihood():
    rng = default_rng(7)
    X, k = rng.normal(size=(25, 5)), rng.poisson(2.0, 25)
    f = lambda t: float(np.sum(np.exp(X @ t) - k * (X @ t)))  # noqa: E731
    return f, (lambda t: X.T @ (np.exp(X @ t) - k)), 0.5 * rng.normal(size=5)


@case
def rosenbrock_valley():
    rng = default_rng(8)

    def f(t):
        return float(np.sum(100 * (t[1:] - t[:-1] ** 2) ** 2 + (1 - t[:-1]) ** 2))

    def grad(t):
        g = np.zeros(t.size)
        r = t[1:] - t[:-1] ** 2
        g[1:] += 200 * r
        g[:-1] += -400 * t[:-1] * r - 2 * (1 - t[:-1])
        return g

    return f, grad, rng.uniform(-1.5, 1.5, 60)


@case
def gaussian_mixture():
    rng = default_rng(9)
    x = np.concatenate([rng.normal(-2, 0.5, 15), rng.normal(1, 1.0, 15)])[:, None]

    def core(t):
        w, m, s = _softmax(t[:3]), t[3:6], np.exp(t[6:])
        return -np.sum(np.log(np.sum(w / s * np.exp(-(((x - m) / s) ** 2) / 2), axis=1)))

    return _analytic(core, np.array([0.1, -0.3, 0.2, -1.8, 0.4, 1.5, -0.4, 0.1, 0.0]))


@case
def cosine_similarity():
    rng = default_rng(10)
    v = rng.normal(size=10)
    core = lambda t: np.sum(t * v) / np.sqrt(np.sum(t * t) * np.sum(v * v))  # noqa: E731
    return _analytic(core, rng.normal(size=10))


@case
def contrastive_low_temperature():
    """InfoNCE with temperature 0.05: a soft maximum with a hard edge."""
    rng = default_rng(11)
    P = rng.normal(size=(5, 3))
    P /= np.sqrt(np.sum(P * P, axis=1, keepdims=True))
    diagonal = np.eye(5)

    def core(t):
        A = t.reshape(5, 3)
        A = A / np.sqrt(np.sum(A * A, axis=1, keepdims=True))
        return -np.mean(np.log(np.sum(diagonal * _softmax(A @ P.T / 0.05), axis=1)))

    return _analytic(core, (P + 0.4 * rng.normal(size=(5, 3))).ravel())


@case
def focal_loss():
    rng = default_rng(12)
    X, s = rng.normal(size=(20, 4)), rng.choice([-1.0, 1.0], 20)

    def core(t):
        p = _sigmoid(s * (X @ t))
        return -np.mean((1 - p) ** 2 * np.log(p))

    return _analytic(core, rng.normal(size=4))


@case
def gaussian_divergence():
    """KL divergence between diagonal Gaussians, means and log-variances."""
    rng = default_rng(13)

    def grad(t):
        return np.concatenate([t[:6], 0.5 * (np.exp(t[6:]) - 1)])

    f = lambda t: float(0.5 * np.sum(t[:6] ** 2 + np.exp(t[6:]) - 1 - t[6:]))  # noqa: E731
    return f, grad, rng.normal(size=12)


@case
def attention_softmax():
    rng = default_rng(14)
    X, target = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))

    def core(t):
        Q, K, V = (
            X @ M for M in (t[:9].reshape(3, 3), t[9:18].reshape(3, 3), t[18:].reshape(3, 3))
        )
        return np.mean((_softmax(Q @ K.T / np.sqrt(3.0)) @ V - target) ** 2)

    return _analytic(core, rng.normal(size=27))


@case
def layer_norm():
    rng = default_rng(15)
    X, V = rng.normal(size=(4, 3)), rng.normal(size=(4, 6))

    def core(t):
        H = X @ t[:18].reshape(3, 6)
        H = H - np.mean(H, axis=1, keepdims=True)
        H = H / np.sqrt(np.mean(H * H, axis=1, keepdims=True) + 1e-5)
        return np.sum(V * np.tanh(H * t[18:24] + t[24:]))

    return _analytic(core, rng.normal(size=30))


def _batch_norm_net(seed, scale, eps):
    rng = default_rng(seed)
    X, Y = rng.normal(size=(10, 3)), rng.normal(size=(10, 4))

    def core(t):
        A = scale * (X @ t[:12].reshape(3, 4)) + t[12:16]
        C = A - np.mean(A, axis=0)
        Z = C / np.sqrt(np.mean(C * C, axis=0) + eps)
        return np.mean((Z * t[16:20] + t[20:] - Y) ** 2)

    def grad(t):
        A = scale * (X @ t[:12].reshape(3, 4)) + t[12:16]
        C = A - A.mean(0)
        r = 1 / np.sqrt((C * C).mean(0) + eps)
        Z = C * r
        dO = 2 * (Z * t[16:20] + t[20:] - Y) / 40
        dZ = dO * t[16:20]
        dA = r * (dZ - dZ.mean(0) - Z * (dZ * Z).mean(0))
        dW = scale * X.T @ dA
        return np.concatenate([dW.ravel(), dA.sum(0), (dO * Z).sum(0), dO.sum(0)])

    return core, grad, rng.normal(size=24)


@case
def batch_norm_useless_bias():
    """The bias before batch norm has gradient 0; the backward pass returns some 1e-18."""
    core, grad, theta = _batch_norm_net(16, 1.0, 1e-5)
    return (lambda t: float(core(t))), grad, theta


@case
def batch_norm_tiny_variance():
    """Activations of size 1e-3, so the useless bias sits beside a large 1 / sqrt(variance)."""
    core, grad, theta = _batch_norm_net(17, 1e-3, 1e-8)
    return (lambda t: float(core(t))), grad, theta


@case
def convolution_tanh():
    rng = default_rng(18)
    x = rng.normal(size=12)
    patches = x[np.arange(10)[:, None] + np.arange(3)]
    core = lambda t: np.mean(np.tanh(patches @ t[:12].reshape(3, 4)) @ t[12:]) ** 2  # noqa: E731
    return _analytic(core, rng.normal(size=16))


@case
def lstm_four_steps():
    rng = default_rng(19)
    x = rng.normal(size=(4, 2))

    def core(t):
        W, b = t[:32].reshape(4, 8), t[32:]
        h, c = np.zeros(2), np.zeros(2)
        for row in x:
            a = np.concatenate([row, h]) @ W + b
            c = _sigmoid(a[:2]) * c + _sigmoid(a[2:4]) * np.tanh(a[4:6])
            h = _sigmoid(a[6:]) * np.tanh(c)
        return np.sum((h - np.array([0.3, -0.6])) ** 2)

    return _analytic(core, rng.normal(size=40))


@case
def ctc_like_alignment():
    """Log-probability of a label sequence over all alignments, by the forward recursion."""
    rng = default_rng(20)
    symbols = np.array([0, 1, 0, 2, 0])

    def core(t):
        log_p = [row - _logsumexp(row) for row in t.reshape(6, 3)]
        never = -1e30
        a = [log_p[0][0], log_p[0][1], never, never, never]
        for row in log_p[1:]:
            new = []
            for s in range(5):
                ways = [a[s]] + ([a[s - 1]] if s else []) + ([a[s - 2]] if s == 3 else [])
                new.append(_logsumexp(np.array(ways)) + row[symbols[s]])
            a = new
        return -_logsumexp(np.array(a[3:]))

    return _analytic(core, rng.normal(size=18))


@case
def lotka_volterra_rk4():
    """Four rates and two initial values, through 60 Runge-Kutta steps."""

    def core(t):
        def slope(u):
            return np.array([u[0] * (t[0] - t[1] * u[1]), u[1] * (t[2] * u[0] - t[3])])

        u, total = t[4:], 0.0
        for _ in range(60):
            k1 = slope(u)
            k2 = slope(u + 0.05 * k1)
            k3 = slope(u + 0.05 * k2)
            k4 = slope(u + 0.1 * k3)
            u = u + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            total = total + np.sum((u - 1.0) ** 2)
        return total / 60

    return _analytic(core, np.array([1.1, 0.4, 0.3, 0.9, 2.0, 1.5]))


@case
def stiff_decay_by_euler():
    """Explicit Euler near its stability bound: a polynomial of degree 50 in each rate."""

    def core(t):
        u = 3.0 * np.ones(5)
        for _ in range(50):
            u = u - 0.04 * t * (u - 1)
        return np.sum(u * u)

    return _analytic(core, np.array([1.0, 10.0, 48.5, 49.7, 50.3]))


@case
def log_determinant():
    rng = default_rng(21)
    theta = (np.eye(5) + 0.3 * rng.normal(size=(5, 5))).ravel()
    f = lambda t: float(np.linalg.slogdet(t.reshape(5, 5))[1])  # noqa: E731
    return f, (lambda t: np.linalg.inv(t.reshape(5, 5)).T.ravel()), theta


@case
def largest_eigenvalue_small_gap():
    """The second eigenvalue is only 1e-3 below: curvature 1e3, and nearly a kink."""
    rng = default_rng(22)
    index, Q = _symmetric_index(5), _rotation(rng, 5)
    S = Q * np.array([0.1, 0.4, 0.6, 0.999, 1.0]) @ Q.T

    def grad(t):
        v = np.linalg.eigh(t[index])[1][:, -1]
        return np.bincount(index.ravel(), np.outer(v, v).ravel())

    return (lambda t: float(np.linalg.eigh(t[index])[0][-1])), grad, S[np.tril_indices(5)]


@case
def nuclear_norm_nearly_singular():
    """Sum of singular values, the smallest 1e-4: an absolute value near its kink."""
    rng = default_rng(23)
    U, V = _rotation(rng, 4)[:, :3], _rotation(rng, 3)

    def grad(t):
        u, _, v = np.linalg.svd(t.reshape(4, 3), full_matrices=False)
        return (u @ v).ravel()

    theta = (U * np.array([2.0, 0.7, 1e-4]) @ V.T).ravel()

    def f(t):
        return float(np.sum(np.linalg.svd(t.reshape(4, 3), full_matrices=False)[1]))

    return f, grad, theta


@case
def nearly_linear():
    rng = default_rng(24)
    w = rng.normal(size=9)
    f = lambda t: float(w @ t + 1e-9 * np.sum(t**3))  # noqa: E731
    return f, (lambda t: w + 3e-9 * t**2), rng.normal(size=9)


@case
def exactly_linear_small_slopes():
    w = np.array([1e-7, -3e-7, 2e-7, 5e-8])
    return (lambda t: float(2.0 + w @ t)), (lambda t: w.copy()), np.array([0.3, -0.2, 5.0, 1.0])


# --------------------------------------------------------------- domains that end near theta


@case
def gp_marginal_likelihood():
    """Noise variance 0.01, not its logarithm: a longer step down raises LinAlgError."""
    rng = default_rng(30)
    x = np.linspace(0, 4, 20)
    D, y = (x[:, None] - x) ** 2, np.sin(2 * x) + 0.1 * rng.normal(size=20)

    def parts(t):
        R = np.exp(2 * t[0] - D * np.exp(-2 * t[1]) / 2)
        return R, R + t[2] * np.eye(20)

    def f(t):
        L = np.linalg.cholesky(parts(t)[1])
        return float(0.5 * np.sum(np.linalg.solve(L, y) ** 2) + np.sum(np.log(np.diag(L))))

    def grad(t):
        R, K = parts(t)
        inverse = np.linalg.inv(K)
        a = inverse @ y
        G = 0.5 * (inverse - np.outer(a, a))
        return np.array([np.sum(G * 2 * R), np.sum(G * R * D) * np.exp(-2 * t[1]), np.trace(G)])

    return f, grad, np.array([0.1, -0.5, 0.01])


@case
def covariance_entries_near_singular():
    """Log-determinant by Cholesky with smallest eigenvalue 1e-3: LinAlgError beyond."""
    rng = default_rng(31)
    index, Q = _symmetric_index(4), _rotation(rng, 4)
    S = Q * np.array([1e-3, 0.5, 1.0, 2.0]) @ Q.T

    def f(t):
        return float(2 * np.sum(np.log(np.diag(np.linalg.cholesky(t[index])))))

    def grad(t):
        return np.bincount(index.ravel(), np.linalg.inv(t[index]).ravel())

    return f, grad, S[np.tril_indices(4)]


@case
def log_raises_below_zero():
    def f(t):
        if np.any(t <= 0):
            raise ValueError("math domain error")
        return float(np.sum(np.log(t)))

    return f, (lambda t: 1 / t), np.array([1e-3, 2e-3, 0.1, 1.0, 5.0])


@case
def sqrt_is_nan_below_zero():
    theta = np.array([1e-6, 1e-4, 1e-2, 1.0, 100.0])
    return (lambda t: float(np.sum(np.sqrt(t)))), (lambda t: 0.5 / np.sqrt(t)), theta


@case
def arcsin_near_one():
    theta = np.array([1 - 1e-5, -1 + 1e-4, 0.5, 0.0])
    return (lambda t: float(np.sum(np.arcsin(t)))), (lambda t: 1 / np.sqrt(1 - t * t)), theta


@case
def barrier_is_infinite_outside():
    """Log barrier of a polytope, the nearest wall 1e-5 away."""
    rng = default_rng(32)
    A, theta = rng.normal(size=(10, 4)), rng.normal(size=4)
    room = np.concatenate([[1e-5, 1e-3], rng.uniform(0.5, 2, 8)])
    b = A @ theta + room

    def f(t):
        s = b - A @ t
        return float(-np.sum(np.log(s))) if np.all(s > 0) else np.inf

    return f, (lambda t: A.T @ (1 / (b - A @ t))), theta


@case
def naive_softmax_overflows():
    """log(sum(exp)) without the shift, 0.7 below overflow."""
    theta = np.array([709.0, 708.0, 700.0, -3.0])
    return (lambda t: float(np.log(np.sum(np.exp(t))))), _softmax, theta


@case
def value_near_overflow():
    theta = np.array([5.0, 4.0, 3.0])
    return (lambda t: float(np.sum(1e305 * np.exp(t)))), (lambda t: 1e305 * np.exp(t)), theta


@case
def raises_on_one_side_only():
    """A validity check on the sum, which stands exactly at its bound: upward steps raise."""

    def f(t):
        if np.sum(t) > 1.0:
            raise ValueError("probabilities sum to more than 1")
        return float(np.sum(t**2))

    return f, (lambda t: 2 * t), np.array([0.5, 0.25, 0.125, 0.125])


@case
def pole_at_a_thousandth():
    theta = np.array([1e-3, -1e-3, 0.5, 2.0])
    return (lambda t: float(np.sum(1 / t))), (lambda t: -1 / t**2), theta


@case
def tangent_near_its_pole():
    theta = np.array([np.pi / 2 - 1e-2, 0.3, -np.pi / 2 + 0.1])
    return (lambda t: float(np.sum(np.tan(t)))), (lambda t: 1 / np.cos(t) ** 2), theta


# ----------------------------------------------------------------------------- kinks near theta


@case
def relu_kink_at_1e_9():
    theta = np.array([1e-9, -1e-9, 0.5, -0.5])
    w = np.array([1.0, 2.0, -1.0, 0.5])
    f = lambda t: float(w @ np.maximum(t, 0) + 0.3 * np.sum(np.sin(t)))  # noqa: E731
    return f, (lambda t: w * (t > 0) + 0.3 * np.cos(t)), theta


@case
def relu_kink_ladder():
    """Kinks at 1e-9, 1e-8, ... 1e-2, on either side."""
    d = 10.0 ** np.arange(-9, -1)
    theta = np.concatenate([d, -d])
    w = np.linspace(0.5, 2.0, 16)
    f = lambda t: float(w @ np.maximum(t, 0) + 0.5 * np.sum((t - 1) ** 2))  # noqa: E731
    return f, (lambda t: w * (t > 0) + t - 1), theta


@case
def abs_kink_ladder():
    theta = 3e-3 * np.array([1, -0.3, 0.1, -0.03, 0.01, -3e-3, 1e-3, -3e-4, 1e-4, -1e-6])
    f = lambda t: float(np.sum(np.abs(t)) + np.sum(np.cos(t)))  # noqa: E731
    return f, (lambda t: np.sign(t) - np.sin(t)), theta


@case
def kinks_on_both_sides():
    """Slope 3 on a piece 2e-5 long, slope 1 beyond it on either side."""
    d = np.array([1e-5, 1e-4, 1e-3, 1e-2])
    c = np.array([0.2, -0.7, 1.3, 0.4])
    f = lambda t: float(np.sum(t + 2 * np.clip(t - c, -d, d)))  # noqa: E731
    return f, (lambda t: 1.0 + 2 * (np.abs(t - c) < d)), c.copy()


@case
def kinks_lopsided():
    """A short steep piece with its ends at different distances, 1e-6 below and 1e-3 above."""
    c = np.array([0.5, -0.5, 1.5])
    f = lambda t: float(np.sum(np.sin(t) + 4 * np.clip(t - c, -1e-6, 1e-3)))  # noqa: E731
    inside = lambda t: (t - c > -1e-6) & (t - c < 1e-3)  # noqa: E731
    return f, (lambda t: np.cos(t) + 4 * inside(t)), c.copy()


@case
def narrow_triangle_wave():
    """Zigzag of period 1e-3 and slope ±1 on top of slope 0.5: long steps see 0.5 only."""
    theta = np.array([0.0101, 0.02035, 0.0309, 1.0002])
    phase = lambda t: np.mod(t, 1e-3)  # noqa: E731
    zigzag = lambda t: np.where(phase(t) < 5e-4, phase(t), 1e-3 - phase(t))  # noqa: E731
    f = lambda t: float(np.sum(0.5 * t + zigzag(t)))  # noqa: E731
    return f, (lambda t: 0.5 + np.where(phase(t) < 5e-4, 1.0, -1.0)), theta


@case
def relu_network_near_kinks():
    """In the first sample the four pre-activations are 1e-7, -1e-6, 1e-5 and -1e-4."""
    rng = default_rng(40)
    X, y = rng.normal(size=(6, 3)), rng.normal(size=6)
    W1 = rng.normal(size=(3, 4))
    b1 = np.array([1e-7, -1e-6, 1e-5, -1e-4]) - X[0] @ W1
    core, grad = _relu_net(X, y, 4)
    theta = np.concatenate([W1.ravel(), b1, rng.normal(size=5)])
    return (lambda t: float(core(t))), grad, theta


@case
def wide_relu_network_many_kinks():
    """A crowd of samples, so that any step long enough crosses some kink."""
    rng = default_rng(41)
    X, y = rng.normal(size=(400, 2)), rng.normal(size=400)
    core, grad = _relu_net(X, y, 5)
    return (lambda t: float(core(t))), grad, rng.normal(size=21)


@case
def hinge_near_margin():
    rng = default_rng(42)
    X, theta = rng.normal(size=(8, 4)), rng.normal(size=4)
    gap = np.array([1e-6, -1e-6, 1e-5, -1e-4, 0.3, -0.4, 1.0, -1.0])
    X *= ((1 - gap) / (X @ theta))[:, None]
    f = lambda t: float(np.mean(np.maximum(1 - X @ t, 0)) + 0.05 * t @ t)  # noqa: E731
    return f, (lambda t: -X.T @ (X @ t < 1) / 8.0 + 0.1 * t), theta


@case
def maximum_near_tie():
    theta = np.array([1.0, 1.0 - 1e-5, 0.3, 1.0 - 1e-3])
    grad = lambda t: 2.0 * (np.arange(t.size) == np.argmax(t)) + t  # noqa: E731
    return (lambda t: float(2 * np.max(t) + 0.5 * np.sum(t * t))), grad, theta


@case
def max_pool_near_ties():
    theta = np.array([0.5, 0.5 + 1e-7, 0.2, -1.0, -1.0 - 1e-4, -1.2, 2.0, 1.99, 2.0 - 1e-6])

    def grad(t):
        P = t.reshape(3, 3)
        top = P.max(axis=1, keepdims=True)
        return ((top == P) * (1 - np.tanh(top) ** 2)).ravel()

    return (lambda t: float(np.sum(np.tanh(np.max(t.reshape(3, 3), axis=1))))), grad, theta


@case
def huber_near_joint():
    theta = np.array([1 + 1e-5, 1 - 1e-5, -1 - 1e-3, 0.3, 4.0])

    def f(t):
        a = np.abs(t)
        return float(np.sum(np.where(a < 1, 0.5 * t * t, a - 0.5)))

    return f, (lambda t: np.clip(t, -1, 1)), theta


@case
def clip_near_bound():
    theta = np.array([1 - 1e-8, 1 + 1e-8, -1 + 1e-6, -1 - 1e-6, 0.2])
    f = lambda t: float(np.sum(np.clip(t, -1, 1) * np.arange(1, 6)))  # noqa: E731
    return f, (lambda t: np.arange(1.0, 6.0) * (np.abs(t) < 1)), theta


@case
def lasso_small_coefficients():
    rng = default_rng(43)
    X, y = rng.normal(size=(20, 6)), rng.normal(size=20)
    theta = np.array([1e-6, -1e-6, 1e-8, 0.5, -2.0, 1e-4])
    f = lambda t: float(np.mean((X @ t - y) ** 2) + 0.3 * np.sum(np.abs(t)))  # noqa: E731
    return f, (lambda t: X.T @ (X @ t - y) / 10 + 0.3 * np.sign(t)), theta


@case
def pinball_small_residuals():
    rng = default_rng(44)
    X, theta = rng.normal(size=(9, 3)), rng.normal(size=3)
    r0 = np.array([1e-4, -1e-4, 1e-6, -1e-6, 0.5, -0.5, 1e-2, -1e-2, 1.0])
    y = X @ theta + r0

    def f(t):
        r = y - X @ t
        return float(np.sum(np.where(r > 0, 0.9 * r, -0.1 * r)))

    return f, (lambda t: -X.T @ np.where(y - X @ t > 0, 0.9, -0.1)), theta


@case
def sort_near_ties():
    """Weights by rank, neighbours 1e-6 and 1e-4 apart."""
    theta = np.array([0.3, 0.3 + 1e-6, -1.0, -1.0 + 1e-4, 2.0])
    w = np.array([5.0, -1.0, 2.0, 0.5, 3.0])
    return (lambda t: float(w @ np.sort(t))), (lambda t: w[np.argsort(np.argsort(t))]), theta


@case
def cusp_of_sqrt_abs():
    theta = np.array([1e-4, -1e-3, 1e-2, -1.0])
    f = lambda t: float(np.sum(np.sqrt(np.abs(t))))  # noqa: E731
    return f, (lambda t: np.sign(t) / (2 * np.sqrt(np.abs(t)))), theta


@case
def squared_relu_near_zero():
    """Only the second derivative jumps."""
    theta = np.array([1e-6, -1e-6, 1e-3, -1e-3, 0.5])
    f = lambda t: float(np.sum(10 * np.maximum(t, 0) ** 2 + t))  # noqa: E731
    return f, (lambda t: 20 * np.maximum(t, 0) + 1), theta


@case
def softplus_with_hard_edge():
    """Smooth, but the bend is 1e-4 wide."""
    theta = np.array([1e-4, -1e-4, 5e-5, 1e-2, -1e-2, 0.0])

    def f(t):
        return float(np.sum(np.maximum(t, 0) + 1e-4 * np.log(1 + np.exp(-np.abs(t) * 1e4))))

    return f, (lambda t: _sigmoid(1e4 * t)), theta


@case
def jump_on_one_side():
    """A step of height 1 at distances 1e-6, 1e-4 and 1e-2."""
    theta = np.array([0.3, -0.4, 1.1, 0.7])
    edge = theta + np.array([1e-6, -1e-4, 1e-2, 5.0])
    f = lambda t: float(np.sum(np.sin(t)) + np.sum(t > edge))  # noqa: E731
    return f, np.cos, theta


@case
def jumps_on_both_sides():
    theta = np.array([0.3, -0.4, 1.1])
    c = theta.copy()
    f = lambda t: float(np.sum(np.sin(t)) + 0.5 * np.sum(np.abs(t - c) > 1e-5))  # noqa: E731
    return f, np.cos, theta


@case
def angle_wraps_near_pi():
    wrap = lambda t: np.mod(t + np.pi, 2 * np.pi) - np.pi  # noqa: E731
    theta = np.array([np.pi - 1e-5, -np.pi + 1e-4, 0.5, 7.0])
    return (lambda t: float(np.sum(wrap(t) ** 2))), (lambda t: 2 * wrap(t)), theta


@case
def infinity_norm_near_tie():
    theta = np.array([2.0, -2.0 + 1e-6, 1.0, -2.0 + 1e-3])
    grad = lambda t: np.sign(t) * (np.abs(t) == np.max(np.abs(t)))  # noqa: E731
    return (lambda t: float(np.max(np.abs(t)))), grad, theta


@case
def unit_vector_near_origin():
    """theta / |theta| with |theta| = 1e-6."""
    rng = default_rng(45)
    v, theta = rng.normal(size=5), rng.normal(size=5)
    core = lambda t: np.sum(v * t) / np.sqrt(np.sum(t * t))  # noqa: E731
    return _analytic(core, 1e-6 * theta / np.sqrt(np.sum(theta * theta)))


@case
def interpolation_table():
    """Linear interpolation, nodes 0.01 apart; theta lies 1e-4 to 5e-3 from the nearest."""
    x = np.linspace(-1, 1, 201)
    y = np.sin(9 * x) + x**2
    theta = np.array([0.1001, -0.3201, 0.555, 0.7777])

    def grad(t):
        k = np.searchsorted(x, t)
        return (y[k] - y[k - 1]) / (x[k] - x[k - 1])

    return (lambda t: float(np.sum(np.interp(t, x, y)))), grad, theta


@case
def coarse_rough_table():
    """A table of random heights every 1e-3: each piece has another slope of order 1e3."""
    rng = default_rng(46)
    x, y = np.arange(3001) * 1e-3, rng.normal(size=3001)
    theta = np.array([0.50025, 1.7005, 2.30071])

    def grad(t):
        k = np.searchsorted(x, t)
        return (y[k] - y[k - 1]) / (x[k] - x[k - 1])

    return (lambda t: float(np.sum(np.interp(t, x, y)))), grad, theta


# ------------------------------------------------------------------------ kinks exactly at theta


@case
def relu_at_zero():
    """Entries 0-2 stand at 0: slopes (0.3, 0.3 + w) below and above; grad says 0.3."""
    w = np.array([1.0, -2.0, 0.5, 1.5, 1.0])
    theta = np.array([0.0, 0.0, 0.0, 0.7, -0.7])
    f = lambda t: float(w @ np.maximum(t, 0) + 0.3 * np.sum(t))  # noqa: E731
    return f, (lambda t: w * (t > 0) + 0.3), theta


@case
def abs_at_zero():
    """Entries 0 and 1 stand at 0: slopes (-1, +1) plus 0 from the cosine; grad says 0."""
    theta = np.array([0.0, 0.0, 0.5, -0.25])
    f = lambda t: float(np.sum(np.abs(t) + np.cos(t)))  # noqa: E731
    return f, (lambda t: np.sign(t) - np.sin(t)), theta


@case
def maximum_of_tied_entries():
    """Entries 1, 2 and 4 tie: slopes (0, 3) for each; grad gives all 3 to the first of them."""
    theta = np.array([0.2, 0.9, 0.9, -1.0, 0.9])
    grad = lambda t: 3.0 * (np.arange(t.size) == np.argmax(t))  # noqa: E731
    return (lambda t: float(3 * np.max(t))), grad, theta


@case
def maximum_of_tied_entries_shared():
    """Entries 1, 2 and 4 tie: slopes (0, 3) for each; grad shares out 1 to each, as amax does."""
    theta = np.array([0.2, 0.9, 0.9, -1.0, 0.9])

    def grad(t):
        top = t == np.max(t)
        return 3.0 * top / np.sum(top)

    return (lambda t: float(3 * np.max(t))), grad, theta


@case
def max_pool_equal_patches():
    """A blank 4 × 4 image, 2 × 2 pools: slopes (0, v) for each pixel, v the pool's weight.

    With a negative weight the order turns: (0 below, v < 0 above). grad: the first pixel gets v.
    """
    v = np.array([1.0, -2.0, 0.5, 3.0])
    pools = np.array([[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]])

    def grad(t):
        g = np.zeros(16)
        g[pools[np.arange(4), np.argmax(t[pools], axis=1)]] = v
        return g

    return (lambda t: float(v @ np.max(t[pools], axis=1))), grad, np.full(16, 0.5)


@case
def relu_layer_of_zero_weights():
    """All of W1 and b1 is zero, so the kinks of all 12 samples meet in one point.

    With d = 2 (b2 - y) / 12 < 0 for every sample, W1[i, j] has the slopes
    (-sum d w2_j relu(-x_i), sum d w2_j relu(x_i)), of opposite signs, and b1[j] has
    (0, sum d w2_j); grad says 0, inside. w2 (slope 0) and b2 (slope sum d) are smooth.
    """
    rng = default_rng(50)
    X, y = rng.normal(size=(12, 3)), rng.uniform(1, 2, 12)
    core, grad = _relu_net(X, y, 4)
    theta = np.concatenate([np.zeros(16), np.array([1.0, -0.8, 0.6, -1.2]), [0.1]])
    return (lambda t: float(core(t))), grad, theta


@case
def relu_layer_blank_sample():
    """One sample is all zero and b1 = 0: b1[j] (entries 9-11) bends, slopes apart by d_0 w2_j.

    The slope below lacks sample 0, the slope above holds it; grad is the one below.
    """
    rng = default_rng(51)
    X, y = rng.normal(size=(7, 3)), rng.normal(size=7)
    X[0] = 0.0
    core, grad = _relu_net(X, y, 3)
    theta = np.concatenate([rng.normal(size=9), np.zeros(3), rng.normal(size=4)])
    return (lambda t: float(core(t))), grad, theta


@case
def hinge_at_margin():
    """Sample 0 is (1, 0, 0, 0) with margin 1 exactly: entry 0 has slopes (g - 1, g), grad g."""
    rng = default_rng(52)
    X = rng.normal(size=(5, 4))
    X[0] = [1.0, 0.0, 0.0, 0.0]
    theta = np.array([1.0, 0.5, -0.3, 0.8])
    f = lambda t: float(np.sum(np.maximum(1 - X @ t, 0)))  # noqa: E731
    return f, (lambda t: -X.T @ np.where(X @ t < 1, 1.0, 0.0)), theta


@case
def clip_at_bound():
    """Entry 0 at the upper bound: slopes (2, 0), grad 2; entry 1 at the lower: (0, 3), grad 3.

    As in frameworks, where the gradient passes through on the bound itself.
    """
    w = np.array([2.0, 3.0, -1.0, 4.0])
    theta = np.array([1.0, -1.0, 0.3, 1.7])
    return (lambda t: float(w @ np.clip(t, -1, 1))), (lambda t: w * (np.abs(t) <= 1)), theta


@case
def median_of_ties():
    """Entries 1 and 3 tie as third of five: slopes (1, 0) for each; grad gives 1 to the first."""
    theta = np.array([-1.0, 0.5, 2.0, 0.5, -2.0])

    def grad(t):
        return 1.0 * (np.arange(5) == np.flatnonzero(t == np.sort(t)[2])[0])

    return (lambda t: float(np.sort(t)[2])), grad, theta


@case
def leaky_relu_at_zero():
    """Entries 0-2 at 0: slopes (0.01 w, w) below and above; grad says 0.01 w, as frameworks do."""
    w = np.array([1.0, 2.0, -3.0, 1.0])
    theta = np.array([0.0, 0.0, 0.0, 0.4])
    f = lambda t: float(w @ np.where(t > 0, t, 0.01 * t))  # noqa: E731
    return f, (lambda t: w * np.where(t > 0, 1.0, 0.01)), theta


@case
def maximum_of_equal_arguments():
    """maximum(a, b), a = theta[:4], b = theta[4:], equal in three places of four.

    Slopes (0, v_i) for each tied entry (a negative v_i alike); grad says v_i / 2 for either.
    """
    v = np.array([1.0, -2.0, 3.0, 0.5])
    theta = np.array([0.3, -0.8, 1.0, 0.2, 0.3, -0.8, 1.0, 0.9])

    def grad(t):
        a, b = t[:4], t[4:]
        return np.concatenate([v * ((a > b) + 0.5 * (a == b)), v * ((b > a) + 0.5 * (a == b))])

    return (lambda t: float(v @ np.maximum(t[:4], t[4:]))), grad, theta


@case
def huber_at_joint():
    """Entries 0 and 1 at the joints ±1: slopes (1, 1) and (-1, -1), only the curvature jumps."""
    theta = np.array([1.0, -1.0, 0.4, 3.0])

    def f(t):
        a = np.abs(t)
        return float(np.sum(np.where(a <= 1, 0.5 * t * t, a - 0.5)))

    return f, (lambda t: np.clip(t, -1, 1)), theta


@case
def elu_at_zero():
    """Entries 0 and 1 at 0: slopes (1, 1), the curvature jumps from 1 to 0."""
    theta = np.array([0.0, 0.0, -0.5, 0.5])
    f = lambda t: float(np.sum(np.where(t > 0, t, np.exp(np.minimum(t, 0)) - 1)))  # noqa: E731
    return f, (lambda t: np.where(t > 0, 1.0, np.exp(np.minimum(t, 0)))), theta


@case
def relu6_at_both_ends():
    """Entry 0 at 0: slopes (0, 1); entry 1 at 6: slopes (1, 0), both scaled by 2; grad says 0."""
    theta = np.array([0.0, 6.0, 3.0, 8.0, -1.0])
    f = lambda t: float(2 * np.sum(np.minimum(np.maximum(t, 0), 6)))  # noqa: E731
    return f, (lambda t: 2.0 * ((t > 0) & (t < 6))), theta


@case
def hard_sigmoid_at_its_ends():
    """Entry 0 at -3: slopes (0, 1/6); entry 1 at 3: slopes (1/6, 0); grad says 0 for both."""
    theta = np.array([-3.0, 3.0, 0.5, 5.0])
    f = lambda t: float(np.sum(np.clip(t / 6 + 0.5, 0, 1)))  # noqa: E731
    return f, (lambda t: (np.abs(t) < 3) / 6.0), theta


@case
def top_k_tie():
    """Sum of the two largest, entries 1 and 3 tie for the second place: slopes (0, 1) for each."""
    theta = np.array([3.0, 1.0, 0.0, 1.0, -2.0])

    def grad(t):
        g = np.zeros(5)
        g[np.argsort(-t, kind="stable")[:2]] = 1.0
        return g

    return (lambda t: float(np.sum(np.sort(t)[-2:]))), grad, theta


@case
def abs_of_a_zero_sum():
    """The sum is exactly 0: slopes (a_i - 1, a_i + 1) for every entry; grad says a_i."""
    a = np.array([0.3, -2.0, 0.1, 1.0])
    theta = np.array([0.5, -0.25, 0.25, -0.5])
    return (lambda t: float(np.abs(np.sum(t)) + a @ t)), (lambda t: np.sign(np.sum(t)) + a), theta


@case
def rank_weights_with_ties():
    """Ranks 1 and 2 tie (entries 0, 2) with weights -1 and 2: slopes (-1, 2) for either.

    grad gives -1 to the first and 2 to the second, as a stable sort does.
    """
    theta = np.array([0.3, 1.0, 0.3, -1.0])
    w = np.array([4.0, -1.0, 2.0, 0.5])

    def grad(t):
        g = np.empty(4)
        g[np.argsort(t, kind="stable")] = w
        return g

    return (lambda t: float(w @ np.sort(t))), grad, theta


@case
def norm_at_the_origin():
    """Euclidean norm of entries 0-2, all 0: slopes (-1, 1) for each; grad says 0."""
    theta = np.array([0.0, 0.0, 0.0, 0.5, -0.5])
    f = lambda t: float(np.sqrt(np.sum(t[:3] ** 2)) + np.sum(np.exp(t[3:])))  # noqa: E731

    def grad(t):
        n = np.sqrt(np.sum(t[:3] ** 2))
        return np.concatenate([t[:3] / n if n else np.zeros(3), np.exp(t[3:])])

    return f, grad, theta


@case
def total_variation_of_a_flat_signal():
    """Slopes (-1, 1) at the two ends and (-2, 2) between, around a smooth part; grad says that."""
    y = np.linspace(-1, 2, 8)
    f = lambda t: float(np.sum(np.abs(t[1:] - t[:-1])) + 0.5 * np.sum((t - y) ** 2))  # noqa: E731

    def grad(t):
        s = np.sign(t[1:] - t[:-1])
        return np.concatenate([[0.0], s]) - np.concatenate([s, [0.0]]) + t - y

    return f, grad, np.full(8, 0.5)


@case
def pinball_at_zero_residual():
    """Entry 0 hits its target: slopes (-0.9, 0.1), grad -0.9; the others are 0.25 off."""
    y = np.array([0.5, 1.25, -0.75])

    def f(t):
        r = y - t
        return float(np.sum(np.where(r >= 0, 0.9 * r, -0.1 * r)))

    return f, (lambda t: np.where(y - t >= 0, -0.9, 0.1)), np.array([0.5, 1.0, -0.5])


@case
def triplet_loss_at_margin():
    """Loss max(0, a - p + 1), twice at its bound: a slopes (0, 1), p slopes (-1, 0); grad 0."""
    theta = np.array([0.5, 0.25, 2.0, 1.5, 1.25, 0.5])

    def grad(t):
        on = 1.0 * (t[:3] - t[3:] + 1 > 0)
        return np.concatenate([on, -on])

    return (lambda t: float(np.sum(np.maximum(t[:3] - t[3:] + 1, 0)))), grad, theta


@case
def table_at_its_nodes():
    """Nodes at the integers, theta on them: the slopes are those of the pieces beside the node.

    Entry 0: (2, -1); entry 1: (-1, 4); entry 2: (4, 0.5). grad is the piece on the right.
    """
    x, y = np.arange(5.0), np.array([0.0, 2.0, 1.0, 5.0, 5.5])

    def grad(t):
        return np.diff(y)[np.searchsorted(x, t, side="right") - 1]

    return (lambda t: float(np.sum(np.interp(t, x, y)))), grad, np.array([1.0, 2.0, 3.0])


# ------------------------------------------------------ staircases, rounding, float32, few digits


@case
def rounded_to_six_decimals():
    return _disturbed(_logistic(60), lambda v, t: np.round(v, 6))


@case
def rounded_to_three_decimals():
    return _disturbed(_sines(61), lambda v, t: np.round(v, 3))


@case
def printed_with_five_digits():
    return _disturbed(_tanh_net(62), lambda v, t: float(f"{v:.4e}"))


@case
def half_precision_output():
    return _disturbed(_sines(63, 4), lambda v, t: np.float16(v))


@case
def printed_with_two_digits():
    """Value 3.1e6, slopes of order one: every move anyone would try prints the same."""
    return _disturbed(_sines(64), lambda v, t: float(f"{3.1e6 + v:.1e}"))


@case
def input_snapped_to_fine_grid():
    """theta is rounded to multiples of 1e-7 inside, as fixed-point arithmetic does."""
    core, grad, theta = _sines(65)
    return (lambda t: float(core(np.round(t * 1e7) / 1e7))), grad, np.round(theta * 1e7) / 1e7


@case
def coarse_staircase():
    """floor(4 theta): constant near theta, which is 0.05 to 0.12 from the steps; gradient 0."""
    theta = np.array([0.3, 0.625, -0.9, 1.1])
    return (lambda t: float(np.sum(np.floor(4 * t)))), (lambda t: np.zeros(4)), theta


@case
def staircase_on_a_slope():
    theta = np.array([0.251, 0.6, -0.999, 1.1])
    f = lambda t: float(np.sum(np.floor(4 * t) / 4 + t**2))  # noqa: E731
    return f, (lambda t: 2 * t), theta


@case
def count_of_hits_is_int():
    """Zero-one loss: a Python int, gradient 0."""
    rng = default_rng(66)
    theta = rng.normal(size=5)
    X = rng.normal(size=(30, 5))
    X = X[np.abs(X @ theta) > 0.3]
    return (lambda t: int(np.sum(X @ t > 0))), (lambda t: np.zeros(5)), theta


@case
def float32_logistic():
    """Single precision inside, double outside."""
    rng = default_rng(67)
    X = rng.normal(size=(30, 5)).astype(np.float32)
    s = rng.choice([-1.0, 1.0], 30).astype(np.float32)

    def f(t):
        return float(np.mean(np.log(1 + np.exp(-s * (X @ t.astype(np.float32))))))

    def grad(t):
        A, u = X.astype(np.float64), s.astype(np.float64)
        return A.T @ (-u * _sigmoid(-u * (A @ t))) / 30

    return f, grad, rng.normal(size=5)


@case
def float32_theta_double_inside():
    core, grad, theta = _sines(68)
    wide = lambda t: t.astype(np.float64)  # noqa: E731
    return (lambda t: float(core(wide(t)))), (lambda t: grad(wide(t))), theta.astype(np.float32)


@case
def float32_theta_and_result():
    core, grad, theta = _tanh_net(69)
    f = lambda t: np.float32(core(t.astype(np.float32)))  # noqa: E731
    return f, (lambda t: grad(t.astype(np.float64))), theta.astype(np.float32)


@case
def float32_result_with_offset():
    """np.float32 near 1000, spacing 6e-5, slopes of order one."""
    core, grad, theta = _sines(70)
    return (lambda t: np.float32(1000 + core(t))), grad, theta


@case
def float32_running_sum():
    """A float32 sum in a loop over 300 terms, rounded at each."""
    rng = default_rng(71)
    X = rng.normal(size=(300, 4))

    def f(t):
        total = np.float32(0)
        for v in (X @ t) ** 2:
            total = np.float32(total + np.float32(v))
        return float(total)

    return f, (lambda t: 2 * X.T @ (X @ t)), rng.normal(size=4)


@case
def returns_zero_d_array():
    core, grad, theta = _logistic(72)
    return (lambda t: np.array(core(t))), grad, theta


@case
def returns_numpy_float64():
    core, grad, theta = _sines(73)
    return (lambda t: np.float64(core(t))), grad, theta


@case
def one_pass_variance():
    """mean(x²) - mean(x)² at x near 1e6: steps of 1e-4 in the value."""
    rng = default_rng(74)

    def f(t):
        x = 1e6 + t
        return float(np.mean(x * x) - np.mean(x) ** 2)

    return f, (lambda t: 2 * (t - np.mean(t)) / t.size), 3 * rng.normal(size=5)


@case
def difference_of_large_squares():
    theta = np.array([0.3, -1.2, 2.5, 0.7])
    f = lambda t: float(np.sum(((1e8 + t) ** 2 - 1e16) / 1e8))  # noqa: E731
    return f, (lambda t: 2 * (1e8 + t) / 1e8), theta


# ----------------------------------------------------- solvers, quadrature, series that stop early


def _kepler(e, t, x, tolerance):
    """Solve x = t + e sin(x) by plain iteration, until no entry moves more than `tolerance`."""
    for _ in range(10_000):
        new = t + e * np.sin(x)
        moved = np.max(np.abs(new - x))
        x = new
        if not moved > tolerance:
            break
    return x


def _kepler_grad(e, w):
    def grad(t):
        x = _kepler(e, t, t, 1e-15)
        return w / (1 - e * np.cos(x))

    return grad


@case
def fixed_point_stops_early():
    """Stops when nothing moves by more than 1e-6: jumps where the count of rounds changes."""
    w = np.array([1.0, -0.5, 2.0, 0.7])
    theta = np.array([0.9, 2.0, -1.3, 0.4])
    return (lambda t: float(w @ _kepler(0.7, t, t, 1e-6))), _kepler_grad(0.7, w), theta


@case
def fixed_point_warm_start():
    """Starts from the last call's solution, so the error left over depends on the order."""
    w = np.array([1.0, -0.5, 2.0])
    theta = np.array([0.9, 2.0, -1.3])
    last = [theta.copy()]

    def f(t):
        x = _kepler(0.6, t, last[0], 1e-7)
        last[0] = x if np.all(np.isfinite(x)) else theta.copy()
        return float(w @ x)

    return f, _kepler_grad(0.6, w), theta


@case
def bisection_root():
    """Root of x³ + x = theta on a fixed grid of intervals 1e-7 wide: a staircase."""
    theta = np.array([1.0, -0.5, 3.0, 0.2])

    def root(t, width):
        low, high = np.full(t.size, -32.0), np.full(t.size, 32.0)
        while high[0] - low[0] > width:
            middle = (low + high) / 2
            below = middle**3 + middle < t
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    f = lambda t: float(np.sum(root(t, 1e-7)))  # noqa: E731
    return f, (lambda t: 1 / (3 * root(t, 3e-14) ** 2 + 1)), theta


@case
def conjugate_gradients_stop_early():
    """c · A⁻¹ theta, linear, by conjugate gradients to a relative residual of 1e-6."""
    rng = default_rng(80)
    Q = _rotation(rng, 12)
    A, c = Q * np.geomspace(1, 100, 12) @ Q.T, rng.normal(size=12)

    def f(t):
        x, r = np.zeros(12), t.copy()
        p, rr = r.copy(), r @ r
        for _ in range(40):
            if not rr > 1e-12 * (t @ t):
                break
            Ap = A @ p
            a = rr / (p @ Ap)
            x, r = x + a * p, r - a * Ap
            p, rr = r + (r @ r) / rr * p, r @ r
        return float(c @ x)

    return f, (lambda t: np.linalg.solve(A, c)), rng.normal(size=12)


@case
def power_iteration_stops_early():
    """Largest eigenvalue, until it changes by less than 1e-8."""
    rng = default_rng(81)
    index, Q = _symmetric_index(4), _rotation(rng, 4)
    S = Q * np.array([0.3, 0.5, 1.2, 2.0]) @ Q.T

    def f(t):
        M, v, old = t[index], np.full(4, 0.5), np.inf
        for _ in range(200):
            u = M @ v
            v = u / np.sqrt(u @ u)
            value = v @ M @ v
            if abs(value - old) < 1e-8:
                break
            old = value
        return float(value)

    def grad(t):
        v = np.linalg.eigh(t[index])[1][:, -1]
        return np.bincount(index.ravel(), np.outer(v, v).ravel())

    return f, grad, S[np.tril_indices(4)]


@case
def adaptive_quadrature():
    """Adaptive Simpson to 1e-5 of a decay and a narrow peak: nodes come and go with theta."""

    def f(t):
        a, b, c = t
        g = lambda x: np.exp(-a * x) + c / ((x - b) ** 2 + 0.01)  # noqa: E731

        def simpson(low, high, tolerance, depth):
            m = (low + high) / 2
            whole = (high - low) / 6 * (g(low) + 4 * g(m) + g(high))
            left = (m - low) / 6 * (g(low) + 4 * g((low + m) / 2) + g(m))
            right = (high - m) / 6 * (g(m) + 4 * g((m + high) / 2) + g(high))
            if depth == 0 or abs(left + right - whole) < 15 * tolerance:
                return left + right
            halves = ((low, m), (m, high))
            return sum(simpson(p, q, tolerance / 2, depth - 1) for p, q in halves)

        return float(simpson(0.0, 2.0, 1e-5, 14))

    return f, _complex_step(_quadrature_exact), np.array([0.8, 0.9, 0.5])


def _quadrature_exact(t):
    a, b, c = t
    return (1 - np.exp(-2 * a)) / a + 10 * c * (np.arctan(10 * (2 - b)) + np.arctan(10 * b))


@case
def node_count_depends_on_theta():
    """Trapezoid rule whose number of nodes jumps 1e-5 above theta[0]."""

    def core(t):
        n = min(max(int(np.floor(np.real(t[0]) * 10 + 1e-4)) + 15, 2), 10_000)
        x = np.arange(n + 1) / n
        y = np.exp(t[0] * x) * np.cos(t[1] * x) + t[2] * x**2
        return (np.sum(y) - (y[0] + y[-1]) / 2) / n

    return _analytic(core, np.array([1.2 - 2e-5, 2.0, 0.7]))


@case
def series_cut_off():
    """exp by its series, until a term falls below 1e-7."""
    theta = np.array([1.0, -0.5, 2.0, 0.1])

    def series(x):
        total, term, k = 1.0, 1.0, 0
        while abs(term) > 1e-7 and k < 2000:
            k += 1
            term *= x / k
            total += term
        return total

    return (lambda t: float(sum(series(x) for x in t))), np.exp, theta


@case
def chaotic_map():
    """Twenty rounds of x → 3.9 x (1 - x): slopes of order 1e4 that hold for 1e-6 at most."""

    def core(t):
        x = t
        for _ in range(20):
            x = 3.9 * x * (1 - x)
        return np.sum(x)

    return _analytic(core, np.array([0.31, 0.57, 0.123]))


# -------------------------------------------------------------------- ripple, plateaus, curvature


@case
def fine_weak_ripple():
    """Amplitude 1e-7, wavelength 6e-5: one hundredth of the slope is ripple."""
    theta = np.array([0.3, -0.7, 1.1, 0.05])
    f = lambda t: float(np.sum(t + 1e-7 * np.sin(t * 1e5)))  # noqa: E731
    return f, (lambda t: 1 + 1e-2 * np.cos(t * 1e5)), theta


@case
def strong_ripple():
    """Amplitude 1e-4, wavelength 6e-4: the ripple's slope is as large as the trend's."""
    theta = np.array([0.3, -0.7, 1.1, 0.05])
    f = lambda t: float(np.sum(2 * t + 1e-4 * np.sin(t * 1e4)))  # noqa: E731
    return f, (lambda t: 2 + np.cos(t * 1e4)), theta


@case
def wide_ripple():
    theta = np.array([0.3, -0.7, 1.1, 0.05])
    f = lambda t: float(np.sum(t**2 + 1e-2 * np.sin(t * 100)))  # noqa: E731
    return f, (lambda t: 2 * t + np.cos(t * 100)), theta


@case
def tiny_jagged_ripple():
    """Amplitude 1e-11, wavelength 6e-9: slope 1e-2 of ripple that only tiny steps can see."""
    theta = np.array([0.3, -0.7, 0.11])
    f = lambda t: float(np.sum(t + 1e-11 * np.sin(t * 1e9)))  # noqa: E731
    return f, (lambda t: 1 + 1e-2 * np.cos(t * 1e9)), theta


@case
def fast_sine():
    theta = np.array([0.3, -0.7, 1.1])
    return (lambda t: float(np.sum(np.sin(1e4 * t)))), (lambda t: 1e4 * np.cos(1e4 * t)), theta


@case
def plateau_of_a_thousandth():
    """Flat within 1e-3 of theta in the first three entries, steep further off."""
    theta = np.array([0.5, -0.5, 1.0, 0.3, 0.8])
    c = theta.copy()

    def parts(t):
        u = t[:3] - c[:3]
        return np.sign(u), np.maximum(np.abs(u) - 1e-3, 0)

    f = lambda t: float(5 * np.sum(parts(t)[1]) + np.sum(t[3:] ** 2))  # noqa: E731

    def grad(t):
        sign, over = parts(t)
        return np.concatenate([5 * sign * (over > 0), 2 * t[3:]])

    return f, grad, theta


@case
def plateau_everywhere():
    """Every entry has gradient 0, though not 1e-4 further off."""
    c = np.array([0.5, -0.5, 1.0])
    f = lambda t: float(1 + np.sum(np.maximum(np.abs(t - c) - 1e-4, 0)))  # noqa: E731
    return f, (lambda t: np.sign(t - c) * (np.abs(t - c) > 1e-4)), c.copy()


@case
def dead_units_about_to_wake():
    """Two of three hidden units are off for every sample, but a step of 1e-3 wakes them."""
    rng = default_rng(90)
    X, y = rng.normal(size=(8, 2)), rng.normal(size=8)
    W1 = rng.normal(size=(2, 3))
    b1 = -np.max(X @ W1, axis=0) - 1e-3
    b1[2] = 0.1
    core, grad = _relu_net(X, y, 3)
    theta = np.concatenate([W1.ravel(), b1, [1.0, -1.5, 0.8, 0.2]])
    return (lambda t: float(core(t))), grad, theta


@case
def saturated_sigmoids():
    """Slopes from 2e-1 down to 1e-13 in one vector."""
    theta = np.array([0.0, -5.0, 10.0, -20.0, 30.0])
    f = lambda t: float(np.sum(_sigmoid(t)))  # noqa: E731
    return f, (lambda t: _sigmoid(t) * _sigmoid(-t)), theta


@case
def all_units_saturated():
    """tanh rounds to 1 for all: slopes of 1e-20 and no trace of them in the value."""
    theta = np.array([24.0, 26.0, -25.0, 30.0])

    def grad(t):
        q = np.exp(-2 * np.abs(t))
        return np.arange(1.0, 5.0) * 4 * q / (1 + q) ** 2

    return (lambda t: float(np.arange(1.0, 5.0) @ np.tanh(t))), grad, theta


@case
def twentieth_power():
    theta = np.array([0.5, 1.0, 1.3, -0.9, 2.0])
    return (lambda t: float(np.sum(t**20))), (lambda t: 20 * t**19), theta


@case
def steep_exponential():
    theta = np.array([0.1, -0.4, 0.5, 0.0])
    return (lambda t: float(np.sum(np.exp(30 * t)))), (lambda t: 30 * np.exp(30 * t)), theta


@case
def narrow_bump():
    """A Gaussian 1e-4 wide, theta on its flank; nothing further off."""
    c = np.array([0.3, -0.2, 0.9])
    core = lambda t: np.sum(np.exp(-(((t - c) / 1e-4) ** 2) / 2))  # noqa: E731
    grad = lambda t: -(t - c) / 1e-8 * np.exp(-(((t - c) / 1e-4) ** 2) / 2)  # noqa: E731
    return (lambda t: float(core(t))), grad, c + np.array([1e-4, -5e-5, 2e-4])


@case
def cubic_over_a_small_slope():
    """Slope 1e-3 under a cubic of 1e3: steps must be short."""
    f = lambda t: float(np.sum(1e-3 * t + 1e3 * t**3))  # noqa: E731
    return f, (lambda t: 1e-3 + 3e3 * t**2), np.zeros(4)


@case
def stationary_point():
    """All gradients 0 by symmetry, with curvatures from 1e-3 to 1e6."""
    k = np.geomspace(1e-3, 1e6, 10)
    return (lambda t: float(np.sum(k * t * t))), (lambda t: 2 * k * t), np.zeros(10)


@case
def flat_quartic_minimum():
    """Near zero gradient: the value moves by 1e-12 for steps of 1e-3."""
    theta = np.array([1e-3, -1e-3, 0.0, 1e-2])
    return (lambda t: float(1 + np.sum(t**4))), (lambda t: 4 * t**3), theta


# ------------------------------------------------------------- scales of values, slopes and theta


@case
def constant_of_1e8():
    return _disturbed(_sines(100), lambda v, t: 1e8 + v)


@case
def constant_of_1e12():
    """Spacing of the values 1.2e-4: only long steps can tell anything."""
    return _disturbed(_sines(101), lambda v, t: 1e12 + v)


@case
def constant_of_1e18():
    """Spacing of the values 128: the slopes of order one are lost."""
    return _disturbed(_sines(102), lambda v, t: 1e18 + v)


@case
def everything_tiny():
    core, grad, theta = _logistic(103)
    return (lambda t: float(1e-12 * core(t))), (lambda t: 1e-12 * grad(t)), theta


@case
def everything_near_underflow():
    core, grad, theta = _sines(104)
    return (lambda t: float(1e-300 * core(t))), (lambda t: 1e-300 * grad(t)), theta


@case
def everything_huge():
    core, grad, theta = _tanh_net(105)
    return (lambda t: float(1e200 * core(t))), (lambda t: 1e200 * grad(t)), theta


@case
def tiny_slopes_beside_one():
    """Slopes of 1e-9 on a value near 1."""
    core, grad, theta = _sines(106)
    return (lambda t: float(1 + 1e-9 * core(t))), (lambda t: 1e-9 * grad(t)), theta


@case
def slopes_of_all_sizes():
    """From 1e-10 to 1e8 in one vector."""
    w = 10.0 ** np.arange(-10, 9)
    theta = np.linspace(-1, 1, 19)
    return (lambda t: float(np.sum(w * np.sin(t)))), (lambda t: w * np.cos(t)), theta


@case
def slopes_of_some_sizes():
    """From 1e-4 to 1e3, all within reach of double precision."""
    w = 10.0 ** np.arange(-4, 4)
    theta = np.linspace(-1, 1, 8)
    return (lambda t: float(np.sum(w * np.exp(t)))), (lambda t: w * np.exp(t)), theta


@case
def unused_entries():
    """Every second entry is not used: gradient 0, and the value does not move at all."""
    core, grad, used = _logistic(107)
    theta = np.repeat(used, 2)

    def padded(t):
        g = np.zeros(t.size)
        g[::2] = grad(t[::2])
        return g

    return (lambda t: float(core(t[::2]))), padded, theta


@case
def ignores_theta():
    return (lambda t: 3.25), (lambda t: np.zeros(t.size)), np.array([0.1, 0.2, -5.0])


@case
def large_theta_wide_function():
    """theta of 1e8, function as wide."""
    theta = 1e8 * np.array([0.3, -1.2, 2.5, 0.01])
    f = lambda t: float(np.sum(np.sin(t / 1e8)))  # noqa: E731
    return f, (lambda t: np.cos(t / 1e8) / 1e8), theta


@case
def large_theta_narrow_function():
    """theta of 1e7 in a sine: a step relative to theta covers many waves."""
    theta = np.array([1e7, -3e7, 2.5e6, 1.0])
    return (lambda t: float(np.sum(np.sin(t)))), np.cos, theta


@case
def small_theta_narrow_function():
    """theta of 1e-10, function as narrow: a step of 1e-6 leaves everything behind."""
    theta = 1e-10 * np.array([0.3, -1.2, 0.5, 0.01])
    f = lambda t: float(np.sum(np.sin(t * 1e10)))  # noqa: E731
    return f, (lambda t: 1e10 * np.cos(t * 1e10)), theta


@case
def theta_of_all_sizes():
    """sin(log theta), theta from 1e-8 to 1e8, each entry as wide as itself; nan below 0."""
    theta = 10.0 ** np.arange(-8, 9, 2)
    return (lambda t: float(np.sum(np.sin(np.log(t))))), (lambda t: np.cos(np.log(t)) / t), theta


@case
def rates_in_awkward_units():
    """Squared error of an Arrhenius law: prefactor 1e13, activation energy 8e4, offset 1e-9."""
    T = np.linspace(600, 700, 12)
    y = np.linspace(1.0, 15.0, 12) * 1e6

    def core(t):
        return np.sum((t[0] * np.exp(-t[1] / (8.314 * T)) + t[2] - y) ** 2) / 1e12

    return _analytic(core, np.array([1e13, 8e4, 1e-9]))


@case
def logits_of_ten_thousand():
    theta = np.array([1e4, 1e4 - 1.0, 1e4 - 3.0, -1e4])
    return (lambda t: float(_logsumexp(t))), _softmax, theta


# --------------------------------------------------------------------- noise, memory, side effects


@case
def noise_of_1e_8():
    rng = default_rng(110)
    return _disturbed(_sines(111), lambda v, t: v + 1e-8 * rng.normal())


@case
def noise_of_1e_4():
    rng = default_rng(112)
    return _disturbed(_sines(113), lambda v, t: v + 1e-4 * rng.normal())


@case
def noise_larger_than_all():
    """Noise of 100 on a value and slopes of order one."""
    rng = default_rng(114)
    return _disturbed(_sines(115), lambda v, t: v + 100 * rng.normal())


@case
def noise_fixed_by_the_bits_of_theta():
    """The same theta gives the same noise of 1e-7, the next float another."""

    def disturb(v, t):
        return v + 1e-7 * np.sin(1e9 * np.sum(np.frombuffer(t.tobytes(), dtype=np.uint32) % 9973))

    return _disturbed(_sines(116), disturb)


@case
def large_noise_fixed_by_the_bits_of_theta():
    """Repeats exactly, and yet noise of 100 drowns slopes of order one."""

    def disturb(v, t):
        return v + 100 * np.sin(1e9 * np.sum(np.frombuffer(t.tobytes(), dtype=np.uint32) % 9973))

    return _disturbed(_sines(117), disturb)


@case
def noise_now_and_then():
    """Exact, except that one call in ten is 1e-3 too high."""
    rng = default_rng(118)
    return _disturbed(_sines(119), lambda v, t: v + 1e-3 * (rng.random() < 0.1))


@case
def slowly_drifting_counter():
    """Each call adds 1e-8."""
    calls = [0]

    def disturb(v, t):
        calls[0] += 1
        return v + 1e-8 * calls[0]

    return _disturbed(_logistic(120), disturb)


@case
def wandering_value():
    """Each call adds a random step of 10, for good."""
    rng, at = default_rng(121), [0.0]

    def disturb(v, t):
        at[0] += 10 * rng.normal()
        return v + at[0]

    return _disturbed(_sines(122), disturb)


@case
def dropout_with_fresh_masks():
    """grad is the gradient of the expected loss."""
    rng, masks = default_rng(123), default_rng(124)
    X, y = rng.normal(size=(20, 6)), 5 * rng.normal(size=20)

    def f(t):
        kept = masks.random(X.shape) < 0.5
        return float(np.mean(((X * kept * 2) @ t - y) ** 2))

    return f, (lambda t: X.T @ (X @ t - y) / 10 + 2 * np.mean(X**2, axis=0) * t), rng.normal(size=6)


@case
def fresh_minibatches():
    """Ten of 1000 samples with each call; grad is that of the whole."""
    rng, draws = default_rng(125), default_rng(126)
    X, y = rng.normal(size=(1000, 4)), 5 * rng.normal(size=1000)

    def f(t):
        k = draws.integers(0, 1000, 10)
        return float(np.mean((X[k] @ t - y[k]) ** 2))

    return f, (lambda t: X.T @ (X @ t - y) / 500), rng.normal(size=4)


@case
def averages_with_earlier_calls():
    """An exponential moving average of all values so far, with new weight 0.1."""
    core, grad, theta = _sines(127)
    average = [core(theta)]

    def f(t):
        average[0] = 0.9 * average[0] + 0.1 * core(t)
        return float(average[0])

    return f, grad, theta


@case
def cache_with_rounded_key():
    """Remembers values under theta rounded to 6 decimals: what it returns depends on the past."""
    core, grad, theta = _sines(128)
    cache = {}

    def f(t):
        return float(cache.setdefault(np.round(t, 6).tobytes(), core(t)))

    return f, grad, theta


@case
def exact_cache():
    """Remembers values under the exact theta: harmless."""
    core, grad, theta = _logistic(129)
    cache = {}

    def f(t):
        return float(cache.setdefault(t.tobytes(), core(t)))

    return f, grad, theta


@case
def scribbles_on_its_argument():
    """Shifts theta in place and back, which leaves a rounding error in the caller's array."""
    core, grad, theta = _sines(130)

    def f(t):
        t += 3.7
        value = core(t - 3.7)
        t -= 3.7
        return float(value)

    return f, grad, theta


@case
def sums_in_random_order():
    """Terms of size 1e5 that cancel, summed in a fresh order: 1e-11 of non-determinism."""
    rng, orders = default_rng(131), default_rng(132)
    pad = 1e5 * rng.normal(size=200)
    core, grad, theta = _sines(133)

    def f(t):
        terms = orders.permutation(np.concatenate([pad, -pad, [core(t)]]))
        return float(np.cumsum(terms)[-1])

    return f, grad, theta


@case
def defined_in_one_point_only():
    """nan for any theta but the one: nothing can be measured."""
    core, grad, theta = _sines(134)
    only = theta.copy()
    return (lambda t: float(core(t)) if np.array_equal(t, only) else np.nan), grad, theta


@case
def nan_for_one_call_in_five():
    """Exact otherwise, but flaky."""
    calls = [0]

    def disturb(v, t):
        calls[0] += 1
        return np.nan if calls[0] % 5 == 0 else v

    return _disturbed(_sines(135), disturb)


AT_KINK = frozenset(
    {
        "abs_at_zero",
        "abs_of_a_zero_sum",
        "clip_at_bound",
        "elu_at_zero",
        "hard_sigmoid_at_its_ends",
        "hinge_at_margin",
        "huber_at_joint",
        "leaky_relu_at_zero",
        "max_pool_equal_patches",
        "maximum_of_equal_arguments",
        "maximum_of_tied_entries",
        "maximum_of_tied_entries_shared",
        "median_of_ties",
        "norm_at_the_origin",
        "pinball_at_zero_residual",
        "rank_weights_with_ties",
        "relu6_at_both_ends",
        "relu_at_zero",
        "relu_layer_blank_sample",
        "relu_layer_of_zero_weights",
        "table_at_its_nodes",
        "top_k_tie",
        "total_variation_of_a_flat_signal",
        "triplet_loss_at_margin",
    }
)
"""Cases whose theta lies exactly on a kink; their docstrings give the slopes (below, above)."""

UNKNOWABLE = frozenset(
    {
        "all_units_saturated",
        "averages_with_earlier_calls",
        "constant_of_1e18",
        "defined_in_one_point_only",
        "dropout_with_fresh_masks",
        "fresh_minibatches",
        "large_noise_fixed_by_the_bits_of_theta",
        "noise_larger_than_all",
        "printed_with_two_digits",
        "wandering_value",
    }
)
"""Cases where nothing about the slopes can be known from values in double precision."""
