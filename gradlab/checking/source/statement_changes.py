"""Edits of statements as a whole: one too many, two in the wrong order, = for +=."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from gradlab.checking.source.lines import header
from gradlab.checking.source.scope import Scope
from gradlab.checking.source.statements import Statement


class Change(NamedTuple):
    """The line as it stands and as it must be, and the body with what must stand in it."""

    wrong: str
    right: str
    cost: float
    body: list[ast.stmt]
    new: list[ast.stmt]


def changes_of(statement: Statement, scope: Scope) -> Iterator[Change]:
    """Yield what may have been meant with a statement."""
    body, k, node = statement.body, statement.k, statement.node

    def with_(*new: ast.stmt) -> list[ast.stmt]:
        return [*body[:k], *new, *body[k + 1 :]]

    simple = isinstance(node, ast.Assign | ast.AugAssign | ast.Expr)
    if simple and len(body) > 1:
        yield Change(header(node), "", 0.8, body, with_())
    for text, cost in _written_otherwise(node, scope):
        new = _parsed(text, node)
        yield Change(header(node), text, cost, body, with_(new))
    if simple and k + 1 < len(body) and isinstance(body[k + 1], ast.Assign | ast.AugAssign):
        other = body[k + 1]
        one, two = header(node), header(other)
        swapped = [*body[:k], other, node, *body[k + 2 :]]
        yield Change(f"{one}; {two}", f"{two}; {one}", 1.0, body, swapped)
    if statement.loop is not None and statement.body is statement.loop.body and k == len(body) - 1:
        for text in _carried(statement, scope):
            yield Change("", text, 1.3, body, [*body, _parsed(text, node)])


def _written_otherwise(node: ast.stmt, scope: Scope) -> Iterator[tuple[str, float]]:
    """Yield a statement with another sign, target or order."""
    if isinstance(node, ast.AugAssign):
        target, value = ast.unparse(node.target), ast.unparse(node.value)
        yield f"{target} = {value}", 0.8
        for kind, sign in ((ast.Add, "+"), (ast.Sub, "-"), (ast.Mult, "*"), (ast.Div, "/")):
            if not isinstance(node.op, kind):
                yield f"{target} {sign}= {value}", 0.6 if sign in "+-" else 0.8
        if _takes_rows(node.target) and scope.np:
            base, index = ast.unparse(node.target.value), ast.unparse(node.target.slice)
            yield f"{scope.np}.add.at({base}, {index}, {value})", 0.5
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], ast.unparse(node.value)
        if isinstance(target, ast.Name | ast.Subscript | ast.Attribute):
            yield f"{ast.unparse(target)} += {value}", 0.6
            if _takes_rows(target) and scope.np:
                base, index = ast.unparse(target.value), ast.unparse(target.slice)
                yield f"{scope.np}.add.at({base}, {index}, {value})", 0.7
        elif isinstance(target, ast.Tuple):
            yield from _exchanged(target, lambda new: f"{new} = {value}")
            if isinstance(node.value, ast.Tuple):
                left = ast.unparse(target)
                yield from _exchanged(node.value, lambda new: f"{left} = {new}")
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield from _exchanged(node.value, lambda new: f"return {new}")


def _takes_rows(target: ast.expr) -> bool:
    """Tell whether something is set at an index that may say the same place twice."""
    if not isinstance(target, ast.Subscript):
        return False
    index = target.slice
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return not any(isinstance(part, ast.Slice) for part in parts)


def _exchanged(node: ast.Tuple, shown: Callable[[str], str]) -> Iterator[tuple[str, float]]:
    """Yield a tuple with two of its parts exchanged."""
    parts = [ast.unparse(part) for part in node.elts]
    for i in range(len(parts)):
        for j in range(i):
            new = [*parts]
            new[i], new[j] = new[j], new[i]
            yield shown(", ".join(new)), 0.6


def _carried(statement: Statement, scope: Scope) -> Iterator[str]:
    """Yield what a loop may have to hand on to its next round: an array that is set before it."""
    inside = {n.id for s in statement.loop.body for n in ast.walk(s) if isinstance(n, ast.Name)}
    for name in sorted(inside):
        value = scope.local.get(name)
        if isinstance(value, np.ndarray) and value.ndim:
            for other in sorted(inside - {name}):
                found = scope.local.get(other)
                if isinstance(found, np.ndarray) and found.shape == value.shape:
                    yield f"{name} = {other}"


def _parsed(text: str, like: ast.stmt) -> ast.stmt:
    node = ast.parse(f"def f():\n {text}").body[0].body[0]
    for inner in ast.walk(node):
        ast.copy_location(inner, like)
    return node
