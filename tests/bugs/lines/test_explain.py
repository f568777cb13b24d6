"""What is told of the edits that fit: which of them, how surely, and what else it could be."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines import explain
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import mlp_problem

SMALL = Point(*mlp_problem((2, 3, 2), N=5)(0, "float64"))
RIGHT = SMALL.net.gradient(*SMALL[1:])
CLOSE = dict.fromkeys(RIGHT, 1e-10)


def told(wrong, point=SMALL, right=RIGHT, bounds=CLOSE, **more):
    return explain(point, wrong, right, bounds, **more)


def lines(causes):
    return [cause.wrong_line for cause in causes]


@pytest.fixture(scope="module")
def coinciding():
    """Three examples and three classes: a mean over the one may be one over the other."""
    point = Point(*mlp_problem((2, 3, 3), N=3)(0, "float64"))

    def by(size):
        def gradient(x, y, masks):
            made = point.net.gradient(x, y, masks)
            return made | {"b1": made["b1"] / size(x)}

        return gradient

    return point, {"N": by(len), "K": by(lambda x: 3)}


def test_what_cannot_be_told_apart_here_is_told_as_both(coinciding):
    point, codes = coinciding
    right, wrong = point.net.gradient(*point[1:]), codes["N"](*point[1:])
    found = told(wrong, point, right)
    assert lines(found) == [f"db1 = 1 / {size} * dz1.sum(axis=0)" for size in "NK"]
    assert all(cause.certain and cause.tensors == ("b1",) for cause in found)
    for cause, size in zip(found, "KN", strict=True):
        assert cause.alike == (f"layer 1, dense: db1 = 1 / {size} * dz1.sum(axis=0)",)


@pytest.mark.parametrize("size", ["N", "K"])
def test_another_batch_tells_sizes_apart_if_the_code_can_be_asked(coinciding, size):
    point, codes = coinciding
    right, wrong = point.net.gradient(*point[1:]), codes[size](*point[1:])
    found = told(wrong, point, right, gradient=codes[size])
    assert lines(found) == [f"db1 = 1 / {size} * dz1.sum(axis=0)"]
    assert found[0].certain


def test_what_fits_here_and_not_on_another_batch_is_no_fact(coinciding):
    """The code is asked, and answers with something that no line gives."""
    point, codes = coinciding
    right, wrong = point.net.gradient(*point[1:]), codes["N"](*point[1:])
    for other in (codes["N"], lambda *batch: {k: 2 * v for k, v in codes["N"](*batch).items()}):
        found = told(wrong, point, right, gradient=other)
        assert [cause.certain for cause in found] == (
            [True] if other is codes["N"] else [False] * 2
        )


def test_of_what_is_explained_in_part_the_usual_edit_is_told_and_what_it_leaves():
    wrong = RIGHT | {"b2": RIGHT["b2"] / 5, "W1": np.sort(RIGHT["W1"], axis=0) ** 2}
    (cause,) = told(wrong)
    assert cause.wrong_line == "db2 = 1 / N * dlogits.sum(axis=0)"
    assert (cause.tensors, cause.left_open) == (("b2",), ("W1",))
    assert not cause.certain
    assert cause.residual < 1e-9
    assert str(cause).startswith("perhaps (it leaves W1 open): output, dense: db2 = 1 / N *")


def test_of_two_parts_the_larger_is_told():
    """The factor of W1, W2 and b2 lies in the loss; b1 is anything."""
    wrong = {k: v / 5 for k, v in RIGHT.items()} | {"b1": np.arange(3.0)}
    (cause,) = told(wrong)
    assert cause.wrong_line == "dlogits = 1 / N * ((p - y) / N)"
    assert (cause.tensors, cause.left_open) == (("W1", "W2", "b2"), ("b1",))


def test_a_mistake_is_named_under_a_clipping():
    wrong = {k: np.clip(5 * v, -0.3, 0.3) for k, v in RIGHT.items()}
    assert sum((np.abs(v) == 0.3).sum() for v in wrong.values()) > 5
    cause, *more = told(wrong)
    assert cause.certain
    assert more == []
    assert cause.wrong_line == "dlogits = p - y; g = np.clip(g, -0.3, 0.3)"
    assert cause.right_line == "dlogits = (p - y) / N"
    assert cause.where == "loss, softmax_cross_entropy; after backward"


def test_a_rounding_is_a_fact_though_it_is_not_reproduced_to_the_last_digit():
    rng = np.random.default_rng(0)
    wrong = {k: np.round(v, 4) + 1e-7 * rng.standard_normal(v.shape) for k, v in RIGHT.items()}
    (cause,) = told(wrong)
    assert cause.wrong_line == "g = np.round(g, 4)"
    assert 1e-6 < cause.residual < 1e-2


def test_of_edits_that_come_near_only_those_that_hit_are_told():
    """Where little is known of the numerical gradient, many an edit is near enough."""
    wrong = RIGHT | {"b2": RIGHT["b2"] / 5}
    found = told(wrong, bounds=dict.fromkeys(RIGHT, 1e-3))
    assert lines(found) == ["db2 = 1 / N * dlogits.sum(axis=0)"]
    assert found[0].residual < 1e-9


@pytest.mark.parametrize("which", ["network", "gradient"])
def test_single_precision_is_enough_wherever_it_comes_from(which):
    net, x, y, masks = mlp_problem((2, 3, 2), N=5)(
        0, "float32" if which == "network" else "float64"
    )
    right = {k: v.astype(float) for k, v in net.gradient(x, y, masks).items()}
    wrong = right | {"b2": right["b2"] / 5}
    rng = np.random.default_rng(0)
    wrong = {k: v * (1 + 1e-7 * rng.standard_normal(v.shape)) for k, v in wrong.items()}
    if which == "gradient":
        wrong = {k: v.astype("float32") for k, v in wrong.items()}
    found = told(wrong, Point(net, x, y, masks), right)
    assert lines(found) == ["db2 = 1 / N * dlogits.sum(axis=0)"]
    assert found[0].certain
    if which == "gradient":  # the same numbers in double precision would have been off
        assert not any(c.certain for c in told({k: v.astype(float) for k, v in wrong.items()}))


def test_no_pass_is_like_another_one_where_masks_are_drawn_at_each_call():
    net, x, y, masks = mlp_problem((2, 3, 2), N=5, dropout_rate=0.3)(0, "float64")
    right = net.gradient(x, y, masks)
    wrong = right | {"b2": right["b2"] / 5}
    assert told(wrong, Point(net, x, y, masks), right)
    assert told(wrong, Point(net, x, y, np.random.default_rng(0)), right) == []


def test_a_layer_of_ones_own_has_no_lines_to_be_wrong():
    class Same(gl.nn.layers.Layer):
        def forward(self, params, a):
            return a

        def backward(self, params, a, out, grad_out):
            return grad_out, {}

    net = SMALL.net.copy()
    net.layers.insert(1, Same())
    assert told(RIGHT | {"b2": RIGHT["b2"] / 5}, SMALL._replace(net=net)) == []
