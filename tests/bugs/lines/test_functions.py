"""The functions that lines may call, beside plain loops and examples small enough to be read."""

import numpy as np
import pytest

from gradlab.bugs.lines.functions import ELEMENTWISE, FUNCTIONS, PARTS

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((2, 3, 4, 6))
#: Two windows, of four pixels each: the second one's largest stands in it twice.
WINDOWS = np.array([[1.0, 2.0, 5.0, 7.0], [4.0, 3.0, 7.0, 6.0]])[None, None]


def shown(name, *arguments):
    """Return what a function makes of small images, as the rows of the only one."""
    return FUNCTIONS[name](*(np.array(a, float) for a in arguments))[0, 0].tolist()


def test_of_a_pools_window_the_first_of_the_largest_wins():
    assert shown("winners", WINDOWS) == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert shown("max_pool", WINDOWS) == [[4, 7]]
    assert shown("mean_pool", WINDOWS) == [[2.5, 6.25]]
    assert shown("up", [[[[4, 7]]]]) == [[4, 4, 7, 7], [4, 4, 7, 7]]
    assert shown("corner", [[[[4, 7]]]]) == [[4, 0, 7, 0], [0, 0, 0, 0]]
    assert shown("turned_in_windows", WINDOWS) == [[1, 4, 5, 7], [2, 3, 7, 6]]


def test_windows_do_not_mix_examples_channels_or_rows():
    for name, of_window in (("max_pool", np.max), ("mean_pool", np.mean)):
        made = FUNCTIONS[name](IMAGES)
        assert made.shape == (2, 3, 2, 3)
        for n, c, r, s in np.ndindex(made.shape):
            window = IMAGES[n, c, 2 * r : 2 * r + 2, 2 * s : 2 * s + 2]
            assert np.isclose(made[n, c, r, s], of_window(window))
    up, corner, won = (FUNCTIONS[name] for name in ("up", "corner", "winners"))
    for n, c, r, s in np.ndindex(IMAGES.shape):
        top = FUNCTIONS["max_pool"](IMAGES)
        assert up(top)[n, c, r, s] == top[n, c, r // 2, s // 2]
        assert corner(top)[n, c, r, s] == (top[n, c, r // 2, s // 2] if r % 2 == s % 2 == 0 else 0)
        assert won(IMAGES)[n, c, r, s] == (IMAGES[n, c, r, s] == up(top)[n, c, r, s])
        turned = FUNCTIONS["turned_in_windows"](IMAGES)[n, c, r, s]
        assert turned == IMAGES[n, c, r // 2 * 2 + s % 2, s // 2 * 2 + r % 2]


def test_a_convolution_is_a_sum_over_the_kernel():
    kernels = RNG.standard_normal((5, 3, 3, 2))
    padded = FUNCTIONS["pad"](IMAGES, 1)
    assert padded.shape == (2, 3, 6, 8)
    assert np.array_equal(padded[:, :, 1:-1, 1:-1], IMAGES)
    assert np.isclose(padded.sum(), IMAGES.sum())
    made = FUNCTIONS["convolve"](padded, kernels)
    assert made.shape == (2, 5, 4, 7)
    for n, f, r, s in np.ndindex(made.shape):
        assert np.isclose(made[n, f, r, s], (padded[n, :, r : r + 3, s : s + 2] * kernels[f]).sum())


def test_rows_that_are_read_with_the_channels_last():
    rows = IMAGES.transpose(0, 2, 3, 1).reshape(2, -1)
    assert np.array_equal(FUNCTIONS["channels_last"](rows, IMAGES.shape), IMAGES)


def test_loops_over_as_many_rows_as_there_are_columns_see_a_square():
    wide, high = IMAGES, IMAGES.swapaxes(2, 3)
    assert shown("square_part", [[[[1, 2, 3], [4, 5, 6]]]]) == [[1, 2, 0], [4, 5, 0]]
    for images in (wide, high):
        seen = FUNCTIONS["square_part"](images)
        assert np.array_equal(seen[:, :, :4, :4], images[:, :, :4, :4])
        assert np.isclose(seen.sum(), images[:, :, :4, :4].sum())


@pytest.mark.parametrize(
    ("part", "kept"),
    [("only_last", [4]), ("only_first", [0]), ("without_last", [0, 1, 2, 3]),
     ("without_first", [1, 2, 3, 4]), ("first_half", [0, 1]), ("second_half", [2, 3, 4])],
)  # fmt: skip
def test_a_loop_that_loses_rounds_leaves_zeros(part, kept):
    assert set(PARTS) >= {part}
    for axis, array in ((0, np.ones((5, 3))), (1, np.ones((3, 5))), (2, np.ones((2, 3, 5)))):
        made = PARTS[part](array, axis)
        assert np.flatnonzero(np.moveaxis(made, axis, -1).reshape(-1, 5)[0]).tolist() == kept
        assert made.sum() == array.sum() * len(kept) / 5
    assert np.array_equal(PARTS[part](np.eye(5)), PARTS[part](np.eye(5), 0))


def test_rows_that_are_added_or_put_where_they_were_taken_from():
    table, index = np.zeros((4, 2)), np.array([1, 3, 1])
    rows = np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]])
    assert FUNCTIONS["add_at"](table, index, rows).tolist() == [[0, 0], [11, 22], [0, 0], [3, 4]]
    assert FUNCTIONS["put_at"](table, index, rows).tolist() == [[0, 0], [10, 20], [0, 0], [3, 4]]
    assert not table.any()


def test_softmax_is_of_every_row_or_of_all_numbers():
    z = RNG.standard_normal((3, 4))
    for axis, total in ((1, np.exp(z).sum(axis=1, keepdims=True)), (None, np.exp(z).sum())):
        assert np.allclose(FUNCTIONS["softmax"](z, axis), np.exp(z) / total, rtol=1e-12)
    assert np.allclose(FUNCTIONS["softmax"](z), FUNCTIONS["softmax"](z, 1))
    assert np.allclose(FUNCTIONS["softmax"](z + 1e4), FUNCTIONS["softmax"](z))  # no overflow


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("sigmoid", lambda z: 1 / (1 + np.exp(-z))),
        ("relu", lambda z: np.where(z > 0, z, 0)),
        ("softplus", lambda z: np.log(1 + np.exp(z))),
        ("dsigmoid", lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
        ("dtanh", lambda z: 1 / np.cosh(z) ** 2),
    ],
)
def test_functions_of_one_number_are_what_they_are_called(name, formula):
    z = np.linspace(-3, 3, 13)
    assert np.allclose(ELEMENTWISE[name](z), formula(z), rtol=1e-12, atol=1e-15)


def test_labels_are_where_a_row_has_its_largest_number():
    assert FUNCTIONS["one_hot"](np.array([[0.1, 0.7, 0.2], [3.0, 1.0, 2.0]])).tolist() == [
        [0, 1, 0], [1, 0, 0]
    ]  # fmt: skip


@pytest.mark.parametrize("keep", [0.6, 0.95])
def test_a_mask_that_is_drawn_anew_has_the_rate_and_the_scale_of_the_old_one(keep):
    mask = np.where(np.arange(4000).reshape(1000, 4) % 20 < 20 * keep, 1 / keep, 0)
    drawn = FUNCTIONS["redrawn"](mask)
    assert set(np.unique(drawn)) == {0, 1 / keep}
    assert abs((drawn > 0).mean() - keep) < 0.05
    assert np.array_equal(drawn, FUNCTIONS["redrawn"](mask))
    assert not np.array_equal(drawn > 0, mask > 0)
    # a unit after the other, as a network's own masks are drawn
    assert np.array_equal(FUNCTIONS["redrawn"](mask[:, :2]), drawn[:, :2])
