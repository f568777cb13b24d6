"""Exercises and predictions of lesson 03, "Build an MLP"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import permutations

import numpy as np

from gradlab.checking import check_function
from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, number_in, wants_a_function

__all__ = ["QUESTIONS", "TASKS"]


def mse(out, y) -> tuple:
    """Return the loss (1/N) Σ Σ (out - y)², and its derivative with respect to `out`."""
    if np.shape(y) != np.shape(out):
        raise ValueError(f"out has shape {np.shape(out)}, y has shape {np.shape(y)}")
    d = out - y
    return np.sum(d**2) / len(d), 2 * d / len(d)


def dense_backward(x, W, dz) -> tuple:
    """Return the derivatives of the loss with respect to x, W and b, where z = x @ W + b."""
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def _pair(n: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    return rng.standard_normal((n, outputs)), rng.standard_normal((n, outputs))


PAIRS = tuple(_pair(*shape) for shape in ((5, 3), (4, 1), (3, 6)))
FLAT = _pair(6, 1)  # here y comes as (6,)

# What people take for the loss: (its value from the differences d, what to say). N = len(d).
LOSSES: tuple[tuple[Callable[[np.ndarray], object], str], ...] = (
    (
        lambda d: np.mean(d**2),
        "np.mean divides by N·K, the number of all outputs. L divides by N "
        "alone: a sum over the outputs, a mean over the examples.",
    ),
    (lambda d: np.sum(d**2) / len(d) / 2, "L is twice that: it has no factor ½."),
    (lambda d: np.mean(d**2) / 2, "L has no factor ½, and it divides by N alone, not by N·K."),
    (lambda d: np.sum(d**2), "1/N is missing: L is a mean over the N examples."),
    (lambda d: np.sum(d**2) / 2, "1/N is missing, and L has no factor ½."),
    (
        lambda d: np.sum(d**2) / d.shape[1],
        "It divides by the number of outputs K. L divides by the "
        "number of examples N, which is len(out).",
    ),
    (
        lambda d: np.sqrt(np.sum(d**2) / len(d)),
        "A square root is too much: L is the mean of squares.",
    ),
    (lambda d: np.linalg.norm(d), "This is the norm of out - y. L is its square, over N."),
    (lambda d: np.sum(abs(d)) / len(d), "These are absolute values; L is made of squares."),
    (lambda d: np.sum(d) / len(d), "The square is missing."),
    (lambda d: -np.sum(d**2) / len(d), "The sign is flipped: L is a sum of squares."),
)
# What people take for its derivative, where the loss is right.
SLOPES: tuple[tuple[Callable[[np.ndarray], np.ndarray], str], ...] = (
    (lambda d: d / len(d), "The factor 2 is missing: L has no ½ that would cancel it."),
    (lambda d: -2 * d / len(d), "The sign is flipped: where out is above y, L rises with out."),
    (lambda d: 2 * d, "1/N is missing: L is a mean over the examples, so each has 1/N of it."),
    (
        lambda d: d,
        "out - y is the derivative of ½ Σ (out - y)². L has no ½, and it has 1/N: both "
        "are missing.",
    ),
    (lambda d: 2 * d / d.size, "It divides by N·K; L divides by N alone."),
    (lambda d: d / d.size, "The factor 2 is missing, and it divides by N·K; L divides by N alone."),
    (lambda d: 2 * d / d.shape[1], "It divides by the number of outputs K; L divides by N."),
    (lambda d: 2 * abs(d) / len(d), "The sign of out - y is lost."),
    (lambda d: d**2 / len(d), "These are the terms of L itself, not their slopes."),
)


def find_mistake_in_mse(answer: object) -> str | None:
    """Return what is wrong with a learner's `mse`."""
    if not callable(answer):
        return wants_a_function(answer, "mse")
    for number, (out, y) in enumerate(PAIRS):
        given_out, given_y = out.copy(), y.copy()
        given = answer(given_out, given_y)
        if given is None or given is ...:
            return None
        for name, now, before in (("out", given_out, out), ("y", given_y, y)):
            if not np.array_equal(now, before):
                return f"mse changes {name}, which the caller still needs. Work on a copy."
        mistake = _not_a_pair(given, out) or _wrong_pair(answer, given, out, y)
        if mistake:
            return mistake if not number else f"With out of shape {out.shape}: {mistake}"
    return _with_a_flat_target(answer)


def _not_a_pair(given: object, out: np.ndarray) -> str:
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        alone = " Return L and dout, in this order." if number_in(given) is not None else ""
        return f"mse returned {shown(given)}; two things are asked, the loss and dout.{alone}"
    loss, slope = given
    if np.shape(loss) == out.shape and np.ndim(slope) == 0:
        return "The two are swapped: the loss comes first, then dout."
    if np.shape(loss) == (len(out),):
        return f"The loss has shape {np.shape(loss)}: one for each example. L is their mean."
    if np.shape(loss) == out.shape:
        return f"The loss has shape {np.shape(loss)}, as out has. L is one number: sum up."
    if number_in(loss) is None:
        return f"The loss is {shown(loss)}; it is one number."
    if np.shape(slope) != out.shape:
        return (
            f"dout has shape {np.shape(slope)} and out has {out.shape}: L has one slope for each "
            "output, so the two shapes are the same."
        )
    return ""


def _wrong_pair(answer: Callable, given: tuple, out: np.ndarray, y: np.ndarray) -> str:
    """Say what is wrong with a loss and a slope of the right shapes, quoting the checker."""
    d = out - y
    loss, slope = float(given[0]), np.asarray(given[1], float)
    wrong_loss = not _same(loss, np.sum(d**2) / len(d))
    if not wrong_loss and _same(slope, 2 * d / len(d)):
        return ""
    table, value = (LOSSES, loss) if wrong_loss else (SLOPES, slope)
    known = [message for rule, message in table if _same(value, rule(d))]
    if wrong_loss:
        asked = f"L is {np.sum(d**2) / len(d):.4f} for these outputs, and the answer's {loss:.4f}."
        return " ".join([asked, *known[:1], _green(answer, out, y)]).rstrip()
    at = np.unravel_index(np.argmax(abs(slope - 2 * d / len(d))), d.shape)
    entry = ", ".join(str(int(i)) for i in at)
    asked = (
        f"The loss is right. dout[{entry}] is {slope[at]:.4f}, and the slope of L there "
        f"is {2 * d[at] / len(d):.4f}."
    )
    return " ".join([asked, *known[:1]])


def _green(answer: Callable, out: np.ndarray, y: np.ndarray) -> str:
    """Say so if a check of the answer's own two results would be green."""
    report = check_function(
        lambda t: float(answer(t.reshape(out.shape), y.copy())[0]),
        lambda t: np.ravel(np.asarray(answer(t.reshape(out.shape), y.copy())[1], float)),
        out.ravel(),
    )
    if report.verdict != "correct":
        return ""
    return (
        "gl.check_function says correct all the same: your dout is the slope of your L. No "
        "gradient check sees that it is another loss."
    )


def _with_a_flat_target(answer: Callable) -> str:
    """See what becomes of y with shape (N,) beside outputs (N, 1)."""
    out, y = FLAT
    try:
        given = answer(out.copy(), y[:, 0].copy())
    except (ValueError, TypeError, IndexError, AssertionError):
        return ""  # refused, as it should be
    d, table = out - y, out - y[:, 0]
    flat = f"Right where the shapes are equal. Beside out of shape {out.shape}, y of shape (6,)"
    mistake = _not_a_pair(given, out)
    pair = isinstance(given, (tuple, list)) and len(given) == 2
    if pair and _same(given[0], np.sum(table**2) / len(d)):
        return (
            f"{flat} makes out - y a table of 6 × 6, every output against every target, as on the "
            f"first screen: the loss is {given[0]:.4f}, and the six pairs have "
            f"{np.mean(d**2):.4f}. Compare the shapes first, and raise a ValueError."
        )
    if mistake:
        return f"{flat} leads to a mistake. {mistake}"
    if not _same(given[0], np.mean(d**2)):
        asked = f"the loss {given[0]:.4f}, and the six pairs have {np.mean(d**2):.4f}"
        return f"{flat} gives {asked}. Raise a ValueError, or treat y as (6, 1)."
    if not _same(given[1], 2 * d / len(d)):
        return f"{flat} gives the right loss, and a dout that is not its slope."
    return ""


def _same(value: object, right: object) -> bool:
    value, right = np.asarray(value, float), np.asarray(right, float)
    return value.shape == right.shape and bool(np.allclose(value, right, rtol=1e-7, atol=1e-12))


def _layer(n: int, inputs: int, outputs: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(10 * n + inputs)
    shapes = ((n, inputs), (inputs, outputs), (outputs,))
    return tuple(rng.standard_normal(shape) for shape in shapes)


# The square one comes first: there a forgotten transpose has the right shape, and can be named.
LAYERS = tuple(_layer(*sizes) for sizes in ((4, 4, 4), (5, 3, 4), (6, 2, 1), (1, 3, 2)))
NAMES = ("dx", "dW", "db")

# (tensor, what people take for it, what to say)
SLIPS: tuple[tuple[str, Callable[..., object], str], ...] = (
    (
        "dx",
        lambda x, W, dz: dz @ W,
        "dz @ W multiplies by W as forward does. On the way back the "
        "sum runs over the outputs, W's second axis: W.T.",
    ),
    (
        "dx",
        lambda x, W, dz: dz @ W.T / len(x),
        "dx is divided by N. Whatever 1/N the loss has is in dz already.",
    ),
    ("dx", lambda x, W, dz: W @ dz.T, "dx is transposed: dx has x's shape, one row an example."),
    (
        "dW",
        lambda x, W, dz: dz.T @ x,
        "dW is transposed: W has one row for each input, one column for each output.",
    ),
    (
        "dW",
        lambda x, W, dz: x.T @ dz / len(x),
        "dW is divided by N. The 1/N of a mean loss is in "
        "dz already: here the sum over the examples is asked.",
    ),
    (
        "dW",
        lambda x, W, dz: x @ dz,
        "x @ dz sums over x's columns. The sum runs over the examples, "
        "the first axis of both: x.T.",
    ),
    (
        "db",
        lambda x, W, dz: dz.mean(axis=0),
        "db is a mean over the examples. The same b is added "
        "to each of them, so their slopes add up: a sum.",
    ),
    (
        "db",
        lambda x, W, dz: dz,
        "db is dz, not summed. The same b is added to each example, so "
        "their slopes add up: sum over the examples.",
    ),
    (
        "db",
        lambda x, W, dz: dz.sum(),
        "db is summed over everything. Sum over the examples alone, the first axis.",
    ),
    (
        "db",
        lambda x, W, dz: np.full(W.shape[1], dz.sum()),
        "db is summed over everything. Sum over the examples alone, the first axis.",
    ),
    (
        "db",
        lambda x, W, dz: dz.sum(axis=1),
        "db is summed over the outputs. Each output has a bias "
        "of its own; sum over the examples, axis=0.",
    ),
    (
        "db",
        lambda x, W, dz: dz.sum(axis=0, keepdims=True),
        "db has an axis of length 1 too many; b "
        "has one axis. b - rate * db would become a table without a word.",
    ),
    (
        "db",
        lambda x, W, dz: np.ones(W.shape[1]),
        "db is 1: that is the slope of z. The slope of the loss is asked, so dz comes in.",
    ),
)


def find_mistake_in_dense(answer: object) -> str | None:
    """Return what is wrong with a learner's `dense_backward`."""
    if not callable(answer):
        return wants_a_function(answer, "dense_backward")
    for number, (x, W, b) in enumerate(LAYERS):
        dz = np.cos(x @ W + b)
        arguments = {"x": x.copy(), "W": W.copy(), "dz": dz.copy()}
        given = answer(*arguments.values())
        if given is None or given is ...:
            return None
        for (name, now), before in zip(arguments.items(), (x, W, dz), strict=True):
            if not np.array_equal(now, before):
                return f"dense_backward changes {name}, which the caller still needs."
        mistake = _not_three(given) or _wrong_three(_three(given), x, W, dz)
        mistake = mistake or _judged(answer, x, W, b)
        if mistake:
            here = f"With x of shape {x.shape} and W of shape {W.shape}: "
            return mistake if not number else here + mistake
    return ""


def _three(given: object) -> list[object]:
    return [given[name] for name in NAMES] if isinstance(given, Mapping) else list(given)


def _not_three(given: object) -> str:
    if isinstance(given, Mapping):
        return "" if set(NAMES) <= set(given) else f"The dict needs dx, dW and db: {shown(given)}."
    if not isinstance(given, (tuple, list)) or len(given) != 3:
        return f"dense_backward returned {shown(given)}; three arrays are asked, dx, dW and db."
    return ""


def _wrong_three(given: list[object], x: np.ndarray, W: np.ndarray, dz: np.ndarray) -> str:
    """Return the messages for the mistakes that are known, and for wrong shapes."""
    right = dict(zip(NAMES, dense_backward(x, W, dz), strict=True))
    if all(_same(value, right[name]) for name, value in zip(NAMES, given, strict=True)):
        return ""
    for order in permutations(NAMES):
        if all(_same(value, right[name]) for name, value in zip(order, given, strict=True)):
            return f"All three are right, in the order {', '.join(order)}; dx, dW, db is asked."
    messages = []
    for name, value in zip(NAMES, given, strict=True):
        known = [text for slip, rule, text in SLIPS if slip == name and _is(value, rule, x, W, dz)]
        if not _same(value, right[name]):
            messages += known[:1] or _wrong_shape(name, value, right[name])
    return " ".join(messages)


def _is(value: object, rule: Callable, x: np.ndarray, W: np.ndarray, dz: np.ndarray) -> bool:
    try:
        return _same(value, rule(x, W, dz))
    except ValueError:  # a product that only a square W allows
        return False


def _wrong_shape(name: str, value: object, right: np.ndarray) -> list[str]:
    if np.shape(value) == right.shape:
        return []
    return [f"{name} has shape {np.shape(value)}; {name[1:]} has shape {right.shape}."]


def _judged(answer: Callable, x: np.ndarray, W: np.ndarray, b: np.ndarray) -> str:
    """Put the layer below a loss, the sum of sin(z), and let the project's checker judge."""
    sizes = np.cumsum([0, x.size, W.size, b.size])
    shapes = (x.shape, W.shape, b.shape)
    places = {
        name: (int(start), int(stop), shape)
        for name, start, stop, shape in zip(NAMES, sizes, sizes[1:], shapes, strict=False)
    }

    def parts(theta: np.ndarray) -> list[np.ndarray]:
        return [theta[start:stop].reshape(shape) for start, stop, shape in places.values()]

    def loss(theta: np.ndarray) -> float:
        x, W, b = parts(theta)
        return float(np.sin(x @ W + b).sum())

    def gradient(theta: np.ndarray) -> np.ndarray:
        x, W, b = parts(theta)
        given = _three(answer(x.copy(), W.copy(), np.cos(x @ W + b)))
        return np.concatenate([np.ravel(np.asarray(part, float)) for part in given])

    theta = np.concatenate([x.ravel(), W.ravel(), b])
    report = check_function(loss, gradient, theta, tensors=places)
    if not report.wrong:
        return ""
    told = []
    analytic = dict(zip(NAMES, parts(gradient(theta)), strict=True))
    right = dict(zip(NAMES, dense_backward(x, W, np.cos(x @ W + b)), strict=True))
    for name in report.wrong:
        at = np.unravel_index(np.argmax(abs(analytic[name] - right[name])), right[name].shape)
        entry = ", ".join(str(int(i)) for i in at)
        told.append(
            f"{name}[{entry}] is {analytic[name][at]:.4f}, and the slope of the loss there "
            f"is {right[name][at]:.4f}."
        )
    return f"gl.check_function says wrong: {', '.join(report.wrong)}. {' '.join(told)}"


TASKS: tuple[Task, ...] = (
    Task(
        name="mse",
        lesson="03",
        question=(
            "Write mse(out, y): the loss L, (out - y)² summed over the outputs and averaged over "
            "the examples, and dout, its derivative with respect to out. y of shape (N,) beside "
            "out of shape (N, 1) must not become a table: raise a ValueError, or treat y as (N, 1)."
        ),
        find_mistake=find_mistake_in_mse,
        hints=(
            "out and y have shape (N, K). L divides by N, which is len(out), and by nothing else.",
            "dout has the shape of out. The derivative of d² is 2 d; the 1/N stays.",
            "Compare np.shape(y) with np.shape(out) before anything is subtracted.",
        ),
        answer=mse,
        solution="The comparison of shapes is the one line that the first screen lacked.",
        praise="The loss, its slope and the shapes are right; the last no gradient check tests.",
    ),
    Task(
        name="dense_backward",
        lesson="03",
        question=(
            "Write dense_backward(x, W, dz) for the layer z = x @ W + b: from dz, the loss's "
            "derivatives with respect to z, return dx, dW and db. x is (N, D), W is (D, K)."
        ),
        find_mistake=find_mistake_in_dense,
        hints=(
            "Each derivative has the shape of its tensor: dx (N, D), dW (D, K), db (K,).",
            "What is used many times gets a sum: W and b are used by each of the N examples, an "
            "input by each of the K outputs.",
            "dW is x.T @ dz. Which sum is db, and which product is dx?",
        ),
        answer=dense_backward,
        solution=(
            "dx[n, i] sums dz[n, j] W[i, j] over the outputs j, dW[i, j] sums x[n, i] dz[n, j] "
            "over the examples n, and db[j] sums dz[n, j] over the examples."
        ),
        praise="gl.check_function finds dx, dW and db right on four layers, one of them square.",
    ),
)

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="targets_moved_by_one",
        lesson="03",
        question=(
            "The network is untrained. In n five of the eight examples have another target than "
            "in a, three keep their class. The norm ratio of the two gradients is …"
        ),
        choices={
            "about 0.1": (
                "An untrained network puts out nearly the same for all inputs. Nearly all of "
                "the gradient takes that down to the mean of the targets, the same in any order."
            ),
            "about 0.4": (
                "Five of eight is more than half, one thinks. But what an example adds to the "
                "gradient depends little on its target yet."
            ),
            "about 0.7": (
                "So far apart are two gradients of one length that have nothing to do with each "
                "other. These two have most in common: the way down to the targets' mean."
            ),
            "about 1": (
                "Near 1 the two would be opposite, or one of them nearly 0. These two have most "
                "in common: the way down to the targets' mean."
            ),
        },
        right="about 0.1",
    ),
    Question(
        name="ten_thousand_times_the_step",
        lesson="03",
        question=(
            "No hidden layer, no activation, the mean squared error, right code. With a step of "
            "1e-5 the norm ratio is about 1e-11. With a step of 1e-1 it is …"
        ),
        choices={
            "about 1e-3": (
                "A hundred million times as much: so it would be if the step's own error grew with "
                "its square. Here the step has no error of its own, as the loss is a parabola."
            ),
            "about 1e-7": (
                "Ten thousand times as much, one thinks: the longer the step, the coarser the "
                "slope. But along each parameter this loss is a parabola, and there a long step "
                "is as exact as a short one."
            ),
            "about 1e-11": (
                "The code is right at either step. But those 1e-11 are the rounding of two losses "
                "divided by the step, and a longer step makes less of it."
            ),
            "below 1e-13": (
                "Where the outputs are linear in the parameters, this loss is a parabola along "
                "each of them, and a central difference is exact at any step. Only rounding is "
                "left, divided by the step: the longer, the smaller."
            ),
        },
        right="below 1e-13",
    ),
)
