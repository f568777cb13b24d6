"""Many evaluations in one call: believed only where they agree with single calls."""

import numpy as np
import pytest

from gradlab.checking.black_box import Along, Probe
from gradlab.own.lanes import Lanes

THETA = np.linspace(0.1, 1.2, 12)
LAYOUT = {"a": (0, 7, (7,)), "b": (7, 12, (5,))}
EPS = float(np.finfo(float).eps)


def f(theta):
    return float(np.sum(np.sin(theta) * np.arange(1, 13)))


class Many:
    """Evaluates all at once, and remembers what it was asked; `spoil` changes the losses."""

    def __init__(self, spoil=lambda losses, entries: losses):
        self.asked, self.spoil = [], spoil

    def __call__(self, theta, name, entries, values):
        self.asked.append((name, entries.tolist(), values.tolist()))
        losses = []
        for entry, value in zip(entries, values, strict=True):
            moved = theta.copy()
            moved[entry] = value
            losses.append(f(moved))
        return self.spoil(np.array(losses), entries)


def lanes(many, number=100, size=1.0):
    numbers = dict.fromkeys(LAYOUT, number) if isinstance(number, int) else number
    return Lanes(many, LAYOUT, numbers, EPS, size)


def points(step=1e-3):
    return [(k, THETA[k] + sign * step) for sign in (1, -1) for k in range(12)]


def single(points):
    probe = Probe(f, THETA)
    return [probe(point) for point in points]


def test_answers_come_in_the_order_of_the_points_and_are_those_of_single_calls():
    many = Many()
    spread = lanes(many)
    assert not spread.used
    answers = spread.map(Probe(f, THETA), points())
    assert list(answers) == pytest.approx(single(points()), rel=1e-15)
    assert spread.used
    assert [name for name, *_ in many.asked] == ["a", "b"]
    for (_, entries, values), (lo, hi, _) in zip(many.asked, LAYOUT.values(), strict=True):
        assert entries == [lo, *range(lo, hi), *range(lo, hi)]  # theta itself first
        assert values[0] == THETA[lo]


def test_a_batch_has_no_more_lanes_than_it_may():
    many = Many()
    answers = lanes(many, {"a": 6, "b": 8}).map(Probe(f, THETA), points())
    assert list(answers) == pytest.approx(single(points()), rel=1e-15)
    sizes = [(name, len(entries)) for name, entries, _ in many.asked]
    # 14 points of a by 5 and one of theta; a rest of 4 is a batch, too; 10 of b by 7, 3 alone
    assert sizes == [("a", 6), ("a", 6), ("a", 5), ("b", 8)]


@pytest.mark.parametrize(("number", "calls"), [(4, 0), (5, 3)])
def test_so_few_lanes_are_not_worth_a_batch(number, calls):
    many = Many()
    answers = lanes(many, {"a": number, "b": 1}).map(Probe(f, THETA), points())
    assert list(answers) == pytest.approx(single(points()), rel=1e-15)
    assert len(many.asked) == calls
    assert {name for name, *_ in many.asked} <= {"a"}


@pytest.mark.parametrize(("count", "calls"), [(3, 0), (4, 1)])
def test_so_few_points_are_single_calls(count, calls):
    many = Many()
    assert list(lanes(many).map(Probe(f, THETA), points()[:count])) == single(points()[:count])
    assert len(many.asked) == calls


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("spoil", "is_used"),
    [
        (lambda losses, entries: losses + 1e-3, False),  # theta's own lane is another
        (lambda losses, entries: losses * (1 + 950 * EPS), True),
        (lambda losses, entries: losses * (1 + 1050 * EPS), False),  # a thousand roundings
        (lambda losses, entries: np.where(np.arange(len(losses)) == 3, 9.0, losses), False),
        (lambda losses, entries: losses[: 1 / 0], False),
        (lambda losses, entries: np.where(np.arange(len(losses)) == 0, np.nan, losses), False),
    ],
)
def test_what_does_not_agree_with_single_calls_is_not_believed(spoil, is_used):
    many = Many(lambda losses, entries: spoil(losses, entries) if 0 in entries else losses)
    spread, probe = lanes(many), Probe(f, THETA)
    far = [(k, THETA[k] + (0.5 if k == 2 else 1e-3)) for k in range(12)]  # lane 3 is the longest
    answers = list(spread.map(probe, far))
    assert answers == pytest.approx(single(far), rel=1e-10)
    assert spread.alone == (set() if is_used else {"a"})
    asked = len(many.asked)
    list(spread.map(probe, far))
    assert len(many.asked) - asked == 1 + is_used  # that tensor is not asked for again


def test_what_all_lanes_are_off_by_is_taken_off():
    off = 100 * EPS
    many = Many(lambda losses, entries: losses + off)
    answers = np.array(lanes(many).map(Probe(f, THETA), points()))
    assert np.abs(answers - single(points())).max() < off / 4


def test_how_far_a_lane_may_be_off_grows_with_the_terms_of_the_loss():
    off = 50_000 * EPS * f(THETA)
    for size, is_used in ((1.0, False), (100 * f(THETA), True)):
        spread = lanes(Many(lambda losses, entries: losses + off), size=size)
        list(spread.map(Probe(f, THETA), points()))
        assert spread.used == is_used


def test_where_the_loss_is_not_defined_a_lane_is_not_finite_either():
    def edge(theta):
        if theta[2] > 0.5:
            raise ZeroDivisionError
        return f(theta)

    far = [(k, THETA[k] + (0.5 if k == 2 else 1e-3)) for k in range(7)]
    for there, is_used in ((np.nan, True), (1.0, False)):
        many = Many(lambda l, e, there=there: np.where(np.arange(len(l)) == 3, there, l))  # noqa: E741
        spread = lanes(many)
        answers = list(spread.map(Probe(edge, THETA), far))
        assert spread.used == is_used
        assert isinstance(answers[2], Exception) or np.isnan(answers[2])
        assert answers[3] == pytest.approx(f_at(far[3]))
    infinite = lanes(Many())
    list(infinite.map(Probe(lambda t: np.inf, THETA), far))
    assert not infinite.used


def f_at(point):
    return Probe(f, THETA)(point)


def test_theta_itself_is_evaluated_once_for_a_probe():
    calls = []
    probe = Probe(lambda t: calls.append(t.tolist()) or f(t), THETA)
    spread = lanes(Many())
    list(spread.map(probe, points()))
    assert calls.count(THETA.tolist()) == 1
    list(spread.map(Probe(probe.f, THETA + 1), points()))
    assert calls.count((THETA + 1).tolist()) == 1


def test_what_is_no_probe_is_mapped_plainly():
    many, spread = Many(), lanes(Many())
    assert list(spread.map(pow, [2, 3], [3, 2])) == [8, 9]
    assert list(spread.map(abs, [-2])) == [2]
    along = Probe(Along(f, THETA, np.eye(12)), np.zeros(12))
    assert list(spread.map(along, [(0, 0.1)])) == [along((0, 0.1))]
    assert not many.asked
    assert spread.submit(pow, 2, exp=3).result() == 8
