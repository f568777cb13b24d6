"""Callbacks run on other threads than cells, while cells are busy."""

import threading
import time

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState

#: How often a cell looks before it ends; no clock, for on a busy machine it takes longer.
SHORT, LONG = 300, 30_000


@pytest.mark.parametrize("times", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
def test_a_cell_and_callbacks_at_the_same_time_never_see_half_a_change(times):
    x, y = gl.data.moons(20)
    net = gl.mlp([2, 6, 2])
    state = LabState(net, x, y)
    theta, given = net.theta.tobytes(), state.brought.net.theta.tobytes()
    failures, over = [], threading.Event()

    def drag(name, low, high, seed):
        rng = np.random.default_rng(seed)
        try:
            while not over.is_set():
                setattr(state, name, float(10 ** rng.uniform(low, high)))
                if rng.random() < 0.1:
                    state.update(use_l2=bool(rng.integers(2)), l2=0.1)
        except Exception as error:
            failures.append(error)

    jobs = [("eps", -9, -3, 0), ("weight_scale", -1, 1, 1)]
    threads = [threading.Thread(target=drag, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    looks = 0
    try:
        while (looks < times or state.computed < times // 20) and not failures:
            assert net.theta.tobytes() == theta
            assert state.brought.net.theta.tobytes() == given
            check_consistency(state.result, net)
            looks += 1
            time.sleep(1e-3)  # a loop that never waits would keep the interpreter from the others
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert state.error == ""
    assert state.result.settings == state.settings
    check_consistency(state.result, net)


def check_consistency(result, net):
    """Check that all parts of a result belong to its own settings."""
    s = result.settings
    assert result.report.eps == s.eps
    factor = s.weight_scale / rms(net)
    for name, value in result.net.params.items():
        scaled = net.params[name] * factor if name in net.weight_names else net.params[name]
        np.testing.assert_allclose(value, scaled, rtol=1e-12)
    assert result.net.l2 == (s.l2 if s.use_l2 else 0.0)
    right = result.net.gradient(result.x, result.y)
    for name in right:
        np.testing.assert_array_equal(result.analytic[name], right[name])
        np.testing.assert_array_equal(result.report[name].analytic, right[name])


def rms(net):
    weights = np.concatenate([net.params[name].ravel() for name in net.weight_names])
    return np.sqrt(np.mean(weights**2))
