import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import gradlab as gl
from gradlab import plots
from gradlab.checking import BANDS
from gradlab.plots.scales import clip_errors, power_of_ten

NET = gl.mlp([2, 5, 9, 2], weight_scale=0.5)
X, Y = gl.data.moons(20)
NAMES = tuple(NET.params)


@pytest.fixture(scope="module")
def report():
    return gl.check(NET, X, Y)


@pytest.fixture(scope="module")
def sweep():
    return gl.sweep_eps(NET, X, Y, eps=np.logspace(-13, -1, 13))


@pytest.fixture
def ax():
    figure = Figure(figsize=(4, 3))
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def pixels(ax):
    ax.figure.canvas.draw()
    return np.asarray(ax.figure.canvas.buffer_rgba())[..., :3].copy()


def test_importing_the_plots_loads_neither_pyplot_nor_widgets():
    code = (
        "import sys, gradlab.plots;"
        "print([m for m in ('matplotlib.pyplot', 'ipywidgets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_u_curve_has_the_sweeps_numbers_and_the_cursor(ax, sweep):
    panel = plots.u_curve(ax, sweep, eps=1e-5)
    lines = {line.get_label(): line for line in ax.get_lines()}
    for name in NAMES:
        np.testing.assert_allclose(lines[name].get_xdata(), sweep.eps)
        np.testing.assert_allclose(lines[name].get_ydata(), clip_errors(sweep.errors[name]))
    cursor = panel.cursor[0].get_xdata()
    assert cursor == [1e-5, 1e-5]
    best = panel._best.get_xdata()
    assert best == [sweep.predicted_best_eps] * 2
    before = pixels(ax)
    panel.set_cursor(1e-9, [1e-3] * len(NAMES))
    assert (pixels(ax) != before).any()


def test_weights_are_solid_and_biases_dashed_in_the_hue_of_their_layer(ax, sweep):
    plots.u_curve(ax, sweep)
    lines = {line.get_label(): line for line in ax.get_lines()}
    for layer in "123":
        weight, bias = lines[f"W{layer}"], lines[f"b{layer}"]
        assert weight.get_color() == bias.get_color()
        assert weight.get_linestyle() == "-"
        assert bias.get_linestyle() == "--"
    assert len({lines[f"W{layer}"].get_color() for layer in "123"}) == 3


def test_every_entry_is_a_dot_in_its_tensors_column(ax, report):
    panel = plots.entries(ax, report)
    dots = panel.dots[0]._points
    assert len(dots) == NET.size
    columns = np.rint(dots[:, 0]).astype(int)
    for i, name in enumerate(NAMES):
        heights = dots[columns == i, 1]
        np.testing.assert_allclose(
            np.sort(heights), np.sort(clip_errors(report[name].errors.ravel()))
        )
    bars = panel.dots[1]
    np.testing.assert_allclose(bars.get_ydata(), clip_errors([report[n].error for n in NAMES]))


def test_an_entry_keeps_its_place_along_x(ax, report):
    panel = plots.entries(ax, report)
    before = panel.dots[0]._points[:, 0].copy()
    panel.set_report(gl.check(NET, X, Y, eps=1e-9))
    np.testing.assert_array_equal(panel.dots[0]._points[:, 0], before)


def test_a_crowd_is_thinned_without_changing_the_picture(ax, monkeypatch):
    net = gl.mlp([2, 60, 60, 2], weight_scale=0.5)
    report = gl.check(net, X, Y)
    panel = plots.entries(ax, report)
    thin, drawn = len(panel.dots[0]._points), pixels(ax)
    monkeypatch.setattr(sys.modules[plots.Entries.__module__], "_CROWD", 10**9)
    panel.set_report(report)
    assert thin < len(panel.dots[0]._points) == net.size
    assert (np.abs(pixels(ax).astype(int) - drawn).max(axis=-1) > 64).mean() < 0.01


def test_zero_and_nan_have_a_place_on_the_axis():
    low, high = clip_errors(np.array([0.0, np.nan]))
    assert 1e-17 < low < 1e-16
    assert 1 < high < 10
    assert clip_errors(np.array([np.inf]))[0] == high


def test_a_verdict_shows_in_mark_and_style_beside_its_colour(ax):
    drawing = plots.NetworkDrawing(ax, NET.sizes)
    texts, styles = set(), set()
    for verdict in plots.MARKS:
        drawing.set_verdicts(dict.fromkeys(NAMES, verdict))
        texts.add(tuple(text.get_text() for text in ax.texts if text.get_text()[:1] in "Wb"))
        lines = ax.collections[0]
        styles.add(str(lines.get_linestyle()))
        assert to_rgb(lines.get_color()[0]) == to_rgb(plots.LIGHT.verdicts[verdict])
    assert len(texts) == len(styles) == 3


def test_a_tensors_verdict_colours_that_tensor_alone(ax):
    drawing = plots.NetworkDrawing(ax, NET.sizes)
    verdicts = dict.fromkeys(NAMES, "correct") | {"W2": "wrong"}
    drawing.set_verdicts(verdicts)
    colours = [to_rgb(lines.get_color()[0]) for lines in ax.collections]
    correct, wrong = (to_rgb(plots.LIGHT.verdicts[v]) for v in ("correct", "wrong"))
    assert colours == [correct, wrong, correct]
    labels = [text.get_text() for text in ax.texts]
    assert "W2✗" in labels
    assert "W1✓" in labels


@pytest.mark.parametrize("sizes", [(1, 1), (64, 64, 64, 64, 64, 10), (3, 8, 2)], ids=str)
def test_networks_of_all_sizes_are_drawn(ax, sizes):
    names = [f"{kind}{i}" for i in range(1, len(sizes)) for kind in "Wb"]
    drawing = plots.NetworkDrawing(ax, sizes)
    drawing.set_verdicts(dict.fromkeys(names, "correct"))
    assert pixels(ax).std() > 5
    counts = [text.get_text() for text in ax.texts if text.get_text().isdigit()]
    assert counts == [str(size) for size in sizes]


def test_powers_of_ten():
    assert [power_of_ten(v) for v in (1e-16, 1e-5, 1.0, 1e3)] == ["10⁻¹⁶", "10⁻⁵", "1", "10³"]


def luminance(colour):
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return np.dot(channels, [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", plots.PALETTES.values(), ids=plots.PALETTES)
def test_text_stands_out_from_everything_behind_it(palette):
    assert len(palette.bands) == len(BANDS)
    for back in (palette.paper, *palette.bands):
        assert contrast(palette.ink, back) >= 7
        assert contrast(palette.faint, back) >= 4.5
    for colour in palette.verdicts.values():
        assert contrast(colour, palette.paper) >= 4.5
    for hue in palette.layers:
        assert contrast(hue, palette.paper) >= 3


def test_a_best_step_is_marked_where_one_is_better_than_the_others(ax, sweep):
    panel = plots.u_curve(ax, sweep)
    assert panel._found.get_visible()
    height = {name: np.full_like(errors, 0.5) for name, errors in sweep.errors.items()}
    panel.set_sweep(replace(sweep, errors=height))  # as a bug's: the same at every step
    assert not panel._found.get_visible()
    assert not panel._found_label.get_visible()
