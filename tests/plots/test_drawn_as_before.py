"""The charts are what they were, number by number: a picture changes on purpose or not at all.

Who changes one on purpose looks at it, and then writes it anew:

    .venv/bin/python -m tests.plots.test_drawn_as_before
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

import gradlab as gl
from gradlab.checking.sweeps import EpsSweep
from gradlab.plots import chain_chart, stages
from gradlab.plots.entries import across, entries_chart
from gradlab.plots.layout import legend_rows, margins, text_width
from gradlab.plots.looks import legend_of, looks_of
from gradlab.plots.network import network_chart
from gradlab.plots.scales import clip_errors, power_of_ten, ticks_of
from gradlab.plots.u_curve import u_curve_chart, u_curve_cursor

STORED = Path(__file__).with_name("drawn.json")
EPS = np.logspace(-13, -1, 9)
NAMES = {
    "two layers": ("W1", "b1", "W2", "b2"),
    "batch norm": ("W1", "gamma1", "beta1", "W2", "b2"),
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


def charts():
    """Yield (name, chart) of everything that is drawn from names and numbers alone."""
    for title, names in NAMES.items():
        yield f"entries, {title}", entries_chart(names)
        yield f"U-curve, {title}", u_curve_chart(sweep(names))
    yield "U-curve of a bug", u_curve_chart(sweep(NAMES["two layers"], floor=0.5))
    yield "U-curve with kinks", u_curve_chart(sweep(NAMES["two layers"], kinks=1e-4))
    yield "U-curve of norms", u_curve_chart(sweep(NAMES["two layers"], measure="norm_ratio"))
    for sizes in ([2, 1], [2, 3, 2], [64, 7, 8, 10], [2, 4, 4, 4, 4, 2], [2] + 8 * [16] + [3]):
        names = [f"{kind}{layer}" for layer in range(1, len(sizes)) for kind in "Wb"]
        yield f"network {sizes}", network_chart(sizes, verdicts(names), chosen="W1")
    nets = {
        "convnet": gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=6),
        "lstm": gl.lstm(3, 4, 6),
        "batch norm": gl.mlp([2, 4, 3], batch_norm=True),
    }
    for title, net in nets.items():
        names = tuple(net.params)
        yield f"chain, {title}", chain_chart(stages(names, net.layers), verdicts(names))


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
    assert [name for name in drawn if drawn[name] != held[name]] == []


def test_every_tick_of_a_chart_lies_on_its_axis():
    for _, chart in charts():
        for axis in (chart.x, chart.y):
            low, high = sorted((axis.low, axis.high))
            assert all(low <= at <= high for at, _ in ticks_of(axis))


if __name__ == "__main__":
    STORED.write_text(
        json.dumps(everything(), ensure_ascii=False, indent=0) + "\n", encoding="utf-8"
    )
