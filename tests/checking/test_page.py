"""A wrong report on one screen: what it says is what the numbers are, in text and in HTML."""

import dataclasses
import re
from html import unescape

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines.program import Program
from gradlab.checking.blocks import MARKS, MOST, WIDTH, Lines, differing
from gradlab.checking.diagnosis import Diagnosis
from gradlab.checking.page import causes_told
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import LATER, NAMELESS, PAIRS, SINGLES
from tests.museum import MAKERS, case, plantings, report

SIX = [c for c in SINGLES if c.kind == "mlp" and len(c.problem(0)[0].params) == 6]


def held(case, **options):
    """Return the report of a case of the holdout."""
    net, x, y, masks = case.problem(0)
    return gl.check(
        net, x, y, masks=masks, analytic=case.gradient(net, x, y, masks), **options
    )  # fmt: skip


def named(cases, name):
    return next(case for case in cases if case.name == name)


@pytest.mark.parametrize("k", range(0, len(SIX), 6))
def test_a_wrong_report_of_six_tensors_is_one_screen(k):
    lines = str(held(SIX[k])).split("\n")
    assert len(lines) <= 27, "\n".join(lines)
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize("case", [*PAIRS[::5], NAMELESS[0], LATER[-1], SINGLES[-1]])
def test_no_line_is_longer_than_the_screen_is_wide(case):
    assert max(len(line) for line in str(held(case)).split("\n")) <= WIDTH


def test_what_helps_most_comes_first():
    text = str(held(SINGLES[20]))
    order = ("✗ wrong: ", "Cause: ", "    wrong  ", "    right  ", "The wrong line",
             "worst entries", "tensor  shape", "; central differences")  # fmt: skip
    flat = [text.index(words) if words in text else text.replace("\n  ", " ").index(words)
            for words in order]  # fmt: skip
    assert flat == sorted(flat), text
    assert "What to do" not in text  # it is done


@pytest.mark.parametrize(
    ("wrong", "right", "marked"),
    [
        ("dz = da * (1 - a)", "dz = da * (1 - a ** 2)", " ** 2"),
        ("dW += h[t].T @ dz", "dW += h[t - 1].T @ dz", " - 1"),
        ("da1 = dh1 * m2", "da1 = dh1 * m1", "m1"),
        ("d = p / N / N", "d = p / N", " / N"),
        ("aaa", "aaa aaa", " aaa"),
        ("", "x = 1", "x = 1"),
    ],
)
def test_the_marks_stand_under_what_differs(wrong, right, marked):
    start, end = differing(wrong, right)
    longer = max(wrong, right, key=len)
    assert longer[start : len(longer) - end] in (marked, "m2")
    assert wrong[:start] == right[:start]
    assert wrong[len(wrong) - end :] == right[len(right) - end :]
    first, second, *marks = Lines(wrong, right).text().split("\n")
    assert (first[11:], second[11:]) == (wrong, right)
    size = len(right) - start - end  # of the right line alone: nothing is marked beyond it
    assert [mark[11:] for mark in marks] == [" " * start + "^" * size] * (size > 0)
    underlined = re.findall("<u>(.*?)</u>", Lines(wrong, right).html())
    assert marked in underlined


def test_long_lines_are_shown_whole_without_marks():
    common = "x" * 40 + " + " + "y" * 60
    for tail in ("", " + " + "z" * 90):
        lines = (f"d = {common} / 2{tail}", f"d = {common} / 3{tail}")
        text = Lines(*lines).text()
        assert max(map(len, text.split("\n"))) <= 11 + MOST <= WIDTH
        assert "^" not in text
        assert "".join(text.split()) == "".join(f"wrong{lines[0]}right{lines[1]}".split())


def test_a_long_stretch_is_not_marked():
    assert Lines("d = 1", "d = 2").text().split("\n")[2].strip() == "^"
    assert len(Lines("d = 1 + 2", "d = 1").text().split("\n")) == 2  # nothing of it is another
    assert "^" not in Lines("d = a", "d = " + "b" * (MARKS + 1)).text()
    assert "^" * MARKS in Lines("d = a", "d = " + "b" * MARKS).text()


def words(text):
    """Return what is said without how it is laid out."""
    return re.sub(r"[\s^]", "", text)


@pytest.mark.parametrize("case", [SINGLES[20], PAIRS[4], NAMELESS[0], SINGLES[71]])
def test_html_says_the_same(case):
    found = held(case)
    html = found._repr_html_()
    assert words(unescape(re.sub("<[^>]*>", "", html))) == words(str(found))
    assert "background" not in html
    assert set(re.findall(r"color: (\w+)", html)) <= {"var"}  # the theme's


def test_html_of_a_cause_is_escaped():
    evil = "<script>alert(1)</script>"
    told = Diagnosis(evil, None, 1, evil, 0.5, evil, f"a = {evil}", f"b = {evil}", 0.1,
                     alike=(evil,), left_open=(evil,))  # fmt: skip
    for one in (told, dataclasses.replace(told, wrong_line=None, residual=None)):
        html = "".join(block.html() for block in causes_told([one, one]))
        assert "<script" not in html
        assert "&lt;script&gt;" in html


@pytest.mark.parametrize("kind", MAKERS)
def test_a_bug_of_the_museum_has_its_lines_in_this_network(kind):
    """The lines that are told, put in the place of the right ones, give the gradient."""
    net, x, y, masks = case(kind, 0)
    for name, layer in dict(plantings(kind)).items():  # each at the last of its layers
        found = report(kind, 0, name, layer)
        first = found.diagnosis[0]
        if first.bug is None or gl.bugs.describe(first.bug).is_random:
            continue
        assert first.residual < 1e-6, (name, first)
        assert first.certain, (name, first)
        digits = min(12, int(-np.log10(max(first.residual, 1e-300)) + 1e-9))
        assert f"error of your gradient to {digits} digits." in " ".join(str(found).split())
        if first.where == "after backward":
            continue
        right = Program(Point(net, x, y, masks))
        changes = {
            line.index: wrong
            for where, wrong, text in first.parts
            for line in right.lines
            if (line.where, line.text) == (where, text)
        }
        assert len(changes) == len(first.parts)
        made = Program(Point(net, x, y, masks), changes).gradient
        for key in net.params:
            assert np.allclose(made[key], found[key].analytic, rtol=1e-9, atol=1e-13), (name, key)


@pytest.mark.parametrize("case", SINGLES[::9])
def test_a_certain_cause_stands_without_vague_ones(case):
    causes = held(case).diagnosis
    assert all(told.certain for told in causes) or not any(told.certain for told in causes)


def test_the_same_is_told_once_and_at_most_four_causes():
    found = held(named(LATER, "L2 halved"))
    assert [told.certain for told in found.diagnosis] == [True]
    assert "half" not in str(found)  # the factor stands in the line
    told = [Diagnosis(f"cause {k}", None, None, "", 0.5 - 0.1 * k) for k in range(6)]
    text = [block.text() for block in causes_told(told)]
    assert text == ["Probable cause: cause 0", "", "  or: cause 1", "  or: cause 2",
                    "  or: cause 3", "  and 2 more: report.diagnosis has them"]  # fmt: skip


def test_what_fits_as_well_is_told():
    net = gl.mlp([3, 5, 2], loss="mse")  # K = 2: divided by K and by 2 are the same
    rng = np.random.default_rng(0)
    planted = gl.bugs.plant(net, "missing_factor_2")
    text = str(gl.check(planted, rng.standard_normal((7, 3)), rng.random((7, 2))))
    line = next(line for line in text.split("\n") if "fits as well" in line)
    assert "dlogits = 2 * (logits - y) / (N * K)" in line
    assert "    wrong  dlogits = (logits - y) / N\n" in text


def test_what_is_left_open_and_what_is_not_sure_is_said():
    told = Diagnosis("c", None, None, "", 0.5, "layer 1, tanh", "a = 1", "a = 2", 1e-4)
    text = " ".join(" ".join(block.text() for block in causes_told([told])).split())
    assert text.startswith("Probable cause: a wrong line, layer 1, tanh")
    assert "to 4 digits; yet the cause may be another." in text
    for short, digits in ((7e-10, 4), (2e-9, 3)):  # by rounding, or really short of a digit
        near = dataclasses.replace(told, residual=10 ** (short - 4))
        assert f"to {digits} digits" in " ".join(causes_told([near])[-1].text().split())
    far = dataclasses.replace(told, residual=0.3)
    assert "would leave 30% of the error unexplained" in causes_told([far])[-1].text()
    part = dataclasses.replace(told, left_open=("W1", "b1"))
    assert "would leave W1, b1 unexplained" in causes_told([part])[-1].text()


def test_a_bug_that_is_not_sure_is_told_with_its_reason():
    told = Diagnosis("perhaps the derivative is missing", "missing_l2", 1, "On another batch it is "
                     "not the same.", 0.5, "layer 1, tanh", "a = 1", "a = 2", 1e-16)  # fmt: skip
    text = "\n".join(block.text() for block in causes_told([told]))
    assert text.startswith("Perhaps: the derivative is missing (layer 1, tanh)\n    wrong  a = 1")
    assert text.endswith("On another batch it is not the same.")


def test_the_same_line_said_of_more_places_is_no_alternative():
    line = "dz1 = da1 * (z2 > 0)"
    told = Diagnosis("c", None, None, "", 0.98, "layer 1, relu", line, "dz1 = da1", 1e-16, True,
                     (f"every relu: {line}", "layer 1, dense: db1 = 0", "every dense: db1 = 0",
                      f"layer 1, relu; loss: {line}; b = 2"))  # fmt: skip
    text = "\n".join(block.text() for block in causes_told([told, told]))
    assert text.endswith("12 digits.\n  fits as well: layer 1, dense: db1 = 0")
    assert text.count(line) == 1


def test_where_nothing_was_found_the_next_step_is_told():
    net, rng = gl.mlp([3, 4, 2]), np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)), rng.integers(0, 2, 5)
    analytic = {k: v + rng.standard_normal(v.shape) for k, v in net.gradient(x, y).items()}
    text = " ".join(str(gl.check(net, x, y, analytic=analytic)).split())
    assert "No cause was found. All tensors are wrong" in text
    assert "look first at the loss's derivative" in text
    assert "gl.bisect(net, x, y) finds the first wrong step" in text
    assert "ratio and cosine" not in text


def test_of_zero_against_zero_nothing_relative_is_told():
    net = gl.mlp([4, 6, 3], batch_norm=True)  # a bias before batch norm does nothing
    rng = np.random.default_rng(0)
    found = gl.check(net, rng.standard_normal((7, 4)), rng.integers(0, 3, 7))
    assert found["b1"].relative_error > 0.5  # of what rounding leaves
    assert found["b1"].row() == ("b1", "(6,)", "–", "–", "–", "–", "✓ correct")
    assert "nan" not in str(found)
