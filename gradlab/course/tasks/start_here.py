"""Predictions of lesson 00, "Start here"."""

from __future__ import annotations

from gradlab.course.prediction import Question
from gradlab.course.task import Task

__all__ = ["QUESTIONS", "TASKS"]

TASKS: tuple[Task, ...] = ()

QUESTIONS = (
    Question(
        name="which_numbers_fall",
        lesson="00",
        question="Which of the two norm ratios falls?",
        choices={
            "both": "A's falls. B's grows: its small weights were what hid the bug.",
            "A's alone": "A's step was too short, and its error was rounding. B's small weights "
            "were what hid the bug, so its number grows.",
            "B's alone": "B's grows: its small weights were what hid the bug. A's step was too "
            "short, so A's falls.",
            "neither": "That would be so if the number were a property of the code alone. It is "
            "one of the step and of the weights as well.",
        },
        right="A's alone",
    ),
    Question(
        name="how_many_steps",
        lesson="00",
        question="With L2 missing in the gradient, the verdict is something else than wrong at …",
        choices={
            "none of the 25": "A bug does not depend on the step, and this one is larger than what "
            "either end of the slider can blur.",
            "2, one at either end": "There right code can no longer be told to be right. This bug "
            "is larger than what either end of the slider can blur.",
            "about 10": "At about as many right code is inconclusive. A bug of this size stays in "
            "view where right code can no longer be told to be right.",
            "most": "Then a check would be of little use. A bug does not depend on the step.",
        },
        right="none of the 25",
    ),
)
