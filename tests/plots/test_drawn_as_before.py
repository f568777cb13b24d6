"""The charts are what they were, number by number: a picture changes on purpose or not at all.

Who changes one on purpose looks at it, and then writes it anew:

    .venv/bin/python -m tests.plots.test_drawn_as_before
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import gradlab as gl
from gradlab.checking.sweeps import EpsSweep
from gradlab.plots import DARK, chain_chart, chain_places, draw, figure_of, stages
from gradlab.plots.chart import Axis, Chart, Legend, boxes, cells, curve, dots, segments, words
from gradlab.plots.entries import across, entries_chart
from gradlab.plots.layout import POINTS, legend_rows, margins, text_width
from gradlab.plots.looks import legend_of, looks_of
from gradlab.plots.network import network_chart
from gradlab.plots.scales import clip_errors, power_of_ten, ticks_of
from gradlab.plots.u_curve import u_curve_chart, u_curve_cursor
from tests.as_before import same

STORED = Path(__file__).with_name("drawn.json")
EPS = np.logspace(-13, -1, 9)
NAMES = {
    "two layers": ("W1", "b1", "W2", "b2"),
    "batch norm": ("W1", "gamma1", "beta1", "W2", "b2"),
    "four layers": tuple(f"{kind}{layer}" for layer in range(1, 5) for kind in "Wb"),
    "five layers": tuple(f"{kind}{layer}" for layer in range(1, 6) for kind in "Wb"),
    "six layers": tuple(f"{kind}{layer}" for layer in range(1, 7) for kind in "Wb"),
    "layers 10 and 11": ("W10", "b10", "W11", "b11"),
    "eight layers": tuple(f"{kind}{layer}" for layer in range(1, 9) for kind in "Wb"),
    "convolutions": ("conv1_W", "conv1_b", "conv2_W", "conv2_b", "out_W", "out_b"),
    "LSTM": ("Wx_i", "Wh_i", "b_i", "Wx_f", "Wh_f", "b_f", "Wx_g", "Wh_g", "b_g", "Wx_o",
             "Wh_o", "b_o", "Wy", "by"),
    "weights alone": ("W1", "W2"),
    "one's own": ("theta",),
}  # fmt: skip


def sweep(names, *, floor=0.0, kinks=np.inf, measure="max_relative"):
    """Return a sweep with a U for each tensor, none of them measured."""
    errors = {name: 1e-16 * (i + 1) / EPS + EPS**2 + floor for i, name in enumerate(names)}
    return EpsSweep(
        EPS, errors, {name: np.ones_like(EPS) for name in names}, "central", measure, 2.2e-16,
        6.055454452393343e-06, kinks, 100, 0.1,
    )  # fmt: skip


def verdicts(names):
    words = ("correct", "wrong", "inconclusive")
    return {name: words[i % 3] for i, name in enumerate(names)}


def nets():
    return {
        "convnet": gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=6),
        "lstm": gl.lstm(3, 4, 6),
        "batch norm": gl.mlp([2, 4, 3], batch_norm=True),
    }


def charts():
    """Yield (name, chart) of everything that is drawn from names and numbers alone."""
    for title, names in NAMES.items():
        yield f"entries, {title}", entries_chart(names)
        yield f"U-curve, {title}", u_curve_chart(sweep(names))
    yield "U-curve of a bug", u_curve_chart(sweep(NAMES["two layers"], floor=0.5))
    yield "U-curve with kinks", u_curve_chart(sweep(NAMES["two layers"], kinks=1e-4))
    yield "U-curve of norms", u_curve_chart(sweep(NAMES["two layers"], measure="norm_ratio"))
    for sizes in (
        [2, 1], [2, 3, 2], [64, 7, 8, 10], [2, 4, 4, 4, 2], [2, 4, 4, 4, 4, 2],
        [2, 4, 4, 4, 4, 4, 2], [2, 4, 4, 4, 4, 4, 4, 2], [2] + 8 * [16] + [3],
    ):  # fmt: skip
        names = [f"{kind}{layer}" for layer in range(1, len(sizes)) for kind in "Wb"]
        yield f"network {sizes}", network_chart(sizes, verdicts(names), chosen="W1")
    for title, net in nets().items():
        names = tuple(net.params)
        yield f"chain, {title}", chain_chart(stages(names, net.layers), verdicts(names), names[1])


def marks_in_every_style():
    """Return marks on 0 … 1: each kind plain, as its defaults have it, and in all that it can."""
    rgba = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    spots = [0.1, 0.2, 0.6], [0.3, 0.0, 1.0]
    return [
        curve(*spots, "wrong", 2.0), curve(*spots, "layer1", 1.4, (4, 2)),
        dots(*spots, ["ink"]), dots(*spots, ["ink", "wrong"], [1, 2], 3.0, "paper", "square"),
        dots([0.5, 1.2, -0.1, 0.5, 0.5], [0.5, 0.5, 0.5, 1.1, -0.1], ["ink"], sign="triangle"),
        dots(*spots, ["ramp3"], radius=4.5, sign="ring"),
        segments(0.1, [0.2, 0.3], 0.4, 0.9, "faint"),
        segments(0.1, 0.3, 0.4, 0.8, "faint", (1, 2), 2.5),
        boxes(0.2, 0.1, [0.4, 0.5], 0.9, "band1"),
        boxes(0.2, 0.1, 0.4, 0.9, "band2", "ink", (3, 1), 2.0, 0.4),
        boxes(0.2, 0.1, 0.4, 0.9, None, "grid", hatch=True),
        words([0.1, 0.9], 2 * [0.5], ["W1✓", "$b$"], "ink"),
        words([0.5], [0.5], ["▸"], ["wrong"], 1.2, "left", "top", 0.5, 0.3, True, True, True),
        words([0.5], [0.5], ["_"], "wrong", align="right", base="bottom"),
        cells(0.1, 0.2, 0.9, 0.7, rgba),
    ]  # fmt: skip


def to_paint():
    """Yield (name, chart, palette, marks above the chart's own) for matplotlib's painter."""
    light, legend = gl.plots.LIGHT, legend_of(looks_of(NAMES["batch norm"]))
    signs = [Legend("best", "wrong", sign="▼"), Legend("", "ink"), Legend("dashed", "ink", (2, 1))]
    plain, marks = (Axis(0, 1), Axis(0, 1)), marks_in_every_style()
    yield "every mark", Chart("", *plain, framed=False), light, marks
    yield "every mark, dark", Chart("", *plain, marks[:2]), DARK, marks[2:]
    yield "every mark on a wide axis", Chart("", Axis(-2, 3), Axis(3, -1), marks), light, ()
    axes = Axis(1e-4, 1.0, "step", log=True), Axis(-2.0, 5.0, "loss")
    yield "words around", Chart("Title", *axes, (), "aside", "note", legend), light, ()
    yield "one row", Chart("Title", *plain, (), "", "note", signs, right=3.0, bottom=2.0), light, ()
    yield "square", Chart("Title", *plain, square=True, aside="aside"), light, ()
    log = Axis(0, 1, ticks=()), Axis(1e-3, 1e3, log=True)
    yield "no ticks along x", Chart("", *log, note="note"), light, ()


def painted(figure):
    """Return what stands on a figure's axes: places in em from the lower left, sizes in em."""
    figure.canvas.draw()
    em, found = POINTS / 72 * figure.dpi, []

    def at(artist, points):
        places = artist.get_transform().transform(np.asarray(points, float)) / em
        return " ".join(f"{x:z.1f},{y:z.1f}" for x, y in places)

    for ax in figure.axes:
        box = ax.get_window_extent()
        found.append({
            "kind": "axes", "paper": to_hex(ax.get_facecolor()), "aspect": str(ax.get_aspect()),
            "box": [round(v / em, 1) for v in box.extents], "label size": ax.xaxis.label.get_size(),
            "anchor": ax.get_anchor(), "scales": [ax.get_xscale(), ax.get_yscale()],
            "limits": [*ax.get_xlim(), *ax.get_ylim()], "autoscale": ax.get_autoscale_on(),
            "spines": {side: [s.get_visible(), to_hex(s.get_edgecolor())]
                       for side, s in ax.spines.items()},
            "labels": [[a.label.get_text(), a.label.get_color(), a.label.get_size(), a.labelpad]
                       for a in (ax.xaxis, ax.yaxis)],
            "ticks": [[[float(f"{t.get_loc():.6g}"), t.label1.get_text(), t.label1.get_color(),
                        t.label1.get_size(), t.tick1line.get_color(), t.tick1line.get_markersize(),
                        t.get_pad()] for t in a.get_major_ticks()] for a in (ax.xaxis, ax.yaxis)],
            "minor": [len(a.get_minorticklocs()) for a in (ax.xaxis, ax.yaxis)],
        })  # fmt: skip
        found += [_text(t, at) for t in ax.texts] + [_line(one, at) for one in ax.lines]
        found += [_line(one, at) for one in ax.artists] + [_shapes(c, at) for c in ax.collections]
        found += [
            {"kind": "cells", "box": list(i.get_extent()), "rgba": i.get_array().tolist(),
             "above": i.get_zorder(), "smooth": i.get_interpolation(), "clip": i.get_clip_on()}
            for i in ax.images
        ]  # fmt: skip
    size = [round(72 / POINTS * float(v), 3) for v in figure.get_size_inches()]
    return described(
        {"size": size, "dpi": figure.dpi, "paper": to_hex(figure.get_facecolor()), "axes": found}
    )


def _text(text, at):
    return {
        "kind": "text", "text": text.get_text(), "at": at(text, [text.get_position()]),
        "size": text.get_size(), "colour": text.get_color(), "align": text.get_ha(),
        "base": text.get_va(), "weight": text.get_fontweight(), "clip": text.get_clip_on(),
        "math": text.get_parse_math(), "above": text.get_zorder(),
        "halo": [[e._gc[key] for key in ("linewidth", "foreground")]
                 for e in text.get_path_effects() or ()],
    }  # fmt: skip


def _line(line, at):
    return {
        "kind": "line", "at": at(line, line.get_xydata()), "colour": line.get_color(),
        "width": line.get_linewidth(), "dash": line._unscaled_dash_pattern[1],
        "marker": line.get_marker(), "size": line.get_markersize(), "above": line.get_zorder(),
        "fill": line.get_markerfacecolor(), "edge": line.get_markeredgecolor(),
        "edge width": line.get_markeredgewidth(), "style": line.get_linestyle(),
        "caps": line.get_dash_capstyle(), "clip": line.get_clip_on(),
    }  # fmt: skip


def _shapes(shapes, at):
    return {
        "kind": "shapes", "at": [at(shapes, path.vertices) for path in shapes.get_paths()],
        "fill": [to_hex(c, True) for c in shapes.get_facecolor()], "hatch": shapes.get_hatch(),
        "edge": [to_hex(c, True) for c in shapes.get_edgecolor()], "above": shapes.get_zorder(),
        "width": list(shapes.get_linewidth()), "dash": [d for _, d in shapes.get_linestyle()],
    }  # fmt: skip


def paintings():
    """Yield (name, what the painter makes of it)."""
    for name, chart, palette, moving in to_paint():
        figure = Figure(figsize=(4, 3))
        FigureCanvasAgg(figure)
        draw(figure.add_axes((0.2, 0.2, 0.5, 0.5)), chart, palette, moving)
        yield name, painted(figure)
    pictures = [(Chart(title, Axis(0, 1), Axis(0, 1)), ()) for title in "ABC"]
    yield "panels", painted(figure_of(pictures))
    yield "rows", painted(figure_of(pictures, DARK, 2, 2.0, [10.0, 20.0, 15.0]))
    yield "no panel", painted(figure_of([]))


def described(value):
    """Return anything a chart holds as plain JSON, with six digits."""
    if isinstance(value, dict):
        return {key: described(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [described(one) for one in value]
    if isinstance(value, np.ndarray):
        return described(value.tolist())
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.6g}") if np.isfinite(value) else str(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    return value if value is None or isinstance(value, (bool, str)) else repr(value)


def everything():
    """Return all that is held, by name."""
    found = {}
    for name, chart in charts():
        fields = {key: getattr(chart, key) for key in chart.__dataclass_fields__}
        fields |= {key: asdict(fields[key]) for key in ("x", "y")}
        fields["legend"] = [asdict(entry) for entry in fields["legend"]]
        # widths of texts differ a little from one release of matplotlib to the next
        room = {key: round(one, 1) for key, one in asdict(margins(chart, 25.0)).items()}
        found[name] = described(fields) | {"margins": room}
    for name, names in NAMES.items():
        looks = looks_of(names)
        rows = legend_rows(legend_of(looks), 12.0)
        found[f"legend, {name}"] = {
            "looks": described(
                {key: asdict(look) | {"short": look.short} for key, look in looks.items()}
            ),
            "rows": [[(round(x, 1), entry.text) for x, entry in row] for row in rows],
        }
    found["cursor"] = described(u_curve_cursor(NAMES["two layers"], 1e-5, [0, 1e-9, 5.0, np.nan]))
    for title, net in nets().items():
        places = chain_places(stages(tuple(net.params), net.layers))
        found[f"places, {title}"] = {
            name: [round(v, 2) for v in place] for name, place in places.items()
        }
    found |= {f"painted, {name}": one for name, one in paintings()}
    found["across"] = described(across(7))
    found["clipped"] = described(
        clip_errors(np.array([0.0, 1e-18, 1e-9, 1.0, 9.0, np.nan, np.inf]))
    )
    found["powers"] = [power_of_ten(10.0**k) for k in (-13, -1, 0, 1, 12)]
    found["width"] = round(text_width("predicted best"), 1)
    return json.loads(json.dumps(found))


def test_everything_is_drawn_as_before():
    drawn, held = everything(), json.loads(STORED.read_text(encoding="utf-8"))
    assert list(drawn) == list(held)
    assert [name for name in drawn if not same(drawn[name], held[name])] == []


def test_every_tick_of_a_chart_lies_on_its_axis():
    for _, chart in charts():
        for axis in (chart.x, chart.y):
            low, high = sorted((axis.low, axis.high))
            assert all(low <= at <= high for at, _ in ticks_of(axis))


if __name__ == "__main__":
    STORED.write_text(
        json.dumps(everything(), ensure_ascii=False, indent=0) + "\n", encoding="utf-8"
    )
