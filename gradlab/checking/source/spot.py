"""An expression that a line computes once, and how the gradient depends on it.

Where that is linear, it is known from one run for each of its entries. What an edit of the line
would do to the gradient then takes one evaluation of the line, where it last ran.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.checking.source.scope import Scope
from gradlab.checking.source.statements import Statement, Where, node_at, parsed, put
from gradlab.checking.source.target import MOST_LEFT, Target

MOST_ENTRIES = 400
Run = Callable[[Mapping[str, object]], np.ndarray | None]


@dataclass(eq=False)
class Spot:
    """What a line computes, or one part of a tuple that it does.

    Attributes
    ----------
    statement : Statement
    scope : Scope
    where : tuple
    value : object
        What it was when the line last ran; None where that is not known.
    slopes : ndarray, shape (m, entries), or None
        Of the gradient by its entries, where it is linear in them.
    """

    statement: Statement
    scope: Scope
    where: Where
    value: object = None
    slopes: np.ndarray | None = None

    @property
    def node(self) -> ast.expr:
        """The expression, as its tree stands."""
        return node_at(self.where)

    def now(self) -> object:
        """Return what the expression gives as its tree stands; raises what it raises."""
        return self.scope.value_of(self.node)

    def look(self, run: Run, target: Target) -> None:
        """Find the slopes: one run for each entry, and one that tells whether all is linear."""
        if not is_float(self.value) or self.statement.runs != 1:
            return
        shape, size = np.shape(self.value), float(np.abs(self.value).max()) or 1.0
        columns = []

        def change(added: np.ndarray) -> np.ndarray | None:
            vector = run({"__added__": added})
            is_like = vector is not None and vector.shape == target.given.shape
            return vector - target.given if is_like else None

        together = parsed("HERE + __added__", self.statement.node)
        together.left = self.node
        with put(self.where, together):
            for entry in np.eye(np.size(self.value)):
                if (found := change(size * entry.reshape(shape)[()])) is None:
                    return
                columns.append(found / size)
            whole = size * np.random.default_rng(0).standard_normal(shape)
            found = change(whole)
        slopes = np.array(columns).T
        if found is not None and np.isfinite(slopes).all():
            far = np.linalg.norm(found - slopes @ np.ravel(whole))
            if far <= 1e-7 * np.linalg.norm(found) + 1e-12:
                self.slopes = slopes

    def is_to_blame(self, target: Target) -> bool:
        """Tell whether any other value of the expression would make the gradient right."""
        if self.slopes is None:
            return True
        rows = self.slopes * target.weight[:, None]
        missing = target.weight * (target.right - target.given)
        found = np.linalg.lstsq(rows, missing, rcond=1e-12)[0]
        return float(np.linalg.norm(rows @ found - missing)) <= MOST_LEFT * target.off

    def moved(self, value: object) -> np.ndarray | None:
        """Return by how much the gradient moves if the expression were `value`."""
        value = np.asarray(value, float)
        if value.shape != np.shape(self.value):
            try:
                value = np.broadcast_to(value, np.shape(self.value))
            except ValueError:
                return None
        return self.slopes @ np.ravel(value - self.value)

    def with_part(self, where: Where) -> Callable[[object], object]:
        """Return the expression as a function of one part of it."""
        part = ast.copy_location(ast.Name("__part__", ast.Load()), self.statement.node)
        with put(where, part):
            code = compile(ast.fix_missing_locations(ast.Expression(self.node)), "part", "eval")
        names = {**self.scope.outer, **self.scope.local}

        def of(value: object) -> object:
            names["__part__"] = value
            return eval(code, names)  # noqa: S307 - the person's own code, see `functions`

        return of


def is_float(value: object) -> bool:
    """Tell whether a value is a number or an array that a gradient may come through."""
    if isinstance(value, np.ndarray | np.floating):
        return value.dtype.kind == "f" and 0 < value.size <= MOST_ENTRIES
    return isinstance(value, float)
