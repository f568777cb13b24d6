"""A round of the mystery bug: guesses, hints, the reveal, and the score of a session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradlab import bugs
from gradlab._validate import check_choice, check_integer
from gradlab.lab.backward import Place
from gradlab.lab.case import Case
from gradlab.lab.feedback import Feedback, Score
from gradlab.lab.problem import Problem
from gradlab.lab.settings import Settings

__all__ = ["Mystery"]

POINTS = 3  # for a round that is solved at once, without a hint
HINTS = 3


class Mystery:
    """One bug to be found. `pick` makes one.

    Attributes
    ----------
    choices : tuple of str
        The causes that can be picked, all that this network could have.
    tensors : tuple of str
        The tensors that can be picked.
    guesses, hints : int
        How many wrong guesses and hints there were.
    solved, revealed : bool
    score : Score
        Of the session.
    """

    def __init__(self, case: Case, score: Score | None = None) -> None:
        self._case = case
        self._causes = {bugs.describe(name).title: name for name in bugs.names(case.net)}
        self.choices, self.tensors = tuple(self._causes), tuple(case.net.params)
        self.guesses = self.hints = 0
        self.solved = self.revealed = False
        self.score = Score() if score is None else score

    @classmethod
    def pick(
        cls,
        problem: Problem,
        settings: Settings,
        seed: int | None = None,
        played: Sequence[Place] = (),
        score: Score | None = None,
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
        played : sequence of Place, optional
            The bugs of earlier rounds.
        score : Score or None, optional

        Raises
        ------
        ValueError
            No bug of the museum shows.
        """
        number = len(played) if seed is None else check_integer(seed, "seed")
        net = problem.in_gradient
        places = [Place(n, layer) for n in bugs.names(net) for layer in bugs.layers(net, n)]
        order = [places[i] for i in np.random.default_rng(number).permutation(len(places))]
        if seed is None:
            order.sort(key=lambda place: place in played)  # stable: the rest stays shuffled
        for place in order:
            case = Case.of(problem, settings, place)
            if case.shows:
                return cls(case, score)
        raise ValueError(
            "no bug of the museum shows in this network at these settings: raise the weight scale"
        )

    @property
    def secret(self) -> Place:
        """What is planted, for the lab that has to plant it."""
        return self._case.place

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to find."""
        return self.solved or self.revealed

    @property
    def worth(self) -> int:
        """How many points solving it now would give."""
        return 0 if self.revealed else max(0, POINTS - self.hints - self.guesses)

    def guess(self, tensor: str, cause: str) -> Feedback:
        """Say what is right about a guess.

        Parameters
        ----------
        tensor : str
            Where the bug does its damage first, on the way down from the loss: one of `tensors`.
        cause : str
            One of `choices`.

        Raises
        ------
        ValueError, TypeError
            There is no such tensor or cause.
        """
        check_choice(tensor, self.tensors, "tensor")
        name = self._causes[check_choice(cause, self.choices, "cause")]
        cause_right = name == self.secret.name or self._case.same_as(name)
        wrong, layer = tensor in self._case.wrong, self._case.layer_is(tensor)
        feedback = Feedback.on(tensor, cause, wrong, cause_right, layer)
        self._begin()
        if feedback.solved and not self.finished:
            self.score.solved += 1
            self.score.points += self.worth
            self.solved = True
        elif not self.finished:
            self.guesses += 1
        return feedback

    def hint(self) -> str:
        """Return the next hint; there are three, each says more, and the last one is repeated."""
        self._begin()
        number = min(self.hints, HINTS - 1)
        if not self.finished:
            self.hints = number + 1
        if number == 2:
            return f"It is about {bugs.describe(self.secret.name).family}."
        return self._case.which_step() if number else self._case.which_tensors()

    def reveal(self) -> str:
        """Return what was done and where, with the line as it is and as it should be."""
        self._begin()
        self.revealed = True
        about = bugs.describe(self.secret.name)
        where = f" at layer {self.secret.layer}" if self._case.layered else ""
        return (
            f"Planted{where}: {about.summary}.\n"
            f"  wrong: {about.wrong}\n"
            f"  right: {about.right}\n"
            f"It shows in {', '.join(self._case.wrong)}."
        )

    def __repr__(self) -> str:
        state = "solved" if self.solved else "revealed" if self.revealed else "open"
        return f"Mystery({state}, {self.guesses} wrong guesses, {self.hints} hints)"

    def _begin(self) -> None:
        if not (self.guesses or self.hints or self.finished):
            self.score.played += 1
