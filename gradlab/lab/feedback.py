"""What a learner is told about a guess, and the points of a session."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Feedback", "Score"]


@dataclass
class Score:
    """The points of a session.

    Attributes
    ----------
    points : int
        Three a round, less one for each hint and wrong guess, never below 0.
    solved, played : int
        Rounds; a round counts as played from its first guess, hint or reveal on.
    """

    points: int = 0
    solved: int = 0
    played: int = 0

    def __str__(self) -> str:
        return f"{self.points} points, {self.solved} of {self.played} solved"


@dataclass(frozen=True)
class Feedback:
    """What is right about a guess.

    Attributes
    ----------
    solved, tensor_right, cause_right : bool
    layer_right : bool or None
        Whether the tensor is of the layer where the damage begins, on the way down from the loss;
        None where the bug is in no one layer.
    words : str
        The same in sentences.
    """

    solved: bool
    tensor_right: bool
    cause_right: bool
    layer_right: bool | None
    words: str

    @classmethod
    def on(
        cls, tensor: str, cause: str, wrong: bool, cause_right: bool, layer: bool | None
    ) -> Feedback:
        """Return the feedback on a guess of which these things are right or not."""
        told = [f"The cause is {'right' if cause_right else 'another one than'}: {cause}."]
        if not wrong:
            told.append(f"The gradient of {tensor} is right: look at one that is wrong.")
            if layer:
                told.append("But its layer is where the damage begins.")
        elif layer is False:
            told.append(
                f"{tensor} is wrong, but the damage begins further up: look for the wrong tensor "
                "that is nearest to the loss."
            )
        elif layer:
            told.append(f"{tensor} is wrong, and its layer is where the damage begins.")
        else:
            told.append(f"{tensor} is among the wrong ones.")
        solved = cause_right and wrong and layer is not False
        return cls(solved, wrong, cause_right, layer, " ".join(told))
