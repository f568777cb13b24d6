"""The search for the one edit of a person's own lines with which the gradient is right.

Every edit is put into the function's tree, the function is built anew and run on copies. One that
gives the numerical gradient here must do so on other inputs too. The search is bounded by the
statements that it runs, never by the clock: what it finds is the same on every machine.
"""

from __future__ import annotations

import ast
import contextlib
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradlab.checking.source.changes import RULES, Expression, is_data
from gradlab.checking.source.functions import Function
from gradlab.checking.source.harmless import written_by
from gradlab.checking.source.lines import spliced
from gradlab.checking.source.scope import Scope, outer_names
from gradlab.checking.source.silent import ALONE, others_run, silent
from gradlab.checking.source.spot import Spot, is_float
from gradlab.checking.source.statement_changes import Change, changes_of
from gradlab.checking.source.statements import (
    Statement,
    Where,
    expressions,
    parsed,
    put,
    put_statements,
    record,
    statements_of,
)
from gradlab.checking.source.target import Trial
from gradlab.checking.source.untouched import is_large, is_long, untouched

WORK = 250_000  # statements that a search may run, about
ASIDE = 60  # statements that one run takes for copies and for building the function
ENTRIES = 2000  # of an array that are as dear as a statement
MARGIN = 0.5  # how much less usual another edit may be that holds as well, and still be told
MARGIN_OF_ONE = 0.2  # the same for the same line: mostly one thing in other words
FAMILY = {"factor": 0.4, "forms": 1.0, "terms": 1.2, "number": 0.9}  # costs of what is solved for
LATE = 1e-3  # hardly less: what decides where nothing else does
STRANGE = 0.02  # for a factor that a line does not speak of otherwise
BARE = 0.3  # for a factor or a term of a line that only hands on a name
NEW_NAME, INSIDE = 0.25, 0.3  # for a term that speaks of what its line does not, or inside another
TOLERANCE = 2e-6  # relative: how closely a number must be what it is called

Edit = tuple[float, Callable[[], None]]  # its cost, and what tries it


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
    resized : bool
        It is right on inputs of other sizes, too.
    """

    wrong: str
    right: str
    where: str
    cost: float
    residual: float
    number: str = ""
    resized: bool = False


class ExhaustedError(Exception):
    """The search has run as many statements as it may."""


class Search:
    """See the module; what holds everywhere stands in `found`."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.work = trial, WORK
        self.found: list[Mended] = []
        self._places: list | None = None

    def run(self) -> list[Mended]:
        """Return the edits that hold everywhere, the likeliest first."""
        with ALONE:
            return self._run()

    def _run(self) -> list[Mended]:
        codes = self.trial.codes
        things = written_by(codes, self.trial.handed)
        if things is None or is_large(things) or others_run():
            return []
        with (
            silent(),
            contextlib.suppress(ExhaustedError),
            untouched(things) as self._put_back,
        ):
            for number, code in enumerate(self.trial.codes):
                self._number, self._code = number, code
                self._run_code()
                if self.found:
                    break
        found = sorted(self.found, key=lambda m: m.cost)
        kept: dict[tuple[str, str], Mended] = {}
        is_one = any(place.is_larger for place in self._places or ())
        cheapest: dict[str, float] = {}  # of each line
        for mended in found:
            least = cheapest.setdefault(mended.where, mended.cost)
            if mended.cost <= min(found[0].cost + MARGIN, least + MARGIN_OF_ONE):
                kept.setdefault((mended.where, "" if is_one else mended.number), mended)
        return [*kept.values()]

    # -- what is tried, in which order ------------------------------------------------------------

    def _run_code(self) -> None:
        """Try the edits of one code, the most usual first, until the others are far less usual."""
        queue = [edit for function in self._code.functions for edit in self._edits_of(function)]
        best = np.inf
        for cost, todo in sorted(queue, key=operator.itemgetter(0)):
            if cost > best + MARGIN:
                break
            todo()
            best = min((m.cost for m in self.found), default=np.inf)
        if self.found and not self._is_as_given(self._code.functions[0]):
            self.found = []  # an edited line has spoiled what could not be put back

    def _edits_of(self, function: Function) -> Iterator[Edit]:
        if not self._is_as_given(function):
            return
        statements = statements_of(function)
        record(
            self._code, function, statements, lambda new: self.trial.run(self._number, new, None)
        )
        if any(is_long(value) for one in statements for value in one.local.values()):
            return
        self.price = ASIDE + sum(statement.runs for statement in statements) + _entries(statements)
        outer, axes = outer_names(function.live), _axes_in(function.node)
        for statement in statements:
            if statement.runs:
                scope = Scope(statement.local, outer, self.trial.constants, axes)
                yield from self._edits_in(statement, scope)

    def _is_as_given(self, function: Function) -> bool:
        """Tell whether a function that is built anew, as it is, gives the gradient that came."""
        self.price = ASIDE
        vector, given = self._vector(function, {}), self.trial.target.given
        return vector is not None and np.allclose(vector, given, rtol=1e-9, atol=1e-12)

    def _edits_in(self, statement: Statement, scope: Scope) -> Iterator[Edit]:
        """Yield the edits of what a statement computes, of where it writes, and of the whole."""
        for where, root in statement.roots():
            yield from self._edits_at(Spot(statement, scope, where), root)
        for where, root in statement.indices():
            spot = Spot(statement, scope, where)
            for at, node, _, _ in expressions(where, root, is_term=False, is_index=True):
                yield from self._exchanged(spot, at, _expression(node, False, True, scope))
        for change in changes_of(statement, scope):
            yield change.cost, partial(self._try_whole, statement, change)

    def _edits_at(self, spot: Spot, root: ast.expr) -> Iterator[Edit]:
        """Yield the edits of what a statement computes: rules first, then what is solved for."""
        spot.value = spot.scope.known(root)
        with contextlib.suppress(ExhaustedError):
            self._look(spot)
        is_to_blame = spot.is_to_blame(self.trial.target)
        for at, node, is_term, is_index in expressions(spot.where, root):
            expr = _expression(node, is_term, is_index, spot.scope)
            yield from self._exchanged(spot, at, expr)
            if is_to_blame and not is_index and is_float(expr.value):
                yield from self._solved(spot, at, expr)

    def _exchanged(self, spot: Spot, at: Where, expr: Expression) -> Iterator[Edit]:
        for text, cost in _texts(expr):
            yield cost, partial(self._try, spot, at, text, cost)

    def _look(self, spot: Spot) -> None:
        if is_float(spot.value) and (np.size(spot.value) + 1) * self.price < WORK / 10:
            function = spot.statement.function
            spot.look(lambda bound: self._vector(function, bound), self.trial.target)

    # -- one edit ---------------------------------------------------------------------------------

    def _vector(self, function: Function, bound: Mapping[str, object]) -> np.ndarray | None:
        """Return the gradient that a function's tree gives; None where it gives none."""
        self._spend(self.price)
        try:
            new = self._code.edited(function, bound)
            return self.trial.target.vector(self.trial.run(self._number, new, None))
        except (Exception, SystemExit):  # anybody's code, and not even as it was written
            return None
        finally:
            self._put_back()  # an edited line may write into what all runs share

    def _spend(self, work: int) -> None:
        self.work -= work
        if self.work < 0:
            raise ExhaustedError

    def _try(self, spot: Spot, at: Where, text: str, cost: float, number: str = "") -> None:
        """Put a text in an expression's place, and keep it if the gradient is right then."""
        statement = spot.statement
        try:
            node = parsed(text, statement.node)
        except SyntaxError:
            return
        if self._is_known(statement, cost):
            return
        with put(at, node):
            left = self._left(statement) if self._may_be(spot) else None
        if left is not None:
            self._keep(
                statement,
                cost,
                left,
                *spliced(statement.function.text, statement.node, at, text),
                number,
            )

    def _is_known(self, statement: Statement, cost: float) -> bool:
        """Tell whether an edit of the same line holds that is more usual.

        Where sizes could be changed, what holds for one line is one thing in other words.
        """
        where = _where(statement)
        is_one = any(place.is_larger for place in self._places or ())
        return is_one and any(m.where == where and m.cost <= cost for m in self.found)

    def _may_be(self, spot: Spot) -> bool:
        """Tell whether an edit can run where its line last ran, and move the gradient rightly."""
        if spot.value is None:
            return True
        self._spend(2)
        try:
            value = spot.now()
            if spot.statement.runs > 1:
                return True
            if np.shape(value) != np.shape(spot.value):
                return True
            if spot.slopes is None:
                return not np.array_equal(value, spot.value)
            return self.trial.target.fits(self.trial.target.given + spot.moved(value))
        except (Exception, SystemExit):  # anybody's expression, and not as it was written
            return False

    def _left(self, statement: Statement) -> float | None:
        """Return what the tree as it stands leaves of the deviation; None if it is not right."""
        vector, target = self._vector(statement.function, {}), self.trial.target
        if vector is None or not target.fits(vector) or not self._holds(statement.function):
            return None
        return target.left(vector) if self._keeps(statement.function) else None

    def _keeps(self, function: Function) -> bool:
        """Tell whether an edit leaves alone what is right, where that calls the function too."""
        try:
            return self.trial.keeps(function)
        except (Exception, SystemExit):  # anybody's code
            return False
        finally:
            self._put_back()

    def _keep(
        self,
        statement: Statement,
        cost: float,
        left: float,
        wrong: str,
        right: str,
        number: str = "",
    ) -> None:
        # of several lines that a factor may be missing in, the last, where it is usually put
        cost -= LATE * statement.node.lineno / (statement.function.node.end_lineno or 1)
        resized = any(place.is_larger for place in self._places or ())
        self.found.append(Mended(wrong, right, _where(statement), cost, left, number, resized))

    def _holds(self, function: Function) -> bool:
        if self._places is None:
            self._places = self.trial.places()
        new = self._code.edited(function, {})
        try:
            return bool(self._places) and all(
                place.agrees(self.trial.run(self._number, new, place)) for place in self._places
            )
        except (Exception, SystemExit):  # anybody's code
            return False
        finally:
            self._put_back()

    def _try_whole(self, statement: Statement, change: Change) -> None:
        """Let other statements stand in a body, and keep them if the gradient is right then."""
        with put_statements(change.body, change.new):
            left = self._left(statement)
        if left is not None:
            self._keep(statement, change.cost, left, change.wrong, change.right)

    # -- a number or an array that is solved for --------------------------------------------------

    def _solved(self, spot: Spot, at: Where, expr: Expression) -> Iterator[Edit]:
        at_it = spot, at, expr
        if isinstance(expr.node, ast.Constant):
            yield FAMILY["number"], partial(self._number_for, *at_it)
        elif spot.slopes is not None:
            yield FAMILY["factor"] + 0.2 * (not expr.is_term), partial(self._factor, *at_it)
            yield FAMILY["forms"], partial(self._forms, *at_it)
            yield FAMILY["terms"], partial(self._terms, *at_it)
        elif expr.is_term:
            yield FAMILY["factor"], partial(self._factor_by_runs, *at_it)
            yield from self._by_runs(*at_it)

    def _named(self, spot: Spot, at: Where, number: float, cost: float, text: str) -> None:
        """Try an expression in which C is a number, under all that this may be called."""
        cost += BARE * isinstance(spot.node, ast.Name)
        for name, more in spot.scope.names_of(number, TOLERANCE)[:8]:
            number = name if name not in ("1", "-1") else ""
            self._try(spot, at, with_number(text, name), cost + more, number)

    def _factor(self, spot: Spot, at: Where, expr: Expression) -> None:
        """Solve for a factor that is missing, or a sign."""
        target, of = self.trial.target, spot.with_part(at)
        with contextlib.suppress(Exception):  # anybody's expression
            c = target.factor(target.given, spot.moved(of(2 * expr.value)))
            if c is not None:
                self._named(spot, at, 1 + c, FAMILY["factor"], f"C * {in_product(expr.node)}")

    def _factor_by_runs(self, spot: Spot, at: Where, expr: Expression) -> None:
        target = self.trial.target
        with put(at, parsed(f"2 * ({expr.text})", spot.statement.node)):
            vector = self._vector(spot.statement.function, {})
        if vector is not None and vector.shape == target.given.shape:
            c = target.factor(target.given, vector - target.given)
            if c is not None:
                self._named(spot, at, 1 + c, FAMILY["factor"], f"C * {in_product(expr.node)}")

    def _forms(self, spot: Spot, at: Where, expr: Expression) -> None:
        """Look for an array that is missing as a factor, or below a fraction's line."""
        target, of = self.trial.target, spot.with_part(at)
        own = words_in(ast.unparse(spot.node))
        try:
            zero = spot.moved(of(0 * expr.value))
        except (Exception, SystemExit):  # anybody's expression
            return
        if zero is None:  # of another shape where nothing is left of it, as with `extract`
            return
        shape, whole = np.shape(expr.value), np.shape(spot.value)
        if shape == whole[len(whole) - len(shape) :]:  # a number for each column may lack a matrix
            shape = whole
        for text, array, cost in spot.scope.forms(shape):
            self._spend(2)
            for sign, value in (("*", expr.value * array), ("/", expr.value / array)):
                try:
                    moved = spot.moved(of(value))
                except (Exception, SystemExit):
                    continue
                start = target.given + zero
                if moved is not None and (c := target.factor(start, moved - zero)) is not None:
                    strange = STRANGE * len(words_in(text) - own)
                    shown = text if sign == "*" else below(text)
                    self._named(
                        spot,
                        at,
                        c,
                        FAMILY["forms"] + cost + strange,
                        f"C * {in_product(expr.node)} {sign} {shown}",
                    )

    def _terms(self, spot: Spot, at: Where, expr: Expression) -> None:
        """Look for a term that is missing."""
        target, of = self.trial.target, spot.with_part(at)
        own = words_in(expr.text) | words_in(ast.unparse(spot.node))
        for text, array, cost in spot.scope.terms(np.shape(expr.value)):
            self._spend(1)
            try:
                moved = spot.moved(of(expr.value + array))
            except (Exception, SystemExit):
                continue
            if moved is not None and (c := target.factor(target.given, moved)) is not None:
                strange = NEW_NAME * len(words_in(text) - own) + INSIDE * (not expr.is_term)
                self._named(
                    spot, at, c, FAMILY["terms"] + cost + strange, f"{expr.text} + C * {text}"
                )

    def _by_runs(self, spot: Spot, at: Where, expr: Expression) -> Iterator[Edit]:
        """Yield the usual factors and terms, where each takes a run of its own."""
        factor, term = in_product(expr.node), expr.text
        for text, _, cost in spot.scope.forms(np.shape(expr.value)):
            shapes = {
                f"{factor} * {text}": 0.0,
                f"{term} + {text}": 0.1,
                f"{term} - {text}": 0.2,
                f"{factor} / {below(text)}": 0.3,
            }
            for shown, more in shapes.items():
                if cost <= 0.4:
                    total = FAMILY["forms"] + cost + more
                    yield total, partial(self._try, spot, at, shown, total)

    def _number_for(self, spot: Spot, at: Where, expr: Expression) -> None:
        """Find another number by Newton's method, and believe it if it is short."""
        target, of, c = self.trial.target, spot.with_part(at), float(expr.value)
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
        except (Exception, SystemExit):  # anybody's expression, or its slopes are not known
            return


def _where(statement: Statement) -> str:
    return f"{statement.function.name.strip('<>')}, line {statement.node.lineno}"


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


def below(text: str) -> str:
    """Return what something is divided by: in brackets if it is a product."""
    node = ast.parse(text, mode="eval").body
    is_product = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)
    return f"({text})" if is_product else text


def words_in(text: str) -> set[str]:
    """Return the names that an expression speaks of."""
    return set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", text))


def _expression(node: ast.expr, is_term: bool, is_index: bool, scope: Scope) -> Expression:
    return Expression(node, ast.unparse(node), scope.known(node), is_term, is_index, scope)


def _axes_in(node: ast.AST) -> list[str]:
    """Return the axes that a function speaks of."""
    return list(
        dict.fromkeys(
            ast.unparse(k.value)
            for k in ast.walk(node)
            if isinstance(k, ast.keyword) and k.arg == "axis"
        )
    )


def _texts(expr: Expression) -> list[tuple[str, float]]:
    found: dict[str, float] = {}
    for rule in RULES if is_data(expr.value) else ():
        for text, cost in rule(expr):
            if text != expr.text and cost < found.get(text, np.inf):
                found[text] = cost
    return [*found.items()]


def _entries(statements: list[Statement]) -> int:
    """Return what the entries of a function's arrays cost, in statements."""
    local = max((statement.local for statement in statements), key=len, default={})
    size = sum(v.size for v in local.values() if isinstance(v, np.ndarray))
    return size * len(statements) // (4 * ENTRIES)
