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
        name="all_that_tie",
        lesson="10",
        question=(
            "At Pool1 every tied pixel gets the whole gradient. On these images gl.check calls "
            "wrong …"
        ),
        choices={
            "none of the six": (
                "So it is with noise on the images, and where ties are rare. On blank paper they"
                " are not, and a bias's gradient is a plain sum of the signal."
            ),
            "conv1_W": (
                "It is the other way round: the pixels under a tie are 0, so what comes too "
                "often is multiplied by 0 in conv1_W."
            ),
            "conv1_W and conv1_b": (
                "Both are made of the wrong signal. But where windows tie the paper is blank, "
                "and conv1_W's share is multiplied by pixels that are 0."
            ),
            "conv1_b": (
                "Windows tie on blank paper. There conv1_W's share of the signal is multiplied "
                "by 0, and conv1_b's is counted two, three or four times."
            ),
        },
        right="conv1_b",
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
