import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import Settings
from gradlab.lab.model import budget
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.result import SWEEP_EPS, compute

SMALL = Settings(hidden=(4,))


def worst(result):
    return result.report.error


def test_it_is_the_check_of_the_network_that_the_settings_describe():
    s = Settings(hidden=(3,), activation="sigmoid", loss="mse", data="iris", seed=4, eps=1e-4)
    result = compute(s)
    net = gl.mlp([4, 3, 3], "sigmoid", loss="mse", weight_scale=0.5, seed=4)
    x, labels = gl.data.load("iris", len(result.x))
    report = gl.check(net, x, np.eye(3)[labels], eps=1e-4)
    for name in report:
        np.testing.assert_array_equal(result.report[name].errors, report[name].errors)


@pytest.mark.parametrize("data", gl.data.DATASETS)
@pytest.mark.parametrize("loss", gl.nn.LOSSES)
def test_every_data_set_goes_with_every_loss(data, loss):
    assert compute(SMALL.replace(data=data, loss=loss)).report.verdict == "correct"


def test_moving_the_step_keeps_the_sweep_and_the_analytic_gradient():
    first = compute(SMALL)
    second = compute(SMALL.replace(eps=1e-9), previous=first)
    assert second.sweep is first.sweep
    assert second.analytic is first.analytic
    assert worst(second) != worst(first)


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": (5,)},
        {"activation": "relu"},
        {"loss": "mse"},
        {"data": "spirals"},
        {"seed": 1},
        {"weight_scale": 0.6},
        {"scheme": "forward"},
        {"measure": "norm_ratio"},
        {"use_dropout": True},
        {"use_l2": True},
    ],
    ids=str,
)
def test_anything_else_makes_a_new_sweep(change):
    first = compute(SMALL)
    second = compute(SMALL.replace(**change), previous=first)
    assert any(
        not np.array_equal(first.sweep.errors[n], second.sweep.errors[n]) for n in first.report
    )


def test_a_result_does_not_depend_on_what_was_shown_before():
    s = SMALL.replace(eps=1e-8, use_dropout=True)
    fresh, after = compute(s), compute(s, previous=compute(SMALL.replace(seed=3)))
    for name in fresh.report:
        np.testing.assert_array_equal(fresh.report[name].errors, after.report[name].errors)
        np.testing.assert_array_equal(fresh.sweep.errors[name], after.sweep.errors[name])


def test_weight_scale_scales_the_same_draws():
    one, ten = compute(SMALL.replace(weight_scale=1.0)), compute(SMALL.replace(weight_scale=10.0))
    for name in ("W1", "W2"):
        np.testing.assert_allclose(ten.net.params[name], 10 * one.net.params[name], rtol=1e-15)


def test_coarse_sweeps_take_fewer_steps_of_the_same_grid_and_both_ends():
    s = Settings(hidden=(16, 16))
    coarse, fine = compute(s, coarse=True), compute(s)
    assert coarse.rough
    assert not fine.rough
    assert len(coarse.sweep.eps) < len(fine.sweep.eps) == len(SWEEP_EPS)
    assert set(coarse.sweep.eps) < set(fine.sweep.eps)
    assert coarse.sweep.eps[[0, -1]].tolist() == SWEEP_EPS[[0, -1]].tolist()
    assert compute(s.replace(eps=1e-3), previous=fine, coarse=True).sweep is fine.sweep


def test_a_large_network_is_checked_on_fewer_examples():
    s = Settings(hidden=(64, 64, 64), data="moons")
    assert 6 <= len(compute(s, coarse=True).x) < 30


@pytest.mark.parametrize(
    "more", [{}, {"activation": "relu"}, {"scheme": "complex_step"},
             {"use_dropout": True, "freeze_masks": False}],
)  # fmt: skip
def test_of_the_largest_some_entries_of_each_tensor_stand_for_all(more):
    s = Settings(hidden=(64,) * 8, data="digits", **more)
    result = compute(s, coarse=True)
    checked = sum(tensor.analytic.size for tensor in result.report.tensors.values())
    assert all(tensor.analytic.size >= 8 for tensor in result.report.tensors.values())
    assert checked < result.net.size / 20
    redrawn = 10 if more.get("use_dropout") else 1
    size = len(result.x) * budget.units(result.net, result.x) * redrawn
    assert result.cost.evaluations * size < 2e7  # about 0.1 s
    assert 2 * len(result.sweep.eps) * checked * size < 2e8
    assert len(result.x) == len(compute(s.replace(scheme="central", use_dropout=False)).x)


def test_of_a_small_one_every_entry_is_checked():
    assert compute(Settings(hidden=(16, 16, 16))).problem.samples is None


def test_l2_in_one_of_the_two_gradients_is_wrong_in_the_weights_and_right_in_the_biases():
    s = SMALL.replace(use_l2=True, l2=0.1)
    assert compute(s).report.verdict == "correct"
    for name in ("l2_in_loss", "l2_in_gradient"):
        report = compute(s.replace(**{name: False})).report
        assert report.wrong == ["W1", "W2"]
    assert compute(s.replace(l2_in_loss=False, l2_in_gradient=False)).report.verdict == "correct"


def test_l2_switched_off_is_in_neither():
    off, on = compute(SMALL.replace(l2=0.1)), compute(SMALL.replace(use_l2=True, l2=0.1))
    assert off.net.l2 == 0
    assert on.net.l2 == 0.1
    np.testing.assert_allclose(on.analytic["W1"], off.analytic["W1"] + 0.1 * off.net.params["W1"])


def test_frozen_dropout_is_checkable_and_redrawn_dropout_is_not():
    s = SMALL.replace(use_dropout=True)
    frozen, redrawn = compute(s), compute(s.replace(freeze_masks=False))
    assert frozen.report.verdict == "correct"
    assert redrawn.report.verdict == "inconclusive"
    plain = compute(SMALL)
    assert not np.array_equal(frozen.analytic["W2"], plain.analytic["W2"])


def test_redrawn_dropout_grows_as_the_step_shrinks():
    s = SMALL.replace(use_dropout=True, freeze_masks=False)
    sizes = [
        np.linalg.norm(compute(s.replace(eps=eps)).report["W2"].numerical)
        for eps in (1e-2, 1e-4, 1e-6)
    ]
    assert sizes[1] > 30 * sizes[0]
    assert sizes[2] > 30 * sizes[1]


def test_overflow_is_an_error_in_words():
    x, y = np.full((4, 2), 1e200), np.full((4, 2), 1e200)
    net = gl.mlp([2, 4, 2], "identity", loss="mse")
    given = OwnNetwork(net, x, y, 1.0)
    with pytest.raises(ValueError, match=r"not finite.*lower the weight scale"):
        compute(given.settings(), given)


@pytest.mark.parametrize("change", [{}, {"data": "digits"}, {"dtype": "float32"}, {"l2": 1.0}])
def test_at_rest_the_reports_errors_lie_on_the_curve(change):
    result = None
    for eps in (1e-5, 2e-5, 1e-13, 3e-2):
        result = compute(SMALL.replace(eps=eps, **change), previous=result)
        at = np.flatnonzero(result.curve.eps == eps)
        assert len(at) == 1
        assert np.all(np.diff(result.curve.eps) > 0)
        assert set(result.curve.eps) == {eps, *result.sweep.eps}  # no step of the sweep is lost
        for name, tensor in result.report.tensors.items():
            assert result.curve.errors[name][at[0]] == tensor.error


def test_the_curve_stays_while_the_step_is_dragged():
    before = compute(SMALL)
    held = compute(SMALL.replace(eps=3e-7), previous=before, held=True)
    assert held.curve is before.curve


def test_let_go_the_step_is_on_the_curve():
    held = compute(SMALL.replace(eps=3e-7), previous=compute(SMALL), held=True)
    rests = held.let_go()
    assert not rests.held
    assert rests.curve.errors["W1"][rests.curve.eps == 3e-7] == rests.report["W1"].error
