"""Gradients that are zero, in all entries or in some, and what may be said of each.

The truth is about the entries in which the gradient handed in is 0; all others are right:

- "wrong": the true gradient is clearly not 0, and 0 is no valid subgradient either. Never
  "correct", even where the given eps cannot see it.
- "right": the derivative is 0 and f moves around it, or 0 is a valid subgradient at a kink.
- "nothing": f does not depend on these entries, at all or near theta (it is constant there, on a
  plateau that may be wide or narrow), so zero against zero proves nothing. Never "wrong".

Written without a look at the checker.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Zero:
    """One case: `make()` gives a fresh (f, grad, theta)."""

    name: str
    make: Callable[[], tuple]
    eps: float | None
    truth: str


ZEROS: list[Zero] = []


def add(truth: str, name: str, f: Callable, theta, eps: float | None = None, grad=None) -> None:
    """Add a case; without `grad` the gradient is 0 everywhere."""

    def make():
        start = np.array(theta, dtype=np.float64)
        return lambda t: float(f(t)), grad or np.zeros_like, start

    ZEROS.append(Zero(name if eps is None else f"{name}, eps {eps:g}", make, eps, truth))


def relu(z):
    return np.maximum(z, 0)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Layer:
    """Mean of relu(X W + b) · v and its gradient, with some tensors left at 0."""

    def __init__(self, X, W, b, unwritten=()):
        self.X, self.shape, self.unwritten = np.array(X, dtype=float), np.shape(W), unwritten
        self.v = np.arange(1.0, len(b) + 1)
        self.theta = np.concatenate([np.ravel(W), b]).astype(float)

    def split(self, theta):
        size = self.shape[0] * self.shape[1]
        return theta[:size].reshape(self.shape), theta[size:]

    def f(self, theta):
        W, b = self.split(theta)
        return np.mean(relu(self.X @ W + b) @ self.v)

    def grad(self, theta):
        W, b = self.split(theta)
        D = (self.X @ W + b > 0) * self.v / len(self.X)
        gW, gb = self.X.T @ D, D.sum(axis=0)
        gW, gb = gW * ("W" not in self.unwritten), gb * ("b" not in self.unwritten)
        return np.concatenate([gW.ravel(), gb])


def add_layer(truth: str, name: str, layer: Layer, eps: float | None = None) -> None:
    add(truth, name, layer.f, layer.theta, eps, layer.grad)


# --- wrong: at kinks whose slopes have one sign

add("wrong", "2t + |t| at 0: slopes 1 and 3", lambda t: 2 * t[0] + abs(t[0]), [0])
add("wrong", "2t + |t| at 0: slopes 1 and 3", lambda t: 2 * t[0] + abs(t[0]), [0], 1e-5)
add("wrong", "t + relu(t) at 0: slopes 1 and 2", lambda t: t[0] + relu(t[0]), [0])
add("wrong", "t + relu(t) at 0: slopes 1 and 2", lambda t: t[0] + relu(t[0]), [0], 1e-3)
add("wrong", "relu(t) - 2t at 0: slopes -2 and -1", lambda t: relu(t[0]) - 2 * t[0], [0])
add("wrong", "5 entries, 3t + |t| at 0", lambda t: np.sum(3 * t + abs(t)), np.zeros(5))
add(
    "wrong",
    "2t + |t| at 0 in one entry beside a right square",
    lambda t: t[0] ** 2 + 2 * t[1] + abs(t[1]),
    [0.7, 0],
    grad=lambda t: np.array([2 * t[0], 0]),
)
add(
    "wrong",
    "leaky relu at 0, slopes 0.1 and 1",
    lambda t: np.where(t[0] > 0, t[0], 0.1 * t[0]),
    [0],
)

ROWS = [[1, 2], [0, 0], [-1, 0.5]]
zero_row = Layer(ROWS, [[0.5, -0.3], [0.4, 0.6]], [0, 0], unwritten=("b",))
add_layer("wrong", "ReLU layer with a zero row and b = 0, b's gradient left at 0", zero_row)
add_layer("wrong", "ReLU layer with a zero row and b = 0, b's gradient left at 0", zero_row, 1e-5)
alive = Layer(ROWS, [[0.5, -0.3], [0.4, 0.6]], [0.35, 0.2], unwritten=("W",))
add_layer("wrong", "ReLU layer off its kinks, W's gradient left at 0", alive)
add_layer("wrong", "ReLU layer off its kinks, W's gradient left at 0", alive, 1e-9)

# --- wrong: eps hits a place where f happens not to move

add("wrong", "sin(1e4 π t), equal bit for bit", lambda t: np.sin(np.pi * 1e4 * t[0]), [74e-5], 1e-4)
add("wrong", "sin(1e4 t), half a period each way", lambda t: np.sin(1e4 * t[0]), [0], np.pi * 1e-4)
add("wrong", "sin(1e4 t) at 0.3", lambda t: np.sin(1e4 * t[0]), [0.3], np.pi * 1e-4)
add("wrong", "sin(1e4 t) at 0.3", lambda t: np.sin(1e4 * t[0]), [0.3])
add("wrong", "sin(1024 π t), whole periods", lambda t: np.sin(np.pi * 1024 * t[0]), [0], 2**-9)
add("wrong", "t³ - t/64 at 0", lambda t: t[0] ** 3 - t[0] / 64, [0], 0.125)
add("wrong", "t⁵ - t/256 at 0", lambda t: t[0] ** 5 - t[0] / 256, [0], 0.25)
add("wrong", "1 + sin(2π t/eps)", lambda t: 1 + np.sin(2 * np.pi * 8 * t[0]), [0.5], 0.125)
add(
    "wrong",
    "3 entries of t³ - t/100 at 0",
    lambda t: np.sum(t * t * t - 0.1 * 0.1 * t),
    np.zeros(3),
    1e-1,
)

# --- wrong: steps too short to move f

add("wrong", "1e14 + t² at 3", lambda t: 1e14 + t[0] ** 2, [3])
add("wrong", "1e14 + t² at 3", lambda t: 1e14 + t[0] ** 2, [3], 1e-5)
add("wrong", "1e15 + t² at 3", lambda t: 1e15 + t[0] ** 2, [3])
add("wrong", "1e16 + 3t", lambda t: 1e16 + 3 * t[0], [0.5])
add("wrong", "1e8 + t", lambda t: 1e8 + t[0], [0.2], 1e-9)
add("wrong", "1e10 + sum of 10 squares", lambda t: 1e10 + t @ t, np.linspace(0.3, 2.1, 10))
add("wrong", "1e10 + sum of 10 squares", lambda t: 1e10 + t @ t, np.linspace(0.3, 2.1, 10), 1e-7)
add("wrong", "sin(t) at 1e9, where t + eps is t", lambda t: np.sin(t[0]), [1e9], 1e-9)
add("wrong", "a loss in float32", lambda t: np.float32(1 + t[0] ** 2), [0.5], 1e-8)
add("wrong", "a loss in float32", lambda t: np.float32(1 + t[0] ** 2), [0.5])

# --- wrong: small slopes

add("wrong", "1e-6 t", lambda t: 1e-6 * t[0], [0.4])
add("wrong", "1e-12 t²", lambda t: 1e-12 * t[0] ** 2, [0.4])
add("wrong", "sigmoid(20), slope 2e-9", lambda t: sigmoid(t[0]), [20])
add("wrong", "sigmoid(-40), slope 4e-18", lambda t: sigmoid(t[0]), [-40])
add(
    "wrong",
    "slope 1e-6 left at 0 beside slopes of 1",
    lambda t: np.sin(t[0]) + t[1] + 1e-6 * t[2],
    [0.3, 0.5, 0.7],
    grad=lambda t: np.array([np.cos(t[0]), 1, 0]),
)
add(
    "wrong",
    "slopes of 1e-3 left at 0 beside a slope of 1e6",
    lambda t: 1e6 * t[0] + 1e-3 * np.sum(t[1:] ** 2),
    [0.5, 1, 2, 3],
    grad=lambda t: np.array([1e6, 0, 0, 0]),
)

# --- wrong: plainly

add("wrong", "t² at 1", lambda t: t[0] ** 2, [1])
add("wrong", "t² at 1", lambda t: t[0] ** 2, [1], 1e-3)
add(
    "wrong",
    "Rosenbrock off its minimum",
    lambda t: (1 - t[0]) ** 2 + (t[1] - t[0] ** 2) ** 2,
    [2, 1],
)
add(
    "wrong",
    "logistic loss of 7 entries",
    lambda t: np.sum(np.log1p(np.exp(t * np.arange(1, 8)))),
    np.linspace(-1, 1, 7),
)
add("wrong", "max of 4, one ahead", lambda t: np.max(t), [0.1, 0.9, 0.3, 0.2])
add("wrong", "t² just beside its minimum", lambda t: t[0] ** 2, [1e-3])
add("wrong", "|t| just beside its kink", lambda t: abs(t[0]), [1e-4])
add("wrong", "|t| just beside its kink", lambda t: abs(t[0]), [1e-4], 1e-2)

# --- right: the derivative is 0, and f moves around it

add("right", "t² at 0", lambda t: t[0] ** 2, [0])
add("right", "t² at 0", lambda t: t[0] ** 2, [0], 1e-1)
add("right", "t² at 0", lambda t: t[0] ** 2, [0], 1e-5)
add("right", "t⁴ at 0", lambda t: t[0] ** 4, [0])
add("right", "t³ at 0", lambda t: t[0] ** 3, [0])
add("right", "cos at 0", lambda t: np.cos(t[0]), [0])
add("right", "cos at 0", lambda t: np.cos(t[0]), [0], 1e-3)
add("right", "sin at π/2", lambda t: np.sin(t[0]), [np.pi / 2])
add("right", "log cosh of 6 entries at 0", lambda t: np.sum(np.log(np.cosh(t))), np.zeros(6))
add("right", "the saddle t0² - t1² at 0", lambda t: t[0] ** 2 - t[1] ** 2, [0, 0])
add(
    "right",
    "Rosenbrock at (1, 1)",
    lambda t: (1 - t[0]) ** 2 + 100 * (t[1] - t[0] ** 2) ** 2,
    [1, 1],
)
add("right", "1e12 + t² at 0", lambda t: 1e12 + t[0] ** 2, [0])
add(
    "right",
    "squares around (1, ..., 10)",
    lambda t: np.sum((t - np.arange(1, 11)) ** 2),
    range(1, 11),
)
add(
    "right",
    "t0² at 0 beside a steep t1",
    lambda t: t[0] ** 2 + 50 * t[1],
    [0, 1],
    grad=lambda t: np.array([2 * t[0], 50]),
)
add("right", "a wave about its crest", lambda t: np.cos(1e4 * t[0]), [0])

# --- right: 0 is a subgradient at the kink

add("right", "|t| at 0", lambda t: abs(t[0]), [0])
add("right", "|t| at 0", lambda t: abs(t[0]), [0], 1e-5)
add("right", "relu at 0", lambda t: relu(t[0]), [0])
add("right", "relu at 0", lambda t: relu(t[0]), [0], 1e-3)
add("right", "8 entries of |t| at 0", lambda t: np.sum(np.abs(t)), np.zeros(8))
add("right", "-|t| at 0", lambda t: -abs(t[0]), [0])
add("right", "0.3t + |t| at 0: slopes -0.7 and 1.3", lambda t: 0.3 * t[0] + abs(t[0]), [0])
add(
    "right",
    "hinge at its corner beside a live entry",
    lambda t: relu(1 - t[0]) + t[1] ** 2,
    [1, 0.6],
    grad=lambda t: np.array([0, 2 * t[1]]),
)

# --- nothing: f does not depend on these entries

add("nothing", "a constant", lambda t: 3.5, [0.4])
add("nothing", "a constant", lambda t: 3.5, [0.4], 1e-5)
add("nothing", "a constant of 10 entries", lambda t: -2.0, np.linspace(-1, 1, 10))
add("nothing", "the constant 0", lambda t: 0.0, [1, 2, 3])
add("nothing", "t times 0", lambda t: np.sum(0 * t), [1, 2])
add(
    "nothing",
    "two unused entries of five",
    lambda t: np.sum(t[:3] ** 2),
    [1, 2, 3, 4, 5],
    grad=lambda t: np.array([*(2 * t[:3]), 0, 0]),
)
add(
    "nothing",
    "two unused entries of five",
    lambda t: np.sum(t[:3] ** 2),
    [1, 2, 3, 4, 5],
    1e-4,
    grad=lambda t: np.array([*(2 * t[:3]), 0, 0]),
)

# --- nothing: f is constant near theta

add("nothing", "a stair 1 wide, from its middle", lambda t: np.floor(t[0]), [0.5])
add("nothing", "a stair 1 wide, from its middle", lambda t: np.floor(t[0]), [0.5], 1e-1)
add("nothing", "stairs 0.01 wide", lambda t: np.floor(100 * t[0]) / 100, [0.505])
add("nothing", "stairs 0.01 wide", lambda t: np.floor(100 * t[0]) / 100, [0.505], 1e-4)
add("nothing", "accuracy of a threshold", lambda t: np.mean(np.arange(9) > t[0]), [3.4], 1e-3)
add("nothing", "a plateau 0.5 to each side", lambda t: relu(abs(t[0]) - 0.5) ** 2, [0])
add("nothing", "a plateau 0.5 to each side", lambda t: relu(abs(t[0]) - 0.5) ** 2, [0], 1e-2)
add("nothing", "a plateau 0.02 to each side", lambda t: relu(abs(t[0]) - 0.02) ** 2, [0])
add("nothing", "a plateau 0.02 left, 1 right", lambda t: relu(-t[0] - 0.02), [0])
add("nothing", "a saturated sigmoid, exactly 1", lambda t: sigmoid(t[0]), [45])
add("nothing", "a saturated sigmoid, exactly 1", lambda t: sigmoid(t[0]), [45], 1e-6)
add("nothing", "3 saturated tanh", lambda t: np.sum(np.tanh(t)), [25, -30, 40])
add("nothing", "clipped far outside", lambda t: np.sum(np.clip(t, -1, 1)), [3, -4])
add("nothing", "max of 4, three behind", np.max, [0.1, 5, 0.3, 0.2], grad=lambda t: np.eye(4)[1])

dead = Layer(ROWS, [[0.5, -0.3], [0.4, 0.6]], [0.35, -9])
add_layer("nothing", "ReLU layer with one dead unit", dead)
add_layer("nothing", "ReLU layer with one dead unit", dead, 1e-5)
dead_by_a_hair = Layer([[1, 2], [2, 1]], [[0.5, 0.2], [0.4, 0.1]], [0.3, -0.53])
add_layer("nothing", "ReLU layer with one unit dead by 0.03", dead_by_a_hair)
all_dead = Layer(ROWS, [[0.5, -0.3], [0.4, 0.6]], [-7, -9])
add_layer("nothing", "ReLU layer, all units dead", all_dead)
unused_input = Layer([[1, 0], [2, 0]], [[0.5, 0.3], [0.4, 0.6]], [0.3, 0.1])
add_layer("nothing", "ReLU layer with an input that is always 0", unused_input)
