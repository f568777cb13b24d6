"""Networks for every exhibit of the museum, and their checks, each made once."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

import gradlab as gl
from gradlab.bugs.planting import without_bugs
from gradlab.bugs.suspects import suspects
from gradlab.checking.diagnosis.blind_spots import hides
from gradlab.nn.network import Point

MAKERS = {
    "tanh": lambda seed: gl.mlp([5, 6, 6, 3], l2=0.1, dropout_rate=0.3, seed=seed),
    "sigmoid": lambda seed: gl.mlp([4, 5, 5, 5, 2], "sigmoid", loss="mse", seed=seed),
    "leaky_relu": lambda seed: gl.mlp([3, 7, 7, 4], "leaky_relu", l2=0.01, seed=seed),
    "relu": lambda seed: gl.mlp(
        [5, 8, 8, 3], "relu", loss="binary_cross_entropy", l2=0.03, seed=seed
    ),
    "softplus": lambda seed: gl.mlp([5, 4, 4, 3], ["elu", "softplus"], loss="mse", seed=seed),
    "batch_norm": lambda seed: gl.mlp([5, 6, 6, 3], batch_norm=True, seed=seed),
    "convnet": lambda seed: gl.convnet(
        (1, 4, 12), filters=(4, 4), padding=(1, 1), classes=4, l2=0.01, seed=seed
    ),
    "lstm": lambda seed: gl.lstm(4, 5, 3, weight_scale=0.7, seed=seed),
    "lstm_every_step": lambda seed: gl.lstm(
        4, 3, 2, every_step=True, l2=0.1, weight_scale=0.7, seed=seed
    ),
}
SIZES = (8, 5)  # a batch for each seed
NEEDS_MORE = {"max_pool_all_ties"}  # does not show on random images: has a test of its own


class Case(NamedTuple):
    net: gl.nn.Network
    x: np.ndarray
    y: np.ndarray
    masks: list | None

    def check(self, net=None, **options):
        return gl.check(net or self.net, self.x, self.y, masks=self.masks, **options)


def make(net, n, seed, steps=5):
    """Return `net` with biases that are not 0, and with inputs and targets that fit it."""
    rng = np.random.default_rng(100 + seed)
    for name, value in net.params.items():
        if name not in net.weight_names:
            value += 0.2 * rng.standard_normal(value.shape)
    shape = [steps if size is None else size for size in net.input_shape]
    shape.insert(net.batch_axis, n)
    rows = (steps, n) if getattr(net, "every_step", False) else (n,)
    x = rng.standard_normal(shape)
    if net.loss_name == "softmax_cross_entropy":
        y = rng.integers(0, net.outputs, rows)
    else:
        y = rng.random((*rows, net.outputs))
    return Case(net, x, y, net.draw_masks(n, rng) if net.dropout_rate else None)


@lru_cache
def case(kind, seed):
    return make(MAKERS[kind](seed), SIZES[seed], seed)


def plantings(kind):
    """Return every (name, layer) that the network can have and that shows there."""
    net = case(kind, 0).net
    return [(name, layer) for name in gl.bugs.names(net) if name not in NEEDS_MORE
            for layer in gl.bugs.layers(net, name)]  # fmt: skip


@lru_cache
def report(kind, seed, name, layer):
    given = case(kind, seed)
    return given.check(gl.bugs.plant(given.net, name, layer))


def hidden_bugs(net, x, y, masks=None):
    """Return the bugs that would not show here: a check passes with any of them in the code."""
    report = gl.check(without_bugs(net), x, y, masks=masks)
    right = {name: report[name].analytic for name in report}
    return [
        s for s in suspects(Point(net, x, y, masks)) if hides(s.gradient, right, report.tensors)
    ]
