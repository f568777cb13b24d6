"""Where a bug is documented as blind, the report of a check says so; elsewhere it does not.

Each place below is one where a bug of the museum does not show: the bug is planted there, the
check blames nobody, and its warnings name what hides it.
"""

import numpy as np
import pytest

import gradlab as gl
from tests.museum import Case, hidden_bugs, make


def images(shape, n=4, **settings):
    return make(gl.convnet(shape, padding=(1, 1), classes=3, **settings), n, 0)


def no_biases():
    given = make(gl.mlp([4, 5, 3], l2=0.1), 8, 0)
    for name in ("b1", "b2"):
        given.net.params[name][:] = 0
    return given


def one_example():
    return make(gl.mlp([4, 5, 3], l2=0.1), 1, 0)


def small_l2():
    return make(gl.mlp([4, 5, 3], l2=1e-12), 8, 0)


def nearly_linear():
    given = make(gl.mlp([4, 5, 5, 3], weight_scale=1e-4), 8, 0)
    for name in ("b1", "b2", "b3"):
        given.net.params[name][:] = 0
    return given


def all_positive():
    given = make(gl.mlp([4, 5, 3], "leaky_relu"), 8, 0)
    given.net.params["b1"][:] = 10
    return given


def symmetric():
    given = make(gl.mlp([4, 5, 5, 3]), 8, 0)
    given.net.params["W2"] += given.net.params["W2"].T.copy()
    return given


def nothing_left_to_learn():
    net, x, noise, _ = make(gl.mlp([4, 5, 3], loss="mse"), 8, 0)
    return Case(net, x, net.predict(x) + 1e-8 * noise, None)


def same_gradient_twice():
    given = make(gl.mlp([4, 5, 5, 3], "identity"), 8, 0)
    given.net.params["W2"][...] = np.eye(5)
    return given


def dropout_without_masks():
    return make(gl.mlp([4, 5, 3], dropout_rate=0.3), 8, 0)._replace(masks=None)


def gamma_1():
    given = make(gl.mlp([4, 5, 3], batch_norm=True), 8, 0)
    given.net.params["gamma1"][:] = 1
    return given


def gamma_without_gradient():
    """Return targets whose residual is orthogonal to all that gamma moves."""
    net, x, _, _ = make(gl.mlp([4, 3, 2], "identity", loss="mse", batch_norm=True), 8, 0)
    cuts = net.cut_activations(x)
    normal = (cuts["norm1"] - net.params["beta1"]) / net.params["gamma1"]
    slopes = np.einsum("nj,jk->jnk", normal, net.params["W2"]).reshape(3, -1)
    residual = np.random.default_rng(0).standard_normal(slopes.shape[1])
    residual -= np.linalg.pinv(slopes) @ (slopes @ residual)
    return Case(net, x, net.predict(x) + residual.reshape(8, 2), None)


def one_step():
    return make(gl.lstm(4, 5, 3), 6, 0, steps=1)


def small_cell_states():
    given = make(gl.lstm(4, 5, 3, weight_scale=1e-4), 6, 0)
    given.net.params["b_g"][:] = 0
    return given


def mirrored_kernel():
    given = images((1, 4, 8))
    kernel = given.net.params["conv2_W"]
    kernel += kernel[:, :, ::-1, ::-1].copy()
    return given


# bug: (a place where it is blind, the layer or None, what the warning says)
BLIND = {
    "missing_1_over_n": (one_example, None, "one example"),
    "double_1_over_n": (one_example, None, "one example"),
    "softmax_over_batch": (one_example, None, "one example"),
    "bias_mean": (one_example, 1, "one example"),
    "l2_over_n": (one_example, None, "one example"),
    "missing_l2": (small_l2, None, "L2 is small"),
    "doubled_l2": (small_l2, None, "L2 is small"),
    "negated_l2": (small_l2, None, "L2 is small"),
    "l2_on_biases": (no_biases, None, "all biases are 0"),
    "missing_activation_derivative": (nearly_linear, 2, "nearly linear"),
    "activation_derivative_at_output": (nearly_linear, 1, "nearly linear"),
    "missing_transpose": (symmetric, 2, "symmetric"),
    "updated_weights": (nothing_left_to_learn, 2, "the gradient is small"),
    "copied_bias_gradient": (same_gradient_twice, 1, "two biases have the same gradient"),
    "missing_dropout_mask": (dropout_without_masks, 1, "no dropout masks"),
    "missing_dropout_scale": (dropout_without_masks, 1, "no dropout masks"),
    "redrawn_dropout_mask": (dropout_without_masks, 1, "no dropout masks"),
    "leaky_slope_dropped": (all_positive, 1, "every pre-activation of a leaky_relu is positive"),
    "batch_norm_missing_gamma": (gamma_1, 1, "gamma is 1"),
    "batch_norm_over_m_squared": (gamma_without_gradient, 1, "gamma has hardly any gradient"),
    "max_pool_all_ties": (lambda: images((1, 4, 8)), 1, "no two pixels tie"),
    "lstm_cell_gradient_dropped": (one_step, None, "a single time step"),
    "lstm_step_overwrites": (one_step, None, "a single time step"),
    "lstm_tanh_twice": (small_cell_states, None, "cell states are small"),
    "kernel_not_flipped": (mirrored_kernel, 2, "its own mirror image"),
}  # fmt: skip
# Here the wrong line does the same as the right one, so there is nothing to plant.
MUTE = {
    "swapped_width_and_height": (lambda: images((1, 8, 8)), "square images"),
    "bias_summed_without_axis": (lambda: make(gl.mlp([4, 5, 1], loss="mse"), 8, 0), "one unit"),
    "mean_over_outputs": (lambda: make(gl.mlp([4, 5, 1], loss="mse"), 8, 0), "a single output"),
}
# What the museum says of these is no place where a check passes: it shows there in some tensor, as
# a flipped sign does in the biases when L2 swamps it.
ELSEWHERE = {"flipped_sign", "accumulated_gradients", "lstm_sigmoid_as_derivative"}


def saying(report, part):
    return [sentence for sentence in report.warnings if part in sentence]


def test_every_documented_blind_spot_has_its_place_here():
    documented = {name for name in gl.bugs.names() if gl.bugs.describe(name).blind}
    assert documented == BLIND.keys() | MUTE.keys() | ELSEWHERE


@pytest.mark.every_case
@pytest.mark.parametrize("bug", BLIND)
def test_a_check_that_passes_a_bug_names_what_hides_it(bug):
    place, layer, part = BLIND[bug]
    given = place()
    report = given.check(gl.bugs.plant(given.net, bug, layer))
    assert report.wrong == []
    assert len(saying(report, part)) == 1, report.warnings
    assert len(set(report.warnings)) == len(report.warnings)
    told = [s.warning for s in hidden_bugs(*given) if s.bug == bug]
    assert any(part in warning for warning in told)


@pytest.mark.parametrize("bug", MUTE)
def test_a_wrong_line_that_makes_no_difference_is_named(bug):
    place, part = MUTE[bug]
    given = place()
    assert bug not in gl.bugs.names(given.net) or gl.bugs.layers(given.net, bug) == [1]
    assert len(saying(given.check(), part)) == 1
    assert bug in {s.bug for s in hidden_bugs(*given)}


@pytest.mark.parametrize("eps", [None, 1e-5])
def test_a_flipped_sign_under_l2_shows_in_the_biases_and_is_warned_of(eps):
    given = make(gl.mlp([5, 6, 3], l2=1e6), 8, 0)
    report = given.check(gl.bugs.plant(given.net, "flipped_sign"), eps=eps)
    assert not {"W1", "W2"} & set(report.wrong)
    assert saying(report, "L2 makes up nearly all of the gradient of W1, W2")


@pytest.mark.every_case
@pytest.mark.parametrize(
    "given",
    [
        make(gl.mlp([2, 8, 8, 3], activation, l2=l2, batch_norm=norm), 8, 0)
        for activation in gl.nn.ACTIVATIONS for l2 in (0.0, 0.01) for norm in (False, True)
    ] + [
        make(gl.mlp([3, 6, 2], dropout_rate=0.3, loss=loss), 8, 0) for loss in gl.nn.LOSSES
    ] + [
        images((1, 4, 8), pool="average"),
        make(gl.lstm(4, 5, 3), 6, 0),
        make(gl.lstm(4, 5, 3, every_step=True, l2=0.1), 6, 0),
        make(gl.mlp([2, 8, 8, 3], dtype="float32"), 32, 0),
    ],
    ids=lambda given: repr(given.net),
)  # fmt: skip
def test_an_ordinary_network_gets_no_warning(given):
    assert given.check().warnings == ()
    assert "Blind spot" not in str(given.check())


def test_images_with_blank_parts_that_are_not_square_get_no_warning():
    given = images((1, 4, 8))
    given.x[:, :, :, :5] = 0.5
    assert not saying(given.check(), "at layer 1") + saying(given.check(), "square")


def test_only_the_layer_where_it_hides_is_named():
    given = make(gl.mlp([4, 5, 5, 3], batch_norm=True), 8, 0)
    given.net.params["gamma2"][:] = 1
    (sentence,) = given.check().warnings
    assert sentence.startswith("at layer 2, batch norm's gamma is 1")
    given.net.params["gamma1"][:] = 1
    (sentence,) = given.check().warnings
    assert sentence.startswith("batch norm's gamma is 1")


def test_where_nothing_comes_down_only_the_zero_is_told():
    given = make(gl.mlp([4, 5, 3], "relu"), 8, 0)
    given.net.params["b1"][:] = -100
    warnings = given.check().warnings
    assert any("the gradient of W1, b1, W2 is exactly 0" in sentence for sentence in warnings)
    assert not any("one example" in sentence or "linear" in sentence for sentence in warnings)


def test_what_float32_cannot_resolve_is_told_without_a_reason_that_is_not_there():
    given = make(gl.mlp([2, 8, 8, 3], "leaky_relu", dtype="float32"), 32, 0)
    for name in ("b1", "b2"):
        given.net.params[name][:] = 2  # few pre-activations are negative, but some are
    (sentence,) = given.check().warnings
    assert "one bug (leaky ReLU's slope left of 0 is dropped" in sentence
    layer = next(s.layer for s in hidden_bugs(*given))
    assert given.check(gl.bugs.plant(given.net, "leaky_slope_dropped", layer)).wrong == []


@pytest.mark.parametrize("method", ["full", "sampled", "directional"])
def test_warnings_are_about_what_was_checked_and_not_what_became_of_it(method):
    given = no_biases()
    report = given.check(method=method)
    given.net.params["b1"] += 1
    given.x[...] = 0
    assert len(report.warnings) == 1
    assert report.caveats[0] == "blind to L2 that wrongly includes the biases: all biases are 0"
    assert f"✓ correct here, and {report.caveats[0]}" in " ".join(str(report).split())
    assert "What to do: check after some training" in str(report)
    assert "all biases are 0" in report.warnings[0]
    assert report.warnings is report.warnings


def test_masks_that_are_redrawn_are_left_alone():
    given = make(gl.mlp([4, 5, 3], dropout_rate=0.3), 8, 0)
    rng = np.random.default_rng(0)
    report = gl.check(given.net, given.x, given.y, masks=rng)
    state = rng.bit_generator.state
    assert report.warnings == ()
    assert rng.bit_generator.state == state


class PilesUp(gl.nn.MLP):
    """A learner's network, whose backward pass forgets to start from 0."""

    def gradient(self, x, y, masks=None, params=None):
        right = super().gradient(x, y, masks, params)
        before = self.__dict__.setdefault("grads", dict.fromkeys(right, 0.0))
        for name, g in right.items():
            before[name] = before[name] + g
        return dict(before)


def test_gradients_that_pile_up_from_call_to_call_are_wrong_in_the_second():
    net, x, y, _ = make(gl.mlp([4, 5, 3]), 8, 0)
    net.__class__ = PilesUp
    report = gl.check(net, x, y)
    assert report.wrong == ["W1", "b1", "W2", "b2"]
    assert np.isclose(report["W1"].ratio, 2)

    piled = np.zeros(3)

    def grad(theta):
        piled[:] += 2 * theta
        return piled

    report = gl.check_function(lambda theta: theta @ theta, grad, np.array([1.0, 2.0, -1.0]))
    assert report.verdict == "wrong"


@pytest.mark.parametrize("l2", [1e2, 1e4, 1e5, 1e6, 1e8])
def test_l2_is_called_a_blind_spot_only_where_a_flipped_sign_would_pass(l2):
    given = make(gl.mlp([2, 16, 16, 2], weight_scale=0.5, l2=l2), 30, 0)
    told = saying(given.check(), "even a flipped sign")
    seen = set(given.check(gl.bugs.plant(given.net, "flipped_sign")).wrong)
    assert bool(told) == (not {"W1", "W2", "W3"} & seen)
