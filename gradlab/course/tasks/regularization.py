"""Exercise and predictions of lesson 07, "Regularization"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from gradlab import bugs
from gradlab.checking.errors import norm_ratio
from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, wants_a_function
from gradlab.nn.mlp import MLP, mlp

__all__ = ["QUESTIONS", "TASKS"]

#: A function of theta, of shape (P,), and lambda.
Loss = Callable[[np.ndarray, float], float]
Gradient = Callable[[np.ndarray, float], np.ndarray]
PARTS = ("right", "data", "penalty", "both")


def which_part(loss, gradient, theta) -> str:
    """Tell which part of `gradient` is wrong: "right", "data", "penalty" or "both"."""

    def numerical(lam):
        n = np.zeros_like(theta)
        for i in range(theta.size):
            step = np.zeros_like(theta)
            step[i] = 1e-4
            n[i] = (loss(theta + step, lam) - loss(theta - step, lam)) / 2e-4
        return n

    def agree(a, n):
        return np.linalg.norm(a - n) < 1e-6 * (np.linalg.norm(a) + np.linalg.norm(n))

    data = agree(gradient(theta, 0.0), numerical(0.0))
    penalty = agree(gradient(theta, 1.0) - gradient(theta, 0.0), numerical(1.0) - numerical(0.0))
    return {(1, 1): "right", (0, 1): "data", (1, 0): "penalty", (0, 0): "both"}[data, penalty]


# -- what it is tried on ------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """A loss and somebody's gradient of it.

    Attributes
    ----------
    name : str
    part : str
        Which part of the gradient is wrong, one of `PARTS`.
    loss, gradient : callable
    """

    name: str
    part: str
    loss: Loss
    gradient: Gradient


def network() -> tuple[MLP, np.ndarray, np.ndarray]:
    """Return a network 2-4-2 whose biases are not 0, and 8 examples."""
    rng = np.random.default_rng(7)
    net = mlp([2, 4, 2], weight_scale=0.7, seed=7)
    for name in ("b1", "b2"):
        net.params[name][:] = 0.5 * rng.standard_normal(net.params[name].shape)
    return net, rng.standard_normal((8, 2)), rng.integers(0, 2, 8)


@cache
def programs() -> tuple[Program, ...]:
    """Return what `which_part` is tried on, in the order in which mistakes are told."""
    net, x, y = network()
    w = net.unroll({k: np.ones_like(v) * (k[0] == "W") for k, v in net.params.items()})
    everything, nothing, n = np.ones(net.size), np.zeros(net.size), len(x)
    right, forgets = _slope(net), _slope(bugs.plant(net, "missing_activation_derivative"))
    one_bias = everything.copy()
    one_bias[net.tensors["b1"][0]] = 1.2
    # name, wrong part, the data part's gradient, L2's weight for each parameter in loss, gradient
    cases = (
        ("right code", "right", right, w, w),
        ("L2 missing in the gradient", "penalty", right, w, nothing),
        ("the data part's sign flipped", "data", lambda t: -right(t), w, w),
        ("right code, with lambda/(2N) in both", "right", right, w / n, w / n),
        ("right code, biases penalized in both", "right", right, everything, everything),
        ("L2 doubled in the gradient", "penalty", right, w, 2 * w),
        ("L2 divided by N in the gradient alone", "penalty", right, w, w / n),
        ("L2 subtracted", "penalty", right, w, -w),
        ("biases penalized in the loss alone", "penalty", right, everything, w),
        ("tanh' forgotten", "data", forgets, w, w),
        (
            "the data part's sign flipped, beside a penalty of lambda/1000",
            "data",
            lambda t: -right(t),
            w / 1000,
            w / 1000,
        ),
        ("the data part not divided by N", "data", lambda t: n * right(t), w, w),
        ("one bias's data part 20 % too large", "data", lambda t: one_bias * right(t), w, w),
        ("all of it negated", "both", lambda t: -right(t), w, -w),
        ("the data part doubled, and L2 missing", "both", lambda t: 2 * right(t), w, nothing),
        (
            "the data part not divided by N, and half of L2",
            "both",
            lambda t: n * right(t),
            w,
            w / 2,
        ),
    )
    return tuple(_program(net.loss_function(x, y), *case) for case in cases)


def _slope(net: MLP) -> Callable[[np.ndarray], np.ndarray]:
    """Return backpropagation's gradient of the data part, as a function of theta."""
    _, x, y = network()
    return lambda theta: net.unroll(net.gradient(x, y, params=net.roll(theta)))


def _program(
    data: Callable,
    name: str,
    part: str,
    slope: Callable,
    in_loss: np.ndarray,
    in_gradient: np.ndarray,
) -> Program:
    return Program(
        name,
        part,
        lambda theta, lam: data(theta) + lam * 0.5 * (in_loss * theta**2).sum(),
        lambda theta, lam: slope(theta) + lam * in_gradient * theta,
    )


# -- what is said -------------------------------------------------------------------------------


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `which_part`."""
    if not callable(answer):
        return wants_a_function(answer, "which_part")
    start = network()[0].theta
    for program in programs():
        theta, used = start.copy(), {"loss": set(), "gradient": set()}

        def loss(t: np.ndarray, lam: float, used: dict = used, program: Program = program) -> float:
            used["loss"].add(float(lam))
            return program.loss(np.asarray(t), lam)

        def gradient(
            t: np.ndarray, lam: float, used: dict = used, program: Program = program
        ) -> np.ndarray:
            used["gradient"].add(float(lam))
            return program.gradient(np.asarray(t), lam)

        said = answer(loss, gradient, theta)
        if said is None or said is ...:
            computes = used["loss"] or used["gradient"]
            return "It computes, and returns nothing: return the part." if computes else None
        if not np.array_equal(theta, start):
            return "theta comes back changed. Move a copy, or put back what was there."
        if not isinstance(said, str) or said not in PARTS:
            return f"It returned {shown(said)}; one of {', '.join(map(repr, PARTS))} is asked."
        if said != program.part:
            told = f"{program.name}: your which_part says {said!r}, and it is {program.part!r}."
            return told + _how_it_looked(program, said, used)
    return ""


def _how_it_looked(program: Program, said: str, used: dict[str, set[float]]) -> str:
    """Return what the lambdas that were used say about a wrong answer."""
    if not used["loss"] or not used["gradient"]:
        which = "gradient" if used["loss"] else "loss"
        return f" It never calls {which}: the two must be compared."
    seen = used["loss"] | used["gradient"]
    if seen == {0.0}:
        return " At lambda = 0 alone the penalty is not there, right or wrong."
    if 0.0 not in seen and len(seen) == 1:
        return " With one lambda, both parts are in every number. At 0 the data part is alone."
    longest = max(abs(lam) for lam in seen)
    if longest > 1e4:
        return (
            f" At lambda = {longest:.0e} the loss is so large that its last digit counts beside "
            "the data part."
        )
    if longest < 1e-5:
        return f" At lambda = {longest:.0e} the penalty is lost beside the data part's round-off."
    if said == "right":
        return _how_much(program)
    if program.part == "right":
        return (
            " Right code agrees to about 1e-8 at a good step: a limit that is stricter, or a step "
            "that is too short or too long, accuses it. So does a formula that is not this loss's."
        )
    if said == "both":
        return (
            " If you look at one lambda other than 0 as it is, what is wrong in the data part is "
            "in it as well. gradient(theta, 1) - gradient(theta, 0) is the penalty alone; so it is "
            "with the numerical one."
        )
    return ""


def _how_much(program: Program) -> str:
    """Return by how much the wrong part of a program is off, by the complex step."""
    theta = network()[0].theta
    units = 1e-30j * np.eye(theta.size)

    def pair(lam: float) -> np.ndarray:
        n = np.array([program.loss(theta + unit, lam).imag / 1e-30 for unit in units])
        return np.array([program.gradient(theta, lam), n])

    data, penalty = pair(0.0), pair(1.0) - pair(0.0)
    wrong = penalty if program.part == "penalty" else data
    part = "penalty" if program.part == "penalty" else "data part"
    return f" Its {part} is off by a norm ratio of {norm_ratio(*wrong):.0e}."


TASKS = (
    Task(
        name="which_part",
        lesson="07",
        question="loss(theta, lam) is a data part and a penalty that is proportional to lam; "
        "gradient(theta, lam) should be its gradient. Return the part that is wrong: 'right' if "
        "none is, 'data', 'penalty' or 'both'. The penalty's formula is not told.",
        find_mistake=find_mistake,
        hints=(
            "At lam = 0 the data part is alone: compare gradient and numerical gradient there.",
            "gradient(theta, 1) - gradient(theta, 0) is the penalty's gradient, whatever its "
            "formula. Numerical gradients can be subtracted as well.",
            "Two comparisons, four answers: a dict with two booleans as its key is short.",
        ),
        answer=which_part,
        solution="The difference of two lambdas takes the data part away, so no formula of the "
        "penalty is needed, and neither part can hide behind the other.",
        praise="In every program that it was tried on, the parts were told apart.",
    ),
)

QUESTIONS = (
    Question(
        name="right_sign",
        lesson="07",
        question="At lambda = 0.17 the program with the flipped sign has the right sign in …",
        choices={
            "about a tenth of the weights": (
                "The sign of g is flipped everywhere, but it decides only where g is larger than "
                "λW: in a third of the weights."
            ),
            "about half of the weights": (
                "Equally long does not mean that each is the larger in half. The length of g "
                "lies in a few weights; in most of them λW is the larger."
            ),
            "about two thirds of the weights": (
                "The sign is right where λW is the larger part. The length of g lies in a few "
                "weights, so that is most of them."
            ),
            "almost all weights": (
                "So it is where λ is far larger. Here g is as long as λW, and in a third of the "
                "weights it is the larger part."
            ),
        },
        right="about two thirds of the weights",
    ),
    Question(
        name="missing_at_the_middle",
        lesson="07",
        question=(
            "Trained with lambda = 0.01 and checked with it: the norm ratio of the program that "
            "lacks the penalty is …"
        ),
        choices={
            "about 1": (
                "Training has made g and λW cancel. The gradient that is left is small beside "
                "either, so lacking one of them is an error as large as can be."
            ),
            "about 0.4": (
                "So it is at the middle of the fresh network's seesaw, where the two parts have "
                "the same length. Here they have opposite directions too, and their sum is "
                "nearly 0."
            ),
            "about 0.03": (
                "So it is in the fresh network, where 0.01 is a seventeenth of the middle. "
                "Training has moved the middle to 0.01 itself."
            ),
            "below 0.001": (
                "The gradient is small, but not the part that is missing: it is a hundred times "
                "as long as what is left of the sum."
            ),
        },
        right="about 1",
    ),
)
