"""Exercises and predictions of lesson 09, "Find the bug"."""

from __future__ import annotations

from gradlab.course.prediction import Question
from gradlab.course.task import Task

__all__ = ["QUESTIONS", "TASKS"]

TASKS: tuple[Task, ...] = ()

QUESTIONS: tuple[Question, ...] = ()
