"""The exercises, a module for each lesson that has some."""

from gradlab.course.task import Task
from gradlab.course.tasks import check_backprop, choose_eps, nudge_a_weight

__all__ = ["TASKS"]

TASKS: dict[str, Task] = {
    task.name: task
    for module in (nudge_a_weight, choose_eps, check_backprop)
    for task in module.TASKS
}
