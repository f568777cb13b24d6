"""An exercise of lesson 10: from the cuts' verdicts to the stages that may be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from gradlab.course.note import shown
from gradlab.course.task import Task, wants_a_function

__all__ = ["BLAME"]


def blame(cuts) -> list:
    """Return the stages that may be wrong; `cuts` has the verdicts, from the input up."""
    suspects, stage = [], "loss"
    for name in reversed(list(cuts)):  # from the loss down, as the signal runs
        suspects.append(stage)
        if cuts[name] == "wrong":
            return suspects
        if cuts[name] == "correct":
            suspects = []
        stage = name
    return []


NAMES = ("input", "conv1", "pool1", "conv2", "pool2", "relu", "output")
VERDICTS = {"x": "wrong", "v": "correct", "?": "inconclusive"}


def _table(marks: str, names: tuple[str, ...] = NAMES) -> dict[str, str]:
    return {name: VERDICTS[mark] for name, mark in zip(names, marks, strict=True)}


#: Tables and their suspects; the first ones are those of a plain case, with nothing unjudged.
CASES = tuple(
    (table, tuple(blame(table)))
    for table in (
        _table("xxxvvvv"),
        _table("xxvvvvv"),
        _table("xvvvvvv"),
        _table("xxxxxvv"),
        _table("xxxxxxx"),
        _table("vvvvvvv"),
        _table("xx?vvvv"),
        _table("??xvvvv"),
        _table("?vvvvvv"),
        _table("xx?xvv?"),
        _table("xxxx??v"),
        _table("xxxxxx?"),
        _table("xxx???x"),
        _table("xxxv", ("input", "z1", "o1", "output")),
        _table("x???", ("input", "z1", "o1", "output")),
    )
)


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `blame`."""
    if not callable(answer):
        return wants_a_function(answer, "blame")
    given = [answer(dict(table)) for table, _ in CASES]
    if all(value is None or value is ... for value in given):
        return None
    for value, (table, right) in zip(given, CASES, strict=True):
        stages = _stages(value)
        if isinstance(stages, str):
            return f"For {_told(table)}: {stages}"
        if sorted(stages) != sorted(right):
            return f"For {_told(table)} it returned {stages}. {_why(stages, table, right)}"
    return ""


def _stages(value: object) -> list[str] | str:
    """Return what was given as a list of names, or what is wrong with it."""
    if value is None or value is ...:
        return "it returned nothing. An empty list says that no stage is to blame."
    if isinstance(value, str):
        return f"it returned {shown(value)}. A list is asked, even of one: there may be several."
    names = list(islice(value, 50))
    if not all(isinstance(name, str) for name in names):
        return f"it returned {shown(value)}. A list of names is asked."
    return [str(name) for name in names]  # numpy's strings too


def _told(table: Mapping[str, str]) -> str:
    """Return "input ✗, conv1 ✗, pool1 ✓"."""
    signs = {"wrong": "✗", "correct": "✓", "inconclusive": "?"}
    return ", ".join(f"{name} {signs[verdict]}" for name, verdict in table.items())


def _why(stages: list[str], table: dict[str, str], right: tuple[str, ...]) -> str:
    """Return a sentence about stages that are not `right`."""
    names = list(table)
    wrong = [name for name in names if table[name] == "wrong"]
    if not wrong:
        return "No cut is wrong, so nothing is to blame: an empty list is asked."
    top, below = wrong[-1], names[: names.index(wrong[-1]) + 1]
    unknown = [stage for stage in stages if stage not in (*names[1:], "loss")]
    if not stages:
        return f"The signal is wrong at {top}: something above that cut made it so."
    if unknown:
        return (
            f"{unknown[0]} is no stage: a stage has the name of the cut above it, or is the loss."
        )
    if set(stages) < set(right):
        return _too_few(stages, table, right)
    if set(stages) == set(right):
        return "Name each stage once."
    if stages == [top]:
        return (
            f"{top} is the highest wrong cut. The stage of that name stands below the cut and got "
            "a signal that was wrong already: the one above the cut made it."
        )
    if stages == [names[1]] and top != "input":
        return (
            f"The lowest stage, {names[1]}, got a signal that was wrong already. Go up to the "
            "first cut that is right: the fault is below that one."
        )
    if innocent := [stage for stage in stages if stage in below]:
        return (
            f"Into {' and '.join(innocent)} came a signal that was wrong already. Keep what stands "
            f"above {top}, the highest wrong cut."
        )
    innocent = [stage for stage in stages if stage not in right]
    return f"Not {' or '.join(innocent)}: the signal is right at a cut below."


def _too_few(stages: list[str], table: dict[str, str], right: tuple[str, ...]) -> str:
    left_out = [stage for stage in reversed(right) if stage not in stages]
    unjudged = [name for name in table if name in right and table[name] == "inconclusive"]
    return (
        f"It lacks {' and '.join(left_out)}: inconclusive is neither wrong nor right, so the fault "
        f"may be on either side of {' and '.join(unjudged)}."
    )


BLAME = Task(
    name="blame",
    lesson="10",
    question=(
        "Write blame(cuts): which stages may be wrong? cuts is a dict with the verdict of every "
        'cut, from the input up: "correct", "wrong" or "inconclusive". Return a list of stages, '
        'each named by the cut above it; the one above the highest cut is "loss". An empty list '
        "says that no cut is wrong."
    ),
    find_mistake=find_mistake,
    hints=(
        "A stage turns the signal at the cut above it into the signal at the cut below it. Which "
        "is to blame if the one is right and the other wrong?",
        "Take the highest cut that is wrong. The first suspect is the stage right above it.",
        "While the next cut up is inconclusive, the stage above that one is a suspect as well. "
        "Above the highest cut stands the loss.",
    ),
    answer=blame,
    solution=(
        "Going down from the loss, suspects gather until a cut is right, which clears them, or "
        "wrong, which ends the search. What is below the highest wrong cut is never reached."
    ),
    praise="The blame lies between a right cut and a wrong one, whatever is wrong below.",
)
