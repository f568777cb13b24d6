"""Results to look at: of the lab's own networks, and of the three kinds that a caller brings."""

import numpy as np

import gradlab as gl
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.result import compute
from gradlab.lab.model.settings import Settings


def own(**settings):
    """Return a result of the lab's own network."""
    return compute(Settings(**settings))


def given(net, x, y, secret=None, **settings):
    """Return a result of a caller's network."""
    brought = OwnNetwork.check(net, x, y)
    return compute(brought.settings().replace(**settings), brought, secret=secret)


def of_convnet(**settings):
    """Return a result of a small convolutional network on noise."""
    rng = np.random.default_rng(0)
    net = gl.convnet((1, 8, 12), filters=(3, 4), padding=(1, 1), classes=3, seed=0)
    x, y = rng.standard_normal((6, 1, 8, 12)), rng.integers(0, 3, 6)
    return given(net, x, y, **settings)


def of_lstm(steps=4, every_step=False, **settings):
    """Return a result of a small LSTM on noise."""
    rng = np.random.default_rng(0)
    net = gl.lstm(6, 8, 3, every_step=every_step, seed=0)
    x = rng.standard_normal((steps, 5, 6))
    y = rng.integers(0, 3, (steps, 5)) if every_step else np.array([0, 1, 2, 0, 1])
    return given(net, x, y, **settings)


def texts(marks):
    """Return all that is written in a picture."""
    return [text for mark in marks if mark["kind"] == "words" for text in mark["texts"]]
