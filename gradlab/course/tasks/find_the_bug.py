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
        name="flipped_with_l2",
        lesson="09",
        question="The sign of the loss's derivative is flipped; L2 is right. In W1, W2 and W3 the "
        "part λW of the gradient is 1.03 to 1.5 times as long as the data's. Their three cosines "
        "are …",
        choices={
            "-1 in all three": "That is what a flipped sign does to a gradient that is flipped as "
            "a whole. Here λW is added after the flip, with the right sign.",
            "all between -0.99 and -0.5": "That takes L2 for a small correction. Here λW is "
            "about as long as the data's gradient, though λ is only 0.1.",
            "all between 0 and 0.5": "a = -d + λW and n = d + λW, with d the data's gradient. "
            "<a, n> = ‖λW‖² - ‖d‖², and in all three tensors λW is the longer one, though not by "
            "much.",
            "all above 0.9": "That takes L2 for nearly all of the gradient. It would be for "
            "λ = 10, when λW is a hundred times as long.",
        },
        right="all between 0 and 0.5",
    ),
    Question(
        name="bugs_on_one_example",
        lesson="09",
        question=(
            "This network can have 20 bugs of the museum, and on eight examples each is seen. On"
            " a single example, how many go unseen?"
        ),
        choices={
            "1": (
                "1/N missing is one. So is every other line that confuses a mean with a sum or "
                "one row with the batch, or divides once too often."
            ),
            "3": (
                "1/N missing, 1/N twice and the bias that is averaged are three. A softmax over "
                "the batch and λ divided by N are right for N = 1 as well."
            ),
            "5": (
                "What divides by N or runs over the batch is right when N is 1: 1/N missing, 1/N"
                " twice, softmax over the batch, a bias that is averaged, λ divided by N."
            ),
            "10": (
                "One example still runs through every line. What it cannot show is how examples "
                "are put together, and that is a quarter of the bugs."
            ),
        },
        right="5",
    ),
)
