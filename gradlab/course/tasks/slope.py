"""The exercise of lesson 01 in which a central difference is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradlab.course.note import shown
from gradlab.course.task import Task, number_in, wants_a_function

__all__ = ["SLOPE"]

Curve = Callable[[float], float]


def slope(f, x, eps) -> float:
    """Return the slope of `f` at `x` from the two values at x - eps and x + eps."""
    return (f(x + eps) - f(x - eps)) / (2 * eps)


#: (name, f, x, eps). Long steps: formula and schemes differ there in digits that cannot be missed.
CASES: tuple[tuple[str, Curve, float, float], ...] = (
    ("x³ at 2", lambda x: x**3, 2.0, 0.1),
    ("tanh at 0.5", np.tanh, 0.5, 0.25),
    ("the constant 5 at -1", lambda x: 5.0 + 0.0 * x, -1.0, 0.5),
    ("e^x at -0.3", np.exp, -0.3, 0.75),
)
# What people write instead: (rule, what to say). The first that fits all cases is named.
MISTAKES: tuple[tuple[Callable[[Curve, float, float], float], str], ...] = (
    (
        lambda f, x, eps: (f(x + eps) - f(x)) / eps,
        "This is the forward difference. Central: take f(x - eps) in place of f(x), and divide by "
        "the way between the two points.",
    ),
    (
        lambda f, x, eps: (f(x) - f(x - eps)) / eps,
        "This is the backward difference. Central: take f(x + eps) in place of f(x), and divide "
        "by the way between the two points.",
    ),
    (
        lambda f, x, eps: (f(x + eps) - f(x - eps)) / eps,
        "Twice too large: from x - eps to x + eps it is 2 * eps, not eps.",
    ),
    (
        lambda f, x, eps: (f(x + eps) - f(x)) / (2 * eps),
        "This is the forward difference over 2 * eps: from x to x + eps it is only eps. The left "
        "point of a central difference is x - eps.",
    ),
    (
        lambda f, x, eps: (f(x) - f(x - eps)) / (2 * eps),
        "This is the backward difference over 2 * eps: from x - eps to x it is only eps. The "
        "right point of a central difference is x + eps.",
    ),
    (
        lambda f, x, eps: (f(x + eps) - f(x - eps)) / 2 * eps,
        "Multiplied by eps: in Python a / 2 * eps is (a / 2) * eps. Put 2 * eps in brackets.",
    ),
    (
        lambda f, x, eps: f(x + eps) - f(x - eps) / (2 * eps),
        "Only f(x - eps) is divided: put the difference of the two values in brackets.",
    ),
    (
        lambda f, x, eps: f(x + eps) - f(x - eps),
        "This is the difference of the two values. Divide it by the way between them, 2 * eps.",
    ),
    (
        lambda f, x, eps: (f(x + eps) - f(x - eps)) / 2,
        "This is half of the difference of the two values. The way between them is 2 * eps.",
    ),
    (
        lambda f, x, eps: (f(x - eps) - f(x + eps)) / (2 * eps),
        "The sign is flipped: it is the value on the right minus the value on the left.",
    ),
    (
        lambda f, x, eps: (f(x + eps) + f(x - eps)) / (2 * eps),
        "The two values are added. It is the value on the right minus the value on the left.",
    ),
    (
        lambda f, x, eps: (f(x + eps / 2) - f(x - eps / 2)) / eps,
        "This goes eps / 2 to either side. Go eps to either side.",
    ),
)


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `slope`."""
    if not callable(answer):
        return wants_a_function(answer, "slope")
    slopes, places = [], []
    for name, f, x, eps in CASES:
        seen: list[float] = []
        value = answer(_watched(f, seen), x, eps)
        if value is None or value is ...:
            return "It takes values of f and returns nothing: return the slope." if seen else None
        number = number_in(value)
        if number is None:
            return f"For {name} it returned {shown(value)}; a slope is one number."
        slopes.append(number)
        places.append(sorted(set(seen), key=lambda one: (one.real, one.imag)))
    return _compare(slopes, places)


def _watched(f: Curve, seen: list[float]) -> Curve:
    """Return f; where it was taken is noted in `seen`."""

    def watched(x: float) -> float:
        seen.extend(np.ravel(x))
        return f(x)

    return watched


def _compare(slopes: list[float], places: list[list[float]]) -> str:
    if _fits(slopes, slope):
        return ""
    for rule, message in MISTAKES:
        if _fits(slopes, rule):
            return message
    if not any(places):
        return "It never calls f. Two values are needed, f(x - eps) and f(x + eps)."
    if all(len(found) < 2 for found in places):
        return "It takes f at one place only. Two values are needed, f(x - eps) and f(x + eps)."
    k = next(k for k, case in enumerate(CASES) if not _fits([slopes[k]], slope, [case]))
    name, f, x, eps = CASES[k]
    where = f" It took f at {_listed(places[k])}." if places[k] else ""
    return (
        f"For {name}, with eps = {eps:g}, it returned {slopes[k]:.5g}; the central "
        f"difference is {slope(f, x, eps):.5g}.{where}"
    )


def _fits(
    slopes: Sequence[float], rule: Callable[[Curve, float, float], float], cases: Sequence = CASES
) -> bool:
    values = [rule(f, x, eps) for _, f, x, eps in cases]
    return bool(np.allclose(slopes, values, rtol=1e-8, atol=1e-12))


def _listed(places: list[float]) -> str:
    few = [f"{place:.13g}" for place in places[:4]]
    return ", ".join(few) + (", …" if len(places) > 4 else "")


SLOPE = Task(
    name="slope",
    lesson="01",
    question=(
        "Write slope(f, x, eps): the central difference of f at x, whatever f is. For x³ at 2, "
        "with eps = 0.1, it is 12.01."
    ),
    find_mistake=find_mistake,
    hints=(
        "The two points are x - eps and x + eps. For x³ at 2 the values there are 6.859 and 9.261.",
        "How far is it from one point to the other? Divide by that, and put it in brackets.",
    ),
    answer=slope,
    solution=(
        "For x³ at 2 it gives 12.01. The formula says 3 · 2² = 12: off by eps² = 0.01. For a "
        "constant it gives 0."
    ),
    praise="It was tried on x³, tanh, a constant and e^x, and needed the formula of none of them.",
)
