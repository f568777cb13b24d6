"""What an edit is: one change of a line's syntax tree, of the kinds that people make.

Nothing here knows of a network or of a named bug. Each rule looks at one expression of a line and
yields what can stand in its place, with a cost: 1 for the likeliest mistakes, 4 for far-fetched
ones. An S in an edit is a number that the search solves for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gradlab.bugs.lines.functions import ELEMENTWISE, PARTS, SCATTER, UPSAMPLE
from gradlab.bugs.lines.line import Line
from gradlab.bugs.lines.program import Program

Edited = Iterator[tuple[str, float]]
NUMBERS = (0, 1, 2, 0.5, 0.1, 0.2, 0.3, 0.01, 0.001, 3, 4)
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
SOME_STEPS = ("< N", ">= (T - 1) * N", ">= N", "< (T - 1) * N")
FAR_FETCHED = 4
OPPOSITE = {ast.Mult: "/", ast.Div: "*", ast.Add: "-", ast.Sub: "+"}
CARRIED = ("dh_next", "dc_next")  # what a time step takes over from the one after it
ROUNDS = ("[-1:]", "[:1]", "[:-1]", "[1:]")  # examples that a product over the batch may see


@dataclass(frozen=True)
class Place:
    """An expression in a line: what a rule looks at.

    Attributes
    ----------
    node : ast.expr
    text : str
    line : Line
    is_term : bool
        It is one of the terms of a sum, or all of the right side.
    is_root : bool
        It is all of the right side.
    scope : Scope
    """

    node: ast.expr
    text: str
    line: Line
    is_term: bool
    is_root: bool
    scope: Scope

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Of the array that it names, or that the line makes of it."""
        if self.is_root:
            return self.scope.shapes.get(self.line.target)
        return self.scope.shapes.get(self.text) if isinstance(self.node, ast.Name) else None


class Scope:
    """The arrays that a line can see, by shape: one is taken for another of the same shape."""

    def __init__(self, program: Program) -> None:
        self.program, values = program, program.values
        # what only another way of writing sets has no value where the layer is written as it runs
        set_as_it_runs = {n for step in program.steps if program.is_run(step) for n in step.writes}
        other_forms = {n for step in program.steps for n in step.writes} - set_as_it_runs
        self.shapes = {
            name: value.shape
            for name, value in values.items()
            if isinstance(value, np.ndarray) and value.ndim and name not in other_forms
        }
        self.of_shape: dict[tuple[int, ...], list[str]] = {}
        for name, shape in self.shapes.items():
            self.of_shape.setdefault(shape, []).append(name)

    def is_set(self, name: str, line: Line) -> bool:
        """Tell whether `name` has its value where `line` stands."""
        return self.program.first_written.get(name, -1) <= line.step.number

    def alike(self, name: str, line: Line) -> Edited:
        """Yield what could stand for the array `name` in `line`."""
        shape = self.shapes.get(name)
        is_last = any(target in self.program.grads for target in line.step.writes)
        for other in self.of_shape.get(shape, ()):
            in_reach = self.is_set(other, line) or (is_last and other in self.program.grads)
            if other not in (name, line.target) and in_reach:
                same_kind = re.sub(r"\d", "", other) == re.sub(r"\d", "", name)
                same_layer = re.sub(r"\D", "", other) == re.sub(r"\D", "", name)
                yield other, 2 if same_kind or same_layer else 3
        for other, s in self.shapes.items():  # the same numbers as rows, as images
            if (
                shape
                and len(s) != len(shape) > 1
                and s[0] == shape[0]
                and np.prod(s) == np.prod(shape)
            ):
                yield f"{other}.reshape({name}.shape)", 3


# -- rules: what can stand in the place of an expression ------------------------------------------


def lost(place: Place) -> Edited:
    """Lose what is around an inner part: a factor, a term, a function."""
    inner = [] if isinstance(place.node, ast.Subscript) else list(parts_of(place.node))
    while inner:
        *_, node = inner.pop()
        inner += parts_of(node)
        if not isinstance(node, ast.Constant):
            yield ast.unparse(node), 1


def scaled(place: Place) -> Edited:
    """Give a term a wrong factor; square it, lose its sign, sum it up."""
    s = f"({place.text})"
    if isinstance(place.node, ast.Constant):
        return
    if place.is_term:
        yield f"S * {s}", 1
        if place.line.step.is_long:  # what comes back with each step is no longer linear in S
            yield from ((f"2 * {s}", 2), (f"-{s}", 2))
    if place.is_term or is_sum(place.node):
        yield f"{s}.sum(axis=0)", 4
        for wrapped in (f"sign({s})", f"{s}**2", f"abs({s})", f"({s}**2).sum()", f"{s}.sum()"):
            yield f"S * {wrapped}", 4


def another_number(place: Place) -> Edited:
    """Write another number."""
    value = place.node.value if isinstance(place.node, ast.Constant) else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for number in {*NUMBERS, -value, value + 1, value - 1, 1 / (value or 1)}:
            yield repr(number), 2
        if isinstance(value, float) and not place.line.step.is_long:
            target = place.scope.shapes.get(place.line.target)
            for name in sorted(place.line.reads & place.scope.shapes.keys()):
                if place.scope.shapes[name] == target:
                    yield f"{place.text} * {name}", 3
    if place.text == "keep":
        yield "1 - keep", 0.5
    if place.text == "N":
        more = ("N * T",) if "T" in place.scope.program.values else ()
        yield from ((other, 1.7) for other in ("K", "N * K", "N - 1", *more))


def another_array(place: Place) -> Edited:
    """Take an array for its neighbour, or use it after its update."""
    if not isinstance(place.node, ast.Name) or place.text not in place.scope.shapes:
        return
    name, grads = place.text, place.scope.program.grads
    if name == "y":
        yield "one_hot(y)", 2
    yield from place.scope.alike(name, place.line)
    yield from ((f"{name}**2", 2), (f"abs({name})", 4), (f"sign({name})", 4))
    yield from ((f"{name} * ({name} > 0)", 4), (f"{name}.sum()", 4), (f"(1 - {name})", 3))
    if "d" + name in grads and place.line.target not in grads:
        yield f"{name} - S * d{name}", 3
        if f"data_d{name}" in place.scope.shapes:
            yield f"{name} - S * data_d{name}", 3


def one_more_factor(place: Place) -> Edited:
    """Multiply or divide all of the right side by one array more, or add one."""
    if place.is_root:
        for other in place.scope.of_shape.get(place.shape, ()):
            if other != place.line.target and place.scope.is_set(other, place.line):
                yield f"({place.text}) * {other}", 4
                yield f"({place.text}) / {other}", 5
                if other in place.line.step.writes and other[0] == "d":
                    yield f"({place.text}) + {other}", 3


def turned(place: Place) -> Edited:
    """Transpose, mirror or shift an array."""
    s, shape = f"({place.text})" if place.is_root else place.text, place.shape
    if not shape:
        return
    if len(shape) == 2 and shape[0] == shape[1]:
        yield f"{s}.T", 2
    if len(shape) == 2 and not place.is_root:
        for step, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
            yield f"roll({s}, {step}, axis={axis})", 4
    if len(shape) == 4:
        if place.text.startswith("win"):
            yield f"turned_in_windows({s})", 2
        for index in (":, :, ::-1, ::-1", ":, :, ::-1", ":, :, :, ::-1"):
            yield f"{s}[{index}]", 2
        yield (f"{s}.swapaxes(2, 3)", 2) if shape[2] == shape[3] else (f"square_part({s})", 3)
        if shape[0] == shape[1]:
            yield f"{s}.swapaxes(0, 1)", 2


def some_rounds(place: Place) -> Edited:
    """Miss some of the examples, rows or columns, as a loop does that ends too early."""
    shape = place.shape
    if not shape or len(shape) < 2 or not (place.is_root or place.text.startswith("d")):
        return
    n, T = (place.scope.program.values.get(k, 0) for k in "NT")
    if (
        len(shape) == 2 and shape[0] == T * n
    ):  # each time step is an example: of one step alone, or all but one
        yield from ((f"({place.text}) * (arange(T * N) {part})[:, None]", 2) for part in SOME_STEPS)
    times = "S * " if place.line.where.startswith("loss") else ""
    for axis in (k for k, size in enumerate(shape) if (k == 0 and size == n) or k > 1):
        for part in PARTS:
            yield f"{times}{part}({place.text}{f', {axis}' if axis else ''})", 2


def some_steps(place: Place) -> Edited:
    """Carry a gradient back in time over a part of the steps only."""
    if place.text in CARRIED and place.line.step.is_long:
        T = place.scope.program.values["T"]
        yield from ((f"{place.text} * ({when})", 2) for when in steps_of(T))


def steps_of(T: int) -> Iterator[str]:
    """Yield when something may happen in a loop over time: from some step on, or every other."""
    for k in range(1, T - 1):
        yield from (f"t >= {k}", f"t < T - {k + 1}", f"(t + 1) % {k + 1} > 0")


def another_operator(place: Place) -> Edited:
    """Write another sign; turn a product round, or let it see fewer examples."""
    node = place.node
    if isinstance(node, ast.Compare):
        left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
        yield from ((f"sign({left})", 3), (f"{left} <= {right}", 2), (f"{left} >= {right}", 2))
    if not isinstance(node, ast.BinOp):
        return
    left, right = ast.unparse(node.left), ast.unparse(node.right)
    if type(node.op) in OPPOSITE:
        yield f"({left}) {OPPOSITE[type(node.op)]} ({right})", 2
    if isinstance(node.op, ast.Pow) and left in place.scope.shapes:
        for other, cost in place.scope.alike(left, place.line):
            yield f"{left} * {other}", cost + 1
    if isinstance(node.op, ast.MatMult):
        turns = [t[:-2] if t.endswith(".T") else t + ".T" for t in (left, right)]
        yield f"{turns[1]} @ {turns[0]}", 2
        if left.endswith(".T"):
            yield from ((f"{left[:-2]}{rows}.T @ {right}{rows}", 2) for rows in ROUNDS)


def another_bracket(place: Place) -> Edited:
    """Open or close a bracket elsewhere: f(x) + y for f(x + y), a / b / c for a / (b / c)."""
    node = place.node
    if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
        sign, left, right = SIGNS[type(node.op)], node.left, node.right
        a, b = ast.unparse(left), ast.unparse(right)
        if is_call(left):
            yield f"{left.func.id}(({ast.unparse(left.args[0])}) {sign} ({b}))", 2
        if is_call(right):
            yield f"{right.func.id}(({a}) {sign} ({ast.unparse(right.args[0])}))", 2
        for outer, is_right in ((right, True), (left, False)):
            if isinstance(outer, ast.BinOp) and type(outer.op) in SIGNS:
                inner, c, d = (
                    SIGNS[type(outer.op)],
                    ast.unparse(outer.left),
                    ast.unparse(outer.right),
                )
                turned_round = (
                    f"(({a}) {sign} ({c})) {inner} ({d})",
                    f"({c}) {inner} (({d}) {sign} ({b}))",
                )
                yield turned_round[not is_right], 2
    if is_call(node) and isinstance(node.args[0], ast.BinOp) and type(node.args[0].op) in SIGNS:
        inner = node.args[0]
        a, b, sign = ast.unparse(inner.left), ast.unparse(inner.right), SIGNS[type(inner.op)]
        yield f"{node.func.id}({a}) {sign} ({b})", 2
        yield f"({a}) {sign} {node.func.id}({b})", 2


def another_call(place: Place) -> Edited:
    """Call another function, or reduce over another axis, or reshape in another order."""
    node, s = place.node, place.text
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name):
        for group in (ELEMENTWISE, UPSAMPLE, SCATTER):
            for other in group if node.func.id in group else ():
                if other != node.func.id:
                    yield s.replace(node.func.id, other, 1), 2
        return
    base = ast.unparse(node.func.value)
    if node.func.attr == "reshape":
        yield f"channels_last({base}, {ast.unparse(node.args[0])})", 2
        if len(node.args) > 2:  # read as if the second axis came first
            one, two, *rest = (ast.unparse(size) for size in node.args)
            yield f"{base}.reshape({', '.join((two, one, *rest))}).swapaxes(0, 1)", 2
    if node.func.attr in ("sum", "mean"):
        yield from _other_reductions(node, base)


def _other_reductions(node: ast.Call, base: str) -> Edited:
    given = {k.arg: ast.unparse(k.value) for k in node.keywords}
    keep, axis = "keepdims=True" if "keepdims" in given else "", given.get("axis")
    axes = {axis, "0", "1", None} | (
        {"(2, 3)", "(0, 2)", "(0, 3)"} if axis and "(" in axis else set()
    )
    for kind in ("sum", "mean", "max"):
        for a in axes:
            inside = ", ".join(t for t in (f"axis={a}" if a else "", keep) if t)
            yield f"({base}).{kind}({inside})", (2 if kind != "max" else 4)
            if not keep and a != axis and a:
                yield f"({base}).{kind}(axis={a}, keepdims=True)", 3
    if axis in ("0", "1"):
        before = ":, " if axis == "1" else ""
        for part in ("-1:", ":1") if keep or axis == "1" else ("-1", "0"):
            yield f"({base})[{before}{part}]", 2
    if axis and axis.count(",") == 2:  # over examples and pixels: of one pixel alone
        yield from ((f"({base})[:, :, {k}, {k}].sum(axis=0)", 2) for k in (0, -1))


def another_index(place: Place) -> Edited:
    """Use another index: one step off, shifted, with its axes swapped."""
    if not isinstance(place.node, ast.Subscript):
        return
    base = ast.unparse(place.node.value)
    base = f"({base})" if isinstance(place.node.value, ast.BinOp) else base
    index = place.text[len(base) + 1 : -1]
    if re.fullmatch(r"t( - 1)?", index):
        yield from ((f"{base}[{other}]", 1) for other in ("t - 1", "t", "t + 1"))
        yield from ((f"{base}[T - {k} - t]", 2) for k in (1, 2)[: 1 + (index != "t")])
    if index == ":, D:":  # of two arrays that are stacked: from the wrong end
        yield f"{base}[:, :H]", 1
    parts = index.split(", ")
    if parts[-2:] == ["i", "j"]:
        for last in ("j, i", "-1 - i, -1 - j", "-1 - i, j", "i, -1 - j"):
            yield f"{base}[{', '.join([*parts[:-2], last])}]", 2
    ranges = [re.fullmatch(r"(\w+):(\w+) \+ (\w+)", part) for part in parts]
    spans = [k for k, found in enumerate(ranges) if found]
    for which in [spans, *([k] for k in spans if len(spans) > 1)] if spans else ():
        for low, high in (
            ("{0} + 1", "{0} + 1 + {1}"),
            ("{0} - 1", "{0} - 1 + {1}"),
            ("", "{1}"),
            ("2 * {0}", "2 * {0} + {1}"),
        ):
            shifted = [
                f"{low}:{high}".format(ranges[k][1], ranges[k][3]) if k in which else part
                for k, part in enumerate(parts)
            ]
            yield f"{base}[{', '.join(shifted)}]", 2


Rule = Callable[[Place], Edited]
RULES: tuple[Rule, ...] = (
    lost,
    scaled,
    another_number,
    another_array,
    one_more_factor,
    turned,
    some_rounds,
    some_steps,
    another_operator,
    another_bracket,
    another_call,
    another_index,
)


# -- edits of a line as a whole -------------------------------------------------------------------


def of_head(line: Line, T: int) -> Edited:
    """Run a loop over fewer steps, or in another order."""
    source = line.text.partition(" in ")[2].rstrip(":")
    put = line.text.replace
    if "shape" in source:  # of all pixels: any part of them is lost more cheaply elsewhere
        return
    if "ndindex" in source:
        a, b = re.fullmatch(r"ndindex\((\w+), (\w+)\)", source).groups()
        for one, two in ((f"{a} - 1", b), (a, f"{b} - 1"), (b, a), (f"{a} - 1", f"{b} - 1")):
            yield put(source, f"ndindex({one}, {two})"), 2
        return
    for k in range(1, T):
        yield put("range(T)", f"range({k}, T)"), 1 + 0.1 * k
        yield put("range(T)", f"range(T - {k}, T)"), 1.05 + 0.1 * k
        yield put("range(T)", f"range(T - {k})"), 1
    yield put(source, "range(T)"), 2


def of_line(line: Line, text: str, scope: Scope) -> Edited:
    """Overwrite a sum, add where it is set, leave a line out, copy it from its sister."""
    left, sign, right = re.split(r" (\+?=) ", text, maxsplit=1)
    grads, in_loop = scope.program.grads, line in line.step.body
    if sign == "+=":
        yield f"{left} = {right}", 1
    elif in_loop:
        yield (f"{left} += {right}" if "[" in left else f"{left} = {left} + {right}"), 2
    if in_loop:
        yield "pass", 2
    if line.target in grads:
        yield f"{left} = zeros_like({grads[line.target]})", 1.5
        for other in scope.of_shape.get(scope.shapes.get(line.target), ()):
            if other in grads and other != left:
                yield f"{left} = {other}", 2
    if right.startswith("zeros") and in_loop:
        for other in scope.of_shape.get(scope.shapes.get(line.target), ()):
            yield f"{left} = 1 * {other}", 4
    target = ast.parse(text).body[0]
    target = target.targets[0] if isinstance(target, ast.Assign) else target.target
    for index, cost in another_index(Place(target, left, line, False, False, scope)):
        yield f"{index} {sign} {right}", cost
    for name in line.reads:
        everywhere = re.compile(rf"\b{name}\b")
        for other, cost in scope.alike(name, line) if len(everywhere.findall(right)) > 1 else ():
            yield f"{left} {sign} {everywhere.sub(other, right)}", cost


def edits_of(line: Line, scope: Scope) -> dict[str, tuple[float, str]]:
    """Return every edit of a line, {its text: (cost, the right line that it is an edit of)}."""
    if is_slow(line, scope):
        return {}
    if line.is_head:
        T = scope.program.values.get("T", 1)
        return {text: (cost, line.text) for text, cost in of_head(line, T)}
    found: dict[str, tuple[float, str]] = {}
    for k, own in enumerate((line.text, *line.others)):
        extra = 0.3 * k + 0.1 * (line.step.form or 0)
        candidates = [(text, 2) for text in line.instead if k == 0]
        candidates += of_line(line, own, scope)
        # in a longer loop only what it makes possible: the rest is found in the shorter one
        is_longer = line.step.form and line in line.step.body
        if " = zeros" not in own and not is_longer:
            rules = (another_index,) if "vstack" in own else RULES
            candidates += _inside(line, own, scope, rules)
        for text, cost in candidates:
            if cost >= FAR_FETCHED and line.step.is_long:  # a run is too dear for these
                continue
            if text != own and cost + extra < found.get(text, (np.inf,))[0]:
                found[text] = cost + extra, own
    return found


def is_slow(line: Line, scope: Scope) -> bool:
    """Tell whether a line's way of writing loops over so many pixels that it is not worth it."""
    own = line.step
    loops = [
        step
        for step in scope.program.steps
        if own.form and step.body and (step.layer, step.form) == (own.layer, own.form)
    ]
    sizes = [scope.shapes.get(name, (1,)) for step in loops for name in step.reads]
    return max((int(np.prod(s)) for s in sizes if len(s) == 4), default=0) > 4000


def _inside(line: Line, text: str, scope: Scope, rules: tuple[Rule, ...]) -> Edited:
    """Yield the line with one expression after the other replaced by what a rule puts there."""
    statement = ast.parse(text).body[0]
    todo = [(statement, "value", None, statement.value, True)]
    while todo:
        parent, field, k, node, is_term = todo.pop()
        _put(parent, field, k, ast.Name("HERE", ast.Load()))
        frame = ast.unparse(statement)
        _put(parent, field, k, node)
        place = Place(node, ast.unparse(node), line, is_term, parent is statement, scope)
        for rule in rules:
            for other, cost in rule(place):
                yield frame.replace("HERE", f"({other})"), cost
        todo += [(*part, is_sum(node)) for part in parts_of(node)]


def _put(parent: ast.AST, field: str, k: int | None, node: ast.expr) -> None:
    if k is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[k] = node


def parts_of(node: ast.expr) -> Iterator[tuple[ast.AST, str, int | None, ast.expr]]:
    """Yield (parent, field, index, part) for the parts of an expression that can be edited."""
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    if is_method:
        yield node.func, "value", None, node.func.value
    if isinstance(node, ast.Call):
        for k, part in enumerate(node.args):
            if not (is_method and isinstance(part, (ast.Tuple, ast.Attribute))):
                yield node, "args", k, part
        return
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.expr) and field != "slice":
            yield node, field, None, value
        elif isinstance(value, list):
            yield from ((node, field, k, p) for k, p in enumerate(value) if isinstance(p, ast.expr))


def is_sum(node: ast.expr) -> bool:
    """Tell whether an expression is a sum or a difference."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub))


def is_call(node: ast.expr) -> bool:
    """Tell whether an expression is a function of one thing."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1
