"""What the panels show of six networks: texts that can be read, clicks that choose, true words."""

import numpy as np
import pytest
from matplotlib.transforms import Bbox

import gradlab as gl
from gradlab.lab import LabState
from gradlab.lab.board.panels import PANELS as EVERY
from gradlab.lab.board.panels import Panel
from gradlab.lab.board.panels.agreement import AgreementPanel
from gradlab.lab.board.panels.cuts import CutsPanel
from gradlab.lab.board.panels.heatmap import HeatmapPanel
from gradlab.lab.board.panels.measures import MeasuresPanel
from gradlab.lab.board.panels.network import NetworkPanel
from gradlab.lab.board.panels.tensors import TensorsPanel
from gradlab.lab.board.panels.u_curve import UCurvePanel
from gradlab.plots import DARK, figure_of
from gradlab.plots.chart import Axis, Chart, words
from gradlab.plots.looks import looks_of

PANELS = (UCurvePanel, TensorsPanel, NetworkPanel, HeatmapPanel, AgreementPanel)
OTHERS = [kind for kind in EVERY if kind not in PANELS]
EDGE = 1e-6


def convnet():
    net = gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=6)
    rng = np.random.default_rng(0)
    return {"net": net, "x": rng.normal(size=(4, 1, 8, 8)), "y": rng.integers(0, 6, 4)}


def lstm():
    rng = np.random.default_rng(0)
    return {
        "net": gl.lstm(3, 4, 6), "x": rng.normal(size=(5, 4, 3)), "y": rng.integers(0, 6, 4),
    }  # fmt: skip


CASES = {
    "mlp": lambda: LabState(),
    "eight layers": lambda: LabState(scenario="vanishing_gradients_in_eight_layers"),
    "kinks": lambda: LabState(scenario="kinks"),
    "bug": lambda: LabState(bug="flipped_sign", tensor="W2", entry=7),
    "convnet": lambda: LabState(**convnet()),
    "lstm": lambda: LabState(**lstm()),
}


@pytest.fixture(scope="module")
def results():
    return {name: make().result for name, make in CASES.items()}


def drawn(panel, result, palette=DARK):
    """Draw one panel as it is stored, and return its axes."""
    chart = panel.still(result), panel.moving(result)
    figure = figure_of([chart], palette, widths=[panel.width])
    figure.canvas.draw()
    return figure.axes[0]


def texts(ax):
    """Return every text that is to be read, with where it stands, in pixels."""
    titles = [ax.title, ax._left_title, ax._right_title]
    ticks = [*ax.get_xticklabels(), *ax.get_yticklabels()]
    labels = [ax.xaxis.label, ax.yaxis.label]
    shown = [t for t in (*ax.texts, *titles, *ticks, *labels) if t.get_text().strip()]
    return [(t.get_text(), t.get_window_extent()) for t in shown]


def overlap(one, other):
    """Return by how many pixels two boxes overlap, along the axis where they do least."""
    low = np.maximum(one.min, other.min)
    return float(np.min(np.minimum(one.max, other.max) - low))


def assert_all_can_be_read(ax):
    page, found = ax.figure.bbox, texts(ax)
    assert len(found) >= 2
    for i, (text, box) in enumerate(found):
        for side, edge in zip(box.min, page.min, strict=True):
            assert side >= edge - 0.5, f"{text!r} begins outside"
        for side, edge in zip(box.max, page.max, strict=True):
            assert side <= edge + 0.5, f"{text!r} ends outside"
        for other, there in found[:i]:
            assert overlap(box, there) < 1.5, f"{text!r} stands on {other!r}"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", PANELS, ids=lambda kind: kind.name)
def test_no_text_is_cut_off_or_stands_on_another(kind, case, results):
    assert_all_can_be_read(drawn(kind(), results[case]))


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("kind", "case"),
    [(kind, case) for kind in OTHERS for case in ("eight layers", "lstm", "bug")
     if (kind.name, case) != ("seeds", "eight layers")],
    ids=lambda v: getattr(v, "name", v),
)  # fmt: skip
def test_nor_in_a_panel_that_has_to_be_asked_for(kind, case, results):
    if not kind().fits(results[case]):
        assert_all_can_be_read(drawn(kind(), results[case]))


def test_a_text_on_another_is_seen():
    chart = Chart(
        "", Axis(0, 1), Axis(0, 1), [words([0.5, 0.52], [0.5, 0.5], ["one", "two"], "ink")]
    )
    figure = figure_of([(chart, [])])
    figure.canvas.draw()
    (_, one), (_, two), *_ = texts(figure.axes[0])
    assert overlap(one, two) > 5


@pytest.mark.parametrize("case", CASES)
def test_the_legend_stands_above_the_axes(case, results):
    panel, result = UCurvePanel(), results[case]
    ax = drawn(panel, result)
    top = ax.get_window_extent().y1
    told = {entry.text for entry in panel.still(result).legend}
    places = [box for text, box in texts(ax) if text in told]
    assert len(places) >= len(told - {""})
    assert all(isinstance(box, Bbox) and box.y0 >= top - 1 for box in places)


@pytest.mark.parametrize("case", CASES)
def test_no_two_layers_are_named_in_the_same_colour(case, results):
    chart = UCurvePanel().still(results[case])
    entries = [(e.colour, e.dash) for e in chart.legend if not e.sign]
    assert len(set(entries)) == len(entries)


def test_signs_and_dotted_lines_are_explained(results):
    told = {e.text for e in UCurvePanel().still(results["kinks"]).legend}
    assert {"predicted best", "predicted slopes", "kinks crossed"} <= told
    healthy = {e.text for e in UCurvePanel().still(results["mlp"]).legend}
    assert "best found" in healthy
    assert "kinks crossed" not in healthy


@pytest.mark.parametrize(("x", "eps"), [(1e-7, 1e-7), (1e-20, 1e-13), (3.0, 1e-1)])
def test_a_click_on_the_u_curve_sets_the_step(x, eps, results):
    assert UCurvePanel().pressed(results["mlp"], x, 1e-5) == {"eps": eps}


@pytest.mark.parametrize("case", CASES)
def test_a_click_on_a_dot_of_a_column_chooses_that_entry(case, results):
    result, panel = results[case], TensorsPanel()
    dots = panel.moving(result)[0]
    start = 0
    for name, end in zip(result.report, dots["ends"], strict=True):
        chosen = panel.pressed(result, dots["x"][end - 1], dots["y"][end - 1])
        assert chosen["tensor"] == name
        errors = np.maximum(result.report[name].errors.ravel(), 2e-17)
        assert min(errors[chosen["entry"]], 2.0) == pytest.approx(dots["y"][end - 1])
        assert panel.pressed(result, dots["x"][start], EDGE * 1e-17) == {"tensor": name}
        start = end


def test_a_click_in_the_heatmap_chooses_the_cell(results):
    result, panel = LabState(tensor="W1").result, HeatmapPanel()
    left, low, right, high = panel.moving(result)[0]["box"]
    rows, columns = result.report["W1"].shape
    assert panel.pressed(result, left + EDGE, high - EDGE) == {"tensor": "W1", "entry": 0}
    last = {"tensor": "W1", "entry": rows * columns - 1}
    assert panel.pressed(result, right - EDGE, low + EDGE) == last
    assert panel.pressed(result, right + 0.5 / columns, low + EDGE) == {}


@pytest.mark.parametrize("case", CASES)
def test_a_click_on_a_dot_of_the_agreement_chooses_it(case, results):
    result, panel = results[case], AgreementPanel()
    tensor = result.report[result.tensor]
    largest = max(np.abs(tensor.analytic).max(), np.abs(tensor.numerical).max())
    both = np.stack([tensor.numerical.ravel(), tensor.analytic.ravel()])
    for place in both.T[:: max(1, both.shape[1] // 5)]:
        chosen = panel.pressed(result, *(place / largest))
        assert chosen["tensor"] == tensor.name
        np.testing.assert_allclose(both[:, chosen["entry"]], place)  # several may be 0 and 0


@pytest.mark.parametrize("case", CASES)
def test_a_click_on_a_name_in_the_network_chooses_the_tensor(case, results):
    result, panel = results[case], NetworkPanel()
    ax = drawn(panel, result)
    middles = [(box.min + box.max) / 2 for text, box in texts(ax) if text[-1] in "✓✗?"]
    places = ax.transData.inverted().transform(middles)
    chosen = [panel.pressed(result, x, y)["tensor"] for x, y in places]
    assert sorted(chosen) == sorted(result.report)


@pytest.fixture(scope="module")
def chosen():
    return {
        entry: LabState(bug="flipped_sign", tensor="W2", entry=entry).result for entry in (7, -1)
    }


@pytest.mark.parametrize("kind", [TensorsPanel, AgreementPanel])
def test_the_chosen_entry_is_its_dot_in_a_ring(kind, chosen):
    panel = kind()
    *others, ring, dot = panel.moving(chosen[7])
    assert len(others) == len(panel.moving(chosen[-1]))
    assert (ring["sign"], ring["colours"], dot["sign"]) == ("ring", ["ink"], "disc")
    assert ring["radius"] > 2 * dot["radius"]
    assert (ring["x"], ring["y"]) == (dot["x"], dot["y"])
    tensor = chosen[7].report["W2"]
    if kind is AgreementPanel:
        largest = max(np.abs(tensor.analytic).max(), np.abs(tensor.numerical).max())
        assert dot["colours"] == ["wrong"]
        assert dot["x"] == pytest.approx(tensor.numerical.flat[7] / largest)
        assert dot["y"] == pytest.approx(tensor.analytic.flat[7] / largest)
        return
    columns = next(mark for mark in others if mark["kind"] == "dots")
    start = columns["ends"][list(chosen[7].report).index("W2") - 1]
    assert (dot["x"], dot["y"]) == (columns["x"][start + 7], columns["y"][start + 7])
    assert dot["colours"] == [looks_of(chosen[7].report)["W2"].colour]


@pytest.mark.parametrize("entry", [0, 7, 255])
def test_the_chosen_cell_has_a_frame_that_shows_on_every_colour(entry):
    result = LabState(tensor="W2", entry=entry).result
    cells, *_, wide, thin = HeatmapPanel().moving(result)
    left, _, right, high = cells["box"]
    side = (right - left) / 16
    row, column = divmod(entry, 16)
    for frame, colour in ((wide, "paper"), (thin, "ink")):
        assert frame["fill"] is None
        assert frame["edge"] == colour
        assert frame["x0"] == pytest.approx(left + column * side)
        assert frame["x1"] == pytest.approx(left + (column + 1) * side)
        assert frame["y1"] == pytest.approx(high - row * side)
        assert frame["y0"] == pytest.approx(high - (row + 1) * side)
    assert wide["width"] > thin["width"]
    assert "boxes" not in {m["kind"] for m in HeatmapPanel().moving(LabState(tensor="W2").result)}


@pytest.mark.parametrize("kind", PANELS, ids=lambda kind: kind.name)
def test_a_panel_tells_what_a_click_does(kind):
    assert kind.hint.endswith(".")


@pytest.mark.parametrize("case", CASES)
def test_the_words_hold_the_numbers_of_the_report(case, results):
    result = results[case]
    report, shown = result.report, result.report[result.tensor]
    assert f"eps {result.settings.eps:.1e}" in UCurvePanel().alt(result)
    assert f"{report.error:.1e}" in UCurvePanel().alt(result)
    for name in report:
        told = f"{name} {report[name].error:.1e} {report[name].verdict}"
        assert told in TensorsPanel().alt(result)
        assert name in NetworkPanel().alt(result)
    assert f"{shown.error:.1e}" in HeatmapPanel().alt(result)
    assert f"ratio {shown.ratio:.3g}, cosine {shown.cosine:.3g}" in AgreementPanel().alt(result)


def test_directions_choose_no_entry_and_have_no_network():
    result = LabState(method="directional").result
    assert NetworkPanel().fits(result)
    for kind in (TensorsPanel, HeatmapPanel, AgreementPanel):
        panel = kind()
        assert not panel.fits(result)
        assert "directions" in panel.alt(result) or kind is not HeatmapPanel
        assert panel.pressed(result, 0.0, 1e-8) == {}
        assert drawn(panel, result)


def test_the_picture_of_the_network_stands_still_while_only_the_step_moves(results):
    panel, state = NetworkPanel(), LabState(eps=1e-5)
    before = panel.key(state.result)
    state.eps = 2e-5
    assert panel.key(state.result) == before
    state.eps = 1e-12
    assert panel.key(state.result) != before


def test_the_columns_stand_still_as_long_as_the_tensors_are_the_same():
    state = LabState(hidden=(4,))
    key = TensorsPanel().key(state.result)
    state.eps = 1e-7
    assert TensorsPanel().key(state.result) == key
    state.hidden = (4, 4)
    assert TensorsPanel().key(state.result) != key


def test_a_function_has_no_network_and_every_other_panel():
    result = LabState(lambda t: float(np.sin(t).sum()), np.cos, np.linspace(0.1, 1, 5)).result
    for kind in PANELS:
        panel = kind()
        assert bool(panel.fits(result)) == (kind is NetworkPanel)
        assert panel.fits(result) or drawn(panel, result)


def test_every_panel_says_what_it_has_to():
    panel = Panel()
    for must in (panel.still, panel.alt):
        with pytest.raises(NotImplementedError):
            must(None)
    assert (panel.fits(None), panel.moving(None), panel.pressed(None, 0.0, 0.0)) == ("", [], {})
    result = LabState(hidden=(2,)).result
    assert panel.key(result) is result.sweep


@pytest.mark.every_case
@pytest.mark.parametrize("kind", [Panel, *EVERY], ids=lambda kind: kind.__name__)
def test_a_panel_is_about_as_wide_as_it_is_high(kind):
    """All are 21 em high; with the narrowest two beside it one row holds what a page does."""
    assert 0.5 < kind.width / 21 < 1.4
    assert bool(kind.hint) == (kind.pressed is not Panel.pressed)


def test_what_lies_close_can_be_zoomed_into():
    assert {kind.name for kind in EVERY if kind.zooms} == {"u_curve", "gradient_size", "boundary"}


@pytest.mark.every_case
@pytest.mark.parametrize("case", ["kinks", "lstm", "bug"])
@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_texts_can_be_read_dots_be_hit_and_lines_be_seen(kind, case, results):
    panel, result = kind(), results[case]
    if panel.fits(result):
        return
    for mark in (*panel.still(result).marks, *panel.moving(result)):
        if mark["kind"] == "words":
            assert 0.55 <= mark["size"] <= 1.0
        if mark["kind"] == "dots" and len(mark["x"]):
            assert 1.4 <= mark["radius"] <= 5.0
        if mark["kind"] in ("curve", "segments", "boxes"):
            assert 0.8 <= mark["width"] <= 4.0


@pytest.mark.parametrize("kind", [CutsPanel, MeasuresPanel])
def test_a_drawing_in_ems_is_as_large_as_its_panel(kind, results):
    chart = kind().still(results["mlp"])
    assert 0.5 <= kind.width - (chart.x.high - chart.x.low) <= 2.0
