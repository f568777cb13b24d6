"""The sweep over weight scales, against networks that are built anew at each scale."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState

# In these the product 2**k * draw is exact, so that a scaled network and one built anew are equal
# bit by bit: errors near round-off would differ otherwise.
SCALES = 2.0 ** np.array([-10, -3, 0, 4])
LABELS = np.array([0, 1, 2, 1])


def rng():
    return np.random.default_rng(0)


KINDS = {
    "mlp": (
        lambda scale: gl.mlp([3, 5, 4, 3], weight_scale=scale, seed=1),
        rng().standard_normal((4, 3)),
    ),
    "batch norm": (
        lambda scale: gl.mlp([3, 5, 3], "elu", weight_scale=scale, batch_norm=True, l2=0.1),
        rng().standard_normal((4, 3)),
    ),
    "float32": (
        lambda scale: gl.mlp([3, 5, 3], "sigmoid", weight_scale=scale, dtype="float32"),
        rng().standard_normal((4, 3)),
    ),
    "convnet": (
        lambda scale: gl.convnet((1, 8, 8), padding=(1, 1), classes=3, weight_scale=scale),
        rng().standard_normal((4, 1, 8, 8)),
    ),
    "lstm": (
        lambda scale: gl.lstm(2, 4, 3, weight_scale=scale),
        rng().standard_normal((3, 4, 2)),
    ),
}


def built(make, scale, bug):
    """Return a network with biases that are not 0 and do not depend on the scale."""
    net, draws = make(scale), rng()
    for name, value in net.params.items():
        if name not in net.weight_names:
            value += 0.1 * draws.standard_normal(value.shape).astype(value.dtype)
    return gl.bugs.plant(net, bug) if bug else net


@pytest.mark.parametrize("bug", [None, "missing_1_over_n"])
@pytest.mark.parametrize("eps", [None, 1e-3])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_loop_over_networks_that_are_built_at_each_scale(kind, eps, bug):
    make, x = KINDS[kind]
    net = built(make, 1.0, bug)
    theta = net.theta.tobytes()
    sweep = gl.sweep_weight_scale(net, x, LABELS, SCALES, eps, measure="norm_ratio")
    assert net.theta.tobytes() == theta
    assert net.weight_scale == 1.0
    evaluations = 0
    for i, scale in enumerate(SCALES):
        fresh = built(make, float(scale), bug)
        report = gl.check(fresh, x, LABELS, eps, measure="norm_ratio")
        gradient = fresh.gradient(x, LABELS)
        evaluations += report.evaluations
        assert sweep.verdicts[i] == report.verdict
        for name in net.params:
            assert sweep.errors[name][i] == report[name].error
            norm = np.sqrt((gradient[name].astype(float) ** 2).sum())
            assert sweep.gradient_norms[name][i] == pytest.approx(norm, rel=1e-5)
    assert sweep.evaluations == evaluations
    assert (sweep.eps, sweep.scheme, sweep.measure) == (eps, "central", "norm_ratio")


def test_a_bug_that_small_weights_hide_comes_out_at_larger_ones():
    x, y = gl.data.moons(30)
    net = gl.mlp([2, 16, 2], "tanh", loss="mse")
    wrong = gl.bugs.plant(net, "missing_activation_derivative")
    scales, y = (1e-4, 1.0), np.eye(2)[y]
    assert gl.sweep_weight_scale(net, x, y, scales, 1e-5).verdicts == ("correct", "correct")
    sweep = gl.sweep_weight_scale(wrong, x, y, scales, 1e-5, measure="norm_ratio")
    assert sweep.verdicts == ("correct", "wrong")
    hidden, plain = sweep.errors["W1"]
    assert hidden < 1e-5
    assert plain > 0.05


def test_without_a_scale_of_its_own_it_is_the_root_mean_square_of_all_weights():
    x, y = gl.data.moons(8)
    net = gl.mlp([2, 6, 2])
    own = np.sqrt((np.square(net.params["W1"]).sum() + np.square(net.params["W2"]).sum()) / 24)
    sweep = gl.sweep_weight_scale(net, x, y, [own, 2 * own])
    for i, factor in enumerate((1, 2)):
        params = {n: v * factor if n[0] == "W" else v for n, v in net.params.items()}
        gradient = net.gradient(x, y, params=params)
        for name in net.params:
            norm = np.linalg.norm(gradient[name])
            assert sweep.gradient_norms[name][i] == pytest.approx(norm, rel=1e-12)


def test_a_scale_is_where_the_slider_of_the_lab_stands():
    x, y = gl.data.moons(8)
    made = gl.mlp([2, 4, 2], weight_scale=0.5)
    gl.train(made, x, y, steps=5, progress=False)  # its scale is still what it was made with
    for net in (made, gl.mlp([2, 4, 2])):
        state = LabState(net, x, y)
        for scale in (state.weight_scale, 1e-2, 3.0):
            state.weight_scale = scale
            shown = state.result
            sweep = gl.sweep_weight_scale(net, x, y, scale, state.eps)
            assert sweep.verdicts == (shown.report.verdict,)
            for name in net.params:
                norm = np.linalg.norm(shown.analytic[name])
                assert sweep.gradient_norms[name] == pytest.approx([norm], rel=1e-9)


def test_dropout_is_checked_with_the_masks_that_are_given():
    x, y = gl.data.moons(8)
    net = gl.mlp([2, 6, 2], dropout_rate=0.5, weight_scale=1.0)
    masks = net.draw_masks(8, rng())
    frozen = gl.sweep_weight_scale(net, x, y, [0.1, 1.0], masks=masks)
    assert frozen.verdicts == ("correct", "correct")
    norm = np.linalg.norm(net.gradient(x, y, masks)["W1"])
    assert frozen.gradient_norms["W1"][1] == pytest.approx(norm)
    redrawn = gl.sweep_weight_scale(net, x, y, [0.1, 1.0], masks=rng())
    assert redrawn.verdicts == ("inconclusive", "inconclusive")


def test_the_default_covers_the_lab_s_slider_and_the_text_counts_verdicts():
    x, y = gl.data.moons(8)
    sweep = gl.sweep_weight_scale(gl.mlp([2, 3, 2]), x, y)
    assert (len(sweep.scales), sweep.scales.min(), sweep.scales.max()) == (25, 1e-4, 1e2)
    assert all(len(values) == 25 for values in sweep.errors.values())
    right = sweep.verdicts.count("correct")
    assert repr(sweep).startswith("WeightScaleSweep(25 scales from 1e-04 to 1e+02: ")
    assert f"{right} correct" in repr(sweep)


def zeros():
    net = gl.mlp([2, 3, 2])
    net.theta = np.zeros(net.size)
    return net


X, Y = gl.data.moons(6)
BAD = {
    "zero": (
        lambda net: ((net, X, Y, [1.0, 0.0]), {}),
        ValueError,
        "scales must be positive, got 0",
    ),
    "nan": (lambda net: ((net, X, Y, [np.nan]), {}), ValueError, "scales must be finite"),
    "table": (lambda net: ((net, X, Y, np.ones((2, 2))), {}), ValueError, r"scales .* \(2, 2\)"),
    "none": (lambda net: ((net, X, Y, []), {}), ValueError, r"scales .* \(0,\)"),
    "text": (lambda net: ((net, X, Y, "1e-3"), {}), TypeError, "scales must hold real numbers"),
    "overflow": (lambda net: ((net, X, Y, [1e200]), {}), ValueError, r"scales .* got 1e\+200"),
    "weights": (lambda net: ((net, X, Y, [1e308]), {}), ValueError, r"scales .* got 1e\+308"),
    "all 0": (lambda net: ((zeros(), X, Y), {}), ValueError, "net must have weights"),
    "x": (lambda net: ((net, X.T, Y), {}), ValueError, "x must have shape"),
    "eps": (lambda net: ((net, X, Y), {"eps": -1}), ValueError, "eps must be a positive"),
    "scheme": (lambda net: ((net, X, Y), {"scheme": "mean"}), ValueError, "scheme must be one of"),
    "measure": (lambda net: ((net, X, Y), {"measure": "max"}), ValueError, "measure must be one"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_named_and_the_network_stays(bad):
    arguments, error, words = BAD[bad]
    net = gl.mlp([2, 3, 2], "relu", loss="softmax_cross_entropy", weight_scale=1e-2)
    theta = net.theta.tobytes()
    args, keys = arguments(net)
    with pytest.raises(error, match=words):
        gl.sweep_weight_scale(*args, **keys)
    assert net.theta.tobytes() == theta
