import numpy as np
import pytest

from gradlab.checking.errors import (
    cosine,
    norm_ratio,
    ratio,
    relative_error,
    tensor_error,
)

A = np.array([1.0, -2.0, 3.0])


@pytest.mark.parametrize(("c", "expected"), [(2, 1 / 3), (0.5, 1 / 3), (3, 0.5), (0, 1), (-1, 1)])
def test_a_factor_shows_as_its_known_ratio(c, expected):
    assert np.allclose(relative_error(c * A, A, "sum_relative"), expected)
    assert np.isclose(norm_ratio(c * A, A), expected)
    assert np.isclose(ratio(c * A, A), c)


def test_max_relative_by_hand():
    error = relative_error(np.array([1.0, 0.0, 0.0, -1.0]), np.array([2.0, 0.0, 1e-300, 1.0]))
    assert np.allclose(error, [0.5, 0.0, 1.0, 2.0])


def test_sum_is_between_half_and_all_of_max():
    rng = np.random.default_rng(0)
    a, n = rng.standard_normal((2, 1000))
    largest, total = relative_error(a, n), relative_error(a, n, "sum_relative")
    assert (total <= largest).all()
    assert (largest <= 2 * total * (1 + 1e-15)).all()


def test_cosine_tells_a_flipped_sign_from_a_missing_gradient():
    assert np.isclose(cosine(-A, A), -1)
    assert np.isnan(cosine(0 * A, A))


def test_zero_against_zero_is_no_error():
    zero = np.zeros(3)
    for measure in ("max_relative", "sum_relative", "norm_ratio"):
        assert tensor_error(zero, zero, measure) == 0


def test_a_step_axis_gives_one_number_a_step():
    n = np.stack([A, 2 * A])
    assert np.allclose(tensor_error(A, n, "norm_ratio"), [0, 1 / 3])
    assert np.allclose(tensor_error(A, n, "max_relative"), [0, 1 / 2])


@pytest.mark.parametrize("scale", [1e-250, 1e250])
def test_squares_neither_overflow_nor_vanish(scale):
    assert np.isclose(norm_ratio(2 * scale * A, scale * A), 1 / 3)
    assert np.isclose(cosine(-scale * A, scale * A), -1)
    assert np.isclose(ratio(3 * scale * A, scale * A), 3)


@pytest.mark.parametrize("shape", [(), (12,), (3, 4), (2, 1, 3, 2), (0, 3)])
def test_a_norm_ratio_is_one_number_whatever_the_shape(shape):
    rng = np.random.default_rng(0)
    a, n = rng.standard_normal((2, *shape))
    squares = [sum(float(v) ** 2 for v in np.ravel(one)) ** 0.5 for one in (a - n, a, n)]
    expected = squares[0] / (squares[1] + squares[2]) if np.size(a) else 0.0
    assert np.ndim(norm_ratio(a, n)) == 0
    assert norm_ratio(a, n) == pytest.approx(expected, rel=1e-14)
    assert bool(norm_ratio(a, a) < 1e-7)  # what a matrix's many numbers would refuse


@pytest.mark.parametrize("measured", [relative_error, norm_ratio])
def test_shapes_are_never_broadcast(measured):
    for other in (A[None], A[:, None], A[:1], 1.0):
        with pytest.raises(ValueError, match=r"numerical must have the shape of analytic, \(3,\)"):
            measured(A, other)


@pytest.mark.parametrize("measured", [relative_error, norm_ratio])
def test_what_holds_no_real_numbers_is_refused(measured):
    for bad in (A + 1j, A > 0, A.astype(str), [None, 1.0, 2.0]):
        with pytest.raises(TypeError, match="numerical must hold real numbers, got dtype"):
            measured(A, bad)
    with pytest.raises(ValueError, match="analytic must be an array, got rows"):
        measured([[1.0], [1.0, 2.0]], A)


def test_the_measure_must_be_one_of_an_entry():
    for wrong, error in (("norm_ratio", ValueError), ("max", ValueError), (None, TypeError)):
        with pytest.raises(error, match="measure must be one of 'max_relative', 'sum_relative'"):
            relative_error(A, A, wrong)


def test_integers_and_lists_are_as_good_as_floats():
    assert relative_error([1, 4], [2, 4]).tolist() == [0.5, 0.0]
    assert norm_ratio([2, 0], [1, 0]) == pytest.approx(1 / 3)
