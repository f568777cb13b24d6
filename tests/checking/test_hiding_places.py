"""What a check could not have seen, of a few numbers: how large a change, at which layers."""

from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.exhibit import Spot, always
from gradlab.checking.diagnosis.blind_spots import (
    NEVER_WRONG,
    UNDECIDED,
    USUAL,
    Trace,
    _at_layers,
    _change,
    _sizes,
    _swamped,
    _unseen,
    blind_spots,
    hiding_places,
    traces,
)
from gradlab.nn.network import Point

RIGHT = {"W": np.array([[4.0, -2.0], [0.0, 1.0]]), "b": np.array([0.5, -0.25])}


def seen(within, entries=None):
    """Return what a check saw of W: how far each entry may be off, over the largest."""
    return {"W": SimpleNamespace(within=np.asarray(within, float), entries=entries)}


def test_a_tensor_has_the_size_of_its_largest_entry():
    assert _sizes(RIGHT) == {"W": 4.0, "b": 0.5}
    small = {"W": RIGHT["W"], "b": np.array([3e-9, 0.0]), "c": np.array([5e-9])}
    assert _sizes(small) == {"W": 4.0, "b": 4e-9, "c": 5e-9}
    assert _sizes({"W": np.zeros(2)})["W"] == np.finfo(float).tiny


def test_a_change_is_of_the_entries_that_were_checked_over_the_largest():
    other = {"W": RIGHT["W"] + [[0.0, 1.0], [-2.0, 0.0]], "b": RIGHT["b"] * 3}
    assert _change(other, RIGHT, {}).tolist() == [0, 0.25, 0.5, 0, 2, 1]
    some = seen(np.zeros(2), np.array([2, 1]))
    assert _change(other, RIGHT, some).tolist() == [0.5, 0.25, 2, 1]


def test_what_would_not_be_seen_is_as_much_as_an_entry_may_be_off():
    within = [[1e-5, 1e-3], [0.5, np.inf]]
    found = _unseen(RIGHT, seen(within))
    assert found.tolist() == [1e-5, 1e-3, UNDECIDED, UNDECIDED, USUAL, USUAL]
    assert _unseen(RIGHT, {}).tolist() == [USUAL] * 6
    exact = _unseen(RIGHT, seen(np.zeros(4)))
    assert exact.tolist() == [1e-12] * 4 + [USUAL] * 2  # rounding hides this much
    tiny = {"W": RIGHT["W"], "b": np.array([4e-9])}
    assert _unseen(tiny, {"b": SimpleNamespace(within=np.zeros(1), entries=None)})[-1] == (
        pytest.approx(1e-12 * 4.0 / 4e-9)
    )


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("by_bug", "shown", "where"),
    [
        ({"one": {2}}, {"one"}, "at layer 2"), ({"one": {2}}, set(), ""),
        ({"one": {3, 1}}, {"one", "other"}, "at layer 1, 3"),
        ({"one": {1}, "two": {2}}, {"one"}, ""),  # of two nobody knows where it shows
        ({"one": {1}, "two": {2}}, {"one", "two"}, "at layer 1, 2"),
        ({"one": {None}}, {"one"}, ""), ({"one": {None, 2}}, {"one"}, "at layer 2"),
    ],
)  # fmt: skip
def test_a_layer_is_named_if_the_bug_shows_at_another(by_bug, shown, where):
    assert _at_layers(by_bug, shown) == where


HIDES = Spot(always, "all is flat", "a wrong slope,", "bend it")
OTHER = Spot(always, "", "another bug", "look there", surely=True)


def point(**settings):
    net = gl.mlp([2, 3, 2], seed=0, **settings)
    rng = np.random.default_rng(0)
    return Point(net, rng.standard_normal((4, 2)), np.array([0, 1, 1, 0]), None)


def test_each_reason_is_told_once_and_says_where():
    at = point()
    size = at.net.theta.size
    hidden, shows = np.full(size, USUAL), np.full(size, USUAL)
    shows[3] *= 1.01
    nan = np.full(size, np.nan)
    tell = lambda *known: [spot.sentence for spot in hiding_places(at, {}, [*known])]  # noqa: E731
    first, second = Trace("slope", 1, HIDES, hidden), Trace("slope", 2, HIDES, shows)
    said = "all is flat: a wrong slope, may not show; bend it"
    assert tell(first) == [said]
    assert tell(first, second) == [f"at layer 1, {said}"]
    assert tell(first, first._replace(layer=2)) == [said]
    assert tell(second) == tell(first._replace(change=nan)) == tell(first._replace(spot=None)) == []
    assert tell(first, Trace("x", None, OTHER, hidden)) == [
        said, "another bug would not show; look there",
    ]  # fmt: skip
    (told,) = hiding_places(at, {}, [first, second])
    assert told.caveat == "blind at layer 1 to a wrong slope: all is flat"
    assert told.cure == "bend it"
    (told,) = hiding_places(at, {}, [first])
    assert told.caveat == "blind to a wrong slope: all is flat"
    drawn = at._replace(masks=np.random.default_rng(0))
    assert hiding_places(drawn, {}, [first]) == []
    assert [*traces(drawn, {})] == []


def test_the_traces_of_known_bugs_are_what_they_change():
    at = point()
    right = at.net.gradient(at.x, at.y)
    found = {(t.bug, t.layer): t.change for t in traces(at, {})}
    flipped = {name: -g for name, g in right.items()}
    np.testing.assert_allclose(found["flipped_sign", None], _change(flipped, right, {}))
    size = at.net.theta.size
    assert found["bias_mean", 1].size == size
    assert (found["bias_mean", 2] > 1e-12).tolist() == [False] * (size - 2) + [True] * 2


def test_where_a_gradient_is_0_code_that_returns_0_would_not_show():
    at = point()
    right = at.net.gradient(at.x, at.y)
    told = blind_spots(at, right | {"b1": 0 * right["b1"], "W2": 0 * right["W2"]}, {}, [])
    assert [one.sentence for one in told] == [
        "the gradient of b1, W2 is exactly 0: code that returns 0 there would not show; check at "
        "other parameters",
    ]  # fmt: skip
    assert (
        told[0].caveat == "blind to code that returns 0 there: the gradient of b1, W2 is exactly 0"
    )
    assert blind_spots(at, right, {}, []) == ()
    assert isinstance(told, tuple)


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_l2_swamps_the_rest_where_a_flipped_sign_of_it_is_not_seen(share):
    """Of W1 the data's part, flipped, makes a change of twice its share of the largest entry."""
    at = point(l2=1.0)
    net = at.net
    penalty = net.params["W1"]
    largest = np.abs(penalty).max()
    data = np.zeros(penalty.shape)
    where = np.unravel_index(np.abs(penalty).argmin(), penalty.shape)
    for limit, within in ((USUAL, None), (NEVER_WRONG, 0.0), (1e-3, 1e-3)):
        data[where] = share * limit * largest
        gradient = {"W1": penalty + data, "b1": np.ones(3), "W2": 0 * net.params["W2"] + 7.0}
        known = (
            {}
            if within is None
            else {"W1": SimpleNamespace(within=np.full(penalty.size, within), entries=None)}
        )
        told = _swamped(net, gradient, known)
        assert len(told) == (share < 0.5), limit
        for spot in told:
            assert spot.reason == "L2 makes up nearly all of the gradient of W1"
            assert spot.cure == "check with l2=0 first"
    assert _swamped(net.replace(l2=0.0), gradient, known) == []
