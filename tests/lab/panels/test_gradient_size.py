import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.schemes import SCHEME_TABLE, SCHEMES, plain_loop
from gradlab.lab.board.panels.gradient_size import GradientSizePanel
from gradlab.lab.model.spread import noise_of_scheme, spread_over_masks
from gradlab.nn.network import Point
from tests.lab.panels.cases import NAMES, painted, result_of

PANEL = GradientSizePanel()


def drawn(result):
    """The curves of the still picture: those of the tensors first, in their order."""
    return [m for m in PANEL.still(result).marks if m["kind"] == "curve"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_sweeps_sizes_are_the_norms_of_a_plain_loops_gradient(scheme):
    x, y = gl.data.moons(12, seed=1)
    net = gl.mlp([2, 3, 2], seed=2)
    steps = np.array([1e-1, 1e-3, 1e-5])
    sweep = gl.sweep_eps(net, x, y, eps=steps, scheme=scheme)
    f = net.loss_function(x, y)
    for i, eps in enumerate(steps):
        n = plain_loop(f, net.theta, eps, scheme)
        for name, (start, stop, _) in net.tensors.items():
            expected = np.sqrt(sum(v * v for v in n[start:stop]))
            assert sweep.sizes[name][i] == pytest.approx(expected, rel=1e-7)


def test_a_sampled_sweeps_sizes_are_those_of_the_sample():
    x, y = gl.data.moons(12, seed=1)
    net = gl.mlp([2, 30, 2], seed=2)
    options = {"method": "sampled", "samples": 5, "seed": 3}
    sweep = gl.sweep_eps(net, x, y, eps=[1e-5], **options)
    report = gl.check(net, x, y, eps=1e-5, **options)
    for name in report:
        size = np.linalg.norm(report[name].numerical)
        assert sweep.sizes[name][0] == pytest.approx(size, rel=1e-6)


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("central", 1 / np.sqrt(2)),
        ("forward", np.sqrt(2)),
        ("five_point", np.sqrt(65 / 72)),
        ("complex_step", 0),
    ],
)
def test_the_noise_of_a_scheme(scheme, expected):
    assert noise_of_scheme(SCHEME_TABLE[scheme]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scheme", ["central", "forward", "five_point"])
def test_the_noise_of_a_scheme_is_what_noisy_losses_give(scheme):
    rule, rng, eps = SCHEME_TABLE[scheme], np.random.default_rng(0), 1e-3
    offsets = np.real(rule.offsets)
    slopes = [rule.combine(rng.normal(size=len(offsets)), offsets * eps, eps) for _ in range(4000)]
    assert np.std(slopes) * eps == pytest.approx(noise_of_scheme(rule), rel=0.05)


def test_the_spread_over_masks_is_that_of_single_evaluations():
    x, y = gl.data.moons(30, seed=0)
    net = gl.mlp([2, 8, 2], dropout_rate=0.5, weight_scale=0.5, l2=0.1, seed=0)
    rng = np.random.default_rng(1)
    losses = [net.loss(x, y, rng) for _ in range(2000)]
    found = spread_over_masks(Point(net, x, y, np.random.default_rng(2)), draws=2000)
    assert found == pytest.approx(np.std(losses, ddof=1), rel=0.08)


@pytest.mark.parametrize("scheme", ["central", "forward", "five_point"])
def test_with_masks_drawn_anew_every_tensor_lies_on_the_line_of_sigma(scheme):
    result = result_of("redrawn", scheme=scheme)
    *tensors, noise = drawn(result)
    assert len(tensors) == 4
    (x0, x1), (y0, y1) = noise["x"], noise["y"]
    assert x0 * y0 == pytest.approx(x1 * y1)  # 1/eps
    for mark in tensors:
        over = mark["y"] * mark["x"] / (x0 * y0)
        # sigma is from 64 draws, and the rest from 61 steps of two or more entries
        assert np.sqrt(np.mean(over**2)) == pytest.approx(1, abs=0.3)
    assert "σ" in PANEL.still(result).legend[-1].text
    assert "σ" in PANEL.alt(result)


def test_with_masks_kept_the_size_does_not_depend_on_the_step_and_is_backprops():
    result = result_of("dropout")
    assert "σ" not in PANEL.alt(result)
    for name, size in result.sweep.sizes.items():
        middle = size[(result.sweep.eps > 1e-9) & (result.sweep.eps < 1e-3)]
        np.testing.assert_allclose(middle, np.linalg.norm(result.analytic[name]), rtol=1e-3)


def test_each_line_is_the_root_mean_square_of_the_entries_and_backprops_stands_beside_it():
    result = result_of("default")
    lines = drawn(result)
    at = [m for m in PANEL.still(result).marks if m["kind"] == "segments"]
    for i, a in enumerate(result.analytic.values()):
        mean_square = sum(v * v for v in a.ravel()) / a.size
        assert at[i]["y0"][0] == pytest.approx(np.sqrt(mean_square))
        middle = np.argmin(np.abs(result.sweep.eps - 1e-5))
        assert lines[i]["y"][middle] == pytest.approx(np.sqrt(mean_square), rel=1e-6)
        np.testing.assert_array_equal(lines[i]["x"], result.sweep.eps)


def test_small_gradients_grow_like_round_off_and_the_line_says_so():
    result = result_of("straight", weight_scale=1e-3)
    *_, noise = drawn(result)
    b1 = drawn(result)[1]
    left = b1["x"] < 1e-8
    gaps = b1["y"][left] * b1["x"][left] / (noise["x"][0] * noise["y"][0])
    assert 0.02 < np.nanmedian(gaps) < 5
    assert "round-off" in PANEL.still(result).legend[-1].text


def test_the_dots_are_the_checks_gradients_at_its_step():
    result = result_of("bug", eps=3e-4)
    (shown,) = [m for m in PANEL.moving(result) if m["kind"] == "dots"]
    assert (shown["x"] == 3e-4).all()
    expected = [np.sqrt(np.mean(t.numerical**2)) for t in result.report.tensors.values()]
    np.testing.assert_allclose(shown["y"], expected)
    for name, size in zip(result.report, expected, strict=True):
        assert f"{name} {size:.1e}" in PANEL.alt(result)


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_painted_for_every_network(name):
    result = result_of(name)
    assert PANEL.fits(result) == ""
    painted(PANEL, result, "dark" if len(name) % 2 else "light")
    chart = PANEL.still(result)
    assert 0 < chart.y.low < chart.y.high
    if name not in ("redrawn", "float32"):
        tensors = drawn(result)[: len(result.report)]
        sizes = np.array([np.interp(np.log(1e-5), np.log(m["x"]), m["y"]) for m in tensors])
        assert ((sizes >= chart.y.low) & (sizes <= chart.y.high)).all()


def test_along_directions_there_is_one_line():
    result = result_of("default", method="directional")
    (line, *_) = drawn(result)
    n = result.report["theta"].numerical
    at = np.interp(np.log(1e-5), np.log(line["x"]), line["y"])
    assert at == pytest.approx(np.sqrt(np.mean(n**2)), rel=1e-4)
    painted(PANEL, result, "light")


def test_a_click_sets_the_step():
    assert PANEL.pressed(result_of("default"), 2e-6, 1.0) == {"eps": 2e-6}
    assert PANEL.pressed(result_of("default"), 20.0, 1.0) == {"eps": 0.1}
