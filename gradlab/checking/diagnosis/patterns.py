"""Patterns in a wrong gradient that point at a cause, from the numbers alone.

Each takes the facts and yields what it found. A pattern is named only if it reproduces every entry
it speaks of to the resolution of the check: a factor 2.9 is not "exactly 3", and a gradient that
is 1/39 of the right one has no flipped sign.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gradlab.checking.diagnosis.facts import Factor, Facts

EXACT = 1e-6  # relative: how well a factor must be known to be told as exact


class Found(NamedTuple):
    """A cause, the bug's name in the museum or None, the layer or None, and the evidence."""

    cause: str
    bug: str | None
    layer: int | None
    evidence: str


# -- one call and the next -----------------------------------------------------------------------


def accumulated(facts: Facts) -> Iterator[Found]:
    """Find that each call of grad adds the right gradient to what the one before returned."""
    first, names = facts.first, facts.wrong
    if first is None or all(np.allclose(first[n], facts.analytic[n], rtol=1e-3) for n in names):
        return
    if all(facts.fits(n, facts.analytic[n] - first[n], facts.numerical[n]) for n in names):
        right = all(facts.fits(n, first[n], facts.numerical[n]) for n in names)
        yield Found(
            "gradients are added to those of the call before: they are not reset to 0",
            "accumulated_gradients",
            None,
            "The first call of grad is right, the second is twice that."
            if right
            else "Of two calls of grad in a row, the second is larger by the right gradient.",
        )


# -- factors -------------------------------------------------------------------------------------


def common_factor(facts: Facts) -> Iterator[Found]:
    """Find one factor by which all wrong tensors are off."""
    names = [name for name in facts.wrong if name in facts.live]
    for part in ("", "data part"):  # L2's part of the gradient may be right beside a wrong rest
        factor = facts.factor(names, data_part=bool(part)) if not part or facts.l2 else None
        if factor is None:
            continue
        if factor.value == 0:
            if any(facts.analytic[name].any() for name in names) or len(names) < len(facts.live):
                continue  # sums that cancel, or only some tensors: `never_computed` tells these
            yield Found(
                "the gradient is 0, as if it were never computed, or reset after it was",
                None,
                None,
                f"All entries of {', '.join(names)} are exactly 0, where slopes are not.",
            )
            return
        what = "every tensor" if facts.all_wrong else ", ".join(facts.wrong)
        what += " without its L2 part" if part else ""
        direction = "the same" if factor.value > 0 else "opposite"
        evidence = f"Analytic over numerical is {factor} in {what}, direction {direction}."
        is_exact = factor.error <= EXACT * abs(factor.value)
        for cause, bug in _meaning(facts, factor):
            told = cause if is_exact else cause.replace("exactly", "about")
            yield Found(told, bug, None, evidence)
        return


def factor_in_each(facts: Facts) -> Iterator[Found]:
    """Find that each wrong tensor is off by a factor of its own, and not all by the same one."""
    names = [name for name in facts.wrong if name in facts.live]
    factors = {name: facts.factor([name]) for name in names}
    known = [f for f in factors.values() if f is not None and f.value != 0]
    largest = max((facts.analytic[name].size for name in names), default=0)
    if len(names) < 2 or len(known) < len(names) or largest < 3:
        return
    if facts.factor(names) is not None:  # `common_factor` tells it
        return
    listed = ", ".join(f"{factor} in {name}" for name, factor in factors.items())
    yield Found(
        "each of these tensors is off by a factor of its own",
        None,
        None,
        f"Analytic over numerical is {listed}; nothing else is off.",
    )


def _meaning(facts: Facts, factor: Factor) -> list[tuple[str, str | None]]:
    """Return what a factor may come from: in all tensors, in one bias, or in the lower layers."""
    table = _everywhere(facts, factor) if facts.all_wrong else _somewhere(facts, factor)
    found = [(cause, bug) for value, fits, cause, bug in table if fits and factor.is_(value)]
    if found or factor.is_(2) or factor.is_(0.5) or factor.is_(-1):
        return found or [(_plain(factor), None)]
    if facts.batch is None and (n := facts.batch_for(factor)) > 1:
        return [(_whole(facts, factor, n), None)]
    if facts.all_wrong and facts.clipped_length and 0 < factor.value < 1 and facts.entries_off > 2:
        what = f"the whole gradient has a length of {facts.length:.6g}: it is clipped or normalised"
        return [(what, None)]
    # one number is a factor of another whatever is wrong
    return [(_plain(factor), None)] if facts.entries_off >= 3 else []


def _everywhere(facts: Facts, factor: Factor) -> list[tuple[float, bool, str, str | None]]:
    """Return (factor, is it possible, cause, bug) for factors that all tensors share."""
    n, k, loss = facts.batch_for(factor), facts.outputs or 1, facts.loss_name
    # without the network N is a guess, and what it counts another
    of_what = f"the mean over a batch of {n}" if facts.batch else _a_mean_over(n)
    more, less = (
        ("", "")
        if facts.batch
        else (
            f"every tensor is exactly {n} times what it must be: ",
            f"every tensor is exactly 1/{n} of what it must be: ",
        )
    )
    other = "" if facts.batch else ", or a factor is there once too often"
    return [
        (-1, True, "the sign is flipped, as by y - p where p - y belongs", "flipped_sign"),
        (
            2,
            True,
            "every tensor is exactly double: gradients were added to those of a call before, or a "
            "factor 2 is there once too often",
            "accumulated_gradients",
        ),
        (
            1 / 2,
            loss in (None, "mse"),
            "every tensor is exactly half: a factor 2 is missing, usually the one from the square "
            "in the MSE",
            "missing_factor_2",
        ),
        (
            1 / k,
            k > 1 and loss == "mse",
            f"the loss's derivative is divided by N·K, the loss by N; K is {k}",
            "mean_over_outputs",
        ),
        (
            n,
            n > 1,
            f"{more}1/N is missing, that of {of_what}{other}",
            "missing_1_over_n",
        ),
        (
            1 / n,
            n > 1,
            f"{less}1/N is there twice, that of {of_what}{other}",
            "double_1_over_n",
        ),
    ]


def _somewhere(facts: Facts, factor: Factor) -> list[tuple[float, bool, str, str | None]]:
    """Return (factor, is it possible, cause, bug) for factors that only some tensors share."""
    n, keep = facts.batch_for(factor), 1 - facts.dropout_rate
    one_bias = len(facts.wrong) == 1 and facts.wrong[0] in facts.biases
    what = "the bias's gradient "
    what += "" if facts.batch else f"is exactly 1/{n} of what it must be: it "
    of_what = f"a mean over a batch of {n}" if facts.batch else _a_mean_over(n)
    return [
        (
            1 / n,
            n > 1 and one_bias,
            f"{what}is {of_what} where a sum belongs",
            "bias_mean",
        ),
        (
            keep,
            keep < 1,
            "dropout's factor 1/keep is missing on the way back",
            "missing_dropout_scale",
        ),
    ]


def _a_mean_over(n: int) -> str:
    return f"a mean over {n} of something (examples, positions, classes)"


def _whole(facts: Facts, factor: Factor, n: int) -> str:
    """Return the words for a whole number, or one over it, in some tensors."""
    where = ", ".join(facts.wrong)
    if abs(factor.value) > 1:
        return f"{where} is exactly {n} times what it must be: a sum over {n} where a mean belongs?"
    return f"{where} is exactly 1/{n} of what it must be: a mean over {n} where a sum belongs?"


def _plain(factor: Factor) -> str:
    if factor.is_(-1):
        return "the sign is flipped there"
    for value, word in ((2, "exactly double"), (0.5, "exactly half")):
        if factor.is_(value):
            return f"the gradient there is {word}"
    return f"the gradient is {factor} times what it must be"


# -- where entries went --------------------------------------------------------------------------


def equal_entries(facts: Facts) -> Iterator[Found]:
    """Find a tensor of one row or column whose entries are all the sum of the right ones."""
    for name in () if facts.sampled else facts.wrong:
        a, n = facts.analytic[name], facts.numerical[name]
        if sum(size > 1 for size in facts.shapes[name]) != 1 or not np.ptp(n):
            continue
        size, bound = np.abs(n).max(), float(facts.bounds[name].max())
        near = max(1e-6, 10 * facts.rounding) * size + n.size * 2 * bound
        same = np.ptp(a) <= max(1e-7, facts.rounding) * size
        if same and bound < 1e-3 * size and abs(a[0] - n.sum()) <= near:
            bias = name in facts.biases
            yield Found(
                f"the {'bias' if bias else 'tensor'}'s gradient is summed without an axis",
                "bias_summed_without_axis" if bias else None,
                facts.numbers[name],
                f"All {a.size} entries of {name} are {a[0]:.3g}, the sum of the right ones.",
            )


def never_computed(facts: Facts) -> Iterator[Found]:
    """Find tensors that are exactly 0."""
    zero = [name for name in facts.wrong if not facts.analytic[name].any()]
    if zero and len(zero) < len(facts.live):
        yield Found(
            "the gradient is 0 there, as if it were never computed, or reset after it was",
            None,
            None,
            f"All entries of {', '.join(zero)} are exactly 0, where slopes are not.",
        )


def copied(facts: Facts) -> Iterator[Found]:
    """Find a tensor that holds another's gradient, of the same shape."""
    for name in () if facts.sampled else facts.wrong:
        for other, shape in facts.shapes.items():
            if other == name or shape != facts.shapes[name] or not facts.numerical[other].any():
                continue
            if facts.fits(name, facts.analytic[name], facts.numerical[other]):
                both = name in facts.biases and other in facts.biases
                yield Found(
                    f"the gradient of {name} is that of {other}",
                    "copied_bias_gradient" if both else None,
                    facts.numbers[name],
                    f"All entries of {name} are those of {other}.",
                )


def transposed(facts: Facts) -> Iterator[Found]:
    """Find a square matrix that is right but for being transposed."""
    for name in () if facts.sampled else facts.wrong:
        shape = facts.shapes[name]
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
            continue
        n = facts.numerical[name].reshape(shape).T.ravel()
        if facts.fits(name, facts.analytic[name], n):
            yield Found(
                f"the gradient of {name} is transposed: delta.T @ a where a.T @ delta belongs",
                None,
                facts.numbers[name],
                f"{name} equals the numerical gradient's transpose.",
            )


def rows_or_columns(facts: Facts) -> Iterator[Found]:
    """Find whole rows or columns of a matrix that are 0, or off by one factor, the others right."""
    for name in () if facts.sampled else facts.wrong:
        shape = facts.shapes[name]
        if len(shape) != 2 or min(shape) < 2 or not facts.analytic[name].any():
            continue
        off = facts.off(name).reshape(shape)
        for axis, word in ((1, "row"), (0, "column")):
            lines = np.flatnonzero(off.any(axis=axis))
            live = (np.abs(facts.numerical[name]) > facts.tolerance_of(name)).reshape(shape)
            whole = (off | ~live).all(axis=axis)[lines].all()
            several = off.sum(axis=axis)[lines].min(initial=2) > 1  # one entry is no row
            if whole and several and 0 < len(lines) < shape[1 - axis]:
                yield from _line(facts, name, axis, word, lines)
                break


def _line(facts: Facts, name: str, axis: int, word: str, lines: np.ndarray) -> Iterator[Found]:
    shape = facts.shapes[name]
    a = np.take(facts.analytic[name].reshape(shape), lines, axis=1 - axis)
    which = f"{word}{'s' * (len(lines) > 1)} {', '.join(map(str, lines[:5]))}"
    which += " …" if len(lines) > 5 else ""
    if not a.any():
        what = f"{which} of {name} {'are' if len(lines) > 1 else 'is'} exactly 0"
        yield Found(
            f"{which} of {name}: the gradient is 0 there, as if it were never written",
            None,
            facts.numbers[name],
            f"{what[0].upper()}{what[1:]}, where slopes are not; nothing else of {name} is off.",
        )
        return
    yield Found(
        f"{which} of {name}: the gradient is wrong in whole {word}s only",
        None,
        facts.numbers[name],
        f"All entries of {name} that are off are in {which}.",
    )


def clipped_by_value(facts: Facts) -> Iterator[Found]:
    """Find that the extreme entries are cut to one size, and all others are right."""
    names = [*facts.analytic]
    a = np.concatenate([facts.analytic[name] for name in names])
    n = np.concatenate([facts.numerical[name] for name in names])
    tol = np.concatenate([facts.tolerance_of(name) for name in names])
    top = np.abs(a).max(initial=0.0)
    cut = np.abs(n) > top + tol
    equal = np.isclose(np.abs(a[cut]), top, rtol=1e-7, atol=0).all()
    rest = (np.abs(a - np.clip(n, -top, top)) <= tol + 1e-7 * top).all()
    inside = (np.abs(n) > 1e3 * tol) & (np.abs(n) < 0.99 * top)
    if cut.sum() > 1 and inside.any() and equal and rest and _round(top):
        yield Found(
            f"the gradient is clipped by value, to {top:.6g}",
            None,
            None,
            f"{cut.sum()} entries are exactly {top:.6g} in size where the slope is larger; no "
            "other one is off.",
        )


def _round(value: float) -> bool:
    """Tell whether a number has two digits at most, as numbers that people choose."""
    return float(f"{value:.2g}") == float(f"{value:.9g}")


# -- L2 ------------------------------------------------------------------------------------------


def l2_off(facts: Facts) -> Iterator[Found]:
    """Find a deviation that is a multiple of the weights."""
    times = facts.along_params(facts.wrong)
    if times is None or set(facts.wrong) & facts.biases:
        return
    if not facts.knows_l2 and facts.factor(facts.wrong) is not None:  # a factor explains it, too
        return
    where = "every weight" if set(facts.wrong) >= facts.weights else ", ".join(facts.wrong)
    evidence = f"The analytic gradient less the numerical one is {times} times W"
    if not facts.knows_l2:
        one, other = ("lacks", "has") if times.value < 0 else ("has", "lacks")
        term = f"a term {abs(times.value):.4g} times the weights"
        cause = f"L2: the gradient {one} {term} that the loss {other}"
        yield Found(cause, None, None, f"{evidence} in {where}.")
        return
    if not facts.l2:
        evidence += f" in {where}, and the loss has no L2; no bias is wrong."
        yield Found("L2 is in the gradient and not in the loss", None, None, evidence)
        return
    c = times.over(facts.l2)
    evidence += f", {c} times λW, in {where}; no bias is wrong."
    n = facts.batch
    known = [
        (-1.0, "L2 is missing in the gradient", "missing_l2"),
        (1.0, "L2 is doubled in the gradient", "doubled_l2"),
        (-2.0, "L2's gradient is subtracted where it must be added", "negated_l2"),
    ]
    if n and n > 1:
        known.append((1 / n - 1, f"L2's gradient is divided by the batch size {n}", "l2_over_n"))
    named = [(cause, bug) for value, cause, bug in known if c.is_(value)]
    for cause, bug in named or [
        (f"L2's gradient is {1 + c.value:.4g} times what it must be", None)
    ]:
        yield Found(cause, bug, None, evidence)


def l2_on_biases(facts: Facts) -> Iterator[Found]:
    """Find biases that alone are wrong, by a multiple of themselves."""
    if not (facts.knows_l2 and set(facts.wrong) <= facts.biases):
        return
    if (times := facts.along_params(facts.wrong)) is not None:
        yield Found(
            "L2 treats the biases differently in the loss and in the gradient",
            "l2_on_biases",
            None,
            f"The analytic gradient less the numerical one is {times} times b in "
            f"{', '.join(facts.wrong)} (λ is {facts.l2:g}); no weight is wrong.",
        )


PATTERNS = (
    accumulated,
    common_factor,
    equal_entries,
    copied,
    transposed,
    clipped_by_value,
    l2_off,
    l2_on_biases,
    never_computed,
    rows_or_columns,
    factor_in_each,
)
