import copy
import re

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.suspects import suspects
from gradlab.checking.errors import norm_ratio
from gradlab.checking.judge import Differences, Finding
from gradlab.nn.network import Point
from tests.checking.cases import case


@pytest.mark.every_case
@pytest.mark.parametrize("loss", gl.nn.LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "elu", "identity"])
def test_correct_code_is_called_correct(activation, loss):
    for l2 in (0.0, 0.1):
        net, x, y = case(activation=activation, loss=loss, l2=l2)
        report = gl.check(net, x, y)
        assert (report.verdict, report.wrong) == ("correct", []), report


@pytest.mark.every_case
@pytest.mark.parametrize("eps", np.logspace(-1, -13, 13))
@pytest.mark.parametrize("settings", [{}, {"dtype": "float32"}, {"activation": "relu"}])
def test_correct_code_is_not_blamed_for_the_step(eps, settings):
    for seed in range(3):
        net, x, y = case((2, 16, 16, 2), 32, seed, **settings)
        report = gl.check(net, x, y, eps=float(eps))
        assert report.wrong == [], report


def test_kinks_are_counted_as_the_loop_would():
    net, x, y = case((2, 5, 4, 2), 9, activation=["relu", "leaky_relu"])
    report = gl.check(net, x, y, eps=0.05)

    def signs(params):
        z1 = x @ params["W1"] + params["b1"]
        z2 = np.maximum(z1, 0) @ params["W2"] + params["b2"]
        return np.concatenate([z1 > 0, z2 > 0], axis=1)

    at_theta = signs(net.params)
    for name, value in net.params.items():
        for index in np.ndindex(value.shape):
            crossed = 0
            for shift in (0.05, -0.05):
                moved = {**net.params, name: value.copy()}
                moved[name][index] += shift
                crossed += (signs(moved) != at_theta).sum()
            assert report[name].kinks[index] == crossed, (name, index)
    assert report["W1"].crossed_kinks > 0
    assert report["b3"].crossed_kinks == 0
    assert gl.check(*case(), eps=0.05)["W1"].crossed_kinks == 0


@pytest.mark.every_case
@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b3"])
@pytest.mark.parametrize("factor", [2.0, 0.5, -1.0, 0.0, 1.05])
def test_a_planted_factor_is_found_in_its_tensor(name, factor):
    net, x, y = case()
    a = net.gradient(x, y)
    a[name] = factor * a[name]
    report = gl.check(net, x, y, analytic=a)
    assert (report.verdict, report.wrong) == ("wrong", [name]), report
    assert np.isclose(report[name].ratio, factor, atol=1e-6)


def test_one_wrong_entry_among_many_is_found():
    net, x, y = case()
    a = net.gradient(x, y)
    a["W2"][3, 1] *= 1.1
    assert gl.check(net, x, y, analytic=a).wrong == ["W2"]


def test_redrawn_dropout_is_named_and_not_blamed():
    net, x, y = case(dropout_rate=0.5)
    report = gl.check(net, x, y, masks=np.random.default_rng(0))
    assert (report.verdict, report.wrong) == ("inconclusive", [])
    assert "differs from one evaluation to the next" in report.why
    assert "freeze" in report.advice
    assert (
        gl.check(net, x, y, masks=net.draw_masks(7, np.random.default_rng(0))).verdict == "correct"
    )


def test_a_tiny_step_is_named():
    net, x, y = case()
    report = gl.check(net, x, y, eps=1e-13)
    assert report.verdict == "inconclusive"
    assert "round-off" in report.why


def test_an_error_that_could_hide_is_told_by_its_size():
    """It is larger than what round-off does to the entries, and no thousand times as large."""
    net, x, y = case()
    for tensor in gl.check(net, x, y, eps=1e-12).tensors.values():
        told = re.search(r"an error of (\S+) of the largest entry could hide", tensor.why)
        far = np.abs(tensor.numerical - tensor.analytic).max() / np.abs(tensor.analytic).max()
        assert far < float(told[1]) < 1000 * far


def test_measures_are_what_they_say():
    net, x, y = case()
    n = net.gradient(x, y)  # without round-off, which is large beside the smallest entries
    a = {name: 2 * g for name, g in n.items()}
    for measure, expected in (
        ("max_relative", 1 / 2),
        ("sum_relative", 1 / 3),
        ("norm_ratio", 1 / 3),
    ):
        report = gl.check(net, x, y, analytic=a, numerical=n, measure=measure)
        assert np.isclose(report.error, expected, rtol=1e-14)
        assert np.isclose(report["W2"].error, expected, rtol=1e-14)
        # these say their measure in their name
        assert np.isclose(report.relative_error, 1 / 2, rtol=1e-14)
        assert np.isclose(report["W2"].relative_error, 1 / 2, rtol=1e-14)
        assert np.isclose(report.norm_ratio, 1 / 3, rtol=1e-14)


def test_a_numerical_gradient_from_elsewhere_is_used():
    net, x, y = case()
    n = gl.numerical_gradient(net, x, y)
    assert gl.check(net, x, y, numerical=n).verdict == "correct"
    n["b2"] = 3 * n["b2"]
    assert gl.check(net, x, y, numerical=n).wrong == ["b2"]


def test_the_report_reads_as_a_table():
    net, x, y = case()
    a = net.gradient(x, y)
    a["W1"] = -a["W1"]
    report = gl.check(net, x, y, analytic=a)
    text = str(report)
    assert text.startswith("✗ wrong: W1: ")
    assert all(name in text for name in net.params)
    assert list(report) == list(net.params)
    assert len(report) == 6
    with pytest.raises(KeyError, match="W1"):
        report["W9"]
    whole = np.concatenate([report[name].numerical.ravel() for name in report])
    assert np.isclose(report.norm_ratio, norm_ratio(net.unroll(a), whole))


def test_html_is_escaped():
    net, x, y = case()
    report = gl.check(net, x, y)
    object.__setattr__(report, "subject", "<script>alert(1)</script>")
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()


def test_evaluations_are_counted():
    net, x, y = case()
    assert gl.check(net, x, y, eps=1e-5).evaluations == 4 * net.size + 2
    assert gl.check(net, x, y).evaluations == 4 * net.size + 14


def test_the_sweep_is_a_u_with_its_bottom_where_predicted():
    net, x, y = case((2, 16, 16, 2), 32)
    sweep = gl.sweep_eps(net, x, y, measure="norm_ratio")
    for name, errors in sweep.errors.items():
        assert errors.shape == (61,)
        best = errors.min()
        assert best < 1e-9
        assert errors[0] > 1e4 * best
        assert errors[-1] > 1e4 * best
        assert 0.02 < sweep.best_eps[name] / sweep.predicted_best_eps < 50
    assert np.isclose(sweep.predicted_best_eps, 6.06e-6, rtol=1e-2)


def test_a_bug_shows_as_a_flat_line_in_the_sweep():
    net, x, y = case()
    a = net.gradient(x, y)
    a["W1"] = 2 * a["W1"]
    sweep = gl.sweep_eps(net, x, y, np.logspace(-3, -7, 5), measure="norm_ratio", analytic=a)
    assert np.allclose(sweep.errors["W1"], 1 / 3, atol=1e-3)
    assert (sweep.errors["W2"] < 1e-4).all()


def fitted(activation, scale, seed):
    """Return a network whose labels are its own answers: the loss is near 0, down to 1e-12."""
    net = gl.mlp([2, 8, 2], activation, weight_scale=scale, seed=seed)
    x, _ = gl.data.moons(16, seed=seed)
    return net, x, net.predict(x).argmax(axis=1)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_well_fitted_networks_are_not_blamed(activation):
    for scale in (1.0, 5.0, 20.0, 50.0):
        for seed in range(20, 30):
            assert gl.check(*fitted(activation, scale, seed)).wrong == [], (scale, seed)


@pytest.mark.every_case
@pytest.mark.parametrize("eps", [0.3, 1.0, 10.0, 1e8])
@pytest.mark.parametrize("scheme", gl.checking.SCHEMES)
def test_absurd_steps_blame_nobody(scheme, eps):
    for activation in ("tanh", "relu", "sigmoid"):
        net, x, y = case((2, 8, 2), 16, activation=activation)
        assert gl.check(net, x, y, eps=eps, scheme=scheme).wrong == [], activation


def test_zero_against_zero_proves_nothing():
    net, x, y = case()
    zeros = {name: 0 * value for name, value in net.params.items()}
    assert gl.check(net, x, y, eps=1e-20, analytic=zeros).verdict == "inconclusive"


def test_kinks_are_those_that_the_deciding_step_crosses():
    net, x, y = case((2, 5, 2), activation="relu")
    z = x @ net.params["W1"] + net.params["b1"]
    net.params["b1"] -= z[0] - 3e-8  # the first example stands right above every unit's kink
    report = gl.check(net, x, y)
    assert (report.verdict, report["b1"].crossed_kinks) == ("correct", 0)  # by shorter steps
    assert gl.check(net, x, y, eps=1e-8)["b1"].crossed_kinks == 0
    assert gl.check(net, x, y, eps=1e-7)["b1"].kinks.all()


def test_gradients_are_copied_from_what_came():
    net, x, y = case()
    a = net.gradient(x, y)
    report = gl.check(net, x, y, analytic=a)
    a["W1"] *= 2
    assert np.array_equal(2 * report["W1"].analytic, a["W1"])
    whole = {name: np.ones(value.shape, int) for name, value in net.params.items()}
    assert gl.check(net, x, y, analytic=whole, numerical=whole).error == 0


def test_results_that_hold_arrays_can_be_compared():
    net, x, y = case()
    first, second = (gl.sweep_eps(net, x, y, np.array([1e-4, 1e-5])) for _ in range(2))
    assert first == first
    assert first != second
    ones = np.ones((2, 2))
    d = Differences(0.0, ones, ones, ones, ones)
    found = Finding(np.array(["ok", "bug"]), *np.ones((5, 2)))
    suspect = suspects(Point(net, x, y))[0]
    for one in (d, found, suspect):
        assert one == one
        assert one != copy.copy(one)
        assert len({one, one}) == 1


def on_a_kink(far=0.0, dtype="float64"):
    """Four units of the second layer whose z is exactly 0 in some examples, or `far` away."""
    x, y = gl.data.spirals(30, classes=3, seed=0)
    net = gl.mlp([2, 4, 4, 3], activation="relu", weight_scale=0.5, seed=2, dtype=dtype)
    net.params["b2"] += far
    return net, x, y


@pytest.mark.parametrize("eps", [1e-3, 1e-5, 1e-7])
def test_on_a_kink_no_lower_eps_is_advised_and_what_is_advised_helps(eps):
    net, x, y = on_a_kink()
    report = gl.check(net, x, y, eps=eps)
    assert report["b2"].verdict == "inconclusive"
    assert "theta itself is at one" in report["b2"].why
    assert "lower eps" not in report.advice
    assert report.advice.startswith("leave eps out: then both sides of a kink are looked at")
    assert "random biases" in report.advice
    assert gl.check(net, x, y)["b2"].verdict == "correct"
    for name in net.params:
        if name.startswith("b"):
            net.params[name] += np.random.default_rng(0).normal(0, 0.1, net.params[name].shape)
    assert gl.check(net, x, y, eps=1e-5)["b2"].verdict == "correct"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_beside_a_kink_a_lower_eps_is_advised_and_helps(dtype):
    net, x, y = on_a_kink(1e-3, dtype)
    report = gl.check(net, x, y, eps=1e-2)
    assert report["b2"].verdict == "inconclusive"
    assert "theta itself" not in report["b2"].why
    assert report.advice.startswith("lower eps, or leave it out")
    if dtype == "float64":
        assert gl.check(net, x, y, eps=1e-4)["b2"].verdict == "correct"
