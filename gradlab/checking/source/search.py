"""The search for the one edit of a person's own lines with which the gradient is right.

Every edit is put into the function's tree, the function is built anew and run on copies. One that
gives the numerical gradient here must do so on other inputs too. The search is bounded by the
statements that it runs, never by the clock: what it finds is the same on every machine.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.checking.source.changes import RULES, Place
from gradlab.checking.source.functions import Function
from gradlab.checking.source.lines import spliced
from gradlab.checking.source.scope import Scope, outer_names
from gradlab.checking.source.spot import Spot, is_float
from gradlab.checking.source.statements import (
    Statement,
    Where,
    expressions,
    has_while,
    put,
    put_statements,
    record,
    statements_of,
)
from gradlab.checking.source.target import Case
from gradlab.checking.source.untouched import untouched
from gradlab.checking.source.whole import changes_of

WORK = 250_000  # statements that a search may run, about
ASIDE = 60  # statements that one run takes for copies and for building the function
ENTRIES = 2000  # of an array that are as dear as a statement
MARGIN = 0.5  # how much less usual another edit may be that holds as well, and still be told
FAMILY = {"factor": 0.4, "forms": 1.0, "terms": 1.2, "number": 0.9}  # costs of what is solved for
LATE = 1e-3  # hardly less: what decides where nothing else does
STRANGE = 0.02  # for a factor that a line does not speak of otherwise
BARE = 0.3  # for a factor or a term of a line that only hands on a name
NEW_NAME, INSIDE = 0.25, 0.3  # for a term that speaks of what its line does not, or inside another
TOLERANCE = 2e-6  # relative: how closely a number must be what it is called

Todo = Callable[[], None]


@dataclass(frozen=True)
class Mended:
    """An edit with which the gradient is right.

    Attributes
    ----------
    wrong, right : str
        The person's line, and how it must be written; "" where none stands, or must stand.
    where : str
    cost : float
    residual : float
        What it leaves of the deviation, relative.
    number : str
        What a number in it is called, if it could be called otherwise.
    """

    wrong: str
    right: str
    where: str
    cost: float
    residual: float
    number: str = ""


class ExhaustedError(Exception):
    """The search has run as many statements as it may."""


class Search:
    """See the module; what holds everywhere stands in `found`."""

    def __init__(self, case: Case) -> None:
        self.case, self.work = case, WORK
        self.found: list[Mended] = []
        self._places: list | None = None

    def run(self) -> list[Mended]:
        """Return the edits that hold everywhere, the likeliest first."""
        with (
            contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(ExhaustedError),
            untouched(self.case.codes),
        ):  # fmt: skip
            for number, code in enumerate(self.case.codes):
                self._number, self._code = number, code
                self._run_code()
                if self.found:
                    break
        best = min((m.cost for m in self.found), default=0.0)
        kept: dict[tuple[str, str], Mended] = {}
        is_one = any(place.is_larger for place in self._places or ())
        for one in sorted(self.found, key=lambda m: m.cost):
            if one.cost <= best + MARGIN:
                kept.setdefault((one.where, "" if is_one else one.number), one)
        return [*kept.values()]

    # -- what is tried, in which order ------------------------------------------------------------

    def _run_code(self) -> None:
        queue: list[tuple[float, Todo]] = []
        for function in self._code.functions:
            if has_while(function) or not self._is_as_given(function):
                continue
            statements = statements_of(function)
            record(self._code, function, statements,
                   lambda new: self.case.run(self._number, new, None))  # fmt: skip
            self.price = ASIDE + sum(one.runs for one in statements) + _entries(statements)
            outer, axes = outer_names(function.live), _axes_in(function.node)
            for one in statements:
                if one.runs:
                    queue += self._of(one, Scope(one.local, outer, self.case.constants, axes))
        best = np.inf
        for cost, todo in sorted(queue, key=lambda q: q[0]):
            if cost > best + MARGIN:
                break
            todo()
            best = min((m.cost for m in self.found), default=np.inf)
        if self.found and not self._is_as_given(self._code.functions[0]):
            self.found = []  # an edited line has spoiled what all runs share

    def _is_as_given(self, function: Function) -> bool:
        """Tell whether a function that is built anew, as it is, gives the gradient that came."""
        self.price = ASIDE
        vector, given = self._vector(function, {}), self.case.target.given
        return vector is not None and np.allclose(vector, given, rtol=1e-9, atol=1e-12)

    def _of(self, one: Statement, scope: Scope) -> Iterator[tuple[float, Todo]]:
        """Yield (cost, what tries it) for the edits of a statement."""
        for where, root in one.roots():
            spot = Spot(one, scope, where)
            with contextlib.suppress(Exception):  # anybody's expression, where it last ran
                spot.value = scope.value_of(root)
            if spot.value is not None:
                with contextlib.suppress(ExhaustedError):
                    self._look(spot)
            is_to_blame = spot.is_to_blame(self.case.target)
            for at, node, is_term, is_index in expressions(where, root):
                place = _place(node, is_term, is_index, scope)
                for text, cost in _texts(place):
                    yield cost, lambda a=(spot, at, text, cost): self._try(*a)
                if is_to_blame and not is_index and is_float(place.value):
                    yield from self._solved(spot, at, place)
        for where, root in one.indices():
            spot = Spot(one, scope, where)
            for at, node, _, _ in expressions(where, root, False, True):
                for text, cost in _texts(_place(node, False, True, scope)):
                    yield cost, lambda a=(spot, at, text, cost): self._try(*a)
        for wrong, right, cost, body, new in changes_of(one, scope):
            yield cost, lambda a=(one, cost, wrong, right, body, new): self._try_whole(*a)

    def _look(self, spot: Spot) -> None:
        if is_float(spot.value) and (np.size(spot.value) + 1) * self.price < WORK / 10:
            function = spot.one.function
            spot.look(lambda bound: self._vector(function, bound), self.case.target)

    # -- one edit ---------------------------------------------------------------------------------

    def _vector(self, function: Function, bound: Mapping[str, object]) -> np.ndarray | None:
        """Return the gradient that a function's tree gives; None where it gives none."""
        self._spend(self.price)
        try:
            new = self._code.edited(function, bound)
            return self.case.target.vector(self.case.run(self._number, new, None))
        except Exception:  # anybody's code, and not even as it was written
            return None

    def _spend(self, work: int) -> None:
        self.work -= work
        if self.work < 0:
            raise ExhaustedError

    def _try(self, spot: Spot, at: Where, text: str, cost: float, number: str = "") -> None:
        """Put a text in an expression's place, and keep it if the gradient is right then."""
        try:
            node = ast.parse(text, mode="eval").body
        except SyntaxError:
            return
        one = spot.one
        if self._is_known(one, cost):
            return
        for inner in ast.walk(node):
            ast.copy_location(inner, one.node)
        with put(at, node):
            left = self._left(one) if self._may_be(spot) else None
        if left is not None:
            self._keep(one, cost, left, *spliced(one.function.text, one.node, at, text), number)

    def _is_known(self, one: Statement, cost: float) -> bool:
        """Tell whether an edit of the same line holds that is more usual.

        Where sizes could be changed, what holds for one line is one thing in other words.
        """
        where = _where(one)
        is_one = any(place.is_larger for place in self._places or ())
        return is_one and any(m.where == where and m.cost <= cost for m in self.found)

    def _may_be(self, spot: Spot) -> bool:
        """Tell whether an edit can run where its line last ran, and move the gradient rightly."""
        if spot.value is None:
            return True
        self._spend(2)
        try:
            value = spot.now()
            if spot.one.runs > 1:
                return True
            if np.shape(value) != np.shape(spot.value):
                return True
            if spot.slopes is None:
                return not np.array_equal(value, spot.value)
            return self.case.target.fits(self.case.target.given + spot.moved(value))
        except Exception:  # anybody's expression, and not as it was written
            return False

    def _left(self, one: Statement) -> float | None:
        """Return what the tree as it stands leaves of the deviation; None if it is not right."""
        vector, target = self._vector(one.function, {}), self.case.target
        is_right = vector is not None and target.fits(vector) and self._holds(one.function)
        return target.left(vector) if is_right else None

    def _keep(self, one: Statement, cost: float, left: float, wrong: str, right: str,
              number: str = "") -> None:  # fmt: skip
        # of several lines that a factor may be missing in, the last, where it is usually put
        cost -= LATE * one.node.lineno / (one.function.node.end_lineno or 1)
        self.found.append(Mended(wrong, right, _where(one), cost, left, number))

    def _holds(self, function: Function) -> bool:
        if self._places is None:
            self._places = self.case.places()
        new = self._code.edited(function, {})
        try:
            return bool(self._places) and all(
                place.agrees(self.case.run(self._number, new, place)) for place in self._places
            )
        except Exception:  # anybody's code
            return False

    def _try_whole(self, one: Statement, cost: float, wrong: str, right: str,
                   body: list[ast.stmt], new: list[ast.stmt]) -> None:  # fmt: skip
        """Let other statements stand in a body, and keep them if the gradient is right then."""
        with put_statements(body, new):
            left = self._left(one)
        if left is not None:
            self._keep(one, cost, left, wrong, right)

    # -- a number or an array that is solved for --------------------------------------------------

    def _solved(self, spot: Spot, at: Where, place: Place) -> Iterator[tuple[float, Todo]]:
        costs, a = FAMILY, (spot, at, place)
        if isinstance(place.node, ast.Constant):
            yield costs["number"], lambda: self._number_for(*a)
        elif spot.slopes is not None:
            yield costs["factor"] + 0.2 * (not place.is_term), lambda: self._factor(*a)
            yield costs["forms"], lambda: self._forms(*a)
            yield costs["terms"], lambda: self._terms(*a)
        elif place.is_term:
            yield costs["factor"], lambda: self._factor_by_runs(*a)
            yield from self._by_runs(*a)

    def _named(self, spot: Spot, at: Where, number: float, cost: float, text: str) -> None:
        """Try an expression in which C is a number, under all that this may be called."""
        cost += BARE * isinstance(spot.node, ast.Name)
        for name, more in spot.scope.names_of(number, TOLERANCE)[:8]:
            number = name if name not in ("1", "-1") else ""
            self._try(spot, at, with_number(text, name), cost + more, number)

    def _factor(self, spot: Spot, at: Where, place: Place) -> None:
        """Solve for a factor that is missing, or a sign."""
        target, of = self.case.target, spot.with_part(at)
        with contextlib.suppress(Exception):  # anybody's expression
            step = spot.moved(of(2 * place.value))
            if step is not None and (c := target.factor(target.given, step)) is not None:
                self._named(spot, at, 1 + c, FAMILY["factor"], f"C * {in_product(place.node)}")

    def _factor_by_runs(self, spot: Spot, at: Where, place: Place) -> None:
        target = self.case.target
        node = ast.parse(f"2 * ({place.text})", mode="eval").body
        for inner in ast.walk(node):
            ast.copy_location(inner, spot.one.node)
        with put(at, node):
            vector = self._vector(spot.one.function, {})
        if vector is not None and vector.shape == target.given.shape:
            c = target.factor(target.given, vector - target.given)
            if c is not None:
                self._named(spot, at, 1 + c, FAMILY["factor"], f"C * {in_product(place.node)}")

    def _forms(self, spot: Spot, at: Where, place: Place) -> None:
        """Look for an array that is missing as a factor, or below a fraction's line."""
        target, of = self.case.target, spot.with_part(at)
        own = names_in(ast.unparse(spot.node))
        try:
            zero = spot.moved(of(0 * place.value))
        except Exception:  # anybody's expression
            return
        if zero is None:
            return
        for text, array, cost in spot.scope.forms(np.shape(place.value)):
            self._spend(2)
            for sign, value in (("*", place.value * array), ("/", place.value / array)):
                try:
                    moved = spot.moved(of(value))
                except Exception:
                    continue
                start = target.given + zero
                if moved is not None and (c := target.factor(start, moved - zero)) is not None:
                    strange = STRANGE * len(names_in(text) - own)
                    self._named(spot, at, c, FAMILY["forms"] + cost + strange,
                                f"C * {in_product(place.node)} {sign} {text}")  # fmt: skip

    def _terms(self, spot: Spot, at: Where, place: Place) -> None:
        """Look for a term that is missing."""
        target, of = self.case.target, spot.with_part(at)
        own = names_in(place.text) | names_in(ast.unparse(spot.node))
        for text, array, cost in spot.scope.terms(np.shape(place.value)):
            self._spend(1)
            try:
                moved = spot.moved(of(place.value + array))
            except Exception:
                continue
            if moved is not None and (c := target.factor(target.given, moved)) is not None:
                strange = NEW_NAME * len(names_in(text) - own) + INSIDE * (not place.is_term)
                self._named(spot, at, c, FAMILY["terms"] + cost + strange,
                            f"{place.text} + C * {text}")  # fmt: skip

    def _by_runs(self, spot: Spot, at: Where, place: Place) -> Iterator[tuple[float, Todo]]:
        """Yield the usual factors and terms, where each takes a run of its own."""
        factor, term = in_product(place.node), place.text
        for text, _, cost in spot.scope.forms(np.shape(place.value)):
            shapes = {f"{factor} * {text}": 0.0, f"{term} + {text}": 0.1,
                      f"{term} - {text}": 0.2, f"{factor} / {text}": 0.3}  # fmt: skip
            for shown, more in shapes.items():
                if cost <= 0.4:
                    total = FAMILY["forms"] + cost + more
                    yield total, lambda a=(spot, at, shown, total): self._try(*a)

    def _number_for(self, spot: Spot, at: Where, place: Place) -> None:
        """Find another number by Newton's method, and believe it if it is short."""
        target = self.case.target
        if spot.slopes is None or isinstance(place.value, bool):
            return
        of, c = spot.with_part(at), float(place.value)
        try:
            for _ in range(12):
                h = 1e-6 * (abs(c) or 1.0)
                here, step = spot.moved(of(c)), (spot.moved(of(c + h)) - spot.moved(of(c - h)))
                along = target.weight * step / (2 * h)
                missing = target.weight * (target.right - target.given - here)
                c += float(along @ missing) / float(along @ along)
            if target.fits(target.given + spot.moved(of(c))):
                for digits in (2, 3, 4, 6):
                    if abs(short := float(f"{c:.{digits}g}")) and abs(short - c) < 1e-5 * abs(c):
                        self._try(spot, at, repr(short), FAMILY["number"])
                        break
        except Exception:  # anybody's expression
            return


def _where(one: Statement) -> str:
    return f"{one.function.name.strip('<>')}, line {one.node.lineno}"


def with_number(text: str, name: str) -> str:
    """Return an expression with a number's name for C, as a person writes it."""
    before, _, rest = text.partition("C * ")
    if name == "1":
        return before + rest
    if name.startswith("-") and before.endswith(" + "):
        before, name = f"{before[:-3]} - ", name[1:]
        return before + rest if name == "1" else f"{before}{name} * {rest}"
    if name == "-1":
        return f"{before}-{rest}"
    if name.startswith("1 / "):
        return f"{before}{rest} / {name[4:]}"
    return f"{before}{name} * {rest}"


def in_product(node: ast.expr) -> str:
    """Return an expression as a factor: in brackets if it is a sum, or the like."""
    text = ast.unparse(node)
    is_product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.Pow)
    atoms = (ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Call)
    return text if is_product or isinstance(node, atoms) else f"({text})"


def names_in(text: str) -> set[str]:
    """Return the names that an expression speaks of."""
    return set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", text))


def _place(node: ast.expr, is_term: bool, is_index: bool, scope: Scope) -> Place:
    try:
        value = scope.value_of(node)
    except Exception:  # anybody's expression, where it last ran
        value = None
    return Place(node, ast.unparse(node), value, is_term, is_index, scope)


def _axes_in(node: ast.AST) -> list[str]:
    """Return the axes that a function speaks of."""
    return list(dict.fromkeys(ast.unparse(k.value) for k in ast.walk(node)
                              if isinstance(k, ast.keyword) and k.arg == "axis"))  # fmt: skip


def _texts(place: Place) -> list[tuple[str, float]]:
    found: dict[str, float] = {}
    for rule in RULES:
        for text, cost in rule(place):
            if text != place.text and cost < found.get(text, np.inf):
                found[text] = cost
    return [*found.items()]


def _entries(statements: list[Statement]) -> int:
    """Return what the entries of a function's arrays cost, in statements."""
    local = max((one.local for one in statements), key=len, default={})
    size = sum(v.size for v in local.values() if isinstance(v, np.ndarray))
    return size * len(statements) // (4 * ENTRIES)
