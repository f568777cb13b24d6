"""What is tried in an expression's place: of each rule all that it yields, and how usual that is.

An edit of a lower cost is tried first, and told of two that mend a gradient.
"""

import ast

import numpy as np
import pytest

from gradlab.checking.source import changes
from gradlab.checking.source.changes import RULES, Expression, is_data
from gradlab.checking.source.scope import Scope

a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
NAMES = {"a": a, "b": np.ones((2, 3)), "v": np.array([1.0, 2.0, 3.0]), "k": 2, "lr": 0.5}
MORE = {"c": np.ones((2, 2, 2)), "x": np.ones((3, 1, 2, 2))}


def given(text, index=False, constants=(), axes=(), more=()):
    names = NAMES | {name: MORE[name] for name in more}
    scope = Scope(names, {"np": np, "f": len}, [*constants], axes)
    node = ast.parse(text, mode="eval").body
    return Expression(node, ast.unparse(node), scope.known(node), True, index, scope)


# a rule, an expression, what is tried by its cost, and what else is known
TRIED = [
    (changes.too_much, "a * b", {0.5: "a ; b"}, {}),
    (changes.too_much, "a - b", {0.5: "a ; b", 0.6: "-b"}, {}),
    (changes.too_much, "a / b", {0.5: "a"}, {}),
    (changes.too_much, "v ** 2", {0.5: "v"}, {}),
    (changes.too_much, "-v", {0.3: "v"}, {}),
    (changes.too_much, "a.T", {0.3: "a"}, {}),
    (changes.too_much, "a.size", {}, {}),
    (changes.too_much, "np.sum(a)", {0.8: "a"}, {}),
    (changes.too_much, "a.sum()", {0.8: "a"}, {}),
    (changes.too_much, "a[0]", {1.2: "a"}, {}),
    (changes.too_much, "a.T[0]", {}, {}),
    (changes.too_much, "f()", {}, {}),
    (changes.too_much, "f[0]", {}, {}),
    (changes.too_much, "v", {}, {}),
    (changes.two_too_many, "v * v * (1 - v)", {0.8: "(1 - v) ; v"}, {}),
    (changes.two_too_many, "v * a * b * v", {0.8: "a * b"}, {}),
    (changes.two_too_many, "a * b * k", {}, {}),
    (changes.two_too_many, "v * v", {}, {}),
    (changes.two_too_many, "v + v", {}, {}),
    (
        changes.another_operator,
        "k < lr",
        {0.8: "k > lr ; k >= lr ; k <= lr ; k == lr ; k != lr"},
        {},
    ),
    (
        changes.another_operator,
        "k == lr",
        {0.8: "k > lr ; k < lr ; k >= lr ; k <= lr ; k != lr"},
        {},
    ),
    (changes.another_operator, "0 < k < 3", {}, {}),
    (changes.another_operator, "a + b", {0.5: "a - b", 0.9: "a * b"}, {}),
    (changes.another_operator, "a - b", {0.5: "a + b ; b - a"}, {}),
    (changes.another_operator, "a * b", {0.5: "a / b", 0.9: "a + b", 0.8: "b * a"}, {}),
    (changes.another_operator, "a / b", {0.5: "a * b", 0.8: "b / a"}, {}),
    (changes.another_operator, "v ** k", {0.8: "k ** v"}, {}),
    (
        changes.another_operator,
        "a @ v",
        {
            0.5: "a * v",
            0.8: "v @ a ; v.T @ a.T",
            0.6: "a.T @ v ; a @ v.T ; a.T @ v.T",
            0.9: "v @ a.T ; v.T @ a",
        },
        {},
    ),
    (
        changes.another_operator,
        "a.T @ b",
        {
            0.5: "a.T * b",
            0.8: "b @ a.T ; b.T @ a",
            0.6: "a @ b ; a.T @ b.T ; a @ b.T",
            0.9: "b @ a ; b.T @ a.T",
        },
        {},
    ),
    (changes.another_operator, "k % 3", {}, {}),
    (changes.another_operator, "v", {}, {}),
    (changes.another_bracket, "a * (b + v)", {0.9: "(a * b) + v"}, {}),
    (changes.another_bracket, "(a + b) * v", {0.9: "a + (b * v)"}, {}),
    (changes.another_bracket, "(a - b) + v", {0.9: "a - (b + v)", 1.2: "(a + v) - b"}, {}),
    (changes.another_bracket, "a / b", {}, {}),
    (changes.another_bracket, "np.exp(a) + b", {1: "np.exp(a + b)"}, {}),
    (changes.another_bracket, "a - b.sum(axis=0)", {1: "(a - b).sum(axis=0)"}, {}),
    (changes.another_bracket, "np.exp(a + b)", {1: "np.exp(a) + b ; a + np.exp(b)"}, {}),
    (
        changes.another_bracket,
        "(a * b).sum(axis=0)",
        {1: "(a).sum(axis=0) * b ; a * (b).sum(axis=0)"},
        {},
    ),
    (changes.another_bracket, "f()", {}, {}),
    (changes.another_bracket, "f() + k", {}, {}),
    (
        changes.another_power,
        "v",
        {
            0.9: "v ** 2",
            1: "(v > 0)",
            1.3: "1 / v",
            1.2: (
                "(1 - v) ; np.sqrt(v) ; np.exp(v) ; np.log(v) ; np.tanh(v) ; np.sign(v) ; np.abs(v)"
            ),
        },
        {},
    ),
    (changes.another_power, "2", {}, {}),
    (
        changes.another_power,
        "a + b",
        {
            0.9: "(a + b) ** 2",
            1: "((a + b) > 0)",
            1.3: "1 / (a + b)",
            1.2: (
                "(1 - (a + b)) ; np.sqrt(a + b) ; np.exp(a + b) ; np.log(a + b) ; "
                "np.tanh(a + b) ; np.sign(a + b) ; np.abs(a + b)"
            ),
        },
        {},
    ),
    (
        changes.another_text,
        "'ij,jk->ik'",
        {
            1: (
                "'kj,jk->ik' ; 'ik,jk->ik' ; 'ij,ik->ik' ; 'ij,ji->ik' ; 'ij,jk->jk' ; 'ij,jk->ij'"
            ),
            0.8: "'ji,jk->ik' ; 'ij,kj->ik' ; 'ij,jk->ki'",
        },
        {},
    ),
    (changes.another_text, "'ij,jk'", {}, {}),
    (changes.another_text, "'i->i'", {}, {}),
    (changes.another_text, "3", {}, {}),
    (
        changes.another_number,
        "3",
        {
            0.7: "0 ; 0.5 ; 6 ; 1.5 ; 30 ; 0.3",
            0.5: "1 ; 2 ; 4 ; -3",
            0.4: "7.5",
            0.9: "k ; lr ; a.shape[1]",
            1.3: "a ; b ; v",
        },
        {"constants": [3.0, 7.5]},
    ),
    (
        changes.another_number,
        "0.5",
        {
            0.7: "0 ; 3 ; 4 ; 0.25 ; 5 ; 0.05",
            0.5: "1 ; 2 ; 1.5 ; -0.5",
            0.9: "k ; lr ; a.shape[1]",
            1.3: "a ; b ; v",
        },
        {},
    ),
    (
        changes.another_number,
        "0",
        {0.5: "1 ; 2 ; -1", 0.7: "0.5 ; 3 ; 4", 0.9: "k ; lr ; a.shape[1]", 1.3: "a ; b ; v"},
        {},
    ),
    (changes.another_number, "True", {}, {}),
    (changes.another_number, "None", {}, {}),
    (changes.another_number, "v", {}, {}),
    (changes.another_number, "1", {0.5: "2 ; 0 ; -1 ; 3", 1.2: "k ; lr"}, {"index": True}),
    (
        changes.another_number,
        "7",
        {0.5: "8 ; 6 ; 0 ; 1 ; -1 ; 2 ; 3", 1.2: "k ; lr"},
        {"index": True},
    ),
    (changes.another_number, "None", {0.6: "0 ; 1 ; 2"}, {"index": True}),
    (changes.another_name, "a", {0.8: "b"}, {}),
    (changes.another_name, "k", {1.2: "lr ; a.shape[1]"}, {}),
    (changes.another_name, "k", {0.5: "k - 1 ; k + 1", 1.2: "lr ; a.shape[1]"}, {"index": True}),
    (changes.another_name, "(2, 3, 2)", {0.6: "(3, 2, 2) ; (2, 2, 3)"}, {}),
    (changes.another_name, "(k, k)", {}, {}),
    (changes.another_name, "k * lr", {1.2: "k ; lr"}, {}),
    (changes.another_name, "k * lr", {}, {"index": True}),
    (changes.another_name, "len(v)", {1.2: "k ; lr"}, {}),
    (changes.another_name, "a.T", {}, {}),
    (changes.another_name, "a.shape", {}, {}),
    (changes.another_name, "a[0]", {0.8: "v"}, {}),
    (changes.another_name, "a[k - 1]", {}, {}),
    (changes.another_power, "v", {}, {"index": True}),
    (
        changes.turned,
        "v",
        {
            1.3: "v[::-1]",
            1.2: "v.sum(axis=0, keepdims=True)",
            1.4: "v.sum(axis=0) ; v.mean(axis=0, keepdims=True) ; v.mean(axis=0)",
        },
        {},
    ),
    (
        changes.turned,
        "a",
        {
            0.6: "a.T",
            1.3: "a[::-1] ; a[:, ::-1]",
            1.2: "a.sum(axis=0, keepdims=True) ; a.sum(axis=1, keepdims=True)",
            1.4: (
                "a.sum(axis=0) ; a.mean(axis=0, keepdims=True) ; a.mean(axis=0) ; "
                "a.sum(axis=1) ; a.mean(axis=1, keepdims=True) ; a.mean(axis=1)"
            ),
        },
        {},
    ),
    (
        changes.turned,
        "a + b",
        {
            0.6: "(a + b).T",
            1.2: "(a + b).sum(axis=0, keepdims=True) ; (a + b).sum(axis=1, keepdims=True)",
            1.4: (
                "(a + b).sum(axis=0) ; (a + b).mean(axis=0, keepdims=True) ; (a + "
                "b).mean(axis=0) ; (a + b).sum(axis=1) ; (a + b).mean(axis=1, "
                "keepdims=True) ; (a + b).mean(axis=1)"
            ),
        },
        {},
    ),
    (changes.turned, "a", {}, {"index": True}),
    (changes.turned, "k", {}, {}),
    (
        changes.turned,
        "c",
        {
            1: "c.swapaxes(0, 1) ; c.swapaxes(0, 2) ; c.swapaxes(1, 2)",
            1.3: "c[::-1] ; c[:, ::-1] ; c[:, :, ::-1]",
            1.2: (
                "c.sum(axis=0, keepdims=True) ; c.sum(axis=1, keepdims=True) ; "
                "c.sum(axis=2, keepdims=True)"
            ),
            1.4: (
                "c.sum(axis=0) ; c.mean(axis=0, keepdims=True) ; c.mean(axis=0) ; "
                "c.sum(axis=1) ; c.mean(axis=1, keepdims=True) ; c.mean(axis=1) ; "
                "c.sum(axis=2) ; c.mean(axis=2, keepdims=True) ; c.mean(axis=2)"
            ),
        },
        {"more": "c"},
    ),
    (
        changes.turned,
        "x * 2",
        {
            1: "(x * 2).swapaxes(2, 3)",
            1.2: (
                "(x * 2).sum(axis=0, keepdims=True) ; (x * 2).sum(axis=1, keepdims=True) "
                "; (x * 2).sum(axis=2, keepdims=True) ; (x * 2).sum(axis=3, "
                "keepdims=True)"
            ),
            1.4: (
                "(x * 2).sum(axis=0) ; (x * 2).mean(axis=0, keepdims=True) ; (x * "
                "2).mean(axis=0) ; (x * 2).sum(axis=1) ; (x * 2).mean(axis=1, "
                "keepdims=True) ; (x * 2).mean(axis=1) ; (x * 2).sum(axis=2) ; (x * "
                "2).mean(axis=2, keepdims=True) ; (x * 2).mean(axis=2) ; (x * "
                "2).sum(axis=3) ; (x * 2).mean(axis=3, keepdims=True) ; (x * "
                "2).mean(axis=3)"
            ),
        },
        {"more": "x"},
    ),
    (
        changes.turned,
        "x",
        {
            1: "x.swapaxes(2, 3) ; x[:, :, ::-1, ::-1]",
            1.3: "x[::-1] ; x[:, ::-1] ; x[:, :, ::-1] ; x[:, :, :, ::-1]",
            1.2: (
                "x[..., ::-1, ::-1] ; x.sum(axis=0, keepdims=True) ; x.sum(axis=1, "
                "keepdims=True) ; x.sum(axis=2, keepdims=True) ; x.sum(axis=3, "
                "keepdims=True)"
            ),
            1.4: (
                "x.sum(axis=0) ; x.mean(axis=0, keepdims=True) ; x.mean(axis=0) ; "
                "x.sum(axis=1) ; x.mean(axis=1, keepdims=True) ; x.mean(axis=1) ; "
                "x.sum(axis=2) ; x.mean(axis=2, keepdims=True) ; x.mean(axis=2) ; "
                "x.sum(axis=3) ; x.mean(axis=3, keepdims=True) ; x.mean(axis=3)"
            ),
        },
        {"more": "x"},
    ),
    (changes.another_call, "np.sin(v)", {0.7: "np.cos(v)"}, {}),
    (
        changes.another_call,
        "np.maximum(v, 0)",
        {0.7: "np.minimum(v, 0)", 1: "np.maximum(0, v)"},
        {},
    ),
    (changes.another_call, "np.where(v > 1, v, 0)", {0.6: "np.where(v > 1, 0, v)"}, {}),
    (
        changes.another_call,
        "a.sum(axis=0)",
        {
            0.7: "a.mean(axis=0)",
            0.6: "a.sum(axis=0, keepdims=True) ; a.sum(axis=1) ; a.sum(axis=-1)",
            0.5: "a.sum()",
            0.8: "a.sum(keepdims=True)",
            0.9: "a.sum(axis=1, keepdims=True) ; a.sum(axis=-1, keepdims=True)",
        },
        {},
    ),
    (
        changes.another_call,
        "a.sum(axis=0)",
        {
            0.7: "a.mean(axis=0)",
            0.5: "a.sum(axis=0, keepdims=True) ; a.sum()",
            0.8: "a.sum(keepdims=True)",
            0.6: "a.sum(axis=1) ; a.sum(axis=-1)",
            0.9: "a.sum(axis=1, keepdims=True) ; a.sum(axis=-1, keepdims=True)",
        },
        {"axes": ["0"]},
    ),
    (
        changes.another_call,
        "np.mean(a, 1)",
        {
            0.7: "np.sum(a, 1)",
            0.6: ("np.mean(a, axis=1, keepdims=True) ; np.mean(a, axis=0) ; np.mean(a, axis=-1)"),
            0.5: "np.mean(a)",
            0.8: "np.mean(a, keepdims=True)",
            0.9: "np.mean(a, axis=0, keepdims=True) ; np.mean(a, axis=-1, keepdims=True)",
            1: "np.mean(1, a)",
        },
        {},
    ),
    (
        changes.another_call,
        "np.max(v)",
        {
            0.7: "np.min(v)",
            0.5: "np.max(v, keepdims=True)",
            0.6: "np.max(v, axis=0)",
            0.9: "np.max(v, axis=0, keepdims=True)",
        },
        {},
    ),
    (
        changes.another_call,
        "np.sum(c, axis=0, keepdims=True)",
        {
            0.7: "np.mean(c, axis=0, keepdims=True)",
            0.6: (
                "np.sum(c, axis=0) ; np.sum(c, axis=1, keepdims=True) ; np.sum(c, axis=2, "
                "keepdims=True) ; np.sum(c, axis=-1, keepdims=True) ; np.sum(c, axis=(1, "
                "2), keepdims=True) ; np.sum(c, axis=(0, 2), keepdims=True) ; np.sum(c, "
                "axis=(0, 1), keepdims=True)"
            ),
            0.8: "np.sum(c)",
            0.5: "np.sum(c, keepdims=True)",
            0.9: (
                "np.sum(c, axis=1) ; np.sum(c, axis=2) ; np.sum(c, axis=-1) ; np.sum(c, "
                "axis=(1, 2)) ; np.sum(c, axis=(0, 2)) ; np.sum(c, axis=(0, 1))"
            ),
        },
        {"more": "c"},
    ),
    (
        changes.another_call,
        "unknown.sum()",
        {
            0.7: "unknown.mean()",
            0.5: "unknown.sum(keepdims=True)",
            0.6: "unknown.sum(axis=0) ; unknown.sum(axis=1) ; unknown.sum(axis=-1)",
            0.9: (
                "unknown.sum(axis=0, keepdims=True) ; unknown.sum(axis=1, keepdims=True) "
                "; unknown.sum(axis=-1, keepdims=True)"
            ),
        },
        {},
    ),
    (
        changes.another_call,
        "range(k)",
        {
            0.7: (
                "reversed(range(k)) ; range(0, k - 1) ; range(0, k + 1) ; range(0 + 1, k) "
                "; range(0 - 1, k) ; range(0, k)"
            )
        },
        {},
    ),
    (
        changes.another_call,
        "range(1, k)",
        {
            0.7: (
                "reversed(range(1, k)) ; range(1, k - 1) ; range(1, k + 1) ; range(1 + 1, "
                "k) ; range(1 - 1, k) ; range(0, k) ; range(1, k)"
            )
        },
        {},
    ),
    (
        changes.another_call,
        "range(1, k, 2)",
        {
            0.7: (
                "reversed(range(1, k, 2)) ; range(1, k - 1, 2) ; range(1, k + 1, 2) ; "
                "range(1 + 1, k, 2) ; range(1 - 1, k, 2) ; range(0, k, 2) ; range(1, k)"
            )
        },
        {},
    ),
    (
        changes.another_call,
        "c.transpose(0, 2, 1)",
        {
            0.8: (
                "c.transpose(2, 0, 1) ; c.transpose(1, 2, 0) ; c.transpose(0, 1, 2) ; "
                "c.transpose(2, 1, 0) ; c.transpose(1, 0, 2)"
            )
        },
        {"more": "c"},
    ),
    (
        changes.another_call,
        "c.swapaxes(0, 2)",
        {1: "c.swapaxes(2, 0)", 0.8: "c.swapaxes(2, 0)"},
        {"more": "c"},
    ),
    (changes.another_call, "c.reshape((2, 4))", {0.8: "c.reshape(4, 2)"}, {"more": "c"}),
    (changes.another_call, "exp(v)", {0.7: "log(v) ; tanh(v) ; sqrt(v) ; square(v)"}, {}),
    (changes.another_call, "f(a)(b)", {}, {}),
    (changes.another_call, "np.where(v > 1)", {}, {}),
    (changes.another_call, "v", {}, {}),
]


@pytest.mark.every_case
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # 0 ** -1 and the like, when it is looked at
@pytest.mark.parametrize(
    ("rule", "text", "costs", "options"), TRIED, ids=lambda v: v if isinstance(v, str) else ""
)
def test_what_a_rule_yields_and_how_usual_it_is(rule, text, costs, options):
    wanted = {new: cost for cost, several in costs.items() for new in several.split(" ; ")}
    found = [(new, round(cost, 9)) for new, cost in rule(given(text, **options)) if new]
    assert {new for new, _ in found} == wanted.keys()
    for new, cost in found:
        assert cost == wanted[new] or (new, wanted[new]) in found, new


def test_every_rule_is_held_and_all_that_they_yield_can_be_read():
    assert {rule for rule, *_ in TRIED} == {*RULES}
    for rule, text, _, options in TRIED:
        for new, _ in rule(given(text, **options)):
            ast.parse(new, mode="eval")


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("value", "is_some"),
    [
        (None, True), (..., True), (a, True), (a[0, 0], True), (2, True), (1j, True), ("x", True),
        ((1, 2), True), ([1], True), ({"a": 1}, True), (slice(2), True), (range(3), True),
        (np.c_, False), (len, False), (np, False), (object(), False),
    ],
)  # fmt: skip
def test_data_is_told_from_what_may_have_no_end(value, is_some):
    assert is_data(value) == is_some
