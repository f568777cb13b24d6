"""What may have been meant: for one expression of a person's line, what could stand in its place.

The wrong line is the person's; each rule looks at one expression of it and yields what a person
may have forgotten, exchanged or written too much, with a cost: below 1 for the most usual.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Number

import numpy as np

from gradlab.checking.source.scope import Named, Scope

SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**"}
OTHERS = {"+": "-", "-": "+", "*": "/", "/": "*", "@": "*"}
COMPARED = {ast.Gt: ">", ast.Lt: "<", ast.GtE: ">=", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="}
#: Functions that are taken for each other.
GROUPS = (
    ("maximum", "minimum"),
    ("sin", "cos"),
    ("exp", "log", "tanh", "sqrt", "square"),
    ("sum", "mean"),
    ("argmax", "argmin"),
    ("zeros_like", "ones_like"),
    ("sign", "abs"),
    ("max", "min"),
    ("cumsum", "cumprod"),
)
REDUCTIONS = ("sum", "mean", "max", "min", "prod")
NUMBERS = (0, 1, 2, 0.5, 3, 4)


@dataclass(frozen=True)
class Expression:
    """An expression.

    Attributes
    ----------
    node : ast.expr
    text : str
    value : object
        What it stood for when it last ran; None where that is not known.
    is_term : bool
        It is a term of a sum, or all that a line sets.
    is_index : bool
        It stands in an index, or says an axis.
    scope : Scope
    """

    node: ast.expr
    text: str
    value: object
    is_term: bool
    is_index: bool
    scope: Scope


def too_much(expr: Expression) -> Iterator[Named]:
    """Take away a factor, a term, a function or a transpose that does not belong."""
    node = expr.node
    if isinstance(node, ast.BinOp):
        yield ast.unparse(node.left), 0.5
        if not isinstance(node.op, ast.Div | ast.Pow):
            yield ast.unparse(node.right), 0.5
        if isinstance(node.op, ast.Sub):
            yield f"-{ast.unparse(node.right)}", 0.6
    elif isinstance(node, ast.UnaryOp):
        yield ast.unparse(node.operand), 0.3
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield ast.unparse(node.value), 0.3
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value, expr.scope):
            yield ast.unparse(node.func.value), 0.8
        elif node.args:
            yield ast.unparse(node.args[0]), 0.8
    elif (
        isinstance(node, ast.Subscript)
        and not isinstance(node.value, ast.Attribute)
        and is_data(expr.scope.known(node.value))
    ):
        yield ast.unparse(node.value), 1.2


def is_data(value: object) -> bool:
    """Tell numbers, arrays and what holds them from functions, modules and other objects.

    Another thing may take for ever where a number is expected: numpy.c_ is, for numpy's functions,
    a sequence without an end.
    """
    return (
        value is None
        or value is Ellipsis
        or isinstance(
            value, np.ndarray | np.generic | Number | str | tuple | list | Mapping | slice | range
        )
    )


def two_too_many(expr: Expression) -> Iterator[Named]:
    """Take away two factors that do not belong, such as s * (1 - s)."""
    factors = _factors(expr.node)
    for i in range(len(factors) if len(factors) > 2 else 0):
        for j in range(i + 1, len(factors)):
            names = [set(re.findall(r"[A-Za-z_]\w*", text)) for text in (factors[i], factors[j])]
            if names[0] & names[1]:
                yield " * ".join(f for k, f in enumerate(factors) if k not in (i, j)), 0.8


def another_operator(expr: Expression) -> Iterator[Named]:
    """Write another sign or comparison, or exchange the operands."""
    node = expr.node
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
        for sign in COMPARED.values():
            if sign != COMPARED.get(type(node.ops[0])):
                yield f"{left} {sign} {right}", 0.8
    if operation := _operation(node):
        sign, left, right = operation[0], *map(_in, operation[1:])
        if sign in OTHERS:
            yield f"{left} {OTHERS[sign]} {right}", 0.5
        if sign in "+*":
            yield f"{left} {'*' if sign == '+' else '+'} {right}", 0.9
        if sign in "-/@**":
            yield f"{right} {sign} {left}", 0.8 if sign != "-" else 0.5
        if sign == "@":
            turned = [_turned(part) for part in (node.left, node.right)]
            for one, two in ((turned[0], right), (left, turned[1]), tuple(turned)):
                yield f"{one} @ {two}", 0.6
            yield f"{turned[1]} @ {turned[0]}", 0.8
            yield f"{right} @ {turned[0]}", 0.9
            yield f"{turned[1]} @ {left}", 0.9


def another_bracket(expr: Expression) -> Iterator[Named]:
    """Open or close a bracket elsewhere."""
    if operation := _operation(expr.node):
        yield from _regrouped(*operation)
        yield from _drawn_in(*operation, expr.scope)
    elif isinstance(expr.node, ast.Call):
        yield from _drawn_out(expr.node, expr.scope)


def another_number(expr: Expression) -> Iterator[Named]:
    """Write another number, or the name of one."""
    node = expr.node
    if not isinstance(node, ast.Constant) or isinstance(node.value, str | bytes | bool):
        return
    if node.value is None or not isinstance(node.value, int | float):
        yield from ((f"{k}", 0.6) for k in range(3)) if expr.is_index else ()
        return
    v = node.value
    if expr.is_index:
        yield from ((f"{k}", 0.5) for k in (v + 1, v - 1, 0, 1, -1, 2, 3) if k != v)
        yield from ((k, 1.2) for k in expr.scope.scalars if ".shape" not in k)
        return
    for other in dict.fromkeys((*NUMBERS, v + 1, v - 1, 2 * v, v / 2, 10 * v, v / 10, -v)):
        if other != v:
            yield f"{other:.12g}", 0.5 + 0.2 * (other not in (v + 1, v - 1, 1, 2, -v))
    yield from ((f"{c:.17g}", 0.4) for c in expr.scope.constants if c != v)
    yield from ((k, 0.9) for k in expr.scope.scalars)
    yield from ((k, 1.3) for k in expr.scope.arrays)


def another_name(expr: Expression) -> Iterator[Named]:
    """Take another array of the same shape, another number, an index one step off."""
    node = expr.node
    if expr.is_index and isinstance(node, ast.Name):  # one step off
        yield from ((f"{expr.text} - 1", 0.5), (f"{expr.text} + 1", 0.5))
    if isinstance(node, ast.Tuple):
        parts = [ast.unparse(part) for part in node.elts]
        for i in range(len(parts)):
            for j in range(i):
                new = [*parts]
                new[i], new[j] = new[j], new[i]
                if new != parts and not any(":" in part for part in (new[i], new[j])):
                    yield f"({', '.join(new)})" if ":" not in expr.text else "", 0.6
    is_number = isinstance(expr.value, int | float | np.number) and not expr.is_index
    if is_number and isinstance(node, ast.BinOp | ast.Call | ast.Subscript):  # N * T, len(x)
        yield from ((k, 1.2) for k in expr.scope.scalars if ".shape" not in k)
    if isinstance(node, ast.Name | ast.Attribute) or (
        isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    ):
        if isinstance(node, ast.Attribute) and node.attr in ("T", "shape", "size"):
            return
        yield from expr.scope.alike(expr.text, expr.value)


def another_power(expr: Expression) -> Iterator[Named]:
    """Square it, take its root or one over it."""
    if isinstance(expr.node, ast.Constant) or expr.is_index:
        return
    s = _in(expr.node)
    yield from ((f"{s} ** 2", 0.9), (f"({s} > 0)", 1.0), (f"1 / {s}", 1.3), (f"(1 - {s})", 1.2))
    if expr.scope.np:
        yield from (
            (f"{expr.scope.np}.{f}({expr.text})", 1.2)
            for f in ("sqrt", "exp", "log", "tanh", "sign", "abs")
        )


def turned(expr: Expression) -> Iterator[Named]:
    """Transpose it, mirror an axis, sum it up."""
    if not isinstance(expr.value, np.ndarray) or not expr.value.ndim or expr.is_index:
        return
    s, shape = _in(expr.node), expr.value.shape
    if len(shape) == 2:
        yield f"{s}.T", 0.6
    if len(shape) > 2:
        for k in range(len(shape)):
            for j in range(k):
                if shape[j] == shape[k]:
                    yield f"{s}.swapaxes({j}, {k})", 1.0
    if isinstance(expr.node, ast.Name | ast.Subscript | ast.Attribute):
        for axis in range(len(shape)):
            yield f"{expr.text}[{':, ' * axis}::-1]", 1.3
        if len(shape) == 4:
            yield f"{expr.text}[:, :, ::-1, ::-1]", 1.0
            yield f"{expr.text}[..., ::-1, ::-1]", 1.2
    for axis in range(len(shape)):
        for kind in ("sum", "mean"):
            yield f"{s}.{kind}(axis={axis}, keepdims=True)", 1.2 + 0.2 * (kind == "mean")
            yield f"{s}.{kind}(axis={axis})", 1.4


def another_call(expr: Expression) -> Iterator[Named]:
    """Call another function, over another axis, with its arguments exchanged."""
    node = expr.node
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for group in GROUPS:
        for other in group if name in group else ():
            if other != name:
                head = (
                    f"{_in(node.func.value)}.{other}"
                    if isinstance(node.func, ast.Attribute)
                    else other
                )
                yield head + expr.text[len(ast.unparse(node.func)) :], 0.7
    if name in REDUCTIONS:
        yield from _other_axes(node, expr)
    elif name == "range":
        yield from _other_ranges(node)
    if name == "where" and len(node.args) == 3:
        a, b, c = map(ast.unparse, node.args)
        yield f"{ast.unparse(node.func)}({a}, {c}, {b})", 0.6
    elif len(node.args) == 2 and name not in ("reshape", "range"):
        a, b = map(ast.unparse, node.args)
        yield f"{ast.unparse(node.func)}({b}, {a})", 1.0
    if name in ("transpose", "reshape", "swapaxes"):
        yield from _other_order(node)


def another_text(expr: Expression) -> Iterator[Named]:
    """Exchange einsum's letters."""
    node = expr.node
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    if "->" not in node.value or len(node.value) > 40:
        return
    inputs, _, output = node.value.partition("->")
    parts = inputs.split(",")
    letters = sorted(set(re.findall(r"[a-zA-Z]", inputs)))
    for k, part in enumerate((*parts, output)):
        for i in range(len(part)):
            for j in range(i):
                swapped = list(part)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                new = [*parts, output]
                new[k] = "".join(swapped)
                yield repr(f"{','.join(new[:-1])}->{new[-1]}"), 0.8
            for letter in letters:
                if letter not in part:
                    new = [*parts, output]
                    new[k] = part[:i] + letter + part[i + 1 :]
                    yield repr(f"{','.join(new[:-1])}->{new[-1]}"), 1.0


RULES: tuple[Callable[[Expression], Iterator[Named]], ...] = (
    too_much,
    two_too_many,
    another_operator,
    another_bracket,
    another_number,
    another_name,
    another_power,
    turned,
    another_call,
    another_text,
)


# -- parts of rules --------------------------------------------------------------------------------


def _operation(node: ast.AST | None) -> tuple[str, ast.expr, ast.expr] | None:
    """Return the sign, the left and the right of a + b, a * b and the like."""
    is_one = isinstance(node, ast.BinOp) and type(node.op) in SIGNS
    return (SIGNS[type(node.op)], node.left, node.right) if is_one else None


def _regrouped(sign: str, left: ast.expr, right: ast.expr) -> Iterator[Named]:
    """Yield (a * c) + d for a * (c + d), and c + (d * b) for (c + d) * b."""
    a, b = _in(left), _in(right)
    if operation := _operation(right):
        inner, c, d = operation[0], *map(_in, operation[1:])
        yield f"({a} {sign} {c}) {inner} {d}", 0.9
    if operation := _operation(left):
        inner, c, d = operation[0], *map(_in, operation[1:])
        yield f"{c} {inner} ({d} {sign} {b})", 0.9
        if sign in "+-":
            yield f"({c} {sign} {b}) {inner} {d}", 1.2


def _drawn_in(sign: str, left: ast.expr, right: ast.expr, scope: Scope) -> Iterator[Named]:
    """Yield f(x + y) for f(x) + y, and for x + f(y)."""
    if isinstance(left, ast.Call) and (base := _argument_of(left, scope)) is not None:
        yield _call_of(left, f"{base} {sign} {_in(right)}", scope), 1.0
    if isinstance(right, ast.Call) and (base := _argument_of(right, scope)) is not None:
        yield _call_of(right, f"{_in(left)} {sign} {base}", scope), 1.0


def _drawn_out(call: ast.Call, scope: Scope) -> Iterator[Named]:
    """Yield f(x) + y and x + f(y) for f(x + y)."""
    if operation := _operation(_argument_node(call, scope)):
        sign, a, b = operation[0], *map(_in, operation[1:])
        yield f"{_call_of(call, a, scope)} {sign} {b}", 1.0
        yield f"{a} {sign} {_call_of(call, b, scope)}", 1.0


def _other_axes(node: ast.Call, expr: Expression) -> Iterator[Named]:
    """Yield a reduction over other axes, with the axes kept or not."""
    is_function = isinstance(node.func, ast.Attribute) and _is_module(node.func.value, expr.scope)
    args = [ast.unparse(arg) for arg in node.args[: int(is_function)]]
    given = {k.arg: ast.unparse(k.value) for k in node.keywords}
    if len(node.args) > len(args):
        given["axis"] = ast.unparse(node.args[len(args)])
    operand = node.args[0] if is_function and node.args else getattr(node.func, "value", None)
    try:
        ndim = np.ndim(expr.scope.value_of(operand))
    except Exception:  # anybody's expression, where it last ran
        ndim = 2
    axes = [*expr.scope.axes, None, *map(str, range(ndim)), *("-1",) * (ndim > 1)]
    if ndim > 2:
        axes += [f"({', '.join(str(k) for k in range(ndim) if k != one)})" for one in range(ndim)]
        axes += ["(0, 1)", f"({ndim - 2}, {ndim - 1})"]
    for axis in dict.fromkeys([given.get("axis"), *axes]):
        for keep in (None, "True"):
            if (axis, keep) == (given.get("axis"), given.get("keepdims")):
                continue
            options = [f"axis={axis}"] * (axis is not None) + ["keepdims=True"] * (keep == "True")
            cost = 0.5 + 0.3 * ((axis != given.get("axis")) and keep != given.get("keepdims"))
            cost += 0.1 * (axis is not None and axis not in expr.scope.axes)
            yield f"{ast.unparse(node.func)}({', '.join([*args, *options])})", cost


def _other_ranges(node: ast.Call) -> Iterator[Named]:
    args = [ast.unparse(arg) for arg in node.args]
    end = args[0] if len(args) == 1 else args[1]
    start = "0" if len(args) == 1 else args[0]
    step = args[2] if len(args) == 3 else "1"
    yield f"reversed(range({', '.join(args)}))", 0.7
    tried = (
        (start, f"{end} - 1", step),
        (start, f"{end} + 1", step),
        (f"{start} + 1", end, step),
        (f"{start} - 1", end, step),
        ("0", end, step),
        (start, end, "1"),
    )
    for one in tried:
        yield f"range({', '.join(one)})" if one[2] != "1" else f"range({one[0]}, {one[1]})", 0.7


def _other_order(node: ast.Call) -> Iterator[Named]:
    """Yield the same call with two of its arguments exchanged, one by one."""
    args = (
        node.args[0].elts
        if len(node.args) == 1 and isinstance(node.args[0], ast.Tuple)
        else node.args
    )
    texts = [ast.unparse(arg) for arg in args]
    for i in range(len(texts)):
        for j in range(i):
            new = [*texts]
            new[i], new[j] = new[j], new[i]
            yield f"{ast.unparse(node.func)}({', '.join(new)})", 0.8
    if len(texts) == 3:
        yield from (
            (f"{ast.unparse(node.func)}({', '.join(texts[k:] + texts[:k])})", 0.8) for k in (1, 2)
        )


def _factors(node: ast.expr) -> list[str]:
    """Return the factors of a product."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [_in(node)]


def _in(node: ast.expr) -> str:
    """Return an expression in brackets, if it needs them anywhere."""
    text = ast.unparse(node)
    atoms = (ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Call)
    return text if isinstance(node, atoms) else f"({text})"


def _turned(node: ast.expr) -> str:
    text = _in(node)
    return text[:-2] if text.endswith(".T") else f"{text}.T"


def _is_module(node: ast.expr, scope: Scope) -> bool:
    return isinstance(node, ast.Name) and node.id == scope.np


def _argument_node(node: ast.Call, scope: Scope) -> ast.expr | None:
    """Return what a function is of: f(x), x.f()."""
    if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value, scope):
        return node.func.value
    return node.args[0] if node.args else None


def _argument_of(node: ast.Call, scope: Scope) -> str | None:
    inner = _argument_node(node, scope)
    return None if inner is None else _in(inner)


def _call_of(node: ast.Call, argument: str, scope: Scope) -> str:
    """Return the same call of another thing."""
    inner = _argument_node(node, scope)
    rest = [ast.unparse(arg) for arg in node.args if arg is not inner]
    rest += [f"{k.arg}={ast.unparse(k.value)}" for k in node.keywords if k.arg]
    if isinstance(node.func, ast.Attribute) and inner is node.func.value:
        return f"({argument}).{node.func.attr}({', '.join(rest)})"
    return f"{ast.unparse(node.func)}({', '.join([argument, *rest])})"
