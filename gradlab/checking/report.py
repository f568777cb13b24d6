"""What a check found, as data and as a table that a person can read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html import escape

import numpy as np

from gradlab.checking.errors import raw_norm_ratio
from gradlab.checking.tensor_report import SIGNS, TensorReport
from gradlab.checking.verdict import Judgement, Verdict

COLUMNS = ("tensor", "shape", "max relative", "norm ratio", "ratio a/n", "cosine", "verdict")


@dataclass(frozen=True, eq=False)
class Report:
    """The check of a whole gradient. Indexed and iterated by tensor name.

    Attributes
    ----------
    tensors : dict of str to TensorReport
    judgement : Judgement
        On the whole: wrong if a tensor is wrong, correct if every tensor is correct.
    subject : str
        What was checked.
    measure : str
        What `error` is measured in.
    scheme : str
    eps : float or None
        None where the checker chose the steps.
    evaluations : int
        How often the loss was evaluated.
    seconds : float
    find_causes, find_blind_spots : callable or None
        Make `diagnosis` and `warnings` when these are first asked for.
    """

    tensors: dict[str, TensorReport]
    judgement: Judgement
    subject: str
    measure: str
    scheme: str
    eps: float | None
    evaluations: int
    seconds: float
    find_causes: Callable[[Report], list] | None = field(default=None, repr=False)
    find_blind_spots: Callable[[], tuple[str, ...]] | None = field(default=None, repr=False)

    @property
    def verdict(self) -> Verdict:
        """One of "correct", "wrong", "inconclusive"."""
        return self.judgement.verdict

    @property
    def why(self) -> str:
        """The reason for the verdict, one sentence."""
        return self.judgement.why

    @property
    def advice(self) -> str:
        """What to do next; may be empty."""
        return self.judgement.advice

    @property
    def wrong(self) -> list[str]:
        """Names of the tensors that are wrong."""
        return [name for name, t in self.tensors.items() if t.verdict == Verdict.WRONG]

    @property
    def error(self) -> float:
        """The largest of the tensors' errors, in the chosen measure."""
        return max(t.error for t in self.tensors.values())

    @property
    def relative_error(self) -> float:
        """Largest |a - n| / max(|a|, |n|) over all entries, whatever the chosen measure."""
        return max(t.relative_error for t in self.tensors.values())

    @property
    def norm_ratio(self) -> float:
        """‖a - n‖ / (‖a‖ + ‖n‖) over all parameters together."""
        a = np.concatenate([t.analytic.ravel() for t in self.tensors.values()])
        n = np.concatenate([t.numerical.ravel() for t in self.tensors.values()])
        return float(raw_norm_ratio(a, n))

    @cached_property
    def diagnosis(self) -> list:
        """Probable causes, the most probable first (`gl.diagnose`); empty if nothing is wrong."""
        return self.find_causes(self) if self.find_causes and self.wrong else []

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Blind spots: what this check could not have seen, and how to see it.

        Found when first asked for, by trying every known bug on copies of what was checked: some
        milliseconds for a small network.
        """
        return self.find_blind_spots() if self.find_blind_spots else ()

    def __getitem__(self, name: str) -> TensorReport:
        if name not in self.tensors:
            raise KeyError(f"the report has the tensors {list(self.tensors)}, not {name!r}")
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    def _head(self) -> str:
        return f"{SIGNS[self.verdict]} {self.verdict}: {self.why}"

    def _foot(self) -> str:
        steps = "steps chosen entry by entry" if self.eps is None else f"eps {self.eps:g}"
        done = f"{self.scheme} differences, {steps}, {self.evaluations} evaluations"
        return f"{self.subject}; {done}"

    def _notes(self) -> list[str]:
        cause = [f"Probable cause: {self.diagnosis[0].cause}"] if self.diagnosis else []
        return cause + [f"Blind spot: {warning}" for warning in self.warnings]

    def __str__(self) -> str:
        rows = [COLUMNS, *(t.row() for t in self.tensors.values())]
        widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
                 for row in rows]  # fmt: skip
        advice = [f"What to do: {self.advice}"] if self.advice else []
        return "\n".join([self._head(), *advice, *self._notes(), "", *lines, "", self._foot()])

    def __repr__(self) -> str:
        return f"Report({self.verdict}, {len(self.tensors)} tensors, wrong: {self.wrong})"

    def _repr_html_(self) -> str:
        def line(cells: tuple[str, ...], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "".join(line(t.row(), "td") for t in self.tensors.values())
        advice = f"<br>What to do: {escape(self.advice)}" if self.advice else ""
        blind = "".join(f"<br>{escape(note)}" for note in self._notes())
        return (
            f"<p><b>{escape(self._head())}</b>{advice}{blind}</p>"
            f"<table><thead>{line(COLUMNS, 'th')}</thead><tbody>{body}</tbody></table>"
            f"<p><small>{escape(self._foot())}</small></p>"
        )


def summary(tensors: dict[str, TensorReport]) -> Judgement:
    """Return the verdict on the whole from those on the tensors."""
    for verdict in (Verdict.WRONG, Verdict.INCONCLUSIVE):
        named = [t for t in tensors.values() if t.verdict == verdict]
        if named:
            names = ", ".join(t.name for t in named)
            why = named[0].why if len(named) == 1 else f"in {named[0].name}, {named[0].why}"
            return Judgement(verdict, f"{names}: {why}", named[0].judgement.advice)
    if len(tensors) == 1:
        return Judgement(Verdict.CORRECT, next(iter(tensors.values())).why)
    checked = sum(t.analytic.size for t in tensors.values())
    total = sum(math.prod(t.shape) for t in tensors.values())
    share = f"all {total}" if checked == total else f"{checked} of {total}"
    return Judgement(Verdict.CORRECT, f"{share} entries of {len(tensors)} tensors agree")
