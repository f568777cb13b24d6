"""Correct networks are never called wrong, and planted factors are never called correct."""

import numpy as np
import pytest

import gradlab as gl

#: Named here: with one more in gradlab's list the seeds would draw other networks.
ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus")

DRAWS = 200
ALMOST = 1e-3  # of the largest gradient in a network: below, its entries may drown in noise


def draw(k, dtype=None):
    """Return a random network of any kind, with data and masks, from the seed `k`."""
    rng = np.random.default_rng(k)
    settings = {
        "loss": str(rng.choice(gl.nn.LOSSES)),
        "l2": float(rng.choice([0.0, 1e-3, 1.0])),
        "weight_scale": float(10 ** rng.uniform(-3, 1)),
        "dtype": str(rng.choice(["float64", "float64", "float32"])) if dtype is None else dtype,
        "seed": k,
    }
    n, kind = int(rng.integers(2, 12)), k % 4
    masks = None
    if kind == 0:
        channels, outputs = int(rng.integers(1, 3)), 3
        net = gl.convnet((channels, 10, 10), (2, 3), pool=str(rng.choice(["max", "average"])),
                         classes=outputs, **settings)  # fmt: skip
        x = rng.standard_normal((n, channels, 10, 10))
    elif kind == 1:
        net = gl.lstm(2, 3, 3, **settings)
        outputs, x = 3, rng.standard_normal((int(rng.integers(1, 5)), n, 2))
    else:
        hidden = [int(v) for v in rng.integers(2, 8, rng.integers(1, 4))]
        outputs = int(rng.integers(2, 4))
        net = gl.mlp([3, *hidden, outputs], str(rng.choice(ACTIVATIONS)),
                     dropout_rate=float(rng.choice([0.0, 0.5])), **settings)  # fmt: skip
        x = rng.standard_normal((n, 3))
        if net.dropout_rate:
            masks = net.draw_masks(n, rng)
    for value in net.params.values():  # biases away from 0: trained networks have none there
        value += (0.1 * settings["weight_scale"] * rng.standard_normal(value.shape)).astype(
            value.dtype
        )
    if net.loss_name == "softmax_cross_entropy":
        return net, x, rng.integers(0, outputs, n), masks
    return net, x, rng.random((n, outputs)), masks


@pytest.fixture(scope="module")
def reports():
    return {k: gl.check(*draw(k)[:3], masks=draw(k)[3]) for k in range(DRAWS)}


def test_correct_networks_are_never_called_wrong(reports):
    assert [(k, str(r)) for k, r in reports.items() if r.wrong] == []


def test_and_are_called_correct_where_a_step_can_support_it(reports):
    doubted = []
    for k, report in reports.items():
        net = draw(k)[0]
        if net.dtype == np.float32:
            continue
        largest = max(np.abs(report[name].analytic).max() for name in report)
        doubted += [
            (k, name, report[name].why)
            for name in report
            if report[name].verdict != "correct"
            and "kink" not in report[name].why
            and "exactly 0" not in report[name].why
            and np.abs(report[name].analytic).max() > ALMOST * largest
        ]
    assert doubted == []
    assert sum(r.verdict == "correct" for r in reports.values()) > 0.6 * DRAWS


@pytest.mark.every_case
@pytest.mark.parametrize("k", range(0, DRAWS, 5))
def test_a_planted_factor_is_found_and_nothing_else_is_blamed(k, reports):
    net, x, y, masks = draw(k)
    rng = np.random.default_rng(k)
    sure = [
        name
        for name in reports[k]
        if reports[k][name].verdict == "correct" and not reports[k][name].why.startswith("0 up to")
    ]
    if not sure:
        pytest.fail(f"draw {k} has no tensor that can be checked: choose other draws")
    name = str(rng.choice(sure))
    a = net.gradient(x, y, masks)
    worst = np.unravel_index(np.argmax(np.abs(a[name])), a[name].shape)
    a[name][worst] *= 1.5
    report = gl.check(net, x, y, masks=masks, analytic=a)
    assert report.wrong == [name], report
