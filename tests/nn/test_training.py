import io
import itertools
import re
import sys

import numpy as np
import pytest

import gradlab as gl
from gradlab.nn import data
from gradlab.nn.training import History, train


@pytest.fixture
def moons():
    return data.moons(n=100)


def trained(x, y, *, sizes=(2, 8, 2), dropout_rate=0.0, **settings):
    net = gl.mlp(sizes, dropout_rate=dropout_rate)
    settings = {"epochs": 3, "progress": False, **settings}
    return net, train(net, x, y, **settings)


@pytest.mark.parametrize(
    ("name", "sizes", "steps", "accuracy"),
    [
        ("moons", [2, 16, 16, 2], 200, 0.98),
        ("spirals", [2, 32, 3], 700, 0.95),
        ("iris", [4, 16, 3], 200, 0.96),
        ("digits", [64, 32, 10], 500, 0.97),
    ],
)
def test_training_learns_each_data_set(name, sizes, steps, accuracy):
    x, y = data.load(name)
    x = data.standardize(x) if name == "iris" else x
    net = gl.mlp(sizes)
    history = train(net, x, y, steps=steps, progress=False)
    assert history.loss[-1] < 0.35 * history.loss[0]
    assert (net.predict(x).argmax(axis=1) == y).mean() >= accuracy


def test_one_step_is_the_formula_and_momentum_carries_over(moons):
    x, y = moons
    net, _ = trained(x, y, steps=2, batch_size=100, learning_rate=0.3, momentum=0.8)
    by_hand = gl.mlp([2, 8, 2])
    velocity = np.zeros(by_hand.size)
    for _ in range(2):
        gradient = by_hand.unroll(by_hand.gradient(x, y))
        velocity = 0.8 * velocity - 0.3 * gradient
        by_hand.theta = by_hand.theta + velocity
    # Not bitwise: the batch is summed in another order.
    assert net.theta == pytest.approx(by_hand.theta, rel=1e-12)


def test_lists_are_trained_on_as_arrays_are(moons):
    x, y = moons
    lists, _ = trained(x.tolist(), y.tolist())
    assert np.array_equal(lists.theta, trained(x, y)[0].theta)


def test_the_same_seed_gives_the_same_parameters_and_another_seed_others(moons):
    first, again = (trained(*moons, dropout_rate=0.2, seed=5)[0].theta for _ in range(2))
    other = trained(*moons, dropout_rate=0.2, seed=6)[0].theta
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_each_epoch_uses_every_example_once():
    x, seen = np.arange(10.0)[:, None], []

    class Spy(gl.nn.MLP):
        def gradient(self, x, y, masks=None, params=None):
            seen.append(x[:, 0].tolist())
            return super().gradient(x, y, masks, params)

    net = gl.mlp([1, 2])
    net.__class__ = Spy
    train(net, x, np.zeros(10, int), epochs=2, batch_size=4, progress=False)
    assert [len(batch) for batch in seen] == [4, 4, 2, 4, 4, 2]
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(first) == sorted(second) == x[:, 0].tolist()
    assert not np.array_equal(first, second)


def test_dropout_draws_new_masks_each_step_and_none_for_the_reported_loss(moons):
    x, y = moons
    net, drawn = gl.mlp([2, 8, 2], dropout_rate=0.5), []
    original = net.draw_masks
    net.draw_masks = lambda n, rng: drawn.append(original(n, rng)) or drawn[-1]
    history = train(net, x, y, epochs=1, batch_size=25, progress=False)
    assert [masks[0].shape for masks in drawn] == [(25, 8)] * 4
    assert len({masks[0].tobytes() for masks in drawn}) == 4
    assert history.loss[-1] == net.loss(x, y)


def test_dropout_changes_the_training_but_not_the_batches(moons):
    x, y = moons
    batches = {0.0: [], 0.5: []}
    for rate, seen in batches.items():
        net = gl.mlp([2, 8, 2], dropout_rate=rate)
        original = net.gradient
        net.gradient = lambda x, *rest, seen=seen, f=original: seen.append(x) or f(x, *rest)
        train(net, x, y, epochs=2, progress=False)
    assert np.array_equal(np.concatenate(batches[0.0]), np.concatenate(batches[0.5]))
    assert not np.array_equal(trained(*moons)[0].theta, trained(*moons, dropout_rate=0.5)[0].theta)


def test_parameters_change_in_place(moons):
    net = gl.mlp([2, 8, 2])
    arrays, shared = dict(net.params), net.replace(l2=0.1)
    before = net.theta
    train(net, *moons, epochs=1, progress=False)
    assert all(net.params[name] is array for name, array in arrays.items())
    assert not np.array_equal(net.theta, before)
    assert np.array_equal(shared.theta, net.theta)


def test_float32_stays_float32(moons):
    net = gl.mlp([2, 8, 2], dtype="float32")
    history = train(net, *moons, epochs=5, progress=False)
    assert {value.dtype for value in net.params.values()} == {np.dtype("float32")}
    assert history.loss[-1] < history.loss[0]


def test_history_has_the_loss_at_the_start_after_each_epoch_and_at_the_end(moons):
    net, history = trained(*moons, steps=10, batch_size=25)
    assert history.step.tolist() == [0, 4, 8, 10]
    assert history.loss.shape == (4,)
    assert history.loss[0] == gl.mlp([2, 8, 2]).loss(*moons)
    assert history.loss[-1] == net.loss(*moons)
    assert history.seconds > 0


def test_no_steps_change_nothing(moons):
    net, history = trained(*moons, epochs=0)
    assert np.array_equal(net.theta, gl.mlp([2, 8, 2]).theta)
    assert history.step.tolist() == [0]


def test_history_prints_two_digits_and_no_time():
    history = History(np.array([0, 7]), np.array([1.0986, 0.0123]), 0.5)
    assert repr(history) == "History: 7 steps, loss 1.1 -> 0.012"


def test_after_step_is_called_after_every_update(moons):
    calls, thetas = [], []

    def after_step(step, net):
        calls.append(step)
        thetas.append(net.theta)

    net, _ = trained(*moons, steps=5, after_step=after_step)
    assert calls == [1, 2, 3, 4, 5]
    assert len({theta.tobytes() for theta in thetas}) == 5
    assert np.array_equal(thetas[-1], net.theta)


def test_an_interrupt_between_two_tensors_leaves_all_tensors_of_one_step(moons):
    """Ctrl-C is planted at the worst place: W1 and b1 already moved, W2 not yet."""
    net, complete = gl.mlp([2, 8, 2]), []

    class Interrupting(dict):
        def __getitem__(self, name):
            if name == "W2" and armed and sys._getframe(1).f_code.co_name == "_write":
                armed.clear()
                raise KeyboardInterrupt
            return super().__getitem__(name)

    def after_step(step, net):
        complete.append(net.theta)
        if step == 3:
            armed.append(True)

    armed = []
    net.params = Interrupting(net.params)
    with pytest.raises(KeyboardInterrupt):
        train(net, *moons, epochs=9, progress=False, after_step=after_step)
    assert not armed, "the interrupt was never raised inside an update"
    assert len(complete) == 3
    assert np.array_equal(net.theta, complete[-1])


def test_an_exception_in_after_step_reaches_the_caller(moons):
    def after_step(step, net):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        trained(*moons, after_step=after_step)


def test_divergence_names_the_learning_rate_and_leaves_finite_parameters(moons):
    x, y = moons
    net = gl.mlp([2, 8, 2], "relu", loss="mse")
    message = "learning_rate must be small enough .* got 1000: .* at step [0-9]+; try 100$"
    with pytest.raises(ValueError, match=message):
        train(net, x, np.eye(2)[y], learning_rate=1e3, epochs=100, progress=False)
    assert np.isfinite(net.theta).all()


def test_a_loss_that_overflows_while_the_parameters_do_not_ends_the_training():
    net = gl.mlp([1, 1], loss="mse")  # after one step W is near 1e200, and its square has no room
    message = r"got 1e\+200: the loss overflowed at step 1; try 1e\+199"
    with pytest.raises(ValueError, match=message):
        train(net, [[1.0]], [[0.0]], steps=1, learning_rate=1e200, progress=False)
    assert np.isfinite(net.theta).all()


def test_a_loss_that_is_infinite_at_the_start_is_not_blamed_on_the_learning_rate(moons):
    x, y = moons
    net = gl.mlp([2, 2], loss="mse", weight_scale=1e200)
    with pytest.raises(ValueError, match="net must have a finite loss before training, got inf"):
        train(net, x, np.eye(2)[y], progress=False)


class Terminal(io.StringIO):
    """A stream that remembers what was shown and wiped."""


def stderr_of_training(monkeypatch, x, y, **settings):
    monkeypatch.setattr(sys, "stderr", Terminal())
    trained(x, y, **settings)
    return sys.stderr.getvalue()


def test_a_short_training_shows_no_bar(moons, monkeypatch):
    assert stderr_of_training(monkeypatch, *moons, progress=True) == ""


@pytest.mark.parametrize(("seconds", "shown"), [(0.9, False), (1.1, True)])
def test_the_bar_is_shown_from_the_second_second_on(moons, monkeypatch, seconds, shown):
    clock = itertools.chain([0.0], itertools.repeat(seconds))  # the first look starts the bar
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", Terminal())
    train(gl.mlp([2, 8, 2]), *moons, epochs=3)
    assert bool(sys.stderr.getvalue()) == shown


@pytest.mark.parametrize("progress", [True, False])
def test_a_long_training_shows_a_bar_and_wipes_it(moons, monkeypatch, progress):
    clock = iter(np.arange(0, 1e5, 10.0))  # ten seconds pass whenever tqdm looks at its clock
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
    written = stderr_of_training(monkeypatch, *moons, progress=progress)
    if progress:
        assert re.search(r"training:.*/12 .*step", written)
        assert written.split("\r")[-2].strip() == ""
    else:
        assert written == ""


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": -1}, ValueError, "epochs must be an integer >= 0, got -1"),
        ({"epochs": 1.5}, TypeError, "epochs must be an integer >= 0, got 1.5"),
        ({"steps": -1}, ValueError, "steps must be an integer >= 0, got -1"),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer >= 1, got 0"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a positive finite number, got 0"),
        ({"learning_rate": np.nan}, ValueError, "learning_rate must be .* got nan"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate must be a number, got 'fast'"),
        ({"momentum": 1}, ValueError, r"momentum must be .* \[0, 1\), got 1"),
        ({"momentum": -0.1}, ValueError, r"momentum must be .* \[0, 1\), got -0.1"),
        ({"seed": 0.5}, TypeError, "seed must be an integer >= 0, got 0.5"),
        ({"progress": "yes"}, TypeError, "progress must be True or False, got 'yes'"),
        ({"y": np.zeros(99, int)}, ValueError, "y must hold one label for each of the 100 rows"),
        ({"y": np.full(100, 2)}, ValueError, r"y must hold labels in 0..1, got 2"),
        ({"x": np.zeros((100, 3))}, ValueError, r"x must have shape \(any, 2\), got \(100, 3\)"),
        ({"x": np.full((100, 2), np.nan)}, ValueError, "x must be finite, got nan"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(moons, settings, error, message):
    x, y = settings.pop("x", moons[0]), settings.pop("y", moons[1])
    net = gl.mlp([2, 8, 2])
    before = net.theta
    with pytest.raises(error, match=message):
        train(net, x, y, **{"progress": False, **settings})
    assert np.array_equal(net.theta, before)


@pytest.mark.parametrize(("n", "batch_size"), [(5, 4), (9, 4), (3, 1), (7, 3)])
def test_batch_norm_is_spared_a_last_batch_of_one_example(n, batch_size):
    x, y = data.moons(n=n)
    net = gl.mlp([2, 3, 2], batch_norm=True)
    before = net.theta
    with pytest.raises(
        ValueError, match=f"batch_size .* no batch of 1 .* got {batch_size} for {n}"
    ):
        train(net, x, y, batch_size=batch_size, epochs=1, progress=False)
    assert np.array_equal(net.theta, before)
    train(net, x, y, batch_size=n, epochs=1, progress=False)
    train(gl.mlp([2, 3, 2]), x, y, batch_size=batch_size, epochs=1, progress=False)
