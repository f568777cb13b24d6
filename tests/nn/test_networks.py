"""What holds for every network of the sources: convnets, LSTMs, MLPs with batch norm."""

import numpy as np
import pytest

import gradlab as gl
from tests.nn import oracle_cases
from tests.nn.network_cases import CASES, complex_step_cut_gradients, complex_step_gradient


@pytest.mark.parametrize("name", CASES)
def test_backpropagation_agrees_with_the_complex_step(name):
    case = CASES[name]
    analytic = case.net.unroll(case.net.gradient(case.x, case.y, case.masks))
    assert abs(analytic - complex_step_gradient(case)).max() <= 1e-12 * abs(analytic).max()


@pytest.mark.parametrize("name", CASES)
def test_every_cut_agrees_with_the_complex_step(name):
    case = CASES[name]
    analytic = case.net.cut_gradients(case.x, case.y, case.masks)
    numerical = complex_step_cut_gradients(case)
    activations = case.net.cut_activations(case.x, case.masks)
    assert list(analytic) == list(numerical) == list(activations)
    assert analytic["input"].shape == case.x.shape
    largest = max(abs(g).max() for g in analytic.values())
    for cut, gradient in analytic.items():
        assert gradient.shape == numerical[cut].shape == activations[cut].shape
        assert abs(gradient - numerical[cut]).max() <= 1e-12 * largest, cut


@pytest.mark.parametrize("name", CASES)
def test_the_activations_start_with_x_and_end_with_what_predict_says(name):
    case = CASES[name]
    activations = case.net.cut_activations(case.x)
    assert np.array_equal(activations["input"], case.x)
    assert np.array_equal(activations["output"], case.net.predict(case.x))


@pytest.mark.parametrize("name", CASES)
def test_nothing_changes_the_parameters_and_theta_rolls_back(name):
    case = CASES[name]
    before = case.net.theta
    case.net.gradient(case.x, case.y, case.masks)
    case.net.cut_gradients(case.x, case.y, case.masks)
    assert np.array_equal(case.net.theta, before)
    other = case.net.copy()
    other.theta = before
    assert other.loss(case.x, case.y, case.masks) == case.net.loss(case.x, case.y, case.masks)


@pytest.mark.parametrize(
    "build",
    [
        lambda dtype: gl.convnet((1, 8, 8), padding=(1, 1), dtype=dtype),
        lambda dtype: gl.lstm(3, 4, 3, dtype=dtype),
        lambda dtype: gl.mlp([3, 5, 3], batch_norm=True, dtype=dtype),
    ],
)
def test_float32_stays_float32_and_near_float64(build):
    net, double = build("float32"), build("float64")
    rng = np.random.default_rng(0)
    shape = (4, 5, 3) if net.batch_axis else (5, *net.input_shape)
    x, y = rng.standard_normal(shape), rng.integers(0, 3, 5)
    exact = double.gradient(x, y)
    for name, gradient in net.gradient(x, y).items():
        assert gradient.dtype == np.float32
        assert abs(gradient - exact[name]).max() < 1e-5
    assert all(g.dtype == np.float32 for g in net.cut_gradients(x, y).values())


@pytest.mark.parametrize(
    ("text", "build"),
    [
        (
            "convnet((1, 8, 8), filters=(4, 6), kernels=(3, (3, 1)), padding=(1, 1), pool='max', "
            "classes=10, loss='mse', l2=0.1, dtype='float32'): ",
            lambda seed: gl.convnet((1, 8, 8), (4, 6), (3, (3, 1)), (1, 1), loss="mse", l2=0.1,
                                    dtype="float32", seed=seed),
        ),
        (
            "lstm(6, 8, 3, loss='softmax_cross_entropy', every_step=True): 507 parameters",
            lambda seed: gl.lstm(6, 8, 3, every_step=True, seed=seed),
        ),
        (
            "mlp([2, 4, 2], activation='tanh', loss='softmax_cross_entropy', batch_norm=True): 30",
            lambda seed: gl.mlp([2, 4, 2], batch_norm=True, seed=seed),
        ),
    ],
)  # fmt: skip
def test_same_seed_same_weights_and_the_repr_says_what_it_is(text, build):
    assert repr(build(0)).startswith(text)
    assert np.array_equal(build(0).theta, build(0).theta)
    assert not np.array_equal(build(0).theta, build(1).theta)


@pytest.mark.parametrize("name", ["convnet mse", "lstm mse False", "lstm mse True"])
def test_training_takes_whole_examples_and_lowers_the_loss(name):
    case = CASES[name]
    net = case.net.copy()
    history = gl.train(net, case.x, case.y, 40, batch_size=2, learning_rate=0.02, progress=False)
    assert history.loss[-1] < history.loss[0]
    x, _ = case.net.pick(case.x, case.y, np.array([2, 0]))
    some, all_of_them = (np.moveaxis(case.net.predict(z), -2, 0) for z in (x, case.x))
    assert np.allclose(some, all_of_them[[2, 0]], rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_a_batch_may_be_cut_where_no_layer_ties_it(name):
    case = CASES[name]
    a, _ = case.net.prepare(case.x, case.y)
    for layer in case.net.chain(None, a.shape[-2]):
        if a.shape[-2] > 1 and " T=1 " not in name:  # a sequence of one step is a plain example
            parts = [layer.forward(case.net.params, part) for part in np.split(a, [1], axis=-2)]
            joined = np.concatenate(parts, axis=-2)
            whole = layer.forward(case.net.params, a)
            assert np.allclose(joined, whole, rtol=1e-12, atol=1e-15) is not layer.ties_batch, layer
        a = layer.forward(case.net.params, a)


@pytest.mark.parametrize("name", gl.nn.ACTIVATIONS)
def test_a_kink_is_where_the_slope_jumps_at_0(name):
    activation = gl.nn.activations.ACTIVATION_FUNCTIONS[name]
    left, middle, right = activation.function(np.array([-1e-6, 0.0, 1e-6]))
    assert activation.has_kink is bool(abs((right - middle) - (middle - left)) > 1e-8)


def test_the_oracles_are_asked_about_every_activation():
    assert set(oracle_cases.ACTIVATIONS) == set(gl.nn.ACTIVATIONS)
