"""How a cause is written down, what it costs, and what another batch says of it."""

from dataclasses import replace

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines import Program
from gradlab.bugs.lines.afterwards import After
from gradlab.bugs.lines.another_batch import Asked, fewer
from gradlab.bugs.lines.cause import Edit, Taken, cause_of
from gradlab.nn.network import Point
from tests.museum import make

GIVEN = Point(*make(gl.mlp([3, 4, 2]), 6, 0))
ONE = Edit(3, "layer 1, tanh", "dz1 = da1 * (1 - a1**2)", "dz1 = S * (da1)", 1.5)
TWO = Edit(5, "layer 1, dense", "db1 = dz1.sum(axis=0)", "db1 = (dz1).mean(axis=0)", 2)
CLIPPED = After("g = np.clip(g, -1, 1)", lambda g, values: {k: v.clip(-1, 1) for k, v in g.items()})
NO_MASKS = Taken(
    "dropout", "gradient(x, y)", "gradient(x, y, masks)", lambda *batch: (*batch[:2], None)
)


def test_an_edit_has_its_factors_name_in_it():
    named = replace(ONE, name="1 / N", also=((7, "dz2 = S * (da2)"),))
    assert ONE.text == "dz1 = S * da1"
    assert named.text == "dz1 = 1 / N * da1"
    assert named.changes() == {3: "dz1 = (1 / N) * (da1)", 7: "dz2 = (1 / N) * (da2)"}
    assert ONE.changes() == {3: "dz1 = S * (da1)"}
    exchanged = replace(named, right="dz1 = da1; dz2 = da2")  # lines that are no sisters
    assert exchanged.text == "dz1 = 1 / N * da1; dz2 = 1 / N * da2"


def test_what_a_person_reads_of_two_mistakes_and_of_one_that_comes_after():
    both = cause_of((ONE, TWO), CLIPPED)
    assert both.where == "layer 1, tanh; layer 1, dense; after backward"
    assert both.wrong_line == "dz1 = S * da1; db1 = dz1.mean(axis=0); g = np.clip(g, -1, 1)"
    assert both.right_line == f"{ONE.right}; {TWO.right}"
    assert both.said == f"{both.where}: {both.wrong_line}"
    after, taken = cause_of((), CLIPPED), cause_of((), taken=NO_MASKS)
    assert (after.where, after.right_line) == ("after backward", "")
    assert str(after) == "after backward: g = np.clip(g, -1, 1)"
    assert str(taken) == ("dropout: gradient(x, y)    where it must be    gradient(x, y, masks)")


def test_how_sure_a_cause_is_stands_first_and_what_it_may_be_too_last():
    sure = replace(cause_of((TWO,)), alike=("loss: a", "loss: b"))
    said = "layer 1, dense: db1 = dz1.mean(axis=0)    where it must be    db1 = dz1.sum(axis=0)"
    assert str(sure) == f"{said}    (or loss: a)"
    assert str(replace(sure, certain=False)) == f"perhaps: {said}    (or loss: a)"
    part = replace(sure, certain=False, left_open=("W1", "b1"), alike=())
    assert str(part) == f"perhaps (it leaves W1, b1 open): {said}"


def test_one_mistake_is_likelier_than_two_and_a_line_likelier_than_something_afterwards():
    after = cause_of((), CLIPPED)
    costs = [cause_of(edits, after).cost for edits, after in (
        ((ONE,), None), ((TWO,), None), ((), CLIPPED), ((ONE, TWO), None), ((ONE,), CLIPPED),
    )]  # fmt: skip
    assert costs == sorted(costs)
    assert len(set(costs)) == 5
    assert costs[0] == 11.5
    assert costs[3] == costs[0] + costs[1]
    assert costs[4] == costs[0] + after.cost


def test_a_number_that_nobody_would_write_makes_a_cause_nameless():
    names = (("1 / N", 0.4), ("1.2345", 1.6), ("1.23", 1.5))
    for name, is_named in (("1 / N", True), ("1.23", True), ("1.2345", False)):
        edit = replace(ONE, name=name, names=names)
        assert cause_of((TWO, edit)).is_named == is_named
    assert cause_of((TWO,)).is_named
    assert not cause_of((TWO, replace(ONE, is_named=False))).is_named
    assert cause_of((TWO,), CLIPPED).is_named
    assert not cause_of((TWO,), replace(CLIPPED, is_named=False)).is_named


def asked(answer, net=GIVEN.net):
    point = fewer(GIVEN._replace(net=net))
    return Asked(point, answer(point))


def right(point):
    return point.net.gradient(*point[1:])


def test_a_cause_agrees_with_code_that_does_the_same_on_another_batch():
    index = next(line.index for line in Program(GIVEN).lines if line.target == "db1")
    mean = cause_of((replace(TWO, index=index),))
    n = len(GIVEN.x) - 1
    assert asked(lambda p: right(p) | {"b1": right(p)["b1"] / n}).agrees(mean)
    assert not asked(lambda p: right(p) | {"b1": right(p)["b1"] / (n + 1)}).agrees(mean)
    assert not asked(right).agrees(mean)
    fails = cause_of((replace(TWO, index=index, wrong="db1 = dz1 @ dz1"),))
    assert asked(right).agrees(fails)  # it cannot be carried over: nothing speaks against it


@pytest.mark.parametrize(("is_coarse", "agree"), [(False, [True, False, False]),
                                                  (True, [True, True, False])])  # fmt: skip
def test_of_a_cast_another_batch_need_not_agree_to_the_last_digit(is_coarse, agree):
    cause = cause_of((), replace(CLIPPED, is_coarse=is_coarse))
    found = []
    for far in (0, 5e-3, 2e-2):
        code = asked(lambda p, far=far: {k: v.clip(-1, 1) * (1 + far) for k, v in right(p).items()})
        found.append(code.agrees(cause))
    assert found == agree


def test_tensors_that_are_next_to_nothing_are_compared_with_the_largest():
    code = asked(lambda p: right(p) | {"b1": 0 * right(p)["b1"]})
    largest = max(np.linalg.norm(v) for v in code.answer.values())
    for far, is_same in ((1e-10, True), (1e-8, False)):
        made = code.answer | {"b1": np.array([far * largest, 0, 0, 0])}
        assert code.is_(made) == is_same
