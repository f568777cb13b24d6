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


@pytest.mark.parametrize("samples", [2, 3, 8, 9, 10, 17, 18, 34])
def test_a_kink_is_found_between_any_two_samples(samples):
    """z = w x + b of one unit is 0 at w = -b / x, and the loss has no other kink."""
    t = np.linspace(-1, 1, samples)
    for pair in (0, samples // 2, samples - 2):
        if pair + 1 >= samples:
            continue
        at = 0.3 * t[pair] + 0.7 * t[pair + 1]
        net, x, y = case((1, 1, 2), 1, activation="relu")
        net.params["b1"][0] = -(net.params["W1"][0, 0] + at) * x[0, 0]
        kinks = LossAlong(Point(net, x, y, None), "W1", 0).kinks(t)
        assert kinks == pytest.approx([at], abs=2 / (samples - 1) / 8**4)


def test_where_many_pairs_have_kinks_each_is_told_by_its_middle_and_of_24_by_its_place():
    t = np.arange(41.0)
    for kinks, places in ((24, 0.3), (25, 0.5)):
        net, x, y = case((1, 1, 2), kinks, activation="relu")
        x[:, 0] = 1 / (np.arange(kinks) + 0.3)  # w x + b is 0 at t = k + 0.3
        net.params |= {"W1": np.zeros((1, 1)), "b1": np.array([-1.0])}
        along = LossAlong(Point(net, x, y, None), "W1", 0)
        np.testing.assert_allclose(along.kinks(t), np.arange(kinks) + places, atol=1 / 8**4)


@pytest.mark.parametrize("room", [1, 100, 1 << 20])
def test_what_one_pass_cannot_hold_is_looked_at_in_parts(room, monkeypatch):
    monkeypatch.setattr("gradlab.checking.along._ROOM", room)
    net, x, y = case((4, 5, 3), n=12, activation="relu")
    z = (x @ net.params["W1"] + net.params["b1"])[:, 2]
    inside = np.sort(-z[np.abs(z) < 2])
    assert len(inside) > 3
    kinks = LossAlong(Point(net, x, y, None), "b1", 2).kinks(np.linspace(-2, 2, 41))
    np.testing.assert_allclose(kinks, inside, atol=0.1 / 8**4)


@pytest.mark.every_case
@pytest.mark.parametrize("name", ["W1", "b1", "gamma1", "beta1", "W2", "b2"])
def test_each_tensor_of_a_layer_is_moved_where_it_stands(name):
    net, x, y = case((3, 4, 2), batch_norm=True)
    for entry in (0, net.params[name].size - 1):
        taken, (loss,) = LossAlong(Point(net, x, y, None), name, entry).losses(np.array([0.25]))
        moved = net.copy()
        moved.params[name] = net.params[name].copy()
        moved.params[name].flat[entry] += taken[0]
        assert loss == pytest.approx(moved.loss(x, y), rel=1e-13)
        # batch norm takes a bias before it away
        assert (abs(loss - net.loss(x, y)) > 1e-6) == (name != "b1")
