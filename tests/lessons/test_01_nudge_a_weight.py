"""What lesson 01 says is so."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks import QUESTIONS
from tests.lessons.prose import book, says

LESSON = "01_nudge_a_weight"
X, TARGET, EPS = np.array([1.0, 0.5]), 1.0, 1e-3
W1, B1 = np.array([[0.4, -0.3], [0.2, 0.6]]), np.array([0.1, -0.2])
W2, B2 = np.array([0.7, -0.5]), 0.1
O1 = np.tanh(X @ W1 + B1)
OUT = float(O1 @ W2 + B2)
STEP = np.array([[EPS, 0], [0, 0]])


def loss(weights, y=TARGET):
    return (np.tanh(X @ weights + B1) @ W2 + B2 - y) ** 2


def analytic(y=TARGET):
    return 2 * (OUT - y) * W2[0] * (1 - O1[0] ** 2) * X[0]


def numerical(y=TARGET, eps=EPS):
    step = STEP * eps / EPS
    return (loss(W1 + step, y) - loss(W1 - step, y)) / (2 * eps)


def test_the_puzzle():
    says(LESSON, "the formula says **−0.4238**, and the nudged weight **−0.2121**.")
    says(LESSON, "the slope of $L$ along `W1[0, 0]`, −0.4238.")
    says(LESSON, "Not −0.4238, and no nonsense either: **half** of it.")
    says(LESSON, "Had both losses been taken after both moves, the slope would be 0.")
    assert f"{analytic():.4f}" == "-0.4238"
    half = (loss(W1) - loss(W1 - STEP)) / (2 * EPS)
    assert half / analytic() == pytest.approx(0.5, rel=0.01)
    assert f"{half:.4f}" == "-0.2121"


def test_steps_on_curves():
    says(LESSON, "With a step of 0.5 the forward slope is off by 1.75, the central one by 0.25.")
    assert (1.5**3 - 1) / 0.5 - 3 == 1.75
    says(
        LESSON, "A tenth of the step makes the forward error a tenth, the central one a hundredth."
    )
    assert ((1.5**3 - 0.5**3) / 1.0) - 3 == 0.25
    assert ((3 + 100) ** 2 - (3 - 100) ** 2) / 200 == 6
    assert ((3 + 100) ** 2 - 3**2) / 100 == 106
    assert ((3 + 100) ** 3 - (3 - 100) ** 3) / 200 - 27 == 100**2
    for h in (0.5, 0.01):
        assert ((1 + h) ** 3 - (1 - h) ** 3) / (2 * h) == pytest.approx(3 + h**2)
        assert ((1 + h) ** 3 - 1) / h == pytest.approx(3 + 3 * h + h**2)


def test_four_at_once():
    question = QUESTIONS["four_at_once"]
    slopes = 2 * (OUT - TARGET) * np.outer(X, W2 * (1 - O1**2))
    for eps, falls in ((EPS, 1), (EPS / 10, 100)):
        off, errors = [], []
        for some in (*np.eye(4).reshape(4, 2, 2), np.ones((2, 2))):
            n = (loss(W1 + eps * some) - loss(W1 - eps * some)) / (2 * eps)
            a = np.sum(some * slopes)
            off.append(abs(a - n) * falls)
            errors.append(abs(a - n) / max(abs(a), abs(n)) * falls)
        assert f"{max(errors[:4]):.0e}" == "6e-07", question.question
        assert f"{min(errors[:4]):.0e}" == "2e-08"
        assert f"{errors[4]:.0e}" == question.right.removeprefix("about ").replace("e-", "e-0")
        assert [f"{one:.0e}" for one in (max(off[:4]), off[4])] == ["2e-07", "4e-07"]
        assert off[4] < 2 * max(off[:4]), question.choices["about 2e-6"]
    says(LESSON, "the four have max-relative errors between 2e-8 and 6e-7")
    says(LESSON, "Two of the slopes are negative and two positive: of up to 0.4 only 0.02 is left")
    says(LESSON, "it is up to 2e-7 for one entry and 4e-7 for all, which is divided by 0.02.")
    assert list(np.sort(np.sign(slopes.ravel()))) == [-1, -1, 1, 1]
    assert [f"{np.abs(one).max():.1g}" for one in (slopes, slopes.sum())] == ["0.4", "0.02"]
    assert np.abs(slopes).max() / abs(slopes.sum()) == pytest.approx(20, rel=0.1)
    assert off[4] / 2e-4 == pytest.approx(0.002, rel=0.1), question.choices["about 2e-4"]
    last = book(LESSON).cells[15].outputs[0].text.splitlines()[-1]
    assert last == "moved [1 1 1 1]: a -0.0224, a - n 4e-07, error 2e-05"


def test_a_perfect_fit():
    says(LESSON, "$a$ is 0, the numerical slope −2.7e-7, and the error 1.")
    assert analytic(OUT) == 0
    assert f"{numerical(OUT):.1e}" == "-2.7e-07"


def test_the_target():
    says(LESSON, 'times the slope of the output. "The target is a constant')
    h = 1e-5 * STEP / EPS
    slope_of_output = (np.tanh(X @ (W1 + h) + B1) @ W2 - np.tanh(X @ (W1 - h) + B1) @ W2) / 2e-5
    for y in (1.0, -1.0):
        assert numerical(y, 1e-5) == pytest.approx(2 * (OUT - y) * slope_of_output, rel=1e-6)


def test_the_range_of_the_slider():
    says(LESSON, "1e-13 … 1e-1, logarithmic")
    slider = gl.Lab().controls["eps"]
    assert (slider.base**slider.min, slider.base**slider.max) == pytest.approx((1e-13, 1e-1))


@pytest.fixture(scope="module")
def report():
    net = gl.mlp([2, 2, 1], loss="mse", seed=0)
    for name, value in {"W1": W1, "b1": B1, "W2": W2[:, None], "b2": B2}.items():
        net.params[name][...] = value
    return lambda **how: gl.check(net, X[None, :], np.array([[TARGET]]), **how)


def test_the_answers(report):
    says(LESSON, "all nine parameters at once")
    says(LESSON, "at 1e-3 the error is 1e-3, and the check says *inconclusive*")
    says(LESSON, "At 1e-4 it is *correct*. Central: *correct* at 1e-2 already.")
    at = {
        (s, e): report(scheme=s, eps=e) for s in ("forward", "central") for e in (1e-2, 1e-3, 1e-4)
    }
    assert [str(at["forward", e].verdict) for e in (1e-3, 1e-4)] == ["inconclusive", "correct"]
    assert f"{at['forward', 1e-3].relative_error:.0e}" == "1e-03"
    assert at["central", 1e-2].verdict == "correct"
    assert sum(t.analytic.size for t in at["central", 1e-2].tensors.values()) == 9


def test_a_parabola_forgives_the_longest_step(report):
    says(LESSON, "the lines of `W1` and `b1` turn up and those of `W2` and `b2` do not")
    says(LESSON, "Along each of them the loss is a parabola")
    at = {eps: report(scheme="central", eps=eps).tensors for eps in (1e-1, 1e-3)}
    for name in ("W1", "b1"):
        assert at[1e-1][name].relative_error > 1000 * at[1e-3][name].relative_error
    for name in ("W2", "b2"):
        assert at[1e-1][name].relative_error < 1e-12


def test_what_you_should_see(report):
    says(LESSON, "Forward: an error of about 1e-3, *inconclusive*, and a tenth of it at a tenth")
    says(LESSON, "Central: below 1e-6, a hundredth of it at a tenth of the step")
    for scheme, falls in (("forward", 10), ("central", 100)):
        one, tenth = (report(scheme=scheme, eps=e).relative_error for e in (1e-3, 1e-4))
        assert one / tenth == pytest.approx(falls, rel=0.05)
    assert report(scheme="central", eps=1e-3).relative_error < 1e-6


def test_a_thousand_rounds():
    says(LESSON, "1,000 rounds go 1,000 times as far as one. In float64 that is 2e-13")
    says(LESSON, "it walks on, always the same way")
    says(LESSON, "in float32, with gaps a hundred million times as wide")
    question, far = QUESTIONS["a_thousand_rounds"], {}
    start = np.random.default_rng(0).standard_normal(1000)
    w = start.copy()
    for rounds in range(1, 1001):
        for step in (1e-5, -2e-5, 1e-5):
            w = w + step
        far[rounds] = w - start
    assert np.max(np.abs(far[1000])) == 1000 * np.max(np.abs(far[1]))
    assert np.array_equal(np.sign(far[1000]), np.sign(far[1]))
    assert f"{np.max(np.abs(far[1000])):.0e}" == "2e-13"
    assert question.right == "1,000 times as far as after one round"
    assert np.mean(far[1] != 0) == pytest.approx(3 / 4, abs=0.02)
    assert (
        "three of four weights do not come back"
        in question.choices["at its place: every round brings every weight back"]
    )
    assert pytest.approx(30, rel=0.1) == 1000**0.5
    assert np.finfo("float32").eps / np.finfo("float64").eps > 1e8
