"""The exercise and predictions of lesson 00, "Start here"."""

from __future__ import annotations

from gradlab.course.prediction import Question
from gradlab.course.task import Task
from gradlab.course.tasks.worst_tensor import WORST_TENSOR

__all__ = ["QUESTIONS", "TASKS"]

TASKS: tuple[Task, ...] = (WORST_TENSOR,)

QUESTIONS = (
    Question(
        name="one_example_less",
        lesson="00",
        question=(
            "b1's norm ratio is 0.4 with 30 examples. With 29 of them, the same weights and the "
            "same bug, it is …"
        ),
        choices={
            "about 0.9": (
                "Fewer examples do not make the bug larger here. What changes is the right "
                "gradient of b1, and it grows."
            ),
            "about 0.4": (
                "One of 30 examples is little where 30 numbers are averaged. But here they "
                "nearly cancel."
            ),
            "about 0.01": (
                "A thirtieth of 0.4, one thinks: an example's share. But the examples nearly "
                "cancel, and one of them weighs more than all 30 together."
            ),
            "below 1e-4": (
                "The gradient of b1 is a sum in which 15 examples of either class pull in "
                "opposite directions. Without one of them it does not cancel: it is tens of "
                "thousands of times as large, and the bug is as small as before."
            ),
        },
        right="below 1e-4",
    ),
    Question(
        name="a_tenth_of_the_missing_term",
        lesson="00",
        question=(
            "In the lab's network L2 is missing in the gradient, and the norm ratio of all "
            "parameters is 0.3. With all its weights a tenth as large, and so the missing term as "
            "well, it is …"
        ),
        choices={
            "about 0.003": (
                "So it would be if the term shrank with the square of the weights, and the rest "
                "of the gradient stayed. The rest shrinks too, and more."
            ),
            "about 0.03": (
                "The missing term is a tenth, but it is compared with the rest of the gradient, "
                "and that is less than a tenth."
            ),
            "about 0.3": (
                "Then the rest of the gradient would have to be a tenth as well. It has the "
                "weights of two other layers as factors, and shrinks more."
            ),
            "above 0.7": (
                "The rest of the gradient shrinks faster than the missing term: a slope along a "
                "weight has the weights of the two other layers as factors."
            ),
        },
        right="above 0.7",
    ),
)
