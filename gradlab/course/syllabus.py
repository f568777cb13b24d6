"""The course as plain data: its lessons in order."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LESSONS", "Lesson"]


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    name : str
        The notebook's name without its ending, such as "02_choose_eps".
    title, question : str
    """

    name: str
    title: str
    question: str

    @property
    def number(self) -> str:
        """Its number, such as "02"; empty for the playground."""
        return self.name[:2] if self.name[:2].isdigit() else ""


LESSONS = (
    Lesson("00_start_here", "Start here", "Which of these two would you trust?"),
    Lesson("01_nudge_a_weight", "Nudge a weight", "How can a number check a formula?"),
    Lesson("02_choose_eps", "Choose eps", "How small is small?"),
    Lesson("03_build_an_mlp", "Build an MLP", "What exactly are we checking?"),
    Lesson("04_check_backprop", "Check backprop", "Is my backprop right?"),
    Lesson("05_weight_scale", "Weight scale", "Why does the same code look worse?"),
    Lesson("06_kinks", "Kinks", "Why does correct ReLU code fail?"),
    Lesson("07_regularization", "Regularization", "Which loss did you differentiate?"),
    Lesson("08_dropout", "Dropout", "Can dropout be checked?"),
    Lesson("09_find_the_bug", "Find the bug", "Which line is wrong?"),
    Lesson("10_conv_net", "Conv net", "Where in the network?"),
    Lesson("11_lstm", "LSTM", "Does it work through time?"),
    Lesson("12_what_it_costs", "What it costs", "Why turn it off?"),
    Lesson("13_check_your_own_code", "Check your own code", "Whose mistake is it?"),
    Lesson("playground", "Playground", "The whole lab, with every control"),
)
