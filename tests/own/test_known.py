"""The layers that gradlab knows the lines of: backward is the slope of forward, for every one."""

from collections import namedtuple

import numpy as np
import pytest

from gradlab.own.code import LayerCode
from gradlab.own.known import ALL, DENSE, EPS
from gradlab.own.match import (
    LayerListing,
    Match,
    Place,
    _candidates,
    _orders,
    _padding,
    _small_numbers,
    drawn_places,
    fewer,
    recognise,
    resized,
)

SIZES = {"N": 4, "D": 3, "M": 2, "T": 5, "A": 2, "B": 3, "C": 2, "K": 3, "H": 4, "V": 6, "F": 2,
         "KH": 3, "KW": 3, "G": 16, "1": 1}  # fmt: skip
IDS = [f"{k} {known.lines.name} {known.inputs.get('x')}" for k, known in enumerate(ALL)]


def sizes_of(known):
    sizes = dict(SIZES)
    if "reshape(N, -1)" in known.lines.forward:  # all of an example's numbers
        sizes["D"] = int(np.prod([sizes[c] for c in known.inputs["x"].split()[1:]]))
    return sizes


def given(known, seed=0):
    """Return a match of a known layer, under its own names, and inputs for it."""
    rng, sizes = np.random.default_rng(seed), sizes_of(known)
    inputs = {}
    for role, shape in known.inputs.items():
        size = (4, 3) if shape is None else [sizes[c] for c in shape.split()]
        inputs[role] = rng.uniform(0.2, 0.9, size) * rng.choice([-1.0, 1.0], size)
        if role == "y":  # targets that any of the losses takes
            inputs[role] = np.abs(inputs[role])
            inputs[role] /= inputs[role].sum(axis=-1, keepdims=True)
    if known.labels:
        classes = sizes["V"] if known.is_index else sizes["K"]
        inputs["labels"] = rng.integers(0, classes, 4)
    listing = LayerListing(known, [*known.inputs])
    made = {line.target for line in listing.lines}  # of a mask, say, there is no gradient
    listing.grads = {d: role for d, role in listing.grads.items() if d in made}
    labels = "labels" if known.labels else ""
    eps = 1e-3 if known.has_eps else 0.0
    return Match(known, {r: r for r in known.inputs}, labels, eps, listing, 1), inputs


def projected(match, inputs, above):
    return sum(np.sum(a * out) for a, out in zip(above, match.outputs(inputs), strict=True))


@pytest.mark.every_case
@pytest.mark.parametrize("known", ALL, ids=IDS)
def test_the_backward_lines_are_the_slopes_of_the_forward_lines(known):
    match, inputs = given(known)
    rng = np.random.default_rng(1)
    above = [rng.standard_normal(np.shape(out)) for out in match.outputs(inputs)]
    grads = match.program(Place(inputs, above)).gradient
    assert set(grads) >= {role for role in known.inputs if role not in ("y", "mask")}
    for role, grad in grads.items():
        assert np.shape(grad) == inputs[role].shape, role
        for _ in range(3):
            along = rng.standard_normal(inputs[role].shape)
            up, down = (
                projected(match, {**inputs, role: inputs[role] + sign * 1e-6 * along}, above)
                for sign in (1, -1)
            )
            assert np.sum(grad * along) == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-7)


@pytest.mark.every_case
@pytest.mark.parametrize("known", ALL, ids=IDS)
def test_one_example_fewer_is_one_row_less_of_all_that_has_examples(known):
    match, inputs = given(known)
    above = [np.ones(np.shape(out)) for out in match.outputs(inputs)]
    place = fewer(match, Place(inputs, above))
    if not known.examples:
        assert "N" not in str(known.inputs.get("x")).split()
        assert place is None
        return
    outs = match.outputs(place.inputs)
    assert [np.shape(out) for out in outs] == [a.shape for a in place.above]
    for role, axis in known.examples.items():
        if role == known.labels:
            assert len(place.inputs["labels"]) == 3
        elif role in known.inputs:
            assert inputs[role].shape[axis] - place.inputs[role].shape[axis] == 1, role
            shape = known.inputs[role]
            assert shape is None or shape.split()[axis] in ("N", "T", "D") or role == "q"
        else:
            k = known.outs.index(role)
            assert above[k].shape[axis] - place.above[k].shape[axis] == 1
    match.program(place)  # and it runs


def test_of_two_examples_there_is_one_more():
    match, inputs = given(DENSE[0])
    two = {**inputs, "x": inputs["x"][:2]}
    place = fewer(match, Place(two, [np.ones((2, 2))]))
    assert place.inputs["x"].shape == (3, 3)
    assert np.array_equal(place.inputs["x"][2], 0.7 * two["x"][0])
    assert np.array_equal(place.inputs["x"][:2], two["x"])
    three = {**inputs, "x": inputs["x"][:3]}
    assert np.array_equal(fewer(match, Place(three, [np.ones((3, 2))])).inputs["x"], three["x"][:2])
    single = {**inputs, "x": np.array(1.0)}
    assert fewer(match, Place(single, [np.ones(2)])) is None


def test_small_numbers_are_tried_as_often_as_people_write_them():
    assert EPS[0] == 1e-5
    assert sorted(EPS, reverse=True) == [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12, 0.0]


# -- which layer somebody's forward is -----------------------------------------------------------

rng = np.random.default_rng(0)
X, W, B = rng.standard_normal((5, 3)), rng.standard_normal((3, 4)), rng.standard_normal(4)


def dense(x, W, b):
    return x @ W + b, (x, W)


def dense_backward(dout, cache):
    x, W = cache
    return dout @ W.T, x.T @ dout, dout.sum(axis=0)


def code(forward=dense, backward=dense_backward, inputs=(X, W, B)):
    return LayerCode(forward, backward, inputs)


def test_a_layer_is_recognised_by_its_numbers_and_not_by_its_names():
    def other(images, kernel, shift):
        return shift + images @ kernel, (images, kernel)

    (match,) = recognise(code(other))
    assert match.known is DENSE[0]
    assert match.roles == {"x": "images", "W": "kernel", "b": "shift"}
    assert [*recognise(code(lambda x, W, b: (x @ W + 1.001 * b, (x, W))))] == []
    assert [*recognise(code(lambda x, W, b: (x @ W + b + 1e-9, (x, W))))] == []
    single = [np.float32(v) for v in (X, W, B)]
    assert [m.known for m in recognise(code(inputs=single))] == [DENSE[0]]


def test_a_layer_that_only_works_on_its_own_inputs_is_none():
    def only_here(x, W, b):
        assert np.array_equal(x, X)
        return dense(x, W, b)

    assert [*recognise(code(only_here))] == []


def test_other_places_are_near_and_have_other_numbers_from_above():
    own = code()
    places = drawn_places(own)
    assert len(places) == 3
    for place in places:
        assert list(place.inputs) == ["x", "W", "b"]
        far = place.inputs["x"] - X
        assert 0.2 < far.std() < 0.8
        assert place.above[0].shape == (5, 4)
        assert not np.array_equal(place.above[0], own.above[0])
    assert not np.array_equal(places[0].inputs["x"], places[1].inputs["x"])
    assert not np.array_equal(places[0].above[0], places[1].above[0])

    def squared(out, y):
        return 0.5 * np.sum((out - y) ** 2)

    loss = LayerCode(squared, lambda out, y: out - y, (X, rng.integers(0, 3, (5, 3))))
    for place in drawn_places(loss):
        assert place.above is loss.above  # nothing stands above it
        assert np.array_equal(place.inputs["y"], loss.inputs["y"])


def test_sizes_are_larger_by_one_in_turn():
    own = code()
    (match,) = recognise(own)
    shapes = [{k: v.shape for k, v in place.inputs.items()} for place in resized(match, own)]
    assert shapes == [
        {"x": (5, 4), "W": (4, 4), "b": (4,)}, {"x": (5, 3), "W": (3, 5), "b": (5,)},
    ]  # fmt: skip
    for place in resized(match, own):
        assert place.above[0].shape == (5, place.inputs["b"].size)

    def fixed(x, W, b):
        assert x.shape[1] == 3
        return dense(x, W, b)

    (match,) = recognise(code(fixed))
    assert [p.inputs["W"].shape for p in resized(match, code(fixed))] == [(3, 5)]


def test_which_orders_of_the_inputs_fit():
    own = code()
    assert [*_orders(own, DENSE[0])] == [("x", "W", "b")]
    square = code(inputs=(X[:3], W[:, :3], B[:3]))
    assert [*_orders(square, DENSE[0])] == [("x", "W", "b"), ("W", "x", "b")]
    assert [*_orders(own, DENSE[2])] == []  # (1, M)
    row = code(inputs=(X, W, B[None]), backward=lambda dout, cache: (
        *dense_backward(dout, cache)[:2], dout.sum(axis=0, keepdims=True)))  # fmt: skip
    assert [*_orders(row, DENSE[2])] == [("x", "W", "b")]
    names = "abcdefg"
    many = LayerCode(
        lambda a, b, c, d, e, f, g: a + b + c + d + e + f + g,
        lambda dout: (dout,) * 7, tuple(np.ones(2) for _ in names),
    )  # fmt: skip
    any_shape = namedtuple("Any", "inputs")(dict.fromkeys(names))
    assert [*_orders(many, any_shape)] == [tuple(names)]  # of seven only the order given


def test_a_number_that_stands_in_forward_is_tried_first_as_eps():
    def norm(x, gamma, beta, settings, eps=3e-4, big=0.1, less=-1e-3):
        return x * gamma + beta + settings["delta"] * 0, (x, gamma)

    def backward(dout, cache):
        x, gamma = cache
        return dout * gamma, (dout * x).sum(axis=0), dout.sum(axis=0)

    own = LayerCode(norm, backward, (X, B[:3], B[:3], {"delta": 2e-6, "n": 0, "a": 0.0, "b": 0.09}))
    assert _small_numbers(own) == [3e-4, 2e-6, 0.0, 0.09, *EPS[:-1]]
    own.forward = max  # has no signature
    assert _small_numbers(own) == [2e-6, 0.0, 0.09, *EPS[:-1]]


def test_a_frame_around_images_is_read_off_the_sizes():
    conv = next(known for known in ALL if "KH" in (known.inputs.get("W") or ""))
    roles = {"x": "x", "W": "W", "b": "b"}
    images, kernel = np.ones((2, 1, 5, 9)), np.ones((3, 1, 3, 3))
    for rows, padding in ((3, 0), (5, 1), (7, 2), (2, 0)):
        shapes = [(2, 3, rows, rows + 4)]
        own = namedtuple("Own", "inputs shapes")({"x": images, "W": kernel}, shapes)
        assert _padding(own, conv, roles) == padding
    flat = namedtuple("Own", "inputs shapes")({"x": images, "W": kernel}, [(2, 3)])
    assert _padding(flat, conv, roles) == 0
    assert _padding(own, DENSE[0], roles) == 0


def test_only_layers_with_as_many_inputs_and_lines_for_all_that_is_checked_are_tried():
    assert {len(match.known.inputs) for match in _candidates(code())} == {3}
    partly = code(backward=lambda dout, cache: (dout @ cache[1].T, None, None))
    assert {tuple(match.listing.grads) for match in _candidates(partly)} == {("dx",)}
    labelled = LayerCode(lambda x, y: np.sum(x[y]), lambda dout, x, y: dout * np.ones_like(x),
                         (X, np.array([0, 1])))  # fmt: skip
    assert {bool(match.labels) for match in _candidates(labelled)} == {True}
    two = LayerCode(lambda x, y, z: np.sum(x[y]), lambda dout, x, y, z: dout * np.ones_like(x),
                    (X, np.array([0, 1]), np.array([0, 1])))  # fmt: skip
    assert [*_candidates(two)] == []
