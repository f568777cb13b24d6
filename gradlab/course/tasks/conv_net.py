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
        name="blank_pixels",
        lesson="10",
        question=(
            "gl.check compares all 512 parameters of the same right code on the same images. It "
            "calls wrong …"
        ),
        choices={
            "all six tensors": "The tensors of Conv2 and of the output do not even reach Pool1: "
            "when one of them is shifted, all that comes out of Pool1 stays as it is.",
            "conv1_W and conv1_b": "They are made of the same signal, and only Pool1 stands above "
            "them. But a shifted weight changes equal patches alike, so what ties goes on tying.",
            "conv1_b alone": "On a blank patch the bias is all there is. But when it is shifted, "
            "all pixels of a window move together: the maximum moves with them, and has one slope.",
            "none of them": "A shifted pixel makes equal patches unequal. A shifted parameter "
            "leaves them equal: every tie lasts, and the loss has one slope.",
        },
        right="none of them",
    ),
    Question(
        name="bias_in_conv2",
        lesson="10",
        question=(
            "In D, Conv2's backward pass sums its bias's gradient over all filters. gl.bisect "
            "finds the fault in …"
        ),
        choices={
            "Conv2": "The wrong line is there, and in A and C it was found there. But those lines "
            "make the signal for what stands below; a bias's gradient goes nowhere.",
            "Conv1, which stands below": "In A and C Conv1's tensors were wrong, because the "
            "signal that came to them was. Here that signal is right, and so are they.",
            "no layer: all inconclusive": "Inconclusive comes from kinks, ties and round-off, and "
            "the noise on the images has parted the ties: the cut at the input can be judged.",
            "no layer: the signal is right": "The signal comes down to the input as it should. "
            "Nothing else is made of conv2_b's gradient, so no cut can see it. gl.check does.",
        },
        right="no layer: the signal is right",
    ),
)
