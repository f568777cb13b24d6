"""The same seed gives what it gave: weights, masks, data, trainings, and how they are shown.

Whether these numbers are right the other tests tell; a lesson's and a report's words rest on them.
Who changes some of it on purpose reads the difference, and then writes it anew:

    .venv/bin/python -m tests.nn.test_as_before
"""

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

import gradlab as gl
from gradlab.nn import data
from gradlab.nn.activations import ACTIVATION_FUNCTIONS
from gradlab.nn.layers import Dropout, Layer
from gradlab.nn.losses import LOSS_TABLE, Loss
from gradlab.nn.network import scaled, weight_scale_of
from gradlab.nn.training import History, train, updates
from tests.as_before import same
from tests.nn.network_cases import CASES

STORED = Path(__file__).with_name("seeded.json")
NETS = {
    "plain": lambda: gl.mlp([2, 5, 3]),
    "no hidden layer": lambda: gl.mlp([3, 2], output_activation="sigmoid", loss="mse"),
    "all": lambda: gl.mlp([2, 5, 4, 3], ["relu", "elu"], l2=0.1, dropout_rate=0.3, seed=3,
                          batch_norm=True, weight_scale=0.7),
    "float32": lambda: gl.mlp([2, 4, 1], "leaky_relu", loss="binary_cross_entropy",
                              dtype="float32"),
    "convnet": lambda: gl.convnet((1, 10, 10)),
    "small convnet": lambda: gl.convnet((2, 6, 10), (3, 2), (3, (2, 2)), (1, 0), "average", 4,
                                        l2=0.1, seed=2, dtype="float32"),
    "scaled convnet": lambda: gl.convnet((1, 8, 8), padding=(1, 1), loss="mse", weight_scale=0.2),
    "lstm": lambda: gl.lstm(3, 4, 2),
    "all of an lstm": lambda: gl.lstm(2, 3, 2, "mse", True, 0.1, 0.4, 5, "float32"),
}  # fmt: skip


def numbers(values):
    """Return the size of an array's numbers and some of them, to six digits."""
    values = np.asarray(values, float)
    some = values.ravel()[:: max(1, values.size // 5)]
    return f"{values.shape} {np.abs(values).sum():.6g}: " + " ".join(f"{v:.6g}" for v in some)


def of_net(net):
    """Return what a new network is, and what it makes of a batch."""
    rng = np.random.default_rng(1)
    shape = [3 if size is None else size for size in net.input_shape]
    shape.insert(net.batch_axis, 4)
    x = rng.standard_normal(shape)
    masks = net.draw_masks(4, rng)
    every = getattr(net, "every_step", False)
    y = rng.integers(0, min(2, net.outputs), (3, 4) if every else 4)
    if net.loss_name == "mse":
        y = rng.random((*y.shape, net.outputs))
    return {
        "repr": repr(net), "layers": repr(net.layers), "tensors": repr(net.tensors),
        "about": repr({k: v for k, v in sorted(vars(net).items())
                       if isinstance(v, (int, float, str, tuple, bool, type(None)))}),
        "names": [repr(vars(layer)) for layer in net.layers if not hasattr(layer, "function")],
        "theta": numbers(net.theta), "masks": [numbers(mask) for mask in masks],
        "predicted": numbers(net.predict(x)), "loss": f"{net.loss(x, y, masks or None):.6g}",
        "cuts": {k: numbers(v) for k, v in net.cut_gradients(x, y, masks or None).items()},
        "scale": f"{weight_scale_of(net):.6g} {weight_scale_of(scaled(net, 2.0)):.6g}",
        "ties": net.ties(np.zeros(shape)), "twice": numbers(scaled(net, 2.0).theta),
        "properties": [[layer.scratch, layer.ties_batch, layer.param_names, layer.weight_names]
                       for layer in net.layers],
    }  # fmt: skip


def of_data():
    sets = {
        "moons": data.moons(), "moons 7": data.moons(7, 0.3, 2), "spirals": data.spirals(),
        "spirals 10": data.spirals(10, 4, 0.1, 1), "iris": data.load("iris", 5, 1),
        "digits": data.load("digits", 3), "load moons": data.load("moons", seed=1),
        "load spirals": data.load("spirals", 9, seed=1), "all of iris": data.load("iris"),
    }  # fmt: skip
    return {name: [numbers(x), numbers(y)] for name, (x, y) in sets.items()}


TRAININGS = {
    "usual": {}, "ten steps": {"steps": 10}, "an epoch": {"epochs": 1},
    "small batches": {"steps": 9, "batch_size": 7, "learning_rate": 0.02, "momentum": 0.5},
    "seed": {"epochs": 2, "seed": 4},
}  # fmt: skip


def of_training(settings):
    net, (x, y) = gl.mlp([2, 4, 2], dropout_rate=0.2, l2=0.01), data.moons(40)
    history = train(net, x, y, progress=False, **settings)
    return [numbers(history.step), numbers(history.loss), numbers(net.theta)]


def of_functions():
    z = np.array([-800.0, -3.0, -0.5, 0.0, 0.5, 3.0, 800.0])
    with np.errstate(all="ignore"):
        found = {
            name: [numbers(f.function(z)), numbers(f.derivative(z, f.function(z))), f.has_kink]
            for name, f in ACTIVATION_FUNCTIONS.items()
        }
        # what the complex step takes, at 0 too
        step = np.array([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0]) + 1e-3j * np.array([1, -1, 1, -1, 1, -1])
        for name, f in ACTIVATION_FUNCTIONS.items():
            made = f.function(step)
            found[name] += [numbers(made.real), numbers(1e3 * made.imag)]
    out = np.array([[[-2.0], [0.5]], [[700.0], [0.1]], [[1.0], [-900.0]]])
    for name, loss in LOSS_TABLE.items():
        target = loss.prepare([0, 2] if name[0] == "s" else np.eye(3)[:2], 2, 3, np.dtype(float))
        found[name] = [numbers(target), numbers(loss.per_example(out, target)),
                       numbers(loss.derivative(out, target)),
                       numbers(loss.per_example(out.copy(), target, overwrite=True))]  # fmt: skip
    soft, loss = np.array([[0.2, 0.3, 0.5], [0.0, 0.1, 0.9]]), LOSS_TABLE["softmax_cross_entropy"]
    target = loss.prepare(soft, 2, 3, np.dtype(float))
    for overwrite in (False, True):
        held = out.copy()
        found[f"soft {overwrite}"] = [numbers(loss.per_example(held, target, overwrite)),
                                      numbers(loss.derivative(out, target)),
                                      bool((held == out).all())]  # fmt: skip
    found["one-hot"] = loss.prepare(np.eye(3), 3, 3, np.dtype(float)).tolist()
    return found


def of_case(case):
    net = case.net
    a, _ = net.prepare(case.x, case.y)
    chain = net.chain(case.masks, a.shape[-2])
    cuts = net.forward(net.params, a, chain)
    sides = [layer.branches(cut) for layer, cut in zip(chain, cuts, strict=False)]
    return {
        "gradient": numbers(net.unroll(net.gradient(case.x, case.y, case.masks))),
        "loss": f"{net.loss(case.x, case.y, case.masks):.6g}", "cuts": net.cut_names(chain),
        "sides": [None if side is None else numbers(side) for side in sides],
    }  # fmt: skip


def everything():
    found = {f"network, {name}": of_net(make()) for name, make in NETS.items()}
    found |= {f"training, {name}": of_training(how) for name, how in TRAININGS.items()}
    found |= {name: of_case(case) for name, case in CASES.items()}
    return json.loads(json.dumps(found | {"data": of_data(), "functions": of_functions()}))


def test_everything_is_as_it_was():
    made, held = everything(), json.loads(STORED.read_text(encoding="utf-8"))
    assert list(made) == list(held)
    assert [name for name in made if not same(made[name], held[name])] == []


@pytest.mark.parametrize(
    ("thing", "field"),
    [(History(np.zeros(1), np.zeros(1), 0.0), "seconds"), (Dropout(0, 3), "index"),
     (ACTIVATION_FUNCTIONS["tanh"], "name")],
)  # fmt: skip
def test_what_is_shared_is_not_changed_in_place(thing, field):
    with pytest.raises(FrozenInstanceError):
        setattr(thing, field, None)


def test_a_layer_or_a_loss_that_nobody_wrote_says_so():
    layer, loss = Layer(), Loss()
    with pytest.raises(NotImplementedError):
        layer.forward({}, np.zeros(1))
    with pytest.raises(NotImplementedError):
        layer.backward({}, *3 * [np.zeros(1)])
    with pytest.raises(NotImplementedError):
        loss.per_example(np.zeros(1), np.zeros(1))
    with pytest.raises(NotImplementedError):
        loss.derivative(np.zeros(1), np.zeros(1))
    assert (layer.branches(np.zeros(1)), layer.ties(np.zeros(1))) == (None, 0)


def test_a_history_is_told_apart_by_identity():
    one, two = (History(np.zeros(2), np.zeros(2), 0.0) for _ in "12")
    assert one != two  # their arrays could not be compared


def test_updates_go_on_as_train_does():
    (x, y), one, two = data.moons(40), gl.mlp([2, 4, 2]), gl.mlp([2, 4, 2])
    train(one, x, y, steps=5, progress=False)
    moves = updates(two, x, y)
    assert [next(moves) for _ in range(5)] == [False, True, False, True, False]
    assert np.array_equal(one.theta, two.theta)


@pytest.mark.parametrize(
    ("epochs", "n", "batch_size", "steps"),
    [(1, 40, 40, [0, 1]), (1, 40, 39, [0, 2]), (2, 40, 20, [0, 2, 4]), (0, 40, 20, [0])],
)
def test_an_epoch_ends_with_its_last_batch(epochs, n, batch_size, steps):
    net, (x, y) = gl.mlp([2, 2]), data.moons(n)
    history = train(net, x, y, epochs, batch_size=batch_size, progress=False)
    assert history.step.tolist() == steps


def refused(call):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    return str(caught.value)


NET, X, Y = gl.mlp([2, 3, 2], dropout_rate=0.5), np.zeros((4, 2)), np.zeros(4, int)
MASKS = [np.ones((4, 3))]
REFUSED = {
    "x must hold at least one example": lambda: NET.predict(np.zeros((0, 2))),
    "x must hold at least 2 examples": lambda: gl.mlp([2, 2, 2], batch_norm=True).predict(X[:1]),
    "params must have the keys": lambda: NET.predict(X, {"W1": X}),
    "params['W1'] must have shape": lambda: NET.predict(X, {**NET.params, "W1": X}),
    "params['b1'] must be an array of float64, got float32": lambda: NET.predict(
        X, {**NET.params, "b1": np.zeros(3, np.float32)}),
    "params['b1'] must be an array of float64, got list": lambda: NET.predict(
        X, {**NET.params, "b1": [0.0, 0.0, 0.0]}),
    "grads must have the keys": lambda: NET.unroll({"W1": X}),
    "grads['b1'] must have shape (3,), got (2,)": lambda: NET.unroll(
        {**NET.params, "b1": np.zeros(2)}),
    "theta must have shape (17,), got (16,)": lambda: NET.roll(np.zeros(16)),
    "theta must have shape": lambda: setattr(NET, "theta", np.zeros(16)),
    "rng must be a numpy Generator": lambda: NET.draw_masks(4, 0),
    "n must be an integer >= 1": lambda: NET.draw_masks(0, np.random.default_rng(0)),
    "masks must be a list of arrays": lambda: NET.loss(X, Y, MASKS[0]),
    "masks must hold one array for each of the 1 hidden": lambda: NET.loss(X, Y, 2 * MASKS),
    "masks[0] must have shape": lambda: NET.loss(X, Y, [np.ones((3, 3))]),
    "sizes must be a list of integers": lambda: gl.mlp(3),
    "sizes must be a list of integers such as [2, 16, 3], got '23'": lambda: gl.mlp("23"),
    "sizes must be a list of integers such as [2, 16, 3], got 2.5": lambda: gl.mlp(2.5),
    "sizes must hold at least inputs": lambda: gl.mlp([3]),
    "sizes[1] must be an integer >= 1": lambda: gl.mlp([3, 0]),
    "activation must be one name or a list of 1": lambda: gl.mlp([2, 3, 2], ["relu", "tanh"]),
    "activation[0] must be one of": lambda: gl.mlp([2, 3, 2], ["rleu"]),
    "dtype must be one of": lambda: gl.mlp([2, 2], dtype="float16"),
    "dtype must be one of 'float64', 'float32', got 64": lambda: gl.mlp([2, 2], dtype=64),
    "dtype must be one of 'float64', 'float32', got <class 'int'>": lambda: gl.mlp(
        [2, 2], dtype=int),
    "dtype must be one of 'float64', 'float32', got 'float16'": lambda: gl.mlp(
        [2, 2], dtype=np.float16),
    "dropout_rate must": lambda: gl.mlp([2, 2, 2], dropout_rate=1.0),
    "l2 must": lambda: gl.mlp([2, 2], l2=-0.1),
    "weight_scale must": lambda: gl.mlp([2, 2], weight_scale=0),
    "image_shape must be 3 integers": lambda: gl.convnet(8),
    "image_shape must be 3 integers, channels, rows and columns, got 2": lambda: gl.convnet((8, 8)),
    "image_shape must leave an even number": lambda: gl.convnet((1, 9, 8)),
    "conv1 makes 9 x 8": lambda: gl.convnet((1, 11, 10)),
    "conv1 makes 8 x 9": lambda: gl.convnet((1, 10, 11)),
    "conv1 makes 0 x 8": lambda: gl.convnet((1, 2, 10)),
    "filters[0] must be an integer >= 1": lambda: gl.convnet((1, 10, 10), (0, 2)),
    "padding[1] must be an integer >= 0": lambda: gl.convnet((1, 10, 10), padding=(0, -1)),
    "kernels must be 2 integers or pairs": lambda: gl.convnet((1, 10, 10), kernels=[3]),
    "kernels[0] must be 2 integers": lambda: gl.convnet((1, 10, 10), kernels=[(3,), 3]),
    "y must have shape (3, 4) or (3, 4, 2)": lambda: gl.lstm(2, 3, 2, every_step=True).loss(
        np.zeros((3, 4, 2)), np.zeros(4, int)),
    "y must have shape (3, 4, 2), for": lambda: gl.lstm(2, 3, 2, "mse", True).loss(
        np.zeros((3, 4, 2)), np.zeros((3, 4))),
    "at time step 1": lambda: gl.lstm(2, 3, 2, every_step=True).loss(
        np.zeros((3, 4, 2)), np.array([4 * [0], [0, 9, 0, 0], 4 * [0]])),
    "y must hold one label for each of the 4 rows of x, got 3": lambda: NET.loss(X, Y[:3]),
    "y must hold integer labels, got 0.5": lambda: NET.loss(X, Y + 0.5),
    "y must hold labels in 0..1, got -1": lambda: NET.loss(X, Y - 1),
    "y must hold labels in 0..1, got 2": lambda: NET.loss(X, Y + 2),
    "y must hold labels in 0..1, got 3": lambda: NET.loss(X, [0, 1, 3, 0]),
    "got row 2 with sum 0.9 and smallest entry 0.4": lambda: NET.loss(
        X, [[0.5, 0.5], [0.5, 0.5], [0.5, 0.4], [0.5, 0.5]]),
    "got row 1 with sum 1 and smallest entry -0.5": lambda: NET.loss(
        X, [[0.5, 0.5], [1.5, -0.5], [0.5, 0.6], [0.5, 0.5]]),
    "got row 1 with sum 1.5 and smallest entry 0.5": lambda: NET.loss(
        X, [[0.5, 0.5], [1.0, 0.5], [0.5, 0.5], [0.5, 0.6]]),
    "got row 2 with sum 1 and smallest entry -0.5": lambda: NET.loss(
        X, [[0.0, 1.0], [3.0, 3.0], [1.5, -0.5], [0.5, 0.5]]),
    "classes must be an integer >= 2, got 2.0": lambda: data.spirals(classes=2.0),
    "dropout_rate must be 0 for a network without dropout": lambda: gl.mlp([2, 2]).replace(
        dropout_rate=0.1),
}  # fmt: skip


@pytest.mark.every_case
@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused_is_told(message):
    assert message in refused(REFUSED[message])


def test_what_is_just_right_is_taken():
    gl.convnet((1, 4, 4), padding=(1, 1), kernels=[3, 3])
    gl.mlp([2, 2, 2], batch_norm=True).predict(X[:2])
    gl.mlp([1, 1], l2=0.0, dropout_rate=0.0)
    gl.mlp([2, 1], loss="binary_cross_entropy").loss(X, [0.0, 1.0, 0.5, 1.0])
    NET.loss(X, [[0.5, 0.5 + 9e-7], [1.0, 0.0], [0.5, 0.5], [0.5, 0.5]])
    NET.loss(X, np.array([0.0, 1.0, 1.0, 0.0]))
    assert gl.mlp([2, 3, 2], dtype=np.float32).dtype == gl.mlp([2, 2], dtype=np.dtype("f4")).dtype
    assert gl.mlp([2, 3, 2], dtype=float).dtype == np.float64


if __name__ == "__main__":
    STORED.write_text(
        json.dumps(everything(), ensure_ascii=False, indent=0) + "\n", encoding="utf-8"
    )
