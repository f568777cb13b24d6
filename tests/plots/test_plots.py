import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import gradlab as gl
from gradlab import plots
from gradlab.checking import BANDS
from gradlab.lab.board.panels.tensors import TensorsPanel
from gradlab.plots.chart import Axis, Chart, Legend, boxes, cells, curve, dots, segments, words
from gradlab.plots.layout import legend_rows, margins, text_width
from gradlab.plots.scales import (
    EPS_RANGE,
    clip_errors,
    eps_axis,
    error_axis,
    power_of_ten,
    ticks_of,
)
from gradlab.plots.u_curve import best_found

entries_module = sys.modules["gradlab.plots.entries"]
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


def test_importing_the_plots_loads_neither_matplotlibs_axes_nor_pyplot_nor_widgets():
    """They take a second to load, and the lab draws without them."""
    code = (
        "import sys, gradlab.plots;"
        "late = 'matplotlib.pyplot', 'matplotlib.axes', 'matplotlib.figure', 'ipywidgets';"
        "print([m for m in late if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nothing'"):
        plots.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("thing", "field"),
    [
        (Axis(0, 1), "low"),
        (Legend("W", "ink"), "text"),
        (Chart("", Axis(0, 1), Axis(0, 1)), "title"),
        (plots.looks_of(["W1"])["W1"], "colour"),
        (margins(Chart("", Axis(0, 1), Axis(0, 1)), 20.0), "left"),
        (plots.LIGHT, "ink"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_what_panels_share_is_not_changed_in_place(thing, field):
    with pytest.raises(FrozenInstanceError):
        setattr(thing, field, getattr(thing, field))


def test_palettes_and_charts_are_told_apart_by_identity():
    assert {plots.LIGHT, plots.DARK} == set(plots.PALETTES.values())
    marks = [curve([0, 1], [0, 1], "ink", 1.0)]
    one, same = (Chart("", Axis(0, 1), Axis(0, 1), [dict(m) for m in marks]) for _ in "12")
    assert one != same  # its arrays could not be compared


def curves(chart):
    """Return the tensors' lines, in the order of `NAMES`."""
    return [m for m in chart.marks if m["kind"] == "curve" and m["colour"].startswith("layer")]


def test_the_u_curve_has_the_sweeps_numbers_and_the_cursor(sweep):
    for name, line in zip(NAMES, curves(plots.u_curve_chart(sweep)), strict=True):
        np.testing.assert_allclose(line["x"], sweep.eps)
        np.testing.assert_allclose(line["y"], clip_errors(sweep.errors[name]))
    line, dots = plots.u_curve_cursor(NAMES, 1e-5, [1e-3] * len(NAMES))
    assert line["x0"] == line["x1"] == 1e-5
    np.testing.assert_array_equal(dots["y"], 1e-3)


@pytest.mark.parametrize(
    ("value", "is_drawn"), [(0.9e-13, 0), (1e-13, 0), (1.05e-13, 1), (0.6, 1), (1.0, 0), (1.1, 0)]
)
def test_predicted_slopes_are_drawn_where_there_is_room(sweep, value, is_drawn, monkeypatch):
    flat = np.where(sweep.eps < 1e-6, value, 0.0)
    monkeypatch.setattr(type(sweep), "truncation", flat)
    *_, slope = (m for m in plots.u_curve_chart(sweep).marks if m.get("colour") == "faint"
                 and m["kind"] == "curve")  # fmt: skip
    assert slope["y"].tolist() == is_drawn * [value] * int((sweep.eps < 1e-6).sum())


def test_the_u_curve_is_drawn_on_the_axes_given(ax, sweep):
    plots.u_curve(ax, sweep)
    bare = pixels(ax)
    other = Figure(figsize=(4, 3))
    FigureCanvasAgg(other)
    plots.u_curve(moved := other.add_subplot(), sweep, eps=1e-9)
    assert (pixels(moved) != bare).any()
    assert ax.get_xlim() == EPS_RANGE


@pytest.mark.parametrize(("eps", "at"), [(1e-9, 4), (2.9e-9, 4), (3.5e-9, 5), (1.0, 12)])
def test_the_cursor_is_at_the_nearest_swept_step_with_its_errors(ax, sweep, eps, at):
    plots.u_curve(ax, sweep, eps=eps)
    line = max(ax.collections, key=lambda each: each.get_zorder())
    cursor = [each for each in ax.lines if each.get_marker() == "o"]
    assert line.get_segments()[0][:, 0].tolist() == 2 * [sweep.eps[at]]
    for name, dot in zip(NAMES, cursor, strict=True):
        assert dot.get_xydata().tolist() == [[sweep.eps[at], clip_errors(sweep.errors[name][at])]]


def test_weights_are_solid_and_biases_dashed_in_the_hue_of_their_layer(sweep):
    lines = dict(zip(NAMES, curves(plots.u_curve_chart(sweep)), strict=True))
    for layer in "123":
        weight, bias = lines[f"W{layer}"], lines[f"b{layer}"]
        assert weight["colour"] == bias["colour"]
        assert weight["dash"] == []
        assert bias["dash"]
    assert len({lines[f"W{layer}"]["colour"] for layer in "123"}) == 3


def test_every_entry_is_a_dot_in_its_tensors_column(report):
    dots, bars, signs = plots.entries_marks(report)
    assert len(dots["x"]) == NET.size
    columns = np.rint(dots["x"]).astype(int)
    for i, name in enumerate(NAMES):
        heights = dots["y"][columns == i]
        np.testing.assert_allclose(
            np.sort(heights), np.sort(clip_errors(report[name].errors.ravel()))
        )
    np.testing.assert_allclose(bars["y0"], clip_errors([report[n].error for n in NAMES]))
    assert signs["texts"] == [plots.MARKS[report[n].verdict] for n in NAMES]


@pytest.mark.parametrize(("count", "size"), [(1, 1.0), (8, 1.0), (10, 0.82), (20, 0.41)])
def test_a_tensors_number_is_a_bar_under_a_bold_sign_that_has_room_in_its_column(count, size):
    tensor = SimpleNamespace(errors=np.full(3, 1e-9), error=1e-8, verdict="wrong")
    report = Entries({f"W{i}": tensor for i in range(1, count + 1)})
    dots, bars, signs = plots.entries_marks(report)
    assert (dots["radius"], bars["width"], bars["colour"]) == (1.4, 2.6, "ink")
    assert bars["x0"] == pytest.approx(np.arange(count) - 0.35)
    assert bars["x1"] == pytest.approx(np.arange(count) + 0.35)
    assert (signs["texts"], signs["colours"]) == (count * ["✗"], count * ["wrong"])
    assert (signs["x"].tolist(), signs["bold"]) == (list(range(count)), True)
    assert signs["y"].tolist() == count * [22.0]  # above every error, of which none exceeds 2
    assert signs["size"] == pytest.approx(size)  # 8.2 em for all of them


def test_an_entry_keeps_its_place_along_x(report):
    before, after = (
        plots.entries_marks(r)[0]["x"] for r in (report, gl.check(NET, X, Y, eps=1e-9))
    )
    np.testing.assert_array_equal(after, before)


def test_every_entry_is_painted_on_the_axes_given(ax, report):
    plots.entries(ax, report)
    dots, *_ = plots.entries_marks(report)
    painted = np.concatenate([line.get_xydata() for line in ax.lines])
    np.testing.assert_array_equal(painted, np.stack([dots["x"], dots["y"]], axis=1))


def entries_of(errors):
    """Return the dots of a tensor with these errors."""
    tensor = SimpleNamespace(errors=np.asarray(errors), error=1.0, verdict="correct")
    return plots.entries_marks(Entries(W1=tensor))[0]


class Entries(dict):
    tensors = property(dict)


@pytest.mark.parametrize(("count", "drawn"), [(999, 999), (1000, 1000), (1001, 24)])
def test_more_than_a_thousand_dots_are_thinned_to_one_a_pixel(count, drawn):
    """Entries of the same error stand in one row, which has 24 places."""
    assert len(entries_of(np.full(count, 1e-9))["x"]) == drawn


def test_of_a_crowd_every_height_on_the_axis_is_kept():
    """480 rows over the axis: each has its own dots, and none is moved."""
    heights = np.logspace(-16.5, 0.2, 1670).repeat(10)
    dots = entries_of(heights)
    assert set(dots["y"]) <= set(heights)
    rows = np.unique(np.floor((np.log10(dots["y"]) + 17) * 480 / (17 + np.log10(150))))
    assert rows.size == 1 + rows[-1] - rows[0]
    assert 24 * rows.size * 0.3 < len(dots["x"]) <= 24 * rows.size


def test_a_crowd_is_thinned_without_changing_the_picture(monkeypatch):
    net = gl.mlp([2, 60, 60, 2], weight_scale=0.5)
    report, drawn = gl.check(net, X, Y), []
    for crowd in (entries_module._CROWD, 10**9):
        monkeypatch.setattr(entries_module, "_CROWD", crowd)
        figure = Figure(figsize=(4, 3))
        FigureCanvasAgg(figure)
        plots.entries(figure.add_subplot(), report)
        count = len(plots.entries_marks(report)[0]["x"])
        drawn.append((count, pixels(figure.axes[0]).astype(int)))
    (thin, one), (all_, other) = drawn
    hue = np.rint(255 * np.array(to_rgb(plots.LIGHT.hex("layer0"))))
    assert (np.abs(one - hue).max(axis=-1) < 30).sum() > 50  # it is drawn
    assert thin < all_ == net.size
    assert (np.abs(one - other).max(axis=-1) > 64).mean() < 0.01


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["W1", "b1", "W2", "b2"], ["layer 1", "2", "W", "b"]),
        (["conv1_W", "conv1_b", "fc_W", "fc_b"], ["conv1", "fc", "W", "b"]),
        (list(gl.lstm(2, 2, 2).params),
         ["gate i", "f", "g", "o", "output", "Wx, W", "Wh", "b"]),
        ([f"{k}{i}" for i in range(1, 10) for k in "Wb"],
         ["layer 1", "", "", "", "9", "W", "b"]),
        (["theta"], ["theta"]),
    ],
)  # fmt: skip
def test_a_legend_has_one_entry_a_layer_and_one_a_style(names, told):
    legend = plots.legend_of(plots.looks_of(names))
    assert [entry.text for entry in legend] == told
    assert len({(entry.colour, entry.dash) for entry in legend}) == len(legend)


@pytest.mark.parametrize("name", ["enc_scale", "_W", "theta", "Wz3x", "scale2"])
def test_a_name_that_is_not_a_layers_and_a_kind_stands_for_itself(name):
    look = plots.looks_of([name])[name]
    assert (look.layer, look.kind) == (name, "")


def test_no_two_of_nine_layers_look_the_same():
    looks = plots.looks_of([f"W{i}" for i in range(1, 10)])
    assert len({look.colour for look in looks.values()}) == 9


def test_zero_and_nan_have_a_place_on_the_axis():
    """At twice the lowest error that is drawn, and at 2, which no relative error exceeds."""
    low, high = clip_errors(np.array([0.0, np.nan]))
    assert low == pytest.approx(2e-17, rel=1e-12, abs=0)
    assert high == 2.0
    assert clip_errors(np.array([np.inf]))[0] == high


@pytest.mark.parametrize(
    ("axis", "ends", "powers"),
    [
        (eps_axis(), (1e-13, 1e-1), [-13, -11, -9, -7, -5, -3, -1]),
        (error_axis(), (1e-17, 150.0), [-16, -13, -10, -7, -4, -2, 0]),
    ],
    ids=["steps", "errors"],
)
def test_ticks_of_steps_and_errors_stand_at_the_powers_of_ten_that_they_tell(axis, ends, powers):
    assert (axis.low, axis.high, axis.log) == (*ends, True)
    assert [text for _, text in axis.ticks] == [power_of_ten(10.0**k) for k in powers]
    assert [np.log10(at) for at, _ in axis.ticks] == pytest.approx(powers, abs=1e-9)


def network(**verdicts):
    return plots.network_chart(NET.sizes, dict.fromkeys(NAMES, "correct") | verdicts)


def marks_of(chart, kind):
    return [mark for mark in chart.marks if mark["kind"] == kind]


def test_a_verdict_shows_in_mark_and_style_beside_its_colour():
    looks = []
    for verdict in plots.MARKS:
        chart = network(**dict.fromkeys(NAMES, verdict))
        (first, *_) = marks_of(chart, "segments")
        assert first["colour"] == verdict
        texts = [t for mark in marks_of(chart, "words") for t in mark["texts"] if t[0] in "Wb"]
        looks.append((tuple(texts), tuple(first["dash"])))
    assert len(set(looks)) == len({dash for _, dash in looks}) == 3


def test_a_tensors_verdict_colours_that_tensor_alone():
    chart = network(W2="wrong")
    assert [m["colour"] for m in marks_of(chart, "segments")] == ["correct", "wrong", "correct"]
    labels = [text for mark in marks_of(chart, "words") for text in mark["texts"]]
    assert "W2✗" in labels
    assert "W1✓" in labels


def test_a_network_is_drawn_with_its_reports_verdicts(ax, report):
    plots.network(ax, NET.sizes, report)
    texts = {text.get_text(): text.get_color() for text in ax.texts}
    for name in NAMES:
        verdict = str(report[name].verdict)
        assert texts[f"{name}{plots.MARKS[verdict]}"] == plots.LIGHT.hex(verdict)


@pytest.mark.parametrize("sizes", [(1, 1), (64, 64, 64, 64, 64, 10), (3, 8, 2)], ids=str)
def test_networks_of_all_sizes_are_drawn(ax, sizes):
    names = [f"{kind}{i}" for i in range(1, len(sizes)) for kind in "Wb"]
    plots.draw(ax, plots.network_chart(sizes, dict.fromkeys(names, "correct")))
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
    for hue in (*palette.layers, *palette.ramp, *palette.data):
        assert contrast(hue, palette.paper) >= 3


def test_a_best_step_is_marked_where_one_is_better_than_the_others(sweep):
    height = {name: np.full_like(errors, 0.5) for name, errors in sweep.errors.items()}
    same = replace(sweep, errors=height)  # as a bug's: the same at every step
    for one, found in ((sweep, True), (same, False)):
        chart = plots.u_curve_chart(one)
        assert bool(marks_of(chart, "dots")) == found
        assert ("best found" in [entry.text for entry in chart.legend]) == found


@pytest.mark.parametrize(("factor", "found"), [(1.0, 1e-5), (1.01, None), (0.5, 1e-5)])
def test_a_best_step_is_one_whose_error_could_be_a_right_gradients(sweep, factor, found):
    """Up to the last band but one, its edge with it; above that no step is good."""
    edge = BANDS[2][0]
    errors = {name: np.where(np.isclose(sweep.eps, 1e-5), factor * edge, 1.0) for name in NAMES}
    errors["b1"] = np.full_like(sweep.eps, edge / 10)  # the largest counts
    assert best_found(replace(sweep, errors=errors)) == (found and pytest.approx(found))


ROLES = ("wrong", "layer0", "ramp4", "data2")
PIECES = {
    "curve": lambda role: curve([0, 1], [0, 1], role, 4, (4, 2)),
    "dots": lambda role: dots([0.5], [0.5], [role], radius=6),
    "square": lambda role: dots([0.5], [0.5], [role], radius=6, sign="square"),
    "triangle": lambda role: dots([0.5], [0.5], [role], radius=6, sign="triangle"),
    "ring": lambda role: dots([0.5], [0.5], [role], radius=9, sign="ring"),
    "segments": lambda role: segments([0.1, 0.2], 0, [0.1, 0.2], 1, role, width=4),
    "boxes": lambda role: boxes(0.2, 0.2, 0.8, 0.8, role),
    "round boxes": lambda role: boxes(0.2, 0.2, 0.8, 0.8, role, round_by=0.5),
    "edges": lambda role: boxes(0.2, 0.2, 0.8, 0.8, None, role, width=4),
    "hatch": lambda role: boxes(0.2, 0.2, 0.8, 0.8, None, role, hatch=True),
    "words": lambda role: words([0.5], [0.5], ["▮"], role, size=3),
}


def chart_of(*marks, **more):
    return Chart("", Axis(0, 1), Axis(0, 1), marks, framed=False, **more)


@pytest.mark.parametrize(("width", "rows"), [(12, 1), (3, 2)])
def test_a_legend_is_broken_where_the_figure_ends_and_not_before(width, rows):
    figure = Figure(figsize=(width, 3))
    FigureCanvasAgg(figure)
    legend = plots.legend_of(plots.looks_of([f"{kind}{k}" for k in range(1, 5) for kind in "Wb"]))
    plots.draw(ax := figure.add_subplot(), chart_of(legend=legend))
    figure.canvas.draw()
    names = [text for text in ax.texts if text.get_text() in ("layer 1", "2", "3", "4", "W", "b")]
    assert len(names) == 6
    assert len({text.get_position()[1] for text in names}) == rows
    assert max(text.get_window_extent().x1 for text in names) <= figure.bbox.x1


@pytest.mark.parametrize("more", [{}, {"right": 3.0}, {"y": Axis(0, 1, "loss")}], ids=str)
def test_a_legend_is_broken_where_the_panels_margins_take_it_to_be(more):
    """It may begin and end where the texts around the axes do: EDGE from the panel's sides."""
    legend = plots.legend_of(plots.looks_of(["W1", "b1", "W2", "b2"]))
    start, last = legend_rows(legend, 100.0)[0][-1]
    whole = start + 1.5 + 0.35 + text_width(last.text)
    chart = replace(Chart("Title", Axis(0, 1), Axis(0, 1), legend=legend), **more)
    for spare, rows in ((0.01, 1), (-0.01, 2)):
        (ax,) = plots.figure_of([(chart, ())], widths=[whole + 2 * 0.6 + spare]).axes
        names = [text for text in ax.texts if text.get_text() in ("layer 1", "2", "W", "b")]
        assert len({text.get_position()[1] for text in names}) == rows
        assert ax.get_position().y1 == pytest.approx(1 - (1.8 + 1.15 * rows + 0.25) / 21)


def test_a_legends_entry_that_just_fits_stays_in_its_row():
    legend = plots.legend_of(plots.looks_of(["W1", "b1", "W2", "b2"]))
    (row,) = legend_rows(legend, 100.0)
    start, last = row[-1]
    whole = start + 1.5 + 0.35 + text_width(last.text)
    assert len(legend_rows(legend, whole)) == 1
    assert [len(entries) for entries in legend_rows(legend, whole - 1e-6)] == [3, 1]


def test_the_width_of_a_text_is_that_of_its_letters_as_they_stand():
    assert text_width("$ab$", 1.0) == pytest.approx(text_width("ab", 1.0) + 2 * text_width("$", 1))
    assert text_width("W", 2.0) == pytest.approx(2 * text_width("W", 1.0))
    assert text_width(10 * "0", 1.0) == pytest.approx(10 * 1303 / 2048, rel=1e-3)  # DejaVu Sans


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({}, {}),
        ({"y": Axis(0, 1, "loss")}, {"left": 1.15}),
        ({"x": Axis(0, 1, "step")}, {"bottom": 1.15}),
        ({"note": "note"}, {"bottom": 1.15}),
        ({"bottom": 2.0}, {"bottom": 2.0}),
        ({"x": Axis(0, 1, ticks=())}, {"bottom": -1.35}),
        ({"x": Axis(0, 1, ticks=((1, 20 * "0"),))}, {"right": "half of it"}),
        ({"x": Axis(0, 1, ticks=((1, 20 * "0"),)), "right": 3.0}, {"right": 3.0}),
        ({"y": Axis(0, 1, ticks=())}, {"left": "without ticks"}),
        ({"framed": False}, {"left": "without ticks", "bottom": -1.35}),
        ({"legend": [Legend("W", "ink")]}, {"top": 1.15 + 0.25}),
    ],
    ids=str,
)
def test_the_axes_have_room_around_them_for_what_is_written(change, moved):
    plain = Chart("Title", Axis(0, 1), Axis(0, 1))
    before, after = margins(plain, 20.0), margins(replace(plain, **change), 20.0)
    widest = max(text_width(text) for _, text in ticks_of(Axis(0, 1)))
    words = {"without ticks": -widest - 0.5,
             "half of it": text_width(20 * "0") / 2 + 0.2 - before.right}  # fmt: skip
    for side in ("left", "right", "top", "bottom"):
        by = moved.get(side, 0.0)
        assert getattr(after, side) - getattr(before, side) == pytest.approx(words.get(by, by))


def test_a_plain_chart_has_room_for_its_title_and_its_ticks_texts():
    room = margins(Chart("Title", Axis(0, 1), Axis(0, 1)), 20.0)
    widest = max(text_width(text) for _, text in ticks_of(Axis(0, 1)))
    assert (room.top, room.bottom) == pytest.approx((1.8, 1.35 + 0.5))
    assert (room.left, room.right) == pytest.approx((0.6 + widest + 0.5, 0.6))
    bare = margins(Chart("Title", Axis(0, 1), Axis(0, 1), framed=False, right=2.0), 20.0)
    assert (bare.left, bare.right, bare.bottom) == pytest.approx((0.6, 2.6, 0.5))


def test_of_eight_tensors_every_column_has_its_kind_and_of_more_the_note_tells_them():
    names = [f"conv{layer}_{kind}" for layer in range(1, 6) for kind in "Wb"]
    few, nine, many = (entries_module.entries_chart(names[:count]) for count in (8, 9, 10))
    kinds, layers = (mark["texts"] for mark in few.marks[-2:])
    assert kinds == 4 * ["W", "b"]
    assert layers == [f"conv{layer}" for layer in range(1, 5)]
    assert few.note == ""
    assert many.marks[-1]["texts"] == [*layers, "conv5"]
    assert many.note == "from the left: W, b"
    assert nine.note == "from the left: W, b; conv5: W"
    short = [f"{kind}{layer}" for layer in range(1, 6) for kind in "Wb"]
    eight, nine = (entries_module.entries_chart(short[:count]) for count in (8, 9))
    assert (eight.marks[-1]["texts"], eight.note) == (short[:8], "")
    assert (nine.marks[-1]["texts"], nine.note) == (list("12345"), "from the left: W, b; 5: W")


@pytest.mark.parametrize("palette", plots.PALETTES.values(), ids=plots.PALETTES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("piece", PIECES)
def test_every_kind_of_mark_is_drawn_in_the_colour_of_its_role(ax, piece, role, palette):
    ax.figure.set_facecolor(palette.paper)
    wanted = np.rint(255 * np.array(to_rgb(palette.hex(role))))
    plots.draw(ax, chart_of(), palette, [PIECES[piece](role)])
    assert (np.abs(pixels(ax) - wanted).max(axis=-1) < 40).any()


def test_cells_are_drawn_with_their_first_row_at_the_top(ax):
    rgba = np.zeros((2, 1, 4), np.uint8)
    rgba[:, 0] = (255, 0, 0, 255), (0, 0, 255, 255)
    plots.draw(ax, chart_of(cells(0, 0, 1, 1, rgba)))
    middle = pixels(ax)[:, 200]
    red, blue = (np.flatnonzero((middle == c).all(axis=-1)) for c in ([255, 0, 0], [0, 0, 255]))
    assert len(red) > 50
    assert red.max() < blue.min()


def test_what_lies_outside_the_axes_is_cut_off_and_a_dot_on_the_edge_is_whole(ax):
    plots.draw(
        ax, chart_of(dots([1.2, 0.5], [0.5, 1.3], ["wrong"]), curve([1.1, 2], [0, 1], "wrong", 2))
    )
    wrong = np.rint(255 * np.array(to_rgb(plots.LIGHT.hex("wrong"))))
    assert not (np.abs(pixels(ax) - wrong).max(axis=-1) < 30).any()


def test_of_the_dots_those_on_the_axes_are_drawn_up_to_their_very_edges(ax):
    inside = [[0, 0.5], [1, 0.5], [0.5, 0], [0.5, 1]]
    outside = [[-1e-9, 0.5], [1 + 1e-9, 0.5], [0.5, -1e-9], [0.5, 1 + 1e-9]]
    for x, y in ((Axis(0, 1), Axis(0, 1)), (Axis(1, 0), Axis(1, 0))):
        ax.clear()
        plots.draw(ax, Chart("", x, y, [dots(*zip(*inside, *outside, strict=False), ["ink"])]))
        assert ax.lines[0].get_xydata().tolist() == inside


def test_a_broken_line_begins_with_its_dash(ax):
    legend = [Legend("W", "ink", (4, 2))]
    marks = curve([0, 1], [0, 1], "ink", 1, (4, 2)), segments(0, 0, 1, 1, "ink", (4, 2))
    plots.draw(ax, chart_of(*marks, boxes(0, 0, 1, 1, None, "ink", (4, 2)), legend=legend))
    assert [line._unscaled_dash_pattern[0] for line in ax.lines] == [0, 0]
    assert [each.get_linestyle()[0][0] for each in ax.collections] == [0, 0]


@pytest.mark.parametrize(
    "mark",
    [dots([0.5], [0.5], ["ink", "wrong"], [1]), words([0.5], [0.5], ["W", "b"], "ink")],
    ids=["dots", "words"],
)
def test_a_mark_with_more_colours_or_texts_than_places_is_refused(ax, mark):
    with pytest.raises(ValueError, match="zip"):
        plots.draw(ax, chart_of(mark))


def test_the_texts_around_the_axes_stand_in_em_where_the_margins_have_room():
    """From the axes' corners: the legend's rows at the bottom, the title above, the note below."""
    signs = [Legend("best", "wrong", sign="▼"), Legend("", "ink"), Legend("W", "ink")]
    axis, em = Axis(0, 1, "step"), 10 / 72
    chart = Chart("Title", axis, Axis(0, 1, ticks=()), (), "aside", "note", signs, right=1.0)
    for legend, title in (([], 0.5), (signs, 1.15 + 0.25 + 0.5)):
        (ax,) = plots.figure_of([(replace(chart, legend=legend), ())]).axes
        at = {text.get_text(): np.array(text.get_position()) / em for text in ax.texts}
        assert at["Title"] == pytest.approx([0, title])
        assert at["aside"] == pytest.approx([1.0, title])
        assert at["note"] == pytest.approx([0, -(1.35 + 1.15 + 0.2)])
    sign, best = (text_width(text) for text in ("▼", "best"))
    centre = 1.15 / 2 + 0.25 + 0.2
    assert at["▼"] == pytest.approx([0, centre])
    assert at["best"] == pytest.approx([sign + 0.35, centre])
    nameless, named = (line.get_xydata() / em for line in ax.lines)
    start = sign + 0.35 + best + 0.75
    assert nameless == pytest.approx(np.array([[start, centre], [start + 1.5, centre]]))
    start += 1.5 + 0.3
    assert named == pytest.approx(np.array([[start, centre], [start + 1.5, centre]]))
    assert at["W"] == pytest.approx([start + 1.5 + 0.35, centre])


def test_every_role_has_a_colour_in_both_palettes():
    light, dark = (palette.roles() for palette in (plots.LIGHT, plots.DARK))
    assert set(light) == set(dark)
    numbered = {f"{row}{i}" for row, n in (("band", 4), ("layer", 9), ("ramp", 9), ("data", 4))
                for i in range(n)}  # fmt: skip
    assert set(light) >= {"ink", "faint", "grid", "paper", *plots.MARKS, *numbered}
    assert plots.LIGHT.hex("#123456") == "#123456"


@pytest.mark.parametrize("palette", plots.PALETTES.values(), ids=plots.PALETTES)
def test_the_ramp_grows_lighter_from_step_to_step(palette):
    shades = [luminance(colour) for colour in palette.ramp]
    assert len(shades) == 9
    assert shades == sorted(shades)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("axis", "texts"),
    [
        (Axis(1e-4, 1e2, log=True), ["10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1", "10", "10²"]),
        (
            Axis(2e-3, 8e-3, log=True),
            ["0.002", "0.003", "0.004", "0.005", "0.006", "0.007", "0.008"],
        ),
        (Axis(-1, 1), ["−1", "−0.5", "0", "0.5", "1"]),
        (Axis(0, 200), ["0", "50", "100", "150", "200"]),
        (Axis(200, 0), ["0", "50", "100", "150", "200"]),
        (Axis(0, 1), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (Axis(0, 1.4), ["0", "0.5", "1"]),
        (Axis(0, 3.4), ["0", "0.5", "1", "1.5", "2", "2.5", "3"]),
        (Axis(0, 3.5), ["0", "1", "2", "3"]),
        (Axis(0, 6.9), ["0", "1", "2", "3", "4", "5", "6"]),
        (Axis(0, 7), ["0", "2", "4", "6"]),
        (Axis(0.01, 9.9), ["2", "4", "6", "8"]),
        (Axis(5, 20, log=True), ["5", "10", "15", "20"]),
        (Axis(5, 200, log=True), ["10", "10²"]),
        (Axis(1e-3, 1e3, log=True), ["10⁻³", "10⁻²", "10⁻¹", "1", "10", "10²", "10³"]),
        (Axis(1e-3, 1e4, log=True), ["10⁻²", "1", "10²", "10⁴"]),
        (Axis(0, 1, ticks=()), []),
    ],
    ids=str,
)
def test_ticks_are_round(axis, texts):
    assert [text.replace("10¹", "10") for _, text in ticks_of(axis)] == texts


@pytest.mark.parametrize("low", [1e-13, 1e-3, 1.0])
@pytest.mark.parametrize("high", [1e1, 1e5, 1e12])
def test_at_most_seven_ticks_are_named(low, high):
    for axis in (Axis(low, high, log=True), Axis(low, high)):
        ticks = ticks_of(axis)
        assert 2 <= len(ticks) <= 7
        hair = 1e-9 * (low if axis.log else high)
        assert all(low - hair <= at <= high * (1 + 1e-9) for at, _ in ticks)


def test_figures_have_rows_of_columns(sweep):
    one = plots.u_curve_chart(sweep), plots.u_curve_cursor(NAMES, 1e-5, [1e-3] * len(NAMES))
    row, grid = plots.figure_of([one] * 4), plots.figure_of([one] * 4, columns=2, scale=2)
    assert row.get_figwidth() == 2 * grid.get_figwidth()
    assert 2 * row.get_figheight() == grid.get_figheight()
    assert grid.dpi == 2 * row.dpi
    boxes = [ax.get_position() for ax in grid.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_texts_stay_on_a_figure_that_is_laid_out_later(sweep):
    figure = Figure(figsize=(7.5, 4), layout="constrained")
    FigureCanvasAgg(figure)
    plots.u_curve(axes := figure.subplots(), sweep)
    figure.canvas.draw()
    for text in axes.texts:
        box = text.get_window_extent()
        assert (box.min >= 0).all(), text.get_text()
        assert (box.max <= figure.bbox.max).all(), text.get_text()


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_entries_are_read_off_their_own_axis_and_names_do_not_touch(layers):
    """The U-curve beside it has another height, so its ticks stand at other places."""
    names = [f"{kind}{k}" for k in range(1, layers + 1) for kind in "Wb"]
    chart = entries_module.entries_chart(names)
    assert [at for at, _ in chart.y.ticks if 1e-8 < at < 1e-3] == [1e-7, 1e-4]
    room = margins(chart, TensorsPanel.width)
    column = (TensorsPanel.width - room.left - room.right) / len(names)
    rows = [mark for mark in chart.marks if mark["kind"] == "words" and mark["bold"]]
    assert rows
    for row in rows:
        widest = max(text_width(text, row["size"]) for text in row["texts"])
        assert 1.1 * widest < column * len(names) / len(row["texts"])
