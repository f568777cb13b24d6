"""What lesson 13 says in prose, held to what numpy and the product do."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks.check_your_own_code import _NETS
from gradlab.lab import LabState
from tests.lessons.prose import book, says

LESSON = "13_check_your_own_code"


def slopes(loss, w, eps=1e-5, last=True):
    """Return the differences as the lesson takes them; `last` says that it ends in a loss()."""
    n = np.zeros(w.size)
    for i in range(w.size):
        saved = w.flat[i]
        w.flat[i] = saved + eps
        right = loss()
        w.flat[i] = saved - eps
        n[i] = (right - loss()) / (2 * eps)
        w.flat[i] = saved
    if last:
        loss()
    return n


class Dense:
    def __init__(self):
        self.x = np.array([[1.0, 2.0], [0.5, -1.0], [0.3, 0.7]])
        self.W, self.dW = np.array([[0.5, -0.3], [0.8, 0.2]]), np.zeros((2, 2))

    def loss(self):
        self.y = np.tanh(self.x @ self.W)
        return (self.y**2).sum()

    def grad(self):
        self.dW += self.x.T @ (2 * self.y * (1 - self.y**2))
        return self.dW

    def f(self, theta):
        self.W[:] = theta.reshape(2, 2)
        return self.loss()


class Assigns(Dense):
    def grad(self):
        return self.x.T @ (2 * self.y * (1 - self.y**2))


def test_the_code_here_is_the_lessons():
    sources = "\n".join(cell.source for cell in book(LESSON).cells if cell.cell_type == "code")
    for line in (
        "right = loss()", "n[i] = (right - loss()) / (2 * eps)", "w.flat[i] = saved - eps",
        "self.dW += self.x.T @ (2 * self.y * (1 - self.y**2))", "return (self.y**2).sum()",
        "np.array([[1.0, 2.0], [0.5, -1.0], [0.3, 0.7]]), np.array([[0.5, -0.3], [0.8, 0.2]])",
        "terms = mean * d.mean(axis=0) + var * out() * (d * out()).mean(axis=0)",
        "return E[idx] @ E.T, (E, idx)", "dE = dout.T @ E[idx]", "dE[idx] += dout @ E",
    ):  # fmt: skip
        assert line in sources


# -- integers and copies ---------------------------------------------------------------------------


def test_integers():
    says(LESSON, "They are 2, 4, 6. It prints **50000, 150000, 250000**, without an error or a")
    theta = np.array([1, 2, 3])
    assert np.allclose(slopes(lambda: (theta**2).sum(), theta), [50000, 150000, 250000])
    real = theta.astype(float)
    assert np.allclose(slopes(lambda: (real**2).sum(), real), [2, 4, 6])
    says(
        LESSON, "stores 1 for 1.00001, and `saved - eps` stores 0 for 0.99999: numpy cuts toward 0"
    )
    theta.flat[0] = 1 + 1e-5
    theta.flat[1] = 1 - 1e-5
    theta.flat[2] = -1 + 1e-5
    assert list(theta) == [1, 0, 0]
    says(LESSON, "the first slope is (1 − 0)/(2h) = 50,000. At [−1, 2, 0] the loop finds −50,000,")
    says(LESSON, "150,000 and 0.")
    theta = np.array([-1, 2, 0])
    assert np.allclose(slopes(lambda: (theta**2).sum(), theta), [-50000, 150000, 0])
    says(LESSON, "`theta += eps * e`, on the whole array, would have raised an error")
    with pytest.raises(TypeError):
        theta += 1e-5 * np.eye(3)[0]


def test_which_spelling_moves_the_weight():
    spellings = (np.ravel, lambda W: W.reshape(-1), lambda W: W.flatten(), lambda W: W.flat)
    says(LESSON, "| is an array of its own | moves | moves | no | moves |")
    says(
        LESSON,
        "| is a view with gaps or in another order, `A[:, :2]` or `A.T` | no | no | no | moves |",
    )
    for stated, make in (
        ("moves moves no moves", lambda: np.zeros((3, 3))),
        ("no no no moves", lambda: np.zeros((3, 3)).T),
        ("no no no moves", lambda: np.zeros((3, 3))[:, :2]),
    ):
        moved = []
        for spelling in spellings:
            W = make()
            spelling(W)[1] += 1
            moved.append("moves" if W.any() else "no")
        assert " ".join(moved) == stated
    says(LESSON, "Where nothing moves, all differences are 0.")
    W = np.ones((2, 2))
    assert (W**2).sum() - (W**2).sum() == 0


# -- the puzzle ------------------------------------------------------------------------------------


def test_the_puzzle_and_its_solution():
    says(LESSON, "is **0.00, 0.33, 0.50, 0.60**")
    says(LESSON, "the norm ratio is (k − 1)/(k + 1): 0, 1/3, 1/2, 3/5")
    net, right = Dense(), Assigns()
    right.loss()
    for k, stated in enumerate(("0.00", "0.33", "0.50", "0.60"), start=1):
        n, a = slopes(net.loss, net.W), net.grad().ravel()
        assert np.allclose(a, k * right.grad().ravel())
        assert f"{gl.norm_ratio(a, n):.2f}" == f"{(k - 1) / (k + 1):.2f}" == stated
    says(LESSON, "The norm ratio, 0 where both gradients agree and 1 where one of them is 0")
    assert gl.norm_ratio(a, a) == 0
    assert gl.norm_ratio(a, 0 * a) == 1


def test_the_checker_asks_twice_and_judges_the_second():
    says(LESSON, "`gl.check_function` calls grad twice in a row and judges the second answer.")
    answers = []

    def grad(theta):
        answers.append(theta)
        return 2 * theta if len(answers) == 1 else 4 * theta

    report = gl.check_function(lambda t: (t**2).sum(), grad, np.array([1.0, 2.0]))
    assert report.verdict == "wrong"
    assert np.allclose(report["theta"].analytic, [4.0, 8.0])


def test_what_the_checker_takes_off_your_hands():
    says(LESSON, "f and grad get a copy of θ at every call")
    theta = np.array([1.0, 2.0])

    def spoils(t, factor):
        value = factor * t
        t[:] = 0
        return value

    f = lambda t: float((spoils(t, 1) ** 2).sum())  # noqa: E731
    assert gl.check_function(f, lambda t: spoils(t, 2), theta).verdict == "correct"
    assert list(theta) == [1.0, 2.0]
    says(LESSON, 'Integers are refused: "theta must be float64 or float32, got dtype int64".')
    with pytest.raises(TypeError, match="theta must be float64 or float32, got dtype int64"):
        gl.check_function(f, lambda t: 2 * t, np.array([1, 2], dtype=np.int64))
    report = gl.check_function(lambda t: (t**2).sum(), lambda t: 2 * t, theta)
    assert report.verdict == "correct"  # the test for pytest


class Remembers:
    """A loss with a running mean, settled at `theta`."""

    theta = np.array([0.3, -0.2, 0.5, 0.1])

    def __init__(self):
        self.x, self.mean = np.random.default_rng(0).standard_normal((50, 2)), np.zeros(2)
        for _ in range(1000):
            self.loss(self.theta)

    def loss(self, theta):
        z = self.x @ theta.reshape(2, 2)
        self.mean = 0.9 * self.mean + 0.1 * z.mean(axis=0)
        return (np.tanh(z - self.mean) ** 2).mean()


def test_a_loss_that_remembers():
    says(LESSON, "settles at 0.137717. After one call at another θ it gives 0.137728 at the first")
    net = Remembers()
    first, second = net.loss(net.theta), net.loss(net.theta)
    assert first == second
    assert f"{second:.6f}" == "0.137717"
    net.loss(net.theta + 0.1)
    assert f"{net.loss(net.theta):.6f}" == "0.137728"
    says(LESSON, "it calls f at θ, elsewhere, and at θ again")
    says(LESSON, "*inconclusive*, as no difference is a slope there")
    for gradient in (np.zeros(4), np.ones(4)):
        net = Remembers()
        report = gl.check_function(net.loss, lambda t, g=gradient: g, net.theta)
        assert report.verdict == "inconclusive"
        assert "a difference of two is not a slope" in report.why


def test_a_stale_cache_errs_like_h():
    says(LESSON, "| norm ratio, with the stale y | 3e-3 | 3e-4 | 3e-5 | 3e-6 |")
    says(LESSON, "| with the right one | 8e-7 | 8e-9 | below 1e-9 | below 1e-9 |")
    stale, right = [], []
    for h in (1e-3, 1e-4, 1e-5, 1e-6):
        for last, found in ((False, stale), (True, right)):
            net = Dense()
            n = slopes(net.loss, net.W, h, last)
            found.append(float(gl.norm_ratio(net.grad().ravel(), n)))
    assert [f"{e:.0e}" for e in stale] == ["3e-03", "3e-04", "3e-05", "3e-06"]
    assert [f"{e:.0e}" for e in right[:2]] == ["8e-07", "8e-09"]
    assert max(right[2:]) < 1e-9
    says(LESSON, "Ten times less for a tenth of the step is neither.")
    says(LESSON, "gives 2e-6 at h = 1e-5, and 2e-7 at 1e-6")
    assert np.allclose(np.divide(stale[:-1], stale[1:]), 10, rtol=1e-2)


def test_what_the_checker_says_of_a_stale_cache():
    says(LESSON, "it says *correct*; but it remarks that grad")
    says(LESSON, '"uses what the last call of f left behind": right only because')
    net = Assigns()
    report = gl.check_function(net.f, lambda t: net.grad().ravel(), net.W.ravel().copy())
    assert report.verdict == "correct"
    assert "uses what the last call of f left behind" in " ".join(report.remarks)
    net = Assigns()
    fills = lambda t: (net.f(t), net.grad().ravel())[1]  # noqa: E731
    assert gl.check_function(net.f, fills, net.W.ravel().copy()).remarks == ()


def test_a_moving_mean():
    """The numbers are held in tests/course/test_check_your_own_code.py, for several seeds."""
    says(LESSON, "a tenth of the way to the mean of the batch")
    says(LESSON, "With h = 1e-5 the norm ratio is 4e-3.")
    says(LESSON, "With a fixed mean the error falls like h² again.")
    cell = next(c for c in book(LESSON).cells if "# here it settles" in c.source)
    lines = cell.outputs[0].text.splitlines()
    assert [line.split()[-1] for line in lines] == ["4e-03"] * 4


# -- float32 ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mlp():
    """Return the network's loss, theta, gradient and tensors."""
    x, y = gl.data.moons(30, seed=0)
    net = gl.mlp([2, 16, 2], weight_scale=0.5, seed=0)
    return net.loss_function(x, y), net.theta, net.unroll(net.gradient(x, y)), net.tensors


def test_digits(mlp):
    loss, theta, a, _ = mlp
    says(LESSON, "with right backpropagation and h = 1e-5. Its norm ratio is below 1e-9 (for all")
    assert gl.norm_ratio(a, gl.central_difference(loss, theta, eps=1e-5)) < 1e-9
    says(LESSON, "A rounded *a* costs what a rounding costs, 1e-8.")
    assert 3e-9 < gl.norm_ratio(a, a.astype(np.float32)) < 3e-8
    says(LESSON, "float32 times float64 is float64")
    assert (np.ones(2, np.float32) * np.ones(2)).dtype == np.float64
    says(
        LESSON, "A float32 loss between 0.5 and 1 has a spacing of 6e-8, so each of the two is off"
    )
    says(
        LESSON, "by up to 3e-8 and their difference by 6e-8; divided by 2h = 2e-5 that makes up to"
    )
    says(LESSON, "that makes up to 3e-3 in a slope, and")
    says(LESSON, "in a slope, and the slopes are about 0.05")
    assert 0.5 < loss(theta) < 1
    assert f"{np.spacing(np.float32(loss(theta))):.0e}" == "6e-08"
    assert f"{2 * 2.98e-8 / 2e-5:.0e}" == "3e-03"
    n, off = (
        gl.central_difference(f, theta, eps=1e-5)
        for f in (loss, lambda t: float(np.float32(loss(t))))
    )
    assert 1e-3 < np.abs(n - off).max() < 3.1e-3
    assert np.sqrt(np.mean(a**2)) == pytest.approx(0.05, rel=0.1)


def test_a_step_is_rounded_to_gaps(mlp):
    says(LESSON, "θ alone costs 4e-4: at 0.5 the gap is 6e-8, and the step is rounded to gaps.")
    assert f"{np.spacing(np.float32(0.5)):.0e}" == "6e-08"
    loss, theta, a, tensors = mlp
    stored = theta.astype(np.float32)
    n = slopes(lambda: loss(stored.astype(float)), stored)
    assert gl.norm_ratio(a, n) == pytest.approx(4e-4, rel=0.3)
    report = gl.check_function(
        lambda t: loss(t.astype(float)), lambda t: a, theta.astype(np.float32), tensors=tensors
    )
    assert report.verdict == "correct"


def test_roundings_in_float32():
    """The numbers are held in tests/course/test_check_your_own_code.py, for several seeds."""
    says(LESSON, "has cost a norm ratio of about 1e-2. Now nothing is float64")
    says(LESSON, "alone it costs about as much as everything")
    cell = next(c for c in book(LESSON).cells if "def examples" in c.source)
    lines = cell.outputs[0].text.splitlines()
    assert [line.split()[-1] for line in lines] == ["2e-02", "2e-02"]


@pytest.fixture(scope="module")
def labs(mlp):
    loss, theta, a, tensors = mlp
    single = lambda t: np.float32(loss(t))  # noqa: E731
    return [
        LabState(f, lambda t: a, at, tensors=tensors)
        for f, at in ((single, theta.astype(np.float32)), (loss, theta))
    ]


def ratios(state):
    return np.array([t.norm_ratio for t in state.result.report.tensors.values()])


def verdicts(state):
    return {str(t.verdict) for t in state.result.report.tensors.values()}


def test_what_you_should_see(labs):
    says(
        LESSON,
        "*inconclusive* for every tensor at 1e-5, *correct* at 1e-2. The norm ratios are 4e-5 and",
    )
    says(LESSON, "the print knows no bounds but 1e-7, 1e-5 and 1e-3")
    state = labs[0]
    state.eps = 1e-5
    assert verdicts(state) == {"inconclusive"}
    state.eps = 1e-2
    assert verdicts(state) == {"correct"}
    assert ratios(state).max() < 1e-4


def test_try_1(labs):
    says(LESSON, "1. Drag **step eps** from 1e-6 up to 1e-1.")
    says(LESSON, "*Correct* at 1e-3 and at 1e-2; at 1e-4 and below an error of several percent")
    says(LESSON, "and at 1e-1 the step itself is too long")
    state = labs[0]
    for eps in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1):
        state.eps = eps
        assert (state.result.report.verdict == "correct") == (eps in (1e-3, 1e-2))
        if eps <= 1e-4:
            assert state.result.report.resolution > 0.03
    loss_error = ratios(state).max()
    state.eps = 1e-2
    assert loss_error > 30 * ratios(state).max()  # truncation, like h squared
    says(
        LESSON,
        "The bottom is between 1e-3 and 1e-1, hundreds of times the step that float64 wants.",
    )
    assert 1e-3 < bottom(labs[0]) < 1e-1
    assert bottom(labs[0]) > 100 * bottom(labs[1])


def bottom(state):
    state.refine()
    sweep = state.result.sweep
    worst = np.max([sweep.errors[name] for name in sweep.errors], axis=0)
    return sweep.eps[np.nanargmin(worst)]


def test_try_2(labs):
    says(LESSON, "2. Below 1e-4 in each tensor, where the largest error of `W1`, `b1` and `W2` was")
    state = labs[0]
    state.update(eps=1e-2, measure="max_relative")
    report = state.result.report
    assert min(report[name].error for name in ("W1", "b1", "W2")) > 1e-4
    for name in ("W1", "b1", "W2"):  # "those of small entries"
        tensor = report[name]
        a = np.abs(tensor.analytic.ravel())
        assert a[np.argmax(tensor.errors)] < np.median(a)
    state.measure = "norm_ratio"
    assert max(t.error for t in state.result.report.tensors.values()) < 1e-4
    state.measure = "max_relative"


def test_try_3(labs):
    says(LESSON, "3. Between 1e-6 and 1e-4, and at 1e-5 the norm ratios are below 1e-9.")
    state = labs[1]
    assert 1e-6 < bottom(state) < 1e-4
    state.eps = 1e-5
    assert ratios(state).max() < 1e-9
    says(LESSON, "take a longer step and expect 1e-4, not 1e-9")


def test_the_legend_names_the_labs_controls_and_has_the_ranges():
    from gradlab.lab.model.function import SAMPLES
    from gradlab.lab.model.settings import LABELS, RANGES

    lab = next(c.source for c in book(LESSON).cells if c.source.count("controls=("))
    legend = next(c.source for c in book(LESSON).cells if "| control |" in c.source)
    rows = [line.split("|")[1].strip(" *") for line in legend.splitlines() if line[:1] == "|"][2:]
    named = [name for name in LABELS if f'"{name}"' in lab.split("controls=")[1].split(")")[0]]
    assert sorted(rows) == sorted(LABELS[name] for name in named)
    says(LESSON, "| **step eps** | units of the parameters, 1e-13 … 1e-1, logarithmic |")
    assert RANGES["eps"] == (1e-13, 1e-1)
    says(LESSON, "up to 20 entries of each tensor, or 20 random directions")
    assert SAMPLES == 20


# -- a layer by itself -----------------------------------------------------------------------------


def batch_norm(t, gamma=1.0, small=0.0):
    x = t.reshape(8, 3)
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + small)


def back(t, d, term=1, small=0.0):
    x, out = t.reshape(8, 3), batch_norm(t, small=small)
    s = d - d.mean(axis=0) - term * out * (d * out).mean(axis=0)
    return (s / np.sqrt(x.var(axis=0) + small)).ravel()


@pytest.fixture(scope="module")
def layer():
    rng = np.random.default_rng(0)
    return rng.normal(1, 2, (8, 3)).ravel(), rng.normal(size=(8, 3))


def test_sums_of_a_batch_norm_are_constants(layer):
    x, _ = layer
    says(LESSON, "Each column of the output has mean 0, so the sum is 0 whatever `x` is")
    says(LESSON, "Each column of the output has variance 1, so its squares add up to N whatever")
    for t in (x, x**2, np.cos(x)):
        assert np.allclose(batch_norm(t).mean(axis=0), 0)
        assert np.allclose((batch_norm(t, 0.7) ** 2).sum(axis=0), 8 * 0.7**2)


def test_three_losses_of_a_layer(layer):
    x, R = layer
    says(LESSON, "somebody reported an error of 1.0 for a layer that was right")  # torch/nn 744
    losses = {
        "sum": (np.sum, np.ones((8, 3))),
        "squares": (lambda out: (out**2).sum() / 2, batch_norm(x)),
        "R": (lambda out: (out * R).sum(), R),
    }
    says(LESSON, "right code is compared with round-off and gets 1.00, and nothing can pass")
    says(LESSON, "Right code gets 0.00, the bug 0.07.")
    says(
        LESSON, "With the sum `gl.check_function` calls both *inconclusive*; with the squares right"
    )
    says(
        LESSON, "the bug *wrong* (its entries are about 1, and the slopes 0); with R *correct* and"
    )
    assert 0.5 < np.abs(back(x, batch_norm(x), 0)).max() < 2.5
    found, said = {}, {}
    for term in (1, 0):
        for name, (loss, d) in losses.items():
            f = lambda t, loss=loss: loss(batch_norm(t))  # noqa: E731
            a, n = back(x, d, term), gl.central_difference(f, x, eps=1e-5)
            found[name, term] = f"{gl.norm_ratio(a, n):.2f}", bool(np.allclose(a, n))
            # d follows the output where the loss is the squares
            g = lambda t, d=d, term=term, name=name: back(  # noqa: E731
                t, batch_norm(t) if name == "squares" else d, term
            )
            said[name, term] = str(gl.check_function(f, g, x).verdict)
    assert [found[key][0] for key in found] == ["1.00", "1.00", "0.00", "1.00", "1.00", "0.07"]
    assert list(said.values()) == [
        "inconclusive", "inconclusive", "correct", "inconclusive", "wrong", "wrong",
    ]  # fmt: skip
    says(
        LESSON, "An *absolute* limit would let right code pass, but with the plain sum the bug too:"
    )
    says(LESSON, "its gradient is 0 there, up to rounding")
    assert found["sum", 1][1]
    assert found["squares", 1][1]
    assert found["sum", 0][1]
    assert np.abs(back(x, np.ones((8, 3)), 0)).max() < 1e-13


def test_the_small_number_beside_the_variance(layer):
    says(
        LESSON, "Code that is used adds 1e-5 to the variance. Then a gradient of about 1e-5 is left"
    )
    x, _ = layer
    f = lambda t: (batch_norm(t, small=1e-5) ** 2).sum() / 2  # noqa: E731
    g = lambda t: back(t, batch_norm(t, small=1e-5), small=1e-5)  # noqa: E731
    assert 3e-6 < np.abs(g(x)).max() < 3e-5
    assert gl.norm_ratio(g(x), gl.central_difference(f, x, eps=1e-5)) < 3e-5
    assert gl.check_function(f, g, x).verdict == "correct"


def test_two_examples_are_a_constant():
    says(LESSON, "(With two examples each column is −1 and 1, a constant.)")
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, R = rng.normal(1, 2, (2, 3)), rng.normal(size=(2, 3))
        out = lambda t: (t - t.mean(axis=0)) / t.std(axis=0)  # noqa: E731
        assert np.allclose(np.sort(out(x), axis=0), [[-1] * 3, [1] * 3])
        n = slopes(lambda x=x, R=R, out=out: (out(x) * R).sum(), x)
        d = R - R.mean(axis=0) - out(x) * (R * out(x)).mean(axis=0)
        assert f"{gl.norm_ratio((d / x.std(axis=0)).ravel(), n):.2f}" == "1.00"


# -- what no check sees, and the exercises ---------------------------------------------------------


def forward(E, idx):
    return E[idx] @ E.T, (E, idx)


def once(dout, cache):
    E, idx = cache
    dE = dout.T @ E[idx]
    dE[idx] += dout @ E
    return dE


def each(dout, cache):
    E, idx = cache
    dE = dout.T @ E[idx]
    np.add.at(dE, idx, dout @ E)
    return dE


def wipes_out(dout, cache):
    E, idx = cache
    dE = dout.T @ E[idx]
    dE[idx] = dout @ E
    return dE


def test_a_table_that_is_used_twice():
    says(
        LESSON, "`dE[idx] += d` adds *once* where `idx` names a row twice; `np.add.at(dE, idx, d)`"
    )
    says(LESSON, "With rows that all differ both are right, and the check is green.")
    says(
        LESSON, "an array that is used twice gets the sum of two gradients, and `=` would wipe out"
    )
    E = np.random.default_rng(0).normal(size=(5, 3))
    for idx, backward, verdict in (
        ([3, 0, 4], once, "correct"), ([3, 0, 4], each, "correct"), ([3, 0, 4], wipes_out, "wrong"),
        ([1, 3, 1], once, "wrong"), ([1, 3, 1], each, "correct"), ([1, 3, 1], wipes_out, "wrong"),
    ):  # fmt: skip
        report = gl.check_layer(forward, backward, E, np.array(idx))
        assert report.verdict == verdict
        assert list(report.tensors) == ["E"]  # "every array of floats"
        if verdict == "wrong" and backward is once:
            assert report.diagnosis[0].right_line.strip() == "np.add.at(dE, idx, dout @ E)"


def test_what_no_check_sees():
    says(LESSON, "The straight line of [lesson 03](03_build_an_mlp.ipynb) learns nothing, and its")
    line = [c for c in book("03_build_an_mlp").cells if "line_gradient, t).verdict" in c.source]
    assert "correct" in str(line[0].outputs)


def test_your_own_code():
    stub = next(c for c in book(LESSON).cells if c.source.startswith("my_theta"))
    assert stub == [c for c in book(LESSON).cells if c.cell_type == "code"][-1]
    says(
        LESSON, "The cell after them is for **your own code**. It runs as it stands, with a mistake"
    )
    says(LESSON, "Read the verdict first, then why, then the cause (here 3 where 4 belongs).")
    told = {"gl": gl, "np": np}
    exec(stub.source, told)  # noqa: S102 - the lesson's own text
    assert told["report"].verdict == "wrong"
    right = stub.source.replace("3 * theta**3", "4 * theta**3")
    exec(right, told)  # noqa: S102
    assert told["report"].verdict == "correct"
    says(LESSON, "*inconclusive* is not *wrong*: the second line says what the check lacks")
    noise = np.random.default_rng(0)
    unsure = gl.check_function(lambda t: noise.normal(), np.cos, np.ones(2))
    assert unsure.verdict == "inconclusive"
    assert "same" in unsure.why or "slope" in unsure.why, unsure.why


def test_what_the_exercise_is_tried_on():
    says(LESSON, "It is tried on right networks, which must be called *correct*, and on three with")
    assert sum(bool(bug) for _, bug in _NETS) == 3


def test_parts_of_theta_get_a_verdict_each():
    says(LESSON, "A θ of several parts gets a verdict for each if they are named")
    theta = np.arange(1.0, 6.0)
    report = gl.check_function(
        lambda t: (t**2).sum(), lambda t: 2 * t + 0.1 * (np.arange(5) == 4), theta,
        tensors={"W": (0, 4, (2, 2)), "b": (4, 5, (1,))},
    )  # fmt: skip
    assert report["W"].verdict == "correct"
    assert report.wrong == ["b"]


def test_an_alias_overwrites_what_is_needed_once_more():
    says(LESSON, "`dz = dout`, then `dz *= mask`, has overwritten `dout` as well")
    x = np.array([1.0, -2.0, 3.0])
    dout = np.ones(3)
    dz = dout
    dz *= x > 0
    assert not np.allclose(dz + dout, 1 + (x > 0))  # the gradient of (x + relu(x)).sum()


def test_as_a_test():
    says(LESSON, "It fails with the report as its message, and an *inconclusive* check fails too")
    theta = np.arange(1.0, 4.0)
    gl.assert_gradient(lambda t: (t**2).sum(), lambda t: 2 * t, theta)
    with pytest.raises(AssertionError, match="wrong"):
        gl.assert_gradient(lambda t: (t**2).sum(), lambda t: 2.02 * t, theta)
    noisy = np.random.default_rng(0)
    with pytest.raises(AssertionError, match="inconclusive"):
        gl.assert_gradient(lambda t: (t**2).sum() + noisy.normal(), lambda t: 2 * t, theta)


def test_in_one_line():
    says(LESSON, "`gl.check_layer(forward, backward, x, W, b)` puts a random loss above a layer")
    says(LESSON, "moves the arrays of a class where they lie")
    x, d = np.random.default_rng(0).normal(1, 2, (8, 3)), ("right", "no variance term")
    for code in d:

        def forward(x):
            out = (x - x.mean(axis=0)) / x.std(axis=0)
            return out, (out, x.std(axis=0))

        def backward(dout, cache, term=code == "right"):
            out, std = cache
            return (dout - dout.mean(axis=0) - term * out * (dout * out).mean(axis=0)) / std

        verdict = gl.check_layer(forward, lambda dout, cache: backward(dout, cache), x).verdict
        assert verdict == ("correct" if code == "right" else "wrong")

    class Line:
        def __init__(self):
            self.w, self.b = np.ones(2), np.zeros(1)

        def loss(self):
            return float(((x[:, :2] @ self.w + self.b) ** 2).mean())

        def backward(self):
            r = 2 * (x[:, :2] @ self.w + self.b) / len(x)
            return {"w": x[:, :2].T @ r, "b": np.array([r.sum()])}

    net = Line()
    assert gl.check_arrays(net.loss, vars(net), net.backward).verdict == "correct"
