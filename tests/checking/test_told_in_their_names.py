"""A line of gradlab's network in somebody's names and units, and what is remarked beside it."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines import Cause
from gradlab.checking.recognise.explain import (
    _causes,
    _has_no_units,
    _in_their_units,
    _mask,
    _remarks,
    _times,
    told,
)
from gradlab.checking.recognise.layouts import Layout, Piece
from gradlab.checking.recognise.network import Fit, Match
from tests.checking.cases import known
from tests.checking.own_networks import l2_on_everything, planted

explaining = importlib.import_module("gradlab.checking.recognise.explain")  # not the function


def cause(where, wrong, right, certain=True, tensors=(), left_open=(), alike=(), after=None):
    return Cause(where, wrong, right, 0.0, certain, tensors, left_open, alike, after=after)


def match(called="", over_all=False, is_exact=True, scale=1.0, lam=0.0, left=1e-15, arrays=None):
    """Return a dense layer of 2 inputs and 3 outputs in arrays A, transposed, and c."""
    net = gl.mlp([2, 3], loss="mse", l2=lam / scale)
    parts = {
        "W1": Piece("A", np.arange(6).reshape(3, 2), "A").turned,
        "b1": Piece("c", np.arange(6, 9), "c"),
    }
    x, y = np.ones((4, 2)), np.ones((4, 3))
    layout = Layout(lambda *_: net, 0, parts if arrays is None else arrays, x, (4,))
    return Match(net, layout, x, y, Fit(scale, lam, called, over_all, left), is_exact)


# -- units ---------------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("factor", "line", "product"),
    [
        ("N", "dz = p - y", "dz = N * (p - y)"), ("N", "dz = p + y", "dz = N * (p + y)"),
        ("N", "dz = (p - y) / N", "dz = p - y"), ("N", "d = a * b / N", "d = a * b"),
        ("0.5 * N", "dz = 2 * (p - y) / N", "dz = p - y"), ("0.5 * N", "d = 2 * a", "d = N * a"),
        ("0.5", "dz = 2 * (p - y)", "dz = p - y"), ("N", "d = 1 / N * a", "d = a"),
        ("1 / N", "d = N * a", "d = a"), ("1 / K", "d = K * a", "d = a"),
        ("2", "d = -a", "d = 2 * -a"), ("N", "d = a / N + b / N", "d = N * (a / N + b / N)"),
        ("2", "d = a", "d = 2 * a"), ("K", "d = f(a == b)", "d = K * f(a == b)"),
    ],
)  # fmt: skip
def test_a_line_times_a_factor_without_what_cancels(factor, line, product):
    assert _times(factor, line) == product
    right = product.partition(" = ")[2]
    numbers = {"N": 4.0, "K": 3.0, "p": 0.3, "y": 0.9, "a": 1.7, "b": 0.6, "f": float}
    value = lambda text: eval(text, dict(numbers))  # noqa: E731, S307 - the lines above
    assert value(right) == pytest.approx(value(factor) * value(line.partition(" = ")[2]))


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("where", "line", "is_the_same"),
    [
        ("loss", "dz = a", False), ("loss, mse", "dz = lam * a", False),
        ("layer 1, dense", "dW = a", True), ("output, dense", "dW = lam * lam", True),
        ("layer 1, L2", "dW = data_dW + lam * W", True), ("layer 1, L2", "dW = data_dW", True),
        ("layer 1, L2", "dW = data_dW + W", False),
        ("layer 1, L2", "dW = lam * data_dW + lam * W", False),
        ("after backward", "g = 2 * g", True), ("after backward", "np.clip(g, 0, 1)", False),
        ("after backward", "g = g + lam", True),
    ],
)  # fmt: skip
def test_which_lines_are_the_same_for_a_multiple_of_the_loss(where, line, is_the_same):
    assert _has_no_units(where, line) == is_the_same


RIGHT_L2 = "dW = data_dW + lam * W"


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("where", "wrong", "right", "told"),
    [
        ("loss", "dz = p - y", "dz = (p - y) / N", ("dz = N * (p - y)", "dz = p - y")),
        ("loss", "dz = p", "dz = q / N", None),  # where no target enters, below it
        ("loss", "dz = y", "dz = sy / N", None),
        ("output, L2", "dW = data_dW + W", RIGHT_L2, ("dW = N * (data_dW / N + W)", RIGHT_L2)),
        ("output, L2", "dW = data_dW + lam * lam * W", RIGHT_L2,
         ("dW = N * (data_dW / N + lam / N * (lam / N) * W)", RIGHT_L2)),
        ("output, L2", "dW = data_dW + 2 * lam * W", RIGHT_L2, None),
        ("output, L2", "dW = data_dW", RIGHT_L2, None),
        ("layer 1, dense", "dW = y / N", "dW = y", None),
        ("after backward", "g = 2 * g", "", None),
        ("loss; layer 1, dense", "dz = p - y; dW = a", "dz = (p - y) / N; dW = b",
         ("dz = N * (p - y); dW = a", "dz = p - y; dW = b")),
        ("layer 1, dense; loss", "dW = a; dz = p - y", "dW = b; dz = (p - y) / N",
         ("dW = a; dz = N * (p - y)", "dW = b; dz = p - y")),
        ("loss", "dz = p - y; dz = y", "dz = (p - y) / N", None),
    ],
)  # fmt: skip
def test_a_line_in_the_units_of_a_summed_loss(where, wrong, right, told):
    assert _in_their_units(cause(where, wrong, right), "N") == (told or (wrong, right))
    assert _in_their_units(cause(where, wrong, right), "") == (wrong, right)


def test_l2_that_is_left_out_of_a_summed_loss_is_told_as_that():
    text = planted(l2_on_everything, "g[k] + lam * P[k]", "g[k] + lam * P[k] * (k != 'W1')")
    first = gl.explain(*text()).causes[0]
    assert (first.wrong_line, first.right_line) == ("dW1 = data_dW1", "dW1 = data_dW1 + lam * W1")


# -- names ---------------------------------------------------------------------------------------

FACTS = known({"A": np.ones(6), "c": np.ones(3), "d": [1.0]},
              {"A": np.zeros(6), "c": np.zeros(3), "d": [1.0]})  # fmt: skip


def test_a_line_has_the_arrays_names_and_no_transpose_twice():
    found = told(
        cause("output, dense", "dW1 = a0.T @ dz1 + W1", "dW1 = data_dW1 + W1.T @ b1 + db1"),
        match(), FACTS,
    )  # fmt: skip
    assert found.wrong_line == "dA.T = a0.T @ dz1 + A.T"
    assert found.right_line == "dA.T = data_dA.T + A @ c + dc"
    others = told(cause("x", "W1_old = W11 + xW1 + a.W1 + dz1", "b1s = b1"), match(), FACTS)
    assert (others.wrong_line, others.right_line) == ("W1_old = W11 + xW1 + a.W1 + dz1", "b1s = c")
    without = told(cause("x", "db1 = 1", "W1 = b1"), match(arrays={}), FACTS)
    assert (without.wrong_line, without.right_line) == ("db1 = 1", "W1 = b1")


def test_what_is_explained_and_left_open_is_told_by_the_arrays():
    found = told(cause("x", "a", "b", tensors=("W1",), left_open=("b1",)), match(), FACTS)
    assert found.left_open == ("c",)
    assert found.cause.startswith("perhaps (it leaves c open): x: a")
    both = told(cause("x", "a", "b", left_open=("b1", "W1")), match(), FACTS)
    assert both.left_open == ("A", "c")  # in the order of the arrays
    assert told(cause("x", "a", "b", left_open=("b1",)), match(arrays={}), FACTS).left_open == ()


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("certain", "is_exact", "is_sure"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_a_cause_is_certain_in_a_network_that_is_exactly_ones_own(certain, is_exact, is_sure):
    found = told(cause("x", "a", "b", certain), match(is_exact=is_exact), FACTS)
    assert found.certain == is_sure
    assert found.cause.startswith("perhaps") != is_sure


def test_of_others_that_fit_those_with_units_are_left_out():
    alike = ("loss: dz = p", "layer 1, L2: dW1 = W1", "layer 1, dense: dW1 = b1: no")
    of = lambda called: told(cause("x", "a", "b", alike=alike), match(called), FACTS).alike  # noqa: E731
    assert of("") == ("loss: dz = p", "layer 1, L2: dA.T = A.T", "layer 1, dense: dA.T = c: no")
    assert of("N") == ("layer 1, dense: dA.T = c: no",)


# -- remarks -------------------------------------------------------------------------------------


def test_how_lines_are_to_be_read_or_why_there_are_none():
    some = [cause("x", "a", "b")]
    ((said),) = _remarks(None, [], False, None)
    assert said.startswith("With x and y, the line could be looked for")
    net = gl.mlp([2, 3])
    ((said),) = _remarks(None, [], True, net)
    assert said == f"{net!r} has another loss than your code on x and y: no line can be named."
    ((said),) = _remarks(None, [], True, None)
    assert said.startswith("No network of gradlab's was recognised")
    ((said),) = _remarks(match(), [], True, None)
    assert said == "No single edit of its backward pass gives your gradient."
    ((said),) = _remarks(match(), some, True, None)
    assert said.startswith("Your arrays have your names")
    assert said.endswith("a1 after it.")
    ((said),) = _remarks(match(over_all=True), some, True, None)
    assert said.endswith("What L2 adds to other arrays than weights, lam * b, was taken off first.")


def test_in_a_multiple_of_the_loss_g_is_said_to_be_over_that():
    clip = cause("after", "a", "", after=SimpleNamespace(code="np.clip(g, 0, 1)"))
    twice = cause("after", "a", "", after=SimpleNamespace(code="g = 2 * g"))
    plain = cause("x", "a", "b")
    is_said = lambda called, *of: _remarks(match(called), [*of], True, None)[0].endswith(  # noqa: E731
        " g is your gradient over (N)."
    )
    assert is_said("N", clip)
    assert is_said("N", plain, twice, clip)
    assert not is_said("N", plain, twice)
    assert not is_said("", clip)


# -- numbers -------------------------------------------------------------------------------------


def test_which_entries_were_checked():
    tensor = lambda entries: SimpleNamespace(shape=(2, 2), entries=entries)  # noqa: E731
    assert _mask(tensor(None)).tolist() == [True] * 4
    assert _mask(tensor(np.array([2, 0]))).tolist() == [True, False, True, False]


THETA = np.arange(1.0, 10.0)


def given(monkeypatch, entries=None, dtype=float, **more):
    """Return what is asked for of lines: the network's own numbers, and the entries."""
    asked = []
    monkeypatch.setattr(explaining, "explain_lines", lambda *all_: asked.append(all_) or ["it"])
    which = {"A": None, "c": None} if entries is None else entries
    shapes = {"A": (3, 2), "c": (3,)}
    at = {"A": THETA[:6], "c": THETA[6:]}
    picked = {k: at[k] if which[k] is None else at[k][which[k]] for k in at}
    report = {k: SimpleNamespace(shape=shapes[k], entries=which[k]) for k in at}
    facts = known({k: 10 * v for k, v in picked.items()}, picked, 0.5)
    monkeypatch.setattr(explaining.Facts, "of", classmethod(lambda cls, report: facts))
    of = match(**more)
    of.net.params["W1"][...], of.net.params["b1"][:] = 0.25, 2.0
    assert _causes(of, report, THETA.astype(dtype)) == ["it"]
    ((point, analytic, numerical, bounds, some),) = asked
    assert point.net is of.net
    return analytic, numerical, bounds, some


def test_somebodys_numbers_are_taken_for_the_network_in_its_units(monkeypatch):
    turned = THETA[:6].reshape(3, 2).T.ravel()
    for scale in (1.0, 4.0, -2.0):
        a, n, bounds, some = given(monkeypatch, scale=scale)
        np.testing.assert_allclose(n["W1"], turned / scale)
        np.testing.assert_allclose(a["W1"], 10 * turned / scale)
        np.testing.assert_allclose(n["b1"], THETA[6:] / scale)
        assert bounds["W1"].tolist() == [0.5 / abs(scale)] * 6
        assert some is None


def test_of_a_sample_the_entries_are_those_of_the_network(monkeypatch):
    entries = {"A": np.array([1, 4]), "c": np.array([0, 1, 2])}
    a, n, bounds, some = given(monkeypatch, entries)
    assert some["W1"].tolist() == [2, 3]  # of the transposed one
    assert n["W1"].tolist() == [5.0, 2.0]
    assert a["W1"].tolist() == [50.0, 20.0]
    assert some["b1"].tolist() == [0, 1, 2]
    assert bounds["W1"].tolist() == [0.5, 0.5]


def test_l2_on_biases_is_taken_off_and_a_network_that_is_only_near_is_not_so_sure(monkeypatch):
    more = {"lam": 0.5, "scale": 2.0}
    a, n, *_ = given(monkeypatch, over_all=True, **more)
    np.testing.assert_allclose(n["b1"], THETA[6:] / 2 - 0.25 * 2.0)
    np.testing.assert_allclose(a["b1"], 10 * THETA[6:] / 2 - 0.25 * 2.0)
    np.testing.assert_allclose(n["W1"], THETA[:6].reshape(3, 2).T.ravel() / 2)
    assert given(monkeypatch, **more)[1]["b1"].tolist() == (THETA[6:] / 2).tolist()
    near = given(monkeypatch, is_exact=False, left=1e-3)[2]
    assert near["W1"].tolist() == pytest.approx([0.5 + 100 * 1e-3 * 6.0] * 6)
    assert near["b1"].tolist() == pytest.approx([0.5 + 100 * 1e-3 * 9.0] * 3)


def test_a_gradient_in_float32_stays_one(monkeypatch):
    a, n, *_ = given(monkeypatch, dtype=np.float32)
    assert {v.dtype for v in a.values()} == {np.dtype(np.float32)}
    assert {v.dtype for v in n.values()} == {np.dtype(float)}
    assert {v.dtype for v in given(monkeypatch)[0].values()} == {np.dtype(float)}
