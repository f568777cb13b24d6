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
CAUSES = 3  # that are told, the first in full
PARTS = 2  # of a cause with several lines, that are told
PERHAPS = "perhaps "
DIGITS = 12  # at most: more of them are another machine's rounding


def text_of(report: Report) -> str:
    """Return a report as lines of at most 100 columns."""
    parts = ("\n".join(block.text() for block in part) for part in _parts(report))
    return "\n\n".join(part for part in parts if part)


def html_of(report: Report) -> str:
    """Return the same as HTML."""
    parts = ("".join(block.html() for block in part) for part in _parts(report))
    html = "".join(f'<div style="margin-bottom: 0.6em">{part}</div>' for part in parts if part)
    return f'<div class="gradlab-report">{html}</div>'


def _parts(report: Report) -> list[list[Block]]:
    causes = report.diagnosis
    told = any(d.certain for d in causes)  # the advice is how to find what is found already
    head = [Words(f"{SIGNS[report.verdict]} {report.verdict}: {report.why}", "b")]
    if report.advice and not told:
        head.append(Words(f"What to do: {report.advice}"))
    tensors = Table(COLUMNS, [t.row() for t in report.tensors.values()])
    notes = [Words(f"Remark: {remark}") for remark in report.remarks]
    if report.verdict != Verdict.WRONG:  # what else could hide is asked when nothing else is wrong
        notes += [Words(f"Blind spot: {warning}") for warning in report.blind_spots]
    return [head, causes_told(causes), _worst(report), [tensors], [*notes, _foot(report)]]


def _foot(report: Report) -> Words:
    steps = "steps chosen entry by entry" if report.eps is None else f"eps {report.eps:g}"
    done = f"{report.scheme} differences, {steps}, {report.evaluations} evaluations"
    return Words(f"{report.subject}; {done}", "small")


def _worst(report: Report) -> list[Block]:
    """Return the worst entries of the wrong tensors, one a tensor, or three of a single one."""
    most = 3 if len(report.wrong) == 1 else 1
    rows = [
        (f"{name}{list(index)}", *in_digits(a, n))
        for name in report.wrong[:WORST]
        for index, a, n in report[name].worst(most)
    ]
    return [Table(("worst entries", "analytic", "numerical"), rows)] if rows else []


# -- causes --------------------------------------------------------------------------------------


def causes_told(causes: Sequence[Diagnosis]) -> list[Block]:
    """Return the first cause in full, and a line for each of the next."""
    if not causes:
        return []
    first = causes[0]
    others = dict.fromkeys([*map(_brief, causes[1:]), *first.alike])
    others = [other for other in others if other != _brief(first)]
    kind, also = ("Cause", "fits as well") if first.certain else ("Probable cause", "or")
    kind = kind if first.score else "Cause"
    kind = "Perhaps" if first.cause.startswith(PERHAPS) else kind
    more = len(others) - (CAUSES - 1)
    return [
        Words(f"{kind}: {_title(first)}", "b"),
        *_lines(first.parts),
        Words(_fit(first)),
        *(Words(f"  {also}: {other}", short=True) for other in others[: CAUSES - 1]),
        *[Words(f"  and {more} more: report.diagnosis has them")] * (more > 0),
    ]


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
    lines = "the wrong line" if len(cause.parts) == 1 else "these wrong lines"
    if cause.left_open:
        told = f"{lines.capitalize()} would leave {', '.join(cause.left_open)} unexplained."
    elif digits < 1:
        told = f"With {lines}, {cause.residual:.0%} of what is off would be unexplained."
    else:
        sure = "" if cause.certain else "; yet the cause may be another"
        so_many = f"{digits} digit{'s' * (digits > 1)}"
        told = f"With {lines}, backward gives this gradient, to {so_many} of what is off{sure}."
    museum = f' gl.bugs.describe("{cause.bug}") tells more.' if cause.bug else ""
    return told + museum
