"""What lesson 00 says is so."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks import QUESTIONS
from tests.lessons.prose import says

LESSON = "00_start_here"
BUG = "missing_activation_derivative"


def net(scale=None, bug=False):
    made = gl.mlp([2, 16, 2], seed=0, **({} if scale is None else {"weight_scale": scale}))
    return gl.bugs.plant(made, BUG) if bug else made


def ratio(network, eps):
    return gl.check(network, *gl.data.moons(30, seed=0), eps=eps).norm_ratio


def test_the_puzzle():
    says(LESSON, "below 1e-7 is great, above 1e-3 is a worry")
    says(
        LESSON, "By the rule A is a worry, and B, whose code forgets a derivative, is nearly great."
    )
    assert ratio(net(), 1e-13) > 1e-3
    assert 1e-7 < ratio(net(1e-3, bug=True), 1e-4) < 1e-6
    assert gl.check(net(), *gl.data.moons(30, seed=0)).verdict == "correct"
    assert gl.check(net(1e-3, bug=True), *gl.data.moons(30, seed=0)).verdict == "wrong"


def test_the_first_prediction():
    says(LESSON, "`b1` is off by a third of its size and more.")
    says(LESSON, "a sum over the examples in which the two classes nearly cancel")
    says(LESSON, "at weights that are only 2e-13 apart. They agree in 13 digits or more")
    says(
        LESSON,
        "forgetting that slope costs less than a millionth of the whole. With weights of 1 it",
    )
    x, y = gl.data.moons(30, seed=0)
    wrong = net(1e-3, bug=True)
    alone = {t.name: t.norm_ratio for t in gl.check(wrong, x, y, eps=1e-4).tensors.values()}
    question = QUESTIONS["worst_of_four"]
    assert max(alone, key=alone.get) == "b1"
    assert alone["b1"] > 1 / 3
    assert question.right == "above 0.1"
    assert 5e-7 < alone["W1"] < 2e-6, question.choices["about 1e-6"]
    assert max(v for k, v in alone.items() if k != "b1") < 1e-5
    right = net(1e-3).gradient(x, y)["b1"]
    a, b = (net(1e-3).gradient(x[y == k], y[y == k])["b1"] * np.mean(y == k) for k in (0, 1))
    assert np.allclose(a + b, right)
    assert np.linalg.norm(a + b) < 1e-3 * np.linalg.norm(a)
    assert ratio(net(), 1e-5) < 1e-8
    assert ratio(wrong, 1e-4) < 1e-6
    assert ratio(net(1.0, bug=True), 1e-4) == pytest.approx(1 / 5, rel=0.15)
    loss, theta = net().loss_function(x, y), net().theta
    shift = 1e-13 * np.eye(len(theta))
    apart = [abs(loss(theta + s) - loss(theta - s)) / loss(theta) for s in shift]
    assert 1e-16 < np.max(apart) < 1e-13  # of the loss: 13 digits are the same


def test_down_to_which_lambda_a_missing_term_is_seen():
    says(LESSON, "with the term missing the norm ratio is 0.3")
    says(LESSON, "0.03, 0.003 and so on")
    says(LESSON, "at 1e-6 the norm ratio is 3e-6, which the rule calls nearly great")
    says(LESSON, "At 1e-9 it drowns, and the check says that it cannot tell.")
    data, found = gl.data.moons(30, seed=0), {}
    for l2 in (1e-1, 1e-2, 1e-3, 1e-6, 1e-9):
        whole = gl.mlp([2, 16, 16, 2], weight_scale=0.5, seed=0, l2=l2)
        report = gl.check(gl.bugs.plant(whole, "missing_l2"), *data)
        found[l2] = (str(report.verdict), f"{report.norm_ratio:.0e}")
    assert found == {
        1e-1: ("wrong", "3e-01"), 1e-2: ("wrong", "3e-02"), 1e-3: ("wrong", "3e-03"),
        1e-6: ("wrong", "3e-06"), 1e-9: ("inconclusive", "3e-09"),
    }  # fmt: skip
    question = QUESTIONS["smallest_lambda"]
    told = [word for word in question.choices if found[float(word)][0] == "wrong"]
    assert question.right == min(told, key=float) == "1e-6"
    assert "The norm ratio is 3e-6 there" in question.choices["1e-6"]
    assert "There the norm ratio is 0.03" in question.choices["1e-2"]


@pytest.fixture(scope="module")
def lab():
    return gl.Lab(l2=0.1, use_l2=False, controls=("eps", "use_l2", "l2_in_gradient"))


def test_the_answers(lab):
    says(LESSON, "It turns *inconclusive* between 1e-10 and 1e-11")
    says(LESSON, "It turns *inconclusive* at 1e-2")
    says(LESSON, "1e-13 … 1e-1, logarithmic")
    says(LESSON, "λ is 0.1 here")
    told = {}
    for eps in (1e-1, 1e-2, 3e-3, 1e-5, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13):
        lab.state.eps = eps
        told[eps] = str(lab.state.result.report.verdict)
    good = {3e-3, 1e-5, 1e-9, 1e-10}
    assert told == {e: "correct" if e in good else "inconclusive" for e in told}
    assert lab.state.l2 == 0.1


def test_at_no_step_is_the_missing_term_forgiven(lab):
    says(LESSON, "The slider has 25 half decades.")
    says(LESSON, "The missing term makes it *wrong* at every step.")
    verdicts = {True: [], False: []}
    for in_gradient, told in verdicts.items():
        lab.state.update(use_l2=True, l2_in_gradient=in_gradient)
        for k in range(-26, -1):
            lab.state.eps = float(f"{10 ** (k / 2):.3g}")
            told.append(str(lab.state.result.report.verdict))
    assert verdicts[False] == ["wrong"] * 25
    assert set(verdicts[True]) == {"correct", "inconclusive"}
    assert 8 <= verdicts[True].count("inconclusive") <= 12
