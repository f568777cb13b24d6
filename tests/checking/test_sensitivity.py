"""A gradient that is off by a little is called wrong, and never is more certified than is so."""

import numpy as np
import pytest

import gradlab as gl
from tests.checking.smooth_losses import NETWORKS, SMOOTH
from tests.museum import make

TENTHS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
ENDS = (TENTHS[0], TENTHS[-1])
#: An LSTM that is read at every step takes as long as all others: it has its turn in the soak.
SMOOTH_SOME_LATER = [
    pytest.param(name, marks=pytest.mark.soak) if name == "lstm_every_step" else name
    for name in SMOOTH
]
PLACES = ("largest entry", "middle entry", "one tensor", "everywhere")


def spoiled(gradient, tensors, place, delta):
    """Return the gradient with an error, and the names of the tensors that it is in."""
    a, size = gradient.copy(), np.abs(gradient)
    live = [name for name, (lo, hi, _) in tensors.items() if size[lo:hi].max() > 1e-9 * size.max()]
    if place == "everywhere":
        return a * (1 + delta), live
    if place == "one tensor":
        name = live[len(live) // 2]
        lo, hi, _ = tensors[name]
        a[lo:hi] *= 1 + delta
        return a, [name]
    # a middle one of those that count in their tensor
    order = np.argsort(size)
    k = order[-1] if place == "largest entry" else middle(size, tensors, live)
    a[k] *= 1 + delta
    return a, [name for name, (lo, hi, _) in tensors.items() if lo <= k < hi]


def middle(size, tensors, live):
    lo, hi, _ = tensors[live[0]]
    return lo + int(np.argsort(size[lo:hi])[-max(1, (hi - lo) // 4)])


@pytest.mark.parametrize("name", SMOOTH)
def test_right_gradients_are_certified_to_seven_digits(name):
    f, grad, theta, tensors = SMOOTH[name]()
    report = gl.check_function(f, grad, theta, tensors=tensors)
    assert report.verdict == "correct", report
    live = [t.resolution for t in report.tensors.values() if np.abs(t.analytic).max() > 1e-9]
    assert max(live) <= 1e-7, report


@pytest.mark.parametrize("deltas", [ENDS, pytest.param(TENTHS, marks=pytest.mark.soak)], ids=len)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", SMOOTH_SOME_LATER)
def test_an_error_of_one_part_in_a_hundred_thousand_is_called_wrong(name, place, deltas):
    f, grad, theta, tensors = SMOOTH[name]()
    for delta in deltas:
        a, names = spoiled(grad(theta), tensors, place, delta)
        report = gl.check_function(f, lambda _, a=a: a, theta, tensors=tensors)
        assert (report.verdict, report.wrong) == ("wrong", names), (delta, report)
    a, _ = spoiled(grad(theta), tensors, place, 1e-6)
    assert gl.check_function(f, lambda _: a, theta, tensors=tensors).verdict != "correct"


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_by_the_fast_engine_are_as_sensitive(name):
    net, x, y, masks = make(NETWORKS[name](), 12, 0, 4)
    report = gl.check(net, x, y, masks=masks)
    assert report.verdict == "correct", report
    for place in PLACES:
        for delta in (*TENTHS, 1e-6):
            a, names = spoiled(net.unroll(net.gradient(x, y, masks)), net.tensors, place, delta)
            report = gl.check(net, x, y, masks=masks, analytic=net.roll(a))
            if delta == 1e-6:
                assert report.verdict != "correct", (place, report)
            else:
                assert (report.verdict, report.wrong) == ("wrong", names), (place, delta, report)


@pytest.mark.parametrize("place", PLACES)
def test_in_float32_three_per_cent_are_called_wrong(place):
    for name in ("tanh_and_softmax", "sigmoid_and_squares", "wide"):
        net, x, y, _ = make(float32(name), 12, 0)
        tensors = net.tensors
        right = net.unroll(net.gradient(x, y))
        assert gl.check(net, x, y).verdict == "correct"
        for delta in (1e-1, 3e-2):
            a, names = spoiled(right, tensors, place, np.float32(delta))
            report = gl.check(net, x, y, analytic=net.roll(a))
            assert (report.verdict, report.wrong) == ("wrong", names), (name, delta, report)


def float32(name):
    sizes = {"tanh_and_softmax": [4, 7, 6, 3], "sigmoid_and_squares": [4, 6, 5, 2]}
    rest = {"sigmoid_and_squares": {"activation": "sigmoid", "loss": "mse"}}.get(name, {})
    return gl.mlp(sizes.get(name, [10, 20, 4]), dtype="float32", **rest)


def test_a_right_gradient_costs_four_and_a_half_evaluations_an_entry():
    costs = []
    for name in SMOOTH:
        f, grad, theta, tensors = SMOOTH[name]()
        report = gl.check_function(f, grad, theta, tensors=tensors)
        costs.append(report.evaluations / theta.size)
    assert np.median(costs) <= 4.5


@pytest.mark.parametrize("places", [PLACES[:1], pytest.param(PLACES, marks=pytest.mark.soak)])
def test_a_wrong_gradient_costs_twelve_evaluations_an_entry(places):
    costs = []
    for name in SMOOTH:
        f, grad, theta, tensors = SMOOTH[name]()
        for place in places:
            for delta in (0.5, 1e-2, 1e-4):
                a, _ = spoiled(grad(theta), tensors, place, delta)
                report = gl.check_function(f, lambda _, a=a: a, theta, tensors=tensors)
                costs.append(report.evaluations / theta.size)
    assert np.mean(costs) <= 12
