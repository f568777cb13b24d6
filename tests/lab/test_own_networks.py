"""Networks of the caller's that are no MLPs, and MLPs that are special."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import Lab, LabState
from gradlab.lab.model.classes import class_labels, share_right
from gradlab.lab.model.settings import NAMES

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.standard_normal((6, 1, 8, 8)), np.arange(6)
SEQUENCES = RNG.standard_normal((5, 6, 3))


def convnet(**options):
    return gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=6, **options)


def lstm(**options):
    return gl.lstm(3, 4, 6, **options)


CASES = {
    "convnet": lambda **settings: LabState(convnet(), IMAGES, LABELS, **settings),
    "lstm": lambda **settings: LabState(lstm(), SEQUENCES, LABELS, **settings),
}


@pytest.fixture(params=CASES)
def make(request):
    return CASES[request.param]


@pytest.fixture
def state(make):
    return make()


def test_it_is_checked_as_it_was_given(state):
    report = gl.check(state.brought.net, state.brought.x, state.brought.y, eps=1e-5)
    for name in report:
        np.testing.assert_array_equal(state.result.report[name].errors, report[name].errors)
    assert set(state.result.sweep.errors) == set(report)


@pytest.mark.every_case
@pytest.mark.parametrize(
    "change",
    [
        {"eps": 1e-8},
        {"scheme": "forward"},
        {"measure": "norm_ratio"},
        {"dtype": "float32"},
        {"weight_scale": 2.0},
        {"train_steps": 20},
        {"use_l2": True},
        {"bug": "flipped_sign"},
    ],
    ids=str,
)
def test_the_settings_that_make_sense_work(state, change):
    before = {name: state.result.report[name].error for name in state.result.report}
    state.update(**change)
    assert state.error == ""
    assert before != {name: state.result.report[name].error for name in before}


def test_weight_scale_is_a_factor_on_the_weights(state):
    assert state.weight_scale == 1.0
    state.weight_scale = 2.0
    net, given = state.result.net, state.brought.net
    for name in net.params:
        factor = 2 if name in net.weight_names else 1
        np.testing.assert_array_equal(net.params[name], factor * given.params[name])


def test_l2_is_in_both_gradients_or_in_one(state):
    weights = list(state.result.net.weight_names)
    state.update(use_l2=True, l2=1.0)
    assert state.result.net.l2 == 1.0
    assert not state.result.report.wrong
    state.l2_in_gradient = False
    assert state.result.report.wrong == weights


def test_applicable_names_what_can_be_set_and_the_rest_is_refused_in_words(state):
    steps = {"time_steps"} if state.brought.kind == "lstm" else set()
    assert state.applicable == steps | {
        "eps", "scheme", "measure", "dtype", "weight_scale", "train_steps", "tensor",
        "use_l2", "l2", "l2_in_loss", "l2_in_gradient", "bug", "bug_layer", "examples",
        "data_scale", "bias_scale", "second_bug", "method", "entry",
    }  # fmt: skip
    before = state.settings
    other = {"data": "moons", "hidden": (4,), "activation": "relu", "loss": "mse", "seed": 3,
             "use_dropout": True, "dropout_rate": 0.1, "freeze_masks": False}  # fmt: skip
    if not steps:
        other["time_steps"] = 2
    assert set(other) == set(NAMES) - state.applicable
    for name, value in other.items():
        with pytest.raises(ValueError, match=rf"{name} is fixed for the \w+ that was given"):
            setattr(state, name, value)
        with pytest.raises(ValueError, match=rf"{name} is fixed .* eps, .* can be set"):
            state.update(eps=1e-3, **{name: value})
        setattr(state, name, getattr(before, name))  # what it is may be said again
    assert state.settings == before


def test_a_scenario_that_needs_another_network_is_refused_and_one_of_the_step_is_not(make):
    with pytest.raises(ValueError, match=r"activation is fixed for the"):
        make(scenario="kinks")
    state = make(scenario="step_too_small")
    assert (state.eps, state.result.report.verdict) == (1e-12, "inconclusive")
    with pytest.raises(ValueError, match="use_dropout is fixed"):
        state.load_scenario("dropout_redrawn")
    assert state.eps == 1e-12


@pytest.mark.parametrize("kind", CASES)
def test_every_bug_that_it_can_have_can_be_chosen(kind):
    state = CASES[kind]()
    assert ("lstm_tanh_twice" in state.bug_choices) == (kind == "lstm")
    assert ("kernel_not_flipped" in state.bug_choices) == (kind == "convnet")
    for bug in state.bug_choices[1:-1]:
        state.bug = bug
        assert state.error == ""
        seen, net = state.result.report.wrong, state.result.net.replace(l2=0.1)
        assert set(seen) <= set(gl.bugs.wrong_tensors(net, bug))
        assert bool(state.result.dormant) == (bug not in gl.bugs.names(state.result.net))


def test_the_text_names_the_network(state):
    text = " ".join(repr(state).split())
    assert repr(state.brought.net) in text
    assert "your data, 6 examples" in text
    assert "verdict: " in text


def test_an_lstm_with_a_loss_at_every_step():
    net = lstm(every_step=True)
    state = LabState(net, SEQUENCES, RNG.integers(0, 6, (5, 6)), train_steps=10)
    assert state.error == ""
    assert state.result.report.verdict != "wrong"


EACH_STEP = np.arange(30).reshape(5, 6) % 3


@pytest.mark.parametrize(
    ("net", "y", "labels"),
    [
        (gl.mlp([2, 3]), EACH_STEP[0], EACH_STEP[0]),
        (gl.mlp([2, 3], loss="mse"), np.eye(3)[EACH_STEP[0]], EACH_STEP[0]),
        (gl.lstm(2, 3, 3, every_step=True), EACH_STEP, EACH_STEP),
        (gl.lstm(2, 3, 3, loss="mse", every_step=True), np.eye(3)[EACH_STEP], EACH_STEP),
        (gl.mlp([2, 3], loss="mse"), RNG.random((6, 3)), None),
    ],
    ids=["labels", "one-hot", "every step", "one-hot at every step", "numbers"],
)
def test_the_class_of_an_example_is_read_from_any_targets_that_hold_one(net, y, labels):
    found = class_labels(net, y)
    assert found is None if labels is None else np.array_equal(found, labels)


def test_a_network_is_copied_and_never_changed(state):
    theta, x = state.brought.net.theta, state.brought.x.copy()
    state.update(weight_scale=3.0, train_steps=50, dtype="float32", bug="mystery")
    state.eps = 1e-3
    np.testing.assert_array_equal(state.brought.net.theta, theta)
    np.testing.assert_array_equal(state.brought.x, x)


def test_a_network_in_float32_starts_as_float32():
    x, y = gl.data.moons(20)
    for state in (
        LabState(gl.mlp([2, 4, 2], dtype="float32"), x, y),
        LabState(lstm(dtype="float32"), SEQUENCES, LABELS),
    ):
        assert state.dtype == "float32"
        assert state.result.net.dtype == np.float32
        state.dtype = "float64"
        assert state.result.net.params[state.result.tensor].dtype == np.float64
        assert state.result.report.verdict != "wrong"


def test_an_mlp_with_batch_norm_keeps_it():
    x, y = gl.data.moons(20)
    state = LabState(gl.mlp([2, 4, 2], batch_norm=True), x, y)
    assert "gamma1" in state.result.report
    assert "batch_norm_missing_gamma" in state.bug_choices
    state.hidden = (3, 3)
    assert "gamma2" in state.result.report
    assert state.error == ""


def test_a_bug_that_the_caller_planted_is_in_the_gradient_that_is_compared():
    x, y = gl.data.moons(20)
    net = gl.bugs.plant(gl.mlp([2, 4, 2]), "flipped_sign")
    state = LabState(net, x, y)
    assert state.result.report.wrong == ["W1", "b1", "W2", "b2"]
    state.weight_scale = 0.7
    assert state.result.report.wrong == ["W1", "b1", "W2", "b2"]
    state.bug = "bias_mean"
    assert "one at a time" in state.error


def test_only_networks_of_gradlab_are_taken():
    with pytest.raises(TypeError, match=r"net must be a network made by gl.mlp, gl.convnet or"):
        LabState(object(), IMAGES, LABELS)


def test_the_weight_scales_tooltip_says_which_scale_it_is(state):
    given = Lab(state.brought.net, state.brought.x, state.brought.y)
    for lab, words in ((given, "times this factor"), (Lab(hidden=(2,)), "standard deviation")):
        assert words in lab.controls["weight_scale"].tooltip
        lab.close()


def test_labels_of_a_yes_or_no_may_be_whole_numbers():
    x, y = gl.data.moons(8)
    net = gl.mlp([2, 3, 1], loss="binary_cross_entropy")
    state = LabState(net, x, y)
    assert state.error == ""
    assert state.result.report.verdict == "correct"
    assert share_right(net, x, y) == ((net.predict(x)[:, 0] > 0) == y).mean()


def test_targets_that_are_no_classes_have_no_share_that_is_right():
    x = np.random.default_rng(0).standard_normal((8, 2))
    assert np.isnan(share_right(gl.mlp([2, 3, 1], loss="mse"), x, x[:, :1]))
