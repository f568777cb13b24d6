"""What an exercise says to each slip in its right answer is what it said.

The other tests ask of chosen mistakes whether the message is true of them. Here every right answer
is spoiled in one place after the other, an operator, a number, a line that is left out, and what is
said to each is held: it changes on purpose or not at all. Who changes some of it on purpose reads
the difference, and then writes it anew:

    .venv/bin/python -m tests.course.test_said_as_before
"""

import ast
import copy
import inspect
import itertools
import json
import re
import textwrap
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from gradlab.course.exercise import Exercise
from gradlab.course.store import Store
from gradlab.course.tasks import TASKS
from tests.as_before import same

STORED = Path(__file__).with_name("said.json")
#: Exercises whose slips take a second and more.
LONG = ("as_function", "which_part", "wrong_tensors")
OTHER = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.Is: ast.IsNot,
}  # fmt: skip


def spoil(node):
    """Yield for each slip at a node of a syntax tree what does it, there and back."""
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in OTHER:
        yield "op", OTHER[type(node.op)]()
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
        yield "ops", [OTHER[type(node.ops[0])](), *node.ops[1:]]
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from (("value", value) for value in (node.value + 1, 2 * node.value, -node.value))
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "value", not node.value
    if isinstance(node, ast.UnaryOp):
        yield "op", ast.UAdd() if isinstance(node.op, ast.USub) else ast.USub()
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "attr", "real"
    if isinstance(node, ast.Call) and node.keywords:
        yield "keywords", node.keywords[1:]
    if isinstance(node, ast.Return) and node.value is not None:
        yield from (("value", ast.BinOp(node.value, ast.Mult(), ast.Constant(by)))
                    for by in (2, -1, 1.001, 1 + 1e-7))  # fmt: skip
    body = getattr(node, "body", None)
    if isinstance(body, list) and not isinstance(node, ast.Module):
        for k in range(len(body)):
            yield "body", [*body[:k], ast.Pass(), *body[k + 1 :]]


def slips(answer):
    """Yield each function or class with one slip in it, and its text."""
    source = textwrap.dedent(inspect.getsource(answer))
    tree = ast.parse(source)
    told = {ast.unparse(tree)}
    for node in ast.walk(tree):
        for field, value in [*spoil(node)]:
            before = getattr(node, field)
            setattr(node, field, value)
            text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree)))
            setattr(node, field, before)
            if text not in told:
                told.add(text)
                scope = dict(inspect.getmodule(answer).__dict__)
                exec(text, scope)  # noqa: S102 - an answer of the course
                yield text, scope[answer.__name__]


def _each(change):
    """Return a function that does to a result, or to each of several, what `change` does."""

    def changed(result):
        if isinstance(result, tuple):
            return tuple(changed(one) for one in result)
        if isinstance(result, dict):
            return {key: changed(one) for key, one in result.items()}
        return change(result)

    return changed


def _without_first(array):
    array = np.array(array, float)
    array.reshape(-1)[:1] = 0
    return array


RESULTS = {
    "float32": _each(np.float32), "a list": list, "a tuple": tuple, "an array": np.array,
    "the first": lambda r: r[0], "the last": lambda r: r[-1], "summed": _each(np.sum),
    "turned": _each(np.transpose), "reversed": lambda r: r[::-1], "negative": _each(np.negative),
    "size": _each(np.abs), "a row": _each(np.atleast_2d), "flat": _each(np.ravel),
    "doubled": _each(lambda v: v * 2), "halved": _each(lambda v: v / 2), "text": str,
    "one left out": _each(_without_first), "not": lambda r: not r, "zeros": _each(lambda v: v * 0),
    "a little off": _each(lambda v: v + 1e-3), "mean": _each(np.mean), "squared": _each(np.square),
    "rounded": _each(lambda v: np.round(v, 2)), "in a list": lambda r: [r], "lost": lambda r: None,
    "twice": lambda r: (r, r), "twenty percent": _each(lambda v: v * 1.2),
    "a pair": lambda r: r[:2], "one more": _each(lambda v: v + 1),
    "0.7 permille more": _each(lambda v: v * 1.0007), "1.5 permille": _each(lambda v: v * 1.0015),
}  # fmt: skip
FIXED = {"0": 0, "1": 1, "0.5": 0.5, "yes": True, "no": False, "[]": [], "{}": {}, "1e-5": 1e-5,
         "nan": np.nan, "W1": "W1", "zeros": np.zeros(3), "names": ["W1", "b1"]}  # fmt: skip


def _spoiled(argument, by):
    if isinstance(argument, np.ndarray) and argument.flags.writeable:
        argument *= by
    if isinstance(argument, (dict, list)):
        for one in argument.values() if isinstance(argument, dict) else argument:
            _spoiled(one, by)


def misuses(right):
    """Yield functions that make something else of what a right one takes or gives."""
    for name, change in RESULTS.items():
        yield f"gives it {name}", lambda *a, change=change: change(right(*a))
    for name, value in FIXED.items():
        yield f"gives {name}", lambda *a, value=value: value
    for first, name in itertools.product((1, 2, 3, 5, 8), ("doubled", "negative", "zeros", "not")):
        calls = itertools.count()
        yield (
            f"gives it {name} from call {first} on",
            lambda *a, f=RESULTS[name], n=first, c=calls: (
                f(right(*a)) if next(c) >= n else right(*a)
            ),
        )
    for k in range(3):
        yield f"gives what came {k}", lambda *a, k=k: a[k]
    for by in (2.0, 1.0 + 1e-12):

        def spoils(*arguments, by=by):
            made = right(*arguments)
            _spoiled(list(arguments), by)
            return made

        yield f"leaves the arguments times {by}", spoils
    yield "turns the first two round", lambda a, b, *more: right(b, a, *more)
    yield "turns the last two round", lambda *a: right(*a[:-2], a[-1], a[-2])


def misused_classes(right):
    """Yield classes with a method that gives something else, always or from its second call."""
    methods = [name for name in vars(right) if not name.startswith("__")]
    for method, (name, change), first in itertools.product(methods, RESULTS.items(), (0, 1)):

        class Changed(right):
            """A right one, but for one method."""

        def changed(self, *arguments, method=method, change=change, first=first):
            made = getattr(super(type(self), self), method)(*arguments)
            self.calls = getattr(self, "calls", 0) + 1
            return change(made) if self.calls > first else made

        setattr(Changed, method, changed)
        yield f"{method} gives it {name}" + ", the second time" * first, Changed


def numbers(right):
    """Yield numbers around a right one, and others."""
    for value in (0.0, 1.0, -1.0, 2.0, right, -right, 2 * right, right / 2, 1 / right, right**2,
                  right + 0.004, right + 0.006, right - 0.004, right - 0.006, right + 1, right - 1,
                  10 * right, right / 10, 0.1, 0.25, 100.0, 1e6, 4.0, 12.0, 0.05):  # fmt: skip
        yield repr(round(value, 6)), value


def records(right):
    """Yield answers that are wrong in one entry, or two."""
    for key, value in right.items():
        for new in (value + 1, value - 1, 10 * value, value / 10, 0, -value, 1, 2, str(value)):
            yield f"{key}: {new!r}", {**right, key: new}
        yield f"without {key}", {k: v for k, v in right.items() if k != key}
        for other in right:
            if other > key:
                yield f"{key} for {other}", {**right, key: right[other], other: value}


def said(name):
    """Return what is said to each slip: {what is slipped: message}."""
    task = TASKS[name]
    right = task.answer
    if callable(right):
        original = ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(right)))).split("\n")
        answers = [(_difference(original, text), one) for text, one in slips(right)]
        answers += misuses(right) if inspect.isfunction(right) else misused_classes(right)
    else:
        answers = records(right) if isinstance(right, dict) else numbers(right)
    store, found = Store(), {}
    # an answer that draws without a seed draws the same each time
    drawn, seeds = np.random.default_rng, itertools.count()
    unseeded = mock.patch(
        "numpy.random.default_rng", lambda seed=None: drawn(next(seeds) if seed is None else seed)
    )
    with unseeded, np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        for text, answer in answers:
            note = Exercise(task, store).check(answer)
            while text in found:
                text += " (again)"
            # numbers to three digits: the last ones are not the same on every machine
            # and the words of an exception are Python's and numpy's own
            told = re.sub(r"(ended in \w+): .*", r"\1", f"{note.mark} {note.text}")
            told = re.sub(r"(\d\.\d\d)\d+", r"\1", told)
            found[text] = re.sub(r"\d+(\.\d+)?e-(0[89]|1\d)|\d+(?= times the least)", "#", told)
    return found


def _difference(original, text):
    lines = text.split("\n")
    changed = [line.strip() for line in lines if line not in original]
    return "; ".join(changed) or "left out: " + "; ".join(
        line.strip() for line in original if line not in lines
    )


@pytest.mark.every_case
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] * (name in LONG)) for name in TASKS]
)
def test_each_slip_is_answered_as_it_was(name):
    held, made = json.loads(STORED.read_text(encoding="utf-8"))[name], said(name)
    assert list(made) == list(held)
    assert [text for text in made if not same(made[text], held[text])] == []


if __name__ == "__main__":
    told = {name: said(name) for name in TASKS}
    STORED.write_text(json.dumps(told, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
