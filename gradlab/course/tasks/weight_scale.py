"""Exercise and predictions of lesson 05, "Weight scale"."""

from __future__ import annotations

from functools import cache

import numpy as np

from gradlab import bugs
from gradlab.checking.errors import norm_ratio
from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, number_in, wants_a_function
from gradlab.nn import data
from gradlab.nn.mlp import mlp

__all__ = ["QUESTIONS", "TASKS"]


def first_scale(x) -> float:
    """Return a standard deviation for W1 at which tanh is neither a straight line nor flat on x."""
    return 1 / np.sqrt((x**2).sum(axis=1).mean())


#: Where tanh is in use: its mean slope is at least the first, and forgetting the slope, or taking
#: it at the wrong place, changes the gradient of W1 by a norm ratio of at least the second.
SLOPE, SEEN = 0.1, 1e-3
PLANTED = {
    "missing_activation_derivative": "Forgetting tanh'",
    "activation_derivative_at_output": "Taking tanh' at the output instead of z1",
}


@cache
def inputs() -> dict[str, np.ndarray]:
    """Return the data sets by name, each of shape (N, D)."""
    moons = data.moons(30, seed=0)[0]
    digits = data.load("digits", 40, seed=0)[0]
    iris = data.load("iris", 40, seed=0)[0]
    near_one = 1 + 0.1 * np.random.default_rng(0).standard_normal((40, 200))
    return {
        "moons": moons,
        "moons in other units, a thousand times smaller": moons / 1000,
        "digits with pixels from 0 to 16": 16 * digits,
        "200 columns near 1": near_one,
        "iris in millimeters": 10 * iris,
    }


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `first_scale`."""
    if not callable(answer):
        return wants_a_function(answer, "first_scale")
    for name, x in inputs().items():
        given = x.copy()
        said = answer(given)
        if said is None or said is ...:
            return None
        if not np.array_equal(given, x):
            return "x comes back changed. Compute with it, and leave it as it is."
        if np.ndim(said):
            return f"It returned shape {np.shape(said)}; one standard deviation for W1 is asked."
        scale = number_in(said)
        if scale is None or scale <= 0:
            return f"For {name} it returned {shown(said)}; a positive, finite number is asked."
        if mistake := _unfit(name, x, scale):
            return mistake
    return ""


def _unfit(name: str, x: np.ndarray, scale: float) -> str:
    """Say why a check at this scale means nothing; "" if it does mean something."""
    for seed in (0, 1):
        net, y = _network(x, scale, seed)
        z1 = x @ net.params["W1"]
        size = f"{name}: with {scale:.2g} the pre-activations z1 are about {_rms(z1):.1g}"
        slope = float((1 - np.tanh(z1) ** 2).mean())
        if slope < SLOPE:
            return f"{size}: tanh is flat there, the mean of tanh' is {slope:.0e}."
        right = net.gradient(x, y)["W1"].ravel()
        for bug, what in PLANTED.items():
            changed = norm_ratio(bugs.plant(net, bug).gradient(x, y)["W1"].ravel(), right)
            if changed < SEEN:
                return (
                    f"{size}: tanh is a straight line there. {what} changes the gradient of W1 by "
                    f"a norm ratio of {changed:.0e}, and {SEEN:.0e} is asked."
                )
    return ""


def _network(x: np.ndarray, scale: float, seed: int):
    """Return a network D-8-2 with W1 drawn at `scale`, and targets for `x`."""
    rng = np.random.default_rng(seed)
    net = mlp([x.shape[1], 8, 2], loss="mse", weight_scale=0.5, seed=seed)
    net.params["W1"][:] = scale * rng.standard_normal(net.params["W1"].shape)
    return net, np.eye(2)[rng.integers(0, 2, len(x))]


def _rms(z: np.ndarray) -> float:
    return float(np.sqrt((z**2).mean()))


TASKS = (
    Task(
        name="first_scale",
        lesson="05",
        question="Return a standard deviation for W1 at which a check of a tanh network on x, of "
        "shape (N, D), means something: tanh is neither a straight line nor flat there.",
        find_mistake=find_mistake,
        hints=(
            "It is z1 = x @ W1 that matters, and it should be about 1.",
            "With W1 drawn at s, one example's z1 has the standard deviation s times the length of "
            "its row, the root of (row**2).sum().",
            "Take a typical length of a row: np.sqrt((x**2).sum(axis=1).mean()).",
        ),
        answer=first_scale,
        solution="A sum of D products w·x with w drawn at s has the standard deviation s·‖x‖. So "
        "1/‖x‖ makes z1 about 1. Half of it or twice as much would do as well; the window is wide, "
        "but it lies elsewhere for each data set.",
        praise="No fixed number passes on all five data sets. Yours looks at x.",
    ),
)

QUESTIONS = (
    Question(
        name="a_tenth_of_the_weights",
        lesson="05",
        question=(
            "tanh' is taken at the output of layer 2. The norm ratio tells how far W1's gradient "
            "is from the right one. The weights of all layers go from 0.1 to 0.01. The norm ratio "
            "becomes smaller by a factor of about …"
        ),
        choices={
            "100": (
                "So does z1 squared, and with it a tanh' that is forgotten in layer 1. Here the "
                "error goes with the fourth power, and z2 falls faster than z1."
            ),
            "10,000": (
                "So it is if tanh' is forgotten: z2 is a hundredth, and the error goes with its "
                "square. Taken at the output it goes with the fourth power."
            ),
            "1,000,000": (
                "z2 is a hundredth, but the error does not go with its third power: it is the "
                "same for z and for -z, and goes with the fourth."
            ),
            "100,000,000": (
                "The error goes with the fourth power of z2, and z2 is a hundredth, for it is "
                "made of o1 and of W2."
            ),
        },
        right="100,000,000",
    ),
    Question(
        name="after_training",
        lesson="05",
        question=(
            "After the training the norm ratio is 7e-8 at eps = 1e-5. Which of 1e-4 and 1e-6 makes "
            "it smaller?"
        ),
        choices={
            "1e-4 alone": (
                "That is the cure for round-off. But round-off goes with the loss, and the loss "
                "has become smaller; here a longer step makes things worse."
            ),
            "1e-6 alone": (
                "The gradient has become small and the loss has kept its bends: what a step "
                "leaves of them is now large beside the gradient. A shorter one leaves less."
            ),
            "neither: larger weights make n worse": (
                "The weights have grown, W1 from 0.40 to 0.75. But ‖a - n‖ has become smaller: it "
                "is the gradient beside it that has shrunk more."
            ),
            "neither: it stays at 7e-8": (
                "So it would with a bug that training has uncovered. The code is right, and what "
                "is left depends on the step."
            ),
        },
        right="1e-6 alone",
    ),
)
