"""What a few evaluations say of a function of which nothing is known: noise, type, and where."""

import numpy as np
import pytest

from gradlab.checking.black_box import BlackBox, Probe, aside, survey
from gradlab.checking.judge import DOUBLE, SINGLE

THETA = np.array([0.1, -0.2, 30.0])
EPS = 2.0**-52


def surveyed(f, theta=THETA):
    return survey(f, theta, np.maximum(1.0, np.abs(theta)))


def answers(*first, rest=1.0):
    """Return a function that gives some numbers first, and then always the same."""
    left = list(first)
    return lambda t: left.pop(0) if left else rest


# -- noise ---------------------------------------------------------------------------------------


def test_noise_is_twice_the_middle_one_of_six_second_differences():
    """Both ends of each step are 1e-9 higher, but for kinks that a few steps may meet."""
    for high in (0, 2):
        ends = [1.0 + 1e-9] * (12 - 2 * high) + [1.5] * 2 * high
        found = surveyed(answers(1.0, 1.0, *ends))
        assert found.noise == pytest.approx(2 * 2e-9, rel=1e-6)
    one_sided = surveyed(answers(1.0, 1.0, *[1.0 + 1e-9, 1.0] * 6))
    assert one_sided.noise == pytest.approx(2 * 1e-9, rel=1e-6)
    slope = surveyed(answers(1.0, 1.0, *[1.0 + 1e-9, 1.0 - 1e-9] * 6))
    assert slope.noise < 1e-14  # a slope is no noise


def test_noise_is_at_least_two_roundings_and_twice_what_two_calls_differ_by():
    assert surveyed(lambda t: 3.0).noise == 2 * EPS * 3.0
    assert surveyed(lambda t: -3.0).noise == 2 * EPS * 3.0
    two = surveyed(answers(1.0, 1.0 + 40 * EPS))
    assert two.noise == 2 * 40 * EPS


def test_a_loss_repeats_if_two_calls_differ_by_64_roundings_at_most():
    for away, repeats in ((64, True), (65, False), (-63, True), (-65, False)):
        found = surveyed(answers(1.0, 1.0 + away * EPS))
        assert (found.deterministic, found.base, found.same) == (repeats, 1.0, 64 * EPS)
    assert surveyed(lambda t: -2.0).same == 128 * EPS


def test_it_is_asked_twice_at_theta_and_to_both_sides_at_three_very_short_steps():
    calls = []

    def f(t):
        calls.append(t - THETA)
        return 1.0

    assert surveyed(f).evaluations == len(calls) == 14
    assert not np.any(calls[:2])
    for right, left in zip(calls[2::2], calls[3::2], strict=True):
        np.testing.assert_allclose(right + left, 0, atol=1e-14)
    shares = [np.abs(call[:2]).max() for call in calls[2::4]]
    # machine_eps to the powers of 0.66, 0.745 and 0.83, in shares of an entry's size
    np.testing.assert_allclose(shares, [4.7e-11, 2.2e-12, 1.0e-13], rtol=0.05)
    np.testing.assert_allclose(np.abs(calls[2][2]), 30 * shares[0], rtol=1e-3)
    single = []
    survey(lambda t: single.append(t.copy()) or 1.0, np.float32([1.0]), np.ones(1))
    assert all(t.dtype == np.float32 for t in single)
    assert 1e-5 < max(abs(t[0] - 1) for t in single) < 5e-5


def test_what_is_not_defined_beside_theta_says_nothing_of_noise():
    beside = surveyed(answers(1.0, 1.0, np.nan, 1.0, np.inf, 1.0, rest=1.0 + 1e-9))
    assert beside.noise == pytest.approx(4e-9, rel=1e-6)
    assert surveyed(answers(1.0, 1.0, rest=np.nan)).noise == 2 * EPS


# -- float32 -------------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("values", "single"),
    [
        ([np.float32(0.1)] * 14, True),  # its last digits are a float32's
        ([0.1] * 14, False),
        ([0.5] * 14, False),  # which says nothing
        ([0.5, 0.5] + [np.float32(0.50001)] * 12, True),
        ([0.5, 0.5] + [0.50001] * 12, False),
        ([np.float32(0.1)] * 13 + [0.1], False),
        ([2.0, 2.0] + [3.0] * 12, False),  # whole numbers: it counts something
        ([np.float32(0.1)] * 2 + [np.nan] * 12, True),
        ([1e300] * 14, False),
    ],
)
def test_values_with_a_float32s_digits_are_taken_for_some(values, single):
    found = surveyed(answers(*map(float, values)))
    assert found.single == single
    assert found.machine_eps == (2.0**-23 if single else 2.0**-52)
    assert found.noise >= 2 * found.machine_eps * abs(found.base)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("theta", "values", "gradient", "scales", "rounding"),
    [
        (float, float, float, DOUBLE, 0.0),
        (float, float, np.float32, DOUBLE, 1e-5),
        (float, float, np.float16, DOUBLE, 2e-3),
        (float, np.float32, float, SINGLE, 1e-5),
        (np.float32, float, float, SINGLE, 1e-5),
        (np.float32, np.float32, np.float16, SINGLE, 2e-3),
    ],
)
def test_the_judges_steps_and_a_gradients_rounding_follow_the_types(
    theta, values, gradient, scales, rounding
):
    theta = THETA.astype(theta)
    f = lambda t: values(np.sum(np.sin(t)))  # noqa: E731
    probe = Probe(f, theta)
    loss = BlackBox(probe, surveyed(probe.value, theta), None, np.cos(theta).astype(gradient),
                    np.array([2, 0]), [slice(0, 2)])  # fmt: skip
    assert loss.scales is scales
    assert loss.rounding == rounding
    assert loss.gradient.dtype == float
    np.testing.assert_allclose(loss.gradient, np.cos(THETA[[2, 0]]), atol=2e-3)
    np.testing.assert_allclose(loss.value_size, [30.0, 0.1])
    np.testing.assert_allclose(loss.size, [30.0, 1.0])


# -- where it is asked ---------------------------------------------------------------------------


def test_differences_are_of_the_entries_that_are_asked_for_at_steps_as_rounding_left_them():
    f = lambda t: float(t[0] + 10 * t[1] ** 2 + 100 * t[2] ** 3)  # noqa: E731
    theta = np.array([1.0, 2.0, 3.0])
    probe = Probe(f, theta)
    loss = BlackBox(probe, surveyed(f, theta), None, theta, np.array([2, 0, 1]), [slice(0, 3)])
    d = loss.look(np.array([0, 2]), np.array([[0.5, 0.25], [1e-16, 0.125]]))
    np.testing.assert_allclose(d.right, [[f([1, 2, 3.5]), f([1, 2.25, 3])],
                                         [f(theta), f([1, 2.125, 3])]])  # fmt: skip
    np.testing.assert_allclose(d.left, [[f([1, 2, 2.5]), f([1, 1.75, 3])],
                                        [f(theta), f([1, 1.875, 3])]])  # fmt: skip
    assert d.h_right.tolist() == d.h_left.tolist() == [[0.5, 0.25], [0.0, 0.125]]
    assert (d.base, d.kinks, d.machine_eps) == (f(theta), None, EPS)
    assert loss.worked.tolist() == [True, False, True]
    assert loss.trouble is None


def test_beside_theta_everything_but_the_value_is_as_it_was():
    f = lambda t: float(np.sum(t**2))  # noqa: E731
    probe, theta = Probe(f, THETA), THETA.copy()
    loss = BlackBox(probe, surveyed(f), lambda t: 2 * t, 2 * theta, np.array([2, 1]),
                    [slice(0, 1), slice(1, 2)])  # fmt: skip
    for side, there in zip(loss.beside(), aside(THETA), strict=True):
        assert np.array_equal(side.probe.theta, there)
        assert side.gradient.tolist() == (2 * there[[2, 1]]).tolist()
        assert (side.noise, side.tensors, side.scales) == (loss.noise, loss.tensors, loss.scales)
        assert side.base == f(there)
    assert loss.repeats()
    moved = [0.0]
    off = BlackBox(Probe(lambda t: f(t) + moved[0], THETA), surveyed(f), None, theta,
                   np.arange(3), [slice(0, 3)])  # fmt: skip
    for share, repeats in ((0.9, True), (-0.9, True), (1.1, False), (-1.1, False)):
        moved[0] = share * 64 * EPS * f(THETA)
        assert off.repeats() == repeats
