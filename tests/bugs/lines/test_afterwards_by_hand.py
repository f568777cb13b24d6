"""What can have happened to a finished gradient: each edge, in tensors small enough to see."""

from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.bugs.lines import afterwards as after
from gradlab.bugs.lines.wrong_gradient import WrongGradient

VALUES = {"lam": 0.1, "N": 7, "K": 5, "W": np.array([[1.0, -2.0], [3.0, 4.0]]), "b": np.ones(2)}
RIGHT = {"W": np.array([[1.3, -2.7], [3.1, 5.9]]), "b": np.array([0.77, -0.31])}


def target(wrong, right=RIGHT, entries=None):
    """Return a wrong gradient, measured beside the right one."""
    found = WrongGradient(wrong, right, dict.fromkeys(right, 1e-12), entries, False)
    found.measure(SimpleNamespace(gradient=right))
    return found


def all_of(wrong, right=RIGHT, values=VALUES, weights=("W",), entries=None):
    found = list(after.afterwards(right, target(wrong, right, entries), values, weights))
    return {one.code: one for one in found}


def code_of(found):
    return [one.code for one in found]


# -- clipping --------------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("W", "b", "codes"),
    [
        ([1.0, 2.0], [2.0], ["2, 2)", "2, 2)   # in W"]),  # a round bound
        ([1.234, 1.234], [1.234], ["1.234, 1.234)"]),  # three entries of all that stick out
        ([-1.234, 1.234, 1.234], [0.5], ["1.234, 1.234)", "1.234, 1.234)   # in W"]),
        ([1.234, 1.234, 0.4], [0.5], []),
        ([1.234, 1.234, 1.234 * (1 - 0.9e-9)], [0.5], ["1.234, 1.234)"] * 2),
        ([1.234, 1.234, 1.234 * (1 - 1.1e-9)], [0.5], []),
        ([0.0, 0.0, 0.0], [0.0], []),
    ],
)
def test_a_bound_is_round_or_three_entries_have_it(W, b, codes):
    wrong = {"W": np.array(W), "b": np.array(b)}
    right = {"W": np.full(len(W), 9.0), "b": wrong["b"]}  # W alone is wrong
    found = code_of(after._clipped(right, target(wrong, right)))
    assert [code.removesuffix("   # in W") for code in found] == [
        f"g = np.clip(g, -{code.removesuffix('   # in W')}" for code in codes
    ]


def test_a_clipping_is_of_all_tensors_or_of_those_that_are_named():
    g = {"W": np.array([-3.0, 1.0, 3.0]), "b": np.array([-3.0, 3.0])}
    every, one = after.clipping(2.0, ["W", "b"]), after.clipping(2.0, ["W"], False)
    assert every.code == "g = np.clip(g, -2, 2)"
    assert one.code == "g = np.clip(g, -2, 2)   # in W"
    made, only = every.function(g, {}), one.function(g, {})
    assert made["W"].tolist() == only["W"].tolist() == [-2, 1, 2]
    assert (made["b"].tolist(), only["b"].tolist()) == ([-2, 2], [-3, 3])
    assert not every.is_coarse
    assert every.is_named


# -- norms -----------------------------------------------------------------------------------------


def test_a_norm_is_of_all_of_each_or_at_most_so_large():
    right = {"W": np.array([30.0, 40.0]), "b": np.array([0.6, 0.8])}
    whole = after._norm(right)
    assert whole == pytest.approx(np.sqrt(2501))
    for code, wrong, first in (
        ("g = g * 5 / norm of all", {k: v * 5 / whole for k, v in right.items()}, None),
        (
            "g = g * 4 / np.linalg.norm(g)",
            {"W": np.array([2.4, 3.2]), "b": np.array([2.4, 3.2])},
            4,
        ),
        ("g = g * min(1, 4 / np.linalg.norm(g))", right | {"W": np.array([2.4, 3.2])}, 4),
    ):
        found = {one.code: one for one in after._rescaled(target(wrong, right))}
        assert code in found
        made = found[code].function(right, {})
        assert all(np.allclose(made[k], v, rtol=1e-12) for k, v in wrong.items())
        assert ("norm of all" in "".join(found)) == (first is None)
    odd = {"W": np.array([1.234, 0.0]), "b": np.array([1.111, 0.0])}
    assert code_of(after._rescaled(target(odd, right))) == []
    mixed = {"W": np.array([1.234, 0.0]), "b": np.array([2.0, 0.0])}  # the most is round
    assert code_of(after._rescaled(target(mixed, right))) == [
        "g = g * min(1, 2 / np.linalg.norm(g))"
    ]


def test_of_a_sample_no_norm_is_thought_of():
    every = {k: np.arange(v.size) for k, v in RIGHT.items()}
    unit = {k: v / np.linalg.norm(v) for k, v in RIGHT.items()}
    assert "g = g * 1 / np.linalg.norm(g)" in all_of(unit)
    assert not any("norm" in code for code in all_of(unit, entries=every))


# -- factors ---------------------------------------------------------------------------------------


def test_a_factor_is_the_best_fit_and_named_twice_if_two_names_are_as_simple():
    def factor(S, **sizes):
        wrong = {k: S * v for k, v in RIGHT.items()}
        return list(after._multiplied(RIGHT, target(wrong), VALUES | sizes))

    assert code_of(factor(1 / 7)) == ["g = 1 / N * g"]
    assert code_of(factor(1 / 7, K=7)) == ["g = 1 / N * g", "g = 1 / K * g"]
    assert code_of(factor(2, N=2)) == ["g = 2 * g", "g = N * g"]  # 0.2 dearer
    assert code_of(factor(0.5, N=2)) == ["g = 1 / N * g"]  # 0.5 is 0.3 dearer
    (odd,) = factor(np.pi)
    assert not odd.is_named
    assert odd.function({"W": np.ones(2)}, VALUES)["W"] == pytest.approx(np.pi)
    assert all(one.is_named for one in factor(0.123))
    nothing = {k: 0 * v for k, v in RIGHT.items()}
    wrong = target({k: v + 1 for k, v in nothing.items()}, nothing)
    assert code_of(after._multiplied(nothing, wrong, VALUES)) == ["g = 1 * g"]
    mixed = target({"W": 3 * RIGHT["W"], "b": RIGHT["b"]})
    (one,) = after._multiplied(RIGHT, mixed, VALUES)
    w, b = (float((v**2).sum()) for v in RIGHT.values())
    assert one.function({"b": np.ones(1)}, VALUES)["b"] == pytest.approx((3 * w + b) / (w + b))


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("S", "codes"),
    [
        (4.0, []), (4.001, ["4"]), (5.0, ["5"]), (8.0, ["8"]), (8.0 * (1 + 0.9e-3), ["8"]),
        (8.0 * (1 + 1.1e-3), []), (0.5, []), (-8.0, []), (300.0, ["300"]), (1024.0, ["1024"]),
        (1000.0, ["1000"]), (1e6, ["1e+06"]), (350.0, []), (np.inf, []),
    ],
)  # fmt: skip
def test_a_loss_scale_is_a_power_of_two_or_has_one_digit(S, codes):
    right = {"W": np.array([1.0, 0.5])}
    wrong = SimpleNamespace(of=lambda name, value: value, value={"W": S * right["W"]}, exact=1e-9)
    found = list(after._loss_scale(right, wrong))
    assert code_of(found) == [f"g = ({scale} * g).astype(np.float16)" for scale in codes]
    assert all(one.is_coarse for one in found)
    for one in found[: S == 8]:  # it keeps three digits
        assert one.function({"W": np.array([1 / 3])}, {})["W"] == pytest.approx(8 / 3, rel=1e-3)
        assert one.function({"W": np.array([1 / 3])}, {})["W"] != 8 / 3


def test_no_loss_scale_is_found_in_zeros():
    zeros = {"W": np.zeros(2)}
    wrong = SimpleNamespace(of=lambda name, value: value, value={"W": np.array([8.0, 8.0])})
    assert list(after._loss_scale(zeros, wrong)) == []


# -- entries that were never written, weights too much, other names --------------------------------


def never(wrong, right=RIGHT, values=VALUES, entries=None):
    found = list(after._never_written(right, target(wrong, right, entries), values, ("W",)))
    for one in found:
        made = one.function(right, values)
        assert all(np.allclose(made[k], v, rtol=1e-12, atol=1e-12) for k, v in wrong.items())
        assert not one.is_coarse
    return code_of(found)


def test_what_was_never_written_is_0_or_what_l2_is_and_all_else_is_right():
    W, lam = RIGHT["W"], 0.1 * VALUES["W"]
    row, column = np.array([[1], [0]]), np.array([[0, 1]])
    assert never(RIGHT | {"W": W * row}) == ["dW[1] = 0"]
    assert never(RIGHT | {"W": W * column}) == ["dW[:, 0] = 0"]
    assert never(RIGHT | {"W": np.where(row, W, lam)}) == ["data_dW[1] = 0"]
    assert never(RIGHT | {"b": np.array([0.77, 0])}) == ["db[1] = 0"]
    assert never({"W": W * row, "b": np.array([0, -0.31])}) == ["dW[1] = 0; db[0] = 0"]
    # a bias has no L2, nor has a weight without any; and 0 altogether is not what is missing
    assert never(RIGHT | {"b": np.array([0.77, 0.1])}) == []
    none = VALUES | {"lam": 0.0}
    assert never(RIGHT | {"W": np.where(row, W, lam)}, values=none) == []
    assert never(RIGHT | {"W": W * row}, values=none) == ["dW[1] = 0"]
    assert never(RIGHT | {"W": 0 * W}) == never(RIGHT | {"W": lam}) == []
    # something else is wrong as well, in the same tensor or in another one
    assert never(RIGHT | {"W": W * row * 2}) == []
    assert never({"W": W * row, "b": np.array([0.7, -0.3])}) == []
    every = {k: np.arange(v.size) for k, v in RIGHT.items()}
    assert never(RIGHT | {"W": W * row}, entries=every) == []


def test_what_is_0_anyway_is_not_called_missing():
    right = RIGHT | {"W": np.array([[0.0, -2.7], [0.0, 5.9]])}
    assert never(right | {"W": right["W"] * [[1], [0]]}, right) == ["dW[1, 1] = 0"]


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("mask", "index"),
    [
        ([0, 1, 0], "1"), ([1, 0, 0], "0"), ([1, 1, 0], ":2"), ([0, 1, 1], "1:"),
        ([0, 1, 1, 0], "1:3"), ([1, 0, 1], "[0, 2]"), ([1, 1, 1], ":"), ([1], ":"),
        ([[1, 1], [0, 0]], "0"), ([[1, 0], [1, 0]], ":, 0"), ([[0, 0], [0, 1]], "1, 1"),
        ([[1, 1], [1, 1]], ":"), ([[1, 0], [0, 1]], "…"), ([[1, 1], [1, 0]], "…"),
        ([[1, 1, 0], [1, 1, 0], [0, 0, 0]], ":2, :2"),
        ([[1, 0, 1], [0, 0, 0], [1, 0, 1]], "np.ix_([0, 2], [0, 2])"),
        ([[1, 0, 1], [0, 0, 0], [0, 0, 0]], "0, [0, 2]"),
        ([[[1, 1], [1, 1]], [[0, 0], [0, 0]]], "0"), ([[[0, 1], [0, 1]]] * 2, ":, :, 1"),
        ([[[0, 0], [1, 1]]] * 2, ":, 1"),
    ],
)  # fmt: skip
def test_a_block_of_entries_is_indexed_as_a_person_does(mask, index):
    mask = np.array(mask, bool)
    assert after._index(mask) == index
    if index != "…":
        found = np.zeros_like(mask)
        exec(f"found[{index}] = True", {"found": found, "np": np})  # noqa: S102 - a row above
        assert np.array_equal(found, mask)


def added(wrong, values=VALUES):
    found = list(after._weights_added(RIGHT, target(wrong), values))
    for one in found:
        made = one.function(RIGHT, values)
        assert all(np.allclose(made[k], v, rtol=1e-12) for k, v in wrong.items())
    return code_of(found)


def test_weights_are_added_with_a_factor_that_has_a_name():
    def plus(S, *names):
        return {k: v + S * VALUES[k] if k in names else v for k, v in RIGHT.items()}

    assert added(plus(0.1, "b")) == ["g = g + lam * parameter   # in b"]
    assert added(plus(-0.1, "b")) == ["g = g + -lam * parameter   # in b"]
    assert added(plus(0.1 / 7, "W", "b")) == ["g = g + lam / N * parameter   # in W, b"]
    assert added(plus(0.2, "W")) == ["g = g + 2 * lam * parameter   # in W"]
    assert added(plus(1 / 5, "W"), VALUES | {"lam": 0.037}) == ["g = g + 0.2 * parameter   # in W"]
    assert added(plus(0.12345, "b")) == []  # no number that somebody would write
    # where the parameter is 0, or what is too much stands at right angles to it, none is added
    assert added(plus(0.1, "b") | {"b": RIGHT["b"] + [1, -1]}) == []
    zeros = VALUES | {"b": np.zeros(2)}
    assert code_of(after._weights_added(RIGHT, target(plus(0.1, "b")), zeros)) == []


def test_a_tensor_is_taken_for_another_one_or_turned_round():
    square = np.array([[1.0, 2.0], [3.0, 5.0]])
    right = {"U": square, "V": 2 * square, "W": np.ones((2, 3)), "b": np.array([1.0, 2.0]),
             "c": np.array([3.0, 4.0])}  # fmt: skip

    def other(**names):
        found = list(after._other_names(right, target(right | names, right)))
        for one in found:
            made = one.function(right, {})
            assert all(np.array_equal(made[k], (right | names)[k]) for k in right)
        return code_of(found)

    assert other(U=2 * square) == ["dU = dV"]
    assert other(U=2 * square.T) == ["dU = dV.T"]
    assert other(U=square.T) == ["dU = dU.T"]
    assert other(U=2 * square, V=square) == ["dU = dV; dV = dU"]
    assert other(b=right["c"], c=right["b"]) == ["db = dc; dc = db"]
    assert other(b=right["c"], c=np.ones(2)) == []  # one of them is something else
    assert other(U=3 * square) == []


def test_a_formula_is_of_sizes_alone():
    assert after.number("1 / (N - 1)", VALUES) == 1 / 6
    assert after.number("-2 * lam", VALUES) == -0.2
    for name in ("W", "len"):
        with pytest.raises(NameError):
            after.number(name, VALUES)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("value", "is_one"),
    [(5.0, True), (0.12, True), (12, True), (0.123, False), (0.0, False), (-5.0, False),
     (5 * (1 + 0.9e-3), True), (5 * (1 + 1.1e-3), False), (500 * (1 + 0.9e-3), True),
     (500 * (1 - 1.1e-3), False), (0.01 * (1 - 0.9e-3), True), (0.01 * (1 - 1.1e-3), False)],
)  # fmt: skip
def test_a_round_number_has_two_digits_as_nearly_as_is_known(value, is_one):
    assert after.is_round(value, 1e-3) == is_one
