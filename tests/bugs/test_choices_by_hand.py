"""Which lines are given to choose from: near ones first, none that could be the wrong one."""

from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.bugs.lines.program import Program
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import mlp_problem

module = import_module("gradlab.bugs.choices")
POINT = Point(*mlp_problem((3, 4, 2), N=9, dropout_rate=0.3)(0, "float64"))


def innocent(count, near=(), explained=(), idle=()):
    """Return the numbers of the lines that are given, of so many."""
    asked = []

    def is_explained_by(line):
        asked.append(line.index)
        return line.index in explained

    trial = SimpleNamespace(
        program=SimpleNamespace(reached={k: set() if k in idle else {"db"} for k in range(count)}),
        is_near=lambda line: line.index in near, is_explained_by=is_explained_by,
    )  # fmt: skip
    never = SimpleNamespace(is_near=lambda line: False, is_explained_by=lambda line: False)
    pairs = [(SimpleNamespace(index=k), f"line {k}") for k in range(count)]
    found = {
        tuple(line.index for line, _ in module._innocent(trials, pairs))
        for trials in ([trial], [trial, SimpleNamespace(**vars(never), program=trial.program)])
    }
    assert len(found) == 1  # with a second wrong line that has nothing to do with them, too
    return list(found.pop())


def test_two_near_lines_come_first_then_those_elsewhere_and_the_other_near_ones_last():
    assert innocent(4) == [0, 1, 2, 3]
    assert innocent(4, idle=[1]) == [0, 2, 3]  # it moves nothing
    assert innocent(4, explained=[1, 2]) == [0, 3]
    assert innocent(5, near=[3, 4]) == [3, 4, 0, 1, 2]
    assert innocent(9, near=range(2, 9)) == [2, 3, 0, 1, 6, 7, 8]
    assert innocent(9, near=range(2, 9), explained=[2, 4, 7, 0]) == [3, 5, 1, 6, 8]
    assert innocent(7, near=range(2, 7), explained=[2, 3, 4, 5]) == [0, 1, 6]


def pair(k, text="d = a"):
    line = SimpleNamespace(index=k, key=k)
    return line, text


def test_the_wrong_line_is_among_the_choices_and_routine_is_not(monkeypatch):
    written = [pair(0), pair(1), pair(2, "d = zeros(3)"), pair(3, "for k in ndindex(3):"), pair(4),
               pair(5)]  # fmt: skip
    monkeypatch.setattr(module, "key_of", lambda line: line.key)
    monkeypatch.setattr(module, "trials_of", lambda secret, point: [])
    monkeypatch.setattr(module, "_innocent", lambda trials, others: iter(others))

    def chosen(wrong, count, exhibit=None, seed=0):
        slips = [SimpleNamespace(key=k) for k in wrong]
        secret = SimpleNamespace(slips=slips, written=written, exhibit=exhibit)
        lines = module.choices(secret, None, np.random.default_rng(seed), count)
        return [line.index for line, _ in lines]

    assert sorted(chosen([0], 5)) == [0, 1, 4, 5]
    assert sorted(chosen([0, 2], 5)) == [0, 1, 2, 4, 5]  # unless it is the wrong one
    for seed in range(9):
        few = chosen([1], 2, seed=seed)
        assert 1 in few
        assert len(set(few)) == 2
        both = chosen([0, 1], 3, seed=seed)
        assert {0, 1} < set(both)
        assert len(both) == 3
        # of an exhibit's lines, which are the same mistake, one
        shown = chosen([0, 1], 3, exhibit="known", seed=seed)
        assert len({0, 1} & set(shown)) == 1
        assert len(shown) == 3
    assert {chosen([0, 1], 3, "known", seed)[0] for seed in range(20)} == {0, 1, 4, 5}


def trials(shows_in, count=1, exhibit=None, point=POINT):
    """Return what has to be explained of a bug that shows among so many examples."""

    def gradient(program):
        share = 1.1e-4 if len(program.point.x) >= shows_in else 0.9e-4
        scale = (1 + share) / (1 - share)
        return {k: scale * v if k == "b2" else v for k, v in program.gradient.items()}

    slips = tuple(
        SimpleNamespace(changes=lambda listing, k=k: {k: f"a = {k}"}) for k in range(count)
    )
    return module.trials_of(SimpleNamespace(gradient=gradient, slips=slips, exhibit=exhibit), point)


@pytest.mark.parametrize(("shows_in", "examples"), [(1, 8), (9, 9), (10, 9)])
def test_eight_examples_are_enough_if_it_shows_there(shows_in, examples):
    (trial,) = trials(shows_in)
    assert np.array_equal(trial.program.point.x, POINT.x[:examples])
    assert np.array_equal(trial.program.point.y, POINT.y[:examples])
    assert np.array_equal(trial.program.point.masks[0], POINT.masks[0][:examples])
    assert trial.wrong == ({"db2"} if shows_in < 10 else set())
    few = Point(POINT.net, POINT.x[:3], POINT.y[:3], None)
    (trial,) = trials(1, point=few)
    assert np.array_equal(trial.program.point.x, few.x)
    assert trial.program.point.masks is None


def test_of_two_wrong_lines_each_is_looked_for_beside_the_other(monkeypatch):
    monkeypatch.setattr(module, "Trial", lambda program, made, rest=(): rest)
    one, two = trials(1, count=2)
    assert [slip.changes(None) for slip in one] == [{1: "a = 1"}]
    assert [slip.changes(None) for slip in two] == [{0: "a = 0"}]
    assert trials(1, count=2, exhibit="known") == [()]  # it is one mistake


def test_what_costs_more_than_a_likely_edit_explains_nothing(monkeypatch):
    program = Program(POINT)
    line = next(line for line in program.lines if line.target == "db2")
    wrong = {k: 2 * v if k == "b2" else v for k, v in program.gradient.items()}
    trial = module.Trial(program, wrong)
    for cost, is_one in ((2.9, True), (3.0, True), (3.1, False)):
        edits = {f"db2 = 2 * ({line.text.split(' = ')[1]})": (cost, line.text)}
        monkeypatch.setattr(module, "edits_of", lambda line, scope, edits=edits: edits)
        assert trial.is_explained_by(line) == is_one
