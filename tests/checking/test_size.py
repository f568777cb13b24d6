"""What a check of a large network takes: memory, and a minute at most."""

import tracemalloc

import numpy as np

import gradlab as gl


def digits_like(sizes, n=32):
    net = gl.mlp(sizes)
    rng = np.random.default_rng(0)
    return net, rng.random((n, sizes[0])), rng.integers(0, sizes[-1], n)


def test_a_check_of_51_000_parameters_stays_under_100_mb():
    net, x, y = digits_like([784, 64, 10])
    assert net.size > 50_000
    tracemalloc.start()
    try:
        report = gl.check(net, x, y)
        text = str(report)  # with the warnings, for which every known bug is tried
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.verdict == "correct", text
    assert peak < 100e6, f"{peak / 1e6:.0f} MB"


def test_a_million_parameters_are_sampled():
    net, x, y = digits_like([784, 1000, 200, 10])
    assert 0.95e6 < net.size < 1.05e6
    report = gl.check(net, x, y, method="sampled")
    assert report.verdict == "correct", report
    assert [report[name].analytic.size for name in report] == [20, 20, 20, 20, 20, 10]
    assert "20 of 784000 entries" in report["W1"].coverage
    spoiled = net.gradient(x, y)
    spoiled["W2"] = 2 * spoiled["W2"]
    assert gl.check(net, x, y, analytic=spoiled, method="sampled").wrong == ["W2"]
