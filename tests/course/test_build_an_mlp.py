"""Lesson 03's exercises know the mistakes that people make, and its predictions are true."""

import json

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import QUESTIONS, TASKS
from gradlab.course.tasks.build_an_mlp import LAYERS, PAIRS, dense_backward, mse
from tests.lessons.prose import ROOT


def check(name, answer, store):
    return Exercise(TASKS[name], store).check(answer)


# ------------------------------------------------------------------ mse


def guarded(out, y):
    assert out.shape == y.shape
    return np.square(out - y).sum(axis=1).mean(), (out - y) * 2 / out.shape[0]


def reshaped(out, y):
    d = out - np.reshape(y, out.shape)
    return np.einsum("nk,nk->", d, d) / len(out), 2 * d / len(out)


def loops(out, y):
    if np.shape(out) != np.shape(y):
        raise ValueError
    n, loss, slope = len(out), 0.0, np.zeros_like(out)
    for i, k in np.ndindex(out.shape):
        loss += (out[i, k] - y[i, k]) ** 2 / n
        slope[i, k] = 2 * (out[i, k] - y[i, k]) / n
    return loss, slope


def lists(out, y):
    loss, slope = mse(out, y)
    return [np.float64(loss), slope.tolist()]


def norm_of_it(out, y):
    y = y if y.ndim == 2 else y[:, None]
    return np.linalg.norm(out - y) ** 2 / len(y), -2 / len(y) * (y - out)


def by_complex_step(out, y):
    y = np.asarray(y).reshape(out.shape)
    slope = np.empty(out.shape)
    for at in np.ndindex(out.shape):
        moved = out.astype(complex)
        moved[at] += 1e-30j
        slope[at] = ((moved - y) ** 2).sum().imag / 1e-30 / len(out)
    return np.array(((out - y) ** 2).sum() / len(out)), slope


def in_place(out, y):
    d = out.copy()
    d -= y  # (6, 1) minus (6,) does not fit in place, and numpy says so
    return (d * d).sum() / len(d), np.multiply(d, 2 / len(d), out=d)


RIGHT_MSE = [mse, guarded, reshaped, loops, lists, norm_of_it, by_complex_step]


@pytest.mark.parametrize("answer", RIGHT_MSE, ids=lambda answer: answer.__name__)
def test_right_losses_are_accepted(answer, store):
    note = check("mse", answer, store)
    assert note.solved, note


def of_differences(loss, slope):
    """Return an `mse` whose two results are made from out - y, shapes unequal or not."""
    return lambda out, y: (loss(out - y), slope(out - y))


def right_loss(d):
    return np.sum(d**2) / len(d)


def right_slope(d):
    return 2 * d / len(d)


def writes_into_out(out, y):
    out -= y
    return right_loss(out), right_slope(out)


def writes_into_y(out, y):
    y -= out
    return right_loss(y), -right_slope(y)


GREEN = "gl.check_function says correct all the same"
# what the message must say: the answer
WRONG_MSE = {
    "divides by N·K, the number of all outputs": of_differences(
        lambda d: np.mean(d**2), lambda d: 2 * d / d.size
    ),
    "twice that: it has no factor ½": of_differences(
        lambda d: right_loss(d) / 2, lambda d: d / len(d)
    ),
    "no factor ½, and it divides by N alone": of_differences(
        lambda d: np.mean(d**2) / 2, lambda d: d / d.size
    ),
    "1/N is missing: L is a mean over the N examples.": of_differences(
        lambda d: np.sum(d**2), lambda d: 2 * d
    ),
    "1/N is missing, and L has no factor ½": of_differences(
        lambda d: np.sum(d**2) / 2, lambda d: d
    ),
    "divides by the number of outputs K. L": of_differences(
        lambda d: np.sum(d**2) / d.shape[1], lambda d: 2 * d / d.shape[1]
    ),
    "A square root is too much": of_differences(
        lambda d: np.sqrt(right_loss(d)), lambda d: d / np.sqrt(right_loss(d)) / len(d)
    ),
    "This is the norm of out - y": of_differences(
        lambda d: np.linalg.norm(d), lambda d: d / np.linalg.norm(d)
    ),
    "These are absolute values": of_differences(
        lambda d: np.sum(abs(d)) / len(d), lambda d: np.sign(d) / len(d)
    ),
    "The square is missing": of_differences(
        lambda d: np.sum(d) / len(d), lambda d: np.ones_like(d) / len(d)
    ),
    "The sign is flipped: L is a sum of squares": of_differences(
        lambda d: -right_loss(d), lambda d: -right_slope(d)
    ),
    "The factor 2 is missing: L has no ½": of_differences(right_loss, lambda d: d / len(d)),
    "where out is above y, L rises": of_differences(right_loss, lambda d: -right_slope(d)),
    "so each has 1/N of it": of_differences(right_loss, lambda d: 2 * d),
    "both are missing": of_differences(right_loss, lambda d: d),
    "It divides by N·K; L divides by N alone": of_differences(right_loss, lambda d: 2 * d / d.size),
    "The factor 2 is missing, and it divides": of_differences(right_loss, lambda d: d / d.size),
    "divides by the number of outputs K; L": of_differences(
        right_loss, lambda d: 2 * d / d.shape[1]
    ),
    "The sign of out - y is lost": of_differences(right_loss, lambda d: abs(right_slope(d))),
    "the terms of L itself": of_differences(right_loss, lambda d: d**2 / len(d)),
    "The loss is right. dout[": of_differences(right_loss, lambda d: 1.3 * right_slope(d)),
    "dout has shape (3,)": of_differences(right_loss, lambda d: right_slope(d).sum(axis=0)),
    "dout has shape ()": of_differences(right_loss, lambda d: right_slope(d).sum()),
    "one for each example": of_differences(lambda d: (d**2).sum(axis=1), right_slope),
    "as out has. L is one number": of_differences(lambda d: d**2, right_slope),
    "The two are swapped": of_differences(right_slope, right_loss),
    "Return L and dout, in this order": lambda out, y: right_loss(out - y),
    "two things are asked": lambda out, y: (right_loss(out - y), right_slope(out - y), y),
    "it is one number": lambda out, y: ("L", right_slope(out - y)),
    "mse changes out": writes_into_out,
    "mse changes y": writes_into_y,
    "a table of 6 × 6": of_differences(right_loss, right_slope),
    "With out of shape (4, 1)": lambda out, y: (np.sum((out - y) ** 2) / 5, 2 * (out - y) / 5),
    "The loss has shape (6,)": lambda out, y: (
        mse(out, y) if np.ndim(y) == 2 else (np.zeros(6), out)
    ),
    "Raise a ValueError, or treat y as (6, 1)": lambda out, y: (
        mse(out, y) if np.ndim(y) == 2 else (0.0, out)
    ),
    "a dout that is not its slope": lambda out, y: (
        mse(out, y) if np.ndim(y) == 2 else (reshaped(out, y)[0], out)
    ),
    "Hand over the function itself": 0.7,
}


@pytest.mark.parametrize("words", WRONG_MSE)
def test_wrong_losses_are_recognised(words, store):
    note = check("mse", WRONG_MSE[words], store)
    assert note.mark == "✗"
    assert words in note.text


def test_each_wrong_loss_has_its_own_message(store):
    texts = {words: check("mse", answer, store).text for words, answer in WRONG_MSE.items()}
    assert [words for words, text in texts.items() if words not in text] == []
    assert len(set(texts.values())) == len(WRONG_MSE)
    assert store.solved() == set()


@pytest.mark.parametrize("words", list(WRONG_MSE)[:11])
def test_a_slope_of_another_loss_is_said_to_be_green(words, store):
    """The message quotes the checker, so the checker must say it here as well."""
    answer, (out, y) = WRONG_MSE[words], PAIRS[0]
    assert GREEN in check("mse", answer, store).text
    report = gl.check_function(
        lambda t: answer(t.reshape(out.shape), y)[0],
        lambda t: answer(t.reshape(out.shape), y)[1].ravel(),
        out.ravel(),
    )
    assert report.verdict == "correct"


def test_nothing_is_called_green_that_is_not(store):
    answer = of_differences(lambda d: np.mean(d**2), right_slope)
    assert GREEN not in check("mse", answer, store).text


def test_the_numbers_of_a_message_are_those_of_the_answer(store):
    (out, y), d = PAIRS[0], PAIRS[0][0] - PAIRS[0][1]
    text = check("mse", of_differences(lambda d: np.mean(d**2), right_slope), store).text
    assert f"L is {mse(out, y)[0]:.4f} for these outputs, and the answer's {np.mean(d**2):.4f}" in (
        text
    )


# ------------------------------------------------------------------ dense_backward


def by_einsum(x, W, dz):
    return (
        np.einsum("nk,dk->nd", dz, W),
        np.einsum("nd,nk->dk", x, dz),
        np.einsum("nk->k", dz),
    )


def a_list(x, W, dz):
    return [part.tolist() for part in dense_backward(x, W, dz)]


def a_dict(x, W, dz):
    return {"dW": (dz.T @ x).T, "db": np.ones(len(dz)) @ dz, "dx": (W @ dz.T).T}


def an_example_at_a_time(x, W, dz):
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros(W.shape[1])
    for n in range(len(x)):
        dx[n] = W @ dz[n]
        dW += np.outer(x[n], dz[n])
        db += dz[n]
    return dx, dW, db


def an_entry_at_a_time(x, W, dz):
    dx, dW = np.zeros(x.shape), np.zeros(W.shape)
    for n, i, j in np.ndindex(*x.shape, W.shape[1]):
        dx[n, i] += dz[n, j] * W[i, j]
        dW[i, j] += x[n, i] * dz[n, j]
    return dx, dW, np.add.reduce(dz)


def with_a_column_of_ones(x, W, dz):
    both = np.column_stack([x, np.ones(len(x))]).T @ dz
    return np.inner(dz, W), both[:-1], both[-1]


RIGHT_DENSE = [
    dense_backward, by_einsum, a_list, a_dict, an_example_at_a_time, an_entry_at_a_time,
    with_a_column_of_ones, lambda x, W, dz: (dz @ W.T, x.T @ dz, dz.sum(0)),
]  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT_DENSE)
def test_right_backwards_are_accepted(answer, store):
    note = check("dense_backward", answer, store)
    assert note.solved, note


def with_part(place, part):
    """Return a right `dense_backward` but for one of its three parts."""

    def answer(x, W, dz):
        parts = list(dense_backward(x, W, dz))
        parts[place] = part(x, W, dz)
        return tuple(parts)

    return answer


def writes_into_dz(x, W, dz):
    dz /= len(dz)
    return dense_backward(x, W, dz)


def writes_into_w(x, W, dz):
    W *= 2
    return dense_backward(x, W / 2, dz)


CALLS = []


def adds_up(x, W, dz):
    CALLS.append(1)
    return dense_backward(x, W, dz * (1 + 1e-3 * (len(CALLS) > 1)))


WRONG_DENSE = {
    "multiplies by W as forward does": with_part(0, lambda x, W, dz: dz @ W),
    "dx is divided by N": with_part(0, lambda x, W, dz: dz @ W.T / len(x)),
    "dx is transposed": with_part(0, lambda x, W, dz: W @ dz.T),
    "dW is transposed": with_part(1, lambda x, W, dz: dz.T @ x),
    "dW is divided by N": with_part(1, lambda x, W, dz: x.T @ dz / len(x)),
    "x @ dz sums over x's columns": with_part(1, lambda x, W, dz: x @ dz),
    "db is a mean": with_part(2, lambda x, W, dz: dz.mean(axis=0)),
    "db is dz, not summed": with_part(2, lambda x, W, dz: dz),
    "db is summed over everything": with_part(2, lambda x, W, dz: dz.sum()),
    "db is summed over the outputs": with_part(2, lambda x, W, dz: dz.sum(axis=1)),
    "an axis of length 1 too many": with_part(
        2, lambda x, W, dz: dz.sum(axis=0, keepdims=True)
    ),
    "db is 1: that is the slope of z": with_part(2, lambda x, W, dz: np.ones(W.shape[1])),
    "dW has shape (4,)": with_part(1, lambda x, W, dz: (x.T @ dz).sum(axis=0)),
    "in the order dW, db, dx": lambda x, W, dz: (x.T @ dz, dz.sum(axis=0), dz @ W.T),
    "gl.check_function says wrong: dW. dW[": with_part(1, lambda x, W, dz: 1.01 * x.T @ dz),
    "says wrong: dx, db": lambda x, W, dz: (
        2 * dz @ W.T, x.T @ dz, dz.sum(axis=0) + 0.5
    ),
    "dense_backward changes dz": writes_into_dz,
    "dense_backward changes W": writes_into_w,
    "three arrays are asked": lambda x, W, dz: (x.T @ dz, dz.sum(axis=0)),
    "The dict needs dx, dW and db": lambda x, W, dz: {"dW": x.T @ dz, "db": dz.sum(axis=0)},
    "With x of shape (5, 3) and W of shape (3, 4)": with_part(
        0, lambda x, W, dz: dz @ W.T if len(x) == 4 else x
    ),
    "gl.check_function says wrong: dx, dW, db. dx[": adds_up,
    "Hand over the function itself": np.eye(3),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_DENSE)
def test_wrong_backwards_are_recognised(words, store):
    CALLS.clear()
    note = check("dense_backward", WRONG_DENSE[words], store)
    assert note.mark == "✗"
    assert words in note.text


def test_each_wrong_backward_has_its_own_message(store):
    CALLS.clear()
    texts = [check("dense_backward", answer, store).text for answer in WRONG_DENSE.values()]
    assert len(set(texts)) == len(WRONG_DENSE)
    assert store.solved() == set()


def test_two_known_slips_are_both_named(store):
    answer = lambda x, W, dz: (dz @ W, x.T @ dz, dz.mean(axis=0))  # noqa: E731
    text = check("dense_backward", answer, store).text
    assert "W.T" in text
    assert "db is a mean" in text


def test_the_praise_counts_the_layers():
    assert "on four layers, one of them square" in TASKS["dense_backward"].praise
    assert len(LAYERS) == 4
    assert [x.shape[1] == W.shape[1] for x, W, _ in LAYERS].count(True) == 1


@pytest.mark.parametrize("name", ["mse", "dense_backward"])
@pytest.mark.parametrize("value", [...])
def test_an_untouched_body_is_a_stub(name, value, store):
    assert check(name, lambda *arguments: value, store).mark == "○"


# ------------------------------------------------------------------ predictions


@pytest.fixture(scope="module")
def lesson():
    """Return the names of the lesson's code, run without its lab."""
    names = {"display": lambda *things: None}
    book = json.loads((ROOT / "lessons" / "03_build_an_mlp.ipynb").read_text())
    for cell in book["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "gl.Lab(" not in source and "lab.state" not in source:
            exec(source, names)  # noqa: S102 - the lesson itself
    return names


def report_of(lesson, order):
    """Return what the checker says to a gradient that is unrolled in `order`."""
    y, places = lesson["y"], {}
    for name, start, stop in (("W1", 0, 12), ("b1", 12, 16), ("W2", 16, 28), ("b2", 28, 31)):
        places[name] = (start, stop, lesson["params"][name].shape)
    return gl.check_function(
        lambda t: lesson["loss"](lesson["roll"](t), y),
        lambda t: np.concatenate(
            [lesson["backward"](lesson["roll"](t), y)[name].ravel() for name in order]
        ),
        lesson["theta"],
        tensors=places,
    )


def test_the_order_of_the_names(lesson):
    assert report_of(lesson, ["W2", "b2", "W1", "b1"]).wrong == list(lesson["params"])
    assert report_of(lesson, sorted(lesson["params"])).wrong == ["b1", "W2"]
    assert report_of(lesson, list(lesson["params"])).verdict == "correct"


def test_targets_moved_by_one(lesson):
    question, theta, y = QUESTIONS["targets_moved_by_one"], lesson["theta"], lesson["y"]
    gradient, moved = lesson["gradient"], np.roll(y, 1, axis=0)
    assert np.sum((moved != y).any(axis=1)) == 5
    a, n = gradient(theta, y), gradient(theta, moved)
    assert 0.1 < gl.norm_ratio(a, n) < 0.2
    assert question.right == "about 0.1"
    out = lesson["forward"](lesson["params"])[1]
    assert np.ptp(out, axis=0).max() < 0.12 < 0.3 < out.min(), question.right
    # what is common: the same mean in any order, and so the gradient of b2
    names = zip(lesson["roll"](a).values(), lesson["roll"](n).values(), strict=True)
    assert [gl.norm_ratio(*both) for both in names][3] < 0.02
    assert np.allclose(moved.mean(axis=0), y.mean(axis=0))
    chance = np.random.default_rng(0).standard_normal((2, 10_000))
    assert gl.norm_ratio(*chance) == pytest.approx(0.7, abs=0.02), question.choices["about 0.7"]
    assert gl.norm_ratio(-a, a) == gl.norm_ratio(0 * a, a) == 1, question.choices["about 1"]
    assert gl.check_function(
        lambda t: lesson["loss"](lesson["roll"](t), moved), lambda t: gradient(t, y), theta
    ).wrong


def test_ten_thousand_times_the_step(lesson):
    question, x, y = QUESTIONS["ten_thousand_times_the_step"], lesson["x"], lesson["y"]

    def ratios(net):
        a = net.unroll(net.gradient(x, y))
        n = (gl.central_difference(net.loss_function(x, y), net.theta, eps=h) for h in (0.1, 1e-5))
        return [gl.norm_ratio(a, one) for one in n]

    for seed in range(6):
        long, short = ratios(gl.mlp([3, 3], loss="mse", seed=seed))
        assert long < 1e-14
        assert 2e-12 < short < 5e-11  # "about 1e-11"
    assert question.right == "below 1e-13"
    assert "A hundred million times" in question.choices["about 1e-3"]
    assert ratios(lesson["net"])[0] > 1e-4  # no parabola, and there the long step errs


def made(lesson):
    """Return three mistakes, each as a loss and its gradient."""
    y, roll = lesson["y"], lesson["roll"]
    used, moved = np.repeat([1, 1, 0, 1], [12, 4, 12, 3]), np.roll(y, 1, axis=0)
    loss = lambda t, y=y: lesson["loss"](roll(t), y)  # noqa: E731
    gradient = lambda t, y=y: lesson["gradient"](t, y)  # noqa: E731
    return loss, {
        "targets": (lambda t: loss(t, moved), lambda t: gradient(t, moved)),
        "sign": (lambda t: -loss(t), lambda t: -gradient(t)),
        "W2": (lambda t: loss(t * used), lambda t: gradient(t * used) * used),
    }


def test_a_mistake_in_loss_and_gradient_is_never_red(lesson):
    theta = lesson["theta"]
    loss, mistakes = made(lesson)
    fell = {}
    for mistake, (f, g) in mistakes.items():
        assert gl.check_function(f, g, theta).verdict == "correct"
        assert not np.isclose(f(theta), loss(theta), rtol=1e-4)  # another loss than was meant
        assert gl.check_function(loss, g, theta).verdict == "wrong"
        t = theta.copy()
        for _ in range(2000):
            t = t - g(t)
        fell[mistake] = f"{f(theta):.2f} {f(t):.2f}"
        if mistake == "sign":
            assert loss(t) > 2 * loss(theta)  # what was meant gets worse
    assert fell == {"targets": "0.69 0.18", "sign": "-0.70 -2.00", "W2": "0.75 0.59"}
    out = lesson["forward"](lesson["roll"](theta * np.repeat([1, 1, 0, 1], [12, 4, 12, 3])))[1]
    assert np.all(out == out[0])  # "The outputs cannot depend on the inputs"
