"""A layer that works in place on the array that the one below keeps for its backward."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.own.overwritten import _differs
from tests.own.as_written import normal


class Dense:
    def __init__(self, W):
        self.params, self.grads = {"W": W}, {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"]

    def backward(self, dout):
        self.grads = {"W": self.x.T @ dout}
        return dout @ self.params["W"].T


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class Relu:
    """Keeps a mask, which nobody else can reach."""

    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class Dropout:
    def __init__(self, in_place, draw=np.random.random):
        self.in_place, self.draw = in_place, draw

    def forward(self, x):
        self.mask = (self.draw(x.shape) < 0.5) / 0.5
        if not self.in_place:
            return x * self.mask
        x *= self.mask
        return x

    def backward(self, dout):
        return dout * self.mask


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def check(layers, rng, **chosen):
    x, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    loss = lambda out: (0.5 * np.sum((out - y) ** 2), out - y)  # noqa: E731
    stack = [Dense(rng.standard_normal((3, 4))), *layers, Dense(rng.standard_normal((4, 2)))]
    return gl.check_layers(stack, x, loss, **chosen), stack, x, y


def in_use(stack, x, y):
    """The stack as its owner runs it: the first layer's gradient, and the loss."""
    np.random.seed(0)  # noqa: NPY002
    out = x.copy()
    for layer in stack:
        out = layer.forward(out)
    value, dout = 0.5 * np.sum((out - y) ** 2), out - y
    for layer in reversed(stack):
        dout = layer.backward(dout)
    return value, stack[0].grads["W"]


def test_the_layer_whose_cache_is_overwritten_is_wrong(rng):
    report, stack, x, y = check([Tanh(), Dropout(in_place=True)], rng)
    assert report.wrong == ["2 Tanh: x"]
    assert "overwritten by Layer 3 (Dropout)" in report.diagnosis[0].cause
    # an oracle of its own: the whole stack as it is used, differenced by hand
    W, eps = stack[0].params["W"], 1e-6
    _, claimed = in_use(stack, x, y)
    claimed = claimed.copy()
    slope = np.empty_like(W)
    for at in np.ndindex(W.shape):
        ends = []
        for sign in (1, -1):
            W[at] += sign * eps
            ends.append(in_use(stack, x, y)[0])
            W[at] -= sign * eps
        slope[at] = (ends[0] - ends[1]) / (2 * eps)
    assert not np.allclose(claimed, slope, rtol=0.1)


def test_in_place_is_right_where_the_layer_below_keeps_something_else(rng):
    report, *_ = check([Relu(), Dropout(in_place=True)], rng)
    assert report.verdict == "correct"
    assert any("writes into its input" in remark for remark in report.remarks)


def test_a_dropout_that_makes_a_new_array_spoils_nothing(rng):
    report, *_ = check([Tanh(), Dropout(in_place=False)], rng)
    assert report.verdict == "correct"


def test_a_layer_that_does_not_repeat_below_is_no_overwriting(rng):
    """What comes out of it differs from run to run, and so do all gradients above it."""
    once = np.random.default_rng(1)  # not the layer's own, so each copy of it draws on
    report, *_ = check(
        [Dropout(False, lambda shape: once.random(shape)), Relu(), Dropout(in_place=True)], rng
    )
    assert report.wrong == []


@pytest.mark.parametrize("method", ["sampled", "directional"])
def test_it_is_seen_in_a_sample_and_along_directions(rng, method):
    report, *_ = check([Tanh(), Dropout(in_place=True)], rng, method=method, samples=12)
    assert len(report.wrong) == 1
    assert report.wrong[0].startswith("2 Tanh")


def test_a_bug_of_the_layer_itself_is_still_found(rng):
    class Off(Tanh):
        def backward(self, dout):
            return 1.01 * super().backward(dout)

    report, *_ = check([Off(), Dropout(in_place=True)], rng)
    assert report.wrong == ["2 Off: x"]
    assert "differ by more than noise" in report["2 Off: x"].why
    (cause,) = report.diagnosis
    assert cause.right_line == "dx = dout * (1 - out ** 2)"
    assert "overwritten" not in cause.cause


class Keeps:
    """Keeps its output for backward, and has parameters."""

    def __init__(self, n, m):
        self.W, self.dW = normal(n, m), None

    def forward(self, x):
        self.x, self.out = x, np.tanh(x @ self.W)
        return self.out

    def backward(self, dout):
        d = dout * (1 - self.out**2)
        self.dW = self.x.T @ d
        return d @ self.W.T


class Doubles:
    def forward(self, x):
        x *= 2
        return x

    def backward(self, dout):
        return 2 * dout


def test_a_layer_with_parameters_may_be_overwritten_too_and_one_above_is_not():
    layers = [Keeps(4, 3), Doubles(), Keeps(3, 2)]
    loss = lambda out: (float(np.sum(out**2)), 2 * out)  # noqa: E731
    report = gl.check_layers(layers, normal(5, 4), loss)
    assert report.wrong == ["1 Keeps: x", "1 Keeps: W"]
    assert "is overwritten by Layer 2 (Doubles)" in report["1 Keeps: W"].why
    assert "let Layer 2 (Doubles) work on a copy" in report["1 Keeps: W"].judgement.advice
    (cause,) = report.diagnosis
    assert "overwritten by Layer 2 (Doubles), in place" in cause.cause
    sampled = gl.check_layers(layers, normal(5, 4), loss, method="sampled", samples=4)
    assert sampled.wrong == ["1 Keeps: x", "1 Keeps: W"]
    assert sampled["1 Keeps: W"].analytic.shape == (4,)
    along = gl.check_layers(layers, normal(5, 4), loss, method="directional")
    assert "its gradients are others in the stack than those of this layer" in along.why
    assert "overwritten by Layer 2 (Doubles), in place" in along.diagnosis[0].cause


class Cubes:
    """Keeps its input, and what it returns is that array."""

    def forward(self, x):
        self.x = x
        x **= 3
        return x

    def backward(self, dout):
        return 3 * np.cbrt(self.x) ** 2 * dout


def test_of_two_that_write_both_are_told_and_of_each_layer_those_above_it():
    layers = [Keeps(4, 3), Cubes(), Doubles(), Keeps(3, 2)]
    report = gl.check_layers(layers, normal(5, 4), lambda out: (float(np.sum(out**2)), 2 * out))
    assert report.wrong == ["1 Keeps: x", "1 Keeps: W", "2 Cubes: x"]
    assert "overwritten by Layer 2 (Cubes) and Layer 3 (Doubles)" in report["1 Keeps: x"].why
    assert "overwritten by Layer 3 (Doubles)" in report["2 Cubes: x"].why
    first, second = report.diagnosis
    assert first.cause.startswith("Layer 1 (Keeps)")
    assert second.evidence == "By itself it is right."


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_others_if_they_differ_by_more_than_rounding_of_the_largest(dtype):
    allowed = 1e-9 if dtype is np.float64 else 1e-4
    one = np.array([0.0, 1e-3, -2.0], dtype)
    assert not _differs(0 * one, 0 * one).any()
    assert not _differs(one, one).any()
    assert _differs(one + np.array([4.0, 0, 0]) * allowed, one).tolist() == [True, False, False]
    assert not _differs(one + np.array([1.0, 1.0, 0]) * allowed, one).any()
    assert _differs(one, -one).tolist() == [False, True, True]
