"""The exercise "signature" of lesson 09: how the two gradients of one tensor are related."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from gradlab.bugs import plant
from gradlab.checking import numerical_gradient
from gradlab.course.note import shown
from gradlab.course.task import number_in, wants_a_function
from gradlab.course.tasks.culprits import small_network
from gradlab.nn.data import moons
from gradlab.nn.mlp import mlp

__all__ = ["Case", "cases", "find_wrong_signature", "signature"]


def signature(a, n, W) -> tuple:
    """Return what a is: ("right", 1), ("factor", c), ("along W", c) or ("other", None)."""
    delta = a - n
    size = np.linalg.norm(delta)
    if size < 1e-6 * np.linalg.norm(n):  # n is a difference: it has round-off
        return "right", 1
    for word, left, unit in (("factor", a, n), ("along W", delta, W)):
        c = np.vdot(unit, left) / np.vdot(unit, unit)  # how long `left` is along `unit`
        if np.linalg.norm(left - c * unit) < 1e-4 * size:  # nothing of the error is left over
            return word, c
    return "other", None


WORDS = ("right", "factor", "along W", "other")


class Case(NamedTuple):
    """One tensor of a network with a bug, or without, and what its signature is."""

    title: str
    a: np.ndarray
    n: np.ndarray
    W: np.ndarray
    word: str
    c: float | None


#: Bug, layer, tensor, signature; the last three arguments of a `Case` are of the network.
_PLAIN = (
    ("missing_1_over_n", None, "W2", "factor", 8.0),
    ("double_1_over_n", None, "b3", "factor", 1 / 8),
    ("flipped_sign", None, "W1", "factor", -1.0),
    ("accumulated_gradients", None, "b2", "factor", 2.0),
    ("bias_mean", 3, "b3", "factor", 1 / 8),
    ("missing_activation_derivative", 2, "W1", "other", None),
    ("updated_weights", None, "W1", "other", None),
    ("bias_summed_without_axis", 2, "b2", "other", None),
    ("missing_label", None, "W2", "other", None),
)
_WITH_L2 = (
    ("missing_l2", None, "W1", "along W", -0.1),
    ("doubled_l2", None, "W3", "along W", 0.1),
    ("negated_l2", None, "W2", "along W", -0.2),
    ("l2_on_biases", None, "b2", "along W", 0.1),
    ("flipped_sign", None, "W3", "other", None),
)
_MSE = (("mean_over_outputs", None, "W3", "factor", 1 / 3),)


@cache
def cases() -> tuple[Case, ...]:
    """Return the cases that a learner's `signature` is tried on, those of right code first."""
    nets = (small_network(), small_network(l2=0.1), small_network(loss="mse"))
    numerical = [numerical_gradient(net, x, y) for net, x, y in nets]
    found = [
        Case(f"right code, {name}", net.gradient(x, y)[name], n[name], net.params[name], "right", 1)
        for (net, x, y), n, name in zip(
            (nets[0], nets[1], nets[1]),
            (numerical[0], numerical[1], numerical[1]),
            ("W1", "b2", "W3"),
            strict=True,
        )
    ]
    for (net, x, y), n, bugs in zip(nets, numerical, (_PLAIN, _WITH_L2, _MSE), strict=True):
        for bug, layer, name, word, c in bugs:
            a = plant(net, bug, layer).gradient(x, y)[name]
            title = f"{bug.replace('_', ' ')}{', with L2' * bool(net.l2)}, {name}"
            found.append(Case(title, a, n[name], net.params[name], word, c))
    right, W = numerical[0]["W1"], nets[0][0].params["W1"]
    gap = right.copy()
    gap[:, 0] = 0  # a unit that no example reaches
    found.append(Case("a gradient of zeros, W1", 0 * right, right, W, "factor", 0.0))
    found.append(Case("twice the gradient, a column of it 0", 2 * gap, gap, W, "factor", 2.0))
    return (*found, _puzzle())


def _puzzle() -> Case:
    """Return the case of the lesson's first screen: cosine 0.999, and no factor."""
    (x, y), net = moons(30, seed=0), mlp([2, 16, 16, 16, 2], activation="sigmoid", seed=0)
    a = plant(net, "missing_activation_derivative", 2).gradient(x, y)["W1"]
    n = numerical_gradient(net, x, y)["W1"]
    title = "missing activation derivative, sigmoid, W1"
    return Case(title, a, n, net.params["W1"], "other", None)


def find_wrong_signature(answer: object) -> str | None:
    """Return what is wrong with a learner's `signature`."""
    if not callable(answer):
        return wants_a_function(answer, "signature")
    for case in cases():
        a, n, W = case.a.copy(), case.n.copy(), case.W.copy()
        with np.errstate(all="ignore"):  # 0 / 0 is answered by a message
            got = answer(a, n, W)
        if got is None or got is ...:
            return None if case is cases()[0] else f"{case.title}: it returned nothing."
        if not all(map(np.array_equal, (a, n, W), (case.a, case.n, case.W))):
            return "It changes the arrays that it was given. Work on new ones: a - n, not a -= n."
        if not isinstance(got, (tuple, list)) or len(got) != 2 or got[0] not in WORDS:
            return (
                f"{case.title}: it returned {shown(got)}. A pair is asked, such as "
                f'("factor", 2.0); its word is one of {", ".join(WORDS)}.'
            )
        mistake = _wrong_word(case, got[0]) if got[0] != case.word else _wrong_c(case, got[1])
        if mistake:
            return f"{case.title}: {mistake}"
    return ""


def _wrong_word(case: Case, word: str) -> str:
    """Return what shows that `word` is not what the case is."""
    a, n = case.a, case.n
    delta = a - n
    off = np.linalg.norm(delta) / np.linalg.norm(n)
    if word == "right":
        return f"a is off by {off:.2g} of the size of n, and round-off by some 1e-9. It says right."
    if case.word == "right":
        return (
            f"the code is right. a and n agree to {off:.0e} of their size, which is all that "
            f"differences can do, and it says {word}. Leave room for round-off, and ask this first."
        )
    if case.word == "factor":
        times = "every entry of a is 0, so a = 0 · n" if case.c == 0 else f"a is {case.c:g} times n"
        return f"{times}, up to round-off, and it says {word}."
    if word == "other":
        return f"a - n is {case.c:g} times W, and it says other. Compare a - n, not a, with W."
    left, unit, told = (a, n, "a and n") if word == "factor" else (delta, case.W, "a - n and W")
    c = np.vdot(unit, left) / np.vdot(unit, unit)
    rest = np.linalg.norm(left - c * unit) / np.linalg.norm(delta)
    return (
        f"it says {word}. The cosine of {told} is {_cosine(left, unit):.4f}, which is "
        f"not 1 or -1: the best c leaves {rest:.0%} of a - n. Measure what is left beside a - n."
    )


def _wrong_c(case: Case, value: object) -> str:
    """Return what is wrong with the number of the right word."""
    if case.c is None or case.word == "right":
        return ""
    is_factor, c = case.word == "factor", number_in(value)
    equation = f"a = {case.c:g} n" if is_factor else f"a - n = {case.c:g} W"
    if c is None:
        told = f"{equation}, and c came out as {shown(value)}."
        if isinstance(value, (float, np.floating)) and not np.all(case.n):
            return f"{told} An entry of n is 0 there: <a, n> / <n, n> divides by no entry."
        return f"{told} One finite number is asked."
    if _near(c, case.c):
        return ""
    told = f"{equation}, and it says c = {c:.4g}."
    if _near(c, -case.c):
        if is_factor and case.c < 0:
            return f"{told} A quotient of norms has no sign."
        return f"{told} The sign is the other one" + ("." if is_factor else ": take a - n.")
    if case.c and _near(c, 1 / case.c):
        return f"{told} That is {'n over a' if is_factor else 'W over a - n'}."
    return told


def _near(c: float, right: float) -> bool:
    return abs(c - right) <= 1e-3 * max(abs(right), 1e-3)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.vdot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)))
