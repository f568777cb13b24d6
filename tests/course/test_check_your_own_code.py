"""Lesson 13's exercises take any right answer, and say something true of each wrong one."""

import copy

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import QUESTIONS, TASKS
from gradlab.course.tasks.check_your_own_code import as_function, my_check

# --- my_check ------------------------------------------------------------------------------------


def slopes(f, theta, eps):
    """Return the slopes on the right and on the left of theta, entry by entry."""
    here, units = f(theta), np.eye(theta.size)
    right = np.array([(f(theta + eps * u) - here) / eps for u in units])
    return right, np.array([(here - f(theta - eps * u)) / eps for u in units])


def between(f, grad, theta):
    """Call wrong what lies outside of both slopes, with a margin."""
    a, (right, left) = np.array(grad(theta)), slopes(f, theta, 1e-6)
    margin = 1e-3 * np.maximum(abs(right), abs(left)) + 1e-6 * np.max(abs(right))
    inside = (a >= np.minimum(right, left) - margin) & (a <= np.maximum(right, left) + margin)
    return "correct" if np.all(inside) else "wrong"


def ladder(f, grad, theta):
    """Take the best of several steps; a kink is where the sides differ at the shortest."""
    a, verdicts = grad(theta), []
    for i in range(len(theta)):
        best, jump = np.inf, False
        for eps in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7):
            up, down = theta.copy(), theta.copy()
            up[i], down[i] = theta[i] + eps, theta[i] - eps
            right, left = (f(up) - f(theta)) / eps, (f(theta) - f(down)) / eps
            best = min(best, abs(a[i] - (right + left) / 2))
            jump = abs(right - left) > 0.1 * max(abs(right), abs(left))
        size = max(abs(a[i]), 1e-6 * np.linalg.norm(a))
        verdicts.append("correct" if best <= 1e-3 * size else "kink" if jump else "wrong")
    return "wrong" if "wrong" in verdicts else "inconclusive" if "kink" in verdicts else "correct"


def off_the_kinks(f, grad, theta):
    """Move theta a little at random: kinks are left behind."""
    at = np.asarray(theta) + np.random.default_rng(0).normal(0, 1e-2, len(theta))
    right, left = slopes(f, at, 1e-6)
    n, a = (right + left) / 2, grad(at)
    scale = 1e-3 * np.maximum(abs(a), abs(n)) + 1e-6 * np.linalg.norm(n)
    return np.str_("wrong") if (abs(a - n) > scale).any() else "correct"


def in_place(f, grad, theta):
    """Move theta itself, and put it back."""
    a, n, jumps = grad(theta), [], []
    for i in range(theta.size):
        saved, here = theta[i], f(theta)
        theta[i] = saved + 1e-5
        right = f(theta) - here
        theta[i] = saved - 1e-5
        left = here - f(theta)
        theta[i] = saved
        n.append((right + left) / 2e-5)
        jumps.append(not np.isclose(right, left, rtol=0.05, atol=1e-12 * abs(here)))
    floor = 1e-6 * max(map(abs, n))
    for x, y, jump in zip(a, n, jumps, strict=True):
        if abs(x - y) > 2e-3 * max(abs(x), abs(y)) + floor and not jump:
            return "wrong"
    return "correct"


class Checker:
    def __call__(self, f, grad, theta):
        return gl.check_function(f, grad, theta).verdict


RIGHT_CHECKERS = {
    "the solution": my_check,
    "between": between,
    "ladder": ladder,
    "off the kinks": off_the_kinks,
    "in place": in_place,
    "the product's": lambda f, grad, theta: gl.check_function(f, grad, theta).verdict,
    "an object": Checker(),
}


def central(judge, eps=1e-5, words=("wrong", "correct")):
    """Return a checker that judges by central differences alone."""

    def check(f, grad, theta):
        right, left = slopes(f, theta, eps)
        return words[0] if judge(grad(theta), (right + left) / 2) else words[1]

    return check


def entries(a, n, limit=1e-3, floor=1e-7):
    return np.any(abs(a - n) > limit * np.maximum(abs(a), abs(n)) + floor * np.max(abs(n)))


def with_kinks(differs, kinky="inconclusive", some=any):
    """Return a checker that knows kinks; `some` says which of its entries excuse others."""

    def check(f, grad, theta):
        a, (right, left) = grad(theta), slopes(f, theta, 1e-5)
        kink = abs(right - left) > 1e-2 * np.maximum(abs(right), abs(left))
        if not differs(a, (right + left) / 2):
            return "correct"
        return kinky if some(kink) else "wrong"

    return check


def nan_is_wrong(a, n):
    with np.errstate(invalid="ignore"):
        return not np.all(abs(a - n) / np.maximum(abs(a), abs(n)) < 1e-3)


def ten_entries(f, grad, theta):
    some = np.eye(theta.size)[:5]
    n = [(f(theta + 1e-5 * u) - f(theta - 1e-5 * u)) / 2e-5 for u in some]
    return "wrong" if entries(grad(theta)[:5], np.array(n)) else "correct"


def drifts(f, grad, theta):
    theta += 1e-5
    return my_check(f, grad, theta)


def never_moves(f, grad, theta):
    return "wrong" if np.any(f(theta) != grad(theta)) else "correct"


def computes(f, grad, theta):
    grad(theta), f(theta)


def no_floor(a, n):
    return np.any(abs(a - n) > 1e-3 * np.maximum(abs(a), abs(n)))


def sizes(a, n):
    return np.any(abs(abs(a) - abs(n)) > 1e-3 * np.maximum(abs(a), abs(n)) + 1e-7 * np.max(abs(n)))


WRONG_CHECKERS = {
    "multiplied by 1e6. The gradient is": central(lambda a, n: np.any(abs(a - n) > 1e-7)),
    "times 1e-6. The other entries": with_kinks(
        lambda a, n: not np.allclose(a, n, rtol=1e-4, atol=1e-8)
    ),
    "0 / 0: not a number": central(nan_is_wrong),
    "n is round-off there": central(no_floor),
    "relu(0), and a right gradient": central(entries),
    "1 % too large. Is the limit small": with_kinks(lambda a, n: entries(a, n, 0.05)),
    "a norm over all hides one": with_kinks(lambda a, n: gl.norm_ratio(a, n) > 2e-3),
    "not abs(a) - abs(n)": with_kinks(sizes),
    "Entry 5 was never moved": ten_entries,
    "excuses no other": with_kinks(entries),
    "Your step is 5e-01": central(entries, eps=0.5),
    "Your step is 1e-13": central(entries, eps=1e-13),
    "There is no kink here": with_kinks(entries, some=lambda kink: True),
    "theta comes back changed": drifts,
    "never calls grad": lambda f, grad, theta: "correct" if f(theta + 1) else "wrong",
    "never evaluates f at a moved": never_moves,
    "returns nothing: return one": computes,
    '"inconclusive" is asked': central(entries, words=(False, True)),
    "Hand over the function itself": "correct",
}


# --- as_function ---------------------------------------------------------------------------------


def joined(arrays, names, order="C"):
    return np.concatenate([arrays[name].ravel(order) for name in names])


def put(net, theta, order="C"):
    start = 0
    for w in net.params.values():
        w[...] = np.reshape(theta[start : start + w.size], w.shape, order=order)
        start += w.size


def restoring(order="C", names=lambda grads, net: net.params, before=lambda net, x, y: None):
    """Return an `as_function` that puts theta in and the network's own numbers back."""

    def function(net, x, y):
        own = joined(net.params, net.params, order)

        def f(theta):
            put(net, theta, order)
            loss = net.loss(x, y)
            put(net, own, order)
            return loss

        def grad(theta):
            put(net, theta, order)
            net.loss(x, y)
            grads = net.backward()
            put(net, own, order)
            return joined(grads, names(grads, net), order)

        return f, grad, own.copy()

    return function


def twin(net, x, y):
    net = copy.deepcopy(net)

    def f(theta):
        put(net, theta)
        return np.float64(net.loss(x, y))

    return (
        f,
        lambda theta: (f(theta), joined(net.backward(), net.params))[1],
        joined(net.params, net.params),
    )


def sorted_names(net, x, y):
    """Put new arrays into the dict, and the old ones back, whatever happens."""
    names, own = sorted(net.params), dict(net.params)
    cuts = np.cumsum([own[name].size for name in names])[:-1]

    def at(theta, gradient):
        pieces = np.split(np.asarray(theta), cuts)
        net.params = {
            name: piece.reshape(own[name].shape).copy()
            for name, piece in zip(names, pieces, strict=True)
        }
        try:
            loss = net.loss(x, y)
            return joined(net.backward(), names) if gradient else loss
        finally:
            net.params = own

    return [lambda theta: at(theta, False), lambda theta: at(theta, True), joined(own, names)]


class Wrapped:
    def __init__(self, net, x, y):
        self.net, self.x, self.y = copy.deepcopy(net), x, y

    def __call__(self, theta):
        put(self.net, theta)
        return self.net.loss(self.x, self.y)

    def gradient(self, theta):
        self(theta)
        return list(joined(self.net.backward(), self.net.params))


def wrapped(net, x, y):
    f = Wrapped(net, x, y)
    return f, f.gradient, list(joined(net.params, net.params))


RIGHT_WRAPPERS = {
    "the solution": as_function,
    "put and restore": restoring(),
    "columns first, in both": restoring(order="F"),
    "a deep copy": twin,
    "sorted names": sorted_names,
    "a class and lists": wrapped,
}


def from_parts(f=None, grad=None, theta=None):
    """Return an `as_function` of which some parts are replaced: each gets the right three."""

    def function(net, x, y):
        right = restoring()(net, x, y)
        parts = zip((f, grad, theta), right, strict=True)
        return tuple(part(net, x, y, *right) if part else own for part, own in parts)

    return function


def never_put(net, x, y):
    return (
        lambda theta: net.loss(x, y),
        lambda theta: joined(net.backward(), net.params),
        joined(net.params, net.params),
    )


def left_moved(net, x, y):
    def f(theta):
        put(net, theta)
        return net.loss(x, y)

    def grad(theta):
        f(theta)
        return joined(net.backward(), net.params)

    return f, grad, joined(net.params, net.params)


def shape_lost(net, x, y):
    f, grad, theta = restoring()(net, x, y)
    net.params["b1"] = net.params["b1"].ravel()
    return f, grad, theta


def stale(net, x, y, f, grad, theta):
    return lambda at: joined(net.backward(), net.params)


def by_differences(net, x, y, f, grad, theta):
    return lambda at: np.array([(f(at + 1e-5 * u) - f(at - 1e-5 * u)) / 2e-5 for u in np.eye(32)])


WRONG_WRAPPERS = {
    "never puts theta into": never_put,
    "depends on where f was called last": from_parts(grad=stale),
    "in another order": restoring(names=lambda grads, net: grads),
    "The network is not left as it was": left_moved,
    "are the biases in?": from_parts(
        theta=lambda net, x, y, f, grad, theta: joined(net.params, ["W2", "W1"])
    ),
    "is one left out, or in twice": from_parts(theta=lambda *parts: np.append(parts[-1], 0.5)),
    "grad returns a dict": from_parts(
        grad=lambda net, x, y, *right: lambda at: (net.loss(x, y), net.backward())[1]
    ),
    "grad is array": from_parts(grad=lambda net, x, y, f, grad, theta: grad(theta)),
    "f is 0.": from_parts(f=lambda net, x, y, f, grad, theta: f(theta)),
    "f returns a tuple": from_parts(f=lambda net, x, y, f, grad, theta: lambda at: (f(at), grad)),
    "f returns an array": from_parts(f=lambda net, x, y, f, *more: lambda at: np.array([f(at)])),
    "a vector of floats is asked": from_parts(theta=lambda net, *more: net.params),
    "Do the numbers of theta come back": from_parts(
        theta=lambda net, *more: joined(net.params, net.params, "F")
    ),
    "has shape (32, 1), and theta (32,)": from_parts(
        grad=lambda net, x, y, f, grad, theta: lambda at: grad(at)[:, None]
    ),
    "does grad come from backward()?": from_parts(grad=by_differences),
    "b1 comes back with shape (5,); it had (1, 5)": shape_lost,
    "is grad(theta) what backward() gives": from_parts(
        grad=lambda net, x, y, f, grad, theta: lambda at: 2 * grad(at)
    ),
    "three things are asked": lambda net, x, y: restoring()(net, x, y)[:2],
    "Hand over the function itself": np.zeros(3),
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [("my_check", one) for one in RIGHT_CHECKERS.values()]
    + [("as_function", one) for one in RIGHT_WRAPPERS.values()],
    ids=[*RIGHT_CHECKERS, *RIGHT_WRAPPERS],
)
def test_any_right_answer_is_right(name, answer, store):
    note = Exercise(TASKS[name], store).check(answer)
    assert note.text.startswith(TASKS[name].praise)


@pytest.mark.parametrize(
    ("name", "words", "answer"),
    [("my_check", *pair) for pair in WRONG_CHECKERS.items()]
    + [("as_function", *pair) for pair in WRONG_WRAPPERS.items()],
)
def test_a_mistake_gets_a_message_about_that_mistake(name, words, answer, store):
    note = Exercise(TASKS[name], store).check(answer)
    assert note.mark == "✗"
    assert words in note.text, note.text
    assert store.solved() == set()


@pytest.mark.parametrize("name", ["my_check", "as_function"])
@pytest.mark.parametrize("value", [..., None])
def test_a_function_with_an_untouched_body_is_a_stub(name, value, store):
    assert Exercise(TASKS[name], store).check(lambda *arguments: value).mark == "○"


# --- predictions ---------------------------------------------------------------------------------


def test_the_returned_loss_is_where_float32_hurts():
    x = np.array([[1.0, 2.0], [0.5, -1.0], [0.3, 0.7]])
    theta = np.array([0.5, -0.3, 0.8, 0.2])

    def loss(theta, x=x):
        return np.sum(np.tanh(x @ theta.reshape(2, 2)) ** 2)

    def backward(x=x):
        o1 = np.tanh(x @ theta.reshape(2, 2))
        return (x.T @ (2 * o1 * (1 - o1**2))).ravel()

    def ratio(f, a):
        units = 1e-5 * np.eye(4)
        n = [(float(f(theta + u)) - float(f(theta - u))) / 2e-5 for u in units]
        return gl.norm_ratio(np.asarray(a, float), np.array(n))

    x32 = x.astype(np.float32)
    spoilt = {
        "the data x": ratio(lambda theta: loss(theta, x32), backward(x32)),
        "the gradient a": ratio(loss, backward().astype(np.float32)),
        "the loss that is returned": ratio(lambda theta: np.float32(loss(theta)), backward()),
    }
    assert (x32 @ theta.reshape(2, 2)).dtype == np.float64
    assert max(spoilt, key=spoilt.get) == QUESTIONS["float32_in_one_place"].right
    assert spoilt["the loss that is returned"] > 1e4 * max(
        spoilt["the data x"], spoilt["the gradient a"]
    )
    assert 1e-9 < spoilt["the gradient a"] < 1e-7  # "some 1e-8"


def test_a_column_minus_a_vector_is_a_table():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 2))
    y = np.sin(2 * x[:, 0]) + x[:, 1]

    def f(theta):
        return np.mean((x @ theta[:2, None] + theta[2] - y) ** 2)

    def grad(theta):
        table = x @ theta[:2, None] + theta[2] - y
        dout = 2 / table.size * table.sum(axis=1)
        return np.append(x.T @ dout, dout.sum())

    theta = np.array([0.3, -0.2, 0.1])
    assert (x @ theta[:2, None] - y).shape == (50, 50)
    assert gl.check_function(f, grad, theta).verdict == "correct"
    for _ in range(2000):
        theta = theta - 0.1 * grad(theta)
    assert np.allclose(x @ theta[:2] + theta[2], y.mean(), atol=1e-3)
    assert QUESTIONS["column_minus_vector"].right.endswith("learns nothing")
