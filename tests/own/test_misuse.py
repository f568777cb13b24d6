"""What is handed over wrongly: the error says which argument, what came and what was expected."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl

W, B = np.array([[0.5, -0.2], [0.1, 0.9]]), np.array([0.3, 0.4])
G, GB = np.cos(W), np.cos(B)


def loss():
    return np.sum(np.sin(W)) + np.sum(np.sin(B))


def read_only():
    array = W.copy()
    array.flags.writeable = False
    return array


class Rebinds:
    """A loss that makes a step of training: another array stands in W's place."""

    def __init__(self):
        self.W = W.copy()

    def loss(self):
        self.W = self.W - 0.0
        return np.sum(np.sin(self.W))


def check(**changed):
    arguments = {"loss": loss, "arrays": {"W": W, "b": B}, "grads": {"W": G, "b": GB}, **changed}
    return gl.check_arrays(**arguments)


def rebinds():
    net = Rebinds()
    return check(loss=net.loss, arrays=net, grads={"W": G})


def changing(first, then):
    answers = [first]
    return lambda: answers.pop() if answers else then


BUFFER = np.linspace(0.1, 1, 6)
COPY = W.copy()
NAN = np.array([0.1, np.nan])

# what is called, the error, and the parts of its message
ARRAYS = {
    "no loss": (lambda: check(loss=3.0), TypeError, ["loss must be a function", "float"]),
    "loss of two": (
        lambda: check(loss=lambda x, y: 0.0), TypeError, ["loss must take no argument", "x, y"]),
    "loss of none": (
        lambda: check(loss=lambda: None), TypeError, ["loss() must return a real", "NoneType"]),
    "loss vector": (
        lambda: check(loss=lambda: np.sin(B)), ValueError, ["loss() must return one", "(2,)"]),
    "loss nan": (
        lambda: check(loss=lambda: np.nan * B[0]), ValueError, ["loss() must", "finite", "nan"]),
    "loss pair": (
        lambda: check(loss=lambda: (loss(), {})), TypeError, ["loss() must", "tuple of 2"]),
    "no pair": (
        lambda: check(grads=True), TypeError, ["must return the pair (loss, gradient)", "float64"]),
    "loss of copies": (
        lambda: check(loss=lambda: np.sum(COPY)), ValueError, ["loss must read `arrays`"]),
    "rebinds": (rebinds, ValueError, ["leave W where it is", "another array stands"]),
    "arrays text": (lambda: check(arrays="W"), TypeError, ["arrays must hold", "str"]),
    "arrays none": (lambda: check(arrays=None), TypeError, ["arrays must hold", "NoneType"]),
    "arrays empty": (lambda: check(arrays={}), TypeError, ["arrays must hold", "dict"]),
    "arrays ints": (
        lambda: check(arrays={"W": np.eye(2, dtype=int)}), TypeError, ["arrays must hold", "W"]),
    "float16": (
        lambda: check(arrays={"W": W.astype(np.float16)}, grads={"W": G}), TypeError,
        ["W must be an array of float64 or float32", "float16"]),
    "ints with a gradient": (
        lambda: check(arrays={"W": W, "b": np.arange(2)}), TypeError,
        ["b must be an array of float64", "int64"]),
    "two precisions": (
        lambda: check(arrays={"W": W, "b": B.astype(np.float32)}), TypeError,
        ["one type", "float64", "float32"]),
    "read-only": (
        lambda: check(arrays={"W": read_only(), "b": B}), ValueError,
        ["arrays['W'] must be writeable", "read-only"]),
    "a number": (
        lambda: check(arrays={"W": W, "b": 0.5}, grads={"W": G, "b": 0.1}), TypeError,
        ["b must be an ndarray", "float", "copies"]),
    "broadcast": (
        lambda: check(loss=lambda p: loss(), arrays={"b": np.broadcast_to(0.5, (2,))},
                      grads={"b": GB}), ValueError, ["b must have a place for each entry", "(0,)"]),
    "sliding": (
        lambda: check(loss=lambda p: loss(), grads={"b": np.ones((2, 5))},
                      arrays={"b": np.lib.stride_tricks.as_strided(BUFFER, (2, 5), (8, 8))}),
        ValueError, ["b must have a place for each entry", "(2, 5)"]),
    "nan": (lambda: check(arrays={"W": W, "b": NAN}), ValueError, ["'b'", "finite", "nan"]),
    "empty": (
        lambda: check(arrays={"W": W, "b": W[:, :0]}, grads={"W": G, "b": W[:, :0]}), ValueError,
        ["b must have entries", "(2, 0)"]),
    "overlap": (
        lambda: check(arrays={"W": W, "b": W[0]}), ValueError, ["W and b share memory"]),
    "reshaped": (
        lambda: check(arrays={"W": W, "b": W.ravel()}, grads={"W": G, "b": G.ravel()}),
        ValueError, ["W and b share memory"]),
    "overlap of copies": (
        lambda: check(loss=lambda p: loss(), arrays={"W": W, "b": W[0]}, grads={"W": G}),
        ValueError, ["W and b share memory"]),
    "two gradients of one": (
        lambda: check(arrays={"W": W, "V": W}, grads={"W": G, "V": 2 * G}), ValueError,
        ["one gradient of W", "two that differ", "V"]),
    "grads none": (lambda: check(grads=None), TypeError, ["grads must have the struct", "None"]),
    "grads() none": (
        lambda: check(grads=lambda: None), TypeError, ["grads() must have the struct", "None"]),
    "grads array": (
        lambda: check(grads=G), ValueError, ["grads must have the struct", "W, b", "one array"]),
    "grads list": (
        lambda: check(grads=[G, GB]), ValueError, ["grads must have the struct", "W, b", "'[0]'"]),
    "grads false": (lambda: check(grads=False), ValueError, ["grads must have the", "one array"]),
    "grads empty": (lambda: check(grads={}), ValueError, ["grads", "one of W, b", "got none"]),
    "grads all None": (lambda: check(grads={"W": None}), ValueError, ["got none"]),
    "grads typo": (
        lambda: check(arrays={"weight": W}, grads={"wieght": G}), ValueError,
        ["'wieght'", "did you mean 'weight'"]),
    "grads of a copy": (
        lambda: check(arrays={"W": W, "b": B, "n": "x"}, grads={"W": G, "n": GB}), TypeError,
        ["n must be an array", "str"]),
    "grads short": (
        lambda: check(arrays=[W, B], grads=[G]), ValueError, ["grads must have 2 entries", "1"]),
    "grads long": (
        lambda: check(arrays={"a": [W]}, grads={"a": (G, GB)}), ValueError,
        ["grads.a must have 1 entries", "2"]),
    "grads itself": (
        lambda: gl.check_arrays(loss, *[{"W": W, "b": B}] * 2), ValueError,
        ["grads must not be arrays itself", "W, b"]) ,
    "one object": (
        lambda: gl.check_arrays(loss, *[SimpleNamespace(W=W)] * 2), ValueError,
        ["grads must not be arrays itself"]),
    "grads transposed": (
        lambda: check(arrays={"W": W[:1]}, grads={"W": G[:1].T}), ValueError,
        ["grads, for W: must have shape (1, 2)", "(2, 1)"]),
    "grads nan": (
        lambda: check(grads={"W": G, "b": NAN}), ValueError, ["for b: must be finite", "nan"]),
    "grads text": (
        lambda: check(grads={"W": "W"}), TypeError, ["for W: must hold real numbers"]),
    "grads ragged": (
        lambda: check(grads={"W": [[1.0], [1.0, 2.0]]}), ValueError, ["for W:", "different len"]),
    "grads complex": (lambda: check(grads={"W": G + 0j}), TypeError, ["for W:", "complex128"]),
    "grads of two": (
        lambda: check(grads=lambda x, y: {}), TypeError, ["grads must take no argument", "x, y"]),
    "grads change": (
        lambda: check(grads=changing({"W": G}, {"b": GB})), ValueError,
        ["the same gradients at every call", "first W, then b"]),
    "eps": (lambda: check(eps=0), ValueError, ["eps", "positive"]),
}  # fmt: skip


@pytest.mark.parametrize("bad", ARRAYS)
def test_check_arrays_says_what_is_wrong(bad):
    call, error, parts = ARRAYS[bad]
    before = W.tobytes(), B.tobytes(), G.tobytes(), GB.tobytes(), BUFFER.tobytes()
    with pytest.raises(error) as caught:
        call()
    assert not [part for part in parts if part not in str(caught.value)], str(caught.value)
    assert before == (W.tobytes(), B.tobytes(), G.tobytes(), GB.tobytes(), BUFFER.tobytes())


T = np.array([0.1, 0.2, 0.3])
FUNCTION = {
    "no f": ((T, np.cos, T), TypeError, ["f must be a function of theta", "ndarray"]),
    "order": ((loss, T, np.cos), TypeError, ["theta must be a vector", "f, grad, theta"]),
    "grad false": ((loss, False, T), TypeError, ["grad must be a function", "False (bool)"]),
    "grad none": ((loss, None, T), TypeError, ["grad must be a function", "NoneType"]),
    "grad text": ((loss, "2-point", T), TypeError, ["grad must be a function", "'2-point'"]),
    "pair without True": (
        (lambda t: (0.0, t), np.cos, T), TypeError, ["loss alone", "tuple of 2", "grad=True"]),
    "True without pair": (
        (lambda t: 0.0, True, T), TypeError, ["the pair (loss, gradient)", "float"]),
    "triple": ((lambda t: (0.0, t, t), True, T), TypeError, ["pair", "tuple of 3"]),
    "pair swapped": (
        (lambda t: (t, 0.0), True, T), ValueError, ["pair", "number last", "(3,)", "()"]),
    "gradient dict": (
        (lambda t: (0.0, {"t": t}), True, T), TypeError, ["grad(theta) must return", "dict"]),
    "gradient function": (
        (lambda t: (0.0, np.cos), True, T), TypeError, ["grad(theta) must return", "ufunc"]),
    "gradient short": (
        (lambda t: (0.0, t[:2]), True, T), ValueError, ["grad(theta)", "(3,)", "(2,)"]),
    "grad pair": (
        (np.sum, lambda t: (0.0, t), T), ValueError, ["parts of different shapes", "grad=True"]),
    "array short": ((np.sum, T[:2], T), ValueError, ["grad(theta)", "(3,)", "(2,)"]),
    "array square": ((np.sum, np.eye(3), T), ValueError, ["grad(theta)", "(3,)", "(3, 3)"]),
    "array ragged": ((np.sum, [[1.0], [1.0, 2.0], 3.0], T), ValueError, ["grad(theta)", "parts"]),
    "theta ints": ((np.sum, True, [1, 2]), TypeError, ["theta", "int64", "float64"]),
    "theta square": ((np.sum, True, [[1.0, 2.0]]), ValueError, ["theta", "(1, 2)", "check_arrays"]),
    "theta ragged": ((np.sum, True, [[1.0], [1.0, 2.0]]), ValueError, ["theta", "lengths"]),
    "theta number": ((np.sum, True, 0.5), ValueError, ["theta must have shape (P,)", "()"]),
}  # fmt: skip


@pytest.mark.every_case
@pytest.mark.parametrize("bad", FUNCTION)
def test_check_function_says_what_is_wrong(bad):
    arguments, error, parts = FUNCTION[bad]
    with pytest.raises(error) as caught:
        gl.check_function(*arguments)
    assert not [part for part in parts if part not in str(caught.value)], str(caught.value)


CORRECT = gl.check_function(np.sum, np.ones_like, T)
ASSERTION = {
    "verdict": ((CORRECT.verdict,), {}, ["report_or_f must be a report", "'correct'"]),
    "truth": ((True,), {}, ["report_or_f must be a report", "True (bool)"]),
    "network": ((gl.mlp([2, 2]),), {}, ["gl.check(net, x, y)", "(MLP)"]),
    "f alone": ((np.sum,), {}, ["grad and theta must come with f"]),
    "no theta": ((np.sum, np.ones_like), {}, ["theta must come with f"]),
    "report and grad": ((CORRECT, np.cos), {}, ["grad must be left out"]),
    "report and options": ((CORRECT,), {"eps": 1.0}, ["eps must be left out"]),
    "allow text": ((CORRECT,), {"allow": "inconclusive"}, ["allow", '("inconclusive",)']),
    "unknown option": ((np.sum, np.ones_like, T), {"rtol": 1.0}, ["rtol"]),
    "allow wrong": ((CORRECT,), {"allow": ("wrong",)}, ["allow", "'inconclusive'", "'wrong'"]),
}


@pytest.mark.parametrize("bad", ASSERTION)
def test_assert_gradient_says_what_is_wrong(bad):
    arguments, options, parts = ASSERTION[bad]
    with pytest.raises((TypeError, ValueError)) as caught:
        gl.assert_gradient(*arguments, **options)
    assert not [part for part in parts if part not in str(caught.value)], str(caught.value)


def test_messages_read_as_sentences():
    """No doubled blanks, no object's address."""
    for call, error, _ in ARRAYS.values():
        with pytest.raises(error) as caught:
            call()
        assert not re.search(r"  | at 0x|\n", str(caught.value)), str(caught.value)
