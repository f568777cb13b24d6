"""A cause in the caller's names, and a line as it is written in numpy."""

from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.own.cause import Finder, _as_statement, _other_names, _words
from gradlab.own.code import LayerCode
from gradlab.own.factors import examples_of
from gradlab.own.match import Place

A = np.arange(6.0).reshape(3, 2) + 1


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("dW = add_at(W, at, dout)", "np.add.at(dW, at, dout)"),
        ("dW = put_at(W, at, dout)", "dW[at] += dout"),
        ("dW = x.T @ dout", "dW = x.T @ dout"),
    ],
)
def test_rows_that_are_added_at_an_index_are_written_as_in_numpy(line, written):
    assert _as_statement(line) == written


def test_the_words_of_lines():
    assert _words(["dW = x_1.T @ dout", "# a"]) == {"dW", "x_1", "T", "dout", "a"}


def cause(said, name, *edits):
    edits = edits or (SimpleNamespace(name=name, wrong="w"),)
    return SimpleNamespace(edits=edits, said=said)


def test_a_factor_under_the_other_names_that_hold_everywhere():
    first = cause("by N", "N")
    assert _other_names([first, cause("by 5", "5"), cause("by 5", "5"), cause("again", "N")]) == (
        "by 5",
    )
    other = cause("another line", "5", SimpleNamespace(name="5", wrong="v"))
    two = cause(
        "two", "", SimpleNamespace(name="5", wrong="w"), SimpleNamespace(name="5", wrong="w")
    )
    assert _other_names([first, other, two]) == ()
    assert _other_names([two, first]) == ()
    assert _other_names([cause("none", ""), first]) == ()


def finder(dtype=float):
    code = LayerCode(lambda x: x**2, lambda dout, x: 2 * dout * x, (A.astype(dtype),))
    return Finder(code, code.above)


def test_two_gradients_are_the_same_to_the_last_digits_of_their_type():
    for dtype, allowed in ((float, 1e-7), (np.float32, 1e-3)):
        one = finder(dtype)
        far = allowed * np.linalg.norm(A)
        for share, is_same in ((0.98, True), (1.02, False)):
            moved = A.copy()
            moved[0, 0] += share * far
            assert one._same(moved.ravel(), A) == is_same
    assert finder()._same(np.zeros(2), np.zeros(2))
    assert finder()._same(np.array([0.9e-12]), np.zeros(1))  # of nothing: round-off
    assert not finder()._same(np.ones(2) * 1e-9, np.zeros(2))


def test_a_cause_must_agree_at_two_other_places_at_least():
    match = SimpleNamespace(program=lambda place: place.inputs, roles={"x": "images"})
    right = SimpleNamespace(apply=lambda inputs: {"x": inputs["images"] * 3})
    places = [(Place({"images": A * k}, []), {"images": A * k * 3}) for k in range(1, 4)]
    one = finder()
    assert one._agrees(right, match, places)
    assert one._agrees(right, match, places[:2])
    assert not one._agrees(right, match, places[:1])
    wrong = SimpleNamespace(apply=lambda inputs: {"x": inputs["images"] ** 2})
    assert not one._agrees(wrong, match, places)
    fails = SimpleNamespace(apply=lambda inputs: {"x": inputs["other"]})
    assert not one._agrees(fails, match, places)


def test_of_directions_no_line_is_looked_for():
    report = gl.check_layer(lambda x: x**2, lambda dout, x: 3 * dout * x, A, method="directional")
    assert report.verdict == "wrong"
    assert finder().find(report) == []


def test_the_number_of_examples_is_that_of_the_first_axis():
    code = finder().code
    assert examples_of(code) == 3
    assert examples_of(code, SimpleNamespace(inputs={"x": np.ones((7, 2))})) == 7
    single = LayerCode(lambda x: x**2, lambda dout, x: 2 * dout * x, (np.array(2.0),))
    assert examples_of(single) is None
