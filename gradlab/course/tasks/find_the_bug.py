"""Exercises and predictions of lesson 09, "Find the bug"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from gradlab.bugs import plant
from gradlab.checking import numerical_gradient
from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, number_in, one_number, wants_a_function
from gradlab.nn.data import moons
from gradlab.nn.mlp import mlp
from gradlab.nn.network import Network

__all__ = ["LINES", "QUESTIONS", "REPORTS", "TASKS", "Seen", "seen_with", "small_network"]

Grads = dict[str, np.ndarray]
NAMES = ("W1", "b1", "W2", "b2", "W3", "b3")


def small_network(**settings: object) -> tuple[Network, np.ndarray, np.ndarray]:
    """Return the lesson's 5-6-6-3 network, its eight examples and their labels."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, 5)), rng.integers(0, 3, 8)
    net = mlp([5, 6, 6, 3], seed=0, **settings)
    for bias in ("b1", "b2", "b3"):
        net.params[bias] += 0.1 * rng.standard_normal(net.params[bias].shape)
    return net, x, (np.eye(3)[y] if net.loss_name == "mse" else y)


# -- culprits: six reports, and which of twelve lines each comes from ------------------------------

#: What may stand in the place of a right line.
LINES = {
    1: "dz3 = p - t",
    2: "dz3 = (t - p) / N",
    3: "dz3 = p / N",
    4: "dz3 = (p - t) / N / N",
    5: "dW1 += 2 * l2 * W1, and so for dW2 and dW3",
    6: "dW1 -= l2 * W1, and so for dW2 and dW3",
    7: "db2 = dz2.mean(axis=0)",
    8: "db2 = dz2.sum()",
    9: "dz2 = do2",
    10: "do1 = dz2 @ W2",
    11: "dz1 = do1 * (1 - np.tanh(o1)**2)",
    12: "dW1 = x.T @ do1",
}
REPORTS = {"A": 1, "B": 6, "C": 3, "D": 7, "E": 10, "F": 11}


class Seen(NamedTuple):
    """What a check shows of a wrong backward pass.

    Attributes
    ----------
    tensors : dict of str to (float, float)
        Ratio and cosine of the tensors that are wrong.
    signals : tuple of str
        Which of the signals do2 and do1 are wrong.
    """

    tensors: dict[str, tuple[float, float]]
    signals: tuple[str, ...]


@cache
def seen_with(line: int) -> Seen:
    """Return what a check shows if `line` of LINES stands in the backward pass."""
    a, n = _backward(line), _backward(0)
    wrong = [k for k in a if np.linalg.norm(a[k] - n[k]) > 1e-9 * np.linalg.norm(n[k])]
    tensors = {k: _ratio_and_cosine(a[k], n[k]) for k in NAMES if k in wrong}
    return Seen(tensors, tuple(k for k in ("do2", "do1") if k in wrong))


def _backward(line: int) -> Grads:
    """Return the gradient, and the signals do2 and do1, with a wrong line; 0 is none."""
    net, x, y = small_network()
    W1, b1, W2, b2, W3, b3 = (net.params[name] for name in NAMES)
    n, l2, t = len(x), 0.1, np.eye(3)[y]
    o1 = np.tanh(x @ W1 + b1)
    o2 = np.tanh(o1 @ W2 + b2)
    p = np.exp(o2 @ W3 + b3)
    p /= p.sum(axis=1, keepdims=True)
    dz3 = {1: p - t, 2: (t - p) / n, 3: p / n, 4: (p - t) / n / n}.get(line, (p - t) / n)
    do2 = dz3 @ W3.T
    dz2 = do2 if line == 9 else do2 * (1 - o2**2)
    do1 = dz2 @ (W2 if line == 10 else W2.T)
    dz1 = do1 * (1 - (np.tanh(o1) if line == 11 else o1) ** 2)
    db2 = {7: dz2.mean(axis=0), 8: np.full(6, dz2.sum())}.get(line, dz2.sum(axis=0))
    decay = {5: 2 * l2, 6: -l2}.get(line, l2)
    return {
        "W1": x.T @ (do1 if line == 12 else dz1) + decay * W1, "b1": dz1.sum(axis=0),
        "W2": o1.T @ dz2 + decay * W2, "b2": db2,
        "W3": o2.T @ dz3 + decay * W3, "b3": dz3.sum(axis=0),
        "do2": do2, "do1": do1,
    }  # fmt: skip


def _ratio_and_cosine(a: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    product = float(np.vdot(a, n))
    return product / float(np.vdot(n, n)), product / float(np.linalg.norm(a) * np.linalg.norm(n))


def find_wrong_culprit(answer: object) -> str | None:
    """Return what is wrong with {report: number of the line}, or with six numbers in order."""
    given = _by_letter(answer)
    if isinstance(given, str):
        return given
    open_ones = [letter for letter in REPORTS if given[letter] is None or given[letter] is ...]
    if len(open_ones) == len(REPORTS) == len(answer):  # as the lesson has it
        return None
    for letter, value in given.items():
        if letter in open_ones:
            continue
        number = number_in(value)
        if number not in LINES:
            return f"{letter}: a line's number from 1 to 12 is asked, and this is {shown(value)}."
        if number != REPORTS[letter]:
            return f"{letter}: {_difference(letter, int(number))}"
    if open_ones:
        praise = "Right so far. " if len(open_ones) < len(REPORTS) else ""
        return f"{praise}Still open: {', '.join(open_ones)}."
    return ""


def _by_letter(answer: object) -> dict[str, object] | str:
    """Return {report: value}, or the message for an answer that is nothing of the kind."""
    if isinstance(answer, Mapping):
        given = {str(letter).strip().upper(): value for letter, value in answer.items()}
        strange = sorted(set(given) - set(REPORTS))
        if strange:
            return f"There is no report {strange[0]}: they are A to F."
        return {letter: given.get(letter) for letter in REPORTS}
    if isinstance(answer, (Sequence, np.ndarray)) and not isinstance(answer, (str, bytes)):
        if len(answer) == len(REPORTS):
            return dict(zip(REPORTS, answer, strict=True))
        return f"Six numbers are asked, for A to F in order, and these are {len(answer)}."
    return f'A dict such as {{"A": 5, "B": 12, …}} is asked, and this is {shown(answer)}.'


def _difference(letter: str, line: int) -> str:
    """Return the sentence on what line `line` would show, and report `letter` does not."""
    is_so, would_be = seen_with(REPORTS[letter]), seen_with(line)
    told = f"line {line}, {LINES[line]}, would"
    if list(would_be.tensors) != list(is_so.tensors):
        wrong = _listed(would_be.tensors)
        return f"{told} make {wrong} wrong. In the report it is {_listed(is_so.tensors)}."
    for name in ("do2", "do1"):
        if (name in would_be.signals) != (name in is_so.signals):
            if name in would_be.signals:
                return f"{told} make the signal {name} wrong. In the report it is right."
            return f"{told} leave the signal {name} right. In the report it is wrong."
    # the biases first: L2 does not blur what they show
    names = sorted(is_so.tensors, key=lambda name: name[0] == "W")
    name = max(names, key=lambda k: _pair(would_be.tensors[k]) != _pair(is_so.tensors[k]))
    return (
        f"{told} give {name} ratio and cosine {_pair(would_be.tensors[name])}. In the report it "
        f"has {_pair(is_so.tensors[name])}."
    )


def _listed(tensors: Mapping[str, object]) -> str:
    return "every tensor" if len(tensors) == len(NAMES) else ", ".join(tensors) + " alone"


def _pair(numbers: tuple[float, float]) -> str:
    return f"{numbers[0]:.3g}, {numbers[1]:.3f}"


# -- signature: what one tensor's a and n have to do with each other -------------------------------


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
        for (net, x, y), n, name in zip((nets[0], nets[1], nets[1]), (numerical[0], numerical[1],
                                        numerical[1]), ("W1", "b2", "W3"), strict=True)
    ]  # fmt: skip
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
        f"it says {word}. The cosine of {told} is {_ratio_and_cosine(left, unit)[1]:.4f}, which is "
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


# -- times_too_small ---------------------------------------------------------------------------

find_wrong_times: Callable[[object], str] = one_number(
    39.0,
    {
        1 / 39: "This is the ratio a/n. How many times too small a is, is its inverse.",
        20.0: "This is 1 / (1 - 0.95), as if ‖a - n‖ were divided by ‖n‖. The norm ratio divides "
        "by ‖a‖ + ‖n‖.",
        1 / 0.95: "This takes 0.95 for the ratio a/n. It is the norm ratio, (1 - c) / (1 + c).",
        0.95: "This is the norm ratio itself, (1 - c) / (1 + c). Solve for c.",
        19.0: "This is 0.95 / (1 - 0.95). Solve (1 - c) / (1 + c) = 0.95 for c.",
        0.05: "This is 1 - 0.95. With a = c n the norm ratio is (1 - c) / (1 + c), not 1 - c.",
        -39.0: "All signs are right, so the factor is not negative.",
    },
    otherwise="Put a = c n with 0 < c < 1 into ‖a - n‖ / (‖a‖ + ‖n‖): (1 - c) / (1 + c).",
    example="12.5",
)


TASKS = (
    Task(
        name="culprits",
        lesson="09",
        question="Six reports, twelve lines: which line does each report come from?",
        find_mistake=find_wrong_culprit,
        hints=(
            "First: which tensors are wrong? All, the weights alone, one alone, or all below a "
            "point.",
            "L2 is on: read factors off the biases. And b3's entries add up to 0 if the loss's "
            "derivative is right.",
            "E and F have the same tensors. The signal do1 is computed before line 11 uses it.",
        ),
        answer=REPORTS,
        solution=(
            "A: all wrong, the biases 8 = N times too large. B: weights alone, a - n = -2 λ W. "
            "C: all wrong, no factor, b3 adds up to 1. D: one bias, 1/8. E, F: below dz2; in F the "
            "signal do1 is right."
        ),
        praise="Where a gradient goes wrong names a few lines; ratio, cosine and signal name one.",
    ),
    Task(
        name="times_too_small",
        lesson="09",
        question=(
            "All signs are right, the cosine is 1, the norm ratio is 0.95. How many times too "
            "small is the gradient?"
        ),
        find_mistake=find_wrong_times,
        hints=(
            "a = c n with 0 < c < 1. Write down the norm ratio; n cancels.",
            "(1 - c) / (1 + c) = 0.95, and 1/c is asked.",
        ),
        answer=39.0,
        solution="(1 + 0.95) / (1 - 0.95). The author had divided by the number of time steps.",
        praise="An odd factor of 39 is no rounding: look for what there are 39 of.",
    ),
    Task(
        name="signature",
        lesson="09",
        question=(
            "Write signature(a, n, W) for one tensor: its gradient by backpropagation, its "
            "numerical gradient (with round-off), and its values. Return a pair of a word and a "
            'number: ("right", 1), ("factor", c) if a = c n, ("along W", c) if a - n = c W, '
            '("other", None).'
        ),
        find_mistake=find_wrong_signature,
        hints=(
            "Ask in order: is there an error at all, beside round-off? Is a = c n? Is a - n = c W?",
            "c = np.vdot(n, a) / np.vdot(n, n) is the best factor, whatever a is. What does a - c n"
            " leave?",
            "Compare what is left with the error itself, np.linalg.norm(a - n). A cosine of 0.999 "
            "is not 1.",
        ),
        answer=signature,
        solution="c always comes out. What is left over tells whether it means anything.",
        praise="Twenty-one tensors of right and wrong code, and each is what you say it is.",
    ),
)

QUESTIONS = (
    Question(
        name="flipped_with_l2",
        lesson="09",
        question="The sign of the loss's derivative is flipped; L2 is right, with λ = 0.1. The "
        "cosines of a and n in W1, W2 and W3 are …",
        choices={
            "-1 in all three": "That is what a flipped sign does to a gradient that is flipped as "
            "a whole. Here λW is added after the flip, with the right sign.",
            "between -1 and -0.9": "That takes L2 for a small correction. Here λW is about as long "
            "as the data's gradient, though λ is only 0.1.",
            "between 0 and 0.5": "a = -d + λW and n = d + λW, with d the data's gradient. "
            "<a, n> = ‖λW‖² - ‖d‖², and in all three tensors λW is the longer one, though not by "
            "much.",
            "above 0.9": "That takes L2 for nearly all of the gradient. It would be for λ = 10, "
            "when λW is a hundred times as long.",
        },
        right="between 0 and 0.5",
    ),
    Question(
        name="one_example",
        lesson="09",
        question="This network can have 20 bugs of the museum, and on eight examples each is seen. "
        "On a single example, how many go unseen?",
        choices={
            "none": "A wrong formula can give right numbers: p - y and (p - y) / N are equal when "
            "N is 1.",
            "1: the missing 1/N": "That one, and every other line that confuses a mean with a sum, "
            "one row with the batch, or divides once too often.",
            "5": "What divides by N or runs over the batch is right when N is 1: 1/N missing, 1/N "
            "twice, softmax over the batch, a bias that is averaged, λ divided by N.",
            "15": "One example still runs through every line, and most bugs need no more.",
        },
        right="5",
    ),
)
