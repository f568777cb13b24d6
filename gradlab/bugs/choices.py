"""Lines of a backward pass among which one is wrong, and no other one can be it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from gradlab.bugs.drawing import FEW, ROUTINE, far, gradient_with
from gradlab.bugs.likely import names_in
from gradlab.bugs.lines.cause import FACTOR
from gradlab.bugs.lines.edits import Scope, edits_of
from gradlab.bugs.lines.line import Line
from gradlab.bugs.lines.program import Program
from gradlab.bugs.lines.search import FAILS
from gradlab.bugs.planting import program_of
from gradlab.bugs.slip import Secret, Slip, Written, changes_of, key_of
from gradlab.nn.layers import Grads
from gradlab.nn.network import Point

NEAR = 2  # lines that move the same tensors, for which it takes a look at the gradient to tell
TESTED = 4  # of them so many are tested at most: in a long loop that takes its time
DEAREST = 3.0  # an edit that costs more than this explains nothing as well
FITS = 1e-7  # of a tensor's norm
WRONG = 1e-4  # norm ratio of a tensor that is wrong


def choices(
    secret: Secret,
    point: Point,
    rng: np.random.Generator,
    count: int = 5,
) -> list[tuple[Line, str]]:
    """Return lines as they should be, in no order, with their texts: the edited ones and others.

    No likely edit of one of the others gives the same gradient, so that it could be found out.

    Parameters
    ----------
    secret : Secret
        Its lines are in the backward pass.
    point
        As in `Network.gradient`, where it shows.
    rng : Generator
    count : int, optional
        How many lines; fewer, where so many are not to be told apart.
    """
    wrong = {slip.key for slip in secret.slips}
    edited = [pair for pair in secret.written if key_of(pair[0]) in wrong]
    if secret.exhibit is not None:  # of the same mistake in every layer, one is enough
        edited = [edited[rng.integers(len(edited))]]
    others = [
        (line, text)
        for line, text in secret.written
        if key_of(line) not in wrong and not ROUTINE.search(text)
    ]
    others = [others[k] for k in rng.permutation(len(others))]
    trials = trials_of(secret, point)
    found = [*edited, *islice(_innocent(trials, others), count - len(edited))]
    return [found[k] for k in rng.permutation(len(found))]


def _innocent(trials: list[Trial], others: Written) -> Iterator[tuple[Line, str]]:
    """Yield lines that cannot be the wrong one: some where it takes a look at the gradient first.

    Lazily, for a line in a long loop takes its time.
    """
    reached = trials[0].program.reached
    others = [pair for pair in others if reached[pair[0].index]]
    near = [pair for pair in others if any(trial.is_near(pair[0]) for trial in trials)]
    elsewhere = [pair for pair in others if pair not in near]

    def only(pairs: Written) -> Iterator[tuple[Line, str]]:
        return (
            pair for pair in pairs if not any(trial.is_explained_by(pair[0]) for trial in trials)
        )

    yield from islice(only(near[:TESTED]), NEAR)
    yield from only(elsewhere)
    yield from only(near[TESTED:])


def trials_of(secret: Secret, point: Point) -> list[Trial]:
    """Return for each wrong line what another one would have to explain, on a few examples."""
    n = point.batch
    for few in (FEW, n):
        program = _program(point, np.arange(min(few, n)))
        made = secret.gradient(program)
        if max(far(made, program.gradient).values()) > WRONG:
            break
    if len(secret.slips) == 1 or secret.exhibit is not None:
        return [Trial(program, made)]
    rests = [tuple(other for other in secret.slips if other is not slip) for slip in secret.slips]
    return [Trial(program, made, rest) for rest in rests]


def _program(point: Point, rows: np.ndarray) -> Program:
    net, x, y, _ = point
    drawn = program_of(point).point.masks
    x, y = net.pick(np.asarray(x), np.asarray(y), rows)
    with np.errstate(all="ignore"):
        return Program(Point(net, x, y, drawn and [np.asarray(m)[rows] for m in drawn]))


class Trial:
    """What a line has to explain, to be taken for a wrong one.

    Parameters
    ----------
    program : Program
        The right one.
    target : dict of str to ndarray
        The wrong gradient.
    rest : tuple of Slip
        The other wrong lines.
    """

    def __init__(self, program: Program, target: Grads, rest: tuple[Slip, ...] = ()) -> None:
        self.program, self.target, self.scope = program, target, Scope(program)
        self.rest = changes_of(rest, program.listing)
        base = gradient_with(program, rest)
        off = far(base, target)
        sizes = {name: float(np.linalg.norm(value)) for name, value in base.items()}
        self.floor = 1e-9 * sum(sizes.values())
        self.wrong = {"d" + name for name, ratio in off.items() if ratio > WRONG}
        self.live = {"d" + name for name, size in sizes.items() if size > self.floor}

    def is_near(self, line: Line) -> bool:
        """Tell whether a line moves all that is wrong and nothing that is right."""
        reached = self._reached(line)
        return reached >= self.wrong and reached & self.live <= self.wrong

    def is_explained_by(self, line: Line) -> bool:
        """Tell whether a likely edit of a line gives this gradient."""
        if not self._reached(line) >= self.wrong:
            return False
        with np.errstate(all="ignore"):
            return any(
                self._is_made_by(line, text)
                for text, (cost, _) in edits_of(line, self.scope).items()
                if cost <= DEAREST
            )

    def _reached(self, line: Line) -> set[str]:
        """Return what a line moves, also by another wrong line that reads what it should not."""
        found = self.program.reached
        reached = set(found[line.index])
        for k, text in self.rest.items():
            if names_in(text) & {line.target, *reached}:
                reached |= found[k]
        return reached

    def _is_made_by(self, line: Line, text: str) -> bool:
        few = sorted(self.wrong, key=lambda name: self.target[self.program.grads[name]].size)[:2]
        wanted = [frozenset(few)] if line.step.is_long else []  # a loop's other lines take time
        try:
            return all(self._fits(line, text, names) for names in (*wanted, frozenset()))
        except FAILS:
            return False

    def _fits(self, line: Line, text: str, wanted: frozenset[str]) -> bool:
        """Tell whether the tensors that are wanted come out, whatever factor an S stands for."""
        changes = {**self.rest, line.index: text}
        runs = [self.program.run(changes, S, wanted) for S in (0.0, 1.0)]
        if not FACTOR.search(text):
            made = (tensor for layer in runs[1] for tensor in layer)
            return all(self._is_close(k, self.target[k] - value, 0 * value) for k, value in made)
        S = None
        for zero, one in zip(*runs, strict=True):
            for (name, start), (_, end) in zip(zero, one, strict=True):
                rest, step = self.target[name] - start, end - start
                if S is None and step.any():
                    S = float((step * rest).sum() / (step * step).sum())
                if not self._is_close(name, rest, (S or 0.0) * step):
                    return False
        return True

    def _is_close(self, name: str, rest: np.ndarray, step: np.ndarray) -> bool:
        size = np.linalg.norm(self.target[name])
        return bool(np.linalg.norm(rest - step) <= FITS * size + self.floor)
