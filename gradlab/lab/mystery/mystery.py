"""A round of the mystery bug: guesses, hints, the reveal, and the score of a session."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from gradlab._validate import check_choice, check_integer
from gradlab.bugs import Secret
from gradlab.bugs.likely import KINDS, kind_of
from gradlab.bugs.slip import key_of
from gradlab.lab.model.problem import Problem
from gradlab.lab.model.settings import Settings
from gradlab.lab.mystery.feedback import Feedback, Score
from gradlab.lab.mystery.hidden_bug import HiddenBug

__all__ = ["Mystery"]

POINTS = 3  # for a round that is solved at once, without a hint
HINTS = 3


class Mystery:
    """One wrong line to be found, or two. `pick` makes a round.

    Attributes
    ----------
    choices : tuple of str
        The lines that can be picked, as they should be, with their places. One of them was edited
        (or two were), and no edit of another one gives the same gradient.
    tensors : tuple of str
        The tensors that can be picked.
    count : int
        How many of `choices` were edited.
    guesses, hints : int
        How many wrong guesses and hints there were.
    solved, revealed : bool
    score : Score
        Of the session.
    """

    def __init__(self, hidden: HiddenBug, score: Score | None = None) -> None:
        self._hidden = hidden
        keys = {slip.key for slip in hidden.secret.slips}
        self._places = {f"{line.where}: {text}": line.where for line, text in hidden.lines}
        self._edited = {
            choice
            for choice, (line, _) in zip(self._places, hidden.lines, strict=True)
            if key_of(line) in keys
        }
        self._found: set[str] = set()
        self.choices, self.tensors = tuple(self._places), tuple(hidden.net.params)
        self.count = len(self._edited)
        self.guesses = self.hints = 0
        self.solved = self.revealed = False
        self.score = Score() if score is None else score

    @classmethod
    def pick(
        cls,
        problem: Problem,
        settings: Settings,
        seed: int | None = None,
        played: Collection[Secret] = (),
        score: Score | None = None,
        count: int = 1,
    ) -> Mystery:
        """Return a round with a bug that shows in this network, at these examples.

        Parameters
        ----------
        problem : Problem
            Without a bug.
        settings : Settings
        seed : int or None, optional
            Same seed, same bug. None is that of the round's number, and none of `played` as long
            as there are others.
        played : collection of Secret, optional
            The bugs of earlier rounds.
        score : Score or None, optional
        count : {1, 2}, optional
            How many lines are wrong.

        Raises
        ------
        ValueError
            No bug shows.
        """
        number = len(played) if seed is None else check_integer(seed, "seed")
        rng = np.random.default_rng(number)
        try:
            hidden = HiddenBug.draw(problem, settings, rng, count, played if seed is None else ())
        except ValueError as error:
            raise ValueError(
                "no bug shows in this network at these settings: raise the weight scale"
            ) from error
        return cls(hidden, score)

    @property
    def secret(self) -> Secret:
        """What is planted, for the lab that has to plant it."""
        return self._hidden.secret

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to find."""
        return self.solved or self.revealed

    @property
    def worth(self) -> int:
        """How many points solving it now would give."""
        return 0 if self.revealed else max(0, POINTS - self.hints - self.guesses)

    def guess(self, tensor: str, line: str) -> Feedback:
        """Say what is right about a guess.

        Parameters
        ----------
        tensor : str
            Where the bug does its damage first, on the way down from the loss: one of `tensors`.
        line : str
            One of `choices`. Of two wrong lines each takes a guess of its own.

        Raises
        ------
        ValueError, TypeError
            There is no such tensor or line.
        """
        check_choice(tensor, self.tensors, "tensor")
        check_choice(line, self.choices, "line")
        feedback = Feedback.on(
            tensor,
            is_wrong=tensor in self._hidden.wrong,
            layer_right=self._hidden.layer_is(tensor),
            is_edited=line in self._edited,
            near=self._near(line),
            left=self.count - len(self._found | {line} & self._edited),
        )
        self._begin()
        if self.finished:
            return feedback
        if feedback.hit:
            self._found.add(line)
        else:
            self.guesses += 1
        if feedback.solved:
            self.score.solved += 1
            self.score.points += self.worth
            self.solved = True
        return feedback

    def _near(self, line: str) -> str:
        """Return the layer of a line if a wrong one is in it, else ""."""
        layer = _layer(self._places[line])
        return layer if layer in {_layer(slip.where) for slip in self.secret.slips} else ""

    def hint(self) -> str:
        """Return the next hint; there are three, each says more, and the last one is repeated."""
        self._begin()
        number = min(self.hints, HINTS - 1)
        if not self.finished:
            self.hints = number + 1
        if number == 2:
            return self._what_kind()
        return self._hidden.which_step() if number else self._hidden.which_tensors()

    def _what_kind(self) -> str:
        """Return a sentence on what was done, without the line."""
        told = dict.fromkeys(
            f"It is a line of {slip.line.of.replace('_', ' ')}: "
            f"{KINDS[kind_of(slip.wrong, slip.right)][0]}."
            for slip in self.secret.slips
        )
        return " The other: ".join(text if k == 0 else text[6:] for k, text in enumerate(told))

    def reveal(self) -> str:
        """Return what was done and where, with the line as it is and as it should be."""
        self._begin()
        self.revealed = True
        return f"It shows in {', '.join(self._hidden.wrong)}. {self.secret}"

    def __repr__(self) -> str:
        state = "solved" if self.solved else "revealed" if self.revealed else "open"
        return f"Mystery({state}, {self.guesses} wrong guesses, {self.hints} hints)"

    def _begin(self) -> None:
        if not (self.guesses or self.hints or self._found or self.finished):
            self.score.played += 1


def _layer(where: str) -> str:
    return where.partition(",")[0]
