"""What lesson 11 says in prose is what the product computes."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks import QUESTIONS
from gradlab.course.tasks.lstm import cell_backward
from gradlab.lab.board.panels.cuts import CutsPanel
from gradlab.lab.model.settings import LABELS, SETTINGS
from tests.lessons.prose import book, says

LESSON = "11_lstm"
UNTESTED = ["Wh_i", "Wx_f", "Wh_f", "b_f", "Wh_g", "Wh_o"]
GATES = [f"{kind}_{q}" for q in "ifgo" for kind in ("Wx", "Wh", "b")]


@pytest.fixture(scope="module")
def net():
    return gl.lstm(6, 8, 3, seed=0)


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def x(rng):
    return rng.standard_normal((4, 5, 6))


@pytest.fixture(scope="module")
def y():
    return np.array([0, 1, 2, 0, 1])


@pytest.fixture(scope="module")
def lesson():
    """Return what the lesson's first cells define: its functions, run as they stand there."""
    seen = {"__name__": "lesson"}
    for cell in book(LESSON).cells:
        if cell.cell_type == "code" and not cell.source.startswith(("gl.predict", "lab")):
            exec(cell.source, seen)  # noqa: S102 (the lesson's own code)
        if "def loss(theta)" in cell.source:
            return seen
    raise AssertionError("the lesson has no loss(theta)")


@pytest.fixture
def lab(net, x, y):
    return gl.Lab(net, x, y, panels=("tensors", "cuts"), controls=("time_steps", "bug"))


def wrong(net, x, y, bug):
    """Return the tensors whose gradient a bug changes."""
    given, right = gl.bugs.plant(net, bug).gradient(x, y), net.gradient(x, y)
    return [k for k in right if not np.allclose(given[k], right[k], rtol=1e-6, atol=1e-12)]


def test_the_puzzle_and_its_answer(net, x, y):
    """It stands in the first paragraph: the first output is below the first screen."""
    assert "all 14 tensors agree" in book(LESSON).cells[0].source.split("\n\n")[1]
    says(LESSON, "In both all 14 tensors agree with the differences to 1e-7, and six *exactly*")
    says(
        LESSON,
        "it never sends the gradient of the cell state, one of the LSTM's two memories, back in",
    )
    assert "cell state" in str(gl.bugs.describe("lstm_cell_gradient_dropped"))
    numerical, analytic = gl.numerical_gradient(net, x[:1], y), net.gradient(x[:1], y)
    assert [k for k in numerical if np.array_equal(numerical[k], analytic[k])] == UNTESTED
    says(
        LESSON, "These are the six tensors (the four `Wh`, `Wx_f`, `b_f`), 62 % of the parameters."
    )
    assert sum(net.params[k].size for k in UNTESTED) / net.size == pytest.approx(0.62, abs=0.005)
    says(LESSON, "each `Wh` meets $h = 0$, and the forget gate multiplies $c = 0$")
    assert sorted(UNTESTED) == sorted([*(f"Wh_{q}" for q in "ifgo"), "Wx_f", "b_f"])


def test_check_says_inconclusive_at_one_step_and_names_both_blind_spots(net, x, y):
    says(LESSON, "`gl.check` says *inconclusive* at $T = 1$, and names both blind spots.")
    report = gl.check(net, x[:1], y)
    assert report.verdict == "inconclusive"
    text = " ".join(str(report).split())
    assert "the gradient of Wh_i, Wx_f, Wh_f, b_f, Wh_g, Wh_o is exactly 0" in text
    assert "a single time step" in text


def test_the_cell_in_view_is_the_product_s(lesson, net, x, y):
    h = c = np.zeros((5, 8))
    for x_t in x[:2]:
        h, c, cache = lesson["cell"](net.params, x_t, h, c)
    step = list(net.layers[0].steps(net.params, net.prepare(x[:2], y)[0]))[-1]
    for ours, theirs in zip(cache[:4], step[:4], strict=True):
        np.testing.assert_allclose(ours, theirs[..., 0].T, rtol=1e-12)
    np.testing.assert_allclose(h, step.h[..., 0].T, rtol=1e-12)
    lesson["state"][:] = np.zeros((2, 5, 8))
    assert lesson["loss"](net.theta) == pytest.approx(net.loss(x[:2], y), rel=1e-12)
    says(LESSON, "With zeros before each loss, as in `net.loss`, the errors are below 1e-7")
    assert net.loss(x[:2], y) == net.loss(x[:2], y)


def test_a_loss_that_remembers_drifts_and_settles(lesson, net, x, y):
    loss, state = lesson["loss"], lesson["state"]
    state[:] = np.zeros((2, 5, 8))
    calls = [loss(net.theta) for _ in range(40)]
    says(
        LESSON,
        "1.1238 − 1.1356 divided by 2e-5, for the last entry of `by` a slope of some −590, where",
    )
    assert f"{calls[0]:.4f} − {calls[1]:.4f}" == "1.1238 − 1.1356"
    assert round((calls[0] - calls[1]) / 2e-5, -1) == -590
    says(LESSON, "where the gradient is 0.14 (not printed)")
    assert f"{net.gradient(x[:2], y)['by'][-1]:.2f}" == "0.14"
    says(LESSON, "since after a few calls the states have settled")
    assert abs(calls[-1] - calls[-2]) < 1e-9 < abs(calls[4] - calls[3])


def errors_of(lesson, net, x, y, order, eps=1e-5):
    lesson["state"][:] = np.zeros((2, 5, 8))
    n = net.roll(lesson["slopes"](lesson["loss"], net.theta, order, eps))
    a = net.gradient(x[:2], y)
    return {k: float(gl.norm_ratio(a[k].ravel(), n[k].ravel())) for k in a}


def test_the_error_moves_with_the_order_of_the_loop(lesson, net, x, y):
    forward = errors_of(lesson, net, x, y, range(net.size))
    reverse = errors_of(lesson, net, x, y, reversed(range(net.size)))
    says(LESSON, "None of the 14 tensors agrees (four are printed), and the worst is `Wx_i`")
    assert min(forward.values()) > 1e-2
    assert max(forward, key=forward.get) == "Wx_i" == next(iter(net.params))
    says(LESSON, "`by`, the best, is the last")
    assert min(forward, key=forward.get) == "by" == list(net.params)[-1]
    assert max(reverse, key=reverse.get) == "by"
    says(LESSON, "`Wh_f` and `b_o` have nearly the same error in either order, and (not shown) at "
                 "a hundred times the step.")  # fmt: skip
    longer = errors_of(lesson, net, x, y, range(net.size), eps=1e-3)
    for name in ("Wh_f", "b_o"):
        assert forward[name] == pytest.approx(reverse[name], abs=0.01)
        assert forward[name] == pytest.approx(longer[name], abs=0.01)


def test_how_many_steps_show_what(net, x, y, rng):
    says(LESSON, "At $T = 2$ that spoils step 1 only, and there only what leads to $c$: 4 tensors.")
    bug = "lstm_cell_gradient_dropped"
    assert wrong(net, x[:1], y, bug) == []
    assert wrong(net, x[:2], y, bug) == ["Wx_i", "b_i", "Wx_g", "b_g"]
    says(LESSON, "To reach the output gate, the error has to go back one step more, through $h$;")
    assert {"Wx_o", "b_o"} < set(wrong(net, x[:3], y, bug))
    says(LESSON, "and for `Wh_o` yet another, to meet an $h_{t-1}$ that is not 0.")
    assert [k for k in GATES if k not in wrong(net, x[:3], y, bug)] == ["Wh_o"]
    says(LESSON, "**Four steps** show it in all 12 tensors of the gates.")
    assert wrong(net, x, y, bug) == GATES
    for other in gl.bugs.names():
        if other.startswith("lstm"):
            assert wrong(net, x, y, other) == GATES
    says(LESSON, "Two steps show all 100, though some only in part.")
    hidden = [gl.bugs.mystery(seed, net) for seed in range(100)]
    counts = []
    for T in (2, 4):
        right = net.gradient(x[:T], y)
        given = [one.gradient(x[:T], y) for one in hidden]
        counts.append([sum(not np.allclose(a[k], right[k], rtol=1e-6, atol=1e-12) for k in a)
                       for a in given])  # fmt: skip
    assert min(counts[0]) > 0
    assert 10 < sum(two < four for two, four in zip(*counts, strict=True)) < 90
    says(LESSON, "drawn at random (some of them twice)")
    assert len({str(one.reveal()) for one in hidden}) < 100


def test_what_is_left_at_the_first_of_forty_steps(net, y):
    says(LESSON, "$f$ is ½ here, on average")
    says(LESSON, "The product of the $f$ is 2e-12, as it should be.")
    says(LESSON, "the signal falls to 0.62 of itself at each step, not to ½")
    question = QUESTIONS["first_of_forty_steps"]
    rng = np.random.default_rng(0)
    rng.standard_normal((4, 5, 6))  # the lesson draws these before
    for draw in range(4):
        x = rng.standard_normal((40, 5, 6))
        signal = np.linalg.norm(net.cut_gradients(x, y)["input"], axis=(1, 2))
        forget = np.array([s.f for s in net.layers[0].steps(net.params, net.prepare(x, y)[0])])
        assert abs(forget.mean() - 0.5) < 0.05
        left = signal[0] / signal[-1]
        assert 2e-9 < left < 1e-7
        if draw == 0:
            assert question.right == f"about {left:.0e}".replace("e-0", "e-")
            assert f"{left ** (1 / 39):.2f}" == "0.62"
            assert f"{forget[1:].prod(axis=0).mean():.0e}" == "2e-12"
    assert f"about {0.5**39:.0e}" in question.choices
    assert "a factor of 0.8" in question.choices["about 1e-4"]
    assert f"{1e-4 ** (1 / 39):.1f}" == "0.8"


def test_forty_steps_are_no_better_than_four(net, y):
    rng = np.random.default_rng(0)
    rng.standard_normal((4, 5, 6))  # the lesson draws these before
    x = rng.standard_normal((40, 5, 6))
    says(LESSON, "what comes back to the first steps is about as small as the round-off of a "
                 "difference")  # fmt: skip
    round_off = np.finfo(float).eps * net.loss(x, y) / 1e-5
    signal = np.abs(net.cut_gradients(x, y)["input"])
    assert np.median(signal[0]) < 3 * round_off < 1e-6 * np.median(signal[-1])
    says(LESSON, "A backward pass that stops after 35 of the 40 steps makes no tensor ✗")
    assert len(gl.check(net, x, y, analytic=stopped(net, x, y, 35)).wrong) == 0
    says(LESSON, "one that stops after 20 leaves a norm ratio of 1e-5 over all parameters")
    right = net.unroll(net.gradient(x, y))
    assert f"{gl.norm_ratio(net.unroll(stopped(net, x, y, 20)), right):.0e}" == "1e-05"
    np.testing.assert_allclose(net.unroll(stopped(net, x, y, 40)), right, rtol=1e-9, atol=1e-14)


def stopped(net, x, y, after):
    """Return the gradient of a backward pass that goes back over so many steps and no further."""
    steps = [[v[..., 0].T for v in step]
             for step in net.layers[0].steps(net.params, net.prepare(x, y)[0])]  # fmt: skip
    grads = {k: np.zeros_like(v) for k, v in net.params.items()}
    grads |= {k: net.gradient(x, y)[k] for k in ("Wy", "by")}
    dh, dc = net.cut_gradients(x, y)["hidden"], 0.0
    for t in range(len(x) - 1, len(x) - 1 - after, -1):
        i, f, g, o, _, tanh_c, h = steps[t]
        c_before, h_before = (steps[t - 1][4], steps[t - 1][6]) if t else (0 * h, 0 * h)
        *dz, dc = cell_backward(dh, 0.0, dc, (i, f, g, o, c_before, tanh_c))
        dh = 0.0
        for q, d in zip("ifgo", dz, strict=True):
            grads[f"Wx_{q}"] += x[t].T @ d
            grads[f"Wh_{q}"] += h_before.T @ d
            grads[f"b_{q}"] += d.sum(axis=0)
            dh = dh + d @ net.params[f"Wh_{q}"].T
    return grads


def at_steps(lab, verdict):
    """Return the names, such as "c3", that the panel gives that verdict."""
    text = CutsPanel().alt(lab.state.result).split("At the time steps: ")[1].split(". ")[0]
    for part in text.split("; "):
        word, _, names = part.partition(": ")
        if word == verdict:
            return names.split(", ")
    return []


def test_the_first_try(lab):
    says(LESSON, "At c3: h4, c4, x4 and h3 are ✓.")
    lab.state.bug = "lstm_cell_gradient_dropped"
    assert at_steps(lab, "correct") == ["h3", "h4", "c4", "x4"]
    assert "c3 is the first that is wrong" in CutsPanel().alt(lab.state.result)
    says(LESSON, "With 4, 3, 2 steps 12, 11 and 4 tensors are ✗; with one none is, and six are "
                 "*inconclusive*.")  # fmt: skip
    found = []
    for steps in (4, 3, 2, 1):
        lab.state.time_steps = steps
        report = lab.state.result.report
        found.append(len(report.wrong))
    assert found == [12, 11, 4, 0]
    assert [k for k in report if report[k].verdict == "inconclusive"] == UNTESTED
    says(LESSON, "At one step the dropped gradient is *inconclusive* in the six tensors of the "
                 "puzzle and *correct* in the rest.")  # fmt: skip
    assert {report[k].verdict for k in report if k not in UNTESTED} == {"correct"}


def test_the_second_try(lab):
    lab.state.bug = "lstm_sigmoid_as_derivative"
    says(LESSON, "With 4 steps 12 tensors are ✗, and x4 is already:")
    assert list(lab.state.result.report.wrong) == GATES
    assert "x4" in at_steps(lab, "wrong")
    says(LESSON, "With one step only `Wx_i` and `b_i` are ✗.")
    lab.state.time_steps = 1
    assert list(lab.state.result.report.wrong) == ["Wx_i", "b_i"]


def test_what_you_should_see(lab):
    says(LESSON, "Without a bug *correct* at four steps, norm ratios up to 1e-7.")
    report = lab.state.result.report
    assert report.verdict == "correct"
    assert max(report[k].norm_ratio for k in report) < 1e-7
    says(LESSON, "Each of the three bugs is *wrong* in the 12 tensors of the gates")
    for bug in ("lstm_step_overwrites", "lstm_cell_gradient_dropped", "lstm_sigmoid_as_derivative"):
        lab.state.bug = bug
        report = lab.state.result.report
        assert list(report.wrong) == GATES
        assert report["Wy"].verdict == report["by"].verdict == "correct"


def test_overwritten_sums(lab, net, x, y):
    says(LESSON, "All 12 tensors of the gates are wrong, the four `Wh` by 100 %.")
    bug = "lstm_step_overwrites"
    lab.state.bug = bug
    assert list(lab.state.result.report.wrong) == GATES
    for q in "ifgo":
        assert lab.state.result.report[f"Wh_{q}"].norm_ratio == pytest.approx(1)
    assert at_steps(lab, "wrong") == []
    says(LESSON, "what is left is the contribution of the first step, where h is 0, so the four "
                 "`Wh` get 0")  # fmt: skip
    given = gl.bugs.plant(net, bug).gradient(x, y)
    assert not any(given[f"Wh_{q}"].any() for q in "ifgo")
    i, _, g, *_ = (v[..., 0].T for v in next(net.layers[0].steps(net.params, net.prepare(x, y)[0])))
    dz = net.state_gradients(x, y)["c1"] * g * i * (1 - i)
    np.testing.assert_allclose(given["Wx_i"], x[0].T @ dz, rtol=1e-9, atol=1e-15)


def test_the_table_of_what_dl_dx_tells(net, x, y):
    says(
        LESSON, "| right everywhere, tensors wrong | a sum over the steps, or a tensor's own line |"
    )
    says(LESSON, "| right at the last step, wrong before | what is handed on from step to step |")
    says(LESSON, "| wrong at the last step already | what works within a step: a gate's formula |")
    right = net.cut_gradients(x, y)["input"]
    rows = {
        "lstm_step_overwrites": [False] * 4,
        "lstm_cell_gradient_dropped": [True, True, True, False],
        "lstm_sigmoid_as_derivative": [True] * 4,
        "lstm_tanh_twice": [True] * 4,
    }
    for bug, row in rows.items():
        given = gl.bugs.plant(net, bug).cut_gradients(x, y)["input"]
        assert row == [not np.allclose(a, b, rtol=1e-6, atol=1e-12)
                       for a, b in zip(given, right, strict=True)]  # fmt: skip


def test_the_legend_names_the_controls_and_bugs_as_the_lab_does(lab):
    says(LESSON, "| time steps |")
    says(LESSON, "| bug |")
    assert (LABELS["time_steps"], LABELS["bug"]) == ("time steps", "bug")
    titles = [title for title, _ in lab.controls["bug"].options]
    says(LESSON, "*cell state's gradient not carried back*")
    says(LESSON, "*input gate in place of its derivative*")
    says(LESSON, "*each time step overwrites*")
    assert {"cell state's gradient not carried back", "input gate in place of its derivative",
            "each time step overwrites"} < set(titles)  # fmt: skip
    says(LESSON, "Where the signal goes wrong")
    assert CutsPanel.title == "Where the signal goes wrong"
    assert "0 is all" in SETTINGS["time_steps"].tooltip


def test_a_gru_at_one_step_from_zero(rng):
    says(LESSON, "Everything that meets $h_{t-1}$")
    says(LESSON, "and $u$'s gradient through $-h_{t-1}$")
    # h = (1 - u) h0 + u g: with h0 = 0 the slope in u is g alone, and W meets h0 only
    h0, u, g, dh = (rng.standard_normal((5, 8)) for _ in range(4))
    eps = 1e-5
    slope = ((1 - u - eps) * h0 + (u + eps) * g - (1 - u + eps) * h0 - (u - eps) * g) / (2 * eps)
    np.testing.assert_allclose(slope, g - h0, rtol=1e-6, atol=1e-8)
    assert not ((0 * h0).T @ dh).any()


def test_equals_for_plus_equals_cannot_show_at_one_step():
    says(LESSON, "three of the 39 have that in a tensor's line")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 5, 6)), np.array([0, 1, 2, 0, 1])
    net = gl.lstm(6, 8, 3, seed=0)
    right, lines, count = net.unroll(net.gradient(x[:1], y)), [], 0
    for seed in range(100):
        hidden = gl.bugs.mystery(seed, net)
        if np.allclose(hidden.unroll(hidden.gradient(x[:1], y)), right, rtol=1e-6, atol=1e-12):
            count += 1
            lines += [(slip.right, slip.wrong) for slip in hidden.reveal().slips[:1]]
    assert count == len(lines) == 39  # a line that is written four times is one
    same = [good for good, bad in lines if bad == good.replace("+=", "=", 1)]
    assert sum(line[:2] in ("dW", "db") for line in same) == 3
