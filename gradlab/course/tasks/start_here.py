"""The exercise and predictions of lesson 00, "Start here"."""

from __future__ import annotations

from gradlab.course.prediction import Question
from gradlab.course.task import Task
from gradlab.course.tasks.worst_tensor import WORST_TENSOR

__all__ = ["QUESTIONS", "TASKS"]

TASKS: tuple[Task, ...] = (WORST_TENSOR,)

QUESTIONS = (
    Question(
        name="worst_of_four",
        lesson="00",
        question=(
            "B's norm ratio of all parameters is between 1e-7 and 1e-6. Of its four tensors by "
            "themselves, the worst has …"
        ),
        choices={
            "about 1e-7": "A part can be worse than the whole: a norm weighs a tensor by its size.",
            "about 1e-6": (
                "So has W1. The norm of all parameters is near that of the tensors that are "
                "large; a small one can be anything."
            ),
            "about 1e-4": (
                "Half of the parameters are not touched by the bug, so the others are worse than"
                " the whole. But one is far worse: its gradient is nearly 0."
            ),
            "above 0.1": (
                "The gradient of b1 is a sum in which the two classes nearly cancel. What the "
                "bug adds is small, but as large as what is left."
            ),
        },
        right="above 0.1",
    ),
    Question(
        name="smallest_lambda",
        lesson="00",
        question="With the term missing in the gradient, gl.check says wrong down to a lambda of …",
        choices={
            "1e-2": (
                "There the norm ratio is 0.03. The check has no such line: it asks what rounding"
                " and the step can explain."
            ),
            "1e-3": (
                "That is the rule's line: from 1e-3 on a worry. The check has none; it asks what"
                " rounding and the step can explain, and that is far less."
            ),
            "1e-6": (
                "The norm ratio is 3e-6 there. Rounding and the step explain less than that, so "
                "something is missing."
            ),
            "1e-9": (
                "There the term is smaller than what rounding leaves open, and the verdict is "
                "inconclusive."
            ),
        },
        right="1e-6",
    ),
)
