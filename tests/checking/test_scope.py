"""What may be missing in a line: each expression that is tried has the value that it is said to."""

import ast
import math
import operator

import numpy as np
import pytest

from gradlab.checking.source.scope import (
    AS_SIZE,
    MOST_ARRAYS,
    MOST_SIZE,
    Scope,
    outer_names,
)

rng = np.random.default_rng(0)
ARRAYS = {
    "x": rng.uniform(0.1, 0.9, (4, 3)), "W": rng.uniform(0.1, 0.9, (3, 3)),
    "mean": rng.uniform(0.1, 0.9, (1, 3)), "b": rng.uniform(0.1, 0.9, 3),
    "labels": np.array([0, 2, 1, 2]), "mask": np.array([True, False, True, True]),
}  # fmt: skip


class Held:
    def __init__(self):
        self.W, self.rate, self.name = ARRAYS["W"], 0.3, "layer"


def scope(local=None, outer=None, constants=(), axes=()):
    outer = {"np": np} if outer is None else outer
    return Scope(ARRAYS if local is None else local, outer, [*constants], axes)


def value(text, local=ARRAYS, **more):
    return eval(text, {"np": np, **local, **more})  # noqa: S307 - the expressions that are tried


# -- what is known -------------------------------------------------------------------------------


def test_arrays_and_numbers_are_known_by_how_they_are_written():
    inside = {"a": ARRAYS["b"], "n": 2, "deep": {"c": ARRAYS["b"]}, 3: 1.0}
    local = {
        "x": ARRAYS["x"], "n": 4, "rate": np.float32(0.5), "one": np.array(7.0), "flag": True,
        "text": "abc", "cache": inside, "self": Held(), "other": Held(),
    }  # fmt: skip
    found = scope(local)
    assert [*found.arrays] == ["x", "cache['a']", "self.W"]
    assert found.arrays["self.W"] is ARRAYS["W"]
    named = {"n": 4, "rate": 0.5, "one": 7.0, "cache['n']": 2, "self.rate": 0.3}
    assert found.scalars == named | {"x.shape[1]": 3}  # 4 is n already


def test_an_axis_of_length_1_is_no_number_and_sizes_are_told_once():
    found = scope({"a": np.ones((1, 5)), "b": np.ones((5, 6))})
    assert found.scalars == {"a.shape[1]": 5, "b.shape[1]": 6}


@pytest.mark.parametrize(
    ("outer", "called"),
    [({"np": np}, "np"), ({"xp": np, "math": math}, "xp"), ({"numpy": np, "np": 3}, "numpy"),
     ({"math": math}, ""), ({}, "")],
)  # fmt: skip
def test_numpy_is_called_as_the_file_calls_it(outer, called):
    found = scope(outer=outer)
    assert found.np == called
    said = " ".join(text for text, *_ in found.forms((4, 3)))
    assert ("sqrt" in said) == bool(called)
    assert ("eye" in " ".join(text for text, *_ in found.terms((3, 3)))) == bool(called)


def test_more_arrays_and_larger_ones_are_not_tried():
    many = {f"a{k:02}": np.ones(2) for k in range(MOST_ARRAYS + 1)}
    assert [*scope(many).arrays] == [*many][:MOST_ARRAYS]
    assert [*scope({"a": np.ones(MOST_SIZE), "b": np.ones(MOST_SIZE + 1)}).arrays] == ["a"]
    assert [*scope({"a": np.ones(2), "b": np.array(["x"]), "c": np.ones(2) * 1j}).arrays] == ["a"]


def test_what_an_expression_stands_for_is_known_or_none():
    found = scope({"x": ARRAYS["x"], "n": 2}, {"n": 5, "k": 7, "np": np})
    known = lambda text: found.known(ast.parse(text, mode="eval").body)  # noqa: E731
    assert known("n + k") == 9  # a name of the function's own hides the file's
    assert np.array_equal(known("x.T @ x"), ARRAYS["x"].T @ ARRAYS["x"])
    assert known("x @ x") is None
    assert known("unknown") is None


def test_a_function_sees_builtins_its_file_and_what_it_closes_over():
    inside = 3

    def function():
        return inside + late  # not yet set

    found = outer_names(function)
    assert found["inside"] == 3
    assert found["ARRAYS"] is ARRAYS
    assert found["len"] is len
    if False:
        late = 1
    assert "late" not in found


# -- factors and terms ---------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 3), (3, 3), (3,), (4,), (4, 3, 3), ()])
def test_each_form_is_what_it_says_and_fits(shape):
    found = [*scope().forms(shape)]
    for text, array, cost in found:
        assert np.array_equal(value(text), array), text
        assert np.broadcast_shapes(np.shape(array), shape) == shape, text
        assert 0 <= cost < 1
    texts = [text for text, *_ in found]
    assert len(set(texts)) == len(texts)
    assert not any(text.startswith(("mask.", "(1 - mask", "labels *")) for text in texts)


def test_the_forms_of_one_array_and_which_is_tried_first():
    forms = {text: cost for text, _, cost in scope({"x": ARRAYS["x"]}).forms((4, 3))}
    assert forms == {
        "x": 0, "(1 - x ** 2)": 0.2, "x * (1 - x)": 0.2, "(1 - x)": 0.3, "(x > 0)": 0.4,
        "x ** 2": 0.4, "np.exp(x)": 0.7, "np.sign(x)": 0.7, "np.sqrt(x)": 0.7, "np.abs(x)": 0.7,
        "np.log(x)": 0.7, "x.sum(axis=0, keepdims=True)": 0.8, "x.mean(axis=0, keepdims=True)": 0.8,
        "x.sum(axis=1, keepdims=True)": 0.8, "x.mean(axis=1, keepdims=True)": 0.8,
    }  # fmt: skip
    turned = {text: cost for text, _, cost in scope({"x": ARRAYS["x"]}).forms((3, 4))}
    assert turned == {"x.T": 0.3}
    rows = {text: cost for text, _, cost in scope({"m": ARRAYS["mask"]}).forms((4, 3))}
    assert rows == {"m[:, None]": 0.2}
    whole = {text: cost for text, _, cost in scope({"k": ARRAYS["labels"]}).forms((4,))}
    assert whole == {"k": 0, "(k > 0)": 0.4}


@pytest.mark.parametrize("shape", [(4, 3), (3, 3), (3,), (1, 3), (4, 4), ()])
def test_each_term_is_what_it_says_and_fits(shape):
    found = scope().terms(shape)
    assert found is not scope().terms(shape)
    for text, array, cost in found:
        assert np.allclose(value(text), array, rtol=1e-14), text
        assert np.broadcast_shapes(np.shape(array), shape) == shape, text
        assert 0 <= cost < 2
    texts = [text for text, *_ in found]
    assert len(set(texts)) == len(texts)


def test_the_terms_of_two_arrays_and_which_is_tried_first():
    small = scope({"x": ARRAYS["x"], "m": ARRAYS["mean"]})
    terms = {text: round(cost, 9) for text, _, cost in small.terms((4, 3))}
    assert small.terms((4, 3)) is small.terms((4, 3))  # made once
    wanted = {"x": 0, "m": 0, "m * m": 0.4, "m * x": 0.4, "x * x": 0.4, "m @ m.T": 0.5}
    wanted["x @ m.T"] = 0.5
    reduced = {
        ("x", 0, True): 0.3, ("x", 0, False): 0.3, ("x", 1, True): 0.3, ("m", 0, True): 0.3,
        ("m", 0, False): 0.3, ("m", 1, True): 0.3, ("(m * x)", 0, True): 0.6,
        ("(m * x)", 0, False): 0.6, ("(m * x)", 1, True): 0.6, ("(x * x)", 0, True): 0.6,
        ("(x * x)", 0, False): 0.6, ("(x * x)", 1, True): 0.6, ("(m * m)", 0, True): 0.6,
        ("(m * m)", 0, False): 0.6, ("(m * m)", 1, True): 0.6, ("m", 1, False): 0.3,
        ("(m * m)", 1, False): 0.6,
    }  # fmt: skip
    for (inside, axis, keep), cost in reduced.items():
        text = f"{inside}.sum(axis={axis}{', keepdims=True' * keep})"
        wanted[text] = cost
        wanted[f"x * {text}"] = round(cost + 0.3, 9)
        wanted[f"x * m ** 2 * {text}"] = wanted[f"x * m ** 3 * {text}"] = round(cost + 0.7, 9)
    assert terms == wanted


def test_products_of_matrices_and_rows_of_one():
    found = scope({"x": ARRAYS["x"], "W": ARRAYS["W"], "labels": ARRAYS["labels"], "K": 3})
    terms = {text: cost for text, _, cost in found.terms((4, 3))}
    assert {text: cost for text, cost in terms.items() if "@" in text} == {
        "x @ W": 0.5, "x @ W.T": 0.5,
    }  # fmt: skip
    assert {text: cost for text, cost in terms.items() if "eye" in text} == {
        "np.eye(K)[labels]": 0.4
    }
    square = {text: cost for text, _, cost in found.terms((3, 3)) if "eye" in text}
    assert square == {"np.eye(K)": 0.3}
    unnamed = [t for t, *_ in scope({"n": ARRAYS["labels"]}).terms((4, 5)) if "eye" in t]
    assert unnamed == ["np.eye(5)[n]"]
    too_high = [t for t, *_ in scope({"n": ARRAYS["labels"]}).terms((4, 2)) if "eye" in t]
    below = [t for t, *_ in scope({"n": ARRAYS["labels"] - 1}).terms((4, 5)) if "eye" in t]
    assert too_high == below == []


def test_another_name_is_of_the_same_shape_or_a_number():
    found = scope({"x": ARRAYS["x"], "y": ARRAYS["x"], "b": ARRAYS["b"], "n": 4, "k": 2})
    assert [*found.alike("x", ARRAYS["x"])] == [("y", 0.8)]
    assert [*found.alike("b", ARRAYS["b"])] == []
    others = [("k", 1.2), ("x.shape[1]", 1.2)]
    assert [*found.alike("n", 4)] == [*found.alike("n", np.array(4.0))] == others
    assert [*found.alike("f", len)] == []


# -- what a number is called ---------------------------------------------------------------------

SIZES = {"N": 5, "rate": 0.3}


@pytest.mark.parametrize("sign", [1, -1])
def test_each_name_of_a_number_has_its_value(sign):
    """Each of all names is asked for by its value, and found."""
    found = scope({**SIZES, "c": np.ones((7, 2))}, constants=[2.5])
    names = dict(SIZES, c=np.ones((7, 2)))
    for text, number, _ in found._numbers():
        assert value(text, names) == pytest.approx(number, rel=1e-12), text
        if number <= 0:  # 1 - rate is that, the other way round
            continue
        given = found.names_of(sign * number, 2e-6)
        assert ("-" * (sign < 0) + text) in [name for name, _ in given]
        for name, _ in given:
            assert value(name, names) == pytest.approx(sign * number, rel=3e-6), name
        assert given == sorted(given, key=operator.itemgetter(1))


def test_which_name_of_a_number_is_the_likeliest():
    found = scope({**SIZES, "self": Held()}, constants=[2.5, -4.5])
    assert found.names_of(1.0, 2e-6)[0] == ("1", 0)
    assert found.names_of(-1.0, 2e-6)[0] == ("-1", 0.15)
    assert dict(found.names_of(-2.0, 2e-6))["-2"] == pytest.approx(0.6)
    assert found.names_of(2.5, 2e-6)[0] == ("2.5", 0.3)
    costs = {text: round(cost, 9) for text, _, cost in found._numbers()}
    wanted = {
        "1": 0, "2": 0.3, "0.5": 0.4, "4": 0.6, "0.25": 0.6, "3": 0.5 + AS_SIZE, "2.5": 0.3,
        "N": 0.2, "2 * N": 0.5, "0.5 * N": 0.5, "1 / N": 0.2, "2 / N": 0.5, "0.5 / N": 0.5,
        "N ** 2": 0.35, "1 / N ** 2": 0.35, "(N - 1)": 0.6, "1 / (N - 1)": 0.6, "np.sqrt(N)": 0.4,
        "1 / np.sqrt(N)": 0.4, "(N * rate)": 0.6, "1 / (N * rate)": 0.5, "N / rate": 0.6,
        "rate / N": 0.6, "(1 - rate)": 0.4, "1 / (1 - rate)": 0.4,
    }  # fmt: skip
    assert {text: costs[text] for text in wanted} == wanted
    assert "(1 - N)" not in costs
    assert "-4.5" not in costs
    by_shape = scope({"x": np.ones((7, 2))})
    assert dict(by_shape.names_of(7.0, 2e-6))["x.shape[0]"] == pytest.approx(0.5)
    assert dict(by_shape.names_of(1 / 7, 2e-6))["1 / x.shape[0]"] == pytest.approx(0.5)


def test_a_size_that_is_read_off_an_array_is_a_little_less_usual_than_a_name():
    local = {"N": 5.0, "rate": 0.3}
    named = {text: cost for text, _, cost in scope(local)._numbers()}
    inside = {"self": type("Net", (), {})(), "rate": 0.3}
    found = scope({"c": {"N": 5.0}, "rate": 0.3})
    assert list(found.scalars) == ["c['N']", "rate"]
    held = {text.replace("c['N']", "N"): cost for text, _, cost in found._numbers()}
    assert held.keys() >= {text for text in named if "*" not in text}
    for text in held.keys() & named.keys():
        by_name = 0.3 if text in ("N", "1 / N") or ("N" in text and text != "rate / N") else 0
        if text in ("(N * rate)", "1 / (N * rate)"):
            continue  # of two names the first in the alphabet counts
        assert held[text] - named[text] == pytest.approx(by_name), text
    assert scope(inside).scalars == {"rate": 0.3}


def test_a_number_that_is_the_length_of_an_axis_is_that_rather():
    plain = {text: cost for text, _, cost in scope({"N": 9}, constants=[3.0])._numbers()}
    rows = {
        text: cost for text, _, cost in scope({"x": np.ones((3, 4))}, constants=[3.0])._numbers()
    }
    assert rows["3"] - plain["3"] == pytest.approx(AS_SIZE)
    assert rows["4"] - plain["4"] == rows["0.25"] - plain["0.25"] == pytest.approx(AS_SIZE)
    assert rows["2"] == plain["2"]  # of two there is nothing to tell


def test_a_number_without_a_name_is_told_if_it_is_short():
    found = scope({})
    assert found.names_of(0.125, 2e-6) == [("0.125", 1.4)]
    assert found.names_of(-0.125, 2e-6) == [("-0.125", 1.4)]
    assert found.names_of(0.12345, 2e-6) == []
    assert found.names_of(2 * (1 + 1e-6), 2e-6) == [("2", 0.3)]
    assert found.names_of(2 * (1 + 4e-6), 2e-6) == []
