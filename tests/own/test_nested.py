"""Arrays in dicts, lists and objects: their paths, their gradients, and what stays as it was."""

from collections import namedtuple
from types import MappingProxyType

import numpy as np
import pytest

import gradlab as gl
from gradlab.own.check_arrays import MOST_NAMES, _in_words, _is_laid_out, _some
from gradlab.own.gradients import Gradients
from gradlab.own.kept import kept
from gradlab.own.nested import Nested, children, join, numbers_in, overlapping, shown

Pair = namedtuple("Pair", "a b")


class Net:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


W, B = np.arange(6.0).reshape(2, 3), np.ones(3)


def strided(shape, strides):
    return np.lib.stride_tricks.as_strided(np.ones(9), shape, strides)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("path", "key", "joined"),
    [("", "W", "W"), ("a", "W", "a.W"), ("a", 0, "a[0]"), ("", 0, "[0]"), ("a", "x y", "a['x y']"),
     ("", "class", "['class']"), ("a", (1, 2), "a[(1, 2)]")],
)  # fmt: skip
def test_the_path_of_a_part(path, key, joined):
    assert join(path, key, None) == joined


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("path", "name"), [("W", "W"), ("[0].W", "arrays[0].W"), ("", "theta"), ("a[0]", "a[0]")]
)
def test_a_path_as_the_report_names_it(path, name):
    assert shown(path) == name


def test_what_has_parts_and_what_is_a_leaf():
    assert children({"a": 1}) == [("a", 1)]
    assert children(MappingProxyType({"a": 1})) == [("a", 1)]
    assert children([5, 6]) == children((5, 6)) == [(0, 5), (1, 6)]
    assert children(Pair(1, 2)) == [("a", 1), ("b", 2)]
    assert children(Net(x=1)) == [("x", 1)]
    for leaf in (W, 3, "text", None, len, Net, np, Net().__init__):
        assert children(leaf) is None


def test_a_structure_by_its_paths_with_what_stands_in_two_places():
    layer = Net(W=W, b=B)
    tree = Nested({"layers": [layer, Pair(W, {"x": 1})], "first": layer, "n": 3})
    names = ["layers[1].a", "layers[1].b.x", "first.W", "first.b", "n"]
    assert [*tree.leaves] == names  # by the name that is nearest to the root
    assert tree.again == {"layers[0]": "first"}
    assert tree.first_path("layers[0].W") == "first.W"
    assert tree.first_path("layers[0]") == "first"
    assert tree.first_path("layers[0]2.W") == "layers[0]2.W"
    assert tree.lengths == {"layers": 2, "layers[1]": 2}
    assert len(tree.containers) == 5
    ring = {"W": W}
    ring["self"] = ring
    around = Nested(ring)
    assert [*around.leaves] == ["W"]
    assert around.again == {"self": ""}
    assert around.first_path("self.W") == "W"
    whole = Nested({"a": [1], "b": [2]}, lambda path: path == "a")
    assert whole.leaves == {"a": [1], "b[0]": 2}


def test_copies_of_a_structure_with_other_leaves():
    layer = Net(W=W, b=B, n=3)
    root = {"l": [layer, Pair(W, (B,))], "again": layer, "view": MappingProxyType({"x": B})}
    tree = Nested(root)
    new = tree.with_copies({"l[1].a": 2 * W, "again.W": 3 * W, "l[0].W": 3 * W})
    assert new is not root
    assert np.array_equal(new["l"][1].a, 2 * W)
    assert isinstance(new["l"][1], Pair)
    assert new["l"][0] is new["again"]
    assert new["again"] is not layer
    assert np.array_equal(new["again"].W, 3 * W)
    assert new["again"].b is not B
    assert np.array_equal(new["again"].b, B)
    assert new["again"].n == 3
    assert isinstance(new["view"], dict)
    assert np.array_equal(layer.W, W)

    class Stubborn(Net):
        def __copy__(self):
            raise TypeError

    held = {"file": Stubborn(x=B)}
    assert Nested(held).with_copies({})["file"] is held["file"]


def test_arrays_and_floats_have_numbers_and_share_memory_or_not():
    assert numbers_in(3.0).shape == ()
    assert numbers_in(W) is W
    assert numbers_in(np.arange(3)) is numbers_in(3) is numbers_in("a") is None
    parts = {"a": W[:1], "b": W[1:], "c": W[:, 1:2], "d": B}
    assert [*overlapping(parts, parts)] == [("a", "c"), ("b", "c"), ("c", "a"), ("c", "b")]
    interleaved = {"even": W.ravel()[::2], "odd": W.ravel()[1::2]}
    assert [*overlapping(interleaved, interleaved)] == []


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("array", "is_one"),
    [
        (W, True), (W.T, True), (W[:, ::-1], True), (W[::2], True), (np.ones((1, 3)), True),
        (np.broadcast_to(B, (2, 3)), False), (strided((2, 2), (8, 8)), False),
        (strided((3, 2), (16, 8)), True), (strided((3, 3), (16, 8)), False), (np.array(1.0), True),
    ],
)  # fmt: skip
def test_whether_each_entry_has_a_place(array, is_one):
    assert _is_laid_out(array) == is_one


# -- gradients -----------------------------------------------------------------------------------


def read(arrays, answer):
    gradients = Gradients(Nested(arrays))
    return gradients, gradients.read(answer, "grads")


@pytest.mark.every_case
@pytest.mark.parametrize("name", ["dW", "d_W", "grad_W", "g_W", "W_grad", "W"])
def test_the_names_that_a_gradient_may_have(name):
    gradients, found = read({"W": W, "b": B}, {name: 2 * W})
    assert [*found] == ["W"]
    assert np.array_equal(found["W"], 2 * W)
    assert gradients.called == ({} if name == "W" else {name: "W"})


def test_gradients_beside_their_arrays_by_path_and_none():
    root = {"W": W, "b": B, "dW": 3 * W, "other": B}
    _, found = read(root, root)
    assert [*found] == ["W"]
    assert np.array_equal(found["W"], 3 * W)
    nested = {"layers": [{"W": W}, {"W": W.copy(), "b": B}]}
    _, found = read(nested, {"layers": [None, {"W": W, "b": None}]})
    assert [*found] == ["layers[1].W"]
    _, found = read(nested, {"layers[1].b": 2 * B, "layers[0].W": W})
    assert [*found] == ["layers[0].W", "layers[1].b"]  # in the arrays' order
    _, found = read({"a": W, "b": B}, {"a": np.float32(W), "b": B})
    assert {g.dtype for g in found.values()} == {np.dtype("float32")}
    _, found = read({"a": W}, {"a": np.ones((2, 3), int)})
    assert found["a"].dtype == float


def test_one_array_under_two_names_is_counted_once():
    gradients = Gradients(Nested({"a": W, "b": W, "c": W[:, :2], "d": 1.5}))
    assert [*gradients.floats] == ["a", "c", "d"]
    assert gradients.once == {"b": "a"}
    assert [*gradients.read({"b": 2 * W}, "grads")] == ["a"]
    with pytest.raises(ValueError, match=r"one gradient of a, .*two that differ, the second as b"):
        gradients.read({"a": W, "b": 2 * W}, "grads")
    copies = gradients.structure({"a": 5 * W})
    assert copies["a"] is copies["b"]
    assert np.array_equal(copies["a"], 5 * W)
    assert isinstance(copies["d"], float)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("shape", "given", "is_read"),
    [
        ((3,), (3, 1), True), ((3,), (1, 3), True), ((3, 1), (3,), True), ((1, 3), (3,), True),
        ((3, 1), (1, 3), False), ((2, 3), (3, 2), False), ((2, 3), (6,), False),
        ((3,), (4,), False),
        ((), (1,), True), ((1,), (), True), ((1, 1), (1,), True),
    ],
)  # fmt: skip
def test_which_shapes_hold_the_same_vector(shape, given, is_read):
    arrays = {"a": np.ones(shape)}
    if not is_read:
        with pytest.raises(ValueError, match=r"grads, for a: must have shape"):
            read(arrays, {"a": np.ones(given)})
        return
    gradients, found = read(arrays, {"a": np.ones(given)})
    assert found["a"].shape == shape
    assert gradients.reshaped == {"a": f"{given} for {shape}"}


def test_eight_names_are_told_and_how_many_more_there_are():
    for count, end in ((7, "a6;"), (8, "a7;"), (9, "a7 and 1 more;")):
        with pytest.raises(ValueError, match=f"a0, .*{end} got 'x'$"):
            read({f"a{k}": B.copy() for k in range(count)}, {"x": B})


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("arrays", "answer", "error", "words"),
    [
        ({"W": W}, None, TypeError, "the structure of arrays, got None"),
        ({"W": W}, {"W": None}, ValueError, "a gradient of one of W, got none"),
        ({"Weight": W}, {"Weigth": W}, ValueError, r"got 'Weigth' \(did you mean 'Weight'\?\)"),
        ({"W": W}, W, ValueError, "got one array or number"),
        (
            {"W": W, "n": np.arange(3)},
            {"n": B},
            TypeError,
            "n must be an array .* got ndarray int64",
        ),
        ([W, B], [W], ValueError, r"grads must have 2 entries, .* got 1"),
        ({"l": [W, B]}, {"l": [W]}, ValueError, r"grads.l must have 2 entries"),
        (
            {f"a{k}": B.copy() for k in range(10)},
            {"x": B},
            ValueError,
            "a0, .*, a7 and 2 more; got 'x'",
        ),
        ({"W": W}, {"W": W * np.nan}, ValueError, "grads, for W: must be finite"),
    ],
)
def test_what_belongs_to_no_array_is_named(arrays, answer, error, words):
    with pytest.raises(error, match=words):
        read(arrays, answer)
    if arrays == {"W": W}:
        with pytest.raises(ValueError, match="must not be arrays itself"):
            read(arrays, arrays)


# -- what stays ----------------------------------------------------------------------------------


def test_everything_is_put_back_whatever_happens():
    layer = Net(W=W.copy(), cache=None)
    root = {"layers": [layer], "n": 1}
    tree = Nested(root)
    array = layer.W
    with pytest.raises(KeyError), kept(tree):  # noqa: PT012
        layer.W[:] = 9
        layer.W = np.zeros(2)
        layer.new = 3
        root["layers"].append(4)
        root["n"] = 2
        raise KeyError
    assert layer.W is array
    assert np.array_equal(array, W)
    assert vars(layer).keys() == {"W", "cache"}
    assert root == {"layers": [layer], "n": 1}
    ordered = {"a": W.copy(), "b": B.copy()}
    with kept(Nested(ordered)):
        ordered["a"] = ordered.pop("a")
    assert [*ordered] == ["a", "b"]


def test_words_of_remarks():
    assert _some("abc") == "a, b, c"
    assert _some(map(str, range(MOST_NAMES))).endswith("6, 7")
    assert _some(map(str, range(MOST_NAMES + 2))).endswith("6, 7 and 2 more")
    assert _in_words("grad(theta) after f(theta), f is") == "grads() after loss(), loss() is"
    assert _in_words("the last call of f left") == "the last call of loss() left"


def test_a_report_says_what_was_left_alone_and_how_names_were_read():
    net = {
        "W": W / 5,
        "b": B.copy(),
        "V": B.copy(),
        "n": 3,
        "text": "a",
        "rate": 0.5,
        "ints": np.arange(2),
    }

    def loss():
        return float(np.sum(np.sin(net["W"])) + np.sum(net["b"] ** 2))

    grads = {"dW": np.cos(net["W"]), "b": 2 * net["b"][:, None]}
    with pytest.raises(ValueError, match="the structure of arrays"):
        gl.check_arrays(loss, net, grads)  # names of both kinds
    grads["db"] = grads.pop("b")
    report = gl.check_arrays(loss, net, grads)
    assert report.verdict == "correct"
    assert report.remarks == (
        "not checked, because grads has no gradient for V",
        "left alone, being no arrays of floats: n (int), text (str), rate (float), ints (ndarray)",
        "taken as gradients: dW as that of W, db as that of b",
        "gradients of another shape, read as the same vector: b ((3, 1) for (3,))",
    )
    unread = gl.check_arrays(loss, net, {"W": np.cos(net["W"]), "V": B})
    assert "the loss does not move with V: does it read a copy?" in unread.remarks


def test_a_gradient_under_the_second_name_of_a_layer_is_that_of_the_first():
    layer = Net(W=W)
    _, found = read({"layers": [layer], "first": layer}, {"layers": [Net(W=4 * W)]})
    assert [*found] == ["first.W"]
    assert np.array_equal(found["first.W"], 4 * W)


def test_a_call_that_puts_another_array_in_place_is_named_and_of_copies_it_may():
    net = {"W": W / 5}

    def loss():
        net["W"] = net["W"] * 1.0
        return float(np.sum(np.sin(net["W"])))

    with pytest.raises(ValueError, match="must leave W where it is: after a call another array"):
        gl.check_arrays(loss, net, {"W": np.cos(W / 5)})

    def of_copies(parts):
        parts["W"] = parts["W"] * 1.0
        net["W"] = net["W"] * 1.0
        return float(np.sum(np.sin(parts["W"])))

    assert gl.check_arrays(of_copies, net, {"W": np.cos(W / 5)}).verdict == "correct"
