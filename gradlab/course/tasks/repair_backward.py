"""The exercise of lesson 04 in which a backward pass with two faults is repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gradlab.course.note import shown
from gradlab.course.task import Task, wants_a_function
from gradlab.nn import data
from gradlab.nn.mlp import MLP, mlp

__all__ = ["REPAIR"]

Gradient = Mapping[str, np.ndarray]
NAMES = ("W1", "b1", "W2", "b2")
_DIGITS = 1e-9  # relative: another order of the same sums


def backward(params, x, y):
    o1 = np.tanh(x @ params["W1"] + params["b1"])
    p = np.exp(o1 @ params["W2"] + params["b2"])
    p /= p.sum(axis=1, keepdims=True)
    p[range(len(y)), y] -= 1
    dz2 = p / len(y)
    dz1 = dz2 @ params["W2"].T * (1 - o1**2)
    return {"W1": x.T @ dz1, "b1": dz1.sum(axis=0), "W2": o1.T @ dz2, "b2": dz2.sum(axis=0)}


Case = tuple[MLP, np.ndarray, np.ndarray]


def _lesson_case() -> Case:
    x, y = data.spirals(30, classes=3, seed=0)
    return mlp([2, 8, 3], weight_scale=0.5, seed=0), x, y


def _other_cases() -> list[Case]:
    """Other numbers of examples and other widths; in the second, hidden units and classes agree."""
    cases = []
    for n, sizes in ((7, (3, 5, 4)), (12, (2, 4, 4)), (1, (2, 6, 3))):
        rng = np.random.default_rng(n)
        net = mlp(sizes, weight_scale=0.6, seed=n)
        cases.append((net, rng.normal(size=(n, sizes[0])), rng.integers(sizes[-1], size=n)))
    return cases


def find_mistake(answer: object) -> str:
    """Return what is wrong with a learner's `backward`."""
    if not callable(answer):
        return wants_a_function(answer, "backward")
    net, x, y = _lesson_case()
    found = _run(answer, net, x, y)
    if isinstance(found, str):
        return found
    right = net.gradient(x, y)
    if mistake := _wrong_values(found, right, x):
        return mistake
    for net, x, y in _other_cases():
        found, right = _run(answer, net, x, y), net.gradient(x, y)
        if isinstance(found, str):
            return f"Right for the lesson's network. In one of {net.sizes}: {found}"
        if mistake := _wrong_elsewhere(found, right, net, len(y)):
            return mistake
    return ""


def _run(answer: Callable[..., object], net: MLP, x: np.ndarray, y: np.ndarray) -> Gradient | str:
    """Return what `answer` gives, or what is wrong with it whatever its numbers are."""
    params = {name: value.copy() for name, value in net.params.items()}
    own_x, own_y = x.copy(), y.copy()
    found = answer(params, own_x, own_y)
    if found is None or found is ...:
        return "It returns nothing: return a dictionary with the four gradients."
    if not isinstance(found, Mapping):
        return f"It returned {shown(found)}; a dictionary with {', '.join(NAMES)} is asked."
    missing = [name for name in NAMES if name not in found]
    if missing:
        return f"Its dictionary lacks {', '.join(missing)}."
    changed = [n for n, value in net.params.items() if not np.array_equal(params[n], value)]
    changed += [
        n for n, own, given in (("x", own_x, x), ("y", own_y, y)) if not np.array_equal(own, given)
    ]
    if changed:
        return f"It changed {', '.join(changed)}: a backward pass computes, and moves nothing."
    for name, value in net.params.items():
        shape = np.shape(found[name])
        if shape != value.shape:
            return (
                f"The gradient of {name} has shape {shape}, and {name} has {value.shape}. Over "
                "which axis do the examples run, and does a sum keep it?"
            )
    return {name: np.asarray(found[name], dtype=float) for name in NAMES}


def _agrees(a: np.ndarray, n: np.ndarray) -> bool:
    return bool(np.linalg.norm(a - n) <= _DIGITS * np.linalg.norm(n))


def _ratios(found: Gradient, right: Gradient) -> dict[str, float | None]:
    """Return how many times too large each tensor is; None where it is no mere factor."""
    ratios: dict[str, float | None] = {}
    for name, n in right.items():
        a = found[name]
        ratio = float(np.vdot(a, n) / np.vdot(n, n))
        ratios[name] = ratio if _agrees(a, ratio * n) else None
    return ratios


def _wrong_values(found: Gradient, right: Gradient, x: np.ndarray) -> str:
    """Return what is wrong in the lesson's own network, without saying which line it is."""
    wrong = [name for name in NAMES if not _agrees(found[name], right[name])]
    if not wrong:
        return ""
    ratios = _ratios(found, right)
    times = {name: None if r is None else round(r, 6) for name, r in ratios.items()}
    n = len(x)
    if times == {"W1": n, "b1": 1, "W2": n, "b2": n}:
        sizes = {name: value.size for name, value in right.items()}
        every = sum(sizes.values())
        return (
            f"Nothing is repaired yet: {every - sizes['b1']} of {every} entries "
            f"are {n} times too large."
        )
    if wrong == ["b1"] and times["b1"] == round(1 / n, 6):
        return (
            f"One fault less, and b1, which was right before, is now {n} times too small. Its line "
            "was wrong all along: two faults canceled in it."
        )
    if set(times.values()) == {n}:
        return (
            f"All four are now {n} times too large, by one and the same factor: b1's line is "
            "mended. What is left sits above all four."
        )
    if None not in times.values() and all(times[name] == n for name in wrong):
        return (
            f"{' and '.join(wrong)} still {n} times too large. Rather than mend them one by one, "
            "look for what all of them pass through."
        )
    return _other_ratios(wrong, ratios, x)


def _other_ratios(wrong: list[str], ratios: dict[str, float | None], x: np.ndarray) -> str:
    n, size = x.shape
    common = {round(r, 6) for r in ratios.values() if r is not None}
    if len(common) == 1 and len(wrong) == len(ratios) and None not in ratios.values():
        (c,) = common
        why = {
            round(1 / size, 6): f"{size} is the number of inputs of an example.",
            round(1 / 3, 6): "3 is the number of classes.",
            -1.0: "the sign is flipped.",
        }.get(c, "which number did the division take?")
        by = _shown(ratios["b2"])
        return f"All four are now {by} times what they should be: {why} Average over examples."
    told = [f"{k} by {_shown(ratios[k])}" for k in wrong if ratios[k] is not None]
    shapes = [name for name in wrong if ratios[name] is None]
    told += [f"{' and '.join(shapes)} by more than a factor"] if shapes else []
    return f"Wrong are {', '.join(told)}. With {n} examples: which of your changes reaches these?"


def _shown(ratio: float) -> str:
    return f"{ratio:.{3 if abs(ratio - 1) > 0.01 else 10}g}"  # 1 times would say nothing


def _wrong_elsewhere(found: Gradient, right: Gradient, net: MLP, n: int) -> str:
    wrong = [name for name in NAMES if not _agrees(found[name], right[name])]
    if not wrong:
        return ""
    ratios = [ratio for name, ratio in _ratios(found, right).items() if name in wrong]
    if None not in ratios and np.allclose(ratios, n / 30):
        return f"Right for 30 examples only: with {n} it is {n}/30 of what it should be. len(y)?"
    if net.sizes[1] == net.sizes[2] and "W1" in wrong and "W2" not in wrong:
        return (
            "Right until the hidden layer is as wide as there are classes: then W2 fits where "
            "W2.T belongs."
        )
    return (
        f"Right for the lesson's network. In one of {net.sizes} with {n} examples "
        f"{', '.join(wrong)} is wrong."
    )


REPAIR = Task(
    name="repair_backward",
    lesson="04",
    question=(
        "Repair backward(params, x, y) until every tensor is right, for any number of examples and "
        "any widths. Nobody says how many faults it has."
    ),
    find_mistake=find_mistake,
    hints=(
        "gl.check(net, x, y, analytic=…) prints ratio a/n for each tensor. Which number of this "
        "problem is that ratio?",
        "The loss is the mean over the examples. At which line does a mean enter the gradient "
        "once, for everything below it?",
        "Then look at the tensor that was right from the start. Why was it?",
    ),
    answer=backward,
    solution=(
        "The mean over the examples enters once, at the top: dz2 = p / len(y). And b1 is a sum "
        "over the examples, like b2; its mean hid the missing 1/N."
    ),
    praise="Both faults are gone: the 1/N that was missing at the top, and the mean that hid it.",
)
