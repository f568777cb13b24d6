"""The exercises and predictions, a module for each lesson."""

from gradlab.course.prediction import Question
from gradlab.course.task import Task
from gradlab.course.tasks import (
    build_an_mlp,
    check_backprop,
    check_your_own_code,
    choose_eps,
    conv_net,
    dropout,
    find_the_bug,
    kinks,
    lstm,
    nudge_a_weight,
    regularization,
    start_here,
    weight_scale,
    what_it_costs,
)

__all__ = ["QUESTIONS", "TASKS"]

_MODULES = (
    start_here,
    nudge_a_weight,
    choose_eps,
    build_an_mlp,
    check_backprop,
    weight_scale,
    kinks,
    regularization,
    dropout,
    find_the_bug,
    conv_net,
    lstm,
    what_it_costs,
    check_your_own_code,
)
TASKS: dict[str, Task] = {task.name: task for module in _MODULES for task in module.TASKS}
QUESTIONS: dict[str, Question] = {
    question.name: question for module in _MODULES for question in module.QUESTIONS
}
