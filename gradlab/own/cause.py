"""The wrong line of a layer's backward beside the right one, in the caller's names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from gradlab.bugs.lines.cause import Cause, cause_of
from gradlab.bugs.lines.functions import FUNCTIONS
from gradlab.bugs.lines.numbers import UNNAMED
from gradlab.bugs.lines.search import FAILS, Search, pairs, searched
from gradlab.bugs.lines.wrong_gradient import WrongGradient
from gradlab.checking.diagnosis import Diagnosis, Facts
from gradlab.checking.diagnosis.causes import of_line
from gradlab.checking.report import Report
from gradlab.own.calls import DOUT
from gradlab.own.factors import of_factor
from gradlab.own.layer_code import LayerCode
from gradlab.own.match import Match, Place, drawn_places, fewer, recognise, resized
from gradlab.own.source_layer import of_layer

AGREES = {8: 1e-7, 4: 1e-3}  # of a gradient's norm: what a cause may leave at another place
LEAST = 2  # other places at which a cause must give what backward gives
MOST = 60  # causes that fit at the first place, of which the most usual are tried at others


class Finder:
    """Looks for the line that makes a layer's backward wrong.

    Parameters
    ----------
    code : LayerCode
    above : list of ndarray
        What came from above where it was found wrong.
    """

    def __init__(self, code: LayerCode, above: list[np.ndarray]) -> None:
        self.code, self.above = code, above

    def find(self, report: Report) -> list[Diagnosis]:
        """Return the line of backward's own source, or of a layer's lines that forward equals.

        Else what a factor that is common to all wrong tensors may come from.
        """
        if any(tensor.directional for tensor in report.tensors.values()):
            return []
        self.code.above = self.above
        facts = Facts.of(report)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a wrong line may take the mean of nothing
            if own := of_layer(self.code, report, facts):
                return own
            for match in recognise(self.code):
                causes = self._causes(match, report, facts)
                if causes:
                    found = of_line(told(causes[0], match, self.code), facts)
                    said = f"in the formula of {found.cause}"
                    about = f"{found.evidence} {_about(match)}"
                    return [replace(found, cause=said, evidence=about, whose="formula")]
            return of_factor(self.code, facts)

    def _causes(self, match: Match, report: Report, facts: Facts) -> list[Cause]:
        """Return the edits that give what backward gives, here and at other places."""
        roles = {name: role for role, name in match.roles.items()}

        def of(values: Mapping) -> dict[str, np.ndarray]:
            return {roles[name]: value for name, value in values.items()}

        entries = {name: t.entries for name, t in report.tensors.items()}
        is_whole = all(some is None for some in entries.values())
        picked = {k: slice(None) if some is None else some for k, some in entries.items()}
        target = WrongGradient(
            of(facts.analytic),
            of(facts.numerical),
            of(facts.bounds),
            None if is_whole else of(picked),
            self.code.dtype == np.float32,
        )
        program = match.program(Place(self.code.inputs, self.above))
        if (search := searched(program, target)) is None:
            return []
        answers = self._answers(match)
        for found in (lambda: _single(search), lambda: pairs(search)):
            causes = sorted(found(), key=lambda c: (c.cost, len(c.wrong_line)))[:MOST]
            causes = [c for c in causes if c.is_named and self._agrees(c, match, answers)]
            if causes:
                target.measure(program)
                return [
                    replace(
                        causes[0],
                        residual=target.residual(causes[0].apply(program)),
                        tensors=tuple(target.wrong),
                        alike=_other_names(causes),
                    )
                ]
        return []

    def _answers(self, match: Match) -> list[tuple[Place, dict[str, np.ndarray]]]:
        """Return what backward says at other places, with one example fewer too."""
        places, answers = drawn_places(self.code), []
        fewer_examples = fewer(match, places[0])
        for place in (*places, fewer_examples, *resized(match, self.code)):
            try:
                if place is not None:
                    answers.append((place, self.code.at(place.inputs, place.above)[1]))
            except Exception:  # anybody's code, at inputs of our choice
                continue
        return answers

    def _agrees(self, cause: Cause, match: Match, answers: list) -> bool:
        """Tell whether an edit gives what backward gives wherever that was asked."""
        for place, answer in answers:
            try:
                made = cause.apply(match.program(place))
            except FAILS:
                return False
            if not all(self._same(made[role], answer[match.roles[role]]) for role in made):
                return False
        return len(answers) >= LEAST

    def _same(self, one: np.ndarray, other: np.ndarray) -> bool:
        size = np.linalg.norm(other)
        far = np.linalg.norm(np.ravel(one) - np.ravel(other))
        return bool(far <= AGREES[self.code.dtype.itemsize] * size + 1e-12)


def _about(match: Match) -> str:
    return (
        f"Your forward is {match.known.lines.name}, equal to the last digits on other inputs too, "
        "and with this line its formula gives there what your backward gives. Yours may be written "
        "otherwise; what stands between your inputs and the output has names of gradlab's."
    )


def _single(search: Search) -> list[Cause]:
    """Return the causes of one edit, under all that its factor may be called.

    A 5 is an N where there are five examples: other places tell which it is.
    """
    every = [
        cause_of((replace(edit, name=name, cost=edit.cost + cost),))
        for edit in search.full
        for name, cost in edit.names
        if cost < UNNAMED
    ]
    return search.causes() + every


def _other_names(causes: list[Cause]) -> tuple[str, ...]:
    """Return the first cause with its factor under the other names that hold everywhere, too."""
    first = causes[0]
    if len(first.edits) != 1 or not first.edits[0].name:
        return ()
    edit = first.edits[0]
    same = [c for c in causes[1:] if len(c.edits) == 1 and c.edits[0].wrong == edit.wrong]
    return tuple(dict.fromkeys(c.said for c in same if c.edits[0].name != edit.name))


def told(cause: Cause, match: Match, code: LayerCode) -> Cause:
    """Return a cause in the caller's names; in ours where theirs mean something else in it."""
    names = dict(match.roles)
    if match.labels:
        own = match.labels
        names[match.known.labels] = own if match.known.is_index else f"onehot({own})"
    above = {f"d{match.known.outs[0]}": code.calls.above} if len(match.known.outs) == 1 else {}
    taken = _words(match.listing.forward) | {line.target for line in match.listing.lines}
    taken |= FUNCTIONS.keys() | _words([cause.wrong_line, cause.right_line])
    taken -= names.keys() | {f"d{role}" for role in names} | above.keys()
    theirs = {*names.values(), *above.values()}
    if taken & theirs or not all(map(str.isidentifier, match.roles.values())):
        return replace(cause, certain=True)
    pattern = re.compile(rf"(?<![\w.])(d?)({'|'.join(map(re.escape, names))})(?!\w)")

    takes_above = any(kind == DOUT for kind, _ in code.calls.handed)

    def renamed(text: str) -> str:
        text = text if takes_above else text.replace(" * dout", "")  # which is 1
        for ours, own in above.items():
            text = re.sub(rf"\b{ours}\b", "\0", text).replace("\0", "\1" + own + "\1")
        parts = text.split("\1")  # what comes from above has its name by now
        parts[::2] = [pattern.sub(lambda m: m[1] + names[m[2]], part) for part in parts[::2]]
        return _as_statement("".join(parts))

    return replace(
        cause,
        wrong_line=renamed(cause.wrong_line),
        certain=True,
        right_line=renamed(cause.right_line),
        alike=tuple(map(renamed, cause.alike)),
        tensors=tuple(names[k] for k in cause.tensors),
    )


def _as_statement(line: str) -> str:
    """Return a line that adds rows at an index as it is written in numpy."""
    line = re.sub(r"(\w+) = add_at\(\w+, (\w+), (\w+)\)", r"np.add.at(\1, \2, \3)", line)
    return re.sub(r"(\w+) = put_at\(\w+, (\w+), (\w+)\)", r"\1[\2] += \3", line)


def _words(texts: Iterable[str]) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", "\n".join(texts)))
