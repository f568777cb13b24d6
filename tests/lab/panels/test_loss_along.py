import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.along import LossAlong
from gradlab.checking.schemes import SCHEME_TABLE
from gradlab.lab.board.panels.loss_along import (
    LossAlongPanel,
    _apart,
    _kink_marks,
    _levels,
    _note,
    _numbers,
    _range,
    _ticks,
    _why,
)
from gradlab.lab.model.settings import Settings
from gradlab.lab.model.weight import SAMPLES
from gradlab.nn.network import Point
from gradlab.plots.scales import power_of_ten
from tests.lab.panels.cases import NAMES, painted, result_of

PANEL = LossAlongPanel()
SUBTRACT = [name for name in NAMES if name != "complex_step"]
REPEAT = [name for name in NAMES if name != "redrawn"]


def loss_at(result, t):
    """The loss with t added to the weight, by a plain evaluation of the network."""
    w, net = result.weight, result.net
    if net is None:
        theta = result.problem.function.theta.copy()
        theta[w.entry] += t
        return result.problem.function.f(theta)
    masks = result.problem.masks(result.settings)
    params = {name: value.copy() for name, value in net.params.items()}
    params[w.tensor].reshape(-1)[w.entry] += t
    return net.loss(result.x, result.y, masks, params)


def marks(result, kind):
    return [mark for mark in PANEL.moving(result) if mark["kind"] == kind]


def line(mark, t):
    """The height at t of a mark that is a straight line."""
    (x0, x1), (y0, y1) = mark["x"], mark["y"]
    return y0 + (y1 - y0) * (np.asarray(t) - x0) / (x1 - x0)


@pytest.mark.parametrize("name", REPEAT)
def test_the_curve_is_the_loss_at_shifted_weights(name):
    result = result_of(name, eps=1e-2, tensor="")
    t, rise = result.weight.curve
    dtype = result.weight.along.value.dtype
    single = dtype.itemsize == 4
    tolerance = 16 * float(np.finfo(dtype).eps) * max(1.0, abs(result.weight.base))
    assert len(t) == SAMPLES
    assert t[SAMPLES // 2] == rise[SAMPLES // 2] == 0
    for i in range(0, SAMPLES, 8):
        plain = loss_at(result, t[i]) - loss_at(result, 0.0)
        assert rise[i] == pytest.approx(plain, rel=1e-4 if single else 1e-10, abs=tolerance)


@pytest.mark.parametrize("name", SUBTRACT)
def test_the_points_are_where_the_scheme_looks(name):
    result = result_of(name, eps=1e-3)
    offsets = {"forward": [0, 1], "five_point": [1, -1, 2, -2]}
    taken, rise, _ = result.weight.difference
    expected = np.array(offsets.get(result.settings.scheme, [1, -1])) * 1e-3
    np.testing.assert_allclose(taken, expected, rtol=1e-3, atol=1e-12)
    (shown,) = marks(result, "dots")
    np.testing.assert_array_equal(shown["x"], taken)
    np.testing.assert_array_equal(shown["y"], rise)


def test_the_complex_step_has_no_point_on_this_line():
    result = result_of("complex_step", eps=1e-3)
    (shown,) = marks(result, "dots")
    assert len(shown["x"]) == 0
    assert "off this line" in PANEL.alt(result)
    assert result.weight.difference[2] == pytest.approx(result.weight.numerical, rel=1e-12)


@pytest.mark.parametrize("name", ["default", "forward", "lstm", "convnet", "redrawn"])
@pytest.mark.parametrize("eps", [1e-1, 1e-6, 1e-12])
def test_the_secant_goes_through_its_points_and_the_tangent_through_the_weight(name, eps):
    result = result_of(name, eps=eps)
    secant, tangent = marks(result, "curve")
    assert secant["width"] == tangent["width"], "neither claims more than the other"
    taken, rise, _ = result.weight.difference
    size = np.abs(rise).max() + 1e-18
    np.testing.assert_allclose(line(secant, taken), rise, atol=1e-9 * size)
    assert line(tangent, 0.0) == pytest.approx(0, abs=1e-9 * size)
    slope = (tangent["y"][1] - tangent["y"][0]) / (tangent["x"][1] - tangent["x"][0])
    w = result.weight
    assert slope == pytest.approx(result.analytic[w.tensor].flat[w.entry], rel=1e-12)


@pytest.mark.parametrize("name", REPEAT)
@pytest.mark.parametrize("eps", [1e-1, 1e-5, 1e-9])
def test_its_slope_is_the_checks_but_for_the_round_off_of_the_loss(name, eps):
    result = result_of(name, eps=eps)
    w = result.weight
    rounding = 0 if name == "complex_step" else 60 * w.gap / eps
    assert w.difference[2] == pytest.approx(w.numerical, rel=1e-9, abs=rounding, nan_ok=True)


@pytest.mark.parametrize(("scheme", "factor"), [("forward", 10), ("central", 100)])
def test_the_secant_turns_towards_the_tangent_as_the_scheme_promises(scheme, factor):
    off = [
        abs(r.weight.difference[2] - r.weight.analytic)
        for r in (result_of("default", eps=e, scheme=scheme, tensor="W3", entry=0)
                  for e in (1e-1, 1e-2))
    ]  # fmt: skip
    assert off[0] / off[1] == pytest.approx(factor, rel=0.2)


def test_at_the_smallest_steps_the_loss_is_a_staircase_whose_levels_are_drawn():
    result = result_of("default", eps=1e-13)
    w = result.weight
    rise = w.curve[1]
    assert len(np.unique(rise)) < 20
    np.testing.assert_array_equal(rise / w.gap, np.round(rise / w.gap))
    levels = next(m["y0"] for m in PANEL.still(result).marks if m["kind"] == "segments")
    assert np.isin(np.round(rise / w.gap), np.round(levels / w.gap)).all()


def test_planted_kinks_are_found_where_they_are():
    # one unit with z = x + b, examples x = -k: along b the loss bends at every k
    at = [-0.17, -0.05, 0.0301, 0.0302, 0.16]
    net = gl.mlp([1, 1, 1], "relu", loss="mse", seed=0)
    net.params["W1"][:] = net.params["W2"][:] = 1.0
    x = -np.array(at)[:, None]
    along = LossAlong(Point(net, x, np.zeros((5, 1)), None), "b1", 0)
    found = along.kinks(np.linspace(-0.2, 0.2, 65))
    np.testing.assert_allclose(found, at, atol=0.4 / 64 / 8**4)


def test_every_kink_of_a_random_network_is_found_once():
    result = result_of("relu", eps=1e-1, tensor="W1", entry=1)
    net, x, w = result.net, result.x, result.weight
    fine = np.linspace(-w.window, w.window, 20001)
    pattern = []
    for t in fine:
        W1 = net.params["W1"].copy()
        W1.flat[1] += t
        z1 = x @ W1 + net.params["b1"]
        z2 = np.maximum(z1, 0) @ net.params["W2"] + net.params["b2"]
        pattern.append(np.concatenate([(z1 > 0).ravel(), (z2 > 0).ravel()]))
    steps = np.flatnonzero((np.diff(np.array(pattern).astype(int), axis=0) != 0).any(axis=1))
    expected = (fine[steps] + fine[steps + 1]) / 2
    found = w.along.kinks(np.linspace(-w.window, w.window, SAMPLES))
    assert len(expected) > 3
    np.testing.assert_allclose(found, expected, atol=2 * (fine[1] - fine[0]))


def test_a_pool_that_changes_its_winner_is_a_kink():
    result = result_of("convnet", eps=1e-3, tensor="conv1_W", entry=0)
    along, net = result.weight.along, result.net
    found = along.kinks(np.linspace(-0.02, 0.02, 65))
    assert len(found) > 0

    def winners(t):
        params = net.params | {"conv1_W": net.params["conv1_W"].copy()}
        params["conv1_W"].flat[0] += t
        a = net.cut_activations(result.x, params=params)
        images = [a["conv1"], a["conv2"]]
        windows = [np.stack([i[..., r::2, c::2] for r in (0, 1) for c in (0, 1)]) for i in images]
        return [w.argmax(axis=0).tobytes() for w in windows] + [(a["pool2"] > 0).tobytes()]

    for t in found:
        assert winners(t - 1e-6) != winners(t + 1e-6)


@pytest.mark.parametrize("name", ["default", "lstm", "redrawn"])
def test_where_there_are_no_kinks_none_are_marked(name):
    result = result_of(name, eps=1e-1)
    assert not any(m.get("texts") for m in PANEL.still(result).marks)


def test_dropout_that_is_redrawn_has_dots_and_no_curve():
    frozen, redrawn = (PANEL.still(result_of(n, eps=1e-2)).marks for n in ("dropout", "redrawn"))
    assert [m["kind"] for m in frozen] == ["curve"]
    assert [m["kind"] for m in redrawn] == ["dots"]
    assert len(np.unique(redrawn[0]["y"])) > SAMPLES // 2
    assert "on no curve" in PANEL.alt(result_of("redrawn", eps=1e-2))


def test_the_window_stands_still_for_a_decade_and_holds_all_points():
    windows = []
    for scheme in ("forward", "central", "five_point"):
        any_step = result_of("one unit", scheme=scheme, tensor="W1", entry=0)
        for eps in np.logspace(-13, -1, 97):
            result = replace(any_step, settings=any_step.settings.replace(eps=float(eps)))
            taken, half = result.weight.difference[0], result.weight.window
            assert half / 15.01 <= np.abs(taken).max() <= half / 1.49
            windows.append(half)
    assert len(set(windows)) <= 14
    assert all(round(math.log10(half / 2), 9) % 1 == 0 for half in windows)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("eps", [1e-1, 1e-13])
def test_it_can_be_painted_and_told_for_every_network(name, eps):
    result = result_of(name, eps=eps)
    assert PANEL.fits(result) == ""
    if (eps < 1e-9) == (len(name) % 2):  # each once, half of them at either end
        painted(PANEL, result, "dark" if len(name) % 3 else "light")
    w = result.weight
    alt = PANEL.alt(result)
    assert f"{w.name} = {w.value:.3g}" in alt
    assert (f"{w.numerical:.5g}" if np.isfinite(w.numerical) else "not defined") in alt
    assert f"{w.analytic:.5g}" in alt
    low, high = PANEL.still(result).y.low, PANEL.still(result).y.high
    assert low < 0 < high
    assert 1e-37 < high - low < math.inf


def test_the_worst_entry_is_looked_at_unless_one_is_set():
    result = result_of("bug")
    w = result.weight
    assert w.error == result.report[w.tensor].errors.max() == result.report.error
    other = result_of("bug", tensor="W2", entry=6).weight
    assert other.name == "W2[1, 2]"
    assert other.numerical == result.report["W2"].numerical[1, 2]


def test_an_entry_that_was_not_checked_is_told_so_and_has_its_own_difference():
    result = result_of("sampled", tensor="W2", eps=1e-5)
    left = np.setdiff1d(np.arange(64 * 64), result.report["W2"].entries)
    entry = int(left[0])
    other = result_of("sampled", tensor="W2", entry=entry, eps=1e-5)
    w = other.weight
    assert w.at is None
    assert (w.mark, w.kinks) == ("", 0)
    assert math.isnan(w.error)
    assert "not among those checked" in PANEL.alt(other)
    assert w.numerical == pytest.approx(other.analytic["W2"].flat[entry], rel=1e-4)
    worst = result.weight
    assert worst.entry in result.report["W2"].entries
    assert worst.numerical in result.report["W2"].numerical


def test_the_key_is_kept_while_the_step_moves_inside_of_the_window():
    one, near, far = (result_of("default", eps=e, tensor="W1", entry=3) for e in (2e-5, 5e-5, 5e-4))
    assert PANEL.key(one)[1:] == PANEL.key(near)[1:] != PANEL.key(far)[1:]


def test_a_click_sets_the_step_that_reaches_as_far_and_keeps_the_weight():
    result = result_of("default")
    kept = {"tensor": result.tensor, "entry": result.entry}
    assert PANEL.pressed(result, -3e-4, 0.1) == {"eps": 3e-4, **kept}
    assert PANEL.pressed(result, 0.0, 0.1) == {"eps": 1e-13, **kept}
    assert PANEL.pressed(result, 5.0, 0.1) == {"eps": 0.1, **kept}
    assert result_of("default", **kept).weight.name == result.weight.name


def test_along_a_parabola_the_secant_is_the_tangent_at_every_step():
    # lesson 01: the central difference of x² at 3 is 6, however long the step
    result = result_of("parabola", eps=0.1)
    secant, tangent = marks(result, "curve")
    np.testing.assert_allclose(np.diff(secant["y"]), np.diff(tangent["y"]), rtol=1e-12)
    t, rise = result.weight.curve
    np.testing.assert_allclose(rise, 6 * t + t * t, atol=1e-14)


def test_where_a_function_is_not_defined_the_curve_has_a_gap():
    result = result_of("logarithm", eps=1e-1, tensor="", entry=0)
    t, rise = result.weight.curve
    np.testing.assert_array_equal(np.isnan(rise), 0.05 + t <= 0)
    assert PANEL.fits(result) == ""


def test_directions_have_no_one_weight():
    result = result_of("default", method="directional")
    assert "directions" in PANEL.fits(result)


# -- what is written, and where ------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize("high", [3e-13, 2e-5, 3e-3, 0.02, 0.2, 2.0, 2000.0, 2e4])
@pytest.mark.parametrize("low", [-1.0, -0.3, 0.0])
def test_ticks_are_a_few_round_numbers_in_the_unit_of_the_label(low, high):
    low *= high
    ticks, unit = _ticks(low, high)
    at, texts = zip(*ticks, strict=True)
    assert 2 <= len(ticks) <= 6
    assert low * (1 + 1e-9) <= at[0] < at[-1] <= high * (1 + 1e-9)
    steps = np.diff(at)
    np.testing.assert_allclose(steps, steps[0])
    assert at[0] - steps[0] < low
    assert at[-1] + steps[0] > high, "up to both ends"
    plain = 0.01 <= max(high, -low) < 1e4
    power = 1.0 if plain else 10.0 ** math.floor(math.log10(max(high, -low)))
    assert unit == ("" if plain else f", in {power_of_ten(power)}")
    np.testing.assert_allclose([float(t.replace("−", "-")) * power for t in texts], at, atol=1e-20)
    digits = {text.lstrip("−").replace("0", "").replace(".", "") for text in texts}
    assert max(map(len, digits)) <= 2


def seen(**more):
    """Return a weight of a made-up result: what a panel reads of one."""
    made = {
        "numerical": 2.0, "analytic": 2.0, "error": 0.0, "mark": "ok", "kinks": 0, "name": "W1[0]",
        "value": 1.0, "base": 0.5, "gap": 1e-16, "window": 2.0, "tensor": "W1", "entry": 0,
        "rule": SCHEME_TABLE["central"], "along": SimpleNamespace(redrawn=False),
        "difference": (np.array([1.0, -1.0]), np.array([2.0, -2.0]), 2.0),
        "curve": (np.linspace(-2, 2, 5), np.linspace(-4, 4, 5)),
        "result": SimpleNamespace(
            settings=Settings(eps=1e-3), sweep=SimpleNamespace(predicted_best_eps=1e-5)
        ),
    }  # fmt: skip
    return SimpleNamespace(**made | more)


REDRAWN = SimpleNamespace(redrawn=True)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (seen(mark="ok"), "agrees"),
        (seen(mark="ok", error=1.1e-4), "tiny in its tensor"),
        (seen(mark="ok", error=1e-4), "agrees"),
        (seen(mark="bug", error=0.5), "differs"),
        (seen(mark="kink", kinks=1), "kink crossed"),
        (seen(mark="kink", kinks=2), "2 kinks crossed"),
        (seen(mark="ok", kinks=2), "agrees"),
        (seen(mark="noise"), "the step is too far"),
        (seen(mark="noise", result=SimpleNamespace(
            settings=Settings(eps=1e-9), sweep=SimpleNamespace(predicted_best_eps=1e-5))),
         "lost in round-off"),
        (seen(mark="noise", result=SimpleNamespace(
            settings=Settings(eps=1e-5), sweep=SimpleNamespace(predicted_best_eps=1e-5))),
         "lost in round-off"),
        (seen(mark="noise", along=REDRAWN), "too rough to tell"),
        (seen(mark="noise", rule=SCHEME_TABLE["complex_step"]), "too rough to tell"),
        (seen(mark=""), "not among those checked"),
    ],
)  # fmt: skip
def test_why_an_entry_has_its_mark(weight, words):
    assert _why(weight) == words


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("first", "again", "apart"),
    [(1.0, 1.0, False), (1.0, 1.009, False), (1.0, 1.012, True), (-1.0, 1.0, True),
     (0.0, 0.0, False), (1.0, 0.985, True), (1.0, 0.995, False)],
)  # fmt: skip
def test_a_slope_evaluated_again_is_told_where_the_eye_sees_it(first, again, apart):
    weight = seen(numerical=first, difference=(None, None, again))
    assert _apart(weight) == apart
    assert ("evaluated again" in _numbers(weight)[0]["texts"][0]) == apart
    told = PANEL.alt(SimpleNamespace(weight=weight))
    assert told.endswith(f"The points shown were evaluated again: {again:.5g}.") == apart


@pytest.mark.parametrize(
    ("rise", "side", "align"),
    [([0.0, 1.0], -1, "left"), ([1.0, 0.0], 1, "right"), ([np.nan, -1.0], 1, "right")],
)
def test_the_numbers_stand_in_the_corner_that_the_curve_leaves_free(rise, side, align):
    weight = seen(curve=(np.array([-2.0, 2.0]), np.array(rise)), mark="bug", error=0.25)
    lines = _numbers(weight)
    assert [m["texts"][0] for m in lines] == ["n = 2", "a = 2", "Δ = 2.5e-01  ✗ differs"]
    assert [m["colours"][0] for m in lines] == ["layer0", "layer1", "wrong"]
    for row, mark in enumerate(lines):
        assert mark["x"] == side * 2.0
        assert mark["y"] == _range(weight)[1]
        assert mark["align"] == align
        assert mark["dx"] * side < 0, "towards the middle"
        assert mark["base"] == "top"
        assert row == 0 or mark["dy"] - lines[row - 1]["dy"] == pytest.approx(1.15)
    assert 0 < lines[0]["dy"] < 0.5


@pytest.mark.parametrize(
    ("mark", "sign", "colour"),
    [("ok", "✓", "correct"), ("subgradient", "✓", "correct"), ("zero", "✓", "correct"),
     ("bug", "✗", "wrong"), ("noise", "?", "inconclusive"), ("", "?", "inconclusive")],
)  # fmt: skip
def test_the_sign_is_that_of_the_mark(mark, sign, colour):
    *_, last = _numbers(seen(mark=mark, error=math.nan))
    assert last["texts"][0].startswith(f"{sign} "), "no error where there is none"
    assert last["colours"] == [colour]


def test_of_y_the_curve_is_shown_with_room_for_three_lines_above_it():
    low, high = _range(seen())
    assert low == pytest.approx(-4 - 0.08 * 8)
    assert high == pytest.approx(4 + 0.58 * 8)
    low, high = _range(seen(along=REDRAWN))
    assert (low, high) == pytest.approx((-4 - 0.3 * 8, 4 + 0.8 * 8))
    flat = seen(curve=(np.zeros(3), np.array([1.0, 1.0, np.nan])), gap=0.5)
    low, high = _range(flat)
    assert low == pytest.approx(1 - 1.5 - 0.08 * 3), "six gaps of a loss that stands still"
    assert high == pytest.approx(1 + 1.5 + 0.58 * 3)
    low, high = _range(seen(curve=(np.zeros(2), np.zeros(2)), gap=0.0))
    assert 0 < high - low < 1e-24


@pytest.mark.parametrize(("count", "drawn"), [(3.0, 4), (23.9, 24), (24.0, 25), (24.1, 0)])
def test_the_levels_of_a_loss_are_drawn_where_they_are_few(count, drawn):
    assert len(_levels(0.0, count, 1.0)) == drawn
    assert len(_levels(1.0, 1.0, 1.0)) == 0
    np.testing.assert_array_equal(_levels(-2.5, 2.0, 1.0), [-2, -1, 0, 1, 2])


def test_kinks_that_lie_close_have_a_line_each_and_one_sign():
    weight = seen(window=1.0, curve=(np.linspace(-1, 1, 3), np.array([0.0, 1.0, 4.0])))
    kinks = np.array([-0.5, -0.43, -0.41, 0.5])
    lines, signs = _kink_marks(kinks, weight)
    np.testing.assert_array_equal(lines["x0"], kinks)
    np.testing.assert_array_equal(lines["x1"], kinks)
    np.testing.assert_allclose(lines["y1"], [0.5, 0.57, 0.59, 2.5])
    assert set(lines["y0"]) == {_range(weight)[0]}
    np.testing.assert_array_equal(signs["x"], [-0.5, -0.41, 0.5])
    np.testing.assert_allclose(signs["y"], [0.5, 0.59, 2.5])
    assert signs["texts"] == ["∧"] * 3


@pytest.mark.parametrize(
    ("weight", "levels", "words"),
    [(seen(), 0, ""), (seen(), 3, "; grey: its possible values"),
     (seen(along=REDRAWN), 3, "; masks anew at each dot"),
     (seen(rule=SCHEME_TABLE["complex_step"]), 0, "; w + i·eps is off this line")],
)  # fmt: skip
def test_the_note_tells_where_the_weight_is_and_what_else_is_drawn(weight, levels, words):
    assert _note(weight, levels) == f"w = 1, L(w) = 0.5{words}"


@pytest.mark.parametrize(
    ("name", "eps", "kinds", "legend"),
    [("default", 1e-2, ["curve"], 2), ("default", 1e-13, ["segments", "curve", "dots"], 2),
     ("redrawn", 1e-2, ["dots"], 2), ("relu", 1e-1, ["curve", "segments", "words"], 3)],
)  # fmt: skip
def test_levels_have_dots_kinks_a_sign_and_redrawn_losses_no_curve(name, eps, kinds, legend):
    more = {"tensor": "W1", "entry": 1} if name == "relu" else {}
    result = result_of(name, eps=eps, **more)
    chart = PANEL.still(result)
    assert [m["kind"] for m in chart.marks] == kinds
    assert len(chart.legend) == legend
    assert (chart.x.low, chart.x.high) == (-result.weight.window, result.weight.window)
    for mark in chart.marks:
        if mark["kind"] == "curve":
            assert (mark["width"] < 1) == (eps < 1e-9), "thin where it stands on levels"


@pytest.mark.parametrize("name", ["default", "parabola"])
def test_the_legend_says_whose_slope_it_is(name):
    told = PANEL.still(result_of(name)).legend[1].text
    assert told == ("backprop, a" if name == "default" else "gradient, a")


def test_a_loss_that_is_not_finite_has_no_picture():
    report = {"W1": SimpleNamespace(directional=False)}
    result = SimpleNamespace(report=report, tensor="W1", weight=seen(base=math.inf))
    assert PANEL.fits(result) == "the loss is not finite here"
