"""What a wrong factor is called: by the sizes that can have made it, the simplest name first."""

import numpy as np
import pytest

from gradlab.bugs.lines.numbers import UNNAMED, names_of

#: A batch of 7 with 5 outputs; one time step, so that T is as good as 1.
SIZES = {"N": 7, "K": 5, "T": 1, "lam": 0.3, "keep": 0.8, "R1": 3, "C1": 11, "W2": np.ones((13, 2))}
LOCAL = ("lam", "keep", "R1", "W2.shape[0]", "W2.shape[1]")


def name(S, local=(), sizes=SIZES):
    return names_of(S, sizes, 1e-9, local)[0]


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("S", "called", "cost"),
    [
        (1, "1", 0), (-1, "-1", 0), (2, "2", 0.2), (0.5, "0.5", 0.7), (-4, "-4", 0.7),
        (3, "3", 0.7), (0.9, "0.9", 0.7), (0.01, "0.01", 0.7), (0.25, "0.25", 0.7),
        (0.1, "0.1", 0.7), (0, "0", 0.6), (1e-10, "0", 0.6), (-1e-10, "0", 0.6),
        (7, "N", 0.4), (1 / 7, "1 / N", 0.4), (-1 / 7, "-1 / N", 0.4), (1 / 5, "1 / K", 0.4),
        (49, "N**2", 0.7), (1 / 49, "1 / N**2", 0.7), (25, "K**2", 0.7),
        (35, "K * N", 0.9), (1 / 35, "1 / (K * N)", 0.9), (7 / 5, "N / K", 0.9),
        (5 / 7, "K / N", 0.9), (1 / 6, "1 / (N - 1)", 0.5), (7 / 6, "N / (N - 1)", 0.6),
        (6 / 7, "(N - 1) / N", 0.6), (14, "2 * N", 0.9), (2 / 7, "2 * 1 / N", 0.9),
        (1 / 14, "0.5 * 1 / N", 1.4), (3.5, "3.5", 1.3), (1 / 12, "0.5 * 1 / (N - 1)", 1.5),
        (6, "6", 1.1), (1.7, "1.7", 1.3), (-1.7, "-1.7", 1.4), (0.123, "0.123", 1.5),
        (0.7, "0.7", 1.3), (28, "28", 1.2), (21, "21", 1.2),  # N / 10, 4 N, 3 N: coincidences
        (0.3, "0.3", 1.3), (0.8, "0.8", 1.3), (33, "33", 1.2), (13, "13", 1.2),  # of other lines
        (0.12345, "0.12345", 2 * UNNAMED), (2 / 3, "0.66666666666666663", 2 * UNNAMED),
    ],
)  # fmt: skip
def test_a_number_is_called_by_the_simplest_that_it_can_be(S, called, cost):
    assert name(S) == (called, pytest.approx(cost))


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("S", "called", "cost"),
    [
        (0.3, "lam", 0.4), (0.6, "2 * lam", 0.9), (0.3 / 7, "lam / N", 0.9), (0.09, "lam**2", 0.7),
        (0.8, "keep", 0.4), (1.25, "1 / keep", 0.4), (1.2 - 1, "1 / K", 0.4),
        (33, "(R1 * C1)", 0.4), (1 / 33, "1 / (R1 * C1)", 0.4), (3, "3", 0.7),
        (13, "W2.shape[0]", 0.55), (1 / 13, "1 / W2.shape[0]", 0.55), (2, "2", 0.2),
        (5, "K", 0.4),
    ],
)  # fmt: skip
def test_a_line_calls_it_by_what_it_speaks_of(S, called, cost):
    assert name(S, LOCAL) == (called, pytest.approx(cost))


def test_what_is_dropped_is_a_size_too():
    assert name(0.3, ["keep"], SIZES | {"keep": 0.7}) == ("(1 - keep)", 0.4)
    assert name(0.3, [], SIZES | {"keep": 0.7})[0] == "0.3"


def test_units_with_a_simpler_name_and_of_no_parameter_are_not_counted():
    """Two units are a 2; and a weight that is not among the values has none."""
    found = names_of(2, SIZES, 1e-9, LOCAL)
    assert not any("W2" in n for n, _ in found)
    assert name(13, ["W9.shape[0]", "W2"])[0] == "13"


@pytest.mark.parametrize(("N", "called"), [(2, "1"), (3, "0.5"), (4, "1 / (N - 1)")])
def test_an_unbiased_mean_needs_three_examples(N, called):
    found = [n for n, _ in names_of(1 / (N - 1), {"N": N}, 1e-9)]
    assert found[0] == (called if N != 3 else "1 / (N - 1)")
    assert ("1 / (N - 1)" in found) == (N > 2)


def test_sizes_of_0_and_1_and_those_that_are_missing_make_no_name():
    assert [n for n, _ in names_of(1, {"N": 1, "T": 1, "K": 0}, 1e-9)] == ["1", "1"]
    assert [n for n, _ in names_of(1, {}, 1e-9)] == ["1", "1"]


def test_a_number_is_as_near_to_its_name_as_it_is_known():
    """Relatively: of 1 / 7 as of 49 the same share may be off, and of a short number too."""
    for exact in (1 / 7, 49, 0.123, 1.7, 123, -123):
        for tolerance in (1e-3, 1e-6):
            near, far = (
                names_of(exact * (1 + off * tolerance), SIZES, tolerance)[0] for off in (0.9, 1.1)
            )
            assert near == names_of(exact, SIZES, tolerance)[0]
            # seen with few digits, the next short number may be as near
            assert far != near or tolerance == 1e-3
    assert names_of(0.9e-3, SIZES, 1e-3) == [("0", 0.6)]
    assert names_of(1.1e-3, SIZES, 1e-3)[0][0] == "0.0011"
