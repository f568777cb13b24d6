import threading

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.fast import chunks
from gradlab.checking.fast.shifted_losses import row_sum
from tests.checking.cases import case, flat

STEPS = {"forward": 1e-4, "central": 1e-4, "five_point": 1e-3, "complex_step": 1e-30}


@pytest.mark.every_case
@pytest.mark.parametrize("scheme", gl.checking.SCHEMES)
@pytest.mark.parametrize("loss", gl.nn.LOSSES)
@pytest.mark.parametrize("activation", gl.nn.ACTIVATIONS)
def test_agrees_with_the_plain_loop(activation, loss, scheme):
    for l2, rate in ((0.0, 0.0), (0.3, 0.4)):
        net, x, y = case(activation=activation, loss=loss, l2=l2, dropout_rate=rate)
        masks = net.draw_masks(len(x), np.random.default_rng(1)) if rate else None
        fast, loop = (
            flat(net, gl.numerical_gradient(net, x, y, STEPS[scheme], scheme, masks, method))
            for method in ("fast", "loop")
        )
        noise = 1e-15 if scheme == "complex_step" else 1e-14 / STEPS[scheme]
        assert np.abs(fast - loop).max() < noise * max(1, np.abs(loop).max())


@pytest.mark.parametrize("output_activation", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize("loss", gl.nn.LOSSES)
def test_an_output_activation_is_not_mistaken_for_logits(output_activation, loss):
    net, x, y = case(output_activation=output_activation, loss=loss)
    fast = flat(net, gl.numerical_gradient(net, x, y, 1e-30, "complex_step"))
    assert np.abs(fast - net.unroll(net.gradient(x, y))).max() < 1e-14


@pytest.mark.parametrize("sizes", [(3, 2), (1, 1, 2), (2, 3, 4, 5, 2), (30, 2), (2, 40, 1)])
@pytest.mark.parametrize("n", [1, 2, 9, 150])
def test_any_depth_width_and_batch(sizes, n):
    loss = "mse" if sizes[-1] == 1 else "softmax_cross_entropy"
    net, x, y = case(sizes, n, loss=loss)
    fast = flat(net, gl.numerical_gradient(net, x, y, 1e-30, "complex_step"))
    analytic = net.unroll(net.gradient(x, y))
    assert np.abs(fast - analytic).max() < 1e-13 * max(1, np.abs(analytic).max())


def test_soft_targets_and_a_batch_cut_in_parts(monkeypatch):
    net, x, _ = case(dropout_rate=0.5)
    y = np.random.default_rng(3).dirichlet(np.ones(3), len(x))
    masks = net.draw_masks(len(x), np.random.default_rng(1))
    whole = gl.numerical_gradient(net, x, y, 1e-4, masks=masks)
    monkeypatch.setattr(chunks, "CHUNK", 256)
    monkeypatch.setattr(chunks, "LONG", 16)
    cut = gl.numerical_gradient(net, x, y, 1e-4, masks=masks)
    assert all(np.abs(whole[k] - cut[k]).max() < 1e-10 for k in whole)
    assert all(np.abs(whole[k] - net.gradient(x, y, masks)[k]).max() < 1e-7 for k in whole)


@pytest.mark.parametrize("loss", gl.nn.LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("sizes", [(9, 8, 3), (3, 2, 40, 7, 2), (5, 30, 3)])
@pytest.mark.parametrize("group", [1, 3000, 10**9])
def test_copies_grouped_by_the_row_that_they_shift(sizes, activation, loss, group, monkeypatch):
    """1: every row by itself. 3000: where its copies are many. 10**9: one after the other."""
    net, x, y = case(sizes, 20, activation=activation, loss=loss, l2=0.1, dropout_rate=0.3)
    masks = net.draw_masks(20, np.random.default_rng(1))
    monkeypatch.setattr(chunks, "CHUNK", 4096)
    monkeypatch.setattr(chunks, "GROUP", group)
    eps = np.array([1e-4, 1e-5, 1e-6])
    fast, loop = (
        flat(net, gl.numerical_gradient(net, x, y, eps, masks=masks, method=method))
        for method in ("fast", "loop")
    )
    size = max(1, np.abs(loop).max())
    assert (np.abs(fast - loop).max(axis=1) < 1e-14 / eps * size).all()
    exact = flat(net, gl.numerical_gradient(net, x, y, 1e-30, "complex_step", masks))
    assert np.abs(exact - net.unroll(net.gradient(x, y, masks))).max() < 1e-14 * size


def test_a_vector_of_steps_is_an_axis_in_front():
    net, x, y = case()
    eps = np.logspace(-2, -6, 5)
    many = gl.numerical_gradient(net, x, y, eps)
    for s, h in enumerate(eps):
        one = gl.numerical_gradient(net, x, y, h)
        for name in net.params:
            assert many[name].shape == (5, *net.params[name].shape)
            assert np.array_equal(many[name][s], one[name])


def test_a_step_that_throws_the_logits_out_of_range_is_still_right():
    net, x, y = case(weight_scale=30.0)
    for sizes_eps in (1.0, 1e3):
        fast = flat(net, gl.numerical_gradient(net, x, y, sizes_eps))
        loop = flat(net, gl.numerical_gradient(net, x, y, sizes_eps, method="loop"))
        assert np.isfinite(fast).all()
        assert np.allclose(fast, loop, rtol=1e-9, atol=1e-9)


def test_float32_stays_float32():
    net, x, y = case(dtype="float32", l2=0.1)
    fast, loop = (gl.numerical_gradient(net, x, y, 1e-2, method=m) for m in ("fast", "loop"))
    for name in net.params:
        assert fast[name].dtype == np.float32
        assert np.abs(fast[name] - loop[name]).max() < 1e-4
    # in float32 a step of 1e-9 vanishes against most weights: no difference, and no division by 0
    assert np.isfinite(flat(net, gl.numerical_gradient(net, x, y, 1e-9))).all()


def test_redrawn_masks_make_n_grow_like_1_over_h():
    net, x, y = case(dropout_rate=0.5)
    norms = []
    for method in ("fast", "loop"):
        for h in (1e-1, 1e-3, 1e-5):
            n = gl.numerical_gradient(net, x, y, h, masks=np.random.default_rng(0), method=method)
            norms.append(np.linalg.norm(flat(net, n)))
    norms = np.array(norms).reshape(2, 3)
    assert ((norms[:, 1:] / norms[:, :-1] > 50) & (norms[:, 1:] / norms[:, :-1] < 200)).all()
    assert 0.7 < norms[0, 2] / norms[1, 2] < 1.4


@pytest.mark.parametrize(
    "sizes", [pytest.param((2, 16, 16, 2), marks=pytest.mark.soak), (20, 8, 10), (16, 4, 24, 3)]
)
def test_the_left_arm_is_as_noisy_as_the_plain_loops(sizes):
    """The U-curve's left arm is round-off: an engine that hides some of it teaches a lie."""
    ratios = []
    eps = np.logspace(-8, -11, 7)
    for seed in range(8):
        net, x, y = case(sizes, 32, seed, l2=1e-3)
        analytic = net.unroll(net.gradient(x, y))
        fast, loop = (
            np.abs(flat(net, gl.numerical_gradient(net, x, y, eps, method=m)) - analytic)
            for m in ("fast", "loop")
        )
        ratios.append(np.median(fast, axis=1) / np.median(loop, axis=1))
    assert abs(np.median(ratios) - 1) < 0.05


def test_row_sum_rounds_as_np_sum():
    rng = np.random.default_rng(0)
    for n in (1, 4, 8, 9, 31, 32, 100, 128, 129, 200, 300, 1000):
        t = rng.random((n, 5))
        assert np.array_equal(row_sum(t), [np.ascontiguousarray(c).sum() for c in t.T])


def test_parameters_are_never_touched_not_even_for_a_moment():
    net, x, y = case((6, 30, 3), 40)
    before = net.theta.tobytes()
    seen, stop = set(), threading.Event()

    def watch():
        while not stop.is_set():
            seen.add(net.theta.tobytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for method in ("fast", "loop"):
        gl.numerical_gradient(net, x, y, method=method)
    stop.set()
    watcher.join()
    assert seen == {before}
