"""Each layer's lines are what its own backward pass computes."""

import numpy as np
import pytest

import gradlab as gl
from gradlab import nn
from gradlab.bugs.lines import Program, lines_of
from gradlab.nn.layers import Activation, Dropout, Layer
from gradlab.nn.losses import LOSSES
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import convnet_problem, lstm_problem, mlp_problem

PROBLEMS = {
    **{name: mlp_problem(activation=name) for name in nn.ACTIVATIONS},
    **{name: mlp_problem(loss=name, l2=0.1, dropout_rate=0.3) for name in LOSSES},
    "batch norm": mlp_problem(batch_norm=True),
    "output activation": mlp_problem(loss="mse", output_activation="sigmoid"),
    "max": convnet_problem(pool="max", l2=0.1),
    "average": convnet_problem(pool="average", kernels=(3, (1, 3)), filters=(3, 5),
                               image=(2, 6, 10), padding=(0, 0)),
    "last step": lstm_problem(l2=0.1),
    "every step": lstm_problem(every_step=True),
    "regression in time": lstm_problem(every_step=True, loss="mse"),
}  # fmt: skip


def classes(base):
    """Yield all classes of layers that gradlab has, however they are derived."""
    for one in base.__subclasses__():
        if one.__module__.startswith("gradlab.nn"):
            yield one
        yield from classes(one)


@pytest.mark.every_case
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_lines_compute_the_layers_own_gradient(name):
    net, x, y, masks = PROBLEMS[name](0, "float64")
    program, own = Program(Point(net, x, y, masks)), net.gradient(x, y, masks)
    for k in own:
        np.testing.assert_allclose(program.gradient[k], own[k], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_way_of_writing_computes_the_same(name):
    """A line that is replaced by itself in other words, or in another form, changes nothing."""
    net, x, y, masks = PROBLEMS[name](0, "float64")
    program = Program(Point(net, x, y, masks))
    for line in program.lines:
        for text in (line.text, *line.others):
            for layer in program.run({line.index: text}):
                for k, value in layer:
                    np.testing.assert_allclose(value, program.gradient[k], rtol=1e-9, atol=1e-13)


def test_no_layer_is_without_lines():
    for one in {*classes(Layer), Dropout} - {Activation}:
        assert lines_of(object.__new__(one)).forward
    for name in nn.ACTIVATIONS:
        assert lines_of(Activation(nn.activations.ACTIVATION_FUNCTIONS[name])).forward


def test_every_class_of_layer_is_in_a_problem():
    """So that the comparison above misses none: each class stands in one of the networks."""
    seen = {type(layer) for build in PROBLEMS.values() for layer in build(0, "float64")[0].layers}
    assert {*classes(Layer)} - seen == {nn.layers.Mask}  # what a Dropout becomes: it has its lines


def test_a_layer_without_lines_is_refused():
    class Scale(Layer):
        pass

    net = gl.mlp([2, 3, 2])
    net.layers.insert(1, Scale())
    with pytest.raises(KeyError):
        Program(Point(net, np.ones((4, 2)), np.zeros(4, int)))


def test_what_comes_out_is_called_logits_unless_an_activation_made_it():
    for name, is_logits in (("tanh", True), ("output activation", False)):
        net, x, y, masks = PROBLEMS[name](0, "float64")
        program = Program(Point(net, x, y, masks))
        assert any("dlogits" in line.text for line in program.lines) == is_logits
