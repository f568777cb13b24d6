"""Lesson 13's exercises take any right answer, and say something true of each wrong one."""

import copy

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import QUESTIONS, TASKS
from gradlab.course.tasks.check_your_own_code import Dense, OwnNet, as_function

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


def at_its_own_place(net, x, y, f, grad, theta):
    """Never put theta in: right at the network's own parameters, and nowhere else."""

    def gradient(at):
        net.loss(x, y)
        return joined(net.backward(), net.params)

    return gradient


def some_put(net, x, y):
    """Put only the weights in."""
    net, own = copy.deepcopy(net), joined(net.params, net.params)

    def f(theta):
        put(net, theta)
        for name in ("b1", "b2"):
            net.params[name][...] = OwnNet.params.fget(untouched)[name]
        return net.loss(x, y)

    untouched = copy.deepcopy(net)
    return f, lambda theta: theta, own


def forgets(net, x, y):
    np.concatenate([w.ravel() for w in net.params.values()])


def overwrites(net, x, y, f, grad, theta):
    def changed(at):
        value = f(at)
        at += 1e-5
        return value

    return changed


def counts(net, x, y, f, grad, theta):
    calls = []
    return lambda at: (calls.append(1), len(calls) * grad(at))[1]


WRONG_WRAPPERS = {
    "f gives the same everywhere: it never puts theta into": never_put,
    "grad gives the same everywhere: it never puts": from_parts(grad=at_its_own_place),
    "7 of 32 entries of theta do not move f": some_put,
    "returns nothing: return f, grad, theta": forgets,
    "f returns nothing": from_parts(f=lambda *parts: lambda at: None),
    "grad returns nothing": from_parts(grad=lambda *parts: lambda at: None),
    "f changes the theta that it is given": from_parts(f=overwrites),
    "when it is called a second time": from_parts(grad=counts),
    "theta is float32": from_parts(theta=lambda *parts: parts[-1].astype(np.float32)),
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


# --- mend_dense ----------------------------------------------------------------------------------


class Given:
    """As the lesson shows it."""

    def __init__(self, x, W):
        self.x, self.W, self.dW = x, W, np.zeros_like(W)

    def loss(self):
        self.y = np.tanh(self.x @ self.W)
        return (self.y**2).sum()

    def grad(self):
        self.dW += self.product()
        return self.dW

    def product(self):
        return self.x.T @ (2 * self.y * (1 - self.y**2))


def fresh(net):
    y = np.tanh(net.x @ net.W)
    return net.x.T @ (2 * y * (1 - y**2))


class ZeroedFirst(Given):
    def grad(self):
        self.loss()
        self.dW[...] = 0
        return super().grad()


class Recomputes(Given):
    def grad(self):
        self.dW = fresh(self)
        return self.dW.copy()


class ZeroedInItsLoss(Given):
    """Zeroing in loss() is right where grad() calls it."""

    def loss(self):
        self.dW = np.zeros_like(self.W)
        return super().loss()

    def grad(self):
        self.loss()
        return super().grad()


class NothingKept:
    def __init__(self, x, W):
        self.x, self.W = x.copy(), W.copy()

    def loss(self):
        return float(np.einsum("ij,ij->", *[np.tanh(np.dot(self.x, self.W))] * 2))

    def grad(self):
        z = self.x @ self.W
        return (2 * np.tanh(z) / np.cosh(z) ** 2).T.dot(self.x).T.tolist()


class ByRows:
    def __init__(self, x, W):
        self.rows, self.W = list(x), W

    def loss(self):
        return sum(np.sum(np.tanh(row @ self.W) ** 2) for row in self.rows)

    def grad(self):
        total = 0
        for row in self.rows:
            y = np.tanh(row @ self.W)
            total = total + np.outer(row, 2 * y * (1 - y * y))
        return total


class Remembers(Given):
    """Compute anew only where W has moved."""

    at = None

    def grad(self):
        if self.at is None or not np.array_equal(self.at, self.W):
            self.at, self.kept = self.W.copy(), fresh(self)
        return self.kept


def maker(x, W):
    return Recomputes(x, W)


RIGHT_LAYERS = {
    "the solution": Dense,
    "zeroed first": ZeroedFirst,
    "recomputes": Recomputes,
    "zeroed in the loss that grad calls": ZeroedInItsLoss,
    "nothing kept, lists": NothingKept,
    "row by row": ByRows,
    "remembers with care": Remembers,
    "a function": maker,
}


def given_but(**methods):
    """Return the mended class with other methods."""
    return type("Changed", (Recomputes,), methods)


class Stale(Given):
    def grad(self):
        self.dW = self.product()
        return self.dW


class AddsUp(Given):
    def grad(self):
        self.loss()
        return super().grad()


class CopyOfTheSum(AddsUp):
    def grad(self):
        return super().grad().copy()


class ZeroedInLoss(Given):
    """Loss resets; grad computes y anew, and adds."""

    def loss(self):
        self.dW = np.zeros_like(self.W)
        return super().loss()

    def grad(self):
        self.dW += fresh(self)
        return self.dW


class NeedsALoss(Given):
    def grad(self):
        if self.dW is not None and np.isfinite(self.y).all():
            self.dW = fresh(self)
        return self.dW


class OwnWeights(Recomputes):
    def loss(self):
        if not hasattr(self, "own"):
            self.own = self.W.copy()
        return (np.tanh(self.x @ self.own) ** 2).sum()


class Once(Given):
    """Compute the gradient once, and hand out nothing else."""

    def grad(self):
        if not hasattr(self, "kept"):
            self.kept = fresh(self)
        return self.kept


class Averages(Given):
    calls = 0

    def grad(self):
        self.calls += 1
        return fresh(self) / self.calls


class EveryOther(Given):
    flip = False

    def grad(self):
        self.flip = not self.flip
        return fresh(self) if self.flip else fresh(self)[::-1]


class LeavesItMoved(Recomputes):
    def grad(self):
        self.W += 1e-5
        return super().grad()


class ByDifferences(Recomputes):
    def grad(self):
        n, saved = np.zeros(self.W.shape), self.W.copy()
        for i in range(n.size):
            self.W.flat[i] = saved.flat[i] + 1e-5
            right = self.loss()
            self.W.flat[i] = saved.flat[i] - 1e-5
            n.flat[i] = (right - self.loss()) / 2e-5
            self.W.flat[i] = saved.flat[i]
        return n


class CentersItsInput(Recomputes):
    def grad(self):
        found = fresh(self)
        self.x -= self.x.mean(axis=0)
        return found


class Drifts(Recomputes):
    calls = 0

    def loss(self):
        self.calls += 1
        return super().loss() * self.calls


WRONG_LAYERS = {
    "Nothing is mended yet. The second grad() is twice": Given,
    "grad() is that of the old W": Stale,
    "twice what it must be: the first is still in it": AddsUp,
    "the first is still in it": CopyOfTheSum,
    "not in loss()": ZeroedInLoss,
    "without a loss() before it, ends in AttributeError": NeedsALoss,
    "loss() is not that of these": OwnWeights,
    "still has something of the call before": Once,
    "with a loss() between the two, is 0.5 times": Averages,
    "another direction than the first": EveryOther,
    "W comes back changed": LeavesItMoved,
    "x comes back changed": CentersItsInput,
    "differences and float32 do not": ByDifferences,
    "of its size only": given_but(grad=lambda net: fresh(net).astype(np.float32)),
    "is 0.5 times what it must be. There": given_but(grad=lambda net: fresh(net) / 2),
    "is -1 times what it must be. There": given_but(grad=lambda net: -fresh(net)),
    "The first grad() after a loss() is wrong": given_but(grad=lambda net: fresh(net) ** 2),
    "loss() returns nothing": given_but(loss=lambda net: None),
    "loss() returns an array": given_but(loss=lambda net: np.tanh(net.x @ net.W) ** 2),
    "Nothing was wrong with that": given_but(loss=lambda net: np.mean(np.tanh(net.x @ net.W))),
    "called a second time": Drifts,
    "grad() returns nothing": given_but(grad=lambda net: None),
    "grad() has shape": given_but(grad=lambda net: fresh(net).ravel()),
    "has no grad: an object": type("Half", (), {"__init__": Given.__init__, "loss": Given.loss}),
    "Hand over the class itself": Dense(np.ones((2, 2)), np.ones((2, 2))),
    "ZeroDivisionError": lambda x, W: 1 / 0,
}


# --- both ----------------------------------------------------------------------------------------


def cases(**answers):
    return [(name, key, one) for name, many in answers.items() for key, one in many.items()]


@pytest.mark.parametrize(
    ("name", "what", "answer"), cases(as_function=RIGHT_WRAPPERS, mend_dense=RIGHT_LAYERS)
)
def test_any_right_answer_is_right(name, what, answer, store):
    note = Exercise(TASKS[name], store).check(answer)
    assert note.solved, (what, note.text)


def refused(name, words, answer, store):
    note = Exercise(TASKS[name], store).check(answer)
    assert note.mark == "✗"
    assert words in note.text, note.text
    assert store.solved() == set()


@pytest.mark.parametrize("words", WRONG_WRAPPERS)
def test_a_mistake_in_wrapping_gets_its_own_message(words, store):
    refused("as_function", words, WRONG_WRAPPERS[words], store)


@pytest.mark.parametrize("words", WRONG_LAYERS)
def test_a_mistake_in_mending_gets_its_own_message(words, store):
    refused("mend_dense", words, WRONG_LAYERS[words], store)


@pytest.mark.parametrize("name", ["as_function", "mend_dense"])
@pytest.mark.parametrize("value", [...])
def test_a_function_with_an_untouched_body_is_a_stub(name, value, store):
    assert Exercise(TASKS[name], store).check(lambda *arguments: value).mark == "○"


def test_of_the_class_that_was_given_the_messages_are_true():
    x, W = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[0.5, -0.3], [0.8, 0.2]])
    net = Given(x, W)
    net.loss()
    first = net.grad().copy()
    assert np.allclose(first, fresh(net))  # "there the class that was given is right"
    assert np.allclose(net.grad(), 2 * first)
    net = Given(x, W.copy())
    net.loss()
    net.W += 0.3
    assert np.allclose(net.grad(), first)  # that of the old W


# --- predictions ---------------------------------------------------------------------------------


def slopes(loss, w, h=1e-5):
    """Return the differences of a loss that reads `w`, which is moved and put back."""
    n = np.zeros(w.size)
    for i in range(w.size):
        saved = w.flat[i]
        w.flat[i] = saved + h
        right = loss()
        w.flat[i] = saved - h
        n[i] = (right - loss()) / (2 * h)
        w.flat[i] = saved
    return n


@pytest.mark.parametrize("seed", range(3))
def test_a_moving_mean(seed):
    question, rng = QUESTIONS["a_moving_mean"], np.random.default_rng(seed)
    x, W = np.array([[1, 2], [0.5, -1], [0.3, 0.7]]), np.array([[0.5, -0.3], [0.8, 0.2]])
    target, settled = rng.normal(size=(3, 2)), np.tanh(x @ W).mean(axis=0)
    mean = rng.normal(size=2)

    def loss(share=0.1):
        out = np.tanh(x @ W)
        mean[:] += share * (out.mean(axis=0) - mean)
        return np.sum((out - mean - target) ** 2)

    for _ in range(1000):
        loss()
    assert np.allclose(mean, settled, rtol=1e-12)  # "until the mean has settled"
    y, moving, fixed = np.tanh(x @ W), [], []
    for h in (1e-3, 1e-4, 1e-5, 1e-6):
        for share, found in ((0.1, moving), (0, fixed)):
            mean[:] = settled
            a = x.T @ (2 * (y - mean - target) * (1 - y**2))
            n = slopes(lambda share=share: loss(share), W, h)
            found.append(float(gl.norm_ratio(a.ravel(), n)))
    assert np.allclose(moving, moving[-1], rtol=0.03), question.choices["about 4e-3"]
    assert fixed[1] == pytest.approx(fixed[0] / 100, rel=0.1)
    assert max(fixed[2:]) < 1e-9
    if not seed:  # the lesson's
        assert [f"{one:.0e}" for one in moving] == ["4e-03"] * 4
        assert question.right == "about 4e-3"
        assert "the norm ratio is 4e-3 at h = 1e-5" in question.question


@pytest.mark.parametrize("seed", range(5))
def test_all_in_float32(seed):
    question, (x, y) = QUESTIONS["all_in_float32"], gl.data.moons(30, seed=0)
    net = gl.mlp([2, 16, 2], weight_scale=0.5, seed=seed)
    a, single = net.unroll(net.gradient(x, y)), np.float32

    def ratio(kind, mean):
        w = net.theta.astype(kind)

        def loss():
            p = {name: part.astype(kind) for name, part in net.roll(w).items()}
            z = np.tanh(x.astype(kind) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
            return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(30), y]).mean(dtype=mean)

        return float(gl.norm_ratio(a, slopes(loss, w)))

    loss = net.loss_function(x, y)
    once = gl.norm_ratio(a, gl.central_difference(lambda t: single(loss(t)), net.theta, eps=1e-5))
    everything = ratio(single, single)
    assert ratio(float, float) < 1e-9
    assert once < 3e-2
    assert 7e-3 < everything < 5e-2  # of the choices nearest to 2e-2
    assert question.right == "about 2e-2"
    assert 0.5 < ratio(float, single) / everything < 2, question.choices["about 2e-2"]
    assert ratio(single, float) < everything / 1.5  # most of it comes from the mean
    assert 30 * 16 == 480  # one tanh a hidden unit and example


def test_squares_of_a_batch_norm_add_up_to_a_constant():
    gamma, rng = np.array([0.7, 1.3, 0.9]), np.random.default_rng(0)

    def out(x):
        return gamma * (x - x.mean(axis=0)) / x.std(axis=0)

    def back(x, d, variance=True):
        hat, s = out(x) / gamma, d * gamma
        return (s - s.mean(axis=0) - variance * hat * (s * hat).mean(axis=0)) / x.std(axis=0)

    for N in (2, 8, 50):
        x = rng.normal(1, 2, (N, 3))
        assert np.allclose((out(x) ** 2).sum(axis=0), N * gamma**2)
        assert np.allclose(out(x).sum(axis=0), 0)
        n = gl.central_difference(lambda t: (out(t.reshape(-1, 3)) ** 2).sum() / 2, x.ravel())
        assert round(float(gl.norm_ratio(back(x, out(x)).ravel(), n)), 1) == 1.0
    assert np.abs(back(x, out(x), variance=False)).max() > 0.1
    assert np.abs(back(x, np.ones(x.shape), variance=False)).max() < 1e-12


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
