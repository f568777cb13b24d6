"""The right backward pass of other masks, or of sequences the other way round, is told as that."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines import Program, problems
from gradlab.bugs.lines.wrong_gradient import WrongGradient
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import lstm_problem, mlp_problem

KEEP = 0.7
DROPPING = mlp_problem((3, 4, 4, 2), dropout_rate=1 - KEEP)


def told(point, taken):
    """Return what `others` says where the gradient is that of other examples or masks."""
    right, wrong = (point.net.gradient(*batch) for batch in (point[1:], taken))
    target = WrongGradient(wrong, right, dict.fromkeys(right, 1e-10), None, False)
    program = Program(point)
    target.measure(program)
    found = problems.others(program, target)
    for cause in found:
        made = cause.apply(program)
        assert all(np.allclose(made[k], v, rtol=1e-9, atol=1e-12) for k, v in wrong.items())
    return [(cause.where, cause.wrong_line, cause.right_line) for cause in found]


MASKS = [
    (lambda masks: None, "no masks"),
    (lambda masks: [m > 0 for m in masks], "masks > 0"),
    (lambda masks: [m / KEEP for m in masks], "masks / keep"),
    (lambda masks: [(m == 0) / KEEP for m in masks], "masks == 0"),
    (lambda masks: [masks[1], masks[0]], "masks[::-1]"),
    (lambda masks: [masks[0], masks[0]], "masks[0] everywhere"),
    (lambda masks: [np.tile(m[0], (7, 1)) for m in masks], "each mask's first row for all"),
]


@pytest.mark.every_case
@pytest.mark.parametrize(("change", "code"), MASKS, ids=[code for _, code in MASKS])
def test_other_masks_are_told(change, code):
    point = Point(*DROPPING(0, "float64"))
    where = "dropout, forward and backward"
    found = told(point, (point.x, point.y, change(point.masks)))
    assert found == [(where, f"gradient(x, y, {code})", "gradient(x, y, masks)")]


def test_masks_of_layers_of_two_sizes_cannot_be_taken_for_each_other():
    point = Point(*mlp_problem((3, 4, 5, 2), dropout_rate=1 - KEEP)(0, "float64"))
    for change, code in MASKS:
        if "masks[" not in code:
            found = told(point, (point.x, point.y, change(point.masks)))
            assert [line for _, line, _ in found] == [f"gradient(x, y, {code})"]


def test_masks_of_a_network_without_dropout_are_not_thought_of():
    point = Point(*mlp_problem((3, 4, 2))(0, "float64"))
    assert told(point, (point.x[::-1], point.y, None)) == []
    net, x, y, _ = DROPPING(0, "float64")  # nor those that are not given
    assert told(Point(net, x, y, None), (x[::-1], y, None)) == []
    masks = gl.mlp([3, 4, 2], dropout_rate=0.3).draw_masks(len(point.x), np.random.default_rng(0))
    assert told(point._replace(masks=masks), (point.x[::-1], point.y, masks)) == []


@pytest.mark.parametrize("every_step", [False, True])
def test_sequences_the_other_way_round_are_told(every_step):
    net, x, y, _ = lstm_problem(D=2, H=2, K=2, T=3, N=4, every_step=every_step)(0, "float64")
    x_alone = ("time", "gradient(x[::-1], y)", "gradient(x, y)")
    both = ("time", "gradient(x[::-1], y[::-1])", "gradient(x, y)")
    y[...] = [0, 1, 1, 0]  # the same from behind: of one label a sequence, that is no time
    if not every_step:
        assert told(Point(net, x, y, None), (x[::-1], y, None)) == [x_alone]
        return
    assert told(Point(net, x, y, None), (x[::-1], y, None)) == [x_alone, both]
    y[0] = 1
    assert told(Point(net, x, y, None), (x[::-1], y, None)) == [x_alone]
    assert told(Point(net, x, y, None), (x[::-1], y[::-1], None)) == [both]


def column(A, total, *, scale=1.0, limit=1e-9):
    """Return which of the columns of `A`, times a scale, sum up to this; None if it is open."""
    found = problems._column(np.array(A, float), np.array(total, float), scale, limit)
    return None if found is None else found.tolist()


def test_a_mask_is_solved_for_where_only_one_can_be():
    assert column([[1, 0, 2], [0, 1, 1]], [3, 1]) == [1, 0, 1]  # fewer equations than unknowns
    assert column([[1, 0, 2], [0, 1, 1]], [6, 2], scale=2.0) == [2, 0, 2]
    assert column([[1, 2, 4, 8]], [11]) == [1, 1, 0, 1]
    assert column([[1, 2, 3]], [3]) is None  # the third, or the first two
    assert column([[1, 2, 4]], [9]) is None  # none
    assert column([[1, 2, 0]], [2]) == [0, 1, 0]  # of what no signal comes down to it is 0
    square = np.eye(3) + 0.1
    assert column(square, square @ [1, 1, 0]) == [1, 1, 0]
    assert column(square, square @ [2, 1, 0]) is None  # no mask lets through double
    assert column(square, square @ [1, 1, 0] + 1e-3, limit=1e-2) == [1, 1, 0]
    assert column(square, square @ [1, 1, 0] + 1e-3) is None


def test_of_many_unknowns_not_every_mask_is_tried():
    powers = 2.0 ** np.arange(13)
    few, many = powers[None, :12], powers[None]
    assert column(few, [5]) == [1, 0, 1] + [0] * 9
    assert column(many, [5]) is None
    assert column(np.eye(13), np.eye(13)[2]) == np.eye(13)[2].tolist()  # they need not be


def solved(point, wrong, entries=None):
    """Return the lines with other masks that give this gradient."""
    right = point.net.gradient(*point[1:])
    if entries is not None:
        wrong, right = ({k: np.ravel(v)[entries[k]] for k, v in g.items()} for g in (wrong, right))
    target = WrongGradient(wrong, right, dict.fromkeys(right, 1e-10), entries, False)
    program = Program(point)
    target.measure(program)
    return [(cause, program) for cause in problems.redrawn(program, target)]


def drawn_anew(point, which, one_row=False):
    """Return the gradient whose way back has other masks at some layers of a tanh MLP with L2."""
    net, x, y, masks = point
    rng, p = np.random.default_rng(3), net.params
    back = [(rng.random(m[0].shape if one_row else m.shape) < KEEP) / KEEP + 0 * m for m in masks]
    h, a = [x], [None]
    for k, m in enumerate(masks, 1):
        a.append(np.tanh(h[-1] @ p[f"W{k}"] + p[f"b{k}"]))
        h.append(a[-1] * m)
    d = 2 * (h[-1] @ p["W3"] + p["b3"] - y) / len(x)
    grads = {}
    for k in (3, 2, 1):
        grads |= {f"W{k}": h[k - 1].T @ d + net.l2 * p[f"W{k}"], f"b{k}": d.sum(axis=0)}
        if k > 1:
            m = (back if k - 1 in which else masks)[k - 2]
            d = d @ p[f"W{k}"].T * m * (1 - a[k - 1] ** 2)
    return grads


@pytest.mark.parametrize("which", [(1,), (2,), (1, 2)])
@pytest.mark.parametrize("one_row", [False, True])
def test_masks_that_only_backward_has_drawn_anew_are_named_where_they_are(which, one_row):
    problem = mlp_problem((8, 4, 4, 2), N=6, loss="mse", l2=0.1, dropout_rate=1 - KEEP)
    point = Point(*problem(0, "float64"))
    assert all(np.allclose(v, point.net.gradient(*point[1:])[k])
               for k, v in drawn_anew(point, ()).items())  # fmt: skip
    assert solved(point, drawn_anew(point, ())) == []
    wrong = drawn_anew(point, which, one_row)
    ((cause, program),) = solved(point, wrong)
    name = "one_mask_for_all" if one_row else "another_mask"
    layers = sorted(which, reverse=True)
    assert cause.where == "; ".join(f"layer {k}, dropout" for k in layers)
    assert cause.wrong_line == "; ".join(f"da{k} = dh{k} * {name}{k}" for k in layers)
    assert cause.right_line == "; ".join(f"da{k} = dh{k} * m{k}" for k in layers)
    for k, value in cause.apply(program).items():
        np.testing.assert_allclose(value, wrong[k], rtol=1e-8, atol=1e-12)
    entries = {k: np.arange(1, v.size) for k, v in wrong.items()}
    assert solved(point, wrong, entries) == []  # of a part of a column nothing can be solved
    for name in ("b1", "b3"):  # which no mask makes
        assert solved(point, wrong | {name: wrong[name] + 1.0}) == []


def test_a_layer_with_nothing_wrong_need_not_be_solved_for():
    """Of 14 examples two features leave its mask open; 14 features settle that of the one above."""
    problem = mlp_problem((2, 14, 4, 2), N=14, loss="mse", l2=0.1, dropout_rate=1 - KEEP)
    point = Point(*problem(0, "float64"))
    ((cause, _),) = solved(point, drawn_anew(point, (2,)))
    assert cause.where == "layer 2, dropout"
    assert solved(point, drawn_anew(point, (1,))) == []


def test_masks_under_a_batch_norm_are_not_solved_for():
    problem = mlp_problem((8, 4, 4, 2), N=6, batch_norm=True, dropout_rate=1 - KEEP)
    point = Point(*problem(0, "float64"))
    right = point.net.gradient(*point[1:])
    assert solved(point, right | {"b3": 2 * right["b3"]}) == []
