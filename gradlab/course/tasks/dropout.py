"""Exercise and predictions of lesson 08, "Dropout"."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from gradlab.checking.errors import norm_ratio
from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, number_in, wants_a_function
from gradlab.nn import data
from gradlab.nn.mlp import MLP, mlp

__all__ = ["QUESTIONS", "TASKS"]

#: A function of theta, of shape (P,), that draws from a Generator at every call.
Drawing = Callable[[np.ndarray, np.random.Generator], object]


def frozen(loss, rng):
    """Return f(theta) that calls `loss` with the numbers that `rng` would give next, every time."""
    start = copy.deepcopy(rng)
    return lambda theta: loss(theta, copy.deepcopy(start))


def network() -> tuple[MLP, Drawing, Drawing]:
    """Return a network with dropout, its loss and its gradient as functions of theta and rng."""
    x, y = data.spirals(20, classes=3, seed=1)
    net = mlp([2, 8, 8, 3], dropout_rate=0.5, weight_scale=0.5, seed=1)

    def loss(theta: np.ndarray, rng: np.random.Generator) -> float:
        return net.loss(x, y, masks=rng, params=net.roll(theta))

    def gradient(theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return net.unroll(net.gradient(x, y, masks=rng, params=net.roll(theta)))

    return net, loss, gradient


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `frozen`."""
    if not callable(answer):
        return wants_a_function(answer, "frozen")
    net, loss, gradient = network()
    theta, rng = net.theta, np.random.default_rng(5)
    start = copy.deepcopy(rng)
    handed: list[object] = []

    def watched(theta: np.ndarray, generator: np.random.Generator) -> object:
        handed.append(generator)
        return loss(theta, generator)

    f = answer(watched, rng)
    if f is None or f is ...:
        return None
    if f is watched:
        return "It returned loss itself, which wants rng. A function of theta alone is asked."
    if not callable(f):
        return f"It returned {shown(f)}; a function of theta is asked, to be called many times."
    g = answer(gradient, rng)
    if mistake := _loss_mistake(answer, f, loss, theta, start):
        return _shared_state(handed, rng) or mistake
    rng.random(10)  # somebody else draws
    if not _same(f(theta), loss(theta, copy.deepcopy(start))):
        return (
            "Somebody drew from rng between two calls, and your function changed with it. What rng "
            "would give next has to be kept when you freeze, not when the function is called."
        )
    if not np.array_equal(net.theta, theta):
        return "theta comes back changed."
    rng.random(10)
    before = copy.deepcopy(rng.bit_generator.state)
    f(theta)
    if not _equal(rng.bit_generator.state, before):
        return (
            "Your function leaves rng in another state than it found it, and rng is the caller's: "
            "training that draws from it between two calls would get the same masks again and "
            "again. Draw from a copy."
        )
    return _gradient_mistake(g, gradient(theta, copy.deepcopy(start)), theta)


def _loss_mistake(
    answer: Callable, f: Callable, loss: Drawing, theta: np.ndarray, start: np.random.Generator
) -> str:
    """Return what is wrong with the frozen loss while nobody else draws; "" if nothing is."""
    right = loss(theta, copy.deepcopy(start))
    first, second = f(theta.copy()), f(theta.copy())
    for value in (first, second):
        if number_in(value) is None:
            return f"Your function returned {shown(value)}; what loss returns is asked, a number."
    if not _same(first, second):
        once = " The first is right: the stream goes on." if _same(first, right) else ""
        return (
            f"Two calls at the same theta give {first:.6f} and {second:.6f}: they use different "
            f"masks.{once} Every call has to start from the same state."
        )
    moved = theta + 0.1
    expected = loss(moved, copy.deepcopy(start))
    if _same(first, right) and not any(_same(f(moved), one) for one in (first, expected)):
        return "At another theta it uses other masks. They have to be the same everywhere."
    if _same(f(moved), first) and not _same(expected, first):
        return "It gives the same number at every theta, so its slope is 0. loss has to be called."
    if not _same(first, right):
        return _not_the_next_numbers(answer, loss, theta, first)
    return ""


def _not_the_next_numbers(answer: Callable, loss: Drawing, theta: np.ndarray, value: float) -> str:
    """Return what to say to who freezes other numbers than those that `rng` would give next."""
    another = np.random.default_rng(6)
    expected = loss(theta, copy.deepcopy(another))
    if _same(answer(loss, another)(theta), value) and not _same(expected, value):
        return (
            "It is frozen at numbers of its own: for another rng it gives the same. rng is unused."
        )
    return (
        "It is frozen, and not at what rng would give next. Whoever runs backpropagation with "
        "these numbers has other masks than your losses: an error that no step makes smaller."
    )


def _gradient_mistake(g: object, right: np.ndarray, theta: np.ndarray) -> str:
    """Return what is wrong with the frozen gradient, that of a loss which is frozen well."""
    for _ in range(2):
        value = np.asarray(g(theta.copy()))
        if value.shape != right.shape:
            return (
                f"frozen(gradient, rng) returns shape {value.shape} where gradient returns "
                f"{right.shape}: hand its result on as it is."
            )
        if norm_ratio(value, right) > 1e-12:
            return (
                "frozen(gradient, rng), made after frozen(loss, rng), has other masks than that. "
                "Freezing must not draw from rng: who freezes next would get the numbers after."
            )
    return ""


def _shared_state(handed: list[object], rng: np.random.Generator) -> str:
    """Return what to say to who handed loss another Generator with the very state of `rng`."""
    others = [one for one in handed if isinstance(one, np.random.Generator) and one is not rng]
    if not any(one.bit_generator is rng.bit_generator for one in others):
        return ""
    return (
        "The Generator that you hand to loss is another one than rng, and its state is rng's own: "
        "copy.copy copies a Generator and not the bit_generator in it, which holds the state. "
        "copy.deepcopy copies both."
    )


def _equal(a: object, b: object) -> bool:
    """Whether two states of a bit generator are the same: dicts of dicts, numbers and arrays."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    return bool(np.array_equal(a, b))


def _same(a: float, b: float) -> bool:
    return bool(np.isclose(a, b, rtol=1e-12, atol=0))


TASKS = (
    Task(
        name="frozen",
        lesson="08",
        question="loss(theta, rng) draws masks from the Generator rng at every call. Return "
        "a function f(theta) that calls it with the numbers that rng would give next, the same at "
        "every call, whoever draws from rng in between, and leaves rng as it is. "
        "frozen(gradient, rng) must freeze backpropagation to the same masks.",
        find_mistake=find_mistake,
        hints=(
            "A Generator has a state, and drawing changes it. Keep what it was when you froze.",
            "A copy taken once is used up by the first call: each call needs a fresh one.",
            "copy.deepcopy(rng) once when freezing, and copy.deepcopy of that at each call.",
        ),
        answer=frozen,
        solution="The first copy keeps the state against others who draw; the second one keeps the "
        "first from being used up. No seed is needed, and rng itself stays where it was.",
        praise="Now dropout can be differenced: + and - and backpropagation share their masks.",
    ),
)

QUESTIONS = (
    Question(
        name="a_few_dropped",
        lesson="08",
        question=(
            "All losses share one set of masks, and backpropagation has another. At a dropout rate "
            "of 0.5 the norm ratio was 0.50. At 0.005 it is, on average, …"
        ),
        choices={
            "about 0.5": (
                "Then it would not matter in how many units the two networks differ. Here it is in "
                "about ten of 960."
            ),
            "about 0.03": (
                "Each dropped unit is an error with a direction of its own, and such errors add up "
                "like their squares: a hundredth of them leaves a tenth, or a little less."
            ),
            "about 0.005": (
                "A hundredth of the rate, a hundredth of the error: so it would be if all errors "
                "pointed the same way. They do not, and add up like their squares."
            ),
            "about 0.00005": (
                "That is the square of the rate. It is the other way round: the error goes with "
                "the root."
            ),
        },
        right="about 0.03",
    ),
    Question(
        name="mean_over_masks",
        lesson="08",
        question=(
            "The mean gradient of 1,000 draws of masks and the gradient with dropout off have a "
            "norm ratio of …"
        ),
        choices={
            "below 0.01": (
                "So it would be if the network were linear from the masks to the loss. The "
                "masks' mean is 1, but tanh and the loss bend."
            ),
            "about 0.05": (
                "So it is at a rate of 0.1. At 0.5 a mask is 0 or 2, and the scatter of what is "
                "summed is far larger."
            ),
            "about 0.3": (
                "Dividing by keep preserves the mean of o, not that of a bent function of it. "
                "More draws do not change that."
            ),
            "about 0.9": "That would be another direction. The cosine of the two is 0.85.",
        },
        right="about 0.3",
    ),
)
