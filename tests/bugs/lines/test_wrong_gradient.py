"""How closely an edit must reproduce a wrong gradient, and when that proves something."""

import numpy as np
import pytest

from gradlab.bugs.lines import Program
from gradlab.bugs.lines.wrong_gradient import WrongGradient
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import mlp_problem

POINT = Point(*mlp_problem((3, 4, 2), N=5)(0, "float64"))
PROGRAM = Program(POINT)
RIGHT = {k: v.copy() for k, v in PROGRAM.gradient.items()}


def target(wrong=RIGHT, numerical=RIGHT, bounds=1e-12, entries=None, is_float32=False):
    bounds = bounds if isinstance(bounds, dict) else dict.fromkeys(RIGHT, bounds)
    made = WrongGradient(wrong, numerical, bounds, entries, is_float32)
    made.measure(PROGRAM)
    return made


def moved(name, share):
    """Return the right gradient with one tensor that is off by a share of its norm."""
    return RIGHT | {name: RIGHT[name] * (1 + share)}


@pytest.mark.parametrize(
    ("more", "near", "far"),
    [
        ({}, 1.9e-9, 2.1e-9),  # round-off: 1e-9 of either gradient
        ({"is_float32": True}, 5.9e-5, 6.1e-5),  # 3e-5
        ({"bounds": {k: 1e-6 * np.abs(v) for k, v in RIGHT.items()}}, 0.9e-6, 1.1e-6),
    ],
)
def test_a_tensor_is_wrong_that_is_farther_off_than_is_known(more, near, far):
    assert target(moved("W1", near), **more).wrong == set()
    assert target(moved("W1", far), **more).wrong == {"W1"}
    assert target(moved("W1", far) | moved("W1", -far), **more).wrong == {"W1"}


def test_an_edit_must_explain_all_but_a_ten_thousandth():
    """However little is known of the numerical gradient."""
    found = target(moved("W1", 1.0), bounds={k: 0.1 * np.abs(v) for k, v in RIGHT.items()})
    assert found.wrong == {"W1"}
    for share, fits in ((2 + 0.9e-4, True), (2 + 1.1e-4, False), (1.0, False)):
        assert found.fits("W1", share * RIGHT["W1"]) == fits
    assert found.fits("b1", 1.05 * RIGHT["b1"])  # which is right: as well as that is known
    assert not found.fits("b1", 1.2 * RIGHT["b1"])
    assert not found.fits("W1", RIGHT["W1"] * np.nan)
    assert found.fit_all(moved("W1", 1.0))
    assert not found.fit_all(RIGHT)
    assert np.isclose(found.residual(RIGHT), 1)
    assert np.isclose(found.residual(moved("W1", 0.75)), 0.25)
    assert found.residual(moved("W1", 1.0)) == 0


def test_of_several_tensors_the_worst_counts():
    found = target(moved("W1", 1.0) | {"b1": 3 * RIGHT["b1"]})
    half = RIGHT | {"W1": 1.9 * RIGHT["W1"], "b1": 2 * RIGHT["b1"]}
    assert np.isclose(found.residual(half), 0.5)
    assert np.isclose(found.residual(half, ["W1"]), 0.1)


@pytest.mark.parametrize("odd", [np.inf, np.nan])
def test_where_an_entry_is_no_number_nothing_is_measured(odd):
    assert target(moved("W1", 1.0) | {"b2": np.array([odd, 0.0])}).wrong == set()


def test_lines_are_of_this_code_if_they_give_most_of_its_numerical_gradient():
    """Single entries may be off, as at a kink; a fifth of them is another code's."""
    far = RIGHT["W1"].copy()
    for off, is_known in ((1, True), (3, False)):
        far.ravel()[:off] += 1.0
        assert target(numerical=RIGHT | {"W1": far}).knows(PROGRAM) == is_known
    size = np.abs(RIGHT["W1"]).max()
    for share, is_known in ((0.9e-3, True), (1.2e-3, False)):
        numerical = RIGHT | {"W1": RIGHT["W1"] + share * size}
        assert target(numerical=numerical).knows(PROGRAM) == is_known
    for bound, is_known in ((0.11, True), (0.09, False)):
        numerical = RIGHT | {"W1": RIGHT["W1"] + 1.0}
        assert target(numerical=numerical, bounds=bound).knows(PROGRAM) == is_known


def test_few_digits_are_no_proof():
    """One number is hit to four digits by chance, and to nine it is not."""
    net, x, y, _ = mlp_problem((3, 4, 1), N=5, loss="mse")(0, "float64")
    program = Program(Point(net, x, y, None))
    right = program.gradient
    for name, off, bound, is_proof in (
        ("b2", 1.0, 1e-6, False), ("b2", 10.0, 1e-12, True), ("b2", 1e-4, 1e-12, False),
        ("W2", 1.0, 1e-6, True),  # four numbers to four digits
    ):  # fmt: skip
        bounds = {k: np.full(v.shape, bound) for k, v in right.items()}
        made = WrongGradient(right | {name: right[name] + off}, right, bounds, None, False)
        made.measure(program)
        assert made.wrong == {name}
        assert made.is_proof() == is_proof


def test_a_factor_is_that_of_the_best_fit():
    found = target(RIGHT | {"W1": 2 * RIGHT["W1"] + 5})
    ones = np.ones_like(RIGHT["W1"])
    assert np.isclose(found.factor("W1", ones, 2 * RIGHT["W1"]), 5)
    assert np.isclose(found.factor("W1", ones), 2 * RIGHT["W1"].mean() + 5)
    assert found.factor("W1", 0 * ones) == 0


def test_of_a_sample_only_the_entries_that_were_checked_are_compared():
    entries = {k: np.array([v.size - 1, 0]) for k, v in RIGHT.items()}
    sample = {k: np.ravel(v)[entries[k]] for k, v in RIGHT.items()}
    found = target(sample, sample, entries=entries)
    assert found.of("W1", RIGHT["W1"]).tolist() == [RIGHT["W1"][-1, -1], RIGHT["W1"][0, 0]]
    assert found.wrong == set()
    assert found.knows(PROGRAM)
    unseen = RIGHT["W1"].copy()
    unseen[1, 1] += 1
    assert found.fits("W1", unseen)
