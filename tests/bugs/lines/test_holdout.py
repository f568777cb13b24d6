"""The search on mistakes that were written down before it: how many it names, and none falsely."""

import re
from dataclasses import replace

import numpy as np
import pytest

from gradlab.bugs.lines import explain, search
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import (
    DRAWN,
    LATER,
    MISSED,
    MISSED_AGAIN,
    NAMELESS,
    PAIRS,
    SINGLES,
    lstm_problem,
    mlp_problem,
)

KNOWN = next(k for k, case in enumerate(SINGLES) if case.name == "tanh' without the square")
KINDS = sorted({case.kind for case in SINGLES})
#: All cases, and so many that a mistake in the search shows.
SHARES = [pytest.param(1, marks=pytest.mark.soak), 8]


def check(case, dtype="float64"):
    """Return what `explain` says of a case, with the bounds that a check would have."""
    net, x, y, masks = case.problem(0, dtype)
    wrong = case.gradient(net, x, y, masks)
    exact, x64, *_ = case.problem(0, "float64")
    exact.theta = net.theta.astype(float)
    masks = None if masks is None else [m.astype(float) for m in masks]
    right = exact.gradient(x64 if dtype == "float64" else x.astype(float), y, masks)
    largest = max(np.abs(v).max() for v in right.values())
    close = 1e-9 if dtype == "float64" else 1e-6
    bounds = {k: close * (np.abs(v) + 0.1 * largest) for k, v in right.items()}
    rng = np.random.default_rng(1)
    numerical = {k: v + bounds[k] * rng.uniform(-1, 1, v.shape) for k, v in right.items()}
    return explain(Point(net, x, y, masks), wrong, numerical, bounds)


def is_right(cause, case):
    """Tell whether a cause makes the mistake's gradient on other numbers, too."""
    net, x, y, masks = case.problem(1)
    wrong, made = case.gradient(net, x, y, masks), cause.replay(Point(net, x, y, masks))
    return all(
        np.linalg.norm(made[k] - w) <= 1e-4 * np.linalg.norm(w) + 1e-12 for k, w in wrong.items()
    )


def score(cases, dtype="float64"):
    """Return (how many are named first, names of those where a false cause stands as certain)."""
    named, false = 0, []
    for case in cases:
        causes = [cause for cause in check(case, dtype) if cause.certain]
        right = [is_right(cause, case) for cause in causes]
        named += right[:1] == [True]
        if causes and not any(right):
            false.append(case.name)
    return named, false


@pytest.mark.parametrize("every", SHARES)
@pytest.mark.parametrize("kind", KINDS)
def test_nine_of_ten_single_mistakes_are_named(kind, every):
    cases = [case for case in SINGLES if case.kind == kind][::every]
    named, false = score(cases)
    assert named >= 0.9 * len(cases)
    assert false == []


@pytest.mark.soak
def test_nine_of_ten_that_were_written_later_are_named():
    cases = [case for case in LATER if case.kind != "lstm"]
    named, false = score(cases)
    assert named >= 0.9 * len(cases)
    assert false == []


@pytest.mark.parametrize("case", MISSED + MISSED_AGAIN, ids=lambda case: case.name)
def test_what_a_sketch_missed_is_named(case):
    assert score([case]) == (1, [])


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (np.s_[3], "3"), (np.s_[3, 2], "3, 2"), (np.s_[:, 4], ":, 4"), (np.s_[3:], "3:"),
        (np.s_[2:4, :2], "2:4, :2"), (np.s_[[1, 4]], "[1, 4]"),
        (np.ix_([1, 4], [0, 2]), "np.ix_([1, 4], [0, 2])"), (np.diag_indices(6), "…"),
    ],
)  # fmt: skip
def test_a_part_that_is_never_written_is_named(where, expected):
    net, x, y, masks = mlp_problem()(0, "float64")
    right = net.gradient(x, y, masks)
    wrong = {**right, "W2": right["W2"].copy()}
    wrong["W2"][where] = 0
    cause, *_ = explain(Point(net, x, y, masks), wrong, right, dict.fromkeys(right, 1e-9))
    assert cause.certain
    assert cause.wrong_line == f"dW2[{expected}] = 0"


@pytest.mark.parametrize("case", DRAWN, ids=lambda case: case.name)
def test_masks_that_backward_has_drawn_anew_are_solved_for(case):
    net, x, y, masks = case.problem(0)
    cause, *more = check(case)
    assert cause.certain
    assert more == []
    assert "another_mask" in cause.wrong_line or "one_mask_for_all" in cause.wrong_line
    with pytest.raises(NameError):  # on other numbers others would have been drawn
        cause.replay(Point(net, x, y, masks))


@pytest.mark.parametrize(
    ("taken", "change"),
    [("masks / keep", lambda m: m / 0.7), ("masks == 0", lambda m: (m == 0) / 0.7)],
)
def test_masks_that_are_scaled_by_what_is_kept_are_named(taken, change):
    net, x, y, masks = mlp_problem(dropout_rate=0.3)(0, "float64")
    right, wrong = (net.gradient(x, y, m) for m in (masks, [change(m) for m in masks]))
    cause, *_ = explain(Point(net, x, y, masks), wrong, right, dict.fromkeys(right, 1e-9))
    assert cause.certain
    assert cause.wrong_line == f"gradient(x, y, {taken})"


def test_masks_that_are_not_determined_are_not_named():
    problem = mlp_problem(N=30, dropout_rate=0.3)
    assert not any(cause.certain for cause in check(replace(DRAWN[0], build=problem)))


def test_sequences_of_two_steps_are_told_apart_by_longer_ones():
    """Of two steps the last one is range(1, T) and range(T - 1, T)."""
    (last,) = [case for case in SINGLES if case.name == "first step left out"]
    causes = check(replace(last, build=lstm_problem(T=2)))
    assert {cause.wrong_line for cause in causes if cause.certain} >= {
        "for t in reversed(range(1, T)):", "for t in reversed(range(T - 1, T)):",
    }  # fmt: skip


@pytest.mark.parametrize("every", SHARES)
def test_three_of_four_pairs_are_named(every):
    named, false = score(PAIRS[::every])
    assert named >= 0.75 * len(PAIRS[::every])
    assert false == []


def test_a_second_edit_is_looked_for_below_the_first_few_alone(monkeypatch):
    runs, run = [], search.Search.run
    monkeypatch.setattr(search.Search, "run", lambda self: runs.append(self) or run(self))
    for few in (1, 3):
        monkeypatch.setattr(search, "FIRST", few)
        runs.clear()
        check(PAIRS[0])
        assert len(runs) == 1 + few


def test_of_two_entries_a_factor_without_a_name_is_no_cause():
    """Any two numbers are nearly multiples of any other two."""
    for outputs, told in ((2, []), (3, ["db3 = 1.2345 * dlogits.sum(axis=0)"])):
        net, x, y, masks = mlp_problem((4, 6, 6, outputs), loss="mse")(0, "float64")
        right = net.gradient(x, y, masks)
        wrong = {**right, "b3": 1.2345 * right["b3"]}
        causes = explain(Point(net, x, y, masks), wrong, right, dict.fromkeys(right, 1e-9))
        assert [re.sub(r"1\.234\d+", "1.2345", cause.wrong_line) for cause in causes] == told


@pytest.mark.parametrize("every", SHARES)
def test_what_is_no_edit_is_never_named_as_a_fact(every):
    for case in NAMELESS[::every]:
        assert not any(cause.certain for cause in check(case)), case.name


@pytest.mark.parametrize("every", SHARES)
def test_eight_of_ten_are_named_in_float32(every):
    cases = SINGLES[:: 4 * every]
    named, false = score(cases, "float32")
    assert named >= 0.8 * len(cases)
    assert false == []


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("sizes", [(3, 4, 4, 1), (3, 2, 2, 2)])
def test_a_random_number_is_never_explained(dtype, sizes):
    """With one or two entries some edit comes near by chance."""
    for seed in range(10):
        net, x, y, masks = mlp_problem(sizes=sizes, loss="mse")(seed, dtype)
        right = net.gradient(x, y, masks)
        rng = np.random.default_rng(seed)
        wrong = {**right, "b3": rng.standard_normal(right["b3"].shape).astype(dtype)}
        close = 1e-9 if dtype == "float64" else 1e-6
        causes = explain(Point(net, x, y, masks), wrong, right, dict.fromkeys(right, close))
        assert not any(cause.certain for cause in causes)


def test_nan_is_no_gradient_that_is_explained():
    net, x, y, masks = mlp_problem()(0, "float64")
    right = net.gradient(x, y, masks)
    wrong = {**right, "b1": right["b1"] / len(x), "W1": right["W1"] * np.nan}
    causes = explain(Point(net, x, y, masks), wrong, right, dict.fromkeys(right, 1e-9))
    assert not any(cause.certain for cause in causes)


def test_zeros_in_the_output_bias_are_told_as_both():
    """Never computed, or summed over everything: under softmax both give 0."""
    net, x, y, masks = mlp_problem()(0, "float64")
    right = net.gradient(x, y, masks)
    wrong = {**right, "b3": np.zeros(3)}
    cause, *_ = explain(Point(net, x, y, masks), wrong, right, dict.fromkeys(right, 1e-9))
    assert cause.certain
    assert cause.wrong_line == "db3 = zeros_like(b3)"
    assert "output, dense: db3 = dlogits.sum()" in cause.alike


def test_a_sample_of_the_entries_is_enough():
    case = SINGLES[KNOWN]
    net, x, y, masks = case.problem()
    wrong, right = case.gradient(net, x, y, masks), net.gradient(x, y, masks)
    rng = np.random.default_rng(0)
    entries = {k: rng.choice(v.size, min(5, v.size), replace=False) for k, v in right.items()}
    a, n = ({k: np.ravel(v)[entries[k]] for k, v in g.items()} for g in (wrong, right))
    cause, *_ = explain(Point(net, x, y, masks), a, n, dict.fromkeys(right, 1e-9), entries)
    assert cause.certain
    assert is_right(cause, case)


def test_a_layer_that_is_dead_does_not_keep_a_mistake_from_being_named():
    """Its numbers are all 0, and so are the bounds of what the check knows of them."""
    net, x, y, masks = mlp_problem(activation="relu")(0, "float64")
    net.params["b1"][:] = -100.0
    right = net.gradient(x, y, masks)
    assert not right["W1"].any()
    wrong = {**right, "b3": right["b3"] / len(x)}
    bounds = {name: 1e-9 * np.abs(value) for name, value in right.items()}
    cause, *_ = explain(Point(net, x, y, masks), wrong, right, bounds)
    assert cause.certain
    assert cause.wrong_line == "db3 = 1 / N * dlogits.sum(axis=0)"


@pytest.mark.parametrize(
    ("kept", "part"), [(np.s_[:1], "< N"), (np.s_[-1:], ">= (T - 1) * N"), (np.s_[1:], ">= N")]
)
def test_steps_that_a_sum_over_all_of_them_misses_are_named(kept, part):
    net, x, y, _ = lstm_problem(every_step=True)(0, "float64")
    right = net.gradient(x, y)
    e = np.exp(net.predict(x))
    d = (e / e.sum(axis=2, keepdims=True) - np.eye(3)[y]) / len(x[0])
    assert np.allclose(d.sum(axis=(0, 1)), right["by"])
    wrong = {**right, "by": d[kept].sum(axis=(0, 1))}
    cause, *_ = explain(Point(net, x, y, None), wrong, right, dict.fromkeys(right, 1e-9))
    assert cause.certain
    assert f"(arange(T * N) {part})" in cause.wrong_line


def test_another_networks_gradient_is_not_explained():
    """Where the right lines do not give the numerical gradient, they describe something else."""
    case = SINGLES[KNOWN]
    net, x, y, masks = case.problem()
    wrong, right = case.gradient(net, x, y, masks), net.gradient(x + 1, y, masks)
    assert explain(Point(net, x, y, masks), wrong, right, dict.fromkeys(right, 1e-9)) == []


def test_how_a_cause_is_said():
    cause, *_ = check(SINGLES[KNOWN])
    assert str(cause).startswith(
        "layer 2, tanh: dz2 = da2 * (1 - a2)    where it must be    dz2 = da2 * (1 - a2 ** 2)"
    )
    assert cause.tensors == ("W1", "b1", "W2", "b2")
    assert cause.residual < 1e-9


def test_a_false_cause_would_be_seen():
    """`score` itself: a cause of one case is no cause of another one."""
    (cause, *_), other = check(SINGLES[0]), SINGLES[1]
    assert is_right(cause, SINGLES[0])
    assert not is_right(cause, other)
