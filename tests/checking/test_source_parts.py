"""The parts of the search for a wrong line, each by itself."""

import ast
import collections
import functools
import linecache
import sys
import threading
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.diagnosis import Facts
from gradlab.checking.diagnosis.facts import Factor
from gradlab.checking.source import functions as functions_
from gradlab.checking.source.diagnosis import NEAR, ONE_SIZE, diagnosis_of, target_of
from gradlab.checking.source.elsewhere import AGREES, ROUNDING, STEP, Elsewhere, slope_of
from gradlab.checking.source.factors import SAME, changes, common, of_data, ratio
from gradlab.checking.source.functions import (
    MOST_FUNCTIONS,
    Code,
    Function,
    around,
    names_in,
)
from gradlab.checking.source.harmless import written_by
from gradlab.checking.source.lines import spliced
from gradlab.checking.source.mended import (
    DIRECTIONS,
    POINTS,
    SHIFTS,
    called_as,
    constants_in,
    leaves_alone,
    others,
)
from gradlab.checking.source.objects import (
    MOST,
    objects_in,
    private,
    put_on_copy,
    put_on_for_a_while,
    reached,
)
from gradlab.checking.source.scope import Scope
from gradlab.checking.source.search import Mended, in_product, with_number, words_in
from gradlab.checking.source.silent import Sieve, silent
from gradlab.checking.source.spot import MOST_ENTRIES, Spot, is_float
from gradlab.checking.source.statements import Statement
from gradlab.checking.source.target import MOST_LEFT, Target
from gradlab.checking.source.untouched import (
    MOST_BYTES,
    MOST_LONG,
    is_large,
    is_long,
    untouched,
)

HERE = __file__

# -- functions -----------------------------------------------------------------------------------

offset = 2.0


def helper(t):
    return t * offset


def calls(t, scale=3.0, *, more=4.0):
    inside = lambda v: v + scale  # noqa: E731
    return helper(inside(t)) * more


class Layer:
    kept = 5.0

    def __init__(self):
        self.W = np.ones(2)

    def forward(self, t):
        return self.__square(t) + self.W

    def __square(self, t):
        return t**2

    def __call__(self, t):
        return self.forward(t)

    @property
    def size(self):
        return len(self.W)


def closes():
    k = 3.0

    def inner(t):
        return t * k

    return inner


def built(function):
    return Function.of(function).built({})


def test_a_function_that_is_built_anew_does_the_same_with_what_it_closes_over():
    inner = closes()
    for function in (helper, calls, inner, lambda t: t + offset):
        new = built(function)
        assert new is not function
        assert new(2.0) == function(2.0)
        assert new.__name__ == function.__name__
    assert built(calls)(2.0, 1.0, more=1.0) == calls(2.0, 1.0, more=1.0)
    assert built(calls).__defaults__ == (3.0,)
    assert built(calls).__kwdefaults__ == {"more": 4.0}
    assert built(inner).__closure__[0] is inner.__closure__[0]
    layer = Layer()
    assert np.array_equal(built(Layer.forward)(layer, 3.0), layer.forward(3.0))  # private names
    assert Function.of(helper).built({"offset": 10.0})(2.0) == 20.0
    assert helper(2.0) == 4.0


def test_what_is_no_function_of_a_file_is_not_read(monkeypatch):
    assert Function.of(helper).name == "helper"
    for thing in (len, np.sin, gl.check, 3, None, Layer, functions_.around):
        assert Function.of(thing) is None
    space = {}
    exec("def f(t):\n    return t\n", space)  # noqa: S102 - a function without a file
    assert Function.of(space["f"]) is None
    monkeypatch.setattr(functions_, "MOST_LINES", 3)
    assert Function.of(helper) is None


def test_a_file_that_has_changed_since_is_not_read(tmp_path, monkeypatch):
    text = "def f(t):\n    k = 2\n    return t * k\n\n\ng = lambda t: t + 1\n"
    path = tmp_path / "changed_since.py"
    path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import changed_since

    assert Function.of(changed_since.f).name == "f"
    assert ast.unparse(Function.of(changed_since.g).node) == "lambda t: t + 1"
    for was, new in (
        ("k = 2", "k = 3"), ("t * k", "t + k"), ("k = 2", "j = k = 2"),
        ("def f(t)", "def f(t, s=1)"), ("def f(t)", "def h(t)"), ("t * k", "t *"),
        ("def f", "\n\ndef f"),
    ):  # fmt: skip
        path.write_text(text.replace(was, new))
        linecache.clearcache()
        assert Function.of(changed_since.f) is None, new
    for was, new in (("t + 1", "t + 2"), ("t + 1", " t + 1"), ("t + 1", "t - 1")):
        path.write_text(text.replace(was, new))
        linecache.clearcache()
        assert Function.of(changed_since.g) is None, new
    path.write_text(text.replace("k = 2", "k = 2  # two"))
    linecache.clearcache()
    assert Function.of(changed_since.f) is not None  # which does the same


def test_a_file_of_so_many_lines_is_read(monkeypatch):
    lines = len(Path(HERE).read_text().splitlines())
    monkeypatch.setattr(functions_, "MOST_LINES", lines)
    assert Function.of(helper) is not None
    monkeypatch.setattr(functions_, "MOST_LINES", lines - 1)
    assert Function.of(helper) is None


def doubled(function):
    @functools.wraps(function)
    def inner(t):
        return 2 * function(t)

    return inner


@doubled
@doubled
def decorated(t):
    return helper(t)


def calls_itself(t, n=2):
    return t if n == 0 else helper(calls_itself(t, n - 1))


def test_of_what_is_decorated_its_own_lines_are_read():
    code = Code(decorated)
    assert [one.name for one in code.functions] == ["decorated", "helper"]
    assert code.functions[0].live is decorated.__wrapped__.__wrapped__
    assert code.edited(code.functions[0], {})(3.0) == helper(3.0)


def test_who_calls_himself_is_not_among_what_he_calls():
    code = Code(calls_itself)
    root, inner = code.functions
    assert code.calls == {root: {"helper": inner}, inner: {}}


def test_two_lambdas_in_a_line_are_told_apart():
    one, other = (lambda t: t + 1, lambda t: t + 2)
    assert ast.unparse(Function.of(one).node) == "lambda t: t + 1"
    assert ast.unparse(Function.of(other).node) == "lambda t: t + 2"


def test_what_a_function_speaks_of():
    found = around(calls)
    assert found["=0"] == 3.0
    assert found["more"] == 4.0
    assert found["helper"] is helper
    inner = closes()
    assert around(inner) == {"k": 3.0}
    assert names_in(calls.__code__) >= {"helper"}
    assert {"scale"} <= names_in(calls.__code__)  # of a lambda inside

    def unset(t):
        return t + later

    assert around(unset)["later"] is None
    later = 1


def test_the_code_of_a_function_and_of_what_it_calls_of_its_file():
    code = Code(calls)
    assert [one.name for one in code.functions] == ["calls", "helper"]
    assert code.calls[code.functions[0]] == {"helper": code.functions[1]}
    assert code.calls[code.functions[1]] == {}
    assert code.file == HERE
    assert code.twin(Function.of(helper)) is code.functions[1]
    assert code.twin(Function.of(closes)) is None
    assert Code(len).file == ""
    assert Code(len).functions == []
    assert code.owner is None


def test_the_code_of_a_method_with_the_methods_of_its_object():
    layer = Layer()
    code = Code(layer.forward)
    assert code.owner is layer
    assert {one.name for one in code.functions} == {"forward", "__square"}
    assert {live.__name__ for live in code.methods} == {"forward", "__square"}
    assert code.objects() == [layer]
    assert code.methods_called("forward") == [Layer.forward]
    assert code.methods_called("__square") == [Layer._Layer__square]
    assert code.methods_called("size") == [Layer.size.fget]
    assert code.methods_called("kept") == []
    assert Code(Layer.forward, layer).owner is layer
    assert next(f.name for f in Code(lambda t: layer(t)).functions) == "<lambda>"

    def handed(t, layer):
        return layer.forward(t)

    assert [one.name for one in Code(handed).functions] == ["handed"]
    assert {one.name for one in Code(handed, handed=[layer]).functions} == {
        "handed", "forward", "__square",
    }  # fmt: skip


CHAIN = "\n".join(f"def f{k}(t):\n    return f{k + 1}(t)\n" for k in range(12))


def test_so_many_functions_are_read_and_no_more(tmp_path, monkeypatch):
    (tmp_path / "chain_of_many.py").write_text(f"{CHAIN}\ndef f12(t):\n    return t\n")
    monkeypatch.syspath_prepend(tmp_path)
    import chain_of_many

    assert len(Code(chain_of_many.f0).functions) == MOST_FUNCTIONS
    assert len(Code(chain_of_many.f11).functions) == 2


def test_what_an_edit_is_called_as():
    """Of a function what to call; of a method, or of what calls one, the methods meanwhile."""
    code = Code(calls)
    inner = code.functions[1]
    inner.node.body[0].value = ast.parse("t * 100", mode="eval").body
    ast.fix_missing_locations(inner.node)
    new = code.edited(inner, {})
    assert new(1.0) == (1.0 + 3.0) * 100 * 4
    assert calls(1.0) == (1.0 + 3.0) * 2 * 4
    with called_as(code, new) as now:
        assert now is new

    layer = Layer()
    code = Code(layer.forward)
    square = next(one for one in code.functions if one.name == "__square")
    square.node.body[0].value = ast.parse("t * 0", mode="eval").body
    ast.fix_missing_locations(square.node)
    edited = code.edited(square, {})
    assert list(edited) == [Layer._Layer__square]
    with called_as(code, edited) as now:
        assert now(3.0).tolist() == [1.0, 1.0]
        assert "_Layer__square" in vars(layer)
    assert layer.forward(3.0).tolist() == [10.0, 10.0]
    assert list(vars(layer)) == ["W"]

    def of_object(t):
        return layer.forward(t) * 2

    code = Code(of_object)
    square = next(one for one in code.functions if one.name == "__square")
    square.node.body[0].value = ast.parse("t * 0", mode="eval").body
    ast.fix_missing_locations(square.node)
    call = code.edited(square, {})
    assert call(3.0).tolist() == [2.0, 2.0]
    assert of_object(3.0).tolist() == [20.0, 20.0]


def test_what_a_loss_may_call():
    layer = Layer()
    assert Code(calls).may_call(Function.of(helper))
    assert Code(lambda t: calls(t)).may_call(Function.of(helper))  # through another
    assert not Code(calls).may_call(Function.of(closes))
    assert Code(lambda t: layer(t)).may_call(Function.of(Layer.forward))
    assert Code(lambda t: Layer().forward(t)).may_call(Function.of(Layer.forward))
    assert Code(layer.forward).may_call(Function.of(Layer._Layer__square))
    assert not Code(layer.forward).may_call(Function.of(helper))
    assert Code(lambda t, by=calls: by(t)).may_call(Function.of(helper))  # by a default
    assert not Code(lambda t: np.sum(t)).may_call(Function.of(helper))
    assert Code(helper).may_call(Function.of(helper))  # itself
    assert Code(layer).may_call(Function.of(helper))  # what cannot be looked into
    assert not Code(None).may_call(Function.of(helper))
    module = ModuleType("of_mine")
    module.helper = helper
    assert Code(lambda t: module.helper(t)).may_call(Function.of(helper))
    many = [[k] for k in range(MOST + 1)]
    assert Code(lambda t: many).may_call(Function.of(helper))


# -- objects -------------------------------------------------------------------------------------


def test_what_things_lead_to():
    class Slotted:
        __slots__ = ("inside",)

    class Holder:
        shared = ["of the class"]  # noqa: RUF012

        def method(self):
            return self

    slotted, holder = Slotted(), Holder()
    slotted.inside = [1]
    holder.own = {"a": (frozenset({3}),)}
    objects = np.array([{"b": 1}, None], object)
    found = reached([slotted, holder, objects, holder.method, 3, "text", len, np.ones(2), None])
    for thing in (slotted, slotted.inside, holder, holder.own, Holder.shared, objects[0], objects):
        assert any(one is thing for one in found), thing
    assert not any(one is thing for one in found for thing in (3, "text", len, None))
    assert sum(one is holder for one in found) == 1
    assert any(isinstance(one, np.ndarray) and one.dtype == float for one in found)
    assert len(reached([[k] for k in range(2 * MOST)])) == MOST + 1


def test_methods_of_its_own_for_a_while_and_on_a_copy():
    layer, other = Layer(), Layer()
    other.forward = was = lambda t: "own"
    new = {Layer.forward: lambda self, t: ("new", t)}
    with pytest.raises(KeyError), put_on_for_a_while([layer, other], new):  # noqa: PT012
        assert layer.forward(3) == other.forward(3) == ("new", 3)
        raise KeyError
    assert list(vars(layer)) == ["W"]
    assert other.forward is was
    holder = {"layers": [Layer()]}
    put_on_copy(holder, new)
    assert holder["layers"][0].forward(1) == ("new", 1)
    put_on_copy(kept := [np.ones(2)], new)
    assert kept[0].tolist() == [1.0, 1.0]
    assert objects_in([holder, 3, np.ones(2)], HERE) == holder["layers"]
    assert objects_in([holder], "elsewhere.py") == []


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("kind", "name", "outside"),
    [
        ("Net", "__x", "_Net__x"), ("_Net", "__x", "_Net__x"), ("Net", "__x__", "__x__"),
        ("Net", "_x", "_x"), ("Net", "x", "x"), ("Net", "__", "_Net__"), ("", "__x", "__x"),
    ],
)  # fmt: skip
def test_the_name_that_a_private_one_has_outside_of_its_class(kind, name, outside):
    assert private(kind, name) == outside


# -- what is put back, what is silent ------------------------------------------------------------


def test_what_stands_in_things_is_put_back_meanwhile_and_at_the_end():
    array, locked, ordered = np.ones(3), np.ones(2), {"a": 1, "b": 2}
    locked.flags.writeable = False
    things = [array, locked, ordered, [1, 2], {3}, (4,), Layer()]
    with untouched(things) as put_back:
        for _ in range(2):
            array[:] = 7
            ordered.clear()
            ordered.update(b=5, c=6)
            things[3].append(9)
            things[4].add(8)
            things[4].discard(3)
            put_back()
            assert array.tolist() == [1, 1, 1]
            assert [*ordered.items()] == [("a", 1), ("b", 2)]
            assert things[3:5] == [[1, 2], {3}]
        array[:] = 5
        ordered["a"] = 0  # in the same order
        array.flags.writeable = False
    assert array.tolist() == [5, 5, 5]  # who locks it has it so
    assert ordered == {"a": 1, "b": 2}


def test_what_would_take_much_memory_is_told():
    assert not is_long(np.ones(MOST_LONG))
    assert is_long(np.ones((1, MOST_LONG + 1)))
    assert not is_long([0] * 5000)
    assert not is_long(np.array(1.0))
    assert is_large([np.ones(2), np.ones(MOST_LONG + 1)])
    assert not is_large([np.ones(2), "text"])
    part = np.broadcast_to(np.ones(1), (2000, 2000, 8))  # 256 MB, if they were
    assert part.nbytes == 32_000_000 * 8 > 0.9 * MOST_BYTES
    assert not is_large([part])
    assert is_large([part, part])


def test_a_sieve_drops_what_one_thread_writes_and_is_a_stream_else(capsys):
    stream = sys.stdout
    sieve = Sieve(stream, threading.get_ident())
    assert sieve.write("mine") == 4
    assert sieve.encoding == stream.encoding
    other = Sieve(stream, threading.get_ident() + 1)
    assert other.write("theirs") == 6
    sieve.is_open = True
    assert sieve.write("!") == 1
    assert capsys.readouterr().out == "theirs!"
    with pytest.raises(KeyError), silent():  # noqa: PT012
        print("dropped")
        raise KeyError
    assert sys.stdout is stream
    assert capsys.readouterr().out == ""


# -- the target ----------------------------------------------------------------------------------


def target(given, right=(1.0, 2.0, 4.0), tolerance=1e-6, entries=None):
    right, given = {"a": np.array(right)}, {"a": np.array(given)}
    return Target(right, given, {"a": np.full(3, tolerance)}, {"a": entries})


def test_a_gradient_fits_to_the_tolerance_and_must_be_far_better_than_what_came():
    of = target([2.0, 4.0, 8.0])
    assert of.weight.tolist() == [0.25] * 3
    assert of.off == pytest.approx(np.linalg.norm([0.25, 0.5, 1.0]))
    assert of.left(of.given) == pytest.approx(1)
    assert of.left(of.right) == 0
    assert of.fits(of.right)
    assert of.fits(of.right + 1e-6 * np.array([0.9, -0.9, 0]))
    assert not of.fits(of.right + np.array([0, 1.1e-6, 0]))
    assert not of.fits(of.right[:2])
    near = target([1.0, 2.0, 4.0 + 1e-5], tolerance=1.0)
    assert near.fits(near.right + np.array([0, 0, 0.9 * MOST_LEFT * 1e-5]))
    assert not near.fits(near.right + np.array([0, 0, 1.1 * MOST_LEFT * 1e-5]))
    same = target([1.0, 2.0, 4.0])
    assert same.off == 0
    assert same.left(same.right + np.array([1.0, 0, 0])) == 0.25


def test_what_is_not_known_is_not_compared():
    numerical = {"a": np.array([1.0, np.nan]), "b": np.array([[3.0, 0.5]])}
    tolerance = {"a": np.ones(2), "b": np.array([[np.inf, 1.0]])}
    numerical["b"], tolerance["b"] = np.ravel(numerical["b"]), np.ravel(tolerance["b"])
    of = Target(numerical, {"a": np.zeros(2), "b": np.zeros(2)}, tolerance,
                {"a": None, "b": np.array([2, 0])})  # fmt: skip
    assert of.right.tolist() == [1.0, 0.5]
    assert of.weight.tolist() == [1.0, 2.0]
    whole = {"a": np.array([7.0, 8.0]), "b": np.array([[9.0, 10.0], [11.0, 12.0]])}
    assert of.vector(whole).tolist() == [7.0, 9.0]  # b's entries 2 and 0, of which one is known
    nothing = Target({"a": np.zeros(2)}, {"a": np.ones(2)}, {"a": np.ones(2)}, {"a": None})
    assert nothing.weight.tolist() == [1.0, 1.0]


def test_the_factor_that_makes_it_right_or_none():
    of = target([2.0, 4.0, 8.0])
    assert of.factor(of.given, -of.right) == pytest.approx(1.0)
    assert of.factor(np.zeros(3), 2 * of.right) == pytest.approx(0.5)
    assert of.factor(of.given, np.zeros(3)) is None
    assert of.factor(of.given, np.array([1.0, 0, 0])) is None  # mends one entry alone
    assert of.factor(of.right, of.right) is None  # 0 is none
    assert of.factor(np.zeros(3), np.array([np.nan] * 3)) is None


# -- a spot --------------------------------------------------------------------------------------

SPOT = "d = a * b + c"


def spot(run=None, **local):
    body = ast.parse(SPOT).body
    statement = Statement(None, body, 0, None)
    statement.runs = 1
    found = Spot(statement, Scope(local, {"np": np}, []), (body[0], "value", None))
    found.value = found.now()
    return found


def test_how_a_gradient_depends_on_what_a_line_computes():
    M = np.arange(6.0).reshape(3, 2) + 1
    one = spot(a=np.array([1.0, 2.0]), b=3.0, c=0.5)
    assert one.value.tolist() == [3.5, 6.5]
    of = target(M @ one.value, right=M @ np.array([1.0, 1.0]))
    added = []

    def run(bound):
        added.append(bound["__added__"])
        return M @ (one.value + bound["__added__"])

    one.look(run, of)
    np.testing.assert_allclose(one.slopes, M, rtol=1e-12)
    assert [a.tolist() for a in added[:2]] == [[6.5, 0], [0, 6.5]]  # as large as what stands there
    assert ast.unparse(one.statement.node) == SPOT
    np.testing.assert_allclose(one.moved(np.array([1.0, 1.0])), M @ (1 - one.value), rtol=1e-12)
    np.testing.assert_allclose(one.moved(0), M @ -one.value, rtol=1e-12)
    assert one.moved(np.ones(3)) is None
    assert one.is_to_blame(of)
    assert not one.is_to_blame(
        target(M @ one.value, right=M @ one.value + np.array([1.0, -2.0, 1.0]))
    )
    part = one.with_part((one.statement.node.value, "left", None))
    assert part(np.array([0.0, 1.0])).tolist() == [0.5, 1.5]
    assert ast.unparse(one.statement.node) == SPOT


def test_where_it_is_not_linear_or_cannot_be_asked_nothing_is_known():
    of = target([1.0, 1.0, 1.0])
    for run in (
        lambda bound: None,
        lambda bound: np.ones(2),
        lambda bound: of.given + np.full(3, np.sum(bound["__added__"] ** 2)),
        lambda bound: of.given + np.full(3, 1e-6 * np.sum(bound["__added__"] ** 2)),
        lambda bound: np.full(3, np.nan),
    ):
        one = spot(a=np.array([1.0, 2.0]), b=3.0, c=0.5)
        one.look(run, of)
        assert one.slopes is None
        assert one.is_to_blame(of)  # who knows
    twice = spot(a=np.array([1.0]), b=3.0, c=0.5)
    twice.statement.runs = 2
    twice.look(lambda bound: 1 / 0, of)
    assert twice.slopes is None
    number = spot(a=1, b=2, c=3)
    number.look(lambda bound: 1 / 0, of)
    zero = spot(a=np.zeros(1), b=1.0, c=0.0)
    zero.look(lambda bound: of.given + bound["__added__"], of)
    assert zero.slopes.tolist() == [[1.0]] * 3


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        (1.0, True), (np.float32(1), True), (np.ones(MOST_ENTRIES), True), (np.array(1.0), True),
        (1, False), (True, False), (np.ones(MOST_ENTRIES + 1), False), (np.ones(0), False),
        (np.ones(2, int), False), ("a", False), (None, False),
    ],
)  # fmt: skip
def test_what_a_gradient_may_come_through(value, is_one):
    assert is_float(value) == is_one


# -- words ---------------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("text", "name", "written"),
    [
        ("C * a", "1", "a"), ("C * a", "-1", "-a"), ("C * a", "2", "2 * a"),
        ("C * a", "1 / N", "a / N"), ("C * a", "-0.5", "-0.5 * a"), ("b + C * a", "1", "b + a"),
        ("b + C * a", "-1", "b - a"), ("b + C * a", "-2", "b - 2 * a"),
        ("b + C * a", "1 / N", "b + a / N"), ("b + C * a", "N", "b + N * a"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_a_person_writes_it(text, name, written):
    assert with_number(text, name) == written


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("text", "shown"),
    [("a + b", "(a + b)"), ("a - b", "(a - b)"), ("a * b", "a * b"), ("a / b", "a / b"),
     ("a ** 2", "a ** 2"), ("a @ b", "(a @ b)"), ("-a", "(-a)"), ("a", "a"), ("a[0]", "a[0]"),
     ("f(a)", "f(a)"), ("a.T", "a.T"), ("2", "2")],
)  # fmt: skip
def test_a_sum_is_a_factor_in_brackets(text, shown):
    assert in_product(ast.parse(text, mode="eval").body) == shown


def test_the_names_that_an_expression_speaks_of():
    assert words_in("a.sum(axis=0) + np.exp(b_1) * 3e5") == {"a", "axis", "np", "b_1"}


def test_a_line_with_an_expression_exchanged_stands_as_it_is_written():
    text = ["def f(a):", "    é = [a*b  ,  c]", "    for k in range(3): x = k"]
    tree = ast.parse("\n".join(text)).body[0]
    line, loop = tree.body
    at = (line.value.elts[0], "left", None)
    assert spliced(text, line, at, "d + e") == ("é = [a*b  ,  c]", "é = [(d + e)*b  ,  c]")
    head = spliced(text, loop, (loop.iter, "args", 0), "4")
    assert head == ("for k in range(3):", "for k in range(4):")
    sum_of = (line.value, "elts", 0)
    assert spliced(text, line, sum_of, "d") == ("é = [a*b  ,  c]", "é = [d  ,  c]")
    broken = spliced(text, line, at, "d +")
    assert broken == ("é = [a * b, c]", "é = [a * b, c]")


def test_a_line_that_is_longer_than_one_is_told_as_python_writes_it():
    text = ["a = f(b ,", "      c)"]
    (line,) = ast.parse("\n".join(text)).body
    told = spliced(text, line, (line.value, "args", 1), "d")
    assert told == ("a = f(b, c)", "a = f(b, d)")


def test_the_numbers_that_stand_in_code_but_those_that_stand_everywhere():
    def f(t):
        return 0.5 * t + 3 * t**2 + 1 + (t > 0) * 1e-8 + True + len("5")

    assert constants_in(Code(f)) == [1e-8, 0.5, 3.0]


# -- elsewhere -----------------------------------------------------------------------------------

LAYOUT = {"a": (0, 2, (2,)), "b": (2, 3, (1,))}
THETA = np.array([0.5, -0.4, 2.0])


def smooth(t):
    return float(np.sum(np.sin(t)))


def test_other_thetas_have_the_slopes_of_the_loss():
    found = [*others(smooth, THETA, LAYOUT)]
    assert len(found) == POINTS
    size = np.sqrt(np.mean(THETA**2))
    for place in found:
        grads = {"a": np.cos(place.theta[:2]), "b": np.cos(place.theta[2:])}
        assert place.agrees(grads)
        assert not place.agrees({**grads, "b": grads["b"] * (1 + 1e-4)})
        assert [name for name, *_ in place.slopes] == ["a"] * DIRECTIONS + ["b"] * DIRECTIONS
        assert 0.02 * size < np.abs(place.theta - THETA).max() < 5 * SHIFTS[0] * size
        assert not place.is_larger
    thetas = {place.theta.tobytes() for place in found}
    assert len(thetas) == POINTS
    small = [*others(smooth, np.zeros(3), LAYOUT)]
    assert all(np.abs(place.theta).max() > 0.01 for place in small)  # of 0 the size is 0.3


@pytest.mark.parametrize(("within", "shift"), [(0.3, 1), (0.02, 2), (1e-9, None)])
def test_where_a_loss_is_not_defined_a_nearer_theta_is_taken(within, shift):
    def narrow(t):
        if np.abs(t - THETA).max() > within:
            raise ValueError
        return smooth(t)

    found = [*others(narrow, THETA, LAYOUT)]
    assert len(found) == (0 if shift is None else POINTS)
    for place in found:
        assert np.abs(place.theta - THETA).max() < within
        assert np.abs(place.theta - THETA).max() > 0.05 * SHIFTS[shift]
    assert [*others(lambda t: np.nan, THETA, LAYOUT)] == []


def test_how_closely_a_gradient_must_have_a_slope():
    along, grad = np.array([1.0, 2.0]), {"a": np.array([3.0, 4.0])}
    for off, agrees in ((0.9, True), (1.1, False)):
        exact = Elsewhere(slopes=[("a", along, 11.0 + off * AGREES * 5.0, 0.0)])
        noisy = Elsewhere(slopes=[("a", along, 11.0 + AGREES * 5.0 + off * 0.1, 0.1)])
        assert exact.agrees(grad) == noisy.agrees(grad) == agrees
    assert slope_of("a", along, 3.0, 1.0, 5.0) == ("a", along, 1.0 / STEP, 5.0 * ROUNDING / STEP)


def test_a_factor_that_is_the_same_along_all_directions():
    along = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    place = Elsewhere(slopes=[("a", along[0], 2.0, 0.0), ("a", along[1], -4.0, 0.0),
                              ("b", along[0], 1.0, 0.0)])  # fmt: skip
    grads = {"a": np.array([6.0, -12.0]), "b": np.array([9.0, 9.0])}
    assert ratio(place, grads, ["a"]) == pytest.approx(3)
    assert ratio(place, grads, ["a", "b"]) is None
    assert ratio(place, {**grads, "a": np.array([6.0, -12.1])}, ["a"]) is None
    nearly = {**grads, "a": np.array([6.0, -12.0 * (1 + 0.1 * SAME)])}
    assert ratio(place, nearly, ["a"]) == pytest.approx(3, rel=1e-3)
    flat = Elsewhere(slopes=[("a", along[0], 0.0, 0.0)])
    assert ratio(flat, grads, ["a"]) is None
    assert ratio(place, grads, ["c"]) is None

    three = Factor(3.0, 1e-9)
    assert not changes(three, [place], lambda p: grads, ["a"])
    assert changes(Factor(3.01, 1e-9), [place], lambda p: grads, ["a"])
    assert changes(three, [place], lambda p: grads, ["a", "b"])
    assert not changes(three, [], lambda p: grads, ["a"])
    assert not changes(three, [place], lambda p: 1 / 0, ["a"])  # it cannot be asked there


def test_the_factor_that_all_wrong_tensors_share():
    layout = {"a": (0, 2, (2,)), "b": (2, 3, (1,))}

    def facts(grad):
        return Facts.of(gl.check_function(smooth, grad, THETA, tensors=layout))

    assert common(facts(lambda t: 3 * np.cos(t))).value == pytest.approx(3)
    assert common(facts(lambda t: np.cos(t) * [3, 3, 1])).value == pytest.approx(3)
    assert common(facts(lambda t: np.cos(t) * [3, 3, 2])) is None
    assert common(facts(lambda t: 0 * t)) is None
    clipped = facts(lambda t: np.cos(t) / np.linalg.norm(np.cos(t)))
    assert clipped.clipped_length
    assert common(clipped) is None  # a length of 1 is told as that
    longer = facts(lambda t: 2 * np.cos(t) / np.linalg.norm(np.cos(t)))
    assert common(longer).value == pytest.approx(2 / np.linalg.norm(np.cos(THETA)))
    (told,) = of_data(Factor(3.0, 1e-9), facts(lambda t: 3 * np.cos(t)))
    assert told.cause.startswith("every tensor is off by a factor that depends on the numbers: 3 ")
    (told,) = of_data(Factor(3.0, 1e-9), facts(lambda t: np.cos(t) * [3, 3, 1]))
    assert told.cause.startswith("a is off by")
    assert (told.bug, told.certain, told.score) == (None, False, 0.3)


# -- what is told --------------------------------------------------------------------------------


def test_the_likeliest_edit_is_told_with_the_others():
    report = gl.check_function(smooth, lambda t: 2 * np.cos(t), THETA)
    facts = Facts.of(report)
    found = [
        Mended("a = 1", "a = 2", f"f, line {k}", 0.1 * k, 10.0**-k, resized=k == 1)
        for k in range(1, 7)
    ]
    found[2] = Mended("", "b = 3", "f, line 9", 0.3, 1e-9)
    found[3] = Mended("c = 4", "", "f, line 8", 0.4, 1e-9)
    (told,) = diagnosis_of(found, facts)
    assert (told.where, told.wrong_line, told.right_line) == ("f, line 1", "a = 1", "a = 2")
    assert (told.whose, told.certain, told.residual) == ("yours", True, 0.1)
    assert told.alike == (
        "f, line 2: a = 1    where it must be    a = 2",
        "f, line 9: a line is missing    where it must be    b = 3",
        "f, line 8: c = 4, which is one too many",
    )
    assert told.evidence.startswith("With the line as it must be, 1e-01 of the deviation is left, ")
    assert "on other inputs of other sizes, too. All tensors are wrong" in told.evidence
    (alone,) = diagnosis_of(found[1:2], facts)
    assert f"on other inputs {ONE_SIZE}. " in alone.evidence
    assert alone.alike == ()
    exact = Mended("a", "b", "f", 0.1, 0.0)
    assert "1e-16 of the deviation is left" in diagnosis_of([exact], facts)[0].evidence
    assert diagnosis_of([], facts) == []


def test_the_target_of_a_report_is_as_wide_as_its_entries_are_known():
    report = gl.check_function(smooth, lambda t: 2 * np.cos(t), THETA)
    facts = Facts.of(report)
    of = target_of(report, facts)
    np.testing.assert_allclose(of.tolerance, NEAR * facts.tolerance_of("theta"))
    wider = target_of(report, facts, 0.01)
    np.testing.assert_allclose(wider.tolerance - of.tolerance, 0.01 * np.abs(of.right).max())
    assert np.array_equal(of.given, 2 * np.cos(THETA))
    sampled = gl.check_function(smooth, lambda t: 2 * np.cos(t), THETA, method="sampled", samples=2)
    assert len(target_of(sampled, Facts.of(sampled)).right) == 2


def shared(t):
    return t * 2.0


def loss_that_shares(t):
    return float(np.sum(shared(t) ** 2))


def loss_that_does_not(t):
    return float(np.sum(t**2))


def grad_that_shares(t):
    return 4 * shared(t)


def test_a_loss_is_left_alone_if_it_is_as_before_or_does_not_call_the_function():
    code = Code(grad_that_shares)
    inner = code.functions[1]
    value = lambda now, at: now(at)  # noqa: E731
    keeps = leaves_alone(Code(loss_that_shares), value, THETA)
    assert keeps(inner)  # as it stands
    inner.node.body[0].value = ast.parse("t * 3.0", mode="eval").body
    ast.fix_missing_locations(inner.node)
    assert leaves_alone(Code(loss_that_does_not), value, THETA)(inner)
    other = Code(loss_that_shares)
    twin = other.functions[1]
    twin.node.body[0].value = ast.parse("t * 3.0", mode="eval").body
    ast.fix_missing_locations(twin.node)
    assert not leaves_alone(other, value, THETA)(inner)
    twin.node.body[0].value = ast.parse("t + t", mode="eval").body
    ast.fix_missing_locations(twin.node)
    assert leaves_alone(other, value, THETA)(inner)


# -- whose code may run --------------------------------------------------------------------------


def with_print(t):
    print(t)
    return t


def with_print_to(t):
    print(t, file=sys.stderr)
    return t


def draws_anew(t):
    return t * np.random.default_rng(3).random(3)


def draws_from_a_name(t):
    rng = np.random.default_rng(3)
    return t * rng.random(3)


def calls_a_call(t):
    return (lambda v: v)(t)


def makes_a_pair(t):
    return Pair(t, t).a


def of_module(t):
    return np.linalg.norm(t) + np.char.upper("a").size


def of_random(t):
    return t * np.random.random()  # noqa: NPY002


def reads_a_file(t):
    return np.load("x.npy")


def sets_a_list(t):
    KEPT[0] = t
    return t


def sets_a_default_dict(t):
    COUNTED["a"] = 1
    return t


def goes_over_a_list(t):
    return t * sum(KEPT)


def goes_over_a_generator(t):
    return t * sum(k for k in ENDLESS)


def calls_an_argument(t, function):
    return function(t)


def has_a_class(t):
    class A:
        pass

    return t


def imports(t):
    import math

    return math.pi * t


Pair = collections.namedtuple("Pair", "a b")
KEPT, COUNTED = [1.0], collections.defaultdict(int)
ENDLESS = iter(range(3))


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("function", "may_run"),
    [
        (with_print, True), (with_print_to, False), (draws_anew, True), (draws_from_a_name, True),
        (calls_a_call, False), (makes_a_pair, True), (of_module, True), (of_random, False),
        (reads_a_file, False), (sets_a_list, True), (sets_a_default_dict, True),
        (goes_over_a_list, True), (goes_over_a_generator, False), (calls_an_argument, False),
        (has_a_class, False), (imports, False), (helper, True), (calls, True),
    ],
)  # fmt: skip
def test_which_code_may_run_with_a_line_changed(function, may_run):
    assert (written_by([Code(function)]) is not None) == may_run
