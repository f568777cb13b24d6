from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.schemes import SCHEME_TABLE, SCHEMES, plain_loop
from gradlab.lab.board.panels.gradient_size import GradientSizePanel, _range
from gradlab.lab.model.settings import Settings
from gradlab.lab.model.spread import noise_of_scheme, spread_over_masks
from gradlab.nn.network import Point
from gradlab.plots.scales import EPS_RANGE
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


# -- what is drawn where -------------------------------------------------------------------------


def made_up(sizes, analytic=1.0, eps=(1e-5, 1e-3)):
    """Return a result with these sizes of one tensor of four entries at two steps."""
    values = np.full(4, float(analytic))
    tensor = SimpleNamespace(analytic=values, numerical=values, directional=False)
    sweep = SimpleNamespace(sizes={"W1": np.array(sizes, float)}, eps=np.array(eps))
    return SimpleNamespace(
        sweep=sweep, report=_Report(W1=tensor), net=None, settings=Settings(eps=1e-4),
        weight=SimpleNamespace(gap=0.0),
    )  # fmt: skip


class _Report(dict):
    @property
    def tensors(self):
        return self


def test_the_axis_reaches_the_next_powers_of_ten_and_sixteen_decades_at_the_most():
    assert _range(made_up([2 * 3.0, 2 * 5.0], 4.0)) == (1.0, 10.0)
    assert _range(made_up([2 * 1.1, 2 * 9.0], 4.0)) == (0.1, 100.0), "no curve lies on an end"
    assert _range(made_up([2e-30, 2 * 3.0], 4.0)) == (10.0**-15, 10.0)
    assert _range(made_up([0.0, 2 * 3.0], 4.0)) == (1.0, 10.0)
    assert _range(made_up([np.inf, 2 * 3.0], 0.0)) == (1.0, 10.0)


def test_where_nothing_is_measured_it_says_so():
    assert PANEL.fits(made_up([0.0, 3.0])) == ""
    for nothing in ([0.0, 0.0], [np.nan, 0.0]):
        assert PANEL.fits(made_up(nothing)).startswith("the numerical gradient is 0")


def test_a_size_of_0_is_not_drawn_and_backprops_line_runs_from_end_to_end():
    chart = PANEL.still(made_up([0.0, 6.0], 2.0))
    backprop, line = chart.marks[:2]
    assert np.isnan(line["y"][0])
    assert line["y"][1] == 3.0
    assert (backprop["y0"], backprop["y1"]) == (2.0, 2.0)
    assert (backprop["x0"], backprop["x1"]) == EPS_RANGE
    assert backprop["colour"] == line["colour"]
    assert PANEL.still(made_up([1.0, 6.0], 0.0)).marks[0]["kind"] == "curve"
    assert (chart.y.low, chart.y.high) == _range(made_up([0.0, 6.0], 2.0))


def test_the_cursor_is_upright_at_the_step_and_no_dot_stands_at_0():
    line, dots = PANEL.moving(made_up([1.0, 6.0], 2.0))
    assert line["x0"] == line["x1"] == 1e-4
    assert line["y0"] < 1e-20
    assert line["y1"] > 1e20
    assert (dots["x"].tolist(), dots["y"].tolist(), dots["ends"]) == ([1e-4], [2.0], [1])
    _, none = PANEL.moving(made_up([1.0, 6.0], 0.0))
    assert len(none["x"]) == 0


def test_round_off_has_its_line_where_it_is_seen():
    result = result_of("straight", weight_scale=1e-3)
    *_, noise = drawn(result)
    assert noise["y"][0] * noise["x"][0] == pytest.approx(result.weight.gap)
    assert tuple(noise["x"]) == EPS_RANGE
    assert PANEL.still(result).legend[-1].dash == tuple(noise["dash"])
    assert len(drawn(result_of("complex_step"))) == len(result_of("complex_step").report)


def test_a_click_is_kept_within_the_steps_that_there_are():
    assert PANEL.pressed(None, 1e-20, 1.0) == {"eps": EPS_RANGE[0]}
    assert "a slope along a direction" in PANEL.alt(result_of("default", method="directional"))
    assert "an entry of the numerical" in PANEL.alt(result_of("default"))
