"""What lesson 09 says is so."""

import inspect

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks import QUESTIONS
from gradlab.course.tasks.culprits import LINES, REPORTS, seen_with, small_network
from gradlab.lab.model.signal import signal_of
from tests.lessons.prose import book, says

LESSON = "09_find_the_bug"
BUG = "missing_activation_derivative"


def cosine(a, n):
    return np.vdot(a, n) / np.linalg.norm(a) / np.linalg.norm(n)


def ratio(a, n):
    return np.vdot(a, n) / np.vdot(n, n)


def norm_ratio(a, n):
    return np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n))


def gradients(bug, layer=None, size=8, **settings):
    """Return the wrong gradient, the right one and the network, on the first examples."""
    net, x, y = small_network(**settings)
    x, y = x[:size], y[:size]
    return gl.bugs.plant(net, bug, layer).gradient(x, y), net.gradient(x, y), net


def factor(bug, **settings):
    """Return the one factor between the wrong and the right gradient, in all tensors."""
    a, n, _ = gradients(bug, **settings)
    c = ratio(a["b1"], n["b1"])
    assert all(np.allclose(a[k], c * n[k], rtol=1e-9, atol=1e-12) for k in n)
    return c


# -- the two curves ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spirals():
    return gl.data.spirals(210, classes=3, seed=0)


def both(seed=0):
    right = gl.mlp([2, 16, 16, 16, 3], activation="sigmoid", seed=seed)
    return right, gl.bugs.plant(right.copy(), BUG, layer=2)


def ends(spirals, rate, seed):
    """Return the losses at the end of the right and of the wrong code."""
    return [
        gl.train(net, *spirals, steps=700, learning_rate=rate, seed=seed, progress=False).loss[-1]
        for net in both(seed)
    ]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_lower_curve_is_the_wrong_codes(spirals, seed):
    """Of every seed: the lesson's is not chosen."""
    says(LESSON, "The curve that falls to nearly 0 belongs to the **wrong** code.")
    says(
        LESSON, "At 1.0 the right code learns the spirals, and the wrong one ends near a loss of 1"
    )
    right, wrong = ends(spirals, 0.1, seed)
    assert wrong < 0.2 < 0.45 < right
    right, wrong = ends(spirals, 1.0, seed)
    assert right < 0.1
    assert 0.5 < wrong < 2.5


def test_both_go_down_and_the_picture_says_what_it_shows(spirals):
    says(LESSON, "Both go down.")
    says(
        LESSON,
        "one has a loss near 0. The other is still at 0.6, and gets about 30 % of the points",
    )
    for net, low, high in zip(both(), (0.5, 0), (0.65, 0.1), strict=True):
        loss = gl.train(net, *spirals, steps=700, progress=False).loss
        share = (net.predict(spirals[0]).argmax(axis=1) == spirals[1]).mean()
        assert f"{share:.1f}" == ("0.7" if low else "1.0")
        assert low < loss[-1] < high < 1.1 < loss[0]
    assert "at the end: 0.0 0.6" in book(LESSON).cells[2].outputs[0].text
    assert "One falls to nearly 0, the other stays above 0.5." in book(LESSON).cells[4].source


def test_training_is_as_the_lesson_tells():
    says(LESSON, "mini-batch training with momentum at a learning rate of 0.1")
    assert inspect.signature(gl.train).parameters["learning_rate"].default == 0.1
    says(LESSON, "that of guessing (ln 3 = 1.1)")
    assert "momentum" in gl.train.__doc__
    assert f"{np.log(3):.1f}" == "1.1"


def test_four_is_no_factor(spirals):
    says(LESSON, "a ratio near 4 and a cosine of 0.999. It looks like a factor of 4, but it")
    says(LESSON, "which is 1/4 at 0 and little less nearby")
    right, wrong = both()
    a, n = wrong.gradient(*spirals), right.gradient(*spirals)
    for name in ("W1", "b1", "W2", "b2"):
        assert ratio(a[name], n[name]) == pytest.approx(4, abs=0.2)
        assert f"{cosine(a[name], n[name]):.3f}" == "0.999"
        assert not np.allclose(a[name], 4.1 * n[name], rtol=1e-2, atol=0)
    o2 = right.cut_activations(spirals[0])["a2"]
    slope = o2 * (1 - o2)
    assert slope.max() <= 0.25
    assert slope.min() > 0.18


@pytest.mark.soak
def test_most_bugs_train():
    says(LESSON, "Of 27 bugs of the museum, planted one at a time in a small network for two moons")
    says(LESSON, "about 20 train to more than 95 % on new points")
    needs = {
        "missing_factor_2": {"loss": "mse"}, "mean_over_outputs": {"loss": "mse"},
        "relu_masks_by_gradient": {"activation": "relu"},
        "leaky_slope_dropped": {"activation": "leaky_relu"},
    }  # fmt: skip
    (x, y), (new_x, new_y) = gl.data.moons(200, seed=0), gl.data.moons(1000, seed=1)
    told = []
    for bug in gl.bugs.names():
        more = needs.get(bug, {})
        more |= {"l2": 1e-2} if "l2" in bug else {}
        more |= {"dropout_rate": 0.3} if "dropout" in bug else {}
        net = gl.mlp([2, 16, 16, 2], weight_scale=0.5, seed=0, **more)
        if bug in gl.bugs.names(net):
            net = gl.bugs.plant(net, bug)
            targets = np.eye(2)[y] if "mse" in more.values() else y
            gl.train(net, x, targets, steps=500, progress=False)
            told.append((net.predict(new_x).argmax(axis=1) == new_y).mean())
    assert len(told) == 27
    assert 17 <= sum(share > 0.95 for share in told) <= 22


# -- by hand -----------------------------------------------------------------------------------


def test_the_exercises_network_is_the_lessons():
    told = next(c for c in book(LESSON).cells if "decayed = " in c.source).outputs[0].text
    for bug in ("flipped_sign", "missing_1_over_n"):
        a, n, _ = gradients(bug, l2=0.1)
        part = told.split(bug)[1]
        for name in n:
            pair = ratio(a[name], n[name]), cosine(a[name], n[name])
            assert f"{name}  ratio {pair[0]:6.2f}  cosine {pair[1]:6.3f}" in part


def test_five_bugs_share_three_numbers():
    says(LESSON, "Five bugs, three numbers.")
    says(
        LESSON,
        "8, 0.125, −1 and 2 for the first four above (2: the gradient of the call before was",
    )
    bugs = ("missing_1_over_n", "double_1_over_n", "flipped_sign", "accumulated_gradients")
    assert [factor(bug) for bug in bugs] == pytest.approx([8, 0.125, -1, 2])
    _, n, _ = gradients("flipped_sign")
    wrong = [c * n["W1"] for c in (8, 0.125, -1, 2, 0)]
    assert len({f"{norm_ratio(a, n['W1']):.3f}" for a in wrong}) == 3


def test_factors_stand_in_the_biases():
    says(LESSON, "The biases have no L2, and there all is plain: 8 and 1.000.")
    says(LESSON, "With a flipped sign the biases have −1 and −1")
    says(LESSON, "the weights look like anything but a flipped sign")
    for bug, c in (("flipped_sign", -1), ("missing_1_over_n", 8)):
        a, n, _ = gradients(bug, l2=0.1)
        for name in ("b1", "b2", "b3"):
            assert ratio(a[name], n[name]) == pytest.approx(c)
            assert abs(cosine(a[name], n[name])) == pytest.approx(1)
    told = [f"{ratio(a[k], n[k]):.2f}" for k in ("W1", "W2", "W3")]
    assert (min(told), max(told)) == ("3.57", "4.41")
    assert all(cosine(a[k], n[k]) < 0.9 for k in ("W1", "W2", "W3"))
    assert QUESTIONS["ratios_with_l2"].right == "between 3.5 and 4.5"


def test_l2_is_about_as_long_as_the_datas_part():
    says(LESSON, r"λ is small, but so is $d$: $\lambda W$ is a little longer.")
    says(LESSON, "About half of $n$ comes out eight times too large and half comes out right")
    question = QUESTIONS["ratios_with_l2"]
    assert "λW is more than ten times as long" in question.choices["between 1 and 1.5"]
    for l2, low, high in ((0.1, 1, 1.6), (1, 10, 16)):
        a, n, net = gradients("missing_1_over_n", l2=l2)
        for name in ("W1", "W2", "W3"):
            decay = l2 * net.params[name]
            assert low < np.linalg.norm(decay) / np.linalg.norm(n[name] - decay) < high
            assert a[name] == pytest.approx(8 * (n[name] - decay) + decay)
            least, most = (3.5, 4.5) if l2 == 0.1 else (1, 1.5)
            assert least < ratio(a[name], n[name]) < most


def test_the_sign_of_the_cosine_tells_which_part_is_longer():
    says(LESSON, "the sign of the cosine only tells which part is longer")
    for l2 in (0.01, 0.1, 1.0):
        a, n, net = gradients("flipped_sign", l2=l2)
        for name in ("W1", "W2", "W3"):
            decay = l2 * net.params[name]
            d = n[name] - decay
            assert a[name] == pytest.approx(decay - d)
            assert np.vdot(a[name], n[name]) == pytest.approx(np.sum(decay**2) - np.sum(d**2))


# -- the four questions ------------------------------------------------------------------------


def test_everything_wrong_by_a_factor():
    says(LESSON, "a factor in the biases: N, 1/N, −1, 2, ½, 1/K")
    says(
        LESSON,
        "1/N missing; 1/N twice; sign; gradients not reset between calls; the 2 of the mean "
        "squared error missing; its sum over K outputs made a mean",
    )
    assert factor("missing_factor_2", loss="mse") == pytest.approx(1 / 2)
    assert factor("mean_over_outputs", loss="mse") == pytest.approx(1 / 3)
    assert factor("missing_1_over_n", size=5) == pytest.approx(5)


def test_everything_wrong_and_no_factor():
    says(LESSON, "1: the label is not subtracted. 1/N − 1: softmax runs over")
    for size in (2, 8):
        for bug, total in (("missing_label", 1), ("softmax_over_batch", 1 / size - 1)):
            a, n, _ = gradients(bug, size=size)
            assert n["b3"].sum() == pytest.approx(0, abs=1e-12)
            assert a["b3"].sum() == pytest.approx(total)
            assert all(norm_ratio(a[k], n[k]) > 1e-3 for k in n)


def test_l2_is_along_the_weights():
    says(LESSON, "−λ: missing. +λ: doubled. −2λ: negated. (1/N − 1)λ: divided by N")
    for bug, c in (
        ("missing_l2", -1),
        ("doubled_l2", 1),
        ("negated_l2", -2),
        ("l2_over_n", -7 / 8),
    ):
        a, n, net = gradients(bug, l2=0.1)
        for name in n:
            expected = c * 0.1 * net.params[name] if name[0] == "W" else 0
            assert a[name] - n[name] == pytest.approx(expected, abs=1e-12)


def test_l2s_own_line_in_one_layer():
    """It looks like a line of the tensor's own, but it is right without L2."""
    says(LESSON, "One alone: L2's line if it is right without L2, else 3.")
    says(LESSON, "(1 − λ)W: λ is forgotten. Not along W, though right without L2: a bracket")
    net, x, y = small_network(l2=0.1)
    n, data = net.gradient(x, y), net.replace(l2=0.0).gradient(x, y)
    for seed, name in ((6, "W3"), (38, "W2")):
        W, hidden = net.params[name], gl.bugs.mystery(seed, net)
        bracket = f"(data_d{name} + lam) * {name}"
        forgotten = f"data_d{name} + {name}"
        assert hidden.reveal().slips[0].wrong in (f"d{name} = {bracket}", f"d{name} = {forgotten}")
        a = hidden.gradient(x, y)
        assert [k for k in n if norm_ratio(a[k], n[k]) > 1e-9] == [name]
        delta = a[name] - n[name]
        if bracket in hidden.reveal().slips[0].wrong:
            assert a[name] == pytest.approx((data[name] + 0.1) * W)
            assert abs(np.vdot(delta, W)) < 0.9 * np.linalg.norm(delta) * np.linalg.norm(W)
        else:
            assert delta == pytest.approx((1 - 0.1) * W)
        assert hidden.replace(l2=0.0).gradient(x, y)[name] == pytest.approx(data[name])
    says(LESSON, r"(Biases alone, all of them: L2 on the biases, $a - n = \lambda b$)")
    a = gl.bugs.plant(net, "l2_on_biases").gradient(x, y)
    for k in n:
        assert a[k] - n[k] == pytest.approx(0.1 * net.params[k] * (k[0] == "b"), abs=1e-12)


def test_a_printed_report_names_the_line_of_a_mystery():
    says(LESSON, "Go by the verdicts: `print(gl.check(…))` would name the line.")
    says(
        LESSON, "`gl.bugs.mystery(seed, net)` returns `net` with a wrong line that only `reveal()`"
    )
    net, x, y = small_network()
    for seed in range(5):
        hidden = gl.bugs.mystery(seed, net)
        report = str(gl.check(hidden, x, y))
        assert "\nCause: " in report
        assert "\n    wrong  " in report


def test_a_cut_in_code_of_your_own():
    says(LESSON, "In code of your own a cut is `gl.check_function(rest, signal, o.ravel())`")
    says(LESSON, "`net.cut_gradients(x, y)` returns the signals by name")
    net, x, y = small_network()
    o = net.cut_activations(x)["a2"]

    def rest(vector):
        z = vector.reshape(o.shape) @ net.params["W3"] + net.params["b3"]
        return np.mean(np.log(np.exp(z).sum(axis=1)) - z[range(len(y)), y])

    for one, verdict in ((net, "correct"), (gl.bugs.plant(net, "missing_1_over_n"), "wrong")):
        signal = one.cut_gradients(x, y)["a2"].ravel()
        assert gl.check_function(rest, signal, o.ravel()).verdict == verdict


def test_one_tensor_alone():
    says(
        LESSON, "ratio 1/N at every N, a mean in place of a sum; one factor at every N, a number in"
    )
    says(LESSON, "in a bias all entries equal, a sum without its axis. No factor: another array")
    for layer in (1, 2, 3):
        for bug in ("bias_mean", "bias_summed_without_axis"):
            a, n, _ = gradients(bug, layer)
            mine = f"b{layer}"
            assert [k for k in n if norm_ratio(a[k], n[k]) > 1e-9] == [mine]
            if bug == "bias_mean":
                assert a[mine] == pytest.approx(n[mine] / 8)
            else:
                assert np.ptp(a[mine]) == pytest.approx(0, abs=1e-12)


def test_everything_below_a_point():
    says(LESSON, "activation, dropout, or the layer above, which hands its signal down.")
    net, x, y = small_network(dropout_rate=0.3)
    masks = net.draw_masks(len(x), np.random.default_rng(0))
    for bug, layer, step in ((BUG, 1, "Activation"), ("missing_dropout_mask", 1, "Mask"),
                             ("missing_transpose", 2, "Dense(W2")):  # fmt: skip
        wrong = gl.bugs.plant(net, bug, layer)
        assert gl.check(wrong, x, y, masks=masks).wrong == ["W1", "b1"]
        assert gl.bisect(wrong, x, y, masks=masks).step.startswith(step)


# -- one example -------------------------------------------------------------------------------


def test_what_one_example_does_not_see():
    says(LESSON, "`decayed`, the network with L2, can have 20 bugs of the museum.")
    says(LESSON, "Five bugs have exactly the right gradient there. With two examples none is left.")
    net, _, _ = small_network(l2=0.1)
    names = gl.bugs.names(net)
    assert len(names) == 20
    for size, unseen in ((1, 5), (2, 0), (8, 0)):
        same = []
        for bug in names:
            a, n, _ = gradients(bug, size=size, l2=0.1)
            same.append(all(norm_ratio(a[k], n[k]) < 1e-12 for k in n))
        assert sum(same) == unseen


def left_out(net, x, y):
    """Return the gradient without each example's share, the right one, and the mean's length."""
    each = np.array([net.unroll(net.gradient(x[k : k + 1], y[k : k + 1])) for k in range(len(x))])
    n = each.mean(axis=0)
    assert np.allclose(n, net.unroll(net.gradient(x, y)))
    return n - each / len(x), n, np.linalg.norm(n) / np.linalg.norm(each, axis=1).mean()


def test_one_example_of_two_hundred():
    says(LESSON, "their mean has less than a tenth of the length of one")
    says(LESSON, "Nor is 199/200 a factor: the cosine is not 1.")
    question, (net, _, _) = QUESTIONS["one_of_two_hundred"], small_network()
    assert f"{(1 - 199 / 200) / (1 + 199 / 200):.4f}" == "0.0025"
    for seed in range(3):
        rng = np.random.default_rng(seed)
        a, n, length = left_out(net, rng.standard_normal((200, 5)), rng.integers(0, 3, 200))
        errors = [norm_ratio(one, n) for one in a]
        assert question.right == "about 0.03"
        assert 0.02 < np.mean(errors) < 0.04
        assert 0.01 < min(errors) < max(errors) < 0.07
        assert length < 0.12
        assert np.mean([cosine(one, n) for one in a]) < 0.999
    shown = next(c for c in book(LESSON).cells if "many_x" in c.source).outputs[0].text
    assert "N = 200: norm ratio 0.03, cosine 0.998; n is 0.08 times" in shown
    assert "N =   2: norm ratio 0.39" in shown  # "So it is for one example of two."
    assert "So it is for one example of two." in question.choices["about 0.4"]


def test_data_with_structure_cancel_less():
    says(LESSON, "Data with structure cancel less: with 200 points of moons it is 0.005.")
    for seed in range(3):
        a, n, _ = left_out(gl.mlp([2, 16, 16, 2], seed=seed), *gl.data.moons(200, seed=0))
        assert 0.004 < np.mean([norm_ratio(one, n) for one in a]) < 0.0065


def test_many_examples_hide_a_lambda_over_n():
    says(LESSON, r"leaves $a - n = -0.995\,\lambda W$ for N = 200")
    says(LESSON, "For N = 2 it is −0.5.")
    net, _, _ = small_network(l2=0.1)
    rng = np.random.default_rng(0)
    for size, told in ((200, -0.995), (2, -0.5)):
        x, y = rng.standard_normal((size, 5)), rng.integers(0, 3, size)
        a, n = gl.bugs.plant(net, "l2_over_n").gradient(x, y), net.gradient(x, y)
        assert a["W1"] - n["W1"] == pytest.approx(told * 0.1 * net.params["W1"], abs=1e-12)


def test_one_example_shows_the_factor_unit_by_unit():
    says(LESSON, "a/n *is* the wrong factor over the right one, unit by unit")
    net, x, _ = small_network()
    a, n, _ = gradients(BUG, 1, size=1)
    o1 = np.tanh(x[0] @ net.params["W1"] + net.params["b1"])
    assert a["b1"] / n["b1"] == pytest.approx(1 / (1 - o1**2))
    a, n, _ = gradients("activation_as_derivative", 1, size=1)
    assert a["b1"] / n["b1"] == pytest.approx(o1 / (1 - o1**2))


# -- the lab -----------------------------------------------------------------------------------


@pytest.fixture
def state():
    return gl.Lab(data="iris", hidden=(6, 6), examples=8, panels=("measures", "cuts")).state


def shown(state):
    report = state.result.report
    return {name: (report[name].ratio, report[name].cosine) for name in report}


def test_the_names_are_those_of_the_lab():
    says(LESSON, "Choose the bug *the sign is flipped*")
    says(LESSON, "*the 2 of the square is missing* and *divided by the number of outputs*")
    titles = [
        gl.bugs.describe(bug).title
        for bug in ("flipped_sign", "missing_factor_2", "mean_over_outputs")
    ]
    assert titles == [
        "the sign is flipped", "the 2 of the square is missing", "divided by the number of outputs"
    ]  # fmt: skip


def test_the_legend(state):
    says(LESSON, "moons has K = 2 outputs, iris 3")
    says(LESSON, "loss per squared weight, 1e-6 … 1e5, logarithmic")
    from gradlab.lab.model.settings import RANGES

    assert RANGES["l2"] == (1e-6, 1e5)
    assert RANGES["examples"] == (1, 200)
    assert len(state.result.report["b3"].analytic) == 3
    state.data = "moons"
    assert len(state.result.report["b3"].analytic) == 2


def test_the_mystery(state):
    says(LESSON, "one of five lines is written wrongly")
    says(LESSON, "W3 and b3 are right, all below is wrong")
    says(LESSON, "No cosine is 1, so it is no factor.")
    says(LESSON, "the signal is right at the output and wrong at a2 already, before tanh")
    says(LESSON, "it has `dW3` where `W3` belongs")
    mystery = state.new_mystery(6)
    assert len(mystery.choices) == 5
    says(LESSON, "which line, and which tensor (of several wrong ones, that nearest the loss)?")
    assert state.result.report.wrong == ["W1", "b1", "W2", "b2"]
    assert all(abs(shown(state)[name][1]) < 0.7 for name in ("W1", "b1", "W2", "b2"))
    cuts = {name: str(cut.verdict) for name, cut in signal_of(state.result).cuts.items()}
    assert (cuts["output"], cuts["a2"]) == ("correct", "wrong")
    assert [slip.wrong for slip in mystery.secret.slips] == ["da2 = dlogits @ dW3.T"]


def test_lambda_turns_the_cosines_of_the_weights(state):
    says(LESSON, "The cosines of the weights go from −1 to 1, while those of the biases stay at −1")
    says(LESSON, "near −1 for λ = 0.01 and near 1 for λ = 10, −1 in every bias both times")
    says(LESSON, "drag λ from 1e-2 to 10")
    for l2, sign in ((1e-2, -1), (10, 1)):
        state.update(bug="flipped_sign", use_l2=True, l2=l2)
        for name, (_, told) in shown(state).items():
            right = sign if name[0] == "W" else -1
            assert told == pytest.approx(right, abs=0.01 if name[0] == "W" else 1e-6)


def test_which_knob_parts_a_half_from_a_half(state):
    says(LESSON, "On iris the ratios are 0.5 and 0.333")
    says(LESSON, "On moons both are 0.5.")
    says(LESSON, "With two examples 1/N twice gives 0.5 as well")
    for data, size, bug, told in (
        ("iris", 8, "missing_factor_2", 1 / 2), ("iris", 8, "mean_over_outputs", 1 / 3),
        ("moons", 8, "missing_factor_2", 1 / 2), ("moons", 8, "mean_over_outputs", 1 / 2),
        ("moons", 2, "double_1_over_n", 1 / 2), ("moons", 8, "double_1_over_n", 1 / 8),
    ):  # fmt: skip
        state.update(loss="mse", data=data, examples=size, bug=bug)
        assert {round(one, 6) for one, _ in shown(state).values()} == {round(told, 6)}


def test_one_example_in_the_lab(state):
    says(LESSON, "with 1/N missing and a single example: *correct*, every tensor")
    state.update(bug="missing_1_over_n", examples=1)
    assert state.result.report.verdict == "correct"
    state.examples = 2
    assert state.result.report.verdict == "wrong"


# -- what no signature tells -------------------------------------------------------------------


def test_what_no_signature_tells():
    says(LESSON, "one that is never computed give the same report")
    says(LESSON, "(under softmax that sum is 0)")
    says(LESSON, "give the right gradient at the second call")
    says(LESSON, "Factors of ½, 1, 1½ in everything, call by call.")
    a, n, _ = gradients("bias_summed_without_axis", 3)
    assert a["b3"] == pytest.approx(0, abs=1e-12)
    half, n, _ = gradients("missing_factor_2", loss="mse")
    for call, told in ((1, 0.5), (2, 1.0), (3, 1.5)):
        assert all(call * half[k] == pytest.approx(told * n[k]) for k in n)


def test_small_weights_hide_a_missing_derivative():
    says(LESSON, "with small weights tanh is almost a straight line")
    net, x, y = small_network()
    net.theta = 1e-3 * net.theta
    a, n = gl.bugs.plant(net, BUG).gradient(x, y), net.gradient(x, y)
    assert max(norm_ratio(a[k], n[k]) for k in n) < 1e-4


# -- the exercise's table ----------------------------------------------------------------------


def test_the_six_reports():
    says(LESSON, "| **A** | 4.06, 0.791 | 8, 1.000 | 4.41, 0.814 | 8, 1.000 | 3.57, 0.838 "
                 "| 8, 1.000 | 0.00 | ✗, ✗ |")  # fmt: skip
    says(LESSON, "| **B** | −0.124, −0.137 | ✓ | −0.0247, −0.027 | ✓ | −0.266, −0.372 | ✓ | 0.00 "
                 "| ✓, ✓ |")  # fmt: skip
    says(LESSON, "| **C** | 0.2, 0.193 | −1.04, −0.429 | 0.393, 0.339 | 0.242, 0.078 "
                 "| 0.687, 0.682 | 0.16, 0.066 | 1.00 | ✗, ✗ |")  # fmt: skip
    says(LESSON, "| **D** | ✓ | ✓ | ✓ | 0.125, 1.000 | ✓ | ✓ | 0.00 | ✓, ✓ |")
    says(LESSON, "| **E** | 0.45, 0.349 | 0.89, 0.617 | ✓ | ✓ | ✓ | ✓ | 0.00 | ✓, ✗ |")
    says(LESSON, "| **F** | 1.04, 0.995 | 1.01, 0.999 | ✓ | ✓ | ✓ | ✓ | 0.00 | ✓, ✓ |")
    museum = {"A": ("missing_1_over_n", None), "B": ("negated_l2", None),
              "C": ("missing_label", None), "D": ("bias_mean", 2), "E": ("missing_transpose", 2),
              "F": ("activation_derivative_at_output", 1)}  # fmt: skip
    text = next(c.source for c in book(LESSON).cells if "**culprits.**" in c.source)
    rows = [row.split("|")[1:-1] for row in text.splitlines() if row.startswith("| **")]
    table = {row[0].strip(" *"): row[1:] for row in rows}
    net, x, y = small_network(l2=0.1)
    for letter, (bug, layer) in museum.items():
        wrong = gl.bugs.plant(net, bug, layer)
        a, n = wrong.gradient(x, y), net.gradient(x, y)
        for name, cell in zip(n, table[letter], strict=False):
            told = f"{ratio(a[name], n[name]):.3g}, {cosine(a[name], n[name]):.3f}"
            is_right = norm_ratio(a[name], n[name]) < 1e-12
            assert cell.strip() == ("✓" if is_right else told.replace("-", "−"))
        assert table[letter][6].strip() == f"{abs(a['b3'].sum()):.2f}"
        signals = zip(("a2", "a1"), table[letter][7].split(","), strict=True)
        for cut, sign in signals:
            pair = wrong.cut_gradients(x, y)[cut], net.cut_gradients(x, y)[cut]
            assert sign.strip() == ("✓" if norm_ratio(*pair) < 1e-12 else "✗")


def test_the_listing_has_the_lines_that_are_tried():
    text = next(c.source for c in book(LESSON).cells if "**culprits.**" in c.source)
    for number, line in LINES.items():
        assert f"{number}  {line.split(' for ')[0]}" in text
    told = [repr(seen_with(number)) for number in LINES]
    assert len(set(told)) == len(LINES)
    assert set(REPORTS.values()) < set(LINES)


def test_the_sum_of_the_output_biases_gradient_tells_what_is_wrong_with_p():
    says(LESSON, "0 for right code, and for wrong exponentials, since p still adds up to 1. 1: the")
    rng = np.random.default_rng(0)
    logits, t = rng.standard_normal((8, 3)), np.eye(3)[rng.integers(0, 3, 8)]
    for e in (np.exp(logits), 1 / (1 + np.exp(-logits)), np.exp(2 * logits)):
        p = e / e.sum(axis=1, keepdims=True)
        assert abs(((p - t) / 8).sum()) < 1e-12
    assert abs((p / 8).sum() - 1) < 1e-12


def test_with_two_outputs_the_biases_cosine_says_nothing():
    says(
        LESSON, "the gradient of the output bias is (d, −d): its cosine is 1 or −1 whatever the bu"
    )
    rng = np.random.default_rng(0)
    logits, t = rng.standard_normal((8, 2)), np.eye(2)[rng.integers(0, 2, 8)]
    e = np.exp(logits)
    n = (e / e.sum(axis=1, keepdims=True) - t).mean(axis=0)
    for wrong in (1 / (1 + np.exp(-logits)), np.exp(logits / 3), np.exp(-logits)):
        a = (wrong / wrong.sum(axis=1, keepdims=True) - t).mean(axis=0)
        assert abs(a @ n) > (1 - 1e-9) * np.linalg.norm(a) * np.linalg.norm(n)


def test_a_gradient_39_times_too_small_has_that_norm_ratio():
    says(LESSON, "all signs are right and the norm ratio is 0.95.")
    says(LESSON, "39 times: from (1 − c)/(1 + c) = 0.95 comes 1/c = 1.95/0.05")
    n = np.array([3.0, -4.0])
    assert gl.norm_ratio(n / 39, n) == pytest.approx(0.95)
    assert round(1.95 / 0.05, 9) == 39
