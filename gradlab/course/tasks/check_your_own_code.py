"""Exercises and predictions of lesson 13, "Check your own code"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, wants_a_function

__all__ = ["QUESTIONS", "TASKS"]

Function = Callable[[np.ndarray], object]


def as_function(net, x, y) -> tuple:
    """Return f, grad and theta, as gl.check_function takes them; `net` stays as it is."""
    own = {name: w.copy() for name, w in net.params.items()}

    def put(theta):
        start = 0
        for name, w in own.items():
            net.params[name][...] = theta[start : start + w.size].reshape(w.shape)
            start += w.size

    def join(arrays):
        return np.concatenate([arrays[name].ravel() for name in own])

    def f(theta):
        put(theta)
        loss = net.loss(x, y)
        put(join(own))
        return loss

    def grad(theta):
        put(theta)
        net.loss(x, y)  # fills the cache that backward reads
        grads = net.backward()
        put(join(own))
        return join(grads)

    return f, grad, join(own)


class Dense:
    """A layer, and the sum of its squares as loss: mended."""

    def __init__(self, x, W) -> None:
        self.x, self.W = x, W

    def loss(self) -> float:
        """Return the loss at W as it is now."""
        self.y = np.tanh(self.x @ self.W)
        return (self.y**2).sum()

    def grad(self) -> np.ndarray:
        """Return the gradient at W as it is now, whatever was called before."""
        self.loss()  # fills y anew
        return self.x.T @ (2 * self.y * (1 - self.y**2))


# --- as_function ---------------------------------------------------------------------------------


class OwnNet:
    """A network as people write one: a dict, a cache between two methods, biases (1, n).

    Parameters
    ----------
    seed : int
    bug : str, optional
        Which line of `backward` is wrong; "" is none.

    Attributes
    ----------
    params : dict of str to ndarray
    touched : bool
        Whether somebody looked at `params`.
    """

    def __init__(self, seed: int, bug: str = "") -> None:
        rng = np.random.default_rng(seed)
        shapes = {"W2": (5, 2), "b2": (1, 2), "W1": (3, 5), "b1": (1, 5)}
        self.params = {name: rng.normal(0, 0.6, shape) for name, shape in shapes.items()}
        self.bug, self.touched = bug, False

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The parameters by name, in an order that is not backward's."""
        self.touched = True
        return self._params

    @params.setter
    def params(self, params: dict[str, np.ndarray]) -> None:
        self._params = params

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
            return "It returns nothing: return f, grad, theta." if net.touched else None
        if not isinstance(made, (tuple, list)) or len(made) != 3:
            return f"It returned {shown(made)}; three things are asked: f, grad, theta."
        f, grad, theta = made
        if mistake := _wrong_theta(theta, net, untouched):
            return mistake
        theta = np.array(theta)
        mistake = (
            _wrong_f(f, theta, untouched)
            or _wrong_grad(f, grad, theta)
            or _wrong_verdict(f, grad, theta, untouched)
            or _moved(f, grad, theta, net, untouched)
        )
        if mistake:
            return mistake
    return ""


def _wrong_theta(theta: object, net: OwnNet, untouched: OwnNet) -> str:
    numbers = np.asarray(theta)
    if numbers.dtype.kind != "f" or numbers.ndim != 1:
        return f"theta is {shown(theta)}; a vector of floats is asked: join the arrays' ravel()."
    size = sum(w.size for w in untouched.params.values())
    weights = sum(w.size for name, w in untouched.params.items() if name.startswith("W"))
    if numbers.size != size:
        why = "are the biases in?" if numbers.size == weights else "is one left out, or in twice?"
        return f"theta holds {numbers.size} numbers, the network {size} parameters: {why}"
    if numbers.dtype != np.float64:
        return f"theta is {numbers.dtype}, the network's parameters are float64: digits are lost."
    if any(np.shares_memory(numbers, w) for w in net.params.values()):
        return "theta shares its memory with a parameter; hand out a copy."
    return ""


def _wrong_f(f: object, theta: np.ndarray, untouched: OwnNet) -> str:
    if not callable(f):
        return f"f is {shown(f)}; a function of theta is asked, to be called at other places."
    given = theta.copy()
    value = f(given)
    if value is None or value is ...:
        return "f returns nothing: return the loss, one number."
    if isinstance(value, (tuple, list, dict)):
        return f"f returns a {type(value).__name__}: the loss alone is asked, one number."
    if np.ndim(value) != 0:
        return f"f returns an array of shape {np.shape(value)}: one number is asked."
    if not np.array_equal(given, theta):
        return "f changes the theta that it is given: write into the network, not into theta."
    loss = untouched.loss(_INPUTS, _LABELS)
    if not np.isclose(float(value), loss, rtol=1e-10):
        return (
            f"f(theta) is {float(value):.4f}, the network's loss {loss:.4f}. Do the numbers of "
            "theta come back to the places that they were taken from?"
        )
    units = 0.1 * np.eye(theta.size)
    dead = [i for i, unit in enumerate(units) if f(theta + unit) == value]
    if len(dead) == theta.size:
        return "f gives the same everywhere: it never puts theta into the network."
    if dead:
        return (
            f"{len(dead)} of {theta.size} entries of theta do not move f, theta[{dead[0]}] for "
            "one: are all parameters put in?"
        )
    return ""


def _wrong_grad(f: Function, grad: object, theta: np.ndarray) -> str:
    if not callable(grad):
        return f"grad is {shown(grad)}; a function of theta is asked, to be called anywhere."
    f(theta.copy())
    first = grad(theta.copy())
    if first is None or first is ...:
        return "grad returns nothing: return a vector like theta."
    if isinstance(first, dict):
        return "grad returns a dict: join its arrays into one vector, in the order of theta."
    first = np.array(first, float)
    if first.shape != theta.shape:
        return f"grad(theta) has shape {first.shape}, and theta {theta.shape}."
    f(theta.copy())
    if not _same(first, grad(theta.copy())):
        return "grad(theta) gives other numbers when it is called a second time."
    f(theta + 0.3)
    if not _same(first, grad(theta.copy())):
        return (
            "grad(theta) depends on where f was called last: backward() reads what the last loss() "
            "left. Put theta in, and call loss() first."
        )
    if _same(first, grad(theta + 0.3)):
        return "grad gives the same everywhere: it never puts theta into the network."
    return ""


def _same(one: object, other: object) -> bool:
    return np.allclose(np.asarray(one, float), np.asarray(other, float), rtol=1e-12, atol=0)


def _wrong_verdict(f: Function, grad: Function, theta: np.ndarray, untouched: OwnNet) -> str:
    from gradlab.checking import check_function

    asked = "wrong" if untouched.bug else "correct"
    for where, at in (("", theta), (" at another theta", theta + 0.2 * np.cos(range(theta.size)))):
        verdict = check_function(f, grad, at).verdict
        if verdict == asked:
            continue
        if untouched.bug:
            return f"A planted bug is called {verdict}{where}: does grad come from backward()?"
        untouched.loss(_INPUTS, _LABELS)
        own = np.concatenate([a.ravel() for a in untouched.backward().values()])
        if np.allclose(np.sort(own), np.sort(grad(theta.copy()))) and not where:
            return (
                f"A right network is called {verdict}: the gradient's numbers are the right ones "
                "in another order. theta and grad must list the parameters alike."
            )
        return (
            f"A right network is called {verdict}{where}: is grad(theta) what backward() gives "
            "at theta?"
        )
    return ""


def _moved(f: Function, grad: Function, theta: np.ndarray, net: OwnNet, untouched: OwnNet) -> str:
    for call, name in ((f, "f"), (grad, "grad")):
        call(theta + 0.3)
        for key, w in untouched.params.items():
            now = net.params.get(key)
            if np.shape(now) != w.shape:
                return f"{key} comes back with shape {np.shape(now)}; it had {w.shape}."
            if not np.array_equal(now, w):
                return (
                    f"The network is not left as it was: after {name} was called, {key} has other "
                    "numbers. Put its own back, or work on a copy.deepcopy of the network."
                )
    return ""


# --- mend_dense ----------------------------------------------------------------------------------


def _case(seed: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return x and W: nothing in them is 0 or equal."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (5, shape[0])), rng.normal(0, 0.7, shape)


def _loss(x: np.ndarray, W: np.ndarray) -> float:
    return float((np.tanh(x @ W) ** 2).sum())


def _gradient(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    y = np.tanh(x @ W)
    return x.T @ (2 * y * (1 - y**2))


def find_layer_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `Dense`."""
    if not callable(answer):
        return f"Hand over the class itself, as .check(Dense). This is {shown(answer)}."
    for seed, shape in ((3, (3, 2)), (4, (2, 2))):
        x, W = _case(seed, shape)
        net = answer(x.copy(), W.copy())
        if net is None or net is ...:
            return None
        lacks = [name for name in ("loss", "grad") if not callable(getattr(net, name, None))]
        if lacks:
            return f"{shown(net)} has no {' and no '.join(lacks)}: an object with both is asked."
        mistake = _wrong_loss(answer, x, W) or _wrong_first(answer, x, W)
        if mistake:
            return mistake
        adds, lags = _adds_up(answer, x, W), _lags(answer, x, W)
        if adds and lags:
            return f"Nothing is mended yet. {adds}"
        mistake = adds or lags or _wrong_alone(answer, x, W)
        if mistake:
            return mistake
    return ""


def _wrong_loss(answer: Callable, x: np.ndarray, W: np.ndarray) -> str:
    """Look at loss, and whether it follows W."""
    net = answer(x.copy(), W.copy())
    values = [net.loss(), net.loss()]
    if values[0] is None or values[0] is ...:
        return "loss() returns nothing: return the sum of squares, one number."
    if np.ndim(values[0]) != 0:
        return f"loss() returns an array of shape {np.shape(values[0])}: one number is asked."
    for which, value in zip(("loss()", "loss(), called a second time,"), values, strict=True):
        if not np.isclose(float(value), _loss(x, W), rtol=1e-9):
            return (
                f"{which} is {float(value):.4f}; in the class that was given it is "
                f"{_loss(x, W):.4f}. Nothing was wrong with that: keep it."
            )
    if np.shape(getattr(net, "W", None)) != W.shape:
        return "It has no W of the shape that it was given: a check must be able to move it."
    net.W[...] = W + 0.1
    if not np.isclose(float(net.loss()), _loss(x, W + 0.1), rtol=1e-9):
        return "After net.W was given other numbers, loss() is not that of these: read self.W."
    return ""


def _wrong_first(answer: Callable, x: np.ndarray, W: np.ndarray) -> str:
    """Look at one grad right after one loss: there the class that was given is right."""
    own_x, own_W = x.copy(), W.copy()
    net = answer(own_x, own_W)
    net.loss()
    found, right = net.grad(), _gradient(x, W)
    if found is None or found is ...:
        return "grad() returns nothing: return the gradient."
    if np.shape(found) != W.shape:
        return f"grad() has shape {np.shape(found)}, and W {W.shape}."
    for name, now, before in (("x", own_x, x), ("W", own_W, W), ("W", net.W, W)):
        if not np.array_equal(now, before):
            return f"{name} comes back changed by loss() or grad(): they compute, and move nothing."
    found = np.asarray(found, float)
    error = float(np.linalg.norm(found - right) / np.linalg.norm(right))
    if error < 1e-11:
        return ""
    ratio = float(np.vdot(found, right) / np.vdot(right, right))
    if error < 1e-4:
        return (
            f"grad() is right to about {error:.0e} of its size only. A formula in float64 gives "
            "nearly all digits; differences and float32 do not."
        )
    if ratio and np.allclose(found, ratio * right, rtol=1e-9):
        return (
            f"The first grad() after a loss() is {ratio:.3g} times what it must be. There the "
            "class that was given is right: the formula needs no mending."
        )
    return (
        "The first grad() after a loss() is wrong. There the class that was given is right: the "
        "formula needs no mending."
    )


def _adds_up(answer: Callable, x: np.ndarray, W: np.ndarray) -> str:
    """Ask for the gradient again, with a loss before it and without."""
    ratios, right = [], _gradient(x, W)
    for loss_between in (True, False):
        net = answer(x.copy(), W.copy())
        net.loss()
        net.grad()
        if loss_between:
            net.loss()
        found = np.array(net.grad(), float)
        ratios.append(float(np.vdot(found, right) / np.vdot(right, right)))
        if not np.allclose(found, ratios[-1] * right, rtol=1e-9, atol=1e-12):
            return "At the same x and W, the second grad() gives another direction than the first."
    if np.allclose(ratios, 1):
        return ""
    if np.allclose(ratios, 2):
        return "The second grad() is twice what it must be: the first is still in it."
    if np.allclose(ratios, (1, 2)):
        return (
            "While a loss() comes before each grad() all is right. Two in a row after one loss() "
            "double it: forget the old gradient in grad(), not in loss()."
        )
    when, ratio = ("with", ratios[0]) if not np.isclose(ratios[0], 1) else ("without", ratios[1])
    return (
        f"The second grad(), {when} a loss() between the two, is {ratio:.3g} times what it must be."
    )


def _lags(answer: Callable, x: np.ndarray, W: np.ndarray) -> str:
    """Move W, and ask for the gradient without asking for the loss: the first of that object."""
    net = answer(x.copy(), W.copy())
    net.loss()
    net.W[...] = W + 0.3
    found = np.asarray(net.grad(), float)
    if np.allclose(found, _gradient(x, W + 0.3), rtol=1e-9):
        return ""
    if np.allclose(found, _gradient(x, W), rtol=1e-9):
        return (
            "net.W was moved after the last loss(), and grad() is that of the old W: it uses what "
            "that loss() left. Compute it anew, or call self.loss() first."
        )
    return "net.W was moved after the last loss(), and grad() is not the gradient at the new W."


def _wrong_alone(answer: Callable, x: np.ndarray, W: np.ndarray) -> str:
    """Ask a new object for the gradient before anything else, and an old one after W was moved."""
    net = answer(x.copy(), W.copy())
    try:
        found = net.grad()
    except Exception as error:  # whatever it lacks, a loss() would have made it
        return (
            f"grad() of a new object, without a loss() before it, ends in {type(error).__name__}."
        )
    if not np.allclose(found, _gradient(x, W), rtol=1e-9):
        return "grad() of a new object, without a loss() before it, is wrong."
    net.W[...] = W - 0.2
    if not np.allclose(net.grad(), _gradient(x, W - 0.2), rtol=1e-9):
        return "After net.W was moved once more, grad() still has something of the call before."
    return ""


TASKS = (
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
    Task(
        name="mend_dense",
        lesson="13",
        question=(
            "Mend the class Dense: grad() must be the gradient of loss() at W as it is now, "
            "whatever was called before; x and W must stay as they are."
        ),
        find_mistake=find_layer_mistake,
        hints=(
            "Two faults. Call grad() twice in a row. Then move net.W, and call grad() without "
            "loss().",
            "What does += find in dW? Which W belongs to the y that grad() reads?",
            "Return the product itself: = instead of +=. And call self.loss() first.",
        ),
        answer=Dense,
        solution=(
            "The formula was right. What was wrong is what grad() kept, and what it relied on: a "
            "sum of earlier gradients, and the y of an earlier W."
        ),
        praise="grad() is the gradient at W as it is now, at every call.",
    ),
)

QUESTIONS = (
    Question(
        name="a_moving_mean",
        lesson="13",
        question=("With the running mean the norm ratio is 4e-3 at h = 1e-5. At h = 1e-6 it is …"),
        choices={
            "about 4e-5": (
                "A hundredth is how right code errs. Here the two losses see two means, which "
                "differ in proportion to h, and divided by 2h that error stays."
            ),
            "about 4e-4": (
                "A tenth it was with the stale y, which is wrong by h in the gradient. Here a "
                "difference of losses is wrong by h, and then divided by 2h."
            ),
            "about 4e-3": (
                "The two losses see two means, which differ in proportion to h. So their "
                "difference is wrong in proportion to h, and divided by 2h that stays."
            ),
            "about 4e-2": (
                "Ten times as much is what rounding does: a fixed error, divided by a shorter "
                "step. This error shrinks with the step, as the mean moves less."
            ),
        },
        right="about 4e-3",
    ),
    Question(
        name="all_in_float32",
        lesson="13",
        question=(
            "One rounding of the loss to float32 gives about 1e-2. The whole network in float32, "
            "with thousands of roundings, gives …"
        ),
        choices={
            "about 2e-3": (
                "The roundings of the two losses do not cancel: the last one alone, that of the "
                "loss itself, has cost 1e-2."
            ),
            "about 2e-2": (
                "The thousands go up and down, and the mean over 30 examples divides them. The "
                "rounding of the mean itself nothing divides: it costs about as much as all."
            ),
            "about 2e-1": (
                "The thousands do not simply add up: they go up and down, and the mean over 30 "
                "examples divides them. The few in the mean itself count most."
            ),
            "about 1": (
                "That would be noise alone. The noise is a few per cent of the gradient, and most "
                "of it comes from the last roundings, those in the mean."
            ),
        },
        right="about 2e-2",
    ),
)
