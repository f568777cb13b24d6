import autograd.numpy as anp
import numpy as np
import pytest
from autograd import value_and_grad

import gradlab as gl
from gradlab.nn.convnet import MaxPool
from tests.nn.network_cases import GEOMETRIES, convnet_case


def convolve(x, W, b, p):
    """The definition, pixel by pixel: (N, C, H, W) and (F, C, kh, kw) to (N, F, H', W')."""
    x = anp.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), "constant")
    kh, kw = W.shape[2:]
    rows, columns = x.shape[2] - kh + 1, x.shape[3] - kw + 1
    z = 0
    for i in range(kh):
        for j in range(kw):
            z = z + anp.einsum(
                "ncrs,fc->nfrs", x[:, :, i : i + rows, j : j + columns], W[:, :, i, j]
            )
    return z + b[:, None, None]


def pool(x, kind):
    n, c, h, w = x.shape
    windows = anp.reshape(x, (n, c, h // 2, 2, w // 2, 2))
    return anp.mean(windows, (3, 5)) if kind == "average" else anp.max(anp.max(windows, 5), 3)


def oracle_loss(params, net, x, y):
    a = x
    for i in (1, 2):
        z = convolve(a, params[f"conv{i}_W"], params[f"conv{i}_b"], net.padding[i - 1])
        a = pool(z, net.pool)
    a = anp.reshape(anp.maximum(a, 0), (len(x), -1))
    out = anp.dot(a, params["out_W"]) + params["out_b"]
    shifted = out - anp.max(out, axis=1, keepdims=True)
    log_p = shifted - anp.log(anp.sum(anp.exp(shifted), axis=1, keepdims=True))
    squares = sum(anp.sum(params[f"{layer}_W"] ** 2) for layer in ("conv1", "conv2", "out"))
    return -anp.mean(log_p[np.arange(len(y)), y]) + 0.5 * net.l2 * squares


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_agrees_with_autograd(geometry, kind):
    settings = {"padding": (0, 0), "kernels": (3, 3), **geometry, "pool": kind, "l2": 0.1}
    for n in (1, 4):
        case = convnet_case(n, **settings)
        arguments = case.net, case.x, case.y
        loss, oracle = value_and_grad(oracle_loss)(case.net.params, *arguments)
        assert abs(case.net.loss(case.x, case.y) - loss) <= 1e-13 * loss
        ours = case.net.gradient(case.x, case.y)
        assert list(ours) == list(oracle)
        for name, gradient in ours.items():
            assert oracle[name].any(), "a dead network would test nothing"
            assert abs(gradient - oracle[name]).max() <= 1e-12 * abs(oracle[name]).max(), name


def test_shapes_and_cuts_are_those_of_the_slide():
    net = gl.convnet((1, 28, 28), kernels=(5, 5), filters=(8, 12))
    shapes = {name: value.shape for name, value in net.params.items()}
    assert shapes == {
        "conv1_W": (8, 1, 5, 5),
        "conv1_b": (8,),
        "conv2_W": (12, 8, 5, 5),
        "conv2_b": (12,),
        "out_W": (192, 10),
        "out_b": (10,),
    }
    activations = net.cut_activations(np.random.default_rng(0).standard_normal((2, 1, 28, 28)))
    assert {name: a.shape[1:] for name, a in activations.items()} == {
        "input": (1, 28, 28),
        "conv1": (8, 24, 24),
        "pool1": (8, 12, 12),
        "conv2": (12, 8, 8),
        "pool2": (12, 4, 4),
        "relu": (12, 4, 4),
        "output": (10,),
    }
    assert activations["pool1"].min() < 0 <= activations["relu"].min()  # ReLU after Pool2 only


def test_of_equals_one_pixel_wins():
    pixels = np.ones((1, 2, 4, 1, 1))
    out = MaxPool().forward({}, pixels)
    grad, _ = MaxPool().backward({}, pixels, out, np.full_like(out, 3.0))
    assert grad[0, :, :, 0, 0].tolist() == [[3, 0, 3, 0], [0, 0, 0, 0]]


def test_a_complex_pixel_wins_by_its_real_part_and_of_equals_the_first():
    """A complex step leaves the real parts as they are: it must not change which pixel wins."""
    pixels = np.array([[1 + 1j, 1 + 2j, 1 + 1j, 3 - 1j], [0 + 9j, -5j, 3 + 9j, 2 + 9j]])
    out = MaxPool().forward({}, pixels.reshape(1, 2, 4, 1, 1))
    assert out.ravel().tolist() == [1 + 1j, 3 - 1j]


def test_a_max_pools_change_of_winner_is_a_kink():
    net = gl.convnet((1, 4, 4), (1, 1), (1, 1), classes=2)
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    x[0, 0, 3, 2] = x[0, 0, 3, 3] - 1e-7  # a rival just below the winner of the last window
    delta = np.zeros_like(x)
    delta[0, 0, 3, 2] = 1e-3
    before, after = (
        net.layers[1].branches(np.moveaxis(image, 0, -1)[..., None]) for image in (x, x + delta)
    )
    assert (before != after).sum() == 1


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"image_shape": 8}, TypeError, "image_shape must be 3 integers"),
        ({"image_shape": (8, 8)}, ValueError, "image_shape must be 3 integers.* got 2"),
        ({"image_shape": (1, 0, 8)}, ValueError, r"image_shape\[1\] must be an integer >= 1"),
        ({"image_shape": (1, 9, 8)}, ValueError, r"image_shape must .*even.* got \(1, 9, 8\)"),
        ({"image_shape": (1, 8, 8)}, ValueError, r"image_shape must .*conv2 makes 1 x 1 of 3 x 3"),
        ({"image_shape": (1, 2, 2)}, ValueError, r"image_shape must .*conv1 makes 0 x 0"),
        ({"filters": (4,)}, ValueError, "filters must be 2 integers"),
        ({"filters": (4, 0)}, ValueError, r"filters\[1\] must be an integer >= 1, got 0"),
        ({"kernels": 3}, ValueError, "kernels must be 2 integers or pairs"),
        ({"kernels": (3, (3, 3, 3))}, ValueError, r"kernels\[1\] must be 2 integers"),
        ({"kernels": (3, 2.5)}, TypeError, r"kernels\[1\]\[0\] must be an integer"),
        ({"padding": (-1, 0)}, ValueError, r"padding\[0\] must be an integer >= 0, got -1"),
        ({"padding": 1}, TypeError, "padding must be 2 integers"),
        ({"pool": "mean"}, ValueError, "pool must be one of 'max', 'average', got 'mean'"),
        ({"classes": 0}, ValueError, "classes must be an integer >= 1"),
        ({"loss": "ce"}, ValueError, "loss must be one of"),
        ({"weight_scale": 0}, ValueError, "weight_scale must be a positive"),
        ({"l2": -1}, ValueError, "l2 must be"),
        ({"dtype": "float16"}, ValueError, "dtype must be one of"),
    ],
)
def test_bad_settings_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        gl.convnet(**{"image_shape": (1, 10, 10), **settings})


def test_bad_images_and_labels_are_named():
    net = gl.convnet((1, 10, 10))
    x, y = np.zeros((2, 1, 10, 10)), np.zeros(2, int)
    for wrong, message in [
        (x[0], r"x must have shape \(any, 1, 10, 10\), got \(1, 10, 10\)"),
        (x[:0], "x must hold at least one example"),
        (x * np.nan, "x must be finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            net.loss(wrong, y)
    with pytest.raises(ValueError, match=r"y must hold labels in 0..9, got 10"):
        net.cut_gradients(x, y + 10)
