"""Exercise worst_tensor of lesson 00: which tensor gives a gradient away."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gradlab.course.note import shown
from gradlab.course.task import Task, wants_a_function

__all__ = ["CASES", "WORST_TENSOR"]

Tensors = Mapping[str, np.ndarray]


def worst_tensor(a, n) -> str:
    """Return the name of the tensor of `a` whose norm ratio to that of `n` is largest."""
    worst, largest = None, -1.0
    for name in a:
        both = np.linalg.norm(a[name]) + np.linalg.norm(n[name])
        ratio = np.linalg.norm(a[name] - n[name]) / both if both > 0 else 0.0
        if ratio > largest:
            worst, largest = name, ratio
    return worst


def _case(seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return a and n: three tensors of unlike size, each a multiple of n and something else."""
    rng = np.random.default_rng(seed)
    a, n = {}, {}
    for name, shape in (("W1", (2, 3)), ("b1", (3,)), ("W2", (3, 2))):
        n[name] = rng.uniform(0.1, 10) * rng.standard_normal(shape)
        other = rng.uniform(0, 2) * np.linalg.norm(n[name]) * rng.standard_normal(shape) / 2
        a[name] = rng.uniform(-2, 4) * n[name] + other
    return a, n


#: Each of the mistakes in _VARIANTS names another tensor in one of these, and no two the same.
CASES = tuple(_case(seed) for seed in (23, 125, 140))


def _norm(of: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[Tensors, Tensors], str]:
    """Return the function that names the tensor in which `of` (its a, its n) is largest."""
    return lambda a, n: max(a, key=lambda name: of(a[name], n[name]))


_size = np.linalg.norm
_VARIANTS = {
    "the smallest norm ratio. The largest is asked.": _norm(
        lambda a, n: -_size(a - n) / (_size(a) + _size(n))
    ),
    "the largest ‖a - n‖. That is large where a tensor is large: divide by ‖a‖ + ‖n‖.": _norm(
        lambda a, n: _size(a - n)
    ),
    "the largest ‖a - n‖ / ‖n‖. The norm ratio divides by ‖a‖ + ‖n‖.": _norm(
        lambda a, n: _size(a - n) / _size(n)
    ),
    "the largest ‖a - n‖ / ‖a‖. The norm ratio divides by ‖a‖ + ‖n‖.": _norm(
        lambda a, n: _size(a - n) / _size(a)
    ),
    "the largest ‖a - n‖ / max(‖a‖, ‖n‖). The norm ratio divides by the sum of the two.": _norm(
        lambda a, n: _size(a - n) / max(_size(a), _size(n))
    ),
    # the order of these two is the same, whatever a and n are
    "the largest ‖a - n‖ / ‖a + n‖, which is also the one with the largest ‖a - n‖² / (‖a‖² + "
    "‖n‖²). The norm ratio divides ‖a - n‖ by ‖a‖ + ‖n‖, a sum of two roots.": _norm(
        lambda a, n: _size(a - n) / _size(a + n)
    ),
    "the largest |‖a‖ - ‖n‖| / (‖a‖ + ‖n‖). Subtract first, then take the norm: two tensors can "
    "have the same length and point in different directions.": _norm(
        lambda a, n: abs(_size(a) - _size(n)) / (_size(a) + _size(n))
    ),
    "the largest quotient of plain sums. In a sum positive and negative entries cancel: ‖v‖ is "
    "the root of the sum of squares.": _norm(
        lambda a, n: abs(np.sum(a - n)) / (abs(np.sum(a)) + abs(np.sum(n)))
    ),
    "the largest error of a single entry, |a - n| / max(|a|, |n|). The norm ratio takes a tensor "
    "as a whole.": _norm(lambda a, n: np.max(abs(a - n) / np.maximum(abs(a), abs(n)))),
}


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `worst_tensor`."""
    if not callable(answer):
        return wants_a_function(answer, "worst_tensor")
    named = []
    for a, n in CASES:
        own = [{name: tensor.copy() for name, tensor in one.items()} for one in (a, n)]
        given = answer(*own)
        if given is None or given is ...:
            return None
        for letter, one, was in zip("an", own, (a, n), strict=True):
            if list(one) != list(was) or any(not np.array_equal(one[k], was[k]) for k in was):
                return f"It changed {letter}. A check leaves what it looks at as it was."
        if mistake := _no_name(given, a):
            return mistake
        named.append(str(given))
    return _wrong_names(named) or _zeros(answer)


def _no_name(given: object, a: Tensors) -> str:
    if isinstance(given, str):
        return "" if given in a else f"There is no tensor {given!r}: the names are {', '.join(a)}."
    is_number = isinstance(given, (int, float, np.number)) and not isinstance(given, bool)
    if is_number:
        return f"It returned the number {given:.3g}. The name of a tensor is asked, such as 'b1'."
    return f"It returned {shown(given)}. The name of a tensor alone is asked, such as 'b1'."


def _wrong_names(named: list[str]) -> str:
    right = [worst_tensor(a, n) for a, n in CASES]
    if named == right:
        return ""
    for words, variant in _VARIANTS.items():
        if named == [variant(a, n) for a, n in CASES]:
            return (
                f"It was tried {len(CASES)} times, and each time it named the tensor with {words}"
            )
    k = next(k for k, name in enumerate(named) if name != right[k])
    a, n = CASES[k]
    sizes = {name: _size(a[name] - n[name]) / (_size(a[name]) + _size(n[name])) for name in a}
    told = ", ".join(f"{name} {ratio:.3f}" for name, ratio in sizes.items())
    return f"It named {named[k]} where the norm ratios are {told}: {right[k]} has the largest."


def _zeros(answer: Callable[[Tensors, Tensors], object]) -> str:
    """Return what to say to who lets 0 / 0 win: a unit that is never on has such a tensor."""
    zeros = {"b1": np.zeros(2), "b2": np.zeros(2)}
    a, n = ({"b1": None, **one, **zeros} for one in CASES[0])  # b1 is the first, b2 the last
    right = worst_tensor(a, n)
    with np.errstate(all="ignore"):  # numpy's own warning comes again below, in words
        given = answer(dict(a), dict(n))
    if given == right:
        return ""
    return (
        f"Right for {len(CASES)} gradients. Where b1 and b2 were 0 in both it returned "
        f"{shown(given)}, not {right!r}. Two tensors of zeros agree: let their ratio be 0 (0 / 0 "
        "is nan in numpy)."
    )


WORST_TENSOR = Task(
    name="worst_tensor",
    lesson="00",
    question=(
        "Write worst_tensor(a, n): of two dicts of arrays with the same names, the name of the "
        "tensor with the largest norm ratio."
    ),
    find_mistake=find_mistake,
    hints=(
        "np.linalg.norm(a[name] - n[name]) is ‖a - n‖ of one tensor, whatever its shape.",
        "Divide it by np.linalg.norm(a[name]) + np.linalg.norm(n[name]), unless that is 0.",
        "max(a, key=…) goes through the names and returns one of them.",
    ),
    answer=worst_tensor,
    solution="A tensor at a time: so a small one cannot hide behind a large one.",
    praise="It finds what one number for all hides: of B in this lesson it names b1.",
)
