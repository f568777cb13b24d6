"""What comes from above: other numbers are tried where the first may hide something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from gradlab.checking.check_function import check_function
from gradlab.checking.report import Report
from gradlab.checking.verdict import Verdict

#: So much larger is what comes from above once, to see whether backward is linear there.
LOUD = 1000.0
#: Of the largest gradient: how far from linear backward may be, by the bytes of a number.
LINEAR = {8: 1e-9, 4: 1e-4}

Above = list  # of arrays or tensors, one for each output
Answer = Callable[[Above], np.ndarray]  # backward's gradient, (P,)


def others(
    answer: Answer, one: Above, two: Above, first: Report, name: str, always: bool = False
) -> list[tuple[Above, str]]:
    """Return what else is to come from above, with what is said if it comes out wrong there.

    Parameters
    ----------
    answer : callable
    one, two : list
        What came from above first, and other random numbers.
    first : Report
        Of the first.
    name : str
        What it is called.
    always : bool, optional
        Whether the second are tried in any case.
    """
    if found := _not_linear(answer, one, two):
        why = (
            f"Backward is right for one {name} and wrong for another: it is not linear in {name}, "
            "as every gradient is (a loss's must be multiplied by it)."
        )
        return [(above, why) for above in found]
    if always:
        return [(two, f"Backward is right for the {name} that it gets, and wrong for another.")]
    if any((tensor.marks == "zero").all() for tensor in first.tensors.values()):
        why = f"A second {name} was tried, for a gradient was 0 throughout with the first."
        return [(two, why)]
    return []


def _not_linear(answer: Answer, one: Above, two: Above) -> list[Above]:
    """Return what backward must be asked with if it is not linear; nothing if it is."""
    mixed = [a / 2 - 2 * b for a, b in zip(one, two, strict=True)]
    loud = [LOUD * a for a in one]  # what is clipped, say
    whole, other, both = answer(one), answer(two), answer(mixed)
    size = max(float(np.abs(g).max()) for g in (whole, other, both))
    allowed = LINEAR[whole.itemsize] * size
    if _far(whole / 2 - 2 * other, both) > allowed:
        return [two, mixed]
    return [loud, mixed] if _far(whole, answer(loud) / LOUD) > allowed else []


def _far(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other).max())


def first_wrong(
    first: Report,
    tried: Iterable[tuple[Above, str]],
    judge: Callable[[Above], Report],
) -> tuple[Report, int, Sequence[str]]:
    """Return the report that counts, the evaluations beyond those of `first`, and a remark.

    It is that of the first thing from above which is wrong, if any is.
    """
    judged, evaluations = first, 0
    for above, why in tried:
        other = judge(above)
        evaluations += other.evaluations
        if other.verdict == Verdict.WRONG:
            return other, evaluations, (why,)
        if other.verdict == Verdict.CORRECT and judged.verdict == Verdict.INCONCLUSIVE:
            judged = other  # what came first from above was 0, or too small
    return judged, evaluations, ()


def check_from_above(own: Callable, name: str, **chosen: object) -> Report:
    """Return the report on a framework's code, with a remark, and the evaluations of all that ran.

    Parameters
    ----------
    own : callable, (P,) -> float
        With its `gradient`, `theta` and `layout`; and, for what comes from above, `above`,
        `other_above`, `answer(above)`, and `ask_with(above)` for the calls that follow.
    name : str
        What comes from above is called.
    **chosen
        What is handed to `check_function`.
    """
    judge = partial(check_function, own, own.gradient, own.theta, tensors=own.layout, **chosen)
    first = judge()
    if first.verdict == Verdict.WRONG:
        return first
    try:
        tried = others(own.answer, own.above, own.other_above, first, name)
    except Exception:  # such as an overflow: it is our idea to ask
        return first

    def again(above: Above) -> Report:
        own.ask_with(above)
        return judge()

    judged, more, said = first_wrong(first, tried, again)
    return replace(
        judged,
        evaluations=first.evaluations + more,
        find_remarks=lambda: (*judged.remarks, *said),
    )
