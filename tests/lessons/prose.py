"""What a lesson says in prose, and which numbers it states without showing where they come from."""

import ast
import math
import re
from functools import cache
from pathlib import Path

import nbformat

from gradlab.course.tasks import QUESTIONS, TASKS

ROOT = Path(__file__).resolve().parents[2]
#: A number that somebody measured: 1e-7, 0.44, 34 %. Whole numbers count things, or name them.
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?e[-+]?\d+|(?<![\w.])\d+\.\d+(?![\w.])|\d+(?= ?%)")
#: What is no claim: code, formulas, addresses, and what comes after the word Sources.
_NO_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|<https?://[^>]*>|\]\([^)]*\)", re.DOTALL
)

_WORD = re.compile(r"[^\W\d_][\w′'-]*")
_LATER = re.compile(r"<details>\s*<summary>[^\n]*For later.*?</details>", re.DOTALL)


def says(lesson: str, fragment: str) -> None:
    """Assert that the prose of `lesson` has `fragment`; whether it is true, the caller tests."""
    assert _one_line(fragment) in _one_line(prose(lesson)), f"{lesson} does not say {fragment!r}"


@cache
def book(lesson: str) -> nbformat.NotebookNode:
    """Return the notebook named `lesson`, such as "02_choose_eps"."""
    return nbformat.read(ROOT / "lessons" / f"{lesson}.ipynb", as_version=4)


def prose(lesson: str) -> str:
    """Return all markdown of a lesson, up to its sources."""
    texts = (cell.source for cell in book(lesson).cells if cell.cell_type == "markdown")
    return re.split(r"\*\*Sources?\b", "\n".join(texts))[0]


def minutes(lesson: str) -> tuple[int, int]:
    """Return how long a lesson takes: to read, and with its lab and exercises as well.

    200 words a minute and a minute for a prediction; two for a try in the lab and five for an
    exercise, the sum rounded up to fives. What is folded as "For later" is not counted.
    """
    number = lesson[:2]
    words = len(_WORD.findall(_LATER.sub(" ", _NO_PROSE.sub(" ", prose(lesson)))))
    read = words / 200 + sum(question.lesson == number for question in QUESTIONS.values())
    tries = len(
        re.findall(r"^\d\. ", prose(lesson).split("**Try**")[1].split("<details>")[0], re.M)
    )
    exercises = sum(task.lesson == number for task in TASKS.values())
    return round(read), 5 * math.ceil((read + 2 * tries + 5 * exercises) / 5)


def unheld(lesson: str, claims: str) -> list[str]:
    """Return the numbers in a lesson's prose that nothing holds.

    Held is what stands in the lesson's code or outputs, and what stands in a fragment that the
    test file `claims` (its text) hands to `says`.
    """
    held = _one_line(_shown(lesson) + " ".join(_fragments(claims)))
    stated = NUMBER.findall(_NO_PROSE.sub(" ", prose(lesson)))
    return sorted({number for number in stated if not _stands_in(number, held)})


def _stands_in(number: str, text: str) -> bool:
    same = [number, number.replace("e-", "e-0"), number.replace("e", "e+0")]
    return any(re.search(rf"(?<![\w.]){re.escape(one)}(?![\d.]*\d)", text) for one in same)


def _shown(lesson: str) -> str:
    """Return a lesson's code and what it prints."""
    texts = []
    for cell in book(lesson).cells:
        if cell.cell_type == "code":
            texts.append(cell.source)
            for output in cell.outputs:
                texts += [output.get("text", ""), str(output.get("data", {}).get("text/plain", ""))]
    return "\n".join(texts)


def _fragments(source: str) -> list[str]:
    """Return what a test file hands to `says` as its second argument."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    says_calls = (call for call in calls if getattr(call.func, "id", "") == "says")
    return [ast.literal_eval(call.args[1]) for call in says_calls]


def _one_line(text: str) -> str:
    return " ".join(text.split())
