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


# -- each part of the page -----------------------------------------------------------------------


def quick(factors, layout=None, **options):
    """Return the report of a sum of sines whose gradient is off by factors."""
    theta = np.linspace(0.3, 1.1, len(factors))
    return gl.check_function(
        lambda t: float(np.sum(np.sin(t))), lambda t: np.cos(t) * factors, theta,
        tensors=layout, **options,
    )  # fmt: skip


def test_of_one_wrong_tensor_three_entries_are_told_and_of_more_one_of_each_of_three():
    def rows(found):
        lines = str(found).split("\n")
        (head,) = [k for k, line in enumerate(lines) if line.startswith("worst entries")]
        return [line.split()[0] for line in lines[head + 1 : lines.index("", head)]]

    one = quick(np.array([2.0, 3.0, 4.0, 5.0, 1.0, 1.0]), {"W": (0, 6, (3, 2))})
    table = [line.split("  ")[0] for line in str(one).split("\n") if line.startswith("W[")]
    assert table == ["W[1, 1]", "W[1, 0]", "W[0, 1]"]
    layout = {name: (2 * k, 2 * k + 2, (2,)) for k, name in enumerate("abcd")}
    assert rows(quick(np.array([1.0, 2.0] * 4), layout)) == ["a[1]", "b[1]", "c[1]"]
    assert rows(quick(np.array([1.0, 2.0] * 2 + [1.0] * 4), layout)) == ["a[1]", "b[1]"]
    number = {"s": (0, 1, ()), "v": (1, 2, (1,))}
    assert rows(quick(np.array([2.0, 2.0]), number)) == ["s", "v[0]"]
    assert "worst entries" not in str(quick(np.ones(3)))


def test_the_head_tells_what_is_left_open_and_what_to_do_but_not_where_causes_say_it():
    right, wrong = quick(np.ones(3)), quick(np.array([1.0, 2.0, 1.0]))
    assert str(right).startswith(f"✓ correct: {right.why}\n")
    assert " ".join(str(wrong).split()).startswith(f"✗ wrong: {wrong.why} ")
    assert wrong.advice
    assert "What to do" not in str(wrong)
    sample = quick(np.ones(3), method="sampled", samples=2)
    head = " ".join(str(sample).split())
    assert head.startswith(f"✓ correct here, and {'; '.join(sample.caveats)} ")
    assert f" {sample.why[:1].upper()}{sample.why[1:]} " in head
    coarse = quick(np.ones(3), eps=1e-14)
    assert coarse.verdict == "inconclusive"
    assert f"What to do: {coarse.advice}" in " ".join(str(coarse).split())
    net, x, y = gl.mlp([3, 4, 2]), np.zeros((1, 3)), np.array([1])
    hidden = gl.check(net, x, y)
    said = " ".join(str(hidden).split())
    assert hidden.blind_spots
    if hidden.verdict == "inconclusive":
        assert all(f"Blind spot: {spot}" in said for spot in hidden.blind_spots)
    one = gl.check(gl.mlp([3, 4, 2]), np.ones((1, 3)), np.array([1]))
    assert one.verdict == "correct"
    assert one.cures
    assert "; ".join(one.cures) in " ".join(str(one).split())
    assert "Blind spot" not in str(one)


def test_the_foot_tells_how_it_was_checked():
    foot = str(quick(np.ones(3))).split("\n")[-1]
    assert foot == "<lambda>; central differences, steps chosen entry by entry, 31 evaluations"
    assert "central differences, eps 1e-05, 31 evaluations" in str(quick(np.ones(3), eps=1e-5))


def told_of(*causes, held="report.diagnosis"):
    return [block.text() for block in causes_told(causes, held)]


CAUSE = Diagnosis("c", None, None, "What it says. And more.", 0.9, "layer 1, tanh", "a = 1",
                  "a = 2", 1e-16, True)  # fmt: skip


def variant(**changed):
    return dataclasses.replace(CAUSE, **changed)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("changed", "title", "fit"),
    [
        ({}, "Cause: a wrong line, layer 1, tanh",
         "The wrong line reproduces the error of your gradient to 12 digits."),
        ({"residual": 0.09}, "Cause: a wrong line, layer 1, tanh",
         "The wrong line reproduces the error of your gradient to 1 digit."),
        ({"residual": 0.2, "certain": False}, "Probable cause: a wrong line, layer 1, tanh",
         "The wrong line would leave 20% of the error unexplained."),
        ({"certain": False, "residual": 1e-5}, "Probable cause: a wrong line, layer 1, tanh",
         "to 5 digits; yet the cause may be another."),
        ({"bug": "missing_l2", "layer": 2}, "Cause: c (layer 1, tanh)",
         'to 12 digits. gl.bugs.describe("missing_l2") tells more.'),
        ({"bug": "missing_l2", "layer": 2, "wrong_line": None, "residual": None},
         "Cause: c (layer 2)", "What it says. And more."),
        ({"wrong_line": None, "residual": None}, "Cause: c", "What it says. And more."),
        ({"whose": "yours"}, "Cause: a wrong line, layer 1, tanh", "What it says."),
        ({"whose": "formula"},
         "Cause: your gradient is what layer 1, tanh gives with a wrong line",
         "The line is written as in gradlab's formula of the layer; yours may be otherwise."),
        ({"left_open": ("W1",), "whose": "yours"}, "Cause: a wrong line, layer 1, tanh",
         "The wrong line would leave W1 unexplained."),
        ({"cause": "perhaps it is c", "wrong_line": None, "residual": None}, "Perhaps: it is c",
         "What it says. And more."),
    ],
)  # fmt: skip
def test_a_cause_is_told_by_its_title_and_how_well_it_fits(changed, title, fit):
    first, *rest = told_of(variant(**changed))
    assert first == title
    assert " ".join(rest[-1].split()).endswith(fit)
    shown = changed.get("wrong_line", "a = 1") is not None
    assert ("    wrong  a = 1\n    right  a = 2" in rest[0]) == shown


def test_of_several_lines_two_are_told_with_their_places():
    def lines(number, **changed):
        where, wrong, right = (
            "; ".join(text.format(k) for k in range(number))
            for text in ("layer {}", "a{} = 1", "a{} = 2")
        )
        told = variant(where=where, wrong_line=wrong, right_line=right, **changed)
        assert len(told.parts) == number
        return told_of(told)

    two, three = lines(2), lines(3)
    assert two[0] == "Cause: 2 wrong lines"
    assert two[1] == "  layer 0"
    assert two[2].startswith("    wrong  a0 = 1\n")
    assert two[3] == "  layer 1"
    assert "These wrong lines reproduce the error" in two[5]
    assert len(two) == 6
    assert three[:5] == ["Cause: 3 wrong lines", *two[1:5]]
    assert three[5] == "  and 1 more"
    formula = lines(2, whose="formula")
    assert formula[0] == "Cause: your gradient is what layer 0, layer 1 gives with 2 wrong lines"
    assert "The lines are written as" in " ".join(formula[5].split())
    assert " ".join(formula[5].split()).endswith("your own may be otherwise.")


def test_what_may_be_the_cause_as_well_is_three_at_most():
    others = [variant(cause=f"other {k}", wrong_line=None, residual=None) for k in range(5)]
    for changed, also in (({}, "fits as well"), ({"certain": False}, "or"),
                          ({"left_open": ("W1",)}, "and"), ({"whose": "yours"}, "or")):  # fmt: skip
        for number in (0, 1, 3, 4, 5):
            told = told_of(variant(**changed), *others[:number], held="them")
            lines = [line for line in told if line.startswith("  ") and "other" in line]
            assert lines == [f"  {also}: other {k}" for k in range(min(3, number))]
            more = [line for line in told if "more: " in line]
            assert more == [f"  and {number - 3} more: them has them"] * (number > 3)
    assert told_of() == []
    assert told_of(variant(score=0.0))[0] == "No cause was found."


def test_in_your_own_source_what_mends_it_as_well_is_told_first():
    alike = tuple(f"line {k}: b = {k}" for k in range(5))
    other = variant(cause="other", wrong_line=None, residual=None)
    for number in range(6):
        told = told_of(variant(whose="yours", alike=alike[:number]), other)
        head = ["This mends it instead:", "Any one of these mends it instead:"][number > 1 :][:1]
        assert [t for t in told if "mends" in t] == head * (number > 0)
        lines = [line for line in told if line.startswith("  line ")]
        assert lines == [f"  {one}" for one in alike[: min(3, number)]]
        assert ("  or: other" in told) == (number < 3)
        left = number + 1 - 3
        assert [t for t in told if t.startswith("  and ")] == (
            [f"  and {left} more: report.diagnosis has them"] * (left > 0)
        )
    # of a network of gradlab's, or where it leaves something open, they are told like others
    open_ = told_of(variant(whose="yours", alike=alike[:2], left_open=("W1",)), other)
    assert open_[-3:] == ["  and: other", "  and: line 0: b = 0", "  and: line 1: b = 1"]
    plain = told_of(variant(alike=alike[:2]), other)
    assert plain[-3:] == [f"  fits as well: {t}" for t in ("other", *alike[:2])]
