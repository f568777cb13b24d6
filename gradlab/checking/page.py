"""A report as a person reads it: what helps most comes first, all on one screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradlab.checking.blocks import Block, Lines, Table, Words
from gradlab.checking.verdict import SIGNS, Verdict, in_digits

if TYPE_CHECKING:
    from gradlab.checking.diagnosis import Diagnosis
    from gradlab.checking.report import Report

COLUMNS = ("tensor", "shape", "max relative", "norm ratio", "ratio a/n", "cosine", "verdict")
WORST = 3  # tensors whose worst entries are told
OTHERS = 3  # causes that are told after the first
PARTS = 2  # of a cause with several lines, that are told
PERHAPS = "perhaps "
MENDS = "This mends it instead:", "Any one of these mends it instead:"
DIGITS = 12  # at most: more of them are another machine's rounding


def text_of(report: Report) -> str:
    """Return a report as lines of at most 100 columns."""
    return as_text(_parts(report))


def html_of(report: Report) -> str:
    """Return the same as HTML."""
    return as_html(_parts(report))


def as_text(parts: Sequence[Sequence[Block]]) -> str:
    """Return blocks as text, an empty line between the parts."""
    parts = ("\n".join(block.text() for block in part) for part in parts)
    return "\n\n".join(part for part in parts if part)


def as_html(parts: Sequence[Sequence[Block]]) -> str:
    """Return the same as HTML."""
    parts = ("".join(block.html() for block in part) for part in parts)
    html = "".join(f'<div style="margin-bottom: 0.6em">{part}</div>' for part in parts if part)
    return f'<div class="gradlab-report">{html}</div>'


def _parts(report: Report) -> list[list[Block]]:
    tensors = Table(COLUMNS, [t.row() for t in report.tensors.values()])
    notes = [Words(f"Remark: {remark}") for remark in report.remarks]
    if report.verdict == Verdict.INCONCLUSIVE:  # one that is "correct" has them at its head
        notes += [Words(f"Blind spot: {spot}") for spot in report.blind_spots]
    return [
        head_of(report),
        causes_told(report.diagnosis),
        _worst(report),
        [tensors],
        [*notes, foot_of(report)],
    ]


def head_of(report: Report) -> list[Block]:
    """Return the verdict with what it leaves open, and what to do about that."""
    verdict = f"{SIGNS[report.verdict]} {verdict_told(report)}"
    if report.caveats:
        head = [Words(verdict, "b"), Words(f"{report.why[:1].upper()}{report.why[1:]}")]
    else:
        head = [Words(f"{verdict}: {report.why}", "b")]
    todo = [report.advice] if report.advice else []
    if report.caveats:
        todo += report.cures
    if todo and report.verdict != Verdict.WRONG:  # else the causes say it
        head.append(Words(f"What to do: {'; '.join(todo)}"))
    return head


def verdict_told(report: Report) -> str:
    """Return the verdict as banner, lab and report say it: "correct here, and blind to …"."""
    if not report.caveats:
        return str(report.verdict)
    return f"{report.verdict} here, and {'; '.join(report.caveats)}"


def foot_of(report: Report) -> Words:
    """Return what was checked, how, and what it took."""
    steps = "steps chosen entry by entry" if report.eps is None else f"eps {report.eps:g}"
    done = f"{report.scheme} differences, {steps}, {report.evaluations} evaluations"
    return Words(f"{report.subject}; {done}", "small")


def _worst(report: Report) -> list[Block]:
    """Return the worst entries of the wrong tensors, one a tensor, or three of a single one."""
    most = 3 if len(report.wrong) == 1 else 1
    rows = [
        (f"{name}{list(index) or ''}", *in_digits(a, n))
        for name in report.wrong[:WORST]
        for index, a, n in report[name].worst(most)
    ]
    return [Table(("worst entries", "analytic", "numerical"), rows)] if rows else []


# -- causes --------------------------------------------------------------------------------------


def causes_told(causes: Sequence[Diagnosis], held: str = "report.diagnosis") -> list[Block]:
    """Return the first cause in full, and a line for each of the next; `held` has them all."""
    if not causes:
        return []
    first = causes[0]
    if not first.score:
        return [Words("No cause was found.", "b"), Words(_fit(first))]
    kind, also = ("Cause", "fits as well") if first.certain else ("Probable cause", "or")
    also = "and" if first.left_open else "or" if first.whose == "yours" else also
    kind = "Perhaps" if first.cause.startswith(PERHAPS) else kind
    others, alike = _others(causes)
    if first.whose != "yours" or first.left_open:
        others, alike = [*others, *alike], []
    told = [f"  {one}" for one in alike[:OTHERS]]
    told += [f"  {also}: {one}" for one in others[: OTHERS - len(told)]]
    more = len(others) + len(alike) - len(told)
    return [
        Words(f"{kind}: {_title(first)}", "b"),
        *_lines(first.parts),
        Words(_fit(first)),
        *[Words(MENDS[len(alike) > 1])] * bool(alike),
        *(Words(one, indent=" " * 6) for one in told),
        *[Words(f"  and {more} more: {held} has them")] * (more > 0),
    ]


def _others(causes: Sequence[Diagnosis]) -> tuple[list[str], list[str]]:
    """Return what may be the cause besides the first, and what mends the same fault as well.

    Not the same lines said of more places.
    """
    said = [(_brief(cause), [wrong for _, wrong, _ in cause.parts]) for cause in causes]
    alike = [(other, other.partition(": ")[2].split("; ")) for other in causes[0].alike]
    kept: list[tuple[str, set[str]]] = []
    for brief, lines in said + alike:
        if not any(brief == other or (seen and seen <= set(lines)) for other, seen in kept):
            kept.append((brief, set(lines)))
    briefs = [brief for brief, _ in kept[1:]]
    same = [brief for brief in briefs if brief in causes[0].alike]
    return [brief for brief in briefs if brief not in same], same


def _lines(parts: Sequence[tuple[str, str, str]]) -> list[Block]:
    """Return the wrong lines above the right ones, of several the first with their places."""
    if len(parts) == 1:
        return [Lines(*parts[0][1:])]
    blocks = [
        block
        for where, wrong, right in parts[:PARTS]
        for block in (Words(f"  {where}"), Lines(wrong, right))
    ]
    return [*blocks, *[Words(f"  and {len(parts) - PARTS} more")] * (len(parts) > PARTS)]


def _title(cause: Diagnosis) -> str:
    """Return what a cause is: a sentence if somebody wrote one, and the place of its line."""
    count = len(cause.parts)
    if cause.whose == "formula":
        lines = "a wrong line" if count == 1 else f"{count} wrong lines"
        layers = ", ".join(dict.fromkeys(where for where, _, _ in cause.parts))
        return f"your gradient is what {layers} gives with {lines}"
    if cause.bug is None and count:
        return f"a wrong line, {cause.where}" if count == 1 else f"{count} wrong lines"
    place = cause.where if count == 1 else f"layer {cause.layer}" if cause.layer else ""
    return cause.cause.removeprefix(PERHAPS) + (f" ({place})" if place else "")


def _brief(cause: Diagnosis) -> str:
    if cause.bug is None and cause.parts:
        return f"{cause.where}: {cause.wrong_line}"
    return f"{cause.wrong_line}: {_title(cause)}" if cause.parts else _title(cause)


def _fit(cause: Diagnosis) -> str:
    """Return how well a cause explains what is off."""
    if cause.residual is None or (cause.bug and not cause.certain):
        return cause.evidence
    digits = min(int(-math.log10(max(cause.residual, 1e-300)) + 1e-9), DIGITS)
    one = len(cause.parts) == 1
    lines, s = ("The wrong line", "s") if one else ("These wrong lines", "")
    if cause.left_open:
        told = f"{lines} would leave {', '.join(cause.left_open)} unexplained."
    elif digits < 1:
        told = f"{lines} would leave {cause.residual:.0%} of the error unexplained."
    else:
        sure = "" if cause.certain else "; yet the cause may be another"
        so_many = f"{digits} digit{'s' * (digits > 1)}"
        told = f"{lines} reproduce{s} the error of your gradient to {so_many}{sure}."
    if cause.whose == "formula":
        line, it = ("line is", "yours") if one else ("lines are", "your own")
        told += f" The {line} written as in gradlab's formula of the layer; {it} may be otherwise."
    elif cause.whose == "yours" and not cause.left_open:
        told = f"{cause.evidence.partition('. ')[0]}."
    museum = f' gl.bugs.describe("{cause.bug}") tells more.' if cause.bug else ""
    return told + museum
