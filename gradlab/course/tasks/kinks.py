"""Exercises and predictions of lesson 06, "Kinks"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, wants_a_function
from gradlab.nn import data
from gradlab.nn.mlp import MLP, mlp

__all__ = ["QUESTIONS", "TASKS"]

Loss = Callable[[np.ndarray], float]


# -- is_bug -------------------------------------------------------------------------------------


def is_bug(loss, theta, i, a) -> bool:
    """Tell whether `a` is wrong as the slope of `loss` along entry `i` of `theta`, kinks allowed.

    A bug is what lies outside of the slopes of both sides, by more than rounding explains.
    """
    eps = 1e-7
    here = loss(theta)
    right, left = theta.copy(), theta.copy()
    right[i] += eps
    left[i] -= eps
    slopes = (loss(right) - here) / eps, (here - loss(left)) / eps
    rounding = 20 * np.finfo(float).eps * abs(here) / eps
    slack = 0.01 * abs(a) + rounding
    return not (min(slopes) - slack <= a <= max(slopes) + slack)


@dataclass(frozen=True)
class Case:
    """A loss, one entry of theta, somebody's slope there, and what is to be said to a wrong answer.

    Attributes
    ----------
    loss : callable, (P,) -> float
    theta : ndarray, shape (P,)
    i : int
    a : float
    bug : bool
        The right answer.
    message : str
        True of whatever answers the other thing.
    kink : bool
        Whether a kink at theta is what misleads: then it is told how the loss was looked at.
    """

    loss: Loss
    theta: np.ndarray
    i: int
    a: float
    bug: bool
    message: str
    kink: bool = False


@cache
def cases() -> tuple[Case, ...]:
    """Return what `is_bug` is tried on, in the order in which mistakes are told."""
    return (*_smooth(), *_on_a_kink(), *_beside_a_kink(), *_flat_and_bent(), _between())


def _data() -> tuple[np.ndarray, np.ndarray]:
    return data.spirals(30, classes=3, seed=0)


def _case(
    net: MLP,
    name: str,
    index: tuple[int, ...],
    factor: float,
    message: str,
    units: float = 1.0,
    kink: bool = False,
) -> Case:
    """Return a case: backprop's slope times `factor`, of a loss in other `units`."""
    x, y = _data()
    loss = net.loss_function(x, y)
    start, _, shape = net.tensors[name]
    i = start + int(np.ravel_multi_index(index, shape))
    a = float(net.unroll(net.gradient(x, y))[i])
    scaled = loss if units == 1 else lambda theta: units * loss(theta)
    return Case(scaled, net.theta, i, units * factor * a, factor != 1, message, kink)


def _smooth() -> tuple[Case, ...]:
    net = mlp([2, 6, 3], seed=3)
    w1 = partial(_case, net, "W1", (0, 2))
    return (
        w1(1.0, "A tanh network, a smooth loss, and right backprop: your is_bug calls it a bug."),
        w1(
            2.0,
            "A tanh network, a smooth loss, and a slope that is twice too large: your is_bug "
            "lets it pass. A limit wide enough for kinks is wide enough for bugs.",
        ),
        _case(
            net,
            "W2",
            (1, 1),
            1.05,
            "A smooth loss and a slope that is 5 % too large: your is_bug lets it pass. Away "
            "from a kink a difference agrees with right code to many digits.",
        ),
        w1(
            1.0,
            "The smooth loss, times a millionth, and right backprop: your is_bug calls it a bug.",
            units=1e-6,
        ),
        w1(
            2.0,
            "The smooth loss in other units, times a millionth, and a slope that is twice too "
            "large: your is_bug lets it pass. Measure the difference against the slopes.",
            units=1e-6,
        ),
    )


_AT_A_KINK = (
    "Right backprop is called a bug: a bias b2 of a ReLU network whose z2 is exactly 0 in some "
    "examples. The slope is {left:.4f} on the left and {right:.4f} on the right, and a is {a:.4f}."
)
_BETWEEN = (
    "A bias on a kink: the slope is {left:.4f} on the left and {right:.4f} on the right, and a is "
    "their mean, {a:.4f}, as if relu'(0) were 1/2. What lies between the two is no bug either."
)
_OTHER_CONVENTION = " Here backprop takes relu'(0) = 1, which is as good as 0."


def _on_a_kink() -> tuple[Case, ...]:
    net = mlp([2, 4, 4, 3], activation="relu", weight_scale=0.5, seed=2)
    passes = (
        "A bias on a kink, and a slope that is {what}: your is_bug lets it pass. A kink excuses "
        "what lies between the slopes of its two sides, {left:.4f} and {right:.4f}; a is {a:.4f}."
    )
    right = [_case(net, "b2", (j,), 1.0, _AT_A_KINK, kink=True) for j in range(4)]
    wrong = [
        _case(net, "b2", (j,), factor, passes.replace("{what}", what), kink=True)
        for j, factor, what in (
            (0, -1.0, "flipped in sign"),
            (0, 3.0, "three times too large"),
            (3, -1.0, "flipped in sign"),
            (2, 0.1, "ten times too small"),
        )
    ]
    _, behind = _sides(right[0])
    other = replace(right[0], a=behind, message=_AT_A_KINK + _OTHER_CONVENTION)
    return tuple(_with_slopes(case) for case in (*right, other, *wrong))


def _between() -> Case:
    """Return a slope between those of both sides, and on neither."""
    at = next(case for case in _on_a_kink() if not case.bug)
    return _with_slopes(replace(at, a=sum(_sides(at)) / 2, message=_BETWEEN, kink=False))


def _sides(case: Case) -> tuple[float, float]:
    """Return the slopes on the left and on the right."""
    step = 1e-7 * np.eye(len(case.theta))[case.i]
    here = case.loss(case.theta)
    return (
        (here - case.loss(case.theta - step)) / 1e-7,
        (case.loss(case.theta + step) - here) / 1e-7,
    )


def _with_slopes(case: Case) -> Case:
    """Write the slopes of both sides into the message."""
    left, right = _sides(case)
    return replace(case, message=case.message.format(left=left, right=right, a=case.a))


def _beside_a_kink() -> tuple[Case, ...]:
    """Return cases with a kink 3e-6 to one side: an example's z of one unit is as far from 0."""
    (x, y), row, unit, far = _data(), 5, 1, 3e-6
    nets = []
    for side in (1, -1):
        net = mlp([2, 4, 3], activation="relu", seed=0)
        net.params["b1"][unit] = -(x @ net.params["W1"])[row, unit] + side * far
        nets.append(net)
    fails = (
        "A kink lies 3e-6 beside theta, backprop is right, and your is_bug calls it a bug. A step "
        "of 1e-5 reaches across the kink; one shorter than 3e-6 does not."
    )
    forgets = (
        "A kink lies 3e-6 beside theta, and this slope is the one behind it, as if one example's "
        "mask were wrong. Your is_bug lets it pass: steps shorter than 3e-6 tell the two apart."
    )
    beside = [_case(net, "b1", (unit,), 1.0, fails) for net in nets]
    other = nets[0].unroll(nets[0].gradient(x, y))[beside[1].i]
    wrong = replace(beside[1], a=float(other), bug=True, message=forgets)
    return (*beside, wrong)


def _flat_and_bent() -> tuple[Case, ...]:
    dead = mlp([2, 4, 3], activation="relu", seed=0)
    dead.params["b1"][0] = -50.0
    zero = _case(
        dead,
        "W1",
        (0, 0),
        1.0,
        "A ReLU unit that is off in all examples: the slope is "
        "0, a is 0, and your is_bug calls it a bug. 0 against 0 agrees.",
    )
    return (
        zero,
        replace(
            zero,
            a=0.03,
            bug=True,
            message="A ReLU unit that is off in all examples: the slope is 0, a is 0.03, and "
            "your is_bug lets it pass.",
        ),
        Case(
            lambda t: 1000 + 1e-3 * np.sin(t[0]),
            np.array([0.5]),
            0,
            1e-3 * float(np.cos(0.5)),
            False,
            "A loss of 1000 with a slope of 9e-4: right code is called a bug. Two such losses "
            "agree in nearly all digits. What rounding leaves of their difference is about 1e-13, "
            "over your step: allow for it.",
        ),
        Case(
            lambda t: np.sin(40 * t[0]) + t[1] ** 2,
            np.array([0.3, 1.0]),
            0,
            40 * float(np.cos(12.0)),
            False,
            "sin(40 t), which bends much but has no kink: the right slope is called a bug.",
        ),
    )


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `is_bug`."""
    if not callable(answer):
        return wants_a_function(answer, "is_bug")
    for case in cases():
        theta, at = case.theta.copy(), []

        def watched(point: np.ndarray, case: Case = case, at: list[complex] = at) -> float:
            at.append(complex(point[case.i] - case.theta[case.i]))
            return case.loss(point)

        said = answer(watched, theta, case.i, case.a)
        if said is None or said is ...:
            return "It computes losses and returns nothing: return True or False." if at else None
        if not np.array_equal(theta, case.theta):
            return "theta comes back changed. Move a copy, or save theta[i] and put it back."
        if np.ndim(said) != 0 or np.asarray(said).dtype != bool:
            return f"It returned {shown(said)}; True (a bug) or False (none) is asked."
        if bool(said) != case.bug:
            return _the_other_way_round(answer) or case.message + _how_it_looked(case, at)
    return ""


def _the_other_way_round(answer: Callable[..., object]) -> str:
    """Return what to say to an answer that is wrong in every case."""
    try:
        said = [answer(case.loss, case.theta.copy(), case.i, case.a) for case in cases()]
        opposite = [bool(one) != case.bug for one, case in zip(said, cases(), strict=True)]
    except Exception:  # in a later case: what is wrong in this one is told
        return ""
    if not all(opposite):
        return ""
    return (
        f"It is the other way round in all {len(said)} cases that it is tried on: return True for "
        "a bug, and False for what is right."
    )


def _how_it_looked(case: Case, at: list[complex]) -> str:
    """Return what the places where the loss was evaluated say about a wrong answer."""
    if not at:
        return " It never calls loss: a alone cannot tell."
    if beside := _just_outside(case, at):
        return beside
    if not case.kink or case.bug or any(step.imag for step in at):
        return ""
    steps = [abs(step) for step in at if step]
    if not steps:
        return " It evaluates loss at theta alone: move entry i to both sides."
    low, high = min(step.real for step in at), max(step.real for step in at)
    if low >= 0 or high <= 0:
        side = "right" if high > 0 else "left"
        return f" It looked at the loss on the {side} only. Look at both sides."
    if len(steps) == len(at):
        return (
            " It never evaluates loss(theta) itself, so it sees only the mean of both slopes, and "
            "no step helps. With loss(theta) each side has a slope of its own."
        )
    if min(steps) > 2e-5:
        return f" Its shortest step is {min(steps):.0e}: other kinks may lie within it."
    return " That the error stays when the step shrinks proves no bug here: so does a kink's."


def _just_outside(case: Case, at: list[complex]) -> str:
    """Return what to say to who looks at both sides with one step, and allows for no rounding."""
    steps = {float(f"{abs(step):.2g}") for step in at if step}
    reals = [step.real for step in at]
    both = len(steps) == 1 and 0 in at and min(reals) < 0 < max(reals)
    if case.bug or not both or any(step.imag for step in at):
        return ""
    step = steps.pop() * np.eye(len(case.theta))[case.i]
    here = case.loss(case.theta)
    left = (here - case.loss(case.theta - step)) / step[case.i]
    right = (case.loss(case.theta + step) - here) / step[case.i]
    beside = max(min(left, right) - case.a, case.a - max(left, right))
    if not 0 < beside < 1e-2 * abs(case.a):
        return ""
    which = "left" if abs(case.a - left) < abs(case.a - right) else "right"
    return (
        f" With a step of {step[case.i]:.0e} the slope on the {which} comes out {beside:.0e} "
        "beside a: rounding and the step's length put it off. Allow for some."
    )


# -- max_pool_backward --------------------------------------------------------------------------


def max_pool_backward(x, dout) -> np.ndarray:
    """Return dL/dx of a max-pool over windows of 2 x 2 pixels, from dL/dout.

    x has shape (N, H, W), dout (N, H / 2, W / 2). Of equal pixels the first in reading order gets
    all: every split that adds up to dout would do.
    """
    dx = np.zeros(x.shape)
    for n, row, column in np.ndindex(dout.shape):
        window = x[n, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        i, j = np.unravel_index(window.argmax(), (2, 2))
        dx[n, 2 * row + i, 2 * column + j] = dout[n, row, column]
    return dx


SHAPE = (2, 4, 6)


@cache
def images() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return (x, dout) by name: no two pixels equal, some windows with ties, negative pixels."""
    rng = np.random.default_rng(6)
    dout = rng.standard_normal((2, 2, 3))
    plain = rng.permutation(np.prod(SHAPE)).reshape(SHAPE) / 8 + 0.125
    tied = plain.copy()
    tied[0, 0, 0:2] = 9.0  # two of a window
    tied[0, 2:4, 2:4] = 9.0  # all four
    tied[1, 2:4, 0] = tied[1, 2, 1] = 9.0  # three
    tied[1, 0:2, 4:6] = 0.0  # what a ReLU leaves
    return {"plain": (plain, dout), "negative": (plain - 4.9375, dout), "tied": (tied, dout)}


def windows(x: np.ndarray) -> np.ndarray:
    """Return the four pixels of each window: (N, H, W) -> (N, H / 2, W / 2, 4)."""
    n, height, width = x.shape
    split = x.reshape(n, height // 2, 2, width // 2, 2)
    return split.transpose(0, 1, 3, 2, 4).reshape(n, height // 2, width // 2, 4)


def find_pool_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `max_pool_backward`."""
    if not callable(answer):
        return wants_a_function(answer, "max_pool_backward")
    for name, (x, dout) in images().items():
        given_x, given_dout = x.copy(), dout.copy()
        said = answer(given_x, given_dout)
        changed = not (np.array_equal(given_x, x) and np.array_equal(given_dout, dout))
        if said is None or said is ...:
            return "It changes x or dout and returns nothing." if changed else None
        if changed:
            return "It changes x or dout, which are not its own: write into a new array."
        if np.shape(said) != SHAPE:
            return (
                f"x has the shape {SHAPE} and dx came in the shape {np.shape(said)}: a derivative "
                "for every pixel is asked."
            )
        dx = np.asarray(said)
        if dx.dtype.kind not in "fiu" or not np.isfinite(dx).all():
            return f"It returned {shown(said)}; an array of finite numbers is asked."
        if mistake := _cut_off(windows(x), windows(dx), dout):
            return mistake
        mistake = _pool_mistake(name, windows(x), windows(dx.astype(float)), dout)
        if mistake:
            return mistake
    return ""


def _cut_off(x: np.ndarray, dx: np.ndarray, dout: np.ndarray) -> str:
    """Return what to say of right derivatives whose digits an array of integers has cut off."""
    largest = x == x.max(axis=-1, keepdims=True)
    first = np.arange(4) == largest.argmax(axis=-1)[..., None]
    for right in (largest, first):
        if dx.dtype.kind in "iu" and np.array_equal(dx, np.trunc(right * dout[..., None])):
            return (
                f"dx holds integers, {dx.dtype}, which cut off the digits of dout. An array of "
                "zeros of dtype int stays one: leave dtype=int out, or take float."
            )
    return ""


def _pool_mistake(name: str, x: np.ndarray, dx: np.ndarray, dout: np.ndarray) -> str:
    """Return what is wrong with `dx`; it and `x` by windows, (N, H / 2, W / 2, 4)."""
    largest = x == x.max(axis=-1, keepdims=True)
    if name != "tied":
        if np.allclose(dx, largest * dout[..., None], rtol=1e-6, atol=1e-9):
            return ""
        return _untied_mistake(x, dx, dout, largest)
    if np.any(dx[~largest]):
        return "Where some windows have ties, pixels that are not the largest get a gradient too."
    given, share = dx.sum(axis=-1), dx / dout[..., None]
    ties = largest.sum(axis=-1)
    if np.allclose(given, ties * dout):
        return (
            "In a window with two, three or four equal largest pixels, each of them got all of "
            "dout. Move them up together by t, and the output rises by t, once: the window's "
            "derivatives must add up to dout. (A check entry by entry cannot see it: along each "
            "pixel alone the slope is 0 on one side and dout on the other.)"
        )
    if not given[ties > 1].any():
        return "Windows with a tie got no gradient at all: they must add up to dout there too."
    off = ~np.isclose(given, dout, rtol=1e-6, atol=1e-9)
    if off.any():
        window = tuple(np.argwhere(off)[0])
        given_there, dout_there = _apart(given[window], dout[window])
        return (
            f"In a window with {ties[window]} equal largest pixels the derivatives add up to "
            f"{given_there}, and dout is {dout_there} there."
        )
    if share.min() < -1e-9:
        return (
            "The derivatives of a window with a tie add up to dout, but some have the other sign: "
            "each must lie between the slopes of its two sides, 0 and dout."
        )
    return ""


def _untied_mistake(x: np.ndarray, dx: np.ndarray, dout: np.ndarray, largest: np.ndarray) -> str:
    for values, message in _wrong_answers(x, dout[..., None], largest):
        if np.allclose(dx, values, rtol=1e-6, atol=1e-9):
            return message
    right = np.where(largest, dout[..., None], 0.0)
    off = ~np.isclose(dx, right, rtol=1e-6, atol=1e-9)
    n, row, column, k = pixel = tuple(int(v) for v in np.argwhere(off)[0])
    got, wanted = _apart(dx[pixel], right[pixel])
    return (
        f"Pixel [{n}, {2 * row + k // 2}, {2 * column + k % 2}] got {got}; it is "
        f"{'the largest' if largest[pixel] else 'another'} pixel of its window, so {wanted} is "
        "right."
    )


def _apart(one: float, other: float) -> tuple[str, str]:
    """Return two numbers with as many digits as tell them apart: four where that is enough."""
    for digits in (4, 9, 17):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _wrong_answers(
    x: np.ndarray, dout: np.ndarray, largest: np.ndarray
) -> tuple[tuple[np.ndarray | float, str], ...]:
    """Return (dx, what to say) for what people hand in where no window has a tie."""
    return (
        (0.0, "All derivatives are 0."),
        (
            largest * 1.0,
            "It returns the mask alone: multiply it by dout, the derivative that arrives from "
            "above.",
        ),
        (dout, "Every pixel of a window got dout. The largest alone moves the output."),
        (
            dout / 4,
            "This is average pooling's backward: dout / 4 for each pixel. The largest pixel gets "
            "all of it, the others 0.",
        ),
        (x * largest, "This is what the forward pass kept, pixels. Derivatives are asked."),
        (
            dout * x * largest,
            "dout was multiplied by the pixel. The output is the pixel itself, so its derivative "
            "is 1.",
        ),
        (-dout * largest, "The sign is flipped."),
        (
            dout * (x == x.min(axis=-1, keepdims=True)),
            "The smallest pixel of each window got dout: the largest is asked.",
        ),
        (
            dout * largest * (x > 0),
            "Pixels below 0 get nothing: that is ReLU. A window's largest pixel moves the output "
            "whatever its sign.",
        ),
    )


TASKS = (
    Task(
        name="is_bug",
        lesson="06",
        question=(
            "Write is_bug(loss, theta, i, a): a is somebody's backprop for entry i. Return True "
            "if it is a bug, False if it is right, also where theta stands on a kink. theta must "
            "come back as it was."
        ),
        find_mistake=find_mistake,
        hints=(
            "At a kink the central difference is the mean of two slopes. Compute each of them: "
            "you need loss(theta) itself.",
            "A short step, 1e-7, keeps clear of kinks that lie beside theta. Right code lies "
            "between the two slopes, or on one of them.",
            "Allow a little: 1 % of a, and what rounding does to the losses, some "
            "1e-15 * |loss| / eps.",
        ),
        answer=is_bug,
        solution=(
            "Between the slopes of both sides, give or take rounding, no bug can be shown. Where "
            "one weight moves two examples to opposite sides of a kink, even right code can lie "
            "outside: then move the parameters off the kink first."
        ),
        praise="Right code passed on kinks and beside them, and wrong slopes were caught there.",
    ),
    Task(
        name="max_pool_backward",
        lesson="06",
        question=(
            "Write max_pool_backward(x, dout): dL/dx of a max-pool over windows of 2 x 2 pixels "
            "that do not overlap. x has shape (N, H, W), dout (N, H/2, W/2). Mind windows whose "
            "largest pixel is there twice."
        ),
        find_mistake=find_pool_mistake,
        hints=(
            "Only the largest pixel of a window moves the output: it gets all of dout, the others "
            "0.",
            "x == its window's maximum is a mask, and marks several pixels where they are equal.",
            "Of equal pixels let one get dout (argmax takes the first), or share it: what a "
            "window gets must add up to its dout.",
        ),
        answer=max_pool_backward,
        solution="argmax takes the first of equals, so each window gives dout away exactly once.",
        praise="Each window gives away its dout exactly once, with ties and without.",
    ),
)

QUESTIONS = (
    Question(
        name="silent_layers",
        lesson="06",
        question=(
            "Of 100 such networks, how many have an example among the 30 for which all four "
            "units of the first layer are off?"
        ),
        choices={
            "all 100": (
                "That is the limit of many independent trials. With 3,000 examples it is still "
                "about half: if the four leave no common sector, there is nothing to find."
            ),
            "about 85": (
                "1 - (15/16)^30 holds if each example tries anew. But if the four leave no "
                "common sector, no example can be in it, however many there are."
            ),
            "about 50": (
                "Whether there is a sector of the plane in which all four are off depends on the"
                " weights alone: for four lines through 0 it is one half."
            ),
            "about 6": (
                "One in 16 would be the chance of a single example, if units were independent. "
                "There are 30 examples, and they lie in all directions."
            ),
        },
        right="about 50",
    ),
    Question(
        name="one_step_of_training",
        lesson="06",
        question=(
            "At eps = 1e-5 five of the eight failed. All parameters of each are updated once. How "
            "many fail then, at the same eps?"
        ),
        choices={
            "none": (
                "That is so if every bias moves. The bias of a unit that is on for no example "
                "gets no gradient, and stays at 0."
            ),
            "three": (
                "Two come off their kinks. In three a unit of the second layer is on for no "
                "example: its bias gets no gradient, and stays at 0, on the kink."
            ),
            "five, the same ones": (
                "Training does help some: where the unit on the kink is on for other examples, "
                "its bias has a gradient and moves."
            ),
            "all eight": (
                "Moved weights meet new kinks, but beside them. A step of 1e-5 reaches few of "
                "those."
            ),
        },
        right="three",
    ),
)
