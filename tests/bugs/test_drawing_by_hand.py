"""What a mystery takes for visible, sound and likely, and what a choice must explain: the edges."""

from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs import drawing, likely
from gradlab.bugs.choices import Trial
from gradlab.bugs.likely import KINDS, likely_edits
from gradlab.bugs.lines.edits import Scope
from gradlab.bugs.lines.program import Program
from gradlab.bugs.planting import program_of
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import lstm_problem, mlp_problem

POINT = Point(*mlp_problem((3, 4, 4, 2), N=5, l2=0.1, dropout_rate=0.3)(0, "float64"))
PROGRAM = Program(POINT)
SCOPE = Scope(PROGRAM)


def line_of(target, program=PROGRAM):
    return next(line for line in program.lines if line.target == target and not line.step.form)


# -- how far, how large ----------------------------------------------------------------------------


def test_how_far_apart_two_gradients_are():
    """|a - b| / (|a| + |b|), with a billionth of the whole gradient on top of the sizes."""
    a = {"W": np.array([3.0, 4.0]), "b": np.array([0.0])}
    b = {"W": np.array([3.0, -4.0]), "b": np.array([1e-9])}
    found = drawing.far(a, b)
    assert found["W"] == pytest.approx(8 / 10)
    assert found["b"] == pytest.approx(1e-9 / (1e-9 + 1e-9 * (10 + 1e-9)))
    zeros = {"W": np.zeros(2)}
    assert drawing.far(zeros, zeros) == {"W": 0}
    assert drawing.far(zeros, {"W": np.ones(2)})["W"] == pytest.approx(1)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("made", "is_sound"),
    [([3.0, 4.0], True), ([2.9e4, 4e4], True), ([3.1e4, 4e4], False), ([np.nan, 0], False),
     ([np.inf, 0], False), ([0.0, 0.0], True)],
)  # fmt: skip
def test_a_wrong_gradient_is_finite_and_at_most_ten_thousand_times_as_large(made, is_sound):
    right = SimpleNamespace(gradient={"W": np.array([3.0, 4.0]), "b": np.zeros(1)})
    assert drawing._is_sound({"W": np.array(made), "b": np.zeros(1)}, right) is is_sound


@pytest.mark.parametrize(("ratio", "least", "shows"), [
    (1.1e-2, drawing.VISIBLE, True), (0.9e-2, drawing.VISIBLE, False),
    (1.1e-3, drawing.ELSEWHERE, True), (0.9e-3, drawing.ELSEWHERE, False), (np.nan, 0, False),
])  # fmt: skip
def test_a_bug_shows_in_one_tensor_at_least(monkeypatch, ratio, least, shows):
    right = {"W": np.ones(3), "b": np.ones(2)}
    wrong = right | {"b": right["b"] * (1 + ratio) / (1 - ratio)}
    monkeypatch.setattr(drawing, "gradient_with", lambda p, slips: wrong if slips else right)
    program = SimpleNamespace(gradient=right)
    assert drawing._shows(program, ("slip",), (), least) == shows


def test_all_but_one():
    assert [drawing._without(("a", "b", "c"), k) for k in range(3)] == [
        ("b", "c"), ("a", "c"), ("a", "b"),
    ]  # fmt: skip


def test_each_kind_of_mistake_has_its_share_and_the_likeliest_most_of_it():
    right = "d = a * b"
    found = [("d = a", 1.0), ("d = b", 2.0), ("d = 2 * (a * b)", 0.5), ("d = b * a", 3.0)]
    weights = drawing._weights(right, found)
    missing, surplus, order = (KINDS[kind][1] for kind in ("missing", "surplus", "order"))
    whole = missing + surplus + order
    expected = [missing * 0.8 / whole, missing * 0.2 / whole, surplus / whole, order / whole]
    assert weights == pytest.approx(expected)  # a cost more is a quarter as often


# -- elsewhere -------------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(("n", "left"), [(1, 2), (2, 2), (3, 2), (5, 4), (9, 8), (20, 8)])
def test_elsewhere_are_other_and_fewer_examples_but_two_at_least(n, left):
    net, x, y, masks = mlp_problem((3, 4, 2), N=n, dropout_rate=0.3)(0, "float64")
    before = net.theta.copy()
    ground = drawing.Ground(Point(net, x, y, masks))
    other = ground.elsewhere
    rows = np.arange(left) % n
    assert np.array_equal(other.point.y, y[rows])
    assert len(other.point.x) == left
    assert np.array_equal(other.point.masks[0], masks[0][rows])
    assert not np.allclose(other.point.x, x[rows])
    assert np.array_equal(net.theta, before)
    for name, value in net.params.items():
        assert 0 < np.std(other.net.params[name] - value) < 1.2 * (np.std(value) or 1)


def test_a_bug_must_run_with_and_without_l2_and_with_dropout_where_it_can_be():
    dropping = drawing.Ground(POINT).built_on
    assert [p.net.l2 for p in dropping] == [0.0, 0.1]
    assert [p.net.dropout_rate for p in dropping] == [0.0, 0.4]
    assert [p.point.masks is None for p in dropping] == [True, False]
    point = Point(*lstm_problem(D=2, H=3, K=2, T=3, N=4)(0, "float64"))
    (plain,) = drawing.Ground(point).built_on
    assert plain.net.l2 == 0.1


@pytest.mark.parametrize("every_step", [False, True])
def test_a_look_at_a_network_is_on_five_examples_that_it_takes(every_step):
    images = gl.convnet((1, 4, 4), padding=(1, 1))
    sequences = gl.lstm(3, 2, 2, every_step=every_step)
    for net in (gl.mlp([3, 4, 2]), gl.mlp([3, 2], loss="mse"), images, sequences):
        x, y = drawing._probe(net)
        assert x.shape[net.batch_axis] == 5
        assert np.isfinite(net.loss(x, y))
        assert len(np.unique(x)) == x.size


# -- likely lines ----------------------------------------------------------------------------------


def test_of_a_likely_edit_the_cheapest_way_to_it_counts_and_no_far_fetched_one():
    line = line_of("db2")
    found = dict(likely_edits(line, line.text, SCOPE, {"dz2", "dlogits"}))
    sums = "dz2.sum(axis=0)"
    assert found[f"db2 = 2 * {sums}"] == pytest.approx(1.2)
    assert found[f"db2 = -{sums}"] == pytest.approx(1.2)
    assert found[f"db2 = 1 / N * {sums}"] == pytest.approx(1.4)
    assert found[f"db2 = 0.5 * {sums}"] == pytest.approx(1.8)
    assert line.text not in found
    assert "pass" not in found
    assert max(found.values()) <= likely.DEAREST + 0.8
    other = line_of("da1")
    text = other.others[0]
    assert "da1 = dh1 * (m1 > 0)" in dict(likely_edits(other, text, SCOPE, {"dh1"}))
    assert "da1 = dh1 * (m1 > 0)" not in dict(likely_edits(other, other.text, SCOPE, {"dh1"}))


def test_names_that_a_line_reads():
    assert likely.names_in("a = b * tanh(c[t]) + a") == {"a", "b", "c", "t", "tanh"}
    assert likely.names_in("a += b") == {"b"}
    assert likely.names_in("for t in reversed(range(T)):") == {"reversed", "range", "T"}


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("right", "wrong", "is_one"),
    [
        ("a * 2", "a * 3", True), ("a * 2", "a * 0.5", False), ("a * 0.5", "a * 0.9", True),
        ("a * 2", "a", True), ("a", "a * 2", True), ("a", "a * 1", True), ("a", "a / 0.5", True),
        ("a", "a * 3", False), ("a", "a * 2 * 1", False), ("a * 1", "a * 2", False),
        ("a * 2", "a * 1", False), ("a * 0", "a * 2", False), ("a * 2 + 3", "a * 4 + 5", False),
        ("a ** 2", "a ** 3", True),
    ],
)  # fmt: skip
def test_of_the_numbers_one_at_most_is_another_one_of_the_same_size(right, wrong, is_one):
    lost, come = likely._differences(wrong, right)
    assert likely._are_numbers_likely(lost, come) == is_one


def test_a_name_is_taken_for_one_that_looks_or_works_like_it():
    inner, loss = line_of("dz2"), line_of("dlogits")
    for new, lost, line, is_one in (
        ("x", {"a1"}, inner, False), ("p", {"a2"}, inner, False), ("p", {"y"}, loss, True),
        ("z2", {"a2"}, inner, True), ("a1", {"da2"}, inner, True), ("dz2", {"da2"}, inner, True),
        ("dz2", {"a2"}, inner, False), ("dz2", {"z2"}, inner, True), ("dz2", set(), inner, True),
        ("dz2", {"a2", "z2"}, inner, True),
    ):  # fmt: skip
        assert likely._is_mistaken(new, lost, line) == is_one, new


def test_a_new_name_is_set_before_whatever_is_switched_on():
    for names, before, is_known in (
        ({"z1"}, (), True), ({"tanh"}, (), True), ({"da1"}, ("da1",), True), ({"da1"}, (), False),
        ({"nothing"}, (), False), ({"h1"}, (), False), ({"m1"}, (), False), ((), (), True),
        ({"data_dW1"}, ("data_dW1",), False), ({"dh1"}, ("dh1",), False), ({"z1", "zz"}, (), False),
    ):  # fmt: skip
        assert likely._knows(names, before, SCOPE) == is_known, names


def test_the_gradient_goes_through_a_line_and_at_the_loss_the_outputs_do():
    inner, loss = line_of("dz2"), line_of("dlogits")
    names = {"da2", "a2", "dsigmoid", "W2", "p", "e", "dp", "logits", "y"}
    assert likely._signals(names, inner) == {"da2", "dp"}
    assert likely._signals(names, loss) == {"p", "e", "dp", "logits"}


# -- what a choice must explain --------------------------------------------------------------------


def trial(**wrong):
    right = PROGRAM.gradient
    return Trial(PROGRAM, {k: wrong[k](v) if k in wrong else v for k, v in right.items()})


def test_a_tensor_is_wrong_by_a_ten_thousandth():
    for share, names in ((0.9e-4, set()), (1.1e-4, {"db2"})):
        assert trial(b2=lambda v, s=share: v * (1 + s) / (1 - s)).wrong == names
    found = trial()
    assert found.live == {f"d{name}" for name in PROGRAM.gradient}
    assert found.floor == pytest.approx(
        1e-9 * sum(np.linalg.norm(v) for v in PROGRAM.gradient.values())
    )


def test_a_line_is_near_if_it_moves_all_that_is_wrong_and_nothing_else():
    bias, both = trial(b2=np.abs), trial(b2=np.abs, W1=np.abs)
    near = {line.target for line in PROGRAM.lines if bias.is_near(line) and not line.step.form}
    assert near == {"db2"}
    assert not any(both.is_near(line) for line in PROGRAM.lines)
    lower = trial(W1=np.abs, b1=np.abs)
    near = {line.target for line in PROGRAM.lines if lower.is_near(line)}
    assert near == {"dz1", "da1", "dh1"}


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_an_edit_fits_to_a_ten_millionth_and_the_floor(size):
    found = trial(b2=lambda v: 2 * v)
    found.target = {"b2": size * np.array([3.0, 4.0])}
    found.floor = 1e-8 * size
    most = 1e-7 * 5 * size + 1e-8 * size
    for share, is_close in ((0.95, True), (1.05, False)):
        assert found._is_close("b2", np.array([share * most, 0]), np.zeros(2)) == is_close
        assert found._is_close("b2", np.array([7.0, share * most]), np.array([7.0, 0])) == is_close


def test_an_edit_explains_with_one_factor_for_all_tensors():
    line = line_of("dz1")
    wide = "dz1 = S * (da1 * (1 - a1 ** 2))"
    lam = POINT.net.l2
    weight = PROGRAM.values["W1"]

    def times(one, two):
        return trial(W1=lambda v: one * (v - lam * weight) + lam * weight, b1=lambda v: two * v)

    assert times(3, 3)._is_made_by(line, wide)
    assert times(0.2, 0.2)._is_made_by(line, wide)
    assert not times(3, 2)._is_made_by(line, wide)
    assert times(3, 3)._is_made_by(line, wide.replace("S", "3"))
    assert not times(3, 3)._is_made_by(line, wide.replace("S", "2"))
    assert not times(3, 3)._is_made_by(line, "dz1 = da1 @ da1")  # which does not run
    assert times(3, 3).is_explained_by(line)
    assert not times(3, 3).is_explained_by(line_of("db1"))


def test_in_a_loop_over_time_the_two_smallest_tensors_are_looked_at_first(monkeypatch):
    """If they do not come out, no other one is computed: each takes a run over all steps."""
    point = Point(*lstm_problem(D=2, H=3, K=2, T=4, N=5)(0, "float64"))
    program = program_of(point)
    names = [name for name in program.gradient if name.endswith("_f")]
    odd = Trial(program, {k: np.abs(v) if k in names else v for k, v in program.gradient.items()})
    line = next(line for line in program.lines if line.target == "dz_f")
    asked, run = [], Program.run

    def seen(self, changes, S=1.0, wanted=frozenset(), **more):
        asked.append(set(wanted))
        return run(self, changes, S, wanted, **more)

    monkeypatch.setattr(Program, "run", seen)
    assert not odd._is_made_by(line, "dz_f = df * f[t]")
    assert asked == [{"db_f", "dWx_f"}] * 2
    asked.clear()
    own = Trial(program, dict(program.gradient))
    asked.clear()
    assert own._is_made_by(line, line.text)
    assert asked == [set()] * 4  # nothing is wrong: no tensor to be looked at first


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("wrong", "is_one"),
    [
        ("da1 * (1 - a1 ** 2)", False),  # as it is
        ("da1 * (1 - tanh(z1) ** 2)", False),  # as it is in other words
        ("da1 * (1 - a1)", True),
        ("da1 * z1 * (1 - a1 ** 2)", True),
        ("da1 * z1 * W1 * (1 - a1 ** 2)", False),  # two names are new
        ("1 + 2", False),  # and two are lost, with the gradient
        ("z1 * (1 - W1 ** 2)", False),
        ("da1 + -(1 - a1 ** 2)", False),  # a sign that nobody writes
        ("da1 - -(1 - a1 ** 2)", False),
        ("da1 * (a1 / a1 - 2)", False),
        ("z1", False),
        ("da1", True),
        ("da1 ** 2 * (1 - a1 ** 2)", False),  # one power more
        ("da1 * (1 - a1) ** 2", True),
        ("da1 * (1 - a1 ** 2) + a1 + a1", True),
        ("da1 * (1 - a1 ** 2) + a1 + a1 + a1", False),  # and the same three times
        ("da1 * (1 - a1 ** 4)", True),
        ("da1 * (3 - a1 ** 4)", False),
        ("da1 * (1 - tanh(z1 + a1 - a1 ** 2) ** 2)", False),
    ],
)
def test_a_likely_line_lacks_or_changes_one_thing(wrong, is_one):
    line = line_of("dz1")
    wrong = f"dz1 = {wrong}"
    assert likely.is_likely(line, wrong, line.text, {"da1"}, SCOPE) == is_one


@pytest.mark.parametrize(("length", "is_one"), [(30, True), (31, False)])
def test_a_likely_line_is_a_third_longer_and_a_dozen_characters_at_most(length, is_one):
    right, wrong = "dz1 = da1 * a1", "dz1 = da1 * a1 * a1"
    assert 1.3 * len(right) + 12 == pytest.approx(30.2)
    wrong = wrong.ljust(length)
    assert likely.is_likely(line_of("dz1"), wrong, right, {"da1"}, SCOPE) == is_one
