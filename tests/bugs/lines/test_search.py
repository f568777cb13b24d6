"""What the search tries, in which lines and in which order: each step of it by itself."""

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from gradlab.bugs.lines import Program, explain, search
from gradlab.bugs.lines.cause import Edit
from gradlab.bugs.lines.edits import Scope
from gradlab.bugs.lines.search import Search, close_names, together
from gradlab.bugs.lines.wrong_gradient import WrongGradient
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import convnet_problem, lstm_problem, mlp_problem

TANH = Point(*mlp_problem((3, 4, 4, 3), N=5, l2=0.1, dropout_rate=0.3)(0, "float64"))
PLAIN = Point(*mlp_problem((3, 4, 4, 3), N=5)(0, "float64"))
LSTM = Point(*lstm_problem(D=2, H=3, K=2, T=4, N=5)(0, "float64"))
IMAGES = Point(*convnet_problem(image=(1, 4, 8), N=3)(0, "float64"))


@pytest.fixture(autouse=True)
def quiet():
    """What is tried may divide by 0."""
    with np.errstate(all="ignore"):
        yield


def search_for(point, **wrong):
    """Return a search for a gradient in which these tensors are what is made of them."""
    right = point.net.gradient(*point[1:])
    made = {k: wrong[k](v) if k in wrong else v for k, v in right.items()}
    target = WrongGradient(made, right, dict.fromkeys(right, 1e-10), None, False)
    return Search(Program(point), target)


def line_of(program, text):
    (line,) = (line for line in program.lines if line.text == text and not line.step.form)
    return line


def edit_of(program, right, wrong, **more):
    line = line_of(program, right)
    return Edit(line.index, line.where, right, wrong, 1, **more)


# -- which lines are tried, in which order ---------------------------------------------------------


def targets(stage):
    return {line.target for line in stage}


def test_lines_that_touch_what_is_wrong_alone_come_first():
    bias, weight, both = (search_for(PLAIN, **dict.fromkeys(names, lambda v: 2 * v))
                          for names in (["b2"], ["W1"], ["W1", "b1"]))  # fmt: skip
    above = {"da2", "dlogits", "dp", "e"}
    first, rest = bias.stages()
    assert targets(first) == {"db2"}
    assert targets(rest) == {"dz2", *above}
    first, rest = weight.stages()
    assert targets(first) == {"dW1"}
    assert targets(rest) == {"dz1", "da1", "dz2", *above}
    first, rest = both.stages()
    assert targets(first) == {"dW1", "db1", "dz1", "da1"}
    assert targets(rest) == {"dz2", *above}


def test_of_several_wrong_layers_the_topmost_is_looked_at():
    first, rest = search_for(PLAIN, W1=lambda v: 2 * v, b3=lambda v: 2 * v).stages()
    assert targets(first) == {"db3"}
    assert targets(rest) == {"dlogits", "dp", "e"}


def test_a_layer_whose_gradient_is_0_is_not_thought_to_be_right():
    """Nothing comes down to it, so that a line which reaches it may be wrong all the same."""
    net, x, y, _ = mlp_problem((3, 4, 4, 3), N=5, activation="relu")(0, "float64")
    net.params["b1"][:] = -100
    found = search_for(Point(net, x, y, None), b2=lambda v: 3 * v)
    assert not any(found.program.gradient[name].any() for name in ("W1", "b1", "W2"))
    first, rest = found.stages()
    assert targets(first) == {"db2", "dz2", "da2"}
    assert targets(rest) == {"dlogits", "dp", "e"}


def test_lines_that_are_edited_already_and_what_they_explained_stay():
    found = search_for(PLAIN, b3=lambda v: v / 5, W1=np.abs)
    index = line_of(found.program, "db3 = dlogits.sum(axis=0)").index
    edited = found.program.edited({index: "db3 = dlogits.mean(axis=0)"})
    below = Search(edited, found.target, frozenset({"db3"}))
    first, rest = below.stages()
    assert found.target.wrong == {"W1"}
    assert targets(first) == {"dW1"}
    assert targets(rest) == {"dz1", "da1", "dz2", "da2"}  # what reaches db3 is right


@pytest.mark.parametrize(
    ("factor", "tried"),
    [(0.2, {"db2"}), (np.arange(1, 5), {"db2", "dz2", "da2", "dlogits", "dp", "e"})],
)
def test_where_a_line_explains_all_no_others_are_tried(factor, tried, monkeypatch):
    lines, own = [], search.edits_of
    monkeypatch.setattr(search, "edits_of", lambda line, s: lines.append(line) or own(line, s))
    found = search_for(PLAIN, b2=lambda v: factor * v)
    found.run()
    assert targets(lines) == tried
    assert bool(found.full) == (len(tried) == 1)


def test_much_less_usual_edits_are_not_tried_once_one_is_found(monkeypatch):
    """Of what fits as well, only what is nearly as usual is told."""
    found = search_for(PLAIN, b2=lambda v: v / 5)
    found.run()
    usual, other = sorted(edit.cost for edit in found.full)  # 1 / N * the sum, and the mean
    assert usual < other < usual + search.MARGIN
    monkeypatch.setattr(search, "MARGIN", 0.5)
    narrow = search_for(PLAIN, b2=lambda v: v / 5)
    narrow.run()
    assert [edit.cost for edit in narrow.full] == [usual]


# -- one edit --------------------------------------------------------------------------------------


def test_an_edit_is_kept_where_it_belongs():
    found = search_for(PLAIN, b2=lambda v: v / 5, b3=lambda v: v / 5)
    program = found.program
    one = edit_of(program, "db3 = dlogits.sum(axis=0)", "db3 = dlogits.mean(axis=0)")
    two = edit_of(program, "db2 = dz2.sum(axis=0)", "db2 = dz2.mean(axis=0)")
    both = replace(one, also=((two.index, two.wrong),))
    spoils = replace(one, also=((line_of(program, "db1 = dz1.sum(axis=0)").index, "db1 = 0 * b1"),))
    fails = replace(one, wrong="db3 = dlogits @ dlogits")
    nothing = replace(one, wrong="db3 = dlogits.max(axis=0)")
    assert [found.keep(edit) for edit in (both, one, spoils)] == [both, one, spoils]
    assert found.keep(fails) is found.keep(nothing) is None
    assert found.full == [both]
    assert found.part == [({"b3"}, one), ({"b3"}, spoils)]
    assert found.explained(both) == ({"b2", "b3"}, False)
    assert found.explained(one) == ({"b3"}, True)
    assert found.explain_all(one, two)
    assert not found.explain_all(one)
    assert not found.explain_all(one, replace(two, wrong=fails.wrong))


def test_a_factor_is_solved_for_and_named():
    found = search_for(TANH, b3=lambda v: v / 5)
    edit = edit_of(found.program, "db3 = dlogits.sum(axis=0)", "db3 = S * dlogits.sum(axis=0)")
    assert found.solved(edit).name == "1 / N"
    assert found.solved(edit).cost == 1.4
    odd = found.solved(replace(edit, wrong="db3 = S * dlogits.mean(axis=0)"))
    assert odd is None  # it is right as it stands: S is 1
    root = search_for(TANH, b3=lambda v: np.sqrt(5) * v)
    assert root.solved(edit).name.startswith("2.236067977")  # plain: any number is told
    assert root.solved(replace(edit, wrong="db3 = b3 - S * dlogits.sum(axis=0)")) is None


def test_what_dropout_keeps_is_a_far_fetched_name_elsewhere():
    found = search_for(TANH, b3=lambda v: 0.7 * v)
    edit = edit_of(found.program, "db3 = dlogits.sum(axis=0)", "db3 = S * dlogits.sum(axis=0)")
    assert found.solved(edit).cost > 1 + 1.6
    assert [found.is_keep(S) for S in (0.7, 1 / 0.7, 0.3, 1.0, 0.7001)] == [True] * 2 + [False] * 3
    plain = search_for(Point(*TANH[:3], None), b3=lambda v: 0.7 * v)
    assert not plain.is_keep(0.7)  # there are no masks


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("point", "right", "names"),
    [
        (TANH, "db2 = dz2.sum(axis=0)", {"W2.shape[0]", "W2.shape[1]"}),
        (TANH, "db3 = dlogits.sum(axis=0)", {"W3.shape[0]"}),  # the outputs are K
        (TANH, "data_dW2 = h1.T @ dz2", {"W2.shape[0]", "W2.shape[1]"}),
        (TANH, "dW2 = data_dW2 + lam * W2", {"lam"}),
        (TANH, "da2 = dh2 * m2", {"keep"}),
        (TANH, "dz1 = da1 * (1 - a1 ** 2)", set()),
        (IMAGES, "dconv2_b = dz2.sum(axis=(0, 2, 3))", {"R2"}),
        (IMAGES, "dz1 = up(dp1) * win1", {"R1"}),
        (IMAGES, "dp2 = dr2 * (p2 > 0)", set()),
    ],
)
def test_a_line_can_speak_of_sizes_of_its_own(point, right, names):
    found = search_for(point)
    line = next(line for line in found.program.lines if line.text == right)
    sizes = found.local_sizes(Edit(line.index, line.where, right, right, 1))
    assert {k for k in sizes if "shape" in k or k in ("lam", "keep", "R1", "R2")} == names


def test_a_layer_that_is_right_but_for_a_factor():
    double, right = (lambda v: 2.5 * v), PLAIN.net.gradient(*PLAIN[1:])
    found = search_for(PLAIN, W2=double, b2=double, b3=lambda v: 3 * v)
    layer = [(name, right[name]) for name in ("W2", "b2")]
    assert found.is_scaled(layer)
    assert found.is_scaled(layer[:1])
    assert not found.is_scaled([*layer, ("b3", right["b3"])])  # by another one
    assert not found.is_scaled([*layer, ("b2", right["b2"] + [0.1, 0, 0, 0])])
    assert not found.is_scaled([("W1", right["W1"])])  # which is not wrong
    assert not found.is_scaled([("W2", 0 * right["W2"])])
    with_l2 = search_for(TANH, W2=double, b2=double)
    layer = [(name, value) for name, value in with_l2.program.gradient.items() if name[1] == "2"]
    assert with_l2.is_scaled([("W2", -(layer[0][1] ** 2)), layer[1]])  # L2 hides a weight's factor
    net, x, y, _ = mlp_problem((3, 4, 2), N=5)(0, "float64")
    two = search_for(Point(net, x, y, None), b2=double)
    assert not two.is_scaled([("b2", two.program.gradient["b2"])])  # any two numbers nearly are


def test_a_loop_over_time_is_judged_by_its_two_smallest_tensors():
    found = search_for(LSTM, **dict.fromkeys(("Wx_f", "Wh_f", "b_f", "b_i"), np.abs))
    line = next(line for line in found.program.lines if line.target == "dz_f")
    assert found.witnesses(Edit(line.index, "", "", "", 1)) <= {"db_f", "db_i", "dWx_f"}
    assert len(found.witnesses(Edit(line.index, "", "", "", 1))) == 2
    top = next(line for line in found.program.lines if line.target == "dby")
    assert found.witnesses(Edit(top.index, "", "", "", 1)) == frozenset()
    assert found.smallest(["dWx_f", "dWh_f", "db_f"]) == {"db_f", "dWx_f"}


# -- the same edit in several lines ----------------------------------------------------------------


def test_the_lines_of_a_loop_that_can_be_exchanged():
    found = list(search_for(LSTM).exchanged())
    pairs = {tuple(text.split(" = ")[0] for text in edit.right.split("; ")) for edit in found}
    assert {frozenset(pair) for pair in pairs} == {
        frozenset(f"{d}{q}" for q in two) for d in ("d", "dz_") for two in combinations("ifgo", 2)
    }
    assert len(found) == len(pairs) == 12
    for edit in found:
        (a, right_a), (b, right_b) = (text.split(" = ", 1) for text in edit.right.split("; "))
        assert edit.text == f"{a} = {right_b}; {b} = {right_a}"
        assert edit.where == f"LSTM, gate {a[-1]}"


def test_how_little_can_be_carried_back():
    found = search_for(LSTM)
    edits = list(found.not_carried())
    h, c = "dh = dH[t]", "dh * o[t] * (1 - tc[t] ** 2)"
    when = ["t >= 1", "t < T - 2", "(t + 1) % 2 > 0", "t >= 2", "t < T - 3", "(t + 1) % 3 > 0"]
    assert [edit.text for edit in edits] == [
        f"{h}; dc = {c}",
        *(f"{h} + dh_next * ({w}); dc = dc_next * ({w}) + {c}" for w in when),
    ]
    assert {edit.right for edit in edits} == {f"{h} + dh_next; dc = dc_next + {c}"}
    assert {edit.where for edit in edits} == {"LSTM"}
    line = line_of(found.program, "dby = dlogits.sum(axis=0)")
    edited = found.program.edited({line.index: "dby = dlogits.mean(axis=0)"})
    assert list(Search(edited, found.target).not_carried()) == []
    assert list(search_for(PLAIN).not_carried()) == list(search_for(PLAIN).exchanged()) == []


def test_an_edit_is_tried_in_its_sisters():
    found = search_for(PLAIN)
    edit = edit_of(found.program, "db2 = dz2.sum(axis=0)", "db2 = S * dz2.sum(axis=0)")
    named = replace(edit, name="1 / N", names=(("1 / N", 0.4), ("0.2", 0.5), ("1 / H", 0.7)))
    one, two = found.everywhere(named)
    assert [wide.where for wide in (one, two)] == ["every dense"] * 2
    assert sorted(one.changes().values()) == [
        "db1 = (1 / N) * dz1.sum(axis=0)", "db2 = (1 / N) * dz2.sum(axis=0)",
        "db3 = (1 / N) * dlogits.sum(axis=0)",
    ]  # fmt: skip
    assert two.wrong == "db2 = (0.2) * dz2.sum(axis=0)"
    assert (one.cost, round(two.cost, 9)) == (1, 1.1)
    assert one.is_named
    odd = replace(named, names=(("1.234", 1.6), ("1.2340", 1.7)))
    assert not any(wide.is_named for wide in found.everywhere(odd))


def test_a_gates_sum_that_is_overwritten_is_tried_in_every_sum():
    found = search_for(LSTM)
    right = "db_f += dz_f.sum(axis=0)"
    sisters, every, own = found.everywhere(edit_of(found.program, right, right.replace("+", "")))
    assert [edit.where for edit in (sisters, every, own)] == [
        "every LSTM", "every sum over the steps", "LSTM, gate f, every sum over the steps",
    ]  # fmt: skip
    sums = {f"{w}_{q}" for w in ("dWx", "dWh", "db") for q in "ifgo"} | {"dx[t]"}
    assert {text.split(" = ")[0] for text in every.changes().values()} == sums
    assert {text.split(" = ")[0] for text in own.changes().values()} == {
        "dWx_f", "dWh_f", "db_f", "dx[t]",
    }  # fmt: skip
    assert {text.split(" = ")[0] for text in sisters.changes().values()} == {
        f"db_{q}" for q in "ifgo"
    }
    assert not any("+=" in text for text in every.changes().values())


# -- names, and two mistakes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "close"),
    [
        ((), []),
        ((("1 / N", 0.4),), [("1 / N", 0)]),
        ((("1 / N", 0.4), ("1 / K", 0.55), ("0.2", 0.7)), [("1 / N", 0), ("1 / K", 0.15)]),
        (tuple((k, 0.5) for k in "abcd"), [("a", 0), ("b", 0), ("c", 0)]),
    ],
)
def test_names_that_are_nearly_as_simple_are_told(names, close):
    found = close_names(Edit(0, "", "", "", 1, names=names))
    assert [(name, round(cost, 9)) for name, cost in found] == close


def test_two_mistakes_with_no_tensor_between_them_are_tried_together(monkeypatch):
    """W2 without its transpose, and tanh' of z: above them both is dW2, below them both dW1."""
    net, x, y, _ = mlp_problem((2, 3, 3, 2), N=5)(0, "float64")
    found = search_for(Point(net, x, y, None))
    program = found.program
    one = edit_of(program, "da1 = dz2 @ W2.T", "da1 = dz2 @ W2")
    two = edit_of(program, "dz1 = da1 * (1 - a1 ** 2)", "dz1 = da1 * (1 - z1 ** 2)")
    layers = program.run({**one.changes(), **two.changes()})
    wrong = dict(program.gradient) | {k: v for layer in layers for k, v in layer}
    found = search_for(Point(net, x, y, None), **{k: lambda v, k=k: wrong[k] for k in wrong})
    lines, own = [], search.edits_of
    monkeypatch.setattr(search, "edits_of", lambda line, s: lines.append(line) or own(line, s))
    causes = together(found)
    assert targets(lines) == {"da1", "dz1"}
    assert f"{one.wrong}; {two.wrong}" in [cause.wrong_line for cause in causes]
    for cause in causes:
        assert len({edit.index for edit in cause.edits}) == 2
        assert {program.lines[edit.index].target for edit in cause.edits} == {"da1", "dz1"}
        assert all(np.allclose(v, wrong[k]) for k, v in cause.apply(program).items())
    assert explain(Point(net, x, y, None), wrong, program.gradient, dict.fromkeys(wrong, 1e-10))


def test_only_usual_edits_without_a_factor_are_tried_in_pairs(monkeypatch):
    """Two factors would fit whatever there is."""
    pairs = []
    monkeypatch.setattr(Search, "explain_all", lambda self, *edits: pairs.append(edits))
    assert together(search_for(PLAIN, W1=np.abs, b1=np.abs)) == []
    costs = [one.cost + two.cost for one, two in pairs]
    assert costs == sorted(costs)
    assert max(edit.cost for pair in pairs for edit in pair) == 2
    assert not any(re.search(r"\bS\b", edit.wrong) for pair in pairs for edit in pair)


def test_together_with_another_mistake_a_layer_is_written_as_it_runs(monkeypatch):
    """Of batch norm's two ways of writing it the one without sums of its own."""
    point = Point(*mlp_problem((2, 3, 2), N=5, batch_norm=True)(0, "float64"))
    lines = []
    monkeypatch.setattr(search, "edits_of", lambda line, s: lines.append(line) or {})
    assert together(search_for(point, W1=np.abs)) == []
    assert [(line.target, line.step.form) for line in lines] == [("dxhat1", None), ("dz1", 0)]


def test_numbers_are_not_reshaped_to_stand_for_a_bias():
    """A column of W has as many entries as the bias, in the same order: nobody takes it for it."""
    net, x, y, _ = mlp_problem((3, 1, 1), N=5, loss="mse")(0, "float64")
    program = Program(Point(net, x, y, None))
    scope, line = Scope(program), line_of(program, "db1 = dz1.sum(axis=0)")
    for name in ("b1", "b2", "db2"):
        assert not any("reshape" in other for other, _ in scope.alike(name, line))
