"""The saved page's figures, by their geometry: what stands where, and what is drawn over what."""

import itertools
import math
import re

import numpy as np
import pytest

from gradlab.checking.judge import Finding
from gradlab.checking.report import Report, tensor_report
from gradlab.checking.saved import curve as curves
from gradlab.checking.saved import strips, svg
from gradlab.checking.saved.curve import curve
from gradlab.checking.saved.document import document
from gradlab.checking.sweeps import EpsSweep
from gradlab.checking.verdict import Judgement, Setting

TAG = re.compile(r"<(\w+)((?: [\w-]+=\"[^\"]*\")*)(?:/>|>([^<]*))")


def drawn(source, tag=None, look=None):
    """Return (attributes, text right behind it) of every element, of a tag and a class."""
    found = []
    for name, attributes, text in TAG.findall(source):
        told = dict(re.findall(r"([\w-]+)=\"([^\"]*)\"", attributes))
        if tag in (None, name) and (look is None or look in told.get("class", "").split()):
            found.append((told, text))
    return found


def numbers(attributes, *names):
    return [float(attributes[name]) for name in names]


# -- elements and axes ---------------------------------------------------------------------------


def test_an_element_is_escaped_and_its_numbers_are_tenths_of_a_pixel():
    assert svg.element("g", class_="a", stroke_dasharray=None) == '<g class="a"/>'
    assert svg.element("g", "<b/>", font_size=1.26, x=3.0, n=2) == (
        '<g font-size="1.3" x="3" n="2"><b/></g>'
    )
    assert svg.element("g", x='"<&') == '<g x="&quot;&lt;&amp;"/>'
    assert svg.text(1.0, 2.0, "a<b", "small", "end") == (
        '<text x="1" y="2" class="small" text-anchor="end">a&lt;b</text>'
    )
    assert svg.title("a<b") == "<title>a&lt;b</title>"
    assert svg.line(1.0, 2.0, 3.0, 4.0, "k") == '<line x1="1" y1="2" x2="3" y2="4" class="k"/>'
    assert svg.box(1.0, 2.0, 3.0, 4.0, "k") == (
        '<rect x="1" y="2" width="3" height="4" class="k"/>'
    )
    whole = svg.figure(10.0, 20.0, 'what "it" shows', ["<g/>"], "a < b")
    assert whole == (
        '<figure><div class="wide" tabindex="0" role="group" aria-label="Figure"><svg viewBox="0 0 '
        '10 20" role="img" aria-label="what &quot;it&quot; shows"><g/></svg></div>'
        "<figcaption>a &lt; b</figcaption></figure>"
    )


@pytest.mark.parametrize(
    ("words", "most", "shown"),
    [("abcde", 5, "abcde"), ("abcdef", 5, "ab…ef"), ("abcdefg", 6, "ab…efg"), ("", 3, "")],
)
def test_of_a_long_name_the_middle_is_left_out(words, most, shown):
    assert svg.shortened(words, most) == shown
    assert len(shown) <= most


def test_powers_of_ten_are_written_small():
    assert [svg.power_of_ten(k) for k in (-12, -7, 0, 1, 3)] == ["10⁻¹²", "10⁻⁷", "1", "10¹", "10³"]


def test_a_logarithmic_axis():
    axis = svg.LogAxis(1e-4, 1e2, 100.0, 700.0)
    assert [axis.at(10.0**k) for k in range(-4, 3)] == pytest.approx(range(100, 701, 100))
    assert axis.at(0.0) == axis.at(-1.0) == axis.at(1e-9) == 100
    assert axis.at(1e9) == axis.at(math.inf) == axis.at(math.nan) == 700
    assert axis.powers(1) == [-4, -3, -2, -1, 0, 1, 2]
    assert axis.powers(2) == [-4, -2, 0, 2]
    assert axis.powers(4) == [-4, 0]
    assert svg.LogAxis(2e-4, 9e1, 0.0, 1.0).powers(1) == [-3, -2, -1, 0, 1]
    upright = svg.LogAxis(1.0, 100.0, 50.0, 10.0)
    assert [upright.at(v) for v in (1, 10, 100)] == pytest.approx([50, 30, 10])


# -- a strip a tensor ----------------------------------------------------------------------------


def found(marks, slope):
    size = len(marks)
    return Finding(np.array(marks), slope, *(np.full(size, 1e-9) for _ in range(4)))


def report_of(errors, marks=None, name="W", measure="max_relative", shape=None, entries=None):
    """Return a report whose entries have these relative errors."""
    errors = np.asarray(errors, float)
    numerical = np.ones(errors.size)
    marks = ["ok"] * errors.size if marks is None else marks
    tensor = tensor_report(
        name, numerical * (1 - errors), found(marks, numerical), np.zeros(errors.size, int),
        shape or errors.shape, entries, Setting(), measure,
    )  # fmt: skip
    return Report({name: tensor}, tensor.judgement, "f", measure, "central", None, 1, 0.0)


ERRORS = [0.0, 1e-12, 1e-6, 0.5, 1e-3]
MARKS = ["zero", "ok", "ok", "bug", "open"]


def test_a_dot_stands_at_its_error_and_its_shape_says_what_it_is():
    page = strips.strips(report_of(ERRORS, MARKS))
    circles = drawn(page, "circle")
    looks = {told["class"]: numbers(told, "cx", "r") for told, _ in circles}
    ((cross, _),) = drawn(page, "path", "cross")
    place = [strips.AXIS.at(e) for e in ERRORS]
    assert looks["dot zero"] == pytest.approx([strips.NIL, 2.2])
    assert looks["ring"] == pytest.approx([place[4], 3.2], abs=0.05)
    assert [told["cx"] for told, _ in circles if told["class"] == "dot"] == [
        f"{x:.1f}".removesuffix(".0") for x in place[1:3]
    ]
    x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)l7 7m0 -7l-7 7", cross["d"]).groups())
    assert x + 3.5 == pytest.approx(place[3], abs=0.1)
    middle = strips.TOP + strips.ROW / 2
    assert y + 3.5 == pytest.approx(
        middle + strips.SPREAD * (2 * (3 * 0.6180339887 % 1) - 1), abs=0.1
    )
    heights = [float(told["cy"]) for told, _ in circles]
    assert all(abs(h - middle) <= strips.SPREAD for h in heights)
    assert len(set(heights)) == len(heights)
    # what is wrong is drawn last, over what agrees
    assert page.index('class="cross"') > page.index('class="ring"') > page.rindex('class="dot')


def test_a_strip_has_its_name_its_bar_its_verdict_and_its_counts():
    page = strips.strips(report_of(ERRORS, MARKS, name="a name that is far too long"))
    middle, end = strips.TOP + strips.ROW / 2, strips.TOP + strips.ROW
    ((name, words),) = drawn(page, "text", "mono")
    assert numbers(name, "x", "y") == [strips.LEFT - 12, middle + 5]
    assert name["text-anchor"] == "end"
    assert words == svg.shortened("a name that is far too long", strips.NAME)
    ((bar, _),) = drawn(page, "line", "bar")
    at = strips.AXIS.at(0.5)
    assert numbers(bar, "x1", "x2") == pytest.approx([at, at], abs=0.06)
    assert numbers(bar, "y1", "y2") == [middle - strips.SPREAD - 4, middle + strips.SPREAD + 4]
    told = [(numbers(t, "x", "y"), words) for t, words in drawn(page, "text")]
    assert ([strips.RIGHT + 12, middle - 7], "✗ wrong") in told
    assert ([strips.RIGHT + 12, middle + 8], "1 wrong, 1 undecided, 2") in told
    assert ([strips.RIGHT + 12, middle + 21], "agree, 1 are 0 = 0") in told
    below = [numbers(t, "x1", "y1", "x2", "y2") for t, _ in drawn(page, "line", "grid")]
    assert [strips.LEFT, end, strips.RIGHT, end] in below
    assert f'viewBox="0 0 1000 {end + 46:.0f}"' in page


def test_the_bands_cover_the_axis_and_their_names_stand_above():
    page = strips.strips(report_of(ERRORS, MARKS))
    bands = [numbers(t, "x", "width", "y", "height") for t, _ in drawn(page, "rect")]
    assert [t["class"] for t, _ in drawn(page, "rect")] == ["band0", "band1", "band2", "band3"]
    edges = [strips.LEFT, *(strips.AXIS.at(v) for v in (1e-7, 1e-4, 1e-2)), strips.RIGHT]
    for (x, width, y, height), left, right in zip(bands, edges, edges[1:], strict=False):
        assert [x, x + width] == pytest.approx([left, right], abs=0.11)
        assert [y, height] == [strips.TOP, strips.ROW]
    middles = [(a + b) / 2 for a, b in itertools.pairwise(edges)]
    names = [("happy", 0, 8), ("usually", 1, 22), ("fine", 1, 8), ("uncomfortable", 2, 8),
             ("probably", 3, 22), ("wrong", 3, 8)]  # fmt: skip
    texts = {words: t for t, words in drawn(page, "text")}
    for words, k, up in names:
        assert numbers(texts[words], "x", "y") == pytest.approx(
            [middles[k], strips.TOP - up], abs=0.06
        )
        assert texts[words]["text-anchor"] == "middle"


def test_the_axis_has_every_second_power_and_a_zero():
    page = strips.strips(report_of(ERRORS, MARKS))
    bottom = strips.TOP + strips.ROW
    ticks = {words: t for t, words in drawn(page, "text", "small") if words[:2] in ("10", "1", "0")}
    wanted = {svg.power_of_ten(k): strips.AXIS.at(10.0**k) for k in range(-16, 1, 2)}
    wanted["0"] = strips.NIL
    assert ticks.keys() == wanted.keys()
    lines = [numbers(t, "x1", "y1", "x2", "y2") for t, _ in drawn(page, "line", "grid")]
    for words, x in wanted.items():
        assert numbers(ticks[words], "x", "y") == pytest.approx([x, bottom + 16], abs=0.06)
        x = float(ticks[words]["x"])
        assert [x, strips.TOP, x, bottom] in lines
    (told,) = [t for t, words in drawn(page, "text") if words.startswith("relative error of each")]
    assert numbers(told, "x", "y") == [(strips.LEFT + strips.RIGHT) / 2, bottom + 36]


def test_of_many_dots_only_those_that_do_not_agree_have_a_hint(monkeypatch):
    for most, hinted in ((5, 5), (4, 2)):
        monkeypatch.setattr(strips, "HINTS", most)
        assert strips.strips(report_of(ERRORS, MARKS)).count("<title>") == hinted + 1  # its name


def test_a_crowd_is_thinned_by_pixels(monkeypatch):
    monkeypatch.setattr(strips, "WHOLE", 5)
    same = np.full(40, 1e-6)
    crowd = report_of(np.concatenate([same, [0.5, 0.5]]), ["ok"] * 40 + ["bug", "bug"])
    shown = strips._shown(crowd.tensors["W"])
    assert len(shown) < 42
    assert {*shown[-2:]} == {40, 41}  # far from each other in height
    cells = {int((k * 0.6180339887498949 % 1.0) * 30 // 3) for k in range(40)}
    assert len(shown) == len(cells) + 2  # of dots at one place, one in 3 pixels
    whole = report_of(same[:5])
    assert [*strips._shown(whole.tensors["W"])] == [0, 1, 2, 3, 4]
    apart = report_of(10.0 ** -np.linspace(16, 0.5, 40))
    assert len(strips._shown(apart.tensors["W"])) == 40
    nothing = report_of(np.zeros(40))
    assert len(strips._shown(nothing.tensors["W"])) == len(cells)


def test_dots_count_as_one_where_they_are_drawn_on_the_same_three_pixels(monkeypatch):
    monkeypatch.setattr(strips, "WHOLE", 5)
    axis = strips.AXIS

    def at(x):
        return axis.low * (axis.high / axis.low) ** ((x - axis.start) / (axis.stop - axis.start))

    def shown(x, other):
        crowd = report_of(np.repeat([at(x), at(other)], 20))
        return len(strips._shown(crowd.tensors["W"]))

    rows = [int((k * 0.6180339887498949 % 1.0) * 30 // 3) for k in range(40)]
    assert shown(300.2, 302.8) == len({*rows})
    assert shown(299.8, 300.2) == len({*rows[:20]}) + len({*rows[20:]})


def test_a_hint_says_where_in_the_tensor_a_sampled_entry_stands():
    report = report_of([0.1, 0.2], ["bug", "bug"], shape=(3, 4), entries=np.array([5, 11]))
    page = strips.strips(report)
    assert "<title>W[1, 1]: analytic 0.9, numerical 1, error 1.0e-01</title>" in page
    assert "<title>W[2, 3]: analytic 0.8, numerical 1, error 2.0e-01</title>" in page


# -- the curve -----------------------------------------------------------------------------------

EPS = 10.0 ** -np.arange(1.0, 11.0)
X = svg.LogAxis(1e-10, 1e-1, curves.LEFT, curves.RIGHT)
Y = svg.LogAxis(curves.LOW, curves.HIGH, curves.BOTTOM, curves.TOP)


def sweep_of(errors=None, eps=EPS, kinks_from=math.inf, best=1e-5):
    errors = {"W": np.sqrt(eps)} if errors is None else errors
    return EpsSweep(np.asarray(eps), errors, {}, "central", "max_relative", 2.2e-16, best,
                    kinks_from, 1, 0.0)  # fmt: skip


def test_the_curve_has_a_frame_with_powers_of_ten():
    page = curve(sweep_of(), None)
    ((frame, _),) = drawn(page, "rect", "frame")
    assert numbers(frame, "x", "y", "width", "height") == [80, 30, 710, 350]
    texts = drawn(page, "text", "small")
    steps = {
        words: t for t, words in texts if t.get("text-anchor") == "middle" and "1" in words[:1]
    }
    heights = {words: t for t, words in texts if t.get("text-anchor") == "end" and "1" in words[:1]}
    assert [*steps] == ["10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²"]  # nine decades: every second
    assert [*heights] == ["10⁻¹⁶", "10⁻¹²", "10⁻⁸", "10⁻⁴", "1"]
    grid = [numbers(t, "x1", "y1", "x2", "y2") for t, _ in drawn(page, "line", "grid")]
    for k, tick in zip(range(-10, -1, 2), steps.values(), strict=True):
        assert numbers(tick, "x", "y") == pytest.approx([X.at(10.0**k), 397], abs=0.06)
        assert [float(tick["x"]), 30, float(tick["x"]), 380] in grid
    for k, tick in zip(range(-16, 1, 4), heights.values(), strict=True):
        assert numbers(tick, "x", "y") == pytest.approx([72, Y.at(10.0**k) + 4], abs=0.06)
        assert any(
            line == pytest.approx([80, Y.at(10.0**k), 790, Y.at(10.0**k)], abs=0.06)
            for line in grid
        )
    assert len(grid) == 10
    named = {words: numbers(t, "x", "y") for t, words in texts}
    assert named["step eps"] == [435, 420]
    assert named["error"] == [72, 20]
    fewer = curve(sweep_of(eps=EPS[:9]), None)  # eight decades
    assert "10⁻³" in [words for _, words in drawn(fewer, "text", "small")]
    assert "10⁻³" not in steps


def points(path):
    return [tuple(map(float, p.split())) for p in path["d"][1:].split("L")]


def test_a_tensors_line_goes_through_its_errors_from_the_shortest_step_on():
    errors = np.logspace(-12, 0, 10)
    page = curve(sweep_of({"W": errors}), None)
    lines = [told for told, _ in drawn(page, "path", "hue0")]
    line, key = lines
    wanted = [(X.at(h), Y.at(e)) for h, e in zip(EPS[::-1], errors[::-1], strict=True)]
    assert np.array(points(line)) == pytest.approx(np.array(wanted), abs=0.06)
    assert key["d"] == "M804 42h34"
    assert "<title>W</title>" in page
    single = curve(sweep_of(eps=[1e-5]), None)
    (at, again), *_ = (
        points(told) for told, _ in drawn(single, "path", "hue0") if "L" in told["d"]
    )
    assert at == again  # a line of one point is drawn
    assert at[0] == pytest.approx(435, abs=0.06)  # in the middle: a decade to either side


def test_the_legend_names_sixteen_and_counts_the_others():
    for count, last in ((16, None), (17, "and 1 more: see the table"), (19, "and 3 more: see")):
        errors = {f"tensor number {k:02} of all": np.sqrt(EPS) for k in range(count)}
        page = curve(sweep_of(errors), None)
        names = [(t, words) for t, words in drawn(page, "text", "small") if words[:6] == "tensor"]
        assert len(names) == 16
        for k, (told, words) in enumerate(names):
            assert numbers(told, "x", "y") == [846, 46 + 21 * k]
            assert words == svg.shortened(f"tensor number {k:02} of all", curves.NAME)
        more = [(t, words) for t, words in drawn(page, "text", "small") if "more" in words]
        assert len(more) == (last is not None)
        if last:
            ((told, words),) = more
            assert words.startswith(last)
            assert numbers(told, "x", "y") == [804, 46 + 21 * 16]
        lines = [told for told, _ in drawn(page, "path", "curve") if "h34" not in told["d"]]
        assert [told["class"] for told in lines] == [f"curve hue{k % 5}" for k in range(count)]
        assert len({(t["class"], t["stroke-dasharray"]) for t in lines}) == count
        assert lines[0]["stroke-dasharray"] == "none"
        assert len({told["stroke-dasharray"] for told in lines[:4]}) == 4  # without colors, too


def test_kinks_are_a_stretch_up_to_the_longest_step():
    wide = curve(sweep_of(kinks_from=1e-9), None)
    ((box, _),) = drawn(wide, "rect", "kinks")
    start = X.at(1e-9)
    assert numbers(box, "x", "y", "width", "height") == pytest.approx(
        [start, 30, 790 - start, 350], abs=0.06
    )
    edges = [numbers(t, "x1", "y1", "x2", "y2") for t, _ in drawn(wide, "line", "predicted")]
    assert any(edge == pytest.approx([start, 30, start, 380], abs=0.06) for edge in edges)
    (told,) = [t for t, words in drawn(wide, "text") if "cross kinks" in words]
    assert numbers(told, "x", "y") == pytest.approx([start + 6, 372], abs=0.06)
    assert "text-anchor" not in told
    narrow = curve(sweep_of(kinks_from=1e-2), None)
    (told,) = [t for t, words in drawn(narrow, "text") if "cross kinks" in words]
    assert (numbers(told, "x", "y"), told["text-anchor"]) == ([784, 372], "end")
    room = 7 * len("from 1e-05 on, steps cross kinks")  # seven pixels a letter
    for pixels, fits in ((room + 2, True), (room - 2, False)):
        step = 1e-10 * 1e9 ** (1 - pixels / 710)
        page = curve(sweep_of(kinks_from=step), None)
        (told,) = [t for t, words in drawn(page, "text") if "cross kinks" in words]
        assert ("text-anchor" not in told) == fits
    assert "kinks" not in curve(sweep_of(), None)


def test_the_predicted_slopes_are_drawn_where_they_lie_in_the_frame():
    sweep = sweep_of()
    dotted = [points(t) for t, _ in drawn(curve(sweep, None), "path", "predicted")]
    for line, errors in zip(dotted, (sweep.round_off, sweep.truncation), strict=True):
        inside = [
            (X.at(h), Y.at(e)) for h, e in zip(EPS, errors, strict=True) if curves.LOW < e < 1
        ]
        assert np.array(line) == pytest.approx(np.array(inside[::-1]), abs=0.06)
    assert drawn(curve(sweep_of(eps=[1e-9, 1e-10]), None), "path", "predicted")


def test_the_predicted_step_and_the_one_that_was_used_have_upright_lines():
    def marks(eps, best=1e-5):
        page = curve(sweep_of(best=best), eps)
        upright = [
            (t["class"], numbers(t, "x1", "y1", "x2", "y2"))
            for look in ("predicted", "bar") for t, _ in drawn(page, "line", look)
        ]  # fmt: skip
        words = [
            (words, t["text-anchor"], numbers(t, "x", "y")) for t, words in drawn(page, "text")
            if words.startswith(("predicted", "checked"))
        ]  # fmt: skip
        return upright, words

    at, other = round(X.at(1e-5), 1), round(X.at(1e-3), 1)
    lines, words = marks(None)
    assert lines == [("predicted", [at, 30, at, 380])]
    assert words == [("predicted best 1e-05", "middle", [at, 21])]
    lines, words = marks(1e-3)
    assert lines[1] == ("bar", [other, 30, other, 380])
    assert words == [
        ("predicted best 1e-05", "end", [at, 21]), ("checked at 1e-03", "start", [other, 21]),
    ]  # fmt: skip
    assert [w[:2] for w in marks(1e-7)[1]] == [
        ("checked at 1e-07", "end"), ("predicted best 1e-05", "start"),
    ]  # fmt: skip
    assert [w[0] for w in marks(1.0)[1]] == ["predicted best 1e-05"]  # that one is not on the axis
    assert [w[0] for w in marks(1e-1, best=1e-11)[1]] == ["checked at 1e-01"]


def test_the_best_steps_are_a_table_and_what_is_high_everywhere_has_none():
    errors = {"a": np.array([0.5, 1e-2, 0.3]), "b": np.array([0.5, 0.02, 0.3]),
              "c": np.array([np.nan, 1e-9, 0.1])}  # fmt: skip
    page = curve(sweep_of(errors, eps=[1e-3, 1e-4, 1e-5]), None)
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    cells = [re.findall(r">([^<]*)</t[dh]>", row) for row in rows]
    assert cells == [
        ["tensor", "best step found", "error there"], ["a", "1.0e-04", "1.0e-02"],
        ["b", "none: high at every step", "2.0e-02"], ["c", "1.0e-04", "1.0e-09"],
    ]  # fmt: skip
    assert "a: error 1.0e-02, best step 1.0e-04; b: error 2.0e-02, best step none" in page
    assert "its largest relative error against the step eps of central differences" in page


# -- the page ------------------------------------------------------------------------------------


def test_of_many_wrong_tensors_fewer_entries_are_told_of_each():
    def rows(count):
        tensors = {}
        for k in range(count):
            tensors |= report_of([0.1 + 0.01 * k] * 7, ["bug"] * 7, f"t{k}").tensors
        whole = Report(tensors, Judgement(tensors["t0"].verdict, "why"), "f", "max_relative",
                       "central", None, 1, 0.0)  # fmt: skip
        table = document(whole).partition("Worst entries</h2>")[2].partition("</table>")[0]
        return len(re.findall("<tr>", table)) - 1

    assert [rows(count) for count in (1, 2, 3, 6, 12, 13)] == [5, 10, 12, 12, 12, 13]


def test_the_page_tells_why_of_each_tensor_and_from_which_error_on():
    page = document(report_of([1e-9, 1e-9]))
    table = page.partition("Why, tensor by tensor</h2>")[2].partition("</table>")[0]
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", table)
    assert cells[:3] == ["W", "2 of 2 entries", "1e-09"]
    assert cells[3].startswith("All 2 entries agree")
    wrong = document(report_of([0.1, 0.2], ["bug", "bug"]))
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", wrong.partition("Why, tensor by tensor</h2>")[2])
    assert cells[2] == "–"  # nothing was resolved
    assert ". Look at ratio and cosine" in cells[3]
    for name in ("Worst entries", "Over all steps", "What else to know"):
        assert f"<h2>{name}</h2>" not in page
    assert "<h2>Over all steps</h2>" in document(report_of([1e-9]), sweep_of())
