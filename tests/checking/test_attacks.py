"""Failures that a reader found by attacking the checker: each is held here, right or wrong."""

import numpy as np
import pytest

import gradlab as gl

C = np.array([1.0, 2.0, 3.0])


def pruned(t):
    """Magnitude pruning inside a loss: the gradient of a small entry is 0."""
    return t * (np.abs(t) > 1e-3)


def soft(t, width):
    return np.sign(t) * np.maximum(np.abs(t) - width, 0)


RIGHT = {
    "hard threshold": (
        lambda t: np.sum((pruned(t) - C) ** 2),
        lambda t: 2 * (pruned(t) - C) * (np.abs(t) > 1e-3),
        [0.7, 2e-4, -0.4],
    ),
    **{
        f"soft threshold of {width}": (
            lambda t, width=width: np.sum((soft(t, width) - C) ** 2),
            lambda t, width=width: 2 * (soft(t, width) - C) * (np.abs(t) > width),
            [0.7, 0.3 * width, -0.4],
        )
        for width in (1e-3, 3e-4, 1e-4, 1e-5, 1e-7)
    },
    "a rounded parameter": (
        lambda t: np.sum((np.round(t, 3) - C) ** 2),
        lambda t: 0 * t,
        [0.7, 2e-4, -0.4],
    ),
    "an assertion near theta": (None, lambda t: -np.log(t) - 1, [0.25, 0.25, 0.5]),
}


def on_the_simplex(t):
    if abs(t.sum() - 1) > 1e-11:
        raise AssertionError("not a distribution")
    return -np.sum(t * np.log(t))


@pytest.mark.every_case
@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_are_not_blamed(name):
    f, grad, theta = RIGHT[name]
    f = on_the_simplex if f is None else f
    report = gl.check_function(lambda t: float(f(t)), grad, np.array(theta))
    assert report.verdict != "wrong", report


@pytest.mark.parametrize("scale", [1e-7, 1e-8, 1e-9])
def test_tiny_relu_networks_are_not_blamed(scale):
    x, y = gl.data.moons(n=40, seed=0)
    for seed in range(3):
        net = gl.mlp([2, 6, 2], "relu", weight_scale=scale, seed=seed)
        assert gl.check(net, x, y).wrong == []


def test_float32_small_weights_are_not_blamed():
    theta = np.array([1e-4, 1.0], np.float32)
    f = lambda t: np.float32(-np.sum(np.log(np.abs(t.astype(float)))))  # noqa: E731
    assert gl.check_function(f, lambda t: -1 / t.astype(float), theta).verdict != "wrong"


def test_a_gradient_below_the_noise_is_not_certified():
    """Near an optimum with a large offset, a flipped sign cannot be seen."""
    A = np.diag([1.0, 2.0, 3.0])
    near = np.full(3, 1e-10)
    report = gl.check_function(lambda t: 1000 + 0.5 * t @ A @ t, lambda t: -A @ t, near)
    assert report.verdict == "inconclusive"


def test_a_steep_kink_does_not_hide_the_other_entries():
    def f(t):
        return float(1e4 * abs(t[0]) + abs(t[1] - 1.000023))

    report = gl.check_function(f, lambda t: np.array([0, -0.99]), np.array([0.0, 1.0]))
    assert report.verdict != "correct" or report.resolution > 1e-2


def test_a_bug_at_a_tiny_theta_is_proved():
    theta = np.array([1e-14, 1e-20])
    report = gl.check_function(lambda t: float(np.sum(np.log(t))), lambda t: 1.5 / t, theta)
    assert report.verdict == "wrong"


def test_a_zero_that_a_wave_brings_at_the_given_step_is_not_correct():
    report = gl.check_function(
        lambda t: float(t[0] + np.sin(1e4 * t[1])), lambda t: np.array([1.0, 0]),
        np.array([0.3, 0.0]), eps=np.pi * 1e-4,
    )  # fmt: skip
    assert report.verdict != "correct"


@pytest.mark.parametrize("size", [8, 40])
def test_directions_name_no_entries(size):
    def grad(t):
        return 2 * np.tanh(t) * (1 - np.tanh(t) ** 2) * np.where(np.arange(size) == 2, 1.5, 1)

    theta = np.random.default_rng(0).normal(size=size)
    report = gl.check_function(
        lambda t: float(np.sum(np.tanh(t) ** 2)), grad, theta, method="directional"
    )
    text = str(report)
    assert text.startswith("✗ wrong: theta: along 20 random directions: ")
    assert "worst entries" not in text
    assert report["theta"].worst() == []
    assert report["theta"].coverage == "20 directions"
    net = gl.mlp([2, 2])
    x, y = gl.data.moons(8)
    wrong = {name: 2 * g for name, g in net.gradient(x, y).items()}
    assert "along 20 random" in str(gl.check(net, x, y, analytic=wrong, method="directional"))


CAUSES = {  # f, gradient, theta, words that must not stand in the first cause
    "half, of a round length": (lambda t: t @ t, lambda t: t, [3.0, 4.0], "clipped"),
    "one entry": (
        lambda t: np.sum(np.sin(t)),
        lambda t: np.cos(t) * [0.9, 1, 1],
        [0.0, 2.2, 1.4],
        "clipped",
    ),
    "forgotten weights": (
        lambda t: np.array([2, 2, 1, 1.0]) @ np.abs(t),
        np.sign,
        [1.0, -2, 0.3, 0.7],
        "clipped",
    ),
    "a little too long": (
        lambda t: np.sum(np.sin(t)),
        lambda t: np.cos(t) * 1.000002,
        [0.3, 1.0, 2.0],
        " is 1 times",
    ),
}


@pytest.mark.every_case
@pytest.mark.parametrize("name", CAUSES)
def test_no_cause_says_what_the_numbers_do_not_prove(name):
    f, grad, theta, words = CAUSES[name]
    report = gl.check_function(lambda t: float(f(t)), grad, np.array(theta))
    assert report.verdict == "wrong"
    assert words not in report.diagnosis[0].cause


def test_a_pure_gradient_is_not_told_to_add_up():
    report = gl.check_function(
        lambda t: float(abs(t[0]) + np.sin(t[1])), lambda t: np.array([1.0, np.cos(1.0) * 1.01]),
        np.array([1e-3, 1.0]), eps=1e-3,
    )  # fmt: skip
    assert "call before" not in report.diagnosis[0].cause


def test_a_constant_loss_is_told_as_one():
    report = gl.check_function(lambda t: 3.1, lambda t: np.ones(1), np.ones(1))
    assert report.verdict == "inconclusive"
    assert "no step moves the loss" in report.why


def test_what_is_not_defined_at_a_given_step_is_told_so():
    def f(t):
        return float(np.log(t[0])) if t[0] > 0 else np.nan

    report = gl.check_function(f, lambda t: 1 / t, np.array([0.01]), eps=0.05)
    assert report.verdict == "inconclusive"
    assert "not defined there" in report.why
    root = lambda t: float(np.sum(np.sqrt(t)))  # noqa: E731
    near = gl.check_function(root, lambda t: 0.5 / np.sqrt(t), np.array([0.5, 2.0]), eps=1e-4)
    assert near.verdict == "correct"


def test_values_that_are_all_one_number_are_not_taken_for_float32():
    report = gl.check_function(
        lambda t: 0.5 + float(np.sum((t - 1) ** 2)), lambda t: 2 * (t - 1), np.ones(3)
    )
    assert (report.verdict, report.subject) == ("correct", "<lambda>")


def test_the_tolerance_stands_in_the_first_line_of_a_networks_report():
    net = gl.mlp([2, 4, 2])
    x, y = gl.data.moons(8)
    text = str(gl.check(net, x, y, tolerance=1e-2))
    assert "to the tolerance of 0.01; an error of" in text.split("\n")[0]


def test_a_numerical_gradient_from_elsewhere_has_words_of_its_own():
    net = gl.mlp([2, 4, 2])
    x, y = gl.data.moons(8)
    n = net.gradient(x, y)
    off = {name: 1.002 * g for name, g in n.items()}
    report = gl.check(net, x, y, analytic=off, numerical=n)
    assert report.verdict == "inconclusive"
    assert "numerical gradient that was given" in report.why
    zeros = {name: 0 * g for name, g in n.items()}
    nothing = gl.check(net, x, y, analytic=zeros, numerical=zeros)
    assert "proves nothing" in nothing.why
