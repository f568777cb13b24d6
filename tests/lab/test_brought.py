"""What a caller may bring: the ends of what the lab takes, and what its settings say of it."""

from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState, Settings
from gradlab.lab.model import budget, training
from gradlab.lab.model import result as result_module
from gradlab.lab.model import training_beside as beside_module
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.planted import planted_in
from gradlab.lab.model.problem import pose
from gradlab.lab.model.remedy import _helps
from gradlab.lab.model.result import SWEEP_EPS, compute
from gradlab.lab.model.training import Trainer

X, Y = gl.data.moons(12)


def brought(net, x=X, y=Y):
    return OwnNetwork.check(net, x, y)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("options", "taken"),
    [
        ({"l2": 1e-6}, True), ({"l2": 0.9e-6}, False), ({"l2": 1e5}, True), ({"l2": 1.1e5}, False),
        ({"dropout_rate": 0.9}, True), ({"dropout_rate": 0.91}, False), ({}, True),
    ],
    ids=str,
)  # fmt: skip
def test_a_number_with_a_slider_lies_on_it_or_is_refused(options, taken):
    net = gl.mlp([2, 3, 2], **options)
    if taken:
        made = brought(net).settings()
        for name, value in options.items():
            assert getattr(made, name) == value
            assert getattr(made, f"use_{name.removesuffix('_rate')}")
        assert options or not (made.use_l2 or made.use_dropout)
        return
    with pytest.raises(ValueError, match=rf"net\.{next(iter(options))} must be 0 or in"):
        brought(net)


@pytest.mark.parametrize(
    ("hidden", "taken"),
    [([64], True), ([65], False), ([3] * 8, True), ([3] * 9, False), ([], True)],
)
def test_layers_and_widths_are_those_that_the_lab_can_show(hidden, taken):
    net = gl.mlp([2, *hidden, 2])
    if taken:
        assert brought(net).settings().hidden == tuple(hidden)
        return
    with pytest.raises(ValueError, match="net must have at most 8 hidden layers of at most 64"):
        brought(net)


def test_without_hidden_layers_the_activation_is_the_default_and_not_that_of_anything():
    made = brought(gl.mlp([2, 2])).settings()
    assert (made.hidden, made.activation) == ((), Settings().activation)
    assert (made.dropout_rate, made.l2) == (Settings().dropout_rate, Settings().l2)


def test_of_many_examples_the_first_200_are_taken():
    x, y = gl.data.moons(250)
    state = LabState(gl.mlp([2, 3, 2]), x, y)
    assert state.examples == 200
    np.testing.assert_array_equal(state.result.x, x[:200])
    few = LabState(gl.mlp([2, 3, 2]), X, Y, examples=7)
    np.testing.assert_array_equal(few.result.x, X[:7])
    np.testing.assert_array_equal(few.result.y, Y[:7])


@pytest.mark.parametrize("every_step", [True, False])
def test_of_sequences_the_first_steps_are_taken_with_their_targets(every_step):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5, 6, 3))
    y = rng.integers(0, 2, (5, 6)) if every_step else np.arange(6) % 2
    made = OwnNetwork.check(gl.lstm(3, 4, 2, every_step=every_step), x, y)
    for steps, taken in ((0, 5), (2, 2), (9, 5)):
        cut, targets = made.first(made.settings().replace(time_steps=steps))
        np.testing.assert_array_equal(cut, x[:taken])
        np.testing.assert_array_equal(targets, y[:taken] if every_step else y)


@pytest.mark.parametrize(("scale", "shown"), [(0.0, 1.0), (1e3, 100.0), (1e-6, 1e-4)])
def test_weights_beyond_the_slider_are_at_its_end(scale, shown):
    net = gl.mlp([2, 8, 2])
    for name in net.weight_names:
        net.params[name] *= scale / 0.5
    made = brought(net)
    assert made.weight_scale == pytest.approx(shown, rel=1e-9)
    for name in net.weight_names:
        np.testing.assert_array_equal(made.scaled(made.settings()).params[name], net.params[name])


@pytest.mark.parametrize("method", ["full", "sampled"])
def test_a_function_is_taken_where_it_is_finite_and_its_gradient_fits(method):
    calls = []

    def grad(theta):
        calls.append(theta)
        return 2 * theta

    state = LabState(lambda t: float(t @ t), grad, np.ones(30), method=method)
    assert state.result.report["theta"].analytic.size == (30 if method == "full" else 20)
    with pytest.raises(ValueError, match=r"f\(theta\) must be finite"):
        LabState(lambda t: float("inf"), grad, np.ones(3))


# -- the same draws in every version: a line that was shared shows the same ----------------------


def test_biases_and_masks_have_streams_of_their_own():
    settings = Settings(hidden=(5,), bias_scale=0.5, use_dropout=True, seed=3)
    problem = pose(settings)
    first = np.random.default_rng((3, 2)).standard_normal((1, 5))
    np.testing.assert_allclose(problem.net.params["b1"].ravel(), 0.5 * first.ravel())
    expected = problem.net.draw_masks(30, np.random.default_rng((3, 1)))
    for mask, own in zip(problem.masks(settings), expected, strict=True):
        np.testing.assert_array_equal(mask, own)


def test_a_round_step_is_on_the_curve_as_it_is_written():
    for power in range(-13, 0):
        assert float(f"1e{power}") in SWEEP_EPS
    assert len(SWEEP_EPS) == 61
    np.testing.assert_allclose(np.diff(np.log10(SWEEP_EPS)), 0.2, rtol=1e-9)


def test_what_a_check_took_is_told_in_milliseconds(monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr(
        result_module, "time", SimpleNamespace(perf_counter=lambda: 0.25 * next(ticks))
    )
    assert compute(Settings(hidden=(2,))).cost.milliseconds == 250.0


def test_blind_spots_are_known_once_they_were_looked_for():
    state = LabState(hidden=(4,))
    state.hold("weight_scale")
    state.weight_scale = 0.7
    assert state.result.held
    assert not state.result.knows_blind_spots
    assert state.result.report.caveats is not None  # which looks for them
    assert state.result.knows_blind_spots
    function = LabState(lambda t: float(t @ t), lambda t: 2 * t, np.ones(2))
    function.hold("eps")
    function.eps = 1e-6
    assert function.result.knows_blind_spots


# -- training ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hidden", "every"), [((4,), 1), ((64, 64), 5)])
def test_of_a_training_at_most_four_megabytes_of_the_way_are_kept(hidden, every):
    settings = Settings(hidden=hidden, train_steps=20)
    problem, trainer = pose(settings.replace(train_steps=0)), Trainer()
    trainer(problem.net, problem.x, problem.y, settings)
    (kept,) = trainer._known.values()
    assert list(kept.thetas) == list(range(0, 21, every))
    bytes_of_all = 500 / every * problem.net.theta.nbytes
    assert bytes_of_all <= 4 << 20
    assert every == 1 or 500 / (every - 1) * problem.net.theta.nbytes > 4 << 20


def test_the_first_rate_at_which_the_loss_does_not_rise_is_taken():
    settings = Settings(hidden=(4,), train_steps=20)
    problem = pose(settings.replace(train_steps=0))
    trainer = Trainer()
    trainer(problem.net, problem.x, problem.y, settings)
    (one,) = trainer._known.values()
    assert one._how == (0.1, 0)
    assert tuple(10.0**-k for k in range(1, 7)) == training.LEARNING_RATES
    assert budget.count(problem.net, problem.x) == 30


@pytest.mark.parametrize("name", gl.data.DATASETS)
def test_the_examples_of_a_data_set_are_those_that_it_has(name):
    x, y = gl.data.load(name, 30)
    problem = pose(Settings(data=name, hidden=(2,)))
    count = len(problem.x)
    if name in ("moons", "spirals"):
        np.testing.assert_array_equal(problem.x, x[:count])
        more, labels = gl.data.load(name, 170, seed=1)
        x, y = np.concatenate([x, more]), np.concatenate([y, labels])
    else:
        x, y = (values[:200] for values in gl.data.load(name))
    every = pose(Settings(data=name, hidden=(2,), examples=200))
    np.testing.assert_array_equal(every.x, x[: len(every.x)])
    np.testing.assert_array_equal(every.y, y[: len(every.x)])


def test_activations_that_differ_are_kept_for_other_weights():
    net = gl.mlp([2, 3, 3, 2], ["relu", "tanh"])
    state = LabState(net, X, Y, seed=5)
    assert (state.error, state.activation) == ("", "as given")
    assert state.result.net.activations == ("relu", "tanh")
    assert not np.array_equal(state.result.net.theta, net.theta)


def test_a_hidden_bug_that_a_network_cannot_have_is_refused_with_a_way_on():
    secret = LabState(hidden=(4,), bug="mystery").mystery.secret
    other = pose(Settings(hidden=(4, 4))).in_gradient
    settings = Settings(bug="mystery")
    if secret.fits(other):
        assert planted_in(other, settings, secret).net.backward_pass is not None
    elsewhere = SimpleNamespace(fits=lambda net: False)
    with pytest.raises(ValueError, match="go back, or start a new round"):
        planted_in(other, settings, elsewhere)
    assert planted_in(other, settings).net is other


def test_a_setting_that_does_not_go_with_the_others_is_no_remedy():
    def refuses(settings):
        raise ValueError("planted")

    result = SimpleNamespace(settings=Settings(), anew=refuses)
    assert not _helps(result, {"seed": 1}, frozenset())


# -- a training that overflows -------------------------------------------------------------------


def trained(monkeypatch, losses, error=None):
    """Return the run of a training that comes past these losses, and perhaps raises."""
    left = iter(losses)
    net = SimpleNamespace(theta=None, copy=lambda: None)
    problem = SimpleNamespace(
        net=SimpleNamespace(loss_function=lambda x, y: lambda theta: next(left)), x=None, y=None
    )

    def train(trained, x, y, *, after_step, **more):
        for step in range(len(losses) - 1):
            after_step(step, SimpleNamespace(theta=None))
        if error:
            raise error

    monkeypatch.setattr(beside_module, "train", train)
    monkeypatch.setattr(beside_module, "share_right", lambda *of: 0.5)
    return beside_module._run(net, problem, 9, 0.1, 0)


def test_a_run_ends_before_the_first_loss_that_is_not_finite(monkeypatch):
    run = trained(monkeypatch, [3.0, 2.0, np.inf, 1.0])
    assert (run.losses.tolist(), run.finished, run.right) == ([3.0, 2.0], False, 0.5)
    run = trained(monkeypatch, [3.0, 2.0, 1.0])
    assert (run.losses.tolist(), run.finished) == ([3.0, 2.0, 1.0], True)


def test_a_training_that_overflows_is_a_run_and_any_other_error_is_one(monkeypatch):
    run = trained(monkeypatch, [3.0, 2.0], ValueError("learning_rate 0.1 is too large"))
    assert (run.losses.tolist(), run.finished) == ([3.0, 2.0], False)
    with pytest.raises(ValueError, match="planted"):
        trained(monkeypatch, [3.0], ValueError("planted"))
