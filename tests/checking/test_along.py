"""The loss along one parameter, against the network's own loss and kinks found by hand."""

import numpy as np
import pytest

from gradlab.checking.along import FunctionAlong, LossAlong
from gradlab.nn.network import Point
from tests.checking.cases import case

T = np.linspace(-3, 3, 61)


@pytest.mark.parametrize("entry", [0, 7])
def test_the_loss_along_an_entry_is_the_networks_own(entry):
    net, x, y = case((4, 5, 3), activation="relu", l2=0.1)
    taken, losses = LossAlong(Point(net, x, y, None), "W1", entry).losses(T)
    moved = net.copy()
    for t, loss in zip(taken, losses, strict=True):
        moved.params["W1"] = net.params["W1"].copy()
        moved.params["W1"].flat[entry] += t
        assert np.isclose(loss, moved.loss(x, y), rtol=1e-12)
    np.testing.assert_allclose(taken, T, atol=1e-15)


def test_kinks_lie_where_a_pre_activation_is_0():
    """z = x W + b moves by t * x[:, 1] in unit 2 when W[1, 2] moves by t."""
    net, x, y = case((4, 5, 3), n=12, activation="relu")
    z = x @ net.params["W1"] + net.params["b1"]
    at = np.sort(-z[:, 2] / x[:, 1])
    at = at[(T[0] < at) & (at < T[-1])]
    assert len(at) > 5
    kinks = LossAlong(Point(net, x, y, None), "W1", 1 * 5 + 2).kinks(T)
    np.testing.assert_allclose(kinks, at, atol=0.1 / 8**4)


def test_a_smooth_loss_and_a_function_have_no_kinks_to_tell():
    net, x, y = case((4, 5, 3))
    assert LossAlong(Point(net, x, y, None), "W1", 0).kinks(T).size == 0
    along = FunctionAlong(lambda theta: float((theta**2).sum()), np.array([1.0, 2.0]), 1)
    assert along.kinks(T).size == 0
    np.testing.assert_allclose(along.losses(T)[1], 1 + (2 + T) ** 2)
