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
    solved : bool
        With this guess nothing is left to be found.
    hit : bool
        Tensor and line are right; of two lines the other one may be left.
    tensor_right, line_right : bool
    layer_right : bool or None
        Whether the tensor is of the layer nearest to the loss in which one is wrong; the damage is
        made there, or handed down to it. None where the bug is in no one layer.
    words : str
        The same in sentences.
    """

    solved: bool
    hit: bool
    tensor_right: bool
    line_right: bool
    layer_right: bool | None
    words: str

    @classmethod
    def on(
        cls,
        tensor: str,
        *,
        is_wrong: bool,
        layer_right: bool | None,
        is_edited: bool,
        near: str,
        left: int,
    ) -> Feedback:
        """Return the feedback on a guess.

        Parameters
        ----------
        tensor : str
            What was picked.
        is_wrong : bool
            The tensor's gradient is wrong.
        layer_right : bool or None
            As in the attributes.
        is_edited : bool
            The line that was picked is a wrong one.
        near : str
            The line's layer, if a wrong line is in it.
        left : int
            How many wrong lines are to be found after this guess, if it is right.
        """
        hit = is_edited and is_wrong and layer_right is not False
        words = f"{_on_line(is_edited, near)} {_on_tensor(tensor, is_wrong, layer_right)}"
        if hit and left:
            words += " One of two is found: now the other one."
        return cls(hit and not left, hit, is_wrong, is_edited, layer_right, words)


def _on_line(is_edited: bool, near: str) -> str:
    if is_edited:
        return "This line is written wrongly."
    but = f", but another one of {near} is not" if near else ""
    return f"This line is as it should be{but}."


def _on_tensor(tensor: str, is_wrong: bool, layer_right: bool | None) -> str:
    if not is_wrong:
        but = (
            " But another one of its layer is the wrong one nearest to the loss."
            if layer_right
            else ""
        )
        return f"The gradient of {tensor} is right: look at one that is wrong.{but}"
    if layer_right is False:
        return (
            f"{tensor} is wrong, but the damage begins further up: look for the wrong tensor that "
            "is nearest to the loss."
        )
    if layer_right:
        return (
            f"{tensor} is wrong, and in no layer nearer to the loss a tensor is: the damage is "
            "made in its layer or in the signal handed down to it."
        )
    return f"{tensor} is among the wrong ones."
