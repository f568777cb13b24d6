"""The saved page: what it says and draws is what the report holds, and a name stays a name."""

import dataclasses
import math
import os
import re
import stat
from html.parser import HTMLParser

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.diagnosis import Diagnosis
from gradlab.checking.judge import AGREES, BUG
from gradlab.checking.report import BlindSpot

EVIL = "<img src=x onerror=alert(1)>"
VOID = {"meta", "br", "img", "link", "input"}


class Page(HTMLParser):
    """A parsed page: its elements as (tag, attributes, the tags around), and its texts."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.source = path.read_text(encoding="utf-8")
        self.elements, self.texts, self._open = [], [], []
        self.feed(self.source)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), tuple(self._open), []))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), tuple(self._open), []))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.texts.append(data)
        if self._open:
            tag = self._open[-1]
            next(e for e in reversed(self.elements) if e[0] == tag)[3].append(data)

    @property
    def text(self):
        return " ".join("".join(f"{part} " for part in self.texts).split())

    def of_class(self, name):
        return [e for e in self.elements if name in (e[1].get("class") or "").split()]

    def titles(self, tag):
        """Return (attributes of the element, the hint in it) of every drawn `tag`."""
        pairs = zip(self.elements, [*self.elements[1:], None], strict=True)
        return [
            (one[1], "".join(after[3]))
            for one, after in pairs
            if one[0] == tag and after is not None and after[0] == "title" and "svg" in one[2]
        ]


def plain(words):
    return re.sub(r"\s", "", words).lower()


def black_box(factor=1.0, names=("W", "b"), size=6, **options):
    """Return the report of a smooth function, one entry of its gradient off by a factor."""

    def f(t):
        return float(np.sum(np.sin(t) * np.arange(1, size + 1)))

    def grad(t):
        g = np.cos(t) * np.arange(1, size + 1)
        g[1] *= factor
        return g

    theta = np.linspace(0.1, 1.2, size)
    half = size // 2
    tensors = {names[0]: (0, half, (half,)), names[1]: (half, size, (size - half,))}
    return gl.check_function(f, grad, theta, tensors=tensors, **options)


def network(bug=None, **options):
    net = gl.mlp([2, 5, 2])
    x, y = gl.data.moons(12)
    net = gl.bugs.plant(net, bug) if bug else net
    return gl.check(net, x, y, **options), gl.sweep_eps(net, x, y)


# -- what it says --------------------------------------------------------------------------------


@pytest.mark.parametrize("bug", [None, "bias_mean", "missing_activation_derivative"])
def test_everything_that_the_report_says_is_on_the_page(tmp_path, bug):
    report, sweep = network(bug)
    path = report.save(tmp_path / "report.html", sweep)
    page = Page(path)
    said = plain(page.text)
    assert path == tmp_path / "report.html"
    for words in (report.verdict, report.why, *report.warnings, *report.cures, report.subject):
        assert plain(words) in said, words
    for tensor in report.tensors.values():
        for words in (*tensor.row(), tensor.why, tensor.coverage):
            assert plain(words) in said, words
    assert bool(report.wrong) == bool(bug)
    for name in report.wrong:
        for index, a, n in report[name].worst(2):
            row = f"{name}{list(index)}"
            assert plain(row) in said
            assert f"{abs(a - n) / max(abs(a), abs(n)):.1e}" in said
    if bug:
        _, wrong, right = report.diagnosis[0].parts[0]
        assert said.index(plain(f"wrong {wrong} right {right}")) > 0


def test_an_inconclusive_report_gives_its_advice(tmp_path):
    rng = np.random.default_rng(0)
    report = gl.check_function(lambda t: float(t @ t) + rng.random(), lambda t: 2 * t, np.ones(3))
    said = Page(report.save(tmp_path / "report.html")).text
    assert report.verdict == "inconclusive"
    assert "? inconclusive" in said
    assert f"What to do: {report.advice}" in said


# -- what it draws -------------------------------------------------------------------------------


def log_axis(page, vertical=False, figure=0):
    """Return a function from a place to a value, read off two of the figure's own ticks."""
    start, *more = [i for i, e in enumerate(page.elements) if e[0] == "svg"]
    starts = [start, *more, len(page.elements)]
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    ticks = {}
    for tag, attributes, _, data in page.elements[starts[figure] : starts[figure + 1]]:
        words = "".join(data)
        upright = attributes.get("text-anchor") == "end"
        if tag == "text" and upright == vertical and re.fullmatch("10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", words):
            place = float(attributes["y"]) - 4 if vertical else float(attributes["x"])
            ticks[int(words[2:].translate(digits))] = place
    (low, a), *_, (high, b) = sorted(ticks.items())
    return lambda place: low + (place - a) / (b - a) * (high - low)


def place_of(attributes):
    if "cx" in attributes:
        return float(attributes["cx"])
    return float(re.match(r"M([\d.]+)", attributes["d"])[1]) + 3.5


@pytest.mark.parametrize("bug", [None, "missing_activation_derivative"])
def test_each_dot_stands_at_its_error_and_says_what_it_is(tmp_path, bug):
    report, _ = network(bug)
    page = Page(report.save(tmp_path / "report.html"))
    exponent = log_axis(page)
    drawn = {}
    for attributes, hint in page.titles("circle") + page.titles("path"):
        where, analytic, numerical, error = re.fullmatch(
            r"(.*): analytic (.*), numerical (.*), error (.*)", hint
        ).groups()
        drawn[where] = (attributes["class"], float(analytic), float(numerical))
        if float(error) > 1e-16:
            assert exponent(place_of(attributes)) == pytest.approx(
                math.log10(float(error)), abs=0.05
            )
    assert ("cross" in {look for look, _, _ in drawn.values()}) == bool(bug)
    count = 0
    for name, tensor in report.tensors.items():
        for index in np.ndindex(tensor.shape):
            look, a, n = drawn[f"{name}{list(index)}"]
            mark = tensor.marks[index]
            assert look.split()[0] == (
                "cross" if mark == BUG else "dot" if mark in AGREES else "ring"
            )
            assert a == pytest.approx(tensor.analytic[index], rel=0.01)
            assert n == pytest.approx(tensor.numerical[index], rel=0.01)
            count += 1
    assert count == len(drawn)


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("max_relative", "|a − n| / max(|a|, |n|) of the"),
        ("sum_relative", "|a − n| / (|a| + |n|) of the"),
        ("norm_ratio", "the bar is the tensor's norm ratio"),
    ],
)
def test_every_measure_is_drawn_and_said(tmp_path, measure, words):
    report, sweep = network("bias_mean", measure=measure)
    page = Page(report.save(tmp_path / "report.html", sweep))
    assert words in page.text
    exponent = log_axis(page)
    bars = [float(e[1]["x1"]) for e in page.of_class("bar") if e[0] == "line"]
    wanted = [math.log10(tensor.error) for tensor in report.tensors.values()]
    assert [exponent(x) for x in bars] == pytest.approx(wanted, abs=0.05)


def test_words_and_shapes_stand_beside_the_colors(tmp_path):
    report = black_box(1.01)
    page = Page(report.save(tmp_path / "report.html"))
    assert "✗ wrong 1 wrong, 2 agree" in page.text
    assert "✓ correct 3 agree" in page.text
    (told,) = [e[1]["aria-label"] for e in page.elements if e[0] == "svg"]
    assert "W: wrong, largest error 9.9e-03, 1 wrong, 2 agree; b: correct" in told
    assert len([e for e in page.of_class("cross") if e[0] == "path"]) == 1
    for band in ("happy", "usually fine", "uncomfortable", "probably wrong"):
        assert band in page.text


def test_zero_against_zero_is_not_told_as_agreement(tmp_path):
    report = gl.check_function(
        lambda t: float(t[0] ** 2 + 0 * t[1]), lambda t: 2 * t * [1, 0], np.ones(2)
    )
    assert list(report["theta"].marks) == ["ok", "zero"]
    page = Page(report.save(tmp_path / "report.html"))
    assert "✓ correct 1 agree, 1 are 0 = 0" in page.text
    assert [hint[:8] for a, hint in page.titles("circle") if "zero" in a["class"]] == ["theta[1]"]


def test_a_wrong_tensor_has_no_best_step(tmp_path):
    report, _ = network("bias_mean")
    net = gl.bugs.plant(gl.mlp([2, 5, 2]), "bias_mean")
    sweep = gl.sweep_eps(net, *gl.data.moons(12))
    page = Page(report.save(tmp_path / "report.html", sweep))
    assert report.wrong
    for name in report:
        assert (f"{name} none: high at every step" in page.text) == (name in report.wrong)


def test_what_was_not_decided_is_a_ring(tmp_path):
    def f(t):  # at a step this long nothing is decided
        return float(np.sum(np.sin(30 * t)))

    report = gl.check_function(f, lambda t: 30.0 * np.cos(30 * t), np.ones(3), eps=0.3)
    assert report.verdict == "inconclusive"
    page = Page(report.save(tmp_path / "report.html"))
    assert len([e for e in page.of_class("ring") if e[0] == "circle"]) == 3
    assert "3 undecided" in page.text


def test_the_u_curve_is_the_sweep(tmp_path):
    report, sweep = network(eps=1e-5)
    page = Page(report.save(tmp_path / "report.html", sweep))
    eps, error = log_axis(page, figure=1), log_axis(page, vertical=True, figure=1)
    lines = {hint: attributes for attributes, hint in page.titles("path") if hint in sweep.errors}
    assert set(lines) == set(sweep.errors)
    for name, attributes in lines.items():
        points = [tuple(map(float, p.split())) for p in attributes["d"][1:].split("L")]
        order = np.argsort(sweep.eps)
        assert [eps(x) for x, _ in points] == pytest.approx(np.log10(sweep.eps[order]), abs=0.02)
        inside = sweep.errors[name][order] > 1e-16
        heights = np.array([error(y) for _, y in points])[inside]
        assert heights == pytest.approx(np.log10(sweep.errors[name][order][inside]), abs=0.05)
    assert len({(a["class"], a["stroke-dasharray"]) for a in lines.values()}) == len(lines)
    assert "predicted best 6e-06" in page.text
    assert "checked at 1e-05" in page.text
    for name, best in sweep.best_eps.items():
        assert f"{name} {best:.1e}" in page.text


def test_kinks_are_said_in_the_u_curve(tmp_path):
    net = gl.mlp([2, 16, 2], activation="relu")
    x, y = gl.data.moons(32)
    sweep = gl.sweep_eps(net, x, y)
    assert np.isfinite(sweep.kinks_from)
    page = Page(gl.check(net, x, y).save(tmp_path / "report.html", sweep))
    assert f"from {sweep.kinks_from:.0e} on, steps cross kinks" in page.text


def test_a_sweep_of_one_step_is_drawn(tmp_path):
    net, (x, y) = gl.mlp([2, 3, 2]), gl.data.moons(8)
    sweep = gl.sweep_eps(net, x, y, eps=np.array([1e-5]))
    page = Page(gl.check(net, x, y).save(tmp_path / "report.html", sweep))
    assert "nan" not in page.source.lower()


def test_without_a_sweep_there_is_no_curve(tmp_path):
    page = Page(black_box().save(tmp_path / "report.html"))
    assert len([e for e in page.elements if e[0] == "svg"]) == 1


@pytest.mark.parametrize("method", ["sampled", "directional"])
def test_a_sample_is_drawn_with_the_entries_it_holds(tmp_path, method):
    report = black_box(1.5, size=40, method=method, samples=9)
    page = Page(report.save(tmp_path / "report.html"))
    told = {hint.split(":")[0] for _, hint in page.titles("circle") + page.titles("path")}
    if method == "directional":
        assert told == {f"direction {k}" for k in range(9)}
        return
    assert told == {f"{t.name}[{k}]" for t in report.tensors.values() for k in t.entries}
    assert "9 of 20 entries" in page.text


def test_a_crowd_is_thinned_and_what_is_wrong_stays(tmp_path):
    rng = np.random.default_rng(0)
    k, theta = rng.standard_normal(4000), rng.standard_normal(4000)
    off = 1 + 1e-3 * (np.arange(4000) == 777)
    report = gl.check_function(
        lambda t: float(k @ np.sin(t)), lambda t: k * np.cos(t) * off, theta, eps=1e-4
    )
    path = report.save(tmp_path / "report.html")
    page = Page(path)
    assert 50 < len(page.of_class("dot")) < 3000
    assert path.stat().st_size < 300_000
    crosses = [hint for _, hint in page.titles("path")]
    assert len(crosses) == 1
    assert crosses[0].startswith("theta[777]: ")


# -- what it must not do -------------------------------------------------------------------------


def full_of(words):
    """Return a report with these words wherever something of the caller's is told."""
    report = black_box(1.01, names=(words, f"{words}2"))
    told = Diagnosis(words, None, 1, words, 0.5, words, f"a = {words}", f"b = {words}", 0.1,
                     alike=(words,), left_open=(words,))  # fmt: skip
    return dataclasses.replace(
        report,
        subject=words,
        find_causes=lambda _: [told, told],
        find_remarks=lambda: (words,),
        find_blind_spots=lambda: (BlindSpot(words, words, words),),
    )


@pytest.mark.every_case
@pytest.mark.parametrize(
    "words",
    [
        EVIL,
        "<script>alert(1)</script>",
        '"><svg onload=alert(1)>',
        "' onmouseover='alert(1)",
        '" onfocus="alert(1)" x="',
        "</title></style><script>alert(1)</script>",
        "&lt;script&gt;",
        "]]><!--",
        "javascript:alert(1)",
    ],
)
def test_markup_in_a_name_is_text(tmp_path, words):
    page = Page(full_of(words).save(tmp_path / "report.html"))
    usual = Page(full_of("plain").save(tmp_path / "usual.html"))
    assert [(e[0], sorted(e[1])) for e in page.elements] == [
        (e[0], sorted(e[1])) for e in usual.elements
    ]
    assert {e[0] for e in page.elements} <= {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "header"),
        *("div", "section", "figure", "figcaption", "footer", "span", "b", "small", "u", "pre"),
        *("table", "thead", "tbody", "tr", "th", "td", "ul", "li"),
        *("svg", "g", "text", "line", "rect", "circle", "path"),
    }
    assert not [e for e in page.elements for name in e[1] if name.startswith("on")]
    assert plain(page.text).count(plain(words)) >= 10
    names = [
        "".join(e[3])
        for e in page.elements
        if e[0] == "td" and plain("".join(e[3])) == plain(words)
    ]
    assert len(names) >= 2


def test_the_page_needs_nothing_but_itself(tmp_path):
    report, sweep = network("bias_mean")
    page = Page(report.save(tmp_path / "report.html", sweep))
    assert not {name for e in page.elements for name in e[1]} & {"src", "href", "srcset", "data"}
    assert not re.search(r"url\(|@import|https?:", page.source)
    (policy,) = [e[1]["content"] for e in page.elements if e[1].get("http-equiv")]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert "prefers-color-scheme: dark" in page.source


def test_the_callers_function_is_not_called_again_and_nothing_is_changed(tmp_path):
    calls = []

    def f(t):
        calls.append(1)
        return float(t @ t)

    theta = np.arange(1.0, 5.0)
    report = gl.check_function(f, lambda t: 2.01 * t, theta)
    str(report)  # looks for the wrong line, with more calls
    before = len(calls), theta.tobytes(), report["theta"].analytic.tobytes(), str(report)
    report.save(tmp_path / "report.html")
    assert (len(calls), theta.tobytes(), report["theta"].analytic.tobytes(), str(report)) == before


def test_twice_saved_is_the_same_file(tmp_path):
    report, sweep = network("bias_mean")
    one, two = (report.save(tmp_path / name, sweep).read_bytes() for name in ("a.html", "b.htm"))
    assert one == two


def test_a_name_that_no_encoding_holds(tmp_path):
    path = black_box(1.01, names=("W\ud800", "größe 🙂")).save(tmp_path / "report.html")
    assert "größe 🙂" in Page(path).text


# -- the file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["write", "replace"])
def test_what_fails_leaves_the_old_file(tmp_path, monkeypatch, trouble, where):
    path = tmp_path / "report.html"
    path.write_text("old")
    report = black_box()

    def half(self, data):
        with open(self, "wb") as file:
            file.write(data[:100])
        raise trouble

    def not_moved(*_):
        raise trouble

    if where == "write":
        monkeypatch.setattr("pathlib.Path.write_bytes", half)
    else:
        monkeypatch.setattr("os.replace", not_moved)
    with pytest.raises(type(trouble)):
        report.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


def test_what_the_system_refuses_names_the_file(tmp_path, monkeypatch):
    def refused(one, other):
        raise PermissionError(13, "Permission denied", str(one))

    monkeypatch.setattr("os.replace", refused)
    with pytest.raises(PermissionError, match=r"Permission denied: '.*/report\.html'"):
        black_box().save(tmp_path / "report.html")


def test_a_file_is_replaced_with_its_mode_and_a_link_stays_one(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "page.html", tmp_path / "report.html"
    target.write_text("old")
    target.chmod(0o604)
    link.symlink_to(target)
    assert black_box().save(link) == target
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    assert [p.name for p in target.parent.iterdir()] == ["page.html"]


def test_a_new_file_has_the_usual_mode(tmp_path):
    (tmp_path / "usual").write_text("")
    path = black_box().save(tmp_path / "report.html")
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_relative_path_and_a_string(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert black_box().save("report.HTML") == tmp_path / "report.HTML"


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("there", IsADirectoryError, "path must be a file .* got the folder .*there"),
        ("folder.html", IsADirectoryError, "path must be a file .* got the folder .*folder.html"),
        ("no/report.html", FileNotFoundError, "path must lie in a folder, got .*no does not exist"),
        ("a.html/r.html", FileNotFoundError, "path must lie in a folder, got .*a.html is a file"),
        ("report.pdf", ValueError, r"path must end in .html, got .*report.pdf"),
        ("report", ValueError, "path must end in .html, got .*report'"),
        ("", IsADirectoryError, "path must be a file .* got the folder"),
        (None, TypeError, r"path must be a path such as \"report.html\", got None \(NoneType\)"),
        (3, TypeError, r"path must be a path .* got 3 \(int\)"),
        (b"report.html", TypeError, r"path must be a path .* got b'report.html' \(bytes\)"),
    ],
)
def test_a_wrong_path_is_named(tmp_path, monkeypatch, path, kind, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "a.html").write_text("")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(kind, match=words):
        black_box().save(path)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_wrong_sweep_is_named(tmp_path):
    report, sweep = network()
    path = tmp_path / "report.html"
    with pytest.raises(TypeError, match=r"sweep must be what gl.sweep_eps returns, got Report"):
        report.save(path, report)
    with pytest.raises(
        ValueError, match=r"sweep must be of the report's tensors \['W', 'b'\], got"
    ):
        black_box().save(path, sweep)
    assert not path.exists()
