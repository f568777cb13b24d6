"""The whole page: what a report says, with its figures, and the style sheet for both themes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from gradlab.checking.blocks import Block, Table
from gradlab.checking.page import COLUMNS, causes_told, foot_of, head_of, verdict_told
from gradlab.checking.saved.curve import curve
from gradlab.checking.saved.strips import strips
from gradlab.checking.saved.style import STYLE
from gradlab.checking.verdict import about, in_digits

if TYPE_CHECKING:
    from gradlab.checking.report import Report, TensorReport
    from gradlab.checking.sweeps import EpsSweep

WORST, ALL = 5, 12  # entries of a wrong tensor that are told at most, and of all about
# The page needs no script, font, picture or network, and the browser holds it to that.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(report: Report, sweep: EpsSweep | None = None) -> str:
    """Return a report as an HTML document."""
    title = f"{verdict_told(report)}: the gradient of {report.subject}"
    tensors = list(report.tensors.values())
    rows = [tensor.row() for tensor in tensors]
    parts = [
        f'<header class="{report.verdict}">{_said(head_of(report))}</header>',
        _section("Why it is wrong", _said(causes_told(report.diagnosis))),
        _section("Worst entries", _worst(report)),
        _section("Tensors", _table("Tensors", COLUMNS, rows)),
        _section("Every entry", strips(report)),
        _section("Over all steps", curve(sweep, report.eps) if sweep is not None else ""),
        _section("What else to know", _listed(report.warnings)),
        _section("Why, tensor by tensor", _reasons(tensors)),
        f"<footer>{_said([foot_of(report)])}</footer>",
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>Gradient check of {escape(report.subject)}</h1>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def _section(name: str, html: str) -> str:
    """Return a part under its name; "" if there is nothing in it."""
    return f"<section>\n<h2>{escape(name)}</h2>\n{html}\n</section>" if html else ""


def _said(blocks: Sequence[Block]) -> str:
    return "".join(block.html() for block in blocks)


def _table(
    name: str, head: Sequence[str], rows: Sequence[Sequence[str]], look: str = "narrow"
) -> str:
    """Return a table that scrolls by itself where the window is narrow."""
    told = f'class="wide {look}" tabindex="0" role="group" aria-label="{escape(name)}"'
    return f"<div {told}>{Table(head, rows).html()}</div>"


def _worst(report: Report) -> str:
    most = max(1, min(WORST, ALL // max(1, len(report.wrong))))
    rows = [
        (f"{name}{list(index)}", *in_digits(a, n), f"{abs(a - n) / max(abs(a), abs(n)):.1e}")
        for name in report.wrong
        for index, a, n in report[name].worst(most)
    ]
    head = ("entry", "analytic", "numerical", "relative error")
    return _table("Worst entries", head, rows) if rows else ""


def _listed(sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""


def _reasons(tensors: Sequence[TensorReport]) -> str:
    """Return what was checked of each tensor, what would have been seen, why, and what to do."""
    rows = []
    for tensor in tensors:
        told = [tensor.why, tensor.judgement.advice]
        why = ". ".join(f"{words[0].upper()}{words[1:]}" for words in told if words)
        seen = about(tensor.resolution) if math.isfinite(tensor.resolution) else "–"
        rows.append((tensor.name, tensor.coverage, seen, why))
    head = ("tensor", "checked", "errors seen from", "why, and what to do")
    return _table("Reasons", head, rows, "")
