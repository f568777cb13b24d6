"""What lesson 00 says is so."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks import QUESTIONS
from tests.lessons.prose import book, says

LESSON = "00_start_here"
BUG = "missing_activation_derivative"


def net(scale=None, bug=False):
    made = gl.mlp([2, 16, 2], seed=0, **({} if scale is None else {"weight_scale": scale}))
    return gl.bugs.plant(made, BUG) if bug else made


def ratio(network, eps):
    return gl.check(network, *gl.data.moons(30, seed=0), eps=eps).norm_ratio


def by_hand(network):
    x, y = gl.data.moons(30, seed=0)
    parts = network.loss_function(x, y), network.theta
    return parts, network.unroll(network.gradient(x, y))


def test_nothing_before_the_question_names_the_one_with_the_bug():
    cells = book(LESSON).cells
    for cell in cells[: next(k for k, c in enumerate(cells) if "It is B" in c.source)]:
        for name in "AB":
            assert f"bugs.plant({name}" not in cell.source
            assert f"{name} has a bug" not in cell.source


def test_the_puzzle():
    says(LESSON, "below 1e-7 is great, above 1e-3 is a worry")
    says(LESSON, "for A it is between **1e-3 and 1e-2**, for B between **1e-7 and 1e-6**.")
    says(LESSON, "By the rule A is a worry, and B is nearly great.")
    says(LESSON, "It is B that has the bug: its code forgets the derivative of tanh. A has none.")
    says(LESSON, "B's weights are small, about 1e-3")
    assert 5e-4 < np.mean([np.abs(net(1e-3).params[name]).mean() for name in ("W1", "W2")]) < 2e-3
    assert 1e-3 < ratio(net(), 1e-13) < 1e-2
    for k, (name, made, h) in enumerate((("A", net(), 1e-13), ("B", net(1e-3, True), 1e-4))):
        assert (k == sum(b"Hold your answer!") % 2) == (name == "B")  # where the lesson plants it
        (loss, theta), a = by_hand(made)
        n = [(loss(theta + e) - loss(theta - e)) / (2 * h) for e in h * np.eye(theta.size)]
        own = np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n))
        assert own == pytest.approx(ratio(made, h), rel=0.3)
    assert 1e-7 < ratio(net(1e-3, bug=True), 1e-4) < 1e-6
    assert gl.check(net(), *gl.data.moons(30, seed=0)).verdict == "correct"
    assert gl.check(net(1e-3, bug=True), *gl.data.moons(30, seed=0)).verdict == "wrong"


def test_the_first_prediction():
    says(LESSON, "15 belong to either class, and the two classes pull in opposite directions")
    says(LESSON, "two vectors of length 1e-3 leave one of 9e-10, as small as what the bug adds,")
    says(LESSON, "so short that the ratio of all four tensors does not show it")
    says(
        LESSON,
        "Without one example the sum is tens of thousands of times as large",
    )
    says(LESSON, "A larger one is *wrong*, as in `W1`, where it is about 1e-6 of the gradient.")
    x, y = gl.data.moons(30, seed=0)
    wrong, good = net(1e-3, bug=True), net(1e-3)
    alone = {t.name: t.norm_ratio for t in gl.check(wrong, x, y, eps=1e-4).tensors.values()}
    assert 0.35 <= alone["b1"] < 0.45
    assert max(v for k, v in alone.items() if k != "b1") < 5e-6
    assert 5e-7 < alone["W1"] < 2e-6
    a, b = (good.gradient(x[y == k], y[y == k])["b1"] * np.mean(y == k) for k in (0, 1))
    assert np.allclose(a + b, good.gradient(x, y)["b1"])
    assert np.linalg.norm(a + b) < 1e-3 * np.linalg.norm(a)
    one, two = (wrong.gradient(x[y == k], y[y == k])["b1"] / 2 for k in (0, 1))
    lengths = [f"{np.linalg.norm(g):.0e}" for g in (one, two, one + two)]
    assert lengths == ["1e-03", "1e-03", "9e-10"]
    added = np.linalg.norm(one + two - a - b)
    assert 0.3 < added / np.linalg.norm(one + two) < 3  # "as small as what the bug adds"
    others = [np.linalg.norm(g) for k, g in wrong.gradient(x, y).items() if k != "b1"]
    assert np.linalg.norm(one + two) < 0.01 * min(others)
    assert np.bincount(y).tolist() == [15, 15]
    question = QUESTIONS["one_example_less"]
    for k in range(30):  # "any one"
        rest = np.delete(x, k, axis=0), np.delete(y, k)
        assert gl.check(wrong, *rest, eps=1e-4)["b1"].norm_ratio < 8e-6
        grown = np.linalg.norm(good.gradient(*rest)["b1"]) / np.linalg.norm(a + b)
        assert 2e4 < grown < 1e5, question.choices[question.right]
        if k % 10 == 9:
            assert gl.check(wrong, *rest).wrong == ["W1", "b1"]
    assert question.right == "below 1e-4"
    assert "A thirtieth of 0.4" in question.choices["about 0.01"]


def test_what_one_number_mixes():
    says(LESSON, "at weights only 2e-13 apart. They agree in 13 digits or more")
    says(
        LESSON,
        "forgetting that slope costs less than a millionth of the whole. With weights of 1 it",
    )
    x, y = gl.data.moons(30, seed=0)
    assert ratio(net(), 1e-5) < 1e-8
    assert ratio(net(1e-3, bug=True), 1e-4) < 1e-6
    assert ratio(net(1.0, bug=True), 1e-4) == pytest.approx(1 / 5, rel=0.15)
    loss, theta = net().loss_function(x, y), net().theta
    shift = 1e-13 * np.eye(len(theta))
    apart = [abs(loss(theta + s) - loss(theta - s)) / loss(theta) for s in shift]
    assert 1e-16 < np.max(apart) < 1e-13  # of the loss: 13 digits are the same


def without_l2(scale, l2, seed=0):
    whole = gl.mlp([2, 16, 16, 2], weight_scale=scale, seed=seed, l2=l2)
    return gl.check(gl.bugs.plant(whole, "missing_l2"), *gl.data.moons(30, seed=0))


def test_smaller_weights_lay_a_missing_term_bare():
    says(LESSON, "λ is 0.1, the weights are about 0.5, the norm ratio of all parameters is 0.3")
    says(LESSON, "The missing term became a tenth, but the rest of the gradient a sixtieth")
    question, rest, term = QUESTIONS["a_tenth_of_the_missing_term"], [], []
    for scale in (0.5, 0.05):
        plain, whole = (
            gl.mlp([2, 16, 16, 2], weight_scale=scale, seed=0, l2=l2) for l2 in (0.0, 0.1)
        )
        data = plain.unroll(plain.gradient(*gl.data.moons(30, seed=0)))
        rest.append(np.linalg.norm(data))
        both = whole.unroll(whole.gradient(*gl.data.moons(30, seed=0)))
        term.append(np.linalg.norm(both - data))
    assert term[0] / term[1] == pytest.approx(10)
    assert rest[0] / rest[1] == pytest.approx(60, rel=0.1)
    assert rest[0] > term[0]
    assert rest[1] < term[1]  # "what is missing is now the larger part"
    assert f"{without_l2(0.5, 0.1).norm_ratio:.1g}" == "0.3"
    for seed in range(4):
        assert without_l2(0.05, 0.1, seed).norm_ratio > 0.7
    assert question.right == "above 0.7"


def test_no_line_at_1e_3():
    says(LESSON, "With λ = 1e-6 the norm ratio is 3e-6, which the rule calls nearly great")
    says(LESSON, "At 1e-9 the term drowns in rounding.")
    found = {l2: without_l2(0.5, l2) for l2 in (1e-6, 1e-9)}
    assert [f"{r.verdict} {r.norm_ratio:.0e}" for r in found.values()] == [
        "wrong 3e-06", "inconclusive 3e-09",
    ]  # fmt: skip


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
    says(LESSON, "the verdicts at 25 steps from 1e-13 to 1e-1: of right code")
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
