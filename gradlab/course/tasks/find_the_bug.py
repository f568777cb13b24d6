"""Exercises and predictions of lesson 09, "Find the bug"."""

from __future__ import annotations

from gradlab.course.prediction import Question
from gradlab.course.task import Task
from gradlab.course.tasks.culprits import REPORTS, find_wrong_culprit
from gradlab.course.tasks.signature import find_wrong_signature, signature

__all__ = ["QUESTIONS", "TASKS"]

TASKS = (
    Task(
        name="culprits",
        lesson="09",
        question="Six reports, twelve lines: which line does each report come from?",
        find_mistake=find_wrong_culprit,
        hints=(
            "First: which tensors are wrong? All, the weights alone, one alone, or all below a "
            "point.",
            "L2 is on: read factors off the biases. And b3's entries add up to 0 if the loss's "
            "derivative is right.",
            "E and F have the same tensors. The signal do1 is computed before line 9 uses it.",
        ),
        answer=REPORTS,
        solution=(
            "A: all wrong, the biases 8 = N times too large. B: weights alone, a - n = -2 λ W. "
            "C: all wrong, no factor, b3 adds up to 1. D: one bias, 1/8. E, F: below dz2; in F the "
            "signal do1 is right."
        ),
        praise="Where a gradient goes wrong names a few lines; ratio, cosine and signal name one.",
    ),
    Task(
        name="signature",
        lesson="09",
        question=(
            "Write signature(a, n, W) for one tensor: its gradient by backpropagation, its "
            "numerical gradient (with round-off), and its values. Return a pair of a word and a "
            'number: ("right", 1), ("factor", c) if a = c n, ("along W", c) if a - n = c W, '
            '("other", None).'
        ),
        find_mistake=find_wrong_signature,
        hints=(
            "Ask in order: is there an error at all, beside round-off? Is a = c n? Is a - n = c W?",
            "c = np.vdot(n, a) / np.vdot(n, n) is the best factor, whatever a is. What does a - c n"
            " leave?",
            "Compare what is left with the error itself, np.linalg.norm(a - n). A cosine of 0.999 "
            "is not 1.",
        ),
        answer=signature,
        solution="c always comes out. What is left over tells whether it means anything.",
        praise="Twenty-one tensors of right and wrong code, and each is what you say it is.",
    ),
)

QUESTIONS = (
    Question(
        name="ratios_with_l2",
        lesson="09",
        question="1/N is missing, with N = 8; L2 is right, with λ = 0.1. In the biases the ratios "
        "are 8. In W1, W2 and W3 they are …",
        choices={
            "8 in all three": "λW is in the gradient of the weights, and it is not 8 times too "
            "large. So no factor is left in them.",
            "between 7 and 8": "That takes λW for small beside the data's part. λ is only 0.1, but "
            "the data's gradient is small as well: λW is a little longer than it.",
            "between 3.5 and 4.5": "a = 8d + λW and n = d + λW, with d the data's gradient. λW is "
            "a little longer than d, so about half of n comes out 8 times too large, and half "
            "comes out right.",
            "between 1 and 1.5": "That takes λW for nearly all of the gradient. It would be for "
            "λ = 1, when λW is more than ten times as long as the data's part.",
        },
        right="between 3.5 and 4.5",
    ),
    Question(
        name="one_of_two_hundred",
        lesson="09",
        question=(
            "A loop over 200 examples leaves out the first one. The norm ratio of the whole "
            "gradient is …"
        ),
        choices={
            "about 0.00001": (
                "That is the square of a 200th. A norm ratio goes with the error, not with its "
                "square."
            ),
            "about 0.0025": (
                "That is |c - 1| / (|c| + 1) for c = 199/200. But what is left is not 199/200 of "
                "the gradient: each example's gradient has a direction of its own."
            ),
            "about 0.03": (
                "The 200 gradients point in all directions and nearly cancel: their mean has less "
                "than a tenth of the length of one. So one in 200 is more than a 200th of it."
            ),
            "about 0.4": (
                "So it is for one example of two. Of 200 it is less, though not a hundredth of it."
            ),
        },
        right="about 0.03",
    ),
)
