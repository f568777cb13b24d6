"""Bugs in code that shares nothing with gradlab: the museum's and the diagnosis's share its layers.

Each source is a forward and a backward pass of its own, in another convention. Its gradient is
handed in as `analytic`: the right one is called correct, and of a wrong one exactly the tensors
are named that the wrong line spoils.
"""

import numpy as np
import pytest

import gradlab as gl
from tests.checking.second_source import batch_norm, convnet, lstm
from tests.museum import make

SEEDS = (0, 1)
IDLE = {"b1", "b2"}  # biases that batch norm takes off again: their slope is 0, and rounding


def given(source, seed):
    if source is batch_norm:
        return make(gl.mlp([4, 5, 6, 3], batch_norm=True, seed=seed), 7, seed)
    if source is lstm:
        return make(gl.lstm(3, 4, 3, weight_scale=0.7, seed=seed), 5, seed, steps=4)
    net = gl.convnet((1, 8, 12), filters=(2, 3), padding=(1, 1), classes=3, seed=seed)
    return make(net, 4, seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("source", [batch_norm, lstm, convnet], ids=lambda s: s.__name__)
def test_the_right_backward_pass_is_called_correct(source, seed):
    net, x, y, _ = given(source, seed)
    assert np.isclose(source.loss(net.params, x, y), net.loss(x, y), rtol=1e-13)
    report = gl.check(net, x, y, analytic=source.gradient(net.params, x, y))
    doubtful = {name for name in report if report[name].verdict != "correct"}
    assert report.wrong == []
    assert doubtful <= (IDLE if source is batch_norm else set()), report


@pytest.mark.every_case
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("source", "bug", "wrong"),
    [(batch_norm, bug, wrong) for bug, wrong in batch_norm.BUGS.items()]
    + [(lstm, (bug,), wrong) for bug, wrong in lstm.BUGS.items()]
    + [(convnet, (bug,), wrong) for bug, wrong in convnet.BUGS.items()],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_of_a_wrong_line_exactly_what_it_spoils_is_named(source, bug, wrong, seed):
    net, x, y, _ = given(source, seed)
    report = gl.check(net, x, y, analytic=source.gradient(net.params, x, y, *bug))
    assert report.verdict == "wrong"
    assert set(report.wrong) == set(wrong), report


@pytest.mark.parametrize(
    ("source", "bug", "name"),
    [(source, bug, name) for source in (batch_norm, lstm, convnet)
     for bug, name in source.IN_MUSEUM.items()],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)  # fmt: skip
def test_what_the_museum_knows_is_recognised_in_code_that_is_not_its_own(source, bug, name):
    net, x, y, _ = given(source, 1)
    layer = (2,) if source is batch_norm else ()
    report = gl.check(net, x, y, analytic=source.gradient(net.params, x, y, bug, *layer))
    first = report.diagnosis[0]
    assert (first.bug, first.layer) == (name, 1 if source is lstm else 2)
    assert first.score > 0.99
