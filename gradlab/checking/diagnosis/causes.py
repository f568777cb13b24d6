"""From a wrong gradient to its probable cause."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradlab.bugs import describe
from gradlab.bugs.lines import Cause, explain
from gradlab.bugs.lines.line import compiled
from gradlab.bugs.lines.program import listing_of
from gradlab.bugs.planting import without_bugs
from gradlab.bugs.suspects import Suspect, suspects
from gradlab.checking.diagnosis.clues import Clues
from gradlab.checking.diagnosis.patterns import PATTERNS
from gradlab.checking.report import Report
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

DIGITS = 8  # in all wrong entries together, that no bug hits by chance
EXACT = 1e-3  # of the deviation that a suspect may leave unexplained and still be the one
ALONG = 0.999  # cosine between two deviations of the same kind and another strength
NO_PATTERN = "no known pattern"


@dataclass(frozen=True)
class Diagnosis:
    """A possible cause of a wrong gradient.

    Attributes
    ----------
    cause : str
        One sentence.
    bug : str or None
        Its name in the museum (`gl.bugs.describe`), if it has one.
    layer : int or None
        Where it would be, 1 for that of the first weights.
    evidence : str
        What speaks for it, with numbers.
    score : float
        1 explains all that is seen, 0 nothing.
    where, wrong_line, right_line : str or None
        The place in the backward pass, and its line as it must be written to give this gradient
        and to give the right one; of several lines each is "one; other". None where a pattern
        tells no line.
    residual : float or None
        What that line leaves of the deviation, relative, in the tensor where it leaves most.
    certain : bool
        Whether it reproduces every wrong tensor to the resolution of the check, in more digits
        than chance could.
    alike, left_open : tuple of str
        Other lines, "where: wrong line", that fit as well, and the tensors that this one does not
        explain.
    """

    cause: str
    bug: str | None
    layer: int | None
    evidence: str
    score: float
    where: str | None = None
    wrong_line: str | None = None
    right_line: str | None = None
    residual: float | None = None
    certain: bool = False
    alike: tuple[str, ...] = ()
    left_open: tuple[str, ...] = ()

    @property
    def parts(self) -> list[tuple[str, str, str]]:
        """Each mistake's place, wrong line and right line; "" where nothing stands there."""
        if self.wrong_line is None:
            return []
        whole = [self.where or "", self.wrong_line, self.right_line or ""]
        places, wrong, right = (text.split("; ") for text in whole)
        right += [""] * (len(places) - len(right))  # after backward nothing belongs
        if not len(places) == len(wrong) == len(right):  # one line with a ; of its own
            return [tuple(whole)]
        return list(zip(places, wrong, right, strict=True))

    def __str__(self) -> str:
        where = "" if self.layer is None else f" (layer {self.layer})"
        return f"{self.cause}{where}. {self.evidence}"


def diagnose(
    report: Report,
    net: Network | None = None,
    x: np.ndarray | None = None,
    y: np.ndarray | None = None,
    masks: Masks = None,
) -> list[Diagnosis]:
    """Return what probably made a gradient wrong, the most probable first.

    Patterns in the report alone are tried first: factors, signs, equal entries, zeros, which
    tensors. With the network, the deviation is compared with the weights (L2); with its data too,
    the analytic gradient is compared with that of every known bug, planted on the spot, and if none
    fits, with that of edited lines of the backward pass: a second or two for a recurrent network.

    Parameters
    ----------
    report : Report
        Not "wrong": there is nothing to explain, and the list is empty.
    net : Network or None, optional
        What was checked, with or without its bug.
    x, y, masks : optional
        What it was checked on.

    Returns
    -------
    list of Diagnosis
        At least one for a wrong gradient; its cause is "no known pattern" if none fits.
    """
    if not report.wrong:
        return []
    clues = Clues.of(report, net, x)
    found = by_patterns(clues)
    if net is not None and clues.params is not None and x is not None and y is not None:
        found = _with_suspects(found, clues, suspects(net, x, y, masks))
        found = [d if d.residual is None else _with_lines(d, net, masks) for d in found]
        if not any(d.score > 1 - clues.tolerance for d in found):
            found = _edited_lines(report, clues, net, x, y, masks) + found
    found = found or [Diagnosis(NO_PATTERN, None, None, clues.where, 0.0)]
    found = [d for d in found if d.certain] or found  # what is vague beside it says no more
    return sorted(found, key=lambda d: -d.score)


def _edited_lines(
    report: Report, clues: Clues, net: Network, x: np.ndarray, y: np.ndarray, masks: Masks
) -> list[Diagnosis]:
    """Return the lines that, written in the place of the right ones, give this gradient."""
    if isinstance(masks, np.random.Generator):  # nothing would come out twice
        return []
    analytic = {name: np.ravel(report[name].analytic) for name in report}
    if all((a == a.astype(np.float32)).all() for a in analytic.values()):
        analytic = {name: a.astype(np.float32) for name, a in analytic.items()}
    entries = {n: t.entries for n, t in report.tensors.items()} if clues.sampled else None
    causes = explain(net, x, y, masks, analytic, clues.numerical, clues.bounds, entries)
    return [_of_line(cause, clues) for cause in causes]


def _of_line(cause: Cause, clues: Clues) -> Diagnosis:
    left = f"{max(cause.residual, 1e-16):.0e}"
    evidence = f"With this line, backward leaves {left} of the deviation open. {clues.where}."
    return Diagnosis(
        str(cause), None, None, evidence, 0.98 if cause.certain else 0.5, cause.where,
        cause.wrong_line, cause.right_line, cause.residual, cause.certain, cause.alike,
        cause.left_open,
    )  # fmt: skip


def _of_suspect(suspect: Suspect, left: float, twins: list[Suspect], clues: Clues) -> Diagnosis:
    also = ", ".join(other.bug for other in twins)
    evidence = (
        f"Planted in this network it leaves {max(left, 1e-16):.0e} of the deviation open. "
        f"{clues.where}." + (f" Here it cannot be told from {also}." if also else "")
    )
    left = residual(clues, suspect)
    digits = -np.log10(max(left, 1e-16)) * sum(clues.analytic[name].size for name in clues.wrong)
    return Diagnosis(
        suspect.cause, suspect.bug, suspect.layer, evidence, 1 - left, residual=left,
        certain=left < clues.tolerance and digits >= DIGITS,
    )  # fmt: skip


def _with_lines(told: Diagnosis, net: Network, masks: Masks) -> Diagnosis:
    """Return a diagnosis with a museum's bug as it stands in the lines of this network."""
    exhibit, listing, net = (
        describe(told.bug),
        listing_of(net, masks is not None),
        without_bugs(net),
    )
    places = exhibit.places(net)
    position = places.get(told.layer, next(iter(places.values()), None))
    changes = {} if position is None else exhibit.changes(listing, net, position)
    if not changes:
        return replace(
            told, where="after backward", wrong_line=exhibit.wrong, right_line=exhibit.right
        )
    lines = [listing.lines[k] for k in changes]
    return replace(
        told,
        where="; ".join(line.where for line in lines),
        wrong_line="; ".join(compiled(text)[0] for text in changes.values()),
        right_line="; ".join(line.text for line in lines),
    )


def by_patterns(clues: Clues) -> list[Diagnosis]:
    """Return what the numbers alone say."""
    return [Diagnosis(*found, 0.9) for pattern in PATTERNS for found in pattern(clues)]


def diagnose_black_box(clues: Clues) -> list[Diagnosis]:
    """Return what made the gradient of a function of one's own wrong, from the numbers alone."""
    return by_patterns(clues) or [Diagnosis(NO_PATTERN, None, None, clues.where, 0.0)]


def _with_suspects(
    found: list[Diagnosis], clues: Clues, candidates: list[Suspect]
) -> list[Diagnosis]:
    """Return the diagnoses from patterns, joined by the suspects that fit."""
    fits = [(left_over(clues, s), s) for s in candidates]
    exact = [(left, s) for left, s in fits if left < EXACT]
    if exact:
        return _exact(exact, clues) + [d for d in found if d.bug not in {s.bug for _, s in exact}]
    return found or _alike(clues, candidates) or _drawn(clues, candidates)


def _exact(exact: list[tuple[float, Suspect]], clues: Clues) -> list[Diagnosis]:
    return [_of_suspect(s, left, [o for _, o in exact if o is not s], clues) for left, s in exact]


def _alike(clues: Clues, candidates: list[Suspect]) -> list[Diagnosis]:
    """Return the suspects whose deviation has the same direction but another length."""
    deviation = clues.deviation()
    alike = []
    for s in candidates:
        other = clues.deviation(s.gradient)
        norms = np.linalg.norm(deviation) * np.linalg.norm(other)
        along = float(deviation @ other / norms) if norms else 0.0
        if along > ALONG:
            times = float(deviation @ other / (other @ other))
            evidence = (
                f"the deviation is {times:.3g} times what {s.bug} gives in this network "
                f"(cosine {along:.6f}). {clues.where}."
            )
            alike.append(Diagnosis(s.cause, s.bug, s.layer, evidence, 0.6 * along))
    return alike


def _drawn(clues: Clues, candidates: list[Suspect]) -> list[Diagnosis]:
    """Return the suspects with numbers of their own that spoil just the tensors that are wrong."""
    evidence = (
        f"{clues.where}, and it stands there. It draws numbers of its own: more cannot be compared."
    )
    return [
        Diagnosis(f"perhaps {s.cause}", s.bug, s.layer, evidence, 0.3)
        for s in candidates
        if s.random and _spoiled(clues, s) == set(clues.wrong)
    ]


def _spoiled(clues: Clues, suspect: Suspect) -> set[str]:
    gradient = clues.flat(suspect.gradient)
    return {
        name
        for name, n in clues.numerical.items()
        if np.linalg.norm(gradient[name] - n) > 1e-4 * np.linalg.norm(n) + clues.floor
    }


def residual(clues: Clues, suspect: Suspect) -> float:
    """Return what a suspect leaves of the deviation, in the wrong tensor where it leaves most."""
    gradient = clues.flat(suspect.gradient)
    return max(
        float(np.linalg.norm(clues.analytic[k] - gradient[k])
              / max(np.linalg.norm(clues.analytic[k] - clues.numerical[k]), np.finfo(float).tiny))
        for k in clues.wrong
    )  # fmt: skip


def left_over(clues: Clues, suspect: Suspect) -> float:
    """Return how much of the worst tensor's deviation a suspect leaves unexplained."""
    worst, gradient = 0.0, clues.flat(suspect.gradient)
    for name, a in clues.analytic.items():
        n, c = clues.numerical[name], gradient[name]
        floor = clues.tolerance * (np.linalg.norm(n) + np.linalg.norm(a)) + clues.floor
        left = np.linalg.norm(a - c) / max(np.linalg.norm(a - n), floor)
        worst = max(worst, float(left))
    return worst
