"""The statements of a function, one by one, with each expression that can be changed in them."""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from gradlab.checking.source.functions import Code, Function
from gradlab.checking.source.scope import MOST_SIZE

MOST_RECORDS = 100  # of one statement in a loop

Where = tuple[ast.AST, str, int | None]  # a node, its field, and which of several there


@dataclass(eq=False)
class Statement:
    """A statement where it stands.

    Attributes
    ----------
    function : Function
    body : list of ast.stmt
        Of which it is number `k`.
    loop : ast.For or None
        The innermost one around it.
    runs : int
        How often it ran.
    local : dict of str to object
        What the names stood for before it ran last.
    """

    function: Function
    body: list[ast.stmt]
    k: int
    loop: ast.For | None
    node: ast.stmt = field(init=False)
    runs: int = 0
    local: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.node = self.body[self.k]

    def roots(self) -> Iterator[tuple[Where, ast.expr]]:
        """Yield what it computes; of a tuple or a dict, each of its parts."""
        node = self.node
        fields = {
            ast.For: "iter",
            ast.If: "test",
            ast.Assign: "value",
            ast.AugAssign: "value",
            ast.AnnAssign: "value",
            ast.Return: "value",
            ast.Expr: "value",
        }
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Lambda):
            yield (node.value, "body", None), node.value.body
        elif (name := fields.get(type(node))) and (root := getattr(node, name)) is not None:
            yield from _roots((node, name, None), root)

    def indices(self) -> Iterator[tuple[Where, ast.expr]]:
        """Yield where it writes, if that is a part of an array."""
        targets = {ast.Assign: "targets", ast.AugAssign: "target"}.get(type(self.node))
        if targets:
            found = getattr(self.node, targets)
            for target in found if isinstance(found, list) else [found]:
                if isinstance(target, ast.Subscript):
                    yield (target, "slice", None), target.slice


def _roots(where: Where, root: ast.expr) -> Iterator[tuple[Where, ast.expr]]:
    """Yield an expression; of what holds several, such as Params(dW, db), each of them."""
    parts: list[tuple[Where, ast.expr]] | None = None
    if isinstance(root, ast.Tuple | ast.List):
        parts = [((root, "elts", k), part) for k, part in enumerate(root.elts)]
    elif isinstance(root, ast.Dict):
        parts = [((root, "values", k), part) for k, part in enumerate(root.values)]
    elif isinstance(root, ast.Call) and _makes_a_holder(root.func):
        parts = [((root, "args", k), part) for k, part in enumerate(root.args)]
        parts += [((keyword, "value", None), keyword.value) for keyword in root.keywords]
    if parts is not None:
        for at, part in parts:
            yield from _roots(at, part)
    elif not (isinstance(root, ast.Constant) and isinstance(root.value, str)):
        yield where, root


def _makes_a_holder(called: ast.expr) -> bool:
    return isinstance(called, ast.Name) and (called.id == "dict" or called.id[:1].isupper())


def statements_of(function: Function) -> list[Statement]:
    """Return all statements of a function, those of loops and branches too.

    A lambda is one, which computes what it returns.
    """
    if isinstance(function.node, ast.Lambda):
        whole = ast.copy_location(ast.Expr(function.node), function.node)
        return [Statement(function, [whole], 0, None)]
    return (
        list(_statements(function, function.node, None))
        if isinstance(function.node, ast.FunctionDef)
        else []
    )


def _statements(function: Function, node: ast.AST, loop: ast.For | None) -> Iterator[Statement]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        for k, inner in enumerate(body if isinstance(body, list) else ()):
            yield Statement(function, body, k, loop)
            if not isinstance(inner, ast.FunctionDef | ast.ClassDef):
                yield from _statements(
                    function, inner, inner if isinstance(inner, ast.For) else loop
                )


def record(
    code: Code, function: Function, statements: list[Statement], run: Callable[[object], object]
) -> None:
    """Run a function once, and write down what each statement sees."""

    def seen(k: int) -> None:
        statement = statements[k]
        statement.runs += 1
        if statement.runs <= MOST_RECORDS:
            names = sys._getframe(1).f_locals.items()
            statement.local = {k: _kept(v) for k, v in names if not k.startswith("__")}

    whole = function.node
    function.node = copy.deepcopy(whole)
    if isinstance(whole, ast.Lambda):
        both = ast.Tuple([_call(0), function.node.body], ast.Load())
        function.node.body = ast.Subscript(both, ast.Constant(1), ast.Load())
        ast.fix_missing_locations(function.node)
    twins = [] if isinstance(whole, ast.Lambda) else statements_of(function)
    for k, twin in reversed([*enumerate(twins)]):
        at = next(i for i, node in enumerate(twin.body) if node is twin.node)
        new = ast.fix_missing_locations(ast.copy_location(ast.Expr(_call(k)), twin.node))
        twin.body.insert(at, new)
    try:
        run(code.edited(function, {"__seen__": seen}))
    finally:
        function.node = whole


def _call(k: int) -> ast.Call:
    return ast.Call(ast.Name("__seen__", ast.Load()), [ast.Constant(k)], [])


def _kept(value: object) -> object:
    """Return what stays as it is now, though the person's code goes on."""
    if isinstance(value, np.ndarray):
        return value.copy() if value.size <= MOST_SIZE else value
    return dict(value) if type(value) is dict else value


# -- expressions ----------------------------------------------------------------------------------


def expressions(
    where: Where, node: ast.expr, is_term: bool = True, is_index: bool = False
) -> Iterator[tuple[Where, ast.expr, bool, bool]]:
    """Yield each expression in another: where it stands, itself, is it a term, is it an index."""
    yield where, node, is_term, is_index
    is_sum = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    for parent, name, k, part, now_index in _parts(node):
        goes_on = (is_term and is_sum) or isinstance(node, ast.Tuple | ast.Dict)
        yield from expressions((parent, name, k), part, goes_on, is_index or now_index)


def _parts(node: ast.expr) -> Iterator[tuple[ast.AST, str, int | None, ast.expr, bool]]:
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            yield node.func, "value", None, node.func.value, False
        is_shape = getattr(node.func, "attr", "") in ("transpose", "swapaxes", "reshape")
        yield from (
            (node, "args", k, part, is_shape)
            for k, part in enumerate(node.args)
            if not isinstance(part, ast.Starred)
        )
        yield from ((keyword, "value", None, keyword.value, True) for keyword in node.keywords)
        return
    if isinstance(node, ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.JoinedStr):
        return
    for name, value in ast.iter_fields(node):
        is_index = name in ("slice", "lower", "upper", "step")
        if isinstance(value, ast.expr):
            yield node, name, None, value, is_index
        elif isinstance(value, list):
            yield from (
                (node, name, k, part, is_index)
                for k, part in enumerate(value)
                if isinstance(part, ast.expr)
            )


def parsed(text: str, like: ast.AST) -> ast.expr:
    """Return an expression that stands where another node does; raises SyntaxError."""
    node = ast.parse(text, mode="eval").body
    for inner in ast.walk(node):
        ast.copy_location(inner, like)
    return node


def node_at(where: Where) -> ast.AST:
    """Return what stands somewhere."""
    parent, name, k = where
    return getattr(parent, name) if k is None else getattr(parent, name)[k]


@contextmanager
def put(where: Where, node: ast.AST) -> Iterator[None]:
    """Let another node stand somewhere for a while."""
    before = node_at(where)
    _set(where, node)
    try:
        yield
    finally:
        _set(where, before)


def _set(where: Where, node: ast.AST) -> None:
    parent, name, k = where
    if k is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[k] = node


@contextmanager
def put_statements(body: list[ast.stmt], new: list[ast.stmt]) -> Iterator[None]:
    """Let other statements stand in a body for a while."""
    before = [*body]
    body[:] = new
    try:
        yield
    finally:
        body[:] = before
