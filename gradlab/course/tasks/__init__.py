"""The exercises and predictions, a module for each lesson."""

from gradlab.course.prediction import Question
from gradlab.course.task import Task
from gradlab.course.tasks import check_backprop, choose_eps, nudge_a_weight

__all__ = ["QUESTIONS", "TASKS"]

_MODULES = (nudge_a_weight, choose_eps, check_backprop)
TASKS: dict[str, Task] = {task.name: task for module in _MODULES for task in module.TASKS}
QUESTIONS: dict[str, Question] = {
    question.name: question for module in _MODULES for question in module.QUESTIONS
}
