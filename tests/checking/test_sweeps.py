"""A sweep over steps: its numbers are those of single checks, and what it predicts is a formula."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.errors import tensor_error
from gradlab.checking.sampling import layer_entries, per_tensor, sampled_entries
from gradlab.checking.sweeps import EpsSweep
from tests.checking.cases import case


def sweep_of(errors, scheme="central", eps=(1e-2, 1e-4, 1e-6)):
    eps, errors = np.array(eps), {name: np.array(e) for name, e in errors.items()}
    return EpsSweep(eps, errors, {}, scheme, "max_relative", 1e-16, 1e-5, np.inf, 6, 0.5)


def test_the_best_step_is_the_one_with_the_smallest_error_that_is_defined():
    sweep = sweep_of({"W": [1e-3, 1e-7, 1e-5], "b": [np.nan, 0.3, 0.2], "c": [0.1, 0.1, np.nan]})
    assert sweep.best_eps == {"W": 1e-4, "b": 1e-6, "c": 1e-2}
    assert repr(sweep) == "EpsSweep(3 steps from 1e-06 to 1e-02, central, 3 tensors)"


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("scheme", "order"), [("forward", 1), ("central", 2), ("five_point", 4), ("complex_step", 2)]
)
def test_truncation_grows_with_the_order_and_round_off_falls_with_the_step(scheme, order):
    sweep = sweep_of({}, scheme)
    np.testing.assert_allclose(sweep.truncation, np.array([1e-2, 1e-4, 1e-6]) ** order)
    falling = [1e-14, 1e-12, 1e-10] if scheme != "complex_step" else [1e-16] * 3
    np.testing.assert_allclose(sweep.round_off, falling)


@pytest.mark.every_case
@pytest.mark.parametrize("measure", ["max_relative", "sum_relative", "norm_ratio"])
@pytest.mark.parametrize("scheme", ["forward", "central", "five_point", "complex_step"])
@pytest.mark.parametrize("method", ["full", "sampled"])
def test_each_step_of_a_sweep_is_a_numerical_gradient(method, scheme, measure):
    net, x, y = case((3, 4, 2), 6)
    a, steps = net.gradient(x, y), np.array([1e-2, 1e-3])
    sweep = gl.sweep_eps(net, x, y, steps, scheme, measure=measure, method=method, samples=3)
    entries = sampled_entries(net.params, 3, 0)
    size = 0
    for name in net.params:
        at = entries[name] if method == "sampled" else slice(None)
        right = a[name].ravel()[at]
        size += right.size
        for i, eps in enumerate(steps):
            n = gl.numerical_gradient(net, x, y, eps, scheme)[name].ravel()[at]
            assert sweep.sizes[name][i] == pytest.approx(np.linalg.norm(n), rel=1e-9)
            error = tensor_error(right, n, measure)
            assert sweep.errors[name][i] == pytest.approx(error, rel=1e-6, abs=1e-12)
    each = {"forward": 1, "central": 2, "five_point": 4, "complex_step": 1}[scheme]
    # a forward difference shares the loss at theta
    assert sweep.evaluations == each * size * 2 + (scheme == "forward")
    assert (sweep.scheme, sweep.measure, sweep.machine_eps) == (scheme, measure, 2.0**-52)
    power = {"forward": 2, "central": 3, "five_point": 5, "complex_step": 2}[scheme]
    assert sweep.predicted_best_eps == pytest.approx(2.0 ** (-52 / power))


def test_of_itself_a_sweep_takes_61_steps_from_a_tenth_to_1e_13():
    net, x, y = case((3, 2), 4)
    steps = gl.sweep_eps(net, x, y).eps
    np.testing.assert_allclose(steps[[0, 5, 60]], [1e-1, 1e-2, 1e-13])
    np.testing.assert_allclose(steps[1:] / steps[:-1], 10**-0.2)
    single = gl.sweep_eps(*case((3, 2), 4, dtype="float32"), np.array([1e-2]))
    assert single.machine_eps == 2.0**-23


def test_kinks_start_at_the_smallest_step_that_crosses_one_whatever_the_order():
    net, x, y = gl.mlp([1, 1, 1], "relu", loss="mse"), np.array([[1.0], [-1.0]]), np.zeros(2)
    net.params |= {"W1": np.array([[0.5]]), "b1": np.array([0.25])}  # z = 0.75 and -0.25
    steps = np.array([1.0, 0.3, 0.26, 0.24, 0.01, 1e-3, 1e-4])
    for some in (steps, steps[::-1], steps[[3, 0, 2, 5]], steps[1:3], steps[2:4]):
        assert gl.sweep_eps(net, x, y, some).kinks_from == 0.26
    assert gl.sweep_eps(net, x, y, steps[:1]).kinks_from == 1.0
    assert gl.sweep_eps(net, x, y, steps[3:]).kinks_from == np.inf


def test_masks_drawn_anew_have_no_step_that_kinks_start_at():
    net, x, y = case((3, 4, 2), 6, activation="relu", dropout_rate=0.5)
    masks = np.random.default_rng(0)
    assert gl.sweep_eps(net, x, y, np.array([1.0, 1e-3]), masks=masks).kinks_from == np.inf
    frozen = net.draw_masks(6, np.random.default_rng(0))
    assert gl.sweep_eps(net, x, y, np.array([1.0, 1e-3]), masks=frozen).kinks_from == 1.0


# -- a few entries of every tensor ---------------------------------------------------------------


def test_a_sample_is_drawn_of_each_tensor_and_all_of_a_small_one():
    params = {"W": np.zeros((5, 4)), "b": np.zeros(3), "c": np.zeros(7)}
    drawn = sampled_entries(params, 6, 2)
    assert [len(part) for part in drawn.values()] == [6, 3, 6]
    for name, part in drawn.items():
        assert (np.diff(part) > 0).all()
        assert set(part) <= set(range(params[name].size))
    again, other = sampled_entries(params, 6, 2), sampled_entries(params, 6, 3)
    assert all(np.array_equal(drawn[name], again[name]) for name in params)
    assert not np.array_equal(drawn["W"], other["W"])


def test_entries_of_a_layers_tensors_stand_one_after_the_other():
    tensors = {"W": (0, 6, (2, 3)), "b": (6, 9, (3,))}
    assert layer_entries(tensors, None) is None
    picked = {"W": np.array([1, 5]), "b": np.array([0])}
    assert layer_entries(tensors, picked).tolist() == [1, 5, 6]
    values = np.arange(18).reshape(2, 9)
    whole = per_tensor(values, tensors, None)
    assert whole["W"].shape == (2, 2, 3)
    assert whole["W"][1].ravel().tolist() == list(range(9, 15))
    assert whole["b"].tolist() == [[6, 7, 8], [15, 16, 17]]
    some = per_tensor(values[:, :3], tensors, picked)
    assert (some["W"].tolist(), some["b"].tolist()) == ([[0, 1], [9, 10]], [[2], [11]])
