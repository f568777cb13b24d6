"""The judge's rules one by one, at the numbers where each of them changes its mind."""

from dataclasses import replace

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking import judge as rules
from gradlab.checking.judge import (
    BUG,
    DOUBLE,
    FLAT,
    JUMPS,
    KINK,
    NOISE,
    OK,
    OPEN,
    ROUNDED,
    SAFETY,
    SINGLE,
    SUBGRADIENT,
    ZERO,
    Differences,
    Finding,
    Ladder,
    Slopes,
    agreement,
    plateau,
    resolved,
    scales,
    slopes_of,
)

EPS = float(np.finfo(float).eps)


def column(values):
    return np.asarray(values, float)[:, None]


def differences(right, left, steps, base=0.0, **more):
    right, left, steps = map(column, (right, left, steps))
    return Differences(base, right, left, steps, steps, **more)


def slopes(**given):
    """Return one entry's slopes at several steps; what is not given is plain: 1, exact, alive."""
    rows = len(next(iter(given.values())))
    plain = {
        "slope": np.ones(rows), "err": np.zeros(rows), "change": np.zeros(rows), "up": None,
        "down": None, "alive": np.ones(rows, bool), "valid": np.ones(rows, bool), "usable": None,
        "kinked": np.zeros(rows, bool), "bound": np.zeros(rows), "width": np.ones(rows),
        "crosses": np.zeros(rows, bool),
    }  # fmt: skip
    plain |= given
    for side in ("up", "down"):
        plain[side] = plain["slope"] if plain[side] is None else plain[side]
    plain["usable"] = plain["alive"] if plain["usable"] is None else plain["usable"]
    arrays = {name: np.asarray(value)[:, None] for name, value in plain.items()}
    return Slopes(**arrays, best=np.argmin(arrays["bound"], axis=0))


# -- one look ------------------------------------------------------------------------------------


def test_slopes_of_both_sides_and_how_far_they_may_be_off():
    h = [0.1, 0.01]
    d = differences([1.2, 1.02], [0.9, 0.99], h, base=1.0, kinks=np.array([[2], [0]]))
    s = slopes_of(d, 1e-4)
    np.testing.assert_allclose(s.up.ravel(), [2.0, 2.0])
    np.testing.assert_allclose(s.down.ravel(), [1.0, 1.0])
    np.testing.assert_allclose(s.slope.ravel(), [1.5, 1.5])
    np.testing.assert_allclose(s.width.ravel(), [0.2, 0.02])
    np.testing.assert_allclose(s.err.ravel(), [1e-3, 1e-2])
    assert s.crosses.ravel().tolist() == [True, False]
    assert s.kinked.ravel().tolist() == [True, False]  # a gap that does not shrink
    assert s.bound.ravel()[0] == np.inf
    assert s.change.ravel()[1] == np.inf
    shrinking = slopes_of(differences([1.2, 1.0154], [0.9, 0.9894], h, base=1.0), 1e-4)
    assert not shrinking.kinked.any()


def test_a_step_is_alive_if_it_moves_the_loss_by_more_than_roundings():
    few = 4 * EPS * 8.0
    right = [8 + 1.25 * few, 8 + few, 8.0, 8 + few, np.nan]
    left = [8 + 1.25 * few, 8 + few, 8.0, 8.0, 8.0]
    s = slopes_of(differences(right, left, [1.0] * 5, base=8.0), 0.0)
    assert s.alive.ravel().tolist() == [True, False, False, True, False]
    assert s.valid.ravel().tolist() == [True, True, True, True, False]


def test_what_moves_nothing_proves_a_slope_of_0_unless_longer_steps_moved_it():
    few = 4 * EPS
    for moved, usable in ((1.9 * few, True), (2.2 * few, False)):
        s = slopes_of(differences([1 + moved, 1.0], [1 + moved, 1.0], [1.0, 0.1], base=1.0), 0.0)
        assert bool(s.usable[1, 0]) == usable


def test_a_bound_is_the_noise_and_what_every_shorter_step_changes_beyond_its_own():
    slope, err = column([3.0, 2.0, 1.9, 1.9]), column([0.0, 0.01, 0.2, 0.5])
    alive = column([1, 1, 1, 1]).astype(bool)
    bounds = rules._bounds(slope, err, alive).ravel()
    # of the first: the next changes 1.0; the third 1.1 - 2 * 0.2; the second's next changes 0.1
    np.testing.assert_allclose(bounds[:3], [1.0, 0.11, 0.2])
    assert bounds[3] == np.inf
    dead = alive.copy()
    dead[2] = False
    far = rules._bounds(column([3.0, 3.0, 1.0, 3.0]), 0 * err, dead).ravel()
    np.testing.assert_allclose(far[:3], [0.0, 2.0, 2.0])
    change = rules._change(column([1.0, np.nan, 2.0])).ravel()
    assert change.tolist() == [np.inf] * 3


@pytest.mark.parametrize(
    ("bends", "level"),
    [
        ([1e-2, 1e-3, 1e-4, 1e-16, 1e-16], 1e-16),  # grows tenfold from the third on
        ([1e-2, 1e-3, 1e-4, 1e-9, 1e-9, 1e-9], 1e-9),
        ([1e-9, 1e-9, 2e-9, 1e-9], 2e-9),  # no bend at all
        ([1e-2, 1e-3, 1e-4, 1e-5], 1e-15),
        ([1e-2, 1.9e-9, 1e-9, 1e-9], 1.9e-9),
        ([1e-2, 2.1e-9, 1e-9, 1e-9], 1e-9),
    ],
)
def test_noise_is_the_largest_second_difference_before_these_grow_for_good(bends, level):
    half = np.array(bends) / 2
    d = differences(half, half, np.ones(len(bends)))
    assert plateau(d, 1e-15) == pytest.approx([level], rel=1e-6)


@pytest.mark.parametrize("off", [0.99, -0.99, 1.01, -1.01])
def test_an_entry_agrees_within_twice_its_bound_its_rounding_and_the_tolerance(off):
    s = slopes(slope=[2.0, 5.0], bound=[0.1, 0.3], width=[0.4, 0.2], up=[2.5, 0], down=[-3.0, 0])
    scale, rounding, tolerance = np.array([10.0]), 1e-3, 1e-2
    allowed = SAFETY * 0.1 + ROUNDED * 2.0 + rounding * 10 + tolerance * 10
    found = agreement(np.array([2.0 + off * allowed]), s, scale, rounding, tolerance)
    assert found.mark[0] == (OK if abs(off) < 1 else OPEN)
    assert (found.slope[0], found.bound[0], found.step[0], found.reach[0]) == (2.0, 0.1, 0.2, 3.0)
    assert found.within[0] == np.inf


def test_what_is_exactly_the_same_agrees_though_nothing_is_allowed():
    found = agreement(np.zeros(1), slopes(slope=[0.0, 0.0]), np.zeros(1), 0.0, 0.0)
    assert found.mark[0] == OK


def test_where_nothing_bounds_a_slope_the_longest_that_is_alive_is_told():
    s = slopes(slope=[1.0, 2.0, 3.0], bound=[np.inf] * 3, alive=[False, True, True])
    found = agreement(np.array([2.0]), s, np.ones(1), 0.0, 1.0)
    assert (found.mark[0], found.slope[0]) == (OPEN, 2.0)


# -- what the ladder proves ----------------------------------------------------------------------


def still(a=0.0, **given):
    s = slopes(**{"slope": [1.0, 1.0, 1.0], **given})
    off = np.abs(np.array([a]) - s.slope[0])
    return bool(rules._stands_still(np.array([a]), s, off)[0])


def test_a_slope_stands_still_over_three_steps_equal_on_both_sides():
    assert still()
    assert not still(slope=[1.0, 1.0])
    assert still(slope=[1.0, 1.049, 1.0])
    assert not still(slope=[1.0, 1.051, 1.0])
    assert not still(usable=[True, True, False])
    assert not still(crosses=[False, True, False])
    assert not still(err=[0.0, 0.0, 0.51])  # it may be 0
    assert still(err=[0.0, 0.0, 0.49])
    assert still(up=[9, 9, 1.09], down=[1, 1, 0.91])
    assert not still(up=[1, 1, 1.11], down=[1, 1, 0.9])
    assert still(slope=[7.0, 1.0, 1.0, 1.0], a=-6.0)
    assert not still(a=1.0)


def test_two_steps_in_a_row_that_agree_are_another_face():
    def faces(a, off, noise=0.0, *floors, **given):
        s = slopes(**given)
        return bool(rules._has_two_faces(np.array([a]), s, np.array([off]), noise, *floors)[0])

    slope = [5.0, 1.0, 1.0, 5.0]
    assert faces(1.0, 4.0, slope=slope)
    assert not faces(1.0, 4.0, slope=[5.0, 1.0, 5.0, 1.0])
    assert not faces(1.0, 4.0, slope=slope, usable=[True, True, False, True])
    for change, is_one in ((0.79, True), (0.81, False)):  # a fifth of what it is off
        assert faces(1.0, 4.0, slope=slope, change=[change] * 4) == is_one
    for a, is_one in ((1.19, True), (1.21, False)):
        assert faces(a, 4.0, slope=slope, change=[0.1] * 4) == is_one
    for width, is_one in ((2.6, True), (2.4, False)):
        assert faces(1.0, 4.0, 1.0, slope=slope, width=[width] * 4) == is_one
    assert faces(1.0, 4.0, 9.0, 1.0, slope=slope, width=[2.6] * 4)  # by the lesser noise


def test_a_gradient_of_0_where_short_steps_show_a_flat_part():
    def flat(a=0.0, slope=1.0, noise=1e-3, **given):
        s = slopes(**{"alive": [True, False], "width": [1.0, 0.1], **given})
        return bool(rules._is_of_a_flat_part(np.array([a]), s, np.array([slope]), noise)[0])

    assert flat()
    assert not flat(alive=[True, True])
    assert not flat(valid=[True, False])
    assert flat(slope=0.081)
    assert not flat(slope=0.079)
    assert flat(a=0.19, err=[0.0, 0.1])
    assert not flat(a=0.21, err=[0.0, 0.1])


STEPS = 10.0 ** -np.arange(1.0, 12.5, 0.5)


def at_theta(up, down, err=1e-12, alive=True, rows=8):
    up, down = (np.broadcast_to(v, rows).astype(float) for v in (up, down))
    s = slopes(up=up, down=down, slope=(up + down) / 2, err=np.broadcast_to(err, rows) * 1.0,
               alive=np.broadcast_to(alive, rows))  # fmt: skip
    low, high, tol = rules._at_theta(s)
    return float(low[0]), float(high[0]), float(tol[0])


def test_at_a_kink_both_sides_stand_still_down_to_the_shortest_step_that_sees_it():
    low, high, tol = at_theta(2.0, -1.0)
    assert (low, high) == (-1.0, 2.0)
    assert tol < 1e-10
    assert at_theta(2.0, -1.0, rows=5)[2] < 1e-10
    assert at_theta(2.0, -1.0, rows=4) == (np.inf,) * 3
    assert at_theta(2.0, 2.0)[2] == np.inf
    # seen by the first five steps alone, and lost in noise below
    err = np.array([1e-3] * 5 + [10.0] * 3)
    assert np.isfinite(at_theta(2.0, -1.0, err)[2])
    assert at_theta(2.0, -1.0, np.array([1e-3] * 4 + [10.0] * 4))[2] == np.inf
    # a shorter step that would have seen it sees none
    gone = np.array([2.0] * 6 + [0.5] * 2)
    assert at_theta(gone, np.array([-1.0] * 6 + [0.5] * 2))[2] == np.inf
    clear = 3.0 / 20
    assert np.isfinite(at_theta(2.0, -1.0, 0.99 * clear * np.array([1e-9] * 7 + [1]))[2])
    for moves, is_one in ((0.29, True), (0.31, False)):  # a tenth of the gap
        up = np.array([2.0] * 3 + [2.0 + moves] + [2.0] * 4)
        assert np.isfinite(at_theta(up, -1.0)[2]) == is_one
        assert np.isfinite(at_theta(2.0, up - 3.0)[2]) == is_one
    assert at_theta(2.0, -1.0, alive=[True] * 7 + [False])[2] < np.inf


def asleep(**given):
    return bool(rules._asleep(slopes(**given))[0])


def test_a_loss_is_asleep_where_short_steps_do_not_move_it_and_long_ones_show_no_slope():
    one_sided = {"up": [4.0, 2.0, 0, 0, 0], "down": [0.0] * 5, "slope": [2.0, 1.0, 0, 0, 0]}
    alive = [True, True, False, False, False]
    assert asleep(**one_sided, alive=alive)
    assert not asleep(**one_sided, alive=[True, True, True, False, False])  # two still steps
    assert not asleep(slope=[1.0, 1.0, 0, 0, 0], alive=alive)  # a slope, equal on both sides
    assert asleep(slope=[1.3, 1.0, 0, 0, 0], alive=alive)
    assert not asleep(slope=[1.24, 1.0, 0, 0, 0], alive=alive)
    for up, is_asleep in ((1.99, False), (2.01, True)):  # half of the larger side
        sides = {"up": [up] * 2 + [0] * 3, "down": [1.0] * 2 + [0] * 3}
        assert asleep(slope=[1.0, 1.0, 0, 0, 0], alive=alive, **sides) == is_asleep
    # by the same to both sides: these prove a slope of 0
    even = {"slope": [0.0] * 5, "up": [1.0, 0.5, 0, 0, 0], "down": [-1.0, -0.5, 0, 0, 0]}
    assert not asleep(**even, alive=alive)
    assert asleep(slope=[0.0] * 5, alive=[False] * 5)
    assert not asleep(slope=[0.0] * 5, alive=[False] * 3 + [True] * 2)


# -- the whole -----------------------------------------------------------------------------------


class OfFunctions:
    """A loss whose entries are functions of their own, and what the judge asks of one."""

    def __init__(self, functions, gradient, theta=None, tensors=None, single=False, beside=None):
        self.functions, self.gradient = functions, np.array(gradient, float)
        theta = np.zeros(len(functions)) if theta is None else np.array(theta)
        self.value_size, self.size = np.abs(theta), np.maximum(1.0, np.abs(theta))
        self.tensors = [slice(0, len(functions))] if tensors is None else tensors
        self.base, self.noise, self.rounding = 1.0, 2 * EPS, 0.0
        self.scales, self.looked, self._beside = SINGLE if single else DOUBLE, [], beside

    def look(self, entries, steps):
        self.looked.append((entries.tolist(), len(steps)))
        sides = np.empty((2, *steps.shape))
        for k, sign in enumerate((1, -1)):
            for column_, e in enumerate(entries):
                for row in range(len(steps)):
                    sides[k, row, column_] = 1 + self.functions[e](sign * steps[row, column_])
        return Differences(self.base, *sides, steps, steps)

    def beside(self):
        return self._beside

    def repeats(self):
        return True


def line(slope):
    return lambda h: slope * h


def test_what_agrees_at_once_is_not_looked_at_again():
    loss = OfFunctions([np.sin, line(2.0)], [1.0, 2.0])
    found, evaluations = rules.judge(loss)
    assert found.mark.tolist() == [OK, OK]
    assert evaluations == 8
    assert loss.looked == [([0, 1], 2)]


def test_of_a_wrong_tensor_a_few_prove_it_and_the_others_follow():
    functions = [line(1.0 + 0.1 * k) for k in range(12)]
    right = [1.0 + 0.1 * k for k in range(12)]
    loss = OfFunctions(functions, [r + 2.0**k for k, r in enumerate(right)])
    found, evaluations = rules.judge(loss)
    assert found.mark.tolist() == [BUG] * 12
    proofs, climbed = rules.PROOFS, loss.looked[1][0]
    assert sorted(climbed[:proofs]) == [8, 9, 10, 11]  # those that are off by most
    assert evaluations == 48 + 2 * DOUBLE.ladder.size * sum(len(e) for e, s in loss.looked if s > 3)
    two = OfFunctions(functions, [*right[:6], *(r + 2.0**k for k, r in enumerate(right[6:]))],
                      tensors=[slice(0, 6), slice(6, 12)])  # fmt: skip
    found, _ = rules.judge(two)
    assert found.mark.tolist() == [OK] * 6 + [BUG] * 6
    assert sorted(two.looked[1][0]) == [8, 9, 10, 11]


def test_a_difference_as_small_as_an_approximations_is_slight_and_a_tolerance_accepts_it():
    for off, mark in ((0.9e-6, "slight"), (1.2e-6, BUG)):
        found, _ = rules.judge(OfFunctions([line(1.0)], [1.0 + off]))
        assert found.mark[0] == mark
    assert rules.judge(OfFunctions([line(1.0)], [1.0 + 1e-4]), 1.1e-4)[0].mark[0] == OK
    assert rules.judge(OfFunctions([line(1.0)], [1.0 + 1e-4]), 0.9e-4)[0].mark[0] == BUG


def test_at_a_kink_what_lies_between_the_slopes_is_right():
    kink = lambda h: 3 * h if h > 0 else -h  # noqa: E731
    for a, mark in ((1.0, SUBGRADIENT), (3.0, SUBGRADIENT), (-1.0, SUBGRADIENT)):
        found, _ = rules.judge(OfFunctions([kink, line(2.0)], [a, 2.0]))
        assert found.mark[0] == mark
        assert found.slope[0] == a
        assert found.reach[0] == pytest.approx(3)
    outside, _ = rules.judge(OfFunctions([kink, line(2.0)], [4.0, 2.0]))
    assert outside.mark[0] == KINK  # nobody knows what stands beside it


def test_what_lies_outside_of_a_kinks_slopes_is_decided_beside_it():
    kink = lambda h: 3 * h if h > 0 else -h  # noqa: E731

    def judged(right_side, left_side, a=4.0, control=2.0, control_there=2.0):
        sides = tuple(
            OfFunctions([line(slope), line(2.0)], [there, control_there])
            for slope, there in (right_side, left_side)
        )
        loss = OfFunctions([kink, line(2.0)], [a, control], beside=sides)
        return rules.judge(loss)[0].mark[0], loss

    assert judged((3.0, 3.0), (-1.0, -1.0))[0] == SUBGRADIENT  # right on both sides
    assert judged((3.0, 4.0), (-1.0, -1.0))[0] == BUG  # wrong on one
    assert judged((3.0, 3.0), (-1.0, 4.0))[0] == BUG
    # where the control does not fit there, that gradient is another point's
    assert judged((3.0, 4.0), (-1.0, -1.0), control_there=9.0)[0] == KINK
    none = OfFunctions([kink], [4.0], beside=tuple(
        OfFunctions([line(3.0)], [4.0]) for _ in range(2)))  # fmt: skip
    assert rules.judge(none)[0].mark[0] == KINK  # no control at all


def test_beside_a_kink_a_few_bugs_are_enough():
    kink = lambda h: 3 * h if h > 0 else -h  # noqa: E731
    many = rules.PROOFS + 2
    for there, mark, looked in ((4.0, BUG, 1), (3.0, SUBGRADIENT, 2)):
        lines = [line(3.0)] * many + [line(2.0)]
        sides = [OfFunctions(lines, [there] * many + [2.0]) for _ in range(2)]
        loss = OfFunctions([kink] * many + [line(2.0)], [4.0] * many + [2.0], beside=tuple(sides))
        found, _ = rules.judge(loss)
        assert found.mark[: rules.PROOFS].tolist() == [mark] * rules.PROOFS
        parts = [entries for entries, _ in sides[0].looked if many not in entries]
        assert parts == [[0, 1, 2, 3], [4, 5]][:looked]


def test_a_control_is_an_entry_with_a_slope_worth_the_name():
    kink = lambda h: 3 * h if h > 0 else -h  # noqa: E731
    for small, mark in ((1e-3, BUG), (1e-2, KINK)):  # of a control that does not fit there
        sides = tuple(
            OfFunctions([line(3.0), line(small), line(2.0)], [4.0, 9 * small, 2.0])
            for _ in range(2)
        )
        functions = [kink, line(small), line(2.0)]
        loss = OfFunctions(functions, [4.0, small, 2.0], beside=sides)
        assert rules.judge(loss)[0].mark[0] == mark, small


def test_zero_against_zero_proves_nothing_and_a_slope_of_0_is_proved_by_long_steps():
    nothing = lambda h: 0.0  # noqa: E731
    found, evaluations = rules.judge(OfFunctions([nothing, line(1.0)], [0.0, 1.0]))
    assert found.mark.tolist() == [ZERO, OK]
    assert evaluations == 8 + 2 * len(rules.LONG)
    found, _ = rules.judge(OfFunctions([nothing, line(1.0)], [0.5, 1.0]))
    assert found.mark.tolist() == [BUG, OK]  # beside what is resolved, flat is flat
    alone, _ = rules.judge(OfFunctions([nothing], [0.5]))
    assert alone.mark[0] == FLAT
    found, _ = rules.judge(OfFunctions([np.square, line(1.0)], [0.0, 1.0]))
    assert found.mark.tolist() == [OK, OK]


def test_a_grid_has_two_faces():
    """Rounded to 1e-4, the loss has a slope of 1 in the large and 0 in the small."""
    grid = lambda h: np.round(h * 1e4) / 1e4  # noqa: E731
    for a in (0.0, 1.0):
        found, _ = rules.judge(OfFunctions([grid, line(1.0)], [a, 1.0]))
        assert found.mark[0] != BUG, a


def test_near_0_shares_of_the_value_are_tried_where_nothing_else_tells():
    root = lambda h: np.sqrt(1e-4 + h) - 1e-2 if h > -1e-4 else np.nan  # noqa: E731
    found, _ = rules.judge(OfFunctions([root, line(50.0)], [50.0, 50.0], theta=[1e-4, 0.0]))
    assert found.mark[0] == OK
    wrong, _ = rules.judge(OfFunctions([root, line(50.0)], [100.0, 50.0], theta=[1e-4, 0.0]))
    assert wrong.mark[0] == BUG


def test_a_loss_that_remembers_proves_nothing():
    loss = OfFunctions([line(1.0)], [1.0])
    loss.repeats = lambda: False
    found, evaluations = rules.judge(loss)
    assert (found.mark.tolist(), found.repeats, evaluations) == ([NOISE], False, 4)
    assert np.isnan(found.slope[0])
    assert found.bound[0] == np.inf


# -- scales and resolution -----------------------------------------------------------------------


def finding(mark, slope, bound, reach=None):
    slope, bound = np.array(slope, float), np.array(bound, float)
    reach = np.abs(slope) if reach is None else np.array(reach, float)
    return Finding(np.array(mark, "<U11"), slope, bound, np.ones(len(slope)), reach, 0 * slope)


def test_the_scale_of_an_entry_is_its_tensors_largest_slope():
    tensors = [slice(0, 2), slice(2, 4)]
    loss = OfFunctions([line(1)] * 4, [1.0, -3.0, 1e-12, 0.0], tensors=tensors)
    found = finding([OK] * 4, [1.0, -3.0, 1e-12, 0.0], [1e-9, 1e-9, 1e-15, 1e-15])
    np.testing.assert_allclose(scales(loss, found), [3, 3, 3e-9, 3e-9])
    unknown = finding([OK] * 4, [1.0, -3.0, 2.0, 0.0], [1e-9, np.inf, 1e-9, 1e-9])
    np.testing.assert_allclose(scales(loss, unknown), [1, 1, 2, 2])
    # a tensor of zeros is compared with the slopes one step away, if it is 0 in both
    loss.gradient[:] = [1.0, -3.0, 0.0, 0.0]
    zeros = finding([OK] * 4, [1.0, -3.0, 0.0, 0.0], [1e-9] * 4, [1.0, 3.0, 0.5, 0.1])
    np.testing.assert_allclose(scales(loss, zeros), [3, 3, 0.5, 0.5])
    loss.gradient[2] = 1e-3
    np.testing.assert_allclose(scales(loss, zeros), [3, 3, 3e-9, 3e-9])
    kink = finding([SUBGRADIENT, OK, OK, OK], [1.0, -3.0, 2.0, 0.0], [1e-9] * 4, [7.0, 3, 2, 0])
    np.testing.assert_allclose(scales(loss, kink), [7, 3, 2, 2])
    nothing = finding([OPEN] * 4, [0.0] * 4, [np.inf] * 4)
    loss.gradient[:] = [0.0, 0.0, 4.0, 0.0]
    np.testing.assert_allclose(scales(loss, nothing), [4e-9] * 4)
    loss.gradient[:] = 0
    np.testing.assert_allclose(scales(loss, nothing), [1e-9] * 4)


def test_the_error_that_would_have_been_seen_and_what_is_too_coarse_to_say_correct():
    loss = OfFunctions([line(1)] * 4, [2.0, 2.0, 0.0, 2.0])
    loss.rounding = 1e-8
    found = finding([OK, OK, ZERO, BUG], [2.0] * 4, [2e-6, 0.9e-3, 1.0, 1e-9])
    seen = resolved(loss, found, 0.0)
    expected = [3 * 1e-6 + ROUNDED + 1e-8, 3 * 0.45e-3 + ROUNDED + 1e-8, 0.0, np.inf]
    np.testing.assert_allclose(seen.within, expected)
    assert seen.mark.tolist() == [OK, NOISE, ZERO, BUG]  # above a thousandth
    accepted = resolved(loss, found, 0.01)
    assert accepted.mark.tolist() == [OK, OK, ZERO, BUG]  # one and a half times what is accepted
    np.testing.assert_allclose(accepted.within[:2], np.array(expected[:2]) + 0.01)


def test_what_noise_could_explain_is_taken_back():
    loss = OfFunctions([line(1.0), line(1.0)], [2.0, 1.0])
    ladder = Ladder(loss, np.ones(2), 0.0)
    found = finding([BUG, OK], [1.0, 1.0], [1e-9, 1e-9])
    ladder.doubt(found)  # nobody climbed: who follows follows nobody
    assert found.mark.tolist() == [OPEN, OK]
    d = loss.look(np.array([0]), DOUBLE.ladder[:, None])
    for noise, mark in ((1e-15, BUG), (1e3, JUMPS)):
        found = finding([BUG, OK], [1.0, 1.0], [1e-9, 1e-9])
        ladder.climbs = [(np.array([0]), d, np.array([noise]))]
        ladder.doubt(found)
        assert found.mark.tolist() == [mark, OK]


def test_a_finding_is_cut_and_put():
    found = finding([OK, BUG, OPEN], [1.0, 2.0, 3.0], [0.1, 0.2, 0.3])
    part = found.pick(np.array([2, 0]))
    assert (part.mark.tolist(), part.slope.tolist()) == ([OPEN, OK], [3.0, 1.0])
    assert replace(found, repeats=False).pick(slice(0, 1)).repeats is False
    found.put(np.array([1]), finding([ZERO], [9.0], [0.9]))
    assert found.mark.tolist() == [OK, ZERO, OPEN]
    assert found.bound.tolist() == [0.1, 0.9, 0.3]


# -- at a step of one's own ----------------------------------------------------------------------


def step(a=1.0, slope=(1.0, 1.0), err=1e-9, kinked=False, dead=False, known=None, functions=None,
         tolerance=0.0):  # fmt: skip
    loss = OfFunctions([functions or line(1.0), line(1.0)], [a, 1.0])
    slopes_ = np.array([[slope[0], 1.0], [slope[1], 1.0]])
    found, evaluations = rules.judge_step(
        loss, slopes_, np.array([err, 1e-9]), np.full(2, 1e-5), np.array([kinked, False]),
        np.array([dead, False]), tolerance, known,
    )  # fmt: skip
    return found.mark[0], evaluations


def test_at_a_given_step_only_what_differs_goes_up_the_ladder():
    assert step() == (OK, 0)
    assert step(a=2.0) == (BUG, 2 * DOUBLE.ladder.size)
    for bend, mark in ((1e-5, OK), (0.9e-5, OPEN)):
        found, evaluations = step(a=1.0 + 2e-5, slope=(1.0, 1.0 + bend), functions=np.tan)
        assert found in (mark, BUG)
        assert (evaluations > 0) == (mark != OK)
    assert step(kinked=True)[0] == KINK
    assert step(a=0.0, slope=(0.0, 0.0), dead=True, functions=lambda h: 0.0)[0] == ZERO
    assert step(a=1.0 + 1e-3, tolerance=1.1e-3)[0] == OK
    assert step(slope=(np.nan, 1.0))[0] != OK


def test_a_slope_of_0_at_one_step_is_no_proof():
    wave = lambda h: np.sin(h * 3) if abs(h) > 1e-6 else 3 * h  # noqa: E731
    mark, evaluations = step(a=0.0, slope=(0.0, 0.0), functions=wave)
    assert evaluations > 0
    assert mark != OK


def test_what_is_known_of_all_steps_is_not_looked_for_again():
    asked = []

    def known():
        asked.append(1)
        return finding([BUG, OK], [1.0, 1.0], [1e-9, 1e-9])

    assert step(known=known) == (OK, 0)
    assert asked == []
    assert step(a=2.0, known=known) == (BUG, 0)
    assert asked == [1]


def test_a_lesser_step_for_float32_and_its_noise_from_a_few_ladders():
    loss = OfFunctions([line(1.0 + k) for k in range(6)], [1.0 + k for k in range(6)], single=True)
    noise, spent = rules._first_noise(loss)
    assert spent == 2 * SINGLE.ladder.size * rules.PROOFS
    assert loss.looked == [([5, 4, 3, 2], SINGLE.ladder.size)]  # the largest
    assert noise < 1e-10
    double = OfFunctions([line(1.0)], [1.0])
    assert rules._first_noise(double) == (double.noise, 0)


def test_many_entries_climb_in_blocks(monkeypatch):
    monkeypatch.setattr(rules, "BLOCK", 3)
    loss = OfFunctions([line(1.0)] * 7, [1.0] * 7)
    ladder = Ladder(loss, np.ones(7), 0.0)
    ladder.climb(finding([OPEN] * 7, [1.0] * 7, [1.0] * 7), np.arange(7))
    assert [entries for entries, _ in loss.looked] == [[0, 1, 2], [3, 4], [5, 6]]
    ladder.climb(finding([OPEN], [1.0], [1.0]), np.arange(0))
    assert len(loss.looked) == 3
    assert ladder.evaluations == 7 * 2 * DOUBLE.ladder.size


def test_the_steps_are_what_they_are_said_to_be():
    for one, high, low in ((DOUBLE, 0.1, 1e-12), (SINGLE, 10**-0.5, 10**-4.5)):
        ratios = one.ladder[:-1] / one.ladder[1:]
        np.testing.assert_allclose(ratios, np.sqrt(10))
        np.testing.assert_allclose([one.ladder[0], one.ladder[-1]], [high, low])
        assert one.first[0] > one.first[1]
        assert np.isin(one.first.round(12), one.ladder.round(12)).all()
    report = gl.check_function(lambda t: float(np.sin(t[0])), np.cos, np.ones(1))
    assert report.evaluations == 14 + 4 + 4 + 1  # the survey, asking twice, two steps, once more
