"""The batch that code is asked about once more: which examples and steps are left, and how near."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines.another_batch import Asked, fewer
from gradlab.bugs.lines.cause import Cause, cause_of
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import lstm_problem, mlp_problem


@pytest.mark.every_case
@pytest.mark.parametrize(("n", "left"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 6)])
def test_one_example_fewer_but_two_stay_two(n, left):
    net, x, y, masks = mlp_problem((3, 4, 2), N=n, dropout_rate=0.3)(0, "float64")
    other = fewer(Point(net, x, y, masks))
    assert other.net is net
    assert np.array_equal(other.x, x[:left])
    assert np.array_equal(other.y, y[:left])
    assert len(other.masks) == len(masks) == 1
    assert np.array_equal(other.masks[0], masks[0][:left])


@pytest.mark.every_case
@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize(
    ("steps", "n", "steps_left", "left"),
    [
        (5, 6, [0, 1, 2, 3], 5), (5, 5, [0, 1, 2, 3], 3), (3, 3, [0, 1], 1), (3, 4, [0, 1], 3),
        (4, 3, [0, 1, 2], 2), (3, 2, [0, 1], 2), (2, 5, [0, 1, 0], 4), (2, 2, [0, 1, 0], 2),
        (1, 5, [0, 0], 4),
    ],
)  # fmt: skip
def test_of_sequences_a_step_fewer_too(every_step, steps, n, steps_left, left):
    net, x, y, masks = lstm_problem(D=2, H=3, K=2, T=steps, N=n, every_step=every_step)(
        0, "float64"
    )
    other = fewer(Point(net, x, y, masks))
    assert np.array_equal(other.x, x[steps_left][:, :left])
    assert np.array_equal(other.y, y[steps_left][:, :left] if every_step else y[:left])
    assert other.masks is None
    assert net.loss(other.x, other.y) > 0  # the network takes it


def answer(**values):
    point = Point(gl.mlp([2, 2], seed=0), np.ones((3, 2)), np.array([0, 1, 1]), None)
    return Asked(point, {k: np.array(v, float) for k, v in values.items()})


def test_every_tensor_is_as_near_as_its_own_size_and_a_billionth_of_the_largest_allow():
    asked = answer(a=[3.0, 4.0], b=[0.0, 0.5], c=[0.0])
    for name, size in (("a", 5.0), ("b", 0.5), ("c", 0.0)):
        most = 1e-6 * size + 1e-9 * 5.0
        for share, is_near in ((0.9, True), (1.1, False)):
            made = dict(asked.answer)
            made[name] = made[name] + share * most * np.eye(len(made[name]))[0]
            assert asked.is_(made) == is_near, (name, share)
    assert asked.is_({k: v[None] for k, v in asked.answer.items()})  # in whatever shape


@pytest.mark.parametrize(
    ("dtype", "tolerance", "most"),
    [("float64", 0.0, 1e-6), ("float64", 1e-2, 1e-2), ("float32", 0.0, 1e-3),
     ("float32", 1e-2, 1e-2)],
)  # fmt: skip
def test_single_precision_has_three_digits_and_a_cast_two(dtype, tolerance, most):
    asked = answer(a=[3.0, 4.0])
    asked.point.net.dtype = np.dtype(dtype)
    for share, is_near in ((0.9, True), (1.1, False)):
        assert asked.is_({"a": asked.answer["a"] * (1 + share * most)}, tolerance) == is_near


def test_code_answers_with_every_parameter_in_its_shape():
    point = Point(*mlp_problem((3, 4, 2), N=5)(0, "float64"))
    given = []

    def code(*batch):
        given.append(batch)
        return point.net.gradient(*batch)

    asked = Asked.of(code, point)
    ((x, y, masks),) = given
    assert (x is asked.point.x, y is asked.point.y, masks) == (True, True, None)
    right = point.net.gradient(x, y)
    assert all(np.array_equal(asked.answer[k], v) for k, v in right.items())
    for odd in ({"W1": right["W1"].T}, {"b1": right["b1"][:1]}, {"more": np.ones(2)}):
        assert Asked.of(lambda *batch, odd=odd: right | odd, point) is None
    assert Asked.of(lambda *batch: {k: right[k] for k in ("W1", "b1")}, point) is None
    assert Asked.of(lambda *batch: None, point) is None


def test_only_what_wrong_lines_raise_cannot_be_carried_over(monkeypatch):
    asked = answer(a=[3.0, 4.0])
    for error in (ValueError, IndexError, NameError, KeyError, TypeError, ZeroDivisionError,
                  AttributeError, SyntaxError):  # fmt: skip

        def fails(cause, point, error=error):
            raise error

        monkeypatch.setattr(Cause, "replay", fails)
        assert asked.agrees(cause_of(()))
    monkeypatch.setattr(Cause, "replay", lambda cause, point: {"a": 2 * asked.answer["a"]})
    assert not asked.agrees(cause_of(()))
