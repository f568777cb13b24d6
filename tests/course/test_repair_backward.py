"""The backward pass with two faults: every repair is accepted, and each half of one is told."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks.repair_backward import backward

TASK = TASKS["repair_backward"]


def make(over="N", bias="sum", transpose=True, only=None):
    """Return a backward pass; `over` says what divides, `only` which tensors alone are divided."""

    def function(params, x, y):
        o1 = np.tanh(x @ params["W1"] + params["b1"])
        p = np.exp(o1 @ params["W2"] + params["b2"])
        p /= p.sum(axis=1, keepdims=True)
        p[range(len(y)), y] -= 1
        n = {"N": len(y), "1": 1, "size": x.size, "classes": p.size, "30": 30, "-N": -len(y),
             "N - 1e-7": len(y) - 1e-7}[over]  # fmt: skip
        if only is None:
            p = p / n
        W2 = params["W2"]
        dz1 = p @ (W2.T if transpose or W2.shape[0] != W2.shape[1] else W2) * (1 - o1**2)
        b1 = {
            "sum": lambda: dz1.sum(axis=0), "mean": lambda: dz1.mean(axis=0),
            "all": lambda: dz1.sum(), "kept": lambda: dz1.sum(axis=0, keepdims=True),
            "units": lambda: dz1.sum(axis=1),
        }[bias]()  # fmt: skip
        grads = {"W1": x.T @ dz1, "b1": b1, "W2": o1.T @ p, "b2": p.sum(axis=0)}
        return {k: v / len(y) if only and k in only else v for k, v in grads.items()}

    return function


def by_examples(params, x, y):
    total = {name: np.zeros_like(value) for name, value in params.items()}
    for row, label in zip(x, y, strict=True):
        o1 = np.tanh(row @ params["W1"] + params["b1"])
        z = o1 @ params["W2"] + params["b2"]
        dz2 = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        dz2[label] -= 1
        dz1 = params["W2"] @ dz2 * (1 - o1**2)
        for name, value in (("W1", np.outer(row, dz1)), ("b1", dz1),
                            ("W2", np.outer(o1, dz2)), ("b2", dz2)):  # fmt: skip
            total[name] += value / len(y)
    return total


def one_hot(params, x, y):
    z1 = np.einsum("ni,ij->nj", x, params["W1"]) + params["b1"]
    z = np.tanh(z1) @ params["W2"] + params["b2"]
    p = np.exp(z) / np.exp(z).sum(axis=1)[:, None]
    dz2 = (p - np.eye(z.shape[1])[y]) / x.shape[0]
    dz1 = np.einsum("nk,jk->nj", dz2, params["W2"]) / np.cosh(z1) ** 2
    return {"b2": dz2.sum(0), "W2": np.tanh(z1).T @ dz2, "b1": dz1.sum(0).tolist(),
            "W1": x.T @ dz1}  # fmt: skip


def complex_step(params, x, y):
    def loss(p):
        z = np.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
        return np.mean(np.log(np.exp(z).sum(axis=1)) - z[range(len(y)), y])

    found = {}
    for name, value in params.items():
        found[name] = np.empty_like(value)
        for i in np.ndindex(value.shape):
            moved = {k: v.astype(complex) for k, v in params.items()}
            moved[name][i] += 1e-30j
            found[name][i] = loss(moved).imag / 1e-30
    return found


RIGHT = {
    "divided once": backward,
    "made": make(),
    "the mean kept": make(over="1", bias="mean", only=("W1", "W2", "b2")),
    "one by one": make(over="1", only=("W1", "b1", "W2", "b2")),
    "example by example": by_examples,
    "one-hot, einsum, a list": one_hot,
    "complex step": complex_step,
}


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_every_repair_is_accepted(answer, store):
    note = Exercise(TASK, store).check(answer)
    assert note.solved, note


def takes_a_step(params, x, y):
    grads = backward(params, x, y)
    for name in params:
        params[name] -= 0.1 * grads[name]
    return grads


WRONG = {
    "Nothing is repaired yet: 43 of 51 entries are 30 times too large": make("1", "mean"),
    "is now 30 times too small": make("N", "mean"),
    "All four are now 30 times too large": make("1", "sum"),
    "W2 and b2 still 30 times too large": make("1", "mean", only=("W1",)),
    "b2 still 30 times too large": make("1", "mean", only=("W1", "W2")),
    "Wrong are W1 by 1.00000001. With 30 examples": lambda params, x, y: (
        lambda g: {**g, "W1": g["W1"] * (1 + 1e-8)}
    )(backward(params, x, y)),
    "Wrong are b1 by 1.000000003, b2 by 30": lambda params, x, y: (
        lambda g: {**g, "b1": g["b1"] * (1 + 3e-9), "b2": 30 * g["b2"]}
    )(backward(params, x, y)),
    "Right for 30 examples only: with 7 it is 7/30": make("30"),
    "0.5 times what they should be: 2 is the number of inputs": make("size"),
    "0.333 times what they should be: 3 is the number of classes": make("classes"),
    "the sign is flipped": make("-N"),
    "All four are now 1.000000003 times what they should be: which number did the division take? "
    "Average": make("N - 1e-7"),
    "has shape ()": make(bias="all"),
    "has shape (1, 8)": make(bias="kept"),
    "has shape (30,)": make(bias="units"),
    "W2 fits where W2.T belongs": make(transpose=False),
    "It changed W1, b1, W2, b2": takes_a_step,
    "It returns nothing": lambda params, x, y: None,
    "a dictionary with W1, b1, W2, b2 is asked": lambda params, x, y: (1, 2, 3, 4),
    "lacks b2": lambda params, x, y: {k: v for k, v in backward(params, x, y).items() if k != "b2"},
    "Hand over the function itself": 3,
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_repair_is_told_as_it_is(words, store):
    note = Exercise(TASK, store).check(WRONG[words])
    assert note.mark == "✗"
    assert words in note.text, note.text


def test_the_messages_differ(store):
    texts = [Exercise(TASK, store).check(answer).text for answer in WRONG.values()]
    assert len(set(texts)) == len(texts)


def test_the_first_message_counts_rightly():
    net = gl.mlp([2, 8, 3], weight_scale=0.5, seed=0)
    x, y = gl.data.spirals(30, classes=3, seed=0)
    a, n = make("1", "mean")(net.params, x, y), net.gradient(x, y)
    assert sum(int(np.sum(gl.relative_error(a[k], n[k]) > 1e-2)) for k in n) == 43
