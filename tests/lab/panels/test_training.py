from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab.board.panels import training as panel_module
from gradlab.lab.board.panels.training import TrainingPanel, comparison
from gradlab.lab.model import training_beside as beside_module
from gradlab.lab.model.settings import Settings
from gradlab.lab.model.training_beside import Beside, Run, cannot_train, trainings
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


# -- boundaries, and what is drawn where ---------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("good", "end", "told"),
    [
        (0.1, 4.1, "It diverges: the loss grows to 4"),
        (0.1, 3.9, "It does not lower the loss."),
        (0.1, 0.999, "It hardly lowers the loss."),
        (0.1, 0.956, "It hardly lowers the loss."),
        (0.1, 0.954, "It still learns, only worse."),
        (0.1, 0.119, "It still learns, only worse."),  # a fiftieth of the fall
        (0.1, 0.117, "It learns as well"),
        (0.5, 0.551, "It still learns, only worse."),  # a tenth of the loss
        (0.5, 0.549, "It learns as well"),
        (0.5, 0.454, "Its loss ends lower"),
        (0.5, 0.456, "It learns as well"),
        (0.1, 0.081, "Its loss ends lower"),
        (0.1, 0.083, "It learns as well"),
        (0.1, 0.1 * (1 + 0.9e-6), "Both curves are the same."),
        (0.1, 0.1 * (1 + 1.2e-6), "It learns as well"),
    ],
)
def test_how_much_is_worse(good, end, told):
    both = Beside(1, 0.1, run(1.0, good), run(1.0, end))
    assert comparison(own_result(), both).startswith(told)


def own_result(**settings):
    return SimpleNamespace(settings=Settings(**settings), problem=None)


def test_without_a_second_curve_it_is_said_why():
    alone = Beside(1, 0.1, run(1.0, 0.1), None)
    assert comparison(own_result(), alone) == "No bug is planted."
    planted = comparison(own_result(bug="bias_mean"), alone)
    assert planted == "What is planted does not touch this gradient."


def drawn(monkeypatch, right, checked=None, steps=3):
    """Return the chart of two made-up runs."""
    both = Beside(steps, 0.01, right, checked)
    monkeypatch.setattr(panel_module, "trainings", lambda result: both)
    monkeypatch.setattr(panel_module, "cannot_train", lambda problem: "")
    return PANEL.still(own_result(bug="bias_mean"))


def test_the_curves_are_the_losses_by_updates(monkeypatch):
    chart = drawn(monkeypatch, run(1.0, 0.5, 0.4, 0.3), run(1.0, 0.9, 0.8, 0.7))
    right, checked = chart.marks
    np.testing.assert_array_equal(right["x"], [0, 1, 2, 3])
    np.testing.assert_array_equal(right["y"], [1.0, 0.5, 0.4, 0.3])
    np.testing.assert_array_equal(checked["y"], [1.0, 0.9, 0.8, 0.7])
    assert (right["dash"], bool(checked["dash"])) == ([], True)
    assert [entry.text for entry in chart.legend] == ["right code: loss 0.3", "this code: loss 0.7"]
    assert [entry.colour for entry in chart.legend] == [right["colour"], checked["colour"]]
    assert (chart.x.low, chart.x.high) == (0, 3)
    assert "0.01" in chart.x.label
    assert chart.y.low == 0 < 1.0 < chart.y.high < 1.2


@pytest.mark.parametrize(("last", "log"), [(1 / 29, False), (1 / 31, True), (0.0, False)])
def test_a_loss_that_falls_far_is_drawn_by_its_logarithm(monkeypatch, last, log):
    chart = drawn(monkeypatch, run(1.0, last))
    assert chart.y.log == log
    assert chart.y.low <= last
    assert chart.y.high > 1.0
    assert not log or 0.5 * last < chart.y.low < last
    assert not log or chart.y.high < 2.0


def test_the_lowest_of_both_is_on_the_axis(monkeypatch):
    chart = drawn(monkeypatch, run(1.0, 0.5), run(1.0, 0.01))
    assert chart.y.log
    assert chart.y.low < 0.01
    below = drawn(monkeypatch, run(1.0, -0.5), run(1.0, -2.0))
    assert below.y.low == -2.0


def test_what_leaves_the_picture_has_an_arrow_where_it_does(monkeypatch):
    chart = drawn(monkeypatch, run(1.0, 0.9, 0.8, 0.7), run(1.0, 2.0, 50.0, 90.0))
    *_, arrow = chart.marks
    assert arrow["texts"] == ["▲"]
    assert (arrow["x"], arrow["y"], arrow["base"]) == (2, chart.y.high, "top")
    assert 4.0 < chart.y.high < 4.5, "up to four times the start"
    assert chart.marks[1]["y"].max() < 15, "a number that a canvas can draw"
    inside = drawn(monkeypatch, run(1.0, 0.5), run(1.0, 3.0))
    assert [m["kind"] for m in inside.marks] == ["curve", "curve"]
    assert inside.y.high > 3.0


def test_where_it_ends_is_told_with_what_is_classified_rightly(monkeypatch):
    right = Run(np.array([1.0, 0.25]), True, 0.8)
    chart = drawn(monkeypatch, right, run(1.0, 7.0, 9.0, finished=False))
    told = [entry.text for entry in chart.legend]
    assert told == ["right code: loss 0.25, 80 % right", "this code: overflows after 2"]
    alt = PANEL.alt(own_result(bug="bias_mean"))
    assert "from 1 on. Right code: loss 0.25, 80 % right." in alt
    assert "The code that is checked: overflows after 2." in alt


def test_a_run_that_overflowed_ends_at_infinity():
    assert run(1.0, 2.0).last == 2.0
    assert run(1.0, 2.0, finished=False).last == np.inf


@pytest.mark.parametrize(("examples", "why"), [(32, False), (33, True), (34, False), (65, True)])
def test_a_batch_of_one_is_none_for_batch_norm(examples, why):
    x, y = gl.data.moons(examples)
    for norm in (True, False):
        net = gl.mlp([2, 3, 2], batch_norm=norm)
        problem = SimpleNamespace(net=net, x=x, y=y)
        assert ("batch norm" in cannot_train(problem)) == (why and norm)


def test_a_loss_that_is_not_finite_cannot_be_trained():
    net = SimpleNamespace(loss=lambda x, y: np.inf)
    told = cannot_train(SimpleNamespace(net=net, x=None, y=None))
    assert told == "the loss is not finite here"


def test_where_no_rate_helps_it_says_so(monkeypatch):
    monkeypatch.setattr(panel_module, "cannot_train", lambda problem: "")
    monkeypatch.setattr(panel_module, "trainings", lambda result: Beside(9, np.nan, None, None))
    assert PANEL.fits(own_result()).startswith("no learning rate from 0.1 to 1e-6")


def test_the_largest_rate_with_which_right_code_learns_is_taken(monkeypatch):
    rates, losses, overflow = [], {0.1: (1.0, 0.5, 1.0), 0.01: (1.0, 1.2, 0.9)}, set()

    def fake(net, problem, steps, rate, seed):
        rates.append(rate)
        return Run(np.array(losses[rate]), rate not in overflow, 0.0)

    monkeypatch.setattr(beside_module, "_run", fake)
    result = own(hidden=(2,))
    assert trainings(result).rate == 0.01
    assert rates == [0.1, 0.01]
    assert trainings(result) is trainings(result)
    losses[0.1] = (1.0, 0.5)
    overflow.add(0.1)
    unfinished = own(hidden=(3,))
    assert trainings(unfinished).rate == 0.01, "one that overflows is none"
