"""Exercises and predictions of lesson 10, "Conv net"."""

from __future__ import annotations

from gradlab.course.prediction import Question
from gradlab.course.task import Task
from gradlab.course.tasks.blame import BLAME
from gradlab.course.tasks.conv_backward import CONV_BACKWARD

__all__ = ["QUESTIONS", "TASKS"]

TASKS: tuple[Task, ...] = (BLAME, CONV_BACKWARD)

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="always_the_first",
        lesson="10",
        question=(
            "With Pool1 giving each window's gradient to its top left pixel, the norm ratio of "
            "conv1_W is …"
        ),
        choices={
            "below 0.1": (
                "So it is for conv1_b: a sum forgets where. conv1_W multiplies by pixels, and "
                "neighboring pixels are alike, not equal."
            ),
            "about 0.2": (
                "For that neighboring pixels would have to be nearly equal. They are alike, but "
                "the strokes of a digit are thin."
            ),
            "about 0.45": (
                "A gradient that is one pixel off meets much the same image: neighboring pixels "
                "are alike, and conv1_W is less wrong than the signal it is made of."
            ),
            "about 0.7": (
                "So it is for two gradients of equal length and at right angles. But a third of "
                "the windows is right, and in the others the gradient is one pixel off, where "
                "the image is much the same."
            ),
        },
        right="about 0.45",
    ),
    Question(
        name="reversed_kernels",
        lesson="10",
        question=(
            "With the reversed gradient in both convolutions, at a learning rate of 0.05 with "
            "momentum 0.9, the share of new digits that are read correctly is …"
        ),
        choices={
            "about 1 in 10, as by guessing": (
                "Eight in nine weights get another one's slope. The filters are driven about, "
                "and the output cannot settle."
            ),
            "about 6 in 10, as with frozen convolutions": (
                "So it is with filters that stay as they were drawn. These do not stay: they are "
                "driven about, and the output has to follow them."
            ),
            "between 7 and 8 in 10": (
                "So it would be if a gradient that is partly right were better than none. But "
                "what is wrong in it moves the filters as well."
            ),
            "about 9 in 10, as with right code": (
                "Most bugs leave a direction that goes downhill. Here only one weight in nine "
                "gets its own slope."
            ),
        },
        right="about 1 in 10, as by guessing",
    ),
)
