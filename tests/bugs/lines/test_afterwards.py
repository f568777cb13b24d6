"""What is done to a finished gradient, in plain numpy, and the line that is told of it."""

import numpy as np
import pytest

from gradlab.bugs.lines import Program
from gradlab.bugs.lines.search import Search
from gradlab.bugs.lines.wrong_gradient import WrongGradient
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import mlp_problem

#: Entries of 0.03 to 9; 4 × 4 weights, of which one can be taken for the other, or transposed.
PROBLEM = mlp_problem((3, 4, 4, 2), N=7, loss="mse", l2=0.1)


def large(twin):
    net, x, y, masks = PROBLEM(twin, "float64")
    return Point(net, x, 20 * y, masks)


POINT = large(0)
RIGHT = POINT.net.gradient(*POINT[1:])


def causes(wrong, right=None, point=POINT, entries=None):
    """Return what afterwards could have made of the right gradient."""
    right = point.net.gradient(*point[1:]) if right is None else right
    bounds = dict.fromkeys(right, 1e-10)
    target = WrongGradient(wrong, right, bounds, entries, False)
    return Search(Program(point), target).after()


def told(wrong, **more):
    return [cause.wrong_line for cause in causes(wrong, **more)]


def norm(gradient):
    return np.sqrt(sum((v**2).sum() for v in gradient.values()))


def each(change):
    return lambda g, point: {k: change(v) for k, v in g.items()}


def only(names, change):
    return lambda g, point: {
        k: change(v, point.net.params[k]) if k in names else v for k, v in g.items()
    }


def renamed(**names):
    return lambda g, point: g | {k: g[j[:2]].T if ".T" in j else g[j] for k, j in names.items()}


CHANGES = [
    (each(np.sign), "g = np.sign(g)"),
    (each(np.abs), "g = np.abs(g)"),
    (each(np.trunc), "g = np.trunc(g)"),
    (each(lambda v: v.astype(np.float16).astype(float)), "g = g.astype(np.float16).astype(float)"),
    *((each(lambda v, k=k: np.round(v, k)), f"g = np.round(g, {k})") for k in range(1, 7)),
    (each(lambda v: np.clip(v, -2, 2)), "g = np.clip(g, -2, 2)"),
    (only(["W3"], lambda v, _: np.clip(v, -0.5, 0.5)), "g = np.clip(g, -0.5, 0.5)   # in W3"),
    (only(["W2"], lambda v, _: np.clip(v, -1.5, 1.5)), "g = np.clip(g, -1.5, 1.5)   # in W2"),
    (lambda g, point: {k: v * 5 / norm(g) for k, v in g.items()}, "g = g * 5 / norm of all"),
    (each(lambda v: 3 * v / np.linalg.norm(v)), "g = g * 3 / np.linalg.norm(g)"),
    (each(lambda v: v * min(1, 8 / np.linalg.norm(v))), "g = g * min(1, 8 / np.linalg.norm(g))"),
    (each(lambda v: -v), "g = -1 * g"),
    (each(lambda v: 2 * v), "g = 2 * g"),
    (lambda g, point: {k: v / len(point.x) for k, v in g.items()}, "g = 1 / N * g"),
    *((each(lambda v, s=s: (s * v).astype(np.float16).astype(float)),
       f"g = ({s:g} * g).astype(np.float16)") for s in (5, 8, 300, 1024)),
    (only(["b1", "b3"], lambda v, p: v + 0.1 * p), "g = g + lam * parameter   # in b1, b3"),
    (lambda g, point: g | {"b2": g["b2"] + 0.1 / len(point.x) * point.net.params["b2"]},
     "g = g + lam / N * parameter   # in b2"),
    (only(["W1"], lambda v, p: v * (np.arange(4) != 2)), "dW1[:, 2] = 0"),
    (only(["W2"], lambda v, p: np.where(np.arange(4) < 2, 0.1 * p, v)), "data_dW2[:, :2] = 0"),
    (only(["b1", "b2"], lambda v, p: v * (np.arange(4) > 0)), "db1[0] = 0; db2[0] = 0"),
    (renamed(b1="b2"), "db1 = db2"),
    (renamed(b1="b2", b2="b1"), "db1 = db2; db2 = db1"),
    (renamed(W2="W2.T"), "dW2 = dW2.T"),
]  # fmt: skip


@pytest.mark.every_case
@pytest.mark.parametrize(("change", "code"), CHANGES, ids=[code for _, code in CHANGES])
def test_what_happened_to_a_finished_gradient_is_told(change, code):
    found = causes(change(RIGHT, POINT))
    assert code in [cause.wrong_line for cause in found]
    assert all(cause.where == "after backward" and cause.right_line == "" for cause in found)
    cause, *_ = (cause for cause in found if cause.wrong_line == code)
    assert cause.is_named
    # and it is what it says: the same is done to another network's gradient, of another batch
    other = large(1)
    made = cause.replay(other)
    for name, value in change(other.net.gradient(*other[1:]), other).items():
        np.testing.assert_allclose(made[name], value, rtol=1e-8, atol=1e-12, err_msg=name)


def test_of_each_change_nothing_is_told_that_does_something_else():
    wrong = [change(RIGHT, POINT) for change, _ in CHANGES]
    for (_, code), made in zip(CHANGES, wrong, strict=True):
        for cause in causes(made):
            found = cause.apply(Program(POINT))
            coarse = 1e-2 if cause.after.is_coarse else 1e-8
            for name, value in made.items():
                off = np.linalg.norm(value - RIGHT[name])
                assert np.linalg.norm(found[name] - value) <= coarse * off + 1e-12, code


@pytest.mark.every_case
@pytest.mark.parametrize("digits", range(8))
def test_one_to_six_digits_are_what_a_gradient_is_rounded_to(digits):
    line = f"g = np.round(g, {digits})"
    found = told({k: np.round(v, digits) for k, v in RIGHT.items()})
    assert (line in found) == (0 < digits < 7)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("code", "is_coarse"),
    [("g = np.sign(g)", False), ("g = np.clip(g, -2, 2)", False), ("g = -1 * g", False),
     ("db1 = db2", False), ("g = np.round(g, 2)", True),
     ("g = g.astype(np.float16).astype(float)", True), ("g = (8 * g).astype(np.float16)", True)],
)  # fmt: skip
def test_of_a_cast_to_few_digits_the_last_are_not_asked_for(code, is_coarse):
    change = {code: change for change, code in CHANGES}[code]
    wrong = change(RIGHT, POINT)
    for share, is_told in ((2e-3, is_coarse), (0.05, False)):
        off = {k: v + share * np.abs(v - RIGHT[k]).mean() for k, v in wrong.items()}
        assert (code in told(off)) == is_told


def test_a_factor_that_nobody_would_write_is_told_and_not_as_a_fact():
    (cause,) = causes({k: np.sqrt(11) * v for k, v in RIGHT.items()})
    assert cause.wrong_line.startswith("g = 3.31662479035")
    assert not cause.is_named
    biases = {k: v + 0.1234567 * POINT.net.params[k] for k, v in RIGHT.items() if k[0] == "b"}
    assert told(RIGHT | biases) == []


@pytest.mark.parametrize(("outputs", "names"), [(2, ["1 / N"]), (4, ["1 / N", "1 / K"])])
def test_of_a_factor_that_has_several_names_the_simplest_two_are_told(outputs, names):
    """Four examples: a quarter is 1 / N or 1 / K before it is 0.25."""
    net, x, y, masks = mlp_problem((3, 5, outputs), N=4, loss="mse", l2=0.1)(0, "float64")
    point = Point(net, x, y, masks)
    wrong = {k: v / 4 for k, v in net.gradient(x, y).items()}
    assert sorted(told(wrong, point=point)) == sorted(f"g = {name} * g" for name in names)


def test_a_factor_of_almost_one_is_none():
    wrong = {k: v * (1 + 1e-10) for k, v in RIGHT.items()}
    wrong["b3"] = wrong["b3"] + 1e-6
    assert told(wrong) == []


@pytest.mark.parametrize(("alike", "is_told"), [(2, False), (3, True)])
def test_a_bound_that_is_not_round_is_believed_if_three_entries_have_it(alike, is_told):
    entries = np.sort(np.abs(np.concatenate([np.ravel(v) for v in RIGHT.values()])))
    top = entries[-alike]
    clipped = {k: np.clip(v, -top, top) for k, v in RIGHT.items()}
    assert told(clipped) == [f"g = np.clip(g, -{top:.6g}, {top:.6g})"] * is_told


def test_a_loss_scale_is_more_than_four_and_near_a_round_number():
    for scale, is_told in ((4, False), (1024 * 1.0015, False), (1024, True)):
        wrong = {k: (scale * v).astype(np.float16).astype(float) for k, v in RIGHT.items()}
        assert any("float16" in line for line in told(wrong)) == is_told


def test_of_a_sample_no_norm_is_known_and_no_row_is_missing():
    """A clipped or a scaled entry can be told from a few; a norm and a block cannot."""
    entries = {k: np.arange(0, v.size, 2) for k, v in RIGHT.items()}

    def sample(gradient):
        return {k: np.ravel(v)[entries[k]] for k, v in gradient.items()}

    def seen(change):
        wrong = sample(change(RIGHT, POINT))
        return told(wrong, right=sample(RIGHT), entries=entries)

    by_code = {code: change for change, code in CHANGES}
    for code in ("g = np.sign(g)", "g = np.clip(g, -2, 2)", "g = -1 * g", "db1 = db2"):
        assert code in seen(by_code[code])
    few = sample(RIGHT)
    few = {k: v * 5 / norm(few) for k, v in few.items()}
    assert not any("norm" in line for line in told(few, right=sample(RIGHT), entries=entries))
    for code in ("g = g * 5 / norm of all", "g = g * 3 / np.linalg.norm(g)", "dW1[:, 2] = 0"):
        assert code not in seen(by_code[code])


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_what_is_0_anyway_or_0_altogether_is_no_part_that_is_missing(l2):
    """Of the first feature there is nothing in the data."""
    net, x, y, _ = PROBLEM(0, "float64")
    point = Point(net.replace(l2=l2), x * [0, 1, 1], y, None)
    right = point.net.gradient(*point[1:])
    rest = {k: l2 * v for k, v in net.params.items()}
    assert np.allclose(right["W1"][0], rest["W1"][0], atol=0)

    def where(name, rows):
        kept = np.isin(np.arange(len(right[name])), rows, invert=True)
        kept = kept.reshape(-1, *[1] * (right[name].ndim - 1))
        return told(right | {name: np.where(kept, right[name], rest[name])}, point=point)

    data = "data_" if l2 else ""
    assert where("W1", [2]) == [f"{data}dW1[2] = 0"]
    assert where("W2", [0, 3]) == [f"{data}dW2[[0, 3]] = 0"]
    assert not any("[" in line for line in where("W2", range(4)))
    assert where("b1", [2]) == ["db1[2] = 0"] * (not l2)  # of biases there is no L2


def test_nothing_is_made_of_a_gradient_of_zeros():
    net, x, y, _ = mlp_problem((3, 4, 2), loss="mse")(0, "float64")
    net.theta = 0 * net.theta
    point = Point(net, x, 0 * y, None)
    right = net.gradient(x, 0 * y)
    assert not any(value.any() for value in right.values())
    wrong = right | {"b2": np.array([1.0, 2.0])}
    assert told(wrong, right=right, point=point) == []
    assert not any("clip" in line for line in told({k: 0 * v for k, v in RIGHT.items()}))
