import numpy as np
import pytest

import gradlab as gl
from gradlab.lab.board.panels.training import TrainingPanel, comparison
from gradlab.lab.model.training_beside import Beside, Run, trainings
from gradlab.plots import DARK, LIGHT, figure_of
from tests.lab.panels.results import given, of_convnet, of_lstm, own

PANEL = TrainingPanel()


def descent(net, gradient_of, x, y, steps, rate):
    """SGD with momentum 0.9 on the whole batch, by hand; return the losses."""
    net, velocity = net.copy(), 0.0
    losses = [net.loss(x, y)]
    for _ in range(steps):
        velocity = 0.9 * velocity - rate * net.unroll(gradient_of(net))
        net.theta = net.theta + velocity
        losses.append(net.loss(x, y))
    return losses


def test_the_curves_are_those_of_a_descent_by_hand():
    result = own(bug="double_1_over_n")
    both, net, x, y = trainings(result), result.net, result.x, result.y

    def wrong(net):
        return {name: grad / len(x) for name, grad in net.gradient(x, y).items()}

    right = descent(net, lambda net: net.gradient(x, y), x, y, 200, both.rate)
    np.testing.assert_allclose(both.right.losses, right, rtol=1e-6)
    np.testing.assert_allclose(
        both.checked.losses, descent(net, wrong, x, y, 200, both.rate), rtol=1e-6
    )
    assert comparison(result, both) == "It still learns, only worse."
    assert f"{right[-1]:.2g}" in PANEL.alt(result)


def test_without_a_bug_there_is_one_curve():
    result = own()
    assert trainings(result).checked is None
    assert "No bug is planted" in PANEL.alt(result)
    assert [m["kind"] for m in PANEL.still(result).marks] == ["curve"]


def test_l2_in_one_of_the_two_only_makes_a_second_curve():
    result = own(use_l2=True, l2=0.1, l2_in_gradient=False)
    both, loss = trainings(result), result.net.loss(result.x, result.y)
    assert both.checked.losses[0] == both.right.losses[0] == pytest.approx(loss)
    assert both.right.last < both.checked.last


def test_a_flipped_sign_diverges_and_leaves_the_picture():
    result = own(bug="flipped_sign")
    assert "It diverges" in PANEL.alt(result)
    still = PANEL.still(result)
    assert still.y.high < trainings(result).checked.losses.max()
    for mark in still.marks[:2]:
        assert np.isfinite(mark["y"].astype(np.float32)).all()


def test_a_bug_of_dropout_with_dropout_off_changes_nothing():
    result = own(bug="missing_dropout_mask")
    assert comparison(result, trainings(result)) == "Both curves are the same."


def run(*losses, finished=True):
    return Run(np.array(losses, float), finished, float("nan"))


@pytest.mark.parametrize(
    ("checked", "told"),
    [
        (run(1.0, 0.6), "It still learns, only worse."),
        (run(1.0, 0.101), "It learns as well"),
        (run(1.0, 0.99), "It hardly lowers the loss."),
        (run(1.0, 1.0), "It does not lower the loss."),
        (run(1.0, 3.0), "It does not lower the loss."),
        (run(1.0, 50.0), "It diverges: the loss grows to 5e+01."),
        (run(1.0, 7.0, finished=False), "It diverges: update 2 overflows."),
        (run(1.0, 0.01), "Its loss ends lower"),
        (run(1.0, 0.1), "Both curves are the same."),
    ],
)
def test_the_sentence_is_true_of_the_curves(checked, told):
    both = Beside(1, 0.1, run(1.0, 0.1), checked)
    assert comparison(own(), both).startswith(told)


def test_the_accuracy_is_counted_on_the_trained_network():
    result = own(data="spirals")
    both = trainings(result)
    net = result.net.copy()
    gl.train(net, result.x, result.y, steps=200, learning_rate=both.rate, progress=False)
    right = (net.predict(result.x).argmax(axis=1) == result.y).mean()
    assert both.right.right == right


def test_what_cannot_be_trained_says_why():
    net, (x, y) = gl.mlp([2, 6, 2], batch_norm=True), gl.data.moons(33)
    assert "batch norm" in PANEL.fits(given(net, x, y))
    assert PANEL.fits(given(net, x[:30], y[:30])) == ""


def test_a_mystery_is_told_by_its_curve_alone():
    net, (x, y) = gl.mlp([2, 16, 16, 2]), gl.data.moons(30)
    secret = gl.lab.LabState(net, x, y, bug="mystery").mystery
    assert secret is not None
    text = PANEL.alt(gl.lab.LabState(bug="mystery").result)
    assert not any(gl.bugs.describe(name).summary in text for name in gl.bugs.names())


@pytest.mark.parametrize(
    "make", [own, lambda: own(bug="missing_1_over_n"), of_convnet,
             lambda: of_lstm(bug="lstm_step_overwrites"), lambda: of_lstm(4, every_step=True)]
)  # fmt: skip
def test_it_is_drawn_in_both_palettes(make):
    result = make()
    assert PANEL.fits(result) == ""
    for palette in (LIGHT, DARK):
        picture = PANEL.still(result), PANEL.moving(result)
        figure_of([picture], palette, widths=[PANEL.width]).canvas.draw()
