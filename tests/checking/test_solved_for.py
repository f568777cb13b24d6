"""What a line may lack is solved for: a factor, an array, a term, a number; each at its cost.

Costs decide between two edits, so they are written down: sums of the family's, of what a number
is called, of what a line does not speak of otherwise.
"""

import numpy as np
import pytest

from gradlab.checking.source import search as searches
from gradlab.checking.source.elsewhere import Elsewhere
from gradlab.checking.source.functions import Code
from gradlab.checking.source.lines import spliced
from gradlab.checking.source.scope import Scope
from gradlab.checking.source.search import (
    ASIDE,
    ENTRIES,
    WORK,
    ExhaustedError,
    Search,
    _expression,
)
from gradlab.checking.source.spot import Spot
from gradlab.checking.source.statements import statements_of
from gradlab.checking.source.target import Target, Trial

T, OTHER = np.array([0.6, -1.1, 0.8]), np.array([-0.3, 0.7, 1.2])
S = np.array([2.0, -3.0, 0.5])
ALONG = np.array([1.0, 0.4, -0.7])


class There(Elsewhere):
    """Another input, with the slope there that a right gradient has."""

    def __init__(self, right):
        super().__init__(slopes=[("a", ALONG, float(right(OTHER) @ ALONG), 0.0)])
        object.__setattr__(self, "at", OTHER)


def searching(function, right, kind=Search, **more):
    """Return a search in a function's lines; its gradient must be what `right` gives."""

    def run(number, new, place):
        return {"a": new((T if place is None else place.at).copy())}

    target = Target({"a": right(T)}, {"a": function(T)}, {"a": np.full(3, 1e-9)}, {"a": None})
    search = kind(Trial([Code(function)], run, target, lambda: [There(right)], **more))
    search._number, search._code, search._put_back = 0, search.trial.codes[0], lambda: None
    return search


def spot_of(search, line=-1):
    """Return the whole of what a line computes, with how the gradient depends on it."""
    (function,) = search._code.functions
    statements = statements_of(function)
    searches.record(search._code, function, statements, lambda new: new(T.copy()))
    statement = statements[line]
    where, _ = next(statement.roots())
    spot = Spot(statement, Scope(statement.local, {"np": np}, []), where)
    spot.value, search.price = spot.scope.known(spot.node), 1
    search._look(spot)
    return spot


class Written(Search):
    """Writes down what would be tried, by the line as it would stand: its place and its cost."""

    def __init__(self, trial):
        super().__init__(trial)
        self.tried, self.numbers, self.queued = {}, {}, 0.0

    def _try(self, spot, at, text, cost, number=""):
        node = spot.statement.node
        right = spliced(spot.statement.function.text, node, at, text)[1]
        told = round(self.queued, 9), round(cost, 9)
        self.tried[right] = min(told, self.tried.get(right, told))
        self.numbers[right] = number

    def _try_whole(self, statement, change):
        pass


def solved(function, right, monkeypatch):
    """Return what is solved for, and called as it is: {line: (when it is tried, its cost)}."""
    monkeypatch.setattr(searches, "RULES", ())
    search = searching(function, right, Written)
    for cost, todo in search._edits_of(search._code.functions[0]):
        search.queued = cost
        todo()
    return search


def product(t):
    return t * np.tanh(t)


def named(t):
    a = np.tanh(t)
    return a


def beside(t):
    u = t * S
    return np.sin(t) * 0.5 + 0 * u


def over(t):
    return np.exp(t) * 0.5


def alone(t):
    u = t * S  # noqa: F841 - for the search to see
    return np.sin(t)


def columns(t):
    M = np.stack([t, t + 1])
    d = np.stack([t * t, t])
    e = d * t
    return e.sum(axis=0) + 0 * M[0]


M = np.array([[1.0, 0.5, -1.0], [0.3, 2.0, 1.0]])


def inside_a_product(t):
    a = np.tanh(t)
    v = M @ t
    return M.T @ v + 0 * a


def with_a_sum(t):
    c = 0.25
    return np.sin(t) + t * c


def in_a_loop(t):
    g = np.zeros(3)
    for _ in range(2):
        g += t
    return g


FACTOR, FORMS, TERMS, NUMBER = 0.4, 1.0, 1.2, 0.9
BARE, INSIDE = 0.3, 0.3  # of a line that only hands on a name; for a term inside another
STRANGE, NEW_NAME = 0.02, 0.25  # for what a line does not speak of, as a factor and as a term
LATE = 1e-3  # off for the last line
SHAPE, THREE = 0.2 + 0.3, 0.5 + 0.6  # what t.shape[0] costs, and a plain 3 beside it
LESS_1 = 0.6 + 0.3  # t.shape[0] - 1, for 2
SOLVED = {
    "a sign, of the whole or of a part that is no term": (
        product, lambda t: -t * np.tanh(t),
        {"return -t * np.tanh(t)": (FACTOR, FACTOR + 0.15),
         "return t * -np.tanh(t)": (FACTOR + 0.2, FACTOR + 0.15),
         "return (t - 2 * t) * np.tanh(t)": (TERMS, TERMS + 0.3 + 0.3 + INSIDE),
         "return (t - (t.shape[0] - 1) * t) * np.tanh(t)": (TERMS, TERMS + LESS_1 + 0.3 + INSIDE)},
    ),
    "a factor under its names, of what is only handed on more dearly": (
        named, lambda t: 3 * np.tanh(t),
        {"a = t.shape[0] * np.tanh(t)": (FACTOR, FACTOR + SHAPE),
         "a = 3 * np.tanh(t)": (FACTOR, FACTOR + THREE),
         "return t.shape[0] * a": (FACTOR, FACTOR + BARE + SHAPE),
         "return 3 * a": (FACTOR, FACTOR + BARE + THREE),
         "return a + 2 * a": (TERMS, TERMS + BARE + 0.3),
         "return a + (t.shape[0] - 1) * a": (TERMS, TERMS + BARE + LESS_1)},
    ),
    "an array that is missing as a factor": (
        product, lambda t: t * t * np.tanh(t),
        {f"return {text}": (FORMS, FORMS) for text in (
            "t * np.tanh(t) * t", "t * t * np.tanh(t)", "t * (np.tanh(t) * t)")},
    ),
    "an array that its line does not speak of": (
        beside, lambda t: np.sin(t) * t * S * 0.5,
        {f"return {text} + 0 * u": (FORMS, FORMS + cost) for text, cost in {
            "np.sin(t) * 0.5 * u": 0, "np.sin(t) * u * 0.5": 0}.items()},
    ),
    "as a factor it needs none": (
        over, lambda t: np.exp(t) * 0.5 * t * (1 - t),
        {"return np.exp(t) * 0.5 * t * (1 - t)": (FORMS, FORMS + 0.2),
         "return np.exp(t) * t * (1 - t) * 0.5": (FORMS, FORMS + 0.2)},
    ),
    "below a fraction's line a product stands in brackets": (
        over, lambda t: np.exp(t) * 0.5 / (t * (1 - t)),
        {"return np.exp(t) * 0.5 / (t * (1 - t))": (FORMS, FORMS + 0.2),
         "return np.exp(t) / (t * (1 - t)) * 0.5": (FORMS, FORMS + 0.2)},
    ),
    "a matrix where a number stands for each column": (
        columns, lambda t: (np.stack([t * t, t]) * t * np.stack([t, t + 1])).sum(axis=0),
        {f"e = {text}": (FORMS, FORMS + STRANGE) for text in (
            "d * t * M", "d * M * t", "d * (t * M)")},
    ),
    "an array inside a product of matrices, of another shape than that": (
        inside_a_product, lambda t: M.T @ (M @ (t * np.tanh(t))),
        {"v = M @ (t * a)": (FORMS, FORMS + STRANGE)},
    ),
    "a term that speaks of what its line does not, or inside another": (
        with_a_sum, lambda t: np.sin(t) + t / 4 + t * t / 4,
        {"return np.sin(t) + t * c + c * t * t": (TERMS, TERMS + 0.4 + 0.2),
         "return np.sin(t) + c * t * t + t * c": (TERMS, TERMS + 0.4 + 0.2),
         "return np.sin(t) + (t * c + c * t * t)": (TERMS, TERMS + 0.4 + 0.2),
         "return np.sin(t) + (t + t * t) * c": (TERMS, TERMS + 0.4 + INSIDE)},
    ),
    "a term of another name than those of its line": (
        alone, lambda t: np.sin(t) + 2 * t * S,
        {"return np.sin(t) + 2 * u": (TERMS, TERMS + NEW_NAME + 0.3)},
    ),
    "a factor by a run of its own, where a line runs more than once": (
        in_a_loop, lambda t: -2 * t,
        {"g += -t": (FACTOR, FACTOR + BARE + 0.15), "return -g": (FACTOR, FACTOR + BARE + 0.15)},
    ),
}  # fmt: skip


@pytest.mark.every_case
@pytest.mark.parametrize("name", SOLVED)
def test_what_is_solved_for_when_and_at_which_cost(name, monkeypatch):
    function, right, wanted = SOLVED[name]
    found = solved(function, right, monkeypatch).tried
    for text, costs in wanted.items():
        assert found[text] == pytest.approx(costs), text


def test_where_each_takes_a_run_the_usual_factors_and_terms_are_tried(monkeypatch):
    found = solved(in_a_loop, lambda t: 2 * np.exp(t), monkeypatch).tried
    for text, cost in {"t": 0.0, "(1 - t ** 2)": 0.2, "(1 - t)": 0.3, "t ** 2": 0.4}.items():
        for shown, more in ((f"t * {text}", 0), (f"t + {text}", 0.1), (f"t - {text}", 0.2),
                            (f"t / {text}", 0.3)):  # fmt: skip
            assert found[f"g += {shown}"] == pytest.approx((FORMS + cost + more,) * 2), shown
    assert "g += t / (t * (1 - t))" in found
    assert not any("exp" in text for text in found)  # at 0.7 it is not usual enough


def may_stop(t):
    g = np.zeros(3)
    for _ in range(2):
        s = t[0] * 0.5
        if s > 0.5:
            raise ValueError
        g += s * t
    return g


def may_be_longer(t):
    g = np.zeros(3)
    for _ in range(2):
        s = t[0] * 0.5
        g += s * t
        g = np.resize(g, int(12 * s))
    return g


@pytest.mark.parametrize("function", [may_stop, may_be_longer])
def test_a_run_that_ends_in_an_error_or_in_another_shape_is_no_factor(function, monkeypatch):
    found = solved(function, lambda t: 3.1 * t[0] * t, monkeypatch).tried
    assert found["return 3.1 * g"] == pytest.approx((FACTOR, FACTOR + BARE + 1.4))
    assert found["g += 3.1 * s * t"] == pytest.approx((FACTOR, FACTOR + 1.4))


def of_a_number(t):
    return np.exp(1.5 * t) + 0.0


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("right", "told"),
    [(0.7, "0.7"), (-0.7, "-0.7"), (0.123, "0.123"), (0.1234, "0.1234"), (0.123456, "0.123456"),
     (0.1234567, "0.123457"), (0.0, None), (2.0, "2.0"), (3.00001, "3.0"), (3.0002, "3.0002")],
)  # fmt: skip
def test_a_number_is_solved_for_and_believed_if_it_is_short(right, told, monkeypatch):
    found = solved(of_a_number, lambda t: np.exp(right * t), monkeypatch).tried
    told = {f"return np.exp({told} * t) + 0.0": (NUMBER, NUMBER)} if told else {}
    assert {text: found[text] for text in found if "t) + 0.0" in text and "1.5" not in text} == told


def test_what_a_number_is_called_is_told_unless_that_is_1(monkeypatch):
    search = solved(named, lambda t: 3 * np.tanh(t), monkeypatch)
    assert search.numbers["return t.shape[0] * a"] == "t.shape[0]"
    assert search.numbers["return 3 * a"] == "3"
    search = solved(product, lambda t: -t * np.tanh(t), monkeypatch)
    assert search.numbers["return -t * np.tanh(t)"] == ""
    search = solved(product, lambda t: t * t * np.tanh(t), monkeypatch)
    assert search.numbers["return t * t * np.tanh(t)"] == ""


def test_of_many_names_of_a_number_the_likeliest_8_are_tried():
    search = searching(named, lambda t: 2 * np.tanh(t), Written)
    spot = spot_of(search)
    spot.scope = Scope({f"n{k}": 7.0 for k in range(10)}, {"np": np}, [])
    search._named(spot, spot.where, 7.0, 1.0, "C * a")
    assert [*search.tried] == [f"return n{k} * a" for k in range(8)]
    assert {cost for _, cost in search.tried.values()} == {1.0 + BARE + 0.2}


# -- whether an edit is right --------------------------------------------------------------------


def two_lines(t):
    a = np.tanh(t)
    return a * t


def twice(t):
    return 2 * t * np.tanh(t)


def edited(search, line, text):
    """Return the spot of a line, and what it gives with another text in the place of all of it."""
    spot = spot_of(search, line)
    node = searches.parsed(text, spot.statement.node)
    with searches.put(spot.where, node):
        return search._may_be(spot), search._left(spot.statement)


def test_an_edit_is_run_only_if_its_line_could_move_the_gradient_rightly():
    search = searching(two_lines, twice)
    spot = spot_of(search)
    assert spot.slopes is not None
    work = search.work

    def may_be(text):
        with searches.put(spot.where, searches.parsed(text, spot.statement.node)):
            return search._may_be(spot)

    assert may_be("a * t * 2")
    assert search.work == work - 2
    assert not may_be("a * t")
    assert not may_be("a * t * 3")
    assert not may_be("a * unknown")
    assert may_be("(a * t)[:2]")  # of another shape: who knows
    spot.slopes = None
    assert may_be("a * t * 3")
    assert not may_be("a * t * 1.0")
    spot.statement.runs = 2
    assert may_be("a * t * 1.0")
    assert not may_be("a * unknown")  # it would not run there
    spot.value = None
    assert may_be("a * unknown")


def test_what_an_edit_leaves_is_told_if_it_holds_here_and_elsewhere_and_spoils_no_loss():
    left = lambda search, text="2 * a * t": edited(search, -1, text)[1]  # noqa: E731
    assert left(searching(two_lines, twice)) == pytest.approx(0, abs=1e-12)
    assert left(searching(two_lines, twice), "3 * a * t") is None
    assert left(searching(two_lines, twice), "a * unknown") is None
    assert left(searching(two_lines, twice), "(2 * a * t)[:2]") is None
    keeps = lambda answer: searching(two_lines, twice, keeps=lambda function: answer)  # noqa: E731
    assert left(keeps(True)) is not None
    assert left(keeps(False)) is None
    raises = searching(two_lines, twice, keeps=lambda function: 1 / 0)
    assert left(raises) is None
    near = searching(two_lines, twice)
    near.trial.target.tolerance[:] = 1e-3
    near._places = [There(lambda t: twice(t) * (1 + 1e-5))]
    assert left(near, "(2 + 2e-5) * a * t") == pytest.approx(2e-5, rel=1e-6)
    assert left(near) is None  # right here, and not there


def test_whatever_an_edit_does_is_put_back_after_each_run():
    search, put_back = searching(two_lines, twice), []
    search._put_back = lambda: put_back.append(1)
    spot, function = spot_of(search), search._code.functions[0]
    put_back.clear()
    work, search.price = search.work, 70
    search._vector(function, {})
    assert (len(put_back), search.work) == (1, work - 70)
    search._keeps(function)
    search._holds(function)
    assert len(put_back) == 3
    with searches.put(spot.where, searches.parsed("unknown", spot.statement.node)):
        assert search._vector(function, {}) is None
        assert not search._holds(function)
    assert len(put_back) == 5


def test_places_are_asked_for_once_and_none_is_not_enough():
    search, asked = searching(two_lines, twice), []
    object.__setattr__(search.trial, "places", lambda: asked.append(1) or [There(two_lines)])
    function = search._code.functions[0]
    assert search._holds(function)
    assert search._holds(function)
    assert len(asked) == 1
    search._places = []
    assert not search._holds(function)
    search._places = [There(two_lines), There(twice)]
    assert not search._holds(function)


# -- what is searched at all ---------------------------------------------------------------------


def test_a_function_that_gives_another_gradient_when_built_anew_is_not_edited():
    search = searching(two_lines, twice)
    function = search._code.functions[0]
    assert search._is_as_given(function)
    assert search.price == ASIDE
    assert [*search._edits_of(function)]
    search.trial.target.given *= 1 + 2e-9
    assert not search._is_as_given(function)
    assert [*search._edits_of(function)] == []


def with_a_branch(t):
    a = t * t
    if t[0] > 100:
        a = a * t
    return a


def test_lines_that_do_not_run_are_not_edited_and_each_run_has_its_price():
    search = searching(with_a_branch, lambda t: 3 * t * t, Written)
    edits = [*search._edits_of(search._code.functions[0])]
    assert search.price == ASIDE + 3
    lines = {todo.args[0].statement.k if hasattr(todo.args[0], "statement") else todo.args[0].k
             for _, todo in edits}  # fmt: skip
    assert lines == {0, 1, 2}
    for _, todo in edits:
        todo()
    assert not any("a * t" in text for text in search.tried if text.startswith("a = a"))


def sets_a_part(t):
    g = np.zeros(3)
    g[0] = 2 * t[0]
    return g


def test_where_a_line_writes_what_it_computes_and_itself_are_exchanged_each_at_its_cost():
    search = searching(sets_a_part, lambda t: 3 * t, Written)
    whole = {}
    for cost, todo in search._edits_of(search._code.functions[0]):
        if todo.func.__name__ == "_try_whole":
            whole[todo.args[1].right] = cost
        else:
            search.queued = cost
            with np.errstate(all="ignore"):
                todo()
    tried = search.tried
    assert {tried[f"g[{k}] = 2 * t[0]"] for k in (1, -1, 2, 3)} == {(0.5, 0.5)}  # as an index
    assert "g[0.5] = 2 * t[0]" not in tried
    assert tried["g[0] = 2 * t[1]"] == (0.5, 0.5)
    assert tried["g[0] = 3 * t[0]"] == (0.5, 0.5)  # as a number
    assert tried["g[0] = t[0]"] == (0.5, 0.5)
    assert whole == {
        "": 0.8, "g += np.zeros(3)": 0.6, "g[0] = 2 * t[0]; g = np.zeros(3)": 1.0,
        "g[0] += 2 * t[0]": 0.6, "np.add.at(g, 0, 2 * t[0])": 0.7,
    }  # fmt: skip


def test_an_edit_of_a_line_is_kept_with_what_it_leaves_and_a_broken_one_is_none():
    def kept(line, text, number=""):
        search = searching(two_lines, twice)
        spot = spot_of(search, line)
        search._try(spot, spot.where, text, 1.0, number)
        return search.found

    (mended,) = kept(-1, "2 * a * t", "2")
    assert (mended.wrong, mended.right) == ("return a * t", "return 2 * a * t")
    assert (mended.number, mended.resized) == ("2", False)
    assert mended.residual == pytest.approx(0, abs=1e-12)
    assert mended.cost == 1.0 - LATE  # it stands in the last line
    (first,) = kept(0, "2 * np.tanh(t)")
    assert (first.right, first.number) == ("a = 2 * np.tanh(t)", "")
    assert kept(-1, "2 * a *") == kept(-1, "3 * a * t") == kept(-1, "a * t") == []
    search = searching(two_lines, twice)
    spot = spot_of(search)
    search._places = [There(twice)]
    object.__setattr__(search._places[0], "is_larger", True)
    for text, count in (("2 * a * t", 1), ("a * t * 2", 1)):  # in other words
        search._try(spot, spot.where, text, 1.0)
        assert len(search.found) == count


def test_other_statements_are_kept_if_the_gradient_is_right_then():
    search = searching(two_lines, twice)
    spot = spot_of(search)
    body = spot.statement.body
    right = searches.parsed("2 * t * np.tanh(t)", spot.statement.node)
    new = type(body[-1])(right)
    searches.ast.copy_location(new, body[-1])
    change = searches.Change("wrong", "right", 0.7, body, [new])
    before = [*body]
    search._try_whole(spot.statement, change)
    assert [(m.wrong, m.right) for m in search.found] == [("wrong", "right")]
    assert search.found[0].cost == 0.7 - LATE
    assert body == before
    search._try_whole(spot.statement, change._replace(new=before))
    assert len(search.found) == 1


def with_a_long_array(t):
    a = np.zeros(3000)
    return t + a[0]


def with_entries(t):
    a = np.zeros(1900)
    b = np.zeros((10, 1900))
    return t + a[0] + b[0, 0]


def test_long_arrays_are_not_searched_and_large_ones_are_dear():
    search = searching(with_a_long_array, lambda t: 2 * t)
    assert [*search._edits_of(search._code.functions[0])] == []
    search = searching(with_entries, lambda t: 2 * t)
    assert [*search._edits_of(search._code.functions[0])]
    entries = 3 + 1900 + 19_000
    assert search.price == ASIDE + 3 + entries * 3 // (4 * ENTRIES)


def test_each_form_takes_two_of_the_work_and_each_term_one():
    search = searching(two_lines, twice, Written)
    spot = spot_of(search)
    expr = _expression(spot.node, True, False, spot.scope)
    for tries, some, price in (
        (search._forms, [*spot.scope.forms((3,))], 2),
        (search._terms, spot.scope.terms((3,)), 1),
    ):
        search.work = WORK
        tries(spot, spot.where, expr)
        assert WORK - search.work == price * len(some)
        search.work = price * len(some) - 1
        with pytest.raises(ExhaustedError):
            tries(spot, spot.where, expr)


def test_a_spot_is_looked_at_if_that_takes_a_tenth_of_the_work_at_most():
    search = searching(two_lines, twice)
    spot = spot_of(search)
    for price, is_looked_at in ((WORK / 40 - 1, True), (WORK / 40 + 1, False)):
        spot.slopes, search.price = None, price
        search.work = 10 * WORK
        search._look(spot)
        assert (spot.slopes is not None) == is_looked_at
