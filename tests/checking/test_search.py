"""The search itself: what it keeps, what it leaves out, and where it ends."""

import ast
from dataclasses import replace

import numpy as np
import pytest

from gradlab.checking.source import search as searches
from gradlab.checking.source.elsewhere import Elsewhere
from gradlab.checking.source.functions import Code
from gradlab.checking.source.scope import Scope
from gradlab.checking.source.search import (
    LATE,
    MARGIN,
    MARGIN_OF_ONE,
    WORK,
    ExhaustedError,
    Mended,
    Search,
    _axes_in,
    _entries,
    _expression,
    _texts,
)
from gradlab.checking.source.statements import Statement, statements_of
from gradlab.checking.source.target import Target, Trial

RIGHT = np.array([2.0, -4.0])


def grad(t):
    scale = 1.0
    return scale * t


def trial(code=None, places=(), **more):
    """Return a trial whose gradient must be twice what `grad` gives at RIGHT / 2."""
    code = code or Code(grad)
    given, numbers = {"a": RIGHT / 2}, {"a": RIGHT}
    target = Target(numbers, given, {"a": np.full(2, 1e-6)}, {"a": None})

    def run(number, new, place):
        at = RIGHT / 2 if place is None else place.at
        return {"a": new(at.copy())}

    return Trial([code], run, target, lambda: list(places), **more)


class There(Elsewhere):
    """Another input, at which the gradient is twice as large, too."""

    def __init__(self, at, is_larger=False, factor=2.0):
        along = np.array([1.0, 1.0])
        super().__init__(
            slopes=[("a", along, float(factor * at @ along), 0.0)], is_larger=is_larger
        )
        object.__setattr__(self, "at", at)


HERE = There(np.array([0.3, 0.7]))


def test_an_edit_that_holds_here_and_elsewhere_is_found():
    found = Search(trial(places=[HERE])).run()
    lines = {(m.wrong, m.right) for m in found}
    assert ("scale = 1.0", "scale = 2") in lines or (
        "return scale * t",
        "return 2 * scale * t",
    ) in (lines)
    assert [m.cost for m in found] == sorted(m.cost for m in found)
    assert not any(m.resized for m in found)
    assert {m.where.partition(",")[0] for m in found} == {"grad"}
    assert all(m.residual < 1e-9 for m in found)
    assert grad(3.0) == 3.0


def test_what_holds_nowhere_else_or_cannot_be_asked_is_none():
    assert Search(trial(places=[There(HERE.at, factor=3.0)])).run() == []
    assert Search(trial(places=[])).run() == []
    assert Search(trial(places=[HERE], keeps=lambda function: False)).run() == []
    assert Search(trial(places=[HERE], keeps=lambda function: 1 / 0)).run() == []


def test_where_sizes_could_be_changed_one_edit_of_a_line_is_enough():
    sized = There(HERE.at, is_larger=True)
    found = Search(trial(places=[HERE, sized])).run()
    assert all(m.resized for m in found)
    where = [m.where for m in found]
    assert len(set(where)) == len(where)


def test_the_work_that_is_left_ends_it():
    search = Search(trial())
    assert search.work == WORK
    search._spend(WORK)
    with pytest.raises(ExhaustedError):
        search._spend(1)


def kept(*costs, where=None):
    """Return what is kept of edits with these costs, each of its own line."""

    class Found(Search):
        def _run_code(self):
            self.found = [
                Mended(f"w{k}", f"r{k}", f"f, line {k if where is None else where[k]}", cost, 0.0,
                       number=f"{k}")
                for k, cost in enumerate(costs)
            ]  # fmt: skip

    return [m.wrong for m in Found(trial()).run()]


def test_what_is_far_less_usual_is_not_told():
    assert kept(1.0, 1.0 + MARGIN, 1.0 + 1.1 * MARGIN) == ["w0", "w1"]
    near, far = 0.9 * MARGIN_OF_ONE, 1.1 * MARGIN_OF_ONE
    assert kept(1.0, 1.0 + near, 1.0 + far, where=[5, 5, 5]) == ["w0", "w1"]
    assert kept(1.2, 1.0) == ["w1", "w0"]
    assert kept() == []


def test_of_a_line_the_same_number_is_told_once():
    class Twice(Search):
        def _run_code(self):
            one = Mended("w", "r", "f, line 1", 1.0, 0.0, number="N")
            self.found = [one, replace(one, right="other", cost=1.1), replace(one, number="")]

    assert [m.right for m in Twice(trial()).run()] == ["r", "r"]


def test_of_lines_that_a_factor_may_be_missing_in_the_last_is_a_little_likelier():
    code = Code(grad)
    first, last = statements_of(code.functions[0])
    search = Search(trial(code))
    for one in (first, last):
        search._keep(one, 1.0, 0.1, "w", "r")
    ahead = search.found[0].cost - search.found[1].cost
    assert 0 < ahead < LATE
    assert search.found[0].where == f"grad, line {first.node.lineno}"
    end = code.functions[0].node.end_lineno
    assert search.found[1].cost == 1.0 - LATE * last.node.lineno / end
    assert not search.found[0].resized
    search._places = [HERE, There(HERE.at, is_larger=True)]
    search._keep(first, 1.0, 0.1, "w", "r")
    assert search.found[2].resized
    assert search._is_known(first, 1.0)
    assert not search._is_known(first, 0.5)
    search._places = [HERE]
    assert not search._is_known(first, 1.0)


def test_edits_are_tried_in_the_order_of_their_costs_until_others_are_far_less_usual():
    tried = []

    class Counted(Search):
        def _edits_of(self, function):
            for cost in (1.0, 0.5, 1.0 + MARGIN, 1.01 + MARGIN):
                yield cost, lambda cost=cost: self.one(cost)

        def _is_as_given(self, function):
            return self.fine

        def one(self, cost):
            tried.append(cost)
            if cost == 1.0:
                self.found.append(Mended("w", "r", "f", cost, 0.0))

    for fine, found in ((True, 1), (False, 0)):  # an edit has spoiled what cannot be put back
        tried.clear()
        search = Counted(trial())
        search.fine = fine
        search._code = search.trial.codes[0]
        search._run_code()
        assert tried == [0.5, 1.0, 1.0 + MARGIN]
        assert len(search.found) == found


def test_a_second_code_is_searched_only_if_nothing_is_found_in_the_first():
    searched = []

    class Two(Search):
        def _run_code(self):
            searched.append(self._number)
            if self._number == self.at:
                self.found.append(Mended("w", "r", "f", 1.0, 0.0))

    for at, numbers in ((0, [0]), (1, [0, 1]), (None, [0, 1])):
        searched.clear()
        both = replace(trial(), codes=[Code(grad), Code(grad)])
        search = Two(both)
        search.at = at
        search.run()
        assert searched == numbers


def test_code_that_could_do_harm_or_is_large_is_not_searched(monkeypatch):
    class Never(Search):
        def _run_code(self):
            raise AssertionError

    def harmful(t):
        while True:
            pass

    assert Never(trial(Code(harmful))).run() == []
    monkeypatch.setattr(searches, "others_run", lambda: True)
    assert Never(trial()).run() == []
    monkeypatch.setattr(searches, "others_run", lambda: False)
    monkeypatch.setattr(searches, "is_large", lambda things: True)
    assert Never(trial()).run() == []


def test_an_expression_is_exchanged_at_its_least_cost_and_never_for_itself():
    scope = Scope({"a": np.ones((2, 2)), "b": np.ones((2, 2))}, {"np": np}, [])
    node = ast.parse("a @ b", mode="eval").body
    found = dict(_texts(_expression(node, True, False, scope)))
    assert "a @ b" not in found
    assert found["a"] == 0.5
    assert found["b @ a"] == 0.8
    numbers = Scope({"k": 2, "lr": 0.5}, {"np": np}, [])
    node = ast.parse("k * lr", mode="eval").body
    found = dict(_texts(_expression(node, True, False, numbers)))
    assert found["k"] == found["lr"] == 0.5  # not 1.2, as a number's other names
    node = ast.parse("range(0, k)", mode="eval").body
    assert "range(0, k)" not in dict(_texts(_expression(node, True, False, numbers)))
    of_module = ast.parse("np", mode="eval").body
    assert _texts(_expression(of_module, False, False, scope)) == []  # no data
    unknown = ast.parse("c + 1", mode="eval").body
    assert _texts(_expression(unknown, True, False, scope))


def test_the_axes_that_a_function_speaks_of():
    text = "x.sum(axis=0) + y.mean(axis=(0, 1)) + z.sum(axis=0, keepdims=True) + np.sum(x, 3)"
    assert _axes_in(ast.parse(text)) == ["0", "(0, 1)"]


def test_what_large_arrays_cost():
    def some(*sizes):
        statement = Statement(None, ast.parse("a = 1").body, 0, None)
        statement.local = {f"a{k}": np.ones(n) for k, n in enumerate(sizes)} | {"n": 3}
        return statement

    ENTRIES = searches.ENTRIES
    assert _entries([]) == 0
    assert _entries([some(4 * ENTRIES)]) == 1
    assert _entries([some(4 * ENTRIES), some(ENTRIES, 3 * ENTRIES)]) == 2
    assert _entries([some(ENTRIES)]) == 0
