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
    for noise, kinked in ((2.4e-3, True), (2.6e-3, False)):  # four times what noise does to it
        assert slopes_of(d, noise).kinked[0, 0] == kinked
    for gap, kinked in ((0.51, True), (0.49, False)):  # that of a bend is a tenth, of a step of one
        shrinking = differences([1.2, 1.015 + gap / 200], [0.9, 0.985 + gap / 200], h, base=1.0)
        assert slopes_of(shrinking, 1e-4).kinked[0, 0] == kinked


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
    allowed = 2 * 0.1 + 1e-9 * 2.0 + rounding * 10 + tolerance * 10
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
    for gap, is_still in ((0.59, True), (0.61, False)):  # a fifth of what it is off, and noise
        sides = {"up": [1, 1, 1 + gap / 2], "down": [1, 1, 1 - gap / 2]}
        assert still(err=[0.0, 0.0, 0.1], **sides) == is_still
        assert still(slope=[2.0] * 4, err=[0.0, 0.0, 0.05, 0.4], up=[2 + gap] * 4)
        assert not still(slope=[2.0] * 4, err=[0.0, 0.0, 0.02, 0.02], up=[2 + gap] * 4)


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
    assert at_theta(2.0, -1.0, 0.1, rows=5) == (-1.0, 2.0, pytest.approx(0.2))  # one-sided noise
    for last, is_one in ((0.99, True), (1.01, False)):  # a twentieth of the gap, at each of five
        noise = np.array([1e-9] * 4 + [last * clear])
        assert np.isfinite(at_theta(2.0, -1.0, noise, rows=5)[2]) == is_one
        assert np.isfinite(at_theta(2.0, -1.0, noise[::-1], rows=5)[2]) == is_one
    for err, is_one in ((0.0099, False), (0.0101, True)):  # a hundredth: it would have seen one
        noise = np.array([1e-9] * 6 + [err * 3.0] * 2)
        assert np.isfinite(at_theta(gone, np.array([-1.0] * 6 + [0.5] * 2), noise)[2]) == is_one
    for err, is_one in ((0.099, True), (0.101, False)):  # what it moves, and the longest's noise
        up = np.array([2.0] * 3 + [2.1] + [2.0])
        noise = np.array([err] + [1e-9] * 4)
        assert np.isfinite(at_theta(up, -1.0, noise, rows=5)[2]) == is_one


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

    def __init__(
        self, functions, gradient, theta=None, tensors=None, single=False, beside=None, base=1.0
    ):
        self.functions, self.gradient = functions, np.array(gradient, float)
        theta = np.zeros(len(functions)) if theta is None else np.array(theta)
        self.value_size, self.size = np.abs(theta), np.maximum(1.0, np.abs(theta))
        self.tensors = [slice(0, len(functions))] if tensors is None else tensors
        self.base, self.noise, self.rounding = base, 2 * EPS * base, 0.0
        self.scales, self.looked, self._beside = SINGLE if single else DOUBLE, [], beside
        self.steps = []

    def look(self, entries, steps):
        self.looked.append((entries.tolist(), len(steps)))
        self.steps.append(steps)
        sides = np.empty((2, *steps.shape))
        for k, sign in enumerate((1, -1)):
            for column_, e in enumerate(entries):
                for row in range(len(steps)):
                    sides[k, row, column_] = self.base + self.functions[e](
                        sign * steps[row, column_]
                    )
        return Differences(self.base, *sides, steps, steps)

    def beside(self):
        return self._beside

    def repeats(self):
        return True


def line(slope):
    return lambda h: slope * h


def evaluations_of(*losses):
    return sum(2 * len(entries) * steps for loss in losses for entries, steps in loss.looked)


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
    assert evaluations == 8 + 2 * 3  # 0.1, 0.01 and 0.001
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
    expected = [3 * 1e-6 + 1e-9 + 1e-8, 3 * 0.45e-3 + 1e-9 + 1e-8, 0.0, np.inf]
    np.testing.assert_allclose(seen.within, expected)
    assert seen.mark.tolist() == [OK, NOISE, ZERO, BUG]  # above a thousandth
    accepted = resolved(loss, found, 0.01)
    assert accepted.mark.tolist() == [OK, OK, ZERO, BUG]
    np.testing.assert_allclose(accepted.within[:2], np.array(expected[:2]) + 0.01)
    # one and a half times what is accepted: 0.01 and three bounds over the scale of 2
    near = finding([OK, OK, OK, OK], [2.0] * 4, [3.2e-3, 3.4e-3, 0.0, 0.0])
    assert resolved(loss, near, 0.01).mark.tolist() == [OK, NOISE, OK, OK]
    single = OfFunctions([line(1)] * 2, [1.0, 1.0], single=True)
    coarse = finding([OK, OK], [1.0, 1.0], [1.9e-2 / 3, 2.1e-2 / 3])
    assert resolved(single, coarse, 0.0).mark.tolist() == [OK, NOISE]  # above two hundredths


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


# -- what the whole ladder says ------------------------------------------------------------------


def weighed(function, a, rounding=0.0):
    """Return the finding on one entry, all steps of the ladder taken, in a tensor of scale 2."""
    loss = OfFunctions([function], [a])
    loss.rounding = rounding
    d = loss.look(np.array([0]), DOUBLE.ladder[:, None])
    return rules.weigh(np.array([a]), d, np.array([2.0]), loss, loss.noise, 0.0)


def mark_of(function, a):
    return str(weighed(function, a).mark[0])


def kink_at(place):
    """Return a slope of 1, and of 4 beyond a kink that lies so far to the right of theta."""
    return lambda h: h + 3 * max(h - place, 0)


@pytest.mark.parametrize("place", [1e-3, 1e-7, 1e-10])
def test_beside_a_kink_the_slope_this_side_of_it_is_the_right_one(place):
    assert mark_of(kink_at(place), 1.0) == OK
    for wrong in (2.5, 4.0):  # the mean of both sides, which long steps show; the other side's
        assert mark_of(kink_at(place), wrong) == BUG


def test_at_a_kink_the_gradients_rounding_and_the_bound_count_at_both_ends():
    kink = kink_at(0.0)
    found = weighed(kink, 2.0)
    assert (found.mark[0], found.slope[0], found.reach[0]) == (SUBGRADIENT, 2.0, pytest.approx(4))
    assert 0 < found.bound[0] < 1e-9
    for a, mark in ((0.998, rules._OUTSIDE), (4.002, rules._OUTSIDE)):
        assert mark_of(kink, a) == mark
    for off, inside in ((1.9e-3, True), (2.1e-3, False)):  # a thousandth of the scale of 2
        for end, sign in ((1.0, -1), (4.0, 1)):
            found = weighed(kink, end + sign * off, rounding=1e-3)
            assert found.mark[0] == (SUBGRADIENT if inside else rules._OUTSIDE)
            assert found.slope[0] == pytest.approx(end)  # the nearest of the slopes between


def test_what_is_flat_is_proved_by_long_steps_where_the_loss_is_defined():
    nothing = lambda h: 0.0  # noqa: E731
    assert mark_of(nothing, 0.0) == ZERO
    assert mark_of(nothing, 1e-3) == FLAT
    found = weighed(nothing, 1e-15)  # no more than the longest step's noise
    assert (found.mark[0], found.slope[0]) == (OK, 0.0)
    assert found.bound[0] == pytest.approx(2 * 2 * EPS / 0.2)
    for reach, zero, flat in ((0.05, ZERO, FLAT), (0.005, OPEN, OPEN)):  # a tenth of the longest
        inside = lambda h, reach=reach: 0.0 if abs(h) < reach else np.nan  # noqa: E731
        assert mark_of(inside, 0.0) == zero
        assert mark_of(inside, 1.0) == flat


def test_steps_that_cross_a_kink_prove_nothing_to_be_flat():
    loss = OfFunctions([lambda h: 0.0], [1.0])
    d = loss.look(np.array([0]), DOUBLE.ladder[:, None])
    for crossing, mark in ((0, FLAT), (1, FLAT), (3, OPEN), (len(DOUBLE.ladder), OPEN)):
        kinks = np.zeros(d.right.shape, int)
        kinks[:crossing] = 1  # half a decade each: of the long ones, within a tenth, some must stay
        d = replace(d, kinks=kinks)
        found = rules.weigh(loss.gradient, d, np.ones(1), loss, loss.noise, 0.0)
        assert found.mark[0] == mark, crossing
        # what long steps that cross one do not move is 0 = 0 all the same
        zero = rules.weigh(np.zeros(1), d, np.ones(1), loss, loss.noise, 0.0)
        assert zero.mark[0] == ZERO


def test_a_unit_that_a_longer_step_wakes_is_0_and_proves_nothing():
    wakes = lambda h: max(h - 1e-4, 0.0)  # noqa: E731
    found = weighed(wakes, 0.0)
    assert (found.mark[0], found.slope[0], found.bound[0]) == (ZERO, 0.0, 0.0)
    for a, mark in ((0.0, ZERO), (1.0, NOISE), (3.0, KINK)):
        assert rules.judge(OfFunctions([wakes, line(1.0)], [a, 1.0]))[0].mark[0] == mark


def test_a_loss_with_ripples_or_steps_has_jumps_where_the_gradient_fits_one_of_its_faces():
    grid = lambda h: np.round(h * 1e4) / 1e4  # noqa: E731
    ripples = lambda h: h + 1e-5 * np.sin(h / 1e-5)  # noqa: E731
    assert mark_of(grid, 0.0) == JUMPS  # between two lines of the grid
    assert mark_of(ripples, 1.0) == JUMPS  # in the large
    assert mark_of(ripples, 2.0) == OK  # in the small
    assert mark_of(ripples, 3.0) == BUG


def test_a_face_is_seen_by_roundings_though_the_noise_would_hide_it():
    """Steps below 1e-10 see another slope: a loss of 1 is rounded finely enough to tell."""
    ripples = lambda h: h + 1e-10 * np.sin(h / 1e-10)  # noqa: E731
    loss = OfFunctions([ripples], [2.0])
    loss.noise = 1e-9
    for base, mark in ((1e-9, JUMPS), (1.0, JUMPS), (1e9, BUG)):
        d = replace(loss.look(np.array([0]), DOUBLE.ladder[:, None]), base=base)
        d.right[:, 0], d.left[:, 0] = ([ripples(s * h) for h in DOUBLE.ladder] for s in (1, -1))
        d = replace(d, right=base + d.right, left=base + d.left)
        assert rules.weigh(loss.gradient, d, np.ones(1), loss, 1e-9, 0.0).mark[0] == mark, base


def test_where_no_step_gives_a_bound_an_entry_is_open_or_at_a_kink():
    one_sided = lambda h: h if h <= 0 else np.nan  # noqa: E731
    for a in (0.0, 1.0):
        assert mark_of(one_sided, a) == OPEN
        assert weighed(one_sided, a).bound[0] == np.inf
    moving = lambda h: 3 * abs(h) * (1 + 0.3 * np.sin(np.log(abs(h) + 1e-99) ** 2))  # noqa: E731
    assert mark_of(moving, 5.0) == KINK


# -- who goes up the ladder ----------------------------------------------------------------------


def test_a_bound_that_is_good_enough_is_a_share_of_the_largest_slope():
    """Of h + c h³ the slopes at the two first steps differ by c (10⁻⁹ - 10⁻¹⁰)."""

    def looks(c, tolerance=0.0, single=False, scale=1.0):
        curved = lambda h: h + c * h**3  # noqa: E731
        loss = OfFunctions([curved, line(scale)], [1.0, scale], single=single)
        found, _ = rules.judge(loss, tolerance)
        assert found.mark.tolist() == [OK, OK]
        return len(loss.looked) - 1 - single  # beyond the first, and float32's few ladders

    assert (looks(2e-8 / 0.92e-9), looks(2e-8 / 0.88e-9)) == (0, 1)
    assert (looks(4e-8 / 0.92e-9, scale=2.0), looks(4e-8 / 0.88e-9, scale=2.0)) == (0, 1)
    # a third of a tolerance
    assert (looks(1e-5 / 0.92e-9, 3e-5), looks(1e-5 / 0.88e-9, 3e-5)) == (0, 1)
    # float32's first steps are a thousand times as long: c (10⁻³ - 10⁻⁴)
    assert (looks(1e-3 / 0.92e-3, single=True), looks(1e-3 / 0.88e-3, single=True)) == (0, 1)


@pytest.mark.parametrize(("single", "small"), [(False, 1e-6), (True, 5e-4)])
def test_a_steady_difference_may_be_an_approximations_up_to_a_share_of_the_largest(single, small):
    for scale in (1.0, 8.0):
        for share, mark in ((0.97, "slight"), (1.03, BUG)):
            a = 1.0 + share * small * scale
            loss = OfFunctions([line(1.0), line(scale)], [a, scale], single=single)
            assert rules.judge(loss)[0].mark[0] == mark


def test_steps_are_shares_of_theta_where_it_is_large():
    wakes = lambda h: 0.0 if abs(h) < 5.0 else abs(h)  # noqa: E731
    large = OfFunctions([np.sin, wakes], [1.5, 0.0], theta=[100.0, 100.0])
    rules.judge(large)
    first, long_, ladder = large.steps[:3]
    np.testing.assert_allclose(first, 100 * np.array([[10**-4.5] * 2, [1e-5] * 2]))
    np.testing.assert_allclose(long_.ravel(), [10.0, 1.0, 0.1])  # where nothing moved the loss
    np.testing.assert_allclose(ladder[[0, -1]], [[10.0] * 2, [1e-10] * 2])
    single = OfFunctions([line(1.0)], [1.0], theta=[100.0], single=True)
    rules.judge(single)
    np.testing.assert_allclose(single.steps[0][[0, -1], 0], [10**1.5, 10**-2.5])


def test_near_0_steps_that_stay_on_its_side_tell_what_others_cannot():
    """log(theta + h) at theta = 1e-13: any other step leaves where it is defined."""
    log = lambda h: np.log1p(h / 1e-13) if h > -1e-13 else np.nan  # noqa: E731
    for a, mark in ((1e13, OK), (2e13, BUG)):
        loss = OfFunctions([log, line(1e13)], [a, 1e13], theta=[1e-13, 0.0])
        found, evaluations = rules.judge(loss)
        assert found.mark.tolist() == [mark, OK]
        assert found.slope[0] == pytest.approx(1e13, rel=1e-9)
        assert evaluations == evaluations_of(loss) == 8 + 2 * 46
    for theta, looked in ((0.0, 1), (0.0099, 2), (0.0101, 1), (5.0, 1)):
        wrong = OfFunctions([line(1.0)], [2.0], theta=[theta])
        rules.judge(wrong)
        assert len(wrong.looked) - 1 == looked  # shares of what is small, and is no share of 0


def test_a_bug_is_taken_back_near_0_only_by_a_slope_that_is_known_much_better():
    loss = OfFunctions([line(1.0)] * 3, [1.0] * 3)
    ladder, loss.noise = Ladder(loss, np.ones(3), 0.0), 1e-6  # a bound of 1e-5, by a step of 0.1
    for off, marks in ((4.9e-5, [BUG, OK, OK]), (5.1e-5, [OK, OK, OK])):  # a fifth
        for sign in (1, -1):
            found = finding([BUG, OPEN, KINK], [1.0 + sign * off] * 3, [1.0] * 3)
            ladder._climb(found, np.arange(3), np.ones(3), only_better=True)
            assert found.mark.tolist() == marks
            assert ladder.climbs[-1][0].tolist() == [k for k in range(3) if marks[k] == OK]
    found = finding([BUG, OPEN, KINK], [1.0 + 4.9e-5] * 3, [1.0] * 3)
    ladder._climb(found, np.arange(3), np.ones(3))
    assert found.mark.tolist() == [OK] * 3  # with the usual steps the later look counts
    unknown = OfFunctions([lambda h: np.nan], [1.0])
    found = finding([KINK], [1.0], [1.0])
    Ladder(unknown, np.ones(1), 0.0)._climb(found, np.arange(1), np.ones(1), only_better=True)
    assert found.mark[0] == KINK


def test_who_follows_is_far_out_by_its_bound_and_by_the_scale():
    functions, right = [line(1.0)] * 8, [1.0] * 8
    gradient = [2.0] * 4 + right[:4]
    for bound, off, mark in (
        (1e-5, 31e-5, BUG), (1e-5, 29e-5, OPEN),  # bounds
        (1e-9, 3.1e-6, BUG), (1e-9, 2.9e-6, OPEN),  # of the scale, as an approximation's
    ):  # fmt: skip
        loss = OfFunctions(functions, gradient)
        loss.gradient[5] = 1.0 + off
        found = finding([OPEN] * 4 + [OK, OPEN, OK, OK], right, [1e-9] * 5 + [bound] + [1e-9] * 2)
        open_ = np.array([True] * 4 + [False, True, False, False])
        Ladder(loss, np.ones(8), 0.0).prove(found, open_)
        assert found.mark.tolist() == [BUG] * 4 + [OK, mark, OK, OK], (bound, off)
        assert loss.looked == [([0, 1, 2, 3], len(DOUBLE.ladder))]  # it was not looked at


def test_where_the_worst_of_a_tensor_prove_no_bug_all_others_are_looked_at():
    curved = [lambda h, c=1000.0 - k: h + c * h**3 for k in range(6)]
    loss = OfFunctions(curved, [1.0] * 6)
    assert rules.judge(loss)[0].mark.tolist() == [OK] * 6
    ladder = len(DOUBLE.ladder)
    assert [(len(entries), steps) for entries, steps in loss.looked] == [
        (6, 2), (4, ladder), (2, ladder)
    ]  # fmt: skip


def test_in_a_wrong_tensor_the_noisy_few_and_what_has_no_slope_are_looked_at():
    def looked_at(bounds, scale=2.0):
        found = finding([OPEN] * len(bounds), np.ones(len(bounds)), bounds)
        ladder = Ladder(OfFunctions([line(1.0)] * len(bounds), [1.0] * len(bounds)),
                        np.full(len(bounds), scale), 0.0)  # fmt: skip
        return np.flatnonzero(ladder._tell_of_noise(found, slice(0, len(bounds)))).tolist()

    assert looked_at([1.9e-3, 2.1e-3, np.inf, np.nan]) == [1, 2, 3]  # a thousandth of the scale
    many = (0.1 * np.arange(1, 12)).tolist()
    assert looked_at(many) == list(range(3, 11))  # the eight noisiest
    assert looked_at([*many, np.inf]) == [*range(3, 12)]
    assert looked_at(many[:8]) == list(range(8))


# -- what is taken back --------------------------------------------------------------------------


def test_flat_is_a_bug_where_something_else_is_resolved_and_the_noise_is_usual():
    loss = OfFunctions([line(1.0), line(1.0)], [1.0, 1.0])

    def doubted(mark, bound, noise):
        ladder = Ladder(loss, np.full(2, 2.0), 0.0)
        d = loss.look(np.array([0]), DOUBLE.ladder[:, None])
        ladder.climbs = [(np.array([0]), d, np.array([noise * loss.noise]))]
        found = finding([FLAT, mark], [0.0, 1.0], [1e-9, bound])
        proved = []
        ladder.weigh = lambda entries, *_: proved.append(entries) or finding([FLAT], [0.0], [1.0])
        ladder.doubt(found)
        assert bool(proved) == (found.mark[0] == BUG)
        return str(found.mark[0])

    assert doubted(OK, 1.9e-3, 1.0) == BUG
    assert doubted(OK, 2.1e-3, 1.0) == FLAT  # of a scale of 2: that is no resolution
    assert doubted(OPEN, 1e-9, 1.0) == FLAT
    assert doubted(OK, 1e-9, 9.9) == BUG
    assert doubted(OK, 1e-9, 10.1) == FLAT


def test_of_two_climbs_the_later_one_counts():
    loss = OfFunctions([line(1.0), line(1.0)], [2.0, 1.0])
    d = loss.look(np.array([0]), DOUBLE.ladder[:, None])
    same = replace(d, right=0 * d.right + 1 + 2 * d.h_right, left=0 * d.left + 1 - 2 * d.h_left)
    for climbs, mark in (([same, d], BUG), ([d, same], JUMPS), ([d], BUG), ([same], JUMPS)):
        ladder = Ladder(loss, np.ones(2), 0.0)
        ladder.climbs = [(np.array([0]), one, np.array([loss.noise])) for one in climbs]
        found = finding([BUG, OK], [1.0, 1.0], [1e-9, 1e-9])
        ladder.doubt(found)
        assert found.mark[0] == mark


def test_noise_is_the_usual_one_of_all_that_climbed():
    loss = OfFunctions([line(1.0)] * 3, [2.0, 1.0, 1.0])
    d = loss.look(np.array([0]), DOUBLE.ladder[:, None])
    for noises, mark in (((1e-15, 1e-15, 1e3), BUG), ((1e-15, 1e3, 1e3), JUMPS)):
        ladder = Ladder(loss, np.ones(3), 0.0)
        ladder.climbs = [(np.array([k]), d, np.array([v])) for k, v in enumerate(noises)]
        found = finding([BUG, OK, OK], [1.0] * 3, [1e-9] * 3)
        ladder.doubt(found)
        assert found.mark[0] == mark


def test_every_evaluation_is_counted_also_beside_a_kink():
    kink = lambda h: 3 * h if h > 0 else -h  # noqa: E731
    for control in (1, 6):
        lines = [line(2.0)] * control
        sides = [OfFunctions([line(s), *lines], [s] + [2.0] * control) for s in (3.0, -1.0)]
        loss = OfFunctions([kink, *lines], [4.0] + [2.0] * control, beside=tuple(sides))
        found, evaluations = rules.judge(loss)
        assert found.mark[0] == SUBGRADIENT
        assert evaluations == evaluations_of(loss, *sides) + len(sides)
        assert [entries for entries, _ in sides[0].looked] == [
            list(range(1, min(control, 4) + 1)), [0]
        ]  # fmt: skip


def test_beside_a_kink_the_gradient_may_be_much_larger():
    kink = lambda h: 3 * h if h > 0 else -h  # noqa: E731
    for there, mark in ((1e3, SUBGRADIENT), (2.0, BUG)):
        sides = tuple(OfFunctions([line(3.0), line(there)], [3.0 + 5e-4, there]) for _ in range(2))
        loss = OfFunctions([kink, line(2.0)], [4.0, 2.0], beside=sides)
        marks = Ladder(loss, np.array([3.0, 3.0]), 0.0)._marks_at(sides[0], np.array([0]))
        assert marks[0] == ("slight" if there == 1e3 else BUG), mark


# -- a step of one's own, once more --------------------------------------------------------------


def at_step(a, loss=None, **given):
    """Return what is found of an entry of slope 1 and one that is right, and the evaluations."""
    plain = {"slopes": [[1.0, 1.0], [1.0, 1.0]], "err": [1e-9] * 2, "kinked": [False] * 2,
             "dead": [False] * 2, "tolerance": 0.0, "known": None}  # fmt: skip
    plain |= given
    loss = OfFunctions([line(1.0), line(1.0)], [a, 1.0]) if loss is None else loss
    return rules.judge_step(
        loss, np.array(plain["slopes"]), np.array(plain["err"]), np.full(2, 1e-5),
        np.array(plain["kinked"]), np.array(plain["dead"]), plain["tolerance"], plain["known"],
    )  # fmt: skip


def test_at_a_step_the_bound_is_its_noise_and_what_twice_the_step_changes():
    bound = {"err": [1e-5, 1e-9], "slopes": [[1.0, 1.0], [1.0 - 2e-5, 1.0]]}
    for off, evaluations in ((5.9e-5, 0), (-5.9e-5, 0), (6.1e-5, 46), (-6.1e-5, 46)):
        found, spent = at_step(1.0 + off, **bound)
        assert found.mark[0] == (OK if not evaluations else BUG)
        assert spent == evaluations
        assert found.bound[0] == pytest.approx(3e-5)
        assert (found.slope[0], found.step[0], found.reach[0]) == (1.0, 1e-5, 1.0)
    rounded = OfFunctions([line(1.0), line(8.0)], [1.0 + 7e-4, 8.0])
    rounded.rounding = 1e-4
    eight = {"slopes": [[1.0, 8.0], [1.0, 8.0]]}
    assert at_step(0, rounded, **eight)[1] == 0  # a ten-thousandth of the tensor's largest
    rounded.gradient[0] = 1.0 + 9e-4
    assert at_step(0, rounded, **eight)[1] == 46
    accepted = OfFunctions([line(1.0), line(8.0)], [1.0 + 7e-4, 8.0])
    assert at_step(0, accepted, tolerance=1e-4, **eight)[1] == 0


def test_nothing_is_accepted_where_no_tolerance_is_given():
    off = OfFunctions([line(1.0)], [1.0 + 1e-4])
    ones, no = np.ones((2, 1)), np.zeros(1, bool)
    found, _ = rules.judge_step(off, ones, np.array([1e-9]), np.array([1e-5]), no, no)
    assert found.mark[0] == rules.judge(off)[0].mark[0] == BUG


def test_at_a_step_nothing_agrees_where_twice_the_step_is_not_defined():
    found, evaluations = at_step(1.0, slopes=[[1.0, 1.0], [np.nan, 1.0]])
    assert found.bound[0] == np.inf
    assert (found.mark[0], evaluations) == (OPEN, 46)
    kinked, spent = at_step(1.0, kinked=[True, False])
    assert (kinked.mark[0], kinked.bound[0], spent) == (KINK, np.inf, 0)


def test_a_0_that_longer_steps_refute_is_left_open():
    wakes = OfFunctions([lambda h: h if abs(h) > 1e-4 else 0.0, line(1.0)], [0.0, 1.0])
    zeros = {"slopes": [[0.0, 1.0], [0.0, 1.0]]}
    for mark, said in ((BUG, BUG), (JUMPS, OPEN), (KINK, OPEN), (OK, OK), (SUBGRADIENT, OK)):
        known = lambda mark=mark: finding([mark, OK], [0.0, 1.0], [1e-9] * 2)  # noqa: E731
        found, evaluations = at_step(0.0, wakes, known=known, **zeros)
        assert (found.mark[0], evaluations) == (said, 0)
    found, evaluations = at_step(0.0, wakes, **zeros)
    assert (found.mark[0], evaluations) == (OPEN, 46)
    dead, evaluations = at_step(0.0, wakes, dead=[True, False], **zeros)
    assert (dead.mark[0], evaluations) == (ZERO, 0)
    wakes.gradient[0] = 1e-3
    assert at_step(0, wakes, dead=[True, False], **zeros)[0].mark[0] != ZERO


def test_at_a_step_too_a_loss_that_remembers_proves_nothing():
    loss = OfFunctions([line(1.0), line(1.0)], [2.0, 1.0])
    loss.repeats = lambda: False
    found, evaluations = at_step(2.0, loss)
    assert (found.mark.tolist(), found.repeats, evaluations) == ([NOISE] * 2, False, 46)


def test_a_tensor_of_zeros_is_compared_with_the_slopes_one_step_away():
    at, one = finding([OK] * 2, [0.0, 1.0], [1e-9] * 2), OfFunctions([line(1)] * 2, [1e-9, 1.0])
    one.tensors = [slice(0, 1), slice(1, 2)]
    at.reach[0] = 1.0
    for a, scale in ((0.9e-9, 1.0), (1.2e-9, 1e-9)):  # a billionth of the slopes one step away
        one.gradient[0] = a
        np.testing.assert_allclose(scales(one, at)[0], scale)
    at.slope[0], one.gradient[0] = 1.9e-9, 0.0  # no more than two bounds: it is nothing
    np.testing.assert_allclose(scales(one, at)[0], 1.0)
    at.slope[0] = 2.1e-9
    np.testing.assert_allclose(scales(one, at)[0], 2.1e-9)
