"""Every row of the lab's table of controls: set it, see what it does to the result.

`test_result.py` has the effects on what is kept from one result to the next.
"""

import re

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState
from gradlab.lab.model.settings import NAMES


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


# -- each setting changes what it should, and nothing else ---------------------------------------

CHECK = {"numerical", "sweep"}
BOTH = CHECK | {"loss", "analytic"}
#: For each setting a base, another value, and what it changes of the base's result.
EFFECTS = {
    "data": ({}, "spirals", BOTH | {"x", "y", "weights", "biases"}),
    "hidden": ({}, (5,), BOTH | {"weights", "biases"}),
    "activation": ({}, "relu", BOTH),
    "loss": ({}, "mse", BOTH | {"y"}),
    "seed": ({}, 1, BOTH | {"weights"}),
    "weight_scale": ({}, 0.7, BOTH | {"weights"}),
    "eps": ({}, 1e-4, {"numerical"}),
    "scheme": ({}, "forward", CHECK),
    "measure": ({}, "norm_ratio", {"sweep"}),
    "use_dropout": ({}, True, BOTH),
    "dropout_rate": ({"use_dropout": True}, 0.2, BOTH),
    "freeze_masks": ({"use_dropout": True}, False, BOTH),
    "use_l2": ({"l2": 0.1, "use_l2": False}, True, BOTH),
    "l2": ({"use_l2": True}, 0.1, BOTH),
    "l2_in_loss": ({"l2": 0.1}, False, CHECK | {"loss"}),
    "l2_in_gradient": ({"l2": 0.1}, False, {"analytic", "sweep"}),
    "dtype": ({}, "float32", BOTH | {"weights", "biases"}),
    "train_steps": ({}, 10, BOTH | {"weights", "biases"}),
    "bug": ({}, "flipped_sign", {"analytic", "sweep"}),
    "bug_layer": ({"bug": "missing_activation_derivative", "hidden": (4, 4)}, 1,
                  {"analytic", "sweep"}),
    "second_bug": ({"bug": "missing_activation_derivative"}, "bias_mean", {"analytic", "sweep"}),
    "tensor": ({}, "b1", {"looked at"}),
    "entry": ({}, 3, {"looked at"}),
    "examples": ({}, 29, BOTH | {"x", "y"}),
    "time_steps": ("lstm", 2, BOTH | {"x"}),
    "data_scale": ({}, 2.0, BOTH | {"x"}),
    "bias_scale": ({}, 1.0, BOTH | {"biases"}),
    "method": ({}, "sampled", CHECK),
}  # fmt: skip


def parts(result):
    """Return all that is computed, as bytes, by what it is."""
    net, problem = result.net, result.problem
    weights = [net.params[name] for name in net.weight_names]
    biases = [value for name, value in net.params.items() if name not in net.weight_names]
    masks = problem.masks(result.settings)
    if result.settings.use_dropout and not result.settings.freeze_masks:
        masks = np.random.default_rng(0)
    arrays = {
        "x": [result.x],
        "y": [result.y],
        "weights": weights,
        "biases": biases,
        "loss": [net.loss(result.x, result.y, masks)],
        "analytic": result.analytic.values(),
        "numerical": [tensor.numerical for tensor in result.report.tensors.values()],
        "sweep": result.sweep.errors.values(),
        "looked at": [result.tensor == "W1", result.entry],
    }
    return {name: [np.asarray(v).tobytes() for v in values] for name, values in arrays.items()}


def base_of(effects):
    if effects == "lstm":
        x = np.random.default_rng(0).standard_normal((5, 6, 3))
        return LabState(gl.lstm(3, 4, 6), x, np.arange(6), tensor="Wx_i", entry=0)
    return LabState(**{"hidden": (24,), "tensor": "W1", "entry": 0} | effects)


def test_the_table_of_effects_has_every_setting():
    assert set(EFFECTS) == set(NAMES)


@pytest.mark.every_case
@pytest.mark.parametrize("name", EFFECTS)
def test_a_setting_changes_what_it_should_and_nothing_else(name):
    base, value, expected = EFFECTS[name]
    state = base_of(base)
    before = parts(state.result)
    setattr(state, name, value)
    assert state.error == ""
    after = parts(state.result)
    assert {part for part in after if after[part] != before[part]} == expected
    state.undo()
    state.refine()
    assert parts(state.result) == before, "undone"


# -- examples, time steps, scales ----------------------------------------------------------------


@pytest.mark.parametrize("data", gl.data.DATASETS)
def test_more_examples_come_after_those_that_are_there(data):
    state = LabState(hidden=(2,), data=data)
    small, labels = state.result.x, state.result.y
    for count in (1, 7, 30, 31, 200):
        state.examples = count
        assert state.error == ""
        shared = min(count, 30)
        np.testing.assert_array_equal(state.result.x[:shared], small[:shared])
        np.testing.assert_array_equal(state.result.y[:shared], labels[:shared])
        assert state.result.net.outputs == LabState(hidden=(2,), data=data).result.net.outputs
    assert len(state.result.x) == min(200, 150 if data == "iris" else 200)
    assert len(np.unique(state.result.x, axis=0)) >= len(state.result.x) - 2


@pytest.mark.parametrize("name", ["bias_scale", "weight_scale"])
def test_a_scale_scales_the_same_draws(name):
    one, three = (LabState(hidden=(4,), **{name: scale}).result.net for scale in (1.0, 3.0))
    for tensor in one.params:
        factor = 3 if (name == "weight_scale") == (tensor in one.weight_names) else 1
        np.testing.assert_allclose(three.params[tensor], factor * one.params[tensor], rtol=1e-12)


def test_biases_have_the_spread_that_is_set():
    net = LabState(hidden=(64, 64), bias_scale=2.0).result.net
    drawn = np.concatenate([net.params["b1"], net.params["b2"]])
    assert np.std(drawn) == pytest.approx(2.0, rel=0.2)


def test_of_a_given_network_the_biases_get_the_draws_added():
    x, y = gl.data.moons(20)
    net = gl.mlp([2, 4, 2])
    net.params["b1"][...] = 5.0
    state = LabState(net, x, y)
    np.testing.assert_array_equal(state.result.net.params["b1"], 5.0)
    state.bias_scale = 0.1
    assert np.abs(state.result.net.params["b1"] - 5.0).max() < 1.0
    np.testing.assert_array_equal(state.brought.net.params["b1"], 5.0)
    state.bias_scale = 0
    np.testing.assert_array_equal(state.result.net.params["b1"], 5.0)


# -- methods -------------------------------------------------------------------------------------


def test_some_entries_or_some_directions_stand_for_all():
    state = LabState(hidden=(24,), method="sampled")
    report = state.result.report
    assert [t.analytic.size for t in report.tensors.values()] == [20, 20, 20, 2]
    state.method = "directional"
    assert list(state.result.report) == list(state.result.sweep.errors) == ["theta"]
    assert state.result.report["theta"].directional
    assert state.result.report.verdict == "correct"
    assert state.result.tensor == "theta"


def test_directions_see_a_bug_and_their_sweep_is_the_check_at_every_step():
    state = LabState(hidden=(4,), method="directional", bug="bias_mean")
    assert state.result.report.verdict == "wrong"
    state.bug = "none"
    state.refine()
    sweep = state.result.sweep
    for k in (10, 30, 50):
        state.eps = float(sweep.eps[k])
        assert sweep.errors["theta"][k] == pytest.approx(state.result.report.error, rel=0.5)
        assert state.result.sweep is sweep


def test_directions_are_central_differences_and_say_so():
    state = LabState(hidden=(4,), method="directional")
    state.scheme = "forward"
    assert "method 'directional' takes central differences" in state.error
    state.method = "full"
    assert state.error == ""


def test_a_tensor_or_entry_that_a_method_has_not_gives_way():
    state = LabState(hidden=(4,), tensor="W1", entry=7)
    state.method = "directional"
    assert (state.error, state.tensor, state.entry) == ("", "", 7)
    state.update(method="full", tensor="b2")
    assert (state.error, state.tensor, state.entry) == ("", "b2", -1)


# -- the entry that is looked at -----------------------------------------------------------------


def test_the_entry_is_the_one_that_is_set_or_the_worst():
    state = LabState(hidden=(4,), tensor="W2", bug="flipped_sign")
    errors = state.result.report["W2"].errors
    assert errors.ravel()[state.result.entry] == errors.max()
    state.update(bug="none", eps=1e-4)
    errors = state.result.report["W2"].errors
    assert state.result.entry == errors.argmax() != 0
    for entry in (0, 5, 7):
        state.entry = entry
        assert state.result.entry == entry
        assert state.result.weight.name == f"W2[{entry // 2}, {entry % 2}]"
    state.update(method="sampled", hidden=(24,), entry=-1)
    shown = state.result.report["W2"]
    assert state.result.entry == shown.entries[np.argmax(shown.errors)]


def test_an_entry_that_is_not_there_is_refused_and_gives_way_where_the_tensor_changes():
    state = LabState(hidden=(4,), tensor="W1")
    state.entry = 8
    assert state.error.startswith("entry must be from 0 to 7 for W1")
    state.entry = 7
    assert state.error == ""
    state.tensor = "b2"
    assert (state.error, state.entry) == ("", -1)


# -- bugs that cannot show, and two at once ------------------------------------------------------

DROPOUT = [name for name in gl.bugs.names() if "dropout" in name]
OF_L2 = [name for name in gl.bugs.names() if name.endswith("l2") or name.startswith("l2")]


@pytest.mark.parametrize("bug", DROPOUT)
def test_a_bug_of_dropout_is_planted_and_shows_nothing_while_that_is_off(bug):
    state = LabState(hidden=(6,), bug=bug)
    assert (state.error, state.result.dormant) == ("", "dropout is off")
    assert state.result.report.verdict == "correct"
    assert state.result.problem.analytic.keys() == state.result.net.params.keys()
    state.use_dropout = True
    assert (state.result.dormant, state.result.report.verdict) == ("", "wrong")
    state.dropout_rate = 0.0
    assert state.result.dormant == "the dropout rate is 0"
    assert state.result.report.verdict == "correct"


@pytest.mark.parametrize("bug", OF_L2)
def test_a_bug_of_l2_is_planted_and_shows_nothing_while_that_is_off(bug):
    state = LabState(hidden=(6,), bug=bug, bias_scale=1.0, l2=0.1, use_l2=False)
    assert (state.error, state.result.dormant) == ("", "L2 is off")
    assert state.result.report.verdict == "correct"
    state.use_l2 = True
    assert (state.error, state.result.dormant, state.result.report.verdict) == ("", "", "wrong")
    state.l2_in_gradient = False
    assert state.result.dormant == "L2 is not in the analytic gradient"


def test_two_bugs_do_what_each_does_where_they_do_not_meet():
    right, one, two, both = (
        LabState(hidden=(6, 6), bug=bug, second_bug=second).result.analytic
        for bug, second in (("none", "none"), ("missing_activation_derivative", "none"),
                            ("bias_mean", "none"), ("missing_activation_derivative", "bias_mean"))
    )  # fmt: skip
    np.testing.assert_array_equal(both["W1"], one["W1"])
    np.testing.assert_array_equal(both["b3"], two["b3"])
    assert not np.array_equal(one["W1"], right["W1"])
    assert not np.array_equal(two["b3"], right["b3"])


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_every_pair_of_bugs_is_planted_or_refused_by_name(every):
    state = LabState(hidden=(3, 3), activation="tanh", l2=0.1, dropout_rate=0.3, examples=5,
                     bias_scale=0.5)  # fmt: skip
    names, refused, pairs = state.bug_choices[1:-1], 0, 0
    for k, bug in enumerate(names):
        for second in names[k::every]:
            pairs += 1
            state.update(bug=bug, second_bug=second)
            if state.error:
                refused += 1
                assert repr(second) in state.error or repr(bug) in state.error
                assert "second_bug" in state.error
            else:
                assert state.result.net.reveal() is None
    assert len(names) <= refused < pairs / 2


def test_a_second_bug_alone_or_beside_a_mystery_is_none():
    state = LabState(hidden=(4,), second_bug="flipped_sign")
    assert state.result.report.verdict == "correct"
    assert "flipped_sign" not in repr(state)
    alone = LabState(hidden=(4,), bug="mystery")
    state.bug = "mystery"
    assert state.mystery.tensors == alone.mystery.tensors
    np.testing.assert_array_equal(state.result.analytic["W1"], alone.result.analytic["W1"])


def test_of_two_bugs_one_that_shows_is_enough():
    state = LabState(hidden=(4,), bug="missing_l2", second_bug="missing_dropout_mask")
    assert state.result.dormant == "L2 is off"
    state.use_dropout = True
    assert (state.result.dormant, state.result.report.verdict) == ("", "wrong")


# -- in the text, only where it was moved --------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data_scale": 2.0}, "x times 2"),
        ({"bias_scale": 0.5}, "bias scale 0.5"),
        ({"bug": "bias_mean", "second_bug": "flipped_sign"}, "bug bias_mean and flipped_sign"),
        ({"method": "directional"}, "20 random directions"),
        ({"method": "sampled"}, "up to 20 entries of each tensor"),
        ({"examples": 12}, "12 examples"),
    ],
    ids=str,
)
def test_a_new_setting_is_told_where_it_differs(change, words):
    assert words not in repr(LabState(hidden=(4,)))
    assert words in repr(LabState(hidden=(4,), **change))
