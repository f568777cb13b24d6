from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab.board.panels import units as panel_module
from gradlab.lab.board.panels.units import UnitsPanel, _beside, _note, _percent
from gradlab.lab.model.preactivations import Seen, is_flat, what_units_see
from gradlab.nn.activations import ACTIVATION_FUNCTIONS
from tests.lab.panels.cases import IMAGES, NAMES, SEQUENCES, painted, result_of

PANEL = UnitsPanel()


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_an_mlps_pre_activations_and_slopes_are_those_of_plain_products():
    result = result_of("default")
    net, x = result.net, result.x
    z1 = x @ net.params["W1"] + net.params["b1"]
    z2 = np.tanh(z1) @ net.params["W2"] + net.params["b2"]
    seen = what_units_see(net, x)
    assert [layer.name for layer in seen] == ["z1", "z2"]
    for layer, z in zip(seen, (z1, z2), strict=True):
        np.testing.assert_allclose(layer.z, z.T, rtol=1e-12)
        assert layer.mean_slope == pytest.approx(np.mean(1 - np.tanh(z) ** 2), rel=1e-12)
    # the numbers of lesson 05
    assert [f"{layer.mean_slope:.2f}" for layer in seen] == ["0.86", "0.67"]
    assert "z1: mean tanh′ 0.86" in PANEL.alt(result)


def test_an_lstms_gates_are_those_of_a_loop_over_time():
    result = result_of("lstm")
    p, n = result.net.params, SEQUENCES.shape[1]
    h = c = np.zeros((n, 4))
    z, cells = {q: [] for q in "ifgo"}, []
    for x in SEQUENCES:
        now = {q: x @ p[f"Wx_{q}"] + h @ p[f"Wh_{q}"] + p[f"b_{q}"] for q in "ifgo"}
        c = sigmoid(now["f"]) * c + sigmoid(now["i"]) * np.tanh(now["g"])
        h = sigmoid(now["o"]) * np.tanh(c)
        cells.append(c)
        for q in "ifgo":
            z[q].append(now[q])
    seen = {layer.name: layer for layer in what_units_see(result.net, SEQUENCES)}
    assert list(seen) == ["gate i", "gate f", "gate g", "gate o", "state c"]
    for q in "ifgo":
        expected = np.concatenate(z[q]).T
        np.testing.assert_allclose(seen[f"gate {q}"].z, expected, rtol=1e-9, atol=1e-12)
        bend = 1 - np.tanh(expected) ** 2 if q == "g" else sigmoid(expected) * sigmoid(-expected)
        assert seen[f"gate {q}"].mean_slope == pytest.approx(bend.mean(), rel=1e-9)
    np.testing.assert_allclose(seen["state c"].z, np.concatenate(cells).T, rtol=1e-9, atol=1e-12)


def test_a_convnets_layers_are_its_convolutions_and_what_its_relu_sees():
    net = result_of("convnet").net
    one, two = what_units_see(net, IMAGES)
    cuts = net.cut_activations(IMAGES)
    assert (one.name, two.name) == ("conv1", "conv2")
    assert one.function is None
    np.testing.assert_allclose(np.sort(one.z.ravel()), np.sort(cuts["conv1"].ravel()))
    np.testing.assert_allclose(np.sort(two.z.ravel()), np.sort(cuts["pool2"].ravel()))
    assert two.mean_slope == pytest.approx((cuts["pool2"] > 0).mean())
    assert two.flat == pytest.approx((cuts["pool2"] <= 0).mean())


def test_dropout_batch_norm_and_an_output_activation_have_their_part():
    x, _ = gl.data.moons(20, seed=0)
    net = gl.mlp([2, 5, 3, 1], loss="mse", output_activation="sigmoid", dropout_rate=0.5,
                 batch_norm=True, seed=0)  # fmt: skip
    masks = net.draw_masks(20, np.random.default_rng(0))
    seen, cuts = what_units_see(net, x, masks), net.cut_activations(x, masks)
    assert [layer.name for layer in seen] == ["norm1", "norm2", "z3"]
    for layer, cut in zip(seen, ("norm1", "norm2", "z3"), strict=True):
        np.testing.assert_allclose(layer.z, cuts[cut].T)


def test_dead_and_flat_are_counted_unit_by_unit():
    net = gl.mlp([1, 3, 2], "relu", seed=0)
    net.params["W1"][:] = [[1.0, -1.0, 1.0]]
    net.params["b1"][:] = [0.0, -9.0, 9.0]
    (layer,) = what_units_see(net, np.array([[-1.0], [2.0], [3.0], [4.0]]))
    assert layer.dead == 1  # the second: -x - 9
    assert layer.flat == pytest.approx((1 + 4 + 0) / 12)
    assert layer.mean_slope == pytest.approx(7 / 12)


def bars(result):
    return [
        m for m in PANEL.still(result).marks if m["kind"] == "boxes" and m["fill"] == "layer0"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["default", "saturated", "lstm", "relu"])
def test_bars_are_counts_and_what_is_further_out_is_in_the_last_ones(name):
    result = result_of(name)
    for mark, layer in zip(bars(result), what_units_see(result.net, result.x), strict=True):
        heights = mark["y1"] - mark["y0"]
        for left, right, height in zip(mark["x0"], mark["x1"], heights, strict=True):
            low, high = (-np.inf if left <= -6 else left), (np.inf if right >= 6 else right)
            count = sum(low <= z < high for z in layer.z.ravel())
            assert count == pytest.approx(height / heights.max() * layer_top(layer), abs=0.5)


def layer_top(layer):
    edges = np.linspace(-6, 6, 49)
    edges[[0, -1]] = -np.inf, np.inf
    z = layer.z.ravel()
    return max(sum((a <= v) & (v < b) for v in z) for a, b in pairwise(edges))


@pytest.mark.parametrize(
    ("name", "edge"), [("default", 2.99), ("deep", 4.59)], ids=["tanh", "sigmoid"]
)
def test_the_shade_begins_where_the_slope_falls_below_a_hundredth(name, edge):
    shade = [m for m in PANEL.still(result_of(name)).marks if m.get("fill") == "band3"]
    for mark in shade:
        np.testing.assert_allclose(mark["x0"], [-6, edge], atol=0.26)
        np.testing.assert_allclose(mark["x1"], [-edge, 6], atol=0.26)


def test_left_of_a_kink_everything_is_shaded():
    for activation in ("relu", "leaky_relu"):
        chart = PANEL.still(result_of("relu", activation=activation))
        shade = next(m for m in chart.marks if m.get("fill") == "band3")
        assert (shade["x0"][0], shade["x1"][0]) == (-6, 0)


def test_nearly_linear_is_said_where_it_is_so_and_nowhere_else():
    said = {}
    for scale in (1e-3, 1e-2, 0.05, 0.1, 0.2, 0.5, 5.0):
        result = result_of("default", weight_scale=scale)
        straight = [s.name for s in what_units_see(result.net, result.x) if s.mean_slope > 0.99]
        note = PANEL.still(result).note
        assert ("nearly linear" in note) == bool(straight)
        assert ("all layers" in note) == (len(straight) == 2)
        assert (note[1:] in PANEL.alt(result)) == bool(straight)
        said[scale] = note
    assert said[1e-2]
    assert "mean of the slope" in said[0.5]


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_painted_and_told_for_every_network(name):
    result = result_of(name)
    if name in ("no hidden layer", "parabola", "logarithm"):
        assert PANEL.fits(result).startswith(("the network has no hidden", "a function has no"))
        return
    assert PANEL.fits(result) == ""
    painted(PANEL, result, "dark" if len(name) % 2 else "light")
    assert PANEL.moving(result) == []
    assert PANEL.key(result) is result.problem
    alt = PANEL.alt(result)
    masks = result.problem.masks(result.settings)
    for layer in what_units_see(result.net, result.x, masks):
        assert f"{layer.name}: " in alt
        assert f"z from {layer.z.min():.2g} to {layer.z.max():.2g}" in alt


# -- what is drawn where -------------------------------------------------------------------------


def layer(slopes, name="z1", function="tanh", z=None):
    """Return what one layer sees, by the slopes that its function has there."""
    slopes = np.atleast_2d(np.asarray(slopes, float))
    used = ACTIVATION_FUNCTIONS[function] if function else None
    return Seen(name, used, np.zeros_like(slopes) if z is None else np.asarray(z, float), slopes)


@pytest.fixture
def seen(monkeypatch):
    """Return a function that lets a result see these layers."""

    def see(*layers):
        monkeypatch.setattr(panel_module, "_seen", lambda result: list(layers))
        return SimpleNamespace(net="a network")

    return see


def test_a_row_a_layer_the_first_at_the_top_with_its_numbers_beside_it(seen):
    z = [[-7.0, -7.0, 0.1, 0.1], [0.1, 0.1, 2.1, 7.0]]
    flat = np.array([[0.001, 0.001, 0.9, 0.9], [0.9, 0.9, 0.5, 0.001]])
    chart = PANEL.still(seen(layer(flat, "z1", z=z), layer(flat, "z2", z=z)))
    assert (chart.x.low, chart.x.high) == (-6, 6)
    assert (chart.y.low, chart.y.high) == (0, 2)
    texts = [text.replace("−", "-").lstrip("≤≥ ") for _, text in chart.x.ticks]
    assert [float(text) for text in texts] == [at for at, _ in chart.x.ticks] == [*range(-6, 7, 2)]
    (first, upper), (second, lower) = ((name, at) for at, name in chart.y.ticks)
    assert (first, second) == ("z1", "z2")
    assert 1 < upper < 2
    assert upper - lower == 1
    bars = [m for m in chart.marks if m["kind"] == "boxes" and m["fill"] == "layer0"]
    for floor, mark in zip((1, 0), bars, strict=True):
        assert set(mark["y0"]) == {floor}
        counts = (mark["y1"] - floor) / (mark["y1"] - floor).max()
        np.testing.assert_allclose(counts, [0.5, 1.0, 0.25, 0.25])
        assert 0.7 < mark["y1"].max() - floor < 0.95
        np.testing.assert_allclose(mark["x0"], [-6, 0, 2, 5.75])
        np.testing.assert_allclose(mark["x1"], [-5.75, 0.25, 2.25, 6])
    floors = [m for m in chart.marks if m["kind"] == "segments"]
    assert [(m["y0"][0], m["y1"][0], m["x0"][0], m["x1"][0]) for m in floors] == [
        (1, 1, -6, 6), (0, 0, -6, 6)]  # fmt: skip
    shades = [m for m in chart.marks if m.get("fill") == "band3"]
    for floor, mark in zip((1, 0), shades, strict=True):
        assert set(mark["y0"]) == {floor}
        assert floor + 0.9 < mark["y1"][0] < floor + 1
    words = [m for m in chart.marks if m["kind"] == "words"]
    assert [(m["x"][0], m["y"][0]) for m in words] == [(6, 1.5)] * 2 + [(6, 0.5)] * 2
    assert [m["base"] for m in words[:2]] == ["bottom", "top"]
    assert all(m["outside"] for m in words)
    assert "mean of the slope" in chart.note
    assert [entry.text for entry in chart.legend] == [
        "z, all units and examples", "slope below 1 %, or 0",
    ]  # fmt: skip


def test_without_an_activation_nothing_is_flat_and_nothing_bends(seen):
    plain = layer([[1.0]], function=None)
    chart = PANEL.still(seen(plain))
    assert [entry.text for entry in chart.legend] == ["z, all units and examples"]
    assert not any(m.get("fill") == "band3" for m in chart.marks)
    assert chart.note == "nothing bends: there is no activation"
    assert _beside(plain) == ("no f′ follows", "")
    assert "z1: no activation follows" in PANEL.alt(seen(plain))
    assert "Nothing bends" in PANEL.alt(seen(plain))
    word = next(m for m in chart.marks if m["kind"] == "words")
    assert word["base"] == "middle"


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (1.0, "1.00"), (0.9999, "1 − 1e-04"), (0.995, "1 − 5e-03"), (0.9949, "0.99"),
        (0.5, "0.50"), (0.01, "0.01"), (0.0094, "9e-03"), (0.0, "0.00"),
    ],
)  # fmt: skip
def test_a_mean_slope_has_the_digits_that_tell_it_from_0_and_1(mean, words):
    assert _percent(mean) == words


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("flat", "of", "share"),
    [
        (0, 100, ""),
        (1, 201, ""),
        (1, 200, "0 % flat"),
        (1, 100, "1 % flat"),
        (50, 100, "50 % flat"),
    ],
)
def test_what_is_flat_is_told_from_half_a_percent_on(flat, of, share):
    slopes = np.full((1, of), 0.5)
    slopes[0, :flat] = 0.0
    assert _beside(layer(slopes)) == (f"tanh′ {_percent(slopes.mean())}", share)


def test_units_that_are_flat_everywhere_are_counted(seen):
    one = layer([[0.0, 0.009], [0.5, 0.0], [0.011, 0.011]])
    assert one.dead == 1
    assert _beside(one)[1] == "1 units flat"
    assert "50 % flat, 1 of 3 units everywhere" in PANEL.alt(seen(one))
    assert "everywhere" not in PANEL.alt(seen(layer([[0.5, 0.0]])))


def test_at_a_kink_itself_a_unit_is_flat():
    z, slope = np.array([-1.0, 0.0, 1.0]), np.array([0.2, 0.2, 1.0])
    assert is_flat(ACTIVATION_FUNCTIONS["leaky_relu"], z, slope).tolist() == [True, True, False]
    assert not is_flat(ACTIVATION_FUNCTIONS["tanh"], z, slope).any()


@pytest.mark.parametrize(
    ("slopes", "note"),
    [
        ((0.991, 0.992), "nearly linear, mean f′ above 0.99: all layers"),
        ((0.991, 0.5), "nearly linear, mean f′ above 0.99: a"),
        ((0.989, 0.991), "nearly linear, mean f′ above 0.99: b"),
        ((0.989, 0.5), ""),
    ],
)
def test_which_layers_are_nearly_linear_is_told(slopes, note, seen):
    layers = [layer([[s]], name) for s, name in zip(slopes, "ab", strict=True)]
    assert _note(None, layers) == note
    assert _note(None, [*layers, layer([[1.0]], "c", None)]) == note


def test_a_layer_that_overflows_is_left_out():
    result = result_of("one unit")
    net = result.net.copy()
    net.params["b1"][:] = np.inf
    problem = SimpleNamespace(masks=lambda settings: None)
    broken = SimpleNamespace(net=net, x=result.x, problem=problem, settings=None)
    assert PANEL.fits(broken) == "the network has no hidden layer"
