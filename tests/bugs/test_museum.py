import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.suspects import suspects
from gradlab.nn.network import Point
from tests.museum import MAKERS, NEEDS_MORE, SIZES, case, hidden_bugs, make, plantings, report

KINDS = tuple(MAKERS)
SEEDS = range(len(SIZES))


def test_every_exhibit_is_planted_somewhere():
    planted = {name for kind in KINDS for name, _ in plantings(kind)} | NEEDS_MORE
    assert planted == set(gl.bugs.names())


def test_every_layer_has_its_turn():
    layers = {layer for kind in KINDS for name, layer in plantings(kind) if name == "bias_mean"}
    assert layers == {1, 2, 3, 4}


@pytest.mark.parametrize("kind", KINDS)
def test_the_forward_pass_is_bitwise_the_same(kind):
    net, x, y, masks = case(kind, 0)
    right = net.gradient(x, y, masks)
    for name, layer in plantings(kind):
        planted = gl.bugs.plant(net, name, layer)
        assert planted.loss(x, y, masks) == net.loss(x, y, masks)
        assert np.array_equal(planted.predict(x), net.predict(x))
        assert all(planted.params[key] is value for key, value in net.params.items())
        wrong = planted.gradient(x, y, masks)
        assert {k: g.shape for k, g in wrong.items()} == {k: g.shape for k, g in right.items()}
        assert repr(planted) == repr(net)
    again = net.gradient(x, y, masks)
    assert all(np.array_equal(again[key], right[key]) for key in right)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_check_names_exactly_the_wrong_tensors(kind, seed):
    net = case(kind, seed).net
    for name, layer in plantings(kind):
        found = report(kind, seed, name, layer)
        expected = gl.bugs.wrong_tensors(net, name, layer)
        assert (found.verdict, found.wrong) == ("wrong", expected), (name, layer, found)


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_without_a_bug_is_correct(kind):
    found = case(kind, 0).check()
    # below a batch norm, a bias has no slope at all, and nothing can be said of it
    idle = {"b1", "b2"} if kind == "batch_norm" else set()
    assert found.wrong == []
    assert all(found[name].verdict == "correct" for name in found if name not in idle), found


def test_the_fast_numerical_gradient_of_a_planted_network_is_the_same():
    for kind in ("tanh", "convnet", "lstm"):
        net, x, y, masks = case(kind, 0)
        planted = gl.bugs.plant(net, gl.bugs.names(net)[-1])
        theirs = gl.numerical_gradient(planted, x, y, masks=masks)
        for name, own in gl.numerical_gradient(net, x, y, masks=masks).items():
            assert np.array_equal(theirs[name], own)


def test_settings_and_copies_keep_the_bug():
    net, x, y, masks = case("tanh", 0)
    planted = gl.bugs.plant(net, "missing_l2")
    assert planted.copy().params["W1"] is not net.params["W1"]
    wrong = planted.replace(l2=0.5).gradient(x, y, masks)
    right = net.replace(l2=0.5).gradient(x, y, masks)
    assert np.allclose(right["W2"] - wrong["W2"], 0.5 * net.params["W2"])
    assert np.allclose(right["b2"], wrong["b2"])


def test_the_default_is_the_last_layer_that_can_have_it():
    net = case("tanh", 0).net
    planted = gl.bugs.plant(net, "missing_activation_derivative")
    assert planted.reveal().layer == 2
    assert "missing_activation_derivative" in repr(planted.reveal())


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("name", "layer", "error", "message"),
    [
        ("mising_l2", None, ValueError, r"did you mean 'missing_l2'\?"),
        (3, None, TypeError, "name must be one of"),
        ("kernel_not_flipped", None, ValueError, "net must have a convolution"),
        ("leaky_slope_dropped", None, ValueError, "net must have a leaky_relu"),
        ("bias_mean", 4, ValueError, r"layer must be in \[1, 2, 3\] .* got 4"),
        ("missing_transpose", 1, ValueError, r"layer must be in \[2\]"),
        ("bias_mean", "W1", TypeError, "layer must be an integer"),
    ],
)
def test_what_cannot_be_planted_is_refused(name, layer, error, message):
    with pytest.raises(error, match=message):
        gl.bugs.plant(case("tanh", 0).net, name, layer)


def test_no_network_and_a_second_bug_are_refused():
    with pytest.raises(TypeError, match="net must be a network"):
        gl.bugs.plant({"W1": 1}, "bias_mean")
    with pytest.raises(ValueError, match="one at a time"):
        gl.bugs.plant(gl.bugs.plant(case("tanh", 0).net, "bias_mean"), "bias_mean")


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("name", "net"),
    [
        ("missing_l2", gl.mlp([2, 3, 2])),
        ("missing_dropout_mask", gl.mlp([2, 3, 2])),
        ("missing_factor_2", gl.mlp([2, 3, 2])),
        ("mean_over_outputs", gl.mlp([2, 3, 1], loss="mse")),
        ("activation_derivative_at_output", gl.mlp([2, 3, 2], "relu")),  # f'(a) is f'(z)
        ("copied_bias_gradient", gl.mlp([2, 3, 2])),
        ("swapped_width_and_height", gl.convnet((1, 8, 8), padding=(1, 1))),
        ("missing_transpose", gl.mlp([3, 3, 2])),  # below W1 there is no parameter
    ],
)
def test_a_network_that_cannot_show_it_is_refused(name, net):
    assert name not in gl.bugs.names(net)
    with pytest.raises(ValueError, match="net must have"):
        gl.bugs.plant(net, name)


def test_a_copied_line_comes_from_the_nearest_layer_of_two_the_upper_one():
    net, x, y, _ = make(gl.mlp([4, 3, 3, 3, 3, 3]), 6, 0)
    right = net.gradient(x, y)
    for layer, source in {1: 2, 2: 3, 3: 4, 4: 5, 5: 4}.items():
        wrong = gl.bugs.plant(net, "copied_bias_gradient", layer).gradient(x, y)
        assert np.allclose(wrong[f"b{layer}"], right[f"b{source}"], rtol=1e-12)


@pytest.mark.every_case
@pytest.mark.parametrize("pool", ["max", "average"])
@pytest.mark.parametrize(
    ("image", "options", "layers"),
    [
        ((1, 10, 10), {"kernels": [(3, 1), (1, 2)]}, [1]),  # 8 × 10, then 4 × 4
        ((1, 10, 10), {"kernels": [3, (1, 3)]}, [2]),  # 8 × 8, then 4 × 2
        ((1, 8, 12), {"padding": (1, 1)}, [1, 2]),
        ((1, 4, 8), {"kernels": [(1, 5), 1], "padding": (2, 0)}, []),  # 8 × 8
        ((2, 14, 8), {"kernels": [3, (3, 2)], "padding": (0, 1)}, [1, 2]),  # 12 × 6, then 6 × 4
        ((2, 12, 8), {"kernels": [(5, 1), (3, 1)], "padding": (0, 1)}, [2]),  # 8 × 8, then 4 × 6
    ],
)
def test_rows_and_columns_are_swapped_where_images_do_not_come_out_square(
    image, options, layers, pool
):
    net = gl.convnet(image, pool=pool, **options)
    sides = {
        name: cut.shape[-2:] for name, cut in net.cut_activations(np.ones((1, *image))).items()
    }
    assert layers == [k for k in (1, 2) if len(set(sides[f"conv{k}"])) == 2]
    assert gl.bugs.layers(net, "swapped_width_and_height") == layers


def test_descriptions_tell_both_lines():
    numbers = []
    for name in gl.bugs.names():
        about = gl.bugs.describe(name)
        numbers.append(about.number)
        assert about.wrong != about.right
        assert all((about.summary, about.shows, about.cause))
        text = repr(about)
        assert about.wrong in text
        assert about.right in text
        assert "<script" not in about._repr_html_()
    assert numbers == sorted(numbers)
    assert set(numbers) == {*range(1, 26), 27, 30, 31, 32, 33}


@pytest.mark.parametrize(
    ("name", "loss", "ratio"),
    [
        ("missing_1_over_n", "mse", 8),
        ("double_1_over_n", "softmax_cross_entropy", 1 / 8),
        ("missing_factor_2", "mse", 1 / 2),
        ("mean_over_outputs", "mse", 1 / 3),
        ("flipped_sign", "binary_cross_entropy", -1),
        ("accumulated_gradients", "softmax_cross_entropy", 2),
    ],
)
def test_factors_are_what_the_description_says(name, loss, ratio):
    given = make(gl.mlp([5, 6, 6, 3], loss=loss), 8, 0)
    found = given.check(gl.bugs.plant(given.net, name))
    for key in found:
        assert np.isclose(found[key].ratio, ratio, rtol=1e-5)
        expected = abs(ratio - 1) / (abs(ratio) + 1)  # 7/9, 1/3, 1/2 or 1
        assert np.isclose(found[key].norm_ratio, expected, rtol=1e-5)


def hidden(net, x, y, masks=None):
    return {suspect.bug for suspect in hidden_bugs(net, x, y, masks)}


def blames(name, given):
    """Return what a check blames with the bug in the network."""
    return given.check(gl.bugs.plant(given.net, name)).wrong


def test_a_missing_derivative_hides_where_tanh_is_nearly_linear():
    for scale, low, high in ((0.001, 0, 1e-9), (0.01, 1e-8, 1e-6), (1.0, 0.1, 1)):
        net = gl.mlp([5, 6, 6, 3], weight_scale=scale)
        given = make(net, 8, 0)
        for name in ("b1", "b2", "b3"):
            net.params[name][:] = 0
        right, wrong = (n.gradient(given.x, given.y)["W2"].ravel() for n in
                        (net, gl.bugs.plant(net, "missing_activation_derivative")))  # fmt: skip
        assert low <= gl.norm_ratio(wrong, right) <= high
        assert ("missing_activation_derivative" in hidden(*given)) == (scale < 0.005)


def test_a_flipped_sign_hides_under_l2_except_in_the_biases():
    for l2, ceiling in ((1e3, 1e-3), (1e5, 1e-5)):
        given = make(gl.mlp([5, 6, 6, 3], l2=l2), 8, 0)
        right = given.net.gradient(given.x, given.y)
        wrong = gl.bugs.plant(given.net, "flipped_sign").gradient(given.x, given.y)
        ratios = {key: gl.norm_ratio(wrong[key].ravel(), right[key].ravel()) for key in right}
        assert all(ratios[f"W{i}"] < ceiling for i in (1, 2, 3))
        assert all(np.isclose(ratios[f"b{i}"], 1) for i in (1, 2, 3))


def test_bugs_that_need_a_batch_hide_with_one_example():
    given = make(gl.mlp([5, 6, 6, 3], l2=0.1), 1, 0)
    blind = {"missing_1_over_n", "double_1_over_n", "bias_mean", "softmax_over_batch", "l2_over_n"}
    assert blind <= hidden(*given)
    for name in blind:
        assert blames(name, given) == []
    assert not blind & hidden(*make(gl.mlp([5, 6, 6, 3], l2=0.1), 8, 0))


def test_l2_on_biases_hides_while_they_are_0():
    given = make(gl.mlp([5, 6, 3], l2=0.1), 8, 0)
    assert blames("l2_on_biases", given)
    for name in ("b1", "b2"):
        given.net.params[name][:] = 0
    assert blames("l2_on_biases", given) == []
    assert "l2_on_biases" in hidden(*given)


def test_gamma_hides_while_it_is_1():
    given = make(gl.mlp([5, 6, 6, 3], batch_norm=True), 8, 0)
    assert "batch_norm_missing_gamma" not in hidden(*given)
    for name in ("gamma1", "gamma2"):
        given.net.params[name][:] = 1
    assert blames("batch_norm_missing_gamma", given) == []
    assert "batch_norm_missing_gamma" in hidden(*given)


def test_a_leaky_slope_hides_while_every_z_is_positive():
    """At 0 it is the slope left of 0 that counts, in gradlab as elsewhere."""
    net, x, y, _ = make(gl.mlp([3, 4, 2], "leaky_relu"), 6, 0)
    net.params["W1"][:], net.params["b1"][:] = np.abs(net.params["W1"]), 0
    for least, reason in ((0.1, "every pre-activation of a leaky_relu is positive"), (0, "")):
        x[:] = np.abs(x) + 0.1
        x[0] = least
        assert (net.cut_activations(x)["z1"] > 0).all() == bool(least)
        (found,) = (s for s in suspects(Point(net, x, y)) if s.bug == "leaky_slope_dropped")
        assert found.spot.reason == reason


def test_dropout_hides_without_masks():
    net, x, y, _ = case("tanh", 0)
    blind = {"missing_dropout_mask", "missing_dropout_scale", "redrawn_dropout_mask"}
    assert blind <= hidden(net, x, y)
    assert not blind & hidden(*case("tanh", 0))


def test_time_hides_in_one_step():
    given = make(gl.lstm(4, 5, 3), 6, 0, steps=1)
    for name in ("lstm_cell_gradient_dropped", "lstm_step_overwrites"):
        assert blames(name, given) == []
    assert "lstm_tanh_twice" not in hidden(*given)


def test_ties_show_only_where_there_are_some():
    given = make(gl.convnet((1, 8, 8), padding=(1, 1), classes=3), 6, 0)
    planted = gl.bugs.plant(given.net, "max_pool_all_ties", 1)
    assert given.check(planted).verdict == "correct"
    given.x[:, :, :5] = 0.5  # blank paper
    found = given.check(planted)
    assert (found.verdict, found.wrong) == ("wrong", ["conv1_W", "conv1_b"])
    assert gl.diagnose(found, *given)[0].bug == "max_pool_all_ties"
