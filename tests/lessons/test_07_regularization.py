"""What lesson 07 says in prose holds."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.tasks import QUESTIONS
from gradlab.lab import LabState
from tests.lessons.prose import book, says

LESSON = "07_regularization"
WEIGHTS, BIASES = ["W1", "W2", "W3"], ["b1", "b2", "b3"]


@pytest.fixture(scope="module")
def data():
    return gl.data.moons(30, seed=0)


def mlp(l2=0.0):
    return gl.mlp([2, 16, 16, 2], weight_scale=0.5, seed=0, l2=l2)


def parts(net, data):
    """Return g and the weights, as vectors of all parameters."""
    w = {name: v * (name[0] == "W") for name, v in net.params.items()}
    return net.unroll(net.gradient(*data)), net.unroll(w)


def ratio(lam, program, data, net=None):
    """Return the norm ratio of a program's gradient at lambda, against the exact one."""
    g, w = parts(net or mlp(), data)
    a = {"flipped": -g + lam * w, "missing": g, "doubled": g + 2 * lam * w}[program]
    return gl.norm_ratio(a, g + lam * w)


def test_the_puzzle_stands_in_the_first_paragraph(data):
    """So that its numbers are on the first screen: the first output is further down."""
    shown = "At λ = 1e-6 the norm ratios ‖a − n‖ / (‖a‖ + ‖n‖) of A and C are 3e-6 and 1; at λ ="
    opening = book(LESSON).cells[0].source.split("\n\n")[1]
    assert f"{shown} 10,000 they are 1 and 2e-5." in opening
    for lam, numbers in ((1e-6, ["3e-06", "1e+00"]), (1e4, ["1e+00", "2e-05"])):
        assert [f"{ratio(lam, one, data):.0e}" for one in ("missing", "flipped")] == numbers


def test_the_table_does_not_tell_which_is_which():
    """Its columns are letters; the next cell, folded, has their names."""
    table, names = (cell for cell in book(LESSON).cells if "shuffled" in cell.source)
    printed = table.outputs[0].text
    assert printed.splitlines()[0].split() == ["lambda", "A", "B", "C", "D"]
    assert not any(word in printed for word in ("right", "flipped", "missing", "doubled"))
    told = names.outputs[0].text.splitlines()
    assert [line.split(";")[0] for line in told] == [
        "A is missing", "B is right", "C is flipped", "D is doubled",
    ]  # fmt: skip
    says(LESSON, "B alone is near 0 in every line.")
    says(LESSON, "the flipped sign, C, is as plain as can be, and a missing penalty, A, is 3e-6")


def test_the_seesaw(data):
    says(LESSON, "penalty, A, is 3e-6. At 1e4 it is the other way round. In between all are seen")
    says(LESSON, "but 0.7 and 0.4 do not say which part is wrong")
    assert f"{ratio(1e-6, 'missing', data):.0e} {ratio(1e-6, 'flipped', data):.1f}" == "3e-06 1.0"
    assert f"{ratio(1e4, 'missing', data):.1f} {ratio(1e4, 'flipped', data):.0e}" == "1.0 2e-05"
    found = [ratio(0.17, name, data) for name in ("flipped", "missing")]
    assert [f"{one:.1f}" for one in found] == ["0.7", "0.4"]
    says(LESSON, "A limit of 1e-4 lets three of the four pass at 1e-6.")
    at_small = [ratio(1e-6, name, data) < 1e-4 for name in ("flipped", "missing", "doubled")]
    assert at_small == [False, True, True]  # and the right one


def test_the_two_formulas_and_the_middle(data):
    says(LESSON, "| sign flipped, a − n = −2g | 1 | 2‖g‖ / (2λ‖W‖): small |")
    says(LESSON, "| penalty missing, a − n = −λW | λ‖W‖ / (2‖g‖): small | 1 |")
    says(LESSON, "the two parts of the gradient are equally long, λ‖W‖ = ‖g‖: here at λ = 0.17")
    assert ratio(1e-6, "flipped", data) > 0.999
    assert ratio(1e4, "missing", data) > 0.999
    g, w = (np.linalg.norm(part) for part in parts(mlp(), data))
    assert f"{g / w:.2f}" == "0.17"
    for lam in (1e2, 1e4):
        assert np.isclose(ratio(lam, "flipped", data), g / (lam * w), rtol=0.01)
    for lam in (1e-6, 1e-3):
        assert np.isclose(ratio(lam, "missing", data), lam * w / (2 * g), rtol=0.01)


def test_right_code_looks_wrong_if_the_numerical_loss_lacks_the_term(data):
    says(LESSON, "If the *numerical* loss lacks the term, right code looks wrong")
    lab = LabState(use_l2=True, l2=0.1, l2_in_loss=False)
    assert lab.result.report.wrong == WEIGHTS


def test_round_off_of_the_loss_reaches_the_biases(data):
    says(LESSON, "about 1e-16 of it, divided by the step: 1e-16 · 4.2e5 / 1e-5 = 4e-6.")
    says(LESSON, "their norm ratios are now some 1e-5")
    says(LESSON, "grown half a million times")
    small, large = mlp(), mlp(1e4)
    assert np.isclose(large.loss(*data) / small.loss(*data), 5e5, rtol=0.1)
    assert f"{large.loss(*data):.1e} {1e-16 * 4.2e5 / 1e-5:.0e}" == "4.2e+05 4e-06"
    for name in BIASES:
        assert np.allclose(small.gradient(*data)[name], large.gradient(*data)[name])
        assert gl.check(small, *data, eps=1e-5)[name].norm_ratio < 1e-9
        n = gl.numerical_gradient(large, *data, eps=1e-5)[name]
        off = np.abs(large.gradient(*data)[name] - n)
        assert off.max() < 5 * np.finfo(float).eps * large.loss(*data) / 1e-5
        assert 1e-6 < gl.check(large, *data, eps=1e-5)[name].norm_ratio < 1e-4
    for name in WEIGHTS:
        assert gl.check(large, *data, eps=1e-5)[name].norm_ratio < 1e-8


def test_the_flipped_sign_is_seen_in_the_biases(data):
    says(LESSON, "The weights' norm ratios are 4e-5 and less.")
    report = gl.check(gl.bugs.plant(mlp(1e4), "flipped_sign"), *data, eps=1e-5)
    assert f"{max(report[name].norm_ratio for name in WEIGHTS):.0e}" == "4e-05"
    assert all(f"{report[name].norm_ratio:.1f}" == "1.0" for name in BIASES)
    says(LESSON, "is seen in the biases, at these λ and all between")
    for lam in (0.0, 1e-6, 1e-2, 1.0, 1e2, 1e5):
        report = gl.check(gl.bugs.plant(mlp(lam), "flipped_sign"), *data, eps=1e-5)
        assert all(report[name].norm_ratio > 0.99 for name in BIASES)


def test_l2_on_the_biases_needs_biases(data):
    says(LESSON, "The biases of a fresh network are 0, and so is λb")
    says(LESSON, "for any λ. After a single step of training, all three biases are *wrong*.")
    for lam in (1e-3, 0.1, 1e3):
        net = gl.bugs.plant(mlp(lam), "l2_on_biases")
        right = mlp(lam).gradient(*data)
        assert all(
            np.allclose(v, right[k], rtol=1e-12, atol=1e-15) for k, v in net.gradient(*data).items()
        )
    net = gl.bugs.plant(mlp(0.1), "l2_on_biases")
    gl.train(net, *data, steps=1, progress=False)
    assert gl.check(net, *data).wrong == BIASES


@pytest.mark.parametrize(
    ("l2", "middle", "flipped"), [(0.0, "3e-05", "3e-03"), (0.01, "1e-02", "1e+00")]
)
def test_training_moves_the_middle(data, l2, middle, flipped):
    says(
        LESSON,
        "‖g‖ / ‖W‖ is 3e-5, λ = 0.01 is far beyond the middle, and the flipped sign has 3e-3",
    )
    says(LESSON, "In it ‖g‖ is 0.01 ‖W‖: the two parts, g and λW, are equally long.")
    net = mlp(l2)
    gl.train(net, *data, steps=2000, progress=False)
    net = net.replace(l2=0.0)
    g, w = (np.linalg.norm(part) for part in parts(net, data))
    assert f"{g / w:.0e}" == middle
    assert f"{ratio(0.01, 'flipped', data, net):.0e}" == flipped


def test_the_difference_is_exact(data):
    says(LESSON, "the norm ratio of the two differences is about 2e-12, with a step of 1e-3. (L2")
    g, w = parts(mlp(), data)
    n = [net.unroll(gl.numerical_gradient(net, *data, eps=1e-3)) for net in (mlp(), mlp(1.0))]
    assert gl.norm_ratio((g + w) - g, n[1] - n[0]) < 1e-11


def state(**settings):
    return LabState(use_l2=True, measure="norm_ratio", **settings)


def ratios(lab):
    return {name: t.norm_ratio for name, t in lab.result.report.tensors.items()}


def test_what_you_should_see():
    says(LESSON, "*wrong*, in every tensor, though the norm ratios of the weights are below 1e-4")
    lab = state(l2=1e4, bug="flipped_sign")
    assert lab.result.report.wrong == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert all(ratios(lab)[name] < 1e-4 for name in WEIGHTS)
    says(
        LESSON, "With the penalty in one of the two gradients only: *wrong* in the weights, *corre"
    )
    says(LESSON, "*correct* in the biases. With it in neither: *correct*.")
    for settings in ({"l2_in_gradient": False}, {"l2_in_loss": False}):
        report = state(l2=0.1, **settings).result.report
        assert report.wrong == WEIGHTS
        assert all(report[name].verdict == "correct" for name in BIASES)
    lab = state(l2=0.1, l2_in_gradient=False, l2_in_loss=False)
    assert lab.result.report.verdict == "correct"


def test_try_1():
    says(LESSON, "`W1`, `W2`, `W3` come down, `b1`, `b2`, `b3` stay at 1.")
    says(LESSON, "`W2` has 1 for λ = 1e-3, 0.08 for λ = 1, 8e-4 for λ = 100 and 8e-6 for λ = 1e4.")
    found = {lam: ratios(state(l2=lam, bug="flipped_sign")) for lam in (1e-3, 1.0, 1e2, 1e4)}
    assert all(at[name] > 0.99 for at in found.values() for name in BIASES)
    for name in WEIGHTS:
        down = [at[name] for at in found.values()]
        assert down == sorted(down, reverse=True)
    assert [f"{at['W2']:.0e}" for at in found.values()] == ["1e+00", "8e-02", "8e-04", "8e-06"]
    without = LabState(use_l2=False, bug="flipped_sign", measure="norm_ratio")
    assert all(one > 0.99 for one in ratios(without).values())


def test_try_3():
    says(
        LESSON, "*Correct*, and blind to L2 that wrongly includes the biases. After one step *wrong"
    )
    says(LESSON, "*wrong* in the three biases.")
    lab = state(l2=0.1, bug="l2_on_biases")
    assert lab.result.report.verdict == "correct"
    assert "blind to L2 that wrongly includes the biases" in str(gl.Lab(**lab_settings()))
    lab.train_steps = 1
    assert lab.result.report.wrong == BIASES
    options = dict(gl.Lab().controls["bug"].options)
    assert options["L2 on the biases too"] == "l2_on_biases"


def lab_settings():
    return {"use_l2": True, "l2": 0.1, "bug": "l2_on_biases"}


def test_the_legend_has_the_ranges_and_the_labs_controls():
    from gradlab.lab.model.settings import LABELS, RANGES

    says(LESSON, "| **λ of L2** | loss per squared weight, 1e-6 … 1e5, logarithmic |")
    says(LESSON, "| training steps | 0 … 500 |")
    assert RANGES["l2"] == (1e-6, 1e5)
    assert RANGES["train_steps"] == (0, 500)
    lab = next(c.source for c in book(LESSON).cells if "gl.Lab(" in c.source)
    legend = next(c.source for c in book(LESSON).cells if "| control |" in c.source)
    rows = [line.split("|")[1].strip(" *") for line in legend.splitlines() if line[:1] == "|"][2:]
    named = [name for name in LABELS if f'"{name}"' in lab.split("controls=")[1].split(")")[0]]
    shown = {**LABELS, "use_l2": "L2 on"}  # what stands beside the box
    assert sorted(", ".join(rows).split(", ")) == sorted(shown[name] for name in named)


def test_decay_in_the_optimizer_is_not_seen(data):
    says(LESSON, "*Correct*. Neither the loss nor its gradient knows of λ")
    assert gl.check(mlp(), *data).verdict == "correct"  # whatever a step does with g afterwards


def test_the_flipped_sign_is_wrong_in_all_six(data):
    says(LESSON, "All six tensors are *wrong*, at every λ.")
    says(LESSON, "In the weights right code is below 1e-8 at λ = 10,000, and the flipped sign is a")
    says(LESSON, "the flipped sign is a thousand times that")
    net = mlp(1e4)
    right, flipped = (
        gl.check(one, *data, eps=1e-5) for one in (net, gl.bugs.plant(net, "flipped_sign"))
    )
    assert sorted(flipped.wrong) == sorted(WEIGHTS + BIASES)
    assert all(flipped[name].norm_ratio == pytest.approx(1, abs=1e-3) for name in BIASES)
    for name in WEIGHTS + BIASES:
        assert flipped[name].norm_ratio > 1000 * right[name].norm_ratio


def test_a_flipped_sign_leaves_two_thirds_of_the_signs(data):
    says(LESSON, "a tenth of the weights has three quarters of it, in λW half")
    says(LESSON, "its median is twice that of g")
    says(LESSON, "two thirds of the weights still go the right way")
    g, w = parts(mlp(), data)
    at = w != 0
    assert np.count_nonzero(at) == 320
    assert np.mean((-g + 0.17 * w)[at] * (g + 0.17 * w)[at] > 0) == pytest.approx(2 / 3, abs=0.01)
    pairs = [np.sort(abs(part[at])) for part in (g, 0.17 * w)]
    shares = [np.sum(part[-32:] ** 2) / np.sum(part**2) for part in pairs]
    assert shares == pytest.approx([3 / 4, 1 / 2], abs=0.05)
    assert np.median(pairs[1]) / np.median(pairs[0]) == pytest.approx(2, abs=0.3)
    assert QUESTIONS["right_sign"].right == "about two thirds of the weights"
    for choice in ("about a tenth of the weights", "almost all weights"):
        assert "a third of the weights" in " ".join(QUESTIONS["right_sign"].choices[choice].split())
    for seed in range(8):  # other networks, each at its own middle
        one = gl.mlp([2, 16, 16, 2], weight_scale=0.5, seed=seed)
        g, w = parts(one, data)
        at, lam = w != 0, np.linalg.norm(g) / np.linalg.norm(w)
        assert 0.55 < np.mean(lam * abs(w[at]) > abs(g[at])) < 0.7


def test_a_missing_penalty_at_the_end_of_training(data):
    says(LESSON, "At λ = 0.17 in the first cell the bugs had 0.7, 0.4 and 0.3.")
    says(LESSON, "were at right angles: 2 / (√2 + √2) = 0.7, 1 / (1 + √2) = 0.4")
    g, w = parts(mlp(), data)
    assert abs(np.vdot(g, w)) < 0.05 * np.linalg.norm(g) * np.linalg.norm(w)
    assert f"{2 / 8**0.5:.1f} {1 / (1 + 2**0.5):.1f}" == "0.7 0.4"
    says(LESSON, "The numerical gradient is a hundredth of either part")
    question, programs = QUESTIONS["missing_at_the_middle"], ("flipped", "missing", "doubled")
    assert [f"{ratio(0.17, name, data):.1f}" for name in programs] == ["0.7", "0.4", "0.3"]
    assert "about 0.03" in question.choices
    assert f"{ratio(0.01, 'missing', data):.2f}" == "0.03"
    assert "a seventeenth of the middle" in question.choices["about 0.03"]
    for seed in range(3):
        trained = gl.mlp([2, 16, 16, 2], weight_scale=0.5, seed=seed, l2=0.01)
        gl.train(trained, *data, steps=2000, progress=False)
        bare = trained.replace(l2=0.0)
        assert all(ratio(0.01, name, data, bare) > 0.98 for name in programs)
        g, w = parts(bare, data)
        assert np.linalg.norm(g) == pytest.approx(0.01 * np.linalg.norm(w), rel=0.01)
        assert np.linalg.norm(g + 0.01 * w) / np.linalg.norm(g) == pytest.approx(0.01, rel=0.5)
    assert question.right == "about 1"
