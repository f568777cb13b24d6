"""Blank pixels under max-pooling: many kinks meet there, and right code must not be blamed."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.bisect import from_cut
from gradlab.nn.network import Point

#: A draw and how many digits of it.
DRAWS = [(0, 3), *(pytest.param(seed, 6, marks=pytest.mark.soak) for seed in range(5))]
STEPS = {"kernel_not_flipped": "Conv(conv2_W, conv2_b, padding=1)", "missing_1_over_n": "loss"}


def digits(seed, n):
    x, y = gl.data.load("digits", n, seed=seed)
    net = gl.convnet((1, 8, 8), (2, 3), classes=10, padding=(1, 1), seed=seed)
    return net, x.reshape(-1, 1, 8, 8), y


@pytest.mark.parametrize(("seed", "n"), DRAWS)
def test_the_gradient_of_the_pixels_is_not_blamed(seed, n):
    net, x, y = digits(seed, n)
    f, gradient = from_cut(Point(net, x, y, None), 0)
    report = gl.check_function(f, gradient, x.ravel().astype(float))
    assert report.verdict != "wrong", report
    known = np.isin(report["theta"].marks, ("ok", "subgradient", "zero"))
    assert known.mean() > 0.95, report
    assert np.array_equal(gradient(x.ravel()), net.cut_gradients(x, y)["input"].ravel())


@pytest.mark.parametrize(("seed", "n"), DRAWS)
def test_bisect_blames_no_right_code_and_finds_a_planted_bug(seed, n):
    net, x, y = digits(seed, n)
    right = gl.bisect(net, x, y)
    assert right.step is None, right
    for name in STEPS:
        wrong = gl.bisect(gl.bugs.plant(net, name), x, y)
        assert next(iter(wrong.cuts.values())).verdict == "wrong", (name, wrong)
        assert wrong.step == STEPS[name], (name, wrong)
