"""Exercises and predictions of lesson 13, "Check your own code"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, wants_a_function

__all__ = ["QUESTIONS", "TASKS"]

WORDS = ("correct", "wrong", "inconclusive")


def my_check(f, grad, theta) -> str:
    """Say "correct", "wrong" or "inconclusive" of `grad`, by the slopes on both sides of theta."""
    eps, P = 1e-5, theta.size
    a, here = grad(theta.copy()), f(theta.copy())
    right, left = np.empty(P), np.empty(P)
    for i in range(P):
        step = eps * np.eye(P)[i]
        right[i] = (f(theta + step) - here) / eps
        left[i] = (here - f(theta - step)) / eps
    n = (right + left) / 2
    round_off = 1e-7 * np.max(abs(n))  # what a tiny entry may be off by
    differs = abs(a - n) > 1e-3 * np.maximum(abs(a), abs(n)) + round_off
    kink = abs(right - left) > 1e-2 * np.maximum(abs(right), abs(left))
    if np.any(differs & ~kink):
        return "wrong"
    return "inconclusive" if np.any(differs) else "correct"


def as_function(net, x, y) -> tuple:
    """Return f, grad and theta, as gl.check_function takes them; `net` stays as it is."""
    own = {name: w.copy() for name, w in net.params.items()}

    def put(params):
        for name, w in net.params.items():
            w[...] = params[name]

    def roll(theta):
        params, start = {}, 0
        for name, w in own.items():
            params[name] = theta[start : start + w.size].reshape(w.shape)
            start += w.size
        return params

    def f(theta):
        put(roll(theta))
        loss = net.loss(x, y)
        put(own)
        return loss

    def grad(theta):
        put(roll(theta))
        net.loss(x, y)  # fills the cache that backward reads
        grads = net.backward()
        put(own)
        return np.concatenate([grads[name].ravel() for name in own])

    return f, grad, np.concatenate([w.ravel() for w in own.values()])


# --- my_check ------------------------------------------------------------------------------------

_X = np.random.default_rng(11).normal(0, 1, (8, 3))
_Y = np.random.default_rng(12).normal(0, 1, 8)
_SIZE = 16  # W1 (3, 4) and w2 (4,)
_THETA = np.random.default_rng(13).normal(0, 0.8, _SIZE)


def _smooth(theta: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the loss of a network 3-4-1, tanh and mean squared error, and its gradient."""
    W1, w2 = theta[:12].reshape(3, 4), theta[12:16]
    o1 = np.tanh(_X @ W1)
    out = o1 @ w2 - _Y
    dz1 = np.outer(2 * out / len(_Y), w2) * (1 - o1**2)
    return float(np.mean(out**2)), np.concatenate([(_X.T @ dz1).ravel(), o1.T @ out / 4])


@dataclass(frozen=True, eq=False)
class _Case:
    """A function, what claims to be its gradient, and what may be said of it.

    `more` are entries after those of the network: their part of the loss and of the gradient. The
    gradient of the network's entries is changed by `spoil`.
    """

    what: str
    allowed: tuple[str, ...]
    why: str
    scale: float = 1.0
    more: tuple[float, ...] = ()
    part: Callable[[np.ndarray], float] = lambda rest: 0.0
    slope: Callable[[np.ndarray], tuple[float, ...]] = lambda rest: ()
    spoil: Callable[[np.ndarray], np.ndarray] = lambda a: a

    @property
    def theta(self) -> np.ndarray:
        return np.concatenate([_THETA, self.more])

    def f(self, theta: np.ndarray) -> float:
        return self.scale * (_smooth(theta[:_SIZE])[0] + self.part(theta[_SIZE:]))

    def grad(self, theta: np.ndarray) -> np.ndarray:
        a = self.spoil(_smooth(theta[:_SIZE])[1])
        return self.scale * np.concatenate([a, self.slope(theta[_SIZE:])])


def _relu(rest: np.ndarray) -> float:
    return max(float(rest[0]), 0.0)


def _larger(rest: np.ndarray) -> float:
    return float(max(rest))


def _relu_slope(rest: np.ndarray) -> tuple[float]:
    return (1.0 if rest[0] > 0 else 0.0,)


def _larger_slope(rest: np.ndarray) -> tuple[float, float]:
    return (1.0, 0.0) if rest[0] >= rest[1] else (0.0, 1.0)


def _times(entries: object, factor: float) -> Callable[[np.ndarray], np.ndarray]:
    def spoiled(a: np.ndarray) -> np.ndarray:
        a = a.copy()
        a[entries] *= factor
        return a

    return spoiled


def _transposed(a: np.ndarray) -> np.ndarray:
    return np.concatenate([a[:12].reshape(3, 4).T.ravel(), a[12:]])


_UNIT = "The gradient is as much larger or smaller as the loss: the limit must be relative."
_PLAIN = "Compare a with (f(theta + step) - f(theta - step)) / (2 * eps), an entry at a time."
_HIDDEN = "The other entries are right: look at each entry, since a norm over all hides one."
_EITHER = (
    "At a kink a difference proves nothing: if a lies between the slopes on the left and on the "
    "right, do not call it wrong."
)


def _cases() -> Iterator[_Case]:
    right, lenient, wrong = ("correct",), ("correct", "inconclusive"), ("wrong",)
    yield _Case("a right gradient", right, _PLAIN)
    yield _Case("a right gradient, the loss multiplied by 1e6", right, _UNIT, 1e6)
    yield _Case("a right gradient, the loss multiplied by 1e-6", right, _UNIT, 1e-6)
    yield _Case(
        "a right gradient, one parameter not used by the loss", right,
        "There a and n are both 0, so |a - n| / max(|a|, |n|) is 0 / 0: not a number.",
        more=(0.3,), slope=lambda rest: (0.0,),
    )  # fmt: skip
    yield _Case(
        "a right gradient with one entry of 2.5e-11", lenient,
        "n is round-off there, some 1e-11 for losses near 1: allow each entry that much.",
        more=(0.3,), part=lambda rest: 2.5e-11 * float(rest[0]), slope=lambda rest: (2.5e-11,),
    )  # fmt: skip
    yield _Case("relu(0), and a right gradient that takes relu'(0) = 0", lenient, _EITHER,
                more=(0.0,), part=_relu, slope=_relu_slope)  # fmt: skip
    yield _Case("relu(3e-6), and a right gradient", lenient, "A step of 1e-5 crosses the kink at "
                "0. " + _EITHER, more=(3e-6,), part=_relu, slope=_relu_slope)  # fmt: skip
    yield _Case("max(u, v) at u = v, and a gradient that takes u", lenient, _EITHER,
                more=(0.2, 0.2), part=_larger, slope=_larger_slope)  # fmt: skip
    yield _Case("all entries 1 % too large", wrong, "Is the limit small enough?",
                spoil=_times(slice(None), 1.01))  # fmt: skip
    for scale, text in ((1.0, ""), (1e6, ", the loss times 1e6"), (1e-6, ", the loss times 1e-6")):
        yield _Case(f"one of 16 entries 1 % too large{text}", wrong, _HIDDEN, scale,
                    spoil=_times(5, 1.01))  # fmt: skip
    yield _Case("a flipped sign", wrong, "abs(a - n), not abs(a) - abs(n).",
                spoil=_times(slice(None), -1.0))  # fmt: skip
    yield _Case("one of 16 entries is 0", wrong, _HIDDEN, spoil=_times(9, 0.0))
    yield _Case("W1's gradient is transposed", wrong, _PLAIN, spoil=_transposed)
    yield _Case(
        "a kink in the last entry, and entry 2 of 17 is 10 % too small", wrong,
        "Entry 2 has no kink: one entry that cannot be judged excuses no other.",
        more=(0.0,), part=_relu, slope=_relu_slope, spoil=_times(2, 0.9),
    )  # fmt: skip


def find_checker_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `my_check`."""
    if not callable(answer):
        return wants_a_function(answer, "my_check")
    for case in _cases():
        moves: list[np.ndarray] = []
        grads: list[np.ndarray] = []
        own, theta = case.theta, case.theta

        def f(at: np.ndarray, case: _Case = case, moves: list = moves) -> float:
            moves.append(np.asarray(at, float) - case.theta)
            return case.f(np.asarray(at, float))

        def grad(at: np.ndarray, case: _Case = case, grads: list = grads) -> np.ndarray:
            grads.append(np.asarray(at, float))
            return case.grad(np.asarray(at, float))

        said = answer(f, grad, theta)
        if (said is None or said is ...) and not moves and not grads:
            return None
        mistake = _no_word(said)
        if not mistake and not np.array_equal(theta, own):
            mistake = "theta comes back changed: move a copy, or put back what you saved."
        mistake = mistake or _no_evidence(moves, grads)
        if not mistake and str(said) not in case.allowed:
            mistake = _misjudged(str(said), case, moves)
        if mistake:
            return mistake
    return ""


def _no_word(said: object) -> str:
    if said is None or said is ...:
        return "It computes and returns nothing: return one of the three words."
    if not isinstance(said, str) or said not in WORDS:
        return f'It returned {shown(said)}; "correct", "wrong" or "inconclusive" is asked.'
    return ""


def _no_evidence(moves: list[np.ndarray], grads: list[np.ndarray]) -> str:
    if not grads:
        return "It never calls grad: there is nothing to compare."
    if not any(np.any(move) for move in moves):
        return "It never evaluates f at a moved theta: a slope takes two places."
    return ""


def _misjudged(said: str, case: _Case, moves: list[np.ndarray]) -> str:
    """Say what was said of a case, what is so, and what in the answer may explain it."""
    text = f"Called {said}: {case.what}. "
    if case.allowed == ("wrong",):
        unmoved = np.flatnonzero(~np.any([move != 0 for move in moves], axis=0))
        wrong = np.flatnonzero(case.grad(case.theta) != case.scale * _right(case))
        if set(wrong) <= set(unmoved):
            return text + f"Entry {wrong[0]} was never moved: look at every entry."
        if said == "inconclusive" and not case.more:
            return text + "There is no kink here, and the round-off is far smaller."
        return text + case.why
    steps = [float(np.max(np.abs(move))) for move in moves if np.any(move)]
    if max(steps) > 5e-2:
        return text + f"Your step is {max(steps):.0e}: over so long a way the slope changes."
    if max(steps) < 5e-9:
        return text + f"Your step is {max(steps):.0e}: so short a difference is round-off."
    return text + case.why


def _right(case: _Case) -> np.ndarray:
    return np.concatenate([_smooth(_THETA)[1], case.slope(case.theta[_SIZE:])])


# --- as_function ---------------------------------------------------------------------------------


class OwnNet:
    """A network as people write one: a dict, a cache between two methods, biases (1, n).

    Parameters
    ----------
    seed : int
    bug : str, optional
        Which line of `backward` is wrong; "" is none.
    """

    def __init__(self, seed: int, bug: str = "") -> None:
        rng = np.random.default_rng(seed)
        shapes = {"W2": (5, 2), "b2": (1, 2), "W1": (3, 5), "b1": (1, 5)}
        self.params = {name: rng.normal(0, 0.6, shape) for name, shape in shapes.items()}
        self.bug = bug

    def loss(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return the mean cross-entropy; keeps what `backward` needs."""
        p = self.params
        self.x, self.y = x, y
        self.o1 = np.tanh(x @ p["W1"] + p["b1"])
        e = np.exp(self.o1 @ p["W2"] + p["b2"])
        self.p = e / e.sum(axis=1, keepdims=True)
        return float(-np.log(self.p[range(len(y)), y]).mean())

    def backward(self) -> dict[str, np.ndarray]:
        """Return the gradient of the last loss, in an order of its own."""
        dout = (self.p - np.eye(2)[self.y]) / len(self.y)
        dz1 = dout @ self.params["W2"].T
        dz1 = dz1 if self.bug == "tanh'" else dz1 * (1 - self.o1**2)
        db1 = dz1.sum(axis=0, keepdims=True)
        dW2 = self.o1.T @ dout
        return {
            "W1": self.x.T @ dz1,
            "b1": np.full_like(db1, dz1.sum()) if self.bug == "b1" else db1,
            "W2": 2 * dW2 if self.bug == "W2" else dW2,
            "b2": dout.sum(axis=0, keepdims=True),
        }


_INPUTS = np.random.default_rng(9).normal(0, 1, (6, 3))
_LABELS = np.array([0, 1, 1, 0, 1, 0])
_NETS = ((0, ""), (1, ""), (2, "tanh'"), (3, "b1"), (4, "W2"))


def find_wrapping_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `as_function`."""
    if not callable(answer):
        return wants_a_function(answer, "as_function")
    for seed, bug in _NETS:
        net, untouched = OwnNet(seed, bug), OwnNet(seed, bug)
        made = answer(net, _INPUTS, _LABELS)
        if made is None or made is ...:
            return None
        if not isinstance(made, (tuple, list)) or len(made) != 3:
            return f"It returned {shown(made)}; three things are asked: f, grad, theta."
        f, grad, theta = made
        mistake = (
            _wrong_theta(theta, net) or _wrong_f(f, theta, untouched)
            or _wrong_grad(f, grad, np.array(theta, float), net)
            or _wrong_verdict(f, grad, np.array(theta, float), untouched)
            or _moved(f, grad, np.array(theta, float), net, untouched)
        )  # fmt: skip
        if mistake:
            return mistake
    return ""


def _wrong_theta(theta: object, net: OwnNet) -> str:
    numbers = np.asarray(theta)
    if numbers.dtype.kind != "f" or numbers.ndim != 1:
        return f"theta is {shown(theta)}; a vector of floats is asked: join the arrays' ravel()."
    size = sum(w.size for w in net.params.values())
    weights = sum(w.size for name, w in net.params.items() if name.startswith("W"))
    if numbers.size != size:
        why = "are the biases in?" if numbers.size == weights else "is one left out, or in twice?"
        return f"theta holds {numbers.size} numbers, the network {size} parameters: {why}"
    if any(np.shares_memory(numbers, w) for w in net.params.values()):
        return "theta shares its memory with a parameter; hand out a copy."
    return ""


def _wrong_f(f: object, theta: object, untouched: OwnNet) -> str:
    if not callable(f):
        return f"f is {shown(f)}; a function of theta is asked, to be called at other places."
    theta = np.array(theta, float)
    value = f(theta.copy())
    if isinstance(value, (tuple, list, dict)):
        return f"f returns a {type(value).__name__}: the loss alone is asked, one number."
    if np.ndim(value) != 0:
        return f"f returns an array of shape {np.shape(value)}: one number is asked."
    loss = untouched.loss(_INPUTS, _LABELS)
    if not np.isclose(float(value), loss, rtol=1e-10):
        return (
            f"f(theta) is {float(value):.4f}, the network's loss {loss:.4f}. Do the numbers of "
            "theta come back to the places that they were taken from?"
        )
    if f(theta + 0.1) == value:
        return "f gives the same everywhere: it never puts theta into the network."
    return ""


def _wrong_grad(f: Callable, grad: object, theta: np.ndarray, net: OwnNet) -> str:
    if not callable(grad):
        return f"grad is {shown(grad)}; a function of theta is asked, to be called anywhere."
    first = grad(theta.copy())
    if isinstance(first, dict):
        return "grad returns a dict: join its arrays into one vector, in the order of theta."
    first = np.asarray(first)
    if first.shape != theta.shape:
        return f"grad(theta) has shape {first.shape}, and theta {theta.shape}."
    f(theta + 0.3)
    if not np.allclose(first, np.asarray(grad(theta.copy())), rtol=1e-12, atol=0):
        return (
            "grad(theta) depends on where f was called last: backward() reads what the last loss() "
            "left. Put theta in, and call loss() first."
        )
    return ""


def _wrong_verdict(f: Callable, grad: Callable, theta: np.ndarray, untouched: OwnNet) -> str:
    from gradlab.checking import check_function

    verdict = check_function(f, grad, theta).verdict
    if verdict == ("wrong" if untouched.bug else "correct"):
        return ""
    if untouched.bug:
        return f"A planted bug is called {verdict}: does grad come from backward()?"
    untouched.loss(_INPUTS, _LABELS)
    own = np.concatenate([a.ravel() for a in untouched.backward().values()])
    if np.allclose(np.sort(own), np.sort(grad(theta))):
        return (
            f"A right network is called {verdict}: the gradient's numbers are the right ones in "
            "another order. theta and grad must list the parameters alike."
        )
    return f"A right network is called {verdict}: is grad(theta) what backward() gives at theta?"


def _moved(f: Callable, grad: Callable, theta: np.ndarray, net: OwnNet, untouched: OwnNet) -> str:
    f(theta + 0.3), grad(theta - 0.2)
    for name, w in untouched.params.items():
        now = net.params.get(name)
        if np.shape(now) != w.shape:
            return f"{name} comes back with shape {np.shape(now)}; it had {w.shape}."
        if not np.array_equal(now, w):
            return (
                f"The network is not left as it was: {name} is where the last evaluation put it. "
                "Put its own numbers back, or work on a copy.deepcopy of it."
            )
    return ""


TASKS = (
    Task(
        name="my_check",
        lesson="13",
        question=(
            'Write my_check(f, grad, theta), a gradient checker of your own: return "correct", '
            '"wrong" or "inconclusive". It must pass right code, catch an error of 1 % in one '
            "entry, and not call a kink wrong."
        ),
        find_mistake=find_checker_mistake,
        hints=(
            "For each entry three losses: at theta, a step to the right and a step to the left. "
            "They give a slope on either side, and their mean is the central difference n.",
            "Compare entry by entry, relative to the larger of |a| and |n|, and allow a little for "
            "round-off, say 1e-7 of the largest |n|.",
            "Where a and n differ, look at the two slopes. Are they far apart, then it is a kink "
            "and no proof. Else it is a bug.",
        ),
        answer=my_check,
        solution=(
            "Three questions in order: does an entry differ by more than round-off; is there a "
            "kink that excuses it; is there one without an excuse?"
        ),
        praise="Right code passed in three units and at kinks, and all eight bugs were caught.",
    ),
    Task(
        name="as_function",
        lesson="13",
        question=(
            "Write as_function(net, x, y): return f, grad, theta as gl.check_function takes them. "
            "The network must be left as it was."
        ),
        find_mistake=find_wrapping_mistake,
        hints=(
            "theta: np.concatenate([w.ravel() for w in net.params.values()]). It is a copy.",
            "f puts the pieces of theta back, w[...] = piece.reshape(w.shape), calls net.loss(x, "
            "y), and puts the network's own numbers back before it returns.",
            "grad does the same with net.loss, then net.backward, and joins in the order of "
            "net.params: backward has an order of its own.",
        ),
        answer=as_function,
        solution=(
            "grad calls loss at theta itself, so that nothing an earlier call left is used; and "
            "theta, f and grad go through the parameters in one order, that of net.params."
        ),
        praise="Two right networks are called correct, three with bugs wrong, and none was moved.",
    ),
)

QUESTIONS = (
    Question(
        name="float32_in_one_place",
        lesson="13",
        question=(
            "Everything is float64 but for one place. Which one spoils the check most, at a step "
            "of 1e-5?"
        ),
        choices={
            "the data x": "x is the same in both gradients, so they agree about it. And a float32 "
            "array times a float64 one is float64: nothing after it is short of digits.",
            "the gradient a": "Seven digits are as many as the comparison can use: it costs some "
            "1e-8. What is subtracted is n's losses, not a.",
            "the loss that is returned": "Two losses at nearly the same place agree in most "
            "digits. What is left after the subtraction are those that float32 does not have.",
            "all alike": "Rounding to seven digits is the same everywhere, but it only hurts where "
            "two nearly equal numbers are subtracted afterwards.",
        },
        right="the loss that is returned",
    ),
    Question(
        name="column_minus_vector",
        lesson="13",
        question=(
            "The outputs have shape (50, 1), the targets (50,). The loss is the mean of (out - y) "
            "squared, and backward is derived from it with care. What happens?"
        ),
        choices={
            "an error from numpy": "numpy broadcasts: (50, 1) minus (50,) is (50, 50), without an "
            "error or a warning.",
            "the check says wrong": "The gradient is that of this loss, and so are the "
            "differences. A check compares these two, and never the loss with what you meant.",
            "the check says correct, and it learns": "Every output is compared with every target. "
            "The best it can do is the mean of the targets, for every input.",
            "the check says correct, and it learns nothing": "The check compares the gradient with "
            "the loss, and these agree. It is the loss that is wrong: each output is compared "
            "with every target.",
        },
        right="the check says correct, and it learns nothing",
    ),
)
