"""Black-box functions whose gradients are right, and which fool a naive check.

Each maker returns f, grad and theta anew. The largest entry of each gradient times 1.5 is a bug.
"""

import numpy as np

CASES = {}


def case(maker):
    """Register a maker under its name."""
    CASES[maker.__name__] = maker
    return maker


def start(n, seed=0):
    return np.random.default_rng(seed).standard_normal(n)


@case
def quadratic():
    A = np.diag(np.arange(1.0, 6.0))
    return lambda t: 0.5 * t @ A @ t, lambda t: A @ t, start(5)


@case
def rosenbrock():
    def f(t):
        return np.sum(100 * (t[1:] - t[:-1] ** 2) ** 2 + (1 - t[:-1]) ** 2)

    def g(t):
        d = t[1:] - t[:-1] ** 2
        out = np.zeros_like(t)
        out[:-1] = -400 * t[:-1] * d - 2 * (1 - t[:-1])
        out[1:] += 200 * d
        return out

    return f, g, start(6)


@case
def logistic_regression():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((20, 5)), rng.integers(0, 2, 20)

    def f(t):
        return np.mean(np.logaddexp(0, X @ t) - y * (X @ t))

    return f, lambda t: X.T @ (1 / (1 + np.exp(-X @ t)) - y) / 20, start(5)


@case
def kink_just_beside_theta():
    d = np.array([1e-6, -1e-7, 3e-5, -1e-4])
    t0 = np.zeros(4)
    return (lambda t: np.maximum(t - d, 0).sum() + t.sum(),
            lambda t: (t > d) + 1.0, t0)  # fmt: skip


@case
def kinks_on_both_sides():
    def f(t):
        return np.sum(np.maximum(t - 1e-7, 0) - np.maximum(-t - 1e-7, 0) + 0.1 * t)

    return f, lambda t: (np.abs(t) > 1e-7) + 0.1, np.zeros(3)


@case
def kink_exactly_at_theta():
    return (lambda t: np.abs(t).sum() + np.sin(t).sum(), lambda t: np.sign(t) + np.cos(t),
            np.array([0.0, 1.0, 0.0]))  # fmt: skip


@case
def relu_network():
    rng = np.random.default_rng(2)
    X, y, V = rng.standard_normal((40, 3)), rng.standard_normal(40), rng.standard_normal(6)

    def f(t):
        return np.mean((np.maximum(X @ t.reshape(3, 6), 0) @ V - y) ** 2)

    def g(t):
        z = X @ t.reshape(3, 6)
        e = 2 * (np.maximum(z, 0) @ V - y) / 40
        return (X.T @ ((z > 0) * e[:, None] * V)).ravel()

    return f, g, 1e-3 * start(18)


@case
def float32_inside():
    A = np.arange(1.0, 6.0)

    def f(t):
        return float(np.sum(np.tanh(t.astype(np.float32) * A.astype(np.float32)), dtype=np.float32))

    return f, lambda t: A * (1 - np.tanh(A * t) ** 2), 0.3 * start(5)


@case
def printed_with_six_digits():
    return lambda t: float(f"{np.sum(np.sin(t)):.6e}"), np.cos, start(4)


@case
def large_constant():
    return lambda t: 1e8 + np.sum(np.sin(t)), np.cos, start(4)


@case
def huge_constant():
    return lambda t: 1e15 + np.sum(np.sin(t)), np.cos, start(4)


@case
def tiny_gradient():
    return lambda t: 1.0 + 1e-12 * np.sum(np.sin(t)), lambda t: 1e-12 * np.cos(t), start(4)


@case
def everything_tiny():
    return lambda t: 1e-12 * np.sum(np.sin(t)), lambda t: 1e-12 * np.cos(t), start(4)


@case
def everything_huge():
    return lambda t: 1e12 * np.sum(np.sin(t)), lambda t: 1e12 * np.cos(t), start(4)


@case
def gradients_of_all_sizes():
    scale = 10.0 ** -np.arange(0, 16, 2)
    return lambda t: scale @ np.sin(t), lambda t: scale * np.cos(t), start(8)


@case
def saturated_tanh():
    return (lambda t: np.sum(np.tanh(50 * t)), lambda t: 50 / np.cosh(50 * t) ** 2,
            np.array([0.5, -0.7, 0.01, 2.0]))  # fmt: skip


@case
def saturated_everywhere():
    def g(t):
        return 1 / (np.exp(t / 2) + np.exp(-t / 2)) ** 2

    return lambda t: np.sum(1 / (1 + np.exp(-t))), g, np.array([38.0, 40.0, 45.0])


@case
def short_waves():
    return lambda t: np.sum(np.sin(1e5 * t)), lambda t: 1e5 * np.cos(1e5 * t), start(3)


@case
def ripple_on_a_slope():
    return (lambda t: np.sum(t + 1e-6 * np.sin(1e7 * t)), lambda t: 1 + 10 * np.cos(1e7 * t),
            start(3))  # fmt: skip


@case
def narrow_peak():
    return (lambda t: np.sum(np.tanh(1e6 * (t - 1))), lambda t: 1e6 / np.cosh(1e6 * (t - 1)) ** 2,
            np.ones(2))  # fmt: skip


@case
def large_theta():
    return lambda t: np.sum(np.log(t)), lambda t: 1 / t, np.array([1e8, 3e5, 1e10])


@case
def small_theta_next_to_the_edge_of_the_domain():
    return (lambda t: np.sum(np.sqrt(t)) if (t > 0).all() else float("nan"),
            lambda t: 0.5 / np.sqrt(t), np.array([1e-6, 1e-3, 1.0]))  # fmt: skip


@case
def steep_power():
    return lambda t: np.sum(t**20), lambda t: 20 * t**19, np.array([0.1, 1.0, 2.0])


@case
def swamped_by_l2():
    return (lambda t: 0.5e6 * t @ t + np.sum(np.sin(t)), lambda t: 1e6 * t + np.cos(t), start(4))


@case
def dropout_redrawn():
    rng = np.random.default_rng(0)
    X = np.random.default_rng(1).standard_normal((10, 6))

    def f(t):
        return np.mean(np.tanh(X * (rng.random(6) < 0.5) * 2 @ t) ** 2)

    def g(t):
        s = np.tanh(X @ t)
        return X.T @ (2 * s * (1 - s**2)) / 10

    return f, g, start(6)


@case
def noisy():
    rng = np.random.default_rng(0)
    return lambda t: np.sum(np.sin(t)) + 1e-6 * rng.standard_normal(), np.cos, start(4)


@case
def noise_that_depends_on_theta():
    def f(t):
        return np.sum(np.sin(t)) + 1e-7 * np.sin(1e14 * np.sum(t))  # rounding turns it into noise

    return f, np.cos, start(4)


@case
def a_counter_that_drifts():
    calls = [0]

    def f(t):
        calls[0] += 1
        return np.sum(np.sin(t)) + 1e-5 * calls[0]

    return f, np.cos, start(3)


@case
def cancellation():
    return (lambda t: np.sum((1e6 + t) ** 2 - 1e12), lambda t: 2 * (1e6 + t), 0.1 * start(3))


@case
def max_of_many():
    X = np.random.default_rng(4).standard_normal((30, 4))
    return lambda t: np.max(X @ t), lambda t: X[np.argmax(X @ t)], start(4)


@case
def solver_that_stops_early():
    def f(t):
        x = 1.0
        for _ in range(60):
            new = np.cos(0.5 * x + 0.1 * np.sum(t))
            if abs(new - x) < 1e-9:
                break
            x = new
        return float(x)

    def g(t):
        x = 1.0
        for _ in range(200):
            x = np.cos(0.5 * x + 0.1 * np.sum(t))
        s = np.sin(0.5 * x + 0.1 * np.sum(t))
        return np.full(t.shape, -0.1 * s / (1 + 0.5 * s))

    return f, g, start(3)


@case
def unused_entries():
    return (lambda t: np.sin(t[0]) + t[2] ** 2, lambda t: np.array([np.cos(t[0]), 0, 2 * t[2], 0]),
            start(4))  # fmt: skip


@case
def softmax_far_out():
    def f(t):
        z = 30 * t
        return np.log(np.sum(np.exp(z - z.max()))) + z.max() - z[0]

    def g(t):
        p = np.exp(30 * t - np.max(30 * t))
        p /= p.sum()
        p[0] -= 1
        return 30 * p

    return f, g, start(5)


@case
def changes_its_argument():
    def f(t):
        t *= 2
        return np.sum(np.sin(t))

    return f, lambda t: 2 * np.cos(2 * t), start(3)


@case
def float32_theta():
    return (lambda t: float(np.sum(np.sin(t))), np.cos, start(4).astype(np.float32))


@case
def floor_hidden_in_it():
    return (lambda t: np.sum(t**2) + 1e-9 * np.floor(1e5 * t).sum(), lambda t: 2 * t, start(3))
