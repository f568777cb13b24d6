"""No sentence about a cause says more than the numbers prove: what refuted earlier ones."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.diagnosis import Facts
from gradlab.checking.diagnosis.patterns import PATTERNS
from tests.museum import make

CLAIMS = ("signal is", "spoiled", "off from", "formula", "is right", "are right")


def where(net, x, y, analytic, masks=None):
    """Return the report and the sentence on its wrong tensors."""
    report = gl.check(net, x, y, masks=masks, analytic=analytic)
    told = Facts.of(report, net, x).where
    assert not any(claim in told for claim in CLAIMS), told
    return report, told


def patterns(report, net=None, x=None):
    """Return what the patterns tell, as "cause evidence"."""
    facts = Facts.of(report, net, x)
    return [f"{f.cause} {f.evidence}" for pattern in PATTERNS for f in pattern(facts)]


def test_a_wrong_signal_can_show_in_one_bias_alone():
    """Blank pixels tie, and what is 0 spoils no weights: dW is 0 times the wrong signal there."""
    x, y = gl.data.load("digits", 30, seed=0)
    x = x.reshape(-1, 1, 8, 8)
    net = gl.convnet((1, 8, 8), filters=(3, 4), padding=(1, 1), classes=10, seed=0)
    net.params["conv1_b"] += 0.3
    wrong = gl.bugs.plant(net, "max_pool_all_ties", 1).gradient(x, y)
    report, told = where(net, x, y, wrong)
    assert report.wrong == ["conv1_b"]
    assert told == "Only conv1_b is wrong: look first at its own line"


def test_a_wrong_loss_can_show_in_the_weights_alone():
    """A batch whose labels are shuffled has the same sum of p - y, so the bias stays right."""
    given = make(gl.mlp([4, 3]), 9, 0)
    shuffled = given.net.gradient(given.x, np.roll(given.y, 1))
    report, told = where(given.net, given.x, given.y, shuffled)
    assert report.wrong == ["W1"]
    assert told == "Only W1 is wrong: look first at its own line"


@pytest.mark.parametrize("kind", ["bias", "weight"])
def test_several_tensors_of_a_kind_need_not_have_wrong_lines_of_their_own(kind):
    given = make(gl.mlp([4, 5, 5, 3]), 9, 0)
    a = given.net.gradient(given.x, given.y)
    for k in (1, 2):
        name = f"{'b' if kind == 'bias' else 'W'}{k}"
        a[name] = a[name] + 0.1
    _, told = where(given.net, given.x, given.y, a)
    assert told.startswith("Only biases are" if kind == "bias" else "Only weights are")


def test_all_tensors_can_be_wrong_and_the_signal_right():
    given = make(gl.mlp([4, 5, 3]), 9, 0)
    clipped = {k: np.clip(g, -0.01, 0.01) for k, g in given.net.gradient(given.x, given.y).items()}
    report, told = where(given.net, given.x, given.y, clipped)
    assert len(report.wrong) == 4
    assert told.startswith("All tensors are wrong (W1, b1, W2, b2): look first at")


def test_all_that_have_a_slope_are_not_all_tensors():
    given = make(gl.mlp([4, 5, 3], batch_norm=True), 9, 0)  # b1 is idle below the batch norm
    wrong = {k: -g for k, g in given.net.gradient(given.x, given.y).items()}
    report, told = where(given.net, given.x, given.y, wrong)
    assert "b1" not in report.wrong
    assert told.startswith("All tensors that have a slope are wrong (W1, gamma1, beta1, W2, b2)")


def test_two_wrong_lines_below_a_right_layer_spoil_no_signal():
    given = make(gl.mlp([4, 5, 3]), 9, 0)
    a = given.net.gradient(given.x, given.y)
    a |= {"W1": a["W1"] / 9, "b1": a["b1"] * 2}
    _, told = where(given.net, given.x, given.y, a)
    assert told.endswith("look first at what takes the signal down from W2, b2 to W1, b1")


def test_a_flipped_sign_has_not_the_same_direction():
    given = make(gl.mlp([4, 5, 3]), 9, 0)
    right = given.net.gradient(given.x, given.y)
    report = given.check(analytic={k: -g for k, g in right.items()})
    told = " ".join(patterns(report))
    assert "direction opposite" in told
    assert report["W1"].cosine == pytest.approx(-1)
    report = given.check(analytic=right | {"W1": -right["W1"], "b1": 3 * right["b1"]})
    told = " ".join(patterns(report))
    assert "-1" in told
    assert "direction" not in told


def test_a_slope_of_0_is_not_said_to_be_another():
    given = make(gl.mlp([4, 6, 3], "relu"), 9, 0)
    given.net.params["b1"][0] = -50.0  # a dead unit
    a = given.net.gradient(given.x, given.y)
    assert not a["W1"][:, 0].any()
    for zeros in ({"W1": 0 * a["W1"]}, {k: 0 * g for k, g in a.items()}):
        told = [t for t in patterns(given.check(analytic=a | zeros)) if "never" in t]
        assert len(told) == 1, told  # and it is told once
        assert told[0].endswith("are exactly 0, where slopes are not.")


@pytest.mark.parametrize(("factor", "word"), [(2, "double"), (0.5, "half"), (9, "9 times")])
def test_exactly_is_said_of_a_factor_that_is_known_exactly(factor, word):
    for dtype, eps in (("float64", None), ("float32", None), ("float32", 1e-3)):
        given = make(gl.mlp([4, 6, 3], dtype=dtype), 9, 0)
        right = given.net.gradient(given.x, given.y)
        for off in (1, 1.0002, 1.001):
            a = {k: (off * factor * g).astype(dtype) for k, g in right.items()}
            report = given.check(analytic=a, eps=eps)
            exact = f"exactly {word}" in " ".join(patterns(report, given.net))
            assert exact == (off == 1 and dtype == "float64"), (dtype, eps, off)


def test_the_rest_is_not_said_to_be_right_where_it_is_not_known():
    given = make(gl.mlp([4, 6, 3], l2=0.1), 9, 0)
    a = given.net.gradient(given.x, given.y)
    a["W1"][1] = 0
    told = patterns(given.check(analytic=a), given.net, given.x)
    assert any(text.endswith("nothing else of W1 is off.") for text in told)
    l2 = given.net.gradient(given.x, given.y)
    l2["W2"] = l2["W2"] + 0.1 * given.net.params["W2"]
    told = patterns(given.check(analytic=l2), given.net, given.x)
    assert any("no bias is wrong" in text for text in told)
