"""Every row of the lab's table of controls: set it, see what it does to the result.

`test_result.py` has the effects on what is kept from one result to the next.
"""

import re

import numpy as np
import pytest

from gradlab.lab import LabState


@pytest.fixture
def state():
    return LabState(hidden=(6,))


def error(state, **changes):
    state.update(**changes)
    assert state.error == ""
    return state.result.report.error


@pytest.mark.parametrize("hidden", [(), (1,), (64,), (3, 5, 7, 9), (2,) * 8])
def test_layers_and_widths_are_those_of_the_network(state, hidden):
    state.hidden = hidden
    assert state.result.net.sizes == (2, *hidden, 2)
    assert len(state.result.report) == 2 * len(hidden) + 2


def test_activation_is_that_of_the_hidden_layers(state):
    before = state.result.analytic["W1"]
    state.activation = "sigmoid"
    assert state.result.net.activations == ("sigmoid",)
    assert not np.allclose(state.result.analytic["W1"], before)


@pytest.mark.parametrize(("loss", "value"), [("mse", 1.0), ("binary_cross_entropy", 2 * np.log(2))])
def test_loss_is_what_is_differentiated(state, loss, value):
    state.update(loss=loss, weight_scale=1e-4)
    result = state.result
    assert result.net.loss(result.x, result.y) == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("data", "shape"), [("moons", (30, 2)), ("spirals", (30, 2)), ("iris", (30, 4))]
)
def test_data_set_is_what_the_loss_is_computed_on(state, data, shape):
    state.data = data
    assert state.result.x.shape == shape
    assert state.result.net.outputs == len(np.unique(state.result.y))


def test_digits_have_64_pixels(state):
    state.data = "digits"
    assert state.result.net.sizes == (64, 6, 10)


def test_seed_draws_other_weights_and_the_same_seed_the_same(state):
    first = state.result.net.theta
    state.seed = 1
    assert not np.array_equal(state.result.net.theta, first)
    state.seed = 0
    np.testing.assert_array_equal(state.result.net.theta, first)


def test_eps_moves_along_the_u_curve(state):
    errors = [error(state, eps=eps) for eps in (1e-1, 1e-3, 1e-5, 1e-9, 1e-12)]
    assert errors[0] > errors[1] > errors[2] < errors[3] < errors[4]


def test_error_of_the_schemes_at_one_step(state):
    forward, central, five = (
        error(state, scheme=s, eps=1e-2) for s in ("forward", "central", "five_point")
    )
    assert forward > 10 * central > 100 * five
    assert error(state, scheme="complex_step", eps=1e-9) < 1e-10


def test_float32_is_in_the_parameters_and_lifts_the_round_off(state):
    double = error(state, eps=1e-5)
    single = error(state, dtype="float32")
    assert state.result.net.dtype == state.result.analytic["W1"].dtype == np.float32
    assert single > 1e5 * double
    assert state.result.sweep.machine_eps == np.finfo(np.float32).eps
    assert state.result.sweep.predicted_best_eps > 1e-3


@pytest.mark.parametrize("scale", [1e-4, 0.1, 1e2])
def test_weight_scale_is_the_spread_of_the_weights(state, scale):
    state.update(hidden=(64,), weight_scale=scale)
    assert np.std(state.result.net.params["W1"]) == pytest.approx(scale, rel=0.2)
    assert not state.result.net.params["b1"].any()


def test_dropout_changes_both_gradients_and_stays_right_while_masks_are_frozen(state):
    before = state.result.analytic["W2"]
    state.use_dropout = True
    assert not np.allclose(state.result.analytic["W2"], before)
    assert state.result.report.verdict == "correct"
    state.freeze_masks = False
    assert state.result.report.verdict == "inconclusive"


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
def test_dropout_rate_is_the_fraction_of_zeroed_units(state, rate):
    state.update(hidden=(64,), use_dropout=True, dropout_rate=rate)
    (masks,) = state.result.problem.masks(state.settings)
    assert np.mean(masks == 0) == pytest.approx(rate, abs=0.05)


def test_l2_adds_lambda_times_w_to_the_weights_alone(state):
    plain = state.result.analytic
    state.update(use_l2=True, l2=10.0)
    result = state.result
    np.testing.assert_allclose(result.analytic["W1"], plain["W1"] + 10 * result.net.params["W1"])
    np.testing.assert_array_equal(result.analytic["b1"], plain["b1"])
    assert result.report.verdict == "correct"


def test_l2_in_one_gradient_only_is_wrong_in_the_weights(state):
    state.update(use_l2=True, l2=0.1)
    for name in ("l2_in_loss", "l2_in_gradient"):
        setattr(state, name, False)
        assert state.result.report.wrong == ["W1", "W2"]
        setattr(state, name, True)
        assert state.result.report.verdict == "correct"


def test_training_moves_the_parameters_downhill_before_the_check(state):
    at_start = state.result
    state.train_steps = 100
    result = state.result
    assert result.net.loss(result.x, result.y) < 0.5 * at_start.net.loss(result.x, result.y)
    assert result.net.params["b1"].any()
    assert result.report.verdict == "correct"


def test_measures_differ_on_the_same_differences(state):
    state.update(bug="missing_factor_2", loss="mse")
    found = {m: error(state, measure=m) for m in ("max_relative", "sum_relative", "norm_ratio")}
    expected = {"max_relative": 1 / 2, "sum_relative": 1 / 3, "norm_ratio": 1 / 3}
    assert found == pytest.approx(expected, rel=1e-3)


def test_a_bug_is_in_the_analytic_gradient_and_not_in_the_numerical_one(state):
    right = state.result
    state.bug = "flipped_sign"
    wrong = state.result
    assert wrong.report.verdict == "wrong"
    for name in right.report:
        np.testing.assert_array_equal(wrong.report[name].numerical, right.report[name].numerical)
        np.testing.assert_allclose(wrong.analytic[name], -right.analytic[name], rtol=1e-12)
    state.bug = "none"
    np.testing.assert_array_equal(state.result.analytic["W1"], right.analytic["W1"])


def test_the_layer_of_a_bug_decides_which_tensors_are_wrong():
    state = LabState(bug="missing_activation_derivative")
    assert state.result.report.wrong == ["W1", "b1", "W2", "b2"]
    state.bug_layer = 1
    assert state.result.report.wrong == ["W1", "b1"]
    state.bug_layer = 2
    assert state.result.report.wrong == ["W1", "b1", "W2", "b2"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bug": "bias_mean", "bug_layer": 3}, r"bug_layer must be 0 or one of \[1, 2\].*got 3"),
        ({"bug": "missing_dropout_mask", "hidden": ()}, "needs dropout"),
        ({"bug": "lstm_tanh_twice"}, "needs an LSTM"),
        ({"bug": "relu_masks_by_gradient"}, "needs a relu"),
        ({"tensor": "W3"}, r"tensor shown: tensor must be one of W1, b1, W2, b2, .* got 'W3'"),
    ],
    ids=str,
)
def test_what_the_network_cannot_have_is_an_error_in_words(state, changes, words):
    before = state.result
    state.update(**changes)
    assert re.search(words, state.error)
    assert state.result is before
    state.reset()
    assert state.error == ""


def test_bugs_to_choose_from_are_those_that_the_network_can_have_with_dropout_and_l2(state):
    assert {"missing_l2", "missing_dropout_mask"} < set(state.bug_choices)
    assert not {"relu_masks_by_gradient", "lstm_tanh_twice"} & set(state.bug_choices)
    for bug in state.bug_choices:
        state.bug = bug
        assert state.error == ""


def test_the_tensor_shown_is_the_one_that_is_set_or_the_worst(state):
    errors = {name: state.result.report[name].error for name in state.result.report}
    assert state.result.tensor == max(errors, key=errors.get)
    for name in errors:
        state.tensor = name
        assert state.result.tensor == name


def test_choosing_a_tensor_checks_nothing_again(state):
    before = state.result
    state.tensor = "b2"
    assert state.result.report is before.report
    assert state.result.sweep is before.sweep


def test_a_tensor_that_is_gone_with_its_layer_gives_way_to_the_worst():
    state = LabState(tensor="W3")
    state.hidden = (4,)
    assert (state.error, state.tensor) == ("", "")
    assert state.result.settings == state.settings
