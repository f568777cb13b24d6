"""What a check found, as data; `page` has it as a person reads it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradlab._validate import check_number
from gradlab.checking.errors import cosine, entry_errors, ratio, raw_norm_ratio, tensor_error
from gradlab.checking.judge import KINK, OK, SUBGRADIENT, ZERO, Finding
from gradlab.checking.page import html_of, text_of
from gradlab.checking.plain import as_plain
from gradlab.checking.saved import save_report
from gradlab.checking.verdict import (
    SIGNS,
    Judgement,
    Setting,
    Verdict,
    about,
    accepted,
    agreeing,
    chance_of_meeting,
    in_brackets,
    judgement_on,
    met,
    resolution_of,
    worst_of,
)

if TYPE_CHECKING:
    from gradlab.checking.sweeps import EpsSweep


class BlindSpot(NamedTuple):
    """What a check could not have seen: a caveat after "correct here, and", a sentence, a cure."""

    caveat: str
    sentence: str
    cure: str


@dataclass(frozen=True, eq=False)
class TensorReport:
    """The check of one tensor.

    Attributes
    ----------
    name : str
    analytic, numerical : ndarray, shape of the tensor
        In units of loss per unit of the parameter.
    measure : str
        What `error` and `errors` are measured in.
    judgement : Judgement
    kinks : ndarray of int, shape of the tensor
        How many kinks the perturbation of each entry crossed, at the step that decided it.
        `gl.check_function` cannot count kinks: 1 where the slopes on both sides of the entry say
        that there is one, else 0.
    marks : ndarray of str, shape of the tensor
        For each entry "ok", "subgradient" (at a kink, between the slopes of its two sides), "zero"
        (gradient and differences are exactly 0), "bug", "kink", "jumps" (of the loss, as large as
        the difference), "noise", "slight" (a difference as small as an approximation's), "flat"
        (no step moves the loss, and the gradient is not 0) or "open".
    bounds : ndarray, shape of the tensor
        How far each entry of `numerical` may be off.
    within : ndarray, shape of the tensor
        The smallest error that would have been seen in each entry, over the tensor's largest;
        infinity where it does not agree.
    resolution : float
        The smallest error, over the tensor's largest entry, that would have been seen in any
        entry; infinity where an entry could not be decided. Where a tensor's gradient is below
        1e-9 of the largest of all, over that.
    full_shape : tuple of int or None
        Shape of the tensor, where only a sample of its entries was checked; the arrays above are
        then vectors.
    entries : ndarray of int or None
        Which entries of the raveled tensor the sample holds.
    """

    name: str
    analytic: np.ndarray
    numerical: np.ndarray
    measure: str
    judgement: Judgement
    kinks: np.ndarray
    marks: np.ndarray
    bounds: np.ndarray
    within: np.ndarray
    resolution: float
    full_shape: tuple[int, ...] | None = None
    entries: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.analytic.shape if self.full_shape is None else self.full_shape

    @property
    def directional(self) -> bool:
        """Whether these are directions through all parameters, and no entries."""
        return self.full_shape is not None and self.entries is None

    @property
    def coverage(self) -> str:
        """How many of its entries were checked, or how many directions."""
        if self.directional:
            return f"{self.analytic.size} directions"
        return f"{self.analytic.size} of {int(np.prod(self.shape))} entries"

    def worst(self, most: int = 3) -> list[tuple[tuple[int, ...], float, float]]:
        """Return the entries that are wrong, worst first: index, analytic and numerical."""
        if self.directional:  # which cannot tell where
            return []
        a, n, marks = self.analytic.ravel(), self.numerical.ravel(), self.marks.ravel()
        return worst_of(a, n, marks, self.shape, self.entries, most)

    def chance_of_meeting(self, share: float) -> float:
        """Return the probability that a sample has met a bug in this share of the entries.

        Every direction meets them all; how small an error it sees is what `resolution` tells.
        """
        if self.directional:
            return 1.0
        share = check_number(share, "share", 0.0, 1.0)
        return chance_of_meeting(math.prod(self.shape), self.analytic.size, share)

    @property
    def verdict(self) -> Verdict:
        """One of "correct", "wrong", "inconclusive"."""
        return self.judgement.verdict

    @property
    def why(self) -> str:
        """The reason for the verdict, one sentence."""
        return self.judgement.why

    @property
    def crossed_kinks(self) -> int:
        """How many kinks the perturbations of this tensor crossed: the sum of `kinks`."""
        return int(self.kinks.sum())

    @cached_property
    def errors(self) -> np.ndarray:
        """Relative error of each entry; for the norm ratio, the max-relative one."""
        return entry_errors(self.analytic, self.numerical, self.measure)

    @cached_property
    def error(self) -> float:
        """The tensor's one number in the chosen measure: its largest entry's, or the norm ratio."""
        return float(tensor_error(self.analytic.ravel(), self.numerical.ravel(), self.measure))

    @property
    def relative_error(self) -> float:
        """Largest |a - n| / max(|a|, |n|) over the entries, whatever the chosen measure."""
        return float(entry_errors(self.analytic, self.numerical).max())

    @property
    def norm_ratio(self) -> float:
        """‖a - n‖ / (‖a‖ + ‖n‖)."""
        return float(raw_norm_ratio(self.analytic.ravel(), self.numerical.ravel()))

    @property
    def ratio(self) -> float:
        """<a, n> / <n, n>: the factor by which the analytic gradient is off, if it is a factor."""
        return ratio(self.analytic.ravel(), self.numerical.ravel())

    @property
    def cosine(self) -> float:
        """The cosine of the angle between the two: 1 same direction, -1 flipped sign."""
        return cosine(self.analytic.ravel(), self.numerical.ravel())

    def row(self) -> tuple[str, ...]:
        """Return the cells of this tensor's line in the table.

        Of zero against zero, or against its rounding, nothing relative is told.
        """
        numbers = (
            f"{self.relative_error:.1e}",
            f"{self.norm_ratio:.1e}",
            f"{self.ratio:.3g}",
            f"{self.cosine:.3g}",
        )
        sizes = np.maximum(np.abs(self.analytic), np.abs(self.numerical))
        if self.verdict == Verdict.CORRECT and ("nan" in numbers or (sizes <= self.bounds).all()):
            numbers = ("–",) * len(numbers)
        shape = str(self.shape).replace(" ", "")
        cells = ("–" if number == "nan" else number for number in numbers)
        return (self.name, shape, *cells, f"{SIGNS[self.verdict]} {self.verdict}")


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
    find_causes, find_blind_spots, find_remarks : callable or None
        Make `diagnosis`, `warnings` and `remarks` when these are first asked for.
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
    find_blind_spots: Callable[[], tuple[BlindSpot, ...]] | None = field(default=None, repr=False)
    find_remarks: Callable[[], tuple[str, ...]] | None = field(default=None, repr=False)

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
    def resolution(self) -> float:
        """The smallest error that would have been seen: the largest of the tensors' resolutions."""
        return max(t.resolution for t in self.tensors.values())

    @property
    def wrong(self) -> list[str]:
        """Names of the tensors that are wrong."""
        return [name for name, t in self.tensors.items() if t.verdict == Verdict.WRONG]

    @property
    def deciding(self) -> str:
        """Name of the tensor that decides the verdict: of those with it, the largest error's.

        Another may have a larger error that proves nothing.
        """
        with_it = [t for t in self.tensors.values() if t.verdict == self.verdict]
        return largest_error(with_it or self.tensors.values()).name

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
        """Remarks, and blind spots: what this check could not have seen, and how to see it.

        Blind spots are found when first asked for, by trying every known bug on copies of what was
        checked: some milliseconds for a small network.
        """
        return (*self.remarks, *self.blind_spots)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What else the check met that a person should know."""
        return self.find_remarks() if self.find_remarks else ()

    @property
    def blind_spots(self) -> tuple[str, ...]:
        """What this check could not have seen, however good its verdict, and how to see it."""
        return tuple(spot.sentence for spot in self._blind_spots)

    @property
    def cures(self) -> tuple[str, ...]:
        """What to do about the blind spots, each once."""
        return tuple(dict.fromkeys(spot.cure for spot in self._blind_spots))

    @cached_property
    def _blind_spots(self) -> tuple[BlindSpot, ...]:
        return self.find_blind_spots() if self.find_blind_spots else ()

    @cached_property
    def caveats(self) -> tuple[str, ...]:
        """What a verdict of "correct" leaves open, each as it follows "correct here, and".

        Its blind spots, and entries that were not checked, that are 0 = 0, or that are smaller than
        the error that would have been seen in them. Empty for any other verdict.
        """
        if self.verdict != Verdict.CORRECT:
            return ()
        return (*(spot.caveat for spot in self._blind_spots), *untested(self))

    def to_dict(self) -> dict:
        """Return all of this as plain data, which `json.dumps` takes.

        Verdict, reason, advice, caveats, warnings, causes and sizes, and of every tensor its
        verdict, shape, errors, resolution and worst entries (not the arrays). A number that is not
        finite is the text "nan", "inf" or "-inf", which `float` reads. `warnings` and causes are
        looked for, if they were not yet.

        Returns
        -------
        dict

        Examples
        --------
        >>> import numpy as np
        >>> import gradlab as gl
        >>> report = gl.check_function(lambda t: np.sum(t**3), lambda t: 2 * t**2, [1.0, 2.0])
        >>> report.to_dict()["tensors"]["theta"]["worst"][0]["index"]
        [1]
        """
        return as_plain(self)

    def __getitem__(self, name: str) -> TensorReport:
        if name not in self.tensors:
            raise KeyError(f"the report has the tensors {list(self.tensors)}, not {name!r}")
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    def __str__(self) -> str:
        return text_of(self)

    def __repr__(self) -> str:
        return f"Report({self.verdict}, {len(self.tensors)} tensors, wrong: {self.wrong})"

    def _repr_html_(self) -> str:
        return html_of(self)

    def save(self, path: str | os.PathLike, sweep: EpsSweep | None = None) -> Path:
        """Write the report as one HTML file that needs nothing else, to keep or to send.

        The verdict, the cause with its lines, the worst entries, every tensor, warnings and advice,
        and as figures every entry's relative error and, of a sweep, the U-curve; light or dark as
        the reader's system is. It has no scripts, and whatever stands in a name is shown as text.
        Nothing is evaluated again. The file is replaced at once: whoever reads it sees the old one
        or the new one, never half of one.

        Takes some milliseconds, as the blind spots do (`warnings`). The file has some 150 bytes an
        entry and not more than about 400 kB a tensor: of a crowd, dots on the same pixels are one.

        Parameters
        ----------
        path : str or path-like
            Ends in .html; an existing file is replaced.
        sweep : EpsSweep or None, optional
            What `gl.sweep_eps` returned for the same network.

        Returns
        -------
        Path
            Of the file, absolute.

        Raises
        ------
        TypeError
            `path` is no path, or `sweep` no sweep of steps.
        ValueError
            `path` does not end in .html, or `sweep` is of other tensors.
        OSError
            `path` is a folder, its parent does not exist, or nothing can be written there.

        Examples
        --------
        >>> import tempfile
        >>> import gradlab as gl
        >>> net = gl.mlp([2, 4, 2])
        >>> x, y = gl.data.moons(8)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = gl.check(net, x, y).save(f"{folder}/report.html", gl.sweep_eps(net, x, y))
        ...     page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
        True
        """
        return save_report(self, path, sweep)


def tensor_report(
    name: str,
    analytic: np.ndarray,
    found: Finding,
    kinks: np.ndarray | None,
    shape: tuple[int, ...],
    entries: np.ndarray | None,
    setting: Setting,
    measure: str = "max_relative",
    judgement: Judgement | None = None,
) -> TensorReport:
    """Put what was found for a tensor's checked entries (E,) into words and into its shape.

    Parameters
    ----------
    name : str
    analytic : ndarray, shape (E,)
    found : Finding
        About these entries.
    kinks : ndarray of int, shape (E,), or None
        How many each crossed; None where they cannot be counted.
    shape : tuple of int
        Of the tensor.
    entries : ndarray of int, shape (E,), or None
        Which of the raveled tensor's entries they are; None where it is all.
    setting : Setting
    measure : str, optional
    judgement : Judgement or None, optional
        Where it is the same for every tensor.
    """
    if kinks is None:
        kinks = np.isin(found.mark, (KINK, SUBGRADIENT)).astype(int)
    judgement = judgement or judgement_on(analytic, found, shape, setting)
    arrays = (analytic, found.slope, kinks, found.mark, found.bound, found.within)
    if entries is None:
        arrays = tuple(array.reshape(shape) for array in arrays)
    a, n, kinks, marks, bounds, within = arrays
    return TensorReport(
        name,
        a,
        n,
        measure,
        judgement,
        kinks,
        marks,
        bounds,
        within,
        resolution_of(found),
        None if entries is None else shape,
        entries,
    )


def largest_error(tensors: Iterable[TensorReport]) -> TensorReport:
    """Return the tensor with the largest error; one that is not defined is larger than any."""
    return max(tensors, key=lambda t: math.inf if math.isnan(t.error) else t.error)


def untested(report: Report) -> tuple[str, ...]:
    """Return how many entries were not checked, prove nothing, or are too small to tell."""
    tensors = [t for t in report.tensors.values() if not t.directional]
    if not tensors:
        return ()
    checked, total = (
        sum(s) for s in zip(*((t.analytic.size, math.prod(t.shape)) for t in tensors), strict=True)
    )
    told = [f"only {checked} of {total} entries were checked"] if checked < total else []
    zeros = sum(int((t.marks == ZERO).sum()) for t in tensors)
    if zeros:
        told.append(f"{_of(zeros, checked)} exactly 0 on both sides: untested")
    if small := sum(int(mask.sum()) for mask in too_small(report).values()):
        told.append(f"{_of(small, checked)} too small to tell from 0")
    return tuple(told)


def _of(some: int, checked: int) -> str:
    return f"{some} of {checked} entries {'is' if some == 1 else 'are'}"


def too_small(report: Report) -> dict[str, np.ndarray]:
    """Return which entries agree and are no larger than the error that would have been seen.

    Arrays of bool in the tensors' shapes: there even a gradient of 0 would have passed.
    """
    largest = {name: _largest(t.numerical) for name, t in report.tensors.items()}
    whole = max(largest.values())
    return {
        name: np.isin(t.marks, (OK, SUBGRADIENT))
        & (
            np.maximum(np.abs(t.analytic), np.abs(t.numerical))
            <= t.within * max(largest[name], 1e-9 * whole)
        )
        for name, t in report.tensors.items()
    }


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def summary(tensors: dict[str, TensorReport], setting: Setting) -> Judgement:
    """Return the verdict on the whole from those on the tensors."""
    for verdict in (Verdict.WRONG, Verdict.INCONCLUSIVE):
        named = [t for t in tensors.values() if t.verdict == verdict]
        if named:
            names = ", ".join(t.name for t in named)
            worst = largest_error(named)
            why = worst.why if len(named) == 1 else f"in {worst.name}, {worst.why}"
            return Judgement(verdict, f"{names}: {why}", worst.judgement.advice)
    if len(tensors) == 1:
        return Judgement(Verdict.CORRECT, next(iter(tensors.values())).why)
    total = sum(math.prod(t.shape) for t in tensors.values())
    marks = np.concatenate([t.marks.ravel() for t in tensors.values()])
    seen = about(max(t.resolution for t in tensors.values()))
    agree = agreeing(marks, total, f" of {len(tensors)} tensors")
    why = f"{agree}{accepted(setting)}; an error of {seen} would have been seen"
    least = min(tensors.values(), key=lambda t: t.chance_of_meeting(0.1))
    why += met(math.prod(least.shape), least.analytic.size)
    return Judgement(Verdict.CORRECT, why + in_brackets(marks))
