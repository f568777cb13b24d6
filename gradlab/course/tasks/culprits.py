"""The exercise "culprits" of lesson 09: six reports, and which of twelve lines each comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from gradlab.course.note import shown
from gradlab.course.task import number_in
from gradlab.nn.mlp import mlp
from gradlab.nn.network import Network

__all__ = ["LINES", "NAMES", "REPORTS", "Seen", "find_wrong_culprit", "seen_with", "small_network"]

NAMES = ("W1", "b1", "W2", "b2", "W3", "b3")

#: What may stand in the place of a right line.
LINES = {
    1: "dz3 = p - t",
    2: "dz3 = (t - p) / N",
    3: "dz3 = p / N",
    4: "dz3 = (p - t) / N / N",
    5: "dz2 = do2",
    6: "db2 = dz2.mean(axis=0)",
    7: "db2 = dz2.sum()",
    8: "do1 = dz2 @ W2",
    9: "dz1 = do1 * (1 - np.tanh(o1)**2)",
    10: "dW1 = x.T @ do1",
    11: "dW1 += 2 * l2 * W1, and so for dW2 and dW3",
    12: "dW1 -= l2 * W1, and so for dW2 and dW3",
}
REPORTS = {"A": 1, "B": 12, "C": 3, "D": 6, "E": 8, "F": 9}


def small_network(**settings: object) -> tuple[Network, np.ndarray, np.ndarray]:
    """Return the lesson's 5-6-6-3 network, its eight examples and their labels."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, 5)), rng.integers(0, 3, 8)
    net = mlp([5, 6, 6, 3], seed=0, **settings)
    for bias in ("b1", "b2", "b3"):
        net.params[bias] += 0.1 * rng.standard_normal(net.params[bias].shape)
    return net, x, (np.eye(3)[y] if net.loss_name == "mse" else y)


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


def _backward(line: int) -> dict[str, np.ndarray]:
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
    dz2 = do2 if line == 5 else do2 * (1 - o2**2)
    do1 = dz2 @ (W2 if line == 8 else W2.T)
    dz1 = do1 * (1 - (np.tanh(o1) if line == 9 else o1) ** 2)
    db2 = {6: dz2.mean(axis=0), 7: np.full(6, dz2.sum())}.get(line, dz2.sum(axis=0))
    decay = {11: 2 * l2, 12: -l2}.get(line, l2)
    return {
        "W1": x.T @ (do1 if line == 10 else dz1) + decay * W1,
        "b1": dz1.sum(axis=0),
        "W2": o1.T @ dz2 + decay * W2,
        "b2": db2,
        "W3": o2.T @ dz3 + decay * W3,
        "b3": dz3.sum(axis=0),
        "do2": do2,
        "do1": do1,
    }


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
