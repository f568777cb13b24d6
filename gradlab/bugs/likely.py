"""Which wrong factors, signs and functions a made-up bug may have: edits that a person would make.

`lines.edits` has everything that a search must try, absurd lines among them. A mystery takes none
of these: its wrong line is still about the same things, and only names what is known there.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator

from gradlab.bugs.lines.cause import FACTOR
from gradlab.bugs.lines.edits import Scope, edits_of
from gradlab.bugs.lines.line import Line, compiled

#: What an S of an edit may stand for, with costs on top of the edit's own.
FACTORS = (("2", 0.2), ("-", 0.2), ("1 / N", 0.4), ("0.5", 0.8))
DEAREST = 2.5  # a cost above which an edit is far-fetched
FUNCTIONS = {"tanh", "sigmoid", "softmax", "exp", "relu", "softplus", "sqrt", "where"}
OF_LOSS = {"p", "y", "e", "dp", "logits"}  # names that only its lines speak of
TOKEN = re.compile(r"axis=\d|\d+\.?\d*|\w+|\*\*|\+=|[^\s\w(),]")
ABSURD = re.compile(r"[+-] -|\b(\w+) [-/] \1\b")  # what is odd at a glance: a + -b, a / a
# What another network like this one may lack: it comes and goes with L2 and dropout.
PASSING = re.compile(r"data_d\w+|d?h\d+|m\d+")

Likely = tuple[str, float]
#: How a wrong line differs from the right one, and how often that is drawn: a factor too much is
#: possible in every line, and the least interesting.
KINDS = {
    "missing": ("something is missing in it", 1.0),
    "surplus": ("there is something too much in it", 0.4),
    "order": ("its parts are the right ones, but stand in another order", 1.0),
    "other": ("a part of it was taken for another one", 1.0),
}


def kind_of(wrong: str, right: str) -> str:
    """Return in which way a wrong line differs from the right one, a key of `KINDS`."""
    is_lost, is_new = (bool(d) for d in _differences(wrong, right))
    if is_lost and is_new:
        return "other"
    return "missing" if is_lost else "surplus" if is_new else "order"


def _differences(wrong: str, right: str) -> tuple[Counter, Counter]:
    """Return the tokens that only the right line has, and those that only the wrong one has."""
    one, two = (Counter(TOKEN.findall(text)) for text in (right, wrong))
    return one - two, two - one


def likely_edits(line: Line, right: str, scope: Scope, before: Collection[str]) -> Iterator[Likely]:
    """Yield wrong texts of a line that a person might have written, with costs.

    Parameters
    ----------
    line : Line
    right : str
        One way of saying it, as Python writes it.
    scope : Scope
    before : collection of str
        The names that the lines before this one set.
    """
    found: dict[str, float] = {}
    for edited, (cost, own) in edits_of(line, scope).items():
        if own != right or cost > DEAREST or edited == "pass":
            continue
        # a long loop's lines have their factors by themselves, for what comes back is not linear
        factors = () if line.step.is_long else FACTORS
        for factor, more in factors if FACTOR.search(edited) else (("", 0.0),):
            wrong = compiled(_with_factor(edited, factor))[0]
            if is_likely(line, wrong, right, before, scope):
                found[wrong] = min(cost + more, found.get(wrong, DEAREST + 1))
    yield from found.items()


def _with_factor(text: str, factor: str) -> str:
    if factor == "-":
        return text.replace("S * ", "-")
    return FACTOR.sub(f"({factor})", text) if factor else text


def is_likely(line: Line, wrong: str, right: str, before: Collection[str], scope: Scope) -> bool:
    """Tell whether a wrong line is no absurd one.

    Of the right one's names it lacks or changes one at most; the gradient still goes through it; it
    calls no helper of ours; and it names nothing that is not set yet.
    """
    if wrong in (right, line.text, *line.others) or len(wrong) > 1.3 * len(right) + 12:
        return False
    if ABSURD.search(wrong) or wrong.partition(" = ")[2] in names_in(wrong) - names_in(right):
        return False
    lost, come = _differences(wrong, right)
    had, has = names_in(right), names_in(wrong)
    if len(had - has) > 1 or len(has - had) > 1 or not _knows(has - had, before, scope):
        return False
    if not all(_is_mistaken(new, had - has, line) for new in has - had):
        return False
    if not _are_numbers_likely(lost, come) or come["**"] or max(come.values(), default=0) > 2:
        return False
    return line.is_head or _signals(has, line) != set()


def names_in(text: str) -> set[str]:
    """Return the names that a line reads, those of functions among them; of a loop's head, all."""
    tree = ast.parse(text + " pass" * text.startswith("for ")).body[0]
    source = tree.iter if isinstance(tree, ast.For) else tree.value
    return {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}


def _knows(names: Collection[str], before: Collection[str], scope: Scope) -> bool:
    """Tell whether new names are set where the line stands, whatever is switched on."""
    set_backwards = scope.program.first_written
    return all(
        (name in FUNCTIONS or name in scope.program.values)
        and (name in before or name not in set_backwards)
        and not PASSING.fullmatch(name)
        for name in names
    )


def _is_mistaken(new: str, lost: set[str], line: Line) -> bool:
    """Tell whether a name can be taken for the one that is lost: by its looks or its job."""
    if new == "x" or (new in OF_LOSS and not line.where.startswith("loss")):
        return False
    return new[0] != "d" or not lost or any(old[0] == "d" or new.endswith(old) for old in lost)


def _are_numbers_likely(lost: Counter, new: Counter) -> bool:
    """Tell whether of the numbers one at most is another one, and of the same size."""
    gone, come = ([t for t in tokens.elements() if t[0].isdigit()] for tokens in (lost, new))
    if not come:
        return True
    if not gone:
        return len(come) == 1 and come[0] in ("1", "2", "0.5")
    are_small = {number.startswith("0.") for number in (*gone, *come)}
    return len(come) == 1 and not {*gone, *come} & {"0", "1"} and len(are_small) == 1


def _signals(names: set[str], line: Line) -> set[str]:
    """Return which of the names bring the gradient from above; at the loss, the outputs do."""
    if line.where.startswith("loss"):
        return names & {"p", "e", "dp", line.names["x"]}
    return {name for name in names if name[0] == "d"} - FUNCTIONS - {"dsigmoid"}
