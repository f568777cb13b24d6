"""From a wrong gradient to its probable cause."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from gradlab.bugs import describe, plant
from gradlab.bugs.lines import Cause, explain
from gradlab.bugs.lines.another_batch import Asked, Gradient
from gradlab.bugs.lines.line import compiled
from gradlab.bugs.lines.numbers import names_of
from gradlab.bugs.lines.program import listing_of
from gradlab.bugs.planting import without_bugs
from gradlab.bugs.suspects import Suspect, suspects
from gradlab.checking.diagnosis.facts import Facts
from gradlab.checking.diagnosis.patterns import PATTERNS
from gradlab.checking.report import Report
from gradlab.nn.layers import Masks
from gradlab.nn.network import Network, Point

DIGITS = 8  # in all wrong entries together, that no bug hits by chance
EXACT = 1e-3  # of the deviation that a suspect may leave unexplained and still be the one
ALONG = 0.999  # cosine between two deviations of the same kind and another strength
NEAR = 0.75  # how much less usual a factor may be, such as N / K beside 2, and still be told
SIZE = re.compile(r"^[^()]*[A-Za-z][^()]*$")  # a formula of sizes, but not of N - 1
NO_PATTERN = "no known pattern"
BISECT = ". gl.bisect(net, x, y) finds the first wrong step from above"


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
    whose : str
        Whose line it is: "yours", of your source; "formula", of a layer that your code equals, and
        not as it stands in your source; "" where the network, or its lines, are gradlab's.
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
    whose: str = ""

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
    facts = Facts.of(report, net, x)
    found = by_patterns(facts)
    if net is not None and facts.params is not None and x is not None and y is not None:
        point = Point(net, x, y, masks)
        gradient = net.gradient if _is_its_own(facts, point) else None
        asked = Asked.of(gradient, point) if gradient else None
        found = _with_suspects(found, facts, suspects(point), _sizes(facts, net, x, asked), asked)
        found = [d if d.residual is None else _with_lines(d, net, masks) for d in found]
        if not any(d.score > 1 - facts.tolerance for d in found):
            found = _edited_lines(report, facts, point, gradient) + found
    found = found or _other_masks(facts) or unknown(facts, BISECT)
    found = [d for d in found if d.certain] or found  # what is vague beside it says no more
    return sorted(found, key=lambda d: -d.score)


def _is_its_own(facts: Facts, point: Point) -> bool:
    """Tell whether the gradient is what the network's own code gives, at each call the same.

    Then it can be asked about another batch, too.
    """
    net, x, y, masks = point
    try:
        again = facts.flat(net.gradient(x, y, masks))
    except Exception:  # anybody's code
        return False
    return all(np.array_equal(a, again[name]) for name, a in facts.analytic.items())


def _sizes(facts: Facts, net: Network, x: np.ndarray, asked: Asked | None) -> dict[str, object]:
    """Return what has sizes that can be taken for each other; none where that was asked."""
    if asked:
        return {}
    sizes = {"N": facts.batch, "K": facts.outputs, **net.params}
    return {**sizes, "T": len(x), "H": net.hidden} if net.batch_axis else sizes


def _edited_lines(
    report: Report,
    facts: Facts,
    point: Point,
    gradient: Gradient | None,
) -> list[Diagnosis]:
    """Return the lines that, written in the place of the right ones, give this gradient."""
    if isinstance(point.masks, np.random.Generator):  # nothing would come out twice
        return []
    analytic = {name: np.ravel(report[name].analytic) for name in report}
    if all((a == a.astype(np.float32)).all() for a in analytic.values()):
        analytic = {name: a.astype(np.float32) for name, a in analytic.items()}
    entries = {n: t.entries for n, t in report.tensors.items()} if facts.sampled else None
    causes = explain(point, analytic, facts.numerical, facts.bounds, entries, gradient)
    return [of_line(cause, facts) for cause in causes]


def of_line(cause: Cause, facts: Facts) -> Diagnosis:
    """Return what is told of an edited line."""
    left = f"{max(cause.residual, 1e-16):.0e}"
    evidence = f"With this line, backward leaves {left} of the deviation open. {facts.where}."
    return Diagnosis(
        str(cause),
        None,
        None,
        evidence,
        0.98 if cause.certain else 0.5,
        cause.where,
        cause.wrong_line,
        cause.right_line,
        cause.residual,
        cause.certain,
        cause.alike,
        cause.left_open,
    )


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


def _other_masks(facts: Facts) -> list[Diagnosis]:
    """Return what may be behind a gradient that is wrong everywhere, in a network with dropout."""
    if not (facts.dropout_rate and facts.all_wrong):
        return []
    cause = (
        "perhaps the dropout masks are not the same in all three places: in the loss that was "
        "differenced, on backprop's way up, and on its way down"
    )
    evidence = f"{facts.where}. Hand the same masks to the check and to what it checks, and see."
    return [Diagnosis(cause, None, None, evidence, 0.2)]


def by_patterns(facts: Facts) -> list[Diagnosis]:
    """Return what the numbers alone say."""
    return [Diagnosis(*found, 0.9) for pattern in PATTERNS for found in pattern(facts)]


def unknown(facts: Facts, more: str = "") -> list[Diagnosis]:
    """Return that no cause is known, where to look first and with what."""
    return [Diagnosis(NO_PATTERN, None, None, f"{facts.where}{more}.", 0.0)]


def diagnose_black_box(facts: Facts) -> list[Diagnosis]:
    """Return what made the gradient of a function of one's own wrong, from the numbers alone."""
    return by_patterns(facts) or unknown(facts)


def _with_suspects(
    found: list[Diagnosis],
    facts: Facts,
    candidates: list[Suspect],
    sizes: dict[str, object],
    asked: Asked | None,
) -> list[Diagnosis]:
    """Return the diagnoses from patterns, joined by the suspects that fit."""
    fits = [(left_over(facts, s), s) for s in candidates]
    exact = [(left, s) for left, s in fits if left < EXACT]
    if exact:
        agreeing = [(left, s) for left, s in exact if asked is None or _agrees(s, asked)]
        named = _exact(agreeing, facts, sizes) or [
            replace(
                d,
                cause=f"perhaps {d.cause}",
                score=0.5,
                certain=False,
                evidence=f"{d.evidence} On another batch it is not the same.",
            )
            for d in _exact(exact, facts, sizes)
        ]
        return named + [d for d in found if d.bug not in {s.bug for _, s in exact}]
    return found or _alike(facts, candidates) or _drawn(facts, candidates)


def _agrees(suspect: Suspect, asked: Asked) -> bool:
    """Tell whether a known bug, planted on the spot, gives the same on another batch."""
    net = plant(without_bugs(asked.point.net), suspect.bug, suspect.layer)
    return asked.is_(net.gradient(*asked.point[1:]))


def _exact(
    exact: list[tuple[float, Suspect]], facts: Facts, sizes: dict[str, object]
) -> list[Diagnosis]:
    diagnoses, also = [], _as_well(facts, sizes)
    for left, s in exact:
        others = [o.bug for _, o in exact if o is not s]
        twins = f" Here it cannot be told from {', '.join(others)}." if others else ""
        same = f"Planted in this network it leaves {max(left, 1e-16):.0e} of the deviation open"
        evidence = f"{same}. {facts.where}.{twins}"
        off = residual(facts, s)
        diagnoses.append(
            Diagnosis(
                s.cause + also,
                s.bug,
                s.layer,
                evidence,
                1 - left,
                residual=off,
                certain=_is_proof(off, facts),
            )
        )
    return diagnoses


def _is_proof(left: float, facts: Facts) -> bool:
    """Tell whether a bug that leaves so little of the deviation cannot fit by chance."""
    digits = -np.log10(max(left, 1e-16)) * sum(facts.analytic[name].size for name in facts.wrong)
    return bool(left < facts.tolerance and digits >= DIGITS)


def _as_well(facts: Facts, sizes: dict[str, object]) -> str:
    """Return what else would give the same here: another way to 0, or a factor of other sizes."""
    zeros = [name for name in facts.wrong if np.linalg.norm(facts.analytic[name]) < facts.floor]
    if zeros == facts.wrong:
        is_square = set(zeros) <= facts.biases and facts.batch == facts.outputs
        ways = ["over the other axis"] * is_square
        ways += ["it is never computed"] * (not any(facts.analytic[k].any() for k in zeros))
        return f", or {', or '.join(ways)}: all of this gives 0 here" if ways else ""
    factor = facts.factor(facts.wrong) if sizes else None
    if factor is None or not factor.value:
        return ""
    one = facts.wrong[0]
    units = [
        f"{one}.shape[{k}]"
        for k, size in enumerate(facts.shapes[one])
        if len(facts.wrong) == 1 and size != facts.outputs and "H" not in sizes
    ]
    names = names_of(factor.value, sizes, max(1e-6, factor.error / abs(factor.value)), units)
    (first, least), *more = names
    more = [name for name, cost in more if cost <= least + NEAR and SIZE.search(name)]
    near = list(dict.fromkeys([first, *more]))
    return f"; its factor is {' = '.join(near)} here: it may be either" if more else ""


def _alike(facts: Facts, candidates: list[Suspect]) -> list[Diagnosis]:
    """Return the suspects whose deviation has the same direction but another length."""
    deviation = facts.deviation()
    alike = []
    for s in candidates:
        other = facts.deviation(s.gradient)
        norms = np.linalg.norm(deviation) * np.linalg.norm(other)
        along = float(deviation @ other / norms) if norms else 0.0
        if along > ALONG:
            times = float(deviation @ other / (other @ other))
            evidence = (
                f"the deviation is {times:.3g} times what {s.bug} gives in this network "
                f"(cosine {along:.6f}). {facts.where}."
            )
            cause = f"perhaps at another strength, {times:.3g} times this: {s.cause}"
            alike.append(Diagnosis(cause, s.bug, s.layer, evidence, 0.6 * along))
    return alike


def _drawn(facts: Facts, candidates: list[Suspect]) -> list[Diagnosis]:
    """Return the suspects with numbers of their own that spoil just the tensors that are wrong."""
    evidence = (
        f"{facts.where}, and it stands there. It draws numbers of its own: more cannot be compared."
    )
    return [
        Diagnosis(f"perhaps {s.cause}", s.bug, s.layer, evidence, 0.3)
        for s in candidates
        if s.random and _spoiled(facts, s) == set(facts.wrong)
    ]


def _spoiled(facts: Facts, suspect: Suspect) -> set[str]:
    gradient = facts.flat(suspect.gradient)
    return {
        name
        for name, n in facts.numerical.items()
        if np.linalg.norm(gradient[name] - n) > 1e-4 * np.linalg.norm(n) + facts.floor
    }


def residual(facts: Facts, suspect: Suspect) -> float:
    """Return what a suspect leaves of the deviation, in the wrong tensor where it leaves most."""
    gradient = facts.flat(suspect.gradient)
    return max(
        float(
            np.linalg.norm(facts.analytic[k] - gradient[k])
            / max(np.linalg.norm(facts.analytic[k] - facts.numerical[k]), np.finfo(float).tiny)
        )
        for k in facts.wrong
    )


def left_over(facts: Facts, suspect: Suspect) -> float:
    """Return how much of the worst tensor's deviation a suspect leaves unexplained."""
    worst, gradient = 0.0, facts.flat(suspect.gradient)
    for name, a in facts.analytic.items():
        n, c = facts.numerical[name], gradient[name]
        floor = facts.tolerance * (np.linalg.norm(n) + np.linalg.norm(a)) + facts.floor
        left = np.linalg.norm(a - c) / max(np.linalg.norm(a - n), floor)
        worst = max(worst, float(left))
    return worst
