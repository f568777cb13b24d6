import ast
import threading
from pathlib import Path

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState, Settings
from gradlab.lab import state as state_module
from gradlab.lab.model.settings import NAMES


@pytest.fixture
def state():
    return LabState(hidden=(4,))


def test_it_starts_with_a_result_for_the_defaults():
    state = LabState()
    assert state.settings == Settings()
    assert state.result.settings == Settings()
    assert state.error == ""


LAB = Path(state_module.__file__).parent
MODEL = [
    LAB / "state.py",
    *(p for room in ("model", "text", "mystery") for p in (LAB / room).glob("*.py")),
]
MODEL.remove(LAB / "mystery" / "view.py")


@pytest.mark.parametrize("path", MODEL, ids=lambda path: path.stem)
def test_the_model_imports_no_widgets(path):
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        names = [alias.name for alias in getattr(node, "names", [])]
        assert not any(n.startswith(("ipywidgets", "IPython")) for n in names)
        assert not (getattr(node, "module", None) or "").startswith(("ipywidgets", "IPython"))


CHANGES = {
    "data": "iris",
    "hidden": (3, 3),
    "activation": "relu",
    "loss": "mse",
    "seed": 5,
    "weight_scale": 2.0,
    "eps": 1e-9,
    "scheme": "forward",
    "measure": "norm_ratio",
    "use_dropout": True,
    "dropout_rate": 0.2,
    "freeze_masks": False,
    "use_l2": True,
    "l2": 10.0,
    "l2_in_loss": False,
    "l2_in_gradient": False,
    "dtype": "float32",
    "train_steps": 20,
    "bug": "flipped_sign",
    "bug_layer": 1,
    "tensor": "b2",
    "examples": 12,
    "data_scale": 2.0,
    "bias_scale": 1.0,
    "second_bug": "flipped_sign",
    "method": "directional",
    "entry": 1,
}


def test_the_table_of_changes_has_every_setting():
    assert set(CHANGES) | {"time_steps"} == set(NAMES)  # that one is of a given LSTM


@pytest.mark.every_case
@pytest.mark.parametrize("name", CHANGES)
def test_every_setting_changes_what_is_shown_with_one_computation(name):
    planted = "bias_mean" if name in ("bug_layer", "second_bug") else "none"
    state = LabState(hidden=(4,), use_dropout=name in ("dropout_rate", "freeze_masks"),
                     use_l2=name.startswith("l2"), bug=planted)  # fmt: skip
    before, computed, revision = state.result, state.computed, state.revision
    setattr(state, name, CHANGES[name])
    assert (state.computed, state.revision) == (computed + 1, revision + 1)
    assert getattr(state.result.settings, name) == CHANGES[name]
    assert shown(state.result) != shown(before)


def shown(result):
    tensors = result.report.tensors.items()
    return result.tensor, result.entry, [(n, t.error, t.errors.tolist()) for n, t in tensors]


def test_setting_the_same_value_computes_nothing(state):
    computed = state.computed
    state.eps = state.eps
    state.update(eps=state.eps, hidden=[4])
    assert state.computed == computed


def test_several_settings_at_once_make_one_computation(state):
    computed = state.computed
    state.update(eps=1e-4, scheme="forward", use_l2=True)
    assert state.computed == computed + 1
    assert state.result.settings == state.settings


def test_a_bad_value_changes_nothing(state):
    before = state.settings
    with pytest.raises(ValueError, match="eps must be a finite number in"):
        state.eps = -1.0
    with pytest.raises(ValueError, match="did you mean 'eps'"):
        state.update(scheme="forward", epsilon=1)
    with pytest.raises(TypeError, match="hidden must be a sequence"):
        state.update(scheme="forward", hidden=3)
    assert state.settings == before
    assert state.error == ""


def test_moving_the_step_does_not_sweep_again(state, monkeypatch):
    monkeypatch.setattr(gl, "sweep_eps", None)  # would raise, and so become an error
    state.eps = 1e-3
    assert state.error == ""
    state.weight_scale = 1.0
    assert "'NoneType' object is not callable" in state.error


def test_a_failed_computation_names_the_control_and_the_next_one_works(state, monkeypatch):
    good, revision = state.result, state.revision

    def broken(*args, **kwargs):
        raise FloatingPointError("planted")

    with monkeypatch.context() as patched:
        patched.setattr(state_module, "compute", broken)
        state.weight_scale = 3.0
    assert state.error == "weight scale: planted"
    assert state.result is good
    assert state.revision == revision + 1
    state.eps = 1e-4
    assert state.error == ""
    assert state.result.settings.weight_scale == 3.0


def test_refining_finishes_what_a_drag_left_coarse():
    state = LabState()
    state.weight_scale = 0.7
    coarse = len(state.result.sweep.eps)
    assert state.refine()
    assert len(state.result.sweep.eps) > coarse
    assert not state.refine()


@pytest.mark.parametrize(
    "act",
    [
        lambda state: state.reset(),
        lambda state: state.undo(),
        lambda state: state.load_scenario("float32"),
        lambda state: state.load_line("gl.Lab(seed=3)"),
        lambda state: state.new_mystery(),
        lambda state: state.update(seed=5, eps=1e-3),
    ],
)
def test_whatever_changes_all_is_answered_roughly_and_refined_at_rest(act):
    state = LabState(weight_scale=0.6)
    state.weight_scale = 0.7
    state.refine()
    act(state)
    assert state.error == ""
    assert state.result.rough
    assert state.refine()
    assert not state.result.rough


def test_reset_returns_to_where_the_lab_started():
    state = LabState(eps=1e-7, activation="relu")
    start = state.settings
    state.update(eps=1e-2, hidden=(2, 2, 2), data="digits")
    state.reset()
    assert state.settings == state.result.settings == start


def test_a_network_of_the_callers_is_shown_as_it_is():
    x, y = gl.data.moons(20)
    net = gl.mlp([2, 5, 2], "sigmoid", l2=0.1, dropout_rate=0.25, seed=3)
    net.params["b1"][...] = 0.5
    state = LabState(net, x, y)
    s = state.settings
    assert (s.data, s.hidden, s.activation, s.seed) == ("yours", (5,), "sigmoid", 3)
    assert (s.use_l2, s.l2, s.use_dropout, s.dropout_rate) == (True, 0.1, True, 0.25)
    for name, value in net.params.items():
        np.testing.assert_array_equal(state.result.net.params[name], value)


def test_a_network_of_the_callers_is_copied_and_never_changed():
    x, y = gl.data.moons(20)
    net = gl.mlp([2, 5, 2])
    theta = net.theta
    state = LabState(net, x, y)
    shown_before = shown(state.result)
    state.update(weight_scale=1.0, eps=1e-3)
    np.testing.assert_array_equal(net.theta, theta)
    net.params["W1"][...] = 0
    x[...] = 0
    state.reset()
    assert shown(state.result) == shown_before


def test_weight_scale_keeps_the_proportions_of_a_network_of_the_callers():
    x, y = gl.data.moons(20)
    net = gl.mlp([2, 5, 2], weight_scale=0.5)
    net.params["b1"][...] = 0.3
    state = LabState(net, x, y, weight_scale=5.0)
    np.testing.assert_allclose(state.result.net.params["W1"], 10 * net.params["W1"])
    np.testing.assert_array_equal(state.result.net.params["b1"], net.params["b1"])


def test_different_activations_are_kept_until_the_layers_change():
    x, y = gl.data.moons(20)
    state = LabState(gl.mlp([2, 4, 4, 2], ["relu", "tanh"]), x, y)
    assert state.activation == "as given"
    assert state.result.net.activations == ("relu", "tanh")
    state.hidden = (4,)
    assert state.error.startswith("hidden layers: activation is 'as given'")
    state.activation = "tanh"
    assert state.error == ""


def test_one_output_and_real_targets():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    state = LabState(gl.mlp([3, 4, 1], loss="mse"), x, y)
    assert state.result.report.verdict == "correct"
    state.loss = "softmax_cross_entropy"
    assert state.error.startswith("loss: y must")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"net": gl.mlp([2, 3, 2])}, TypeError, "x and y must come with net"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(3, int)}, TypeError, "net must come with x and y"),
        ({"net": "net", "x": 1, "y": 2}, TypeError, "net must be a network made by gl.mlp"),
        ({"net": gl.mlp([2, 65, 2]), "x": 1, "y": 2}, ValueError, "net must have at most"),
        (
            {"net": gl.mlp([2, 3, 2]), "x": np.zeros((3, 5)), "y": np.zeros(3, int)},
            ValueError,
            r"x must have shape \(any, 2\)",
        ),
        (
            {"net": gl.mlp([2, 3, 2]), "x": np.zeros((3, 2)), "y": np.zeros(4, int)},
            ValueError,
            "y must hold one label",
        ),
        ({"epsilon": 1e-5}, ValueError, "did you mean 'eps'"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        LabState(**arguments)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((float, np.cos, None), "grad and theta must come with f"),
        ((float, None, np.ones(2)), "grad and theta must come with f"),
        ((None, np.ones(2), None), "net must come with x and y"),
        ((None, None, np.ones(2)), "net must come with x and y"),
        ((gl.mlp([2, 3, 2]), np.ones((3, 2)), None), "x and y must come with net"),
        ((gl.mlp([2, 3, 2]), None, np.ones(3)), "x and y must come with net"),
    ],
)
def test_what_belongs_together_comes_together(arguments, words):
    with pytest.raises(TypeError, match=words):
        LabState(*arguments)


def test_a_setting_that_means_nothing_is_refused_with_what_it_is_fixed_for():
    with pytest.raises(ValueError, match="time_steps is fixed for the MLP that"):
        LabState(time_steps=2)


@pytest.mark.parametrize("count", [0, 3])
def test_a_round_has_one_wrong_line_or_two(state, count):
    with pytest.raises(ValueError, match="count must be"):
        state.new_mystery(count=count)
    assert state.mystery is None


def test_after_a_round_of_two_the_lab_starts_one_of_one():
    state = LabState(hidden=(4, 4))
    assert state.new_mystery(count=2).count == 2
    state.hidden = (4,)
    assert state.mystery.count == 1


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        ((), ValueError("planted"), "planted"),
        (("eps",), ValueError("planted"), "step eps: planted"),
        (("eps", "l2"), ValueError("planted"), "step eps and λ of L2: planted"),
        (("bug",), ValueError("bug 'x' needs y"), "bug 'x' needs y"),
        (("bug",), ValueError("bugs do not fit"), "bug: bugs do not fit"),
        (("elsewhere",), ZeroDivisionError(), "elsewhere: ZeroDivisionError"),
    ],
)
def test_an_error_names_its_controls_once(state, names, error, words):
    revision = state.revision
    state.fail(names, error)
    assert (state.error, state.revision) == (words, revision + 1)


def test_what_failed_is_not_refined():
    state = LabState()
    state.weight_scale = 0.7
    assert state.result.rough
    state.fail((), ValueError("planted"))
    computed = state.computed
    assert not state.refine()
    assert state.computed == computed


def test_giving_a_rate_switches_its_term_on():
    state = LabState(l2=0.1, dropout_rate=0.3)
    assert state.use_l2
    assert state.use_dropout
    assert not LabState(l2=0.1, use_l2=False).use_l2


def test_yours_without_data_is_an_error_in_words():
    state = LabState()
    state.data = "yours"
    assert "made without x and y" in state.error


def test_threads_that_set_at_once_leave_settings_and_result_agreeing():
    state = LabState(hidden=(4,))
    failures = []

    def drag(name, values):
        try:
            for value in values:
                setattr(state, name, float(value))
        except Exception as error:
            failures.append(error)

    jobs = [("eps", np.logspace(-9, -3, 60)), ("weight_scale", np.logspace(-1, 1, 60))]
    threads = [threading.Thread(target=drag, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert state.error == ""
    assert state.result.settings == state.settings
    assert state.settings.eps == 1e-3
    assert state.settings.weight_scale == 10.0
