import numpy as np
import pytest

import gradlab as gl
from tests.checking.cases import case


def test_the_tutorials_mse_by_hand():
    net = gl.mlp([1, 2], loss="mse")
    net.params["W1"][:] = [[1.0, 2.0]]
    x, y = np.array([[1.0], [3.0]]), np.zeros((2, 2))
    # (1/N) sum over n and k of (y - out)^2: (1 + 4 + 9 + 36) / 2
    assert net.loss(x, y) == 25.0
    assert np.array_equal(net.gradient(x, y)["W1"], [[10.0, 20.0]])  # carries 2/N


def test_l2_is_half_lambda_w_squared_on_weights_only():
    net, x, y = case(l2=0.3)
    weights = sum((net.params[k] ** 2).sum() for k in ("W1", "W2", "W3"))
    assert np.isclose(net.l2_loss(), 0.15 * weights, rtol=1e-15)
    assert np.isclose(net.loss(x, y), net.data_loss(x, y) + net.l2_loss(), rtol=1e-15)
    plain = net.replace(l2=0.0)
    with_l2, without = net.gradient(x, y), plain.gradient(x, y)
    assert np.allclose(with_l2["W2"] - without["W2"], 0.3 * net.params["W2"])
    assert np.array_equal(with_l2["b2"], without["b2"])


def test_theta_is_all_parameters_in_order_and_back():
    net, _, _ = case((2, 3, 2))
    assert net.theta.shape == (net.size,) == (17,)
    assert np.array_equal(net.theta[:6], net.params["W1"].ravel())
    assert np.array_equal(net.unroll(net.roll(net.theta)), net.theta)
    assert net.tensors["b2"] == (15, 17, (2,))
    net.theta = np.arange(17.0)
    assert np.array_equal(net.params["b1"], [6.0, 7.0, 8.0])
    net.theta[0] = 99  # a copy: changes nothing
    assert net.params["W1"][0, 0] == 0.0


def test_parameters_can_be_assigned_and_are_used():
    net, x, y = case()
    before = net.loss(x, y)
    net.params["b3"] = net.params["b3"] + np.array([1.0, 0.0, 0.0])
    assert net.loss(x, y) != before


def test_masks_are_zero_or_one_over_keep():
    net, x, y = case(dropout_rate=0.25)
    masks = net.draw_masks(1000, np.random.default_rng(0))
    assert [m.shape for m in masks] == [(1000, 5), (1000, 6)]
    assert set(np.unique(masks[0])) == {0.0, 1 / 0.75}
    assert abs((masks[1] == 0).mean() - 0.25) < 0.02
    assert net.loss(x, y) == net.replace(dropout_rate=0.0).loss(x, y)  # no masks, no dropout
    rng = np.random.default_rng(0)
    assert net.loss(x, y, masks=rng) != net.loss(x, y, masks=rng)


@pytest.mark.parametrize(
    ("net", "fans_in"),
    [
        (gl.mlp([50, 100, 60]), [50, 100]),
        (gl.convnet((4, 10, 10), filters=(30, 20), classes=10), [4 * 9, 30 * 9, 20]),
    ],
)
def test_unless_told_the_weights_keep_a_signal_of_size_one(net, fans_in):
    weights = [value for value in net.params.values() if value.ndim > 1]
    for weight, fan_in in zip(weights, fans_in, strict=True):
        assert weight.std() == pytest.approx(fan_in**-0.5, rel=0.08), weight.shape


def test_same_seed_same_weights_and_the_scale_only_scales():
    a, b = gl.mlp([2, 3, 2], weight_scale=1.0, seed=4), gl.mlp([2, 3, 2], weight_scale=0.5, seed=4)
    assert np.array_equal(0.5 * a.theta, b.theta)
    assert not np.array_equal(a.theta, gl.mlp([2, 3, 2], weight_scale=1.0, seed=5).theta)


def test_copies_and_replacements():
    net, _, _ = case()
    own, shared = net.copy(), net.replace(l2=1.0)
    net.params["W1"][0, 0] = 5.0
    assert own.params["W1"][0, 0] != 5.0
    assert shared.params["W1"][0, 0] == 5.0
    assert (net.l2, shared.l2) == (0.0, 1.0)


def test_predict_gives_a_row_an_example():
    net, x, _ = case((4, 3), activation="identity")
    expected = x @ net.params["W1"] + net.params["b1"]
    assert np.allclose(net.predict(x), expected, rtol=1e-14)


@pytest.mark.parametrize("loss", gl.nn.LOSSES)
def test_loss_function_is_the_loss(loss):
    net, x, y = case(loss=loss, l2=0.1)
    assert np.isclose(net.loss_function(x, y)(net.theta), net.loss(x, y), rtol=1e-15)


def test_a_loss_function_checks_the_networks_own_parameters_before_it_is_called():
    net, x, y = case((4, 5, 3))
    net.params["b1"] = np.zeros(4)
    with pytest.raises(ValueError, match=r"params\['b1'\] must have shape \(5,\), got \(4,\)"):
        net.loss_function(x, y)


def test_a_loss_function_with_a_generator_draws_masks_of_every_example_at_every_call():
    net, x, y = case((2, 6, 2), dropout_rate=0.5)
    f, rng = net.loss_function(x, y, np.random.default_rng(0)), np.random.default_rng(0)
    losses = [f(net.theta) for _ in range(3)]
    assert losses == [net.loss(x, y, rng) for _ in range(3)]
    assert len(set(losses)) == 3


def test_repr_says_what_a_person_asks():
    net = gl.mlp([2, 16, 3], "relu", l2=0.01, dropout_rate=0.5, dtype="float32")
    assert repr(net) == (
        "mlp([2, 16, 3], activation='relu', loss='softmax_cross_entropy', l2=0.01, "
        "dropout_rate=0.5, dtype='float32'): 99 parameters"
    )


def test_large_logits_do_not_overflow():
    for loss in ("softmax_cross_entropy", "binary_cross_entropy"):
        net, x, y = case(loss=loss, weight_scale=1e3)
        assert np.isfinite(net.loss(x, y))
        assert all(np.isfinite(g).all() for g in net.gradient(x, y).values())


@pytest.mark.parametrize(
    "net", [gl.convnet((1, 8, 8), padding=(1, 1)), gl.lstm(2, 3, 2), gl.mlp([2, 3])], ids=repr
)
def test_a_dropout_rate_without_dropout_is_refused(net):
    with pytest.raises(ValueError, match=r"dropout_rate must be 0 for a network without.*got 0.5"):
        net.replace(dropout_rate=0.5)
    assert net.replace(dropout_rate=0.0, l2=0.1).l2 == 0.1


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (gl.mlp([4, 2]), (1, 4)),
        (gl.mlp([1, 2]), (3, 1)),
        (gl.convnet((1, 8, 8), padding=(1, 1)), (1, 1, 8, 8)),
        (gl.lstm(1, 2, 2), (3, 4, 1)),
        (gl.lstm(2, 2, 2), (3, 1, 2)),
    ],
    ids=repr,
)
def test_activations_are_never_views_of_what_the_caller_holds(net, shape):
    x = np.random.default_rng(0).standard_normal(shape)
    given = net.cut_activations(x)["input"]
    assert np.array_equal(given, x)
    assert not np.shares_memory(given, x)


@pytest.mark.parametrize("other", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("worst", "text"), [(-0.5, "-0.5"), (1.5, "1.5")])
def test_a_target_outside_0_and_1_is_told_by_its_worst_value(worst, text, other):
    net = gl.mlp([2, 1], loss="binary_cross_entropy")
    with pytest.raises(ValueError, match=rf"y must lie in \[0, 1\] .*, got {text}$"):
        net.loss(np.zeros((2, 2)), np.array([other, worst]))


def test_a_row_of_probabilities_may_sum_to_1_but_for_rounding_and_counts_as_it_is():
    net, x = gl.mlp([2, 3], weight_scale=1.0, seed=1), np.array([[1.0, -2.0]])
    y = np.array([[0.2, 0.3, 0.5 + 9e-7]])
    p = np.exp(net.predict(x))
    p /= p.sum()
    assert net.loss(x, y) == pytest.approx(-(y * np.log(p)).sum(), rel=1e-12)
    assert net.gradient(x, y)["b1"] == pytest.approx((y.sum() * p - y)[0], rel=1e-10)
    with pytest.raises(ValueError, match="got row 0 with sum 1 and"):
        net.loss(x, y + np.array([0.0, 0.0, 1.5e-7]))


def test_the_complex_step_is_taken_where_exp_would_overflow():
    for loss in gl.nn.LOSSES:
        net, x, y = case(loss=loss, weight_scale=1e3)
        assert np.isfinite(net.loss_function(x, y)(net.theta + 1e-30j))


class Stated:
    """A backward pass that says what it is asked, and answers in numbers of its own."""

    def __init__(self):
        self.asked = []

    def gradient(self, point, params):
        self.asked.append((point, params))
        return {"W1": "as it says"}

    def cut_gradients(self, point, params=None, put=None):
        self.asked.append((point, params))
        return [np.arange(8.0), np.arange(12.0)]

    def state_gradients(self, net, x, y):
        self.asked.append((gl.nn.network.Point(net, x, y), None))
        return {"h": np.ones((3, 4, 5)), "c": np.zeros((3, 4, 5))}

    def reveal(self):
        return "what was planted"


def test_a_backward_pass_put_in_the_layers_place_is_asked_instead_of_them():
    net, other, passed = gl.mlp([2, 3], dropout_rate=0.5), gl.mlp([2, 3], seed=1).params, Stated()
    x, y, masks = np.ones((4, 2)), np.zeros(4, int), None
    assert net.reveal() is None
    net.backward_pass = passed
    assert net.gradient(x, y, masks, other) == {"W1": "as it says"}
    cuts = net.cut_gradients(x, y, masks, other)
    assert cuts["input"].tolist() == np.arange(8.0).reshape(4, 2).tolist()
    assert cuts["output"].tolist() == np.arange(12.0).reshape(4, 3).tolist()
    for point, params in passed.asked:
        given = (point.net, point.x, point.y, point.masks, params)
        assert all(a is b for a, b in zip(given, (net, x, y, masks, other), strict=True))
        assert point.batch == 4
    assert net.reveal() == "what was planted"


def test_a_planted_backward_pass_tells_an_lstms_states_step_by_step():
    net, x, y = gl.lstm(2, 5, 3, dtype="float32"), np.ones((3, 4, 2)), np.zeros(4, int)
    net.backward_pass = Stated()
    found = net.state_gradients(x, y)
    assert list(found) == ["h1", "h2", "h3", "c1", "c2", "c3"]
    assert {(g.shape, g.dtype.name) for g in found.values()} == {((4, 5), "float32")}
    ((point, _),) = net.backward_pass.asked
    assert point.batch == 4  # of sequences (T, N, D) the second axis counts the examples


def test_a_generator_draws_masks_for_one_copy_unless_more_are_asked_for():
    net, rng = gl.mlp([2, 6, 2], dropout_rate=0.5), np.random.default_rng(0)
    one, three = net.chain(rng, 4)[2], net.chain(rng, 4, 3)[2]
    assert (one.mask.shape, three.mask.shape) == ((6, 4, 1), (6, 4, 3))
    assert not np.array_equal(three.mask[..., 0], three.mask[..., 1])


def test_a_network_of_ones_own_layers_has_neither_l2_nor_dropout_unless_told():
    params = {"W": np.ones((2, 1)), "b": np.zeros(1)}
    net = gl.nn.Network([gl.nn.layers.Dense("W", "b")], params, (2,), 1, "mse")
    assert (net.l2, net.dropout_rate, net.dtype) == (0.0, 0.0, np.dtype("float64"))
    assert (net.batch_axis, net.weight_scale) == (0, None)
    assert net.loss(np.ones((1, 2)), [1.0]) == 1.0
