import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import Lab, LabState
from gradlab.lab.model import training as warm_up
from gradlab.lab.model.training import Trainer

SMALL = {"hidden": (4,)}


@pytest.fixture
def state():
    return LabState(**SMALL)


def trained(state):
    return state._trainer.trained


def parameters(state):
    return state.result.net.theta


def test_it_is_what_gl_train_does(state):
    net, result = state.result.net.copy(), state.result
    state.train_steps = 37
    gl.train(net, result.x, result.y, steps=37, seed=0, progress=False)
    np.testing.assert_array_equal(parameters(state), net.theta)


def test_it_follows_the_seed_and_nothing_else():
    first, again, other = (LabState(**SMALL, train_steps=50, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(parameters(first), parameters(again))
    assert not np.array_equal(parameters(first), parameters(other))


def test_the_way_there_and_the_number_of_steps_do_not_matter(state):
    straight = LabState(**SMALL, train_steps=300)
    for steps in (10, 500, 1, 300):
        state.train_steps = steps
    np.testing.assert_array_equal(parameters(state), parameters(straight))
    assert trained(state) == 1


def test_back_to_0_and_again_is_free(state):
    start = parameters(state)
    state.train_steps = 300
    far = parameters(state)
    state.train_steps = 0
    np.testing.assert_array_equal(parameters(state), start)
    state.train_steps = 300
    np.testing.assert_array_equal(parameters(state), far)
    assert trained(state) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"eps": 1e-3},
        {"scheme": "forward"},
        {"measure": "norm_ratio"},
        {"bug": "flipped_sign"},
        {"tensor": "W1"},
        {"bug": "mystery"},
    ],
    ids=str,
)
def test_what_has_nothing_to_do_with_training_trains_nothing(state, change):
    state.train_steps = 40
    before = parameters(state)
    state.update(**change)
    assert state.error == ""
    assert trained(state) == 1
    np.testing.assert_array_equal(parameters(state), before)


@pytest.mark.parametrize(
    "change",
    [
        {"weight_scale": 0.7},
        {"seed": 3},
        {"data": "spirals"},
        {"dtype": "float32"},
        {"activation": "relu"},
        {"loss": "mse"},
        {"use_l2": True},
        {"use_dropout": True},
        {"hidden": (5,)},
    ],
    ids=str,
)
def test_another_network_is_trained_anew(state, change):
    state.train_steps = 40
    state.update(**change)
    assert trained(state) == 2
    fresh = LabState(**(SMALL | {"train_steps": 40} | change))
    np.testing.assert_array_equal(parameters(state), parameters(fresh))


class Clock:
    """Goes on by `tick` whenever it is read."""

    def __init__(self, tick):
        self.now, self.tick = 0.0, tick

    def __call__(self):
        self.now += self.tick
        return self.now


def test_progress_goes_from_0_to_1_the_first_time_and_stays_there(state):
    seen = []
    state._trainer._clock = Clock(0.01)
    state.observe(lambda change: seen.append(change["new"]), "progress")
    assert state.progress == 1.0
    state.train_steps = 100
    assert seen[0] == 0.0
    assert seen[-1] == state.progress == 1.0
    assert len(seen) > 10
    assert seen == sorted(seen)
    seen.clear()
    state.train_steps = 40
    state.eps = 1e-4
    state.update(train_steps=100, bug="bias_mean")
    assert seen == [], "so far it was trained already"
    state.bug = "none"
    state.train_steps = 200
    assert seen[0] < 1.0
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


@pytest.mark.parametrize(("tick", "most"), [(1e-4, 2), (0.004, 41), (0.03, 252), (1.0, 501)])
def test_progress_is_told_20_times_a_second_at_most_and_the_end_always(tick, most):
    result = LabState(**SMALL).result
    settings = result.settings.replace(train_steps=500)
    clock, told = Clock(tick), []
    trainer = Trainer(lambda fraction: told.append((clock.now, fraction)), clock)
    trainer(result.net, result.x, result.y, settings)
    times, fractions = np.transpose(told)
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert np.all(np.diff(times)[:-1] > 0.05 - 1e-9)
    assert most / 2 <= len(told) <= most


def test_trainings_that_follow_each_other_at_once_are_not_all_told(front_end):
    lab = Lab(hidden=(4,))
    lab.state._trainer._clock = lambda: 0.0
    front_end.clear()
    for scale in (0.5, 0.6, 0.7):
        lab.state.update(weight_scale=scale, train_steps=5)
    assert trained(lab.state) == 3
    layout = lab._screen.toolbar.training.layout
    assert len(front_end.updates(layout, "visibility")) == 2  # the bar came and went once
    assert lab.state.progress == 1.0


def steps_made(state):
    return state._trainer.steps


def test_no_more_steps_are_made_than_are_asked_for_and_the_rate_takes(state):
    state.train_steps = 7
    assert steps_made(state) == warm_up.TRIED
    for asked, made in ((10, 20), (50, 50), (30, 50), (80, 80), (0, 80), (80, 80)):
        state.train_steps = asked
        assert steps_made(state) == made


@pytest.mark.parametrize("steps", [1, 10, 20, 21, 200])
@pytest.mark.parametrize(
    "more",
    [{}, {"activation": "relu", "use_dropout": True, "examples": 100},
     {"weight_scale": 3.0, "loss": "mse", "dtype": "float32"}],
    ids=str,
)  # fmt: skip
def test_it_is_gl_train_bit_for_bit_whatever_was_asked_before(steps, more):
    state = LabState(**SMALL, **more)
    net, result = state.result.net.copy(), state.result
    state.train_steps = 33
    (training,) = state._trainer._known.values()
    state.train_steps = steps
    rate = training._how[0]
    gl.train(net, result.x, result.y, steps=steps, learning_rate=rate, seed=0, progress=False)
    assert parameters(state).tobytes() == net.theta.tobytes()


def test_a_loss_that_rises_later_is_told():
    assert warm_up.TRIED < 500
    state = LabState(**SMALL, train_steps=100)
    assert state.result.remark == ""
    rising = {"activation": "relu", "loss": "mse", "data": "iris", "weight_scale": 0.02}
    for seed in range(40):
        state = LabState(**SMALL, **rising, seed=seed)
        before = state.result.net.loss(state.result.x, state.result.y)
        for steps in (1, 2, 3, 5):
            state.train_steps = steps
            after = state.result.net.loss(state.result.x, state.result.y)
            assert state.result.remark.startswith("training raised the loss") == (after > before)


def test_training_that_overflows_later_is_an_error_in_words_and_fewer_steps_still_work(state):
    def running_away():
        raise ValueError("learning_rate must be small enough")
        yield

    state.train_steps = 25
    (training,) = state._trainer._known.values()
    training._updates = running_away()
    state.train_steps = 60
    assert "overflows after" in state.error
    assert "take fewer steps" in state.error
    state.train_steps = 10
    assert state.error == ""
    state.train_steps = 60
    assert "overflows after" in state.error


def test_no_bar_is_drawn(state, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)  # importing it would raise
    state.train_steps = 100
    assert state.error == ""
    assert capsys.readouterr() == ("", "")


def test_the_caller_s_network_is_not_trained():
    x, y = gl.data.moons(20)
    net = gl.mlp([2, 4, 2])
    theta = net.theta
    state = LabState(net, x, y, train_steps=50)
    np.testing.assert_array_equal(net.theta, theta)
    np.testing.assert_array_equal(state.brought.net.theta, theta)
    assert not np.array_equal(parameters(state), theta)


def test_training_with_a_large_lambda_takes_a_smaller_learning_rate(state):
    state.update(use_l2=True, l2=1e4, train_steps=100)
    assert state.error == ""
    assert np.isfinite(parameters(state)).all()


def test_training_that_cannot_work_is_an_error_in_words_and_progress_ends(state, monkeypatch):
    monkeypatch.setattr(warm_up, "LEARNING_RATES", (1e6, 1e5))
    state.train_steps = 10
    assert state.error.startswith("training steps: training does not lower the loss")
    assert state.progress == 1.0
    state.train_steps = 0
    assert state.error == ""


def test_a_large_network_keeps_few_of_the_steps_and_reaches_all_of_them(monkeypatch):
    monkeypatch.setattr(warm_up, "_KEPT", 1 << 12)
    state, exact = LabState(**SMALL, train_steps=7), LabState(**SMALL).result
    (kept,) = state._trainer._known.values()
    assert len(kept.thetas) * parameters(state).nbytes <= 1 << 12
    net = exact.net.copy()
    gl.train(net, exact.x, exact.y, steps=7, progress=False)
    np.testing.assert_array_equal(parameters(state), net.theta)


def test_only_a_few_trainings_are_kept(state):
    for scale in (0.5, 0.6, 0.7, 0.8):
        state.update(weight_scale=scale, train_steps=5)
    assert len(state._trainer._known) == 2


def test_a_trainer_works_without_anybody_to_tell():
    result = LabState(**SMALL).result
    settings = result.settings.replace(train_steps=3)
    net = Trainer()(result.net, result.x, result.y, settings)
    assert not np.array_equal(net.theta, result.net.theta)
