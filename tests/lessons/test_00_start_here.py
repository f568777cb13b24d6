"""What lesson 00 says is so."""

import numpy as np
import pytest

import gradlab as gl
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
    says(LESSON, "A's step is moved from 1e-13 to 1e-5.")
    says(LESSON, "but its weights grow from 0.001 to 1")
    says(LESSON, "A's two losses, 2e-13 apart, agree in 13 digits")
    says(
        LESSON,
        "forgetting that slope costs less than a millionth of the whole. With weights of 1 it",
    )
    assert ratio(net(), 1e-5) < 1e-8
    assert ratio(net(1e-3, bug=True), 1e-4) < 1e-6
    assert ratio(net(1.0, bug=True), 1e-4) == pytest.approx(1 / 5, rel=0.15)
    loss, theta = net().loss_function(*gl.data.moons(30, seed=0)), net().theta
    shift = 1e-13 * np.eye(len(theta))
    apart = [abs(loss(theta + s) - loss(theta - s)) / loss(theta) for s in shift]
    assert 1e-15 < np.max(apart) < 1e-12


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
