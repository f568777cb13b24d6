"""The statements of a function one by one: what is changed in them, as a whole and in parts."""

import ast

import numpy as np
import pytest

from gradlab.checking.source.functions import Code
from gradlab.checking.source.lines import header
from gradlab.checking.source.scope import MOST_SIZE, Scope
from gradlab.checking.source.statement_changes import changes_of
from gradlab.checking.source.statements import (
    MOST_RECORDS,
    Statement,
    expressions,
    node_at,
    parsed,
    put,
    put_statements,
    record,
    statements_of,
)


def statement(text, k=0, loop=None):
    """Return statement `k` of a text, or of the body of the loop that it is."""
    body = ast.parse(text).body
    return Statement(None, body[0].body if loop else body, k, body[0] if loop else None)


def others(text, k=0, loop=False, **local):
    scope = Scope(local, {"np": np}, [])
    one = statement(text, k, loop)
    one.local = local
    return {(c.wrong, c.right): round(c.cost, 9) for c in changes_of(one, scope)}


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("text", "rights"),
    [
        ("a += b", {"a = b": 0.8, "a -= b": 0.6, "a *= b": 0.8, "a /= b": 0.8}),
        ("a -= b", {"a = b": 0.8, "a += b": 0.6, "a *= b": 0.8, "a /= b": 0.8}),
        ("a *= b", {"a = b": 0.8, "a += b": 0.6, "a -= b": 0.6, "a /= b": 0.8}),
        ("a[k] += b", {"a[k] = b": 0.8, "a[k] -= b": 0.6, "a[k] *= b": 0.8, "a[k] /= b": 0.8,
                       "np.add.at(a, k, b)": 0.5}),
        ("a[:, k] /= b", {"a[:, k] = b": 0.8, "a[:, k] += b": 0.6, "a[:, k] -= b": 0.6,
                          "a[:, k] *= b": 0.8}),
        ("a = b", {"a += b": 0.6}),
        ("a.c = b", {"a.c += b": 0.6}),
        ("a[k] = b", {"a[k] += b": 0.6, "np.add.at(a, k, b)": 0.7}),
        ("a[1:] = b", {"a[1:] += b": 0.6}),
        ("a, c = b", {"c, a = b": 0.6}),
        ("a, c = b, d", {"c, a = (b, d)": 0.6, "a, c = d, b": 0.6}),
        ("a = c = b", {}),
        ("f(a)", {}),
    ],
)  # fmt: skip
def test_a_statement_written_otherwise(text, rights):
    found = others(text)
    right = {new: cost for (_, new), cost in found.items()}
    wanted = {ast.unparse(ast.parse(new)): cost for new, cost in rights.items()}
    assert {ast.unparse(ast.parse(new)): cost for new, cost in right.items()} == wanted
    assert {wrong for wrong, _ in found} <= {ast.unparse(ast.parse(text))}


def test_a_tuple_that_is_returned_may_be_in_another_order():
    inside = statement("def f():\n    return a, b, c")
    returned = Statement(None, inside.node.body, 0, None)
    found = {c.right: c.cost for c in changes_of(returned, Scope({}, {}, []))}
    assert found == {"return b, a, c": 0.6, "return c, b, a": 0.6, "return a, c, b": 0.6}


def test_a_statement_among_others_may_be_one_too_many_or_come_later():
    text = "a = 1\nb = 2\nprint(a)"
    assert others(text)["a = 1", ""] == 0.8
    assert others(text)["a = 1; b = 2", "b = 2; a = 1"] == 1.0
    assert others(text, 1) == {("b = 2", ""): 0.8, ("b = 2", "b += 2"): 0.6}  # a call stays there
    assert others(text, 2) == {("print(a)", ""): 0.8}
    assert others("a = 1") == {("a = 1", "a += 1"): 0.6}  # alone it is not left out
    assert others("if a:\n    b = 1\nc = 2") == {}


def test_what_stands_in_the_body_is_what_is_said():
    one = statement("a = 1\nb = 2\nc = 3", 1)
    for change in changes_of(one, Scope({}, {"np": np}, [])):
        assert change.body is one.body
        text = "; ".join(map(ast.unparse, change.new))
        before = "; ".join(map(ast.unparse, one.body))
        assert text == before.replace(f"{change.wrong}; " if not change.right else change.wrong,
                                      change.right)  # fmt: skip
        assert all(hasattr(node, "lineno") for new in change.new for node in ast.walk(new)
                   if isinstance(node, ast.stmt | ast.expr))  # fmt: skip
        with put_statements(one.body, change.new):
            assert [*map(ast.unparse, one.body)] == text.split("; ")
        assert "; ".join(map(ast.unparse, one.body)) == before


def test_a_loop_may_have_to_hand_on_an_array_of_the_same_shape():
    h, new, b, n = np.ones((2, 3)), np.zeros((2, 3)), np.ones(3), 2
    text = "for t in range(3):\n    new = h + b * n\n    d = new"
    found = others(text, 1, loop=True, h=h, new=new, b=b, n=n)
    handed = {right: cost for (wrong, right), cost in found.items() if wrong == ""}
    assert handed == {"h = new": 1.3, "new = h": 1.3}
    for change in changes_of(_in_loop(text, 1, h, new), Scope({"h": h, "new": new}, {}, [])):
        if not change.wrong:
            assert len(change.new) == 3
            assert ast.unparse(change.new[-1]) == change.right
    assert not any(wrong == "" for wrong, _ in others(text, 0, loop=True, h=h, new=new))


def _in_loop(text, k, h, new):
    one = statement(text, k, loop=True)
    one.local = {"h": h, "new": new}
    return one


# -- parts ---------------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("text", "roots", "indices"),
    [
        ("a = b + c", ["b + c"], []),
        ("a += b", ["b"], []),
        ("a: float = b", ["b"], []),
        ("a: float", [], []),
        ("a, b = c, (d, e)", ["c", "d", "e"], []),
        ("a[k] = b[j]", ["b[j]"], ["k"]),
        ("a[k] += b", ["b"], ["k"]),
        ("a[k] = c[j] = b", ["b"], ["k", "j"]),
        ("a.b = c", ["c"], []),
        ("f(x)", ["f(x)"], []),
        ("'words'", [], []),
        ("lambda x: x + 1", ["x + 1"], []),
        ("x = {'W': a, 'b': [c, d]}", ["a", "c", "d"], []),
        ("x = dict(W=a, b=c)", ["a", "c"], []),
        ("x = Params(a, b=c)", ["a", "c"], []),
        ("x = params(a, b=c)", ["params(a, b=c)"], []),
        ("x = np.Params(a)", ["np.Params(a)"], []),
        ("x = 'text'", [], []),
        ("x = 3", ["3"], []),
        ("for i in range(3):\n    pass", ["range(3)"], []),
        ("if a > b:\n    pass", ["a > b"], []),
        ("while a:\n    pass", [], []),
        ("pass", [], []),
    ],
)
def test_what_a_statement_computes_and_where_it_writes(text, roots, indices):
    one = statement(text)
    found = [*one.roots()]
    assert [ast.unparse(node) for _, node in found] == roots
    assert [ast.unparse(node) for _, node in one.indices()] == indices
    for where, node in (*found, *one.indices()):
        assert node_at(where) is node


def test_nothing_is_returned_and_what_is():
    body = ast.parse("def f():\n    return\n    return a, b").body[0].body
    assert [*Statement(None, body, 0, None).roots()] == []
    assert [ast.unparse(n) for _, n in Statement(None, body, 1, None).roots()] == ["a", "b"]


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("text", "parts"),
    [  # each part: is it a term ("t"), is it an index ("i")
        ("a + b * c", {"a + b * c": "t", "a": "t", "b * c": "t", "b": "", "c": ""}),
        ("a * (b + c)", {"a * (b + c)": "t", "a": "", "b + c": "", "b": "", "c": ""}),
        ("-a", {"-a": "t", "a": ""}),
        ("a[k + 1]", {"a[k + 1]": "t", "a": "", "k + 1": "i", "k": "i", "1": "i"}),
        ("a[b:c:2]", {"a[b:c:2]": "t", "a": "", "b:c:2": "i", "b": "i", "c": "i", "2": "i"}),
        ("x.sum(axis=0)", {"x.sum(axis=0)": "t", "x": "", "0": "i"}),
        ("np.sum(x, 1)", {"np.sum(x, 1)": "t", "np": "", "x": "", "1": ""}),
        ("x.reshape(n, 2)", {"x.reshape(n, 2)": "t", "x": "", "n": "i", "2": "i"}),
        ("f(*a, b)", {"f(*a, b)": "t", "b": ""}),
        ("(a, b)", {"(a, b)": "t", "a": "t", "b": "t"}),
        ("{'k': a}", {"{'k': a}": "t", "'k'": "t", "a": "t"}),
        ("[a for a in b]", {"[a for a in b]": "t"}),
        ("lambda: a", {"lambda: a": "t"}),
        ("a if b else c", {"a if b else c": "t", "a": "", "b": "", "c": ""}),
        ("a < b", {"a < b": "t", "a": "", "b": ""}),
    ],
)
def test_each_expression_in_another_with_what_it_is(text, parts):
    tree = ast.parse(text, mode="eval")
    found = {}
    for where, node, is_term, is_index in expressions((tree, "body", None), tree.body):
        assert node_at(where) is node
        found[ast.unparse(node)] = "t" * is_term + "i" * is_index
    assert found == parts


def test_another_node_stands_somewhere_for_a_while():
    tree = ast.parse("f(a, b)", mode="eval")
    at = (tree.body, "args", 1)
    with pytest.raises(KeyError), put(at, parsed("c + 1", tree.body)):  # noqa: PT012
        assert ast.unparse(tree) == "f(a, c + 1)"
        assert tree.body.args[1].left.col_offset == tree.body.col_offset
        raise KeyError
    assert ast.unparse(tree) == "f(a, b)"
    with put((tree, "body", None), parsed("d", tree.body)):
        assert ast.unparse(tree) == "d"
    assert ast.unparse(tree) == "f(a, b)"
    with pytest.raises(SyntaxError):
        parsed("a +", tree.body)


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("for i in range(3):\n    a = 1", "for i in range(3):"), ("if a:\n    b = 1", "if a:"),
        ("while a:\n    b = 1", "while a:"), ("a  =  1", "a = 1"), ("a += (1)", "a += 1"),
        ("with a:\n    b = 1", "with a:\n    b = 1"),
    ],
)  # fmt: skip
def test_a_statement_is_told_on_one_line_by_its_head(text, head):
    assert header(ast.parse(text).body[0]) == head


# -- what each statement sees --------------------------------------------------------------------


def looped(t):
    __hidden = 1
    total, cache = np.zeros(2), {}
    for k in range(3):
        total[0] += t[0]
        cache["k"] = k
    if t[0] > 1e9:
        total = 0
    return total


def seen(function, *arguments):
    code = Code(function)
    (first,) = code.functions
    found, before = statements_of(first), ast.dump(first.node)
    answers = []
    record(code, first, found, lambda new: answers.append(new(*arguments)))
    assert ast.dump(first.node) == before
    return found, answers[0]


def test_each_statement_with_how_often_it_ran_and_what_stood_there_before_it_last_did():
    found, answer = seen(looped, np.array([1.0, 2.0]))
    assert answer[0] == 3
    assert [(header(s.node).split(" ")[0], s.runs) for s in found] == [
        ("__hidden", 1), ("total,", 1), ("for", 1), ("total[0]", 3), ("cache['k']", 3), ("if", 1),
        ("total", 0), ("return", 1),
    ]  # fmt: skip
    by_line = {header(s.node): s for s in found}
    last = by_line["total[0] += t[0]"]
    assert last.local["k"] == 2
    assert last.local["total"][0] == 2  # as it was then, though it went on
    assert last.local["cache"] == {"k": 1}
    assert "total" not in by_line["total, cache = (np.zeros(2), {})"].local
    assert not any(name.startswith("__") for name in last.local)
    assert last.loop is by_line["for k in range(3):"].node
    assert by_line["return total"].loop is None
    assert [s.k for s in found] == [0, 1, 2, 0, 1, 3, 0, 4]


def test_of_many_rounds_the_first_are_written_down_and_all_are_counted():
    def many(n):
        total = 0
        for k in range(n):
            total += k
        return total

    found, _ = seen(many, MOST_RECORDS + 5)
    (inside,) = [s for s in found if header(s.node) == "total += k"]
    assert inside.runs == MOST_RECORDS + 5
    assert inside.local["k"] == MOST_RECORDS - 1


def test_a_large_array_is_not_copied():
    def reads(a, b):
        return a, b

    a, b = np.zeros(MOST_SIZE), np.zeros(MOST_SIZE + 1)
    (found,), _ = seen(reads, a, b)
    assert found.local["b"] is b
    assert found.local["a"] is not a


def test_a_lambda_is_one_statement_that_computes_what_it_returns():
    (found,), answer = seen(lambda x: x + 1, 2)
    assert answer == 3
    assert (found.runs, found.local) == (1, {"x": 2})
    assert [ast.unparse(node) for _, node in found.roots()] == ["x + 1"]


def test_functions_inside_are_one_statement_and_branches_are_gone_into():
    def outer(x):
        def inner(y):
            z = y
            return z

        try:
            a = inner(x)
        finally:
            b = 1
        if x:
            pass
        else:
            c = 2
        return a, b, c

    heads = [header(s.node).split("\n")[0] for s in statements_of(Code(outer).functions[0])]
    assert heads == ["def inner(y):", "try:", "a = inner(x)", "b = 1", "if x:", "pass", "c = 2",
                     "return (a, b, c)"]  # fmt: skip
