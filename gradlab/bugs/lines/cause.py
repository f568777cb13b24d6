"""A cause: the wrong line beside the right one, and how well it explains the gradient."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gradlab.bugs.lines.afterwards import After
from gradlab.bugs.lines.line import compiled
from gradlab.bugs.lines.numbers import UNNAMED
from gradlab.bugs.lines.program import Program
from gradlab.nn.network import Point

FACTOR = re.compile(r"\bS\b")


@dataclass(frozen=True)
class Edit:
    """One mistake: a line's text, in one line or in its sisters too.

    Attributes
    ----------
    index : int
        The line's place in the program.
    where, right, wrong : str
        `wrong` may hold S, a factor.
    cost : float
        Low for what people often do.
    also : tuple of (int, str)
        The same mistake in other lines.
    name : str
        What S is, a formula of sizes or a number.
    names : tuple of (str, float)
        All that S may be called, with costs.
    is_named : bool
        Its factor is one that a person would write.
    """

    index: int
    where: str
    right: str
    wrong: str
    cost: float
    also: tuple[tuple[int, str], ...] = ()
    name: str = ""
    names: tuple[tuple[str, float], ...] = ()
    is_named: bool = True

    @property
    def text(self) -> str:
        """The wrong line, as Python writes it; all of them where they are no sisters."""
        texts = [self.wrong, *(text for _, text in self.also if "; " in self.right)]
        texts = [FACTOR.sub(f"{self.name}", t) if self.name else t for t in texts]
        return "; ".join(compiled(text)[0] for text in texts)

    def changes(self) -> dict[int, str]:
        """Return the lines' texts as `Program` takes them."""
        texts = {self.index: self.wrong, **dict(self.also)}
        return {k: FACTOR.sub(f"({self.name})", t) if self.name else t for k, t in texts.items()}


Problem = tuple[np.ndarray, np.ndarray, list[np.ndarray] | None]  # x, y and masks


@dataclass(frozen=True)
class Taken:
    """What was taken for the problem, and how it comes from the right one.

    Attributes
    ----------
    where, text, right : str
    function : callable, (x, y, masks, keep) -> (x, y, masks)
    """

    where: str
    text: str
    right: str
    function: Callable[..., Problem]

    def program(self, program: Program) -> Program:
        """Return the backward pass of the same network, run on what was taken."""
        net = program.net
        return Program(Point(net, *self.function(*program.point[1:], 1 - net.dropout_rate)))


@dataclass(frozen=True)
class Cause:
    """Why a gradient is wrong: an edit of the backward pass that reproduces it.

    Attributes
    ----------
    where : str
        "layer 2, tanh"; of two mistakes "output, dense; layer 1, dense".
    wrong_line, right_line : str
        Lines of numpy, as in `layers`.
    residual : float
        What it leaves of the deviation, relative: 1 is all, the worst of the tensors counts.
    certain : bool
        It reproduces every wrong tensor to the resolution of the check, in more digits than chance
        could, and holds no number that nobody would write.
    tensors : tuple of str
        The wrong tensors that it explains.
    left_open : tuple of str
        Those that it does not.
    alike : tuple of str
        Other edits that fit as well, as "where: wrong line", the simplest and most usual first.
    """

    where: str
    wrong_line: str
    right_line: str
    residual: float
    certain: bool
    tensors: tuple[str, ...]
    left_open: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = field(default=(), repr=False)
    after: After | None = field(default=None, repr=False)
    taken: Taken | None = field(default=None, repr=False)

    def __str__(self) -> str:
        start = "" if self.certain else "perhaps: "
        if self.left_open:
            start = f"perhaps (it leaves {', '.join(self.left_open)} open): "
        said = (
            self.said
            if not self.right_line
            else (f"{self.said}    where it must be    {self.right_line}")
        )
        return f"{start}{said}" + (f"    (or {self.alike[0]})" if self.alike else "")

    @property
    def said(self) -> str:
        """The place and the wrong line."""
        return f"{self.where}: {self.wrong_line}"

    @property
    def is_named(self) -> bool:
        """Tell whether each factor is a size or a short number, as a person writes it.

        Any other may stand for something that these numbers alone do not show, such as a norm.
        """
        edits = all(
            e.is_named and (not e.names or dict(e.names).get(e.name, 0) < UNNAMED)
            for e in self.edits
        )
        return edits and (self.after is None or self.after.is_named)

    @property
    def cost(self) -> float:
        """Low for what people often do: one edit rather than two, usual ones rather than odd."""
        cost = 10 * (len(self.edits) + bool(self.after)) + sum(edit.cost for edit in self.edits)
        return cost + (3 if self.after else 0)

    def apply(self, program: Program) -> dict[str, np.ndarray]:
        """Return the gradient that a right program computes with this mistake."""
        if self.taken:
            return self.taken.program(program).gradient
        changes = {k: text for edit in self.edits for k, text in edit.changes().items()}
        gradient = dict(program.gradient)
        for layer in program.run(changes) if changes else ():
            gradient.update(layer)
        return self.after.function(gradient, program.values) if self.after else gradient

    def replay(self, point: Point) -> dict[str, np.ndarray]:
        """Return the gradient of another network of the same kind, with this mistake made in it."""
        with np.errstate(all="ignore"):
            return self.apply(Program(point))


def cause_of(
    edits: tuple[Edit, ...], after: After | None = None, taken: Taken | None = None
) -> Cause:
    """Return what a person reads of edits: how well they fit is not yet known."""
    changed = [*edits, *([taken] if taken else [])]
    wheres = [one.where for one in changed] + ["after backward"] * bool(after)
    wrongs = [one.text for one in changed] + ([after.code] if after else [])
    rights = [one.right for one in changed]
    return Cause(
        "; ".join(wheres),
        "; ".join(wrongs),
        "; ".join(rights),
        np.inf,
        True,
        (),
        edits=edits,
        after=after,
        taken=taken,
    )
