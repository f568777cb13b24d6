"""A backward pass is run with some lines edited: what is computed anew, what comes out, and how."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines import Program
from gradlab.bugs.lines.program import fitted, listing_of
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import lstm_problem, mlp_problem

POINT = Point(*mlp_problem((3, 4, 4, 2), N=5)(0, "float64"))
PROGRAM = Program(POINT)


def line_of(program, text):
    (line,) = (line for line in program.lines if line.text == text and not line.step.form)
    return line


def run(program, right, wrong, **more):
    return list(program.run({line_of(program, right).index: wrong}, **more))


def names(layers):
    return [sorted(name for name, _ in layer) for layer in layers]


def test_what_a_wrong_line_makes_is_brought_into_shape_or_refused():
    made = np.arange(6.0).reshape(2, 3)
    assert fitted(made, (2, 3), False) is made
    assert fitted(2, (2,), False).tolist() == [2.0, 2.0]
    assert fitted(np.arange(3), (2, 3), True).tolist() == [[0, 1, 2], [0, 1, 2]]
    assert fitted(made, (6,), True).tolist() == [0, 1, 2, 3, 4, 5]
    assert fitted(made, (3, 2), True).tolist() == [[0, 1], [2, 3], [4, 5]]
    for shape, is_gradient in (((6,), False), ((3, 2), False), ((4,), True)):
        with pytest.raises(ValueError, match=r"broadcast|more dimensions"):
            fitted(made, shape, is_gradient)
    assert fitted(1.0, (3,), False).flags.writeable


def test_which_gradients_a_line_moves():
    reached = {line.target: PROGRAM.reached[line.index] for line in PROGRAM.lines}
    low, middle = {"dW1", "db1"}, {"dW2", "db2"}
    assert reached["dW3"] == {"dW3"}
    assert reached["da2"] == reached["dz2"] == low | middle
    assert reached["dz1"] == reached["da1"] == low
    assert reached["dlogits"] == low | middle | {"dW3", "db3"}
    assert reached["dx"] == set()


def test_in_a_loop_over_time_a_line_moves_what_comes_round():
    program = Program(Point(*lstm_problem(D=2, H=3, K=2, T=3, N=4)(0, "float64")))
    inside = {f"d{w}_{q}" for w in ("Wx", "Wh", "b") for q in "ifgo"}
    reached = {line.text: program.reached[line.index] for line in program.lines}
    assert reached["db_i += dz_i.sum(axis=0)"] == {"db_i"}
    assert reached["do = dh * tc[t]"] == inside  # by way of dh_next
    assert reached["dc_next = dc * f[t]"] == inside
    assert reached["dx[t] += dz_i @ Wx_i.T"] == set()
    assert reached["dhs = dlogits @ Wy.T"] == inside


def test_layer_by_layer_from_the_edited_line_on():
    made = run(PROGRAM, "dz2 = da2 * (1 - a2 ** 2)", "dz2 = da2")
    assert names(made) == [["W2", "b2"], ["W1", "b1"]]
    assert names(run(PROGRAM, "db3 = dlogits.sum(axis=0)", "db3 = 0")) == [
        ["b3"], ["W2", "b2"], ["W1", "b1"]
    ]  # fmt: skip
    wanted = run(PROGRAM, "dz2 = da2 * (1 - a2 ** 2)", "dz2 = da2", wanted=frozenset({"db1"}))
    assert [layer for layer in names(wanted) if layer] == [["b1"]]
    every, only = dict(made[1])["b1"], dict(wanted[-1])["b1"]
    np.testing.assert_array_equal(every, only)
    assert not np.allclose(every, PROGRAM.gradient["b1"])


def test_a_factor_stands_for_what_it_is_given():
    for S in (1.0, 3.0):
        ((made,),) = run(PROGRAM, "db1 = dz1.sum(axis=0)", "db1 = S * dz1.sum(axis=0)", S=S)
        assert made[0] == "b1"
        np.testing.assert_allclose(made[1], S * PROGRAM.gradient["b1"])


def test_what_is_not_moved_is_not_computed_again(monkeypatch):
    """Nor what only leads elsewhere; a signal that stays what it was moves nothing."""
    steps, own = [], type(PROGRAM.steps[0]).run

    def counted(step, *args):
        steps.append(step.lines[0].target)
        return own(step, *args)

    monkeypatch.setattr(type(PROGRAM.steps[0]), "run", counted)
    run(PROGRAM, "dW2 = a1.T @ dz2", "dW2 = dz2.T @ a1")
    assert steps == ["dW2"]
    steps.clear()
    run(PROGRAM, "dz2 = da2 * (1 - a2 ** 2)", "dz2 = 1 * da2 * (1 - a2 ** 2)")
    assert steps == ["dz2"]
    steps.clear()
    run(PROGRAM, "dz2 = da2 * (1 - a2 ** 2)", "dz2 = da2")
    assert steps == ["dz2", "dW2", "db2", "da1", "dz1", "dW1", "db1", "dx"]


def test_all_that_the_names_stand_for_can_be_asked_for():
    values = {}
    run(PROGRAM, "dz2 = da2 * (1 - a2 ** 2)", "dz2 = da2", into=values)
    np.testing.assert_array_equal(values["dz2"], PROGRAM.values["da2"])
    np.testing.assert_allclose(values["dx"], values["dz1"] @ POINT.net.params["W1"].T)
    assert not np.allclose(PROGRAM.values["dx"], values["dx"])


def test_a_line_cannot_spoil_what_others_read():
    with pytest.raises(ValueError, match="read-only"):
        run(PROGRAM, "da1 = dz2 @ W2.T", "a1 += 1; da1 = dz2 @ W2.T")
    again = Program(POINT)
    for name, value in PROGRAM.values.items():
        assert np.array_equal(again.values[name], value)


def test_lines_that_stay_edited_are_in_every_run():
    index = line_of(PROGRAM, "da1 = dz2 @ W2.T").index
    edited = PROGRAM.edited({index: "da1 = dz2 @ W2"})
    assert not np.allclose(edited.gradient["W1"], PROGRAM.gradient["W1"])
    np.testing.assert_array_equal(edited.gradient["W2"], PROGRAM.gradient["W2"])
    (((_, made), *_),) = run(edited, "dW1 = x.T @ dz1", "dW1 = -x.T @ dz1")
    np.testing.assert_allclose(made, -edited.gradient["W1"])
    sisters = {line.target for line in edited.sisters(line_of(edited, "da2 = dlogits @ W3.T"))}
    assert sisters == {"dx"}  # and not the line that is edited already


def test_a_layer_is_written_in_the_way_that_its_edit_stands_in():
    point = Point(*mlp_problem((3, 4, 2), N=5, batch_norm=True)(0, "float64"))
    program = Program(point)
    (line,) = (line for line in program.lines if line.target == "dmu1")
    assert not program.is_run(line.step)
    made = dict(kv for layer in program.run({line.index: line.text}) for kv in layer)
    np.testing.assert_allclose(made["W1"], program.gradient["W1"], rtol=1e-9)
    made = dict(kv for layer in program.run({line.index: "dmu1 = 0"}) for kv in layer)
    assert not np.allclose(made["W1"], program.gradient["W1"])
    edited = program.edited({line.index: "dmu1 = 0"})
    np.testing.assert_allclose(edited.gradient["W1"], made["W1"])
    assert edited.is_run(line.step)
    first = [line for line in program.lines if line.target == "dz1"]
    assert [line.step in edited.steps for line in first] == [True, False]  # the way of two sums


def test_gradients_at_the_cuts_have_the_cuts_names():
    net = gl.mlp([3, 4, 2], dropout_rate=0.3, batch_norm=True)
    for with_masks, cuts in ((False, ["dx", "dz1", "du1", "da1", "dlogits"]),
                             (True, ["dx", "dz1", "du1", "da1", "dh1", "dlogits"])):  # fmt: skip
        assert listing_of(net, with_masks).cuts == cuts
