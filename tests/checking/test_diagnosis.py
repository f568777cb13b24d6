from collections import Counter

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.suspects import suspects
from gradlab.checking.diagnosis import causes
from gradlab.nn.network import Point
from tests.checking.by_hand import gradient
from tests.museum import MAKERS, SIZES, case, hidden_bugs, make, plantings, report

KINDS = tuple(MAKERS)
BY_HAND = {
    "tanh": lambda seed: gl.mlp([5, 6, 6, 3], l2=0.1, dropout_rate=0.3, seed=seed),
    "softplus": lambda seed: gl.mlp([4, 7, 7, 3], "softplus", loss="mse", seed=seed),
    "leaky_relu": lambda seed: gl.mlp([5, 6, 6, 4], "leaky_relu", l2=0.02, seed=seed),
    "relu": lambda seed: gl.mlp([6, 9, 9, 3], "relu", seed=seed),
}


@pytest.mark.parametrize("seeds", [1, pytest.param(len(SIZES), marks=pytest.mark.soak)])
def test_the_right_cause_comes_first_in_nine_of_ten(monkeypatch, seeds):
    score = Counter()
    for kind in KINDS:
        for seed in range(seeds):
            known = suspects(Point(*case(kind, seed)))  # once: it is most of a diagnosis's time
            monkeypatch.setattr(causes, "suspects", lambda *_, known=known: known)
            for name, layer in plantings(kind):
                first = gl.diagnose(report(kind, seed, name, layer), *case(kind, seed))[0]
                score[first.bug == name and first.layer in (layer, None)] += 1
    assert score.total() > 90 * seeds
    assert score[True] >= 0.9 * score.total(), score


@pytest.mark.parametrize("kind", BY_HAND)
def test_by_hand_is_right_without_a_bug(kind):
    net, x, y, masks = make(BY_HAND[kind](0), 8, 0)
    for name, g in net.gradient(x, y, masks).items():
        assert np.allclose(gradient(net, x, y, masks)[name], g, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("seeds", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_bugs_in_code_of_ones_own_are_recognised(seeds):
    missed, cases = [], 0
    for kind, maker in BY_HAND.items():
        for seed in range(seeds):
            net, x, y, masks = given = make(maker(seed), 7, seed)
            for name in gl.bugs.names(net):
                layers = gl.bugs.layers(net, name)
                if name == "copied_bias_gradient":
                    layers = [2]  # of the code by hand
                for layer in layers:
                    a = gradient(net, x, y, masks, name, layer)
                    found = given.check(analytic=a)
                    assert found.verdict == "wrong", (kind, name, layer, found)
                    first = gl.diagnose(found, *given)[0]
                    cases += 1
                    if first.bug != name or first.layer not in (layer, None):
                        missed.append((kind, name, layer, first))
    assert cases > 60 * seeds
    assert len(missed) <= 0.1 * cases, missed


@pytest.mark.parametrize("kind", KINDS)
def test_a_correct_network_gets_no_diagnosis(kind):
    given = case(kind, 1)
    assert gl.diagnose(given.check(), *given) == []


def black_box(bug, maker=BY_HAND["tanh"], layer=None, net_too=False, masks_too=True):
    """Return the first diagnosis from the report alone, or from report and network."""
    given = make(maker(0), 7, 0)
    masks = given.masks if masks_too else None
    a = gradient(given.net, given.x, given.y, masks, bug, layer)
    found = gl.check(given.net, given.x, given.y, masks=masks, analytic=a)
    return gl.diagnose(found, *([given.net] if net_too else []))[0]


MSE = BY_HAND["softplus"]
RELU = BY_HAND["relu"]


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("bug", "maker", "layer", "words"),
    [
        ("missing_factor_2", MSE, None, "every tensor is exactly half: a factor 2 is missing"),
        ("accumulated_gradients", RELU, None, "every tensor is exactly double"),
        ("flipped_sign", RELU, None, "the sign is flipped"),
        ("missing_1_over_n", RELU, None, "1/N is missing, that of a mean over 7 of something"),
        ("double_1_over_n", RELU, None, "1/N is there twice"),
        ("bias_mean", RELU, 2, "a mean over 7 of something"),
        ("bias_summed_without_axis", RELU, 1, "summed without an axis"),
        ("bias_summed_without_axis", RELU, 3, "summed without an axis"),
        ("copied_bias_gradient", RELU, None, "the gradient of b2 is that of b1"),
    ],
)
def test_patterns_need_no_network(bug, maker, layer, words):
    first = black_box(bug, maker, layer)
    assert first.bug == bug
    assert words in first.cause
    assert 0.5 < first.score < 1


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("bug", "words"),
    [
        ("missing_l2", "-1 times λW"),
        ("doubled_l2", "1 times λW"),
        ("negated_l2", "-2 times λW"),
        ("l2_on_biases", "0.1 times b"),
        ("flipped_sign", "without its L2 part"),
    ],
)
def test_l2_is_seen_with_the_network(bug, words):
    first = black_box(bug, net_too=True)
    assert first.bug == bug
    assert words in first.evidence


def test_the_dropout_scale_is_seen_with_the_network():
    first = black_box("missing_dropout_scale", layer=1, net_too=True)
    assert first.bug == "missing_dropout_scale"
    assert "0.7 in W1, b1 without its L2 part" in first.evidence


def altered(change, maker=RELU):
    """Return all diagnoses, without and with data, of a right gradient after `change(grads)`."""
    given = make(maker(0), 7, 0)
    grads = given.net.gradient(given.x, given.y)
    change(grads)
    found = gl.check(given.net, given.x, given.y, analytic=grads)
    return gl.diagnose(found), gl.diagnose(found, given.net, given.x, given.y)


def test_a_transposed_gradient_is_recognised():
    alone, with_data = altered(lambda g: g.update(W2=g["W2"].T))
    assert "the gradient of W2 is transposed" in alone[0].cause
    assert alone[0].layer == 2
    assert (with_data[0].certain, with_data[0].wrong_line) == (True, "dW2 = dz2.T @ a1")


def test_zeros_are_recognised():
    alone, with_data = altered(lambda g: g.update(b1=0 * g["b1"]))
    assert "0 there, as if it were never computed" in alone[0].cause
    assert with_data[0].where == "layer 1, dense"
    assert "zeros_like(b1)" in with_data[0].wrong_line


def test_an_unknown_factor_is_told():
    alone, with_data = altered(lambda g: g.update(W1=1.7 * g["W1"], b1=1.7 * g["b1"]))
    assert alone[0].bug is None
    assert "1.7 in W1, b1" in alone[0].evidence
    assert "1.7" in with_data[0].wrong_line
    assert [told.certain for told in with_data] == [True]  # nothing vague beside it


def test_l2_in_the_gradient_alone_is_recognised():
    given = make(RELU(0), 7, 0)
    extra = gradient(given.net.replace(l2=0.05), given.x, given.y)
    found = gl.check(given.net, given.x, given.y, analytic=extra)
    first = gl.diagnose(found, given.net)[0]
    assert first.cause == "L2 is in the gradient and not in the loss"
    assert "0.05 times W" in first.evidence


def test_noise_has_no_known_pattern():
    rng = np.random.default_rng(0)

    def spoil(grads):
        for name in ("W1", "b1", "W2", "b2"):
            grads[name] = grads[name] + 0.1 * rng.standard_normal(grads[name].shape)

    for found in altered(spoil):
        assert [d.cause for d in found] == ["no known pattern"]
        assert found[0].score == 0
    assert "takes the signal down from W3, b3 to W2, b2" in altered(spoil)[1][0].evidence


@pytest.mark.parametrize(
    ("spoiled", "words"),
    [
        (("W2",), "Only W2 is wrong: look first at its own line"),
        (("W1", "W2", "W3"), "Only weights are wrong"),
        (("b1", "b2", "b3"), "Only biases are wrong"),
        (("W1", "b1", "W2", "b2", "W3", "b3"), "All tensors are wrong"),
    ],
)
def test_where_tells_what_the_names_say(spoiled, words):
    def spoil(grads):
        for name in spoiled:
            grads[name] = np.sin(1 + np.arange(grads[name].size)).reshape(grads[name].shape)

    alone, with_net = altered(spoil)
    assert words in with_net[0].evidence
    assert "signal" not in alone[0].evidence  # the order of names is no depth


def test_twins_are_named():
    net = gl.mlp([3, 5, 2], loss="mse")  # K = 2: divided by K and by 2 are the same
    given = make(net, 7, 0)
    found = given.check(gl.bugs.plant(net, "missing_factor_2"))
    diagnoses = gl.diagnose(found, *given)
    assert {d.bug for d in diagnoses[:2]} == {"missing_factor_2", "mean_over_outputs"}
    assert "cannot be told from mean_over_outputs" in diagnoses[0].evidence


def test_a_network_in_float32_is_diagnosed():
    net = gl.mlp([3, 5, 5, 3], dtype="float32", weight_scale=1.0)
    given = make(net, 8, 0)
    planted = gl.bugs.plant(net, "missing_activation_derivative", 1)
    found = given.check(planted)
    assert found.wrong == ["W1", "b1"]
    first = gl.diagnose(found, planted, given.x, given.y)[0]
    assert (first.bug, first.layer) == ("missing_activation_derivative", 1)
    assert "(layer 1)" in str(first)


@pytest.mark.parametrize("name", ["missing_l2", "missing_activation_derivative"])
def test_a_sample_is_diagnosed_if_it_says_which_entries_it_has(name):
    net, x, y, masks = given = case("relu", 0)
    planted = gl.bugs.plant(net, name)
    sampled = given.check(planted, method="sampled", samples=12)
    assert sampled.wrong == gl.bugs.wrong_tensors(net, name)
    without = gl.diagnose(sampled, *given)
    if not hasattr(sampled["W1"], "entries"):
        assert [d.bug for d in without] == [None]
    whole = {key: np.ravel(g) for key, g in planted.gradient(x, y, masks).items()}
    for key in sampled:  # the first of equals is good enough: all entries here are different
        entries = np.array([np.flatnonzero(whole[key] == a)[0] for a in sampled[key].analytic])
        object.__setattr__(sampled[key], "entries", entries)
    assert gl.diagnose(sampled, *given)[0].bug == name


class HandMade(gl.nn.MLP):
    """A network whose backward pass a learner has overridden."""

    def gradient(self, x, y, masks=None, params=None):
        grads = super().gradient(x, y, masks, params)
        return {**grads, "b1": grads["b1"] / len(x)}


def test_an_overridden_backward_pass_is_not_taken_for_the_right_one():
    given = make(gl.mlp([3, 4, 2]), 6, 0)
    given.net.__class__ = HandMade
    first = gl.diagnose(given.check(), *given)[0]
    assert (first.bug, first.layer) == ("bias_mean", 1)
    assert hidden_bugs(*given) == []
